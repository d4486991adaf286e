"""The error-correcting code of the watermark: 64-bit id, CRC-24, tail-biting convolutional code K = 15, rate 1/6.

A message is the id and its CRC, 88 bits, most significant bit first. The encoder starts in the state in which it will
end (tail-biting), so no bit is spent on a tail: 528 coded bits. The decoder is a soft Viterbi search over 16384 states
that runs around the circle a little more than twice. Every generator has its first and its last tap set, so the two
branches into a state carry opposite symbols; one table of 8192 metrics a step serves all 32768 branches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Soft = NDArray[np.float32]

ID_BITS: Final = 64
CRC_BITS: Final = 24
MESSAGE_BITS: Final = ID_BITS + CRC_BITS
RATE: Final = 6
CODED_BITS: Final = MESSAGE_BITS * RATE

_CONSTRAINT = 15
_GENERATORS = (0o46321, 0o51271, 0o63667, 0o70535, 0o73277, 0o76513)
_MEMORY = _CONSTRAINT - 1
_STATES = 1 << _MEMORY
_HALF = _STATES >> 1
# Laps of the circular search, in bits: about five constraint lengths forget the unknown start and the unknown end.
_LEAD_IN, _LEAD_OUT = 76, 64
_CRC_POLYNOMIAL, _CRC_START = 0x864CFB, 0xB704CE


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the decoder found. error_rate: share of coded bits whose sign differs from the message's, 0 to 1."""

    ident: int
    crc_ok: bool
    error_rate: float


def crc24(ident: int) -> int:
    """CRC-24 of the eight bytes of an id, most significant first (RFC 4880 §6.1)."""
    crc = _CRC_START
    for byte in ident.to_bytes(ID_BITS // 8, "big"):
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1000000 | _CRC_POLYNOMIAL
    return crc


@lru_cache(maxsize=1)
def _symbols() -> NDArray[np.uint8]:
    """The six output bits of each of the 32768 registers (newest bit at the top), packed into one number."""
    register = np.arange(1 << _CONSTRAINT, dtype=np.uint32)
    packed = np.zeros(len(register), np.uint8)
    for index, generator in enumerate(_GENERATORS):
        parity = register & generator
        for shift in (8, 4, 2, 1):
            parity ^= parity >> shift
        packed |= ((parity & 1) << index).astype(np.uint8)
    return packed


@lru_cache(maxsize=1)
def _signs() -> NDArray[np.float32]:
    """The six symbols of each packed number as +1 (bit 0) and -1 (bit 1): (64, 6)."""
    bits = (np.arange(1 << RATE)[:, None] >> np.arange(RATE)) & 1
    return (1 - 2 * bits).astype(np.float32)


def _encode_message(message: int) -> Soft:
    """Coded bits of an 88-bit message as +1 and -1: float32, (528,)."""
    bits = [(message >> shift) & 1 for shift in range(MESSAGE_BITS - 1, -1, -1)]
    state = 0
    for bit in bits[-_MEMORY:]:
        state = ((bit << _MEMORY) | state) >> 1
    registers = []
    for bit in bits:
        register = (bit << _MEMORY) | state
        registers.append(register)
        state = register >> 1
    coded: Soft = _signs()[_symbols()[registers]].reshape(CODED_BITS)
    return coded


def encode(ident: int) -> Soft:
    """The coded bits of an id as +1 and -1: float32, (528,). Raises ValueError unless 0 <= ident < 2**64."""
    if not 0 <= ident < 1 << ID_BITS:
        raise ValueError("a watermark id has 64 bits")
    return _encode_message((ident << CRC_BITS) | crc24(ident))


def decode(soft: Soft) -> Decoded:
    """The most likely id behind soft coded bits: float32, (528,), positive for +1, any scale."""
    lap = np.ascontiguousarray(soft, np.float32).reshape(MESSAGE_BITS, RATE)
    order = np.arange(-_LEAD_IN, MESSAGE_BITS + _LEAD_OUT) % MESSAGE_BITS
    # One row of 64 branch metrics a step; a branch picks its own by its packed symbols.
    metrics = (lap @ _signs().T)[order]
    branch = _symbols()[: 2 * _HALF : 2]
    path = np.zeros(_STATES, np.float32)
    follow = np.empty_like(path)
    taken = np.empty((len(order), _STATES), np.bool_)
    for step, row in enumerate(metrics):
        metric = row[branch]
        even, odd = path[0::2], path[1::2]
        straight, crossed = even + metric, odd - metric
        np.greater(crossed, straight, out=taken[step, :_HALF])
        np.maximum(straight, crossed, out=follow[:_HALF])
        straight, crossed = even - metric, odd + metric
        np.greater(crossed, straight, out=taken[step, _HALF:])
        np.maximum(straight, crossed, out=follow[_HALF:])
        path, follow = follow, path
    state = int(np.argmax(path))
    message = 0
    for step in range(len(order) - 1, -1, -1):
        position = step - _LEAD_IN
        if 0 <= position < MESSAGE_BITS:
            message |= (state >> (_MEMORY - 1)) << (MESSAGE_BITS - 1 - position)
        state = ((state & (_HALF - 1)) << 1) | int(taken[step, state])
    ident = message >> CRC_BITS
    agreement = float(np.mean(np.sign(lap.reshape(-1)) * _encode_message(message)))
    return Decoded(ident, crc24(ident) == message & ((1 << CRC_BITS) - 1), (1.0 - agreement) / 2.0)
