"""Reads the recordings that voice engines work on and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from compliance.errors import OptionUnfit, VoiceNotFound
from engines.engine import Option
from engines.sound import LONGEST_S, Sound, decode_sound
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

# A part is an option and not a file of its own, so that the recording stays the one that the consent was given for.
PART: Final = (
    Option("start_s", 0.0, "Where the part of the recording begins.", minimum=0.0, maximum=LONGEST_S, unit="s"),
    Option(
        "end_s", 0.0, "Where that part ends; 0 is the end of the recording.", minimum=0.0, maximum=LONGEST_S, unit="s"
    ),
)
REFERENCE_PART: Final = (
    Option("reference_start_s", 0.0, "The same for the reference.", minimum=0.0, maximum=LONGEST_S, unit="s"),
    Option("reference_end_s", 0.0, "The same for the reference.", minimum=0.0, maximum=LONGEST_S, unit="s"),
)


def part_of(options: Mapping[str, Any], role: str = "target") -> tuple[float, float]:
    """(start, end) in seconds of what a request takes out of a recording; (0, 0) is all of it.

    Raises OptionUnfit when it ends before it begins.
    """
    begins, ends = PART if role == "target" else REFERENCE_PART
    start_s, end_s = (
        min(LONGEST_S, max(0.0, float(options.get(option.name, option.default)))) for option in (begins, ends)
    )
    if end_s and end_s <= start_s:
        raise OptionUnfit(option=ends.name, value=end_s, allowed=f"> {start_s:g}")
    return start_s, end_s


def read_voice(
    name: str, data: bytes, *, first_s: float | None = None, part: tuple[float, float] = (0.0, 0.0)
) -> Sound:
    """A recording, or a part of it, at the rate of WORLD.

    first_s: the most seconds of it that are taken. Raises NotASound, SoundTooLong, VoiceNotFound when it is silent.
    """
    start_s, end_s = part
    limits = [limit for limit in (end_s, start_s + first_s if first_s else 0.0) if limit]
    sound = decode_sound(name, data, RATE_HZ, first_s=min(limits) if limits else None)
    if start_s:
        sound = replace(sound, samples=sound.samples[round(start_s * RATE_HZ) :])
    if end_s and limits and end_s <= min(limits):
        # It was cut because it was asked for, which needs no warning.
        sound = replace(sound, is_cut=False)
    if not len(sound.samples) or float((sound.samples**2).mean()) < _LOUD_ENOUGH**2:
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
