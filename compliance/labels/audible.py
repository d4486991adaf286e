"""The audible label: a rhythm and spoken words that anyone can hear, in a silence of their own.

GB 45438-2025 5.3 asks sound for speech with both elements or the rhythm "短长 短短", at start, end or middle.
`draw_sound` puts both at start and end, and again every five minutes; only the language is a choice. `measure_sound`
(compliance.labels.listening) finds and measures them in any sound without knowing what was drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import SoundUnsuitable
from compliance.labels.listening import Measurement, measure_sound, reasons, require_sound, state
from compliance.labels.voice_clips import Language, Mono, loudness, rhythm, spoken

__all__ = [
    "Held",
    "Language",
    "Measurement",
    "draw_sound",
    "draw_sound_held",
    "measure_sound",
    "reasons",
    "require_sound",
    "state",
]

Samples = NDArray[np.float32]

LOWEST_RATE_HZ: Final = 8000
HIGHEST_RATE_HZ: Final = 192_000
REPEAT_S: Final = 285.0
# The silence around the parts of one label, in seconds.
_LEAD_S, _PAUSE_S, _TAIL_S = 0.25, 0.35, 0.4
_FADE_S = 0.02
# A reminder goes where the programme is quietest, this far from its place.
_SLACK_S = 10.0
_QUIET_S = 0.2
# Level of the label by that of the programme, and its bounds (0 dB: full scale).
_BELOW_DB = 1.0
_LOUDEST_DBFS, _QUIETEST_DBFS = -13.0, -28.0


def draw_sound(samples: Samples, rate_hz: int, language: Language, *, sample: bool = False) -> Samples:
    """Put the label before, behind and every five minutes into a sound; the sound itself is not changed.

    samples: float32, (frames, channels), one or two channels, -1 to 1. sample: say the word "sample" in front, for demo
    homes. The label is the same in every channel, about as loud as the loud parts of the programme, -28 to -13 dBFS.
    Returns a longer array of the same kind. Raises SoundUnsuitable for other rates and channels, an empty sound and
    samples that are no numbers; LabelPartMissing without the clips.
    """
    return draw_sound_held(samples, rate_hz, language, sample=sample).samples


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A labelled sound, and where the programme was held up for the label: places counts samples of the programme, each
    hold is `label` samples long.
    """

    samples: Samples
    places: tuple[int, ...]
    label: int


def draw_sound_held(samples: Samples, rate_hz: int, language: Language, *, sample: bool = False) -> Held:
    """As `draw_sound`, and tell where the label stands, so that the picture of a film can wait for it."""
    if samples.ndim != 2 or samples.shape[1] not in (1, 2) or not len(samples):
        raise SoundUnsuitable(reason="it has no samples, or more than two channels")
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise SoundUnsuitable(reason="its rate is not between 8 and 192 kHz")
    if not np.isfinite(samples).all():
        raise SoundUnsuitable(reason="some samples are not numbers")
    mono: Mono = samples.mean(axis=1, dtype=np.float32)
    level_db = 20 * math.log10(max(loudness(mono, rate_hz), 1e-9)) - _BELOW_DB
    gain = 10 ** (min(max(level_db, _QUIETEST_DBFS), _LOUDEST_DBFS) / 20)
    label = np.repeat((_label(rate_hz, language, sample) * gain)[:, None], samples.shape[1], axis=1)
    pieces: list[Samples] = [label]
    places = [0]
    start = 0
    for cut in [*_cuts(mono, rate_hz), len(samples)]:
        pieces += [_faded(samples[start:cut], rate_hz, at_start=start > 0, at_end=cut < len(samples)), label]
        places.append(cut)
        start = cut
    return Held(np.concatenate(pieces), tuple(places), len(label))


def _label(rate_hz: int, language: Language, sample: bool) -> Mono:
    """One whole label at unit level: rhythm, then words."""

    def silence(seconds: float) -> Mono:
        return np.zeros(round(seconds * rate_hz), np.float32)

    words = [spoken("sample", rate_hz), silence(_PAUSE_S)] if sample else []
    words.append(spoken(language, rate_hz))
    return np.concatenate([silence(_LEAD_S), rhythm(rate_hz), silence(_PAUSE_S), *words, silence(_TAIL_S)])


def _cuts(mono: Mono, rate_hz: int) -> list[int]:
    """Where reminders go: the quietest place near each multiple of REPEAT_S, none in the last ten seconds."""
    cuts = []
    width = round(_QUIET_S * rate_hz)
    at_s = REPEAT_S
    while at_s < len(mono) / rate_hz - _SLACK_S:
        first = round((at_s - _SLACK_S) * rate_hz)
        near = np.square(mono[first : round((at_s + _SLACK_S) * rate_hz)], dtype=np.float64)
        power = np.convolve(
            near[: len(near) // width * width].reshape(-1, width).sum(axis=1), (0.25, 0.5, 0.25), "same"
        )
        cuts.append(first + (int(np.argmin(power[1:-1])) + 1) * width + width // 2)
        at_s += REPEAT_S
    return cuts


def _faded(piece: Samples, rate_hz: int, *, at_start: bool, at_end: bool) -> Samples:
    """A copy of a piece, faded where the programme was cut for a reminder."""
    piece = piece.copy()
    count = min(round(_FADE_S * rate_hz), len(piece))
    ramp = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    if at_start:
        piece[:count] *= ramp
    if at_end:
        piece[-count:] *= ramp[::-1]
    return piece
