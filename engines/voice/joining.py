"""From spoken pieces to one sound: one rate, no silence at the edges, one loudness, pauses and cross-fades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]

RATE_HZ: Final = 24_000
_TAPS, _PHASES = 48, 960  # 960 holds the phases of 16000 and 22050 Hz exactly
_FRAME_S = 0.01
_QUIET_DB = -52.0
_BEFORE_S, _BEHIND_S = 0.02, 0.07
_EDGE_S = 0.006
_RELEASE_S = 0.025
_CROSSFADE_S = 0.03
_LEAD_S, _TAIL_S = 0.1, 0.2
TARGET_DBFS: Final = -20.0
_HIGHEST_PEAK = 0.89


def resample(samples: Mono, from_hz: float, to_hz: int = RATE_HZ) -> Mono:
    """The same sound at another rate, by a windowed sinc (Kaiser, 48 taps). float32, (frames,)."""
    if from_hz == to_hz or not len(samples):
        return samples
    cutoff = min(1.0, to_hz / from_hz) * 0.94
    offsets = np.arange(_TAPS) - _TAPS // 2 + 1
    reach = offsets[None, :] - np.arange(_PHASES)[:, None] / _PHASES
    window = np.i0(9.0 * np.sqrt(np.maximum(0, 1 - (reach / (_TAPS / 2)) ** 2))) / np.i0(9.0)
    taps = cutoff * np.sinc(cutoff * reach) * window
    taps /= taps.sum(axis=1, keepdims=True)
    count = max(1, math.floor(len(samples) * to_hz / from_hz))
    steps = np.round(np.arange(count) * (from_hz / to_hz) * _PHASES).astype(np.int64)
    places, phases = np.divmod(steps, _PHASES)
    padded = np.pad(samples, (_TAPS // 2 - 1, _TAPS))
    made = np.zeros(count, np.float32)
    for tap in range(_TAPS):
        made += padded[places + tap] * taps[phases, tap].astype(np.float32)
    return made


def _levels(samples: Mono, rate_hz: int) -> NDArray[np.float64]:
    """Mean square of each hundredth of a second."""
    width = max(1, round(rate_hz * _FRAME_S))
    whole = np.pad(samples, (0, -len(samples) % width)).astype(np.float64)
    levels: NDArray[np.float64] = np.square(whole).reshape(-1, width).mean(axis=1)
    return levels


def trimmed(samples: Mono, rate_hz: int = RATE_HZ) -> Mono:
    """Without the silence at both ends but for a breath, and faded there; empty when there is nothing to hear."""
    power = _levels(samples, rate_hz) if len(samples) else np.zeros(1)
    if power.max() <= 1e-9:
        return samples[:0]
    loud = np.flatnonzero(power > power.max() * 10 ** (_QUIET_DB / 10))
    width = max(1, round(rate_hz * _FRAME_S))
    first = max(0, int(loud[0]) * width - round(_BEFORE_S * rate_hz))
    last = min(len(samples), (int(loud[-1]) + 1) * width + round(_BEHIND_S * rate_hz))
    kept = samples[first:last].copy()
    # Formant voices end like a switch; the last sound is let go over a breath instead.
    end = int(np.flatnonzero(np.abs(kept) > 1e-4)[-1]) + 1
    release = min(round(_RELEASE_S * rate_hz), end)
    kept[end - release : end] *= np.linspace(1, 0, release, dtype=np.float32)
    edge = min(round(_EDGE_S * rate_hz), len(kept) // 2)
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    kept[:edge] *= ramp
    if edge:
        kept[-edge:] *= ramp[::-1]
    return kept


def active_dbfs(pieces: Sequence[Mono], rate_hz: int = RATE_HZ) -> float:
    """How loud the loud parts of some pieces are; 0 dB is a full square wave."""
    power = np.concatenate([_levels(piece, rate_hz) for piece in pieces if len(piece)] or [np.zeros(1)])
    loud = power[power > power.max() * 0.01]
    return 10 * math.log10(max(float(loud.mean()) if len(loud) else 0.0, 1e-12))


@dataclass(frozen=True, slots=True)
class Spoken:
    """One spoken piece. voice: pieces of one voice get one loudness together; gain_db: added to it."""

    samples: Mono
    voice: str
    gain_db: float
    sentence: int
    pause_ms: int


def join(pieces: Sequence[Spoken], lead_ms: int = 0) -> tuple[Mono, tuple[tuple[int, int], ...]]:
    """One sound at RATE_HZ and (start, end) in ms of each sentence, in the order of their numbers.

    Pieces without a pause between them are cross-faded over their breaths.
    """
    gains = {
        voice: TARGET_DBFS - active_dbfs([piece.samples for piece in pieces if piece.voice == voice])
        for voice in {piece.voice for piece in pieces}
    }
    total = round((_LEAD_S + lead_ms / 1000 + _TAIL_S) * RATE_HZ)
    total += sum(len(piece.samples) + round(piece.pause_ms / 1000 * RATE_HZ) for piece in pieces)
    sound = np.zeros(total, np.float32)
    place = round((_LEAD_S + lead_ms / 1000) * RATE_HZ)
    spans: dict[int, tuple[int, int]] = {}
    fade = 0
    for piece in pieces:
        samples = piece.samples * np.float32(10 ** ((gains[piece.voice] + piece.gain_db) / 20))
        fade = min(fade, len(samples) // 2)
        if fade:
            ramp = np.sqrt(np.linspace(0, 1, fade, dtype=np.float32))
            place -= fade
            sound[place : place + fade] *= ramp[::-1]
            samples[:fade] *= ramp
        sound[place : place + len(samples)] += samples
        start = spans.get(piece.sentence, (place, 0))[0]
        place += len(samples)
        spans[piece.sentence] = (start, place)
        fade = 0 if piece.pause_ms else min(round(_CROSSFADE_S * RATE_HZ), len(samples) // 2)
        place += round(piece.pause_ms / 1000 * RATE_HZ)
    sound = sound[: place + round(_TAIL_S * RATE_HZ)]
    peak = float(np.abs(sound).max(initial=0.0))
    if peak > _HIGHEST_PEAK:
        sound *= np.float32(_HIGHEST_PEAK / peak)
    times = tuple(
        (round(start * 1000 / RATE_HZ), round(end * 1000 / RATE_HZ)) for _, (start, end) in sorted(spans.items())
    )
    return sound, times
