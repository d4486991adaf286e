"""Our own reader of WebP bytes. Sources: RFC 9649 (WebP), RFC 6386 §9.1 (VP8 frame header), C2PA 2.2 Annex A.3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from compliance.containers_parts import Broken, Container, overlook, user_comments

_EXIF_HEAD = b"Exif\x00\x00"
# Chunks that say something about the picture but do not change one displayed colour.
_METADATA = frozenset({b"XMP ", b"EXIF", b"C2PA"})
_PICTURES = frozenset({b"VP8 ", b"VP8L"})
_MOVING = frozenset({b"ANIM", b"ANMF"})
# Bits of the VP8X chunk: XMP and EXIF only announce metadata.
_ANNOUNCING, _ANIMATED = 0x0C, 0x02


def is_webp(data: bytes) -> bool:
    """Whether the first bytes are those of a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _chunks(data: bytes, damage: list[str] | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, payload) of each chunk of the RIFF form."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        overlook(damage, "truncated")
        end = len(data)
    position = 12
    while position < end:
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        behind = position + 8 + size
        if position + 8 > end or behind > end:
            overlook(damage, "truncated")
            behind = end
        yield data[position : position + 4], data[position + 8 : behind]
        position = behind + (size & 1)


def read_webp(data: bytes, damage: list[str] | None) -> Container:
    """Walk the chunks of a WebP file; raises Broken.

    The payload digest covers every chunk but XMP, EXIF and C2PA; of VP8X what does not merely announce those.
    """
    digest = hashlib.sha256(b"webp")
    xmp: list[bytes] = []
    texts: list[bytes] = []
    has_manifest = False
    is_still = True
    sizes: list[tuple[int, int]] = []
    canvas: tuple[int, int] | None = None
    for kind, payload in _chunks(data, damage):
        if kind == b"XMP ":
            xmp.append(payload)
        elif kind == b"EXIF":
            texts += user_comments(payload.removeprefix(_EXIF_HEAD))
        elif kind == b"C2PA":
            has_manifest = True
        elif kind == b"VP8X":
            if len(payload) < 10 or canvas is not None:
                raise Broken("damaged header")
            is_still = is_still and not payload[0] & _ANIMATED
            canvas = int.from_bytes(payload[4:7], "little") + 1, int.from_bytes(payload[7:10], "little") + 1
            shown = bytes((payload[0] & ~_ANNOUNCING & 0xFF,)) + payload[1:4] + payload[10:]
            if any(shown):
                digest.update(b"VP8X" + len(shown).to_bytes(4, "big") + shown)
        if kind in _MOVING:
            is_still = False
        if kind in _PICTURES:
            sizes.append(_size(kind, payload))
        if kind not in _METADATA and kind != b"VP8X":
            digest.update(kind + len(payload).to_bytes(4, "big"))
            digest.update(payload)
    if len(sizes) > 1:
        raise Broken("two frames")
    if not sizes and is_still:
        overlook(damage, "no picture data")
    if is_still and sizes and canvas not in (None, sizes[0]):
        raise Broken("two sizes")
    width, height = canvas or (sizes[0] if sizes else (0, 0))
    if not (width and height):
        raise Broken("no size")
    end = 8 + int.from_bytes(data[4:8], "little")
    return Container(
        format="webp",
        mime="image/webp",
        width=width,
        height=height,
        xmp=tuple(xmp),
        text_aigc=tuple(texts),
        payload_sha256=digest.hexdigest(),
        has_manifest=has_manifest,
        trailing_bytes=max(0, len(data) - end),
        is_still=is_still,
        damage=tuple(damage or ()),
    )


def _size(kind: bytes, payload: bytes) -> tuple[int, int]:
    """(width, height) from the header of a frame; raises Broken."""
    if kind == b"VP8L":
        if len(payload) < 5 or payload[0] != 0x2F:
            raise Broken("damaged header")
        bits = int.from_bytes(payload[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if len(payload) < 10 or payload[3:6] != b"\x9d\x01\x2a":
        raise Broken("damaged header")
    return int.from_bytes(payload[6:8], "little") & 0x3FFF, int.from_bytes(payload[8:10], "little") & 0x3FFF


def webp_manifest(data: bytes) -> bytes:
    """The manifest store of a WebP file; raises Broken."""
    return b"".join(payload for kind, payload in _chunks(data) if kind == b"C2PA")
