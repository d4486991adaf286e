"""Finds the drawn label in any picture and measures it there; believes no record of what was drawn.

The words are sought as templates by normalised correlation, over text sizes from 3 % to 60 % of the shorter side and in
both polarities (light on dark and dark on light are the maximum and minimum of one response). What is found small is
then aligned at full resolution, compared letter by letter, and measured from the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelTooWeak
from compliance.labels.lettering import CHINESE, ENGLISH, SAMPLE, Plane, Template, opencv, template
from compliance.media import Pixels

INK_SHARE_LIMIT: Final = 0.055
CAP_SHARE_LIMIT: Final = 0.050
CONTRAST_LIMIT: Final = 4.5
# Our own letters stay above 0.88 in 780 measured pictures from 96 px up, JPEG 60 included; one exchanged letter (牛 for
# 生, B for A) stays below 0.74.
CORRELATION_LIMIT: Final = 0.78
# Farther than this from every edge, in em, a label no longer stands "at an edge or corner" (GB 45438-2025 5.2).
EDGE_LIMIT_EM: Final = 1.1

_SEARCH_EM_PX = 9.0
_SEARCH_STEP = 1.09
_SHARES = tuple(0.03 * _SEARCH_STEP**step for step in range(36))
# The sizes that `draw` uses come first: when the label stands there, the search ends after three of 36 sizes.
_LIKELY = (0.066, 0.084)
# Height of 生 in em, in the label's font.
_HANZI_EM = 0.911
_CANDIDATE_LIMIT = 0.42
_WORD_LIMIT = 0.55
_GROUP_LIMIT = 0.4
_CANDIDATES = 4


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of the drawn label.

    box: (left, top, width, height) of the words found, in pixels. ink_px: height of the hanzi 生 and 成 (the lower of
    the two) from the pixels; ink_share and cap_share: heights of the hanzi and of the capitals by the shorter side.
    contrast: WCAG ratio of ink to plate, 1…21. correlation: of the worst part of a word, −1…1. elements: words found.
    """

    found: bool
    sample: bool
    box: tuple[int, int, int, int]
    ink_px: float
    ink_share: float
    cap_share: float
    contrast: float
    correlation: float
    at_edge: bool
    elements: tuple[str, ...]


_NOTHING: Final = Measurement(False, False, (0, 0, 0, 0), 0.0, 0.0, 0.0, 1.0, 0.0, False, ())


@dataclass(frozen=True, slots=True)
class _Word:
    """One word found; left, top: of its template (quiet border included) in pixels; light: ink lighter than plate."""

    word: str
    left: float
    top: float
    em_px: float
    light: bool
    correlation: float
    worst_group: float

    def legible(self) -> bool:
        """True when the word and each of its parts look as they should."""
        return self.correlation >= _WORD_LIMIT and self.worst_group >= _GROUP_LIMIT


def measure(pixels: Pixels, *, before: Measurement | None = None, anywhere: bool = False) -> Measurement:
    """Find and measure the drawn label; a picture without it gives found=False.

    pixels: uint8, (height, width, 3), sRGB. before: a label of another frame of the same film; sizes like its own are
    tried first, wherever it stands, and nothing else is believed of it. anywhere: it may be a title, which stands in
    the middle. Some 25 ms of one core at 1080p where the label stands, 100 ms where not.
    Raises LabelPartMissing when the letters to compare with do not load.
    """
    cv2 = opencv()
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    best = _NOTHING
    likely = tuple(share for share in _SHARES if _LIKELY[0] <= share <= _LIKELY[1])
    # A picture so small that its label has the least text size of 12 px shows a larger share.
    if min(height, width) < 170:
        likely = tuple(share for share in _SHARES if 0.066 <= share <= 14.0 / min(height, width))
    if before is not None and before.ink_share:
        known = before.ink_share / _HANZI_EM
        likely = tuple(share for share in _SHARES if abs(math.log(share / known)) < 1.5 * math.log(_SEARCH_STEP))
    others = tuple(share for share in _SHARES if share not in likely)
    for word, shares in ((CHINESE, likely), (CHINESE, others), (ENGLISH, (*likely, *others))):
        if word == ENGLISH and best.found:
            break
        for anchor in _seek(grey, word, shares):
            found = _measure_around(pixels, grey, anchor)
            best = max(best, replace(found, at_edge=True) if anywhere else found, key=_rank)
        if state(best) == "intact":
            break
    return best


def state(measurement: Measurement) -> Literal["intact", "damaged", "absent"]:
    """One word for a measurement: "damaged" is a label that is there but falls short of the rule."""
    if not measurement.found:
        return "absent"
    return "damaged" if reasons(measurement) else "intact"


def reasons(measurement: Measurement) -> tuple[str, ...]:
    """English sentences on what falls short of the rule; empty for an intact label."""
    if not measurement.found:
        return ("no label was found in the picture",)
    found = []
    for word in (CHINESE, ENGLISH):
        if word not in measurement.elements:
            found.append(f"the words “{word}” are missing or cannot be read")
    if CHINESE in measurement.elements and measurement.ink_share < INK_SHARE_LIMIT:
        found.append(
            f"the text is {measurement.ink_share:.1%} of the shorter side high, {INK_SHARE_LIMIT:.1%} are required"
        )
    if measurement.cap_share < CAP_SHARE_LIMIT:
        found.append(
            f"the capitals are {measurement.cap_share:.1%} of the shorter side high, {CAP_SHARE_LIMIT:.1%} are required"
        )
    if measurement.contrast < CONTRAST_LIMIT:
        found.append(f"the contrast is {measurement.contrast:.1f}:1, {CONTRAST_LIMIT}:1 is required")
    if measurement.correlation < CORRELATION_LIMIT:
        found.append(f"the letters are worn (likeness {measurement.correlation:.2f} of {CORRELATION_LIMIT})")
    if not measurement.at_edge:
        found.append("the label does not stand at an edge or in a corner")
    return tuple(found)


def require(measurement: Measurement, *, sample: bool) -> None:
    """Raise LabelTooWeak unless the label is intact and, when sample is asked for, carries the word SAMPLE."""
    short = reasons(measurement)
    if short:
        raise LabelTooWeak(layer="explicit", reason=short[0])
    if sample and not measurement.sample:
        raise LabelTooWeak(layer="explicit", reason=f"the word “{SAMPLE}” is missing")


def _rank(measurement: Measurement) -> tuple[int, bool, float]:
    """Order of several labels in one picture: the whole one counts, then the one with the word SAMPLE."""
    order = {"absent": 0, "damaged": 1, "intact": 2}
    words = len(set(measurement.elements) & {CHINESE, ENGLISH})
    return order[state(measurement)] * 4 + words, measurement.sample, measurement.correlation


# --- search ----------------------------------------------------------------------------------------------------------


def _seek(grey: NDArray[np.uint8], word: str, shares: tuple[float, ...]) -> list[_Word]:
    """The most likely places of a word in the whole picture, aligned and legible, best first."""
    cv2 = opencv()
    shorter = min(grey.shape)
    pattern = template(word).scaled(_SEARCH_EM_PX).coverage
    peaks: list[tuple[float, float, float, float, bool]] = []
    small, small_factor = grey, 1.0
    for share in sorted(shares):
        factor = _SEARCH_EM_PX / (share * shorter)
        if factor > 2:
            continue
        # Sizes come from small text to large, so each copy is made from the one before it.
        if factor < small_factor / 1.5 or small is grey:
            size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
            small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
            copy, small_factor = small, factor
        else:
            size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
            copy = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
        if copy.shape[0] < pattern.shape[0] or copy.shape[1] < pattern.shape[1]:
            continue
        response = _response(copy, pattern)
        low, high, low_at, high_at = cv2.minMaxLoc(response)
        for score, at, light in ((high, high_at, True), (-low, low_at, False)):
            if score >= _CANDIDATE_LIMIT:
                peaks.append((score, at[0] / factor, at[1] / factor, share * shorter, light))
    peaks.sort(reverse=True)
    found: list[_Word] = []
    tried: list[tuple[float, float, float, float, bool]] = []
    for peak in peaks:
        if any(math.hypot(peak[1] - old[1], peak[2] - old[2]) < old[3] and peak[4] == old[4] for old in tried):
            continue
        tried.append(peak)
        _, left, top, em_px, light = peak
        aligned = _align(grey, word, left, top, em_px, light)
        if aligned is not None and aligned.legible():
            found.append(aligned)
        if len(tried) == _CANDIDATES:
            break
    return sorted(found, key=lambda item: -item.correlation)


def _response(image: NDArray[Any], pattern: Plane) -> Plane:
    """Normalised correlation of a pattern at every place; flat places, where it is undefined, count as 0."""
    cv2 = opencv()
    response = cv2.matchTemplate(image.astype(np.float32), pattern, cv2.TM_CCOEFF_NORMED)
    return np.where(np.abs(response) <= 1.001, response, 0).astype(np.float32)


def _align(
    grey: NDArray[np.uint8], word: str, left: float, top: float, em_px: float, light: bool, reach_em: float = 0.35
) -> _Word | None:
    """Fit a word's place and size near a guess; None when the guess lies outside the picture.

    The piece of the picture is brought to 20…36 px an em; sizes from −8 % to +8 % are tried, then finer ones.
    """
    cv2 = opencv()
    master = template(word)
    high, wide = (side * em_px / master.em_px for side in master.coverage.shape)
    reach = reach_em * em_px
    x0, y0 = max(0, math.floor(left - reach)), max(0, math.floor(top - reach))
    x1, y1 = math.ceil(left + wide * 1.08 + reach), math.ceil(top + high * 1.08 + reach)
    piece = grey[y0:y1, x0:x1]
    if piece.size == 0:
        return None
    work_em = min(max(em_px, 20.0), 36.0)
    factor = work_em / em_px
    size = max(1, round(piece.shape[1] * factor)), max(1, round(piece.shape[0] * factor))
    piece = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    piece = piece if light else 255 - piece
    factor_x, factor_y = size[0] / (min(x1, grey.shape[1]) - x0), size[1] / (min(y1, grey.shape[0]) - y0)
    best: tuple[float, float, tuple[int, int], Plane] | None = None
    centre = 1.0
    for steps in ((-0.08, -0.06, -0.04, -0.02, 0.0, 0.02, 0.04, 0.06, 0.08), (-0.01, -0.005, 0.005, 0.01)):
        for step in steps:
            ratio = centre + step
            pattern = master.scaled(work_em * ratio, through_px=em_px * ratio).coverage
            if pattern.shape[0] > piece.shape[0] or pattern.shape[1] > piece.shape[1]:
                continue
            _, peak, _, at = cv2.minMaxLoc(_response(piece, pattern))
            if best is None or peak > best[0]:
                best = (peak, ratio, at, pattern)
        if best is None:
            return None
        centre = best[1]
    assert best is not None
    score, ratio, at, _ = best
    fitted = master.scaled(work_em * ratio, through_px=em_px * ratio)
    return _Word(
        word=word,
        left=x0 + at[0] / factor_x,
        top=y0 + at[1] / factor_y,
        em_px=em_px * ratio,
        light=light,
        correlation=float(score),
        worst_group=_worst_group(piece, fitted, at),
    )


def _worst_group(piece: NDArray[np.uint8], fitted: Template, at: tuple[int, int]) -> float:
    """The least correlation among a word's parts, each free to move by two pixels."""
    cv2 = opencv()
    worst = 1.0
    for left, right in fitted.groups:
        start, end = math.floor(left), math.ceil(right)
        pattern = fitted.coverage[:, start:end]
        x0, y0 = max(0, at[0] + start - 2), max(0, at[1] - 2)
        window = piece[y0 : at[1] + pattern.shape[0] + 2, x0 : at[0] + end + 2]
        if window.shape[0] < pattern.shape[0] or window.shape[1] < pattern.shape[1]:
            return 0.0
        worst = min(worst, float(cv2.minMaxLoc(_response(window, pattern))[1]))
    return worst


def _companion(grey: NDArray[np.uint8], word: str, anchor: _Word) -> _Word | None:
    """Another word of the same label: same size and polarity, within two lines and one line's width of the anchor."""
    cv2 = opencv()
    em_px = anchor.em_px
    x0, y0 = max(0, round(anchor.left - 13 * em_px)), max(0, round(anchor.top - 3 * em_px))
    x1, y1 = round(anchor.left + 13 * em_px), round(anchor.top + 4.2 * em_px)
    around = grey[y0:y1, x0:x1]
    factor = min(1.0, 14.0 / em_px)
    if factor < 1:
        around = cv2.resize(around, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    pattern = template(word).scaled(em_px * factor).coverage
    if around.shape[0] < pattern.shape[0] or around.shape[1] < pattern.shape[1]:
        return None
    response = _response(around if anchor.light else 255 - around, pattern)
    _, _, _, at = cv2.minMaxLoc(response)
    aligned = _align(grey, word, x0 + at[0] / factor, y0 + at[1] / factor, em_px, anchor.light)
    if aligned is None or not aligned.legible() or abs(aligned.em_px / em_px - 1) > 0.06:
        return None
    return aligned


# --- measuring -------------------------------------------------------------------------------------------------------


def _measure_around(pixels: Pixels, grey: NDArray[np.uint8], anchor: _Word) -> Measurement:
    """Measure the label that one found word belongs to."""
    found = {anchor.word: anchor}
    for word in (CHINESE, ENGLISH, SAMPLE):
        if word not in found:
            other = _companion(grey, word, anchor)
            if other is not None:
                found[word] = other
    words = [found[word] for word in (SAMPLE, CHINESE, ENGLISH) if word in found]
    shorter = min(grey.shape)
    strokes = {word.word: _strokes(grey, word) for word in words}
    contrast = min(_contrast(pixels, part) for part in strokes.values())
    ink_px = _ink_height(grey, strokes[CHINESE]) if CHINESE in found else 0.0
    cap_px = min(_cap_height(grey, part) for word, part in strokes.items() if word != SAMPLE)
    box = _box(words, grey.shape)
    em_px = max(word.em_px for word in words)
    gaps = (box[0], box[1], grey.shape[1] - box[0] - box[2], grey.shape[0] - box[1] - box[3])
    return Measurement(
        found=True,
        sample=SAMPLE in found,
        box=box,
        ink_px=round(ink_px, 2),
        ink_share=ink_px / shorter,
        cap_share=cap_px / shorter,
        contrast=contrast,
        correlation=min(min(word.correlation, word.worst_group) for word in words if word.word != SAMPLE),
        at_edge=min(gaps) <= EDGE_LIMIT_EM * em_px,
        elements=tuple(word.word for word in words),
    )


def _box(words: list[_Word], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box around the ink of all words, within the picture."""
    edges = []
    for word in words:
        master = template(word.word)
        factor = word.em_px / master.em_px
        high, wide = (side * factor for side in master.coverage.shape)
        quiet = master.top * factor
        edges.append((word.left + quiet, word.top + quiet, word.left + wide - quiet, word.top + high - quiet))
    left, top = max(0, math.floor(min(edge[0] for edge in edges))), max(0, math.floor(min(edge[1] for edge in edges)))
    right = min(shape[1], math.ceil(max(edge[2] for edge in edges)))
    bottom = min(shape[0], math.ceil(max(edge[3] for edge in edges)))
    return left, top, right - left, bottom - top


@dataclass(frozen=True, slots=True, eq=False)
class _Strokes:
    """Where a word's strokes lie at full resolution. core: their middles; bare: what none touches; bool, of `piece`."""

    word: _Word
    fitted: Template
    piece: tuple[slice, slice]
    core: NDArray[np.bool_]
    bare: NDArray[np.bool_]


def _strokes(grey: NDArray[np.uint8], word: _Word) -> _Strokes:
    """A word's strokes by its template, within the picture."""
    cv2 = opencv()
    fitted = template(word.word).scaled(word.em_px)
    left, top = max(0, round(word.left)), max(0, round(word.top))
    piece = slice(top, top + fitted.coverage.shape[0]), slice(left, left + fitted.coverage.shape[1])
    height, width = grey[piece].shape
    coverage = fitted.coverage[:height, :width]
    reach = np.ones((3, 3), np.uint8)
    core = cv2.erode(coverage, reach)
    if core.max() > 0.5:
        core = core >= max(min(0.9, float(np.quantile(core, 0.97))), 1e-3)
    else:
        core = coverage >= np.quantile(coverage, 0.95)
    return _Strokes(word, fitted, piece, core, cv2.dilate(coverage, reach) < 0.05)


def _levels(image: NDArray[Any], strokes: _Strokes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours of ink and plate: medians over the cores of the strokes and over what no stroke touches."""
    piece = image[strokes.piece]
    flat = piece.reshape(*piece.shape[:2], -1)
    bare = strokes.bare if strokes.bare.any() else np.ones_like(strokes.bare)
    ink, plate = (np.median(flat[part].astype(np.float64), axis=0) for part in (strokes.core, bare))
    return ink, plate


def _luminance(colour: NDArray[np.float64]) -> float:
    """WCAG 2.2 relative luminance of an sRGB colour, 0…255 each."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def _contrast(pixels: Pixels, strokes: _Strokes) -> float:
    """WCAG 2.2 contrast ratio of a word's ink to its plate."""
    ink, plate = _levels(pixels, strokes)
    high, low = sorted((_luminance(ink), _luminance(plate)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _extents(grey: NDArray[np.uint8], strokes: _Strokes, parts: Sequence[tuple[float, float]]) -> list[float]:
    """Heights in pixels of the ink within some columns of a word, from the first to the last row half inked."""
    ink, plate = _levels(grey, strokes)
    return [_extent(grey, strokes, columns, float(ink[0]), float(plate[0])) for columns in parts]


def _extent(
    grey: NDArray[np.uint8], strokes: _Strokes, columns: tuple[float, float], ink: float, plate: float
) -> float:
    word, fitted = strokes.word, strokes.fitted
    left, right = math.floor(word.left + columns[0]), math.ceil(word.left + columns[1])
    top, bottom = math.floor(word.top), math.ceil(word.top + fitted.coverage.shape[0])
    piece = grey[max(0, top) : bottom, max(0, left) : right].astype(np.float64)
    if piece.size == 0:
        return 0.0
    span = ink - plate
    if abs(span) < 1:
        return 0.0
    rows = ((piece - plate) / span).max(axis=1)
    inked = np.flatnonzero(rows >= 0.5)
    if inked.size == 0:
        return 0.0
    first, last = int(inked[0]), int(inked[-1])
    # Between the last bare and the first inked row the edge lies where the ink would cover half of a pixel.
    above = float(np.clip(rows[first - 1], 0, 1)) if first > 0 else 0.0
    below = float(np.clip(rows[last + 1], 0, 1)) if last + 1 < rows.size else 0.0
    inner = float(np.clip(rows[first], 0, 1)) + (float(np.clip(rows[last], 0, 1)) if last > first else 0.0)
    return above + below + inner + max(0, last - first - 1)


def _ink_height(grey: NDArray[np.uint8], strokes: _Strokes) -> float:
    """Height of the lower of the two hanzi, in pixels."""
    left, right = strokes.fitted.hanzi_columns
    middle = (left + right) / 2
    inset = 0.04 * strokes.word.em_px
    return min(_extents(grey, strokes, [(left + inset, middle - inset), (middle + inset, right - inset)]))


def _cap_height(grey: NDArray[np.uint8], strokes: _Strokes) -> float:
    """Height of the capital I, in pixels."""
    return _extents(grey, strokes, [strokes.fitted.cap_columns])[0]
