"""The database of a home: one SQLite file, its tables, and the two ways into it.

`read()` sees one moment and cannot write; `write()` holds the single writer's place from its first statement to its
commit (BEGIN IMMEDIATE), so that a ledger entry and the row it speaks of stand or fall together. Commits are on the
disk when they return (WAL with synchronous=FULL; NORMAL may lose the last ones when the power fails).
Only one machine may use a home: WAL needs memory shared by all readers, which network file systems do not have.
All times are ISO 8601 text in UTC, as `utc_now` writes them.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import sqlalchemy as sa

from compliance.errors import DiskFull, HomeUnusable, SignetError, StoreBusy, StoreDamaged

DATABASE_NAME: Final = "signet.db"
HEAD: Final = "0001_spine"
"""The revision of the tables below; a test holds it equal to the newest migration."""
APPLICATION_ID: Final = 0x53474E54
"""Marks the file as ours in its header: "SGNT" (PRAGMA application_id)."""

# The SQLite file format, §1.3: the header string and the smallest page.
_MAGIC = b"SQLite format 3\x00"
_SMALLEST_PAGE = 512

_BUSY_TIMEOUT_MS = 10_000
_BUSY_ROUNDS = 3
_BUSY_PAUSE_S = 0.05

HomeKind = Literal["own", "demo"]

# --- tables ----------------------------------------------------------------------------------------------------------

metadata = sa.MetaData()


def _table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    # STRICT: SQLite otherwise stores a text where a number belongs and says nothing.
    return sa.Table(name, metadata, *parts, sqlite_strict=True, **options)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def _integer(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, **{"nullable": False, **options})


def _blob(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, **{"nullable": False, **options})


home = _table(
    "home",
    _text("id", primary_key=True),
    _text("kind"),
    _text("created_at"),
    sa.CheckConstraint("kind IN ('own', 'demo')", name="home_kind"),
)

ledger_entry = _table(
    "ledger_entry", _integer("idx", primary_key=True, autoincrement=False), _blob("leaf"), _blob("body")
)
ledger_node = _table(
    "ledger_node",
    _integer("level", primary_key=True, autoincrement=False),
    _integer("idx", primary_key=True, autoincrement=False),
    _blob("hash"),
    sqlite_with_rowid=False,
)
checkpoint = _table(
    "checkpoint", _integer("size", primary_key=True, autoincrement=False), _text("note"), _text("made_at")
)

account = _table(
    "account",
    _text("id", primary_key=True),
    _text("username", unique=True),
    _text("created_at"),
    _text("state"),
    _integer("failed_attempts", server_default="0"),
    _text("locked_until", nullable=True),
    _blob("sealed_person", nullable=True),
)
identity_proof = _table(
    "identity_proof",
    _text("id", primary_key=True),
    sa.Column("account_id", sa.Text, sa.ForeignKey("account.id"), nullable=False, index=True),
    _text("level"),
    _text("method"),
    _text("commitment"),
    _text("made_at"),
    _text("expires_at"),
    _integer("ledger_index"),
)

subject = _table(
    "subject", _text("id", primary_key=True), _text("created_at"), _blob("sealed_person"), _integer("ledger_index")
)
consent_grant = _table(
    "consent_grant",
    _text("id", primary_key=True),
    sa.Column("subject_id", sa.Text, sa.ForeignKey("subject.id"), nullable=False, index=True),
    _text("likeness"),
    _text("purposes"),
    _text("asset_sha256", index=True),
    _text("valid_from"),
    _text("valid_until"),
    _text("evidence_sha256", nullable=True),
    _text("evidence_blob", nullable=True),
    _text("recorded_by"),
    _text("recorded_at"),
    _blob("record"),
    _integer("ledger_index"),
)
consent_withdrawal = _table(
    "consent_withdrawal",
    sa.Column("grant_id", sa.Text, sa.ForeignKey("consent_grant.id"), primary_key=True, nullable=False),
    _text("withdrawn_at"),
    _text("reason"),
    _integer("ledger_index"),
)

permit_use = _table("permit_use", _text("permit_id", primary_key=True), _text("request_sha256"), _text("used_at"))
release = _table(
    "release",
    _text("id", primary_key=True),
    _text("state", index=True),
    _text("permit_id"),
    _text("account_id"),
    _text("consents"),
    _text("target_path"),
    _text("part_path"),
    _integer("overwrite"),
    _text("format"),
    _text("payload_sha256"),
    _text("file_sha256", nullable=True),
    _integer("intent_index"),
    _integer("release_index", nullable=True),
    _text("created_at"),
    _text("finished_at", nullable=True),
    sa.CheckConstraint("state IN ('intended', 'sealed', 'released', 'rolled_back')", name="release_state"),
)


# --- the store -------------------------------------------------------------------------------------------------------


def utc_now() -> str:
    """The time as the tables hold it: ISO 8601, UTC, microseconds, always the same length so that text order holds."""
    return utc_text(datetime.now(UTC))


def utc_text(moment: datetime) -> str:
    """A moment (with a time zone) as the tables hold it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True)
class Home:
    """The identity of a home: its random id stands in the ledger's origin, its kind never changes."""

    id: str
    kind: HomeKind
    created_at: str


class Store:
    """An open database; made by open_store, shared by all threads of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / DATABASE_NAME
        self._writer = self._engine("BEGIN IMMEDIATE", query_only=False)
        self._reader = self._engine("BEGIN", query_only=True)
        self._inside = threading.local()

    def _engine(self, begin: str, *, query_only: bool) -> sa.Engine:
        engine = sa.create_engine(f"sqlite:///{self.path}", connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})

        @sa.event.listens_for(engine, "connect")
        def on_connect(raw: sqlite3.Connection, _record: object) -> None:
            # The driver would begin transactions by itself, late and deferred; we begin them.
            raw.isolation_level = None
            raw.execute("PRAGMA synchronous=FULL")
            raw.execute("PRAGMA foreign_keys=ON")
            raw.execute(f"PRAGMA query_only={'ON' if query_only else 'OFF'}")

        @sa.event.listens_for(engine, "begin")
        def on_begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One write transaction: committed when the block ends, rolled back when it raises.

        Waits for another writer; raises StoreBusy after 30 s, DiskFull, StoreDamaged, HomeUnusable. A second write()
        on the same thread would wait for itself and is refused at once: pass the connection on instead.
        """
        if getattr(self._inside, "write", False):
            raise RuntimeError("a write transaction is open on this thread; pass its connection on")
        self._inside.write = True
        try:
            with self._told(), self._writer.connect() as connection, _begin(connection):
                yield connection
        finally:
            self._inside.write = False

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One read transaction: all its statements see the same moment; it cannot write."""
        with self._told(), self._reader.connect() as connection, _begin(connection):
            yield connection

    def identify(self, kind: HomeKind = "own") -> Home:
        """The identity of this home; the first call gives it one, of this kind. Later calls ignore `kind`."""
        found = self._identity()
        if found is None:
            with self.write() as connection:
                connection.execute(
                    sa.insert(home).from_select(
                        ["id", "kind", "created_at"],
                        sa.select(sa.literal(uuid.uuid4().hex), sa.literal(kind), sa.literal(utc_now())).where(
                            ~sa.exists(sa.select(home.c.id))
                        ),
                    )
                )
            found = self._identity()
        if found is None:
            raise StoreDamaged(path=str(self.path), reason="the identity of the home is missing")
        return found

    def is_identified(self) -> bool:
        """Whether the home has got its identity: False for a new database, and for one that was emptied."""
        return self._identity() is not None

    def _identity(self) -> Home | None:
        with self.read() as connection:
            rows = connection.execute(sa.select(home.c.id, home.c.kind, home.c.created_at)).all()
        if len(rows) > 1:
            raise StoreDamaged(path=str(self.path), reason="the home has more than one identity")
        return Home(*rows[0]) if rows else None

    def check(self) -> None:
        """Read every page of the database; raises StoreDamaged. Takes seconds on a large home."""
        with self.read() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if said != "ok" or orphan is not None:
            raise StoreDamaged(path=str(self.path), reason="pages do not hold together" if said != "ok" else "orphans")

    def close(self) -> None:
        """Give back the file; the store is of no use afterwards."""
        self._reader.dispose()
        self._writer.dispose()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            _raise_as_ours(self.path, error.orig, error)


def _begin(connection: sa.Connection) -> sa.RootTransaction:
    """Begin, and try again where SQLite answers "busy" without waiting, as it does while another process recovers."""
    for rest in reversed(range(_BUSY_ROUNDS)):
        try:
            return connection.begin()
        except sa.exc.OperationalError as error:
            if not rest or _primary_code(error.orig) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            time.sleep(_BUSY_PAUSE_S)
    raise AssertionError  # the last round returns or raises


def _primary_code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


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
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            ours = HomeUnusable(path=str(path.parent), reason="it is read-only")
        case sqlite3.SQLITE_IOERR:
            ours = HomeUnusable(path=str(path.parent), reason="the disk reports an error")
        case _:
            raise cause
    raise ours from cause


# --- opening ---------------------------------------------------------------------------------------------------------

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
    | {f"fuse.{name}" for name in ("ceph", "davfs2", "glusterfs", "juicefs", "rclone", "s3fs", "smbnetfs", "sshfs")}
)
"""File systems as /proc/mounts names them, whose files may change under another machine's hand."""

_MOUNTS = Path("/proc/mounts")


def open_store(home: Path) -> Store:
    """Open the database of a home folder; a new home is made with its tables, an old one brought up to date.

    The folder is made with mode 0700, the file has mode 0600. Raises HomeUnusable (read-only, not a folder, on a
    network file system, made by a newer Signet), StoreDamaged (not our database, or unreadable), DiskFull, StoreBusy.
    """
    folder = home.expanduser().absolute()
    _prepare_folder(folder)
    store = Store(folder)
    try:
        _prepare_file(store)
    except BaseException:
        store.close()
        raise
    return store


def _prepare_folder(folder: Path) -> None:
    """Make the folder where it is missing, and refuse a place where a database would not be safe."""
    path = folder / DATABASE_NAME
    try:
        _refuse_network(folder, next(one for one in [folder, *folder.parents] if one.exists()))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise HomeUnusable(path=str(folder), reason=f"{DATABASE_NAME} is not a plain file")
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise HomeUnusable(path=str(folder), reason="it is read-only")
        # SQLite gives its two side files the mode of the database, so the mode is set before it writes.
        path.touch(mode=0o600)
        path.chmod(0o600)
    except FileExistsError as error:
        raise HomeUnusable(path=str(folder), reason="it is not a folder") from error
    except OSError as error:
        raise HomeUnusable(path=str(folder), reason=error.strerror or "it cannot be made") from error


def _refuse_network(folder: Path, existing: Path) -> None:
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:  # not Linux: the kind of the file system is not told
        return
    kind = file_system_of(existing.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise HomeUnusable(path=str(folder), reason=f"it lies on a network file system, {kind}")


def file_system_of(path: Path, mounts: str) -> str:
    """The kind of file system that holds an absolute path, from the text of /proc/mounts; "" when none is named."""
    kind, depth = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # Spaces and backslashes in a mount point are written as octal numbers (proc(5), getmntent(3)).
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1]))
        # A later line hides an earlier one at the same place.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            kind, depth = fields[2], len(point.parts)
    return kind


def _prepare_file(store: Store) -> None:
    """Check that the file is ours and its tables are those of this version; make or migrate them where not."""
    path = str(store.path)
    with store.path.open("rb") as file:
        head = file.read(_SMALLEST_PAGE)
    # SQLite takes a file shorter than a page for a new one and would write over it.
    if head and (len(head) < _SMALLEST_PAGE or not head.startswith(_MAGIC)):
        raise StoreDamaged(path=path, reason="not a database of Signet")
    _switch_to_wal(store)
    with store.read() as connection:
        version = _version(store, connection)
    if version == HEAD:
        return
    with store.write() as connection:
        # Another process may have done it while we waited.
        version = _version(store, connection)
        if version == HEAD:
            return
        _migrate(store, connection, version)
        if _version(store, connection) != HEAD:
            raise StoreDamaged(path=path, reason="its tables could not be brought up to date")


def _switch_to_wal(store: Store) -> None:
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


def _version(store: Store, connection: sa.Connection) -> str | None:
    """The revision of the tables, None when the file is new. Raises StoreDamaged when the file is not ours."""
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    names = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    if not application and not names:
        return None
    if application != APPLICATION_ID or "alembic_version" not in names:
        raise StoreDamaged(path=str(store.path), reason="not a database of Signet")
    rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    if len(rows) != 1:
        raise StoreDamaged(path=str(store.path), reason="it does not say which version made it")
    if rows[0] == HEAD and not names >= metadata.tables.keys():
        raise StoreDamaged(path=str(store.path), reason="tables are missing")
    return str(rows[0])


def _migrate(store: Store, connection: sa.Connection, version: str | None) -> None:
    """Run the migrations inside the caller's transaction, so that a crash leaves the file as it was."""
    # Imported here: only a new home or an old one pays for it.
    from alembic import command, script
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # The path passes through a parser for which the per cent sign is special.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if version is not None:
        try:
            script.ScriptDirectory.from_config(config).get_revision(version)
        except CommandError as error:
            raise HomeUnusable(path=str(store.folder), reason="it was made by a newer Signet") from error
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    command.upgrade(config, HEAD)
