"""Named texts in a file's metadata, in every place where programs that make media leave their settings.

Own parsers with bounds: at most 200 texts of 1 MiB, nothing is decoded, nothing raises; what is malformed ends the
reading of its part. Places: PNG text chunks, EXIF (also in JPEG, WebP, TIFF, AVIF), JPEG and GIF comments, IPTC-IIM,
XMP, QuickTime and iTunes metadata, Matroska tags, ID3, Vorbis comments, RIFF INFO.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from compliance.reading import AnyContainer
from compliance.sound_boxes import boxes
from compliance.sound_bytes import Broken, described, id3_frames, id3_length

_MOST_TEXTS, _LONGEST, _MOST_BYTES = 200, 1 << 20, 16 << 20
_LARGEST_PACKET = 4 << 20
_EXIF_TEXTS: Final = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9E: "XPKeywords",
}
_IIM_TEXTS: Final = {105: "Headline", 110: "Credit", 115: "Source", 120: "Caption"}
_TIFF_START = re.compile(rb"II\*\x00\x08\x00\x00\x00|MM\x00\*\x00\x00\x00\x08")
_TAGS, _TAG, _SIMPLE, _NAME, _STRING = 0x1254C367, 0x7373, 0x67C8, 0x45A3, 0x4487
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class NamedText:
    """One text. place: of the file ("png", "exif", "xmp" …); name: as written there, without its namespace."""

    place: str
    name: str
    text: str


def named_texts(data: bytes, container: AnyContainer) -> list[NamedText]:
    """Every named text of a file, in file order, XMP last; never raises."""
    found: list[NamedText] = []
    left = _MOST_BYTES
    reader = _READERS.get(container.format)
    for source in ([reader(data)] if reader else []) + [_xmp(packet) for packet in container.xmp[:8]]:
        try:
            for one in islice(source, _MOST_TEXTS):
                left -= len(one.text)
                if left < 0 or len(found) >= _MOST_TEXTS:
                    return found
                found.append(one)
        except (Broken, IndexError, ValueError, zlib.error, RecursionError):
            # The rest of this part cannot be read; what was found before counts.
            continue
    return found


def _text(value: bytes, encoding: str = "utf-8") -> str:
    """Bytes as text: UTF-8 where they are, else one sign a byte."""
    value = value[:_LONGEST]
    try:
        return value.decode(encoding).strip("\x00 \r\n\t")
    except UnicodeDecodeError:
        return value.decode("latin-1" if encoding == "utf-8" else encoding, "replace").strip("\x00 \r\n\t")


# --- pictures --------------------------------------------------------------------------------------------------------


def _png(data: bytes) -> Iterator[NamedText]:
    position = 8
    while position + 12 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + min(length, _LARGEST_PACKET)]
        position += 12 + length
        if kind == b"eXIf":
            yield from _exif(body)
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        keyword, _, rest = body.partition(b"\0")
        if keyword == b"XML:com.adobe.xmp":
            continue
        if kind == b"zTXt":
            rest = _inflated(rest[1:])
        elif kind == b"iTXt":
            packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            rest = _inflated(rest) if packed else rest
        yield NamedText("png", _text(keyword), _text(rest))


def _inflated(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, _LONGEST)


def _jpeg(data: bytes) -> Iterator[NamedText]:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        if marker in (0xD9, 0xDA):
            return
        if marker == 0xFF:
            position += 1
            continue
        body = data[position + 4 : position + 2 + length]
        position += 2 + max(length, 2)
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            yield from _exif(body[6:])
        elif marker == 0xFE:
            yield NamedText("comment", "comment", _text(body))
        elif marker == 0xED and body.startswith(b"Photoshop 3.0\0"):
            yield from _iim(body)


def _iim(body: bytes) -> Iterator[NamedText]:
    """The records of IPTC-IIM (application record 2) among Photoshop's blocks."""
    for match in re.finditer(rb"\x1c\x02([\x69\x6e\x73\x78])", body):
        length = int.from_bytes(body[match.end() : match.end() + 2], "big")
        if length < 0x8000:
            value = body[match.end() + 2 : match.end() + 2 + length]
            yield NamedText("iptc", _IIM_TEXTS[match.group(1)[0]], _text(value))


def _webp(data: bytes) -> Iterator[NamedText]:
    for kind, body in _riff(data, 12, len(data)):
        if kind == b"EXIF":
            yield from _exif(body.removeprefix(b"Exif\0\0"))


def _riff(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while position + 8 <= end:
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], data[position + 8 : position + 8 + min(length, _LARGEST_PACKET)]
        position += 8 + length + (length & 1)


def _gif(data: bytes) -> Iterator[NamedText]:
    position = data.find(b"\x21\xfe")
    while position >= 0:
        at = position + 2
        pieces: list[bytes] = []
        while at < len(data) and data[at] and len(pieces) < 4096:
            pieces.append(data[at + 1 : at + 1 + data[at]])
            at += 1 + data[at]
        yield NamedText("comment", "comment", _text(b"".join(pieces)))
        position = data.find(b"\x21\xfe", position + 2)


def _avif(data: bytes) -> Iterator[NamedText]:
    # The item of EXIF is found by how it begins: its place hangs on tables that name offsets in three ways.
    start = _TIFF_START.search(data)
    if start is not None:
        yield from _exif(data[start.start() : start.start() + _LARGEST_PACKET])


def _exif(tiff: bytes) -> Iterator[NamedText]:
    """The texts of a TIFF structure: its first directory and that of EXIF."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        piece = tiff[start : start + size]
        if len(piece) < size:
            raise Broken("truncated")
        return int.from_bytes(piece, order)

    following, seen = [number(4, 4)], 0
    while following and seen < 2:
        start, seen = following.pop(0), seen + 1
        for index in range(min(number(start, 2), 512)):
            entry = start + 2 + 12 * index
            tag, kind, count = number(entry, 2), number(entry + 2, 2), number(entry + 4, 4)
            if tag == 0x8769:
                following.append(number(entry + 8, 4))
            elif tag in _EXIF_TEXTS and kind in (1, 2, 7):
                at = entry + 8 if count <= 4 else number(entry + 8, 4)
                value = tiff[at : at + min(count, _LONGEST)]
                yield NamedText("exif", _EXIF_TEXTS[tag], _exif_text(tag, value, order))


def _exif_text(tag: int, value: bytes, order: str) -> str:
    if tag >= 0x9C9B:
        return _text(value, "utf-16-le")
    if tag == 0x9286:
        if value.startswith(b"UNICODE\0"):
            # The standard asks for the order of the file; common writers always take the higher byte first.
            body = value[8:]
            is_big = body[:1] == b"\0" if len(body) > 1 and 0 in body[:2] else order == "big"
            return _text(body, "utf-16-be" if is_big else "utf-16-le")
        return _text(value.removeprefix(b"ASCII\0\0\0").removeprefix(bytes(8)))
    return _text(value)


# --- XMP -------------------------------------------------------------------------------------------------------------


def _xmp(packet: bytes) -> Iterator[NamedText]:
    """Every property of a packet with text of its own; a packet with a document type is refused unread."""
    text = packet[:_LARGEST_PACKET].decode("utf-8-sig", "replace").strip("\0 \t\r\n")
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        return
    try:
        tree = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return
    for element in tree.iter():
        pairs = [(element.tag, element.text or ""), *element.attrib.items()]
        for name, value in pairs:
            if value.strip() and isinstance(name, str):
                yield NamedText("xmp", name.rpartition("}")[2], value.strip()[:_LONGEST])


# --- sound and video -------------------------------------------------------------------------------------------------


def _movie(data: bytes) -> Iterator[NamedText]:
    for kind, _, content, end in boxes(data, 0, len(data)):
        if kind == b"moov":
            yield from _movie_level(data, content, end, 0)


def _movie_level(data: bytes, start: int, end: int, depth: int) -> Iterator[NamedText]:
    for kind, _, content, behind in boxes(data, start, end):
        if kind == b"udta" and depth < 2:
            yield from _movie_level(data, content, behind, depth + 1)
        elif kind == b"meta":
            first = content if data[content + 4 : content + 8] == b"hdlr" else content + 4
            yield from _movie_items(data, first, behind)
        elif kind[:1] == b"\xa9" and depth and behind - content > 4:
            yield NamedText("movie", _text(kind[1:]), _text(data[content + 4 : behind]))


def _movie_items(data: bytes, start: int, end: int) -> Iterator[NamedText]:
    keys: list[bytes] = []
    for kind, _, content, behind in boxes(data, start, end):
        if kind == b"keys":
            keys = [data[key:key_end] for _, _, key, key_end in boxes(data, content + 8, behind)]
        elif kind == b"ilst":
            for name, _, item, item_end in boxes(data, content, behind):
                inner = {what: data[at:stop] for what, _, at, stop in boxes(data, item, item_end)}
                number = int.from_bytes(name, "big")
                key = keys[number - 1] if 0 < number <= len(keys) else inner.get(b"name", name.lstrip(b"\xa9"))[-64:]
                yield NamedText("movie", _text(key.lstrip(b"\0")), _text(inner.get(b"data", b"")[8:]))


def _matroska(data: bytes) -> Iterator[NamedText]:
    position = data.find(_TAGS.to_bytes(4, "big"))
    for _ in range(4):
        if position < 0:
            return
        content, size = _size(data, position + 4)
        yield from _tags(data, content, min(content + size, len(data)), 0)
        position = data.find(_TAGS.to_bytes(4, "big"), position + 4)


def _tags(data: bytes, start: int, end: int, depth: int) -> Iterator[NamedText]:
    name = ""
    while start < end and depth < _DEEPEST:
        width = 9 - data[start].bit_length()
        kind = int.from_bytes(data[start : start + width], "big")
        content, size = _size(data, start + width)
        behind = min(content + size, end)
        if kind in (_TAG, _SIMPLE):
            yield from _tags(data, content, behind, depth + 1)
        elif kind == _NAME:
            name = _text(data[content:behind])
        elif kind == _STRING:
            yield NamedText("matroska", name, _text(data[content:behind]))
        start = behind


def _size(data: bytes, at: int) -> tuple[int, int]:
    """Where the content begins and how long it is, after the size field at an offset (RFC 8794 §6)."""
    width = 9 - data[at].bit_length()
    if width > 8:
        raise Broken("damaged element")
    return at + width, int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)


def _mp3(data: bytes) -> Iterator[NamedText]:
    length = id3_length(data, 0)
    for name, body in id3_frames(data[:length]) if length else ():
        if name in (b"TXXX", b"TXX"):
            key, value = described(body)
            yield NamedText("id3", key, value[:_LONGEST])
        elif name in (b"COMM", b"USLT") and len(body) > 4:
            key, value = described(body[:1] + body[4:])
            yield NamedText("id3", key or "comment", value[:_LONGEST])
        elif name[:1] == b"T":
            yield NamedText("id3", _text(name), described(body + b"\0\0\0\0")[0][:_LONGEST])


def _flac(data: bytes) -> Iterator[NamedText]:
    position, last = id3_length(data, 0) + 4, False
    while not last and position + 4 <= len(data):
        kind, length = data[position], int.from_bytes(data[position + 1 : position + 4], "big")
        last = bool(kind & 0x80)
        if kind & 0x7F == 4:
            yield from _comments(data[position + 4 : position + 4 + length])
        position += 4 + length


def _ogg(data: bytes) -> Iterator[NamedText]:
    # Long comments go on over the heads of pages; those are read as far as they stand in one piece.
    start = re.search(rb"OpusTags|\x03vorbis", data[: 1 << 16])
    if start is not None:
        yield from _comments(data[start.end() : start.end() + _LARGEST_PACKET])


def _comments(block: bytes) -> Iterator[NamedText]:
    position = 4 + int.from_bytes(block[:4], "little")
    count = int.from_bytes(block[position : position + 4], "little")
    position += 4
    for _ in range(min(count, _MOST_TEXTS)):
        length = int.from_bytes(block[position : position + 4], "little")
        key, _, value = block[position + 4 : position + 4 + min(length, _LONGEST)].partition(b"=")
        position += 4 + length
        if position > len(block):
            return
        yield NamedText("vorbis", _text(key), _text(value))


def _wav(data: bytes) -> Iterator[NamedText]:
    for kind, body in _riff(data, 12, len(data)):
        if kind == b"LIST" and body[:4] == b"INFO":
            for name, value in _riff(body, 4, len(body)):
                yield NamedText("riff", _text(name), _text(value))
        elif kind.lower() == b"id3 ":
            yield from _mp3(body)


_READERS: Final[dict[str, Callable[[bytes], Iterator[NamedText]]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "tiff": _exif,
    "gif": _gif,
    "avif": _avif,
    "mp4": _movie,
    "mov": _movie,
    "m4a": _movie,
    "mkv": _matroska,
    "webm": _matroska,
    "mp3": _mp3,
    "flac": _flac,
    "ogg": _ogg,
    "wav": _wav,
}
