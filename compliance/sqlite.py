"""The database of a home as a SQLite file.

Commits are on the disk when they return: WAL with synchronous=FULL; NORMAL may lose the last ones when the power fails.
WAL needs memory shared by all readers, which network file systems do not have.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import sqlalchemy as sa

from compliance.database import Store
from compliance.errors import DiskFull, HomeUnusable, SignetError, StoreBusy, StoreDamaged, TooManyFilesOpen
from compliance.open_databases import hold, is_open_here, let_go
from compliance.storage import is_full, refuse_exhausted
from compliance.tables import metadata, sqlite_triggers

DATABASE_NAME: Final = "signet.db"
APPLICATION_ID: Final = 0x53474E54
"""Marks the file as ours in its header: "SGNT" (PRAGMA application_id)."""

# The SQLite file format, §1.3: the header string and the smallest page.
_MAGIC = b"SQLite format 3\x00"
_SMALLEST_PAGE = 512

_BUSY_TIMEOUT_MS = 10_000
_BUSY_ROUNDS = 3
_BUSY_PAUSE_S = 0.05


class SqliteStore(Store):
    """The database as a file of the home."""

    path: Path
    # How the open file is noted; None for one that lies in memory or is closed.
    _held: tuple[int, int] | None = None

    def __init__(self, folder: Path) -> None:
        path = folder / DATABASE_NAME
        super().__init__(
            folder,
            path,
            _sqlite_engine(path, "BEGIN IMMEDIATE", query_only=False),
            _sqlite_engine(path, "BEGIN", query_only=True),
        )
        self._held = hold(path)

    def close(self) -> None:
        """See Store."""
        super().close()
        held, self._held = self._held, None
        if held is not None:
            let_go(held)

    def check_within(self, connection: sa.Connection) -> None:
        """Pages, indexes, the two copies of every plain value, references, columns and triggers."""
        with self._nothing_unreadable():
            if _shape(connection) != _shape_of_the_code():
                raise StoreDamaged(path=str(self.path), reason="its tables are not those of this version")
            if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one() != "ok":
                raise StoreDamaged(path=str(self.path), reason="pages do not hold together")
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise StoreDamaged(path=str(self.path), reason="a row speaks of one that is missing")

    def scrub(self) -> None:
        """Rebuild the file and empty its journal; freed space was zeroed already, but pages keep traces."""
        with self._told(), self._plain() as raw:
            raw.exec_driver_sql("VACUUM")
            busy, _, _ = raw.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if busy:
            raise StoreBusy(path=str(self.path))

    @contextlib.contextmanager
    def _plain(self) -> Iterator[sa.Connection]:
        """The writing connection without a transaction around it."""
        with self._writer.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def version(self, connection: sa.Connection) -> str | None:
        """See Store."""
        with self._nothing_unreadable():
            application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            names = set(connection.exec_driver_sql(query).scalars())
            if not application and not names:
                return None
            if application != APPLICATION_ID or "alembic_version" not in names:
                raise StoreDamaged(path=str(self.path), reason="not a database of Signet")
            rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        return self._known_version(names, [str(row) for row in rows])

    def mark(self, connection: sa.Connection) -> None:
        """See Store."""
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")

    def _begin(self, connection: sa.Connection) -> sa.RootTransaction:
        """Begin, and try again where SQLite answers "busy" without waiting, as while another process recovers."""
        for rest in reversed(range(_BUSY_ROUNDS)):
            try:
                return connection.begin()
            except sa.exc.OperationalError as error:
                if not rest or _primary_code(error.orig) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                time.sleep(_BUSY_PAUSE_S)
        raise AssertionError  # the last round returns or raises

    def _take_the_writers_place(self, connection: sa.Connection) -> None:
        """BEGIN IMMEDIATE took it."""

    def _raise_as_ours(self, error: BaseException | None, cause: Exception) -> NoReturn:
        _raise_as_ours(self.path, error, cause)

    @contextlib.contextmanager
    def _nothing_unreadable(self) -> Iterator[None]:
        """Inside, a statement that SQLite does not understand means that the tables are not what they were."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            if _primary_code(error.orig) == sqlite3.SQLITE_ERROR:
                raise StoreDamaged(path=str(self.path), reason="its tables are not those of this version") from error
            raise
        except UnicodeDecodeError as error:
            # What SQLite says of a damaged table quotes the damage, and the driver takes it for text.
            raise StoreDamaged(path=str(self.path), reason="not a readable database") from error


def _sqlite_engine(path: Path, begin: str, *, query_only: bool) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})

    @sa.event.listens_for(engine, "connect")
    def on_connect(raw: sqlite3.Connection, _record: object) -> None:
        # The driver would begin transactions by itself, late and deferred; we begin them.
        raw.isolation_level = None
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        # Without it REPLACE would delete past the triggers of the ledger.
        raw.execute("PRAGMA recursive_triggers=ON")
        raw.execute("PRAGMA secure_delete=ON")
        raw.execute(f"PRAGMA query_only={'ON' if query_only else 'OFF'}")

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(begin)

    return engine


_COLUMNS = (
    'SELECT t.name, t.type, t.ncol, t.wr, t.strict, c.name, c.type, c."notnull", c.dflt_value, c.pk '
    "FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name) AS c "
    "WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'"
)
_REFERENCES = (
    'SELECT m.name, f."table", f."from", f."to" FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f '
    "WHERE m.type = 'table'"
)
_INDEXES = (
    'SELECT m.name, i.name, i."unique", i.origin, i.partial, c.seqno, c.name FROM sqlite_master AS m '
    "JOIN pragma_index_list(m.name) AS i JOIN pragma_index_info(i.name) AS c WHERE m.type = 'table'"
)
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def _shape(connection: sa.Connection) -> dict[str, set[Any]]:
    """What the tables are made of, without regard to the steps that made them."""
    queries = {"columns": _COLUMNS, "references": _REFERENCES, "indexes": _INDEXES, "triggers": _TRIGGERS}
    return {
        part: {tuple(row) for row in connection.exec_driver_sql(query) if row[0] != "alembic_version"}
        for part, query in queries.items()
    }


@functools.cache
def _shape_of_the_code() -> dict[str, set[Any]]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for statement in sqlite_triggers().values():
            connection.exec_driver_sql(statement)
        found = _shape(connection)
    engine.dispose()
    return found


def _primary_code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_exhausted() -> bool:
    """Whether this process cannot open what SQLite needs: it does not say itself why a file could not be opened."""
    with contextlib.ExitStack() as opened:
        # The database, its journal and the index of the journal.
        for _file in range(3):
            try:
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            except OSError as error:
                return error.errno in (errno.EMFILE, errno.ENFILE)
    return False


def _raise_as_ours(path: Path, error: BaseException | None, cause: Exception) -> NoReturn:
    """Turn what SQLite says about the file into an error of the tree; what it says about a statement stays a bug."""
    ours: SignetError
    match _primary_code(error):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            ours = StoreDamaged(path=str(path), reason="not a readable database")
        case sqlite3.SQLITE_FULL:
            ours = DiskFull(path=str(path))
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            ours = StoreBusy(path=str(path))
        case sqlite3.SQLITE_CANTOPEN if _is_exhausted():
            ours = TooManyFilesOpen()
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            ours = HomeUnusable(path=str(path.parent), reason="it is read-only")
        case sqlite3.SQLITE_IOERR if is_full(path.parent):
            # It could not make the index of its journal, whatever it calls that.
            ours = DiskFull(path=str(path))
        case sqlite3.SQLITE_IOERR:
            ours = HomeUnusable(path=str(path.parent), reason="the disk reports an error")
        case _ if str(error).startswith("Could not decode to UTF-8"):  # the driver's own words; it gives no code
            ours = StoreDamaged(path=str(path), reason="not a readable database")
        case _:
            raise cause
    raise ours from cause


# --- opening ---------------------------------------------------------------------------------------------------------


def open_sqlite(folder: Path) -> SqliteStore:
    """Open or make the file in a folder that may be written; its tables are the caller's next step."""
    _prepare_file(folder)
    _refuse_stranger(folder / DATABASE_NAME)
    store = SqliteStore(folder)
    try:
        _switch_to_wal(store)
    except BaseException:
        store.close()
        raise
    return store


def _prepare_file(folder: Path) -> None:
    path = folder / DATABASE_NAME
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise HomeUnusable(path=str(folder), reason=f"{DATABASE_NAME} is not a plain file")
        # SQLite gives its two side files the mode of the database, so the mode is set before it writes.
        path.touch(mode=0o600)
        path.chmod(0o600)
    except OSError as error:
        refuse_exhausted(error)
        raise HomeUnusable(path=str(folder), reason=error.strerror or "it cannot be made") from error


def _refuse_stranger(path: Path) -> None:
    if is_open_here(path):
        return  # it was looked at when it was opened
    with path.open("rb") as file:
        head = file.read(_SMALLEST_PAGE)
    # SQLite takes a file shorter than a page for a new one and would write over it.
    if head and (len(head) < _SMALLEST_PAGE or not head.startswith(_MAGIC)):
        raise StoreDamaged(path=str(path), reason="not a database of Signet")


def _switch_to_wal(store: SqliteStore) -> None:
    """Turn the journal to WAL, which stays with the file; done outside transactions, where alone SQLite allows it."""
    for rest in reversed(range(_BUSY_ROUNDS)):
        try:
            with contextlib.closing(sqlite3.connect(store.path, timeout=_BUSY_TIMEOUT_MS / 1000)) as raw:
                (mode,) = raw.execute("PRAGMA journal_mode=WAL").fetchone()
            break
        except sqlite3.Error as error:
            # Switching does not wait for another process that is doing the same.
            if rest and _primary_code(error) == sqlite3.SQLITE_BUSY:
                time.sleep(_BUSY_PAUSE_S)
                continue
            _raise_as_ours(store.path, error, error)
    if mode != "wal":
        raise HomeUnusable(path=str(store.folder), reason="its file system cannot hold a database in WAL mode")
