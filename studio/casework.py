"""Casework: cases, refutations, the operator and the agreement, as window and command line ask for them.

The right to each step is checked below, in compliance; here sessions are looked at and ids become names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from compliance import case_report, operator_profile, refutation, sanctions, store
from compliance.account import Accounts
from compliance.cases import Case, CaseBook, CaseKind, CaseState, Statement
from compliance.clock import now
from compliance.complaint import import_complaint
from compliance.content import ContentHit
from compliance.errors import UnknownRecord
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.operator_profile import Agreement, OperatorProfile
from compliance.refutation import Notice
from compliance.roles import Action
from compliance.sanctions import Measure, Reason, Sanction, Term
from compliance.storage import write_atomically

_UNFIT_FOR_RULES = re.compile(r"[^\w.:/@ -]")


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as shown: accounts by name, late or not. statements: None where they may not or cannot be read."""

    id: str
    kind: str
    article: str
    rule: str
    state: str
    opened_at: str
    opened_by: str
    due_at: str
    overdue: bool
    account: str | None
    release: str | None
    assignee: str | None
    decision: str | None
    measure: str | None
    appeal_of: str | None
    ledger_index: int
    statements: tuple[Statement, ...] | None


class Casework:
    """What a home does about its cases, its rumours and its operator; made by the workshop.

    after: called when something was entered in the ledger.
    """

    def __init__(
        self, home: Path, rows: store.Store, ledger: Ledger, accounts: Accounts, after: Callable[[], None]
    ) -> None:
        self._home, self._rows, self._ledger, self._accounts, self._after = home, rows, ledger, accounts, after
        self._book = CaseBook(rows, ledger)

    # --- cases -------------------------------------------------------------------------------------------------------

    def open_case(
        self,
        kind: CaseKind,
        text: str,
        *,
        account: str | None = None,
        release: str | None = None,
        rule: str = "",
        seen_at: datetime | None = None,
    ) -> CaseView:
        """Open a case by hand; account: a name, release: an id of ours. Raises what CaseBook.open_case raises."""
        session = self._accounts.require_for(Action.OPEN_CASE)
        made = self._book.open_case(
            kind,
            by=session.account,
            keys=session.require_keys(),
            rule=rule,
            account_id=self._accounts.named(account).id if account else None,
            release_id=release,
            text=text,
            moment=seen_at,
        )
        self._after()
        return self._view(made)

    def open_for_hits(self, account_id: str, hits: Sequence[ContentHit]) -> str:
        """Open a case for each rule that the review found something by, to be looked at and appealed against.

        Returns the id of the first case of a hard stop, else of the first. Place and score are sealed where the keys
        are open; what was found is nowhere.
        """
        session = self._accounts.current()
        keys = session.keys if session is not None else None
        opened: dict[str, str] = {}
        stops_first = sorted(hits, key=lambda hit: hit.severity == "case")
        with self._rows.write() as connection:
            for hit in stops_first:
                if hit.rule not in opened:
                    where = f"{hit.category}: {hit.place}, {hit.start}, {hit.score:.3f} ({hit.severity})"
                    opened[hit.rule] = self._book.open_case_in(
                        connection,
                        CaseKind.REVIEW,
                        by="review",
                        keys=keys,
                        rule=_UNFIT_FOR_RULES.sub("-", hit.rule)[:80],
                        account_id=account_id,
                        text=where if keys else "",
                    )
        self._after()
        return next(iter(opened.values()), "")

    def cases(self, state: CaseState | None = None, *, overdue: bool = False) -> list[CaseView]:
        """All cases, those in one state, or those whose answer is late."""
        session = self._accounts.require()
        found = self._book.overdue() if overdue else self._book.cases(state=state)
        return [self._view(one) for one in found if self._may_see(session.account.id, one)]

    def case(self, case_id: str) -> CaseView:
        """One case, with its statements for reviewers and for whom it concerns; raises UnknownRecord."""
        session = self._accounts.require()
        found = self._book.case(case_id, session.keys)
        if not self._may_see(session.account.id, found):
            raise UnknownRecord(kind="case", id=case_id)
        return self._view(found)

    def assign(self, case_id: str, reviewer: str) -> CaseView:
        """Give a case to a reviewer, by name."""
        session = self._accounts.require_for(Action.REVIEW_CASE)
        made = self._book.assign(case_id, by=session.account, reviewer=self._accounts.named(reviewer))
        self._after()
        return self._view(made)

    def decide(
        self,
        case_id: str,
        upheld: bool,
        text: str,
        *,
        measure: Measure | None = None,
        reason: Reason = Reason.OTHER,
        until: date | None = None,
        releases_a_day: int | None = None,
    ) -> CaseView:
        """Decide a case, with a measure or without; until: the last day, included."""
        session = self._accounts.require()
        term = None
        if measure is not None:
            end = None
            if until is not None:
                end = datetime.combine(until + timedelta(days=1), clock_time(), now().astimezone().tzinfo)
            term = Term(measure, reason, end.astimezone(UTC) if end else None, releases_a_day)
        made = self._book.decide(
            case_id, by=session.account, keys=session.require_keys(), upheld=upheld, text=text, term=term
        )
        self._after()
        return self._view(made)

    def appeal(self, case_id: str, text: str) -> CaseView:
        """Appeal against a decision about one's own account."""
        session = self._accounts.require_for(Action.APPEAL)
        made = self._book.appeal(case_id, by=session.account, keys=session.require_keys(), text=text)
        self._after()
        return self._view(made)

    def import_complaint(self, path: Path) -> CaseView:
        """Make a case of a complaint file."""
        session = self._accounts.require_for(Action.OPEN_CASE)
        made = import_complaint(self._rows, self._ledger, session.require_keys(), session.account, path)
        self._after()
        return self._view(made)

    def report(self, case_id: str, out: Path) -> tuple[Path, Path]:
        """Write the report pack for the authority: out.json, signed, and out.pdf for people; returns both paths."""
        session = self._accounts.require_for(Action.REPORT_CASE)
        pack = case_report.build_report(self._rows, self._signing(session.require_keys()), session, case_id)
        as_json, as_pdf = out.with_suffix(".json"), out.with_suffix(".pdf")
        write_atomically(as_json, case_report.report_json(pack))
        write_atomically(as_pdf, case_report.report_pdf(pack))
        self._after()
        return as_json, as_pdf

    def sanctions(self, account: str | None = None) -> list[Sanction]:
        """All sanctions, or those of one account, by name."""
        self._accounts.require()
        return sanctions.sanctions(self._ledger, self._accounts.named(account).id if account else None)

    def _may_see(self, account_id: str, one: Case) -> bool:
        """Reviewers see every case; everybody else those that are about them or that they opened."""
        from compliance import roles

        if Action.REVIEW_CASE in roles.allowed(roles.roles(self._rows, account_id)):
            return True
        return account_id in (one.account_id, one.opened_by, one.assignee)

    def _view(self, one: Case) -> CaseView:
        names = {account.id: account.username for account in self._accounts.all()}

        def named(account_id: str | None) -> str | None:
            return names.get(account_id, account_id) if account_id else None

        return CaseView(
            id=one.id,
            kind=one.kind.value,
            article=one.article,
            rule=one.rule,
            state=one.state.value,
            opened_at=one.opened_at,
            opened_by=named(one.opened_by) or "",
            due_at=one.due_at,
            overdue=one.is_overdue(now()),
            account=named(one.account_id),
            release=one.release_id,
            assignee=named(one.assignee),
            decision=one.decision,
            measure=one.measure,
            appeal_of=one.parent,
            ledger_index=one.ledger_index,
            statements=None
            if one.statements is None
            else tuple(Statement(named(said.by) or "", said.at, said.text) for said in one.statements),
        )

    def _signing(self, keys: HomeKeys) -> Ledger:
        return Ledger(self._rows, self._ledger.origin, keys.ledger_key())

    # --- refutation --------------------------------------------------------------------------------------------------

    def refute(self, release_id: str, reason: str, out: Path | None = None) -> Notice:
        """Refute what is claimed with a release of ours; out: where the notice goes, as .json and .txt."""
        session = self._accounts.require_for(Action.REFUTE)
        keys = session.require_keys()
        made = refutation.refute(self._home, self._rows, self._ledger, keys, session.account, release_id, reason)
        if out is not None:
            write_atomically(out.with_suffix(".json"), case_report.report_json(made.content))
            write_atomically(out.with_suffix(".txt"), made.text.encode())
        self._after()
        return made

    def publish_refutations(self) -> None:
        """Write the public list anew when it is behind the database and the keys are open; nothing otherwise."""
        session = self._accounts.current()
        if session is not None and session.keys is not None:
            refutation.publish(self._home, self._rows, self._ledger.origin, session.keys)

    # --- operator ----------------------------------------------------------------------------------------------------

    def operator(self) -> OperatorProfile | None:
        """The operator's profile; None when none is set. Works signed out."""
        return operator_profile.profile(self._rows)

    def set_operator(self, **changes: Any) -> OperatorProfile:
        """Change fields of the operator's profile."""
        made = operator_profile.set_profile(
            self._rows, self._ledger, self._accounts.require_for(Action.SET_OPERATOR).account, **changes
        )
        self._after()
        return made

    def agreement(self) -> Agreement:
        """The service agreement. Works signed out."""
        return operator_profile.agreement()

    def has_accepted(self) -> bool:
        """Whether who is signed in has accepted the present version of the agreement; nobody has while signed out."""
        session = self._accounts.current()
        return session is not None and operator_profile.has_accepted(self._rows, session.account.id)

    def accept_agreement(self, version: str) -> None:
        """Accept a version of the service agreement for one's own account."""
        operator_profile.accept(self._rows, self._ledger, self._accounts.require().account, version)
        self._after()
