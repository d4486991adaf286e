"""The ledger: damage is found, proofs hold for every size, several processes append to one valid tree."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import ledger as ledger_module
from compliance import proof
from compliance.errors import LabelPartMissing, LedgerBroken, UnknownRecord
from compliance.ledger import CLOCK_REGRESSED, Ledger, origin_of
from compliance.store import Store, open_store
from tests.compliance.test_proof import tree_root

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = origin_of("home-1")
MOST = 70


def make(folder: Path, key: Ed25519PrivateKey | None = KEY) -> Ledger:
    """A ledger whose clock advances one second with each entry."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    seconds = itertools.count()
    return Ledger(open_store(folder), ORIGIN, key, clock=lambda: start + timedelta(seconds=next(seconds)))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new, empty ledger."""
    made = make(tmp_path / "home")
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger of 70 entries, to read only."""
    made = make(tmp_path_factory.mktemp("grown"))
    made.append_many([("counted", {"n": n}) for n in range(MOST)])
    yield made
    made.store.close()


def leaves_of(ledger: Ledger) -> list[bytes]:
    """The leaf hashes, recomputed from what export() says."""
    lines = [json.loads(line) for line in ledger.export()]
    return [proof.leaf_hash(line["body"].encode()) for line in lines if line["type"] == "entry"]


def raw(ledger: Ledger) -> sqlite3.Connection:
    """The file in the hands of its owner, who takes the triggers away first."""
    connection = sqlite3.connect(ledger.store.path, isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


# --- damage is found -------------------------------------------------------------------------------------------------

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


def test_locked_keys_sign_nothing(tmp_path: Path) -> None:
    """Without the key entries are kept and read, but there is no checkpoint and no proof."""
    made = make(tmp_path, key=None)
    made.append_now("counted", {})
    with pytest.raises(LabelPartMissing):
        made.checkpoint()
    with pytest.raises(LabelPartMissing):
        made.proof(0)
    made.store.close()


def test_what_is_not_there_is_told(grown: Ledger) -> None:
    """Indices and sizes outside the log are unknown records."""
    for ask in (
        lambda: grown.entry(MOST),
        lambda: grown.entry(-1),
        lambda: grown.proof(MOST),
        lambda: grown.root(MOST + 1),
        lambda: grown.root(-1),
        lambda: grown.inclusion(MOST, MOST),
        lambda: grown.inclusion(5, 5),
        lambda: grown.inclusion(-1, 5),
        lambda: grown.consistency(6, 5),
        lambda: grown.consistency(5, MOST + 1),
    ):
        with pytest.raises(UnknownRecord):
            ask()


@pytest.mark.parametrize("value", [float("nan"), 2**60, b"bytes", {1: "x"}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_has_no_canonical_form_is_not_entered(ledger: Ledger, value: object) -> None:
    """A value that JSON cannot say exactly is refused, and leaves no half entry."""
    with pytest.raises((ValueError, TypeError)):
        ledger.append_now("counted", {"value": value})
    assert ledger.size() == 0


# --- the tree --------------------------------------------------------------------------------------------------------


def test_an_empty_log(ledger: Ledger) -> None:
    """A log without entries has the root of nothing, can be signed and verifies."""
    assert (ledger.size(), ledger.root(), ledger.verify()) == (0, proof.EMPTY_ROOT, None)
    signed = proof.open_note(ledger.checkpoint(), KEY.public_key())
    assert signed == ledger.verify() == proof.Checkpoint(ORIGIN, 0, proof.EMPTY_ROOT)
    ledger.append_now("counted", {})
    assert proof.open_note(ledger.checkpoint(), KEY.public_key()).size == 1
    assert ledger.verify() is not None


def test_every_root_is_that_of_the_definition(grown: Ledger) -> None:
    """Stored nodes give, for every size up to now, the root that RFC 6962 defines."""
    leaves = leaves_of(grown)
    assert [grown.root(size) for size in range(MOST + 1)] == [tree_root(leaves[:size]) for size in range(MOST + 1)]


def test_every_entry_is_proved_at_every_size(grown: Ledger) -> None:
    """Inclusion paths from the stored nodes verify for each index of a spread of sizes."""
    leaves = leaves_of(grown)
    for size in (1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, MOST):
        root = grown.root(size)
        for index in range(size):
            proof.verify_inclusion(index, size, leaves[index], grown.inclusion(index, size), root)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, MOST).flatmap(lambda new: st.tuples(st.integers(0, new), st.just(new))))
def test_every_growth_is_proved(grown: Ledger, sizes: tuple[int, int]) -> None:
    """Consistency proofs from the stored nodes verify for any two sizes."""
    old, new = sizes
    proof.verify_consistency(old, new, grown.root(old), grown.root(new), grown.consistency(old, new))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_the_tree_does_not_depend_on_the_batches(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], data: st.DataObject
) -> None:
    """One by one, in batches, with checkpoints between: the same tree, and every checkpoint is its beginning."""
    made = make(tmp_path_factory.mktemp("batches"))
    for count in batches:
        if count == 1:
            made.append_now("counted", {"n": 1})
        else:
            first = made.size()
            entries = [("counted", {"n": n}) for n in range(count)]
            assert made.append_many(entries) == list(range(first, first + count))
        if data.draw(st.booleans(), label="checkpoint"):
            made.checkpoint()
    assert made.size() == sum(batches)
    assert made.root() == tree_root(leaves_of(made))
    made.checkpoint()
    verified = made.verify()
    assert verified is not None
    assert verified.size == made.size()
    made.store.close()


def test_the_rows_of_an_entry_are_few(ledger: Ledger) -> None:
    """n entries store n leaves and fewer than n nodes: the cost of an entry does not grow with the log."""
    ledger.append_many([("counted", {"n": n}) for n in range(100)])
    database = raw(ledger)
    assert database.execute("SELECT count(*) FROM ledger_node").fetchone() == (100 - (100).bit_count(),)
    query = f"EXPLAIN QUERY PLAN {ledger_module._NODES.format(rows='(1, 2), (2, 3)')}"
    plan = " ".join(str(row[3]) for row in database.execute(query))
    assert "SEARCH node USING PRIMARY KEY (level=? AND idx=?)" in plan
    database.close()


# --- entries ---------------------------------------------------------------------------------------------------------


def test_an_entry_reads_back(ledger: Ledger) -> None:
    """Kind, time and fields come back; the body is canonical JSON, whatever the order of the fields."""
    index = ledger.append_now("consent.recorded", {"b": [1, "中"], "a": {"x": None, "half": 0.5}})
    assert ledger.entry(index) == {
        "v": 1,
        "kind": "consent.recorded",
        "time": "2026-11-01T00:00:00.000000+00:00",
        "fields": {"a": {"x": None, "half": 0.5}, "b": [1, "中"]},
    }
    one = ledger.proof(index)
    assert one.entry.decode() == (
        '{"fields":{"a":{"half":0.5,"x":null},"b":[1,"中"]},"kind":"consent.recorded",'
        '"time":"2026-11-01T00:00:00.000000+00:00","v":1}'
    )


def test_entries_are_given_in_order(grown: Ledger) -> None:
    """A slice of the log, up to now when no end is said."""
    assert [one["fields"]["n"] for one in grown.entries(60)] == list(range(60, MOST))
    assert [one["fields"]["n"] for one in grown.entries(3, 6)] == [3, 4, 5]
    assert grown.entries(MOST) == []


def test_an_entry_stands_or_falls_with_its_transaction(ledger: Ledger) -> None:
    """When the caller's block fails after the append, the log is as before."""
    ledger.append_now("counted", {})
    before = ledger.root()
    with pytest.raises(KeyError), ledger.store.write() as connection:
        assert ledger.append(connection, "counted", {}) == 1
        assert ledger.append(connection, "counted", {}) == 2
        raise KeyError("x")
    assert (ledger.size(), ledger.root()) == (1, before)
    with ledger.store.write() as connection:
        assert ledger.append(connection, "counted", {}) == 1
    ledger.checkpoint()
    ledger.verify()


def test_a_clock_set_back_is_said(tmp_path: Path) -> None:
    """One entry tells it before the entry it concerns; the order stays that of the indices."""
    hours = iter([5, 6, 3, 4, 2, 2])
    made = Ledger(open_store(tmp_path), ORIGIN, KEY, clock=lambda: datetime(2026, 11, 1, next(hours), tzinfo=UTC))
    assert made.append_now("counted", {"n": 0}) == 0
    assert made.append_many([("counted", {"n": n}) for n in (1, 2, 3)]) == [1, 3, 4]
    assert made.append_now("counted", {"n": 4}) == 6
    assert made.append_now("counted", {"n": 5}) == 7
    assert [one["kind"] == CLOCK_REGRESSED for one in made.entries()] == [n in (2, 5) for n in range(8)]
    assert made.entry(2)["fields"] == {
        "before": "2026-11-01T06:00:00.000000+00:00",
        "after": "2026-11-01T03:00:00.000000+00:00",
    }
    made.verify()
    made.store.close()


# --- checkpoints, proofs, export -------------------------------------------------------------------------------------


def test_a_checkpoint_is_made_once_a_size(ledger: Ledger) -> None:
    """The same log gives the same note; a grown log a new one that extends it."""
    ledger.append_many([("counted", {"n": n}) for n in range(6)])
    first = ledger.checkpoint()
    assert ledger.checkpoint() == first
    ledger.append_now("counted", {})
    old, new = (proof.open_note(note, KEY.public_key()) for note in (first, ledger.checkpoint()))
    proof.verify_consistency(old.size, new.size, old.root, new.root, ledger.consistency(old.size))
    assert ledger.verify() == new


def test_a_proof_holds_without_the_log(ledger: Ledger) -> None:
    """What a file carries verifies with the public key alone, through text and through JSON."""
    ledger.append_many([("counted", {"n": n}) for n in range(13)])
    for index in range(13):
        one = ledger.proof(index)
        again = proof.Proof.from_json(json.loads(json.dumps(one.to_json())))
        assert again == one == proof.Proof.from_text(one.to_text())
        assert again.verify(KEY.public_key()).size == 13
        assert json.loads(again.entry)["fields"] == {"n": index}


def test_an_older_proof_still_holds(ledger: Ledger) -> None:
    """A proof made at an earlier size verifies for ever, and today's log is proved to extend its checkpoint."""
    ledger.append_now("counted", {})
    early = ledger.proof(0)
    ledger.append_many([("counted", {"n": n}) for n in range(20)])
    seen = early.verify(KEY.public_key())
    now = proof.open_note(ledger.checkpoint(), KEY.public_key())
    proof.verify_consistency(seen.size, now.size, seen.root, now.root, ledger.consistency(seen.size, now.size))


def test_the_public_key_suffices_to_verify(grown: Ledger, tmp_path: Path) -> None:
    """Signed out, the log is checked with the public key; without any key no checkpoint is vouched for."""
    made = make(tmp_path)
    made.append_now("counted", {})
    made.checkpoint()
    assert Ledger(made.store, ORIGIN, None, KEY.public_key()).verify() == proof.Checkpoint(ORIGIN, 1, made.root())
    assert Ledger(made.store, ORIGIN, None).verify() is None
    with pytest.raises(LedgerBroken):
        Ledger(made.store, ORIGIN, None, OTHER_KEY.public_key()).verify()
    made.store.close()


def test_an_export_can_be_checked_by_a_stranger(ledger: Ledger) -> None:
    """The lines alone give every leaf, every root and the key to check the signatures with."""
    ledger.append_many([("counted", {"n": n, "text": "签"}) for n in range(5)])
    ledger.checkpoint()
    ledger.append_now("counted", {})
    ledger.checkpoint()
    head, *rest = [json.loads(line) for line in ledger.export()]
    entries = [line for line in rest if line["type"] == "entry"]
    notes = [line for line in rest if line["type"] == "checkpoint"]
    name, key = proof.parse_vkey(head["vkey"])
    assert (name, head["origin"], head["size"]) == (ORIGIN, ORIGIN, 6)
    leaves = [proof.leaf_hash(line["body"].encode()) for line in entries]
    assert [line["leaf"] for line in entries] == [leaf.hex() for leaf in leaves]
    for line in notes:
        assert proof.open_note(line["note"], key) == proof.Checkpoint(
            ORIGIN, line["size"], tree_root(leaves[: line["size"]])
        )
    assert [line["size"] for line in notes] == [5, 6]


def test_reopening_keeps_everything(tmp_path: Path) -> None:
    """Size, root, entries and checkpoints are the same after the home was closed."""
    made = make(tmp_path)
    made.append_many([("counted", {"n": n}) for n in range(21)])
    note, root, lines = made.checkpoint(), made.root(), list(made.export())
    made.store.close()
    again = make(tmp_path)
    assert (again.size(), again.root(), again.checkpoint(), list(again.export())) == (21, root, note, lines)
    assert again.verify() == proof.Checkpoint(ORIGIN, 21, root)
    again.store.close()


# --- several processes -----------------------------------------------------------------------------------------------

_APPENDER = """
import sys
from pathlib import Path
from compliance.ledger import Ledger
from compliance.store import open_store

store = open_store(Path(sys.argv[1]))
ledger = Ledger(store, sys.argv[2], None)
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
for number in range(50):
    ledger.append_now("counted", {"who": sys.argv[3], "n": number})
store.close()
"""


def test_two_processes_append_to_one_tree(tmp_path: Path) -> None:
    """A new home opened by two processes at once gets 100 entries, each one's in its order, in one valid tree."""
    command = [sys.executable, "-W", "error", "-c", _APPENDER, str(tmp_path / "home"), ORIGIN]
    workers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    store: Store = open_store(tmp_path / "home")
    made = Ledger(store, ORIGIN, KEY)
    entries = [one["fields"] for one in made.entries() if one["kind"] == "counted"]
    assert len(entries) == 100
    for name in "ab":
        assert [one["n"] for one in entries if one["who"] == name] == list(range(50))
    made.checkpoint()
    verified = made.verify()
    assert verified is not None
    assert verified.size == made.size()
    store.close()
