"""Checking a file: what labels it carries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model
from studio.window.pictures import Thumbnail, read_thumbnail

if TYPE_CHECKING:
    from compliance.verify import Report
    from studio.workshop import Workshop


class CheckingModel(Model):
    """The file checked last and its report; `changed` after either changed."""

    changed = Signal()

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.path: Path | None = None
        self.report: Report | None = None
        self.image = QImage()

    def check(self, path: Path) -> None:
        """Check one file; works signed out."""
        self.path, self.report, self.image = path, None, QImage()
        self.changed.emit()

        def then(reports: list[Report]) -> None:
            if path == self.path:
                self.report = reports[0]
                self.changed.emit()

        def take_thumbnail(thumbnail: Thumbnail) -> None:
            if path == self.path:
                self.image = thumbnail.image
                self.changed.emit()

        self.call(lambda: self.workshop.verify([path]), then)
        self.calls.aside(lambda: read_thumbnail(path), take_thumbnail, _ignore)


def _ignore(_error: SignetError) -> None:
    """No thumbnail: the report says what is wrong with the file."""
