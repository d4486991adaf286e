"""The built-in rules: a rough look at a picture without any learnt weights, which a person then judges (DSP 10).

They see colours and shapes and know nothing of people: sand, wood and a face that fills the frame look to them like
what they search. So they never stop anything; a hit asks a reviewer. What may be stopped without a person is for a
classifier that the operator chose (compliance.review_pictures).

Rule "skin": skin-coloured pixels by fixed bounds in YCbCr (Chai and Ngan, IEEE Trans. CSVT 9(4), 1999: Cb 77-127,
Cr 133-173), smooth like skin and not like grain or cloth, in one connected region that takes much of the picture and is
no ground.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from compliance.content import ContentHit
from compliance.labels.lettering import opencv

Pixels = npt.NDArray[np.uint8]

RULES: Final = "built-in rules 1"
"""Names rules and limits in records; another limit is another number."""

_LONGEST_PX = 192
_CB, _CR = (77, 127), (133, 173)
_DARKEST, _BRIGHTEST = 50, 245
# Steps of luma between neighbours that skin under soft light stays below.
_SMOOTH = 14
LEAST_SHARE: Final = 0.5
"""Share of the picture, 0 to 1, that the largest region covers at least: twice what a tightly cut face reaches."""
# Flat colour is paint, paper or a sky of a drawing: skin has shades. Deviation of luma inside the region over its mean.
_LEAST_SHADES = 0.02
# What goes through the picture from one side to the other is a ground or a sky. Share of the pixels of both sides.
_MOST_SIDES = 0.3


def skin_share(pixels: Pixels) -> float:
    """Share of the picture, 0 to 1, that its largest smooth skin-coloured region covers; 0 for flat colour and grounds.

    pixels: uint8, (height, width, 3), sRGB.
    """
    cv2 = opencv()
    height, width = pixels.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    luma, red, blue = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
    steps = cv2.morphologyEx(cv2.medianBlur(luma, 3), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    is_skin = (blue >= _CB[0]) & (blue <= _CB[1]) & (red >= _CR[0]) & (red <= _CR[1])
    is_skin &= (luma >= _DARKEST) & (luma <= _BRIGHTEST) & (steps <= _SMOOTH)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(is_skin.astype(np.uint8), connectivity=4)
    if len(stats) < 2:
        return 0.0
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    region = labels == largest
    sides = min(float(region[:, 0].mean()), float(region[:, -1].mean()))
    inside = luma[region]
    if float(inside.std()) < _LEAST_SHADES * float(inside.mean()) or sides > _MOST_SIDES:
        return 0.0
    return float(inside.size / luma.size)


def look(pixels: Pixels, place: str, frame: int = 0) -> tuple[ContentHit, ...]:
    """What the rules say to one picture: hits for a person to judge, or none.

    pixels: uint8, (height, width, 3), sRGB. place: which picture it is, in a word. Raises ValueError for no picture.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError("no picture")
    share = skin_share(pixels)
    if share < LEAST_SHARE:
        return ()
    return (ContentHit("built-in/skin", "nudity", "case", place, round(share, 3), frame),)
