"""Shows a folder in the system's file browser."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def show_folder_of(path: Path) -> bool:
    """Open the folder that holds a released file; False when the system has no browser for it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def show_address(address: str) -> None:
    """Open the sign-in page of an identity provider in the system's browser."""
    QDesktopServices.openUrl(QUrl(address))
