"""The frame of a C2PA manifest store, byte for byte: what no hash and no signature covers has to be as we write it.

C2PA hashes the assertions and signs the claim. The headers of the boxes around them, their labels and switches, and the
room that is kept behind the signature ("pad") are covered by nothing, and the library reads over changes in them. For
a store of our own making each of those bytes has one right value. Sources: C2PA 2.2 §8 and §11, ISO 19566-5 (JUMBF),
RFC 9052 §4.2 (COSE_Sign1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UUID_TAIL = bytes.fromhex("00110010800000aa00389b71")
_MANIFEST = re.compile(rb"urn:c2pa:[0-9a-f-]{36}")
_PARTS = ((b"c2as", b"c2pa.assertions"), (b"c2cl", b"c2pa.claim.v2"), (b"c2cs", b"c2pa.signature"))
_PADS = (b"pad", b"pad2")
# The switches of a description box: it may be asked for and has a label.
_LABELLED = b"\x03"
# The same, and a box of random bytes is part of the description.
_SALTED = b"\x13"


class _Changed(Exception):
    """The frame is not as we write it."""


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    content: memoryview


def frame_is_ours(store: bytes) -> bool:
    """Whether every byte of the frame of the active manifest is as we write it.

    store: a whole manifest store that holds an assertion of ours; manifests before the last are hashed by it.
    """
    try:
        (whole,) = _boxes(memoryview(store))
        outer = _superbox(whole)
        _describe(outer[0], b"c2pa", b"c2pa")
        active = _superbox(outer[-1])
        if len(outer) < 2 or not _MANIFEST.fullmatch(_describe(active[0], b"c2ma", None)):
            return False
        parts = [_superbox(part) for part in active[1:]]
        for part, (kind, label) in zip(parts, _PARTS, strict=True):
            _describe(part[0], kind, label)
        for assertion in parts[0][1:]:
            _salted(_superbox(assertion)[0])
        (claim,), (signature,) = parts[1][1:], parts[2][1:]
        if claim.kind != b"cbor" or signature.kind != b"cbor":
            return False
        _sign1(signature.content)
    except (_Changed, ValueError, IndexError):
        return False
    return True


def _boxes(data: memoryview) -> Iterator[_Box]:
    """The boxes that fill data to its last byte."""
    while data:
        length, kind = int.from_bytes(data[:4], "big"), bytes(data[4:8])
        if not 8 <= length <= len(data):
            raise _Changed
        yield _Box(kind, data[8:length])
        data = data[length:]


def _superbox(box: _Box) -> list[_Box]:
    if box.kind != b"jumb":
        raise _Changed
    return list(_boxes(box.content))


def _describe(box: _Box, kind: bytes, label: bytes | None) -> bytes:
    """The label of a description box, whose every byte is checked; label None: any."""
    content = bytes(box.content)
    found = content[17:-1]
    if box.kind != b"jumd" or content != kind + _UUID_TAIL + _LABELLED + (found if label is None else label) + b"\0":
        raise _Changed
    return found


def _salted(box: _Box) -> None:
    """Raise unless the description of an assertion has its label, its salt, and the switches that say so.

    Its kind and label are hashed; the switches are read over.
    """
    label, _, rest = bytes(box.content[17:]).partition(b"\0")
    (salt,) = _boxes(memoryview(rest))
    if box.kind != b"jumd" or bytes(box.content[16:17]) != _SALTED or not label or salt.kind != b"c2sh":
        raise _Changed


def _sign1(data: memoryview) -> None:
    """Raise unless data is a tagged COSE_Sign1 with nothing unprotected but padding of zeros, and nothing behind it."""
    if bytes(data[:2]) != b"\xd2\x84":
        raise _Changed
    _, rest = _string(data[2:], 2)
    pairs = rest[0] - 0xA0
    if not 0 <= pairs <= len(_PADS):
        raise _Changed
    rest = rest[1:]
    names = []
    for _ in range(pairs):
        name, rest = _string(rest, 3)
        filling, rest = _string(rest, 2)
        names.append(bytes(name))
        if any(filling):
            raise _Changed
    if names != sorted(set(names)) or not set(names) <= set(_PADS) or bytes(rest[:1]) != b"\xf6":
        raise _Changed
    _, rest = _string(rest[1:], 2)
    if rest:
        raise _Changed


def _string(data: memoryview, major: int) -> tuple[memoryview, memoryview]:
    """A CBOR string of a major type (2 bytes, 3 text) in its shortest form, and what follows it."""
    first = data[0]
    if first >> 5 != major:
        raise _Changed
    short = first & 31
    if short < 24:
        start, length = 1, short
    elif short in (24, 25, 26):
        start = 1 + (1 << (short - 24))
        length = int.from_bytes(data[1:start], "big")
        if length < {24: 24, 25: 256, 26: 65536}[short]:
            raise _Changed
    else:
        raise _Changed
    if start + length > len(data):
        raise _Changed
    return data[start : start + length], data[start + length :]
