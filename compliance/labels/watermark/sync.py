"""Finding the pattern in a picture of unknown scale, rotation, mirroring, shape and shift.

1. The pilots' constellation is sought in the power spectrum. In log-polar coordinates scale and rotation are shifts,
   in log-log coordinates a change of shape is one; so a whole family of transforms is scored by 40 shifted sums.
2. The best places are judged by phase: the pilots' complex values, read out of one spectrum by interpolation, must
   fit one shift of one of the 16 sets. Its height over chance is `z`; 40 perfect pilots give 8.9.
3. The winner is refined as a full affine map by a shrinking search, still in the spectrum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.lettering import opencv
from compliance.labels.watermark.frame import Plane
from compliance.labels.watermark.pattern import SETS, TILE_PX, Complex, Pattern

Matrix = NDArray[np.float64]

SCALES: Final = (0.42, 3.2)
# A picture made narrower or lower by up to this much, as a logarithm of the ratio.
SHAPES: Final = 0.3

_SIZE = 1024
_TAPER_PX = 32.0
_LIMIT_PX = 960
# The highest frequency a pilot can come to lie on: 0.16 / 0.42, in bins, and some room for interpolation.
_COLUMNS = 416
_BACKGROUND_BINS, _SMOOTH_BINS, _PEAK_LIMIT = 31, 0.8, 8.0
_PEAK_STEPS = 200
_STEP = 0.005
_ANGLES = 720
_SURFACE = 64
_APART = 3
_PEAKS = 3
# Scale, rotation, stretch and shear, the four ways in which a plane's transform can change a little.
_BASIS = np.array([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]], float)
_LEAN, _LEAN_STEPS = 0.01, 5
# Following the pilots through a bent picture: windows that count, how many are needed, how well they must agree.
_WINDOW_Z, _WINDOWS, _WINDOW_PX = 3.6, 6, 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Sync:
    """Where the pattern lies: observed = matrix @ canonical, about the picture's centre, in pixels of the given plane.

    shift: the canonical position, modulo the tile, that lies at the centre. z: height of the phase peak over chance.
    """

    matrix: Matrix
    shift: tuple[float, float]
    chosen: int
    z: float

    @property
    def scale(self) -> float:
        """Size of the pattern against that of an untouched picture of this size."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    @property
    def flipped(self) -> bool:
        """Whether the picture was mirrored."""
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def angle_deg(self) -> float:
        """Rotation of the picture, -180 to 180 degrees; of a mirrored one, after mirroring left to right."""
        across = self.matrix[:, 0] * (-1 if self.flipped else 1)
        return float(np.degrees(np.arctan2(across[1], across[0])))


def normalised(values: NDArray[np.complexfloating]) -> Complex:
    """Pilot values with evened-out moduli, so that no single line decides: complex, (..., 40)."""
    modulus = np.abs(values)
    even = values / (modulus + 0.5 * modulus.mean(-1, keepdims=True) + 1e-9)
    result: Complex = even.astype(np.complex64)
    return result


class Spectrum:
    """The spectrum of a whitened plane, with the picture's centre as origin."""

    def __init__(self, white: Plane) -> None:
        """Take the middle 960 pixels of a plane and transform them once."""
        cv2 = opencv()
        height, width = white.shape
        top, left = max(0, (height - _LIMIT_PX) // 2), max(0, (width - _LIMIT_PX) // 2)
        part = white[top : height - top, left : width - left][:_LIMIT_PX, :_LIMIT_PX]
        rows, columns = part.shape
        tapered = part * _taper(rows)[:, None] * _taper(columns)[None]
        # The centre of the picture, half pixels included, is the origin: whole pixels by the quadrants' places here,
        # the half ones by `_half`.
        y, x = rows // 2, columns // 2
        field = np.zeros((_SIZE, _SIZE), np.float32)
        field[: rows - y, : columns - x] = tapered[y:, x:]
        field[_SIZE - y :, : columns - x] = tapered[:y, x:]
        field[: rows - y, _SIZE - x :] = tapered[y:, :x]
        field[_SIZE - y :, _SIZE - x :] = tapered[:y, :x]
        self._half = ((width - 1) / 2 - (left + x), (height - 1) / 2 - (top + y))
        packed = cv2.dft(field)
        # Columns 1 to 511 are pairs of real and imaginary parts; column 0 (no horizontal change) holds no pilot.
        self._values = np.zeros((_SIZE, _COLUMNS), np.complex64)
        self._values[:, 1:] = packed[:, 1 : 2 * _COLUMNS - 1].view(np.complex64)
        power = np.abs(np.roll(self._values, _SIZE // 2, axis=0)) ** 2
        background = cv2.blur(power, (_BACKGROUND_BINS, _BACKGROUND_BINS))
        flat = cv2.GaussianBlur(power / (background + 1e-9), (0, 0), _SMOOTH_BINS)
        self.peaks: Plane = np.minimum(flat, _PEAK_LIMIT)

    def at(self, frequencies: NDArray[np.float64]) -> Complex:
        """Complex values at frequencies (x, y) in cycles per pixel: (..., 2) to (...)."""
        mirrored = frequencies[..., 0] < 0
        turned = np.where(mirrored[..., None], -frequencies, frequencies) * _SIZE
        x = np.clip(turned[..., 0], 0, _COLUMNS - 2)
        y = np.clip(turned[..., 1], -_SIZE / 2 + 1, _SIZE / 2 - 2)
        column, row = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
        right, down = (x - column).astype(np.float32), (y - row).astype(np.float32)
        above, below = row % _SIZE, (row + 1) % _SIZE
        values = self._values
        upper = values[above, column] * (1 - right) + values[above, column + 1] * right
        lower = values[below, column] * (1 - right) + values[below, column + 1] * right
        value = upper * (1 - down) + lower * down
        value = value * np.exp(2j * np.pi / _SIZE * (turned[..., 0] * self._half[0] + turned[..., 1] * self._half[1]))
        result: Complex = np.where(mirrored, np.conj(value), value).astype(np.complex64)
        return result

    def peak_at(self, frequencies: NDArray[np.float64]) -> Plane:
        """Heights of the flattened power spectrum at frequencies (x, y): (..., 2) to (...)."""
        turned = np.where(frequencies[..., :1] < 0, -frequencies, frequencies) * _SIZE
        column = np.minimum(np.rint(turned[..., 0]), _COLUMNS - 1).astype(np.intp)
        row = np.clip(np.rint(turned[..., 1]) + _SIZE // 2, 0, _SIZE - 1).astype(np.intp)
        result: Plane = self.peaks[row, column]
        return result


def _taper(length: int) -> NDArray[np.float32]:
    edge = np.minimum(np.arange(length) + 1, np.arange(length, 0, -1))
    return np.minimum(1.0, edge / _TAPER_PX).astype(np.float32)


@lru_cache(maxsize=1)
def _polar_grid() -> tuple[NDArray[np.float32], NDArray[np.float32], float, int]:
    """Columns and rows of the log-polar samples, the logarithm of the first radius, and how many scales there are."""
    scales = int(np.log(SCALES[1] / SCALES[0]) / _STEP)
    first = float(np.log(0.06 / SCALES[1]))
    count = int((np.log(0.166 / SCALES[0]) - first) / _STEP) + 2
    radii = np.exp(first + _STEP * np.arange(count)) * _SIZE
    angles = np.pi * np.arange(_ANGLES) / _ANGLES - np.pi / 2
    x = np.outer(radii, np.cos(angles)).astype(np.float32)
    y = (np.outer(radii, np.sin(angles)) + _SIZE / 2).astype(np.float32)
    return x, y, first, scales


def _maxima(scores: Plane, count: int) -> list[tuple[int, int, float]]:
    """Row, column and height of the highest local maxima."""
    cv2 = opencv()
    window = np.ones((2 * _APART + 1, 2 * _APART + 1), np.uint8)
    rows, columns = np.nonzero(scores >= cv2.dilate(scores, window))
    order = np.argsort(-scores[rows, columns], kind="stable")[:count]
    return [(int(rows[k]), int(columns[k]), float(scores[rows[k], columns[k]])) for k in order]


def similarities(spectrum: Spectrum, keyed: Pattern, count: int) -> list[Matrix]:
    """The likeliest scales, rotations and mirrorings, best first. Rotations are known up to a half turn."""
    x, y, first, scales = _polar_grid()
    samples = opencv().remap(spectrum.peaks, x, y, opencv().INTER_LINEAR)
    # Whole numbers: forty of the highest peaks fit into 16 bits, and are added in a quarter of the time.
    whole = np.rint(samples * np.float32(_PEAK_STEPS)).astype(np.uint16)
    around = np.concatenate([whole, whole], axis=1)
    frequencies = keyed.pilot_frequencies
    rows = np.rint((np.log(np.hypot(*frequencies.T)) - np.log(SCALES[0]) - first) / _STEP).astype(int)
    angles = np.arctan2(frequencies[:, 1], frequencies[:, 0])
    found: list[tuple[float, Matrix]] = []
    for mirror in (1.0, -1.0):
        turns = np.rint((mirror * angles / np.pi + 0.5) * _ANGLES).astype(int) % _ANGLES
        total = np.zeros((scales, _ANGLES), np.uint16)
        for row, turn in zip(rows, turns, strict=True):
            total += around[row - scales + 1 : row + 1, turn : turn + _ANGLES]
        for row, column, height in _maxima(total.astype(np.float32), count):
            scale = SCALES[0] * np.exp(_STEP * (scales - 1 - row))
            # The samples begin at -90 degrees, and so did the pilots' own angles.
            angle = np.pi * column / _ANGLES
            turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            found.append((height, scale * turned @ np.diag([1.0, mirror])))
    found.sort(key=lambda entry: -entry[0])
    return [matrix for _, matrix in found[:count]]


def upright(spectrum: Spectrum, keyed: Pattern, count: int) -> list[Matrix]:
    """The likeliest scales of a picture that is neither turned nor mirrored, best first."""
    scales = _polar_grid()[3]
    sizes = SCALES[0] * np.exp(_STEP * np.arange(scales))
    heights = spectrum.peak_at(keyed.pilot_frequencies / sizes[:, None, None]).sum(1)
    around = opencv().dilate(heights[:, None], np.ones((2 * _APART + 1, 1), np.uint8))[:, 0]
    places = np.nonzero(heights >= around)[0]
    best = places[np.argsort(-heights[places], kind="stable")[:count]]
    return [sizes[place] * np.eye(2) for place in best]


def shapes(spectrum: Spectrum, keyed: Pattern, count: int) -> list[Matrix]:
    """The likeliest pairs of unequal scales along the two axes, unrotated, best first."""
    cv2 = opencv()
    lowest = float(keyed.pilot_frequencies[:, 0].min())
    low, high = np.log(SCALES[0]) - SHAPES / 2, np.log(SCALES[1]) + SHAPES / 2
    frequencies = np.abs(keyed.pilot_frequencies)
    first = float(np.log(min(lowest, frequencies.min()))) - high
    steps = int((np.log(0.166) - low - first) / _STEP) + 2
    axis = np.exp(first + _STEP * np.arange(steps)) * _SIZE
    across, down = np.meshgrid(axis.astype(np.float32), axis.astype(np.float32))
    sides = {sign: cv2.remap(spectrum.peaks, across, _SIZE / 2 + sign * down, cv2.INTER_LINEAR) for sign in (1, -1)}
    signs = np.sign(keyed.pilot_frequencies[:, 0] * keyed.pilot_frequencies[:, 1]).astype(int)
    places = np.rint((np.log(frequencies) - first - low) / _STEP).astype(int)
    # Only pairs whose ratio is small are wanted: a band along the diagonal, walked as mean scale and ratio.
    count_scales, reach = int((high - low) / _STEP), int(SHAPES / _STEP)
    total = np.zeros((count_scales, count_scales), np.float32)
    for (column, row), sign in zip(places, signs, strict=True):
        total += sides[sign][row - count_scales + 1 : row + 1, column - count_scales + 1 : column + 1]
    offsets = np.arange(count_scales)
    ratio = np.abs(offsets[:, None] - offsets[None])
    total[(ratio > reach) | (ratio < 2)] = 0
    found = []
    for row, column, _ in _maxima(total, count):
        y = np.exp(low + _STEP * (count_scales - 1 - row))
        x = np.exp(low + _STEP * (count_scales - 1 - column))
        found.append(np.diag([x, y]))
    return found


def leaning(spectrum: Spectrum, keyed: Pattern, matrices: list[Matrix]) -> list[Matrix]:
    """Each transform with the stretch and the shear that fit its pilots' peaks best: what perspective does at first."""
    found = []
    for matrix in matrices:
        best = matrix
        for reach, step in ((_LEAN_STEPS, _LEAN), (1, _LEAN / 3)):
            lean, turn = np.arange(-reach, reach + 1) * step, np.arange(-1, 2) * step / 2
            weights = np.stack(np.meshgrid(turn, turn, lean, lean, indexing="ij"), -1).reshape(-1, 4)
            changed = (np.eye(2) + np.tensordot(weights, _BASIS, 1)) @ best
            best = changed[int(np.argmax(spectrum.peak_at(observed(changed, keyed)).sum(-1)))]
        found.append(best)
    return found


def observed(matrices: Matrix, keyed: Pattern) -> NDArray[np.float64]:
    """Where the pilots' frequencies come to lie under transforms (..., 2, 2): (..., 40, 2)."""
    result: NDArray[np.float64] = keyed.pilot_frequencies @ np.linalg.inv(matrices)
    return result


def judge(spectrum: Spectrum, keyed: Pattern, matrices: list[Matrix], *, turned: bool = True) -> list[Sync]:
    """Fit each transform with a set and a shift: one Sync each, in the order given.

    turned: try its half-turned twin as well.
    """
    stack = np.stack(matrices)
    values = normalised(spectrum.at(observed(stack, keyed)))
    both = np.stack([values, np.conj(values)], 1)
    twins = (0, 1) if turned else (0,)
    return [
        max((_best_shift(both[index, twin], keyed, matrix * (1 - 2 * twin)) for twin in twins), key=lambda s: s.z)
        for index, matrix in enumerate(stack)
    ]


def _best_shift(values: Complex, keyed: Pattern, matrix: Matrix) -> Sync:
    """The set and shift that fit pilot values best, to half a pixel."""
    fits = values[None] * np.conj(keyed.pilot_phases)
    # sum over pilots of Re(fit · exp(-2πi f·t)), all t of a coarse grid at once; pilots lie in columns 2 to 20.
    half = np.zeros((SETS, _SURFACE, _SURFACE // 2 + 1), np.complex64)
    rows = keyed.pilot_bins[:, 0] % TILE_PX
    rows = np.where(rows > TILE_PX // 2, rows - TILE_PX, rows) % _SURFACE
    half[:, rows, keyed.pilot_bins[:, 1]] = np.conj(fits)
    surface = np.fft.irfft2(half, axes=(1, 2))
    flat = surface.reshape(-1)
    best = np.argpartition(flat, -_PEAKS)[-_PEAKS:]
    chosen, position = np.divmod(best, _SURFACE * _SURFACE)
    coarse = np.stack([position % _SURFACE, position // _SURFACE], 1) * (TILE_PX / _SURFACE)
    totals, shifts = _finer(fits[chosen], keyed, coarse, 0.5)
    first = int(np.argmax(totals))
    noise = np.sqrt(np.sum(np.abs(values) ** 2) / 2) + 1e-9
    shift = (float(shifts[first, 0]), float(shifts[first, 1]))
    return Sync(matrix, shift, int(chosen[first]), float(totals[first] / noise))


def _finer(
    fits: Complex, keyed: Pattern, shifts: NDArray[np.float64], step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best of 25 shifts about each, in steps of `step` pixels: totals (N,) and shifts (N, 2)."""
    steer, moves = _steering(keyed, step, 2)
    totals = ((fits * np.exp(-2j * np.pi * shifts @ keyed.pilot_frequencies.T)) @ steer.T).real
    best = np.argmax(totals, 1)
    return totals[np.arange(len(best)), best], shifts + moves[best]


@lru_cache(maxsize=24)
def _steering(keyed: Pattern, step: float, reach: int) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """The pilots' turns under a square of small shifts: (M, 40), and the shifts (M, 2)."""
    line = step * np.arange(-reach, reach + 1)
    x, y = np.meshgrid(line, line)
    moves = np.stack([x.ravel(), y.ravel()], 1)
    return np.exp(-2j * np.pi * moves @ keyed.pilot_frequencies.T), moves


def track(white: Plane, keyed: Pattern, chosen: int, *, reach_px: int) -> Matrix | None:
    """How a canonical view is bent: the 3 x 3 map from where the pattern should lie to where it lies.

    The pilots are followed in windows of two by two tiles, up to reach_px from their places; a projective map through
    most of them is the answer, None when too few agree.
    """
    cv2 = opencv()
    rows, columns = white.shape[0] // TILE_PX, white.shape[1] // TILE_PX
    if rows < 2 or columns < 2:
        return None
    tiles = white[: rows * TILE_PX, : columns * TILE_PX].reshape(rows, TILE_PX, columns, TILE_PX).swapaxes(1, 2)
    lines = np.fft.fft2(tiles)[..., keyed.pilot_bins[:, 0], keyed.pilot_bins[:, 1]]
    windows = lines[:-1, :-1] + lines[1:, :-1] + lines[:-1, 1:] + lines[1:, 1:]
    fits = normalised(windows.reshape(-1, len(keyed.pilot_bins))) * np.conj(keyed.pilot_phases[chosen])
    # A window that shows the pattern moved by d has its pilots turned by exp(-2πi f·d): the shift found is -d.
    steer, moves = _steering(keyed, 1.0, reach_px)
    start = moves[np.argmax((fits @ steer.T).real, 1)]
    totals, shifts = _finer(fits, keyed, start, 0.3)
    heights = totals / (np.sqrt(np.sum(np.abs(fits) ** 2, 1) / 2) + 1e-9)
    down, across = np.divmod(np.arange(len(fits)), columns - 1)
    places = np.stack([across + 1.0, down + 1.0], 1) * TILE_PX
    sure = heights > _WINDOW_Z
    if int(sure.sum()) < _WINDOWS:
        return None
    # The pattern point of a place lies at the place minus the shift found.
    bend, kept = cv2.findHomography(places[sure], places[sure] - shifts[sure], cv2.RANSAC, _WINDOW_PX)
    if bend is None or int(kept.sum()) < _WINDOWS:
        return None
    result: Matrix = bend
    return result


@lru_cache(maxsize=1)
def _nudges() -> Matrix:
    """Small changes of a transform in four directions each way and in pairs of them: (N, 2, 2)."""
    weights = [np.zeros(4)]
    for first in range(4):
        for sign in (1, -1):
            weights.append(sign * np.eye(4)[first])
            weights.extend(
                sign * np.eye(4)[first] + other * np.eye(4)[second] for second in range(first) for other in (1, -1)
            )
    return np.tensordot(np.array(weights), _BASIS, 1)


def refine(spectrum: Spectrum, keyed: Pattern, start: Sync) -> Sync:
    """The best affine map near a Sync."""
    best = start
    conjugates = np.conj(keyed.pilot_phases[start.chosen])
    steer, moves = _steering(keyed, 0.4, 2)
    step = 0.004
    while step > 0.0003:
        matrices = (np.eye(2) + step * _nudges()) @ best.matrix
        fits = normalised(spectrum.at(observed(matrices, keyed))) * conjugates
        turned = fits * np.exp(-2j * np.pi * np.array(best.shift) @ keyed.pilot_frequencies.T)
        totals = (turned @ steer.T).real
        totals /= np.sqrt(np.sum(np.abs(fits) ** 2, 1, keepdims=True) / 2) + 1e-9
        row, column = divmod(int(np.argmax(totals)), totals.shape[1])
        if totals[row, column] <= best.z + 1e-4:
            step *= 0.5
            continue
        shift = (best.shift[0] + float(moves[column, 0]), best.shift[1] + float(moves[column, 1]))
        best = Sync(matrices[row], shift, start.chosen, float(totals[row, column]))
    return best


def chunks(matrices: list[Matrix], size: int) -> Iterator[list[Matrix]]:
    """A list in pieces, so that a search can stop early."""
    for begin in range(0, len(matrices), size):
        yield matrices[begin : begin + size]
