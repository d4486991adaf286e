"""Who is who in a picture that shows several faces; the gate asks for it face by face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QWidget

from studio.text import _
from studio.window.models.picture_slot import PictureSlot
from studio.window.models.studio import Studio
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, card, column, holder, label, named, row
from studio.window.widgets.face_picture import face_picture
from studio.window.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from studio.workshop import AssignmentView


class FacesDialog(QDialog):
    """One line a face; what was said before is shown, with who said it and who confirmed it."""

    def __init__(self, studio: Studio, slot: PictureSlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("faces_dialog")
        self.setWindowTitle(_("Who is who?"))
        self.setMinimumWidth(680)
        self._studio, self._slot = studio, slot
        self._path: Path | None = slot.path
        self._combos: dict[int, QComboBox] = {}
        self._said: dict[int, AssignmentView] = {}
        self.banner = Banner("faces_banner")
        view = PictureView(240)
        view.show_picture(slot.image, slot.size, slot.faces)
        view.setMinimumWidth(260)
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        cancel = button("faces_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        self._save = button("faces_save", _("Save"), "primary")
        self._save.clicked.connect(self.on_save)
        both = row(card(column(view), 8), holder(column(holder(self._grid), 1)), spacing=16)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        self.setLayout(
            column(
                label(_("Who is who?"), "heading"),
                label(
                    _(
                        "Say whose face each number is. Faces that are edited or lent need it; where several people "
                        "work here, a second person confirms it by saying the same."
                    ),
                    "muted",
                ),
                self.banner,
                both,
                row(1, cancel, self._save),
                spacing=12,
                margins=24,
            )
        )
        for face in slot.faces:
            combo = named(QComboBox(), f"faces_{face.number}", _("Person of face {number}", number=face.number))
            combo.addItem(_("not said"), None)
            for person in studio.people.subjects:
                if person.erased_at is None:
                    combo.addItem(person.name or person.id, person.id)
            self._combos[face.number] = combo
            self._grid.addWidget(face_picture(slot, face.number), face.number, 0)
            self._grid.addWidget(combo, face.number, 1)
        path = self._path
        if path is not None:
            studio.calls.run(lambda: studio.workshop.assignments(path), self.on_there, self.banner.show_error)

    def on_there(self, found: list[AssignmentView]) -> None:
        """Show what was said before."""
        for said in found:
            self._said[said.number] = said
            if (combo := self._combos.get(said.number)) is not None:
                combo.setCurrentIndex(max(0, combo.findData(said.subject_id)))
                state = _("confirmed") if said.confirmed_by else _("said by one person")
                self._grid.addWidget(label(state, "small", wrap=False), said.number, 2)

    def on_save(self) -> None:
        """Say it, or confirm it."""
        path = self._path
        wanted = {number: combo.currentData() for number, combo in self._combos.items() if combo.currentData()}
        if path is None or not self._save.isEnabled():
            return
        self._save.setEnabled(False)

        def work() -> Any:
            for number, subject_id in wanted.items():
                self._studio.workshop.assign_face(path, number, subject_id)

        def then(_answer: Any) -> None:
            self.accept()

        def refused(error: Any) -> None:
            self._save.setEnabled(True)
            self.banner.show_error(error)

        self._studio.calls.run(work, then, refused)
