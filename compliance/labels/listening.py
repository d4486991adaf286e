"""Finds the audible label in any sound and measures it there; believes no record of what was drawn.

The rhythm is sought as a shape of loudness at 880 Hz and then measured mark by mark; the words are compared with the
clips piece by piece. Every channel is measured by itself, and the worst one counts: who hears one side hears the label.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelTooWeak
from compliance.labels.voice_clips import (
    DOT_S,
    RHYTHM,
    RHYTHM_S,
    TONE_HZ,
    Language,
    Mono,
    loudness,
    resampled,
    spoken,
)

Envelope = NDArray[np.float64]

# Marks and gaps may differ from their length by this part of a dot; even gaps differ by two dots.
TIMING_LIMIT: Final = 0.3
# The tone by all other sound while it lasts, and by what is heard in its gaps.
PURITY_LIMIT: Final = 0.6
GAP_LIMIT_DB: Final = 8.0
# The label by the loud parts of the whole sound, and by full scale.
LEVEL_LIMIT_DB: Final = -12.0
FLOOR_DBFS: Final = -45.0
# Four pieces of the words, each by itself; an equal share of foreign noise gives 0.7.
WORDS_LIMIT: Final = 0.8
PIECE_LIMIT: Final = 0.6
EDGE_LIMIT_S: Final = 8.0
REPEAT_LIMIT_S: Final = 330.0

_STEP_HZ = 200
_WORDS_HZ = 8000
_EDGE_S = 14.0
_PIECES = 4
_CANDIDATES = 500
_CANDIDATE_LIMIT = 0.55
# A sound that lies farther off than even gaps do, or has no clear tone, is chance and not a rhythm.
_CHANCE_TIMING, _CHANCE_PURITY = 2.3, 0.4
# In units of a dot: what must be quiet before and behind the rhythm.
_FLANK = 1.5


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One rhythm found. start_s: of its first mark. timing: worst error of a mark or gap, in dots. purity: share of the
    tone in the sound of the weakest mark. gap_db: weakest mark over the loudest gap. level_dbfs: of the weakest mark.
    """

    start_s: float
    timing: float
    purity: float
    gap_db: float
    level_dbfs: float


@dataclass(frozen=True, slots=True)
class Words:
    """Spoken words found. correlation: of the whole; worst_piece: of the worst of four pieces; level_dbfs: RMS."""

    start_s: float
    name: str
    correlation: float
    worst_piece: float
    level_dbfs: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of the audible label in the worst channel. programme_dbfs: of the loud parts of it all."""

    duration_s: float
    programme_dbfs: float
    rhythms: tuple[Rhythm, ...]
    words: tuple[Words, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the words found."""
        return tuple(dict.fromkeys(item.name for item in self.words if item.name != "sample"))

    @property
    def sample(self) -> bool:
        """Whether the word "sample" is spoken at the start."""
        return any(item.name == "sample" and item.start_s < EDGE_LIMIT_S and _is_clear(item) for item in self.words)


def measure_sound(samples: NDArray[np.float32], rate_hz: int) -> Measurement:
    """Find rhythm and words in a sound and measure them. samples: float32, (frames, channels); never raises."""
    first = samples[:, :1]
    channels = samples if not np.array_equal(samples, np.broadcast_to(first, samples.shape)) else first
    measured = [_measure(np.ascontiguousarray(channels[:, index]), rate_hz) for index in range(channels.shape[1])]
    # The channel that says least decides.
    return max(measured, key=lambda found: len(reasons(found)) + 9 * (not (found.rhythms or found.words)))


def reasons(found: Measurement) -> tuple[str, ...]:
    """In English, why the label is not intact; empty when it is."""
    if not (found.rhythms or found.words):
        return ("no audible label was found",)
    return tuple(dict.fromkeys(_faults(found)))


def state(found: Measurement) -> Literal["intact", "damaged", "absent"]:
    """The label as one word: "intact" means start, end and every reminder hold."""
    if not (found.rhythms or found.words):
        return "absent"
    return "damaged" if _faults(found) else "intact"


def require_sound(found: Measurement, *, sample: bool = False) -> None:
    """Raise LabelTooWeak(layer="explicit") unless the label is intact and says "sample" exactly when it should."""
    why = reasons(found)
    if why:
        raise LabelTooWeak(layer="explicit", reason="; ".join(why))
    if found.sample != sample:
        raise LabelTooWeak(layer="explicit", reason="the word SAMPLE is missing" if sample else "it says SAMPLE")


# --- judging ---------------------------------------------------------------------------------------------------------


def _is_clear(words: Words) -> bool:
    return words.correlation >= WORDS_LIMIT and words.worst_piece >= PIECE_LIMIT


def _rhythm_fault(found: Measurement, rhythm: Rhythm) -> str:
    if rhythm.timing > TIMING_LIMIT:
        return "the rhythm is not short long, short short"
    if rhythm.purity < PURITY_LIMIT or rhythm.gap_db < GAP_LIMIT_DB:
        return "the rhythm is covered by other sound"
    if rhythm.level_dbfs < max(found.programme_dbfs + LEVEL_LIMIT_DB, FLOOR_DBFS):
        return "the rhythm is too quiet"
    return ""


def _words_fault(found: Measurement, words: Words) -> str:
    if not _is_clear(words):
        return "the spoken words are damaged or covered"
    if words.level_dbfs < max(found.programme_dbfs + LEVEL_LIMIT_DB, FLOOR_DBFS):
        return "the spoken words are too quiet"
    return ""


def _faults(found: Measurement) -> list[str]:
    """Why the label is not intact; a stray sound that only resembles it does no harm where the real ones stand."""
    good = [item.start_s for item in found.rhythms if not _rhythm_fault(found, item)]
    clear = [item.start_s for item in found.words if item.name != "sample" and not _words_fault(found, item)]
    missing: list[str] = []
    table = (
        (good, "no rhythm at the start", "no rhythm at the end"),
        (clear, "no spoken words at the start", "no spoken words at the end"),
    )
    for places, at_start, at_end in table:
        if not any(place < EDGE_LIMIT_S for place in places):
            missing.append(at_start)
        if not any(place > found.duration_s - EDGE_LIMIT_S for place in places):
            missing.append(at_end)
        if any(after - before > REPEAT_LIMIT_S for before, after in pairwise(places)):
            missing.append("more than five minutes without a label")
    # In a very short sound one label could count for both ends.
    if not missing and min(len(good), len(clear)) < 2:
        missing.append("the label stands only once")
    if not missing:
        return []
    faults = [_rhythm_fault(found, item) for item in found.rhythms] + [
        _words_fault(found, item) for item in found.words
    ]
    return [fault for fault in faults if fault] + missing


# --- measuring -------------------------------------------------------------------------------------------------------


def _measure(mono: Mono, rate_hz: int) -> Measurement:
    rhythms = _rhythms(mono, rate_hz)
    return Measurement(
        duration_s=len(mono) / rate_hz,
        programme_dbfs=_db(loudness(mono, rate_hz)),
        rhythms=tuple(rhythms),
        words=tuple(_words(mono, rate_hz, [found.start_s for found in rhythms])),
    )


def _db(level: float) -> float:
    return 20 * math.log10(max(level, 1e-6))


def _envelopes(mono: Mono, rate_hz: int) -> tuple[Envelope, Envelope]:
    """Power of the tone and of everything, at 200 Hz, each over a window of 20 ms."""
    count = len(mono) * _STEP_HZ // rate_hz
    tone, total = np.zeros(count, np.complex128), np.zeros(count)
    edges = np.arange(count + 1) * rate_hz // _STEP_HZ
    block = 60 * _STEP_HZ
    for first in range(0, count, block):
        part = edges[first : first + block + 1]
        piece = mono[part[0] : part[-1]].astype(np.float64)
        turn = np.exp(-2j * np.pi * TONE_HZ / rate_hz * np.arange(part[0], part[-1]))
        starts, widths = part[:-1] - part[0], np.diff(part)
        tone[first : first + block] = np.add.reduceat(piece * turn, starts) / widths
        total[first : first + block] = np.add.reduceat(piece * piece, starts) / widths
    window = np.array([1, 3, 4, 3, 1]) / 12
    heard = np.convolve(tone, window, "same")
    return 2 * np.abs(heard) ** 2, np.convolve(total, window, "same")


def _shape() -> Envelope:
    """The rhythm as a shape of loudness with its quiet flanks, at 200 Hz."""
    dots = [0.0] * round(_FLANK * _STEP_HZ * DOT_S)
    for mark, gap in RHYTHM:
        dots += [1.0] * round(mark * DOT_S * _STEP_HZ) + [0.0] * round(gap * DOT_S * _STEP_HZ)
    return np.array(dots + [0.0] * round(_FLANK * _STEP_HZ * DOT_S))


def _correlation(signal: Envelope, pattern: Envelope) -> Envelope:
    """Normalised correlation at every place where the pattern fits: (len(signal) - len(pattern) + 1,)."""
    count, length = len(signal), len(pattern)
    if count < length:
        return np.zeros(0)
    centred = pattern - pattern.mean()
    size = 1 << (count + length - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(signal, size) * np.conj(np.fft.rfft(centred, size)), size)[: count - length + 1]
    sums = np.concatenate([[0.0], np.cumsum(signal)])
    squares = np.concatenate([[0.0], np.cumsum(signal * signal)])
    mean = (sums[length:] - sums[:-length]) / length
    energy = squares[length:] - squares[:-length] - length * mean * mean
    floor = 1e-12 + 1e-9 * float(squares[-1])
    result: Envelope = product / np.sqrt(np.maximum(energy, floor) * float(centred @ centred))
    return result


def _rhythms(mono: Mono, rate_hz: int) -> list[Rhythm]:
    """Every rhythm-like place, in order of time."""
    flank = round(_FLANK * _STEP_HZ * DOT_S)
    tone, total = _envelopes(np.pad(mono, round(0.3 * rate_hz)), rate_hz)
    fit = _correlation(np.sqrt(tone), _shape())
    found: list[Rhythm] = []
    quiet = round(RHYTHM_S * _STEP_HZ * 0.8)
    for _ in range(_CANDIDATES if len(fit) else 0):
        place = int(np.argmax(fit))
        if fit[place] < _CANDIDATE_LIMIT:
            break
        item = _rhythm_at(tone, total, place + flank)
        if item.timing <= _CHANCE_TIMING and item.purity >= _CHANCE_PURITY:
            found.append(item)
        fit[max(0, place - quiet) : place + quiet] = -1
    shift = 0.3
    return [
        Rhythm(round(item.start_s - shift, 3), item.timing, item.purity, item.gap_db, item.level_dbfs)
        for item in sorted(found, key=lambda item: item.start_s)
    ]


def _rhythm_at(tone: Envelope, total: Envelope, start: int) -> Rhythm:
    """Measure the marks of a rhythm that begins near an index of the envelopes."""
    marks: list[tuple[int, int]] = []
    at = float(start)
    dot = DOT_S * _STEP_HZ
    for mark, gap in RHYTHM:
        marks.append((round(at), round(at + mark * dot)))
        at += (mark + gap) * dot
    inner = [slice(first + 4, last - 4) for first, last in marks]
    levels = [float(np.mean(tone[part])) if len(tone[part]) else 0.0 for part in inner]
    weakest = min(levels)
    purity = min(level / max(float(np.mean(total[part])), 1e-12) for level, part in zip(levels, inner, strict=True))
    gaps = [slice(a[1] + 4, b[0] - 4) for a, b in pairwise(marks)]
    loudest_gap = max(float(np.mean(total[gap])) if len(total[gap]) else 0.0 for gap in gaps)
    # Run lengths of what is louder than a quarter of the median mark's power, flanks included.
    flank = round(_FLANK * dot)
    first = max(0, start - flank)
    loud = tone[first : round(at) + flank] > np.median(levels) / 4
    changes = np.flatnonzero(np.diff(loud.astype(np.int8), prepend=0, append=0))
    lengths = np.diff(changes) / dot
    wanted = np.array([length for pair in RHYTHM for length in pair][:-1], float)
    timing = float(np.abs(lengths - wanted).max()) if len(lengths) == len(wanted) else 9.0
    return Rhythm(
        start_s=start / _STEP_HZ,
        timing=round(timing, 3),
        purity=round(min(purity, 1.0), 3),
        gap_db=round(10 * math.log10(max(weakest, 1e-12) / max(loudest_gap, 1e-12)), 1),
        level_dbfs=round(_db(math.sqrt(weakest)), 1),
    )


def _words(mono: Mono, rate_hz: int, near_s: list[float]) -> list[Words]:
    """The best match of each clip in every stretch where words may stand, above half of the limit."""
    duration_s = len(mono) / rate_hz
    stretches = [(0.0, _EDGE_S), (duration_s - _EDGE_S, duration_s)]
    stretches += [(place, place + _EDGE_S / 2) for place in near_s]
    found: list[Words] = []
    names: tuple[Language | Literal["sample"], ...] = ("zh", "en", "sample")
    for first_s, last_s in stretches:
        first, last = max(0, round(first_s * rate_hz)), min(len(mono), round(last_s * rate_hz))
        if last - first < rate_hz // 2:
            continue
        narrow = resampled(mono[first:last], round((last - first) * _WORDS_HZ / rate_hz)).astype(np.float64)
        for name in names:
            item = _best_match(narrow, name, first / rate_hz)
            if item is not None and not any(
                abs(item.start_s - other.start_s) < 0.05 and item.name == other.name for other in found
            ):
                found.append(item)
    return sorted(found, key=lambda item: item.start_s)


def _best_match(narrow: Envelope, name: Language | Literal["sample"], offset_s: float) -> Words | None:
    """Where a clip fits best in a stretch at 8 kHz; None below half of the limit."""
    clip = spoken(name, _WORDS_HZ).astype(np.float64)
    fit = _correlation(narrow, clip)
    if not len(fit):
        return None
    place = int(np.argmax(fit))
    if fit[place] < WORDS_LIMIT / 2:
        return None
    heard = narrow[place : place + len(clip)]
    pieces = zip(np.array_split(heard, _PIECES), np.array_split(clip, _PIECES), strict=True)
    scores = [float(a @ b / math.sqrt(max(float(a @ a) * float(b @ b), 1e-18))) for a, b in pieces]
    return Words(
        start_s=round(offset_s + place / _WORDS_HZ, 3),
        name=name,
        correlation=round(float(fit[place]), 3),
        worst_piece=round(min(scores), 3),
        level_dbfs=round(_db(loudness(heard.astype(np.float32), _WORDS_HZ)), 1),
    )
