"""A frame that takes one file: dropped, or chosen with a click or the keyboard."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame

from studio.window.widgets.basic import named, restyle
from studio.window.widgets.file_dialogs import choose_file


class DropFrame(QFrame):
    """Emits `file_given` with a local file; takes no media out of the window."""

    file_given = Signal(Path)

    def __init__(self, object_name: str, accessible_name: str, title: str, filters: str) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self._title, self._filters = title, filters
        self.setProperty("drop", True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def choose(self) -> None:
        """Ask for a file."""
        if (path := choose_file(self, self._title, self._filters)) is not None:
            self.file_given.emit(path)

    def set_filled(self, filled: bool) -> None:
        """A filled frame has a solid border."""
        self.setProperty("filled", filled)
        restyle(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files only."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._set_over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Give the border its calm look back."""
        self._set_over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the first local file."""
        self._set_over(False)
        for url in event.mimeData().urls():
            if url.isLocalFile():
                event.acceptProposedAction()
                self.file_given.emit(Path(url.toLocalFile()))
                return

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click chooses."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.choose()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and Return choose."""
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose()
        else:
            super().keyPressEvent(event)

    def _set_over(self, over: bool) -> None:
        self.setProperty("over", over)
        restyle(self)
