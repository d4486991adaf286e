"""The drawn label in video: in a corner of every frame, and as a larger title over the first seconds.

GB 45438-2025 5.4 asks a video for text with both elements in its opening frames, at least 5 % of the shorter side high,
for 2 s at normal speed. `Plates` are drawn once a film by compliance.labels.explicit and laid on every frame before
the encoder. `LabelWatch` looks at finished frames, all of them, and knows nothing of what was drawn: every second it
finds and measures the label as in a picture, and compares the frames in between with that place.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelTooWeak, PictureTooSmallForLabel
from compliance.labels import explicit
from compliance.labels.explicit import Measurement
from compliance.labels.lettering import opencv
from compliance.labels.styles import STANDARD, LabelStyle
from compliance.media import Pixels

Luma = NDArray[np.uint8]
Box = tuple[int, int, int, int]
Drawing = Callable[[Pixels], tuple[Pixels, explicit.Drawn]]

MINIMUM_SIDE_PX: Final = 128
TITLE_S: Final = 2.5
# What the standard asks; ours stands half a second longer.
TITLE_LIMIT_S: Final = 2.0
# The title by the corner label; a narrow frame takes a smaller one.
_TITLE_FACTORS = (1.5, 1.35, 1.2, 1.0)
_TITLE_MARGIN, _TITLE_GAP = 0.02, 0.35
# Levels of grey on which explicit.draw puts its light and its dark plate.
_DARK_GROUND, _LIGHT_GROUND = 64, 200

# A label compared with a measured one of the same film: correlation, contrast by it, and difference of the mean.
_SAME_CORRELATION, _SAME_GAIN, _SAME_LEVELS = 0.93, 0.85, 14.0
# After a bare frame a label is sought elsewhere at the next such moment only; frames until then count as bare.
_MEASURED_EVERY_S, _RAREST_S = 1.0, 16.0
# Rests of a corner label must not be found again when the title is sought: this many text heights around it go.
_BLANK_EM = 0.7


# --- drawing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A finished label. box: (left, top, width, height). levels: uint8, (height, width), grey, video range (16 to
    235). covered: where it hides the frame.
    """

    box: Box
    levels: Luma
    covered: NDArray[np.bool_]

    def lay(self, luma: Luma, blue: Luma, red: Luma) -> None:
        """Lay it on a frame in place: luma and the two half-size planes of chroma, video range (16 to 235)."""
        left, top, width, height = self.box
        place = luma[top : top + height, left : left + width]
        np.copyto(place, self.levels, where=self.covered)
        half = self.covered[::2, ::2]
        for plane in (blue, red):
            part = plane[top // 2 : top // 2 + half.shape[0], left // 2 : left // 2 + half.shape[1]]
            part[half[: part.shape[0], : part.shape[1]]] = 128


@dataclass(frozen=True, slots=True)
class Plates:
    """The labels of one film. title_frames: on so many frames, from the first, the title stands as well."""

    corner: Plate
    title: Plate
    title_frames: int

    @classmethod
    def of(
        cls,
        first: Pixels,
        rate: Fraction,
        *,
        sample: bool,
        style: LabelStyle = STANDARD,
        keep_clear: Sequence[Box] = (),
        is_modified: bool = False,
    ) -> Plates:
        """Draw the labels for a film whose first frame this is; uint8, (height, width, 3), even sides.

        The other arguments are those of explicit.draw; where what a style adds leaves no room for the title, it is left
        out of the title first, then of both. Raises PictureTooSmallForLabel below 128 px, LabelPartMissing without the
        font.
        """
        height, width = first.shape[:2]
        if min(height, width) < MINIMUM_SIDE_PX:
            raise PictureTooSmallForLabel(width=width, height=height, minimum=MINIMUM_SIDE_PX)
        drawing = functools.partial(explicit.draw, sample=sample, style=style, is_modified=is_modified)
        labelled, about = drawing(first, keep_clear=keep_clear)
        if style != STANDARD and explicit.reasons(explicit.measure(labelled)):
            # In a very narrow frame what a style adds may push the words away from the edge.
            return cls.of(first, rate, sample=sample, style=_plainer(style), keep_clear=keep_clear)
        left, top, wide, high = about.box
        ground = opencv().cvtColor(
            np.ascontiguousarray(first[top : top + high, left : left + wide]), opencv().COLOR_RGB2GRAY
        )
        level = _LIGHT_GROUND if float(ground.mean()) > 110 else _DARK_GROUND
        corner = _plate(height, width, level, functools.partial(drawing, keep_clear=keep_clear))
        corner = replace(corner, box=(left - left % 2, top - top % 2, *corner.box[2:]))
        # The picture label of a larger picture is a larger label; in the smallest frames it stands close to the other.
        sizes = [(factor, _TITLE_GAP) for factor in _TITLE_FACTORS] + ([(1.0, 0.0)] if style == STANDARD else [])
        plain = functools.partial(explicit.draw, sample=sample, style=_plainer(style))
        titles = [(drawing, size) for size in sizes] + [(plain, size) for size in sizes if style != _plainer(style)]
        for titled, (factor, gap) in titles:
            shapes = {(round(height * factor), width), (height, round(width * factor))}
            for shape in sorted(shapes, key=min, reverse=True):
                title = _plate(*shape, _DARK_GROUND, titled)
                _, _, wide, high = title.box
                place = ((width - wide) // 4 * 2, (height - high) // 4 * 2, wide, high)
                room = min(place[0] / width, place[1] / height)
                is_larger = min(shape) > min(height, width) * (factor - 0.01)
                if is_larger and room >= _TITLE_MARGIN and not _overlap(place, _apart(corner.box, gap)):
                    return cls(corner, replace(title, box=place), math.ceil(TITLE_S * rate))
        if style != STANDARD:
            return cls.of(first, rate, sample=sample, style=_plainer(style), keep_clear=keep_clear)
        raise PictureTooSmallForLabel(width=width, height=height, minimum=MINIMUM_SIDE_PX)

    def lay(self, index: int, luma: Luma, blue: Luma, red: Luma) -> None:
        """Label one frame in place; planes as in Plate.lay."""
        self.corner.lay(luma, blue, red)
        if index < self.title_frames:
            self.title.lay(luma, blue, red)


def _plainer(style: LabelStyle) -> LabelStyle:
    """The same plate and place without more size or words; the standard look where that is all there is."""
    plain = replace(style, scale=1.0, icon=False)
    return plain if plain != style else STANDARD


def _plate(height: int, width: int, ground: int, drawing: Drawing) -> Plate:
    """The label of a picture of this size and brightness, cut out along the plate's round corners."""
    labelled, about = drawing(np.full((height, width, 3), ground, np.uint8))
    left, top, wide, high = about.box
    part = opencv().cvtColor(
        np.ascontiguousarray(labelled[top : top + high, left : left + wide]), opencv().COLOR_RGB2GRAY
    )
    changed = part != ground
    # All between the first and the last change of a row: a letter's edge may have the ground's very level.
    covered = np.logical_or.accumulate(changed, axis=1) & np.logical_or.accumulate(changed[:, ::-1], axis=1)[:, ::-1]
    levels = np.rint(16 + part.astype(np.float32) * np.float32(219 / 255)).astype(np.uint8)
    return Plate((left, top, wide, high), levels, covered)


def _apart(box: Box, share: float) -> Box:
    """A corner label with ground around it, by its height: some is painted over with it when the title is measured."""
    left, top, width, height = box
    gap = round(share * height)
    return left - gap, top - gap, width + 2 * gap, height + 2 * gap


def _overlap(first: Box, second: Box) -> bool:
    return (
        first[0] < second[0] + second[2]
        and second[0] < first[0] + first[2]
        and first[1] < second[1] + second[3]
        and second[1] < first[1] + first[3]
    )


def holds(places: Sequence[int], label: int, rate_hz: int, rate: Fraction) -> dict[int, int]:
    """Before which frames a film waits, and for how many frames, while its sound says the notice.

    places: in samples of the programme, where a notice of `label` samples stands. A place at the end gives the number
    of frames, after the last. Rounded together, so that picture and sound never drift apart.
    """
    waits: dict[int, int] = {}
    for number, place in enumerate(places):
        before, after = (round(count * label * rate / rate_hz) for count in (number, number + 1))
        frame = round(place * rate / rate_hz)
        waits[frame] = waits.get(frame, 0) + after - before
    return waits


def held(frames: Iterator[Pixels], waits: Mapping[int, int]) -> Iterator[Pixels]:
    """The frames of a film, standing still where `waits` says so."""
    count = 0
    last: Pixels | None = None
    for frame in frames:
        for _ in range(waits.get(count, 0)):
            yield frame
        yield frame
        last, count = frame, count + 1
    if last is not None:
        for _ in range(sum(wait for place, wait in waits.items() if place >= count)):
            yield last


# --- measuring -------------------------------------------------------------------------------------------------------


class Shot(Protocol):
    """One decoded frame. time_s: when it is shown, from the start of the file."""

    @property
    def time_s(self) -> float:
        """When it is shown."""

    def luma(self) -> Luma:
        """Brightness: uint8, (height, width), in the range that the file uses."""

    def pixels(self) -> Pixels:
        """uint8, (height, width, 3), sRGB."""


@dataclass(frozen=True, slots=True)
class FilmLabel:
    """What was measured of the label in a film.

    frames, labelled: counted. first_bare_s: when the first frame without a label is shown, None when all have one.
    corner: the weakest measurement in full. title: of the title, None without one; title_s: how long it stands from the
    first frame on. duration_s: of the film, its last frame included.
    """

    frames: int
    labelled: int
    first_bare_s: float | None
    corner: Measurement | None
    title: Measurement | None
    title_s: float
    duration_s: float

    @property
    def found(self) -> bool:
        """Whether any frame has a label."""
        return self.labelled > 0 or self.title is not None


class _Place:
    """A label that was measured once, as an example for the frames that follow."""

    def __init__(self, box: Box, luma: Luma, measurement: Measurement) -> None:
        self.box, self.measurement = box, measurement
        part = self._cut(luma)
        self._mean = float(part.mean())
        self._part = part - np.float32(self._mean)
        self._energy = float(np.sum(self._part * self._part)) + 1e-6

    def _cut(self, luma: Luma) -> NDArray[np.float32]:
        left, top, width, height = self.box
        return luma[top : top + height, left : left + width].astype(np.float32)

    def is_in(self, luma: Luma) -> bool:
        """Whether the same label, as strong, stands in the same place of another frame."""
        part = self._cut(luma)
        if part.shape != self._part.shape:
            return False
        mean = float(part.mean())
        part -= np.float32(mean)
        flat = part.ravel()
        joint = float(flat @ self._part.ravel())
        correlation = joint / math.sqrt(self._energy * (float(flat @ flat) + 1e-6))
        return (
            correlation >= _SAME_CORRELATION
            and joint / self._energy >= _SAME_GAIN
            and abs(mean - self._mean) <= _SAME_LEVELS
        )


class LabelWatch:
    """Looks at all frames of a film, in their order."""

    def __init__(self) -> None:
        self._corner: _Place | None = None
        self._example: _Place | None = None
        self._title: _Place | None = None
        self._title_over = False
        self._due_s = self._start_s = self._last_s = self._title_until_s = 0.0
        self._weakest: Measurement | None = None
        self._weakest_title: Measurement | None = None
        self._first_bare_s: float | None = None
        self._wait_s = _MEASURED_EVERY_S / 2
        self._frames = self._labelled = 0

    def see(self, shot: Shot) -> None:
        """Look at the next frame. Some 0.3 ms where nothing has changed, 30 to 200 ms once a second."""
        if self._frames == 0:
            self._start_s = self._due_s = shot.time_s
        self._last_s = shot.time_s
        self._frames += 1
        luma = shot.luma()
        is_due = shot.time_s >= self._due_s
        pixels: Pixels | None = None
        if self._corner is None and self._example is not None and self._example.is_in(luma):
            self._corner = self._example
        if is_due or (self._corner is not None and not self._corner.is_in(luma)):
            pixels = shot.pixels()
            self._measure_corner(pixels, luma)
            # A film that never had a label is looked into less and less often: each search takes a while.
            self._wait_s = min(2 * self._wait_s, _RAREST_S) if not self._labelled else _MEASURED_EVERY_S
            self._due_s = shot.time_s + self._wait_s
        if self._corner is None:
            self._first_bare_s = shot.time_s if self._first_bare_s is None else self._first_bare_s
        else:
            self._labelled += 1
        if not self._title_over and (is_due or self._title is None or not self._title.is_in(luma)):
            self._measure_title(shot.pixels() if pixels is None else pixels, luma)
        if not self._title_over:
            self._title_until_s = shot.time_s
            self._title_over = self._title is None

    def finish(self) -> FilmLabel:
        """What was found."""
        # A title stands until the first frame without it; the last frame is shown as long as the others are.
        step_s = (self._last_s - self._start_s) / max(1, self._frames - 1)
        duration_s = self._last_s - self._start_s + step_s
        title_s = duration_s if self._title is not None else self._title_until_s - self._start_s
        return FilmLabel(
            self._frames,
            self._labelled,
            self._first_bare_s,
            self._weakest,
            self._weakest_title,
            title_s,
            duration_s,
        )

    def _measure_corner(self, pixels: Pixels, luma: Luma) -> None:
        """The label of a whole frame; where a title stands as well, the one at the edge."""
        before = self._example.measurement if self._example is not None else None
        found = explicit.measure(pixels, before=before)
        if found.found and not found.at_edge:
            # The title was found first: without it the corner shows.
            found = explicit.measure(_without(pixels, found), before=before)
        if not found.found:
            self._corner = None
            return
        intact = not explicit.reasons(found)
        self._corner = _Place(_around(found, luma), luma, found) if intact else None
        self._example = self._corner or self._example
        self._weakest = found if self._weakest is None else min(self._weakest, found, key=_merit)

    def _measure_title(self, pixels: Pixels, luma: Luma) -> None:
        """A second label, away from the one in the corner."""
        corner = self._corner.measurement if self._corner is not None else None
        before = self._title.measurement if self._title is not None else None
        # A title may stand anywhere, and its size is that of a label.
        found = explicit.measure(pixels if corner is None else _without(pixels, corner), before=before, anywhere=True)
        if not found.found or explicit.reasons(found):
            self._title = None
            return
        self._title = _Place(_around(found, luma), luma, found)
        self._weakest_title = found if self._weakest_title is None else min(self._weakest_title, found, key=_merit)


def _merit(found: Measurement) -> tuple[int, float, float]:
    return -len(explicit.reasons(found)), found.ink_share, found.correlation


def _around(found: Measurement, luma: Luma) -> Box:
    """The box of a label with a little of its plate."""
    left, top, width, height = found.box
    margin = max(1, round(0.12 * found.ink_px))
    x0, y0 = max(0, left - margin), max(0, top - margin)
    x1, y1 = min(luma.shape[1], left + width + margin), min(luma.shape[0], top + height + margin)
    return x0, y0, x1 - x0, y1 - y0


def _without(pixels: Pixels, found: Measurement) -> Pixels:
    """A copy in which one label is painted over."""
    left, top, width, height = found.box
    margin = math.ceil(_BLANK_EM * max(found.ink_px, 8.0))
    x0, y0 = max(0, left - margin), max(0, top - margin)
    blank = pixels.copy()
    part: Any = blank[y0 : top + height + margin, x0 : left + width + margin]
    part[:] = np.median(part.reshape(-1, 3), axis=0).astype(np.uint8)
    return blank


def state(found: FilmLabel) -> Literal["intact", "damaged", "absent"]:
    """One word: "intact" means a label in every frame and a title that stands long enough."""
    if not found.found:
        return "absent"
    return "damaged" if film_reasons(found) else "intact"


def film_reasons(found: FilmLabel) -> tuple[str, ...]:
    """In English, why the label of a film is not intact; empty when it is."""
    if not found.found:
        return ("no label was found in any frame",)
    why = []
    bare = found.frames - found.labelled
    if bare and found.first_bare_s is not None:
        why.append(f"{bare} of {found.frames} frames have no label, the first at {found.first_bare_s:.2f} s")
        why += list(explicit.reasons(found.corner)) if found.corner is not None else []
    if found.title is None:
        why.append("the opening title is missing")
    elif found.title_s < min(TITLE_LIMIT_S, found.duration_s) - 1e-3:
        why.append(f"the opening title stands for {found.title_s:.2f} s only")
    return tuple(dict.fromkeys(why))


def require_film(found: FilmLabel, *, sample: bool) -> None:
    """Raise LabelTooWeak(layer="explicit") unless the label is intact and says SAMPLE exactly when it should."""
    why = film_reasons(found)
    if why:
        raise LabelTooWeak(layer="explicit", reason="; ".join(why))
    for measured in (found.corner, found.title):
        if measured is None or measured.sample != sample:
            raise LabelTooWeak(layer="explicit", reason="the word SAMPLE is missing" if sample else "it says SAMPLE")
