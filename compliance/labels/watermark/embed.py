"""Writing the watermark: what the eye forgives decides how loud, what JPEG takes decides where.

All of the work is done on luma in the canonical frame; only the finished change is brought to the picture's own size.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compliance.labels.lettering import opencv
from compliance.labels.watermark.code import CODED_BITS, Soft, encode
from compliance.labels.watermark.frame import (
    LUMA,
    Jpeg,
    Plane,
    blurred,
    canonical_size,
    detail,
    resized,
    soft_bits,
    tile_spectrum,
    whitened,
)
from compliance.labels.watermark.pattern import PILOTS, TILE_PX, pattern, pilot_set
from compliance.media import Pixels

# The share of the change that follows luma's own weights instead of grey: a little chroma, less error for as much luma.
_CHROMA_SHARE = 0.4
# Just noticeable difference: this many levels on a flat ground, and this share of the local contrast above it.
_FLAT_LEVELS, _CONTRAST_SHARE = 1.05, 0.22
# However loud the rest must be, an empty sky is not mottled further than this factor.
_FLAT_LIMIT = 1.25
_WHITE_GAIN = 0.4
_LOOP_QUALITY = 60
# How far a round of the loop goes towards what is missing.
_BIT_STEP, _PILOT_STEP = 0.8, 0.65
# Strips of so many rows stay in the cache.
_STRIP_PX = 16


@dataclass(frozen=True, slots=True)
class Strength:
    """How loud a mark is.

    rms_levels: of the change, before the eye's cap; cap: factor on that cap; pilot_share: the pilots' part of the
    energy; tilt: amplitudes fall with frequency to this power; rounds: of the closed loop.
    """

    rms_levels: float
    cap: float
    pilot_share: float
    tilt: float = 0.0
    rounds: int = 2


class Host:
    """A picture to be marked: its canonical luma and what the eye forgives in it, worked out once."""

    def __init__(self, plane: Plane, ident: int, key: bytes) -> None:
        """plane: luma of the whole picture."""
        self.shape = plane.shape
        self.frame = resized(plane, *canonical_size(*plane.shape))
        self._keyed = pattern(key)
        self._chosen = pilot_set(ident, key)
        self._coded = encode(ident)
        # Eroded, so that the flat ground beside an outline counts as flat: only there is texture to hide in.
        variance = opencv().erode(np.maximum(blurred(detail(self.frame) ** 2, 3.0), 0), np.ones((7, 7), np.uint8))
        # A level shows most on middle greys; on paper white the threshold is about twice as high (Chou and Li 1995).
        ground = blurred(self.frame, 4.0)
        light = np.clip(ground / 110.0, 0.45, 1.0) ** 0.4 * (1.0 + _WHITE_GAIN * np.clip((ground - 200) / 55, 0, 1))
        loudness = (variance + 16.0) ** 0.3 * light
        self._mask = (loudness / np.sqrt(np.mean(loudness**2))).astype(np.float32)
        self._flat = (light * _FLAT_LEVELS).astype(np.float32)
        self._busy = (light * _CONTRAST_SHARE * np.sqrt(variance)).astype(np.float32)

    def change(self, strength: Strength) -> Plane:
        """The change of luma in the canonical frame, in levels.

        A closed loop: mark, compress, read; the coded bits and pilots that came back weak are made louder.
        """
        keyed, coded = self._keyed, self._coded
        gains: Soft = np.ones(CODED_BITS, np.float32)
        pilot_gains: NDArray[np.float32] = np.ones(PILOTS, np.float32)
        cap = self._flat * np.float32(min(strength.cap, _FLAT_LIMIT)) + self._busy * np.float32(strength.cap)
        amplitude = np.minimum(self._mask * np.float32(strength.rms_levels), cap)
        compress = Jpeg(_LOOP_QUALITY)
        for lap in range(strength.rounds + 1):
            tile = keyed.tile(
                self._chosen, coded, gains, pilot_gains, pilot_share=strength.pilot_share, tilt=strength.tilt
            )
            change = _repeated(tile, *self.frame.shape) * amplitude
            if lap == strength.rounds:
                break
            spectrum = tile_spectrum(whitened(compress(np.clip(self.frame + change, 0, 255))))
            soft = soft_bits(spectrum, keyed, self._chosen) * coded
            gains = np.clip(gains + _BIT_STEP * (1.0 - soft / max(float(soft.mean()), 1e-9)), 0.25, 2.6).astype(
                np.float32
            )
            lines = spectrum[keyed.pilot_bins[:, 0], keyed.pilot_bins[:, 1]] * np.conj(keyed.pilot_phases[self._chosen])
            heard = lines.real / max(float(lines.real.mean()), 1e-9)
            pilot_gains = np.clip(pilot_gains + _PILOT_STEP * (1.0 - heard), 0.3, 2.2).astype(np.float32)
        result: Plane = change
        return result


def _repeated(tile: Plane, height: int, width: int) -> Plane:
    return np.tile(tile, (-(-height // TILE_PX), -(-width // TILE_PX)))[:height, :width]


def direction() -> NDArray[np.float64]:
    """How much red, green and blue change for one level of luma: (3,)."""
    grey, weighted = np.ones(3), LUMA / np.sum(LUMA**2)
    mixed = (1 - _CHROMA_SHARE) * grey + _CHROMA_SHARE * weighted
    result: NDArray[np.float64] = mixed / np.sum(mixed * LUMA)
    return result


def applied(pixels: Pixels, change: Plane) -> Pixels:
    """Pixels with a canonical change of luma, brought to their size: a new array."""
    cv2 = opencv()
    height, width = pixels.shape[:2]
    grows = height * width >= change.shape[0] * change.shape[1]
    wide = cv2.resize(change, (width, height), interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)
    parts = direction().tolist()
    result: Pixels = np.empty((height, width, 3), np.uint8)

    def add(start: int) -> None:
        strip = slice(start, start + _STRIP_PX)
        levels = cv2.merge([cv2.multiply(wide[strip], part) for part in parts])
        cv2.add(np.ascontiguousarray(pixels[strip]), levels, dst=result[strip], dtype=cv2.CV_8U)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(add, range(0, height, _STRIP_PX)))
    return result
