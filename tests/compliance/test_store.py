"""The database of a home: what is refused, what is promised about the file, and one writer at a time."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance import database, sqlite, storage
from compliance import store as store_module
from compliance.errors import DiskFull, HomeNewer, HomeUnusable, StoreBusy, StoreDamaged
from compliance.store import Store, file_system_of, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new home."""
    opened = open_store(tmp_path / "home")
    yield opened
    opened.close()


def raw(folder: Path) -> sqlite3.Connection:
    """The file as a stranger's tool opens it; without transactions of its own."""
    return sqlite3.connect(folder / "signet.db", isolation_level=None)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A home is a folder, and lies in folders."""
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(HomeUnusable):
            open_store(home)


def test_a_place_where_nothing_can_be_made_is_refused() -> None:
    """A folder that the system does not let anybody make is refused with the system's reason."""
    with pytest.raises(HomeUnusable):
        open_store(Path("/proc/signet-home"))


def test_a_read_only_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that cannot be written is refused before a file is made in it."""
    # access() is asked here and not by the mode, because root may write a folder of mode 0500.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(HomeUnusable, match="read-only"):
        open_store(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_closed_to_others(tmp_path: Path) -> None:
    """A folder that was made for a new home, too; one with other things in it is left as it is."""
    home, shared = tmp_path / "home", tmp_path / "shared"
    for folder in (home, shared):
        folder.mkdir()
        folder.chmod(0o755)
    (shared / "letter.txt").write_text("x")
    for folder, mode in ((home, 0o700), (shared, 0o755)):
        open_store(folder).close()
        assert folder.stat().st_mode & 0o777 == mode
    assert (shared / "signet.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", sorted(store_module.NETWORK_FILE_SYSTEMS))
def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The folder is not even made on a file system that another machine can change."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/share {tmp_path}/far {kind} rw 0 0\n")
    (tmp_path / "far").mkdir()
    monkeypatch.setattr(store_module, "_MOUNTS", mounts)
    with pytest.raises(HomeUnusable, match=kind.replace(".", r"\.")):
        open_store(tmp_path / "far" / "home")
    assert not (tmp_path / "far" / "home").exists()
    open_store(tmp_path / "farther").close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/ann", "ext4"),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/deep/er", "nfs4"),
        ("/mnt/shared", "ext4"),
        ("/mnt/my share/home", "cifs"),
        ("/twice/home", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    """The deepest mount point counts, a later line hides an earlier one, and octal numbers are characters."""
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nserver:/a /mnt/share nfs4 rw 0 0\n//b/c /mnt/my\\040share cifs rw 0 0\n"
        "tmpfs /twice tmpfs rw 0 0\nann@host: /twice fuse.sshfs rw 0 0\n\n"
    )
    assert file_system_of(Path(path), mounts) == kind


def test_a_link_or_a_folder_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    """The database is a plain file of this home, not a way to somebody else's."""
    open_store(tmp_path / "one").close()
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "signet.db").symlink_to(tmp_path / "one" / "signet.db")
    (tmp_path / "three" / "signet.db").mkdir(parents=True)
    for home in ("two", "three"):
        with pytest.raises(HomeUnusable, match="plain file"):
            open_store(tmp_path / home)


@pytest.mark.parametrize(
    "content", [b"x", b"SQLite format 3\x00", b"not a database at all " * 500, b"SQLite format 3\x00" + bytes(8000)]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """Anything that SQLite cannot read is called damaged, and left as it was."""
    (tmp_path / "signet.db").write_bytes(content)
    with pytest.raises(StoreDamaged):
        open_store(tmp_path)
    assert (tmp_path / "signet.db").read_bytes() == content


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """A good database that Signet did not make gets no tables of ours."""
    raw(tmp_path).execute("CREATE TABLE foreign_thing (x)")
    with pytest.raises(StoreDamaged, match="not a database of Signet"):
        open_store(tmp_path)
    names = raw(tmp_path).execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("foreign_thing",)]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM alembic_version", "which version"),
        ("DROP TABLE alembic_version", "not a database of Signet"),
        ("DROP TABLE consent_withdrawal", "tables are missing"),
        ("PRAGMA application_id=7", "not a database of Signet"),
        ("ALTER TABLE alembic_version RENAME COLUMN version_num TO number", "not those of this version"),
    ],
)
def test_a_database_that_lost_its_marks_is_refused(tmp_path: Path, statement: str, reason: str) -> None:
    """Version, tables and header mark must all be there; nothing is made up for them."""
    open_store(tmp_path).close()
    raw(tmp_path).execute(statement)
    with pytest.raises(StoreDamaged, match=reason):
        open_store(tmp_path)


def test_the_home_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """What a later version wrote is not touched by an earlier one."""
    open_store(tmp_path).close()
    raw(tmp_path).execute("UPDATE alembic_version SET version_num = '9999_later'")
    with pytest.raises(HomeNewer, match="newer Signet"):
        open_store(tmp_path)
    assert raw(tmp_path).execute("SELECT version_num FROM alembic_version").fetchone() == ("9999_later",)


def test_damaged_pages_are_told(tmp_path: Path) -> None:
    """A database whose pages were overwritten is called damaged when they are read or checked."""
    opened = open_store(tmp_path)
    with opened.write() as connection:
        rows = [{"idx": place, "leaf": bytes(32), "body": b"PLANTED" * 70} for place in range(400)]
        connection.execute(sa.insert(store_module.ledger_entry), rows)
    opened.close()
    path = tmp_path / "signet.db"
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        if data[page : page + 4096].count(b"PLANTED") > 100:
            data[page : page + 64] = b"\xff" * 64
    path.write_bytes(data)
    opened = open_store(tmp_path)
    with pytest.raises(StoreDamaged):
        opened.check()
    with pytest.raises(StoreDamaged), opened.read() as connection:
        connection.execute(sa.select(store_module.ledger_entry)).all()
    opened.close()


def test_a_writer_inside_a_writer_is_refused_at_once(store: Store) -> None:
    """A thread that would wait for itself is told so instead of hanging; afterwards all is as before."""
    with store.write(), pytest.raises(RuntimeError, match="pass its connection on"), store.write():
        pass
    with store.write():
        pass


def test_a_writer_that_does_not_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long for another process is told that it is busy, and may try again."""
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_MS", 1)
    opened = open_store(tmp_path)
    other = raw(tmp_path)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy), opened.write():
        pass
    other.execute("ROLLBACK")
    with opened.write():
        pass
    opened.close()


def test_reading_cannot_write(store: Store) -> None:
    """The way in for readers has no way to change anything."""
    with pytest.raises(HomeUnusable), store.read() as connection:
        connection.execute(sa.insert(store_module.permit_use).values(permit_id="p", request_sha256="r", used_at="t"))


def test_a_full_disk_is_told(store: Store) -> None:
    """When the file cannot grow, DiskFull is raised and nothing of the transaction stays."""
    with pytest.raises(DiskFull), store.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1")
        connection.execute(
            sa.insert(store_module.ledger_entry), [{"idx": 0, "leaf": bytes(32), "body": bytes(200_000)}]
        )
    with store.read() as connection:
        assert connection.execute(sa.select(store_module.ledger_entry)).all() == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO home (id, kind, created_at) VALUES ('a', 'other', 't')",
        "INSERT INTO ledger_entry VALUES (0, x'00', NULL)",
        "INSERT INTO ledger_entry VALUES (0, x'00', 'text')",
        "INSERT INTO identity_proof VALUES ('a', 'nobody', 'self', 'm', 'c', 't', 't', 0, NULL, NULL, NULL)",
        "INSERT INTO subject VALUES ('a', 't', x'00', 0, 'old', NULL, NULL)",
        "INSERT INTO subject VALUES ('a', 't', x'00', 0, 'adult', 'nobody', NULL)",
        "INSERT INTO operator_profile VALUES (2, '{}', 't', 0)",
        "INSERT INTO consent_withdrawal VALUES ('nothing', 't', 'r', 0)",
        "UPDATE ledger_entry SET body = x'01'",
        "UPDATE ledger_entry SET body = NULL",
        "UPDATE ledger_entry SET body = NULL, leaf = x'01' WHERE idx = 8",
        "UPDATE ledger_entry SET body = x'01' WHERE idx = 8",
        "REPLACE INTO ledger_entry VALUES (7, x'00', x'01')",
        "DELETE FROM ledger_entry",
        "UPDATE pruned SET idx = 7",
        "DELETE FROM pruned",
        "UPDATE ledger_node SET hash = x'01'",
        "DELETE FROM ledger_node",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
    ],
)
def test_the_database_itself_refuses(store: Store, statement: str) -> None:
    """Unknown words, missing or mistyped values, orphans and any change of the ledger are refused by SQLite."""
    with store.write() as connection:
        connection.exec_driver_sql("INSERT INTO ledger_entry VALUES (7, x'00', x'00')")
        connection.exec_driver_sql("INSERT INTO ledger_entry VALUES (8, x'00', x'00')")
        connection.exec_driver_sql("INSERT INTO pruned VALUES (8, 't')")
        connection.exec_driver_sql("INSERT INTO ledger_node VALUES (1, 0, x'00')")
        connection.exec_driver_sql("INSERT INTO checkpoint VALUES (1, 'note', 't')")
    with pytest.raises(sa.exc.IntegrityError), store.write() as connection:
        connection.exec_driver_sql(statement)


# --- promises --------------------------------------------------------------------------------------------------------


def test_no_home_is_made_where_the_folder_above_it_is_missing(tmp_path: Path) -> None:
    """A mistyped place, or a disk that is not mounted, is told; nothing is made there."""
    with pytest.raises(HomeUnusable, match="the folder above it is not there"):
        open_store(tmp_path / "nowhere" / "home")
    assert list(tmp_path.iterdir()) == []


def test_a_new_home_is_private(tmp_path: Path) -> None:
    """Folder 0700; database and both side files 0600, also where a wider file was left."""
    home = tmp_path / "home"
    opened = open_store(home)
    opened.identify()
    assert home.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()} == {
        "signet.db": 0o600,
        "signet.db-wal": 0o600,
        "signet.db-shm": 0o600,
    }
    opened.close()
    (home / "signet.db").chmod(0o644)
    open_store(home).close()
    assert (home / "signet.db").stat().st_mode & 0o777 == 0o600


def test_every_connection_keeps_its_promises(store: Store) -> None:
    """WAL, synchronous FULL (2), foreign keys and a waiting time hold for readers and writers alike."""
    for entered in (store.read, store.write):
        with entered() as connection:
            said = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    """What was written before the error is rolled back, and the error comes out as it was."""
    with pytest.raises(KeyError), store.write() as connection:
        connection.execute(sa.insert(store_module.permit_use).values(permit_id="p", request_sha256="r", used_at="t"))
        raise KeyError("x")
    with store.read() as connection:
        assert connection.execute(sa.select(store_module.permit_use)).all() == []


def test_a_reader_sees_one_moment(store: Store) -> None:
    """What another thread commits meanwhile does not enter a transaction that has read."""
    insert = sa.insert(store_module.permit_use).values(permit_id="p", request_sha256="r", used_at="t")

    def commit() -> None:
        with store.write() as connection:
            connection.execute(insert)

    with store.read() as connection:
        assert connection.execute(sa.select(store_module.permit_use)).all() == []
        thread = threading.Thread(target=commit)
        thread.start()
        thread.join()
        assert connection.execute(sa.select(store_module.permit_use)).all() == []
    with store.read() as connection:
        assert len(connection.execute(sa.select(store_module.permit_use)).all()) == 1


def test_the_identity_of_a_home_stays(tmp_path: Path) -> None:
    """The first call decides id and kind; a demo home never turns into an own one."""
    opened = open_store(tmp_path)
    first = opened.identify("demo")
    assert opened.identify("own") == first
    opened.close()
    opened = open_store(tmp_path)
    assert opened.identify() == first
    assert (first.kind, len(first.id)) == ("demo", 32)
    opened.close()


def test_a_half_made_home_is_finished(tmp_path: Path) -> None:
    """A crash between the empty file and its tables leaves a home that the next start completes."""
    raw(tmp_path).execute("PRAGMA journal_mode=WAL")
    opened = open_store(tmp_path)
    opened.check()
    opened.close()


def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    """The steps and the Table objects say the same, and HEAD is the newest step."""
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(str(Path(store_module.__file__).parent / "migrations"))
    assert steps.get_heads() == [store_module.HEAD]
    opened = open_store(tmp_path)
    opened.check()
    opened.close()
    engine = sa.create_engine("sqlite://")
    store_module.metadata.create_all(engine)
    query = "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name <> 'alembic_version' AND type <> 'trigger'"
    with engine.connect() as connection:
        meant = {name: _rules(sql) for name, sql in connection.exec_driver_sql(query)}
    engine.dispose()
    assert {name: _rules(sql) for name, sql in raw(tmp_path).execute(query)} == meant


def _rules(statement: str) -> list[str]:
    """The rules for the values of a row that a CREATE TABLE names; columns added later stand elsewhere in it."""
    return sorted(re.findall(r"CHECK \((?:\w+ IN \([^)]*\)|\w+ = 1)\)", statement))


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER ledger_entry_no_update",
        "CREATE TRIGGER more AFTER INSERT ON consent_grant BEGIN SELECT 1; END",
        "DROP INDEX account_mirror",
        "DROP INDEX ix_consent_grant_withdrawal_code_sha256",
        "ALTER TABLE account ADD COLUMN more TEXT",
        "ALTER TABLE account RENAME COLUMN state TO status",
    ],
)
def test_other_tables_and_triggers_than_ours_are_told(tmp_path: Path, statement: str) -> None:
    """The check compares columns, indexes and triggers with those of this version."""
    opened = open_store(tmp_path)
    opened.check()
    raw(tmp_path).execute(statement)
    with pytest.raises(StoreDamaged, match="not those of this version"):
        opened.check()
    opened.close()


def first_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home as the first version made it, with a row in every table."""
    with monkeypatch.context() as patched:
        patched.setattr(database, "HEAD", "0001_spine")
        patched.setattr(Store, "_known_version", lambda self, found, versions: versions[0])
        opened = open_store(folder)
    opened.close()
    written = raw(folder)
    for statement in FIRST_ROWS:
        written.execute(statement)
    written.close()


FIRST_ROWS = (
    "INSERT INTO home VALUES ('h', 'own', 't')",
    "INSERT INTO ledger_entry VALUES (0, x'10', x'11'), (1, x'12', x'13')",
    "INSERT INTO ledger_node VALUES (1, 0, x'14')",
    "INSERT INTO checkpoint VALUES (2, 'note', 't')",
    "INSERT INTO account VALUES ('acc-1', 'maria', 't', 'active', 3, NULL, x'15')",
    "INSERT INTO identity_proof VALUES ('prf-1', 'acc-1', 'self', 'declaration', 'c', 't', 't', 0)",
    "INSERT INTO subject VALUES ('sub-1', 't', x'16', 1)",
    "INSERT INTO consent_grant VALUES"
    " ('con-1', 'sub-1', 'face', '[]', 'a', 't', 't', NULL, NULL, 'acc-1', 't', x'17', 1)",
    "INSERT INTO consent_withdrawal VALUES ('con-1', 't', '', 1)",
    "INSERT INTO permit_use VALUES ('per-1', 'r', 't')",
    "INSERT INTO release VALUES"
    " ('rel-1', 'released', 'per-1', 'acc-1', '[]', 'p', 'q', 0, 'png', 'd', 'f', 0, 1, 't', 't')",
)


def contents(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    names = [name for (name,) in raw(folder).execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    return {
        name: raw(folder).execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
        for name in names
        if name[:7] != "sqlite_" and name != "alembic_version"
    }


def test_a_home_of_the_first_version_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is lost or changed; new columns are empty or have their default, and the ledger is append-only again."""
    first_home(tmp_path, monkeypatch)
    before = contents(tmp_path)
    assert len(before) == 11
    assert all(before.values())
    opened = open_store(tmp_path)
    opened.check()
    opened.close()
    after = contents(tmp_path)
    for name, rows in before.items():
        assert [row[: len(old)] for row, old in zip(after[name], rows, strict=True)] == rows, name
    assert after["account"][0][7:] == (None, 0, 1, None, None)
    assert after["consent_grant"][0][13:] == (None, None, None, "asset", None, None)
    assert after["ledger_entry"] == before["ledger_entry"]
    for statement in ("UPDATE ledger_entry SET body = NULL", "DELETE FROM ledger_entry"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw(tmp_path).execute(statement)


def test_a_migration_that_breaks_off_leaves_the_old_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What raises in the middle of the steps undoes them all; the next start completes them."""
    first_home(tmp_path, monkeypatch)
    before = contents(tmp_path)
    with monkeypatch.context() as patched:
        from alembic import op

        patched.setattr(op, "create_index", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            open_store(tmp_path)
    assert contents(tmp_path) == before
    opened = open_store(tmp_path)
    opened.check()
    opened.close()


def test_an_old_home_opens_without_alembic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting with a home of today's version reads one row and migrates nothing."""
    open_store(tmp_path).close()
    monkeypatch.setattr(database, "_migrate", lambda *_: pytest.fail("migrated"))
    open_store(tmp_path).close()


def test_several_threads_open_a_new_home_at_once(tmp_path: Path) -> None:
    """One makes the tables, the others wait and find them."""
    done: list[str] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        opened = open_store(tmp_path / "home")
        done.append(opened.identify().id)
        opened.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert len(set(done)) == 1


def test_times_are_text_that_sorts() -> None:
    """All times are UTC with microseconds, so that their order as text is their order in time."""
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert store_module.utc_text(noon) == "2026-11-01T12:00:00.000000+00:00"
    assert store_module.utc_text(noon.astimezone(timezone(timedelta(hours=8)))) == store_module.utc_text(noon)
    assert datetime.fromisoformat(store_module.utc_now()).tzinfo == UTC


@pytest.mark.parametrize("is_full", [True, False])
def test_a_full_disk_is_told_whatever_sqlite_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    """Where the index of the journal finds no room SQLite speaks of an error of the disk."""
    monkeypatch.setattr("compliance.sqlite.is_full", lambda _folder: is_full)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE  # type: ignore[misc]  # the driver sets it itself
    with pytest.raises(DiskFull if is_full else HomeUnusable):
        sqlite._raise_as_ours(tmp_path / "signet.db", error, error)
    assert storage.is_full(tmp_path / "absent") is False
