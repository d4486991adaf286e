"""What is seen of a sound: the lowest and highest sample of every column, or its spectrum; and how it is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

if TYPE_CHECKING:
    from studio.window.theme import Theme

Samples = NDArray[np.int16]
FULL_SCALE = 32767
_FFT = 1024
_FLOOR_DB, _TOP_DB = -85.0, -15.0
_HIGHEST_HZ = 8000.0
# So many windows are averaged in a column that covers more than one.
_MOST_WINDOWS = 4
_PEAK_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound as it is shown and played. samples: one channel; data: the encoded bytes; own_rate_hz: of the file."""

    samples: Samples
    rate_hz: int
    data: bytes
    own_rate_hz: int = 0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz


def as_heard(samples: NDArray[np.floating], rate_hz: int, data: bytes, own_rate_hz: int = 0) -> Heard:
    """Samples from -1 to 1, (frames,) or (frames, channels), as something to show."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    return Heard(np.asarray(np.clip(mono, -1, 1) * FULL_SCALE, np.int16), rate_hz, data, own_rate_hz or rate_hz)


def read_heard(path: Path) -> tuple[str, Heard, tuple[str, ...]]:
    """(SHA-256 in hex, the sound, what is wrong with it) of a recording of a voice; not for the window's thread.

    Raises FileMissing, NotASound, SoundTooLong, VoiceNotFound where it is silent.
    """
    from engines.voice.hearing import complaints, read_voice
    from studio.voice_changes import read_recording

    data = read_recording(path)
    sound = read_voice(path.name, data)
    heard = as_heard(sound.samples, sound.rate_hz, data, sound.own_rate_hz)
    return hashlib.sha256(data).hexdigest(), heard, tuple(complaints(sound))


def peaks(samples: Samples, start: int, stop: int, columns: int) -> NDArray[np.float32]:
    """(columns, 2): lowest and highest sample of each column, -1 to 1; columns beyond the sound are 0."""
    found = np.zeros((columns, 2), np.float32)
    edges = np.linspace(start, stop, columns + 1)
    first, last = edges[:-1].astype(np.int64), np.maximum(edges[1:].astype(np.int64), edges[:-1].astype(np.int64) + 1)
    there = (first >= 0) & (first < len(samples))
    if not there.any():
        return found
    block = samples[: min(len(samples), int(last[there][-1]))]
    places = first[there]
    # reduceat takes each stretch up to the next start, which is what a column is.
    found[there, 0] = np.minimum.reduceat(block, places) / FULL_SCALE
    found[there, 1] = np.maximum.reduceat(block, places) / FULL_SCALE
    return found


def spectrum(samples: Samples, rate_hz: int, start: int, stop: int, columns: int, rows: int) -> NDArray[np.float32]:
    """(rows, columns), 0 to 1: power over frequency from the top (8 kHz or less) down to 0, on a scale of dB."""
    width = (stop - start) / max(1, columns)
    windows = int(np.clip(width // (_FFT // 2), 1, _MOST_WINDOWS))
    shape = np.hanning(_FFT).astype(np.float32)
    padded = np.pad(samples[max(0, start - _FFT) : stop + _FFT], _FFT)
    begin = max(0, start - _FFT) - _FFT
    total = np.zeros((columns, _FFT // 2 + 1), np.float32)
    for number in range(windows):
        centres = start + (np.arange(columns) + (number + 0.5) / windows) * width
        places = np.clip(centres.astype(np.int64) - begin - _FFT // 2, 0, max(0, len(padded) - _FFT))
        pieces = padded[places[:, None] + np.arange(_FFT)].astype(np.float32) / FULL_SCALE * shape
        total += np.abs(np.fft.rfft(pieces, axis=1)).astype(np.float32) ** 2
    power_db = 10 * np.log10(total / windows / (_FFT / 4) ** 2 + 1e-12)
    top = min(_HIGHEST_HZ, rate_hz / 2) / (rate_hz / 2) * (_FFT // 2)
    bins = np.linspace(top, 0, rows).astype(int)
    shown = np.clip((power_db[:, bins].T - _FLOOR_DB) / (_TOP_DB - _FLOOR_DB), 0, 1)
    return np.asarray(shown, np.float32)


def wave_image(heard: Heard, view: tuple[float, float], size: tuple[int, int], theme: Theme) -> QImage:
    """A waveform; view: seconds from and to; size: width and height in pixels."""
    columns, rows = size
    low_high = peaks(heard.samples, round(view[0] * heard.rate_hz), round(view[1] * heard.rate_hz), columns)
    middle = (rows - 1) / 2
    tops = np.floor(middle - low_high[:, 1] * middle)
    feet = np.ceil(middle - low_high[:, 0] * middle)
    lines = np.arange(rows)[:, None]
    return _painted(((lines >= tops) & (lines <= feet)).astype(np.uint8), (theme.surface, theme.accent))


def spectrum_image(heard: Heard, view: tuple[float, float], size: tuple[int, int], theme: Theme) -> QImage:
    """A spectrogram of the same stretch."""
    start, stop = (round(second * heard.rate_hz) for second in view)
    values = spectrum(heard.samples, heard.rate_hz, start, stop, *size)
    ramp = (theme.surface, theme.accent_soft, theme.accent, theme.text)
    return _painted((values * 255).astype(np.uint8), _between(ramp))


def _between(colours: tuple[str, ...]) -> tuple[str, ...]:
    """256 colours on the way through these."""
    stops = np.linspace(0, 255, len(colours))
    parts = [QColor(colour).getRgb()[:3] for colour in colours]
    mixed = [np.interp(np.arange(256), stops, [part[channel] for part in parts]) for channel in range(3)]
    return tuple(QColor(*(int(channel[place]) for channel in mixed)).name() for place in range(256))


def _painted(places: NDArray[np.uint8], colours: tuple[str, ...]) -> QImage:
    """(rows, columns) of numbers of colours as a picture."""
    rows, columns = places.shape
    table = np.array([QColor(colour).rgb() for colour in colours], np.uint32)
    pixels = np.ascontiguousarray(table[places])
    return QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32).copy()
