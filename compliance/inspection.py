"""Looks at a draft and at a sealed file as a stranger would: every layer is measured from the bytes.

compliance.release asks this before it signs and again before a file gets its name; whatever is missing, weak or means
something else ends the release.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from compliance.containers import Container
from compliance.decode_sound import decode_sound
from compliance.documents import DocumentContainer
from compliance.errors import LabelTooWeak, NotASound, NotAVideo
from compliance.film_reading import read_film
from compliance.keys import HomeKeys
from compliance.labels import aigc, audible, credential, explicit, moving, watermark_audio, watermark_image, written
from compliance.labels.policy import BESIDE, MARKED_FROM_PX, LabelPlan, Prepared
from compliance.media import Pixels, Samples
from compliance.reading import AnyContainer, decode_picture, read_media
from compliance.sound_containers import SoundContainer
from compliance.video_containers import VideoContainer


def verify_draft(
    data: bytes, plan: LabelPlan, prepared: Prepared, each_second: Callable[[Pixels], None] | None = None
) -> Pixels | None:
    """Measure every layer of an unsigned draft from its bytes; raises LabelTooWeak naming the layer.

    Returns the pixels that were decoded and measured, of a picture; each_second is given those of a film, one frame a
    second.
    """
    container = read_media("the draft", data)
    _verify_payload(container, plan, prepared)
    _verify_metadata(container, plan)
    if isinstance(container, SoundContainer):
        _verify_heard(data, container, plan)
    elif isinstance(container, VideoContainer):
        _verify_watched(data, container, plan, each_second)
    elif isinstance(container, DocumentContainer):
        written.require(written.measure(data, container), sample=plan.sample)
    else:
        pixels: Pixels | None = decode_picture(data, opaque=True)
        if pixels is None:
            raise LabelTooWeak(layer="container", reason="cannot be decoded")
        # The drawn label and the mark are looked for side by side.
        with ThreadPoolExecutor(1) as thread:
            mark = thread.submit(watermark_image.detect, pixels)
            explicit.require(explicit.measure(pixels), sample=plan.sample)
            _verify_mark(mark.result(), min(pixels.shape[:2]), plan)
        return pixels
    return None


def verify_sealed(data: bytes, plan: LabelPlan, prepared: Prepared, keys: HomeKeys, aside: bytes | None = None) -> None:
    """Check the signed bytes: same picture or sound, same metadata, a credential of this home. Raises LabelTooWeak.

    aside: the credential that will stand beside the file; then there must be none inside.
    """
    container = read_media("the sealed file", data)
    _verify_payload(container, plan, prepared)
    _verify_metadata(container, plan)
    if (aside is not None) != (plan.format in BESIDE) or (aside is not None and container.has_manifest):
        raise LabelTooWeak(layer="credential", reason="stands in the wrong place")
    reading = credential.read_credential(data, container.mime, keys.public.roots()[:1], aside)
    if reading.state != "intact" or reading.trust != "trusted":
        raise LabelTooWeak(layer="credential", reason="; ".join((*reading.reasons, *reading.codes)) or reading.state)
    if (reading.evidence or {}).get("release") != plan.release_id:
        raise LabelTooWeak(layer="credential", reason="names another release")


def _verify_mark(found: watermark_image.Detection, shorter_px: int, plan: LabelPlan) -> None:
    """Judge the invisible mark. Smaller pictures than MARKED_FROM_PX may have no room for one; they go without."""
    if found.found and found.ident != int(plan.release_id, 16):
        raise LabelTooWeak(layer="watermark", reason="names another release")
    if not found.found and shorter_px >= MARKED_FROM_PX:
        raise LabelTooWeak(layer="watermark", reason="cannot be read back")


def _verify_heard(data: bytes, container: SoundContainer, plan: LabelPlan) -> None:
    """Decode a sound as a player does and listen for the label."""
    try:
        samples, rate_hz = decode_sound("the draft", data)
    except NotASound as error:
        raise LabelTooWeak(layer="container", reason="cannot be decoded") from error
    if container.codec == "flac" and len(samples) != container.frames:
        raise LabelTooWeak(layer="container", reason="cannot be decoded")
    if (rate_hz, samples.shape[1]) != (container.rate_hz, container.channels):
        raise LabelTooWeak(layer="container", reason="its header means another sound")
    _verify_notice(samples, rate_hz, plan)


def _verify_notice(samples: Samples, rate_hz: int, plan: LabelPlan) -> None:
    """Rhythm and words in a sound, and the mark."""
    audible.require_sound(audible.measure_sound(samples, rate_hz), sample=plan.sample)
    # A sound of little but silence has no room for a mark; one that can be read must be this release's.
    mark = watermark_audio.detect_sound(samples, rate_hz, watermark_audio.DETECTOR_KEY, thorough=False)
    if mark.found and mark.ident != int(plan.release_id, 16) >> (64 - mark.bits):
        raise LabelTooWeak(layer="watermark", reason="names another release")


def _verify_watched(
    data: bytes, container: VideoContainer, plan: LabelPlan, each_second: Callable[[Pixels], None] | None
) -> None:
    """Decode a film as a player does and look at every frame; then listen to its sound, when it has any."""
    if container.oddities:
        raise LabelTooWeak(layer="container", reason="; ".join(container.oddities))
    try:
        seen = read_film("the draft", data, container, each_second=each_second)
        heard = decode_sound("the draft", data) if container.has_sound else None
    except (NotAVideo, NotASound) as error:
        raise LabelTooWeak(layer="container", reason="cannot be decoded") from error
    if not seen.as_told:
        raise LabelTooWeak(layer="container", reason="its header means another film")
    moving.require_film(seen.label, sample=plan.sample)
    if seen.mark.found and seen.mark.ident != int(plan.release_id, 16):
        raise LabelTooWeak(layer="watermark", reason="names another release")
    if not seen.mark.found and min(container.height, container.width) >= MARKED_FROM_PX:
        raise LabelTooWeak(layer="watermark", reason="cannot be read back")
    if heard is not None:
        _verify_notice(*heard, plan)


def _verify_payload(container: AnyContainer, plan: LabelPlan, prepared: Prepared) -> None:
    if isinstance(container, Container) and not container.is_still:
        raise LabelTooWeak(layer="container", reason="a viewer would show more than the one picture that was measured")
    if container.format != plan.format or container.trailing_bytes:
        raise LabelTooWeak(layer="container", reason="not the planned format, or bytes after its end")
    if container.payload_sha256 != prepared.payload_sha256:
        raise LabelTooWeak(layer="container", reason="what it shows is not what was entered")


def _verify_metadata(container: AnyContainer, plan: LabelPlan) -> None:
    field = aigc.read_aigc(container)
    if field.state != "intact":
        raise LabelTooWeak(layer="aigc", reason="; ".join(field.reasons) or field.state)
    if field.fields[0].get("ProduceID") != plan.release_id or field.fields[0].get("Label") != "1":
        raise LabelTooWeak(layer="aigc", reason="names another release")
    source_type = aigc.read_iptc(container)
    if source_type.state != "intact" or not source_type.uris[0].endswith(f"/{plan.origin}"):
        raise LabelTooWeak(layer="iptc", reason="; ".join(source_type.reasons) or "another source type")
