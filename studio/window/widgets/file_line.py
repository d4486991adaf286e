"""One line that takes a file: its path, a button to choose it and one to take it away."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.text import _
from studio.window.widgets.basic import button, named, row
from studio.window.widgets.file_dialogs import choose_file


class FileLine(QWidget):
    """`changed` with every other file, or none."""

    changed = Signal()

    def __init__(self, name: str, title: str, filters: str) -> None:
        super().__init__()
        self.path: Path | None = None
        self._title, self._filters = title, filters
        self._field = named(QLineEdit(), f"{name}_path", title)
        self._field.setReadOnly(True)
        self._field.setPlaceholderText(_("No file chosen"))
        self.choose = button(f"{name}_choose", _("Choose file..."), icon="folder")
        self.choose.clicked.connect(self.on_choose)
        self._remove = button(f"{name}_remove", _("Remove"), "quiet")
        self._remove.clicked.connect(lambda: self.set_path(None))
        line = row(self._field, self.choose, self._remove)
        line.setContentsMargins(0, 0, 0, 0)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.set_path(None)

    def set_path(self, path: Path | None) -> None:
        """Take a file, or none."""
        self.path = path
        self._field.setText(str(path) if path else "")
        self._remove.setVisible(path is not None)
        self.changed.emit()

    def on_choose(self) -> None:
        """Ask for the file."""
        if (path := choose_file(self, self._title, self._filters)) is not None:
            self.set_path(path)
