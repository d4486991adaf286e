"""The list on the left of a page, and what is chosen in it on the right."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QWidget

from studio.window.widgets.basic import named, row


class Chooser(QListWidget):
    """A narrow list of what a page is about; `picked` carries the key of the row that a person went to."""

    picked = Signal(str)

    def __init__(self, object_name: str, accessible_name: str, width_px: int, height_px: int = 300) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self.setFixedWidth(width_px)
        self.setMinimumHeight(height_px)
        self.currentItemChanged.connect(self.on_current_changed)

    def show_rows(self, rows: Iterable[tuple[str, str]], chosen: str | None) -> None:
        """Show these keys and words and mark one row; that is no choice of a person, so nothing is told."""
        self.blockSignals(True)
        self.clear()
        for key, words in rows:
            item = QListWidgetItem(words)
            item.setData(Qt.ItemDataRole.UserRole, key)
            self.addItem(item)
            if key == chosen:
                self.setCurrentItem(item)
        self.blockSignals(False)

    def beside(self, right: QWidget) -> QHBoxLayout:
        """The list and, in all the room that is left, what belongs to the chosen row."""
        both = row(self, right, spacing=18)
        both.setStretch(1, 1)
        return both

    def on_current_changed(self, item: QListWidgetItem | None) -> None:
        """Tell the key of the new row."""
        if item is not None:
            self.picked.emit(item.data(Qt.ItemDataRole.UserRole))
