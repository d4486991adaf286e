"""Members of the home: accounts with roles, what waits for a second person, the times that hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.accounts import AccountsModel
from studio.window.models.model import Model

if TYPE_CHECKING:
    from compliance.totp import Enrolment
    from studio.members import MemberView, ProposalView
    from studio.workshop import Workshop


class MembersModel(Model):
    """`changed` after anything was read anew, `done` with the answer of a step that went well."""

    changed = Signal()
    done = Signal(object)

    def __init__(
        self, workshop: Workshop, calls: Calls, accounts: AccountsModel, parent: QObject | None = None
    ) -> None:
        super().__init__(workshop, calls, parent)
        self.accounts = accounts
        self.members: list[MemberView] = []
        self.proposals: list[ProposalView] = []
        self.profile = "personal"
        self.chosen: str | None = None

    def forget(self) -> None:
        """Nobody is signed in."""
        self.members, self.proposals, self.chosen = [], [], None
        self.changed.emit()

    def choose(self, username: str) -> None:
        """Remember the account looked at."""
        if username != self.chosen:
            self.chosen = username
            self.changed.emit()

    @property
    def member(self) -> MemberView | None:
        """The account looked at."""
        return next((one for one in self.members if one.username == self.chosen), None)

    def refresh(self) -> None:
        """Read everything anew."""
        self.call(self._read, self._take)

    def step(self, work: Callable[[], Any], refused: Callable[[SignetError], None] | None = None) -> None:
        """Do one step, then read everything anew; roles may have changed, one's own too."""

        def then(answer: Any) -> None:
            made, read = answer
            self._take(read)
            self.done.emit(made)
            self.accounts.refresh()

        self.call(lambda: (work(), self._read()), then, refused)

    def enroll(self, then: Callable[[Enrolment], None]) -> None:
        """Begin with a second factor."""
        self.call(self.workshop.members.enroll_factor, then)

    def _read(self) -> object:
        parts = self.workshop.members
        return parts.members(), parts.proposals(), parts.profile().name

    def _take(self, answer: Any) -> None:
        self.members, self.proposals, self.profile = answer
        if self.chosen not in {one.username for one in self.members}:
            session = self.accounts.session
            self.chosen = session.username if session is not None else None
        self.changed.emit()
