"""Presets of an engine: use one, keep the options as they are, rename, delete."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QWidget

from studio.text import _
from studio.window.models.picturing import PicturingModel
from studio.window.widgets.basic import button, column, label, named, row


class PresetsDialog(QDialog):
    """A list and a name; what is done shows at once."""

    def __init__(self, model: PicturingModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setObjectName("presets_dialog")
        self.setWindowTitle(_("Presets"))
        self.setMinimumWidth(440)
        self._list = named(QListWidget(), "presets_list", _("Presets of this engine"))
        self._list.currentTextChanged.connect(self.on_chosen)
        self._list.itemDoubleClicked.connect(lambda _item: self.on_use())
        self._name = named(QLineEdit(), "presets_name", _("Name of the preset"))
        self._name.setPlaceholderText(_("Name"))
        self._name.setMaxLength(80)
        self._name.textChanged.connect(lambda _text: self.on_changed())
        self._use = button("presets_use", _("Use"), "primary")
        self._use.clicked.connect(self.on_use)
        self._save = button("presets_save", _("Save as this name"))
        self._save.clicked.connect(lambda: model.save_preset(self._name.text()))
        self._rename = button("presets_rename", _("Rename"))
        self._rename.clicked.connect(self.on_rename)
        self._delete = button("presets_delete", _("Delete"), "danger")
        self._delete.clicked.connect(self.on_delete)
        shut = button("presets_close", _("Close"))
        shut.clicked.connect(self.reject)
        self._empty = label(_("No preset yet: give the options on the page a name."), "muted")
        self.setLayout(
            column(
                label(_("A preset keeps all options of this engine, sealed in this home."), "muted"),
                self._list,
                self._empty,
                self._name,
                row(self._save, self._rename, self._delete, 1, spacing=8),
                row(1, shut, self._use, spacing=8),
                spacing=12,
                margins=22,
            )
        )
        model.presets_changed.connect(self.on_presets_changed)
        self.on_presets_changed()

    def on_presets_changed(self) -> None:
        """Show the list as it is now."""
        chosen = self._name.text()
        self._list.blockSignals(True)
        self._list.clear()
        self._list.addItems(list(self._model.presets))
        for item in self._list.findItems(chosen, Qt.MatchFlag.MatchExactly):
            self._list.setCurrentItem(item)
        self._list.blockSignals(False)
        self._list.setVisible(bool(self._model.presets))
        self._empty.setVisible(not self._model.presets)
        self.on_changed()

    def _chosen(self) -> str:
        item = self._list.currentItem()
        return item.text() if item is not None else ""

    def on_chosen(self, name: str) -> None:
        """Its name stands in the field, to be changed."""
        self._name.setText(name)
        self.on_changed()

    def on_changed(self) -> None:
        """What can be done with this name."""
        name, chosen = " ".join(self._name.text().split()), self._chosen()
        self._use.setEnabled(bool(chosen))
        self._save.setEnabled(bool(name))
        self._rename.setEnabled(bool(chosen) and bool(name) and name not in self._model.presets)
        self._delete.setEnabled(bool(chosen))

    def on_use(self) -> None:
        """Fill the page."""
        if chosen := self._chosen():
            self._model.use_preset(chosen)
            self.accept()

    def on_rename(self) -> None:
        """Give the chosen one the name in the field."""
        self._model.rename_preset(self._chosen(), self._name.text())

    def on_delete(self) -> None:
        """Forget the chosen one."""
        self._model.delete_preset(self._chosen())
        self._name.clear()
