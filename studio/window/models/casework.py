"""Cases, and the operator of the home."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model

if TYPE_CHECKING:
    from compliance.operator_profile import Agreement, OperatorProfile
    from studio.casework import CaseView
    from studio.workshop import Workshop


class CasesModel(Model):
    """Cases, the most urgent first; `changed` after they were read anew, `done` with the answer of a step."""

    changed = Signal()
    done = Signal(object)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.cases: list[CaseView] = []
        self.case: CaseView | None = None
        self.is_loaded = False

    def forget(self) -> None:
        """Nobody is signed in."""
        self.cases, self.case, self.is_loaded = [], None, False
        self.changed.emit()

    def refresh(self) -> None:
        """Read the list anew, and the case looked at."""
        chosen = self.case.id if self.case is not None else None
        self.call(lambda: self._read(chosen), self._take)

    def choose(self, case_id: str) -> None:
        """Look at one case."""
        if self.case is None or case_id != self.case.id:
            self.call(lambda: self._read(case_id), self._take)

    def step(self, work: Callable[[], Any], refused: Callable[[SignetError], None] | None = None) -> None:
        """Do one step, then read anew; an answer that is a case is looked at."""
        chosen = self.case.id if self.case is not None else None

        def both() -> object:
            made = work()
            return made, self._read(getattr(made, "id", chosen))

        def then(answer: Any) -> None:
            made, read = answer
            self._take(read)
            self.done.emit(made)

        self.call(both, then, refused)

    def _read(self, case_id: str | None) -> object:
        parts = self.workshop.casework
        found = sorted(parts.cases(), key=lambda one: (one.decision is not None, one.due_at))
        wanted = case_id if case_id in {one.id for one in found} else found[0].id if found else None
        return found, parts.case(wanted) if wanted is not None else None

    def _take(self, answer: Any) -> None:
        self.cases, self.case = answer
        self.is_loaded = True
        self.changed.emit()


class OperatorModel(Model):
    """The operator's profile and the agreement; both can be read signed out."""

    changed = Signal()
    saved = Signal()
    accepted = Signal()

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.operator: OperatorProfile | None = None
        self.agreement: Agreement | None = None
        self.has_accepted = False

    def refresh(self) -> None:
        """Read both, and whether who is signed in has accepted."""
        parts = self.workshop.casework
        self.call(lambda: (parts.operator(), parts.agreement(), parts.has_accepted()), self._take)

    def keep(self, changes: dict[str, Any]) -> None:
        """Change fields of the profile."""

        def then(made: OperatorProfile) -> None:
            self.operator = made
            self.changed.emit()
            self.saved.emit()

        self.call(lambda: self.workshop.casework.set_operator(**changes), then)

    def accept(self) -> None:
        """Accept the agreement for one's own account."""
        version = self.agreement.version if self.agreement is not None else ""

        def then(_answer: object) -> None:
            self.has_accepted = True
            self.changed.emit()
            self.accepted.emit()

        self.call(lambda: self.workshop.casework.accept_agreement(version), then)

    def _take(self, answer: Any) -> None:
        self.operator, self.agreement, self.has_accepted = answer
        self.changed.emit()
