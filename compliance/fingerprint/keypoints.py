"""ORB key points (Rublee et al. 2011): known again in a picture that was cropped, turned, or pasted into another.

A sketch of a few hundred counts finds the likeliest of many releases at once; their key points are then matched one by
one, and a match counts when one similarity, affine map or perspective explains enough of them (RANSAC).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.lettering import opencv
from compliance.media import Pixels

ENOUGH_INLIERS: Final = 18
"""Key points that one map has to explain; unrelated pictures explain fewer than ten."""
SKETCH_BINS: Final = 1024
SKETCH_BYTES: Final = SKETCH_BINS // 2
_MOST, _LONGEST_PX = 300, 640
_RATIO, _REACH_PX = 0.8, 5.0
_TABLES, _BITS = 4, 8
_ROOTS: Final = np.sqrt(np.arange(16, dtype=np.float32))
_COUNTED, _PIECE = 4096, 2048
# A map that shrinks a picture to a dot explains anything.
_SCALES = (0.1, 10.0)


@dataclass(frozen=True, slots=True)
class Points:
    """places: float32, (N, 2), in pixels of the reduced picture; words: uint8, (N, 32)."""

    places: NDArray[np.float32]
    words: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Places in whole pixels and words, 36 bytes a point."""
        return np.rint(self.places).astype("<u2").tobytes() + self.words.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Points:
        """Inverse of to_bytes; raises ValueError for another length."""
        count, rest = divmod(len(data), 36)
        if rest:
            raise ValueError("not a row of key points")
        places = np.frombuffer(data[: 4 * count], "<u2").reshape(-1, 2).astype(np.float32)
        return cls(places, np.frombuffer(data[4 * count :], np.uint8).reshape(-1, 32))


def points_of(pixels: Pixels) -> Points:
    """Up to 300 key points of a picture; uint8, (height, width, 3), sRGB."""
    cv2 = opencv()
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    factor = _LONGEST_PX / max(grey.shape)
    if factor < 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found, words = cv2.ORB_create(nfeatures=_MOST, fastThreshold=8).detectAndCompute(grey, None)
    if words is None:
        return Points(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))
    return Points(np.array([point.pt for point in found], np.float32), words)


@lru_cache(maxsize=1)
def _chosen_bits() -> NDArray[np.intp]:
    return np.random.Generator(np.random.PCG64(45438)).permutation(256)[: _TABLES * _BITS].reshape(_TABLES, _BITS)


def sketch_of(points: Points) -> NDArray[np.uint8]:
    """Counts of words by some of their bits, 0 to 15: uint8, (1024,); alike for pictures that share parts."""
    bits = np.unpackbits(points.words, axis=1)
    counts = np.zeros((_TABLES, 1 << _BITS), np.intp)
    weights = 1 << np.arange(_BITS)
    for table, chosen in enumerate(_chosen_bits()):
        counts[table] = np.bincount(bits[:, chosen] @ weights, minlength=1 << _BITS)
    return np.minimum(counts.ravel(), 15).astype(np.uint8)


def packed(sketch: NDArray[np.uint8]) -> bytes:
    """A sketch with two counts a byte: short enough to lie with others on one page of a database."""
    return bytes(sketch[0::2] | sketch[1::2] << 4)


def unpacked(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sketches, uint8, (N, 1024), from the bytes of `packed`, uint8, (N, 512)."""
    sketches = np.empty((len(rows), SKETCH_BINS), np.uint8)
    sketches[:, 0::2], sketches[:, 1::2] = rows & 15, rows >> 4
    return sketches


def likeness(rows: NDArray[np.uint8], probe: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Cosine between packed sketches, (N, 512), and one, (1024,), without what all have in common: float32, (N,)."""
    if not len(rows):
        return np.zeros(0, np.float32)
    some = unpacked(rows[:: len(rows) // _COUNTED + 1])
    common = np.log1p(len(some) / (1.0 + np.count_nonzero(some, axis=0))).astype(np.float32)
    squares = common * common
    asked = np.sqrt(probe.astype(np.float32))
    result: NDArray[np.float32] = np.empty(len(rows), np.float32)
    # By the root of a count and a weight a bin, in pieces that fit the cache; the weight is put into what is asked.
    for start in range(0, len(rows), _PIECE):
        piece = unpacked(rows[start : start + _PIECE])
        lengths = np.sqrt(piece.astype(np.float32) @ squares) + 1e-9
        result[start : start + _PIECE] = (_ROOTS[piece] @ (asked * squares)) / lengths
    result /= np.sqrt(probe.astype(np.float32) @ squares) + np.float32(1e-9)
    return result


def inliers(known: Points, probe: Points) -> int:
    """How many key points of two pictures one map explains."""
    cv2 = opencv()
    if len(known.words) < ENOUGH_INLIERS or len(probe.words) < ENOUGH_INLIERS:
        return 0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(probe.words, known.words, k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < ENOUGH_INLIERS:
        return 0
    here = np.array([probe.places[one.queryIdx] for one in good])
    there = np.array([known.places[one.trainIdx] for one in good])
    cv2.setRNGSeed(1)
    moved, kept = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=_REACH_PX)
    if moved is None:
        return 0
    scales = np.linalg.svd(moved[:, :2], compute_uv=False)
    if not (_SCALES[0] < scales.min() and scales.max() < _SCALES[1]):
        return 0
    # Many key points on one spot are one key point.
    places = np.unique(np.rint(there[kept.ravel() > 0] / 3), axis=0)
    return len(places)
