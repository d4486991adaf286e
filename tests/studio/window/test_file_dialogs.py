"""The dialogs that ask for files: what they must not touch."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeView, QWidget
from pytestqt.qtbot import QtBot

from compliance.open_databases import hold, let_go
from studio.window.widgets.file_dialogs import make_dialog

_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("locked")
"""


def test_a_dialog_leaves_an_open_database_alone(qtbot: QtBot, tmp_path: Path) -> None:
    """Qt looks into files to tell their kind; closing the database would take this process's locks off it."""
    database = tmp_path / "signet.db"
    database.write_bytes(bytes(4096))
    (tmp_path / "letter.txt").write_text("A letter.")
    key = hold(database)
    try:
        with database.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            parent = QWidget()
            qtbot.addWidget(parent)
            dialog = make_dialog(parent, "Choose", tmp_path)
            dialog.show()
            tree = dialog.findChild(QTreeView, "treeView")
            assert tree is not None
            qtbot.waitUntil(lambda: tree.model().rowCount(tree.rootIndex()) == 2, timeout=10_000)
            for row in range(2):
                for column in range(tree.model().columnCount()):
                    for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.DecorationRole):
                        tree.model().index(row, column, tree.rootIndex()).data(role)
            words = [sys.executable, "-c", _LOCK, str(database)]
            assert subprocess.run(words, check=True, capture_output=True, text=True).stdout == "locked\n"
            dialog.close()
    finally:
        let_go(key)
