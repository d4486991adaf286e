"""The canvas of the sketch painter: coordinates, noise, shapes and light, on float32 pixels.

The shorter side of a picture is 1 long, whatever its size in pixels, so that one seed gives one composition at every
size. Colours are float32, (3,), 0 to 1, sRGB; fields are (height, width) or what broadcasts to it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2

Field = NDArray[np.floating[Any]]
Colour = NDArray[np.floating[Any]]
Point = tuple[float, float]
Rng = np.random.Generator

_TILE = 512
# Spectral exponents of the noise tiles: 2.6 is rock and grain, 3.2 cloud, 4.0 slow waves.
_EXPONENTS = (3.2, 3.2, 3.6, 2.6, 2.6, 4.0)
SMOOTH, CLOUD, SOFT, GRAIN, ROCK, SLOW = range(len(_EXPONENTS))
_SUBPIXEL_BITS = 4


def rgb(red: float, green: float, blue: float) -> Colour:
    """A colour from 0 to 255 each."""
    return np.array((red, green, blue), np.float32) / np.float32(255)


def mix(first: Any, second: Any, share: Any) -> Any:
    """From first (share 0) to second (share 1), straight."""
    return first + (second - first) * share


def ramp(low: float, high: float, value: Any) -> Any:
    """0 below low, 1 above high, a smooth step between; low may be above high."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def near(rng: Rng, colour: Colour, span: float = 0.04) -> Colour:
    """A colour a little beside another."""
    return np.clip(colour + rng.uniform(-span, span, 3), 0, 1).astype(np.float32)


def stream(seed: int, name: str) -> Rng:
    """Random numbers of their own for one part of a picture: what is added to a scene moves nothing else in it."""
    return np.random.Generator(np.random.PCG64([seed % (1 << 63), zlib.crc32(name.encode())]))


@cache
def _tile(kind: int) -> Field:
    """A periodic tile of noise with a power spectrum of f^-exponent, mean 0 and deviation 1; (512, 512)."""
    rng = np.random.Generator(np.random.PCG64(kind))
    frequency = np.fft.fftfreq(_TILE)
    radius = np.sqrt(frequency[:, None] ** 2 + frequency[None] ** 2)
    radius[0, 0] = 1
    spectrum = np.fft.fft2(rng.standard_normal((_TILE, _TILE))) * radius ** (-_EXPONENTS[kind] / 2)
    spectrum[0, 0] = 0
    field = np.fft.ifft2(spectrum).real
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def ridge(rng: Rng, x: Field, rough: float = 0.5, octaves: int = 7, base: float = 2.0) -> Field:
    """A line of midpoint noise over positions x (any shape), about -1 to 1; base: bends in the unit length."""
    line = np.zeros_like(x)
    height, frequency = 1.0, base
    longest = float(x.max()) if x.size else 1.0
    for octave in range(octaves):
        points = rng.uniform(-1, 1, int(np.ceil(frequency * 4)) + 4).astype(np.float32)
        place = np.clip(x, 0, max(longest, 4.0)) * frequency + rng.random()
        index = np.minimum(place.astype(np.int64), len(points) - 2)
        part = place - index
        if octave < 2:
            part = part * part * (3 - 2 * part)
        line += height * (points[index] * (1 - part) + points[index + 1] * part)
        height *= rough
        frequency *= 2
    return np.asarray(line / (1 + rough), np.float32)


class Canvas:
    """A picture being painted. width, height: in units of the shorter side; x: (1, w), y: (h, 1) in the same units."""

    def __init__(self, width_px: int, height_px: int) -> None:
        short = min(width_px, height_px)
        self.width_px, self.height_px, self.short_px = width_px, height_px, short
        self.width, self.height = width_px / short, height_px / short
        self.x: Field = ((np.arange(width_px, dtype=np.float32) + 0.5) / short)[None]
        self.y: Field = ((np.arange(height_px, dtype=np.float32) + 0.5) / short)[:, None]
        self.pixel = 1.2 / short
        self.pixels: Field = np.zeros((height_px, width_px, 3), np.float32)

    def finished(self) -> Pixels:
        """The picture as uint8, (height, width, 3), sRGB."""
        return np.asarray(np.clip(self.pixels, 0, 1) * 255 + 0.5, np.uint8)

    def noise(self, rng: Rng, wide: float = 1.0, high: float = 1.0, kind: int | None = None) -> Field:
        """Fractal noise over the canvas, deviation about 1; wide, high: how much of the tile is shown, up to 1."""
        tile = _tile(int(rng.integers(len(_EXPONENTS))) if kind is None else kind)
        longest = max(self.width, self.height)
        columns = max(8, int(_TILE * min(wide, 1) * 0.98 * self.width / longest))
        rows = max(8, int(_TILE * min(high, 1) * 0.98 * self.height / longest))
        top, left = int(rng.random() * (_TILE - rows)), int(rng.random() * (_TILE - columns))
        part = tile[top : top + rows, left : left + columns]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        how = cv2.INTER_AREA if columns > self.width_px and rows > self.height_px else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, (self.width_px, self.height_px), interpolation=how), np.float32)

    # --- laying colour on -------------------------------------------------------------------------------------------

    def over(self, mask: Any, colour: Any) -> None:
        """Lay a colour, (3,) or (height, width, 3), where the mask is, (height, width), 0 to 1."""
        mask = np.broadcast_to(np.asarray(mask, np.float32), (self.height_px, self.width_px))
        rows = np.flatnonzero(mask.max(axis=1) > 0)
        if not len(rows):
            return
        band = slice(rows[0], rows[-1] + 1)
        paint = np.asarray(colour, np.float32)
        paint = np.broadcast_to(paint, self.pixels.shape)[band] if paint.ndim == 3 else paint
        self.pixels[band] += (paint - self.pixels[band]) * mask[band][..., None]

    def light(self, field: Any, colour: Colour) -> None:
        """Add light of a colour, (height, width) times (3,)."""
        self.pixels += np.asarray(field, np.float32)[..., None] * colour

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        """Rows and columns of a part of the canvas, clipped to it."""
        edge = 3 / self.short_px
        rows = slice(
            max(0, int((top - edge) * self.short_px)), min(self.height_px, int((bottom + edge) * self.short_px) + 1)
        )
        columns = slice(
            max(0, int((left - edge) * self.short_px)), min(self.width_px, int((right + edge) * self.short_px) + 1)
        )
        return rows, columns

    def _lay(self, place: tuple[slice, slice], mask: Field, colour: Any) -> None:
        part = self.pixels[place]
        part += (np.asarray(colour, np.float32) - part) * mask[..., None]

    def polygons(self, shapes: Iterable[Sequence[Point]], colour: Any, alpha: float = 1.0) -> None:
        """Fill polygons, each a list of (x, y); one colour."""
        drawn = [np.asarray(shape, np.float32) for shape in shapes]
        if not drawn:
            return
        low = np.min([shape.min(axis=0) for shape in drawn], axis=0)
        high = np.max([shape.max(axis=0) for shape in drawn], axis=0)
        place = self.box(low[0], low[1], high[0], high[1])
        mask = self._blank(place)
        if mask.size:
            for shape in drawn:
                cv2.fillPoly(mask, [self._fixed(shape, place)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
            self._lay(place, mask.astype(np.float32) * np.float32(alpha / 255), colour)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Any, alpha: float = 1.0) -> None:
        """Fill an upright rectangle."""
        self.polygons([[(left, top), (right, top), (right, bottom), (left, bottom)]], colour, alpha)

    def lines(self, shapes: Iterable[Sequence[Point]], width: float, colour: Any, alpha: float = 1.0) -> None:
        """Draw open lines, each a list of (x, y); width in units, at least one pixel."""
        drawn = [np.asarray(shape, np.float32) for shape in shapes]
        if not drawn:
            return
        low = np.min([shape.min(axis=0) for shape in drawn], axis=0) - width
        high = np.max([shape.max(axis=0) for shape in drawn], axis=0) + width
        place = self.box(low[0], low[1], high[0], high[1])
        mask = self._blank(place)
        if mask.size:
            thick = max(1, round(width * self.short_px))
            for shape in drawn:
                cv2.polylines(mask, [self._fixed(shape, place)], False, 255, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
            self._lay(place, mask.astype(np.float32) * np.float32(alpha / 255), colour)

    def _blank(self, place: tuple[slice, slice]) -> Pixels:
        rows, columns = place
        return np.zeros((max(0, rows.stop - rows.start), max(0, columns.stop - columns.start)), np.uint8)

    def _fixed(self, shape: Field, place: tuple[slice, slice]) -> NDArray[np.int32]:
        """Points as OpenCV's fixed-point pixels of one part of the canvas."""
        moved = shape * self.short_px - 0.5 - np.array((place[1].start, place[0].start), np.float32)
        return np.asarray(np.round(np.clip(moved, -4e4, 4e4) * (1 << _SUBPIXEL_BITS)), np.int32)

    def ellipse_mask(
        self, cx: float, cy: float, rx: float, ry: float, *, soft: float = 0.0, turn: float = 0.0
    ) -> tuple[tuple[slice, slice], Field]:
        """Where an ellipse lies and its mask there; soft: width of the edge, turn: radians."""
        reach = max(rx, ry) + soft + self.pixel
        place = self.box(cx - reach, cy - reach, cx + reach, cy + reach)
        dx, dy = self.x[:, place[1]] - cx, self.y[place[0]] - cy
        if turn:
            dx, dy = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        distance = np.sqrt((dx / rx) ** 2 + (dy / ry) ** 2)
        edge = max(soft, self.pixel)
        return place, np.asarray(np.clip((1 - distance) * min(rx, ry) / edge + 0.5, 0, 1), np.float32)

    def ellipse(
        self,
        cx: float,
        cy: float,
        rx: float,
        ry: float,
        colour: Any,
        *,
        soft: float = 0.0,
        turn: float = 0.0,
        alpha: float = 1.0,
    ) -> None:
        """Fill an ellipse; colour (3,) or a whole picture of colours, of which the part is taken."""
        place, mask = self.ellipse_mask(cx, cy, rx, ry, soft=soft, turn=turn)
        paint = np.asarray(colour, np.float32)
        if mask.size:
            self._lay(place, mask * np.float32(alpha), paint[place] if paint.ndim == 3 else paint)

    def ball(self, cx: float, cy: float, rx: float, ry: float, colour: Any, *, shine: float = 0.5) -> None:
        """A ball lit from the upper left; colour (3,) or a whole picture of colours."""
        place = self.box(cx - rx, cy - ry, cx + rx, cy + ry)
        dx, dy = (self.x[:, place[1]] - cx) / rx, (self.y[place[0]] - cy) / ry
        radius2 = dx * dx + dy * dy
        if not radius2.size:
            return
        lit = np.clip(np.sqrt(np.clip(1 - radius2, 0, 1)) * 0.77 - dx * 0.4 - dy * 0.5, 0, 1)[..., None]
        paint = np.asarray(colour, np.float32)
        paint = paint[place] if paint.ndim == 3 else paint
        shaded = mix(paint * 0.32, np.clip(paint * 1.08, 0, 1), lit) + lit**22 * shine
        shaded = shaded + np.clip(radius2 - 0.7, 0, 0.3)[..., None] * 0.35 * paint
        mask = np.clip((1 - np.sqrt(radius2)) * min(rx, ry) / self.pixel + 0.5, 0, 1)
        self._lay(place, np.asarray(mask, np.float32), np.clip(shaded, 0, 1))

    def glow(self, cx: float, cy: float, radius: float, colour: Colour, strength: float) -> None:
        """Add a round light that fades as exp(-distance / radius)."""
        reach = radius * 6
        place = self.box(cx - reach, cy - reach, cx + reach, cy + reach)
        distance = np.sqrt((self.x[:, place[1]] - cx) ** 2 + (self.y[place[0]] - cy) ** 2)
        fade = np.exp(-distance / radius) * ramp(1, 0.6, distance / reach) * strength
        self.pixels[place] += np.asarray(fade, np.float32)[..., None] * colour

    def blurred(self, sigma: float) -> None:
        """Blur the whole picture; sigma in units."""
        self.pixels = np.asarray(cv2.GaussianBlur(self.pixels, (0, 0), max(0.3, sigma * self.short_px)), np.float32)
