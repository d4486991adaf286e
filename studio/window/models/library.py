"""Released files of this home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from compliance.errors import NotAPicture, SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model
from studio.window.pictures import Thumbnail, read_thumbnail, sha256_of

if TYPE_CHECKING:
    from studio.recipes import Recipe
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
        self.altered: set[str] = set()
        self.is_loaded = False

    def refresh(self) -> None:
        """Read the list anew."""
        self.call(self.workshop.releases, self._take)

    def forget(self) -> None:
        """Nobody is signed in."""
        self.releases, self.thumbnails, self.is_loaded = [], {}, False
        self.missing, self.altered = set(), set()
        self.changed.emit()

    def _take(self, releases: list[ReleaseView]) -> None:
        self.releases = sorted(releases, key=lambda release: release.created_at, reverse=True)
        self.is_loaded = True
        self.changed.emit()
        for release in self.releases:
            if release.id not in self.thumbnails:
                self._read(release)

    def _read(self, release: ReleaseView) -> None:
        """A thumbnail, of the released and labelled file alone, kept in memory alone."""
        release_id, path = release.id, Path(release.path)

        def then(answer: tuple[bool, Thumbnail | None]) -> None:
            is_whole, thumbnail = answer
            self.missing.discard(release_id)
            (self.altered.discard if is_whole else self.altered.add)(release_id)
            if thumbnail is not None:
                self.thumbnails[release_id] = thumbnail.image
            self.thumbnail_changed.emit(release_id)

        def refused(_error: SignetError) -> None:
            self.missing.add(release_id)
            self.thumbnail_changed.emit(release_id)

        def read() -> tuple[bool, Thumbnail | None]:
            if sha256_of(path) != release.file_sha256:
                return False, None
            try:
                return True, read_thumbnail(path, THUMBNAIL_PX)
            except NotAPicture:
                return True, None

        self.calls.aside(read, then, refused)

    def recall(self, release_id: str, then: Callable[[Recipe | None], None]) -> None:
        """How a release was made; None when it is not known here."""
        self.call(lambda: self.workshop.recipes.of_release(release_id), then)
