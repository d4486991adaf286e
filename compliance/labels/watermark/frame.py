"""The canonical frame: the size, the brightness and the whitening in which the watermark is written and read.

A picture is brought to a shorter side of 512 pixels, so that the pattern does not depend on the picture's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.lettering import opencv
from compliance.labels.watermark.code import CODED_BITS, Soft
from compliance.labels.watermark.pattern import BAND, TILE_PX, Complex, Pattern
from compliance.media import Pixels

Plane = NDArray[np.float32]

CANONICAL_PX: Final = 512
# A very long picture is made coarser than 512 so that its longer side stays within this.
LONGEST_PX: Final = 4096
# ITU-R BT.601 weights of red, green and blue in luma.
LUMA: Final = np.array([0.299, 0.587, 0.114])

_BACKGROUND_SIGMA_PX = 7.0
_EDGE_WINDOW_PX, _EDGE_LEVELS, _EDGE_SIGMA_PX = 9, 12.0, 5.0
_VARIANCE_BOX_PX = 9
# Local contrast is brought to its power of 0.6; the floor keeps flat areas from being blown up.
_CONTRAST_POWER, _VARIANCE_FLOOR = 0.6, 2.0
_CLIP_SIGMA = 3.0
_RINGS = 8
_RING_KERNEL = 0.02
_RING_GAIN_FLOOR = 0.08
_NOISE_BINS, _OUTLIER = 2.0, 1.6
# A multiple of the 8 rows of a block.
_STRIP_PX = 64


def luma(pixels: Pixels) -> Plane:
    """Luma of sRGB pixels, 0 to 255: float32, (height, width)."""
    grey: Plane = opencv().cvtColor(np.ascontiguousarray(pixels), opencv().COLOR_RGB2GRAY).astype(np.float32)
    return grey


def canonical_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of a picture's canonical frame, in pixels."""
    factor = min(CANONICAL_PX / min(height, width), LONGEST_PX / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


def resized(plane: Plane, height: int, width: int) -> Plane:
    """A plane at another size: averaged when it shrinks, bicubic when it grows."""
    cv2 = opencv()
    if plane.shape == (height, width):
        return plane
    shrinks = height * width < plane.shape[0] * plane.shape[1]
    result: Plane = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return result


def blurred(plane: Plane, sigma_px: float) -> Plane:
    """A wide Gaussian blur with mirrored borders, taken at half the size: what is left has nothing finer."""
    cv2 = opencv()
    height, width = plane.shape
    small = cv2.resize(plane, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / 2, borderType=cv2.BORDER_REFLECT)
    result: Plane = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return result


def detail(plane: Plane) -> Plane:
    """What a plane has above its blurred background."""
    return plane - blurred(plane, _BACKGROUND_SIGMA_PX)


def whitened(plane: Plane) -> Plane:
    """The signal that the reader correlates: what an edge-keeping blur leaves, with evened-out contrast, peaks clipped.

    A blur that stops at edges (Tomasi and Manduchi 1998) takes letters and outlines into the background; an ordinary
    one would leave them in the signal as noise a hundred times as strong as the mark.
    """
    cv2 = opencv()
    levels = cv2.convertScaleAbs(np.maximum(plane, 0))
    blur = cv2.bilateralFilter(levels, _EDGE_WINDOW_PX, _EDGE_LEVELS, _EDGE_SIGMA_PX)
    fine: Plane = cv2.subtract(plane, blur, dtype=cv2.CV_32F)
    box = (_VARIANCE_BOX_PX, _VARIANCE_BOX_PX)
    variance = cv2.boxFilter(cv2.multiply(fine, fine), -1, box, borderType=cv2.BORDER_REFLECT)
    variance = cv2.boxFilter(variance, -1, box, borderType=cv2.BORDER_REFLECT)
    variance += np.float32(_VARIANCE_FLOOR)
    limit = np.sqrt(variance)
    limit *= np.float32(_CLIP_SIGMA)
    np.minimum(fine, limit, out=fine)
    np.maximum(fine, np.negative(limit, out=limit), out=fine)
    fine *= np.power(variance, np.float32(_CONTRAST_POWER / 2 - 1), out=variance)
    return fine


def folded(plane: Plane) -> Plane:
    """All tiles of a plane laid on one another: float32, (128, 128)."""
    height, width = plane.shape
    rows, columns = -(-height // TILE_PX), -(-width // TILE_PX)
    padded = np.zeros((rows * TILE_PX, columns * TILE_PX), np.float32)
    padded[:height, :width] = plane
    result: Plane = padded.reshape(rows, TILE_PX, columns, TILE_PX).sum((0, 2))
    return result


def tile_spectrum(white: Plane) -> Complex:
    """The spectrum of the folded tile: complex64, (128, 128)."""
    spectrum: Complex = np.fft.fft2(folded(white)).astype(np.complex64)
    return spectrum


def soft_bits(spectrum: Complex, keyed: Pattern, chosen: int) -> Soft:
    """Soft coded bits of an aligned tile spectrum: float32, (528,), positive for +1.

    Rings of like frequency are weighted as in maximum-ratio combining: by the gain that the pilots near the ring still
    show, over the power found in it.
    """
    cv2 = opencv()
    power = np.fft.fftshift(np.abs(spectrum) ** 2)
    nearby = np.fft.ifftshift(cv2.GaussianBlur(power, (0, 0), _NOISE_BINS)) + np.float32(1e-9)
    values = spectrum[keyed.payload_bins[:, 0], keyed.payload_bins[:, 1]]
    noise = nearby[keyed.payload_bins[:, 0], keyed.payload_bins[:, 1]]
    values = values * np.minimum(1.0, _OUTLIER * np.sqrt(noise) / (np.abs(values) + 1e-9))
    ring = np.minimum(((keyed.payload_radii - BAND[0]) / (BAND[1] - BAND[0]) * _RINGS).astype(int), _RINGS - 1)
    pilots = spectrum[keyed.pilot_bins[:, 0], keyed.pilot_bins[:, 1]] * np.conj(keyed.pilot_phases[chosen])
    centres = BAND[0] + (np.arange(_RINGS) + 0.5) * (BAND[1] - BAND[0]) / _RINGS
    distance = (centres[:, None] - np.hypot(*keyed.pilot_frequencies.T)[None]) / _RING_KERNEL
    kernel = np.exp(-0.5 * distance**2)
    gain = (kernel @ pilots.real) / kernel.sum(1)
    weight = np.clip(gain / max(float(gain.max()), 1e-9), _RING_GAIN_FLOOR, 1.0)[ring] / noise
    weighted = values * weight
    parts = np.concatenate([weighted.real, weighted.imag]) * keyed.signs[chosen]
    soft: Soft = np.bincount(keyed.bits, parts, CODED_BITS).astype(np.float32)
    return soft


@dataclass(frozen=True, slots=True)
class Jpeg:
    """Baseline JPEG's effect on luma, without the file: block DCT, quantisation, rounding.

    quality: 1 to 100, scaled as libjpeg scales the table of ITU-T T.81 Annex K.1.
    """

    quality: int

    def __call__(self, plane: Plane) -> Plane:
        """The plane as it would come back, clipped to 0 to 255 and whole numbers."""
        scale = 5000 / self.quality if self.quality < 50 else 200 - 2 * self.quality
        table = np.clip(np.floor((_QUANTISER * scale + 50) / 100), 1, 255).astype(np.float32)
        result = np.empty(plane.shape, np.float32)
        # Strip by strip: what is worked on stays in the cache.
        for start in range(0, len(plane), _STRIP_PX):
            strip = plane[start : start + _STRIP_PX]
            result[start : start + _STRIP_PX] = _compressed(strip, table)
        return result


def _compressed(plane: Plane, table: NDArray[np.float32]) -> Plane:
    height, width = plane.shape
    padded = np.rint(plane)
    padded -= np.float32(128.0)
    if height % 8 or width % 8:
        padded = np.pad(padded, ((0, -height % 8), (0, -width % 8)), mode="edge")
    tall, wide = padded.shape
    # Rows of blocks first, then columns: (tall/8, 8, wide) and (tall, wide/8, 8).
    rows = np.matmul(_DCT, padded.reshape(tall // 8, 8, wide)).reshape(-1, 8) @ _DCT.T
    steps = np.tile(table[:, None, :], (1, wide // 8, 1)).reshape(1, -1, 8)
    cells = rows.reshape(tall // 8, -1, 8)
    cells /= steps
    np.rint(cells, out=cells)
    cells *= steps
    back = np.matmul(_DCT.T, (cells.reshape(-1, 8) @ _DCT).reshape(tall // 8, 8, wide)).reshape(tall, wide)
    back += np.float32(128.0)
    result: Plane = np.clip(np.rint(back, out=back), 0, 255, out=back)[:height, :width]
    return result


_DCT = np.array(
    [[np.sqrt((1 if k == 0 else 2) / 8) * np.cos(np.pi * (2 * n + 1) * k / 16) for n in range(8)] for k in range(8)],
    np.float32,
)
_QUANTISER = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
