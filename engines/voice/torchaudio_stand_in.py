"""What coqui-tts needs of torchaudio and torchcodec where they are not installed.

coqui-tts refuses to be imported unless both can be found, but for speaking it calls three things: a resampler and the
mel spectrogram for reference recordings, and names that are looked up and never called. Builds of torchaudio are bound
to one kind of accelerator, so Signet does not ask for them. The stand-in takes their places in sys.modules only where
the real ones cannot be found; it opens and writes no files.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray


def install() -> list[str]:
    """Stand in for whatever is missing; call it before the first import of TTS. Returns the names stood in for."""
    missing = [name for name in ("torchaudio", "torchcodec") if not _is_there(name)]
    if "torchaudio" in missing:
        functional, transforms = _module("torchaudio.functional"), _module("torchaudio.transforms")
        package = _module("torchaudio", functional=functional, transforms=transforms, load=_refuse, save=_refuse)
        functional.__dict__["resample"] = resample
        transforms.__dict__.update(Resample=_resampler(), MelSpectrogram=_mel_spectrogram())
        sys.modules.update({each.__name__: each for each in (package, functional, transforms)})
    if "torchcodec" in missing:
        sys.modules["torchcodec"] = _module("torchcodec")
    return missing


def _is_there(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _module(name: str, **members: Any) -> ModuleType:
    """An empty module that find_spec finds, as whoever asks for a package by name expects."""
    made = ModuleType(name)
    made.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package="." not in name)
    made.__dict__.update(__version__="0.0.0", __path__=[], **members)
    return made


def _refuse(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("engines are handed bytes: they open and write no files")


def resample(waveform: Any, orig_freq: int, new_freq: int, **_: Any) -> Any:
    """torchaudio.functional.resample by soxr. waveform: tensor (..., frames); returns (..., other frames)."""
    import soxr
    import torch

    if orig_freq == new_freq:
        return waveform
    rows = waveform.detach().cpu().numpy().reshape(-1, waveform.shape[-1])
    changed = np.stack([soxr.resample(row, orig_freq, new_freq) for row in rows])
    return torch.from_numpy(changed.reshape(*waveform.shape[:-1], -1)).to(waveform)


def _resampler() -> type:
    import torch

    class Resample(torch.nn.Module):
        """torchaudio.transforms.Resample."""

        def __init__(self, orig_freq: int = 16000, new_freq: int = 16000, **_: Any) -> None:
            super().__init__()
            self.rates_hz = int(orig_freq), int(new_freq)

        def forward(self, waveform: Any) -> Any:
            """(..., frames) to (..., other frames)."""
            return resample(waveform, *self.rates_hz)

    return Resample


def mel_filters(
    rate_hz: int, bins: int, mels: int, low_hz: float, high_hz: float, *, is_slaney: bool
) -> NDArray[np.float32]:
    """Triangles on the HTK mel scale, as torchaudio makes them: float32, (mels, bins).

    bins: of the spectrum, from 0 to half the rate. is_slaney: each triangle has the area of one. Source of the scale:
    2595 log10(1 + f / 700), The HTK Book.
    """
    ends = 2595 * np.log10(1 + np.array([low_hz, high_hz]) / 700)
    corners = 700 * (10 ** (np.linspace(ends[0], ends[1], mels + 2) / 2595) - 1)
    away = corners[:, None] - np.linspace(0, rate_hz // 2, bins)[None]
    steps = np.diff(corners)[:, None]
    filters = np.maximum(0, np.minimum(-away[:-2] / steps[:-1], away[2:] / steps[1:]))
    if is_slaney:
        filters *= 2 / (corners[2:] - corners[:-2])[:, None]
    return filters.astype(np.float32)


def _mel_spectrogram() -> type:
    import torch

    class MelSpectrogram(torch.nn.Module):
        """torchaudio.transforms.MelSpectrogram, as far as coqui-tts uses it."""

        def __init__(
            self,
            sample_rate: int = 16000,
            n_fft: int = 400,
            win_length: int | None = None,
            hop_length: int | None = None,
            f_min: float = 0.0,
            f_max: float | None = None,
            n_mels: int = 128,
            window_fn: Any = torch.hann_window,
            power: float = 2.0,
            norm: str | None = None,
            **_: Any,
        ) -> None:
            super().__init__()
            self.length, self.power = n_fft, power
            self.window_length = win_length or n_fft
            self.hop = hop_length or self.window_length // 2
            filters = mel_filters(
                sample_rate, n_fft // 2 + 1, n_mels, f_min, f_max or sample_rate / 2, is_slaney=norm == "slaney"
            )
            self.register_buffer("window", window_fn(self.window_length), persistent=False)
            self.register_buffer("filters", torch.from_numpy(filters), persistent=False)

        def forward(self, waveform: Any) -> Any:
            """(..., frames) to (..., mels, steps)."""
            window: Any = self.window
            filters: Any = self.filters
            spectrum = torch.stft(
                waveform.reshape(-1, waveform.shape[-1]),
                self.length,
                self.hop,
                self.window_length,
                window,
                center=True,
                return_complex=True,
            )
            mels = filters @ spectrum.abs() ** self.power
            return mels.reshape(*waveform.shape[:-1], *mels.shape[-2:])

    return MelSpectrogram
