"""Sounds whose label has one thing wrong with it: seed in, samples, rate and whether "sample" was asked for out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.voice_clips import DOT_S, RHYTHM, TONE_HZ, loudness, resampled, spoken
from tests.compliance.labels.sounds import chord, speech

Chance = np.random.Generator
Mono = NDArray[np.float32]
Made = tuple[tuple[NDArray[np.float32], int], bool]
_RATE_HZ: Final = 16000
_EVEN: Final = ((1, 1), (3, 1), (1, 1), (1, 0))


def _programme(chance: Chance) -> Mono:
    seconds = float(chance.uniform(3, 12))
    made = (
        speech(seconds, _RATE_HZ, 1, int(chance.integers(1 << 16))) if chance.integers(2) else chord(seconds, _RATE_HZ)
    )
    return made[:, 0]


def _silence(seconds: float) -> Mono:
    return np.zeros(round(seconds * _RATE_HZ), np.float32)


def morse(marks: Sequence[tuple[int, int]] = RHYTHM, dot_s: float = DOT_S, tone_hz: float = TONE_HZ) -> Mono:
    """A rhythm at unit level, keyed by hand."""
    pieces = []
    for mark, gap in marks:
        count = round(mark * dot_s * _RATE_HZ)
        time_s = np.arange(count) / _RATE_HZ
        ramp = np.clip(np.minimum(time_s, time_s[::-1]) / 0.006, 0, 1)
        pieces += [(np.sqrt(2) * ramp * np.sin(2 * np.pi * tone_hz * time_s)).astype(np.float32), _silence(gap * dot_s)]
    return np.concatenate(pieces)


def label(rhythm: Mono | None = None, words: Mono | None = None) -> Mono:
    """Rhythm and words with their silences, at unit level."""
    rhythm = morse() if rhythm is None else rhythm
    words = spoken("zh", _RATE_HZ) if words is None else words
    return np.concatenate([_silence(0.3), rhythm, _silence(0.35), words, _silence(0.4)])


def _level(programme: Mono) -> float:
    return min(max(loudness(programme, _RATE_HZ) * 0.9, 0.04), 0.22)


def _put(programme: Mono, at_start: Mono, at_end: Mono | None = None) -> Made:
    """A sound with a label before and behind it, in one channel."""
    level = _level(programme)
    end = at_start if at_end is None else at_end
    sound = np.concatenate([at_start * level, programme, end * level]).astype(np.float32)
    return (sound[:, None], _RATE_HZ), False


def control(chance: Chance) -> Made:
    """Nothing wrong: shows that the label made by hand is one that is accepted."""
    return _put(_programme(chance), label())


def _missing(chance: Chance) -> Made:
    return (_programme(chance)[:, None], _RATE_HZ), False


def _muted(chance: Chance) -> Made:
    whole = label()
    return _put(_programme(chance), np.zeros_like(whole))


def _quiet(chance: Chance) -> Made:
    return _put(_programme(chance), label() * np.float32(10 ** (-chance.uniform(20, 45) / 20)))


def _even_gaps(chance: Chance) -> Made:
    return _put(_programme(chance), label(morse(_EVEN)))


def _other_morse(chance: Chance) -> Made:
    """Letters that are not A and I."""
    others = (
        ((3, 1), (1, 3), (1, 1), (1, 0)),
        ((1, 1), (1, 3), (1, 1), (1, 0)),
        ((1, 1), (3, 3), (1, 1), (3, 0)),
        ((1, 1), (3, 3), (1, 0)),
        ((1, 1), (3, 3), (1, 1), (1, 1), (1, 0)),
        ((3, 1), (3, 3), (3, 1), (3, 0)),
        ((1, 0),),
    )
    return _put(_programme(chance), label(morse(others[int(chance.integers(len(others)))])))


def _too_short(chance: Chance) -> Made:
    return _put(_programme(chance), label(morse(dot_s=DOT_S * float(chance.uniform(0.15, 0.6)))))


def _too_slow(chance: Chance) -> Made:
    return _put(_programme(chance), label(morse(dot_s=DOT_S * float(chance.uniform(1.5, 3)))))


def _wrong_pitch(chance: Chance) -> Made:
    tone_hz = TONE_HZ * float(chance.choice([0.5, 0.7, 1.4, 2.0, 4.0]))
    return _put(_programme(chance), label(morse(tone_hz=tone_hz)))


def _start_only(chance: Chance) -> Made:
    return _put(_programme(chance), label(), _silence(0.1))


def _end_only(chance: Chance) -> Made:
    return _put(_programme(chance), _silence(0.1), label())


def _no_words(chance: Chance) -> Made:
    return _put(_programme(chance), label(words=_silence(1.5)))


def _no_rhythm(chance: Chance) -> Made:
    return _put(_programme(chance), label(rhythm=_silence(1.3)))


def _wrong_words(chance: Chance) -> Made:
    """Backwards, another word, or half of it."""
    words = spoken("zh", _RATE_HZ)
    ways = (words[::-1].copy(), np.asarray(spoken("sample", _RATE_HZ)), words[: len(words) // 2])
    return _put(_programme(chance), label(words=ways[int(chance.integers(3))]))


def _fast_words(chance: Chance) -> Made:
    words = np.asarray(spoken("zh", _RATE_HZ))
    fast = resampled(words, round(len(words) / float(chance.uniform(1.3, 3))))
    return _put(_programme(chance), label(words=fast))


def _covered(chance: Chance) -> Made:
    """Noise over the whole label, louder than it."""
    whole = label()
    noise = chance.normal(0, float(chance.uniform(1.2, 4)), len(whole)).astype(np.float32)
    return _put(_programme(chance), whole + noise)


def _one_side(chance: Chance) -> Made:
    """In one of two channels only."""
    (sound, rate_hz), _ = _put(_programme(chance), label())
    other = sound.copy()
    count = len(label())
    other[:count], other[-count:] = 0, 0
    sides = [sound, other] if chance.integers(2) else [other, sound]
    return (np.concatenate(sides, axis=1), rate_hz), False


def _clipped_away(chance: Chance) -> Made:
    """The first and last half second are cut off, and the rhythm's first mark with them."""
    (sound, rate_hz), _ = _put(_programme(chance), label())
    lost = round(float(chance.uniform(0.5, 1.2)) * rate_hz)
    return (sound[lost:], rate_hz), False


BAD_SOUNDS: Final[dict[str, Callable[[Chance], Made]]] = {
    "no label": _missing,
    "muted": _muted,
    "too quiet": _quiet,
    "even gaps (the letter L)": _even_gaps,
    "another Morse word": _other_morse,
    "rhythm too short": _too_short,
    "rhythm too slow": _too_slow,
    "another pitch": _wrong_pitch,
    "only at the start": _start_only,
    "only at the end": _end_only,
    "no words": _no_words,
    "no rhythm": _no_rhythm,
    "wrong words": _wrong_words,
    "words too fast": _fast_words,
    "covered by noise": _covered,
    "in one channel only": _one_side,
    "its beginning cut away": _clipped_away,
}
