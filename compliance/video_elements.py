"""Our own reader of Matroska and WebM: EBML elements of RFC 8794 and RFC 9559."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from compliance.sound_bytes import SOURCE_TYPE_COMMENT, Broken, Parts

_HEADER, _DOC_TYPE, _SEGMENT = 0x1A45DFA3, 0x4282, 0x18538067
_SEEK, _INFO, _TRACKS, _CLUSTER, _CUES = 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
_TAGS, _VOID, _CRC = 0x1254C367, 0xEC, 0xBF
_TOP: Final = frozenset({_SEEK, _INFO, _TRACKS, _CLUSTER, _CUES, _TAGS, 0x1043A770, 0x1941A469})
_TAG, _TARGETS, _SIMPLE, _NAME, _STRING, _BINARY = 0x7373, 0x63C0, 0x67C8, 0x45A3, 0x4487, 0x4485
_TARGET_UIDS: Final = frozenset({0x63C5, 0x63C9, 0x63C4, 0x63C6})
_ENTRY, _NUMBER, _TYPE, _CODEC, _ENABLED, _VIDEO, _DEFAULT = 0xAE, 0xD7, 0x83, 0x86, 0xB9, 0xE0, 0x23E383
_ENCODINGS, _OPERATION = 0x6D80, 0xE2
_WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT = 0xB0, 0xBA, 0x54B0, 0x54BA
_CROPS: Final = frozenset({0x54AA, 0x54BB, 0x54CC, 0x54DD})
_PROJECTION, _STEREO = 0x7670, 0x53B8
_SIMPLE_BLOCK, _GROUP, _BLOCK = 0xA3, 0xA0, 0xA1
_LINKS: Final = frozenset({0x3CB923, 0x3EB923, 0x6924})
_DURATION, _SCALE = 0x4489, 0x2AD7B1
_UNKNOWN = -1


@dataclass(slots=True)
class Segment:
    """What the elements say. kinds: 1 video, 2 sound, of each track. interval_ns: of video frames, 0 when not told."""

    doc_type: bytes = b""
    kinds: dict[int, int] = field(default_factory=dict)
    codec: bytes = b""
    width: int = 0
    height: int = 0
    pictures: int = 0
    interval_ns: int = 0
    duration_s: float = 0.0
    trailing_bytes: int = 0
    oddities: list[str] = field(default_factory=list)


def _vint(data: bytes, at: int, longest: int, *, keep: bool) -> tuple[int, int]:
    """A number of variable length and where it ends; keep: with its marker bit, as ids are written. Raises Broken."""
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if not first or length > longest or at + length > len(data):
        raise Broken("truncated" if at >= len(data) else "damaged element")
    value = int.from_bytes(data[at : at + length], "big")
    if not keep:
        value &= (1 << 7 * length) - 1
        if value == (1 << 7 * length) - 1:
            value = _UNKNOWN
    return value, at + length


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (id, start of the content, end) of each element; raises Broken. A cluster of unknown size ends before the
    next element of the segment's own level, a segment with the file.
    """
    position = start
    while position < end:
        name, at = _vint(data, position, 4, keep=True)
        size, content = _vint(data, at, 8, keep=False)
        if size == _UNKNOWN:
            if name == _SEGMENT:
                behind = end
            elif name == _CLUSTER:
                behind = _cluster_end(data, content, end)
            else:
                raise Broken("an element of unknown size")
        else:
            behind = content + size
        if behind > end:
            raise Broken("truncated")
        yield name, content, behind
        position = behind


def _cluster_end(data: bytes, start: int, end: int) -> int:
    position = start
    while position < end:
        name, at = _vint(data, position, 4, keep=True)
        if name in _TOP:
            return position
        size, content = _vint(data, at, 8, keep=False)
        if size == _UNKNOWN:
            raise Broken("an element of unknown size")
        position = content + size
    return min(position, end)


def read_segment(data: bytes, parts: Parts) -> Segment:
    """Walk a Matroska or WebM file with one segment; raises Broken.

    The payload digest covers everything but tags, seek tables and filling.
    """
    found = Segment()
    segments = 0
    position = 0
    for name, content, end in _elements(data, 0, len(data)):
        if name == _HEADER and position == 0:
            parts.payload(b"EBML", memoryview(data)[content:end])
            for inner, start, behind in _elements(data, content, end):
                if inner == _DOC_TYPE:
                    found.doc_type = data[start:behind].rstrip(b"\0")
        elif name == _SEGMENT and not segments:
            segments = 1
            _read_level(data, content, end, parts, found)
        elif name != _VOID:
            found.trailing_bytes += end - content
        position = end
    if found.doc_type not in (b"matroska", b"webm"):
        raise Broken("neither Matroska nor WebM")
    if not segments:
        raise Broken("no segment")
    return found


def _read_level(data: bytes, start: int, end: int, parts: Parts, found: Segment) -> None:
    scale, duration, tracks = 1_000_000, 0.0, 0
    try:
        for name, content, behind in _elements(data, start, end):
            body = memoryview(data)[content:behind]
            if name in (_INFO, _TRACKS, _CLUSTER) or name not in _TOP | {_VOID, _CRC}:
                parts.payload(name.to_bytes(4, "big"), body)
            if name == _INFO:
                for inner, at, inner_end in _elements(data, content, behind):
                    if inner in _LINKS:
                        found.oddities.append("it goes on in another file")
                    elif inner == _SCALE:
                        scale = int.from_bytes(data[at:inner_end], "big")
                    elif inner == _DURATION:
                        duration = _float(data[at:inner_end])
            elif name == _TRACKS:
                tracks += 1
                _read_tracks(data, content, behind, found)
            elif name == _CLUSTER:
                _count_blocks(data, content, behind, found)
            elif name == _TAGS:
                _read_tags(data, content, behind, parts)
            elif name not in (_SEEK, _CUES, _VOID, _CRC):
                found.oddities.append("it has chapters, attachments or elements that a release does not have")
    except Broken as error:
        parts.overlook(error.args[0])
    if tracks != 1:
        raise Broken("not exactly one list of tracks")
    found.duration_s = duration * scale / 1e9


def _read_tracks(data: bytes, start: int, end: int, found: Segment) -> None:
    for name, content, behind in _elements(data, start, end):
        if name != _ENTRY:
            continue
        fields = {inner: data[at:inner_end] for inner, at, inner_end in _elements(data, content, behind)}
        number, kind = (int.from_bytes(fields.get(key, b""), "big") for key in (_NUMBER, _TYPE))
        if number in found.kinds:
            raise Broken("two tracks of one number")
        found.kinds[number] = kind
        if _ENCODINGS in fields or _OPERATION in fields:
            found.oddities.append("a track is encrypted, packed or put together from others")
        if fields.get(_ENABLED) == b"\0":
            found.oddities.append("a track is switched off")
        if kind != 1 or _VIDEO not in fields:
            continue
        body = fields[_VIDEO]
        about = {inner: body[at:inner_end] for inner, at, inner_end in _elements(body, 0, len(body))}
        found.codec = fields.get(_CODEC, b"")
        found.interval_ns = int.from_bytes(fields.get(_DEFAULT, b""), "big")
        found.width, found.height = (int.from_bytes(about.get(key, b""), "big") for key in (_WIDTH, _HEIGHT))
        shown = tuple(
            int.from_bytes(about[key], "big") if key in about else full
            for key, full in ((_SHOWN_WIDTH, found.width), (_SHOWN_HEIGHT, found.height))
        )
        if shown != (found.width, found.height):
            found.oddities.append("its frames are scaled when shown")
        if any(any(about[key]) for key in _CROPS if key in about):
            found.oddities.append("a part of the frame is cut away when shown")
        if _PROJECTION in about or any(about.get(_STEREO, b"")):
            found.oddities.append("its frames are bent or turned when shown")


def _count_blocks(data: bytes, start: int, end: int, found: Segment) -> None:
    for name, content, behind in _elements(data, start, end):
        if name == _GROUP:
            for inner, at, _ in _elements(data, content, behind):
                if inner == _BLOCK:
                    _count(data, at, found)
        elif name == _SIMPLE_BLOCK:
            _count(data, content, found)


def _count(data: bytes, at: int, found: Segment) -> None:
    number, behind = _vint(data, at, 8, keep=False)
    if number not in found.kinds:
        raise Broken("a block of an unknown track")
    if found.kinds[number] == 1:
        found.pictures += 1
        if data[behind + 2] & 6:
            found.oddities.append("several frames are packed into one block")


def _read_tags(data: bytes, start: int, end: int, parts: Parts) -> None:
    for name, content, behind in _elements(data, start, end):
        if name != _TAG:
            continue
        inner = list(_elements(data, content, behind))
        is_whole = not any(
            target in _TARGET_UIDS and any(data[a:b])
            for key, at, inner_end in inner
            if key == _TARGETS
            for target, a, b in _elements(data, at, inner_end)
        )
        for key, at, inner_end in inner:
            if key == _SIMPLE:
                _read_tag(data, at, inner_end, parts, is_place=is_whole)


def _read_tag(data: bytes, start: int, end: int, parts: Parts, *, is_place: bool, depth: int = 0) -> None:
    if depth > 4:
        raise Broken("tags nested too deep")
    label = value = b""
    for name, content, behind in _elements(data, start, end):
        if name == _NAME:
            label = data[content:behind].rstrip(b"\0")
        elif name in (_STRING, _BINARY):
            value = data[content:behind].rstrip(b"\0")
        elif name == _SIMPLE:
            _read_tag(data, content, behind, parts, is_place=False, depth=depth + 1)
    if b"AIGC" in label.upper():
        (parts.aigc if is_place and label == b"AIGC" else parts.aigc_elsewhere).append(value)
    elif label.upper() == SOURCE_TYPE_COMMENT:
        parts.source_types.append(value)
    elif label.upper() == b"XMP":
        parts.xmp.append(value)


def _float(body: bytes) -> float:
    if len(body) not in (4, 8):
        return 0.0
    return float(struct.unpack(">f" if len(body) == 4 else ">d", body)[0])
