"""Generated pictures and bytes that the label tests share."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

from compliance.media import Pixels

XMP = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>'


def flat(width: int, height: int, level: int = 128) -> Pixels:
    """One grey."""
    return np.full((height, width, 3), level, np.uint8)


def noise(width: int, height: int, seed: int = 1) -> Pixels:
    """Independent uniform noise: the hardest ground for a drawn label."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def gradient(width: int, height: int) -> Pixels:
    """A smooth ramp from dark to light with a coloured cast."""
    across = np.linspace(0, 255, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    return np.clip(across * (0.4 + 0.6 * down) * np.array([1.0, 0.9, 0.7]), 0, 255).astype(np.uint8)


def scene(width: int, height: int, seed: int = 1) -> Pixels:
    """Soft coloured shapes with fine grain, like a photograph out of focus; the picture most tests work on."""
    maker = np.random.default_rng(seed)
    small = maker.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return np.clip(soft + maker.normal(0, 5, soft.shape), 0, 255).astype(np.uint8)


def stripes(width: int, height: int) -> Pixels:
    """Black and white bars of about the thickness of letter strokes."""
    step = max(2, min(width, height) // 100)
    rows = (np.arange(height)[:, None] // step + np.arange(width)[None, :] // step) % 2 * 255
    return np.repeat(rows[..., None], 3, axis=2).astype(np.uint8)


def png_bytes(pixels: Pixels, **texts: str) -> bytes:
    """Encode with Pillow, with optional tEXt fields."""
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", pnginfo=info)
    return target.getvalue()


def jpeg_bytes(pixels: Pixels, **options: object) -> bytes:
    """Encode with Pillow."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", **options)
    return target.getvalue()


def decoded(data: bytes) -> Pixels:
    """What a viewer would show; uint8, (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """One PNG chunk with its CRC."""
    return len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")


def with_png_chunk(data: bytes, kind: bytes, payload: bytes) -> bytes:
    """Insert a chunk right behind IHDR."""
    return data[:33] + png_chunk(kind, payload) + data[33:]


def with_jpeg_segment(data: bytes, marker: int, payload: bytes) -> bytes:
    """Insert a segment right behind SOI."""
    return data[:2] + bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload + data[2:]
