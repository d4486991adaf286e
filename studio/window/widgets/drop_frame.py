"""A frame that takes one file: dropped, or chosen with a click or the keyboard."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame

from studio.window.widgets.basic import named, restyle
from studio.window.widgets.file_dialogs import choose_file, choose_files


class DropFrame(QFrame):
    """Emits `file_given` with a local file, or `files_given` with several; takes no media out of the window."""

    file_given = Signal(Path)
    files_given = Signal(list)

    def __init__(self, object_name: str, accessible_name: str, title: str, filters: str) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self._title, self._filters = title, filters
        self.takes_many = False
        self.setProperty("drop", True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def choose(self) -> None:
        """Ask for a file."""
        if self.takes_many:
            if paths := choose_files(self, self._title, self._filters):
                self.files_given.emit(paths)
        elif (path := choose_file(self, self._title, self._filters)) is not None:
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
        """Take the local files, or the first of them."""
        self._set_over(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not paths:
            return
        event.acceptProposedAction()
        if self.takes_many:
            self.files_given.emit(paths)
        else:
            self.file_given.emit(paths[0])

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
