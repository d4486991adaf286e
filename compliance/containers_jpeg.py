"""Our own reader of JPEG bytes. Sources: ITU-T T.81 Annex B, Adobe XMP Specification Part 3, ISO 19566-5 Annex D."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator

from compliance.containers_parts import Broken, Container, overlook, user_comments

_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_JPEG_EXIF = b"Exif\x00\x00"
# The number that the C2PA library gives its box in a JPEG file.
_OUR_INSTANCE = b"\x02\x11"

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
# No stuffed zero, no restart marker, no fill byte.
_OTHER_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def read_jpeg(data: bytes, damage: list[str] | None) -> Container:
    """Walk the segments of a JPEG file, entropy-coded data included, through the end-of-image marker."""
    digest = hashlib.sha256(b"jpeg")
    xmp: list[bytes] = []
    texts: list[bytes] = []
    has_manifest = has_pixels = False
    width = height = 0
    position = 2
    while True:
        try:
            marker, position = _marker(data, position)
        except Broken as error:
            overlook(damage, error.args[0])
            position = len(data)
            break
        if marker == 0xD9:
            break
        if marker in _STANDALONE:
            digest.update(bytes((0xFF, marker)))
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        end = position + length
        if length < 2 or end > len(data):
            overlook(damage, "truncated")
            position = len(data)
            break
        payload = data[position + 2 : end]
        position = end
        if marker == 0xE1 and payload.startswith(_JPEG_XMP):
            xmp.append(payload[len(_JPEG_XMP) :])
        elif marker == 0xE1 and payload.startswith(_JPEG_EXIF):
            texts += user_comments(payload[len(_JPEG_EXIF) :])
        elif marker == 0xEB and payload.startswith(b"JP") and b"c2pa" in payload:
            has_manifest = True
        elif _makes_picture(marker, payload):
            digest.update(struct.pack(">BBI", 0xFF, marker, len(payload)))
            digest.update(payload)
        if marker in _SOF:
            if width:
                raise Broken("two frames")
            if len(payload) < 6:
                raise Broken("damaged header")
            height, width = struct.unpack(">HH", payload[1:5])
            if not (width and height):
                raise Broken("no size")
        elif marker == 0xDA:
            if not width:
                raise Broken("no header")
            has_pixels = True
            try:
                end = _end_of_scan(data, position)
            except Broken as error:
                overlook(damage, error.args[0])
                end = len(data)
            digest.update(memoryview(data)[position:end])
            position = end
    if not has_pixels:
        overlook(damage, "no picture data")
    return Container(
        format="jpeg",
        mime="image/jpeg",
        width=width,
        height=height,
        xmp=tuple(xmp),
        text_aigc=tuple(texts),
        payload_sha256=digest.hexdigest(),
        has_manifest=has_manifest,
        trailing_bytes=len(data) - position,
        damage=tuple(damage or ()),
    )


def _leading_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, payload) of the segments before the first scan."""
    position = 2
    while True:
        marker, position = _marker(data, position)
        if marker in (0xD9, 0xDA):
            return
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2 or position + length > len(data):
            raise Broken("truncated")
        yield marker, data[position + 2 : position + length]
        position += length


def _marker(data: bytes, position: int) -> tuple[int, int]:
    """The marker at a position and the offset behind it; fill bytes (0xFF) before it are allowed (T.81 B.1.1.2)."""
    if position >= len(data):
        raise Broken("truncated")
    if data[position] != 0xFF:
        raise Broken("damaged segment")
    while position < len(data) and data[position] == 0xFF:
        position += 1
    if position >= len(data):
        raise Broken("truncated")
    marker = data[position]
    if marker in (0x00, 0xD8):
        raise Broken("damaged segment")
    return marker, position + 1


def _end_of_scan(data: bytes, position: int) -> int:
    """Offset of the first marker behind entropy-coded data: stuffed zeros and restart markers belong to the data."""
    found = _OTHER_MARKER.search(data, position)
    if found is None:
        raise Broken("truncated")
    return found.start()


def _makes_picture(marker: int, payload: bytes) -> bool:
    """True for segments that change what is shown: all but APPn and COM, and of the APPn the two that set colours."""
    if marker == 0xFE:
        return False
    if not 0xE0 <= marker <= 0xEF:
        return True
    return (marker == 0xE2 and payload.startswith(b"ICC_PROFILE\x00")) or (marker == 0xEE and payload[:5] == b"Adobe")


def jpeg_manifest(data: bytes) -> bytes:
    """The box of C2PA among the JUMBF boxes of a JPEG file, which are told apart by their instance numbers.

    A store of more than 64 KiB lies in several APP11 segments, numbered from 1 and each repeating the number and the
    header of the box (ISO 19566-5 Annex D); one that does not raises Broken.
    """
    boxes: dict[bytes, list[bytes]] = {}
    for marker, payload in _leading_segments(data):
        if marker == 0xEB and payload.startswith(b"JP"):
            parts = boxes.setdefault(payload[2:4], [])
            if int.from_bytes(payload[4:8], "big") != len(parts) + 1 or (parts and payload[8:16] != parts[0][:8]):
                raise Broken("damaged segments")
            parts.append(payload[16:] if parts else payload[8:])
    found = [(instance, b"".join(parts)) for instance, parts in boxes.items() if b"c2pa" in parts[0][:64]]
    if len(found) != 1:
        return b""
    instance, store = found[0]
    # Nothing covers the instance number, and ours has one value.
    return b"" if instance != _OUR_INSTANCE and b"org.signet.release" in store else store
