"""Wrong passwords cost time, and after a hundred in a row the account waits for a person (NIST SP 800-63B, 3.2.2).

An attempt is counted before the password is tried and the count is taken back when it was right. So several processes
that try at once have no more tries than one, and a process that is killed in the middle has used one up.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from compliance import store
from compliance.errors import AccountError, AccountUnbound, TooManyAttempts

FREE_TRIES: Final = 5
LONGEST_STEP_S: Final = 60
LONG_WAIT_EVERY: Final = 10
LONG_WAIT_S: Final = 20 * 60
LIMIT: Final = 100
"""Wrong attempts in a row after which the account is unbound."""
ALONE_WAIT_S: Final = 3600
"""What each further attempt costs where there is nobody who could bind the account again."""


def wait_s(failures: int) -> int:
    """Seconds to wait after that many wrong attempts in a row.

    Five are free, then 1 s doubling to 60 s; every tenth costs 20 minutes, however slowly they came.
    """
    if failures < FREE_TRIES:
        return 0
    if failures >= LIMIT:
        return ALONE_WAIT_S
    if failures % LONG_WAIT_EVERY == 0:
        return LONG_WAIT_S
    return int(min(2 ** (failures - FREE_TRIES), LONGEST_STEP_S))


def _others(connection: sa.Connection, account_id: str) -> bool:
    """Whether another account could bind this one again."""
    table = store.account
    wanted = (table.c.id != account_id) & (table.c.state == "active") & (table.c.bound == 1)
    return connection.execute(sa.select(table.c.id).where(wanted).limit(1)).first() is not None


def begin(connection: sa.Connection, account_id: str, username: str, at: datetime) -> AccountError | None:
    """Count an attempt, as if it had failed already, or say why it may not be made; then it counts nothing.

    The refusal (TooManyAttempts, AccountUnbound) is given back, to be raised when the transaction is over.
    """
    table = store.account
    row = connection.execute(
        sa.select(table.c.failed_attempts, table.c.cumulative_failures, table.c.locked_until, table.c.bound).where(
            table.c.id == account_id
        )
    ).one()
    if not row.bound or (row.cumulative_failures >= LIMIT and _others(connection, account_id)):
        return AccountUnbound(account=username)
    if row.locked_until is not None:
        left = datetime.fromisoformat(row.locked_until) - at
        # More than the wait can be: the clock was set back. The wait begins anew, and no year is lost.
        longest = _wait(row.failed_attempts, row.cumulative_failures)
        if left > longest:
            left = longest
            until = store.utc_text(at + longest)
            connection.execute(sa.update(table).where(table.c.id == account_id).values(locked_until=until))
        if left > timedelta(0):
            return TooManyAttempts(account=username, wait_s=math.ceil(left.total_seconds()))
    failed, cumulative = row.failed_attempts + 1, row.cumulative_failures + 1
    wait = _wait(failed, cumulative)
    connection.execute(
        sa.update(table)
        .where(table.c.id == account_id)
        .values(
            failed_attempts=failed,
            cumulative_failures=cumulative,
            locked_until=store.utc_text(at + wait) if wait else None,
        )
    )
    return None


def _wait(failed: int, cumulative: int) -> timedelta:
    return timedelta(seconds=wait_s(cumulative if cumulative >= LIMIT else failed))


def failed(connection: sa.Connection, account_id: str) -> bool:
    """The attempt that was begun was wrong; True when it was the last one and the account is unbound now.

    An account that nobody could bind again is not unbound; each of its further attempts costs an hour.
    """
    table = store.account
    query = sa.select(table.c.cumulative_failures).where(table.c.id == account_id)
    if connection.execute(query).scalar_one() < LIMIT or not _others(connection, account_id):
        return False
    connection.execute(sa.update(table).where(table.c.id == account_id).values(bound=0))
    return True


def taken_back(connection: sa.Connection, account_id: str) -> None:
    """The attempt that was begun could not be judged: it counts neither way."""
    table = store.account
    connection.execute(
        sa.update(table)
        .where(table.c.id == account_id)
        .values(
            failed_attempts=sa.case((table.c.failed_attempts > 0, table.c.failed_attempts - 1), else_=0),
            cumulative_failures=sa.case((table.c.cumulative_failures > 0, table.c.cumulative_failures - 1), else_=0),
            locked_until=None,
        )
    )


def passed(connection: sa.Connection, account_id: str, *, whole: bool) -> None:
    """The attempt was right. whole: with every factor the account has; only that ends the row of wrong ones."""
    values: dict[str, object] = {"failed_attempts": 0, "locked_until": None}
    if whole:
        values |= {"cumulative_failures": 0, "bound": 1}
    connection.execute(sa.update(store.account).where(store.account.c.id == account_id).values(values))
