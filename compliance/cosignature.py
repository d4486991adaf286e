"""The log's side of witnessing: whom we know as a witness, what they signed, and what an old file proves about today.

A cosigned checkpoint, a released file and a proof are all the same evidence: the log once had this size and this root.
Whoever brings one of them back can see whether the log of today begins with that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance import store
from compliance.account import Account
from compliance.clock import stamp
from compliance.containers import read_container
from compliance.errors import (
    FileMissing,
    LedgerBroken,
    LogNotExtended,
    NotAPicture,
    ProofInvalid,
    UnknownRecord,
)
from compliance.ledger import Ledger
from compliance.proof import Checkpoint, Proof, leaf_hash, open_note, read_note
from compliance.roles import Action, verify_may_in
from compliance.witness import Submission, parse_witness_vkey, verify_cosignature

_LARGEST_BYTES = 1 << 30
_LARGEST_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's signature over a checkpoint of ours; at: when the witness signed."""

    witness: str
    size: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file saw of a log: a signed checkpoint, and with a proof also one entry. kind: what the file is."""

    kind: str
    note: str
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Extension:
    """Shown: the log of today, with `size` entries, begins with the one of `seen_size` entries."""

    origin: str
    kind: str
    seen_size: int
    seen_root: str
    size: int
    root: str
    entry_index: int | None


# --- witnesses and their signatures ----------------------------------------------------------------------------------


def add_witness(rows: store.Store, ledger: Ledger, by: Account, vkey: str) -> str:
    """Make a witness known by its verifier key; returns its name. A known name keeps its key for good.

    Raises RoleMissing, ProofInvalid for no such key, or another key under a known name.
    """
    name, _ = parse_witness_vkey(vkey)
    vkey = vkey.strip()
    table = store.witness
    with rows.write() as connection:
        verify_may_in(connection, by, Action.COSIGN_LEDGER)
        before = connection.execute(sa.select(table.c.vkey).where(table.c.name == name)).scalar()
        if before == vkey:
            return name
        if before is not None:
            raise ProofInvalid(reason="this witness is known under another key")
        # The name of a witness may be that of a person or a desk: the ledger gets the id of the key.
        ledger.append(connection, "witness_added", {"by": by.id, "key": vkey.split("+", 2)[1]})
        connection.execute(sa.insert(table).values(name=name, vkey=vkey, added_at=stamp()))
    return name


def witnesses(rows: store.Store) -> dict[str, str]:
    """The known witnesses: verifier key by name."""
    table = store.witness
    with rows.read() as connection:
        return {row.name: row.vkey for row in connection.execute(sa.select(table.c.name, table.c.vkey))}


def add_cosignatures(rows: store.Store, ledger: Ledger, text: str) -> list[Cosignature]:
    """Keep what witnesses signed: the checkpoint with their lines, as a witness gives it back.

    Lines of strangers and the log's own are passed over. Raises ProofInvalid when none of a known witness is there or
    one of them is wrong, UnknownRecord when the checkpoint is not one of this log.
    """
    checkpoint = read_note(text)
    note = _stored_note(rows, checkpoint.size)
    if note is None or read_note(note) != checkpoint:
        raise UnknownRecord(kind="checkpoint", id=checkpoint.size)
    known = witnesses(rows)
    found: list[tuple[Cosignature, str]] = []
    for line in text[text.rindex("\n\n") + 2 :].splitlines():
        name = line.partition(" ")[2].partition(" ")[0]
        if name in known:
            found.append((Cosignature(name, checkpoint.size, verify_cosignature(line, checkpoint, known[name])), line))
    if not found:
        raise ProofInvalid(reason="no known witness has signed it")
    table = store.cosignature
    with rows.write() as connection:
        for one, line in found:
            here = sa.select(table.c.line).where(table.c.size == one.size, table.c.witness == one.witness)
            if connection.execute(here).first() is None:
                connection.execute(sa.insert(table).values(size=one.size, witness=one.witness, line=line))
    return [one for one, _ in found]


def checkpoint_text(rows: store.Store, size: int) -> str:
    """A stored checkpoint with the lines of all witnesses that signed it; raises UnknownRecord."""
    note = _stored_note(rows, size)
    if note is None:
        raise UnknownRecord(kind="checkpoint", id=size)
    table = store.cosignature
    query = sa.select(table.c.line).where(table.c.size == size).order_by(table.c.witness)
    with rows.read() as connection:
        return note + "".join(f"{line}\n" for line in connection.execute(query).scalars())


def verify_cosignatures(rows: store.Store) -> list[Cosignature]:
    """Check every kept line of a witness against the checkpoint beside it; raises LedgerBroken at the first bad one."""
    known = witnesses(rows)
    table, notes = store.cosignature, store.checkpoint
    query = (
        sa.select(table.c.size, table.c.witness, table.c.line, notes.c.note)
        .join(notes, notes.c.size == table.c.size, isouter=True)
        .order_by(table.c.size, table.c.witness)
    )
    with rows.read() as connection:
        kept = connection.execute(query).all()
    found = []
    for row in kept:
        try:
            at = verify_cosignature(row.line, read_note(row.note or ""), known[row.witness])
        except (ProofInvalid, KeyError) as error:
            raise LedgerBroken(index=row.size, reason="a witness signed another checkpoint") from error
        found.append(Cosignature(row.witness, row.size, at))
    return found


def submission(rows: store.Store, ledger: Ledger, old_size: int) -> Submission:
    """What a witness that stands at old_size needs to sign the newest checkpoint; raises UnknownRecord."""
    with rows.read() as connection:
        size = connection.execute(sa.select(sa.func.max(store.checkpoint.c.size))).scalar()
    if size is None or old_size > size:
        raise UnknownRecord(kind="checkpoint", id=old_size)
    return Submission(old_size, tuple(ledger.consistency(old_size, size)), _stored_note(rows, size) or "")


def _stored_note(rows: store.Store, size: int) -> str | None:
    table = store.checkpoint
    with rows.read() as connection:
        return connection.execute(sa.select(table.c.note).where(table.c.size == size)).scalar()


# --- what a file saw -------------------------------------------------------------------------------------------------


def seen_by(path: Path) -> Seen:
    """What a released file, a proof (text or JSON), a request to a witness or a checkpoint saw of its log.

    Raises FileMissing, ProofInvalid when the file carries nothing of the kind. Nothing is checked yet.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ProofInvalid(reason="the file is too large")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileMissing(path=path) from error
    except OSError as error:
        raise ProofInvalid(reason=(error.strerror or "unknown").lower()) from error
    try:
        text = data.decode() if len(data) <= _LARGEST_TEXT else None
    except UnicodeDecodeError:
        text = None
    return _seen_in_picture(data) if text is None else _seen_in_text(text)


def _seen_in_text(text: str) -> Seen:
    if text.startswith("c2sp.org/tlog-proof"):
        proof = Proof.from_text(text)
        return Seen("proof", proof.checkpoint_note, proof)
    if text.lstrip().startswith("{"):
        try:
            proof = Proof.from_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise ProofInvalid(reason="not a ledger proof") from error
        return Seen("proof", proof.checkpoint_note, proof)
    return Seen("checkpoint", Submission.from_text(text).note, None)


def _seen_in_picture(data: bytes) -> Seen:
    # Imported here: reading credentials loads the C2PA library, which no other kind of evidence needs.
    from compliance.labels.credential import read_credential

    try:
        container = read_container("the file", data, salvage=True)
    except NotAPicture as error:
        raise ProofInvalid(reason="the file carries no proof of a ledger entry") from error
    evidence = read_credential(data, container.mime, []).evidence
    if not evidence or "proof" not in evidence:
        raise ProofInvalid(reason="the file carries no proof of a ledger entry")
    proof = Proof.from_json(evidence["proof"])
    return Seen("released file", proof.checkpoint_note, proof)


def prove_extends(ledger: Ledger, public_key: Ed25519PublicKey, path: Path, seen: Seen) -> Extension:
    """Show that the log of today extends the one a file saw; the whole log is recomputed. path only names the file.

    Raises LogNotExtended when it does not or when the file is of another log, LedgerBroken when the log is broken by
    itself, ProofInvalid when what the file carries does not hold by itself.
    """
    claimed = read_note(seen.note)
    if claimed.origin != ledger.origin:
        raise LogNotExtended(path=path, reason="the file is of another log")
    then: Checkpoint = seen.proof.verify(public_key) if seen.proof else open_note(seen.note, public_key)
    ledger.verify()
    size = ledger.size()
    if then.size > size:
        raise LogNotExtended(path=path, reason="entries are missing: the log was turned back")
    if ledger.root(then.size) != then.root:
        raise LogNotExtended(path=path, reason="the entries are others than those the file saw")
    index = seen.proof.index if seen.proof else None
    if seen.proof is not None:
        _verify_entry(ledger, seen.proof, path)
    return Extension(ledger.origin, seen.kind, then.size, then.root.hex(), size, ledger.root(size).hex(), index)


def _verify_entry(ledger: Ledger, proof: Proof, path: Path) -> None:
    """The very entry stands where the file says; its body may have been pruned since, its leaf not."""
    table = store.ledger_entry
    with ledger.store.read() as connection:
        leaf = connection.execute(sa.select(table.c.leaf).where(table.c.idx == proof.index)).scalar()
    if leaf != leaf_hash(proof.entry):
        raise LogNotExtended(path=path, reason="the entries are others than those the file saw")
