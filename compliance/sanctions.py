"""Sanctions against accounts: warn, limit, suspend, close, each with its term and its reason (DSP 10).

A sanction is imposed by the decision of a case and ends by its term or by an appeal. What counts is what the ledger
tells: a row that was deleted or bent in the database lifts nothing. Reasons come from a closed list, so that neither
this table nor the ledger holds a text about a person.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from compliance import store
from compliance.account import Account
from compliance.account_log import Imposed, account_log
from compliance.clock import now, stamp
from compliance.errors import AccountSanctioned, SanctionUnclear, UnknownRecord
from compliance.ledger import Ledger

LONGEST_TERM: Final = timedelta(days=366)
"""A limit or a suspension is looked at again after a year at the latest; what shall last is a closure."""
_DAY = timedelta(days=1)


class Measure(StrEnum):
    """What is done to an account, from mild to hard (DSP 10: warn, limit functions, suspend, close)."""

    WARN = "warn"
    LIMIT = "limit"
    SUSPEND = "suspend"
    CLOSE = "close"


class Reason(StrEnum):
    """Why, as a word that names nobody."""

    UNLAWFUL_CONTENT = "unlawful content"
    NO_CONSENT = "no consent"
    LABEL_TAMPERING = "label tampering"
    FALSE_INFORMATION = "false information"
    FALSE_IDENTITY = "false identity"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Term:
    """A measure before it is imposed. until: None where it has no end; releases_a_day: of a limit alone."""

    measure: Measure
    reason: Reason
    until: datetime | None = None
    releases_a_day: int | None = None

    def verify(self, moment: datetime) -> None:
        """Raise SanctionUnclear unless the parts fit together: a suspension ends, a limit has its number."""
        ends = self.measure in (Measure.LIMIT, Measure.SUSPEND)
        if ends and self.until is None:
            raise SanctionUnclear(measure=self.measure.value, reason="it needs a last day")
        if not ends and self.until is not None:
            raise SanctionUnclear(measure=self.measure.value, reason="it has no last day")
        if self.until is not None and not moment < self.until <= moment + LONGEST_TERM:
            raise SanctionUnclear(measure=self.measure.value, reason="it ends in the future, within a year")
        if (self.measure is Measure.LIMIT) != (self.releases_a_day is not None):
            raise SanctionUnclear(measure=self.measure.value, reason="a limit, and no other, has a number a day")
        if self.releases_a_day is not None and not 0 <= self.releases_a_day <= 1000:
            raise SanctionUnclear(measure=self.measure.value, reason="the number a day lies between 0 and 1000")


@dataclass(frozen=True, slots=True)
class Sanction:
    """One sanction as the store holds it; times are ISO 8601 in UTC. by: the account that decided."""

    id: str
    account_id: str
    measure: Measure
    reason: Reason
    starts_at: str
    ends_at: str | None
    releases_a_day: int | None
    case_id: str | None
    by: str
    ledger_index: int

    def is_in_force(self, moment: datetime) -> bool:
        """Whether it counts at this moment. A clock that was set back does not bring it to nothing."""
        return self.ends_at is None or moment < datetime.fromisoformat(self.ends_at)


def impose(
    connection: sa.Connection,
    ledger: Ledger,
    *,
    account_id: str,
    term: Term,
    by: str,
    case_id: str,
    moment: datetime | None = None,
) -> Sanction:
    """Impose a measure inside the transaction of the decision it belongs to; the caller has checked who may decide.

    Raises SanctionUnclear, UnknownRecord for an account that is not there.
    """
    moment = moment or now()
    term.verify(moment)
    table = store.account
    if connection.execute(sa.select(table.c.id).where(table.c.id == account_id)).first() is None:
        raise UnknownRecord(kind="account", id=account_id)
    until = stamp(term.until) if term.until else None
    fields: dict[str, Any] = {
        "sanction": f"san-{secrets.token_hex(5)}",
        "account": account_id,
        "measure": term.measure.value,
        "reason": term.reason.value,
        "case": case_id,
        "by": by,
    }
    if until:
        fields["until"] = until
    if term.releases_a_day is not None:
        fields["releases_a_day"] = term.releases_a_day
    index = ledger.append(connection, "sanction_imposed", fields)
    made = Sanction(
        fields["sanction"],
        account_id,
        term.measure,
        term.reason,
        stamp(moment),
        until,
        term.releases_a_day,
        case_id,
        by,
        index,
    )
    connection.execute(
        sa.insert(store.sanction).values(
            id=made.id,
            account_id=made.account_id,
            measure=made.measure.value,
            reason=made.reason.value,
            starts_at=made.starts_at,
            ends_at=made.ends_at,
            releases_a_day=made.releases_a_day,
            case_id=made.case_id,
            by=made.by,
            ledger_index=made.ledger_index,
        )
    )
    return made


def lift(connection: sa.Connection, ledger: Ledger, *, case_id: str, by: str, moment: datetime | None = None) -> int:
    """End every sanction that a case brought about, as an upheld appeal does; returns how many were in force."""
    moment = moment or now()
    table = store.sanction
    lifted = [one for one in sanctions(ledger) if one.case_id == case_id and one.is_in_force(moment)]
    for one in lifted:
        ledger.append(connection, "sanction_lifted", {"sanction": one.id, "account": one.account_id, "by": by})
        connection.execute(sa.update(table).where(table.c.id == one.id).values(ends_at=stamp(moment)))
    return len(lifted)


def sanctions(ledger: Ledger, account_id: str | None = None) -> list[Sanction]:
    """All sanctions, oldest first, or those of one account, as the ledger tells them; rows of the home count nothing.

    Raises LedgerBroken.
    """
    told = account_log(ledger).sanctions.values()
    return [_sanction(one) for one in told if account_id in (None, one.fields["account"])]


def verify_not_sanctioned(ledger: Ledger, account: Account, moment: datetime | None = None) -> None:
    """Raise AccountSanctioned while a suspension, a closure or a used-up limit stands against the account (DSP 10)."""
    moment = moment or now()
    for one in sanctions(ledger, account.id):
        if not one.is_in_force(moment):
            continue
        match one.measure:
            case Measure.WARN:
                continue
            case Measure.LIMIT:
                if _released_within(ledger, account.id, moment - _DAY) < (one.releases_a_day or 0):
                    continue
        raise AccountSanctioned(
            account=account.username,
            measure=one.measure.value,
            reason=one.reason.value,
            until=one.ends_at or "-",
            case=one.case_id or "-",
        )


def _released_within(ledger: Ledger, account_id: str, since: datetime) -> int:
    """How many releases of an account began after a moment and were not rolled back."""
    begun = account_log(ledger).releases.get(account_id, {}).values()
    return sum(datetime.fromisoformat(when) > since for when in begun)


def _sanction(told: Imposed) -> Sanction:
    fields = told.fields
    return Sanction(
        id=fields["sanction"],
        account_id=fields["account"],
        measure=Measure(fields["measure"]),
        reason=Reason(fields["reason"]),
        starts_at=told.when,
        ends_at=told.lifted_at or fields.get("until"),
        releases_a_day=fields.get("releases_a_day"),
        case_id=fields["case"],
        by=fields["by"],
        ledger_index=told.index,
    )
