"""What a result is for, beyond its purpose: uses that consents may forbid, where, and for which project."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QScrollArea, QWidget

from studio.text import _
from studio.window.widgets.basic import button, column, holder, label, named, row
from studio.window.words import FORBIDDEN, use_word


class Scope(Protocol):
    """A model that knows what its result is for."""

    declared_uses: set[str]
    territory: str
    project: str

    def set_use(self, use: str, declared: bool) -> None:
        """Say that the result is for a use, or that it is not."""

    def set_place(self, territory: str, project: str) -> None:
        """Where and for which project it is used."""


class MoreScope(QWidget):
    """Shut until it is asked for; `toggle` opens it and says how much is declared in it. name: of the page."""

    def __init__(self, model: Scope, name: str = "workspace") -> None:
        super().__init__()
        self._model = model
        self.toggle = button(f"{name}_more", _("More..."), "quiet")
        self.toggle.setCheckable(True)
        self._ticks: dict[str, QCheckBox] = {}
        uses = QGridLayout()
        uses.setVerticalSpacing(2)
        for number, use in enumerate(FORBIDDEN):
            spoken = _("The result is for: {use}", use=use_word(use))
            tick = named(QCheckBox(use_word(use)), f"{name}_use_{use}", spoken)
            tick.setChecked(use in model.declared_uses)
            tick.toggled.connect(lambda on, use=use: self._model.set_use(use, on))
            self._ticks[use] = tick
            uses.addWidget(tick, number // 2, number % 2)
        self._territory = named(QLineEdit(model.territory), f"{name}_territory", _("Country"))
        self._territory.setPlaceholderText(_("such as CN"))
        self._project = named(QLineEdit(model.project), f"{name}_project", _("Project"))
        self._project.setPlaceholderText(_("Name of the project"))
        self._project.setMaxLength(60)
        for field in (self._territory, self._project):
            field.textEdited.connect(self.on_edited)
        left = column(
            label(_("The result is for"), "strong"),
            label(_("Tick what applies: a consent that forbids it is not used for it."), "small"),
            holder(uses),
            1,
            spacing=4,
        )
        right = column(
            label(_("Country"), "strong"),
            self._territory,
            label(_("Needed where a consent names countries."), "small"),
            label(_("Project"), "strong"),
            self._project,
            label(_("Needed where a consent names projects; written as in the consent."), "small"),
            1,
            spacing=4,
        )
        both = row(left, right, spacing=24)
        both.setStretch(0, 3)
        both.setStretch(1, 2)
        both.setContentsMargins(0, 0, 0, 0)
        self.setLayout(both)
        self.toggle.toggled.connect(self.on_toggled)
        self.toggle.setChecked(self._count() > 0)
        if not self.toggle.isChecked():
            self.hide()

    def on_toggled(self, is_open: bool) -> None:
        """Open it, and bring it into sight."""
        self.setVisible(is_open)
        area: QWidget | None = self
        while area is not None and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        if is_open and isinstance(area, QScrollArea):
            # After the layout has made room for it.
            QTimer.singleShot(0, self, lambda: area.ensureWidgetVisible(self.toggle))

    def _count(self) -> int:
        return len(self._model.declared_uses) + bool(self._model.territory) + bool(self._model.project)

    def on_edited(self) -> None:
        """Another country or project."""
        self._model.set_place(self._territory.text(), self._project.text())

    def on_changed(self) -> None:
        """Show what is declared, also while it is shut."""
        for use, tick in self._ticks.items():
            tick.blockSignals(True)
            tick.setChecked(use in self._model.declared_uses)
            tick.blockSignals(False)
        if self._territory.text().strip().upper() != self._model.territory:
            self._territory.setText(self._model.territory)
        if self._project.text().strip() != self._model.project:
            self._project.setText(self._model.project)
        count = self._count()
        text = _("More ({count})", count=count) if count else _("More...")
        self.toggle.setText(text)
        self.toggle.setAccessibleName(text)
