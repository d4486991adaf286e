"""What the inputs of a release already say of themselves: their labels become part of its history, none disappears.

Deep Synthesis Provisions Art. 18 and Labelling Measures Art. 10 forbid to remove or conceal labels. A file that was
made by AI before keeps its credential as an ingredient of the new one; its other labels are named in the evidence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from compliance.errors import SignetError
from compliance.labels import aigc, credential
from compliance.material import Material
from compliance.media import Pixels, Samples
from compliance.reading import read_media

# What foreign files say is shortened to this before it is kept.
_LONGEST_TEXT, _MOST_FIELDS, _MOST_INPUTS = 128, 8, 64
_HALF, _MARK = re.compile("[0-9a-f]{8}"), re.compile("[0-9a-f]{8}|[0-9a-f]{16}")


def read_mark(pixels: Pixels) -> str:
    """The id of the invisible mark in an input picture as 16 hex digits, "" for none; uint8, (height, width, 3), sRGB.

    A copy that was only saved again is read at once. The long search for turned, cropped and scaled copies is made
    where the drawn label is seen as well.
    """
    from compliance.labels import explicit, watermark_image
    from compliance.labels.watermark.detect import SMALLEST_PX, read
    from compliance.labels.watermark.frame import luma

    if min(pixels.shape[:2]) < SMALLEST_PX:
        return ""
    straight = read(luma(pixels), watermark_image.DETECTOR_KEY, "straight").decoded
    if straight is not None:
        return f"{straight.ident:016x}"
    if not explicit.measure(pixels).found:
        return ""
    found = watermark_image.detect(pixels)
    return f"{found.ident:016x}" if found.found else ""


def read_sound_mark(samples: Samples, rate_hz: int) -> str:
    """The id of the invisible mark in an input sound as 16 hex digits, its first 8 in a short one, "" for none.

    samples: float32, (frames, channels), -1 to 1. Copies that were played faster or slower are sought where the audible
    label is heard as well.
    """
    from compliance.labels import audible, watermark_audio

    key = watermark_audio.DETECTOR_KEY
    found = watermark_audio.detect_sound(samples, rate_hz, key, thorough=False)
    if not found.found and audible.state(audible.measure_sound(samples, rate_hz)) != "absent":
        found = watermark_audio.detect_sound(samples, rate_hz, key)
    return f"{found.ident:0{found.bits // 4}x}" if found.found else ""


def read_film_mark(name: str, data: bytes) -> str:
    """The id of the invisible mark in the pictures of a film as 16 hex digits, "" for none; name is for messages.

    Cropped and scaled copies are sought where the drawn label is seen as well. Raises NotAVideo, LabelPartMissing.
    """
    from compliance.decode_video import decode_film
    from compliance.labels import explicit
    from compliance.labels.watermark_video import FrameFold

    fold, first = FrameFold(), None
    for shot in decode_film(name, data):
        first = shot.pixels() if first is None else first
        fold.add(shot.luma(), is_key=shot.is_key)
        if fold.is_done:
            break
    is_labelled = first is not None and explicit.measure(first).found
    found = fold.finish("similar" if is_labelled else "straight")
    return f"{found.ident:016x}" if found.found else ""


def read_imports(
    materials: Sequence[Material], marks: Sequence[tuple[str, str]], roots: Sequence[bytes]
) -> list[dict[str, Any]]:
    """What each input that carries labels says, for the evidence of the release; inputs without any are left out.

    marks: (role of the input, id of an invisible mark in it). roots: certificates of signers that are known (PEM). Each
    answer has the role, the digest of the file, and of release (of a credential of this program), ids (of AIGC fields),
    source_types, credential (its state), signer, mark and sound_mark (another one in the sound of a film) those that
    there are. Never raises for a broken file.
    """
    found = []
    for item in materials:
        if item.role == "mask":
            continue
        said = _said(item.data, roots)
        read = (mark for role, mark in marks if role == item.role and _MARK.fullmatch(mark))
        said.update(zip(("mark", "sound_mark"), read, strict=False))
        if said:
            found.append({"role": item.role, "sha256": hashlib.sha256(item.data).hexdigest(), **said})
    return found


def ids_of(imported: object) -> list[str]:
    """Every id that imported files are known by, each once.

    imported: as read_imports answers it, or whatever a foreign credential has in its place.
    """
    ids: list[str] = []
    for item in imported[:_MOST_INPUTS] if isinstance(imported, list) else ():
        if isinstance(item, dict):
            fields = item.get("ids")
            listed = fields[:_MOST_FIELDS] if isinstance(fields, list) else ()
            named = (item.get("release"), item.get("mark"), item.get("sound_mark"), *listed)
            ids += [_short(one) for one in named if isinstance(one, str)]
    # A short sound carries the first half of an id alone: where the whole one is named, it says nothing new.
    return [one for one in dict.fromkeys(ids) if one and not (_HALF.fullmatch(one) and _is_begun(one, ids))]


def _is_begun(half: str, ids: Sequence[str]) -> bool:
    return any(other != half and other.startswith(half) for other in ids)


def _said(data: bytes, roots: Sequence[bytes]) -> dict[str, Any]:
    try:
        container = read_media("input", data, salvage=True)
    except SignetError:
        return {}
    said: dict[str, Any] = {}
    fields = aigc.read_aigc(container).fields
    ids = [_short(field["ProduceID"]) for field in fields if field.get("ProduceID")]
    if ids:
        said["ids"] = list(dict.fromkeys(ids))[:_MOST_FIELDS]
    uris = [uri for uri in aigc.read_iptc(container).uris if uri.rpartition("/")[2] in aigc.AI_CODES]
    if uris:
        said["source_types"] = [_short(uri.rpartition("/")[2]) for uri in uris][:_MOST_FIELDS]
    if container.has_manifest:
        reading = credential.read_credential(data, container.mime, roots)
        if reading.state != "absent":
            said["credential"] = reading.state
            if reading.issuer:
                said["signer"] = _short(reading.issuer)
            release = (reading.evidence or {}).get("release")
            if release:
                said["release"] = _short(release)
    return said


def _short(value: Any) -> str:
    """Foreign text, cut and without anything that cannot be printed."""
    return "".join(char for char in str(value)[:_LONGEST_TEXT] if char.isprintable())
