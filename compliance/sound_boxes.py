"""Our own reader of MP4 sound: the boxes of ISO/IEC 14496-12, the metadata keys of QuickTime, C2PA 2.2 Annex A.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compliance.sound_bytes import Broken, Parts

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_HOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta"})
_DEEPEST = 8
# Boxes that say something about the sound but do not change it; "free" and "skip" are filling.
_METADATA = frozenset({b"udta", b"meta", b"free", b"skip", b"uuid"})


class Facts:
    """What the boxes say of the track. rate_hz, channels: of its first sample description."""

    def __init__(self) -> None:
        self.handlers: list[bytes] = []
        self.codec = b""
        self.rate_hz = self.channels = 0
        self.timescale = self.duration = 0


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield (type, start of the box, start of its content, end) of each box between two offsets; raises Broken.

    QuickTime ends a list with four zero bytes, which are read over.
    """
    position = start
    while position < end and not (end - position == 4 and data[position:end] == bytes(4)):
        if position + 8 > end:
            raise Broken("truncated")
        size, content = int.from_bytes(data[position : position + 4], "big"), position + 8
        kind = data[position + 4 : position + 8]
        if size == 1:
            size, content = int.from_bytes(data[position + 8 : position + 16], "big"), position + 16
        elif size == 0:
            size = end - position
        if size < content - position or position + size > end:
            raise Broken("truncated")
        yield kind, position, content, position + size
        position += size


class Top(NamedTuple):
    """The boxes of a file as they stand side by side: start and end of each run of media data and of the movie box.

    others: the kinds of those that are neither these nor metadata, in their order.
    """

    media: list[tuple[int, int]]
    movie: tuple[int, int]
    others: list[bytes]


def read_top(data: bytes, parts: Parts, metadata: frozenset[bytes]) -> Top:
    """Walk the boxes that are in no other: what they hold goes into parts, but for the movie box; raises Broken.

    metadata: kinds of boxes that the payload digest leaves out.
    """
    media: list[tuple[int, int]] = []
    movies: list[tuple[int, int]] = []
    others: list[bytes] = []
    try:
        for kind, _, content, end in boxes(data, 0, len(data)):
            if kind == b"mdat":
                media.append((content, end))
                parts.payload(b"mdat", memoryview(data)[content:end])
            elif kind == b"moov":
                movies.append((content, end))
            elif kind == b"uuid":
                read_uuid(data[content:end], parts)
            elif kind == b"meta":
                read_meta(data, content, end, parts, is_place=False)
            elif kind not in metadata:
                parts.payload(kind, memoryview(data)[content:end])
                others.append(kind)
    except Broken as error:
        parts.overlook(error.args[0])
    if len(movies) != 1:
        raise Broken("no movie box" if not movies else "two movie boxes")
    return Top(media, movies[0], others)


def read_m4a(data: bytes, parts: Parts) -> Facts:
    """Walk an MP4 file with one sound track; raises Broken.

    The payload digest covers ftyp, the media data and the whole movie box but for its metadata; chunk offsets count
    from the start of the media data they point into, since a credential moves that.
    """
    facts = Facts()
    top = read_top(data, parts, _METADATA)
    _read_movie(data, *top.movie, top.media, parts, facts)
    if facts.handlers.count(b"soun") != 1 or set(facts.handlers) != {b"soun"}:
        raise Broken("not exactly one sound track")
    if not (facts.rate_hz and facts.channels):
        raise Broken("no sound description")
    if not top.media:
        parts.overlook("no sound data")
    return facts


def read_uuid(body: bytes, parts: Parts) -> None:
    """Gather what a uuid box holds: XMP or a C2PA manifest store."""
    if body.startswith(_XMP_UUID):
        parts.xmp.append(body[16:])
    elif body.startswith(_C2PA_UUID):
        purpose, _, rest = body[20:].partition(b"\x00")
        if purpose == b"manifest":
            parts.stores.append(rest[8:])


def _read_movie(
    data: bytes, start: int, end: int, media: list[tuple[int, int]], parts: Parts, facts: Facts, depth: int = 0
) -> None:
    if depth > _DEEPEST:
        raise Broken("boxes nested too deep")
    for kind, _, content, behind in boxes(data, start, end):
        body = memoryview(data)[content:behind]
        if kind == b"udta":
            for inner, _, inner_content, inner_end in boxes(data, content, behind):
                if inner == b"meta":
                    read_meta(data, inner_content, inner_end, parts, is_place=True)
        elif kind == b"meta":
            read_meta(data, content, behind, parts, is_place=False)
        elif kind == b"uuid":
            read_uuid(bytes(body), parts)
        elif kind in _HOLDERS:
            parts.payload(kind, b"")
            _read_movie(data, content, behind, media, parts, facts, depth + 1)
        elif kind in (b"stco", b"co64"):
            parts.payload(kind, relative(bytes(body), 4 if kind == b"stco" else 8, media))
        elif kind not in _METADATA:
            parts.payload(kind, body)
            _read_facts(kind, bytes(body[:64]), facts)


def _read_facts(kind: bytes, body: bytes, facts: Facts) -> None:
    if kind == b"hdlr":
        facts.handlers.append(body[8:12])
    elif kind == b"mdhd":
        wide = body[:1] == b"\x01"
        start, size = (20, 8) if wide else (12, 4)
        facts.timescale = int.from_bytes(body[start : start + 4], "big")
        facts.duration = int.from_bytes(body[start + 4 : start + 4 + size], "big")
    elif kind == b"stsd":
        # Version and count, then an AudioSampleEntry (14496-12 §12.2.3).
        facts.codec = body[12:16]
        facts.channels = int.from_bytes(body[32:34], "big")
        facts.rate_hz = int.from_bytes(body[40:42], "big")


def relative(body: bytes, size: int, media: list[tuple[int, int]]) -> bytes:
    """Chunk offsets as (number of the media data box, place in it); raises Broken for one that points nowhere."""
    count = int.from_bytes(body[4:8], "big")
    if len(body) < 8 + count * size:
        raise Broken("damaged chunk offsets")
    written = []
    for index in range(count):
        offset = int.from_bytes(body[8 + index * size : 8 + (index + 1) * size], "big")
        place = next((n for n, (start, end) in enumerate(media) if start <= offset <= end), None)
        if place is None:
            raise Broken("sound data outside the file")
        written.append(place.to_bytes(4, "big") + (offset - media[place][0]).to_bytes(8, "big"))
    return b"".join(written)


def read_meta(data: bytes, start: int, end: int, parts: Parts, *, is_place: bool) -> None:
    """The AIGC fields of a metadata box: by key (handler mdta) in their place, Apple's free-form atoms elsewhere."""
    # A full box in ISO files, a plain one in QuickTime's: the first child tells.
    content = start if data[start + 4 : start + 8] == b"hdlr" else start + 4
    keys: list[bytes] = []
    found = list(boxes(data, content, end))
    for kind, _, inner, behind in found:
        if kind == b"keys":
            keys = [data[key:key_end] for _, _, key, key_end in boxes(data, inner + 8, behind)]
    for kind, _, inner, behind in found:
        if kind != b"ilst":
            continue
        for name, _, item, item_end in boxes(data, inner, behind):
            number = int.from_bytes(name, "big")
            if name == b"----":
                parts.aigc_elsewhere += _freeform(data, item, item_end)
            elif 0 < number <= len(keys) and b"AIGC" in keys[number - 1].upper():
                exact = is_place and keys[number - 1] == b"AIGC"
                (parts.aigc if exact else parts.aigc_elsewhere).extend(_values(data, item, item_end))


def _values(data: bytes, start: int, end: int) -> list[bytes]:
    return [data[content + 8 : behind] for kind, _, content, behind in boxes(data, start, end) if kind == b"data"]


def _freeform(data: bytes, start: int, end: int) -> list[bytes]:
    names = [data[content + 4 : behind] for kind, _, content, behind in boxes(data, start, end) if kind == b"name"]
    return _values(data, start, end) if any(b"AIGC" in name.upper() for name in names) else []
