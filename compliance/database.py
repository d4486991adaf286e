"""What every database of a home is: two ways in, an identity, tables of one version. See compliance.store.

`read()` sees one moment and cannot write; `write()` holds the single writer's place from its first statement to its
commit, so that a ledger entry and the row it speaks of stand or fall together. Commits are on the disk when they
return. All times are ISO 8601 text in UTC, as `utc_now` writes them.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeVar, cast

import sqlalchemy as sa

from compliance.errors import HomeNewer, StoreDamaged
from compliance.tables import home, metadata

HEAD: Final = "0003_fingerprints"
"""The revision of the tables; a test holds it equal to the newest migration."""

T = TypeVar("T")

_STORE: Final = "signet_store"
"""The option of an engine that leads from its connections back to the store."""

HomeKind = Literal["own", "demo"]


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


class Store(ABC):
    """An open database; made by open_store, shared by all threads of one process.

    folder: the home. path: the file, or the server with its database; for messages.
    """

    def __init__(self, folder: Path, path: Path | str, writer: sa.Engine, reader: sa.Engine) -> None:
        self.folder = folder
        self.path = path
        self._writer = writer
        self._reader = reader
        self._inside = threading.local()
        self._remembered: dict[object, object] = {}
        self._remembering = threading.Lock()
        for engine in (writer, reader):
            engine.update_execution_options(**{_STORE: self})

    @staticmethod
    def of(connection: sa.Connection) -> Store:
        """The store that a connection of read() or write() belongs to."""
        found = connection.get_execution_options()[_STORE]
        assert isinstance(found, Store)
        return found

    def remembered(self, kind: Callable[[Store], T]) -> T:
        """What this process has read of the database so far, made at the first call and gone with the store.

        kind: a class that is made of a store.
        """
        with self._remembering:
            if kind not in self._remembered:
                self._remembered[kind] = kind(self)
            return cast(T, self._remembered[kind])

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
            with self._told(), self._writer.connect() as connection, self._begin(connection):
                self._take_the_writers_place(connection)
                yield connection
        finally:
            self._inside.write = False

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One read transaction: all its statements see the same moment; it cannot write."""
        with self._told(), self._reader.connect() as connection, self._begin(connection):
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
        """Read everything; raises StoreDamaged for a bad page, row, table or trigger. Takes seconds on a large home."""
        with self.read() as connection:
            self.check_within(connection)

    def close(self) -> None:
        """Give back the database; the store is of no use afterwards."""
        self._reader.dispose()
        self._writer.dispose()

    @abstractmethod
    def check_within(self, connection: sa.Connection) -> None:
        """What check() does, inside a transaction of the caller."""

    @abstractmethod
    def scrub(self) -> None:
        """Take what was overwritten or deleted out of the files as well; outside of any transaction.

        Raises StoreBusy while another process keeps the old state in sight; nothing is lost, try again.
        """

    @abstractmethod
    def version(self, connection: sa.Connection) -> str | None:
        """The revision of the tables, None when there are none. Raises StoreDamaged when they are not ours."""

    @abstractmethod
    def mark(self, connection: sa.Connection) -> None:
        """Mark a new database as ours, inside the transaction that makes its tables."""

    @abstractmethod
    def _begin(self, connection: sa.Connection) -> sa.RootTransaction: ...

    @abstractmethod
    def _take_the_writers_place(self, connection: sa.Connection) -> None: ...

    @abstractmethod
    def _raise_as_ours(self, error: BaseException | None, cause: Exception) -> NoReturn:
        """Turn what is said about the database into ours; what is said about a statement stays a bug."""

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            self._raise_as_ours(error.orig, error)

    def _known_version(self, found: set[str], versions: list[str]) -> str:
        if len(versions) != 1:
            raise StoreDamaged(path=str(self.path), reason="it does not say which version made it")
        if versions[0] == HEAD and not found >= metadata.tables.keys():
            raise StoreDamaged(path=str(self.path), reason="tables are missing")
        return versions[0]


def bring_up_to_date(store: Store) -> None:
    """Make or migrate the tables where they are not those of this version."""
    with store.read() as connection:
        version = store.version(connection)
    if version == HEAD:
        return
    with store.write() as connection:
        # Another process may have done it while we waited.
        version = store.version(connection)
        if version == HEAD:
            return
        _migrate(store, connection, version)
        if store.version(connection) != HEAD:
            raise StoreDamaged(path=str(store.path), reason="its tables could not be brought up to date")


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
            raise HomeNewer(path=str(store.folder), reason="it was made by a newer Signet") from error
    store.mark(connection)
    command.upgrade(config, HEAD)
