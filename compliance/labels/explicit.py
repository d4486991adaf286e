"""The drawn label: words in the picture that anyone can read, on a plate that keeps them readable.

GB 45438-2025 5.2 asks a picture for text with both elements ("AI" and "生成"), at an edge or in a corner, at least 5 %
of the shorter side high. `draw` paints it; `measure` (compliance.labels.sighting) finds and measures it in any
picture without knowing what was painted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import PictureTooSmallForLabel
from compliance.labels.lettering import CHINESE, DOT, ENGLISH, SAMPLE, SEPARATOR, font, opencv
from compliance.labels.sighting import Measurement, measure, reasons, require, state
from compliance.media import Pixels

__all__ = ["MINIMUM_SIDE_PX", "Drawn", "Measurement", "draw", "measure", "reasons", "require", "state"]

MINIMUM_SIDE_PX: Final = 96

# Capitals are 0.741 em high in this font, 生 is 0.911 em: 7.35 % of the shorter side as the em gives capitals of 5.4 %
# and hanzi of 6.7 %. So the rule's 5 % holds by its strictest reading (capitals) and our own 5.5 % by the hanzi, with a
# margin for the half pixels that JPEG and rescaling take from an edge.
_EM_SHARE = 0.0735
_EM_MINIMUM_PX = 12
# In em, from here on.
_GAP, _LINE, _PAD_X, _PAD_Y, _RADIUS, _MARGIN = 0.66, 1.22, 0.42, 0.26, 0.3, 0.32
_ASCENT, _DESCENT = 0.86, 0.12
_DARK: Final = ((24, 26, 31), (250, 250, 250))
_LIGHT: Final = ((248, 248, 246), (20, 22, 27))
# Heads are at the top: the upper corners must be this much calmer than the lower ones before the label goes there.
_UPPER_PENALTY = 3.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn; box: (left, top, width, height) of the plate in pixels."""

    box: tuple[int, int, int, int]
    text: str


def draw(pixels: Pixels, *, sample: bool) -> tuple[Pixels, Drawn]:
    """Paint the label into a copy of the picture, in the calmest corner.

    pixels: uint8, (height, width, 3), sRGB. sample: put the word SAMPLE in front, for demo homes. The text size is
    7.35 % of the shorter side (12 px at least), the plate is opaque and dark on a light ground or light on a dark one,
    with a contrast of ink to plate of 16:1 or more. Two or three lines where one does not fit.
    Raises PictureTooSmallForLabel below 96 px or where no layout fits, LabelPartMissing without the font.
    """
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    lines = None if shorter < MINIMUM_SIDE_PX else _layout(width, height, sample)
    if lines is None:
        raise PictureTooSmallForLabel(width=width, height=height, minimum=MINIMUM_SIDE_PX)
    em_px = _em_px(shorter)
    cover, ink = _render(lines, em_px)
    box_height, box_width = cover.shape
    left, top = _calmest_corner(pixels, (box_width, box_height), _margin_px(em_px))
    labelled = pixels.copy()
    ground = labelled[top : top + box_height, left : left + box_width]
    plate, letters = _DARK if _luma(ground) > 110 else _LIGHT
    colour = np.array(plate, np.float32) * (1 - ink[..., None]) + np.array(letters, np.float32) * ink[..., None]
    ground[:] = np.rint(ground * (1 - cover[..., None]) + colour * cover[..., None]).astype(np.uint8)
    words = (SAMPLE, CHINESE, ENGLISH) if sample else (CHINESE, ENGLISH)
    return labelled, Drawn(box=(left, top, box_width, box_height), text=SEPARATOR.join(words))


def _em_px(shorter_px: int) -> int:
    """Text size for a picture."""
    return max(_EM_MINIMUM_PX, math.ceil(_EM_SHARE * shorter_px))


def _margin_px(em_px: int) -> int:
    """Distance of the plate from the picture's edge."""
    return max(2, round(_MARGIN * em_px))


def _width_em(line: tuple[str, ...]) -> float:
    """Width of one line of words, in em."""
    letters = font(1000)
    return float(sum(letters.getlength(word) for word in line)) / 1000 + _GAP * (len(line) - 1)


def _plate_px(lines: list[tuple[str, ...]], em_px: int) -> tuple[int, int]:
    """Width and height of the plate in pixels."""
    across = max(_width_em(line) for line in lines) + 2 * _PAD_X
    down = (len(lines) - 1) * _LINE + _ASCENT + _DESCENT + 2 * _PAD_Y
    return math.ceil(across * em_px), math.ceil(down * em_px)


def _layout(width: int, height: int, sample: bool) -> list[tuple[str, ...]] | None:
    """The first layout that fits, as lines of words; None when none does."""
    layouts: list[list[tuple[str, ...]]]
    if sample:
        layouts = [
            [(SAMPLE, CHINESE, ENGLISH)],
            [(SAMPLE, CHINESE), (ENGLISH,)],
            [(SAMPLE,), (CHINESE,), (ENGLISH,)],
        ]
    else:
        layouts = [[(CHINESE, ENGLISH)], [(CHINESE,), (ENGLISH,)]]
    em_px = _em_px(min(width, height))
    for lines in layouts:
        across, down = _plate_px(lines, em_px)
        if across + 2 * _margin_px(em_px) <= width and down + 2 * _margin_px(em_px) <= height:
            return lines
    return None


def _render(lines: list[tuple[str, ...]], em_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Opacity of the plate and of the ink upon it; float32 0…1, (height, width) of the plate.

    Drawn two or four times larger and averaged down: the letters keep their true proportions at every size, where
    hinting would move the edges that are measured afterwards.
    """
    from PIL import Image, ImageDraw

    scale = 4 if em_px < 64 else 2
    width, height = _plate_px(lines, em_px)
    unit = em_px * scale
    plate = Image.new("L", (width * scale, height * scale), 0)
    ImageDraw.Draw(plate).rounded_rectangle(
        (0, 0, width * scale - 1, height * scale - 1), radius=round(_RADIUS * unit), fill=255
    )
    ink = Image.new("L", plate.size, 0)
    pen = ImageDraw.Draw(ink)
    letters = font(unit)
    for row, line in enumerate(lines):
        x = _PAD_X * unit
        baseline = (_PAD_Y + _ASCENT + row * _LINE) * unit
        for index, word in enumerate(line):
            if index:
                # The dot stands in the middle of a full-width box; the gap between words is narrower than that.
                pen.text((round(x - (1 - _GAP) / 2 * unit), round(baseline)), DOT, font=letters, fill=255, anchor="ls")
                x += _GAP * unit
            pen.text((round(x), round(baseline)), word, font=letters, fill=255, anchor="ls")
            x += letters.getlength(word)

    def averaged(image: Any) -> NDArray[np.float32]:
        small = image.reduce(scale)
        return np.asarray(small, np.float32) / np.float32(255)

    return averaged(plate), averaged(ink)


def _luma(pixels: Pixels) -> float:
    """Mean brightness, 0…255 (BT.601 weights on sRGB values)."""
    mean = pixels.reshape(-1, 3).mean(axis=0)
    return float(mean @ np.array([0.299, 0.587, 0.114]))


def _calmest_corner(pixels: Pixels, size: tuple[int, int], margin_px: int) -> tuple[int, int]:
    """Left and top of the plate in the corner with the least gradient energy; the lower ones are preferred."""
    cv2 = opencv()
    height, width = pixels.shape[:2]
    right, bottom = width - margin_px - size[0], height - margin_px - size[1]
    best, calm = (right, bottom), math.inf
    for left, top, penalty in (
        (right, bottom, 1.0),
        (margin_px, bottom, 1.05),
        (right, margin_px, _UPPER_PENALTY),
        (margin_px, margin_px, _UPPER_PENALTY * 1.05),
    ):
        ground = cv2.cvtColor(pixels[top : top + size[1], left : left + size[0]], cv2.COLOR_RGB2GRAY)
        # Averaging down first makes sensor grain and JPEG noise count less than eyes, edges and letters.
        factor = 24 / size[1]
        if factor < 1:
            ground = cv2.resize(ground, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        steps = np.abs(cv2.Sobel(ground, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(ground, cv2.CV_32F, 0, 1))
        energy = (float(steps.mean()) + 1.0) * penalty
        if energy < calm:
            best, calm = (left, top), energy
    return best
