"""Where a face shows skin: hair, hats, glasses and hands over the outer face are left alone.

The test only counts outside the inner face (brows to chin): shaded cheeks and nostrils are no holes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2
from engines.face.topology import SKIN_PATCHES
from engines.face.warp import fixed_point

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

_LEAST_SAMPLES = 30
# Skin of one person varies at least this much in L, a, b (8-bit Lab).
_LEAST_SPREAD = np.array([12, 4, 4], np.float32)
# Widths in units of the spread: shadow is allowed more than shine, colour least.
_SHADOW, _SHINE, _COLOUR = 2.6, 2.2, 2.2


@dataclass(frozen=True, slots=True)
class SkinTone:
    """Mean and spread of a person's skin in 8-bit Lab, float32 (3,) each."""

    mean: Floats
    spread: Floats


def skin_tone(picture: Pixels, points: Floats) -> SkinTone:
    """Skin colour from both cheeks and the nose; picture: uint8 (h, w, 3) sRGB, points: (468, 2) in its pixels."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    for patch in SKIN_PATCHES:
        cv2.fillPoly(mask, [fixed_point(points[list(patch)])], 255, shift=4)
    chosen = mask > 0
    if int(chosen.sum()) < _LEAST_SAMPLES:
        chosen[:] = True
    samples = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[chosen].astype(np.float32)
    off = np.abs(samples - np.median(samples, axis=0)).max(axis=1)
    samples = samples[off <= np.percentile(off, 85)]
    return SkinTone(samples.mean(axis=0), np.maximum(samples.std(axis=0), _LEAST_SPREAD))


def skin_mask(picture: Pixels, tone: SkinTone, always: Mask) -> Mask:
    """255 where a pixel looks like this skin or `always` is set, cleaned of specks; uint8 (h, w)."""
    lab = cv2.cvtColor(cv2.medianBlur(picture, 3), cv2.COLOR_RGB2LAB).astype(np.float32)
    off = (lab - tone.mean) / tone.spread
    light = np.where(off[..., 0] < 0, off[..., 0] / _SHADOW, off[..., 0] / _SHINE)
    distance = np.sqrt(light**2 + (off[..., 1] / _COLOUR) ** 2 + (off[..., 2] / _COLOUR) ** 2)
    mask = np.maximum((np.clip(2 - distance, 0, 1) * 255).astype(np.uint8), always)
    kernel = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel, iterations=2)
    opened: Mask = cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel)
    return opened


def grown_hull(points: Floats, grow: float) -> Floats:
    """Convex hull of points (n, 2), enlarged around its middle."""
    hull = cv2.convexHull(np.ascontiguousarray(points, np.float32))[:, 0]
    middle = hull.mean(axis=0)
    grown: Floats = (hull - middle) * np.float32(grow) + middle
    return grown
