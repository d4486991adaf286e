"""The ledger: an append-only Merkle log of all that was consented to, asked for and released.

Entries are canonical JSON (RFC 8785) in the tree of RFC 6962; a checkpoint signs size and root (C2SP tlog-checkpoint).
Entry bodies hold pseudonyms only: random ids, digests, kinds and times, never a name, a path, a text or a likeness.
Nothing is ever removed from here, so nothing may enter that a person could one day want removed.

What the log shows: any change to an entry that a checkpoint covers, and any cut. What it cannot show by itself: a home
turned back as a whole to an earlier day. Each released file carries a checkpoint and is a witness against that, see
prove_extends. When the time of an entry is over, prune() removes its body; its leaf stays, and every proof with it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import rfc8785
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.errors import LabelPartMissing, LedgerBroken, ProofInvalid, UnknownRecord
from compliance.proof import (
    Checkpoint,
    Node,
    Proof,
    Range,
    consistency_ranges,
    fold,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    open_note,
    read_note,
    sign_note,
    subtrees,
    verify_consistency,
    vkey,
)
from compliance.store import Store, checkpoint, ledger_entry, ledger_node, pruned, utc_text

Fields = Mapping[str, Any]
"""What an entry says: a JSON object of text, numbers, booleans, lists and objects; no bytes, no whole number ≥ 2^53."""

ENTRY_VERSION: Final = 1
CLOCK_REGRESSED: Final = "clock_regressed"
"""The kind of the entry that stands before the first one whose time is earlier than its predecessor's."""
CHECKPOINT_ENTRIES: Final = 256
CHECKPOINT_AGE: Final = timedelta(minutes=10)
"""A log is signed again after so many entries, or so long, whichever comes first."""
PRUNED: Final = "ledger_pruned"
"""The kind of the entry that announces a removal; fields: first and last, the indices of a range, both included."""

_ROWS_AT_ONCE = 2000


def origin_of(home_id: str) -> str:
    """The name under which the log of a home signs; no address anywhere answers to it."""
    return f"signet.local/{home_id}"


def _clock() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The log of one home; holds no state of its own, so that several processes may append.

    origin: see origin_of. signing_key: makes checkpoints; None where the keys are locked, then the log can be read and
    appended to, but not signed. public_key: checks checkpoints where there is no signing key.
    """

    def __init__(
        self,
        store: Store,
        origin: str,
        signing_key: Ed25519PrivateKey | None,
        public_key: Ed25519PublicKey | None = None,
        *,
        clock: Callable[[], datetime] = _clock,
    ) -> None:
        self.store = store
        self.origin = origin
        self._signing_key = signing_key
        self._public_key = signing_key.public_key() if signing_key else public_key
        self._clock = clock

    @property
    def can_sign(self) -> bool:
        """Whether checkpoints can be made: the keys of the home are open."""
        return self._signing_key is not None

    # --- writing -----------------------------------------------------------------------------------------------------

    def append(self, connection: sa.Connection, kind: str, fields: Fields) -> int:
        """Add one entry inside the caller's write transaction; returns its index.

        Raises LedgerBroken when entries are missing that a checkpoint counts.
        """
        return self._extend(connection, [(kind, fields)])[0]

    def append_now(self, kind: str, fields: Fields) -> int:
        """Add one entry in a transaction of its own; it is on the disk when this returns its index."""
        with self.store.write() as connection:
            return self.append(connection, kind, fields)

    def append_many(self, entries: Iterable[tuple[str, Fields]]) -> list[int]:
        """Add (kind, fields) pairs in one transaction, all or none; returns their indices in order."""
        with self.store.write() as connection:
            return self._extend(connection, list(entries))

    def _extend(self, connection: sa.Connection, entries: Sequence[tuple[str, Fields]]) -> list[int]:
        size, last_time = _end(connection)
        counted = connection.execute(_LAST_CHECKPOINT_SIZE).scalar()
        if counted is not None and counted > size:
            raise LedgerBroken(index=size, reason=f"a checkpoint counts {counted} entries")
        frontier = _hashes(connection, subtrees(0, size))
        entry_rows: list[dict[str, Any]] = []
        node_rows: list[dict[str, Any]] = []
        indices = []

        def add(kind: str, fields: Fields, time: str) -> int:
            body = rfc8785.dumps({"v": ENTRY_VERSION, "kind": kind, "time": time, "fields": dict(fields)})
            index, leaf = size + len(entry_rows), leaf_hash(body)
            entry_rows.append({"idx": index, "leaf": leaf, "body": body})
            for (level, place), one in _grow(frontier, index, leaf):
                node_rows.append({"level": level, "idx": place, "hash": one})
            return index

        for kind, fields in entries:
            time = utc_text(self._clock())
            if time < last_time:
                # The order is that of the indices; a clock that was set back is said, and nothing is reordered.
                add(CLOCK_REGRESSED, {"before": last_time, "after": time}, time)
            last_time = time
            indices.append(add(kind, fields, time))
        if entry_rows:
            connection.execute(_INSERT_ENTRY, entry_rows)
        if node_rows:
            connection.execute(_INSERT_NODE, node_rows)
        return indices

    def checkpoint(self) -> str:
        """Sign size and root as they are now and keep the note; returns its text.

        Raises LedgerBroken when the log does not begin with what the last checkpoint signed, LabelPartMissing when the
        signing key is not there.
        """
        with self.store.write() as connection:
            return self._checkpoint(connection)[1]

    def due_checkpoint(self) -> str | None:
        """Sign when 256 entries or ten minutes have passed since the last checkpoint; None when it is not yet time.

        Also None for a log without new entries, or while the keys are locked. Raises what checkpoint() raises.
        """
        if self._signing_key is None:
            return None
        with self.store.read() as connection:
            size = _size(connection)
            query = sa.select(checkpoint.c.size, checkpoint.c.made_at).order_by(checkpoint.c.size.desc()).limit(1)
            last = connection.execute(query).one_or_none()
        if size == 0 or (last is not None and last.size == size):
            return None
        if last is not None and size - last.size < CHECKPOINT_ENTRIES:
            age = self._clock() - datetime.fromisoformat(last.made_at)
            # A clock that was set back must not keep the next checkpoint waiting.
            if timedelta(0) <= age < CHECKPOINT_AGE:
                return None
        return self.checkpoint()

    def _checkpoint(self, connection: sa.Connection) -> tuple[int, str]:
        if self._signing_key is None:
            raise LabelPartMissing(part="the signing key of the ledger")
        size, _ = _end(connection)
        root = _range_root(connection, (0, size))
        last = connection.execute(_LAST_CHECKPOINT).one_or_none()
        if last is not None:
            signed = self._open(last.size, last.note)
            if signed.size > size:
                raise LedgerBroken(index=size, reason=f"a checkpoint counts {signed.size} entries")
            path = [_range_root(connection, one) for one in consistency_ranges(signed.size, size)]
            try:
                verify_consistency(signed.size, size, signed.root, root, path)
            except ProofInvalid as error:
                raise LedgerBroken(index=signed.size, reason="it does not extend the last checkpoint") from error
            if signed.size == size:
                return size, last.note
        note = sign_note(Checkpoint(self.origin, size, root), self._signing_key, self.origin)
        connection.execute(sa.insert(checkpoint).values(size=size, note=note, made_at=utc_text(self._clock())))
        return size, note

    def proof(self, index: int) -> Proof:
        """The entry with its path to a fresh checkpoint: what a released file carries."""
        with self.store.write() as connection:
            body = _body(connection, index)
            size, note = self._checkpoint(connection)
            path = tuple(_range_root(connection, one) for one in inclusion_ranges(index, size))
        return Proof(index, path, note, body)

    def prune(self, connection: sa.Connection, first: int, last: int) -> int:
        """Remove the bodies of the entries first … last, never their leaves; returns the index of the announcement.

        Whether their time is over is the caller's rule. Raises UnknownRecord when they are not all there, and keeps the
        last entry of the log and announcements of earlier removals whole, because the log is checked with them.
        """
        if not 0 <= first <= last < _size(connection):
            raise UnknownRecord(kind="ledger entry", id=last)
        span = ledger_entry.c.idx.between(first, last) & ledger_entry.c.body.is_not(None)
        query = sa.select(ledger_entry.c.idx, ledger_entry.c.body).where(span).order_by(ledger_entry.c.idx)
        chosen = [row.idx for row in connection.execute(query) if _parse(row.body, row.idx)["kind"] != PRUNED]
        index = self.append(connection, PRUNED, {"first": first, "last": last})
        if chosen:
            at = utc_text(self._clock())
            connection.execute(sa.insert(pruned), [{"idx": place, "at": at} for place in chosen])
            gone = sa.update(ledger_entry).where(ledger_entry.c.idx == sa.bindparam("place")).values(body=None)
            connection.execute(gone, [{"place": place} for place in chosen])
        return index

    # --- reading -----------------------------------------------------------------------------------------------------

    def size(self) -> int:
        """How many entries there are."""
        with self.store.read() as connection:
            return _size(connection)

    def root(self, size: int | None = None) -> bytes:
        """The root hash, 32 bytes, now or when the log had `size` entries."""
        with self.store.read() as connection:
            return _range_root(connection, (0, _known_size(connection, size)))

    def entry(self, index: int) -> dict[str, Any]:
        """One entry: kind, time, fields, v. Raises UnknownRecord, or LedgerBroken when it is not what was hashed."""
        with self.store.read() as connection:
            return _parse(_body(connection, index), index)

    def entries(self, start: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """The entries from start up to, not including, stop, in order, without those that were pruned.

        See verify() for whether they are sound.
        """
        with self.store.read() as connection:
            query = sa.select(ledger_entry.c.idx, ledger_entry.c.body).where(ledger_entry.c.idx >= start)
            if stop is not None:
                query = query.where(ledger_entry.c.idx < stop)
            rows = connection.execute(query.where(ledger_entry.c.body.is_not(None)).order_by(ledger_entry.c.idx))
            return [_parse(row.body, row.idx) for row in rows]

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The inclusion path of an entry in the log of that size (now when None); see proof.verify_inclusion."""
        with self.store.read() as connection:
            known = _known_size(connection, size)
            if not 0 <= index < known:
                raise UnknownRecord(kind="ledger entry", id=index)
            return [_range_root(connection, one) for one in inclusion_ranges(index, known)]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the log of size `new` (now when None) begins with that of size `old`."""
        with self.store.read() as connection:
            known = _known_size(connection, new)
            if not 0 <= old <= known:
                raise UnknownRecord(kind="ledger size", id=old)
            return [_range_root(connection, one) for one in consistency_ranges(old, known)]

    def export(self) -> Iterator[str]:
        """The whole log as JSON lines: one head with the verifier key, all entries, all checkpoints.

        `body` is the text whose UTF-8 bytes were hashed, so that a stranger can recompute every leaf and root; null
        where it was pruned, then the leaf alone counts.
        """
        with self.store.read() as connection, _Streams(connection) as streams:
            key = vkey(self.origin, self._public_key) if self._public_key else None
            yield _line({"type": "log", "origin": self.origin, "vkey": key, "size": _size(connection)})
            for row in streams.rows(_ALL_ENTRIES):
                body = None if row.body is None else row.body.decode(errors="replace")
                yield _line({"type": "entry", "index": row.idx, "leaf": row.leaf.hex(), "body": body})
            for row in streams.rows(sa.select(checkpoint).order_by(checkpoint.c.size)):
                yield _line({"type": "checkpoint", "size": row.size, "made_at": row.made_at, "note": row.note})

    def verify(self) -> Checkpoint | None:
        """Recompute the whole log from its bodies; raise LedgerBroken(index, reason) at the first bad row.

        Checks that no index is missing, every leaf is the hash of its body, every stored node the hash of its
        children, every checkpoint is signed by this home and has the root that the log had at its size. Where a body
        was pruned its leaf stands for it, and a later entry must announce the removal.
        Returns the newest checkpoint whose signature was checked; None when there is none, or no key to check with.
        """
        with self.store.read() as connection, _Streams(connection) as streams:
            return self._verify(connection, streams)

    def prove_extends(self, checkpoint_note: str) -> None:
        """Show that today's log begins with the one that an older checkpoint signed; the whole log is recomputed.

        Raises LedgerBroken when it does not, so when the home was turned back or another log was put in its place;
        ProofInvalid when the note is none, or not signed by this home.
        """
        note = open_note(checkpoint_note, self._public_key) if self._public_key else read_note(checkpoint_note)
        if note.origin != self.origin:
            raise ProofInvalid(reason="the checkpoint is of another log")
        with self.store.read() as connection, _Streams(connection) as streams:
            self._verify(connection, streams)
            size = _size(connection)
            if note.size > size:
                raise LedgerBroken(index=size, reason=f"a checkpoint counts {note.size} entries")
            if _range_root(connection, (0, note.size)) != note.root:
                raise LedgerBroken(index=note.size, reason="the entries before it are not those of its checkpoint")

    def _verify(self, connection: sa.Connection, streams: _Streams) -> Checkpoint | None:
        frontier: list[bytes] = []
        stored_nodes: dict[int, Iterator[sa.Row[Any]]] = {}
        checkpoints = streams.rows(sa.select(checkpoint).order_by(checkpoint.c.size))
        due = next(checkpoints, None)
        newest: Checkpoint | None = None
        size = nodes = 0
        removals = connection.execute(sa.select(pruned.c.idx)).scalars().all()
        unannounced = set(removals)
        for row in streams.rows(_ALL_ENTRIES):
            while due is not None and due.size <= size:
                newest, due = self._verify_checkpoint(due, frontier), next(checkpoints, None)
            if row.idx != size:
                raise LedgerBroken(index=size, reason="the entry is missing")
            if row.body is None:
                if size not in unannounced:
                    raise LedgerBroken(index=size, reason="the entry is missing")
            elif leaf_hash(row.body) != row.leaf:
                raise LedgerBroken(index=size, reason="the entry was changed")
            elif unannounced:
                unannounced -= _announced(row.body, size)
            for (level, place), expected in _grow(frontier, size, row.leaf):
                if level not in stored_nodes:
                    query = sa.select(ledger_node).where(ledger_node.c.level == level).order_by(ledger_node.c.idx)
                    stored_nodes[level] = streams.rows(query)
                stored = next(stored_nodes[level], None)
                if stored is None or (stored.idx, stored.hash) != (place, expected):
                    raise LedgerBroken(index=size, reason="the tree above the entry was changed")
                nodes += 1
            size += 1
        while due is not None and due.size <= size:
            newest, due = self._verify_checkpoint(due, frontier), next(checkpoints, None)
        if due is not None:
            raise LedgerBroken(index=size, reason=f"a checkpoint counts {due.size} entries")
        if connection.execute(sa.select(sa.func.count()).select_from(ledger_node)).scalar_one() != nodes:
            raise LedgerBroken(index=size, reason="the tree has nodes above no entry")
        if unannounced:
            raise LedgerBroken(index=min(unannounced), reason="the entry is missing")
        return newest

    def _verify_checkpoint(self, row: sa.Row[Any], frontier: Sequence[bytes]) -> Checkpoint | None:
        signed = self._open(row.size, row.note)
        if signed.root != fold(frontier):
            raise LedgerBroken(index=row.size, reason="the entries before it are not those of its checkpoint")
        return signed if self._public_key else None

    def _open(self, size: int, note: str) -> Checkpoint:
        """A stored checkpoint, checked with the key when there is one."""
        try:
            signed = open_note(note, self._public_key) if self._public_key else read_note(note)
        except ProofInvalid as error:
            raise LedgerBroken(index=size, reason="its checkpoint is not signed by this home") from error
        if (signed.origin, signed.size) != (self.origin, size):
            raise LedgerBroken(index=size, reason="its checkpoint is of another log or size")
        return signed


# --- rows ------------------------------------------------------------------------------------------------------------

_INSERT_ENTRY = sa.insert(ledger_entry)
_INSERT_NODE = sa.insert(ledger_node)
_ALL_ENTRIES = sa.select(ledger_entry).order_by(ledger_entry.c.idx)
_LAST_ENTRY = sa.select(ledger_entry.c.idx, ledger_entry.c.body).order_by(ledger_entry.c.idx.desc()).limit(1)
_LAST_CHECKPOINT = sa.select(checkpoint.c.size, checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
_LAST_CHECKPOINT_SIZE = sa.select(sa.func.max(checkpoint.c.size))
_LEAVES = sa.select(ledger_entry.c.idx, ledger_entry.c.leaf).where(
    ledger_entry.c.idx.in_(sa.bindparam("places", expanding=True))
)
# CROSS JOIN makes SQLite look every wanted node up by its key; for (level, idx) IN (VALUES …) it reads the whole table.
_NODES = (
    "WITH wanted(level, idx) AS (VALUES {rows}) SELECT node.level, node.idx, node.hash FROM wanted "
    "CROSS JOIN ledger_node AS node WHERE node.level = wanted.level AND node.idx = wanted.idx"
)


def _size(connection: sa.Connection) -> int:
    last = connection.execute(sa.select(sa.func.max(ledger_entry.c.idx))).scalar()
    return 0 if last is None else last + 1


def _known_size(connection: sa.Connection, size: int | None) -> int:
    now = _size(connection)
    if size is not None and not 0 <= size <= now:
        raise UnknownRecord(kind="ledger size", id=size)
    return now if size is None else size


def _end(connection: sa.Connection) -> tuple[int, str]:
    """The size of the log and the time of its last entry ("" when it is empty)."""
    row = connection.execute(_LAST_ENTRY).one_or_none()
    if row is None:
        return 0, ""
    if row.body is None:
        raise LedgerBroken(index=row.idx, reason="the entry is missing")
    return row.idx + 1, str(_parse(row.body, row.idx)["time"])


def _body(connection: sa.Connection, index: int) -> bytes:
    row = connection.execute(sa.select(ledger_entry).where(ledger_entry.c.idx == index)).one_or_none()
    if row is None or row.body is None:
        raise UnknownRecord(kind="ledger entry", id=index)
    if leaf_hash(row.body) != row.leaf:
        raise LedgerBroken(index=index, reason="the entry was changed")
    return bytes(row.body)


def _parse(body: bytes, index: int) -> dict[str, Any]:
    try:
        entry = json.loads(body)
        if entry.keys() != {"v", "kind", "time", "fields"}:
            raise ValueError("not an entry")
    except (ValueError, AttributeError) as error:
        raise LedgerBroken(index=index, reason="the entry was changed") from error
    return dict(entry)


def _announced(body: bytes, index: int) -> set[int]:
    """The indices whose removal an entry announces; none for every other entry."""
    # A look at the bytes first: parsing every entry of a long log would take longer than hashing it.
    if PRUNED.encode() not in body:
        return set()
    entry = _parse(body, index)
    if entry["kind"] != PRUNED:
        return set()
    return set(range(entry["fields"]["first"], min(entry["fields"]["last"], index - 1) + 1))


def _grow(frontier: list[bytes], index: int, leaf: bytes) -> list[tuple[Node, bytes]]:
    """Add a leaf to the complete subtrees, left to right, of a log of size `index`; returns the nodes completed."""
    completed = []
    level = 0
    while index >> level & 1:
        leaf = node_hash(frontier.pop(), leaf)
        level += 1
        completed.append(((level, index >> level), leaf))
    frontier.append(leaf)
    return completed


def _hashes(connection: sa.Connection, nodes: Sequence[Node]) -> list[bytes]:
    """The stored hashes of complete subtrees, in the order asked for; leaves stand with their entries."""
    found: dict[Node, bytes] = {}
    leaves = [place for level, place in nodes if level == 0]
    if leaves:
        found.update(((0, row.idx), row.leaf) for row in connection.execute(_LEAVES, {"places": leaves}))
    higher = [node for node in nodes if node[0]]
    if higher:
        pair = "(?, ?)" if connection.dialect.paramstyle == "qmark" else "(%s, %s)"
        query = _NODES.format(rows=", ".join([pair] * len(higher)))
        rows = connection.exec_driver_sql(query, tuple(number for node in higher for number in node))
        found.update(((row.level, row.idx), row.hash) for row in rows)
    for level, place in nodes:
        if (level, place) not in found:
            raise LedgerBroken(index=place << level, reason="the tree above the entry is missing")
    return [found[node] for node in nodes]


def _range_root(connection: sa.Connection, span: Range) -> bytes:
    return fold(_hashes(connection, subtrees(*span)))


class _Streams(contextlib.ExitStack):
    """Queries of one transaction whose rows are read as they are used, so that a long log does not stand in memory."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__()
        self._connection = connection

    def rows(self, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
        """The rows of one more query, open until the block ends: a server keeps a place for each."""
        found = self._connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
        self.callback(found.close)
        return iter(found)


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True)
