"""PDQ: a 256-bit hash of what a picture shows at a glance, after Davis and Rosen (Facebook, 2019).

Written anew from the paper "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm": luma, two passes
of a box filter in each direction, 64 x 64 samples, the lower 16 x 16 terms of their cosine transform, each compared
with the median. Copies that were saved again or scaled lie within 31 bits; other pictures about 128 bits away.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.lettering import opencv
from compliance.media import Pixels

Hash = NDArray[np.uint8]

HASH_BYTES: Final = 32
THRESHOLD: Final = 31
"""Bits by which a copy may differ (the paper's recommendation)."""
LOWEST_QUALITY: Final = 50
"""A picture with less to tell than this, 0 to 100, has no useful hash: a gradient is like every other gradient."""
_SIDE, _TERMS = 64, 16
_FIRST_PX = 512
_LUMA = (0.299, 0.587, 0.114)


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float32]:
    rows = np.arange(1, _TERMS + 1)[:, None]
    columns = np.arange(_SIDE)[None]
    cosines: NDArray[np.float32] = (np.sqrt(2 / _SIDE) * np.cos(np.pi / 2 / _SIDE * rows * (2 * columns + 1))).astype(
        np.float32
    )
    return cosines


def hash_of(pixels: Pixels) -> tuple[Hash, int]:
    """The hash, uint8 (32,), and its quality, 0 to 100. pixels: uint8, (height, width, 3), sRGB."""
    terms, quality = _terms(pixels)
    return _bits(terms), quality


def variants_of(pixels: Pixels) -> tuple[NDArray[np.uint8], int]:
    """The hashes of a picture turned and mirrored in all eight ways, uint8 (8, 32), and its quality."""
    terms, quality = _terms(pixels)
    # Mirroring changes the sign of every second column of terms, turning swaps rows and columns (paper, §5.3).
    signs = np.where(np.arange(_TERMS) % 2 == 0, -1.0, 1.0).astype(np.float32)
    across, down = signs[None, :], signs[:, None]
    flat = [one * factor for one in (terms, terms.T) for factor in (1.0, across, down, across * down)]
    return np.stack([_bits(one) for one in flat]), quality


def _terms(pixels: Pixels) -> tuple[NDArray[np.float32], int]:
    cv2 = opencv()
    height, width = pixels.shape[:2]
    factor = _FIRST_PX / max(height, width)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    luma = (pixels.astype(np.float32) @ np.array(_LUMA, np.float32)).astype(np.float32)
    window = tuple(max(1, (side + 2 * _SIDE - 1) // (2 * _SIDE)) for side in (luma.shape[1], luma.shape[0]))
    for _ in range(2):
        luma = cv2.blur(luma, window, borderType=cv2.BORDER_REPLICATE)
    rows = ((np.arange(_SIDE) + 0.5) * luma.shape[0] / _SIDE).astype(int)
    columns = ((np.arange(_SIDE) + 0.5) * luma.shape[1] / _SIDE).astype(int)
    small = luma[rows][:, columns]
    steps = np.abs(np.diff(small, axis=0)).astype(int) * 100 // 255
    sides = np.abs(np.diff(small, axis=1)).astype(int) * 100 // 255
    quality = min(100, int(steps.sum() + sides.sum()) // 90)
    cosines = _cosines()
    result: NDArray[np.float32] = cosines @ small @ cosines.T
    return result, quality


def _bits(terms: NDArray[np.float32]) -> Hash:
    return np.packbits(terms.ravel() > np.median(terms))


def distances(hashes: NDArray[np.uint8], probe: Hash) -> NDArray[np.intp]:
    """Bits by which each of (N, 32) hashes differs from one: (N,)."""
    words = np.ascontiguousarray(hashes).view(np.uint64) ^ np.ascontiguousarray(probe).view(np.uint64)[None]
    result: NDArray[np.intp] = np.bitwise_count(words).sum(axis=1, dtype=np.intp)
    return result
