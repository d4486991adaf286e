"""People, their consents, and the picture a consent is recorded for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model

if TYPE_CHECKING:
    from studio.workshop import GrantView, SubjectView, Workshop


def months_later(start: date, months: int) -> date:
    """The same day some months later, or the last day of that month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for day in (start.day, 30, 29, 28):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@dataclass(slots=True)
class ConsentDraft:
    """What the wizard gathers; either an existing subject or a new name."""

    subject_id: str | None = None
    new_name: str = ""
    asset: Path | None = None
    evidence: Path | None = None
    purposes: tuple[str, ...] = ()
    valid_from: date = field(default_factory=date.today)
    valid_until: date = field(default_factory=lambda: months_later(date.today(), 12))


class PeopleModel(Model):
    """Subjects and grants; `changed` after they changed, `withdrawn` with the take-down list."""

    changed = Signal()
    recorded = Signal(object)
    withdrawn = Signal(object, object)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.subjects: list[SubjectView] = []
        self.grants: list[GrantView] = []
        self.chosen: str | None = None
        self.is_loaded = False

    def forget(self) -> None:
        """Nobody is signed in: keep no name."""
        self.subjects, self.grants, self.chosen, self.is_loaded = [], [], None, False
        self.changed.emit()

    def refresh(self) -> None:
        """Read subjects and grants anew."""
        self.call(self._read, self._take)

    def choose(self, subject_id: str | None) -> None:
        """Remember the person looked at."""
        if subject_id != self.chosen:
            self.chosen = subject_id
            self.changed.emit()

    def grants_of(self, subject_id: str) -> list[GrantView]:
        """The consents of one person, newest first."""
        found = [grant for grant in self.grants if grant.subject_id == subject_id]
        return sorted(found, key=lambda grant: grant.recorded_at, reverse=True)

    def live_grants_for(self, asset_sha256: str) -> list[GrantView]:
        """Live consents recorded for this very file, the newest first, one for each person."""
        found: dict[str, GrantView] = {}
        for grant in sorted(self.grants, key=lambda grant: grant.recorded_at, reverse=True):
            if grant.state == "live" and grant.asset_sha256 == asset_sha256:
                found.setdefault(grant.subject_id, grant)
        return list(found.values())

    def name_of(self, grant: GrantView) -> str:
        """The person's name, or the id while the keys are locked."""
        return grant.subject_name or grant.subject_id

    def record(self, draft: ConsentDraft, refused: object) -> None:
        """Record a consent; a new person is added first and kept for a second try. `refused` gets the error."""

        def work() -> object:
            if draft.subject_id is None:
                draft.subject_id = self.workshop.add_subject(draft.new_name).id
            assert draft.asset is not None, "the wizard does not finish without a picture"
            grant = self.workshop.record_consent(
                draft.subject_id, draft.asset, draft.purposes, draft.valid_from, draft.valid_until, draft.evidence
            )
            return grant, self._read()

        def then(answer: object) -> None:
            grant, read = answer  # type: ignore[misc]  # what work returned, through the pool
            self.chosen = grant.subject_id
            self._take(read)
            self.recorded.emit(grant)

        def on_refusal(error: SignetError) -> None:
            if callable(refused):
                refused(error)

        self.call(work, then, on_refusal)

    def withdraw(self, grant: GrantView, reason: str) -> None:
        """Withdraw a consent."""

        def work() -> object:
            return self.workshop.withdraw_consent(grant.id, reason), self._read()

        def then(answer: object) -> None:
            releases, read = answer  # type: ignore[misc]  # what work returned, through the pool
            self._take(read)
            self.withdrawn.emit(grant, releases)

        self.call(work, then)

    def _read(self) -> object:
        return self.workshop.subjects(), self.workshop.grants()

    def _take(self, answer: object) -> None:
        self.subjects, self.grants = answer  # type: ignore[misc]  # what _read returned, through the pool
        self.is_loaded = True
        if self.chosen not in {subject.id for subject in self.subjects}:
            self.chosen = self.subjects[0].id if self.subjects else None
        self.changed.emit()
