"""Voices made by arithmetic: pulses through formants. Two "persons" differ in pitch, size and roughness."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import numpy as np

from engines.sound import Wave


@dataclass(frozen=True)
class Person:
    """pitch_hz: middle of the tune; size: of the mouth, 1 as an adult man's; roughness: share of noise."""

    pitch_hz: float
    size: float
    roughness: float


LOW, HIGH = Person(105.0, 1.05, 0.03), Person(215.0, 0.8, 0.05)


def speech(person: Person, seconds: float = 4.0, rate_hz: int = 16000, seed: int = 3) -> Wave:
    """Something like speech: syllables of 180 ms gliding between vowels; float64, (frames,), peak 0.5."""
    chance = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    knots = np.arange(0, seconds + 0.36, 0.18)
    pitch_hz = np.interp(time_s, knots, person.pitch_hz * chance.uniform(0.85, 1.2, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    loud = np.interp(time_s, knots, chance.choice([0.0, 0.6, 0.8, 1.0], len(knots), p=[0.15, 0.25, 0.3, 0.3]))
    spans = ((300, 750), (1000, 2100))
    formants = [np.interp(time_s, knots, chance.uniform(*span, len(knots))) / person.size for span in spans]
    voice = np.zeros(len(time_s))
    for harmonic in range(1, 50):
        at_hz = harmonic * pitch_hz
        gain = (
            sum(np.exp(-(((at_hz - centre) / 180) ** 2)) for centre in (*formants, 2600 / person.size)) + 0.6 / harmonic
        )
        voice += np.where(at_hz < rate_hz * 0.45, gain * np.sin(harmonic * phase), 0.0)
    sound = (voice + chance.normal(size=len(time_s)) * person.roughness) * loud
    return np.asarray(sound * (0.5 / np.abs(sound).max()))


def wav(samples: Wave, rate_hz: int = 16000, channels: int = 1) -> bytes:
    """A sound as the bytes of a WAV file of 16 bits, the same in every channel."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        values = np.repeat(np.clip(samples, -1, 1)[:, None], channels, axis=1)
        out.writeframes((values * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
