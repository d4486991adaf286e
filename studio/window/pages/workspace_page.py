"""The work bench: whose face goes onto which picture, with which consents."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QSlider, QVBoxLayout

from studio.text import _
from studio.window.models.bench import ROLES, Role, is_territory
from studio.window.models.studio import Studio
from studio.window.pages.faces_dialog import FacesDialog
from studio.window.pages.more_scope import MoreScope
from studio.window.pages.page import Page
from studio.window.widgets.basic import button, card, clear, column, holder, label, named, row
from studio.window.widgets.face_picture import ICON, face_icon
from studio.window.widgets.picture_card import PictureCard
from studio.window.words import PURPOSES, purpose_word, purposes_text

ROOMY_PX = 46
"""The height of a list with small pictures; its neighbours have it too."""


def role_title(role: Role) -> str:
    """What a place is for."""
    return {"source": _("Face that is lent (source)"), "target": _("Picture that is edited (target)")}[role]


class WorkspacePage(Page):
    """`record_asked` carries the picture for which a consent is to be recorded."""

    name = "workspace"
    record_asked = Signal(Path)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio, _("Workspace"), _("Put in two pictures; what is made of them carries the label."))
        self._model = studio.bench
        self.cards: dict[Role, PictureCard] = {}
        self._consents: dict[Role, QVBoxLayout] = {}
        undo = button("workspace_undo", _("Undo"), "quiet", "undo")
        undo.setShortcut(QKeySequence.StandardKey.Undo)
        undo.clicked.connect(self._model.undo_stack.undo)
        undo.setEnabled(self._model.undo_stack.canUndo())
        self._model.undo_stack.canUndoChanged.connect(undo.setEnabled)
        self.head_actions.addWidget(undo)
        both = row(*(self._side(role) for role in ROLES), spacing=18)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        self.body.addLayout(both, 1)
        self.body.addWidget(self._options())
        for slot in self._model.slots.values():
            slot.failed.connect(self.on_failed)
        self._model.changed.connect(self.on_changed)
        self._shown: object = None
        self.on_changed()

    def _side(self, role: Role) -> QFrame:
        title = role_title(role)
        made = PictureCard(f"workspace_{role}", title, self._model.slots[role], removable=True)
        made.picture_given.connect(lambda path: self._model.set_picture(role, path))
        made.removed.connect(lambda: self._model.set_picture(role, None))
        self.cards[role] = made
        self._consents[role] = column(spacing=6)
        body = column(label(title, "heading"), made, holder(self._consents[role]), spacing=10)
        body.setStretch(1, 1)
        return card(body, 16)

    def _options(self) -> QFrame:
        self._purpose = named(QComboBox(), "workspace_purpose", _("Purpose"))
        for purpose in PURPOSES:
            self._purpose.addItem(purpose_word(purpose), purpose)
        self._purpose.setCurrentIndex(max(0, self._purpose.findData(self._model.purpose)))
        self._purpose.currentIndexChanged.connect(lambda _i: self._model.set_purpose(self._purpose.currentData()))
        self._face = named(QComboBox(), "workspace_face", _("Face in the target"))
        self._face.currentIndexChanged.connect(self.on_face_changed)
        self._lent = named(QComboBox(), "workspace_source_face", _("Face in the source"))
        self._lent.currentIndexChanged.connect(self.on_source_face_changed)
        self._purpose.setMinimumHeight(ROOMY_PX)
        for combo in (self._face, self._lent):
            combo.setIconSize(ICON)
            combo.setMinimumHeight(ROOMY_PX)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(8)
        self._strength = named(QSlider(Qt.Orientation.Horizontal), "workspace_strength", _("Strength in percent"))
        self._strength.setRange(10, 100)
        self._strength.setPageStep(10)
        self._strength.setMinimumWidth(90)
        self._strength.setValue(self._model.strength_percent)
        self._percent = label("", wrap=False)
        self._percent.setMinimumWidth(48)
        self._strength.valueChanged.connect(self._model.set_strength)
        self._make = button("workspace_make", _("Make"), "primary", "make")
        self._make.clicked.connect(self.on_make)
        self.default_button = self._make
        self._why = label("", "muted")
        fields = row(
            column(label(_("Purpose"), "strong"), self._purpose, 1, spacing=4),
            column(label(_("Face in the source"), "strong"), self._lent, 1, spacing=4),
            column(label(_("Face in the target"), "strong"), self._face, 1, spacing=4),
            column(label(_("Strength"), "strong"), row(self._strength, self._percent), 1, spacing=4),
            1,
            spacing=12,
        )
        self._more = MoreScope(self._model)
        foot = row(self._more.toggle, self._why, self._make, spacing=16)
        foot.setStretch(1, 1)
        return card(column(fields, self._more, foot, spacing=14), 16)

    def enter(self) -> None:
        """Be ready for the first picture."""
        self.on_changed()

    def on_changed(self) -> None:
        """Show consents, faces and what is missing."""
        self._percent.setText(f"{self._model.strength_percent} %")
        self.cards["target"].set_chosen(self._model.face)
        self.cards["source"].set_chosen(self._model.source_face)
        self._show_faces(self._lent, "source", _("the largest face"), self._model.source_face)
        self._show_faces(self._face, "target", _("all faces"), self._model.face)
        for role in ROLES:
            self._show_consents(role)
        missing = self._missing()
        self._why.setText(missing)
        self._more.on_changed()
        self._make.setEnabled(
            self._model.is_ready() and is_territory(self._model.territory) and not self.studio.making.is_active
        )

    def _show_faces(self, combo: QComboBox, role: Role, first: str, chosen: int) -> None:
        """The numbered faces of a picture, each with its own small picture."""
        slot = self._model.slots[role]
        count = len(slot.faces)
        shown = repr((slot.sha256, slot.image.cacheKey(), count))
        combo.blockSignals(True)
        if combo.property("shown") != shown or combo.count() != count + 1:
            combo.setProperty("shown", shown)
            combo.clear()
            combo.addItem(first)
            for number in range(1, count + 1):
                combo.addItem(face_icon(slot, number), _("face {number}", number=number))
        combo.setCurrentIndex(chosen)
        combo.blockSignals(False)
        combo.setEnabled(count > 1)

    def _show_consents(self, role: Role) -> None:
        slot = self._model.slots[role]
        offers = self._model.offers(role)
        layout = self._consents[role]
        wanted = (slot.state, slot.sha256, tuple(grant.id for grant in offers))
        host = layout.parentWidget()
        if host is not None and host.property("shown") == repr(wanted):
            return
        if host is not None:
            host.setProperty("shown", repr(wanted))
        clear(layout)
        if slot.state != "ready":
            return
        if not offers:
            record = button(
                f"workspace_{role}_record",
                _("Record consent..."),
                icon="plus",
                accessible_name=_("Record consent: {what}", what=role_title(role)),
            )
            record.clicked.connect(lambda: self.record_asked.emit(slot.path))
            line = row(label(_("No live consent covers this file.")), record)
            line.setStretch(0, 1)
            layout.addLayout(line)
            return
        for grant in offers:
            name = self.studio.people.name_of(grant)
            text = _("Consent of {name}, until {date}", name=name, date=grant.valid_until)
            tick = named(QCheckBox(text), f"workspace_{role}_consent_{grant.id}", text)
            tick.setChecked(grant.id in self._model.consents[role])
            tick.setToolTip(purposes_text(grant.purposes))
            tick.toggled.connect(lambda on, grant_id=grant.id: self._model.set_consent(role, grant_id, on))
            layout.addWidget(tick)
        if len(slot.faces) > 1:
            who = button(
                f"workspace_{role}_who",
                _("Who is who..."),
                icon="people",
                accessible_name=_("Who is who: {what}", what=role_title(role)),
            )
            who.clicked.connect(lambda: self.on_who(role))
            layout.addLayout(row(who, 1))

    def _missing(self) -> str:
        slots = self._model.slots
        if self.studio.making.is_active:
            return _("A picture is being made; see 'Make'.")
        if slots["source"].path is None:
            return _("Next: choose the picture whose face is lent.")
        if slots["target"].path is None:
            return _("Next: choose the picture that is edited.")
        if any(slot.state == "reading" for slot in slots.values()):
            return _("Looking for faces...")
        if any(slot.state == "refused" for slot in slots.values()):
            return _("Next: choose another picture in place of the one that cannot be used.")
        if not self._model.has_consents():
            return _("Next: each picture needs a live consent of the person shown.")
        if not is_territory(self._model.territory):
            return _("A country is a code of two letters, such as CN; see 'More'.")
        uncovered = [
            self.studio.people.name_of(grant)
            for role in ROLES
            for grant in self._model.offers(role)
            if grant.id in self._model.consents[role] and self._model.purpose not in grant.purposes
        ]
        if uncovered:
            return _(
                "The consent of {name} does not cover '{purpose}'.",
                name=uncovered[0],
                purpose=purpose_word(self._model.purpose),
            )
        return _("Everything is there.")

    def on_who(self, role: Role) -> None:
        """Say whose face each number is."""
        self.banner.hide()
        dialog = FacesDialog(self.studio, self._model.slots[role], self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(self.on_said)
        dialog.open()

    def on_said(self) -> None:
        """It is in the ledger."""
        self.banner.show_message("ok", _("It is noted who is who in the picture."))

    def on_face_changed(self, index: int) -> None:
        """One face or all."""
        if index >= 0:
            self._model.set_face(index)

    def on_source_face_changed(self, index: int) -> None:
        """One face, or the largest."""
        if index >= 0:
            self._model.set_source_face(index)

    def on_make(self) -> None:
        """Ask for the work; the gate is asked before a pixel is touched."""
        model = self._model
        source, target = model.slots["source"].path, model.slots["target"].path
        if not model.is_ready() or source is None or target is None:
            return
        self.studio.making.start(source, target, model.chosen_consents(), **model.scope())
        self.go.emit("make")
