"""Media with the label that the program itself draws, of many sizes, rates and contents, as they are after encoding."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from compliance.labels import audible, explicit
from compliance.media import Pixels
from tests.compliance.labels import pictures
from tests.compliance.labels.sounds import chord, speech

Chance = np.random.Generator
Pictured = tuple[Pixels, bool]
Heard = tuple[tuple[NDArray[np.float32], int], bool]


def _labelled(chance: Chance, pixels: Pixels) -> Pictured:
    """Drawn, and in every second case once through a JPEG of the quality that releases have."""
    sample = bool(chance.integers(2)) and min(pixels.shape[:2]) > 200
    labelled, _ = explicit.draw(pixels, sample=sample)
    if chance.integers(2):
        stream = io.BytesIO()
        Image.fromarray(labelled).save(stream, "JPEG", quality=95, subsampling=0)
        labelled = np.asarray(Image.open(stream))
    return labelled, sample


def _size(chance: Chance, smallest: int = 160, largest: int = 1100) -> tuple[int, int]:
    return int(chance.integers(smallest, largest)), int(chance.integers(smallest, largest))


def _scene(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.scene(*_size(chance), int(chance.integers(1 << 16))))


def _noise(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.noise(*_size(chance), int(chance.integers(1 << 16))))


def _flat(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.flat(*_size(chance), int(chance.integers(256))))


def _gradient(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.gradient(*_size(chance)))


def _stripes(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.stripes(*_size(chance)))


def _tall(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.scene(int(chance.integers(240, 400)), int(chance.integers(800, 1600))))


def _wide(chance: Chance) -> Pictured:
    return _labelled(chance, pictures.scene(int(chance.integers(900, 1800)), int(chance.integers(180, 320))))


def _small(chance: Chance) -> Pictured:
    side = int(chance.integers(128, 200))
    return _labelled(chance, pictures.scene(side + int(chance.integers(0, 80)), side, int(chance.integers(1 << 16))))


def _sound(chance: Chance, samples: NDArray[np.float32], rate_hz: int) -> Heard:
    sample = bool(chance.integers(2))
    language = "zh" if chance.integers(2) else "en"
    return (audible.draw_sound(samples, rate_hz, language, sample=sample), rate_hz), sample


def _rate(chance: Chance) -> int:
    return int(chance.choice([8000, 16000, 22050, 24000, 44100, 48000]))


def _speech(chance: Chance) -> Heard:
    rate_hz = _rate(chance)
    made = speech(float(chance.uniform(1, 6)), rate_hz, int(chance.integers(1, 3)), int(chance.integers(1 << 16)))
    return _sound(chance, made, rate_hz)


def _chord(chance: Chance) -> Heard:
    rate_hz = _rate(chance)
    return _sound(chance, chord(float(chance.uniform(0.5, 15)), rate_hz, int(chance.integers(1, 3))), rate_hz)


def _quiet(chance: Chance) -> Heard:
    rate_hz = _rate(chance)
    return _sound(chance, chord(float(chance.uniform(1, 6)), rate_hz) * np.float32(chance.uniform(0, 0.05)), rate_hz)


def _loud(chance: Chance) -> Heard:
    rate_hz = _rate(chance)
    noise = chance.uniform(-1, 1, (round(float(chance.uniform(1, 5)) * rate_hz), int(chance.integers(1, 3))))
    return _sound(chance, np.clip(noise * 1.3, -1, 1).astype(np.float32), rate_hz)


def _tones(chance: Chance) -> Heard:
    """Tones around the label's own pitch, in a rhythm of their own."""
    rate_hz = _rate(chance)
    time_s = np.arange(round(float(chance.uniform(3, 9)) * rate_hz)) / rate_hz
    keyed = np.sin(2 * np.pi * time_s * float(chance.uniform(1, 5))) > float(chance.uniform(-0.5, 0.5))
    tone = 0.3 * np.sin(2 * np.pi * time_s * float(chance.choice([440, 870, 880, 890, 1760]))) * keyed
    return _sound(chance, tone.astype(np.float32)[:, None], rate_hz)


GOOD_PICTURES: Final[dict[str, Callable[[Chance], Pictured]]] = {
    "soft shapes": _scene,
    "noise": _noise,
    "one grey": _flat,
    "a ramp": _gradient,
    "stripes as thick as letters": _stripes,
    "a tall picture": _tall,
    "a wide picture": _wide,
    "a small picture": _small,
}
GOOD_SOUNDS: Final[dict[str, Callable[[Chance], Heard]]] = {
    "speech": _speech,
    "a chord": _chord,
    "next to nothing": _quiet,
    "clipped noise": _loud,
    "tones like the label's": _tones,
}
