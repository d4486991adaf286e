"""The drawn label: words in the picture that anyone can read, on a plate that keeps them readable.

GB 45438-2025 5.2 asks a picture for text with both elements ("AI" and "生成"), at an edge or in a corner, at least 5 %
of the shorter side high. `draw` paints it; `measure` (compliance.labels.sighting) finds and measures it in any
picture without knowing what was painted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import PictureTooSmallForLabel
from compliance.labels.lettering import CHINESE, DOT, ENGLISH, SAMPLE, SEPARATOR, font, opencv
from compliance.labels.sighting import Measurement, measure, reasons, require, state
from compliance.labels.styles import STANDARD, LabelStyle, Position
from compliance.media import Pixels

__all__ = ["MINIMUM_SIDE_PX", "Drawn", "Measurement", "draw", "draw_fitting", "measure", "reasons", "require", "state"]

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
_EDGE_STEPS = 8
# The European icon: the letters AI in a block of their own, then one of the words, in capitals.
ICON: Final = "AI"
GENERATED: Final = "GENERATED"
MODIFIED: Final = "MODIFIED"
_ICON_FONT = "icon.otf"
_BLOCK_PAD_EM = 0.16


Box = tuple[int, int, int, int]
"""(left, top, width, height) in pixels."""
Line = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn; box: of the plate. covers: share of the plate on a face, 0 where there was another place."""

    box: Box
    text: str
    covers: float = 0.0


def draw(
    pixels: Pixels,
    *,
    sample: bool,
    style: LabelStyle = STANDARD,
    keep_clear: Sequence[Box] = (),
    is_modified: bool = False,
) -> tuple[Pixels, Drawn]:
    """Paint the label into a copy of the picture, in the calmest corner, and over no face where there is another place.

    pixels: uint8, (height, width, 3), sRGB. sample: put the word SAMPLE in front, for demo homes. The text size is
    7.35 % of the shorter side (12 px at least), the plate is opaque and dark on a light ground or light on a dark one,
    with a contrast of ink to plate of 16:1 or more. Two or three lines where one does not fit. style: may choose plate
    and place and add size and the European icon, which says MODIFIED for is_modified; where what it adds has no room,
    the label without it is drawn. keep_clear: boxes of faces.
    Raises PictureTooSmallForLabel below 96 px or where no layout fits, LabelPartMissing without the font.
    """
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    fitting = [] if shorter < MINIMUM_SIDE_PX else _fitting(width, height, sample, style, is_modified)
    if not fitting:
        raise PictureTooSmallForLabel(width=width, height=height, minimum=MINIMUM_SIDE_PX)
    clear = [_grown(box) for box in keep_clear]
    # The first layout that has a place beside all faces; where none has, the one that covers least.
    best: tuple[float, _Place, list[Line], int] | None = None
    for lines, em_px in fitting:
        place = _place(pixels, _plate_px(lines, em_px), _margin_px(em_px), clear, style.position)
        if best is None or place.covered_px < best[0]:
            best = place.covered_px, place, lines, em_px
        if not place.covered_px:
            break
    assert best is not None
    _, place, lines, em_px = best
    cover, ink = _render(lines, em_px)
    box_height, box_width = cover.shape
    labelled = pixels.copy()
    ground = labelled[place.top : place.top + box_height, place.left : place.left + box_width]
    is_dark = style.plate == "dark" or (style.plate == "auto" and _luma(ground) > 110)
    plate, letters = _DARK if is_dark else _LIGHT
    colour = np.array(plate, np.float32) * (1 - ink[..., None]) + np.array(letters, np.float32) * ink[..., None]
    ground[:] = np.rint(ground * (1 - cover[..., None]) + colour * cover[..., None]).astype(np.uint8)
    words = (SAMPLE, CHINESE, ENGLISH) if sample else (CHINESE, ENGLISH)
    box = (place.left, place.top, box_width, box_height)
    covered = _shared_px(box, keep_clear) / (box_width * box_height)
    return labelled, Drawn(box, SEPARATOR.join(words), round(covered, 4))


def draw_fitting(
    pixels: Pixels,
    *,
    sample: bool,
    style: LabelStyle,
    keep_clear: Sequence[Box] = (),
    is_modified: bool = False,
) -> tuple[Pixels, Drawn]:
    """As draw; where what the style adds would leave the label less than it has to be, the usual one is drawn.

    In a very narrow picture the European words may push the others away from the edge.
    """
    labelled, drawn = draw(pixels, sample=sample, style=style, keep_clear=keep_clear, is_modified=is_modified)
    if style != STANDARD and reasons(measure(labelled)):
        return draw(pixels, sample=sample, keep_clear=keep_clear)
    return labelled, drawn


def _fitting(
    width: int, height: int, sample: bool, style: LabelStyle, is_modified: bool
) -> list[tuple[list[Line], int]]:
    """The layouts that fit, with their text size: those with everything the style adds first, the plain ones last."""
    icon: Line = (ICON, MODIFIED if is_modified else GENERATED)
    found = []
    for scale, extra in ((style.scale, [icon] if style.icon else []), (1.0, [icon] if style.icon else []), (1.0, [])):
        em_px = max(_em_px(min(width, height)), math.ceil(_EM_SHARE * scale * min(width, height)))
        for lines in _layouts(sample):
            wanted = [*lines, *extra]
            across, down = (side + 2 * _margin_px(em_px) for side in _plate_px(wanted, em_px))
            if across <= width and down <= height and (wanted, em_px) not in found:
                found.append((wanted, em_px))
    return found


def _grown(box: Box) -> Box:
    """A face with a tenth of its size around it."""
    left, top, width, height = box
    return left - width // 10, top - height // 10, width + width // 5, height + height // 5


def _shared_px(box: Box, others: Sequence[Box]) -> int:
    """How many pixels a box shares with others, each counted by itself."""
    left, top, width, height = box
    shared = 0
    for other in others:
        wide = min(left + width, other[0] + other[2]) - max(left, other[0])
        high = min(top + height, other[1] + other[3]) - max(top, other[1])
        shared += max(0, wide) * max(0, high)
    return shared


def _em_px(shorter_px: int) -> int:
    """Text size for a picture."""
    return max(_EM_MINIMUM_PX, math.ceil(_EM_SHARE * shorter_px))


def _margin_px(em_px: int) -> int:
    """Distance of the plate from the picture's edge."""
    return max(2, round(_MARGIN * em_px))


def _width_em(line: tuple[str, ...]) -> float:
    """Width of one line of words, in em."""
    if line[0] == ICON:
        block, word = (font(1000, _ICON_FONT).getlength(text) / 1000 for text in line)
        return float(block + 2 * _BLOCK_PAD_EM + _GAP / 2 + word)
    letters = font(1000)
    return float(sum(letters.getlength(word) for word in line)) / 1000 + _GAP * (len(line) - 1)


def _plate_px(lines: list[tuple[str, ...]], em_px: int) -> tuple[int, int]:
    """Width and height of the plate in pixels."""
    across = max(_width_em(line) for line in lines) + 2 * _PAD_X
    down = (len(lines) - 1) * _LINE + _ASCENT + _DESCENT + 2 * _PAD_Y
    return math.ceil(across * em_px), math.ceil(down * em_px)


def _layouts(sample: bool) -> list[list[Line]]:
    """The words on one line, then on more."""
    if sample:
        return [
            [(SAMPLE, CHINESE, ENGLISH)],
            [(SAMPLE, CHINESE), (ENGLISH,)],
            [(SAMPLE,), (CHINESE,), (ENGLISH,)],
        ]
    return [[(CHINESE, ENGLISH)], [(CHINESE,), (ENGLISH,)]]


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
        if line[0] == ICON:
            _icon(pen, line, (x, baseline), unit)
            continue
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


def _icon(pen: Any, line: Line, at: tuple[float, float], unit: int) -> None:
    """Draw a block of ink with the letters AI left out of it, and the word behind it; at: left and baseline."""
    x, baseline = at
    letters = font(unit, _ICON_FONT)
    behind = x + letters.getlength(line[0]) + 2 * _BLOCK_PAD_EM * unit
    block = (round(x), round(baseline - 0.86 * unit), round(behind), round(baseline + 0.12 * unit))
    pen.rounded_rectangle(block, radius=round(0.12 * unit), fill=255)
    pen.text((round(x + _BLOCK_PAD_EM * unit), round(baseline)), line[0], font=letters, fill=0, anchor="ls")
    pen.text((round(behind + _GAP / 2 * unit), round(baseline)), line[1], font=letters, fill=255, anchor="ls")


def _luma(pixels: Pixels) -> float:
    """Mean brightness, 0…255 (BT.601 weights on sRGB values)."""
    mean = pixels.reshape(-1, 3).mean(axis=0)
    return float(mean @ np.array([0.299, 0.587, 0.114]))


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of the plate. covered_px: what it shares with faces."""

    left: int
    top: int
    covered_px: int


def _place(pixels: Pixels, size: tuple[int, int], margin_px: int, clear: Sequence[Box], position: Position) -> _Place:
    """Where the plate covers least of any face, and of those places the one with the least gradient energy.

    The lower corners are preferred; along the edges is looked only where faces are. A position that is asked for is
    taken where it covers none.
    """
    height, width = pixels.shape[:2]
    right, bottom = width - margin_px - size[0], height - margin_px - size[1]
    corners: list[tuple[Position, int, int, float]] = [
        ("bottom-right", right, bottom, 1.0),
        ("bottom-left", margin_px, bottom, 1.05),
        ("top-right", right, margin_px, _UPPER_PENALTY),
        ("top-left", margin_px, margin_px, _UPPER_PENALTY * 1.05),
    ]
    places = [(left, top, penalty) for _, left, top, penalty in corners]
    if clear:
        for step in range(1, _EDGE_STEPS):
            across = margin_px + (right - margin_px) * step // _EDGE_STEPS
            down = margin_px + (bottom - margin_px) * step // _EDGE_STEPS
            places += [(across, bottom, 1.5), (across, margin_px, _UPPER_PENALTY * 1.5)]
            places += [(right, down, 2.0), (margin_px, down, 2.0)]
    rated = [(_shared_px((left, top, *size), clear), left, top, penalty) for left, top, penalty in places]
    asked = next((rated[index] for index, corner in enumerate(corners) if corner[0] == position), None)
    if asked is not None and not asked[0]:
        return _Place(asked[1], asked[2], 0)
    least = min(covered for covered, *_ in rated)
    best, calm = rated[0], math.inf
    for place in rated:
        covered, left, top, penalty = place
        if covered > least:
            continue
        energy = (_energy(pixels[top : top + size[1], left : left + size[0]]) + 1.0) * penalty
        if energy < calm:
            best, calm = place, energy
    return _Place(best[1], best[2], best[0])


def _energy(piece: Pixels) -> float:
    """Mean gradient of a piece of the picture in grey."""
    cv2 = opencv()
    ground = cv2.cvtColor(np.ascontiguousarray(piece), cv2.COLOR_RGB2GRAY)
    # Averaging down first makes sensor grain and JPEG noise count less than eyes, edges and letters.
    factor = 24 / ground.shape[0]
    if factor < 1:
        ground = cv2.resize(ground, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return float((np.abs(cv2.Sobel(ground, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(ground, cv2.CV_32F, 0, 1))).mean())
