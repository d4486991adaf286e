"""The list on the left: what a person picks is told, what a page shows is not."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from studio.window.widgets.chooser import Chooser


def test_only_a_person_picks(qtbot: Any) -> None:
    """Rows that are shown, and the mark on one of them, are nobody's choice; a row that is gone to is."""
    made, told = Chooser("some_list", "Some", 200), []
    qtbot.addWidget(made)
    made.picked.connect(told.append)
    made.show_rows([("a", "Anna"), ("b", "Ben")], "b")
    made.show_rows([("a", "Anna"), ("b", "Ben"), ("c", "Cleo")], None)
    assert (made.count(), made.currentRow(), told) == (3, -1, [])
    made.show_rows([("a", "Anna"), ("b", "Ben")], "b")
    assert (made.currentRow(), told) == (1, [])
    qtbot.keyClick(made, Qt.Key.Key_Up)
    assert told == ["a"]
