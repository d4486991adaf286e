"""Who works here: the accounts of this home and the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.text import _
from studio.window.calls import Calls, Then
from studio.window.models.model import Model
from studio.window.words import role_word

if TYPE_CHECKING:
    from studio.members import MemberView
    from studio.workshop import AccountView, SessionView, Workshop


class AccountsModel(Model):
    """Accounts and session; `changed` after either changed."""

    changed = Signal()
    created = Signal(str)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.accounts: list[AccountView] = []
        self.session: SessionView | None = None
        self.member: MemberView | None = None
        self.is_loaded = False

    @property
    def is_open(self) -> bool:
        """Whether somebody is signed in with open keys."""
        return self.session is not None and self.session.unlocked

    @property
    def is_locked(self) -> bool:
        """Whether somebody is signed in, but nobody was here for so long that the keys were closed."""
        return self.session is not None and not self.session.unlocked

    @property
    def account(self) -> AccountView | None:
        """The account that is signed in."""
        name = self.session.username if self.session else None
        return next((account for account in self.accounts if account.username == name), None)

    def may(self, action: str) -> bool:
        """Whether a role of the account allows this (a word of compliance.roles.Action); asked again below."""
        from compliance.roles import Role, allowed  # here, so that the window appears before the store is imported

        return self.member is not None and action in allowed(frozenset(Role(role) for role in self.member.roles))

    def why_not(self, action: str) -> str:
        """Why a button cannot be pressed: the roles that could; nothing when it can."""
        from compliance.roles import Action, roles_for

        if self.may(action):
            return ""
        return _(
            "This needs the role: {roles}.", roles=_(", ").join(role_word(role) for role in roles_for(Action(action)))
        )

    def refresh(self) -> None:
        """Read accounts and session anew."""
        self.call(self._read, self._take)

    def look(self) -> None:
        """Notice that the session ended or was locked meanwhile; does not count as activity."""

        def then(session: SessionView | None) -> None:
            if session != self.session:
                self.refresh()

        self.calls.run(self.workshop.session, then, _ignore)

    def mark_active(self) -> None:
        """Somebody works: the session is not at rest."""
        self.calls.run(self.workshop.members.mark_active, _ignore, _ignore)

    def login(self, username: str, password: str, code: str | None = None) -> None:
        """Sign in; code: of the second factor, where the account has one."""

        def work() -> object:
            self.workshop.login(username, password, code)
            return self._read()

        self.call(work, self._take)

    def create(self, username: str, password: str, declared_name: str | None, number: str | None = None) -> None:
        """Make an account, with the operator's declaration when there is a name; the first one is signed in.

        number: of the first one's identity card, checked before anything is made and kept nowhere.
        """
        is_first = not self.accounts

        def work() -> object:
            if number is not None:
                from compliance.numbers import check_resident_id

                check_resident_id(number)
            self.workshop.create_account(username, password, declared_name if number is None else None)
            if is_first:
                self.workshop.login(username, password)
            if number is not None and declared_name is not None:
                self.workshop.members.declare(declared_name, number)
            return self._read()

        def then(answer: object) -> None:
            self._take(answer)
            self.created.emit(username)

        self.call(work, then)

    def unlock(self, password: str, code: str | None = None) -> None:
        """Open the keys of the session."""

        def work() -> object:
            self.workshop.unlock(password, code)
            return self._read()

        self.call(work, self._take)

    def declare(self, name: str, number: str | None = None) -> None:
        """Make the operator's declaration; number: of the identity card, checked and kept nowhere."""

        def work() -> object:
            self.workshop.members.declare(name, number)
            return self._read()

        self.call(work, self._take)

    def close(self, password: str, code: str | None, then: Then, refused: Callable[[SignetError], None]) -> None:
        """Close the account that is signed in, for good."""

        def work() -> object:
            self.workshop.members.close_account(password, code)
            return self._read()

        def on_closed(answer: object) -> None:
            then(None)
            self._take(answer)

        self.call(work, on_closed, refused)

    def logout(self) -> None:
        """Sign out."""

        def work() -> object:
            self.workshop.logout()
            return self._read()

        self.call(work, self._take)

    def _read(self) -> object:
        session = self.workshop.session()
        member = self.workshop.members.member() if session is not None and session.unlocked else None
        return self.workshop.accounts(), session, member

    def _take(self, answer: object) -> None:
        self.accounts, self.session, self.member = answer  # type: ignore[misc]  # what _read returned, through the pool
        self.is_loaded = True
        self.changed.emit()


def _ignore(_answer: object) -> None:
    """The next look tells more."""
