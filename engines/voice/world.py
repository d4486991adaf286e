"""Voices taken apart into pitch, envelope and breath and put together again, block by block, with WORLD.

WORLD: Morise, Yokomori, Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system" (2016), through pyworld.
Frames of 5 ms. A long recording is worked on in blocks that begin and end where it is quiet, so that memory stays
small, progress can be told and a stop comes soon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.sound import Wave

Floats = NDArray[np.float64]

RATE_HZ: Final = 24_000
FRAME_MS: Final = 5.0
_FFT: Final = 1024
BINS: Final = _FFT // 2 + 1
# The lowest that 1024 samples hold three periods of; a deep bass lies above it.
LOW_PITCH_HZ: Final = 71.0
HIGH_PITCH_HZ: Final = 500.0
BLOCK_S: Final = 10.0
_MARGIN_S = 0.2
_FADE_S = 0.01
_QUIET_STEP_S = 0.02
_ACTIVE_DB = 35.0
_LOUDEST = 0.97


@dataclass(frozen=True, slots=True)
class Parts:
    """A voice taken apart. pitch_hz: (frames,), 0 where there is none; envelope: power, (frames, BINS);
    breath: share of noise, 0 to 1, (frames, BINS).
    """

    pitch_hz: Floats
    envelope: Floats
    breath: Floats


def pitch_of(samples: Wave) -> tuple[Floats, Floats]:
    """(pitch in Hz, time in s) of every frame: DIO, refined by StoneMask."""
    import pyworld

    pitch, times = pyworld.dio(
        samples, RATE_HZ, f0_floor=LOW_PITCH_HZ, f0_ceil=HIGH_PITCH_HZ, frame_period=FRAME_MS, allowed_range=0.1
    )
    return pyworld.stonemask(samples, pitch, times, RATE_HZ), times


def take_apart(samples: Wave) -> Parts:
    """Pitch, envelope (CheapTrick) and breath (D4C) of a sound at RATE_HZ."""
    import pyworld

    samples = np.ascontiguousarray(samples, np.float64)
    pitch, times = pitch_of(samples)
    envelope = pyworld.cheaptrick(samples, pitch, times, RATE_HZ, f0_floor=LOW_PITCH_HZ, fft_size=_FFT)
    return Parts(pitch, envelope, pyworld.d4c(samples, pitch, times, RATE_HZ, fft_size=_FFT))


def put_together(parts: Parts, frame_ms: float = FRAME_MS) -> Wave:
    """A sound at RATE_HZ; another frame_ms makes it slower or faster at the same pitch."""
    import pyworld

    sound: Wave = pyworld.synthesize(
        np.ascontiguousarray(parts.pitch_hz),
        np.ascontiguousarray(parts.envelope),
        np.ascontiguousarray(np.clip(parts.breath, 0.0, 1.0)),
        RATE_HZ,
        frame_ms,
    )
    return sound


def resized(parts: Parts, ratio: float) -> Parts:
    """The voice of a mouth of another size: formants and breath at ratio times their frequencies, at the same pitch."""
    if ratio == 1.0:
        return parts
    envelope = np.exp(_stretched(np.log(parts.envelope + 1e-12), ratio))
    return Parts(parts.pitch_hz, envelope, np.clip(_stretched(parts.breath, ratio), 0.0, 1.0))


def _stretched(rows: Floats, ratio: float) -> Floats:
    """The rows with everything moved to ratio times its frequency; ends are held."""
    place = np.minimum(np.arange(BINS) / ratio, BINS - 1)
    left = np.minimum(place.astype(int), BINS - 2)
    share = place - left
    stretched: Floats = rows[:, left] * (1 - share) + rows[:, left + 1] * share
    return stretched


def active_frames(envelope: Floats) -> NDArray[np.bool_]:
    """Which frames are loud enough to be speech: not 35 dB below the loud ones."""
    loud_db = 10 * np.log10(envelope.sum(axis=1) + 1e-12)
    active: NDArray[np.bool_] = loud_db > np.percentile(loud_db, 95) - _ACTIVE_DB
    return active


def log_pitch(pitch_hz: Floats) -> tuple[float, float]:
    """Mean and spread of the logarithm of pitch, wild values left out; (0, 0) where there is no voice."""
    logs = np.log(pitch_hz[pitch_hz > 0])
    if not len(logs):
        return 0.0, 0.0
    near = logs[np.abs(logs - np.median(logs)) < 0.7]
    return float(near.mean()), float(near.std())


def blocks(samples: Wave) -> list[tuple[int, int]]:
    """Where to cut a sound into blocks of about 10 s: at the quietest place of the last third of each."""
    whole, edges, step = len(samples), [0], int(_QUIET_STEP_S * RATE_HZ)
    longest = int(BLOCK_S * RATE_HZ)
    while whole - edges[-1] > longest * 1.2:
        start = edges[-1] + longest * 2 // 3
        window = samples[start : edges[-1] + longest]
        pieces = window[: len(window) // step * step].reshape(-1, step)
        edges.append(start + (int(np.argmin((pieces**2).sum(axis=1))) * 2 + 1) * step // 2)
    return list(zip(edges, [*edges[1:], whole], strict=True))


def some_of(samples: Wave, most: int) -> list[tuple[int, int]]:
    """At most so many blocks, spread evenly over the sound."""
    cut = blocks(samples)
    return [cut[place] for place in np.unique(np.linspace(0, len(cut) - 1, min(most, len(cut))).astype(int))]


def rework(
    samples: Wave, change: Callable[[Parts], Parts], on_block: Callable[[int, int], None], *, rate: float = 1.0
) -> Wave:
    """Take a sound apart, change it and put it together, block by block.

    on_block(done, total) comes before every block; what it raises ends the work. rate: 2 is twice as fast.
    The result is as loud as the sound was, and nowhere louder than full scale.
    """
    cut, margin, fade = blocks(samples), int(_MARGIN_S * RATE_HZ), int(_FADE_S * RATE_HZ)
    ramp = np.linspace(0.0, 1.0, fade)
    length = round(len(samples) / rate)
    result = np.zeros(length + fade)
    for done, (start, stop) in enumerate(cut):
        on_block(done, len(cut))
        first, last = max(0, start - margin), min(len(samples), stop + margin)
        made = put_together(change(take_apart(samples[first:last])), FRAME_MS / rate)
        place, offset = round(start / rate), round((start - first) / rate)
        piece = made[offset : offset + round(stop / rate) - place + fade]
        if start:
            piece[:fade] *= ramp[: len(piece)]
            result[place : place + fade] *= 1 - ramp
        end = place + len(piece)
        result[place + fade if start else place : end] = 0
        result[place:end] += piece[: len(result) - place]
    return _as_loud(result[:length], samples)


def _as_loud(made: Wave, as_was: Wave) -> Wave:
    """The same sound at the loudness of another, kept under full scale."""
    was, now = float(np.sqrt(np.mean(as_was**2))), float(np.sqrt(np.mean(made**2)))
    made = made * (was / now if now > 0 else 1.0)
    peak = float(np.abs(made).max(initial=0.0))
    return made * (_LOUDEST / peak) if peak > _LOUDEST else made
