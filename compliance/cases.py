"""Cases: reviews, appeals, complaints and rumours, from opening to decision (DSP 10, 11, 12).

A case is decided by a reviewer whose own work it is not; an appeal by another one than who decided first. What people
wrote is sealed; the ledger and the plain columns hold pseudonyms, kinds, dates and digests under the home's pepper.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock_time
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from compliance import sanctions, store
from compliance.account import Account
from compliance.clock import now, stamp
from compliance.errors import (
    CaseStateWrong,
    NotConcerned,
    SameReviewer,
    SanctionUnclear,
    StatementInvalid,
    UnknownRecord,
)
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.roles import Action, verify_may_in, verify_not_own
from compliance.sanctions import Term

LONGEST_STATEMENT: Final = 8000
_RULE = re.compile(r"[\w.:/@ -]{1,80}")


class CaseKind(StrEnum):
    """What a case is about."""

    REVIEW = "review"
    APPEAL = "appeal"
    COMPLAINT = "complaint"
    REFUTATION = "refutation"


class CaseState(StrEnum):
    """Where a case stands; closed: its appeal has been decided."""

    OPEN = "open"
    ASSIGNED = "assigned"
    DECIDED = "decided"
    APPEALED = "appealed"
    CLOSED = "closed"


ARTICLES: Final[Mapping[CaseKind, str]] = {
    CaseKind.REVIEW: "DSP 10",
    CaseKind.APPEAL: "DSP 12",
    CaseKind.COMPLAINT: "DSP 12",
    CaseKind.REFUTATION: "DSP 11",
}
DUE_WORKING_DAYS: Final[Mapping[CaseKind, int]] = {
    CaseKind.REVIEW: 3,
    CaseKind.APPEAL: 3,
    CaseKind.COMPLAINT: 3,
    CaseKind.REFUTATION: 1,
}
"""The published time for an answer (DSP 12), in working days from Monday to Friday; holidays are not known here."""

_UNDECIDED = (CaseState.OPEN, CaseState.ASSIGNED)


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody wrote in a case. by: the id of an account, or "outside"."""

    by: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One step of a case; note holds a word or an id, never a text of a person."""

    type: str
    by: str
    at: str
    note: str
    ledger_index: int


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it stands; times are ISO 8601 in UTC.

    account_id: whom it is about; assignee: who decides or decided; parent: the case an appeal is about. statements:
    None while the keys are locked.
    """

    id: str
    kind: CaseKind
    article: str
    rule: str
    state: CaseState
    opened_at: str
    opened_by: str
    due_at: str
    account_id: str | None
    release_id: str | None
    assignee: str | None
    decision: str | None
    measure: str | None
    ledger_index: int
    events: tuple[CaseEvent, ...]
    statements: tuple[Statement, ...] | None

    @property
    def parent(self) -> str | None:
        """The case that an appeal is about."""
        return next((event.note for event in self.events if event.type == "appeals"), None)

    def is_overdue(self, moment: datetime) -> bool:
        """Whether the answer is late."""
        return self.state in _UNDECIDED and datetime.fromisoformat(self.due_at) < moment


def due_after(opened: datetime, working_days: int) -> datetime:
    """The end of the n-th working day, Monday to Friday, where the machine stands; the first day does not count.

    Counted as in the Civil Code, Art. 201: the day on which a period begins is left out.
    """
    day = opened.astimezone()
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return datetime.combine(day.date(), clock_time(23, 59, 59), day.tzinfo)


class CaseBook:
    """The cases of one home."""

    def __init__(self, rows: store.Store, ledger: Ledger) -> None:
        self._rows, self._ledger = rows, ledger

    # --- opening -----------------------------------------------------------------------------------------------------

    def open_case(
        self,
        kind: CaseKind,
        *,
        by: Account,
        keys: HomeKeys | None,
        rule: str = "",
        account_id: str | None = None,
        release_id: str | None = None,
        text: str = "",
        moment: datetime | None = None,
    ) -> Case:
        """Open a review, a complaint or a refutation, by hand or for a hit of the review.

        rule: id and version of what was broken. account_id: whom it is about; for a release its maker when left out.
        text: sealed; needs keys. Raises RoleMissing, UnknownRecord, StatementInvalid.
        """
        if kind is CaseKind.APPEAL:
            raise ValueError("an appeal is opened with appeal()")
        with self._rows.write() as connection:
            verify_may_in(connection, by, Action.OPEN_CASE)
            made = self.open_case_in(
                connection,
                kind,
                by=by.id,
                keys=keys,
                rule=rule,
                account_id=account_id,
                release_id=release_id,
                text=text,
                moment=moment,
            )
        return self.case(made, keys)

    def open_case_in(
        self,
        connection: sa.Connection,
        kind: CaseKind,
        *,
        by: str,
        keys: HomeKeys | None,
        rule: str = "",
        account_id: str | None = None,
        release_id: str | None = None,
        text: str = "",
        writer: str | None = None,
        note: tuple[str, str] | None = None,
        moment: datetime | None = None,
    ) -> str:
        """Open a case inside a transaction of the caller, who has checked the right to; returns its id.

        writer: of the text, `by` when None. note: type and content of a second event, such as ("appeals", case id).
        """
        moment = moment or now()
        if rule and not _RULE.fullmatch(rule):
            raise UnknownRecord(kind="rule", id=rule[:80])
        account_id = self._concerned(connection, account_id, release_id)
        case_id = f"cas-{secrets.token_hex(5)}"
        due_at = stamp(due_after(moment, DUE_WORKING_DAYS[kind]))
        fields: dict[str, Any] = {"case": case_id, "kind": kind.value, "by": by, "due": due_at}
        optional = {"rule": rule, "account": account_id, "release": release_id}
        fields |= {name: value for name, value in optional.items() if value}
        if note:
            fields[note[0]] = note[1]
        sealed = None
        if text:
            sealed = self._sealed(keys, case_id, (), Statement(writer or by, stamp(moment), checked_statement(text)))
            fields["statement"] = _digest(keys, text)
        index = self._ledger.append(connection, "case_opened", fields)
        connection.execute(
            sa.insert(store.case_file).values(
                id=case_id,
                kind=kind.value,
                article=ARTICLES[kind],
                rule=rule,
                state=CaseState.OPEN.value,
                opened_at=stamp(moment),
                opened_by=by,
                due_at=due_at,
                account_id=account_id,
                release_id=release_id,
                sealed_detail=sealed,
                ledger_index=index,
            )
        )
        self._event(connection, case_id, "opened", by, moment, kind.value, index)
        if note:
            self._event(connection, case_id, note[0], by, moment, note[1], index)
        return case_id

    def _concerned(self, connection: sa.Connection, account_id: str | None, release_id: str | None) -> str | None:
        """Whom a case is about, checked to be there."""
        if release_id is not None:
            table = store.release
            maker = connection.execute(sa.select(table.c.account_id).where(table.c.id == release_id)).scalar()
            if maker is None:
                raise UnknownRecord(kind="release", id=release_id)
            account_id = account_id or maker
        if account_id is not None:
            _account(connection, account_id)
        return account_id

    def appeal(
        self, case_id: str, *, by: Account, keys: HomeKeys | None, text: str, moment: datetime | None = None
    ) -> Case:
        """Appeal against a decision, or against a hit nobody has looked at yet; once, by the account concerned.

        Raises UnknownRecord, NotConcerned, RoleMissing, CaseStateWrong, StatementInvalid.
        """
        moment = moment or now()
        with self._rows.write() as connection:
            verify_may_in(connection, by, Action.APPEAL)
            first = self._row(connection, case_id)
            if first["account_id"] != by.id:
                raise NotConcerned(account=by.username, case=case_id)
            is_hit = first["kind"] == CaseKind.REVIEW.value and first["state"] == CaseState.OPEN.value
            if first["kind"] == CaseKind.APPEAL.value or not (is_hit or first["state"] == CaseState.DECIDED.value):
                raise CaseStateWrong(case=case_id, state=first["state"])
            made = self.open_case_in(
                connection,
                CaseKind.APPEAL,
                by=by.id,
                keys=keys,
                rule=first["rule"],
                account_id=by.id,
                release_id=first["release_id"],
                text=checked_statement(text),
                note=("appeals", case_id),
                moment=moment,
            )
            self._step(connection, case_id, "appealed", by.id, moment, made, state=CaseState.APPEALED.value)
        return self.case(made, keys)

    # --- deciding ----------------------------------------------------------------------------------------------------

    def assign(self, case_id: str, *, by: Account, reviewer: Account, moment: datetime | None = None) -> Case:
        """Give a case to a reviewer, also oneself; who assigns is a reviewer too.

        Raises UnknownRecord, CaseStateWrong, RoleMissing, OwnWork, SameReviewer.
        """
        moment = moment or now()
        with self._rows.write() as connection:
            verify_may_in(connection, by, Action.REVIEW_CASE)
            row = self._row(connection, case_id)
            self._verify_reviewer(connection, row, reviewer)
            self._step(
                connection,
                case_id,
                "assigned",
                by.id,
                moment,
                reviewer.id,
                state=CaseState.ASSIGNED.value,
                assignee=reviewer.id,
            )
        return self.case(case_id)

    def decide(
        self,
        case_id: str,
        *,
        by: Account,
        keys: HomeKeys | None,
        upheld: bool,
        text: str,
        term: Term | None = None,
        moment: datetime | None = None,
    ) -> Case:
        """Decide: is the hit, complaint, rumour or appeal upheld, and why; with a measure against the account or not.

        An upheld appeal lifts what the first decision imposed. Raises UnknownRecord, CaseStateWrong, RoleMissing,
        OwnWork, SameReviewer, SanctionUnclear, StatementInvalid.
        """
        moment = moment or now()
        reasons = checked_statement(text)
        decision = "upheld" if upheld else "dismissed"
        with self._rows.write() as connection:
            row = self._row(connection, case_id)
            self._verify_reviewer(connection, row, by)
            if row["assignee"] not in (None, by.id):
                raise CaseStateWrong(case=case_id, state="assigned to another reviewer")
            if term is not None:
                verify_may_in(connection, by, Action.SANCTION)
                if not upheld or row["kind"] == CaseKind.APPEAL.value or row["account_id"] is None:
                    raise SanctionUnclear(
                        measure=term.measure.value, reason="no decision against an account asks for it"
                    )
                sanctions.impose(
                    connection,
                    self._ledger,
                    account_id=row["account_id"],
                    term=term,
                    by=by.id,
                    case_id=case_id,
                    moment=moment,
                )
            self._step(
                connection,
                case_id,
                "decided",
                by.id,
                moment,
                decision,
                statement=_digest(keys, reasons),
                state=CaseState.DECIDED.value,
                assignee=by.id,
                decision=decision,
                measure=term.measure.value if term else None,
                sealed_detail=self._sealed(
                    keys, case_id, self._statements(row, keys), Statement(by.id, stamp(moment), reasons)
                ),
            )
            if row["kind"] == CaseKind.APPEAL.value:
                self._close_first(connection, case_id, by.id, upheld, moment)
        return self.case(case_id, keys)

    def _close_first(self, connection: sa.Connection, appeal_id: str, by: str, upheld: bool, moment: datetime) -> None:
        first = self._parent(connection, appeal_id)
        if first is None:
            return
        if upheld:
            sanctions.lift(connection, self._ledger, case_id=first["id"], by=by, moment=moment)
        note = "overturned" if upheld else "confirmed"
        self._step(connection, first["id"], "closed", by, moment, note, state=CaseState.CLOSED.value)

    def _verify_reviewer(self, connection: sa.Connection, row: Mapping[Any, Any], reviewer: Account) -> None:
        """The case is undecided, and this account may decide it."""
        is_appeal = row["kind"] == CaseKind.APPEAL.value
        verify_may_in(connection, reviewer, Action.DECIDE_APPEAL if is_appeal else Action.REVIEW_CASE)
        if row["state"] not in _UNDECIDED:
            raise CaseStateWrong(case=row["id"], state=row["state"])
        # Who takes in a complaint from outside has not written it.
        authors = [row["account_id"]] + ([] if row["kind"] == CaseKind.COMPLAINT.value else [row["opened_by"]])
        verify_not_own(reviewer, *filter(None, authors))
        first = self._parent(connection, row["id"]) if is_appeal else None
        if first is not None and reviewer.id in (first["assignee"], first["opened_by"]):
            raise SameReviewer(case=first["id"])

    def record_report(self, case_id: str, *, by: str, report_sha256: str, moment: datetime | None = None) -> int:
        """Enter that a report pack for the authority was made; returns the index in the ledger."""
        moment = moment or now()
        with self._rows.write() as connection:
            self._row(connection, case_id)
            return self._step(connection, case_id, "reported", by, moment, report_sha256)

    # --- reading -----------------------------------------------------------------------------------------------------

    def cases(self, keys: HomeKeys | None = None, *, state: CaseState | None = None) -> list[Case]:
        """All cases, oldest first, or those in one state; statements only with keys."""
        table = store.case_file
        query = sa.select(table).order_by(table.c.ledger_index, table.c.id)
        if state is not None:
            query = query.where(table.c.state == state.value)
        with self._rows.read() as connection:
            return [self._case(connection, row, keys) for row in connection.execute(query).mappings().all()]

    def case(self, case_id: str, keys: HomeKeys | None = None) -> Case:
        """One case; raises UnknownRecord."""
        with self._rows.read() as connection:
            return self._case(connection, self._row(connection, case_id), keys)

    def overdue(self, moment: datetime | None = None) -> list[Case]:
        """Undecided cases whose day has passed, the longest wait first."""
        late = [one for one in self.cases() if one.is_overdue(moment or now())]
        return sorted(late, key=lambda one: one.due_at)

    def known_complaint(self, digest: str) -> str | None:
        """The case that a complaint file became, by the SHA-256 of the file."""
        table = store.case_event
        query = sa.select(table.c.case_id).where(table.c.type == "complaint", table.c.note == digest)
        with self._rows.read() as connection:
            return connection.execute(query).scalar()

    # --- rows --------------------------------------------------------------------------------------------------------

    def _row(self, connection: sa.Connection, case_id: str) -> Mapping[Any, Any]:
        table = store.case_file
        row = connection.execute(sa.select(table).where(table.c.id == case_id)).mappings().one_or_none()
        if row is None:
            raise UnknownRecord(kind="case", id=case_id)
        return row

    def _parent(self, connection: sa.Connection, appeal_id: str) -> Mapping[Any, Any] | None:
        table = store.case_event
        query = sa.select(table.c.note).where(table.c.case_id == appeal_id, table.c.type == "appeals")
        parent = connection.execute(query).scalar()
        return None if parent is None else self._row(connection, parent)

    def _case(self, connection: sa.Connection, row: Mapping[Any, Any], keys: HomeKeys | None) -> Case:
        table = store.case_event
        query = sa.select(table.c.type, table.c.by, table.c.at, table.c.note, table.c.ledger_index)
        events = connection.execute(query.where(table.c.case_id == row["id"]).order_by(table.c.id))
        return Case(
            id=row["id"],
            kind=CaseKind(row["kind"]),
            article=row["article"],
            rule=row["rule"],
            state=CaseState(row["state"]),
            opened_at=row["opened_at"],
            opened_by=row["opened_by"],
            due_at=row["due_at"],
            account_id=row["account_id"],
            release_id=row["release_id"],
            assignee=row["assignee"],
            decision=row["decision"],
            measure=row["measure"],
            ledger_index=row["ledger_index"],
            events=tuple(CaseEvent(*event) for event in events),
            statements=self._statements(row, keys) if keys else None,
        )

    def _statements(self, row: Mapping[Any, Any], keys: HomeKeys | None) -> tuple[Statement, ...]:
        if row["sealed_detail"] is None or keys is None:
            return ()
        opened = keys.open_personal(row["sealed_detail"], f"case_file {row['id']}")
        return tuple(Statement(**one) for one in opened["statements"])

    def _sealed(self, keys: HomeKeys | None, case_id: str, before: tuple[Statement, ...], added: Statement) -> bytes:
        if keys is None:
            raise ValueError("a statement is never kept unsealed")
        content = [{"by": one.by, "at": one.at, "text": one.text} for one in (*before, added)]
        return keys.seal_personal({"statements": content}, f"case_file {case_id}")

    def _step(
        self,
        connection: sa.Connection,
        case_id: str,
        step: str,
        by: str,
        moment: datetime,
        note: str,
        *,
        statement: str | None = None,
        **values: Any,
    ) -> int:
        """Enter one step in the ledger, in the events and in the case itself."""
        fields = {"case": case_id, "by": by, "note": note}
        if statement:
            fields["statement"] = statement
        index = self._ledger.append(connection, f"case_{step}", fields)
        if values:
            table = store.case_file
            connection.execute(sa.update(table).where(table.c.id == case_id).values(**values))
        self._event(connection, case_id, step, by, moment, note, index)
        return index

    def _event(
        self, connection: sa.Connection, case_id: str, kind: str, by: str, moment: datetime, note: str, index: int
    ) -> None:
        connection.execute(
            sa.insert(store.case_event).values(
                case_id=case_id, type=kind, by=by, at=stamp(moment), note=note, ledger_index=index
            )
        )


def _account(connection: sa.Connection, account_id: str) -> None:
    table = store.account
    if connection.execute(sa.select(table.c.id).where(table.c.id == account_id)).first() is None:
        raise UnknownRecord(kind="account", id=account_id)


def checked_statement(text: str) -> str:
    """The text of a statement, trimmed and composed (NFC); raises StatementInvalid when it is empty or too long."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise StatementInvalid(reason="it is empty", limit=LONGEST_STATEMENT)
    if len(text) > LONGEST_STATEMENT:
        raise StatementInvalid(reason="it is too long", limit=LONGEST_STATEMENT)
    if any("\ud800" <= sign <= "\udfff" or (sign < " " and sign not in "\n\t") for sign in text):
        raise StatementInvalid(reason="it holds control characters", limit=LONGEST_STATEMENT)
    return text


def _digest(keys: HomeKeys | None, text: str) -> str:
    """The statement in the ledger: equal texts are found again with the keys, and nothing can be read."""
    if keys is None:
        raise ValueError("a statement is never kept unsealed")
    return keys.commitment(f"statement {checked_statement(text)}")
