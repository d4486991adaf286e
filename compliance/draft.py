"""First half of a release, in the worker: draws the label, marks and encodes. Holds no key, knows no path.

What it makes is worthless until compliance.release has read it back, measured and signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, cast

import numpy as np

from compliance import encode, encode_document, encode_sound, encode_video
from compliance.containers_parts import PictureFormat
from compliance.decode_video import decode_film
from compliance.errors import FormatUnsupported, PictureTooSmallForLabel
from compliance.labels import audible, explicit, moving, watermark_audio, watermark_image, watermark_video
from compliance.labels.lettering import opencv
from compliance.labels.policy import FORMATS, LabelPlan, Language
from compliance.labels.styles import USUAL, LabelChoice, style_of
from compliance.media import (
    Kind,
    MediaInfo,
    Pixels,
    Samples,
    SyntheticMedia,
    unseal,
    unseal_document,
    unseal_film,
    unseal_sound,
)
from compliance.reading import read_media
from compliance.sound_containers import SoundFormat
from compliance.video_containers import VideoFormat

# A film of no more frames is read back whole, a longer one by its key frames.
_FEW_FRAMES = 240
# Source types of pictures that were there before: the European icon calls them modified.
EDITING: Final = frozenset({"compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "algorithmicallyEnhanced"})
COVERS_A_FACE: Final = "the label covers part of a face: the picture has no other place for it"


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
    labelled, _ = explicit.draw_fitting(
        unseal(media),
        sample=plan.sample,
        style=plan.look(),
        keep_clear=media.info.keep_clear,
        is_modified=plan.origin in EDITING,
    )
    inked = watermark_image.embed(labelled, int(plan.release_id, 16))
    return Draft(plan, encode.encode_picture(inked.pixels, cast(PictureFormat, plan.format), plan.packet()))


def _prepare_sound(media: SyntheticMedia, plan: LabelPlan) -> Draft:
    rate_hz = media.info.rate_hz
    spoken = audible.draw_sound(unseal_sound(media), rate_hz, plan.language, sample=plan.sample)
    marked = watermark_audio.embed_sound(spoken, rate_hz, int(plan.release_id, 16), watermark_audio.DETECTOR_KEY)
    data = encode_sound.encode_sound(marked.samples, rate_hz, cast(SoundFormat, plan.format), plan.tags())
    return Draft(plan, data)


def _prepare_film(media: SyntheticMedia, plan: LabelPlan) -> Draft:
    """Made again with a louder mark until the mark is read back from the finished bytes."""
    data = b""
    for loudness in watermark_video.LADDER:
        data = _film(media, plan, loudness)
        fold = watermark_video.FrameFold()
        for shot in decode_film("draft", data, key_frames=media.info.pictures > _FEW_FRAMES):
            fold.add(shot.luma(), is_key=shot.is_key)
            if fold.is_done:
                break
        found = fold.finish()
        if found.found and found.ident == int(plan.release_id, 16):
            break
    return Draft(plan, data)


def _film(media: SyntheticMedia, plan: LabelPlan, loudness: watermark_video.Loudness) -> bytes:
    """Every frame marked and labelled before the encoder; while the notice is spoken, the picture stands still."""
    info, film, ident = media.info, unseal_film(media), int(plan.release_id, 16)
    # The encoders halve the sides for colour: an odd last row or column is left out.
    width, height = info.width & ~1, info.height & ~1
    sound, holds = _film_sound(film.sound, info, plan)
    encoder: encode_video.FilmEncoder | None = None
    for index, pixels in enumerate(moving.held(film.frames(), holds)):
        if encoder is None:
            plates = moving.Plates.of(
                pixels[:height, :width],
                info.per_second,
                sample=plan.sample,
                style=plan.look(),
                keep_clear=info.keep_clear,
                is_modified=plan.origin in EDITING,
            )
            marker = watermark_video.FrameMarker(height, width, ident, loudness)
            encoder = encode_video.FilmEncoder(
                cast(VideoFormat, plan.format), (width, height), info.per_second, plan.tags(), sound, info.rate_hz
            )
        frame, planes = encoder.planes(pixels[:height, :width])
        marker.mark(planes.luma)
        plates.lay(index, planes.luma, planes.blue, planes.red)
        encoder.push(frame)
    assert encoder is not None  # a film has at least one frame
    return encoder.finish()


def _film_sound(sound: Samples | None, info: MediaInfo, plan: LabelPlan) -> tuple[Samples | None, dict[int, int]]:
    """The labelled sound of a film, as long as its picture, and before which frames the picture waits for how many."""
    if sound is None:
        return None, {}
    length = round(info.pictures / info.per_second * info.rate_hz)
    fitted = np.zeros((length, sound.shape[1]), np.float32)
    fitted[: len(sound)] = sound[:length]
    spoken = audible.draw_sound_held(fitted, info.rate_hz, plan.language, sample=plan.sample)
    ident = int(plan.release_id, 16)
    marked = watermark_audio.embed_sound(spoken.samples, info.rate_hz, ident, watermark_audio.DETECTOR_KEY)
    return marked.samples, moving.holds(spoken.places, spoken.label, info.rate_hz, info.per_second)


def _prepare_document(media: SyntheticMedia, plan: LabelPlan) -> Draft:
    document = unseal_document(media)
    if document.format != plan.format:
        raise FormatUnsupported(path=plan.format, supported=FORMATS[document.format].endings[0])
    data = encode_document.encode_document(
        document, plan.tags(), sample=plan.sample, style=plan.look(), is_modified=plan.origin in EDITING
    )
    return Draft(plan, data)


# How each kind of media gets its labels; a kind that is missing here cannot leave.
_PREPARE: Final[dict[Kind, Callable[[SyntheticMedia, LabelPlan], Draft]]] = {
    "picture": _prepare_picture,
    "sound": _prepare_sound,
    "document": _prepare_document,
    "video": _prepare_film,
}


def note_faces(media: SyntheticMedia, find: Callable[[Pixels], Sequence[tuple[int, int, int, int]]]) -> None:
    """Enter into the info of a picture where faces are in it, and a warning where the label has no place beside them.

    find: boxes of the faces in a picture, (left, top, width, height) in pixels.
    """
    if media.info.kind != "picture":
        return
    pixels = unseal(media)
    info = replace(media.info, keep_clear=tuple(find(pixels)))
    if info.keep_clear and min(pixels.shape[:2]) >= explicit.MINIMUM_SIDE_PX:
        try:
            drawn = explicit.draw(pixels, sample=False, keep_clear=info.keep_clear)[1]
        except PictureTooSmallForLabel:
            return  # the release says so
        if drawn.covers:
            info = replace(info, warnings=(*info.warnings, COVERS_A_FACE))
    media.info = info


def preview(media: SyntheticMedia, *, sample: bool, longest_px: int, choice: LabelChoice = USUAL) -> bytes:
    """A PNG for the screen, at most longest_px on its longer side, with the label burnt in at that size.

    Of a video its first frame. choice: presets of the label, as the release will have them.
    """
    pixels = _still(media)
    height, width = pixels.shape[:2]
    scale = min(1.0, longest_px / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        cv2 = opencv()
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    clear = np.rint(np.array(media.info.keep_clear).reshape(-1, 4) * scale).astype(int).tolist()
    labelled, _ = explicit.draw_fitting(
        pixels,
        sample=sample,
        style=style_of(choice.style, choice.position, choice.jurisdiction),
        keep_clear=clear,
        is_modified=media.info.origin in EDITING,
    )
    return encode.encode_preview(labelled)


def _still(media: SyntheticMedia) -> Pixels:
    if media.info.kind == "video":
        return next(iter(unseal_film(media).frames()))
    return unseal(media)


def preview_sound(media: SyntheticMedia, *, sample: bool, language: Language) -> bytes:
    """An Ogg/Opus file in memory for listening, with the whole audible label in it."""
    rate_hz = media.info.rate_hz
    spoken = audible.draw_sound(unseal_sound(media), rate_hz, language, sample=sample)
    return encode_sound.encode_sound_preview(spoken, rate_hz)
