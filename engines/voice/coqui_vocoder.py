"""From the spectrograms of mel models to sound: a vocoder that came with the pack, or Griffin-Lim.

coqui-tts has a Griffin-Lim of its own, but runs it through librosa and numba, which refuse to work where they may not
write; this one is the same loop in torch.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LONGEST_ECHO = 1000


class Vocoder(Protocol):
    """Makes sound of spectrograms."""

    rate_hz: int

    def __call__(self, audio: Any, spectrogram: Floats) -> Floats:
        """(frames, mels) as a model with this audio processor gives them, to samples: float32, (frames,)."""


class GriffinLim:
    """Phases found by going back and forth between sound and spectrum. Source: Griffin and Lim, 1984."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def __call__(self, audio: Any, spectrogram: Floats) -> Floats:
        """See Vocoder; the first phases come from torch's generator, so that they follow its seed."""
        import torch

        decibels = audio.denormalize(spectrogram.T)
        mels = np.power(float(audio.base), decibels / audio.spec_gain)
        wanted = np.maximum(1e-10, np.linalg.pinv(audio.mel_basis) @ mels) ** audio.power
        sizes = torch.from_numpy(wanted.astype(np.float32))
        shape = {"n_fft": audio.fft_size, "hop_length": audio.hop_length, "win_length": audio.win_length}
        window = torch.hann_window(audio.win_length)
        sound = torch.istft(torch.polar(sizes, 2 * torch.pi * torch.rand(sizes.shape)), window=window, **shape)
        for _ in range(int(audio.griffin_lim_iters)):
            heard = torch.stft(sound, window=window, return_complex=True, **shape)
            phases = torch.angle(heard)[:, : sizes.shape[1]]
            sound = torch.istft(torch.polar(sizes, phases), window=window, **shape)
        made = sound.numpy()
        if audio.preemphasis:
            # The filter that undoes it never quite ends; after so many samples nothing is left of it.
            made = np.convolve(made, float(audio.preemphasis) ** np.arange(_LONGEST_ECHO))[: len(made)]
        return np.asarray(made, np.float32)


class Generator:
    """A vocoder of coqui-tts, trained for spectrograms with its own audio settings."""

    def __init__(self, generator: Any, audio: Any, rate_hz: int) -> None:
        self.generator, self.audio, self.rate_hz = generator, audio, rate_hz

    def __call__(self, audio: Any, spectrogram: Floats) -> Floats:
        """See Vocoder; a spectrogram of another rate is stretched to that of the vocoder."""
        import torch
        from TTS.vocoder.utils.generic_utils import interpolate_vocoder_input

        wanted = self.audio.normalize(audio.denormalize(spectrogram.T))
        scale = [1, self.rate_hz / audio.sample_rate]
        given = interpolate_vocoder_input(scale, wanted) if scale[1] != 1 else torch.tensor(wanted)[None]
        device = next(self.generator.parameters()).device
        return np.asarray(self.generator.inference(given.float().to(device)).cpu().numpy().reshape(-1), np.float32)
