"""The database of a home on a PostgreSQL server: the same tables, the same promises as the file.

One writer at a time by an advisory lock that ends with the transaction, so that ledger indices have no gaps; readers
see one moment (REPEATABLE READ) and cannot write. The server must keep what it commits (fsync) and speak UTF-8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

import sqlalchemy as sa

from compliance.database import Store
from compliance.errors import DiskFull, HomeUnusable, SignetError, StoreBusy, StoreDamaged
from compliance.tables import metadata

DRIVER: Final = "postgresql+psycopg"
# Any number would do: these locks belong to one database, and a database to one home.
_WRITERS_PLACE = 0x53474E54
_BUSY_TIMEOUT_MS = 30_000
_TRIGGERS: Final = frozenset(
    {
        ("ledger_entry", "ledger_entry_no_update"),
        ("ledger_entry", "ledger_entry_no_delete"),
        ("ledger_entry", "ledger_entry_no_truncate"),
        ("ledger_entry", "ledger_entry_whole"),
    }
    | {
        (table, f"{table}_no_{act}")
        for table in ("ledger_node", "checkpoint", "pruned")
        for act in ("change", "truncate")
    }
)


class PostgresStore(Store):
    """The database of a home on a server."""

    def __init__(self, folder: Path, url: str) -> None:
        parsed = _parsed(folder, url)
        try:
            writer = sa.create_engine(parsed, pool_pre_ping=True, isolation_level="READ COMMITTED")
        except ModuleNotFoundError as error:
            raise HomeUnusable(path=str(folder), reason="the PostgreSQL driver is not installed") from error
        reader = sa.create_engine(parsed, pool_pre_ping=True, isolation_level="REPEATABLE READ")
        super().__init__(folder, parsed.render_as_string(), writer, reader.execution_options(postgresql_readonly=True))

    def check_within(self, connection: sa.Connection) -> None:
        """Every row of every table (the server checks its page sums), the columns and the triggers."""
        inspector = sa.inspect(connection)
        for name, table in metadata.tables.items():
            found = {(column["name"], column["nullable"]) for column in inspector.get_columns(name)}
            if found != {(column.name, bool(column.nullable)) for column in table.c}:
                raise StoreDamaged(path=str(self.path), reason="its tables are not those of this version")
        query = (
            "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND tgenabled = 'O' AND relnamespace = current_schema()::regnamespace"
        )
        if {tuple(row) for row in connection.exec_driver_sql(query)} != _TRIGGERS:
            raise StoreDamaged(path=str(self.path), reason="its tables are not those of this version")
        for name in metadata.tables:
            # As text, because that reads the values that lie outside of their rows as well.
            connection.exec_driver_sql(f'SELECT sum(length(one::text)) FROM "{name}" AS one').one()

    def scrub(self) -> None:
        """Rewrite the table of the data keys without its dead rows."""
        with self._told(), self._writer.connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            plain.exec_driver_sql(f"SET lock_timeout = {_BUSY_TIMEOUT_MS}")
            try:
                plain.exec_driver_sql("VACUUM (FULL) data_key")
            finally:
                plain.exec_driver_sql("SET lock_timeout = 0")

    def version(self, connection: sa.Connection) -> str | None:
        """See Store."""
        query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        names = set(connection.exec_driver_sql(query).scalars())
        if not names:
            return None
        if not names >= {"alembic_version", "home", "ledger_entry"}:
            raise StoreDamaged(path=str(self.path), reason="not a database of Signet")
        rows = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        return self._known_version(names, [str(row) for row in rows])

    def mark(self, connection: sa.Connection) -> None:
        """The tables are the mark; here the server is asked whether it can hold a home."""
        if connection.exec_driver_sql("SHOW server_encoding").scalar_one() != "UTF8":
            raise HomeUnusable(path=str(self.path), reason="the database does not hold UTF-8")
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off":
                raise HomeUnusable(path=str(self.path), reason="the database server may lose what it committed")

    def _begin(self, connection: sa.Connection) -> sa.RootTransaction:
        return connection.begin()

    def _take_the_writers_place(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_BUSY_TIMEOUT_MS}")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_PLACE})")

    def _raise_as_ours(self, error: BaseException | None, cause: Exception) -> NoReturn:
        ours = self._ours(getattr(error, "sqlstate", None), cause)
        if ours is None:
            raise cause
        raise ours from cause

    def _ours(self, state: str | None, cause: Exception) -> SignetError | None:
        """What the five signs of SQLSTATE mean (PostgreSQL manual, appendix A); None for a bug of ours."""
        path = str(self.path)
        match state:
            case None if isinstance(cause, sa.exc.OperationalError):  # the connection was not made, or broke
                return HomeUnusable(path=path, reason="the database server does not answer, or refuses the sign-in")
            case None:
                return None
            case "53100":
                return DiskFull(path=path)
            case "55P03" | "40001" | "40P01" | "53300":
                return StoreBusy(path=path)
            case "25006":
                return HomeUnusable(path=path, reason="it is read-only")
            case "42501":
                return HomeUnusable(path=path, reason="the database server does not allow it")
            case "3D000":
                return HomeUnusable(path=path, reason="there is no such database on the server")
        match state[:2]:
            case "XX":
                return StoreDamaged(path=path, reason="not a readable database")
            case "08" | "28" | "57":
                return HomeUnusable(path=path, reason="the database server does not answer, or refuses the sign-in")
            case "58":
                return HomeUnusable(path=path, reason="the disk reports an error")
        return None


def _parsed(folder: Path, url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise HomeUnusable(path=str(folder), reason="store.json names no database") from error
    if parsed.drivername != DRIVER or not parsed.database:
        raise HomeUnusable(path=str(folder), reason="store.json names no database")
    if parsed.password is not None or "password" in parsed.query:
        raise HomeUnusable(path=str(folder), reason="a password must not stand in the address of the database")
    return parsed
