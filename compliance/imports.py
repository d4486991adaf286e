"""What the inputs of a release already say of themselves: their labels become part of its history, none disappears.

Deep Synthesis Provisions Art. 18 and Labelling Measures Art. 10 forbid to remove or conceal labels. A file that was
made by AI before keeps its credential as an ingredient of the new one; its other labels are named in the evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from compliance.errors import SignetError
from compliance.labels import aigc, credential
from compliance.media import Pixels
from compliance.reading import read_media

# What foreign files say is shortened to this before it is kept.
_LONGEST_TEXT, _MOST_FIELDS, _MOST_INPUTS = 128, 8, 64


class MaterialLike(Protocol):
    """An input file; role: what it was used for."""

    @property
    def role(self) -> str:
        """What the file was used for."""

    @property
    def data(self) -> bytes:
        """Its bytes."""


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


def read_imports(
    materials: Sequence[MaterialLike], marks: Mapping[str, str], roots: Sequence[bytes]
) -> list[dict[str, Any]]:
    """What each input that carries labels says, for the evidence of the release; inputs without any are left out.

    marks: id of the invisible mark by role of the input. roots: certificates of signers that are known (PEM). Each
    answer has the role, the digest of the file, and of release (of a credential of this program), ids (of AIGC fields),
    source_types, credential (its state), signer and mark those that there are. Never raises for a broken file.
    """
    found = []
    for item in materials:
        if item.role == "mask":
            continue
        said = _said(item.data, roots)
        mark = marks.get(item.role, "")
        if mark:
            said["mark"] = mark
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
            ids += [_short(one) for one in (item.get("release"), item.get("mark"), *listed) if isinstance(one, str)]
    return [one for one in dict.fromkeys(ids) if one]


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
