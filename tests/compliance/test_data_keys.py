"""Data keys: one for each person and account; after shredding nothing opens and no file holds the wrapped key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance import data_keys, store
from compliance.errors import HomeUnusable, KeysDamaged, Shredded, StoreBusy, UnknownRecord
from compliance.keys import HomeKeys, PublicKeys
from compliance.ledger import Ledger, origin_of
from compliance.store import Store, open_store

KEYS = HomeKeys(bytes(range(32)), {}, PublicKeys("", "", ""))
OTHER_KEYS = HomeKeys(bytes(32), {}, PublicKeys("", "", ""))
VALUE = {"name": "诸葛亮", "phone": "1"}


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Store]:
    """A new home."""
    opened = open_store(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def ledger(rows: Store) -> Ledger:
    """Its ledger."""
    return Ledger(rows, origin_of("home-1"), None)


def seal(rows: Store, owner: str = "sub-1", value: object = VALUE) -> bytes:
    """A value sealed for an owner."""
    with rows.write() as connection:
        return data_keys.seal_for(connection, KEYS, owner, value, f"subject {owner}")


def wrapped(rows: Store, owner: str) -> bytes:
    """The wrapped key as it lies in the table."""
    with rows.read() as connection:
        query = sa.select(store.data_key.c.wrapped).where(store.data_key.c.owner == owner)
        return bytes(connection.execute(query).scalar_one())


def holders(folder: Path, needle: bytes) -> list[str]:
    """The files of a home that hold some bytes."""
    return [path.name for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes()]


# --- refusals --------------------------------------------------------------------------------------------------------


def test_after_shredding_nothing_opens(rows: Store, ledger: Ledger) -> None:
    """What was sealed cannot be opened, and no new key is made in the place of the old one."""
    sealed = seal(rows)
    data_keys.shred(rows, ledger, "sub-1")
    with rows.write() as connection:
        with pytest.raises(Shredded, match="sub-1"):
            data_keys.open_for(connection, KEYS, "sub-1", sealed, "subject sub-1")
        with pytest.raises(Shredded):
            data_keys.data_key(connection, KEYS, "sub-1")
        assert data_keys.is_shredded(connection, "sub-1")


@pytest.mark.parametrize("others", [0, 1, 60])
def test_the_wrapped_key_is_in_no_file(rows: Store, ledger: Ledger, others: int) -> None:
    """Neither the database nor its journal keeps the bytes, however full the page was and was rewritten."""
    for number in range(others):
        seal(rows, f"sub-before{number}")
    seal(rows)
    for number in range(others):
        seal(rows, f"acc-after{number}")
    planted = wrapped(rows, "sub-1")
    assert holders(rows.folder, planted) != []
    data_keys.shred(rows, ledger, "sub-1")
    assert holders(rows.folder, planted) == []
    assert holders(rows.folder, planted[:16]) == holders(rows.folder, planted[-16:]) == []


def test_a_reader_in_the_way_is_told_and_the_next_call_cleans(
    tmp_path: Path, rows: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a reader keeps the old state in sight the bytes may stay; the key is dead at once, the rest follows."""
    from compliance import sqlite

    sealed, planted = seal(rows), wrapped(rows, "sub-1")
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 1)
    impatient = open_store(rows.folder)
    with rows.read() as reader:
        reader.execute(sa.select(store.data_key)).all()
        with pytest.raises(StoreBusy):
            data_keys.shred(impatient, ledger, "sub-1")
    with rows.read() as connection, pytest.raises(Shredded):
        data_keys.open_for(connection, KEYS, "sub-1", sealed, "subject sub-1")
    data_keys.shred(impatient, ledger, "sub-1")
    impatient.close()
    assert holders(rows.folder, planted) == []
    assert [entry["kind"] for entry in ledger.entries()] == ["data_key_shredded"]


def test_only_people_and_accounts_have_keys(rows: Store, ledger: Ledger) -> None:
    """Other ids are refused, and there is nothing to destroy where there was no key."""
    for owner in ("", "con-1", "subject", "\u4eba"):
        with pytest.raises(UnknownRecord), rows.write() as connection:
            data_keys.data_key(connection, KEYS, owner)
    with pytest.raises(UnknownRecord):
        data_keys.shred(rows, ledger, "sub-1")
    assert ledger.size() == 0


def test_a_reader_makes_no_key(rows: Store) -> None:
    """Opening never makes a key: a missing one is told."""
    with rows.read() as connection, pytest.raises(KeysDamaged):
        data_keys.open_for(connection, KEYS, "sub-1", b"", "subject sub-1")
    with pytest.raises(HomeUnusable), rows.read() as connection:
        data_keys.data_key(connection, KEYS, "sub-1")


def test_what_was_touched_or_moved_does_not_open(rows: Store) -> None:
    """Another owner, row, home key or any changed bit of value or key is refused."""
    sealed = seal(rows)
    seal(rows, "sub-2")
    with rows.write() as connection:

        def opened(owner: str = "sub-1", given: bytes = sealed, context: str = "subject sub-1", keys: HomeKeys = KEYS):
            return data_keys.open_for(connection, keys, owner, given, context)

        assert opened() == VALUE
        changed = bytes([*sealed[:-1], sealed[-1] ^ 1])
        cases = [
            {"owner": "sub-2"},
            {"given": changed},
            {"given": sealed[:20]},
            {"given": b""},
            {"context": "subject sub-2"},
        ]
        for case in [*cases, {"keys": OTHER_KEYS}]:
            with pytest.raises(KeysDamaged):
                opened(**case)
        # A key that is put in the place of another's does not fit.
        table = store.data_key
        stolen = connection.execute(sa.select(table.c.wrapped).where(table.c.owner == "sub-2")).scalar_one()
        connection.execute(sa.update(table).where(table.c.owner == "sub-1").values(wrapped=stolen))
        with pytest.raises(KeysDamaged):
            opened()


def test_a_key_that_vanished_without_shredding_is_damage(rows: Store) -> None:
    """An emptied key that nobody shredded is not taken for erased."""
    sealed = seal(rows)
    with rows.write() as connection:
        connection.execute(sa.update(store.data_key).values(wrapped=None))
        with pytest.raises(KeysDamaged):
            data_keys.open_for(connection, KEYS, "sub-1", sealed, "subject sub-1")


# --- promises --------------------------------------------------------------------------------------------------------


def test_each_owner_has_one_key(rows: Store) -> None:
    """The first call makes the key, later ones find it; owners differ, and the kind follows from the id."""
    with rows.write() as connection:
        keys = [data_keys.data_key(connection, KEYS, owner) for owner in ("sub-1", "acc-1", "sub-1")]
        kinds = dict(connection.execute(sa.select(store.data_key.c.owner, store.data_key.c.kind)).all())
    assert keys[0] == keys[2] != keys[1]
    assert {len(key) for key in keys} == {32}
    assert kinds == {"sub-1": "subject", "acc-1": "account"}
    assert all(holders(rows.folder, key) == [] for key in keys)


def test_the_key_of_another_is_left_alone(rows: Store, ledger: Ledger) -> None:
    """Shredding one owner is entered once, by pseudonym, and the others open as before; so do bytes."""
    seal(rows)
    other = seal(rows, "sub-2")
    data_keys.shred(rows, ledger, "sub-1")
    data_keys.shred(rows, ledger, "sub-1")
    with rows.read() as connection:
        assert data_keys.open_for(connection, KEYS, "sub-2", other, "subject sub-2") == VALUE
        assert not data_keys.is_shredded(connection, "sub-2")
    assert [(entry["kind"], entry["fields"]) for entry in ledger.entries()] == [
        ("data_key_shredded", {"owner": "sub-1"})
    ]
    key = bytes(32)
    assert data_keys.open_bytes(key, data_keys.seal_bytes(key, b"\x00\xff", "t"), "t") == b"\x00\xff"
    rows.check()
