"""Puts a warped face into its window so that no edge shows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engines._cv import cv2

Floats = NDArray[np.float32]


def blend_levels(eye_distance_px: float) -> int:
    """How many octaves to blend apart: 3 for a face of 250 px, one more for each doubling."""
    return max(2, min(6, round(math.log2(max(1.0, eye_distance_px))) - 4))


def multiband(difference: Floats, alpha: Floats, levels: int) -> Floats:
    """Weigh a difference to the ground band by band: coarse light softly, fine detail sharply.

    difference: float32 (h, w, 3), face minus ground; alpha: float32 (h, w), 0 to 1. Returns what to add to the ground,
    float32 (h, w, 3). Burt and Adelson, A Multiresolution Spline, 1983; taken on the difference, which saves a pyramid.
    """
    pyramid, weights = [difference], [alpha]
    for _ in range(levels):
        if min(pyramid[-1].shape[:2]) < 4:
            break
        pyramid.append(cv2.pyrDown(pyramid[-1]))
        weights.append(cv2.pyrDown(weights[-1]))
    total = pyramid[-1] * weights[-1][..., None]
    for fine, coarse, weight in zip(pyramid[-2::-1], pyramid[:0:-1], weights[-2::-1], strict=True):
        size = (fine.shape[1], fine.shape[0])
        detail = cv2.subtract(fine, cv2.pyrUp(coarse, dstsize=size))
        detail *= weight[..., None]
        total = cv2.add(cv2.pyrUp(total, dstsize=size), detail)
    weighed: Floats = total
    return weighed


def smooth_step(distance: Floats, start: float, width: float) -> Floats:
    """0 up to `start`, then a soft rise to 1 over `width`."""
    part = np.clip((distance - start) / width, 0, 1)
    risen: Floats = (part * part * (3 - 2 * part)).astype(np.float32)
    return risen
