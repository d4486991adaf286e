"""What the readers of sound files share: the parts they gather, and the two tag formats that several containers use.

Sources: ID3v2.2, v2.3 and v2.4 (id3.org), Vorbis I §5 (comment header).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Text beyond this is no label.
TEXT_LIMIT = 4 << 20
SOURCE_TYPE_COMMENT = b"DIGITALSOURCETYPE"


class Broken(Exception):
    """The bytes break the format; args[0] is the reason."""


@dataclass(slots=True)
class Parts:
    """What a reader has gathered so far. damage: None when every fault ends the reading, else the faults overlooked."""

    damage: list[str] | None
    digest: Any = field(default_factory=hashlib.sha256)
    aigc: list[bytes] = field(default_factory=list)
    aigc_elsewhere: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    source_types: list[bytes] = field(default_factory=list)
    stores: list[bytes] = field(default_factory=list)

    def overlook(self, reason: str) -> None:
        """Note a fault when salvaging, else give up on the file."""
        if self.damage is None:
            raise Broken(reason)
        self.damage.append(reason)

    def payload(self, name: bytes, data: bytes | memoryview) -> None:
        """Count bytes as what makes the sound."""
        self.digest.update(len(data).to_bytes(8, "big") + name)
        self.digest.update(data)


# --- ID3v2 -----------------------------------------------------------------------------------------------------------

_TERMINATORS = {0: b"\x00", 1: b"\x00\x00", 2: b"\x00\x00", 3: b"\x00"}
_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


def syncsafe(field_bytes: bytes) -> int:
    """A number of seven bits a byte (ID3v2.4 §6.2); raises Broken for a byte above 127."""
    number = 0
    for byte in field_bytes:
        if byte > 127:
            raise Broken("damaged tag")
        number = number << 7 | byte
    return number


def id3_length(data: bytes, start: int) -> int:
    """Length of the ID3v2 tag at start with header and footer, 0 when there is none; raises Broken when cut short."""
    if data[start : start + 3] != b"ID3":
        return 0
    if len(data) < start + 10:
        raise Broken("truncated")
    length = 10 + syncsafe(data[start + 6 : start + 10]) + (10 if data[start + 5] & 0x10 else 0)
    if start + length > len(data):
        raise Broken("truncated")
    return length


def read_id3(tag: bytes, parts: Parts, *, is_place: bool) -> None:
    """Gather the labels of one ID3v2 tag: TXXX AIGC, PRIV XMP and the C2PA GEOB frame.

    is_place: whether TXXX is where the guide puts the AIGC field of this format.
    """
    for name, body in id3_frames(tag):
        if name in (b"TXXX", b"TXX"):
            description, text = described(body)
            if "AIGC" in description.upper():
                (parts.aigc if is_place else parts.aigc_elsewhere).append(text.encode("utf-8", "replace"))
        elif name == b"PRIV":
            owner, _, value = body.partition(b"\x00")
            if owner == b"XMP":
                parts.xmp.append(value)
        elif name in (b"GEOB", b"GEO"):
            store = _object(body)
            if store is not None:
                parts.stores.append(store)


def id3_frames(tag: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, body) of every frame; raises Broken for what cannot be read."""
    version, flags = tag[3], tag[5]
    if version not in (2, 3, 4):
        raise Broken("unknown tag version")
    body = tag[10 : 10 + syncsafe(tag[6:10])]
    # Up to v2.3 the whole tag is unsynchronised, from v2.4 each frame by itself.
    if flags & 0x80 and version < 4:
        body = body.replace(b"\xff\x00", b"\xff")
    position = 0
    if flags & 0x40 and version > 2:
        position = syncsafe(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
    name_length, size_length, header = (3, 3, 6) if version == 2 else (4, 4, 10)
    while position + header <= len(body) and body[position] != 0:
        name = body[position : position + name_length]
        size_field = body[position + name_length : position + name_length + size_length]
        size = syncsafe(size_field) if version == 4 else int.from_bytes(size_field, "big")
        end = position + header + size
        if not name.isalnum() or end > len(body):
            raise Broken("damaged tag")
        frame = body[position + header : end]
        if version == 4:
            frame_flags = body[position + 9]
            if frame_flags & 0x01:
                frame = frame[4:]
            if frame_flags & 0x02:
                frame = frame.replace(b"\xff\x00", b"\xff")
        yield name, frame
        position = end


def _split(text: bytes, encoding: int) -> tuple[bytes, bytes]:
    """Cut at the terminator of the encoding; in UTF-16 only at an even place."""
    end = _TERMINATORS[encoding]
    if len(end) == 1:
        first, _, rest = text.partition(end)
        return first, rest
    for offset in range(0, len(text) - 1, 2):
        if text[offset : offset + 2] == end:
            return text[:offset], text[offset + 2 :]
    return text, b""


def described(body: bytes) -> tuple[str, str]:
    """Description and value of a TXXX frame."""
    encoding = body[0] if body else 0
    if encoding not in _ENCODINGS:
        raise Broken("damaged tag")
    description, value = _split(body[1:], encoding)
    name = _ENCODINGS[encoding]
    return description.decode(name, "replace"), value.decode(name, "replace").rstrip("\x00")


def _object(body: bytes) -> bytes | None:
    """The data of a GEOB frame that holds a C2PA manifest store (C2PA 2.2 A.3.4), else None."""
    encoding = body[0] if body else 0
    if encoding not in _ENCODINGS:
        raise Broken("damaged tag")
    mime, _, rest = body[1:].partition(b"\x00")
    if mime not in (b"application/c2pa", b"application/x-c2pa-manifest-store"):
        return None
    _, rest = _split(rest, encoding)
    _, rest = _split(rest, encoding)
    return rest


# --- Vorbis comments -------------------------------------------------------------------------------------------------


def read_comments(block: bytes, parts: Parts) -> None:
    """Gather the labels of a Vorbis comment block (of FLAC, Vorbis and Opus alike); raises Broken."""
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        piece = block[position : position + count]
        if len(piece) < count:
            raise Broken("damaged comments")
        position += count
        return piece

    take(int.from_bytes(take(4), "little"))
    for _ in range(int.from_bytes(take(4), "little")):
        key, _, value = take(int.from_bytes(take(4), "little")).partition(b"=")
        name = key.upper()
        if name == b"AIGC":
            parts.aigc.append(value)
        elif b"AIGC" in name:
            parts.aigc_elsewhere.append(value)
        elif name == SOURCE_TYPE_COMMENT:
            parts.source_types.append(value)
        elif name == b"XMP":
            parts.xmp.append(value)
