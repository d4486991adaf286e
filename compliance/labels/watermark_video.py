"""The invisible mark in video: the picture mark's tile in the luma of every frame, read from many frames laid together.

`FrameMarker` is fast because what the eye forgives is worked out every few frames only, at a quarter of the size, and
each frame then takes two saturating additions. `FrameFold` adds up whitened frames: what moves averages out, the mark
stays, so that it is read where no single frame would give it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.lettering import opencv
from compliance.labels.watermark.code import CODED_BITS, encode
from compliance.labels.watermark.detect import SMALLEST_PX, Effort, read, read_white
from compliance.labels.watermark.frame import Plane, canonical_size, resized, whitened
from compliance.labels.watermark.pattern import PILOTS, TILE_PX, pattern, pilot_set
from compliance.labels.watermark_image import DETECTOR_KEY

Luma = NDArray[np.uint8]

# A frame's eye mask serves this many frames, or until the picture changes by so many levels in the mean.
_MASK_FRAMES, _CUT_LEVELS = 5, 8.0
_PROBE_STEP, _PROBE_PX = 4, (32, 18)
# The mask is worked out at a shorter side of about so many pixels.
_MASK_PX, _MASK_SHARE = 240, 0.75
_STRIP_PX = 32
# As for pictures (compliance.labels.watermark.embed), but quieter on a flat ground: what moves hides less of it.
_FLAT_LEVELS, _CONTRAST_SHARE, _FLAT_LIMIT = 0.95, 0.23, 1.1
_PILOT_SHARE = 0.24
_BACKGROUND_PX, _VARIANCE_PX, _ERODE_PX = 9, 7, 3
_LOUDEST_LEVELS = 12

# Folds are read when so many frames have come in.
_READ_AT: Final = (1, 2, 6, 12, 24, 48)
FOLD_FRAMES: Final = _READ_AT[-1]


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud the mark is: levels (RMS, before the eye's cap) and a factor on that cap."""

    rms_levels: float
    cap: float


LADDER: Final = (Loudness(2.3, 1.15), Loudness(3.6, 1.7))
"""From quiet to loud; a film whose mark is not read back from its own bytes is made again with the next."""


@dataclass(frozen=True, slots=True)
class FilmMark:
    """What was read from a film. ident counts only when found; z: height of the pilots over chance; frames: read."""

    found: bool
    ident: int
    z: float
    error_rate: float
    frames: int
    stage: str


class FrameMarker:
    """Marks the frames of one film, in their order, in place."""

    def __init__(self, height: int, width: int, ident: int, loudness: Loudness, key: bytes = DETECTOR_KEY) -> None:
        cv2 = opencv()
        keyed = pattern(key)
        tile = keyed.tile(
            pilot_set(ident, key),
            encode(ident),
            np.ones(CODED_BITS, np.float32),
            np.ones(PILOTS, np.float32),
            pilot_share=_PILOT_SHARE,
            tilt=0.1,
        )
        high, wide = canonical_size(height, width)
        field = np.tile(tile, (-(-high // TILE_PX), -(-wide // TILE_PX)))[:high, :wide]
        grows = height * width >= high * wide
        self._size = width, height
        self._field: Plane = cv2.resize(field, self._size, interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)
        self._loudness = loudness
        self._more: Luma = np.zeros((height, width), np.uint8)
        self._less: Luma = np.zeros((height, width), np.uint8)
        self._probe: Luma | None = None
        self._age = 0

    def mark(self, luma: Luma) -> None:
        """Add the mark to a frame's luma: uint8, (height, width), changed in place."""
        cv2 = opencv()
        probe = cv2.resize(luma[::_PROBE_STEP, ::_PROBE_STEP], _PROBE_PX, interpolation=cv2.INTER_AREA)
        if (
            self._probe is None
            or self._age >= _MASK_FRAMES
            or cv2.norm(probe, self._probe, cv2.NORM_L1) > _CUT_LEVELS * probe.size
        ):
            self._work_out(luma)
            self._probe, self._age = probe, 0
        self._age += 1
        cv2.add(luma, self._more, dst=luma)
        cv2.subtract(luma, self._less, dst=luma)

    def _work_out(self, luma: Luma) -> None:
        """What is added to and taken from the next frames, in whole levels: half of one would be lost anyway."""
        cv2 = opencv()
        amplitude = cv2.resize(self._amplitude(luma), self._size, interpolation=cv2.INTER_LINEAR)
        # Strip by strip: what is worked on stays in the cache.
        for start in range(0, len(amplitude), _STRIP_PX):
            strip = slice(start, start + _STRIP_PX)
            change = cv2.multiply(amplitude[strip], self._field[strip])
            cv2.convertScaleAbs(np.maximum(change, 0), dst=self._more[strip])
            cv2.convertScaleAbs(np.minimum(change, 0), dst=self._less[strip])

    def _amplitude(self, luma: Luma) -> Plane:
        """How much the eye forgives, at the mask's size: float32, levels (Chou and Li 1995, as in pictures)."""
        cv2 = opencv()
        height, width = luma.shape
        # Reduced by a whole number, which is quick; the rest of the way where it leaves much of one.
        step = max(1, min(height, width) // _MASK_PX)
        size = width // step, height // step
        small = cv2.resize(luma[: size[1] * step, : size[0] * step], size, interpolation=cv2.INTER_AREA)
        rest = _MASK_PX / min(size)
        if rest < _MASK_SHARE:
            small = cv2.resize(small, None, fx=rest, fy=rest, interpolation=cv2.INTER_AREA)
        small = small.astype(np.float32)
        ground = cv2.boxFilter(small, -1, (_BACKGROUND_PX, _BACKGROUND_PX), borderType=cv2.BORDER_REFLECT)
        fine = small - ground
        variance = cv2.boxFilter(fine * fine, -1, (_VARIANCE_PX, _VARIANCE_PX), borderType=cv2.BORDER_REFLECT)
        # Eroded, so that the flat ground beside an outline counts as flat.
        variance = cv2.erode(variance, np.ones((_ERODE_PX, _ERODE_PX), np.uint8))
        light = np.sqrt(np.clip(ground / 110.0, 0.2, 1.0)) * (1.0 + 0.4 * np.clip((ground - 200) / 55, 0, 1))
        loud = (variance + 16.0) ** 0.3 * light
        loud *= self._loudness.rms_levels / np.sqrt(np.mean(loud * loud))
        cap = light * (
            _FLAT_LEVELS * min(self._loudness.cap, _FLAT_LIMIT)
            + _CONTRAST_SHARE * self._loudness.cap * np.sqrt(variance)
        )
        amplitude: Plane = np.minimum(np.minimum(loud, cap), _LOUDEST_LEVELS).astype(np.float32)
        return amplitude


class FrameFold:
    """Lays whitened frames of one film together until the mark can be read."""

    def __init__(self, key: bytes = DETECTOR_KEY) -> None:
        self._key = key
        self._sum: Plane | None = None
        # Frames that stand for themselves alone: at low rates the others hold blurred and shifted copies of their mark.
        self._key_sum: Plane | None = None
        self._keys = 0
        self._shape = (0, 0)
        self._frames = 0
        self._best = FilmMark(False, 0, 0.0, 0.5, 0, "no frames")

    @property
    def is_done(self) -> bool:
        """Whether more frames would change nothing."""
        return self._best.found or self._frames >= FOLD_FRAMES

    def add(self, luma: Luma, *, is_key: bool = False) -> None:
        """Take in one frame: uint8, (height, width); frames of another size than the first are left out.

        is_key: it was stored without reference to others.
        """
        if self.is_done or min(luma.shape) < SMALLEST_PX:
            return
        if self._sum is None:
            self._shape = luma.shape
        if luma.shape != self._shape:
            return
        white = whitened(resized(luma.astype(np.float32), *canonical_size(*luma.shape)))
        self._sum = white if self._sum is None else self._sum + white
        self._frames += 1
        if is_key:
            self._key_sum = white if self._key_sum is None else self._key_sum + white
            self._keys += 1
        if self._frames in _READ_AT:
            self._read("straight")

    def finish(self, effort: Effort = "straight") -> FilmMark:
        """What the frames say. effort: as for pictures; a film that was cropped or turned needs more than straight."""
        if self._sum is None or self._best.found:
            return self._best
        self._read("straight")
        if not self._best.found and effort != "straight":
            # As a picture of their mean, which the search may scale and turn.
            spread = float(self._sum.std()) or 1.0
            plane = np.clip(128.0 + self._sum * np.float32(12.0 / spread), 0, 255)
            reading = read(plane, self._key, effort)
            if reading.decoded is not None:
                self._best = FilmMark(
                    True, reading.decoded.ident, reading.z, reading.decoded.error_rate, self._frames, reading.stage
                )
        return self._best

    def _read(self, stage: str) -> None:
        assert self._sum is not None
        reading = read_white(self._sum, self._key)
        if reading.decoded is None and self._key_sum is not None and 0 < self._keys < self._frames:
            reading = read_white(self._key_sum, self._key)
        if reading.decoded is not None:
            self._best = FilmMark(
                True, reading.decoded.ident, reading.z, reading.decoded.error_rate, self._frames, stage
            )
        elif reading.z >= self._best.z:
            self._best = FilmMark(False, 0, reading.z, 0.5, self._frames, stage)
