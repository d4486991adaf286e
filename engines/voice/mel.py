"""Mel filters, mel spectra and mel cepstra of voices, in numpy alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Slaney's mel scale (Auditory Toolbox, 1998): linear up to 1 kHz, 27 equal steps for each factor of 6.4 above.
_LINEAR_HZ: Final = 200.0 / 3
_BREAK_HZ: Final = 1000.0
_LOG_STEP: Final = float(np.log(6.4)) / 27


def hz_to_mel(hz: Floats) -> Floats:
    """Frequencies on Slaney's mel scale."""
    above = _BREAK_HZ / _LINEAR_HZ + np.log(np.maximum(hz, 1e-9) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ, above)


def mel_to_hz(mel: Floats) -> Floats:
    """Back from Slaney's mel scale."""
    knee = _BREAK_HZ / _LINEAR_HZ
    return np.where(mel < knee, mel * _LINEAR_HZ, _BREAK_HZ * np.exp(_LOG_STEP * (mel - knee)))


def band_edges_hz(bands: int, low_hz: float, high_hz: float) -> Floats:
    """Edges and centres of triangular bands, evenly spaced in mel: (bands + 2,)."""
    ends = hz_to_mel(np.array([low_hz, high_hz]))
    return mel_to_hz(np.linspace(ends[0], ends[1], bands + 2))


@lru_cache(maxsize=16)
def mel_bank(rate_hz: int, fft: int, bands: int, low_hz: float, high_hz: float) -> Floats:
    """Triangular filters of equal area over the bins of a spectrum: (bands, fft // 2 + 1)."""
    edges, bins = band_edges_hz(bands, low_hz, high_hz), np.arange(fft // 2 + 1) * rate_hz / fft
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bank: Floats = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    bank.flags.writeable = False
    return bank


def mel_spectrum(samples: Floats, rate_hz: int, window: int, step: int, bands: int) -> NDArray[np.float32]:
    """Mel power over time, (frames, bands): periodic Hann windows centred on every step, nothing beyond the ends."""
    padded = np.pad(samples, window // 2)
    count = 1 + (len(padded) - window) // step if len(padded) >= window else 0
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    cuts = np.lib.stride_tricks.sliding_window_view(padded, window)[::step][:count]
    bank = mel_bank(rate_hz, window, bands, 0.0, rate_hz / 2).T
    parts = [np.abs(np.fft.rfft(part * hann)) ** 2 @ bank for part in np.array_split(cuts, 1 + count // 4096)]
    return np.concatenate(parts).astype(np.float32)


@lru_cache(maxsize=8)
def cosines(bands: int, count: int) -> Floats:
    """The first rows of the orthonormal discrete cosine transform: (bands, count); a cepstrum is log mel @ this."""
    place = (np.arange(bands)[:, None] + 0.5) * np.arange(count)[None] * np.pi / bands
    rows: Floats = np.cos(place) * np.where(np.arange(count) == 0, np.sqrt(1 / bands), np.sqrt(2 / bands))
    rows.flags.writeable = False
    return rows
