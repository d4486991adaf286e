"""Our own reader of GIF bytes. Sources: GIF89a, Adobe XMP Specification Part 3 §1.1.2, C2PA 2.2 Annex A."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from compliance.containers_parts import Broken, Container, overlook

XMP_APPLICATION = b"XMP DataXMP"
# Behind the packet stand the bytes 1, 255, 254 … 1, 0, 0: a reader of sub-blocks that lands anywhere in the packet is
# led to the end by them.
XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
_C2PA_APPLICATION = b"C2PA_GIF\x01\x00\x00"


def is_gif(data: bytes) -> bool:
    """Whether the first bytes are those of a GIF file."""
    return data[:6] in (b"GIF87a", b"GIF89a")


def _past_blocks(data: bytes, position: int) -> int:
    """Offset behind a chain of sub-blocks; raises Broken where the file ends before."""
    while True:
        if position >= len(data):
            raise Broken("truncated")
        length = data[position]
        position += 1 + length
        if position > len(data):
            raise Broken("truncated")
        if length == 0:
            return position


def _joined(data: bytes, position: int, end: int) -> bytes:
    """What a chain of sub-blocks holds."""
    pieces = []
    while position < end and data[position]:
        pieces.append(data[position + 1 : position + 1 + data[position]])
        position += 1 + data[position]
    return b"".join(pieces)


def _table_bytes(flags: int) -> int:
    """Length of a colour table as its flags say, 0 for none."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(data: bytes, damage: list[str] | None = None) -> Iterator[tuple[int, int, int]]:
    """Yield (kind, start, end) of the header (0), images (0x2C), extensions (their labels) and the trailer (0x3B)."""
    if len(data) < 13:
        raise Broken("no header")
    position = 13 + _table_bytes(data[10])
    yield 0, 6, position
    while True:
        try:
            kind, end = _block(data, position)
        except Broken as error:
            overlook(damage, error.args[0])
            yield -1, min(position, len(data)), len(data)
            return
        yield kind, position, end
        if kind == 0x3B:
            return
        position = end


def _block(data: bytes, position: int) -> tuple[int, int]:
    """(kind, end) of the block at a position; raises Broken."""
    if position + 1 >= len(data) and data[position : position + 1] != b"\x3b":
        raise Broken("truncated")
    match data[position]:
        case 0x3B:
            return 0x3B, position + 1
        case 0x21:
            return data[position + 1], _past_blocks(data, position + 2)
        case 0x2C:
            if position + 10 >= len(data):
                raise Broken("truncated")
            return 0x2C, _past_blocks(data, position + 11 + _table_bytes(data[position + 9]))
    raise Broken("damaged block")


def read_gif(data: bytes, damage: list[str] | None) -> Container:
    """Walk the blocks of a GIF file; raises Broken.

    The payload digest covers everything but comments, the XMP packet and the credential; a block that is cut off too.
    """
    digest = hashlib.sha256(b"gif")
    xmp: list[bytes] = []
    texts: list[bytes] = []
    has_manifest = False
    images = others = behind = 0
    for kind, start, end in _blocks(data, damage):
        behind = end
        application = data[start + 3 : start + 14] if kind == 0xFF and data[start + 2] == 11 else b""
        if kind == 0xFE:
            comment = _joined(data, start + 2, end)
            if b"AIGC" in comment.upper():
                texts.append(comment)
        elif application == XMP_APPLICATION:
            xmp.append(_packet(data, start + 14, end))
        elif application == _C2PA_APPLICATION:
            has_manifest = True
        elif kind != 0x3B:
            images += kind == 0x2C
            # Text that some viewers draw upon the picture, and how often an animation is repeated.
            others += kind == 0x01 or application in (b"NETSCAPE2.0", b"ANIMEXTS1.0")
            digest.update((end - start).to_bytes(4, "big"))
            digest.update(memoryview(data)[start:end])
    if not images:
        overlook(damage, "no picture data")
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if not (width and height):
        raise Broken("no size")
    return Container(
        format="gif",
        mime="image/gif",
        width=width,
        height=height,
        xmp=tuple(xmp),
        text_aigc=tuple(texts),
        payload_sha256=digest.hexdigest(),
        has_manifest=has_manifest,
        trailing_bytes=len(data) - behind,
        is_still=images < 2 and not others,
        damage=tuple(damage or ()),
    )


def _packet(data: bytes, start: int, end: int) -> bytes:
    """The XMP packet of an application extension: bare and with its trailer, or, by other writers, in sub-blocks."""
    packet = data[start:end]
    if packet.endswith(XMP_TRAILER):
        return packet[: -len(XMP_TRAILER)]
    return _joined(data, start, end)


def gif_manifest(data: bytes) -> bytes:
    """The manifest store of a GIF file; raises Broken."""
    return b"".join(
        _joined(data, start + 14, end)
        for kind, start, end in _blocks(data)
        if kind == 0xFF and data[start + 2] == 11 and data[start + 3 : start + 14] == _C2PA_APPLICATION
    )
