"""What an old file proves about the log of today: a thousand changes by the owner of the database are found."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from compliance import cosignature, proof
from compliance.errors import LedgerBroken, LogNotExtended, ProofInvalid
from compliance.ledger import Ledger, origin_of
from compliance.proof import Checkpoint, node_hash, sign_note
from compliance.store import open_store
from tests.compliance.logs import KEY, ORIGIN, OTHER_KEY, Log, leaves, tree_root

# --- what a file saw -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A log of 60 entries, checkpoints at 24 and 40, and its database kept beside it."""
    folder = tmp_path_factory.mktemp("grown")
    made = Ledger(open_store(folder), ORIGIN, KEY)
    for stop in (24, 40):
        made.append_many([("counted", {"n": n}) for n in range(made.size(), stop)])
        made.checkpoint()
    (folder / "proof.txt").write_text(made.proof(7).to_text())
    (folder / "proof.json").write_text(json.dumps(made.proof(7).to_json()))
    made.append_many([("counted", {"n": n}) for n in range(40, 60)])
    made.store.close()
    shutil.copyfile(made.store.path, folder / "keep.db")
    yield made
    made.store.close()


def shown(ledger: Ledger, path: Path) -> cosignature.Extension:
    """The proof that the log of today extends what a file saw."""
    return cosignature.prove_extends(ledger, KEY.public_key(), path, cosignature.seen_by(path))


def test_every_kind_of_file_shows_the_extension(grown: Ledger, tmp_path: Path) -> None:
    """A proof as text or JSON, a checkpoint, and a request to a witness are witnesses alike."""
    folder = grown.store.folder
    note = tmp_path / "note.txt"
    note.write_text(read_stored(grown, 24))
    request = tmp_path / "request.txt"
    request.write_text(cosignature.submission(grown.store, grown, 24).to_text())
    for path, kind, size in (
        (folder / "proof.txt", "proof", 40),
        (folder / "proof.json", "proof", 40),
        (note, "checkpoint", 24),
        (request, "checkpoint", 40),
    ):
        found = shown(grown, path)
        assert (found.kind, found.seen_size, found.size) == (kind, size, 60)


def read_stored(ledger: Ledger, size: int) -> str:
    """A checkpoint as the log keeps it."""
    return cosignature.checkpoint_text(ledger.store, size)


@pytest.mark.parametrize("data", [b"", b"hello", b"{}", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", bytes(range(256))])
def test_a_file_that_saw_nothing(tmp_path: Path, data: bytes) -> None:
    """A file without a proof is told as that."""
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ProofInvalid):
        cosignature.seen_by(tmp_path / "x")


def test_another_log_and_a_forged_checkpoint_prove_nothing(grown: Ledger, tmp_path: Path) -> None:
    """A checkpoint of another log, of another key, of a longer or another history: each is refused."""
    path = tmp_path / "note"
    for log, key, origin, error in (
        (Log(leaves(5)), OTHER_KEY, origin_of("home-2"), LogNotExtended),
        (Log(leaves(5)), OTHER_KEY, ORIGIN, ProofInvalid),
        (Log(leaves(61)), KEY, ORIGIN, LogNotExtended),
        (Log(leaves(5)), KEY, ORIGIN, LogNotExtended),
    ):
        path.write_text(log.note(key, origin))
        with pytest.raises(error):
            shown(grown, path)


# --- a thousand changes by the owner of the file ---------------------------------------------------------------------

Change = Callable[[sqlite3.Connection, random.Random], None]


def _flip(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def _rebuild(raw: sqlite3.Connection, bodies: list[bytes]) -> None:
    """Write a whole new log that fits together: leaves, nodes and checkpoints by the real key."""
    made = [proof.leaf_hash(body) for body in bodies]
    for table in ("ledger_entry", "ledger_node", "checkpoint"):
        raw.execute(f"DELETE FROM {table}")
    raw.executemany("INSERT INTO ledger_entry VALUES (?, ?, ?)", [(n, made[n], body) for n, body in enumerate(bodies)])
    level, row = 0, made
    while len(row) > 1:
        level, row = level + 1, [node_hash(row[n], row[n + 1]) for n in range(0, len(row) - 1, 2)]
        raw.executemany("INSERT INTO ledger_node VALUES (?, ?, ?)", [(level, n, one) for n, one in enumerate(row)])
    note = sign_note(Checkpoint(ORIGIN, len(bodies), tree_root(made)), KEY, ORIGIN)
    raw.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (len(bodies), note, "2026"))


def _bodies(raw: sqlite3.Connection) -> list[bytes]:
    return [body for (body,) in raw.execute("SELECT body FROM ledger_entry ORDER BY idx")]


def _turned_back(raw: sqlite3.Connection, dice: random.Random) -> None:
    _rebuild(raw, _bodies(raw)[: dice.randrange(1, 40)])


def _rewritten(raw: sqlite3.Connection, dice: random.Random) -> None:
    bodies = _bodies(raw)
    place = dice.randrange(40)
    bodies[place] = bodies[place].replace(b'"n":', b'"n":1')
    _rebuild(raw, bodies)


def _swapped(raw: sqlite3.Connection, dice: random.Random) -> None:
    bodies = _bodies(raw)
    one, other = dice.sample(range(40), 2)
    bodies[one], bodies[other] = bodies[other], bodies[one]
    _rebuild(raw, bodies)


def _left_out(raw: sqlite3.Connection, dice: random.Random) -> None:
    bodies = _bodies(raw)
    del bodies[dice.randrange(40)]
    _rebuild(raw, bodies)


def _slipped_in(raw: sqlite3.Connection, dice: random.Random) -> None:
    bodies = _bodies(raw)
    bodies.insert(dice.randrange(40), bodies[0])
    _rebuild(raw, bodies)


def _flipped(raw: sqlite3.Connection, dice: random.Random) -> None:
    table, column = dice.choice([("ledger_entry", "body"), ("ledger_entry", "leaf"), ("ledger_node", "hash")])
    key, value = dice.choice(raw.execute(_SELECT[table].format(column)).fetchall())
    where = "idx" if table == "ledger_entry" else "level * 1000 + idx"
    raw.execute(f"UPDATE {table} SET {column} = ? WHERE {where} = ?", (_flip(value, dice), key))


_SELECT = {
    "ledger_entry": "SELECT idx, {} FROM ledger_entry",
    "ledger_node": "SELECT level * 1000 + idx, {} FROM ledger_node",
}


def _cut(raw: sqlite3.Connection, dice: random.Random) -> None:
    end = dice.randrange(40)
    raw.execute("DELETE FROM checkpoint")
    raw.execute("DELETE FROM ledger_entry WHERE idx >= ?", (end,))
    raw.execute("DELETE FROM ledger_node WHERE (idx + 1) << level > ?", (end,))


def _said_to_be_pruned(raw: sqlite3.Connection, dice: random.Random) -> None:
    place = dice.randrange(60)
    raw.execute("INSERT INTO pruned VALUES (?, '2026')", (place,))
    raw.execute("UPDATE ledger_entry SET body = NULL WHERE idx = ?", (place,))


def _node_gone(raw: sqlite3.Connection, dice: random.Random) -> None:
    level, place = dice.choice(raw.execute("SELECT level, idx FROM ledger_node").fetchall())
    raw.execute("DELETE FROM ledger_node WHERE level = ? AND idx = ?", (level, place))


def _emptied(raw: sqlite3.Connection, _dice: random.Random) -> None:
    for table in ("ledger_entry", "ledger_node", "checkpoint"):
        raw.execute(f"DELETE FROM {table}")


CHANGES: list[Change] = [
    _turned_back,
    _rewritten,
    _swapped,
    _left_out,
    _slipped_in,
    _flipped,
    _cut,
    _said_to_be_pruned,
    _node_gone,
    _emptied,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_thousand_changes_are_found_with_one_old_checkpoint(grown: Ledger, change: Change) -> None:
    """A hundred random changes of each kind by somebody who has database and key: the old file finds every one."""
    dice = random.Random(change.__name__)
    path, seen = grown.store.folder / "proof.txt", cosignature.seen_by(grown.store.folder / "proof.txt")
    raw = sqlite3.connect(grown.store.path, isolation_level=None)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("PRAGMA synchronous=OFF")
    raw.execute("ATTACH ? AS keep", (str(grown.store.folder / "keep.db"),))
    try:
        for number in range(100):
            raw.execute("BEGIN")
            change(raw, dice)
            raw.execute("COMMIT")
            try:
                cosignature.prove_extends(grown, KEY.public_key(), path, seen)
            except (LedgerBroken, LogNotExtended):
                pass
            else:
                pytest.fail(f"change {number} was not found")
            _restore(raw)
        assert cosignature.prove_extends(grown, KEY.public_key(), path, seen).size == 60
    finally:
        _restore(raw)
        raw.close()


def _restore(raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN")
    for table in ("ledger_entry", "ledger_node", "checkpoint", "pruned"):
        raw.execute(f"DELETE FROM {table}")
        raw.execute(f"INSERT INTO {table} SELECT * FROM keep.{table}")
    raw.execute("COMMIT")


def test_without_an_outside_checkpoint_a_rewritten_log_looks_sound(grown: Ledger) -> None:
    """Why witnesses are needed: who has database and key rewrites the past, and the log alone cannot tell."""
    raw = sqlite3.connect(grown.store.path, isolation_level=None)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("ATTACH ? AS keep", (str(grown.store.folder / "keep.db"),))
    _rewritten(raw, random.Random(1))
    grown.verify()
    with pytest.raises(LogNotExtended):
        shown(grown, grown.store.folder / "proof.txt")
    _restore(raw)
    raw.close()
