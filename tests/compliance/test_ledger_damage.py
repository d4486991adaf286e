"""The ledger: whatever is damaged, cut, swapped or forged in it is found."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from compliance import proof
from compliance.errors import LedgerBroken
from compliance.ledger import Ledger, origin_of
from tests.compliance.logs import KEY, ORIGIN, OTHER_KEY, make, raw, tree_root

Damage = Callable[[sqlite3.Connection, random.Random], None]


def _flip(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def _some(database: sqlite3.Connection, dice: random.Random, table: str, columns: str) -> tuple[int, ...]:
    return dice.choice(database.execute(f"SELECT {columns} FROM {table}").fetchall())


def _damage_body(database: sqlite3.Connection, dice: random.Random) -> None:
    index, body = _some(database, dice, "ledger_entry", "idx, body")
    database.execute("UPDATE ledger_entry SET body = ? WHERE idx = ?", (_flip(body, dice), index))


def _damage_leaf(database: sqlite3.Connection, dice: random.Random) -> None:
    index, leaf = _some(database, dice, "ledger_entry", "idx, leaf")
    database.execute("UPDATE ledger_entry SET leaf = ? WHERE idx = ?", (_flip(leaf, dice), index))


def _forge_entry(database: sqlite3.Connection, dice: random.Random) -> None:
    index, body = _some(database, dice, "ledger_entry", "idx, body")
    forged = body.replace(b'"v":1', b'"v":2')
    values = (forged, proof.leaf_hash(forged), index)
    database.execute("UPDATE ledger_entry SET body = ?, leaf = ? WHERE idx = ?", values)


def _damage_node(database: sqlite3.Connection, dice: random.Random) -> None:
    level, index, one = _some(database, dice, "ledger_node", "level, idx, hash")
    database.execute("UPDATE ledger_node SET hash = ? WHERE level = ? AND idx = ?", (_flip(one, dice), level, index))


def _delete_node(database: sqlite3.Connection, dice: random.Random) -> None:
    where = _some(database, dice, "ledger_node", "level, idx")
    database.execute("DELETE FROM ledger_node WHERE level = ? AND idx = ?", where)


def _add_node(database: sqlite3.Connection, dice: random.Random) -> None:
    level = dice.randrange(10)
    database.execute("INSERT INTO ledger_node VALUES (?, ?, ?)", (level, 1000 + dice.randrange(9), dice.randbytes(32)))


def _delete_entry(database: sqlite3.Connection, dice: random.Random) -> None:
    database.execute("DELETE FROM ledger_entry WHERE idx = ?", _some(database, dice, "ledger_entry", "idx"))


def _cut_end(database: sqlite3.Connection, dice: random.Random) -> None:
    (size,) = database.execute("SELECT max(size) FROM checkpoint").fetchone()
    cut = dice.randrange(size)
    database.execute("DELETE FROM ledger_entry WHERE idx >= ?", (cut,))
    # A careful forger removes the nodes above the cut as well.
    database.execute("DELETE FROM ledger_node WHERE (idx + 1) << level > ?", (cut,))


def _swap_entries(database: sqlite3.Connection, dice: random.Random) -> None:
    rows = database.execute("SELECT idx, leaf, body FROM ledger_entry").fetchall()
    one, other = dice.sample(rows, 2)
    for (index, _, _), (_, leaf, body) in ((one, other), (other, one)):
        database.execute("UPDATE ledger_entry SET leaf = ?, body = ? WHERE idx = ?", (leaf, body, index))


def _swap_nodes(database: sqlite3.Connection, dice: random.Random) -> None:
    one, other = dice.sample(database.execute("SELECT level, idx, hash FROM ledger_node").fetchall(), 2)
    for (level, index, _), (_, _, moved) in ((one, other), (other, one)):
        database.execute("UPDATE ledger_node SET hash = ? WHERE level = ? AND idx = ?", (moved, level, index))


def _rewrite_history(database: sqlite3.Connection, dice: random.Random) -> None:
    """Change an entry under the checkpoint and make the whole tree fit: only the signature is left against it."""
    (size,) = database.execute("SELECT max(size) FROM checkpoint").fetchone()
    index = dice.randrange(size)
    (body,) = database.execute("SELECT body FROM ledger_entry WHERE idx = ?", (index,)).fetchone()
    forged = body.replace(b'"v":1', b'"v":2')
    values = (forged, proof.leaf_hash(forged), index)
    database.execute("UPDATE ledger_entry SET body = ?, leaf = ? WHERE idx = ?", values)
    leaves = [leaf for (leaf,) in database.execute("SELECT leaf FROM ledger_entry ORDER BY idx")]
    for level, place in database.execute("SELECT level, idx FROM ledger_node").fetchall():
        root = tree_root(leaves[place << level : (place + 1) << level])
        database.execute("UPDATE ledger_node SET hash = ? WHERE level = ? AND idx = ?", (root, level, place))


def _damage_checkpoint(database: sqlite3.Connection, dice: random.Random) -> None:
    note = dice.choice(
        [
            proof.sign_note(proof.Checkpoint(ORIGIN, 40, bytes(32)), KEY, ORIGIN),
            proof.sign_note(proof.Checkpoint(ORIGIN, 41, bytes(32)), KEY, ORIGIN),
            proof.sign_note(proof.Checkpoint(ORIGIN, 40, bytes(32)), OTHER_KEY, ORIGIN),
            "",
        ]
    )
    database.execute("UPDATE checkpoint SET note = ?", (note,))


def _move_checkpoint(database: sqlite3.Connection, dice: random.Random) -> None:
    database.execute("UPDATE checkpoint SET size = ?", (dice.choice([n for n in range(90) if n != 40]),))


DAMAGES: list[Damage] = [
    _damage_body,
    _damage_leaf,
    _forge_entry,
    _damage_node,
    _delete_node,
    _add_node,
    _cut_end,
    _swap_entries,
    _swap_nodes,
    _rewrite_history,
    _damage_checkpoint,
    _move_checkpoint,
]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger of 50 entries with one checkpoint at 40, and a copy of its database beside it."""
    made = make(tmp_path_factory.mktemp("sealed"))
    made.append_many([("counted", {"n": n}) for n in range(40)])
    made.checkpoint()
    made.append_many([("counted", {"n": n}) for n in range(40, 50)])
    assert made.verify() == proof.Checkpoint(ORIGIN, 40, made.root(40))
    made.store.close()
    shutil.copyfile(made.store.path, made.store.folder / "keep.db")
    yield made
    made.store.close()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_every_damage_is_found(sealed: Ledger, damage: Damage) -> None:
    """Twenty-five random damages of each kind, 300 in all: verify() raises at each, and none is left when undone."""
    dice = random.Random(damage.__name__)
    database = raw(sealed)
    for _ in range(25):
        database.execute("BEGIN")
        damage(database, dice)
        database.execute("COMMIT")
        with pytest.raises(LedgerBroken):
            sealed.verify()
        _restore(sealed, database)
        sealed.verify()
    database.close()


def _restore(sealed: Ledger, database: sqlite3.Connection) -> None:
    """Put the rows back from the copy of the sound database."""
    database.execute("ATTACH ? AS keep", (str(sealed.store.folder / "keep.db"),))
    database.execute("BEGIN")
    for table in ("ledger_entry", "ledger_node", "checkpoint"):
        database.execute(f"DELETE FROM {table}")
        database.execute(f"INSERT INTO {table} SELECT * FROM keep.{table}")
    database.execute("COMMIT")
    database.execute("DETACH keep")


def test_a_missing_entry_is_named(sealed: Ledger) -> None:
    """A removed row is named by its index; only the very last one, under no checkpoint yet, could go unseen."""
    database = raw(sealed)
    for index in range(49):
        database.execute("DELETE FROM ledger_entry WHERE idx = ?", (index,))
        with pytest.raises(LedgerBroken) as caught:
            sealed.verify()
        assert caught.value.data["index"] == index
        _restore(sealed, database)
    database.close()


def test_the_first_bad_row_is_named(sealed: Ledger) -> None:
    """Of several changed entries the error names the first."""
    database = raw(sealed)
    for index in (9, 33, 45):
        database.execute("UPDATE ledger_entry SET body = x'00' WHERE idx = ?", (index,))
    with pytest.raises(LedgerBroken) as caught:
        sealed.verify()
    assert caught.value.data == {"index": 9, "reason": "the entry was changed"}
    _restore(sealed, database)
    database.close()


def test_a_log_signed_by_another_is_refused(ledger: Ledger) -> None:
    """A checkpoint of another key or another home is not this home's, for the check and for the next signature."""
    ledger.append_now("counted", {})
    ledger.checkpoint()
    for other in (Ledger(ledger.store, ORIGIN, OTHER_KEY), Ledger(ledger.store, origin_of("home-2"), KEY)):
        with pytest.raises(LedgerBroken):
            other.verify()
        with pytest.raises(LedgerBroken):
            other.checkpoint()


def test_a_cut_log_takes_no_entry_and_signs_nothing(ledger: Ledger) -> None:
    """When entries are gone that a checkpoint counts, neither append nor checkpoint carries on over the gap."""
    ledger.append_many([("counted", {"n": n}) for n in range(9)])
    ledger.checkpoint()
    database = raw(ledger)
    database.execute("DELETE FROM ledger_entry WHERE idx = 8")
    with pytest.raises(LedgerBroken, match="counts 9"):
        ledger.append_now("counted", {})
    with pytest.raises(LedgerBroken, match="counts 9"):
        ledger.checkpoint()
    database.close()


def test_a_replaced_entry_is_never_signed_over(ledger: Ledger) -> None:
    """A log whose entries under the last checkpoint changed gets no new checkpoint, at the same size or later."""
    ledger.append_many([("counted", {"n": n}) for n in range(5)])
    ledger.checkpoint()
    database = raw(ledger)
    body = b'{"fields":{},"kind":"forged","time":"2026-11-01T00:00:09.000000+00:00","v":1}'
    database.execute("UPDATE ledger_entry SET body = ?, leaf = ? WHERE idx = 4", (body, proof.leaf_hash(body)))
    with pytest.raises(LedgerBroken, match="extend"):
        ledger.checkpoint()
    ledger.append_now("counted", {})
    with pytest.raises(LedgerBroken, match="extend"):
        ledger.checkpoint()
    with pytest.raises(LedgerBroken, match="extend"):
        ledger.proof(0)
    database.close()


def test_a_changed_entry_is_neither_read_nor_proved(ledger: Ledger) -> None:
    """Reading one entry checks it against its leaf."""
    ledger.append_many([("counted", {"n": n}) for n in range(3)])
    database = raw(ledger)
    database.execute("UPDATE ledger_entry SET body = (SELECT body FROM ledger_entry WHERE idx = 1) WHERE idx = 0")
    for read in (ledger.entry, ledger.proof):
        with pytest.raises(LedgerBroken, match="changed"):
            read(0)
    database.execute("UPDATE ledger_entry SET body = x'7b7d' WHERE idx = 2")
    with pytest.raises(LedgerBroken, match="changed"):
        ledger.append_now("counted", {})
    with pytest.raises(LedgerBroken, match="changed"):
        ledger.entries()
    database.close()
