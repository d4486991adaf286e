"""First half of a release, in the worker: draws the label, marks and encodes. Holds no key, knows no path.

What it makes is worthless until compliance.release has read it back, measured and signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, cast

from compliance import encode, encode_sound
from compliance.containers_parts import PictureFormat
from compliance.errors import FormatUnsupported
from compliance.labels import audible, explicit, watermark_audio, watermark_image
from compliance.labels.lettering import opencv
from compliance.labels.policy import FORMATS, LabelPlan, Language
from compliance.media import Kind, SyntheticMedia, unseal, unseal_sound
from compliance.reading import read_media
from compliance.sound_containers import SoundFormat


class Draft:
    """Labelled, encoded media in memory. payload_sha256: digest of what makes the picture or sound (see containers)."""

    def __init__(self, plan: LabelPlan, data: bytes) -> None:
        self.plan = plan
        self._data = data
        self.size = len(data)
        self.payload_sha256 = read_media("draft", data).payload_sha256
        self.sha256 = hashlib.sha256(data).hexdigest()

    def write(self, descriptor: int) -> None:
        """Write all bytes to an open descriptor; raises DiskFull, NotWritable."""
        encode.write_all(descriptor, self._data)


def prepare(media: SyntheticMedia, plan: LabelPlan) -> Draft:
    """Label and encode a sealed result.

    Raises PictureTooSmallForLabel, SoundUnsuitable, LabelPartMissing, and FormatUnsupported when the plan's format is
    for the other kind of media.
    """
    kind = FORMATS[plan.format].kind
    if kind != media.info.kind or kind not in _PREPARE:
        fitting = ", ".join(rule.endings[0] for rule in FORMATS.values() if rule.kind == media.info.kind)
        raise FormatUnsupported(path=plan.format, supported=fitting)
    return _PREPARE[kind](media, plan)


def _prepare_picture(media: SyntheticMedia, plan: LabelPlan) -> Draft:
    labelled, _ = explicit.draw(unseal(media), sample=plan.sample)
    inked = watermark_image.embed(labelled, int(plan.release_id, 16))
    return Draft(plan, encode.encode_picture(inked.pixels, cast(PictureFormat, plan.format), plan.packet()))


def _prepare_sound(media: SyntheticMedia, plan: LabelPlan) -> Draft:
    rate_hz = media.info.rate_hz
    spoken = audible.draw_sound(unseal_sound(media), rate_hz, plan.language, sample=plan.sample)
    marked = watermark_audio.embed_sound(spoken, rate_hz, int(plan.release_id, 16), watermark_audio.DETECTOR_KEY)
    data = encode_sound.encode_sound(marked.samples, rate_hz, cast(SoundFormat, plan.format), plan.tags())
    return Draft(plan, data)


# How each kind of media gets its labels; a kind that is missing here cannot leave.
_PREPARE: Final[dict[Kind, Callable[[SyntheticMedia, LabelPlan], Draft]]] = {
    "picture": _prepare_picture,
    "sound": _prepare_sound,
}


def preview(media: SyntheticMedia, *, sample: bool, longest_px: int) -> bytes:
    """A PNG for the screen, at most longest_px on its longer side, with the label burnt in at that size."""
    pixels = unseal(media)
    height, width = pixels.shape[:2]
    scale = longest_px / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        cv2 = opencv()
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    labelled, _ = explicit.draw(pixels, sample=sample)
    return encode.encode_preview(labelled)


def preview_sound(media: SyntheticMedia, *, sample: bool, language: Language) -> bytes:
    """An Ogg/Opus file in memory for listening, with the whole audible label in it."""
    rate_hz = media.info.rate_hz
    spoken = audible.draw_sound(unseal_sound(media), rate_hz, language, sample=sample)
    return encode_sound.encode_sound_preview(spoken, rate_hz)
