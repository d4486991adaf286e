"""Our own reader of TIFF bytes. Sources: TIFF 6.0, Adobe TIFF Technical Notes (sub-IFDs), BigTIFF, C2PA 2.2 Annex A."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from compliance.containers_parts import Broken, Container, overlook, user_comments

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_WIDTH, _HEIGHT, _SUB_IFDS, _XMP, _CREDENTIAL = 256, 257, 330, 700, 0xCD41
# Bytes a value of each field type.
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# Tags that say something about the picture but do not change one displayed colour: its description, who made it with
# what and when, XMP, IPTC, Photoshop's, EXIF, GPS and the credential. All others count as picture.
_METADATA = frozenset({269, 270, 271, 272, 285, 305, 306, 315, 316, 700, 33432, 33723, 34377, 34665, 34853, 0xCD41})
_METADATA_FOLDERS = (34665, 34853, 40965)
# Where the pixels lie: tags of offsets and of lengths.
_PIXELS = {273: 279, 324: 325, 513: 514}
_LONGEST_CHAIN, _MOST_ENTRIES = 256, 4096


def is_tiff(data: bytes) -> bool:
    """Whether the first bytes are those of a TIFF file."""
    return data[:4] in _MAGIC


@dataclass(slots=True)
class _Entry:
    """One field of a directory; raw: the bytes of its values as they stand."""

    kind: int
    count: int
    raw: bytes


@dataclass(slots=True)
class _Tiff:
    """A TIFF file and what has been read of it; covered: stretches of the file that something speaks of."""

    data: bytes
    damage: list[str] | None
    order: Literal["little", "big"] = "little"
    is_big: bool = False
    covered: list[tuple[int, int]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    fields: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.order = "little" if self.data[:2] == b"II" else "big"
        self.is_big = b"+" in self.data[2:4]
        self.covered.append((0, 16 if self.is_big else 8))

    @property
    def wide(self) -> int:
        """Bytes an offset."""
        return 8 if self.is_big else 4

    def number(self, start: int, size: int) -> int:
        """An unsigned number of the file; raises Broken."""
        found = self.data[start : start + size]
        if start < 0 or len(found) < size:
            raise Broken("truncated")
        return int.from_bytes(found, self.order)

    def first(self) -> int:
        """Offset of the first directory."""
        return self.number(8 if self.is_big else 4, self.wide)

    def directory(self, start: int) -> tuple[dict[int, _Entry], int]:
        """The fields of the directory at an offset, and the offset of the next (0 for none); raises Broken."""
        if start in self.seen or len(self.seen) > _LONGEST_CHAIN:
            raise Broken("a directory stands twice")
        self.seen.add(start)
        count_bytes, entry_bytes = (8, 20) if self.is_big else (2, 12)
        count = self.number(start, count_bytes)
        if not 0 < count <= _MOST_ENTRIES:
            raise Broken("damaged directory")
        end = start + count_bytes + count * entry_bytes
        found: dict[int, _Entry] = {}
        for place in range(start + count_bytes, end, entry_bytes):
            tag, kind = self.number(place, 2), self.number(place + 2, 2)
            values = self.number(place + 4, self.wide)
            length = values * _TYPE_BYTES.get(kind, 1)
            at = place + 4 + self.wide
            if length > self.wide:
                at = self.number(at, self.wide)
            if at + length > len(self.data):
                overlook(self.damage, "truncated")
            if tag in found:
                raise Broken("a field stands twice")
            self.covered.append((at, at + length))
            self.fields.add(self.data[place : place + entry_bytes])
            found[tag] = _Entry(kind, values, self.data[at : at + length])
        following = self.number(end, self.wide)
        self.covered.append((start, end + self.wide))
        return found, following

    def numbers(self, entry: _Entry) -> list[int]:
        """The values of a field of whole numbers."""
        size = _TYPE_BYTES.get(entry.kind, 1)
        return [int.from_bytes(entry.raw[at : at + size], self.order) for at in range(0, len(entry.raw), size)]

    def unspoken(self) -> int:
        """How many bytes nothing speaks of.

        Zeros that bring the next offset to an even place do not count, nor does a directory that was replaced by a
        longer one: so the library of C2PA puts its field in.
        """
        lost = position = 0
        for start, end in [*sorted(self.covered), (len(self.data), len(self.data))]:
            gap = self.data[position:start]
            if (len(gap) > 3 or any(gap)) and not self._was_directory(position, start):
                lost += len(gap)
            position = max(position, end)
        return lost

    def _was_directory(self, start: int, end: int) -> bool:
        """Whether a stretch is one whole directory and each of its fields stands in one that is still in use.

        A directory begins at an even place: a zero may stand before it, and up to three behind it.
        """
        if start & 1:
            if self.data[start]:
                return False
            start += 1
        count_bytes, entry_bytes = (8, 20) if self.is_big else (2, 12)
        count = int.from_bytes(self.data[start : start + count_bytes], self.order)
        entries = start + count_bytes
        behind = entries + count * entry_bytes
        if not 0 < count <= _MOST_ENTRIES or not 0 <= end - behind - self.wide <= 3:
            return False
        return not any(self.data[behind:end]) and all(
            self.data[at : at + entry_bytes] in self.fields for at in range(entries, behind, entry_bytes)
        )


def read_tiff(data: bytes, damage: list[str] | None) -> Container:
    """Walk the directories of a TIFF file; raises Broken.

    The payload digest covers the fields that make the picture and the strips or tiles they point to, wherever those
    lie: writing a credential moves them.
    """
    tiff = _Tiff(data, damage)
    try:
        pages, extra = list(_directories(tiff)), []
        for entries in pages:
            extra += _metadata_folders(tiff, entries)
    except Broken as error:
        if damage is None or not _has_labels(data):
            raise
        overlook(damage, error.args[0])
        return _salvaged(data, damage)
    main = pages[0]
    if _WIDTH not in main or _HEIGHT not in main:
        raise Broken("no size")
    width, height = tiff.numbers(main[_WIDTH])[0], tiff.numbers(main[_HEIGHT])[0]
    if not (width and height):
        raise Broken("no size")
    digest = hashlib.sha256(b"tiff" + data[:2])
    for entries in pages:
        for tag, entry in sorted(entries.items()):
            if tag not in _METADATA and tag not in _PIXELS and tag != _SUB_IFDS:
                digest.update(b"".join(n.to_bytes(8, "big") for n in (tag, entry.kind, entry.count, len(entry.raw))))
                digest.update(entry.raw)
        counted = [_count_pixels(tiff, entries, tag, digest) for tag in _PIXELS]
        if not any(counted):
            overlook(damage, "no picture data")
    packets = [entries[_XMP].raw for entries in (*pages, *extra) if _XMP in entries]
    return Container(
        format="tiff",
        mime="image/tiff",
        width=width,
        height=height,
        xmp=tuple(packets),
        text_aigc=tuple(user_comments(data)),
        payload_sha256=digest.hexdigest(),
        has_manifest=any(_CREDENTIAL in entries for entries in pages),
        trailing_bytes=tiff.unspoken(),
        is_still=len(pages) == 1,
        damage=tuple(damage or ()),
    )


def _directories(tiff: _Tiff) -> Iterator[dict[int, _Entry]]:
    """The directories of all pages, and those below them."""
    following = [tiff.first()]
    while following:
        entries, behind = tiff.directory(following.pop(0))
        yield entries
        if _SUB_IFDS in entries:
            following += tiff.numbers(entries[_SUB_IFDS])
        if behind:
            following.append(behind)


def _metadata_folders(tiff: _Tiff, entries: dict[int, _Entry]) -> list[dict[int, _Entry]]:
    """The directories of EXIF, GPS and interoperability; read so that their bytes are spoken of."""
    found = []
    for tag in _METADATA_FOLDERS:
        for place in tiff.numbers(entries[tag])[:1] if tag in entries else ():
            inner, _ = tiff.directory(place)
            found += [inner, *_metadata_folders(tiff, inner)]
    return found


def _count_pixels(tiff: _Tiff, entries: dict[int, _Entry], tag: int, digest: hashlib._Hash) -> bool:
    """Add the strips or tiles of one page to the digest; False when it has none of the kind."""
    if tag not in entries:
        return False
    offsets = tiff.numbers(entries[tag])
    lengths = tiff.numbers(entries[_PIXELS[tag]]) if _PIXELS[tag] in entries else []
    if len(offsets) != len(lengths):
        raise Broken("damaged strips")
    for start, length in zip(offsets, lengths, strict=True):
        if start + length > len(tiff.data):
            overlook(tiff.damage, "truncated")
        tiff.covered.append((start, start + length))
        digest.update(length.to_bytes(8, "big"))
        digest.update(memoryview(tiff.data)[start : start + length])
    return bool(offsets)


def _has_labels(data: bytes) -> bool:
    """Whether a packet of ours or a credential can still be found in a file whose directory is gone."""
    return b"<?xpacket begin" in data or b"c2pa" in data


def _salvaged(data: bytes, damage: list[str]) -> Container:
    """What is left of a file whose directory, which most writers put last, was cut off."""
    start = data.find(b"<?xpacket begin")
    end = data.find(b"?>", data.find(b"<?xpacket end", start))
    return Container(
        format="tiff",
        mime="image/tiff",
        width=0,
        height=0,
        xmp=(data[start : end + 2],) if 0 <= start < end else (),
        text_aigc=(),
        payload_sha256="",
        has_manifest=b"jumb" in data,
        trailing_bytes=0,
        damage=tuple(damage),
    )


def tiff_manifest(data: bytes) -> bytes:
    """The manifest store of a TIFF file; raises Broken."""
    entries, _ = (tiff := _Tiff(data, None)).directory(tiff.first())
    return entries[_CREDENTIAL].raw if _CREDENTIAL in entries else b""
