"""Voices leaned and edited: what cannot be worked on is refused, then pitch, size and pace are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from compliance.errors import NotASound, OptionUnfit, SignetError, SoundTooLong, VoiceConsentMissing, VoiceNotFound
from compliance.media import MediaInfo, unseal_sound
from compliance.permit import Role
from engines import sound
from engines.engine import Input, Request, load_engine
from engines.job import CancelToken, JobCancelled, Progress
from engines.sound import decode_sound, resampled
from engines.voice import hearing
from engines.voice.speaker import speaker_encoder
from engines.voice.world import RATE_HZ, blocks, log_pitch, pitch_of
from tests.engines.conftest import permit_for, request_for
from tests.engines.voices import HIGH, LOW, speech, wav


def changed(
    engine_id: str, inputs: Mapping[Role, bytes], cancel: CancelToken | None = None, **options: Any
) -> tuple[np.ndarray, MediaInfo]:
    """The samples that come out, and what is told of them."""
    engine = load_engine(engine_id)
    request = request_for(engine, tuple(inputs), faces=1, **options)
    media = engine.run(request, permit_for(request), inputs, lambda _event: None, cancel or CancelToken())
    return unseal_sound(media)[:, 0].astype(np.float64), media.info


def pitch_hz(samples: np.ndarray) -> float:
    """The middle of the tune."""
    return float(np.exp(log_pitch(pitch_of(np.ascontiguousarray(samples))[0])[0]))


BAD: dict[str, tuple[bytes, type[SignetError]]] = {
    "empty": (b"", NotASound),
    "words": (b"these are words", NotASound),
    "cut off": (wav(speech(LOW, 1.0))[:40], NotASound),
    "silence": (wav(np.zeros(32000)), VoiceNotFound),
    "noise": (wav(np.random.default_rng(1).normal(size=32000) * 0.1), VoiceNotFound),
    "a tenth of a second": (wav(speech(LOW, 0.1)), VoiceNotFound),
}


@pytest.mark.parametrize("role", ["source", "target"])
@pytest.mark.parametrize("name", list(BAD))
def test_what_is_no_voice_is_refused_by_its_name(name: str, role: Role, low_voice: bytes) -> None:
    """On either side; the message names the file that is wrong."""
    data, error = BAD[name]
    inputs: dict[Role, bytes] = {"source": low_voice, "target": low_voice, role: data}
    with pytest.raises(error) as refusal:
        changed("voice.lean", inputs)
    assert refusal.value.data["path"] == f"{role}.png"


def test_a_recording_that_is_too_long_is_refused_before_its_end(
    low_voice: bytes, high_voice: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long reference is cut, and that is told; long speech is refused."""
    monkeypatch.setattr(sound, "LONGEST_S", 1.5)
    with pytest.raises(SoundTooLong):
        changed("voice.attribute", {"target": low_voice})
    monkeypatch.setattr(sound, "LONGEST_S", 1800.0)
    monkeypatch.setattr("engines.voice.convert.REFERENCE_S", 1.5)
    _, info = changed("voice.lean", {"source": high_voice, "target": low_voice})
    assert hearing.CUT_REFERENCE in info.warnings


@pytest.mark.parametrize("likeness", ["face", "none"])
def test_a_recording_is_somebodys_voice_whatever_it_is_said_to_be(likeness: Any) -> None:
    """The worker asks this of every request before it begins."""
    request = Request("voice.convert", "voice.lean", (Input("source", likeness, "0" * 64, "a.wav"),))
    with pytest.raises(VoiceConsentMissing):
        request.verify_voices()


def test_a_voice_leans_towards_the_other(low_voice: bytes, high_voice: bytes) -> None:
    """Pitch goes all the way or half of it, and the template comes nearer; length and loudness stay."""
    encoder = speaker_encoder()
    before = decode_sound("low", low_voice, RATE_HZ).samples
    other = encoder.embed("high", speech(HIGH, 4.0, seed=9)).vector

    def nearness(samples: np.ndarray) -> float:
        return float(encoder.embed("made", resampled(samples, RATE_HZ, 16000)).vector @ other)

    made, info = changed("voice.lean", {"source": high_voice, "target": low_voice}, mix=0.5)
    assert abs(pitch_hz(made) / 215 - 1) < 0.1
    assert nearness(made) > nearness(before) + 0.1
    assert len(made) == len(before) and np.sqrt((made**2).mean() / (before**2).mean()) == pytest.approx(1, abs=0.1)
    assert hearing.SHORT_REFERENCE in info.warnings
    half, _ = changed("voice.lean", {"source": high_voice, "target": low_voice}, strength=0.5)
    assert pitch_hz(before) * 1.15 < pitch_hz(half) < pitch_hz(made) * 0.9


@pytest.mark.parametrize(
    ("options", "pitch", "length"),
    [({"pitch": 12.0}, 2.0, 1.0), ({"pitch": -4.0}, 0.794, 1.0), ({"rate": 2.0}, 1.0, 0.5), ({"rate": 0.5}, 1.0, 2.0)],
    ids=["an octave up", "four semitones down", "twice as fast", "half as fast"],
)
def test_pitch_and_pace_change_apart(low_voice: bytes, options: dict[str, float], pitch: float, length: float) -> None:
    """Each alone, by as much as was asked for."""
    before = decode_sound("low", low_voice, RATE_HZ).samples
    made, _ = changed("voice.attribute", {"target": low_voice}, **options)
    assert pitch_hz(made) / pitch_hz(before) == pytest.approx(pitch, rel=0.06)
    assert len(made) / len(before) == pytest.approx(length, rel=0.001)


def test_formants_breath_and_liveliness_change(low_voice: bytes) -> None:
    """A smaller mouth has its power higher up; breath fills the gaps between harmonics; no tune is flat."""

    def centre_hz(samples: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(samples)) ** 2
        at_hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
        heard = (at_hz > 200) & (at_hz < 4000)
        return float((power * at_hz)[heard].sum() / power[heard].sum())

    before = decode_sound("low", low_voice, RATE_HZ).samples
    small, _ = changed("voice.attribute", {"target": low_voice}, formants=1.3)
    assert centre_hz(small) > centre_hz(before) * 1.12
    assert abs(pitch_hz(small) / pitch_hz(before) - 1) < 0.05
    flat, _ = changed("voice.attribute", {"target": low_voice}, liveliness=0.0)
    assert log_pitch(pitch_of(flat)[0])[1] < 0.5 * log_pitch(pitch_of(before)[0])[1]
    breathy, _ = changed("voice.attribute", {"target": low_voice}, breath=1.0)
    assert np.abs(breathy[: len(small)] - before[: len(small)]).mean() > 0.01


@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_stereo_and_telephone_sound_are_taken(rate_hz: int, high_voice: bytes) -> None:
    """Two channels become one; with telephone sound the missing part is told."""
    data = wav(speech(LOW, 2.0, rate_hz), rate_hz, channels=2)
    made, info = changed("voice.lean", {"source": high_voice, "target": data})
    assert (info.rate_hz, info.channels) == (RATE_HZ, 1) and len(made) == 2 * RATE_HZ
    assert (hearing.NARROW in info.warnings) == (rate_hz == 8000)


def test_overdriven_sound_is_told(high_voice: bytes) -> None:
    """It is worked on all the same."""
    _, info = changed("voice.attribute", {"target": wav(np.clip(speech(LOW, 2.0) * 8, -1, 1))})
    assert info.warnings == (hearing.CLIPPED,)


def test_long_sound_goes_in_blocks_that_can_be_stopped_between() -> None:
    """Blocks cover everything once, end where it is quiet, and each begins with a look at the token."""
    paused = np.concatenate([speech(LOW, 2.5), np.zeros(8000)])
    samples = decode_sound("long", wav(np.tile(paused, 5)), RATE_HZ).samples
    cut = blocks(samples)
    assert cut[0][0] == 0 and cut[-1][1] == len(samples)
    assert [stop for _, stop in cut[:-1]] == [start for start, _ in cut[1:]]
    assert all(stop - start <= 12.1 * RATE_HZ for start, stop in cut)
    assert len(cut) > 1 and all(np.abs(samples[stop - 50 : stop + 50]).max() < 0.001 for _, stop in cut[:-1])


def test_a_stop_comes_between_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first of several blocks nothing more is worked on."""
    monkeypatch.setattr("engines.voice.world.BLOCK_S", 1.0)
    engine, cancel, seen = load_engine("voice.attribute"), CancelToken(), []
    data = wav(speech(LOW, 4.0))
    request = request_for(engine, ("target",), faces=1)

    def on_event(event: Any) -> None:
        assert isinstance(event, Progress)
        seen.append(event.stage)
        if event.stage == "changing the voice":
            cancel.cancel()

    with pytest.raises(JobCancelled):
        engine.run(request, permit_for(request), {"target": data}, on_event, cancel)
    assert seen.count("changing the voice") == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"start_s": 2.0, "end_s": 1.0}, OptionUnfit),
        ({"start_s": 1.0, "end_s": 1.0}, OptionUnfit),
        ({"start_s": 900.0}, VoiceNotFound),
    ],
)
def test_a_part_that_holds_nothing_is_refused(
    options: dict[str, float], error: type[SignetError], low_voice: bytes
) -> None:
    """It ends before it begins, or lies behind the end of the recording."""
    with pytest.raises(error):
        changed("voice.attribute", {"target": low_voice}, **options)


def test_only_the_part_that_was_asked_for_goes_in(low_voice: bytes, high_voice: bytes) -> None:
    """As long as the part, and the same as if the rest had never been there; the reference has a part of its own."""
    whole = decode_sound("low", low_voice, RATE_HZ).samples
    made, _ = changed("voice.attribute", {"target": low_voice}, pitch=3.0, start_s=0.5, end_s=2.0)
    assert len(made) == pytest.approx(1.5 * RATE_HZ, abs=2)
    cut = wav(whole[round(0.5 * RATE_HZ) : round(2.0 * RATE_HZ)], RATE_HZ)
    alone, _ = changed("voice.attribute", {"target": cut}, pitch=3.0)
    assert np.corrcoef(made[: len(alone)], alone[: len(made)])[0, 1] > 0.99
    both: dict[Role, bytes] = {"source": high_voice, "target": low_voice}
    leaned, info = changed("voice.lean", both, end_s=1.5, reference_start_s=0.5, reference_end_s=2.0)
    assert len(leaned) == pytest.approx(1.5 * RATE_HZ, abs=2)
    assert hearing.CUT_REFERENCE not in info.warnings
