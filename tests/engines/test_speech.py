"""Built-in voices: what they refuse, what the speech process keeps apart, and what their sound is like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.errors import OptionUnfit, SpeechFailed, TextEmpty, VoiceMissing
from compliance.media import SyntheticMedia, unseal_sound
from engines.engine import load_engine
from engines.job import CancelToken
from engines.voice import speech, stock
from engines.voice.joining import RATE_HZ, Spoken, active_dbfs, join, resample, trimmed
from studio.speech import SpeechProcess
from tests.engines.conftest import permit_for, request_for

Speak = Callable[..., SyntheticMedia]


@pytest.fixture
def speak() -> Speak:
    """Speak with these options."""
    engine = load_engine("voice.stock")

    def spoken(seed: int = 0, **options: Any) -> SyntheticMedia:
        request = request_for(engine, seed=seed, **options)
        return engine.run(request, permit_for(request), {}, lambda _: None, CancelToken())

    return spoken


@pytest.fixture
def through() -> Iterator[Callable[[Any], None]]:
    """Let voices talk through something else in one test."""
    before = speech.talk_through(None)
    speech.talk_through(before)

    def replace(begin: Any) -> None:
        speech.talk_through(begin)

    yield replace
    speech.talk_through(before)


def _peaks_hz(samples: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate_hz / len(samples)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 0.1},
        {"rate": float("nan")},
        {"rate": "fast"},
        {"pitch": 40},
        {"voice": "nobody"},
        {"language": "xx"},
        {"form": "poem"},
        {"text": 5},
        {"volume": 11},
    ],
)
def test_options_that_do_not_fit_are_refused(speak: Speak, options: dict[str, Any]) -> None:
    """Before anything is spoken."""
    with pytest.raises(OptionUnfit):
        speak(**options)
    with pytest.raises(TextEmpty):
        speak(text=" ")


def test_without_the_speech_process_the_voice_says_so(speak: Speak, through: Callable[[Any], None]) -> None:
    """Not started, and gone in between."""
    through(None)
    with pytest.raises(SpeechFailed):
        speak()
    gone = SpeechProcess()
    gone.close()
    through(gone.begin)
    with pytest.raises(SpeechFailed):
        speak()


class _Answers:
    """Stands for the speech process: answers from a list, errors among them."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.closed = 0

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1


def _tone(seconds: float) -> tuple[dict[str, Any], bytes]:
    wave = np.sin(np.arange(round(seconds * 16000)) * 0.1) * 9000
    return {"rate_hz": 16000}, wave.astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (EOFError(), SpeechFailed),
        (TimeoutError(), SpeechFailed),
        (OSError(), SpeechFailed),
        (({"refused": "no sound"}, b""), SpeechFailed),
        (({"missing": "espeak-ng"}, b""), VoiceMissing),
    ],
)
def test_a_voice_that_fails_is_told(
    speak: Speak, through: Callable[[Any], None], answer: Any, error: type[Exception]
) -> None:
    """A crash, a hang, a refusal, a missing library: a sentence each, and the conversation is ended."""
    talk = _Answers(answer)
    through(lambda: talk)
    with pytest.raises(error):
        speak(text="你好。")
    assert talk.closed == 1


def test_silence_is_no_speech(speak: Speak, through: Callable[[Any], None]) -> None:
    """A library that answers with silence has failed."""
    through(lambda: _Answers(*[({"rate_hz": 16000}, bytes(32000))] * 2))
    with pytest.raises(SpeechFailed):
        speak(text="Low tide.")


def test_a_sentence_of_impossible_length_is_spoken_again_and_told(speak: Speak, through: Callable[[Any], None]) -> None:
    """Once more in a new conversation; if that is no better, the user is warned."""
    talk = _Answers(_tone(8), _tone(1.2))
    through(lambda: talk)
    assert speak(text="The low tide is late.").info.warnings == ()
    assert talk.closed == 2 and len(talk.asked) == 2
    through(lambda: _Answers(_tone(8), _tone(8)))
    assert len(speak(text="The low tide is late.").info.warnings) == 1


def test_without_flite_the_formant_voice_speaks_and_it_is_told(speak: Speak, through: Callable[[Any], None]) -> None:
    """Only where nobody chose the voice."""
    missing = ({"missing": "flite"}, b"")
    talk = _Answers(missing, _tone(1.0))
    through(lambda: talk)
    info = speak(text="The low tide.").info
    assert [asked["op"] for asked in talk.asked] == ["flite", "espeak"]
    assert (info.origin, len(info.warnings)) == ("algorithmicMedia", 1)
    through(lambda: _Answers(missing))
    with pytest.raises(VoiceMissing):
        speak(text="The low tide.", voice="slt")


# --- the speech process ----------------------------------------------------------------------------------------------


def test_the_libraries_stay_out_of_this_process(speak: Speak) -> None:
    """espeak-ng is under the GPL and speaks in a program of its own; nothing of it is loaded here."""
    speak(text="Low tide. 退潮。")
    loaded = Path("/proc/self/maps").read_text()
    assert "espeak" not in loaded and "flite" not in loaded


def test_a_conversation_that_crashes_leaves_the_others_alone() -> None:
    """A child that is broken ends by itself; the next one speaks, and closing ends everything."""
    process = SpeechProcess()
    crashed = process.begin()
    with pytest.raises(EOFError):
        crashed.ask({"op": "espeak", "voice": 5})
    crashed.close()
    second = process.begin()
    body, sound = second.ask({"op": "espeak", "voice": "cmn", "text": "潮", "words_a_minute": 165, "pitch": 50})
    assert body["rate_hz"] == 22050 and len(sound) > 1000
    second.close()
    process.close()
    with pytest.raises(EOFError):
        process.begin()


def test_the_speech_process_is_confined() -> None:
    """Before it loads anything it has given up new privileges, sockets and programs, and so have its children."""
    process = SpeechProcess()
    talk = process.begin()
    talk.ask({"op": "look", "library": "espeak", "voice": ""})
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    talk.close()
    process.close()


def test_unknown_requests_and_voices_are_refused() -> None:
    """By name, without a crash."""
    with speech.Speech() as asked:
        with pytest.raises(SpeechFailed):
            asked.espeak("xx-none", "a")
        with pytest.raises(VoiceMissing):
            asked.flite("nobody", "a")
        assert asked.has("flite", "rms") and not asked.has("flite", "nobody")
        assert "h" in asked.phonemes("en-us", "hello")


# --- the sound -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Low tide at 9:00, and $3.50 for tea.", "潮水在9点退去，茶¥3.50。"])
def test_speech_is_audible_whole_and_unclipped(speak: Speak, text: str) -> None:
    """Loud enough, no full scale, quiet edges, no gap within, as long as its words."""
    media = speak(text=text)
    samples = unseal_sound(media)[:, 0]
    assert media.info.rate_hz == RATE_HZ and np.isfinite(samples).all()
    assert 0.2 < np.abs(samples).max() < 0.9
    assert -24 < active_dbfs([samples]) < -16
    assert np.abs(samples[:1200]).max() < 0.01 and np.abs(samples[-1200:]).max() < 0.01
    heard = np.abs(samples[: len(samples) // 480 * 480].reshape(-1, 480)).max(axis=1) > 0.01
    inner = heard[np.argmax(heard) : len(heard) - np.argmax(heard[::-1])]
    gaps = np.diff(np.flatnonzero(np.r_[True, inner, True]))
    assert gaps.max() * 0.02 < 0.5
    assert len(media.info.spans_ms) == 1


def test_the_origin_is_told_honestly(speak: Speak) -> None:
    """Formants come from rules; a voice that was trained on recordings makes the whole sound trained."""
    assert speak(text="退潮。").info.origin == "algorithmicMedia"
    assert speak(text="Tide.").info.origin == "trainedAlgorithmicMedia"
    assert speak(text="Tide. 退潮。").info.origin == "trainedAlgorithmicMedia"
    assert speak(text="Tide.", voice="formant").info.origin == "algorithmicMedia"


def test_rate_pitch_pauses_and_seeds_are_heard(speak: Speak) -> None:
    """Twice as fast is about half as long; higher is higher; a pause is as long as it says; a seed varies."""
    text = "The low tide is late today."
    for voice in ("rms", "formant"):
        usual, fast = speak(text=text, voice=voice), speak(text=text, voice=voice, rate=2.0)
        assert 0.4 < (fast.info.frames - 7200) / (usual.info.frames - 7200) < 0.65
    paused = speak(text="Low. <break time='2s'/>Tide.").info.spans_ms
    assert paused[1][0] - paused[0][1] == pytest.approx(2000, abs=2)
    takes = {unseal_sound(speak(text=text, seed=seed)).tobytes() for seed in (0, 1, 2)}
    assert len(takes) == 3


def test_pitch_moves_every_voice(through: Callable[[Any], None]) -> None:
    """By what is asked of the library, or by playing slower speech faster."""
    talk = _Answers(_tone(1), _tone(1), _tone(1))
    through(lambda: talk)
    with speech.Speech() as asked:
        higher = stock._Delivery(1.0, 12.0, 0.0)
        made = stock._speak(asked, stock.VOICES[0], "tide", "en", higher)
        stock._speak(asked, stock.VOICES[1], "tide", "en", higher)
        stock._speak(asked, stock.ANY, "tide", "en", higher)
    assert talk.asked[0]["rate"] == pytest.approx(stock.VOICES[0].pace / 2)
    assert _peaks_hz(made, RATE_HZ) == pytest.approx(2 * 0.1 * 16000 / (2 * np.pi), rel=0.01)
    assert talk.asked[1]["pitch_hz"] == pytest.approx(330) and talk.asked[2]["pitch"] > 90


# --- joining ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("from_hz", [16000, 22050, 48000])
def test_resampling_keeps_tones_and_adds_none(from_hz: int) -> None:
    """A tone comes out at its own pitch and level, with everything else 60 dB below."""
    wave = np.sin(2 * np.pi * 3000 * np.arange(from_hz) / from_hz).astype(np.float32)
    made = resample(wave, from_hz)[2000:-2000]
    spectrum = np.abs(np.fft.rfft(made * np.blackman(len(made))))
    best = int(np.argmax(spectrum))
    assert best * RATE_HZ / len(made) == pytest.approx(3000, abs=2)
    spectrum[best - 6 : best + 7] = 0
    assert 20 * np.log10(spectrum.max() / (0.42 * len(made) / 2)) < -60
    assert np.abs(made).max() == pytest.approx(1.0, abs=0.02)


def test_joined_pieces_have_one_loudness_and_soft_seams() -> None:
    """A quiet voice is raised to a loud one; nothing clicks where two pieces meet; spans follow the pauses."""
    wave = np.sin(np.arange(24000) * 0.05).astype(np.float32)
    quiet = trimmed(np.r_[np.zeros(9000), wave * 0.01, np.zeros(9000)].astype(np.float32))
    assert len(quiet) <= 24000 + 0.1 * RATE_HZ
    sound, spans = join([Spoken(wave * 0.8, "a", 0, 0, 0), Spoken(quiet, "b", 0, 0, 300), Spoken(wave, "a", 0, 1, 0)])
    first, second = sound[6000:20000], sound[30000:44000]
    assert active_dbfs([first]) == pytest.approx(active_dbfs([second]), abs=1.5)
    assert np.abs(np.diff(sound[3000:48000])).max() < 0.05
    assert spans[1][0] - spans[0][1] == pytest.approx(300, abs=1)
    assert len(trimmed(np.zeros(5000, np.float32))) == 0


def test_a_peaky_sound_is_not_clipped() -> None:
    """Short loud strokes in a soft sound are turned down together with it."""
    strokes = np.full(24000, 0.01, np.float32)
    strokes[::2400] = 1.0
    sound, _ = join([Spoken(strokes, "a", 6.0, 0, 0)])
    assert 0.8 < np.abs(sound).max() < 0.9
