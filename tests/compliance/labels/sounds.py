"""Sounds made by arithmetic, and the tags of a release, for the tests of sound."""

from __future__ import annotations

import numpy as np

from compliance.encode_sound import Samples, SoundTags
from compliance.labels.aigc import SOURCE_TYPE, AigcField, xmp_packet

ORIGIN = "trainedAlgorithmicMedia"
RELEASE = "0123456789abcdef"
FIELD = AigcField("1", "signet.local/test", RELEASE, "", "signet.local/test", RELEASE)
TAGS = SoundTags(
    FIELD.to_json(),
    xmp_packet(None, origin=ORIGIN, system="Signet", version="1"),
    SOURCE_TYPE + ORIGIN,
    "Signet",
    "1",
)
FORMATS = ("wav", "flac", "mp3", "m4a", "ogg")


def chord(seconds: float = 1.0, rate_hz: int = 16000, channels: int = 1) -> Samples:
    """A quiet chord with a little noise in it: float32, (frames, channels)."""
    count = round(seconds * rate_hz)
    time_s = np.arange(count)[:, None] / rate_hz
    tones = sum(np.sin(2 * np.pi * pitch * time_s) for pitch in (220.0, 277.2, 329.6))
    noise = np.random.default_rng(5).normal(size=(count, channels))
    return (0.08 * tones + 0.004 * noise).astype(np.float32) * np.ones((1, channels), np.float32)


def speech(seconds: float = 5.0, rate_hz: int = 16000, channels: int = 1, seed: int = 3) -> Samples:
    """Something like speech: a gliding voice through three formants, syllables of 180 ms, pauses between words.

    float32, (frames, channels), peak 0.5.
    """
    chance = np.random.default_rng(seed)
    count = round(seconds * rate_hz)
    time_s = np.arange(count) / rate_hz
    knots = np.arange(0, seconds + 0.36, 0.18)
    pitch_hz = np.interp(time_s, knots, chance.uniform(95, 165, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    loud = np.interp(time_s, knots, chance.choice([0.0, 0.6, 0.8, 1.0], len(knots), p=[0.15, 0.25, 0.3, 0.3]))
    formants = [np.interp(time_s, knots, chance.uniform(*span, len(knots))) for span in ((300, 800), (900, 2200))]
    voice = np.zeros(count)
    for harmonic in range(1, 28):
        at_hz = harmonic * pitch_hz
        gain = sum(np.exp(-(((at_hz - centre) / 160) ** 2)) for centre in (*formants, 2700.0)) + 0.02
        voice += np.where(at_hz < rate_hz * 0.45, gain * np.sin(harmonic * phase), 0.0)
    breath = chance.normal(size=count) * 0.05
    sound = (voice + breath) * loud
    sound *= 0.5 / np.abs(sound).max()
    return np.repeat(sound[:, None], channels, axis=1).astype(np.float32)
