"""The rhythm and the spoken words of the audible label: pinned clips, loaded or the release stops.

GB 45438-2025 5.3 asks sound for speech with both elements at normal speed (120 to 160 characters a minute; our Chinese
clip has 140) or for the rhythm "短长 短短", which is AI in Morse. Timing by ITU-R M.1677: a dash is three dots, marks
of a letter stand one dot apart and letters three. With even gaps it would be the letter L.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing

Language = Literal["zh", "en"]
Mono = NDArray[np.float32]

CLIP_RATE_HZ: Final = 16000
TONE_HZ: Final = 880.0
DOT_S: Final = 0.12
# (mark, gap behind it) in dots: A is short long, I is short short.
RHYTHM: Final = ((1, 1), (3, 3), (1, 1), (1, 0))
RHYTHM_S: Final = DOT_S * sum(mark + gap for mark, gap in RHYTHM)
_RAMP_S = 0.006

# What is spoken: zh "人工智能生成", en "AI-generated sound", sample "sample".
_CLIPS: Final = {
    "zh": ("notice_zh.wav", "05f0c85b3d7de5abe9a34d0c9730fe64f4ac7a556eb91bdd69dcd1bb41fe3b3c"),
    "en": ("notice_en.wav", "d60a8a55fd85ae3d1975d64f5e84d749c76a77a8664016dfa925b7b5eabc54ac"),
    "sample": ("sample.wav", "259df5c053c7937869ce69657d5c1d2d6f3b1447d76cb616bc387bd016c14954"),
}
_WAVE_HEADER_BYTES = 44


@lru_cache(maxsize=4)
def _clip(name: str) -> Mono:
    """One clip at 16 kHz; raises LabelPartMissing unless it is the pinned one."""
    file, digest = _CLIPS[name]
    try:
        data = files("resources").joinpath("labels", file).read_bytes()
    except (OSError, ModuleNotFoundError) as error:
        raise LabelPartMissing(part="spoken label") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise LabelPartMissing(part="spoken label")
    return (np.frombuffer(data[_WAVE_HEADER_BYTES:], "<i2") / 32768).astype(np.float32)


def resampled(sound: Mono, count: int) -> Mono:
    """A stretch of sound at another rate, by its spectrum: float32, (count,)."""
    spectrum = np.fft.rfft(sound)
    kept = np.zeros(count // 2 + 1, np.complex128)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return (np.fft.irfft(kept, count) * (count / len(sound))).astype(np.float32)


@lru_cache(maxsize=12)
def spoken(name: Language | Literal["sample"], rate_hz: int) -> Mono:
    """The clip at some rate, with unit RMS where it is loud; raises LabelPartMissing. float32, (frames,), read-only."""
    clip = _clip(name)
    sound = resampled(clip, round(len(clip) * rate_hz / CLIP_RATE_HZ))
    sound /= max(loudness(sound, rate_hz), 1e-9)
    sound.flags.writeable = False
    return sound


def rhythm(rate_hz: int) -> Mono:
    """The rhythm as a tone of 880 Hz with unit RMS while it sounds, 1.32 s: float32, (frames,)."""
    time_s = np.arange(round(RHYTHM_S * rate_hz)) / rate_hz
    shape = np.zeros(len(time_s))
    start_s = 0.0
    for mark, gap in RHYTHM:
        end_s = start_s + mark * DOT_S
        rise = np.clip((time_s - start_s) / _RAMP_S, 0, 1) * np.clip((end_s - time_s) / _RAMP_S, 0, 1)
        shape += np.sin(rise * np.pi / 2) ** 2
        start_s = end_s + gap * DOT_S
    tone: Mono = (np.sqrt(2) * shape * np.sin(2 * np.pi * TONE_HZ * time_s)).astype(np.float32)
    return tone


def loudness(sound: Mono, rate_hz: int) -> float:
    """RMS of the loud parts: the 90th percentile over stretches of 400 ms (100 ms where it is shorter than 4 s)."""
    block = max(1, round((0.4 if len(sound) > 4 * rate_hz else 0.1) * rate_hz))
    whole = len(sound) // block * block
    if whole == 0:
        return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
    power = np.square(sound[:whole], dtype=np.float32).reshape(-1, block).mean(axis=1, dtype=np.float64)
    return float(np.sqrt(np.percentile(power, 90)))
