"""Verify an exported Signet ledger without Signet: one file, the standard library and `cryptography`.

    python verify_ledger.py EXPORT.jsonl [--vkey KEY] [--checkpoint FILE ...]

The export is JSON lines: a head, all entries, all checkpoints. Every leaf is recomputed from its body (RFC 6962), every
checkpoint's signature (C2SP signed note, Ed25519) and root are checked against the entries before it. A body that was
pruned, its time being over, is null: its leaf stands for it, and a later entry must announce the removal. The answer is
0 when all holds; 1, with the first bad line, when it does not; 2 when the call was wrong.

--vkey KEY      the verifier key that you got from the studio itself; without it the key in the export is used, which
                shows that the log agrees with itself, not whose it is.
--checkpoint    a checkpoint seen earlier, which the log must extend: a signed note, or the proof of a released file.

No check of one file can show that entries after the last checkpoint are genuine (their number is printed), or that the
log was not turned back as a whole to an earlier day: give the checkpoint of a later file for that.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LINE_LIMIT, NOTE_LIMIT = 1024 * 1024, 64 * 1024
ED25519 = b"\x01"
SHAPES: dict[str, dict[str, Any]] = {
    "log": {"type": str, "origin": str, "vkey": (str, type(None)), "size": int},
    "entry": {"type": str, "index": int, "leaf": str, "body": (str, type(None))},
    "checkpoint": {"type": str, "size": int, "made_at": str, "note": str},
}
BODY = {"v": int, "kind": str, "time": str, "fields": dict}
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|\+00:00)", re.ASCII)
LEAF = re.compile(r"[0-9a-f]{64}", re.ASCII)
CLOCK_REGRESSED, PRUNED = "clock_regressed", "ledger_pruned"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class Bad(Exception):
    """Something does not hold; the text says what, in one clause."""


class Key(NamedTuple):
    """A verifier key: the name it signs under, its four bytes of id, and the key."""

    name: str
    id: bytes
    public: Ed25519PublicKey


class Checkpoint(NamedTuple):
    """A signed size and root of a log."""

    origin: str
    size: int
    root: bytes


class Wanted(NamedTuple):
    """A checkpoint whose root is to be compared, and where it was read."""

    where: str
    checkpoint: Checkpoint


class Log(NamedTuple):
    """What was read: the leaves, the time of the last entry, the checkpoints of the export in order."""

    origin: str
    leaves: list[bytes]
    last_time: str
    checkpoints: list[Wanted]
    key: Key
    key_was_given: bool


# --- hashes ----------------------------------------------------------------------------------------------------------


def leaf_hash(body: bytes) -> bytes:
    """The hash of an entry (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def roots(leaves: Iterable[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """The root of the log at each of the sizes; sizes beyond the end are left out."""
    wanted, found = set(sizes), {}
    complete: list[bytes] = []
    if 0 in wanted:
        found[0] = hashlib.sha256(b"").digest()
    for index, leaf in enumerate(leaves):
        level = 0
        while index >> level & 1:
            leaf = node_hash(complete.pop(), leaf)
            level += 1
        complete.append(leaf)
        if index + 1 in wanted:
            root = complete[-1]
            for left in reversed(complete[:-1]):
                root = node_hash(left, root)
            found[index + 1] = root
    return found


# --- signed notes ----------------------------------------------------------------------------------------------------


def unbase64(text: str) -> bytes:
    """Bytes of strict base64: no other text stands for the same bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise Bad("not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Bad("not base64")
    return data


def read_key(text: str) -> Key:
    """A verifier key: name+id+key (C2SP signed-note)."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not parts[0]:
        raise Bad("not a verifier key")
    name, told_id, encoded = parts
    raw = unbase64(encoded)
    if raw[:1] != ED25519 or len(raw) != 33:
        raise Bad("not an Ed25519 verifier key")
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if key_id.hex() != told_id:
        raise Bad("the verifier key is damaged")
    return Key(name, key_id, Ed25519PublicKey.from_public_bytes(raw[1:]))


def open_note(note: str, key: Key) -> Checkpoint:
    """A checkpoint whose signature by the key holds; signatures of others are ignored."""
    if len(note) > NOTE_LIMIT or not note.endswith("\n") or any(sign < " " and sign != "\n" for sign in note):
        raise Bad("the checkpoint is not a signed note")
    text, gap, tail = note.rpartition("\n\n")
    if not gap:
        raise Bad("the checkpoint is not signed")
    body, signed = text + "\n", False
    for line in tail[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not name:
            raise Bad("the checkpoint is not a signed note")
        raw = unbase64(encoded)
        if name != key.name or raw[:4] != key.id:
            continue
        try:
            key.public.verify(raw[4:], body.encode())
        except InvalidSignature as error:
            raise Bad("the signature of the checkpoint is wrong") from error
        signed = True
    if not signed:
        raise Bad("the checkpoint is not signed by the key of this log")
    lines = body.split("\n")
    if len(lines) != 4 or not lines[0] or not NUMBER.fullmatch(lines[1]):
        raise Bad("the note is no checkpoint")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise Bad("the note is no checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root)


# --- the export ------------------------------------------------------------------------------------------------------


def read_json(text: str) -> dict[str, Any]:
    """A JSON object in which no field stands twice."""

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(given)
        if len(found) != len(given):
            raise Bad("a field stands twice")
        return found

    def constant(name: str) -> NoReturn:
        raise Bad(f"{name} is no JSON")

    try:
        found = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Bad("not JSON") from error
    if not isinstance(found, dict):
        raise Bad("not a JSON object")
    return found


def check_shape(found: dict[str, Any], shape: dict[str, Any]) -> None:
    """Refuse an object that has not exactly these fields of these types."""
    if found.keys() != shape.keys():
        raise Bad(f"the field {min(found.keys() ^ shape.keys())!r} is missing or one too many")
    for name, kind in shape.items():
        # A bool is an int in Python, not in JSON.
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise Bad(f"the field {name!r} is of another kind")


def lines_of(path: Path) -> Iterator[str]:
    """The lines of the file as text; each must be whole."""
    with path.open("rb") as file:
        while raw := file.readline(LINE_LIMIT + 1):
            if file.tell() == len(raw) and raw.startswith(b"\xef\xbb\xbf"):
                raise Bad("the file begins with a byte order mark")
            if not raw.endswith(b"\n"):
                raise Bad("the line is cut off" if len(raw) <= LINE_LIMIT else "the line is too long")
            try:
                yield raw[:-1].decode()
            except UnicodeDecodeError as error:
                raise Bad("not UTF-8") from error


class Reader:
    """Reads an export line by line; `line` is the number of the line being read, for the error."""

    def __init__(self, given_key: Key | None) -> None:
        self.line = 0
        self._given_key = given_key
        self._key: Key | None = None
        self._origin = ""
        self._told_size = -1
        self._leaves: list[bytes] = []
        self._blank: set[int] = set()
        self._last_time = ""
        self._checkpoints: list[Wanted] = []

    def read(self, path: Path) -> Log:
        """The whole export, its lines checked; roots are not yet compared."""
        lines = lines_of(path)
        self.line = 1
        while (text := next(lines, None)) is not None:
            self._take(text)
            self.line += 1
        if self._key is None:
            raise Bad("the file is empty")
        if len(self._leaves) != self._told_size:
            raise Bad(f"the log ends after {len(self._leaves)} entries, its head says {self._told_size}")
        if self._blank:
            raise Bad(f"entry {min(self._blank)} has no body, and no later entry says that it was pruned")
        if not self._checkpoints:
            raise Bad("there is no checkpoint: nothing in this log is signed")
        was_given = self._given_key is not None
        return Log(self._origin, self._leaves, self._last_time, self._checkpoints, self._key, was_given)

    def _take(self, text: str) -> None:
        """One line, in its place: the head, then the entries, then the checkpoints."""
        kind = (data := read_json(text)).get("type")
        if not isinstance(kind, str) or kind not in SHAPES:
            raise Bad("this line is of no known kind")
        if (self.line == 1) != (kind == "log"):
            raise Bad("the first line, and no other, is the head of the log")
        check_shape(data, SHAPES[kind])
        {"log": self._head, "entry": self._entry, "checkpoint": self._checkpoint}[kind](data)

    def _head(self, data: dict[str, Any]) -> None:
        told = data["vkey"]
        if told is None and self._given_key is None:
            raise Bad("the export names no key: give it with --vkey")
        if told is not None and self._given_key is not None and read_key(told) != self._given_key:
            raise Bad("the export names another key than the one given")
        self._key = self._given_key or read_key(told)
        if data["origin"] != self._key.name:
            raise Bad("the key is that of another log")
        self._origin, self._told_size = data["origin"], data["size"]

    def _entry(self, data: dict[str, Any]) -> None:
        if self._checkpoints:
            raise Bad("an entry stands after a checkpoint")
        index = len(self._leaves)
        if data["index"] != index:
            raise Bad(f"entry {index} is expected here, not {data['index']}")
        if data["body"] is None:
            if not LEAF.fullmatch(data["leaf"]):
                raise Bad(f"entry {index} has neither body nor leaf")
            self._blank.add(index)
            self._leaves.append(bytes.fromhex(data["leaf"]))
            return
        try:
            leaf = leaf_hash(data["body"].encode())
        except UnicodeEncodeError as error:
            raise Bad(f"entry {index} is not UTF-8") from error
        if leaf.hex() != data["leaf"]:
            raise Bad(f"entry {index} was changed: its leaf is not the hash of its body")
        check_shape(body := read_json(data["body"]), BODY)
        time = body["time"]
        if not TIME.fullmatch(time):
            raise Bad(f"entry {index} has no time")
        if time < self._last_time and body["kind"] != CLOCK_REGRESSED:
            raise Bad(f"entry {index} is earlier than the one before it, and the log does not say so")
        self._last_time = time
        self._leaves.append(leaf)
        if body["kind"] == PRUNED:
            first, last = (body["fields"].get(name) for name in ("first", "last"))
            if type(first) is not int or type(last) is not int:
                raise Bad(f"entry {index} does not say what was pruned")
            self._blank = {one for one in self._blank if not first <= one <= last}

    def _checkpoint(self, data: dict[str, Any]) -> None:
        assert self._key is not None  # the head was read first
        if len(self._leaves) != self._told_size:
            raise Bad(f"the entries end after {len(self._leaves)}, the head says {self._told_size}")
        signed = open_note(data["note"], self._key)
        if signed.size != data["size"]:
            raise Bad("the checkpoint signs another size than its line says")
        if self._checkpoints and signed.size <= self._checkpoints[-1].checkpoint.size:
            raise Bad("the checkpoints are not in order")
        if not TIME.fullmatch(data["made_at"]):
            raise Bad("the checkpoint has no time")
        fits(signed, self._origin, len(self._leaves))
        self._checkpoints.append(Wanted(f"line {self.line}", signed))


def fits(signed: Checkpoint, origin: str, size: int) -> None:
    """Refuse a checkpoint of another log, or of more entries than there are."""
    if signed.origin != origin:
        raise Bad("the checkpoint is of another log")
    if signed.size > size:
        raise Bad(f"the checkpoint counts {signed.size} entries, the log has {size}: its end was cut off")


def outside_checkpoint(path: Path, log: Log) -> Wanted:
    """A checkpoint seen earlier: a signed note, or the proof of a released file, whose entry must be here too."""
    try:
        text = path.read_bytes()[: 4 * LINE_LIMIT].decode()
    except UnicodeDecodeError as error:
        raise Bad("not a signed note") from error
    if text.startswith(PROOF_HEADER):
        head, _, text = text.partition("\n\n")
        fields = dict(line.partition(" ")[::2] for line in head.split("\n")[1:])
        index, body = fields.get("index", ""), unbase64(fields.get("extra", ""))
        if not NUMBER.fullmatch(index) or int(index) >= len(log.leaves) or log.leaves[int(index)] != leaf_hash(body):
            raise Bad("the entry that the file proves is not in this log")
    signed = open_note(text, log.key)
    fits(signed, log.origin, len(log.leaves))
    return Wanted(path.name, signed)


def verify(export: Path, vkey: str | None, outside: Iterable[Path], say: Callable[[str], None]) -> int:
    """Check everything; say what was found, and return the exit code."""
    where = "--vkey"
    reader: Reader | None = None
    try:
        reader = Reader(read_key(vkey) if vkey else None)
        log = reader.read(export)
        wanted = list(log.checkpoints)
        reader = None
        for path in outside:
            where = path.name
            wanted.append(outside_checkpoint(path, log))
        found = roots(log.leaves, {one.checkpoint.size for one in wanted})
        for one in sorted(wanted, key=lambda one: one.checkpoint.size):
            where = one.where
            if found[one.checkpoint.size] != one.checkpoint.root:
                raise Bad(f"the first {one.checkpoint.size} entries are not those that the checkpoint signed")
    except Bad as error:
        say(f"BAD  {f'line {reader.line}' if reader and reader.line else where}: {error}")
        return 1
    last, size = log.checkpoints[-1].checkpoint, len(log.leaves)
    say(f"OK   {size} entries, {len(log.checkpoints)} checkpoints, of {log.origin}")
    say(f"root of {last.size} entries: {base64.b64encode(last.root).decode()}")
    say(f"last entry: {log.last_time or 'none'}")
    if size > last.size:
        say(f"NOTE {size - last.size} entries after the last checkpoint are signed by nobody yet")
    if not log.key_was_given:
        say("NOTE the key is the export's own; give the studio's with --vkey to know whose log this is")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, verify, and answer 0, 1 or 2."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="verify_ledger.py", description=__doc__, formatter_class=about)
    parser.add_argument("export", type=Path, metavar="EXPORT.jsonl")
    parser.add_argument("--vkey", metavar="KEY", help="the studio's verifier key: name+id+key")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", action="append", default=[])
    given = parser.parse_args(arguments)
    try:
        return verify(given.export, given.vkey, given.checkpoint, print)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
