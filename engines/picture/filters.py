"""Filters that better a picture without any model: denoising, enlarging, contrast, faded colours, scratches.

Pictures are uint8, (height, width, 3), sRGB. Slow filters are told a `check` to call now and then, which may raise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2

Check = Callable[[], None]
Mask = NDArray[np.uint8]

_TILE_PX = 512
_SEARCH_PX, _TEMPLATE_PX = 21, 7
_MARGIN_PX = 16


def denoise_nlm(pixels: Pixels, strength: float, check: Check) -> Pixels:
    """Non-local means in colour (Buades, Coll and Morel 2005), in tiles; strength 0 to 1, 1 is for heavy noise."""
    level = 18.0 * strength
    made = np.empty_like(pixels)
    height, width = pixels.shape[:2]
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            check()
            y0, x0 = max(0, top - _MARGIN_PX), max(0, left - _MARGIN_PX)
            y1, x1 = min(height, top + _TILE_PX + _MARGIN_PX), min(width, left + _TILE_PX + _MARGIN_PX)
            part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
            clean = cv2.fastNlMeansDenoisingColored(part, None, level, level, _TEMPLATE_PX, _SEARCH_PX)
            bottom, right = min(height, top + _TILE_PX), min(width, left + _TILE_PX)
            made[top:bottom, left:right] = clean[top - y0 : bottom - y0, left - x0 : right - x0]
    return made


def denoise_tv(pixels: Pixels, strength: float, check: Check) -> Pixels:
    """Total variation denoising by dual projection (Chambolle 2004), 40 steps; strength 0 to 1.

    It favours flat areas: best for drawings and screens.
    """
    weight = np.float32(0.16 * strength)
    image = pixels.astype(np.float32) / 255
    dual_y, dual_x = np.zeros_like(image), np.zeros_like(image)
    step = np.float32(0.248)
    for _ in range(40):
        check()
        error = _divergence(dual_y, dual_x) - image / weight
        slope_y, slope_x = np.zeros_like(image), np.zeros_like(image)
        slope_y[:-1] = error[1:] - error[:-1]
        slope_x[:, :-1] = error[:, 1:] - error[:, :-1]
        length = np.sqrt((slope_y**2 + slope_x**2).sum(axis=2, keepdims=True))
        scale = 1 / (1 + step * length)
        dual_y = (dual_y + step * slope_y) * scale
        dual_x = (dual_x + step * slope_x) * scale
    clean = image - weight * _divergence(dual_y, dual_x)
    return _bytes(clean)


def _divergence(dual_y: Any, dual_x: Any) -> Any:
    found = dual_y + dual_x
    found[1:] -= dual_y[:-1]
    found[:, 1:] -= dual_x[:, :-1]
    return found


def enlarge(pixels: Pixels, scale: int, sharpness: float, check: Check) -> Pixels:
    """Enlarge by back-projection: what is made, made small again, is the original (Irani and Peleg 1991).

    scale: 2 or 4. sharpness 0 to 1: unsharp mask, kept within the darkest and lightest neighbour, so without halos.
    """
    small = pixels.astype(np.float32)
    height, width = small.shape[:2]
    large = cv2.resize(small, (width * scale, height * scale), interpolation=cv2.INTER_CUBIC)
    for _ in range(6):
        check()
        error = small - cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
        large = large + cv2.resize(error, (width * scale, height * scale), interpolation=cv2.INTER_CUBIC)
    if sharpness > 0:
        check()
        size = 2 * scale - 1
        kernel = np.ones((size, size), np.uint8)
        darkest, lightest = cv2.erode(large, kernel), cv2.dilate(large, kernel)
        blurred = cv2.GaussianBlur(large, (0, 0), 0.6 * scale)
        large = np.clip(large + 0.6 * sharpness * (large - blurred), darkest, lightest)
    return _bytes(large / 255)


def equalise(pixels: Pixels, strength: float) -> Pixels:
    """More contrast in each part of the picture: CLAHE on the lightness (Zuiderveld 1994); strength 0 to 1."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=1 + 2 * strength, tileGridSize=(8, 8)).apply(lab[..., 0])
    equal = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).astype(np.float32)
    return _bytes((pixels + (equal - pixels) * strength) / 255)


def unfade(pixels: Pixels, strength: float) -> Pixels:
    """Stretch each channel between its 0.5 and 99.5 percentiles, which undoes fading and a cast; strength 0 to 1.

    A picture that is colourful already becomes garish at full strength.
    """
    image = pixels.astype(np.float32)
    low, high = np.percentile(image.reshape(-1, 3), (0.5, 99.5), axis=0)
    # A plain picture has nothing to stretch; a gain over 3 would only show its noise.
    gain = np.minimum(255 / np.maximum(high - low, 1), 3)
    middle = np.where(255 / np.maximum(high - low, 1) > 3, (low + high) / 2 - 255 / 2 / gain, low)
    stretched = np.clip((image - middle) * gain, 0, 255)
    return _bytes((image + (stretched - image) * strength) / 255)


def find_damage(pixels: Pixels, sensitivity: float) -> Mask:
    """Where thin scratches and small dust are likely; uint8, (height, width), 0 or 255.

    sensitivity 0 to 1. What stands out from the median of its surroundings and is thinner than them (top-hat), small
    or long. It takes stars, glints and twigs for damage too: the mask is there to be edited. Areas full of marks are
    texture and are left out.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    size = max(5, round(min(grey.shape) / 80) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    hat = np.maximum(
        cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel), cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)
    )
    apart = cv2.absdiff(grey, cv2.medianBlur(grey, min(size, 31)))
    stands_out = np.minimum(hat, apart)
    usual = float(np.median(stands_out))
    limit = max(10.0, usual * 4 + 70 * (1 - sensitivity))
    marked = (stands_out > limit).astype(np.uint8)
    # A block with marks all over is texture: grass, glitter, hair.
    block = 8 * size
    dense = cv2.blur(marked.astype(np.float32), (block, block)) > 0.16
    marked[dense] = 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=8)
    extent = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    area = stats[:, cv2.CC_STAT_AREA]
    is_dust = (area >= 3) & (area <= size * size) & (extent <= 2 * size)
    is_scratch = (extent > 2 * size) & (area < extent * size * 0.8)
    keep = is_dust | is_scratch
    if count:
        keep[0] = False
    mask = np.where(keep[labels], 255, 0).astype(np.uint8)
    return np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)


def read_mask(pixels: Pixels, width: int, height: int) -> Mask:
    """The mask that a picture shows: red areas where it has colours, else white ones; brought to a size.

    Returns uint8, (height, width), 0 or 255.
    """
    brightest, darkest = pixels.max(axis=2).astype(np.int16), pixels.min(axis=2).astype(np.int16)
    red, others = pixels[..., 0].astype(np.int16), pixels[..., 1:].max(axis=2).astype(np.int16)
    is_red = (red > 150) & (red - others > 80)
    is_coloured = bool(((brightest - darkest) > 80).any())
    mask = np.where(is_red if is_coloured else darkest > 127, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def show_mask(pixels: Pixels, mask: Mask) -> Pixels:
    """The picture in pale grey with the mask in pure red: to look at, to edit, and to hand back as a mask."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    shown = np.broadcast_to(grey // 2 + 64, pixels.shape).copy()
    shown[mask > 0] = (255, 0, 0)
    return np.asarray(shown, np.uint8)


def inpaint(pixels: Pixels, mask: Mask, radius_px: float) -> Pixels:
    """Fill the mask from its surroundings (Telea 2004): good for thin damage, a blur in wide holes."""
    return np.asarray(cv2.inpaint(pixels, mask, radius_px, cv2.INPAINT_TELEA), np.uint8)


def _bytes(image: Any) -> Pixels:
    return np.asarray(np.clip(image, 0, 1) * 255 + 0.5, np.uint8)
