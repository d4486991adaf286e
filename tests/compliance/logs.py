"""Ledgers to try things on, and the tree by its definition."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance import proof
from compliance.ledger import Ledger, origin_of
from compliance.proof import Checkpoint, sign_note
from compliance.store import open_store
from compliance.witness import Submission

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = origin_of("home-1")
MOST = 70


def make(folder: Path, key: Ed25519PrivateKey | None = KEY) -> Ledger:
    """A ledger whose clock advances one second with each entry."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    seconds = itertools.count()
    return Ledger(open_store(folder), ORIGIN, key, clock=lambda: start + timedelta(seconds=next(seconds)))


def raw(ledger: Ledger) -> sqlite3.Connection:
    """The file in the hands of its owner, who takes the triggers away first."""
    connection = sqlite3.connect(ledger.store.path, isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def tree_root(leaves: list[bytes]) -> bytes:
    """The definition MTH of RFC 6962 §2.1, word by word; slow, and independent of the code under test."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


class Log:
    """A log in memory that can lie: any list of leaves, signed with its real key."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def note(self, key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> str:
        return sign_note(Checkpoint(origin, len(self.leaves), tree_root(self.leaves)), key, origin)

    def request(self, old: int) -> str:
        path = [tree_root(self.leaves[start:stop]) for start, stop in proof.consistency_ranges(old, len(self.leaves))]
        return Submission(old, tuple(path), self.note()).to_text()


def leaves(count: int, fork: int | None = None) -> list[bytes]:
    """Leaf hashes that differ from place `fork` on."""
    return [proof.leaf_hash(f"{n}{'x' if fork is not None and n >= fork else ''}".encode()) for n in range(count)]
