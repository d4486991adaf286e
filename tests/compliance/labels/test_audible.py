"""The audible label: what is refused, then what is heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compliance.decode_sound import decode_sound
from compliance.encode_sound import Samples, encode_sound
from compliance.errors import LabelPartMissing, LabelTooWeak, SoundUnsuitable
from compliance.labels import audible, voice_clips
from compliance.labels.voice_clips import CLIP_RATE_HZ, DOT_S, RHYTHM_S, TONE_HZ, resampled
from tests.compliance.labels.sounds import FORMATS, TAGS, chord, speech

RATE = 16000
PROGRAMME = speech(4.0)
LABELLED = audible.draw_sound(PROGRAMME, RATE, "zh")
# Length of one label, and where in it rhythm and words stand.
LABEL = (len(LABELLED) - len(PROGRAMME)) // 2
RHYTHM_AT = slice(round(0.25 * RATE), round((0.25 + RHYTHM_S) * RATE))
WORDS_AT = slice(round((0.6 + RHYTHM_S) * RATE), LABEL - round(0.4 * RATE))
LEVEL = float(np.abs(LABELLED[RHYTHM_AT]).max())


def changed(at_start: Callable[[Samples], Samples] | None, at_end: Callable[[Samples], Samples] | None) -> Samples:
    """The labelled sound with its two labels changed."""
    first, middle, last = LABELLED[:LABEL].copy(), LABELLED[LABEL:-LABEL], LABELLED[-LABEL:].copy()
    return np.concatenate([at_start(first) if at_start else first, middle, at_end(last) if at_end else last])


def both(change: Callable[[Samples], Samples]) -> Samples:
    """The labelled sound with both labels changed in the same way."""
    return changed(change, change)


def morse(*marks: tuple[float, float], pitch_hz: float = TONE_HZ) -> Samples:
    """Marks of (length, gap behind) in dots, in the place and at the level of the rhythm."""
    sound = np.zeros(RHYTHM_AT.stop - RHYTHM_AT.start)
    at = 0.0
    for mark, gap in marks:
        first, last = round(at * DOT_S * RATE), round((at + mark) * DOT_S * RATE)
        sound[first:last] = LEVEL * np.sin(2 * np.pi * pitch_hz * np.arange(len(sound)) / RATE)[first:last]
        at += mark + gap
    return sound[:, None].astype(np.float32)


def with_rhythm(rhythm: Samples) -> Callable[[Samples], Samples]:
    """A change that puts another rhythm in its place."""

    def change(label: Samples) -> Samples:
        label[RHYTHM_AT] = rhythm
        return label

    return change


def faster(label: Samples, by: float = 1.1) -> Samples:
    """Pitch and tempo raised together."""
    return resampled(label[:, 0], round(len(label) / by))[:, None]


def with_words(part: slice, value: Callable[[Samples], Samples]) -> Callable[[Samples], Samples]:
    """A change of a part of the words."""

    def change(label: Samples) -> Samples:
        words = label[WORDS_AT]
        words[part] = value(words[part])
        return label

    return change


LOUD = speech(LABEL / RATE + 0.1, seed=9)[:LABEL]
HISS = np.random.default_rng(1).normal(size=(LABEL, 1)).astype(np.float32) * 0.2
HUM = 0.3 * np.sin(2 * np.pi * TONE_HZ * np.arange(LABEL, dtype=np.float32) / RATE)[:, None]
HALF = slice(0, (WORDS_AT.stop - WORDS_AT.start) // 2)
BAD: dict[str, Samples] = {
    "no label": PROGRAMME,
    "muted": both(lambda label: label * 0),
    "40 dB down": both(lambda label: label * 0.01),
    "16 dB down": both(lambda label: label * 0.158),
    "only at the start": LABELLED[:-LABEL],
    "only at the end": LABELLED[LABEL:],
    "quiet at the end": changed(None, lambda label: label * 0.05),
    "even gaps, the letter L": both(with_rhythm(morse((1, 1), (3, 1), (1, 1), (1, 0)))),
    "wrong order": both(with_rhythm(morse((1, 1), (1, 3), (1, 1), (3, 0)))),
    "long short, short short": both(with_rhythm(morse((3, 1), (1, 3), (1, 1), (1, 0)))),
    "five marks": both(with_rhythm(morse((1, 1), (3, 3), (1, 0.4), (0.3, 0.3), (1, 0)))),
    "no gaps": both(with_rhythm(morse((11, 0)))),
    "another pitch": both(with_rhythm(morse((1, 1), (3, 3), (1, 1), (1, 0), pitch_hz=740.0))),
    "faster and higher": both(faster),
    "slower and lower": both(lambda label: faster(label, 0.9)),
    "cut in half": both(lambda label: label[: LABEL // 2]),
    "first half missing": both(lambda label: label[LABEL // 2 :]),
    "half of the rhythm": both(with_rhythm(morse((1, 1), (3, 0)))),
    "a dash too short": both(with_rhythm(morse((1, 1), (2.5, 3.5), (1, 1), (1, 0)))),
    "a quiet rhythm": both(with_rhythm(morse((1, 1), (3, 3), (1, 1), (1, 0)) * 0.1)),
    "a rhythm in noise": both(with_rhythm(morse((1, 1), (3, 3), (1, 1), (1, 0)) + HISS[RHYTHM_AT])),
    "a rhythm under a hum": both(
        with_rhythm(morse((1, 1), (3, 3), (1, 1), (1, 0)) + 0.6 * morse((11, 0), pitch_hz=300.0))
    ),
    "no words": both(with_words(slice(None), np.zeros_like)),
    "half of the words": both(with_words(HALF, np.zeros_like)),
    "words backwards": both(with_words(slice(None), lambda words: words[::-1].copy())),
    "words of other voices": both(with_words(slice(None), lambda words: LOUD[: len(words)])),
    "quiet words": both(with_words(slice(None), lambda words: words * 0.1)),
    "backwards": LABELLED[::-1].copy(),
    "covered by speech": both(lambda label: label + 2 * LOUD),
    "covered by noise": both(lambda label: label + HISS),
    "covered by its own tone": both(lambda label: label + HUM),
    "shouted over": np.concatenate([LABELLED[:LABEL] * 0.2, PROGRAMME, LABELLED[-LABEL:] * 0.2]),
    "silent": np.zeros((5 * RATE, 1), np.float32),
    "one sample": np.zeros((1, 1), np.float32),
    "left only": np.hstack([LABELLED, both(np.zeros_like)]),
    "against each other": np.hstack([LABELLED, changed(lambda label: -label, np.zeros_like)]),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_label_is_refused(how: str) -> None:
    """Each of these would leave a listener without the label, or with another one."""
    found = audible.measure_sound(BAD[how], RATE)
    assert audible.state(found) != "intact"
    with pytest.raises(LabelTooWeak) as refusal:
        audible.require_sound(found)
    assert refusal.value.data["layer"] == "explicit"


@pytest.mark.parametrize("seed", range(2))
def test_unlabelled_sound_has_no_label(seed: int) -> None:
    """Speech, chords and noise say nothing."""
    noise = np.random.default_rng(seed).normal(size=(6 * RATE, 2)).astype(np.float32) * 0.1
    for sound in (speech(6.0, seed=seed), chord(6.0), noise):
        assert audible.state(audible.measure_sound(sound, RATE)) == "absent"


def test_a_label_without_sample_is_refused_in_a_demo_home() -> None:
    """And the other way round."""
    demo = audible.measure_sound(audible.draw_sound(PROGRAMME, RATE, "en", sample=True), RATE)
    audible.require_sound(demo, sample=True)
    for found, sample in ((demo, False), (audible.measure_sound(LABELLED, RATE), True)):
        with pytest.raises(LabelTooWeak, match="SAMPLE"):
            audible.require_sound(found, sample=sample)


@pytest.mark.parametrize(
    ("sound", "rate_hz"),
    [
        (np.zeros((0, 1), np.float32), RATE),
        (np.zeros((9, 3), np.float32), RATE),
        (np.zeros(9, np.float32), RATE),
        (PROGRAMME, 4000),
        (PROGRAMME, 400_000),
        (np.full((9, 1), np.nan, np.float32), RATE),
        (np.full((9, 1), np.inf, np.float32), RATE),
    ],
)
def test_what_cannot_carry_the_label_is_told(sound: Samples, rate_hz: int) -> None:
    """No label, no sound."""
    with pytest.raises(SoundUnsuitable):
        audible.draw_sound(sound, rate_hz, "zh")


def test_other_clips_are_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """A swapped clip stops the label: with a silent one, drawing and measuring would agree on nothing."""
    monkeypatch.setitem(voice_clips._CLIPS, "zh", ("notice_zh.wav", "0" * 64))
    voice_clips._clip.cache_clear()
    voice_clips.spoken.cache_clear()
    with pytest.raises(LabelPartMissing):
        audible.draw_sound(PROGRAMME, RATE, "zh")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", FORMATS)
def test_the_label_is_heard_through_every_format(form: str, language: audible.Language) -> None:
    """Rhythm and words at both ends, in the language chosen, after encoding and decoding."""
    sound = audible.draw_sound(speech(3.0, 24000, seed=len(form)), 24000, language)
    found = audible.measure_sound(*decode_sound(form, encode_sound(sound, 24000, form, TAGS)))
    audible.require_sound(found)
    assert found.languages == (language,)
    assert not found.sample


@pytest.mark.parametrize(("rate_hz", "gain"), [(8000, 1.0), (11025, 0.003), (44100, 1.0), (96000, 0.003)])
def test_loud_and_quiet_sound_at_any_rate_is_labelled(rate_hz: int, gain: float) -> None:
    """The label follows the programme down, but never below what can be heard; no sample leaves the scale."""
    for seconds in (0.1, 1.0):
        sound = audible.draw_sound(2 * gain * speech(seconds, rate_hz, 2), rate_hz, "zh")
        audible.require_sound(audible.measure_sound(sound, rate_hz))
        label = np.abs(sound[: rate_hz * 2]).max()
        assert 0.03 < label < 1.0


def test_the_programme_is_not_changed() -> None:
    """What the engine made stands between the labels sample by sample."""
    assert np.array_equal(LABELLED[LABEL:-LABEL], PROGRAMME)


def test_long_sound_is_labelled_every_five_minutes() -> None:
    """Eleven minutes carry four labels, the inner ones in pauses; without them it is refused."""
    rate_hz = 8000
    talk = speech(30.0, rate_hz)
    programme = np.concatenate([talk] * 22)
    sound = audible.draw_sound(programme, rate_hz, "en")
    found = audible.measure_sound(sound, rate_hz)
    audible.require_sound(found)
    places = [round(item.start_s) for item in found.rhythms]
    assert len(places) == 4
    assert max(np.diff(places)) < 310
    inner = (len(sound) - len(programme)) // 4
    bare = np.concatenate([sound[:inner], programme, sound[-inner:]])
    with pytest.raises(LabelTooWeak, match="five minutes"):
        audible.require_sound(audible.measure_sound(bare, rate_hz))


def test_the_clips_are_speech_of_a_normal_speed() -> None:
    """Six characters at 120 to 160 a minute, with a little silence behind."""
    assert 6 / 160 * 60 < len(voice_clips._clip("zh")) / CLIP_RATE_HZ < 6 / 120 * 60
