"""Witnesses: a second machine signs that today's log begins with the one it saw before.

One machine cannot show that a home was turned back as a whole: database and key go back together. A witness remembers
one size and root a log and signs nothing that does not extend it, so that two histories of one log never both carry its
signature. Texts follow C2SP: the cosignature of tlog-cosignature (Ed25519, `cosignature/v1`), the request of
tlog-witness (`old N`, the proof, an empty line, the checkpoint), keys as in signed-note with the type 0x04.
The witness needs nothing of a home: a file with its key and a file with what it has seen.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.clock import now
from compliance.errors import (
    FileMissing,
    ProofInvalid,
    WitnessKeyInvalid,
    WitnessNeedsProof,
    WitnessRefused,
)
from compliance.proof import EMPTY_ROOT, Checkpoint, open_note, parse_vkey, read_note, verify_consistency
from compliance.storage import disk_error, write_atomically

_COSIGNATURE = b"\x04"
"""The signature type of an Ed25519 cosignature in C2SP signed-note."""
_PRIVATE = "PRIVATE+KEY"
_SEED_BYTES = 32
_PATH_LIMIT = 63
_STATE_VERSION: Final = 1
LARGEST_BYTES: Final = 128 * 1024
"""No request, checkpoint, key or state is larger; a file that is is not read."""


# --- keys ------------------------------------------------------------------------------------------------------------


def key_id(name: str, public_key: Ed25519PublicKey) -> bytes:
    """The four bytes that tie a cosignature to its key (C2SP tlog-cosignature)."""
    return hashlib.sha256(name.encode() + b"\n" + _COSIGNATURE + public_key.public_bytes_raw()).digest()[:4]


def witness_vkey(name: str, public_key: Ed25519PublicKey) -> str:
    """The verifier key of a witness as one line: name+id+key."""
    material = _base64(_COSIGNATURE + public_key.public_bytes_raw())
    return f"{_checked_name(name)}+{key_id(name, public_key).hex()}+{material}"


def parse_witness_vkey(text: str) -> tuple[str, Ed25519PublicKey]:
    """Read a witness's verifier key; returns its name and key. Raises ProofInvalid."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise ProofInvalid(reason="not a witness's verifier key")
    name, identifier, encoded = parts
    raw = _unbase64(encoded)
    if raw[:1] != _COSIGNATURE or len(raw) != 1 + _SEED_BYTES:
        raise ProofInvalid(reason="not a witness's verifier key")
    key = Ed25519PublicKey.from_public_bytes(raw[1:])
    if identifier != key_id(_checked_name(name), key).hex():
        raise ProofInvalid(reason="the verifier key is damaged")
    return name, key


@dataclass(frozen=True, slots=True, repr=False)
class WitnessKey:
    """The private key of a witness and its name, such as `witness.example/second-desk`; in memory and in one file."""

    name: str
    private_key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"WitnessKey({self.name!r}, …)"

    @classmethod
    def generate(cls, name: str) -> WitnessKey:
        """A new key under a name; raises ProofInvalid for a name that cannot stand on a signature line."""
        return cls(_checked_name(name), Ed25519PrivateKey.generate())

    @property
    def vkey(self) -> str:
        """What the log's home needs to check this witness."""
        return witness_vkey(self.name, self.private_key.public_key())

    def to_text(self) -> str:
        """One line for the key file."""
        material = _base64(_COSIGNATURE + self.private_key.private_bytes_raw())
        return f"{_PRIVATE}+{self.name}+{key_id(self.name, self.private_key.public_key()).hex()}+{material}\n"

    @classmethod
    def from_text(cls, text: str) -> WitnessKey:
        """Read what to_text wrote; raises ProofInvalid on anything else."""
        parts = text.strip().split("+", 4)
        if len(parts) != 5 or "+".join(parts[:2]) != _PRIVATE:
            raise ProofInvalid(reason="not a witness key")
        name, identifier, raw = parts[2], parts[3], _unbase64(parts[4])
        if raw[:1] != _COSIGNATURE or len(raw) != 1 + _SEED_BYTES:
            raise ProofInvalid(reason="not a witness key")
        key = Ed25519PrivateKey.from_private_bytes(raw[1:])
        if identifier != key_id(_checked_name(name), key.public_key()).hex():
            raise ProofInvalid(reason="the witness key is damaged")
        return cls(name, key)


def load_key(path: Path) -> WitnessKey:
    """The key in a file; raises FileMissing, WitnessKeyInvalid."""
    try:
        return WitnessKey.from_text(read_text(path))
    except ProofInvalid as error:
        raise WitnessKeyInvalid(path=path, reason=error.data["reason"]) from error


# --- cosignatures ----------------------------------------------------------------------------------------------------


def cosign_line(key: WitnessKey, checkpoint: Checkpoint, moment: datetime) -> str:
    """The signature line of a witness over a checkpoint; says nothing about whether it may be signed."""
    seconds = int(moment.timestamp())
    signature = key.private_key.sign(_message(checkpoint.body(), seconds))
    raw = key_id(key.name, key.private_key.public_key()) + seconds.to_bytes(8, "big") + signature
    return f"— {key.name} {_base64(raw)}"


def verify_cosignature(line: str, checkpoint: Checkpoint, vkey: str) -> datetime:
    """When a witness signed this checkpoint, in UTC; raises ProofInvalid unless the line is its signature."""
    name, key = parse_witness_vkey(vkey)
    dash, _, rest = line.partition(" ")
    written, _, encoded = rest.partition(" ")
    if dash != "—" or written != name:
        raise ProofInvalid(reason="not a line of this witness")
    raw = _unbase64(encoded)
    if len(raw) != 4 + 8 + 64 or raw[:4] != key_id(name, key):
        raise ProofInvalid(reason="not a line of this witness")
    seconds = int.from_bytes(raw[4:12], "big")
    try:
        key.verify(raw[12:], _message(checkpoint.body(), seconds))
        return datetime.fromtimestamp(seconds, UTC)
    except (InvalidSignature, OverflowError, ValueError, OSError) as error:
        raise ProofInvalid(reason="the signature of the witness is wrong") from error


def _message(body: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


# --- what is handed to a witness -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint and the way from the last one a witness signed.

    old_size: in entries; None for a bare checkpoint, which proves nothing. path: 32-byte hashes. note: verbatim.
    """

    old_size: int | None
    path: tuple[bytes, ...]
    note: str

    def to_text(self) -> str:
        """As the request of C2SP tlog-witness, or the bare checkpoint."""
        if self.old_size is None:
            return self.note
        return "\n".join([f"old {self.old_size}", *map(_base64, self.path)]) + "\n\n" + self.note

    @classmethod
    def from_text(cls, text: str) -> Submission:
        """Read a request or a bare checkpoint; raises ProofInvalid on anything else."""
        if not text.startswith("old "):
            read_note(text)
            return cls(None, (), text)
        head, gap, note = text.partition("\n\n")
        lines = head.split("\n")
        number = lines[0][4:]
        if not gap or not number.isascii() or not number.isdigit() or str(int(number[:19])) != number:
            raise ProofInvalid(reason="not a request to a witness")
        path = tuple(map(_unbase64, lines[1:]))
        if len(path) > _PATH_LIMIT or any(len(one) != _SEED_BYTES for one in path):
            raise ProofInvalid(reason="not a request to a witness")
        read_note(note)
        return cls(int(number), path, note)


class Witness:
    """One witness: its key, and the file that says what it has signed.

    The file is read, compared and written under a lock, and is on the disk before a signature leaves: whoever holds a
    signature can rely on it that no older or other history gets one, even when the machine fails in between.
    """

    def __init__(self, state: Path, key: WitnessKey, *, clock: Callable[[], datetime] = now) -> None:
        self._state, self._key, self._clock = state, key, clock

    def cosign(self, text: str, log_vkey: str | None = None) -> str:
        """Sign a checkpoint, given as a request or bare; returns it with the witness's line added.

        log_vkey: the log's verifier key, needed the first time; later the remembered one counts. Raises ProofInvalid
        for what cannot be read or is not signed by the log, WitnessNeedsProof, WitnessRefused, WitnessKeyInvalid.
        """
        asked = Submission.from_text(text)
        origin = read_note(asked.note).origin
        with self._alone():
            logs = self._read()
            known = logs.get(origin)
            if known is None and log_vkey is None:
                raise WitnessRefused(origin=origin, reason="the log is not known here; give its key with --log-key")
            vkey = str(known["vkey"]) if known else str(log_vkey).strip()
            if log_vkey is not None and log_vkey.strip() != vkey:
                raise WitnessRefused(origin=origin, reason="the log was known under another key")
            name, public_key = parse_vkey(vkey)
            if name != origin:
                raise WitnessRefused(origin=origin, reason="the key belongs to another log")
            checkpoint = open_note(asked.note, public_key)
            self._verify_extends(asked, checkpoint, known)
            logs[origin] = {"vkey": vkey, "size": checkpoint.size, "root": checkpoint.root.hex()}
            self._write(logs)
            return asked.note + cosign_line(self._key, checkpoint, self._clock()) + "\n"

    def _verify_extends(self, asked: Submission, checkpoint: Checkpoint, known: Mapping[str, Any] | None) -> None:
        origin = checkpoint.origin
        size, root = (int(known["size"]), bytes.fromhex(known["root"])) if known else (0, EMPTY_ROOT)
        if checkpoint.size < size:
            raise WitnessRefused(origin=origin, reason="it has fewer entries than were signed before")
        if checkpoint.size == size:
            if checkpoint.root != root:
                raise WitnessRefused(origin=origin, reason="another history of the same length was signed before")
            return
        if asked.old_size != size and size:
            raise WitnessNeedsProof(origin=origin, size=size)
        try:
            verify_consistency(size, checkpoint.size, root, checkpoint.root, asked.path if size else ())
        except ProofInvalid as error:
            raise WitnessRefused(origin=origin, reason="it does not extend what was signed before") from error

    # --- what was signed ---

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One cosigning at a time over all processes; the lock is a file beside the state and dies with its holder."""
        try:
            descriptor = os.open(
                self._state.with_name(self._state.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise disk_error(error, self._state) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _seal(self, body: Mapping[str, Any]) -> str:
        """Against a slip of the editor; whoever holds the key could forge the state, and could as well sign."""
        key = self._key.private_key.private_bytes_raw()
        return hmac.digest(key, b"signet witness state\n" + rfc8785.dumps(dict(body)), hashlib.sha256).hex()

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content = json.loads(self._state.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise WitnessKeyInvalid(path=self._state, reason="the state is damaged") from error
        body = {"version": content.get("version"), "logs": content.get("logs")} if isinstance(content, dict) else {}
        if body.get("version") != _STATE_VERSION or not hmac.compare_digest(self._seal(body), str(content.get("seal"))):
            raise WitnessKeyInvalid(path=self._state, reason="the state is damaged or belongs to another key")
        logs: dict[str, dict[str, Any]] = content["logs"]
        return logs

    def _write(self, logs: Mapping[str, Mapping[str, Any]]) -> None:
        body = {"version": _STATE_VERSION, "logs": {origin: dict(log) for origin, log in logs.items()}}
        write_atomically(self._state, json.dumps({**body, "seal": self._seal(body)}, indent=1).encode())


# --- reading ---------------------------------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """A small text file; raises FileMissing, ProofInvalid for what is too large or no text."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise FileMissing(path=path) from error
    except OSError as error:
        raise ProofInvalid(reason=(error.strerror or "unknown").lower()) from error
    if len(data) > LARGEST_BYTES:
        raise ProofInvalid(reason="the file is too large")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ProofInvalid(reason="not a text") from error


def _checked_name(name: str) -> str:
    if not name or "+" in name or not name.isprintable() or any(sign.isspace() for sign in name):
        raise ProofInvalid(reason="not a key name")
    return name


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofInvalid(reason="not base64") from error
    if _base64(data) != text:
        raise ProofInvalid(reason="not base64")
    return data
