"""The keyed pattern of the watermark: which frequencies carry the id, which carry the pilots, and their phases.

The pattern is one tile of 128 x 128 pixels, repeated over the canonical frame (compliance.labels.watermark.frame) and
defined by its spectrum. About 600 frequencies carry the coded bits, in their real and imaginary parts; 40 pilot
frequencies of known phase, spread over all directions, serve the search for scale, rotation and shift.

Everything is drawn from a key by SHAKE-256, so that a pattern stays the same whatever the version of any library.
The pilots' *places* belong to the key alone; their phases and the payload's signs come in 16 sets, of which each id
uses one. Whoever averages many marked pictures therefore meets 16 patterns that cancel each other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.labels.watermark.code import CODED_BITS, Soft

TILE_PX: Final = 128
# The band in cycles per canonical pixel: halving a picture and JPEG leave it, and skin and sky are not mottled by it.
BAND: Final = (0.045, 0.165)
PILOTS: Final = 40
SETS: Final = 16

_PILOT_BAND = (0.065, 0.16)
_SECTORS = 20
# Pilots keep apart so that their lines can be told apart, and off the axes, where the logarithm of a part is no use.
_PILOT_GAP_BINS, _PILOT_AXIS_BINS = 3.0, 1
_LAYOUT, _SIGNS = b"layout", b"set"

Complex = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """All that a key fixes. Bins are (row, column) of the tile's spectrum, frequencies (x, y) in cycles per pixel.

    pilot_bins: (40, 2). pilot_frequencies: float64, (40, 2). pilot_phases: complex64, (16, 40), of modulus 1.
    payload_bins: (P, 2). payload_radii: float64, (P,). bits: the coded bit of each of the 2P parts, all real parts
    first, (2P,). signs: float32, (16, 2P).
    """

    pilot_bins: NDArray[np.intp]
    pilot_frequencies: NDArray[np.float64]
    pilot_phases: Complex
    payload_bins: NDArray[np.intp]
    payload_radii: NDArray[np.float64]
    bits: NDArray[np.intp]
    signs: NDArray[np.float32]

    def tile(
        self,
        chosen: int,
        coded: Soft,
        gains: Soft,
        pilot_gains: NDArray[np.float32],
        *,
        pilot_share: float,
        tilt: float,
    ) -> NDArray[np.float32]:
        """One tile of unit variance: float32, (128, 128).

        chosen: the pilot set. coded: (528,), +1 or -1; gains: (528,), how loud each coded bit is; pilot_gains: (40,);
        pilot_share: the pilots' part of the energy, 0 to 1. tilt: amplitudes fall with frequency to this power.
        """
        parts = (coded * gains)[self.bits] * self.signs[chosen]
        half = len(self.payload_bins)
        payload = (parts[:half] + 1j * parts[half:]) * self.payload_radii**-tilt
        payload *= np.sqrt((1.0 - pilot_share) / np.sum(np.abs(payload) ** 2))
        pilots = self.pilot_phases[chosen] * pilot_gains * np.hypot(*self.pilot_frequencies.T) ** -tilt
        pilots *= np.sqrt(pilot_share / np.sum(np.abs(pilots) ** 2))
        spectrum = np.zeros((TILE_PX, TILE_PX), np.complex64)
        spectrum[self.payload_bins[:, 0], self.payload_bins[:, 1]] = payload
        spectrum[self.pilot_bins[:, 0], self.pilot_bins[:, 1]] = pilots
        # Only one half of the plane is filled, so the real part halves the energy.
        tile: NDArray[np.float32] = np.fft.ifft2(spectrum).real.astype(np.float32) * np.float32(TILE_PX**2 * np.sqrt(2))
        return tile


def pilot_set(ident: int, key: bytes) -> int:
    """Which of the 16 sets an id uses under a key."""
    return hashlib.sha256(b"set of\0" + key + b"\0" + ident.to_bytes(8, "big")).digest()[0] % SETS


def _draw(key: bytes, purpose: bytes, count: int) -> NDArray[np.uint64]:
    """Keyed random 64-bit numbers, (count,)."""
    stream = hashlib.shake_256(b"watermark\0" + purpose + b"\0" + key).digest(8 * count)
    return np.frombuffer(stream, "<u8").astype(np.uint64)


@lru_cache(maxsize=8)
def pattern(key: bytes) -> Pattern:
    """The pattern of a key; the last eight keys are remembered."""
    frequency = np.fft.fftfreq(TILE_PX)
    fy, fx = np.meshgrid(frequency, frequency, indexing="ij")
    radius = np.hypot(fx, fy)
    upper = (fx > 0) | ((fx == 0) & (fy > 0))
    bins = np.argwhere(upper & (radius >= BAND[0]) & (radius <= BAND[1]))
    radii = radius[bins[:, 0], bins[:, 1]]
    places = np.stack([fx[bins[:, 0], bins[:, 1]], fy[bins[:, 0], bins[:, 1]]], 1)
    pilots = _choose_pilots(places, radii, np.argsort(_draw(key, _LAYOUT, len(bins)), kind="stable"))
    payload = np.setdiff1d(np.arange(len(bins)), pilots)

    # Each coded bit gets a part of the lowest third, of the next and so on: whatever an attack leaves of the band,
    # some of every bit is left.
    parts = 2 * len(payload)
    shuffled = np.argsort(_draw(key, _LAYOUT + b" parts", parts), kind="stable")
    by_radius = shuffled[np.argsort(np.tile(radii[payload], 2)[shuffled], kind="stable")]
    rounds = -(-parts // CODED_BITS)
    orders = [
        np.argsort(_draw(key, b"%s bits %d" % (_LAYOUT, lap), CODED_BITS), kind="stable") for lap in range(rounds)
    ]
    bits = np.empty(parts, np.intp)
    bits[by_radius] = np.concatenate(orders)[:parts]

    turns = np.stack([_draw(key, b"%s %d phases" % (_SIGNS, index), PILOTS) for index in range(SETS)])
    phases = np.exp(2j * np.pi * (turns.astype(np.float64) / 2.0**64)).astype(np.complex64)
    coins = np.stack([_draw(key, b"%s %d signs" % (_SIGNS, index), parts) for index in range(SETS)])
    return Pattern(
        pilot_bins=bins[pilots],
        pilot_frequencies=places[pilots],
        pilot_phases=phases,
        payload_bins=bins[payload],
        payload_radii=radii[payload],
        bits=bits,
        signs=np.where(coins >> np.uint64(63), np.float32(1), np.float32(-1)),
    )


def _choose_pilots(
    places: NDArray[np.float64], radii: NDArray[np.float64], order: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Indices of 40 bins in keyed order: two in each of 20 directions, no two closer than three bins."""
    bins = places * TILE_PX
    angles = np.arctan2(places[:, 1], places[:, 0])
    sectors = np.minimum(((angles + np.pi / 2) / np.pi * _SECTORS).astype(int), _SECTORS - 1)
    room = [PILOTS // _SECTORS] * _SECTORS
    chosen: list[int] = []
    # A second pass without the gap fills a direction that an unlucky key left short.
    for gap in (_PILOT_GAP_BINS, 1.0):
        for index in order.tolist():
            inside = _PILOT_BAND[0] < radii[index] < _PILOT_BAND[1]
            off_axis = np.abs(bins[index]).min() > _PILOT_AXIS_BINS
            if not (inside and off_axis and room[sectors[index]]) or index in chosen:
                continue
            if all(np.hypot(*(bins[index] - bins[other])) > gap for other in chosen):
                chosen.append(index)
                room[sectors[index]] -= 1
    return np.array(chosen, np.intp)
