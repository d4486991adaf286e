"""Whose voice is it? A template of a voice by a small recurrent network, run in numpy.

The network is the voice encoder of Resemblyzer 0.1.4 (Wan et al., "Generalized end-to-end loss for speaker
verification", 2018): 40 mel bands, three LSTM layers of 256, a linear layer; its weights lie in resources/voices as
half floats. A template tells people apart well and cannot tell a person from a good imitation of theirs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import resources
from compliance.errors import ModelDamaged, VoiceNotFound
from engines.sound import Wave, decode_sound
from engines.voice.mel import mel_spectrum

Floats32 = NDArray[np.float32]

ENCODER: Final = Path(str(resources.__file__)).parent / "voices" / "speaker_encoder.safetensors"
ENCODER_ID: Final = "speaker-encoder"
# Beside the code and not in a data file: the grant's record names it, and a changed file is refused.
ENCODER_SHA256: Final = "9b9d2a18db7b5af4726f7097625c2d0a8fbd601f10e37d2e8d23986b55400218"
THRESHOLD: Final = 0.78
# A stretch of five seconds is less certain than a whole recording; lower than this is another voice in between.
STRETCH_ALLOWANCE: Final = 0.08
RATE_HZ: Final = 16_000
LEAST_SPEECH_S: Final = 1.5
_BANDS, _WINDOW, _STEP = 40, 400, 160
_PART_FRAMES, _PART_STEP = 160, 77
_MOST_PARTS = 400
_STRETCH_PARTS = 6
_LOUDNESS_DB = -30.0
_PIECE = 480
# What counts as speech: not this much below the loud parts, and not below the floor at all.
_BELOW_LOUD_DB, _FLOOR_DB = 30.0, -60.0
_SMOOTHED, _WIDENED = 8, 7


@dataclass(frozen=True, slots=True)
class VoicePrint:
    """A template of one recording. vector: float32, (256,), unit length; stretches: (count, 256), of about 5 s each,
    overlapping; none where the recording is not longer. speech_s: how much of the recording is speech.
    """

    vector: Floats32
    stretches: Floats32
    speech_s: float


class SpeakerEncoder:
    """The network, verified and loaded; raises ModelDamaged."""

    def __init__(self, path: Path = ENCODER, sha256: str = ENCODER_SHA256) -> None:
        from safetensors.numpy import load

        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelDamaged(file=path.name) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ModelDamaged(file=path.name)
        weights = {name: value.astype(np.float32) for name, value in load(data).items()}
        self._layers = [
            (
                np.ascontiguousarray(weights[f"lstm.weight_ih_l{layer}"].T),
                np.ascontiguousarray(weights[f"lstm.weight_hh_l{layer}"].T),
                weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"],
            )
            for layer in range(3)
        ]
        self._last = (weights["linear.weight"].T, weights["linear.bias"])

    def embed_parts(self, spectra: Floats32) -> Floats32:
        """Unit vectors of mel spectra, (count, 160, 40) to (count, 256)."""
        values = spectra
        for incoming, recurrent, bias in self._layers:
            values = _lstm(values @ incoming + bias, recurrent)
        raw = np.maximum(0.0, values[:, -1] @ self._last[0] + self._last[1])
        return _unit(np.asarray(raw, np.float32))

    def embed(self, name: str, samples: Wave) -> VoicePrint:
        """The template of a recording at 16 kHz; raises VoiceNotFound when there is too little speech in it."""
        speech = speech_of(samples)
        if len(speech) < LEAST_SPEECH_S * RATE_HZ:
            raise VoiceNotFound(path=name, seconds=round(len(speech) / RATE_HZ, 1), limit_s=LEAST_SPEECH_S)
        spectrum = mel_spectrum(speech, RATE_HZ, _WINDOW, _STEP, _BANDS)
        short = max(0, _PART_FRAMES - len(spectrum))
        spectrum = np.pad(spectrum, ((0, short), (0, 0)))
        starts = np.arange(0, len(spectrum) - _PART_FRAMES + 1, _PART_STEP)
        if len(starts) > _MOST_PARTS:
            starts = starts[np.linspace(0, len(starts) - 1, _MOST_PARTS).astype(int)]
        parts = np.concatenate(
            [
                self.embed_parts(np.stack([spectrum[start : start + _PART_FRAMES] for start in some]))
                for some in np.array_split(starts, -(-len(starts) // 32))
            ]
        )
        return VoicePrint(_unit(parts.mean(axis=0, keepdims=True))[0], _stretches(parts), len(speech) / RATE_HZ)


def _unit(rows: Floats32) -> Floats32:
    return np.asarray(rows / np.maximum(1e-9, np.linalg.norm(rows, axis=1, keepdims=True)), np.float32)


def _stretches(parts: Floats32) -> Floats32:
    """Means of neighbouring parts: whoever speaks for some seconds in between is not lost in the mean of the whole."""
    if len(parts) <= _STRETCH_PARTS:
        return parts[:0]
    sums = np.cumsum(np.pad(parts, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    return _unit(np.asarray(sums[_STRETCH_PARTS:] - sums[:-_STRETCH_PARTS], np.float32)[:: _STRETCH_PARTS // 2])


def _lstm(gates: Floats32, recurrent: Floats32) -> Floats32:
    """One layer over time; gates: (count, time, 1024) in the order input, forget, cell, output. Returns (…, 256)."""
    count, time, width = gates.shape
    size = width // 4
    hidden = np.zeros((count, size), np.float32)
    cell = np.zeros((count, size), np.float32)
    out = np.empty((count, time, size), np.float32)
    for step in range(time):
        now = gates[:, step] + hidden @ recurrent
        soft = 1 / (1 + np.exp(-np.clip(now, -30, 30)))
        cell = soft[:, size : 2 * size] * cell + soft[:, :size] * np.tanh(now[:, 2 * size : 3 * size])
        hidden = soft[:, 3 * size :] * np.tanh(cell)
        out[:, step] = hidden
    return out


def speech_of(samples: Wave) -> Wave:
    """The parts of a recording at 16 kHz in which somebody may be speaking, made loud enough, put together.

    Judged by level alone, in pieces of 30 ms; pauses of up to about 0.2 s stay.
    """
    count = len(samples) // _PIECE
    if not count:
        return samples[:0]
    level = float(np.sqrt(np.mean(samples**2)))
    if level <= 10 ** (_FLOOR_DB / 20):
        return samples[:0]
    samples = samples * max(1.0, 10 ** (_LOUDNESS_DB / 20) / level)
    pieces = samples[: count * _PIECE].reshape(count, _PIECE)
    loud_db = 10 * np.log10(np.mean(pieces**2, axis=1) + 1e-12)
    active = (loud_db > np.percentile(loud_db, 95) - _BELOW_LOUD_DB) & (loud_db > _FLOOR_DB)
    smooth = np.convolve(active, np.ones(_SMOOTHED) / _SMOOTHED, "same") >= 0.5
    wide = np.convolve(smooth, np.ones(_WIDENED), "same") > 0
    return np.ascontiguousarray(pieces[wide].reshape(-1))


@lru_cache(maxsize=1)
def speaker_encoder() -> SpeakerEncoder:
    """The built-in network, loaded once; raises ModelDamaged."""
    return SpeakerEncoder()


def embed_sound(name: str, data: bytes) -> dict[str, Any]:
    """The template of the voice in an encoded sound, as plain data, with the model that made it.

    Raises NotASound, SoundTooLong, VoiceNotFound, ModelDamaged.
    """
    sound = decode_sound(name, data, RATE_HZ)
    print_ = speaker_encoder().embed(name, sound.samples)
    return {
        "model_sha256": ENCODER_SHA256,
        "threshold": THRESHOLD,
        "allowance": STRETCH_ALLOWANCE,
        "voice": print_.vector.tolist(),
        "stretches": print_.stretches.tolist(),
        "recording_s": sound.seconds,
    }
