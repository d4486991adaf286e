"""Asking for files and folders: Qt's own dialogs, which speak the reader's language whatever the system speaks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileInfo
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QFileDialog, QFileIconProvider, QHeaderView, QSplitter, QTreeView, QWidget

from compliance.open_databases import is_open_here
from studio.text import _

SIZE_PX = (760, 480)
PLACES_PX = 120


class KindNames(QFileIconProvider):
    """Qt's icons; a folder is called one in the language of the window, which Qt's catalogue does not know.

    Qt looks into files to tell what they are, which an open database must be spared.
    """

    def icon(self, about: QFileInfo | QFileIconProvider.IconType) -> QIcon:
        """What stands before the name."""
        if isinstance(about, QFileInfo) and is_open_here(about.filePath()):
            return super().icon(QFileIconProvider.IconType.File)
        return super().icon(about)

    def type(self, info: QFileInfo) -> str:
        """What stands in the column of kinds."""
        if is_open_here(info.filePath()):
            return _("File")
        return _("Folder") if info.isDir() else str(super().type(info))


def make_dialog(parent: QWidget, title: str, begins_at: Path, filters: str = "") -> QFileDialog:
    """A dialog in the language of the window.

    The system's own would stand in the language of the system, and Qt's catalogue lacks some of these words.
    """
    made = QFileDialog(parent, title, str(begins_at), filters)
    made.setObjectName("file_dialog")
    made.setOption(QFileDialog.Option.DontUseNativeDialog)
    made.resize(*SIZE_PX)
    # Qt does not own it: the dialog keeps it alive.
    made.kind_names = KindNames()  # type: ignore[attr-defined]  # a name of ours on an object of Qt
    made.setIconProvider(made.kind_names)  # type: ignore[attr-defined]  # the same
    for tree in made.findChildren(QTreeView, "treeView"):
        # Sizes and dates whole, the names in the room that is left.
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for splitter in made.findChildren(QSplitter):
        splitter.setSizes([PLACES_PX, SIZE_PX[0] - PLACES_PX])
    word = QFileDialog.DialogLabel
    for which, text in (
        (word.LookIn, _("Folder:")),
        (word.FileName, _("File name:")),
        (word.FileType, _("Kind of file:")),
        (word.Reject, _("Cancel")),
    ):
        made.setLabelText(which, text)
    return made


def _asked(dialog: QFileDialog) -> str | None:
    answer = dialog.exec()
    chosen = dialog.selectedFiles()
    dialog.deleteLater()
    return chosen[0] if answer == QDialog.DialogCode.Accepted and chosen else None


def choose_file(parent: QWidget, title: str, filters: str) -> Path | None:
    """Ask for a file that exists; None when the reader changes their mind."""
    dialog = make_dialog(parent, title, Path.home(), filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, _("Open"))
    chosen = _asked(dialog)
    return Path(chosen) if chosen else None


def choose_files(parent: QWidget, title: str, filters: str) -> list[Path]:
    """Ask for files that exist; none when the reader changes their mind."""
    dialog = make_dialog(parent, title, Path.home(), filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, _("Open"))
    answer = dialog.exec()
    chosen = dialog.selectedFiles()
    dialog.deleteLater()
    return [Path(one) for one in chosen] if answer == QDialog.DialogCode.Accepted else []


def choose_out(parent: QWidget, title: str, name: str, filters: str) -> Path | None:
    """Ask where a file shall stand; the dialog asks by itself before one is replaced."""
    dialog = make_dialog(parent, title, Path.home(), filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, _("Save"))
    dialog.selectFile(name)
    chosen = _asked(dialog)
    return Path(chosen) if chosen else None


def choose_folder(parent: QWidget, title: str, before: str) -> str | None:
    """Ask for a folder that exists; before: where the dialog begins."""
    dialog = make_dialog(parent, title, Path(before))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setLabelText(QFileDialog.DialogLabel.FileName, _("Folder:"))
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, _("Choose"))
    return _asked(dialog)
