"""Brings the source skin to the light of the target.

In YCrCb: brightness gets gain and contrast, colour is shifted with its spread only ever reduced, then a bounded
low-frequency correction follows the light across the face. A gain per RGB channel instead turns eyes red; an unbounded
low-frequency correction makes them glow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2

Floats = NDArray[np.float32]

_LEAST_SAMPLES = 20
_CONTRAST_LIMITS = (0.75, 1.3)
_COLOUR_SPREAD_LIMITS = (0.35, 1.0)
# Spread of Cr or Cb in a window from which on a picture counts as coloured.
_COLOURFUL_SPREAD = 6.0
# Pixels darker than this part of the target's skin take less of its tint; the value of Cr and Cb without colour.
_DARK_PART, _NEUTRAL = 0.5, np.float32(128)
_LIGHT_LIMITS = (0.6, 1.5)
_COLOUR_SHIFT_LIMIT = 18.0
# The low-frequency correction is smooth over this part of the eye distance; its raster is three times coarser.
_SMOOTH_PART, _COARSER = 0.38, 3


@dataclass(frozen=True, slots=True)
class ColourMatch:
    """From source colours to the target's. scale, source_mean, target_mean: (3,) in YCrCb; light: (h, w) factor on Y;
    shift: (h, w, 2) added to Cr and Cb; both on a coarse raster over the window.
    """

    scale: Floats
    source_mean: Floats
    target_mean: Floats
    light: Floats
    shift: Floats

    def apply(self, warped: Pixels) -> Floats:
        """Corrected colours as float32 (h, w, 3), 0 to 255; warped: uint8 (h, w, 3) sRGB."""
        size = (warped.shape[1], warped.shape[0])
        luma, red, blue = cv2.split(cv2.cvtColor(warped, cv2.COLOR_RGB2YCrCb))
        light = cv2.resize(self.light, size)
        shift = cv2.resize(self.shift, size)
        levels = np.arange(256, dtype=np.float32)
        table = (levels[:, None] - self.source_mean) * self.scale + self.target_mean
        table = table.astype(np.float32)
        out = np.empty((*warped.shape[:2], 3), np.float32)
        out[..., 0] = cv2.multiply(cv2.LUT(luma, table[:, 0]), light)
        out[..., 1] = cv2.add(cv2.LUT(red, table[:, 1]), shift[..., 0])
        out[..., 2] = cv2.add(cv2.LUT(blue, table[:, 2]), shift[..., 1])
        # Dark things reflect little of a tint: moved in full, black eyes would turn blue or red. Where it is dark,
        # colours only shrink or grow around neutral: `moved` is what the table has done beyond that.
        dark = 1 - cv2.min(out[..., 0] * np.float32(1 / max(1.0, _DARK_PART * float(self.target_mean[0]))), 1.0)
        moved = (self.target_mean - self.source_mean * self.scale - _NEUTRAL * (1 - self.scale))[1:]
        out[..., 1:] -= (shift + moved) * dark[..., None]
        # OpenCV rounds and clips to 8 bits here; YCrCb of float arrays would assume a range of 0 to 1.
        coded = cv2.convertScaleAbs(cv2.max(out, 0.0))
        matched: Floats = cv2.cvtColor(coded, cv2.COLOR_YCrCb2RGB).astype(np.float32)
        return matched


def match_colours(
    source: Pixels, target: Pixels, skin: NDArray[np.bool_], eye_distance_px: float
) -> ColourMatch | None:
    """Compare warped source and target on skin both show; None when there is too little of it.

    source, target: uint8 (h, w, 3) sRGB, the same raster; skin: bool (h, w); eye_distance_px: in pixels of this raster.
    """
    if int(skin.sum()) < _LEAST_SAMPLES:
        return None
    ours = cv2.cvtColor(source, cv2.COLOR_RGB2YCrCb)
    theirs = cv2.cvtColor(target, cv2.COLOR_RGB2YCrCb)
    mask = skin.astype(np.uint8)
    source_mean, source_spread = (values[:, 0].astype(np.float32) for values in cv2.meanStdDev(ours, mask=mask))
    target_mean, target_spread = (values[:, 0].astype(np.float32) for values in cv2.meanStdDev(theirs, mask=mask))
    scale = target_spread / (source_spread + np.float32(1e-3))
    scale[0] = np.clip(scale[0], *_CONTRAST_LIMITS)
    # A picture that has no colours (black and white, sepia) shall get none.
    low, high = _COLOUR_SPREAD_LIMITS
    colourful = float(cv2.meanStdDev(theirs)[1][1:].max())
    scale[1:] = np.clip(scale[1:], low * min(1.0, colourful / _COLOURFUL_SPREAD), high)

    coarse = max(4, skin.shape[1] // _COARSER), max(4, skin.shape[0] // _COARSER)
    sigma = max(0.5, _SMOOTH_PART * eye_distance_px / _COARSER)
    weight = mask.astype(np.float32)

    def smooth(values: Floats) -> Floats:
        small = cv2.resize(values, coarse, interpolation=cv2.INTER_AREA)
        blurred: Floats = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        return blurred

    # A little of the mean everywhere keeps places without skin at "no correction".
    rest = np.float32(0.03)
    total = smooth(weight)[..., None] + rest
    ours_smooth = (smooth(_masked(ours, mask)) + rest * source_mean) / total
    ours_smooth = (ours_smooth - source_mean) * scale + target_mean
    theirs_smooth = (smooth(_masked(theirs, mask)) + rest * target_mean) / total
    light = np.clip((theirs_smooth[..., 0] + 16) / (ours_smooth[..., 0] + 16), *_LIGHT_LIMITS)
    shift = np.clip(theirs_smooth[..., 1:] - ours_smooth[..., 1:], -_COLOUR_SHIFT_LIMIT, _COLOUR_SHIFT_LIMIT)
    return ColourMatch(scale, source_mean, target_mean, light.astype(np.float32), shift.astype(np.float32))


def _masked(picture: Pixels, mask: NDArray[np.uint8]) -> Floats:
    """The picture as float32 with zeros where the mask (0 or 1) is 0."""
    masked: Floats = cv2.bitwise_and(picture, picture, mask=mask).astype(np.float32)
    return masked
