"""The work bench: source and target, whose consents, for what, which face, how strong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from studio.text import _
from studio.window.calls import Calls
from studio.window.models.people import PeopleModel
from studio.window.models.picture_slot import PictureSlot

if TYPE_CHECKING:
    from studio.workshop import GrantView, Workshop

Role = Literal["source", "target"]
ROLES: tuple[Role, Role] = ("source", "target")


def is_territory(text: str) -> bool:
    """A country code of two letters, or nothing."""
    return not text or (len(text) == 2 and text.isascii() and text.isalpha())


class _SetPicture(QUndoCommand):
    """Put a picture into a slot, or take it out."""

    def __init__(self, slot: PictureSlot, path: Path | None, text: str) -> None:
        super().__init__(text)
        self._slot, self._before, self._after = slot, slot.path, path

    def redo(self) -> None:
        self._slot.set_picture(self._after)

    def undo(self) -> None:
        self._slot.set_picture(self._before)


class BenchModel(QObject):
    """What is to be made; `changed` after any of it changed. Putting and removing pictures can be undone."""

    changed = Signal()

    def __init__(self, workshop: Workshop, calls: Calls, people: PeopleModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._people = people
        self.slots: dict[Role, PictureSlot] = {role: PictureSlot(workshop, calls, self) for role in ROLES}
        self.consents: dict[Role, set[str]] = {role: set() for role in ROLES}
        self._seen: dict[Role, str] = dict.fromkeys(ROLES, "")
        self._offered: dict[Role, set[str]] = {role: set() for role in ROLES}
        self.purpose = "private"
        self.face = 0
        self.source_face = 0
        self.declared_uses: set[str] = set()
        self.territory = ""
        self.project = ""
        self.strength_percent = 100
        self.undo_stack = QUndoStack(self)
        self.slots["source"].changed.connect(self.on_source_changed)
        self.slots["target"].changed.connect(self.on_target_changed)
        people.changed.connect(self.on_people_changed)

    def set_picture(self, role: Role, path: Path | None) -> None:
        """Put or remove a picture; can be undone."""
        if path is None and self.slots[role].path is None:
            return
        text = _("remove picture") if path is None else _("choose picture")
        self.undo_stack.push(_SetPicture(self.slots[role], path, text))

    def offers(self, role: Role) -> list[GrantView]:
        """The live consents that were recorded for the file in this slot."""
        slot = self.slots[role]
        return self._people.live_grants_for(slot.sha256) if slot.state == "ready" else []

    def set_consent(self, role: Role, grant_id: str, used: bool) -> None:
        """Use a consent, or not."""
        (self.consents[role].add if used else self.consents[role].discard)(grant_id)
        self.changed.emit()

    def set_purpose(self, purpose: str) -> None:
        """What the picture is for."""
        self.purpose = purpose
        self.changed.emit()

    def set_face(self, number: int) -> None:
        """Which face of the target is edited; 0 for all."""
        self.face = number
        self.changed.emit()

    def set_source_face(self, number: int) -> None:
        """Which face of the source is lent; 0 for the largest."""
        self.source_face = number
        self.changed.emit()

    def set_use(self, use: str, declared: bool) -> None:
        """Say that the result is for a use which consents may forbid, or that it is not."""
        (self.declared_uses.add if declared else self.declared_uses.discard)(use)
        self.changed.emit()

    def set_place(self, territory: str, project: str) -> None:
        """Where and for which project the result is used; empty for unsaid."""
        self.territory, self.project = territory.strip().upper(), project.strip()
        self.changed.emit()

    def scope(self) -> dict[str, Any]:
        """What the result is for and of which faces, as Workshop.plan_swap takes it."""
        return {
            "face": self.face,
            "source_face": self.source_face,
            "purpose": self.purpose,
            "strength": self.strength_percent / 100,
            "declared_uses": tuple(sorted(self.declared_uses)),
            "territory": self.territory,
            "project": self.project,
        }

    def set_strength(self, percent: int) -> None:
        """How much of the source is painted over the target, 0 to 100 percent."""
        self.strength_percent = percent
        self.changed.emit()

    def chosen_consents(self) -> tuple[str, ...]:
        """All consents in use, source first, each once."""
        found = [grant.id for role in ROLES for grant in self.offers(role) if grant.id in self.consents[role]]
        return tuple(dict.fromkeys(found))

    def has_consents(self) -> bool:
        """Whether source and target each have a consent in use."""
        return all(any(grant.id in self.consents[role] for grant in self.offers(role)) for role in ROLES)

    def is_ready(self) -> bool:
        """Whether the work can be asked for; the gate decides in the end."""
        return all(slot.state == "ready" for slot in self.slots.values()) and self.has_consents()

    def on_source_changed(self) -> None:
        """A new source: look for its consents; the face number counts for this picture only."""
        if self.source_face > len(self.slots["source"].faces):
            self.source_face = 0
        self._preselect("source")
        self.changed.emit()

    def on_target_changed(self) -> None:
        """A new target: look for its consents; the face number counts for this picture only."""
        if self.face > len(self.slots["target"].faces):
            self.face = 0
        self._preselect("target")
        self.changed.emit()

    def on_people_changed(self) -> None:
        """Consents were recorded or withdrawn: new ones are used, what was chosen among the old ones stays."""
        for role in ROLES:
            there = {grant.id for grant in self.offers(role)}
            self.consents[role] = (self.consents[role] & there) | (there - self._offered[role])
            self._offered[role] = there
        self.changed.emit()

    def forget(self) -> None:
        """Nobody is signed in: the bench is cleared."""
        self.undo_stack.clear()
        self.declared_uses.clear()
        self.territory = self.project = ""
        for slot in self.slots.values():
            slot.set_picture(None)

    def _preselect(self, role: Role) -> None:
        digest = self.slots[role].sha256
        if digest != self._seen[role]:
            self._seen[role] = digest
            self._offered[role] = {grant.id for grant in self.offers(role)}
            self.consents[role] = set(self._offered[role])
