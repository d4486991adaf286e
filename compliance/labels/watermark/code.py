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
# The decoder's square of states.
_SIDE_BITS = _MEMORY // 2
_SIDE = 1 << _SIDE_BITS
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


@lru_cache(maxsize=1)
def _square_signs() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The symbols of a branch as products, for each of the seven kinds of step of `decode`.

    Of the rows, (7, 128, 6), and of the columns, (7, 6, 128), where the dropped bit is 0: a symbol is the parity of
    some bits of the register, and so the product of a sign for the row's bits and one for the column's.
    """
    signs = _signs()[_symbols()]
    places = np.arange(_SIDE)
    rows = np.empty((_SIDE_BITS, _SIDE, RATE), np.float32)
    columns = np.empty((_SIDE_BITS, RATE, _SIDE), np.float32)
    for part in range(_SIDE_BITS):
        # Bits of the row up to `part` are new, the last of them the newest; the others are the oldest of the register.
        new = places & ((2 << part) - 1)
        rows[part] = signs[(places >> (part + 1) << 1) | (new << (_MEMORY - part))]
        columns[part] = signs[places << (_SIDE_BITS - part)].T
    return rows, columns


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
    """The most likely id behind soft coded bits: float32, (528,), positive for +1, any scale.

    States lie in a square: seven of their bits number the rows, seven the columns. The bit that a step drops is a
    bit of the row, and the new bit takes its place, so that whole rows are added and compared. After seven steps all
    bits of the row are new; the square is turned over its diagonal, and the other seven are next.
    """
    lap = np.ascontiguousarray(soft, np.float32).reshape(MESSAGE_BITS, RATE)
    order = np.arange(-_LEAD_IN, MESSAGE_BITS + _LEAD_OUT) % MESSAGE_BITS
    rows, columns = _square_signs()
    path, straight, crossed = (np.zeros((_SIDE, _SIDE), np.float32) for _ in range(3))
    taken = np.empty((len(order), _SIDE, _SIDE), np.bool_)
    for step, position in enumerate(order.tolist()):
        part = step % _SIDE_BITS
        if step and not part:
            path = np.ascontiguousarray(path.T)
        shape = (_SIDE >> (part + 1), 2, _SIDE << part)
        metric = ((rows[part] * lap[position]) @ columns[part]).reshape(shape)
        # Either dropped bit leads to both new ones.
        before = path.reshape(shape)
        np.add(before[:, :1], metric, out=straight.reshape(shape))
        np.subtract(before[:, 1:], metric, out=crossed.reshape(shape))
        np.greater(crossed, straight, out=taken[step])
        np.maximum(straight, crossed, out=path)
    row, column = divmod(int(np.argmax(path)), _SIDE)
    message = 0
    for step in range(len(order) - 1, -1, -1):
        part, position = step % _SIDE_BITS, step - _LEAD_IN
        # The bit that this step brought in lies where the one that it dropped lay before.
        if 0 <= position < MESSAGE_BITS:
            message |= ((row >> part) & 1) << (MESSAGE_BITS - 1 - position)
        row = row & ~(1 << part) | int(taken[step, row, column]) << part
        if not part:
            row, column = column, row
    ident = message >> CRC_BITS
    agreement = float(np.mean(np.sign(lap.reshape(-1)) * _encode_message(message)))
    return Decoded(ident, crc24(ident) == message & ((1 << CRC_BITS) - 1), (1.0 - agreement) / 2.0)
