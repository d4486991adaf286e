"""What a locked window hides: the page in front and the dialogs above it, with everything that was typed."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QApplication, QDialog, QFileDialog
from shiboken6 import isValid


@dataclass(frozen=True, slots=True)
class Left:
    """Where somebody was when the keys were locked."""

    username: str | None = None
    page: str = ""
    dialogs: tuple[QDialog, ...] = ()

    def open(self) -> None:
        """Show the dialogs again, the lowest first."""
        for dialog in self.dialogs:
            if isValid(dialog):
                dialog.open()

    def close(self) -> None:
        """Give them up, with what was typed: somebody else works now, or nobody."""
        for dialog in self.dialogs:
            if isValid(dialog):
                dialog.reject()
                dialog.deleteLater()


def _dialogs() -> list[QDialog]:
    """The open dialogs, the lowest first."""
    open_now = (one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible())
    return sorted(open_now, key=_depth)


def _depth(dialog: QDialog) -> int:
    above, count = dialog.parentWidget(), 0
    while above is not None:
        above, count = above.parentWidget(), count + 1
    return count


def hide_dialogs() -> tuple[QDialog, ...]:
    """Hide the dialogs and say which; a question for a file is given up instead, it holds nothing."""
    hidden = []
    for dialog in reversed(_dialogs()):
        if isinstance(dialog, QFileDialog):
            dialog.reject()
        else:
            dialog.hide()
            hidden.append(dialog)
    return tuple(reversed(hidden))


def close_dialogs() -> None:
    """Give up whatever is open: nobody is signed in any more."""
    for dialog in reversed(_dialogs()):
        dialog.reject()
