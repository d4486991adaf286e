"""Gives a swapped face the grain of its new picture: a smooth patch in a grainy picture is seen at once."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2

Floats = NDArray[np.float32]

_TILE_PX = 256
_LEAST_SAMPLES, _ENOUGH_SAMPLES = 200, 4000
# Grey levels; stronger texture than this is wrinkles and pores, not grain.
_MOST_GRAIN = 5.0
# Median of |x| times this is the standard deviation of normal noise.
_MEDIAN_TO_SPREAD = 1.4826


@cache
def _tile() -> Floats:
    """One square of soft noise of spread 1 as the high-pass measures it; always the same."""
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal((_TILE_PX, _TILE_PX)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (3, 3), 0.6, borderType=cv2.BORDER_REFLECT)
    tile: Floats = soft / np.float32(_high_pass(soft).std())
    return tile


def _high_pass(luma: Floats) -> Floats:
    passed: Floats = luma - cv2.GaussianBlur(luma, (5, 5), 1.0)
    return passed


def grain(picture: Pixels, skin: NDArray[np.bool_]) -> float:
    """Spread of the finest detail on skin, in grey levels; picture: uint8 (h, w, 3) sRGB, skin: bool (h, w)."""
    if int(skin.sum()) < _LEAST_SAMPLES:
        return 0.0
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    samples = np.abs(_high_pass(luma)[skin])
    return float(np.median(samples[:: max(1, len(samples) // _ENOUGH_SAMPLES)])) * _MEDIAN_TO_SPREAD


def add_grain(colours: Floats, missing: float) -> None:
    """Add noise of this spread (grey levels) to colours, float32 (h, w, 3), in place; always the same noise."""
    missing = min(missing, _MOST_GRAIN)
    if missing < 0.3:
        return
    height, width = colours.shape[:2]
    repeats = (height + _TILE_PX - 1) // _TILE_PX, (width + _TILE_PX - 1) // _TILE_PX
    noise = np.tile(_tile(), repeats)[:height, :width] * np.float32(missing)
    colours += noise[..., None]
