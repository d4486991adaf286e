"""Our own reader of PNG and JPEG bytes: what is in the file, without trusting any library that wrote it.

It shares no code with the encoders, so what it finds after a release is evidence. Sources: W3C PNG (third edition) §5
and §11, ITU-T T.81 Annex B, Adobe XMP Specification Part 3, C2PA 2.2 Annex A, GB 45438-2025 with TC260-PG-20259A.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from compliance.errors import NotAPicture

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_JPEG_EXIF = b"Exif\x00\x00"
_TEXT_LIMIT = 4 << 20
# The number that the C2PA library gives its box in a JPEG file.
_OUR_INSTANCE = b"\x02\x11"
# Chunks that say something about the picture but do not change one displayed colour. All others count as picture,
# animation chunks (acTL, fcTL, fdAT) among them: a viewer would show them instead of what was measured.
_PNG_METADATA = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf", b"caBX", b"pHYs"})


@dataclass(frozen=True, slots=True)
class Container:
    """What one PNG or JPEG file carries; width, height: pixels as stored.

    xmp: every XMP packet, in file order. text_aigc: the values of text fields named AIGC outside XMP (PNG text chunks,
    EXIF UserComment). payload_sha256: hex digest of what makes the picture and not its metadata. trailing_bytes: bytes
    after the end of the picture. damage: what salvage had to overlook; always empty otherwise. source_types: always
    empty, since pictures have XMP for that.
    """

    format: Literal["png", "jpeg"]
    mime: str
    width: int
    height: int
    xmp: tuple[bytes, ...]
    text_aigc: tuple[bytes, ...]
    payload_sha256: str
    has_manifest: bool
    trailing_bytes: int
    damage: tuple[str, ...] = ()
    source_types: tuple[bytes, ...] = ()


class _Broken(Exception):
    """The bytes break the format; args[0] is the reason."""


def read_container(name: str, data: bytes, *, salvage: bool = False) -> Container:
    """Take a PNG or JPEG file apart; with salvage, read a damaged one as far as it goes and say what is damaged.

    name is only for the message. The payload digest covers every PNG chunk except text, time, EXIF, pHYs and caBX, and
    every JPEG segment except APPn and COM (but with the ICC profile and Adobe's colour transform, which change the
    picture), so neither an XMP packet nor a C2PA manifest changes it. Raises NotAPicture for anything malformed.
    """
    try:
        if data.startswith(PNG_SIGNATURE):
            return _read_png(data, [] if salvage else None)
        if data.startswith(b"\xff\xd8"):
            return _read_jpeg(data, [] if salvage else None)
    except _Broken as error:
        raise NotAPicture(path=name, reason=error.args[0]) from error
    raise NotAPicture(path=name, reason="neither PNG nor JPEG" if data else "empty file")


def manifest_store(data: bytes) -> bytes:
    """The C2PA manifest store of a PNG or JPEG file as one piece; empty when there is none or the file is malformed.

    A store of more than 64 KiB lies in several APP11 segments, numbered from 1 and each repeating the number and the
    header of the box (ISO 19566-5 Annex D); one that does not counts as malformed.
    """
    try:
        if data.startswith(PNG_SIGNATURE):
            return b"".join(payload for kind, payload, _ in _png_chunks(data) if kind == b"caBX")
        if data.startswith(b"\xff\xd8"):
            return _jpeg_manifest(data)
    except _Broken:
        pass
    return b""


def _jpeg_manifest(data: bytes) -> bytes:
    """The box of C2PA among the JUMBF boxes of a JPEG file, which are told apart by their instance numbers."""
    boxes: dict[bytes, list[bytes]] = {}
    for marker, payload in _leading_segments(data):
        if marker == 0xEB and payload.startswith(b"JP"):
            parts = boxes.setdefault(payload[2:4], [])
            if int.from_bytes(payload[4:8], "big") != len(parts) + 1 or (parts and payload[8:16] != parts[0][:8]):
                raise _Broken("damaged segments")
            parts.append(payload[16:] if parts else payload[8:])
    found = [(instance, b"".join(parts)) for instance, parts in boxes.items() if b"c2pa" in parts[0][:64]]
    if len(found) != 1:
        return b""
    instance, store = found[0]
    # Nothing covers the instance number, and ours has one value.
    return b"" if instance != _OUR_INSTANCE and b"org.signet.release" in store else store


# --- PNG -------------------------------------------------------------------------------------------------------------


def _overlook(damage: list[str] | None, reason: str) -> None:
    """Note the damage when salvaging, else give up on the file."""
    if damage is None:
        raise _Broken(reason)
    damage.append(reason)


def _png_chunks(data: bytes, damage: list[str] | None = None) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield (type, payload, offset behind the chunk); the CRC of each is checked."""
    position = len(PNG_SIGNATURE)
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if position + 12 > len(data) or length > 0x7FFFFFFF or end > len(data):
            _overlook(damage, "truncated")
            if position + 8 <= len(data):
                yield data[position + 4 : position + 8], data[position + 8 :], len(data)
            return
        kind = data[position + 4 : position + 8]
        payload = data[position + 8 : end - 4]
        if not kind.isalpha() or zlib.crc32(payload, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
            _overlook(damage, "damaged chunk")
        yield kind, payload, end
        if kind == b"IEND":
            return
        position = end


def _read_png(data: bytes, damage: list[str] | None) -> Container:
    """Walk the chunks of a PNG file."""
    digest = hashlib.sha256(b"png")
    xmp: list[bytes] = []
    texts: list[bytes] = []
    has_manifest = has_pixels = False
    width = height = behind = 0
    for kind, payload, end in _png_chunks(data, damage):
        behind = end
        if width == 0:
            if kind != b"IHDR" or len(payload) != 13:
                raise _Broken("no header")
            width, height = struct.unpack(">II", payload[:8])
            if not (0 < width <= 0x7FFFFFFF and 0 < height <= 0x7FFFFFFF):
                raise _Broken("no size")
        elif kind == b"IHDR":
            raise _Broken("two headers")
        if kind not in _PNG_METADATA:
            digest.update(len(payload).to_bytes(4, "big") + kind)
            digest.update(payload)
        if kind == b"IDAT":
            has_pixels = True
        elif kind == b"caBX":
            has_manifest = True
        elif kind == b"eXIf":
            texts += _user_comments(payload)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, value = _png_text(kind, payload)
            if keyword == _XMP_KEYWORD:
                xmp.append(value)
            elif b"AIGC" in keyword.upper():
                texts.append(value)
    if not has_pixels:
        _overlook(damage, "no picture data")
    return Container(
        format="png",
        mime="image/png",
        width=width,
        height=height,
        xmp=tuple(xmp),
        text_aigc=tuple(texts),
        payload_sha256=digest.hexdigest(),
        has_manifest=has_manifest,
        trailing_bytes=len(data) - behind,
        damage=tuple(damage or ()),
    )


def _png_text(kind: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """Keyword and value of a text chunk; a value that cannot be unpacked reads as empty, never as missing."""
    keyword, _, rest = payload.partition(b"\x00")
    if kind == b"tEXt":
        return keyword, rest
    if kind == b"zTXt":
        return keyword, _inflate(rest[1:])
    compressed, rest = rest[:1] == b"\x01", rest[2:]
    _, _, rest = rest.partition(b"\x00")
    _, _, value = rest.partition(b"\x00")
    return keyword, _inflate(value) if compressed else value


def _inflate(packed: bytes) -> bytes:
    """Unpack at most 4 MiB of text, so that a small file cannot fill the memory."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _TEXT_LIMIT)
    except zlib.error:
        return b""
    if unpacker.unconsumed_tail:
        raise _Broken("a text field is too large")
    return text


# --- JPEG ------------------------------------------------------------------------------------------------------------

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def _read_jpeg(data: bytes, damage: list[str] | None) -> Container:
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
        except _Broken as error:
            _overlook(damage, error.args[0])
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
            _overlook(damage, "truncated")
            position = len(data)
            break
        payload = data[position + 2 : end]
        position = end
        if marker == 0xE1 and payload.startswith(_JPEG_XMP):
            xmp.append(payload[len(_JPEG_XMP) :])
        elif marker == 0xE1 and payload.startswith(_JPEG_EXIF):
            texts += _user_comments(payload[len(_JPEG_EXIF) :])
        elif marker == 0xEB and payload.startswith(b"JP") and b"c2pa" in payload:
            has_manifest = True
        elif _makes_picture(marker, payload):
            digest.update(struct.pack(">BBI", 0xFF, marker, len(payload)))
            digest.update(payload)
        if marker in _SOF:
            if width:
                raise _Broken("two frames")
            if len(payload) < 6:
                raise _Broken("damaged header")
            height, width = struct.unpack(">HH", payload[1:5])
            if not (width and height):
                raise _Broken("no size")
        elif marker == 0xDA:
            if not width:
                raise _Broken("no header")
            has_pixels = True
            try:
                end = _end_of_scan(data, position)
            except _Broken as error:
                _overlook(damage, error.args[0])
                end = len(data)
            digest.update(memoryview(data)[position:end])
            position = end
    if not has_pixels:
        _overlook(damage, "no picture data")
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
            raise _Broken("truncated")
        yield marker, data[position + 2 : position + length]
        position += length


def _marker(data: bytes, position: int) -> tuple[int, int]:
    """The marker at a position and the offset behind it; fill bytes (0xFF) before it are allowed (T.81 B.1.1.2)."""
    if position >= len(data):
        raise _Broken("truncated")
    if data[position] != 0xFF:
        raise _Broken("damaged segment")
    while position < len(data) and data[position] == 0xFF:
        position += 1
    if position >= len(data):
        raise _Broken("truncated")
    marker = data[position]
    if marker in (0x00, 0xD8):
        raise _Broken("damaged segment")
    return marker, position + 1


def _end_of_scan(data: bytes, position: int) -> int:
    """Offset of the first marker behind entropy-coded data: stuffed zeros and restart markers belong to the data."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            raise _Broken("truncated")
        following = data[position + 1]
        if following == 0x00 or 0xD0 <= following <= 0xD7:
            position += 2
        elif following == 0xFF:
            position += 1
        else:
            return position


def _makes_picture(marker: int, payload: bytes) -> bool:
    """True for segments that change what is shown: all but APPn and COM, and of the APPn the two that set colours."""
    if marker == 0xFE:
        return False
    if not 0xE0 <= marker <= 0xEF:
        return True
    return (marker == 0xE2 and payload.startswith(b"ICC_PROFILE\x00")) or (marker == 0xEE and payload[:5] == b"Adobe")


# --- EXIF ------------------------------------------------------------------------------------------------------------


def _user_comments(tiff: bytes) -> list[bytes]:
    """The EXIF UserComment when it speaks of AIGC (GB 45438-2025 Annex B); a broken EXIF block reads as none."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        field = tiff[start : start + size]
        if len(field) < size:
            raise _Broken("truncated")
        return int.from_bytes(field, order)

    def entries(start: int) -> dict[int, tuple[int, int]]:
        """Tag -> (count, offset of the value field) of one directory."""
        found: dict[int, Any] = {}
        for index in range(min(number(start, 2), 512)):
            entry = start + 2 + 12 * index
            found[number(entry, 2)] = (number(entry + 4, 4), entry + 8)
        return found

    try:
        first = entries(number(4, 4))
        if 0x8769 not in first:
            return []
        comment = entries(number(first[0x8769][1], 4)).get(0x9286)
        if comment is None:
            return []
        count, field = comment
        start = number(field, 4) if count > 4 else field
        value = tiff[start : start + count]
    except _Broken:
        return []
    text = value[8:] if value[:8] in (b"ASCII\x00\x00\x00", b"UNICODE\x00") else value
    return [text.rstrip(b"\x00 ")] if b"AIGC" in text.replace(b"\x00", b"").upper() else []
