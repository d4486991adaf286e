"""Checking files: what labels they carry, one after the other, and a report of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model
from studio.window.pictures import Thumbnail, read_thumbnail

if TYPE_CHECKING:
    from compliance.verify import Report
    from studio.workshop import Workshop

MOST_FILES = 500


@dataclass(eq=False)
class Check:
    """One file: its report once it is there, or why there is none; a small picture and the size of the large one."""

    path: Path
    report: Report | None = None
    error: SignetError | None = None
    image: QImage = field(default_factory=QImage)
    size: QSize = field(default_factory=QSize)


class CheckingModel(Model):
    """The files checked last, and the one that is looked at; `changed` after any of it changed."""

    changed = Signal()
    written = Signal(object)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.checks: list[Check] = []
        self.chosen: Check | None = None

    @property
    def path(self) -> Path | None:
        """The file that is looked at."""
        return self.chosen.path if self.chosen is not None else None

    @property
    def report(self) -> Report | None:
        """Its report."""
        return self.chosen.report if self.chosen is not None else None

    @property
    def image(self) -> QImage:
        """Its small picture; null where it is none."""
        return self.chosen.image if self.chosen is not None else QImage()

    def check(self, path: Path) -> None:
        """Check one file; works signed out."""
        self.check_all([path])

    def check_all(self, paths: Sequence[Path]) -> None:
        """Check files in place of those before; folders stand for the files in them."""
        found: list[Path] = []
        for path in paths:
            found += sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
        self.checks = [Check(path) for path in list(dict.fromkeys(found))[:MOST_FILES]]
        self.chosen = self.checks[0] if self.checks else None
        self.changed.emit()
        for check in self.checks:
            self._check(check)

    def _check(self, check: Check) -> None:
        def then(reports: list[Report]) -> None:
            check.report = reports[0]
            self.changed.emit()

        def refused(error: SignetError) -> None:
            check.error = error
            if check in self.checks:
                self.failed.emit(error)
                self.changed.emit()

        def take_thumbnail(thumbnail: Thumbnail) -> None:
            check.image, check.size = thumbnail.image, QSize(thumbnail.width, thumbnail.height)
            if check is self.chosen:
                self.changed.emit()

        def work() -> list[Report]:
            # Files that were replaced by others meanwhile are not read any more.
            return self.workshop.verify([check.path]) if check in self.checks else []

        self.call(work, lambda reports: then(reports) if reports else None, refused)
        self.calls.aside(lambda: read_thumbnail(check.path), take_thumbnail, _ignore)

    def choose(self, check: Check) -> None:
        """Look at another file."""
        self.chosen = check
        self.changed.emit()

    def counts(self) -> dict[str, int]:
        """How many files have each verdict."""
        found: dict[str, int] = {}
        for check in self.checks:
            if check.report is not None:
                found[check.report.verdict] = found.get(check.report.verdict, 0) + 1
        return found

    def export(self, out: Path) -> None:
        """Write the report of all files that were checked, as one page that any browser shows."""
        done = [check for check in self.checks if check.report is not None]

        def work() -> Path:
            from compliance.clock import stamp
            from compliance.storage import write_atomically
            from studio.commands import verify_page

            reports = [check.report for check in done if check.report is not None]
            pictures = {
                check.report.sha256: verify_page.thumbnail(check.path, check.report.sha256)
                for check in done
                if check.report is not None
            }
            write_atomically(out, verify_page.page(reports, pictures, stamp()).encode(), mode=0o644)
            return out

        self.call(work, self.written.emit)


def _ignore(_error: SignetError) -> None:
    """No thumbnail: the report says what is wrong with the file."""
