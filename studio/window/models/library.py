"""Released files of this home."""

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
    from studio.workshop import ReleaseView, Workshop

THUMBNAIL_PX = 320


class LibraryModel(Model):
    """Releases, newest first; `changed` after the list changed, `thumbnail_changed` with a release id."""

    changed = Signal()
    thumbnail_changed = Signal(str)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.releases: list[ReleaseView] = []
        self.thumbnails: dict[str, QImage] = {}
        self.missing: set[str] = set()
        self.is_loaded = False

    def refresh(self) -> None:
        """Read the list anew."""
        self.call(self.workshop.releases, self._take)

    def forget(self) -> None:
        """Nobody is signed in."""
        self.releases, self.thumbnails, self.missing, self.is_loaded = [], {}, set(), False
        self.changed.emit()

    def _take(self, releases: list[ReleaseView]) -> None:
        self.releases = sorted(releases, key=lambda release: release.created_at, reverse=True)
        self.is_loaded = True
        self.changed.emit()
        for release in self.releases:
            if release.id not in self.thumbnails:
                self._read(release.id, Path(release.path))

    def _read(self, release_id: str, path: Path) -> None:
        def then(thumbnail: Thumbnail) -> None:
            self.thumbnails[release_id] = thumbnail.image
            self.missing.discard(release_id)
            self.thumbnail_changed.emit(release_id)

        def refused(_error: SignetError) -> None:
            self.missing.add(release_id)
            self.thumbnail_changed.emit(release_id)

        self.calls.aside(lambda: read_thumbnail(path, THUMBNAIL_PX), then, refused)
