"""The voice encoder: damaged weights and recordings without speech are refused, then voices are told apart."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from compliance.errors import ModelDamaged, NotASound, VoiceNotFound
from engines.sound import decode_sound
from engines.voice.mel import mel_bank, mel_spectrum
from engines.voice.phrase import heard_words, signal_to_noise_db
from engines.voice.speaker import (
    ENCODER,
    ENCODER_SHA256,
    RATE_HZ,
    STRETCH_ALLOWANCE,
    THRESHOLD,
    SpeakerEncoder,
    embed_sound,
    speaker_encoder,
    speech_of,
)
from tests.engines.voices import HIGH, LOW, Person, speech, wav


def vector(person: Person, seed: int, seconds: float = 4.0) -> np.ndarray:
    """The template of one made recording."""
    return speaker_encoder().embed("made", speech(person, seconds, seed=seed)).vector


@pytest.mark.parametrize("damage", ["one bit", "cut off", "gone"])
def test_damaged_weights_are_refused(tmp_path: Path, damage: str) -> None:
    """Whatever is wrong with the file, nobody is recognised with it."""
    data, path = bytearray(ENCODER.read_bytes()), tmp_path / "speaker_encoder.safetensors"
    data[len(data) // 2] ^= 1
    if damage != "gone":
        path.write_bytes(bytes(data) if damage == "one bit" else ENCODER.read_bytes()[:-1])
    with pytest.raises(ModelDamaged):
        SpeakerEncoder(path, ENCODER_SHA256)


@pytest.mark.parametrize(
    ("samples", "error"),
    [
        (np.zeros(RATE_HZ * 3), VoiceNotFound),
        (np.full(RATE_HZ * 3, 1e-5), VoiceNotFound),
        (speech(LOW, 0.9), VoiceNotFound),
        (np.zeros(0), NotASound),
    ],
    ids=["silence", "nearly silence", "under a second", "nothing"],
)
def test_a_recording_without_enough_speech_has_no_template(samples: np.ndarray, error: type[Exception]) -> None:
    """It would fit anybody or nobody."""
    with pytest.raises(error):
        embed_sound("made", wav(samples))


def test_one_voice_is_known_again_and_another_is_not() -> None:
    """By the threshold that consents are recorded with; a template has unit length."""
    own, again, other = vector(LOW, 1), vector(LOW, 2), vector(HIGH, 1)
    assert own @ again >= THRESHOLD > own @ other
    assert np.linalg.norm(own) == pytest.approx(1.0, abs=1e-5)


def test_another_voice_in_between_is_not_lost_in_the_whole() -> None:
    """The mean of a long recording hides some seconds of somebody else; its stretches do not."""
    own = vector(LOW, 1)
    alone = speaker_encoder().embed("alone", speech(LOW, 18.0, seed=2))
    joined = np.concatenate([speech(LOW, 18.0, seed=2), speech(HIGH, 6.0, seed=2)])
    mixed = speaker_encoder().embed("mixed", joined)
    assert (alone.stretches @ own).min() + STRETCH_ALLOWANCE >= THRESHOLD
    assert mixed.vector @ own >= THRESHOLD
    assert (mixed.stretches @ own).min() + STRETCH_ALLOWANCE < THRESHOLD


def test_level_channels_and_rate_change_little() -> None:
    """Quiet, stereo and at another rate it is still the same voice."""
    samples = speech(LOW, 4.0)
    plain = np.array(embed_sound("a", wav(samples))["voice"])
    for data in (wav(samples * 0.02), wav(samples, channels=2), wav(speech(LOW, 4.0, 44100), 44100)):
        assert plain @ np.array(embed_sound("b", data)["voice"]) > 0.85


def test_pauses_are_left_out() -> None:
    """Five seconds of silence in the middle do not count as speech."""
    samples = speech(LOW, 3.0)
    paused = np.concatenate([samples, np.zeros(RATE_HZ * 5), samples])
    assert len(speech_of(paused)) / RATE_HZ < 7.0


def test_mel_filters_are_triangles_of_equal_area() -> None:
    """Slaney's filters: every band has the same weight; a tone falls into its band."""
    bank = mel_bank(RATE_HZ, 4096, 40, 0.0, 8000.0)
    assert np.allclose(bank.sum(axis=1) * RATE_HZ / 4096, 1.0, atol=0.1)
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    spectrum = mel_spectrum(tone, RATE_HZ, 400, 160, 40)
    assert spectrum.shape == (101, 40)
    assert set(spectrum[5:-5].argmax(axis=1)) == {13}


def test_noise_is_told_in_decibels() -> None:
    """Within a few decibels of what was added; silence has none to speak of."""
    samples = np.concatenate([np.zeros(RATE_HZ), speech(LOW, 4.0), np.zeros(RATE_HZ)])
    level = np.sqrt((samples**2).mean())
    chance = np.random.default_rng(4)
    noisy = samples + chance.normal(size=len(samples)) * level / 10 ** (10 / 20)
    assert signal_to_noise_db(np.zeros(RATE_HZ)) == 0.0
    assert signal_to_noise_db(noisy) < 18.0 < signal_to_noise_db(samples)


def test_no_words_are_heard_where_none_are_spoken() -> None:
    """Vowels without words, and silence."""
    words = ["amber", "anchor", "castle", "river"]
    assert heard_words(np.zeros(RATE_HZ), ["my", "name"], "my words are", words, 2) == []
    assert len(heard_words(speech(LOW, 2.0), ["my", "name"], "my words are", words, 6)) <= 6


def test_decoding_is_narrow() -> None:
    """Play lists, pictures and containers that are not on the list are refused, whatever FFmpeg makes of them."""
    sun = b".snd" + struct.pack(">5I", 24, 32000, 3, RATE_HZ, 1) + (speech(LOW, 1.0) * 32767).astype(">i2").tobytes()
    for data in (b"", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", b"ffconcat version 1.0\nfile a.wav\n", b"\xff\xd8", sun):
        with pytest.raises(NotASound):
            decode_sound("list", data, RATE_HZ)
