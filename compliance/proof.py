"""Proofs about the ledger, as pure functions: Merkle paths, signed checkpoints and the proof a released file carries.

The tree is that of RFC 6962 §2.1 with SHA-256; the checks follow RFC 9162 §2.1.3.2 and §2.1.4.2. Texts follow C2SP:
signed-note, tlog-checkpoint and tlog-proof@v1, so that a stranger's tool can check a file without this program.
Nothing here reads or writes anything; what is wrong raises ProofInvalid.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.errors import ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without entries: the hash of nothing (RFC 6962 §2.1)."""

_ED25519 = b"\x01"
"""The signature type of plain Ed25519 in C2SP signed-note."""
_SIZE_LIMIT = 2**62
_PATH_LIMIT = 63
_NOTE_LIMIT = 64 * 1024
_SIGNATURE_LIMIT = 16
_PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)

Range = tuple[int, int]
"""Entries from start up to, not including, stop."""
Node = tuple[int, int]
"""(level, index) of a complete subtree: the entries [index << level, (index + 1) << level)."""


# --- hashes ----------------------------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry; the prefix 0x00 keeps leaves and nodes apart (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Join the complete subtrees of a range, left to right and falling in size, into the root of that range."""
    return reduce(lambda right, left: node_hash(left, right), reversed(subtrees)) if subtrees else EMPTY_ROOT


# --- which parts of the tree a proof needs ---------------------------------------------------------------------------


def subtrees(start: int, stop: int) -> list[Node]:
    """The complete subtrees that make up a range, left to right; `start` must lie on a boundary of the largest."""
    found: list[Node] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose roots are the inclusion path of an entry, from its sibling upwards (PATH of RFC 6962 §2.1.1)."""
    start, stop = 0, size
    found: list[Range] = []
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            found.append((middle, stop))
            stop = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[Range]:
    """The ranges whose roots prove that one tree extends another (PROOF of RFC 6962 §2.1.2)."""
    if old_size in (0, new_size):
        return []
    start, stop = 0, new_size
    found: list[Range] = []
    while old_size != stop:
        middle = start + _split(stop - start)
        if old_size <= middle:
            found.append((middle, stop))
            stop = middle
        else:
            found.append((start, middle))
            start = middle
    if start:
        found.append((start, stop))
    return found[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`, where RFC 6962 divides a tree."""
    return 1 << (count - 1).bit_length() - 1


# --- checks ----------------------------------------------------------------------------------------------------------


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion path leads to (RFC 9162 §2.1.3.2).

    leaf: the leaf hash, 32 bytes; path: its siblings upwards. Raises ProofInvalid when the shape cannot be right.
    """
    if not 0 <= index < size <= _SIZE_LIMIT:
        raise ProofInvalid(reason="there is no such entry in a log of that size")
    _check_hashes([leaf, *path])
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofInvalid(reason="the path is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofInvalid(reason="the path is too short")
    return root


def verify_inclusion(index: int, size: int, leaf_hash: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofInvalid unless the entry stands at this index of the log with this size and root."""
    if root_from_inclusion(index, size, leaf_hash, path) != root:
        raise ProofInvalid(reason="the entry does not lead to the root")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raise ProofInvalid unless the new log begins with the whole old log (RFC 9162 §2.1.4.2)."""
    if not 0 <= old_size <= new_size <= _SIZE_LIMIT:
        raise ProofInvalid(reason="a log cannot shrink")
    _check_hashes([old_root, new_root, *path])
    if old_size in (0, new_size):
        # An empty log is the beginning of every log, and every log of itself: neither needs a path.
        if path:
            raise ProofInvalid(reason="the path is too long")
        if old_root != (new_root if old_size else EMPTY_ROOT):
            raise ProofInvalid(reason="the roots differ")
        return
    hashes = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not hashes:
        raise ProofInvalid(reason="the path is too short")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalid(reason="the path is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofInvalid(reason="the path is too short")
    if old != old_root:
        raise ProofInvalid(reason="the path does not lead to the old root")
    if new != new_root:
        raise ProofInvalid(reason="the path does not lead to the new root")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > _PATH_LIMIT + 2 or any(len(one) != HASH_BYTES for one in hashes):
        raise ProofInvalid(reason="not a list of SHA-256 hashes")


# --- checkpoints as signed notes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at one moment: its origin, its size in entries and its root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text under the signature: three lines (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    """The four bytes that tie a signature line to its key (C2SP signed-note)."""
    seed = name.encode() + b"\n" + _ED25519 + public_key.public_bytes_raw()
    return hashlib.sha256(seed).digest()[:4]


def vkey(name: str, public_key: Ed25519PublicKey) -> str:
    """The verifier key as one line to hand to others: name+id+key."""
    _check_key_name(name)
    return f"{name}+{key_id(name, public_key).hex()}+{_base64(_ED25519 + public_key.public_bytes_raw())}"


def parse_vkey(text: str) -> tuple[str, Ed25519PublicKey]:
    """Read a verifier key; returns its name and key. Raises ProofInvalid when it is not one, or its id does not fit."""
    # The base64 of the key may itself contain a plus sign, the name may not.
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise ProofInvalid(reason="not a verifier key")
    name, identifier, encoded = parts
    _check_key_name(name)
    raw = _unbase64(encoded)
    if raw[:1] != _ED25519 or len(raw) != 1 + HASH_BYTES:
        raise ProofInvalid(reason="not an Ed25519 verifier key")
    public_key = Ed25519PublicKey.from_public_bytes(raw[1:])
    if identifier != key_id(name, public_key).hex():
        raise ProofInvalid(reason="the verifier key is damaged")
    return name, public_key


def sign_note(checkpoint: Checkpoint, private_key: Ed25519PrivateKey, name: str) -> str:
    """Sign a checkpoint; `name` is the key's name and should be the origin. Same input, same text."""
    _check_key_name(name)
    body = checkpoint.body()
    _parse_body(body)
    signature = key_id(name, private_key.public_key()) + private_key.sign(body.encode())
    return f"{body}\n— {name} {_base64(signature)}\n"


def open_note(text: str, keys: Ed25519PublicKey | Iterable[Ed25519PublicKey]) -> Checkpoint:
    """Read a signed checkpoint.

    keys: the key or keys that are trusted; one good signature of any of them is enough, signatures of unknown keys
    are ignored, a bad signature of a trusted key refuses the whole note. Raises ProofInvalid.
    """
    trusted = [keys] if isinstance(keys, Ed25519PublicKey) else list(keys)
    body, signatures = _split_note(text)
    signed = False
    for name, identifier, signature in signatures:
        for key in trusted:
            if identifier == key_id(name, key):
                try:
                    key.verify(signature, body.encode())
                except InvalidSignature as error:
                    raise ProofInvalid(reason="the signature of the checkpoint is wrong") from error
                signed = True
    if not signed:
        raise ProofInvalid(reason="the checkpoint is not signed by a known key")
    return _parse_body(body)


def read_note(text: str) -> Checkpoint:
    """Read a checkpoint WITHOUT checking its signature: what it claims, not what is true. Raises ProofInvalid."""
    return _parse_body(_split_note(text)[0])


def _split_note(text: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The signed text and (key name, key id, signature) of each signature line."""
    if len(text) > _NOTE_LIMIT or any(sign < " " and sign != "\n" for sign in text) or not text.endswith("\n"):
        raise ProofInvalid(reason="not a signed note")
    if any("\ud800" <= sign <= "\udfff" for sign in text):  # half a character: JSON can carry it, UTF-8 cannot
        raise ProofInvalid(reason="not a signed note")
    body, gap, tail = text.rpartition("\n\n")
    lines = tail.split("\n")[:-1]
    if not gap or not 1 <= len(lines) <= _SIGNATURE_LIMIT:
        raise ProofInvalid(reason="the note is not signed")
    signatures = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—":
            raise ProofInvalid(reason="not a signed note")
        _check_key_name(name)
        raw = _unbase64(encoded)
        if len(raw) < 5:
            raise ProofInvalid(reason="not a signed note")
        signatures.append((name, raw[:4], raw[4:]))
    return body + "\n", signatures


def _parse_body(body: str) -> Checkpoint:
    lines = body.split("\n")
    # Extension lines are allowed by the format but advised against; this log writes none, so it accepts none.
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise ProofInvalid(reason="not a checkpoint")
    checkpoint = Checkpoint(lines[0], _number(lines[1]), _unbase64(lines[2]))
    _check_hashes([checkpoint.root])
    return checkpoint


def _check_key_name(name: str) -> None:
    if not name or "+" in name or any(sign.isspace() or sign < " " for sign in name):
        raise ProofInvalid(reason="not a key name")


# --- the proof a released file carries -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry, its place in the log and a signed checkpoint: enough to check it offline with the log's key.

    index: from 0. path: 32-byte hashes from the leaf's sibling upwards. checkpoint_note: a signed note, verbatim.
    entry: the exact bytes of the entry's body.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: str
    entry: bytes

    def verify(self, public_key: Ed25519PublicKey | Iterable[Ed25519PublicKey]) -> Checkpoint:
        """Return the checkpoint that includes the entry; raise ProofInvalid when signature or path do not hold."""
        checkpoint = open_note(self.checkpoint_note, public_key)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(self.entry), self.path, checkpoint.root)
        return checkpoint

    def to_text(self) -> str:
        """As C2SP tlog-proof@v1; the entry stands in the line `extra`, from which a reader makes the leaf hash."""
        head = [_PROOF_HEADER, f"extra {_base64(self.entry)}", f"index {self.index}", *map(_base64, self.path)]
        return "\n".join(head) + "\n\n" + self.checkpoint_note

    @classmethod
    def from_text(cls, text: str) -> Proof:
        """Read what to_text wrote; raises ProofInvalid on anything else. The proof is read, not yet verified."""
        head, gap, note = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or len(lines) < 3 or lines[0] != _PROOF_HEADER:
            raise ProofInvalid(reason="not a ledger proof")
        entry, index = _after("extra ", lines[1]), _after("index ", lines[2])
        _split_note(note)
        return cls(_number(index), _path(lines[3:], _unbase64), note, _unbase64(entry))

    def to_json(self) -> dict[str, Any]:
        """Plain data for an assertion: path in hex, entry in base64."""
        return {
            "format": _PROOF_HEADER,
            "index": self.index,
            "path": [one.hex() for one in self.path],
            "checkpoint": self.checkpoint_note,
            "entry": _base64(self.entry),
        }

    @classmethod
    def from_json(cls, data: Any) -> Proof:
        """Read what to_json wrote; raises ProofInvalid on anything else. The proof is read, not yet verified."""
        if not isinstance(data, dict) or data.get("format") != _PROOF_HEADER:
            raise ProofInvalid(reason="not a ledger proof")
        index, path, note, entry = (data.get(name) for name in ("index", "path", "checkpoint", "entry"))
        # A bool is an int in Python, not in JSON.
        if not isinstance(index, int) or isinstance(index, bool) or not isinstance(path, list):
            raise ProofInvalid(reason="not a ledger proof")
        if not isinstance(note, str) or not isinstance(entry, str) or not all(isinstance(one, str) for one in path):
            raise ProofInvalid(reason="not a ledger proof")
        _split_note(note)
        return cls(index, _path(path, _unhex), note, _unbase64(entry))


def _path(lines: Sequence[str], decode: Callable[[str], bytes]) -> tuple[bytes, ...]:
    if len(lines) > _PATH_LIMIT:
        raise ProofInvalid(reason="the path is too long")
    hashes = tuple(decode(line) for line in lines)
    _check_hashes(hashes)
    return hashes


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise ProofInvalid(reason="not a ledger proof")
    return line[len(word) :]


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ProofInvalid(reason="not a decimal number")
    return int(text)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofInvalid(reason="not base64") from error
    if _base64(data) != text:  # unused bits: two texts for the same bytes
        raise ProofInvalid(reason="not base64")
    return data


def _unhex(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise ProofInvalid(reason="not hexadecimal") from error
    if data.hex() != text:
        raise ProofInvalid(reason="not hexadecimal")
    return data
