"""Our own reader of AVIF bytes. Sources: ISO/IEC 14496-12 §8.11, ISO/IEC 23008-12 (HEIF), C2PA 2.2 Annex A.5."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from compliance.containers_parts import Broken, Container, overlook, user_comments

_BRANDS = (b"avif", b"avis")
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_TYPE = b"application/rdf+xml"
_FILLING = frozenset({b"free", b"skip"})


def is_avif(data: bytes) -> bool:
    """Whether the first bytes are those of an AVIF file."""
    if data[4:8] != b"ftyp":
        return False
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 128)]
    return any(brands[at : at + 4] in _BRANDS for at in range(0, len(brands), 4))


@dataclass(slots=True)
class _Item:
    """One item: its type, for "mime" its content type, and (how it is placed, offset, length) of its pieces."""

    kind: bytes = b""
    content_type: bytes = b""
    pieces: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def is_metadata(self) -> bool:
        """XMP and EXIF say something about the picture; all other items count as picture."""
        return self.kind == b"Exif" or (self.kind == b"mime" and self.content_type == _XMP_TYPE)


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of its content, end) of the boxes that fill a stretch of the file; raises Broken."""
    position = start
    while position < end:
        size, content = int.from_bytes(data[position : position + 4], "big"), position + 8
        kind = data[position + 4 : position + 8]
        if size == 1:
            size, content = int.from_bytes(data[position + 8 : position + 16], "big"), position + 16
        elif size == 0:
            size = end - position
        if position + 8 > end or size < content - position or position + size > end:
            raise Broken("truncated")
        yield kind, content, position + size
        position += size


class _Numbers:
    """Reads big-endian numbers one after another; raises Broken at the end of the box."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self.position, self._end = data, start, end

    def next(self, size: int) -> int:
        """The next number of so many bytes; 0 for none."""
        if self.position + size > self._end:
            raise Broken("damaged items")
        found = int.from_bytes(self._data[self.position : self.position + size], "big")
        self.position += size
        return found

    def text(self) -> bytes:
        """The next text up to its zero."""
        stop = self._data.find(b"\x00", self.position, self._end)
        if stop < 0:
            stop = self._end
        found = self._data[self.position : stop]
        self.position = stop + 1
        return found


class _Avif:
    """What has been read of an AVIF file."""

    def __init__(self, data: bytes, damage: list[str] | None) -> None:
        self.data, self.damage = data, damage
        self.items: dict[int, _Item] = {}
        self.sizes: list[tuple[int, int]] = []
        self.inline = (0, 0)
        self.media: list[tuple[int, int]] = []
        self.covered: list[tuple[int, int]] = []
        self.stores: list[bytes] = []
        self.packets: list[bytes] = []
        self.lost = 0
        self.is_still = True
        self.has_items = False
        # Of boxes that make the picture: type and content.
        self.counted: list[tuple[bytes, bytes]] = []

    def walk(self) -> None:
        """Read the boxes of the file."""
        try:
            for kind, start, end in _boxes(self.data, 0, len(self.data)):
                self._take(kind, start, end)
        except Broken as error:
            overlook(self.damage, error.args[0])

    def _take(self, kind: bytes, start: int, end: int) -> None:
        body = self.data[start:end]
        if kind == b"meta":
            if self.has_items:
                raise Broken("two headers")
            self.has_items = True
            self._items(start + 4, end)
        elif kind == b"mdat":
            self.media.append((start, end))
        elif kind == b"uuid" and body.startswith(_C2PA_UUID):
            purpose, _, rest = body[20:].partition(b"\x00")
            self.stores.append(rest[8:] if purpose == b"manifest" else b"")
        elif kind == b"uuid" and body.startswith(_XMP_UUID):
            self.packets.append(body[16:])
        elif kind in _FILLING:
            self.lost += len(body) if any(body) else 0
        else:
            self.is_still = self.is_still and kind != b"moov"
            self.counted.append((kind, body))

    def _items(self, start: int, end: int) -> None:
        """The children of the box of items."""
        for kind, content, behind in _boxes(self.data, start, end):
            numbers = _Numbers(self.data, content, behind)
            if kind == b"iloc":
                self._places(numbers)
            elif kind == b"iinf":
                self._infos(content, behind)
            elif kind == b"idat":
                self.inline = content, behind
            elif kind == b"iref":
                self._references(content, behind)
            elif kind in _FILLING:
                self.lost += behind - content if any(self.data[content:behind]) else 0
            else:
                if kind == b"iprp":
                    self._properties(content, behind)
                self.counted.append((kind, self.data[content:behind]))

    def _places(self, numbers: _Numbers) -> None:
        """iloc: where the bytes of each item lie (14496-12 §8.11.3)."""
        version = numbers.next(4) >> 24
        widths = numbers.next(2)
        offset_bytes, length_bytes, base_bytes, index_bytes = (widths >> shift & 15 for shift in (12, 8, 4, 0))
        if version not in (0, 1, 2):
            raise Broken("damaged items")
        for _ in range(numbers.next(4 if version == 2 else 2)):
            item = self.items.setdefault(numbers.next(4 if version == 2 else 2), _Item())
            method = numbers.next(2) & 15 if version else 0
            if numbers.next(2) or method > 1:
                raise Broken("picture data outside the file")
            base = numbers.next(base_bytes)
            for _ in range(numbers.next(2)):
                numbers.next(index_bytes if version else 0)
                offset = base + numbers.next(offset_bytes)
                item.pieces.append((method, offset, numbers.next(length_bytes)))

    def _infos(self, start: int, end: int) -> None:
        """iinf: what each item is (§8.11.6)."""
        wide = self.data[start] > 0
        for kind, content, behind in _boxes(self.data, start + (8 if wide else 6), end):
            numbers = _Numbers(self.data, content, behind)
            version = numbers.next(4) >> 24
            if kind != b"infe" or version < 2:
                raise Broken("damaged items")
            item = self.items.setdefault(numbers.next(4 if version == 3 else 2), _Item())
            numbers.next(2)
            item.kind = numbers.next(4).to_bytes(4, "big")
            numbers.text()
            item.content_type = numbers.text() if item.kind == b"mime" else b""

    def _references(self, start: int, end: int) -> None:
        """iref: what an item has to do with others; what metadata describes does not count as picture."""
        wide = 4 if self.data[start] else 2
        for kind, content, behind in _boxes(self.data, start + 4, end):
            if kind != b"cdsc":
                self.counted.append((kind + wide.to_bytes(1, "big"), self.data[content:behind]))

    def _properties(self, start: int, end: int) -> None:
        """iprp: of all properties only the sizes are of interest here."""
        for kind, content, behind in _boxes(self.data, start, end):
            if kind == b"ipco":
                for name, inner, inner_end in _boxes(self.data, content, behind):
                    if name == b"ispe":
                        numbers = _Numbers(self.data, inner + 4, inner_end)
                        self.sizes.append((numbers.next(4), numbers.next(4)))

    def content(self, item: _Item) -> bytes:
        """The bytes of an item, pieces in order."""
        found = []
        for method, offset, length in item.pieces:
            start, limit = (offset, len(self.data)) if method == 0 else (self.inline[0] + offset, self.inline[1])
            if not length:
                length = limit - start
            if start < 0 or start + length > limit:
                overlook(self.damage, "truncated")
            self.covered.append((start, start + length))
            found.append(self.data[start : min(start + length, limit)])
        return b"".join(found)

    def unspoken(self) -> int:
        """How many bytes of media data no item speaks of."""
        places = self.media + ([self.inline] if self.inline[1] else [])
        lost = self.lost
        for start, end in places:
            position = start
            for first, last in sorted(self.covered):
                if last > start and first < end:
                    lost += max(0, first - position)
                    position = max(position, last)
            lost += max(0, end - position)
        return lost


def read_avif(data: bytes, damage: list[str] | None) -> Container:
    """Walk the boxes and items of an AVIF file; raises Broken.

    The payload digest covers every item but XMP and EXIF, all properties and every box that is not known to be
    metadata or filling; where the items lie does not count, since a credential moves them.
    """
    avif = _Avif(data, damage)
    avif.walk()
    if not avif.has_items or not avif.sizes:
        raise Broken("no header")
    width, height = max(avif.sizes, key=lambda size: size[0] * size[1])
    if not (width and height):
        raise Broken("no size")
    digest = hashlib.sha256(b"avif")
    for kind, body in avif.counted:
        digest.update(kind + len(body).to_bytes(8, "big"))
        digest.update(body)
    xmp, texts, has_pixels = list(avif.packets), [], False
    for number, item in sorted(avif.items.items()):
        content = avif.content(item)
        if item.kind == b"Exif":
            # The first number says how far the TIFF header is from what follows it (23008-12 Annex A.2.1).
            texts += user_comments(content[4 + int.from_bytes(content[:4], "big") :])
        elif item.is_metadata:
            xmp.append(content)
        else:
            has_pixels = has_pixels or bool(content)
            digest.update(number.to_bytes(4, "big") + item.kind + item.content_type + len(content).to_bytes(8, "big"))
            digest.update(content)
    if not has_pixels:
        overlook(damage, "no picture data")
    return Container(
        format="avif",
        mime="image/avif",
        width=width,
        height=height,
        xmp=tuple(xmp),
        text_aigc=tuple(texts),
        payload_sha256=digest.hexdigest(),
        has_manifest=bool(avif.stores),
        trailing_bytes=avif.unspoken(),
        is_still=avif.is_still,
        damage=tuple(damage or ()),
    )


def avif_manifest(data: bytes) -> bytes:
    """The manifest store of an AVIF file; raises Broken."""
    avif = _Avif(data, None)
    avif.walk()
    return b"".join(avif.stores)
