"""The same store on a real PostgreSQL server: the same refusals, one writer at a time, the same release.

Runs where SIGNET_TEST_POSTGRES names a server, as `packaging/postgres pytest` does.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance import data_keys, database, postgres, store
from compliance.errors import (
    ConsentWithdrawn,
    HomeUnusable,
    LedgerBroken,
    PermitInvalid,
    Shredded,
    StoreBusy,
    StoreDamaged,
)
from compliance.ledger import Ledger, origin_of
from compliance.store import Store, open_store

SERVER = os.environ.get("SIGNET_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(
    not SERVER, reason="SIGNET_TEST_POSTGRES names no server (packaging/postgres starts one)"
)
ORIGIN = origin_of("home-1")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def admin() -> Iterator[sa.Engine]:
    """The way in that makes and drops databases."""
    engine = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def url(admin: sa.Engine) -> Iterator[str]:
    """An empty database of its own for each test."""
    name = f"signet_{secrets.token_hex(6)}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield SERVER.rpartition("/")[0] + f"/{name}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def opened(tmp_path: Path, url: str) -> Iterator[Store]:
    """A new home on the server."""
    made = open_store(tmp_path / "home", url)
    yield made
    made.close()


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """What a stranger's tool does to the database; the rows of the last statement."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            found = connection.exec_driver_sql(statement)
        rows = [tuple(row) for row in found] if found.returns_rows else []
    engine.dispose()
    return rows


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.rpartition("/")[0] + "/nothing_here", "does not answer|no such database"),
        (lambda url: url.replace("signet@", "nobody@"), "refuses the sign-in"),
        (lambda url: "postgresql+psycopg://signet@127.0.0.1:1/signet", "does not answer"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_told(tmp_path: Path, url: str, change: object, reason: str) -> None:
    """An absent server, user or database refuses the home, without words of the server in the message."""
    with pytest.raises(HomeUnusable, match=reason) as caught:
        open_store(tmp_path / "home", change(url))
    assert "FATAL" not in str(caught.value)


def test_a_database_of_another_program_is_refused(tmp_path: Path, url: str) -> None:
    """A database that holds tables of somebody else gets none of ours."""
    run(url, "CREATE TABLE foreign_thing (x integer)")
    with pytest.raises(StoreDamaged, match="not a database of Signet"):
        open_store(tmp_path, url)
    assert run(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("foreign_thing",)]


def test_the_home_of_a_newer_program_is_refused(tmp_path: Path, url: str, opened: Store) -> None:
    """What a later version wrote is not touched by an earlier one."""
    run(url, "UPDATE alembic_version SET version_num = '9999_later'")
    with pytest.raises(HomeUnusable, match="newer Signet"):
        open_store(tmp_path, url)


@pytest.mark.parametrize("setting", ["full_page_writes", "fsync"])
def test_a_server_that_may_lose_commits_is_refused(tmp_path: Path, url: str, admin: sa.Engine, setting: str) -> None:
    """No home is made on a server whose owner gave up durability."""
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    try:
        # A reload reaches sessions that begin after it; the postmaster may take a moment to read it.
        while run(url, f"SHOW {setting}") != [("off",)]:
            pass
        with pytest.raises(HomeUnusable, match="may lose"):
            open_store(tmp_path, url)
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"ALTER SYSTEM RESET {setting}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        while run(url, f"SHOW {setting}") != [("on",)]:
            pass


REFUSED = (
    "INSERT INTO home (id, kind, created_at) VALUES ('a', 'other', 't')",
    "INSERT INTO ledger_entry VALUES (0, '\\x00', NULL)",
    "INSERT INTO ledger_entry VALUES (7, '\\x00', '\\x00')",
    "INSERT INTO consent_withdrawal VALUES ('nothing', 't', 'r', 0)",
    "UPDATE ledger_entry SET body = '\\x01'",
    "UPDATE ledger_entry SET body = NULL",
    "UPDATE ledger_entry SET body = NULL, leaf = '\\x01' WHERE idx = 8",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_entry",
    "UPDATE ledger_node SET hash = '\\x01'",
    "DELETE FROM ledger_node",
    "TRUNCATE ledger_node",
    "UPDATE checkpoint SET note = ''",
    "DELETE FROM checkpoint",
    "DELETE FROM pruned",
    "UPDATE pruned SET at = ''",
)


def test_the_database_itself_refuses(opened: Store) -> None:
    """Unknown words, missing values, orphans, a second entry of one index and any change of the ledger."""
    with opened.write() as connection:
        connection.exec_driver_sql("INSERT INTO ledger_entry VALUES (7, '\\x00', '\\x00'), (8, '\\x00', '\\x00')")
        connection.exec_driver_sql("INSERT INTO ledger_node VALUES (1, 0, '\\x00')")
        connection.exec_driver_sql("INSERT INTO checkpoint VALUES (1, 'note', 't')")
        connection.exec_driver_sql("INSERT INTO pruned VALUES (8, 't')")
    for statement in REFUSED:
        with pytest.raises(sa.exc.IntegrityError), opened.write() as connection:
            connection.exec_driver_sql(statement)
            pytest.fail(f"not refused: {statement}")


def test_reading_cannot_write(opened: Store) -> None:
    """The way in for readers has no way to change anything."""
    with pytest.raises(HomeUnusable, match="read-only"), opened.read() as connection:
        connection.execute(sa.insert(store.permit_use).values(permit_id="p", request_sha256="r", used_at="t"))


def test_a_writer_that_does_not_end_is_told(
    tmp_path: Path, url: str, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits too long for another writer is told that it is busy; afterwards all is as before."""
    monkeypatch.setattr(postgres, "_BUSY_TIMEOUT_MS", 1)
    other = open_store(tmp_path / "other", url)
    with opened.write(), pytest.raises(StoreBusy), other.write():
        pass
    with other.write():
        pass
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_no_delete",
        "DROP TRIGGER checkpoint_no_truncate ON checkpoint",
        "ALTER TABLE account ADD COLUMN more text",
        "ALTER TABLE consent_grant ALTER COLUMN record DROP NOT NULL",
    ],
)
def test_other_tables_and_triggers_than_ours_are_told(url: str, opened: Store, statement: str) -> None:
    """The check compares columns and triggers with those of this version."""
    opened.check()
    run(url, statement)
    with pytest.raises(StoreDamaged, match="not those of this version"):
        opened.check()


def test_a_broken_connection_is_told_and_the_next_one_works(url: str, opened: Store) -> None:
    """A server that ends our session costs one transaction, not the store."""
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    with pytest.raises(HomeUnusable, match="does not answer"), opened.write() as connection:
        run(url, end)
        connection.execute(sa.insert(store.permit_use).values(permit_id="p", request_sha256="r", used_at="t"))
    run(url, end)
    with opened.read() as connection:
        assert connection.execute(sa.select(store.permit_use)).all() == []


# --- promises --------------------------------------------------------------------------------------------------------


def test_a_home_says_itself_where_its_database_is(tmp_path: Path, url: str) -> None:
    """HOME/store.json leads to the server; no file is made in the home, and the identity stays."""
    (tmp_path / "store.json").write_text(json.dumps({"url": url}))
    first = open_store(tmp_path)
    known = first.identify("demo")
    first.close()
    again = open_store(tmp_path)
    assert (again.identify("own"), again.is_identified()) == (known, True)
    again.close()
    assert [path.name for path in tmp_path.iterdir()] == ["store.json"]


def test_a_reader_sees_one_moment(opened: Store) -> None:
    """What another thread commits meanwhile does not enter a transaction that has read."""

    def commit() -> None:
        with opened.write() as connection:
            connection.execute(sa.insert(store.permit_use).values(permit_id="p", request_sha256="r", used_at="t"))

    with opened.read() as connection:
        assert connection.execute(sa.select(store.permit_use)).all() == []
        thread = threading.Thread(target=commit)
        thread.start()
        thread.join()
        assert connection.execute(sa.select(store.permit_use)).all() == []
    with opened.read() as connection:
        assert len(connection.execute(sa.select(store.permit_use)).all()) == 1


def test_a_home_of_the_first_version_is_brought_up_to_date(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step from the first version keeps every row, and the log stays whole."""
    with monkeypatch.context() as patched:
        patched.setattr(database, "HEAD", "0001_spine")
        patched.setattr(Store, "_known_version", lambda self, found, versions: versions[0])
        old = open_store(tmp_path, url)
    Ledger(old, ORIGIN, KEY).append_many([("counted", {"n": n}) for n in range(9)])
    old.close()
    run(url, "INSERT INTO account VALUES ('acc-1', 'maria', 't', 'active', 3, NULL, '\\x15')")
    opened = open_store(tmp_path, url)
    opened.check()
    ledger = Ledger(opened, ORIGIN, KEY)
    ledger.verify()
    assert ledger.size() == 9
    with opened.read() as connection:
        row = connection.execute(sa.select(store.account)).one()
    assert (row.username, row.failed_attempts, bytes(row.sealed_person), row.bound) == ("maria", 3, b"\x15", 1)
    opened.close()


_APPEND = """
import sys
from pathlib import Path
from compliance.ledger import Ledger
from compliance.store import open_store
folder, url, origin, who = sys.argv[1:]
store = open_store(Path(folder), url)
ledger = Ledger(store, origin, None)
for number in range(40):
    ledger.append_now("counted", {"by": who, "n": number})
store.close()
"""


def test_two_processes_append_to_one_tree(tmp_path: Path, url: str) -> None:
    """Two programs open a new database at once and append: no index is lost or used twice, each keeps its order."""
    command = [sys.executable, "-c", _APPEND, str(tmp_path), url, ORIGIN]
    running = [subprocess.Popen([*command, who], cwd=Path(__file__).parents[2]) for who in ("a", "b")]
    assert [process.wait(60) for process in running] == [0, 0]
    opened = open_store(tmp_path, url)
    ledger = Ledger(opened, ORIGIN, KEY)
    ledger.checkpoint()
    ledger.verify()
    fields = [entry["fields"] for entry in ledger.entries() if entry["kind"] == "counted"]
    for who in ("a", "b"):
        assert [one["n"] for one in fields if one["by"] == who] == list(range(40))
    opened.close()


def test_a_log_grows_is_pruned_and_proves_itself(opened: Store, url: str) -> None:
    """Batches, proofs, pruning and an old checkpoint; a row changed behind our back is found."""
    ledger = Ledger(opened, ORIGIN, KEY)
    ledger.append_many([("counted", {"n": n}) for n in range(70)])
    old = ledger.checkpoint()
    for index in (0, 33, 69):
        ledger.proof(index).verify(KEY.public_key())
    with opened.write() as connection:
        ledger.prune(connection, 5, 40)
    ledger.verify()
    ledger.prove_extends(old)
    assert len(ledger.entries()) == 35
    run(url, "ALTER TABLE ledger_entry DISABLE TRIGGER ALL", "UPDATE ledger_entry SET body = '\\x7b7d' WHERE idx = 50")
    with pytest.raises(LedgerBroken, match="50"):
        ledger.verify()


def test_a_destroyed_data_key_opens_nothing(tmp_path: Path, url: str) -> None:
    """Shredding is entered in the ledger, and the wrapped bytes are in no row."""
    from tests.compliance.home import Home

    (tmp_path / "store.json").write_text(json.dumps({"url": url}))
    home = Home.furnished(tmp_path)
    keys = home.session().require_keys()
    with home.rows.write() as connection:
        sealed = data_keys.seal_for(connection, keys, "sub-1", {"name": "Somebody"}, "subject sub-1")
    data_keys.shred(home.rows, home.ledger, "sub-1")
    with home.rows.read() as connection, pytest.raises(Shredded):
        data_keys.open_for(connection, keys, "sub-1", sealed, "subject sub-1")
    assert home.events()[-1] == "data_key_shredded"
    assert run(url, "SELECT wrapped FROM data_key WHERE owner = 'sub-1'") == [(None,)]
    home.rows.close()


def test_the_gate_and_a_release_work_on_a_server(tmp_path: Path, url: str) -> None:
    """From consent to the finished file; a used permit and a withdrawn consent are refused as on a file."""
    from compliance import consent
    from tests.compliance.home import SOURCE, TARGET, Home

    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "store.json").write_text(json.dumps({"url": url}))
    home = Home.furnished(folder)
    source, target = home.grant(SOURCE), home.grant(TARGET)
    claim = home.claim(source, target)
    released = home.release(claim, tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 0
    assert released is not None
    permit = home.gate.authorize(claim, home.session().account)
    with home.rows.write() as connection:
        connection.execute(
            sa.insert(store.permit_use).values(permit_id=permit.permit_id, request_sha256="r", used_at="t")
        )
    with pytest.raises(PermitInvalid, match="used before"):
        home.gate.verify_for_release(permit, claim, home.session().account)
    consent.withdraw_consent(home.rows, home.ledger, source)
    with pytest.raises(ConsentWithdrawn):
        home.gate.authorize(claim, home.session().account)
    home.rows.check()
    home.ledger.verify()
    assert not (folder / "signet.db").exists()
    home.rows.close()
