"""Chromaprint: what a sound sounds like, 32 bits every eighth of a second, by the library of that name (LGPL).

It survives recoding, noise and telephone bandwidth, but no change of speed: a few speeds are tried when a sound is
looked for. Without the library there is no fingerprint of sounds, and that is said.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing
from compliance.media import Samples

Print = NDArray[np.uint32]

THRESHOLD: Final = 0.15
"""Share of bits by which a copy may differ; unrelated speech lies at .40 and above."""
SHORTEST: Final = 24
"""Values that have to overlap: about three seconds."""
SPEEDS: Final = (1.0, 0.98, 1.02, 0.96, 1.04)
_LOUDEST = 32767
_NAMES = ("libchromaprint.so.1", "libchromaprint.so.0", "libchromaprint.1.dylib")


@lru_cache(maxsize=1)
def _library() -> Any:
    for name in (*_NAMES, ctypes.util.find_library("chromaprint")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            library.chromaprint_new.restype = ctypes.c_void_p
            return library
    raise LabelPartMissing(part="chromaprint")


def print_of(samples: Samples, rate_hz: int) -> Print:
    """The fingerprint: uint32, (N,), empty for less than about three seconds. samples: float32, (frames, channels).

    Raises LabelPartMissing without the library.
    """
    library = _library()
    mono = np.clip(samples.mean(axis=1) * _LOUDEST, -_LOUDEST - 1, _LOUDEST).astype(np.int16)
    context = ctypes.c_void_p(library.chromaprint_new(1))
    try:
        values, size = ctypes.POINTER(ctypes.c_uint32)(), ctypes.c_int()
        pointer = mono.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        done = (
            library.chromaprint_start(context, int(rate_hz), 1)
            and library.chromaprint_feed(context, pointer, len(mono))
            and library.chromaprint_finish(context)
            and library.chromaprint_get_raw_fingerprint(context, ctypes.byref(values), ctypes.byref(size))
        )
        if not done:
            return np.zeros(0, np.uint32)
        found = np.array(values[: size.value], np.uint32)
        library.chromaprint_dealloc(values)
        return found
    finally:
        library.chromaprint_free(context)


def stretched(samples: Samples, speed: float) -> Samples:
    """The sound played at another speed, by plain interpolation; float32, (frames, channels)."""
    if speed == 1.0:
        return samples
    places = np.arange(0, len(samples) - 1, speed)
    steps = np.arange(len(samples))
    return np.stack([np.interp(places, steps, channel) for channel in samples.T], axis=1).astype(np.float32)


def error_rate(known: Print, probe: Print) -> float:
    """The smallest share of differing bits over all shifts that overlap enough; 1.0 when none does."""
    if min(len(known), len(probe)) < SHORTEST:
        return 1.0
    best = 1.0
    for shift in _likely_shifts(known, probe):
        a, b = known[max(0, shift) :], probe[max(0, -shift) :]
        overlap = min(len(a), len(b))
        if overlap >= SHORTEST:
            different = np.unpackbits((a[:overlap] ^ b[:overlap]).view(np.uint8)).mean()
            best = min(best, float(different))
    return best


def _likely_shifts(known: Print, probe: Print) -> list[int]:
    """Shifts at which the most values agree in their upper bits, the likeliest ten."""
    where: dict[int, list[int]] = {}
    for place, value in enumerate((known >> 16).tolist()):
        where.setdefault(value, []).append(place)
    votes: dict[int, int] = {}
    for place, value in enumerate((probe >> 16).tolist()):
        for other in where.get(value, ())[:20]:
            votes[other - place] = votes.get(other - place, 0) + 1
    return sorted(votes, key=lambda shift: -votes[shift])[:10]
