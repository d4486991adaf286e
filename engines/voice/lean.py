"""How one voice is leaned towards another: pitch and mel cepstrum, by their means and spreads.

What changes is the average colour and the tune of a voice, not who speaks; listeners will tell the two apart. The half
mix adds a linear map that is found without parallel sentences by nearest frames (INCA: Erro, Moreno, Bonafonte, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.voice.mel import Floats, band_edges_hz, cosines, mel_bank
from engines.voice.world import BINS, FRAME_MS, RATE_HZ, Parts, active_frames, log_pitch, resized

_BANDS: Final = 40
_CEPSTRA: Final = 25
_LOW_HZ: Final = 60.0
HIGHEST_HZ: Final = 7800.0
_FFT: Final = 2 * (BINS - 1)
_SPREAD_FROM, _SPREAD_TO = 0.7, 1.4
_TUNE_FROM, _TUNE_TO = 0.08, 0.3
_UNVOICED_SHARE = 0.3
_SIZE_BY_PITCH, _SIZES = 0.26, (0.86, 1.16)
_MOST_FRAMES = 2000
_ROUNDS, _RIDGE = 4, 20.0
_LARGEST_LOG_GAIN = 2.3
_WIDEST_TUNE = 2.2


@dataclass(frozen=True, slots=True)
class VoiceShape:
    """What is known of a voice. tune, tune_spread: of the log of pitch; mean, spread: of the mel cepstrum, (25,).

    frames: mel cepstra of speech, (frames, 25); voiced_s: seconds with a pitch; high_hz: top of the bands.
    """

    tune: float
    tune_spread: float
    mean: Floats
    spread: Floats
    frames: Floats
    voiced_s: float
    high_hz: float


def cepstra_of(envelope: Floats, high_hz: float) -> Floats:
    """Mel cepstra of power envelopes: (frames, 25)."""
    bank = mel_bank(RATE_HZ, _FFT, _BANDS, _LOW_HZ, high_hz)
    cepstra: Floats = np.log(envelope @ bank.T + 1e-12) @ cosines(_BANDS, _CEPSTRA)
    return cepstra


def shape_of(pieces: list[Parts], high_hz: float) -> VoiceShape:
    """Measure a voice from pieces of one recording; where there is no voice, voiced_s is 0 and nothing else counts."""
    pitch = np.concatenate([piece.pitch_hz for piece in pieces])
    envelope = np.concatenate([piece.envelope for piece in pieces])
    speech = active_frames(envelope)
    voiced = speech & (pitch > 0)
    voiced_s = float(np.count_nonzero(voiced)) * FRAME_MS / 1000
    if not voiced.any():
        empty = np.zeros(_CEPSTRA)
        return VoiceShape(0.0, 0.0, empty, empty, np.zeros((0, _CEPSTRA)), 0.0, high_hz)
    cepstra = cepstra_of(envelope, high_hz)
    tune, tune_spread = log_pitch(pitch[voiced])
    return VoiceShape(
        tune,
        tune_spread,
        cepstra[voiced].mean(axis=0),
        cepstra[voiced].std(axis=0),
        cepstra[speech],
        voiced_s,
        high_hz,
    )


@dataclass(frozen=True, slots=True)
class Lean:
    """The way from one voice to another. strength: 0 leaves the voice, 1 goes all the way; mix: share of the map.

    size: what formants are moved by before all else; own was measured after that.
    """

    own: VoiceShape
    other: VoiceShape
    strength: float
    mix: float
    size: float = 1.0
    matrix: Floats | None = None
    mapped_mean: Floats | None = None
    mapped_spread: Floats | None = None

    @classmethod
    def between(cls, own: VoiceShape, other: VoiceShape, strength: float, mix: float, size: float = 1.0) -> Lean:
        """Find the way; mix above 0 costs a search for nearest frames."""
        if mix <= 0:
            return cls(own, other, strength, 0.0, size)
        matrix = _inca(_thinned(own.frames), _thinned(other.frames))
        mapped = _widened(own.frames) @ matrix
        return cls(own, other, strength, mix, size, matrix, mapped.mean(axis=0), mapped.std(axis=0))

    def __call__(self, parts: Parts) -> Parts:
        """One block of the own voice, leaned."""
        parts = resized(parts, self.size)
        cepstra = cepstra_of(parts.envelope, self.own.high_hz)
        ratio = np.clip(self.other.spread / np.maximum(self.own.spread, 1e-6), _SPREAD_FROM, _SPREAD_TO)
        goal = (cepstra - self.own.mean) * ratio + self.other.mean
        if self.matrix is not None and self.mapped_mean is not None and self.mapped_spread is not None:
            wide = np.clip(self.other.spread[1:] / np.maximum(self.mapped_spread, 1e-6), _SPREAD_FROM, 1.8)
            mapped = (_widened(cepstra) @ self.matrix - self.mapped_mean) * wide + self.other.mean[1:]
            goal[:, 1:] = (1 - self.mix) * goal[:, 1:] + self.mix * mapped
        change = (goal - cepstra) * self.strength
        # Spreads are those of voiced speech; a hiss stretched by them would begin to thump.
        change[parts.pitch_hz == 0] = (self.other.mean - self.own.mean) * self.strength * _UNVOICED_SHARE
        change[:, 0] = 0.0
        change[~active_frames(parts.envelope) & (parts.pitch_hz > 0)] *= _UNVOICED_SHARE
        gain = np.clip(_log_gain(_smoothed(change), self.own.high_hz), -_LARGEST_LOG_GAIN, _LARGEST_LOG_GAIN)
        return Parts(self._pitch(parts.pitch_hz), parts.envelope * np.exp(gain), parts.breath)

    def _pitch(self, pitch_hz: Floats) -> Floats:
        """The tune of the other voice; spreads are bounded, since a short reference says little about them."""
        voiced = pitch_hz > 0
        logs = np.log(pitch_hz[voiced])
        spread = float(np.clip(self.other.tune_spread, _TUNE_FROM, _TUNE_TO))
        # At the ends of words the pitch is often misread; stretched as it is, it would chirp.
        steps = np.clip((logs - self.own.tune) / max(self.own.tune_spread, 0.02), -_WIDEST_TUNE, _WIDEST_TUNE)
        goal = steps * spread + self.other.tune
        moved = np.zeros_like(pitch_hz)
        moved[voiced] = np.clip(np.exp(logs + (goal - logs) * self.strength), 40.0, 700.0)
        return moved


def _log_gain(change: Floats, high_hz: float) -> Floats:
    """A change of mel cepstra as a log gain over the bins of a spectrum; held beyond the outer bands."""
    bands = change @ cosines(_BANDS, _CEPSTRA).T
    centres = band_edges_hz(_BANDS, _LOW_HZ, high_hz)[1:-1]
    bins = np.arange(BINS) * RATE_HZ / _FFT
    right = np.clip(np.searchsorted(centres, bins), 1, _BANDS - 1)
    share = np.clip((bins - centres[right - 1]) / (centres[right] - centres[right - 1]), 0.0, 1.0)
    gain: Floats = bands[:, right - 1] * (1 - share) + bands[:, right] * share
    return gain


def _smoothed(change: Floats) -> Floats:
    """Over five frames: less warble."""
    window = np.hanning(7)[1:-1]
    window /= window.sum()
    padded = np.pad(change, ((2, 2), (0, 0)), mode="edge")
    return np.asarray(sum(weight * padded[place : place + len(change)] for place, weight in enumerate(window)))


def _thinned(frames: Floats) -> Floats:
    return frames[:: max(1, len(frames) // _MOST_FRAMES)]


def _widened(frames: Floats) -> Floats:
    return np.concatenate([frames[:, 1:], np.ones((len(frames), 1))], axis=1)


def _nearest(points: Floats, among: Floats) -> NDArray[np.int64]:
    distances = (among**2).sum(axis=1)[None] - 2 * points @ among.T
    nearest: NDArray[np.int64] = np.argmin(distances, axis=1)
    return nearest


def _inca(own: Floats, other: Floats) -> Floats:
    """A map from own to other cepstra without the first: (25, 24); nearest frames and ridge regression in turns."""
    wide, goal = _widened(own), other[:, 1:]
    square = wide.T @ wide + _RIDGE * np.eye(wide.shape[1])
    now = own[:, 1:] - own[:, 1:].mean(axis=0) + goal.mean(axis=0)
    matrix: Floats = np.zeros((_CEPSTRA, _CEPSTRA - 1))
    for _ in range(_ROUNDS):
        matrix = np.asarray(np.linalg.solve(square, wide.T @ goal[_nearest(now, goal)]), np.float64)
        now = wide @ matrix
    return matrix


def size_between(own_tune: float, other_tune: float, strength: float) -> float:
    """By how much formants move on the way from one pitch to another (logs of it).

    Women speak about 1.7 times as high as men, with formants about 1.15 times as high (Peterson and Barney, 1952).
    A guess from pitch alone errs less than a search, which runs away on short references.
    """
    ratio = np.exp((other_tune - own_tune) * _SIZE_BY_PITCH)
    return float(np.clip(ratio, *_SIZES) ** strength)


def narrowest(*own_rates_hz: int) -> float:
    """The top of the bands that all of these recordings fill."""
    return min(HIGHEST_HZ, 0.475 * min(own_rates_hz))
