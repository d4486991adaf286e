"""Who works here: the accounts of this home and the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.window.calls import Calls
from studio.window.models.model import Model

if TYPE_CHECKING:
    from studio.workshop import AccountView, SessionView, Workshop


class AccountsModel(Model):
    """Accounts and session; `changed` after either changed."""

    changed = Signal()
    created = Signal(str)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.accounts: list[AccountView] = []
        self.session: SessionView | None = None
        self.is_loaded = False

    @property
    def is_open(self) -> bool:
        """Whether somebody is signed in with open keys."""
        return self.session is not None and self.session.unlocked

    @property
    def account(self) -> AccountView | None:
        """The account that is signed in."""
        name = self.session.username if self.session else None
        return next((account for account in self.accounts if account.username == name), None)

    def refresh(self) -> None:
        """Read accounts and session anew."""
        self.call(self._read, self._take)

    def login(self, username: str, password: str) -> None:
        """Sign in."""

        def work() -> object:
            self.workshop.login(username, password)
            return self._read()

        self.call(work, self._take)

    def create(self, username: str, password: str, declared_name: str | None) -> None:
        """Make an account, with the operator's declaration when there is a name; the first one is signed in."""
        is_first = not self.accounts

        def work() -> object:
            self.workshop.create_account(username, password, declared_name)
            if is_first:
                self.workshop.login(username, password)
            return self._read()

        def then(answer: object) -> None:
            self._take(answer)
            self.created.emit(username)

        self.call(work, then)

    def unlock(self, password: str) -> None:
        """Open the keys of the session."""

        def work() -> object:
            self.workshop.unlock(password)
            return self._read()

        self.call(work, self._take)

    def declare(self, name: str) -> None:
        """Make the operator's declaration."""

        def work() -> object:
            self.workshop.declare(name)
            return self._read()

        self.call(work, self._take)

    def logout(self) -> None:
        """Sign out."""

        def work() -> object:
            self.workshop.logout()
            return self._read()

        self.call(work, self._take)

    def _read(self) -> object:
        return self.workshop.accounts(), self.workshop.session()

    def _take(self, answer: object) -> None:
        self.accounts, self.session = answer  # type: ignore[misc]  # what _read returned, through the pool
        self.is_loaded = True
        self.changed.emit()
