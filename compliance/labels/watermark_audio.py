"""The inaudible mark in sound: an id that survives codecs, telephone bands, noise, cropping, and other speed or tempo.

Log-magnitudes of long narrow cells (256 ms by 3.9 Hz, 0.3 to 6.3 kHz) are moved up or down by a keyed pattern that
repeats every 7.2 s; a fifth of the cells are pilots by which a reader finds offset, speed and tempo without knowing the
sound. Long cells carry ten decibels more through speech than short ones, since neighbouring windows do not eat each
other's change. A gate keeps the change below a tenth of what is heard in the same 16 ms, so nothing sounds before an
onset. Sounds under 8 s carry the upper 32 bits of the id only. A mark is evidence and no proof: whoever knows the key,
and the detector's key is public, can remove or replace it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.voice_clips import Mono, resampled
from compliance.labels.watermark.code import CODED_BITS, ID_BITS, MESSAGE_BITS, RATE, decode, encode
from compliance.media import Samples

DETECTOR_KEY: Final = b"signet sound mark 1"
"""The public key: whoever has the program can read the mark, as the law's detectors must."""
SHORT_BELOW_S: Final = 8.0
SHORT_ID_BITS: Final = 32
SPEED_LIMIT: Final = 0.1

Plane = NDArray[np.float32]

_RATE_HZ = 16000
_WINDOW, _HOP = 4096, 1024
# A cell is four hops long; the reader looks eight times into each.
_CELL_HOPS, _LOOKS = 4, 8
_FIRST_BIN, _LAST_BIN = 80, 1600
_BINS = _LAST_BIN - _FIRST_BIN
# What the reader keeps of a spectrum: the band of a sound played a tenth too fast.
_KEPT_BINS = 1790
_PERIOD, _SHORT_PERIOD = 28, 14
_PILOT_SHARE = 0.2
_DEPTH = 0.075
_ROUNDS = 4
_STEP, _GAINS = 0.4, (0.2, 2.5)
_GATE, _GATE_S = 0.10, 0.016
_LONGEST_READ_S = 120.0
# Below this the pilots say nothing; that an id is one is for the code's checksum to say.
_PILOT_LIMIT = 2.5
_SILENT = 1e-4
# The constraint length of the code less one: a known bit is forgotten after so many.
_MEMORY = 14
_TAPER: Plane = np.sqrt(np.hanning(_WINDOW + 1)[:-1]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A marked sound. snr_db: of the whole sound over the change. bits: 64, or 32 in a short sound."""

    samples: Samples
    snr_db: float
    bits: int


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found; ident counts only when found. bits: 64, or 32 for the upper half of a release id.

    pilot_z: height of the pilots over chance. speed: of the sound against the marked one; tempo: the same with
    its pitch kept. error_rate: share of coded bits that had to be corrected.
    """

    found: bool
    ident: int
    bits: int
    pilot_z: float
    speed: float
    tempo: float
    error_rate: float


def embed_sound(samples: Samples, rate_hz: int, ident: int, key: bytes) -> Embedded:
    """Mark a sound with an id.

    samples: float32, (frames, channels). ident: 64 bits, of which a sound under 8 s carries the upper 32. Every channel
    is changed by the same pattern, so the mark stands in each of them and in their sum.
    """
    is_short = len(samples) < SHORT_BELOW_S * rate_hz
    layout = _layout(key, is_short)
    code = encode(ident >> (ID_BITS - SHORT_ID_BITS) if is_short else ident)
    channels = [_narrow(np.ascontiguousarray(samples[:, index]), rate_hz) for index in range(samples.shape[1])]
    gains = np.ones(CODED_BITS, np.float32)
    for round_ in range(_ROUNDS + 1):
        changes = [_change(sound, layout.tile(code, gains)) for sound in channels]
        if round_ == _ROUNDS:
            break
        mixed: Mono = np.sum([*channels, *changes], axis=0, dtype=np.float32)
        soft = layout.soft(_integrated(_folded(_cells(mixed), layout, 1.0, 1.0)), 0) * code
        # Bits that read weakly are written more strongly, and the other way round.
        goal = max(float(soft.mean()), float(soft.std()) * 0.5, 1e-6)
        gains = np.clip(gains + _STEP * (1 - soft / goal), *_GAINS).astype(np.float32)
    wide = np.stack([_widened(change, rate_hz, len(samples)) for change in changes], axis=1)
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    noise = float(np.mean(np.square(wide, dtype=np.float64)))
    snr_db = 10 * math.log10(max(power, 1e-20) / max(noise, 1e-20))
    return Embedded((samples + wide).astype(np.float32), snr_db, SHORT_ID_BITS if is_short else ID_BITS)


def detect_sound(samples: Samples, rate_hz: int, key: bytes, *, thorough: bool = True) -> Detection:
    """Look for a mark; of a long sound the first two minutes are read. samples: float32, (frames, channels).

    thorough: also look for other speeds and tempos, up to a tenth faster or slower.
    """
    heard = samples[: round(_LONGEST_READ_S * rate_hz)].mean(axis=1, dtype=np.float32)
    best = Detection(False, 0, 0, 0.0, 1.0, 1.0, 0.5)
    if len(heard) < rate_hz or not np.isfinite(heard).all() or float(np.abs(heard).max()) < _SILENT:
        return best
    cells = _cells(_narrow(heard, rate_hz))
    layouts = [_layout(key, False), _layout(key, True)]
    for layout in layouts:
        found = _attempt(cells, layout, 1.0, 1.0)
        if found.found:
            return found
        best = max(best, found, key=lambda item: item.pilot_z)
    for layout in layouts if thorough else ():
        for stretch, scale in _likely(cells, layout):
            found = _attempt(cells, layout, stretch, scale)
            if found.found:
                return found
            best = max(best, found, key=lambda item: item.pilot_z)
    return best


# --- the pattern -----------------------------------------------------------------------------------------------------


class _Layout:
    """Which cell says what, from the key: pilots, signs, and the coded bit of every other cell."""

    def __init__(self, key: bytes, period: int, carried: NDArray[np.intp]) -> None:
        count = period * _BINS
        seed = hashlib.sha256(b"layout %d " % period + key).digest()
        # Only the raw stream of a bit generator is the same in every version of NumPy.
        chance = np.random.PCG64(int.from_bytes(seed, "big"))
        order = np.argsort(chance.random_raw(count), kind="stable")
        pilots = round(_PILOT_SHARE * count)
        self.period = period
        self.carried = carried
        self.pilots, self.payload = order[:pilots], order[pilots:]
        self.signs = (1 - 2 * (chance.random_raw(count) & 1).astype(np.float32)).astype(np.float32)
        rounds = -(-len(self.payload) // len(carried))
        shuffled = [carried[np.argsort(chance.random_raw(len(carried)), kind="stable")] for _ in range(rounds)]
        self.bits = np.concatenate(shuffled)[: len(self.payload)]
        pilot = np.zeros(count, np.float32)
        pilot[self.pilots] = self.signs[self.pilots]
        self.pilot = pilot.reshape(period, _BINS)
        spread = np.zeros((period * _LOOKS, _BINS), np.float32)
        spread[::_LOOKS] = self.pilot
        self.pilot_spectrum = np.conj(np.fft.rfft(spread, axis=0)).astype(np.complex64)

    def tile(self, code: Plane, gains: Plane) -> Plane:
        """The pattern of one period: (period, bins), about -1 to 1."""
        tile = np.zeros(self.period * _BINS, np.float32)
        tile[self.pilots] = self.signs[self.pilots]
        tile[self.payload] = self.signs[self.payload] * (code * gains)[self.bits]
        return tile.reshape(self.period, _BINS)

    def soft(self, integrated: Plane, shift: int) -> Plane:
        """Soft coded bits read at a shift of the looks: float32, (528,); bits that are known anyway are certain."""
        cells = np.roll(integrated, -shift, axis=0)[::_LOOKS]
        weights = self._weights(cells)
        read = (cells * weights).ravel()[self.payload] * self.signs[self.payload]
        soft = np.bincount(self.bits, read, CODED_BITS).astype(np.float32)
        level = float(np.sqrt(np.mean(np.square(soft[self.carried])))) + 1e-9
        known = np.ones(CODED_BITS, np.bool_)
        known[self.carried] = False
        soft[known] = 4 * level
        return soft

    def _weights(self, cells: Plane) -> Plane:
        """How much each frequency counts: by what the pilots say of it, smoothed, over its noise."""
        noise = cells.std(axis=0) + 1e-6
        agreement = (cells * self.pilot).sum(axis=0) / noise
        smooth = np.convolve(agreement, np.hanning(83)[1:-1] / 41, "same") / np.convolve(
            np.abs(self.pilot).sum(axis=0), np.hanning(83)[1:-1] / 41, "same"
        )
        level = max(float(smooth.mean()), 1e-3)
        weights: Plane = (np.clip(smooth / level, 0.25, 2.5) / noise).astype(np.float32)
        return weights


@lru_cache(maxsize=4)
def _layout(key: bytes, is_short: bool) -> _Layout:
    if not is_short:
        return _Layout(key, _PERIOD, np.arange(CODED_BITS))
    # The upper half of a short message is zero: where the encoder's memory holds nothing else, its output is known.
    known = np.zeros(MESSAGE_BITS, np.bool_)
    known[_MEMORY : ID_BITS - SHORT_ID_BITS] = True
    return _Layout(key, _SHORT_PERIOD, np.flatnonzero(np.repeat(~known, RATE)))


# --- writing ---------------------------------------------------------------------------------------------------------


def _narrow(sound: Mono, rate_hz: int) -> Mono:
    """A sound at 16 kHz."""
    return sound if rate_hz == _RATE_HZ else _at_rate(sound, rate_hz, _RATE_HZ)


def _widened(change: Mono, rate_hz: int, count: int) -> Mono:
    """A change at 16 kHz brought to the rate and length of the sound."""
    wide = change if rate_hz == _RATE_HZ else _at_rate(change, _RATE_HZ, rate_hz)
    return np.pad(wide, (0, max(0, count - len(wide))))[:count]


def _at_rate(sound: Mono, rate_hz: int, target_hz: int) -> Mono:
    """Another rate, in stretches of about a minute with two seconds of overlap, so that any length fits."""
    whole, margin = 60 * rate_hz, rate_hz
    if len(sound) <= whole + 2 * margin:
        padded = np.pad(sound, (0, _even(len(sound), rate_hz, target_hz) - len(sound)))
        return resampled(padded, len(padded) * target_hz // rate_hz)[: -(-len(sound) * target_hz // rate_hz)]
    pieces = []
    padded = np.pad(sound, (margin, margin + (-len(sound)) % whole))
    for start in range(0, len(padded) - 2 * margin, whole):
        piece = resampled(padded[start : start + whole + 2 * margin], 62 * target_hz)
        pieces.append(piece[target_hz:-target_hz])
    return np.concatenate(pieces)[: -(-len(sound) * target_hz // rate_hz)]


def _even(count: int, rate_hz: int, target_hz: int) -> int:
    """The next length that is a whole number of samples at both rates and quick to transform."""
    step = rate_hz // math.gcd(rate_hz, target_hz)
    units = -(-count // step)
    while not _is_smooth(units):
        units += 1
    return units * step


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def _spectra(padded: Mono, hop: int) -> Iterator[tuple[int, NDArray[np.complex64]]]:
    """Windowed spectra in blocks: (number of the first frame, (frames, 2049))."""
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop]
    for first in range(0, len(frames), 512):
        yield first, np.fft.rfft(frames[first : first + 512] * _TAPER, axis=1).astype(np.complex64)


def _change(sound: Mono, tile: Plane) -> Mono:
    """What is added to one channel at 16 kHz."""
    padded = np.pad(sound, (_WINDOW, 2 * _WINDOW))
    change, weight = np.zeros(len(padded), np.float32), np.zeros(len(padded), np.float32)
    for first, spectra in _spectra(padded, _HOP):
        rows = (np.arange(first, first + len(spectra)) // _CELL_HOPS) % len(tile)
        turned = np.zeros_like(spectra)
        band = slice(_FIRST_BIN, _LAST_BIN)
        turned[:, band] = spectra[:, band] * (np.exp(_DEPTH * tile[rows]) - 1)
        for offset, frame in enumerate(np.fft.irfft(turned, axis=1).astype(np.float32) * _TAPER):
            at = (first + offset) * _HOP
            change[at : at + _WINDOW] += frame
            weight[at : at + _WINDOW] += _TAPER**2
    change /= np.maximum(weight, 1e-3)
    return _gated(change[_WINDOW : _WINDOW + len(sound)], sound)


def _gated(change: Mono, sound: Mono) -> Mono:
    """Keep a change below a tenth of what is heard in the same 16 ms (and of three steps of 16 bits)."""
    width = round(_GATE_S * _RATE_HZ)
    heard = np.sqrt(np.maximum(_running_mean(np.square(sound), width), 0)) + 1e-4
    changed = np.sqrt(np.maximum(_running_mean(np.square(change), width), 0)) + 1e-9
    gated: Mono = (change * _running_mean(np.minimum(1, _GATE * heard / changed), width)).astype(np.float32)
    return gated


def _running_mean(values: NDArray[np.floating], width: int) -> NDArray[np.float64]:
    """Mean over a centred window, along the first axis; at the ends the nearest value goes on."""
    before, behind = width // 2 + 1, (width - 1) - width // 2
    pad = [(before, behind)] + [(0, 0)] * (values.ndim - 1)
    sums = np.cumsum(np.pad(values, pad, mode="edge"), axis=0, dtype=np.float64)
    mean: NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
    return mean


# --- reading ---------------------------------------------------------------------------------------------------------


def _cells(sound: Mono) -> Plane:
    """Log-magnitudes less their surroundings, by their local variance, twice a hop: float32, (looks, 1790).

    Less the mean over 20 Hz and then over four seconds, which takes away formants and held tones; a part that varies
    much says little.
    """
    padded = np.pad(sound, (_WINDOW, 2 * _WINDOW))
    loud = np.concatenate([np.abs(spectra[:, :_KEPT_BINS]) for _, spectra in _spectra(padded, _HOP // 2)])
    floor = 1e-3 * (float(np.percentile(loud.max(axis=1), 95)) + 1e-9)
    level = np.log(loud + floor)
    flat = level - _running_mean(level.T, 5).T
    flat = np.clip(flat - _running_mean(flat, 129), -1, 1)
    varied = _running_mean(_running_mean(flat * flat, 17).T, 9).T
    weight = np.clip((level - math.log(floor) - 0.5) / 3, 0, 1) / (varied + 0.02)
    cells: Plane = (flat * weight).astype(np.float32)
    return cells


def _folded(cells: Plane, layout: _Layout, stretch: float, scale: float) -> Plane:
    """All periods laid upon each other: (period x looks, bins).

    stretch: length of the sound by that of the marked one; scale: its frequencies by theirs.
    """
    rows = np.rint(np.arange(int((len(cells) - 1) / stretch) + 1) * stretch).astype(np.intp)
    if scale == 1.0:
        picked = cells[rows, _FIRST_BIN:_LAST_BIN]
    else:
        places = np.arange(_FIRST_BIN, _LAST_BIN) * scale
        low = np.minimum(places.astype(np.intp), _KEPT_BINS - 2)
        share = (places - low).astype(np.float32)
        taken = cells[rows]
        picked = taken[:, low] * (1 - share) + taken[:, low + 1] * share
    length = layout.period * _LOOKS
    folded = np.zeros((length, _BINS), np.float32)
    for start in range(0, len(picked), length):
        piece = picked[start : start + length]
        folded[: len(piece)] += piece
    return folded


def _integrated(folded: Plane) -> Plane:
    """The eight looks into a cell added up, from every look on, round the period."""
    sums = np.cumsum(np.concatenate([folded, folded[:_LOOKS]]), axis=0, dtype=np.float32)
    before = np.concatenate([np.zeros_like(sums[:1]), sums[: len(folded) - 1]])
    added: Plane = sums[_LOOKS - 1 : _LOOKS - 1 + len(folded)] - before
    return added


def _pilot_scores(integrated: Plane, layout: _Layout) -> NDArray[np.float64]:
    """Agreement with the pilots at every shift, in standard deviations."""
    spectrum = np.fft.rfft(integrated, axis=0)
    scores = np.fft.irfft((spectrum * layout.pilot_spectrum).sum(axis=1), n=len(integrated))
    centred: NDArray[np.float64] = (scores - scores.mean()) / (scores.std() + 1e-9)
    return centred


def _attempt(cells: Plane, layout: _Layout, stretch: float, scale: float) -> Detection:
    """Read at one speed and tempo."""
    integrated = _integrated(_folded(cells, layout, stretch, scale))
    scores = _pilot_scores(integrated, layout)
    bits = ID_BITS if layout.period == _PERIOD else SHORT_ID_BITS
    best = Detection(False, 0, bits, float(scores.max()), scale, 1 / (stretch * scale), 0.5)
    for shift in np.argsort(scores)[::-1][:2]:
        if scores[shift] < _PILOT_LIMIT:
            break
        read = decode(layout.soft(integrated, int(shift)))
        if read.crc_ok and read.ident >> bits == 0 and read.ident:
            return Detection(
                True, read.ident, bits, float(scores[shift]), scale, 1 / (stretch * scale), read.error_rate
            )
    return best


def _likely(cells: Plane, layout: _Layout) -> list[tuple[float, float]]:
    """The likeliest (stretch, scale) of a sound played faster or slower, with and without its pitch."""
    part = cells[:640]
    tried = []
    for step in range(-100, 101):
        speed = 1 + step * SPEED_LIMIT / 100
        ways = [(1 / speed, speed)]
        # A wrong tempo is forgiven more than a wrong pitch: every third step will do.
        if step % 3 == 0:
            ways.append((1 / speed, 1.0))
        for stretch, scale in ways:
            scores = _pilot_scores(_integrated(_folded(part, layout, stretch, scale)), layout)
            tried.append((float(scores.max()), stretch, scale))
    tried.sort(reverse=True)
    likely = []
    for _, stretch, scale in tried[:3]:
        near = []
        for step in range(-5, 6):
            closer = stretch * (1 + step * 0.0003)
            closer_scale = scale if scale == 1.0 else 1 / closer
            scores = _pilot_scores(_integrated(_folded(cells, layout, closer, closer_scale)), layout)
            near.append((float(scores.max()), closer, closer_scale))
        likely.append(max(near)[1:])
    return likely
