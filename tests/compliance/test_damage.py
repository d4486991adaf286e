"""Damage of a home's database: single bits, homes turned back, pruning that nobody announced. Found, or harmless."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance import data_keys, sqlite, store
from compliance.database import Store, bring_up_to_date
from compliance.errors import LedgerBroken, ProofInvalid, SignetError, UnknownRecord
from compliance.keys import HomeKeys, PublicKeys
from compliance.ledger import PRUNED, Ledger, origin_of
from compliance.store import open_store

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = HomeKeys(bytes(range(32)), {}, PublicKeys("", "", ""))
ORIGIN = origin_of("home-1")
PROVED_OTHERWISE = {"ledger_entry", "ledger_node", "data_key"}


def sealed_columns(table: sa.Table) -> list[str]:
    """The columns that are sealed for a person; the record of a consent proves itself by its digest in the log."""
    if table.name in PROVED_OTHERWISE:
        return []
    return [one.name for one in table.c if isinstance(one.type, sa.LargeBinary) and one.name != "record"]


FLIPS = 2000
# Where the header of the file says that it is written through a journal of its own (SQLite file format, §1.3).
WAL_MARKS = (18, 19)


def make_ledger(opened: Store) -> Ledger:
    """A ledger whose clock advances one second with each entry."""
    start, seconds = datetime(2026, 11, 1, tzinfo=UTC), itertools.count()
    return Ledger(opened, ORIGIN, KEY, clock=lambda: start + timedelta(seconds=next(seconds)))


def furnish(opened: Store) -> None:
    """Rows in every table: sealed columns sealed, the consent's record entered, a log with checkpoints and a gap."""
    opened.identify()
    ledger = make_ledger(opened)
    dice = random.Random(5)
    with opened.write() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        key = data_keys.data_key(connection, KEYS, "sub-1")
        for name, table in store.metadata.tables.items():
            if name in ("home", "ledger_entry", "ledger_node", "checkpoint", "pruned", "data_key"):
                continue
            row = {column.name: value_of(table, column, key, dice) for column in table.c}
            connection.execute(sa.insert(table).values(row))
            if name == "consent_grant":
                digest = hashlib.sha256(row["record"]).hexdigest()
                ledger.append(connection, "consent_recorded", {"record_sha256": digest})
    ledger.append_many([("counted", {"n": n}) for n in range(40)])
    ledger.checkpoint()
    with opened.write() as connection:
        ledger.prune(connection, 5, 12)
    ledger.checkpoint()


def value_of(table: sa.Table, column: sa.Column[Any], key: bytes, dice: random.Random) -> Any:
    """A plausible value: references meet, sealed columns are sealed, rules are kept."""
    for rule in table.constraints:
        allowed = re.match(rf"{column.name} (?:IN \(|= )'?([^',)]+)", str(getattr(rule, "sqltext", "")))
        if allowed:
            return int(allowed[1]) if isinstance(column.type, sa.Integer) else allowed[1]
    if column.foreign_keys:
        return f"{next(iter(column.foreign_keys)).column.table.name}-1"
    if column.name in sealed_columns(table):
        return data_keys.seal(key, {"name": "Somebody"}, f"{table.name} {column.name}")
    if isinstance(column.type, sa.LargeBinary):
        return dice.randbytes(80)
    if isinstance(column.type, sa.Integer):
        return dice.randrange(1000)
    return f"{table.name}-1" if column.name == "id" else f"{column.name}-{dice.randrange(10**9)}"


class Held(sqlite.SqliteStore):
    """A database that lies in memory, so that thousands of them are opened in seconds; the checks are the store's."""

    def __init__(self) -> None:
        folder = Path("held")
        engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool, creator=self.connect)
        Store.__init__(self, folder, folder / "signet.db", engine, engine)

    def connect(self) -> sqlite3.Connection:
        """A connection of its own for each database: one that outlives its database may crash SQLite."""
        raw = sqlite3.connect(":memory:", check_same_thread=False)
        raw.deserialize(self.data)
        return raw

    def judge(self, data: bytes) -> dict[str, list[Any]]:
        """Everything that is checked of a home whose keys are open; then all its rows."""
        self.data = data
        self._reader.dispose()
        bring_up_to_date(self)
        with self.read() as connection:
            self.check_within(connection)
            rows = {
                name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
                for name, table in store.metadata.tables.items()
            }
            key = data_keys.data_key(connection, KEYS, "sub-1")
            for name, table in store.metadata.tables.items():
                for row in connection.execute(sa.select(table)).mappings():
                    for column in sealed_columns(table):
                        data_keys.open_sealed(key, row[column], f"{name} {column}")
            (record,) = connection.execute(sa.select(store.consent_grant.c.record)).scalars()
        ledger = make_ledger(self)
        ledger.verify()
        if ledger.entry(0)["fields"]["record_sha256"] != hashlib.sha256(record).hexdigest():
            raise LedgerBroken(index=0, reason="a consent record was changed")
        return rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a furnished home."""
    folder = tmp_path_factory.mktemp("whole")
    opened = open_store(folder)
    furnish(opened)
    opened.close()
    return (folder / "signet.db").read_bytes()


def flipped(data: bytes, bit: int) -> bytes:
    """The data with one bit turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.slow
def test_a_turned_bit_is_found_or_harmless(whole: bytes) -> None:
    """Of 2,000 single bits each is told as an error of ours, or changes no row; half of them hit used bytes."""
    data = bytearray(whole)
    # A database in memory has no journal; the two bytes that speak of it have a test of their own.
    for place in WAL_MARKS:
        data[place] = 1
    held = Held()
    before = held.judge(bytes(data))
    assert all(before.values())
    dice = random.Random()
    used = [place for place, value in enumerate(data) if value and place not in WAL_MARKS]
    bits = [dice.choice(used) * 8 + dice.randrange(8) for _ in range(FLIPS // 2)]
    bits += [dice.randrange(len(data) * 8) for _ in range(FLIPS - len(bits))]
    found = 0
    for bit in bits:
        if bit // 8 in WAL_MARKS:
            continue
        try:
            after = held.judge(flipped(bytes(data), bit))
        except SignetError:
            found += 1
            continue
        except Exception as error:
            raise AssertionError(
                f"bit {bit % 8} of byte {bit // 8} was neither found nor harmless: {error!r}"
            ) from error
        assert after == before, f"bit {bit % 8} of byte {bit // 8} changed a row unseen"
    assert found > FLIPS // 10
    held.close()


@pytest.mark.parametrize("bit", [place * 8 + bit for place in WAL_MARKS for bit in range(8)])
def test_a_turned_bit_of_the_journal_mark_is_found_or_harmless(tmp_path: Path, whole: bytes, bit: int) -> None:
    """The marks of the journal are read from a real file; it opens whole, or is refused."""
    (tmp_path / "signet.db").write_bytes(flipped(whole, bit))
    try:
        opened = open_store(tmp_path)
    except SignetError:
        return
    opened.check()
    make_ledger(opened).verify()
    opened.close()


# --- a home turned back ----------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A log of 20 entries."""
    made = make_ledger(open_store(tmp_path / "home"))
    made.append_many([("counted", {"n": n}) for n in range(20)])
    yield made
    made.store.close()


def restored(folder: Path, copy: Path) -> Ledger:
    """The home after an older copy was put back."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    return make_ledger(open_store(folder))


def test_a_home_turned_back_is_found(tmp_path: Path, ledger: Ledger) -> None:
    """An older copy is whole in itself; one checkpoint of a later day shows it, also after the log has grown again."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    early = ledger.checkpoint()
    ledger.store.close()
    shutil.copytree(home, copy)
    ledger = make_ledger(open_store(home))
    ledger.append_many([("counted", {"n": n}) for n in range(5)])
    late = ledger.checkpoint()
    ledger.prove_extends(early)
    ledger.prove_extends(late)
    ledger.store.close()
    back = restored(home, copy)
    back.verify()
    back.prove_extends(early)
    with pytest.raises(LedgerBroken, match="a checkpoint counts"):
        back.prove_extends(late)
    back.append_many([("other", {"n": n}) for n in range(30)])
    back.checkpoint()
    back.verify()
    with pytest.raises(LedgerBroken, match="not those of its checkpoint"):
        back.prove_extends(late)
    back.prove_extends(early)
    back.store.close()


def test_a_checkpoint_that_is_none_of_ours_proves_nothing(ledger: Ledger) -> None:
    """Rubbish, another key and another log are refused as notes, and are no word about this log."""
    note = ledger.checkpoint()
    other = Ledger(ledger.store, origin_of("home-2"), KEY)
    stranger = Ledger(ledger.store, ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    for one in (other, stranger):
        with pytest.raises(ProofInvalid):
            one.prove_extends(note)
    for text in ("", "x", note.replace("20", "21"), note[:-3]):
        with pytest.raises(ProofInvalid):
            ledger.prove_extends(text)


# --- pruning ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_pruned_is_refused(ledger: Ledger) -> None:
    """Entries that are not there, and a range that runs backwards."""
    for first, last in ((-1, 3), (4, 3), (0, 20), (20, 20)):
        with pytest.raises(UnknownRecord), ledger.store.write() as connection:
            ledger.prune(connection, first, last)
    assert ledger.size() == 20


def unlocked(ledger: Ledger) -> sqlite3.Connection:
    """The file in the hands of its owner, who takes the triggers away first."""
    connection = sqlite3.connect(ledger.store.path, isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


@pytest.mark.parametrize(
    ("statements", "index"),
    [
        (["UPDATE ledger_entry SET body = NULL WHERE idx = 7"], 7),
        (["UPDATE ledger_entry SET body = NULL WHERE idx = 7", "INSERT INTO pruned VALUES (7, 't')"], 7),
        (["DELETE FROM pruned WHERE idx = 3"], 3),
        (["UPDATE ledger_entry SET leaf = zeroblob(32) WHERE idx = 3"], 3),
        (["UPDATE ledger_entry SET body = x'7b7d' WHERE idx = 3"], 3),
        (["INSERT INTO pruned VALUES (500, 't')"], 500),
    ],
)
def test_a_removal_that_nobody_announced_is_found(ledger: Ledger, statements: list[str], index: int) -> None:
    """A body may be missing only where a later entry of the log itself says so."""
    with ledger.store.write() as connection:
        ledger.prune(connection, 2, 4)
    ledger.verify()
    database = unlocked(ledger)
    for statement in statements:
        database.execute(statement)
    database.close()
    with pytest.raises(LedgerBroken) as caught:
        ledger.verify()
    assert caught.value.data["index"] == index or "tree" in caught.value.data["reason"]


def test_pruning_takes_bodies_and_no_leaf(ledger: Ledger) -> None:
    """Root, proofs of the others and old checkpoints hold; the removed entries are told as not there."""
    note = ledger.checkpoint()
    root = ledger.root(20)
    with ledger.store.write() as connection:
        announced = ledger.prune(connection, 0, 9)
    assert ledger.entry(announced)["fields"] == {"first": 0, "last": 9}
    assert (ledger.entry(announced)["kind"], announced) == (PRUNED, 20)
    ledger.verify()
    ledger.prove_extends(note)
    assert ledger.root(20) == root
    assert [entry["fields"]["n"] for entry in ledger.entries(stop=20)] == list(range(10, 20))
    ledger.proof(15).verify(KEY.public_key())
    for wanted in (lambda: ledger.entry(3), lambda: ledger.proof(3)):
        with pytest.raises(UnknownRecord):
            wanted()
    # A second removal keeps the announcement of the first, and takes nothing twice.
    with ledger.store.write() as connection:
        ledger.prune(connection, 5, 20)
    ledger.verify()
    assert [entry["kind"] for entry in ledger.entries()] == [PRUNED, PRUNED]
    ledger.store.check()
