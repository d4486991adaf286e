"""Asking for files and folders: Qt's own dialogs, which speak the reader's language whatever the system speaks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

# A dialog of the system would stand in the language of the system, in the middle of a window in another one.
_OWN = QFileDialog.Option.DontUseNativeDialog


def choose_file(parent: QWidget, title: str, filters: str) -> Path | None:
    """Ask for a file that exists; None when the reader changes their mind."""
    chosen, _kind = QFileDialog.getOpenFileName(parent, title, str(Path.home()), filters, options=_OWN)
    return Path(chosen) if chosen else None


def choose_out(parent: QWidget, title: str, name: str, filters: str) -> Path | None:
    """Ask where a file shall stand; the dialog asks by itself before one is replaced."""
    chosen, _kind = QFileDialog.getSaveFileName(parent, title, str(Path.home() / name), filters, options=_OWN)
    return Path(chosen) if chosen else None


def choose_folder(parent: QWidget, title: str, before: str) -> str | None:
    """Ask for a folder that exists; before: where the dialog begins."""
    options = _OWN | QFileDialog.Option.ShowDirsOnly
    return QFileDialog.getExistingDirectory(parent, title, before, options=options) or None
