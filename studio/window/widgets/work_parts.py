"""What is seen of work that is under way: its stage, how far it is, the time left, and the button that stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton

from studio.text import _
from studio.window.widgets.basic import button, label, named


class WorkParts(NamedTuple):
    """The four parts; each page lays them out as it has room."""

    stage: QLabel
    bar: QProgressBar
    left: QLabel
    stop: QPushButton


def work_parts(page: str, stop_name: str, stop: Callable[[], object]) -> WorkParts:
    """New parts for a page; `stop` is called when the work is to end, which Escape does on these pages as well."""
    stage = label("", "heading")
    stage.setObjectName(f"{page}_stage")
    bar = named(QProgressBar(), f"{page}_progress", _("Progress"))
    bar.setTextVisible(False)
    ends = button(stop_name, _("Stop"), accessible_name=_("Stop the work"))
    ends.setToolTip(_("Esc stops as well"))
    ends.clicked.connect(stop)
    return WorkParts(stage, bar, label("", "muted"), ends)
