"""Reads the recordings that voice engines work on and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from compliance.errors import VoiceNotFound
from engines.sound import Sound, decode_sound
from engines.voice.lean import VoiceShape, narrowest, shape_of
from engines.voice.world import RATE_HZ, Parts, resized, some_of, take_apart

LEAST_VOICED_S: Final = 0.5
SHORT_S: Final = 6.0
REFERENCE_S: Final = 300.0
_CLIPPED_SHARE = 0.001
_LOUD_ENOUGH = 10 ** (-55 / 20)
_MEASURED_BLOCKS = 6

SHORT_REFERENCE = "the reference is short: the result will be rough"
CUT_REFERENCE = "only the first five minutes of the reference were used"
NARROW = "a recording has no high frequencies: only the lower part of the voice was changed"
CLIPPED = "a recording is overdriven: the result will sound rough"


def read_voice(name: str, data: bytes, *, first_s: float | None = None) -> Sound:
    """A recording at the rate of WORLD; raises NotASound, SoundTooLong, VoiceNotFound when it is silent."""
    sound = decode_sound(name, data, RATE_HZ, first_s=first_s)
    if float((sound.samples**2).mean()) < _LOUD_ENOUGH**2:
        raise VoiceNotFound(path=name, seconds=0, limit_s=LEAST_VOICED_S)
    return sound


def pieces_of(sound: Sound, check: Callable[[], None]) -> list[Parts]:
    """Up to a minute of a recording, taken apart; check is called between blocks."""
    pieces = []
    for start, stop in some_of(sound.samples, _MEASURED_BLOCKS):
        check()
        pieces.append(take_apart(sound.samples[start:stop]))
    return pieces


def measured(name: str, pieces: list[Parts], high_hz: float, size: float = 1.0) -> VoiceShape:
    """The shape of a voice, as if its mouth were of another size; raises VoiceNotFound."""
    shape = shape_of([resized(piece, size) for piece in pieces], high_hz)
    if shape.voiced_s < LEAST_VOICED_S:
        raise VoiceNotFound(path=name, seconds=round(shape.voiced_s, 1), limit_s=LEAST_VOICED_S)
    return shape


def complaints(*sounds: Sound) -> list[str]:
    """Warnings about recordings, each an English message id."""
    found = []
    if any(sound.clipped > _CLIPPED_SHARE for sound in sounds):
        found.append(CLIPPED)
    if narrowest(*(sound.own_rate_hz for sound in sounds)) < 7000:
        found.append(NARROW)
    return found
