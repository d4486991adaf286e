"""How long the log keeps what it says, and how its payloads go when their time is over (LM 9; trust model, retention).

Pruning takes the bodies of entries and never their leaves, so that every proof and checkpoint holds on. Two people do
it: an auditor, who watches the log, proposes a day; a consent officer, whose duty is erasure, confirms. An admin can do
neither. Nothing younger than six months goes, ever; what consent, review and releases left stays for three years; what
a row of the home still rests on stays as long as the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Final

import sqlalchemy as sa

from compliance import store
from compliance.account import Account
from compliance.account_log import RESTED_ON
from compliance.clock import now
from compliance.errors import LedgerBroken, PruneRefused, RetentionTooShort
from compliance.ledger import PRUNED, Ledger
from compliance.proposals import LIFETIME, verify_two_people
from compliance.roles import Action, verify_may_in

FLOOR: Final = timedelta(days=183)
"""Six months (LM 9, CSL 23): the least for every entry."""
DEFAULT: Final = timedelta(days=1096)
"""Three years, for everything but what SHORT names (PIPL 56)."""
SHORT: Final = frozenset({"signed_in", "signed_out", "sign_in_refused", "stepped_up", "session_locked"})
"""Kinds that go after six months: they say who was at the desk, and nothing about people or releases."""
_KEPT: Final = frozenset({PRUNED, "prune_proposed"}) | RESTED_ON


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a day would take. before: a day; entries: how many bodies; ranges: (first, last), both included."""

    before: date
    entries: int
    ranges: tuple[tuple[int, int], ...]


def plan_prune(rows: store.Store, before: date, moment: datetime | None = None) -> PrunePlan:
    """Which bodies would go; raises RetentionTooShort for a day inside the last six months."""
    with rows.read() as connection:
        return _plan(connection, before, moment or now())


def propose_prune(
    rows: store.Store, ledger: Ledger, by: Account, before: date, moment: datetime | None = None
) -> tuple[int, PrunePlan]:
    """Propose a day; returns the number of the proposal, an index of the ledger, and what would go.

    Raises RoleMissing, RetentionTooShort.
    """
    with rows.write() as connection:
        # Of all roles the auditor's alone may cosign: who watches the log from outside begins.
        verify_may_in(connection, by, Action.COSIGN_LEDGER)
        plan = _plan(connection, before, moment or now())
        fields = {"by": by.id, "before": before.isoformat(), "entries": plan.entries}
        return ledger.append(connection, "prune_proposed", fields), plan


def confirm_prune(
    rows: store.Store, ledger: Ledger, by: Account, proposal: int, moment: datetime | None = None
) -> PrunePlan:
    """Carry a proposal out as the second person; what goes is worked out anew.

    Raises RoleMissing, OwnWork, SecondPersonNeeded, PruneRefused for what is no open proposal, RetentionTooShort.
    """
    moment = moment or now()
    with rows.write() as connection:
        verify_may_in(connection, by, Action.PRUNE)
        proposed = _proposal(connection, proposal, moment)
        verify_two_people(connection, proposed["by"], by, moment)
        plan = _plan(connection, date.fromisoformat(proposed["before"]), moment)
        ledger.append(connection, "prune_confirmed", {"proposal": proposal, "by": by.id, "entries": plan.entries})
        for first, last in plan.ranges:
            ledger.prune(connection, first, last)
    rows.scrub()
    return plan


def _proposal(connection: sa.Connection, index: int, moment: datetime) -> dict[str, Any]:
    table = store.ledger_entry
    body = connection.execute(sa.select(table.c.body).where(table.c.idx == index)).scalar()
    entry = _entry(body, index) if body is not None else {}
    if entry.get("kind") != "prune_proposed":
        raise PruneRefused(proposal=index, reason="there is no such proposal")
    if not moment - LIFETIME < datetime.fromisoformat(entry["time"]) <= moment + timedelta(minutes=5):
        raise PruneRefused(proposal=index, reason="it is older than a week, or the clock was set back")
    later = sa.select(table.c.idx, table.c.body).where(table.c.idx > index, table.c.body.is_not(None))
    for row in connection.execute(later):
        entry_after = _entry(row.body, row.idx)
        if entry_after["kind"] == "prune_confirmed" and entry_after["fields"]["proposal"] == index:
            raise PruneRefused(proposal=index, reason="it was carried out already")
    return dict(entry["fields"])


def _plan(connection: sa.Connection, before: date, moment: datetime) -> PrunePlan:
    midnight = datetime.combine(before, clock_time(), UTC)
    if midnight > moment - FLOOR:
        raise RetentionTooShort(before=before.isoformat(), days=FLOOR.days)
    chosen = list(_over(connection, midnight, min(midnight, moment - DEFAULT)))
    return PrunePlan(before, len(chosen), tuple(_runs(chosen)))


def _over(connection: sa.Connection, short: datetime, long: datetime) -> Iterator[int]:
    """The entries whose time is over: of short kinds before one moment, of all others before an earlier one.

    An entry counts as old only when no earlier one is younger: a clock that once was years behind makes nothing old.
    """
    table = store.ledger_entry
    in_use = _in_use(connection)
    query = sa.select(table.c.idx, table.c.body).where(table.c.body.is_not(None)).order_by(table.c.idx)
    last = connection.execute(sa.select(sa.func.max(table.c.idx))).scalar()
    newest = datetime.min.replace(tzinfo=UTC)
    for row in connection.execute(query):
        entry = _entry(row.body, row.idx)
        newest = max(newest, datetime.fromisoformat(entry["time"]))
        if newest >= short or row.idx == last:
            return
        if row.idx in in_use or entry["kind"] in _KEPT:
            continue
        if newest < (short if entry["kind"] in SHORT else long):
            yield row.idx


def _in_use(connection: sa.Connection) -> frozenset[int]:
    """Every entry that a row of the home points to: the row is checked with it, or shown with it."""
    found: set[int] = set()
    for table in store.metadata.sorted_tables:
        for name in ("ledger_index", "intent_index", "release_index"):
            if name in table.c:
                column = table.c[name]
                found.update(connection.execute(sa.select(column).where(column.is_not(None))).scalars())
    return frozenset(found)


def _runs(indices: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Rising indices as ranges without gaps."""
    first = last = -2
    for index in indices:
        if index != last + 1:
            if last >= 0:
                yield first, last
            first = index
        last = index
    if last >= 0:
        yield first, last


def _entry(body: bytes, index: int) -> dict[str, Any]:
    try:
        entry = json.loads(body)
        return {"kind": entry["kind"], "time": entry["time"], "fields": entry["fields"]}
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerBroken(index=index, reason="the entry was changed") from error
