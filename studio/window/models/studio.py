"""All view-models of one home, wired together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from compliance.errors import NotSignedIn, SessionLocked, SignetError
from studio.settings import Settings
from studio.window.calls import Calls
from studio.window.models.accounts import AccountsModel
from studio.window.models.bench import BenchModel
from studio.window.models.casework import CasesModel, OperatorModel
from studio.window.models.checking import CheckingModel
from studio.window.models.library import LibraryModel
from studio.window.models.making import MakingModel
from studio.window.models.members import MembersModel
from studio.window.models.people import PeopleModel
from studio.window.models.picturing import PicturingModel
from studio.window.models.sealing import SealingModel
from studio.window.models.voices import VoicesModel

if TYPE_CHECKING:
    from studio.workshop import Workshop


class Studio(QObject):
    """What outlives a change of language: the models, the settings, the open calls."""

    def __init__(self, workshop: Workshop, settings: Settings, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workshop = workshop
        self.settings = settings
        self.calls = calls
        self.accounts = AccountsModel(workshop, calls, self)
        self.people = PeopleModel(workshop, calls, self)
        self.bench = BenchModel(workshop, calls, self.people, self)
        self.making = MakingModel(workshop, calls, settings["preview_longest_px"], self)
        self.picturing = PicturingModel(workshop, calls, self.people, self.making, self)
        self.voices = VoicesModel(workshop, calls, self.people, self)
        self.sealing = SealingModel(workshop, calls, self.people, self)
        self.library = LibraryModel(workshop, calls, self)
        self.checking = CheckingModel(workshop, calls, self)
        self.members = MembersModel(workshop, calls, self.accounts, self)
        self.cases = CasesModel(workshop, calls, self)
        self.operator = OperatorModel(workshop, calls, self)
        self._whose: str | None = None
        self.accounts.changed.connect(self.on_accounts_changed)
        self.making.released.connect(self.on_released)
        self.sealing.released.connect(self.on_released)
        self.voices.released.connect(self.on_released)
        for model in (
            self.people,
            self.making,
            self.picturing,
            self.sealing,
            self.voices,
            self.library,
            self.members,
            self.cases,
        ):
            model.failed.connect(self.on_failed)

    def on_accounts_changed(self) -> None:
        """Somebody signed in: read what is theirs; signed out, or another person: forget it.

        Locked keys forget nothing: whoever unlocks them finds the work as it was.
        """
        session = self.accounts.session
        name = session.username if session is not None else None
        if self._whose is not None and name != self._whose:
            self._forget()
            self._whose = None
        if self.accounts.is_open:
            self._whose = name
            self.people.refresh()
            self.library.refresh()

    def _forget(self) -> None:
        self.making.cancel()
        self.making.discard()
        self.picturing.forget()
        self.sealing.forget()
        self.bench.forget()
        self.voices.forget()
        self.people.forget()
        self.library.forget()
        self.members.forget()
        self.cases.forget()

    def on_failed(self, error: SignetError) -> None:
        """The session ended meanwhile, or its keys were locked: look anew who is signed in."""
        if isinstance(error, NotSignedIn | SessionLocked):
            self.accounts.refresh()

    def on_released(self, _view: object) -> None:
        """A new file stands in the library."""
        self.library.refresh()
