"""Enlarging by a neural model on a pack (kind "picture.upscaler"), by the contract of Real-ESRGAN.

The model takes one picture, float 0 to 1, red green blue, (1, 3, height, width), and gives it two, three or four times
as wide and high. It is shown the picture in overlapping tiles, of which only the middles are kept, so that memory does
not grow with the picture and no seam is left.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from compliance.errors import ModelUnfit
from compliance.media import Pixels
from engines._cv import cv2
from engines.picture.filters import Check
from engines.picture.networks import Network

KINDS: Final = ("picture.upscaler",)
TILE_PX, OVERLAP_PX = 192, 16
_SCALES = (1, 2, 3, 4)


def factor_of(network: Network) -> int:
    """How many times larger the model makes a picture, tried on a grey one; raises ModelUnfit for other contracts."""
    height, width = network.fixed_px or (64, 64)
    made = network.ask(np.full((1, 3, height, width), 0.5, np.float32))
    scale = int(made.shape[2]) // height
    if scale not in _SCALES or made.shape != (1, 3, height * scale, width * scale):
        raise ModelUnfit(pack=network.pack, reason="its model does not enlarge pictures two, three or four times")
    return scale


def enlarge(network: Network, factor: int, pixels: Pixels, check: Check) -> Pixels:
    """The whole picture, factor times as wide and high; check is called at every tile. Raises ModelUnfit."""
    tile_y, tile_x = network.fixed_px or (TILE_PX, TILE_PX)
    margin = min(OVERLAP_PX, (min(tile_y, tile_x) - 1) // 4)
    step_y, step_x = tile_y - 2 * margin, tile_x - 2 * margin
    height, width = pixels.shape[:2]
    # Beyond the edge the picture is mirrored, so that every tile is full and has surroundings on all sides.
    wide = cv2.copyMakeBorder(
        pixels, margin, margin + -height % step_y, margin, margin + -width % step_x, cv2.BORDER_REFLECT
    )
    made = np.empty((height * factor, width * factor, 3), np.uint8)
    places = [(top, left) for top in range(0, height, step_y) for left in range(0, width, step_x)]
    for top, left in places:
        check()
        part = wide[top : top + tile_y, left : left + tile_x].astype(np.float32) / 255
        large = network.ask(np.ascontiguousarray(part.transpose(2, 0, 1)[None]))
        if large.shape != (1, 3, tile_y * factor, tile_x * factor):
            raise ModelUnfit(pack=network.pack, reason="its model changes its mind about the size")
        middle = large[0, :, margin * factor : (tile_y - margin) * factor, margin * factor : (tile_x - margin) * factor]
        bottom, right = min(height, top + step_y), min(width, left + step_x)
        kept = middle[:, : (bottom - top) * factor, : (right - left) * factor].transpose(1, 2, 0)
        made[top * factor : bottom * factor, left * factor : right * factor] = np.clip(kept, 0, 1) * 255 + 0.5
    return made
