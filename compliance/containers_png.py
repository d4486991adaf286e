"""Our own reader of PNG bytes. Sources: W3C PNG (third edition) §5 and §11, C2PA 2.2 Annex A, TC260-PG-20259A."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator

from compliance.containers_parts import Broken, Container, overlook, user_comments

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_TEXT_LIMIT = 4 << 20
# Chunks that say something about the picture but do not change one displayed colour. All others count as picture,
# animation chunks (acTL, fcTL, fdAT) among them: a viewer would show them instead of what was measured.
_PNG_METADATA = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf", b"caBX", b"pHYs"})


def _png_chunks(data: bytes, damage: list[str] | None = None) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield (type, payload, offset behind the chunk); the CRC of each is checked."""
    position = len(PNG_SIGNATURE)
    while True:
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if position + 12 > len(data) or length > 0x7FFFFFFF or end > len(data):
            overlook(damage, "truncated")
            if position + 8 <= len(data):
                yield data[position + 4 : position + 8], data[position + 8 :], len(data)
            return
        kind = data[position + 4 : position + 8]
        payload = data[position + 8 : end - 4]
        if not kind.isalpha() or zlib.crc32(payload, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
            overlook(damage, "damaged chunk")
        yield kind, payload, end
        if kind == b"IEND":
            return
        position = end


def read_png(data: bytes, damage: list[str] | None) -> Container:
    """Walk the chunks of a PNG file."""
    digest = hashlib.sha256(b"png")
    xmp: list[bytes] = []
    texts: list[bytes] = []
    has_manifest = has_pixels = False
    is_still = True
    width = height = behind = 0
    for kind, payload, end in _png_chunks(data, damage):
        behind = end
        if width == 0:
            if kind != b"IHDR" or len(payload) != 13:
                raise Broken("no header")
            width, height = struct.unpack(">II", payload[:8])
            if not (0 < width <= 0x7FFFFFFF and 0 < height <= 0x7FFFFFFF):
                raise Broken("no size")
        elif kind == b"IHDR":
            raise Broken("two headers")
        if kind not in _PNG_METADATA:
            digest.update(len(payload).to_bytes(4, "big") + kind)
            digest.update(payload)
        if kind == b"IDAT":
            has_pixels = True
        elif kind in (b"acTL", b"fcTL", b"fdAT"):
            is_still = False
        elif kind == b"caBX":
            has_manifest = True
        elif kind == b"eXIf":
            texts += user_comments(payload)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, value = _png_text(kind, payload)
            if keyword == _XMP_KEYWORD:
                xmp.append(value)
            elif b"AIGC" in keyword.upper():
                texts.append(value)
    if not has_pixels:
        overlook(damage, "no picture data")
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
        is_still=is_still,
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
        raise Broken("a text field is too large")
    return text


def png_manifest(data: bytes) -> bytes:
    """The manifest store of a PNG file; raises Broken."""
    return b"".join(payload for kind, payload, _ in _png_chunks(data) if kind == b"caBX")
