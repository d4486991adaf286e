"""One picture given to the studio: its digest, its thumbnail and the faces in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from compliance.errors import NoFaceFound, SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model
from studio.window.pictures import Thumbnail, read_thumbnail, sha256_of

if TYPE_CHECKING:
    from engines.engine import FoundFace
    from studio.workshop import Workshop

SlotState = Literal["empty", "reading", "ready", "refused"]


class PictureSlot(Model):
    """Empty, reading, ready or refused (with the error). needs_face: refuse a picture in which nobody is seen."""

    changed = Signal()

    def __init__(
        self, workshop: Workshop, calls: Calls, parent: QObject | None = None, needs_face: bool = True
    ) -> None:
        super().__init__(workshop, calls, parent)
        self.needs_face = needs_face
        self._reset()

    def _reset(self) -> None:
        self.path: Path | None = None
        self.state: SlotState = "empty"
        self.sha256 = ""
        self.image = QImage()
        self.size = QSize()
        self.faces: list[FoundFace] = []
        self.error: SignetError | None = None

    def set_picture(self, path: Path | None) -> None:
        """Take a picture, or none; the answer of an older picture is let go."""
        self._reset()
        self.path = path
        if path is not None:
            self.state = "reading"
            self.calls.aside(lambda: read_thumbnail(path), lambda read: self._take_thumbnail(path, read), _ignore)
            self.call(
                lambda: (sha256_of(path), self.workshop.survey(path)),
                lambda answer: self._take_survey(path, answer),
                lambda error: self._refuse(path, error),
            )
        self.changed.emit()

    def _take_thumbnail(self, path: Path, thumbnail: Thumbnail) -> None:
        if path == self.path:
            self.image = thumbnail.image
            self.size = QSize(thumbnail.width, thumbnail.height)
            self.changed.emit()

    def _take_survey(self, path: Path, answer: Any) -> None:
        if path != self.path:
            return
        digest, faces = answer
        if not faces and self.needs_face:
            self._refuse(path, NoFaceFound(path=path.name))
            return
        self.sha256, self.faces, self.state = digest, faces, "ready"
        self.changed.emit()

    def _refuse(self, path: Path, error: SignetError) -> None:
        if path == self.path:
            self.state, self.error = "refused", error
            self.changed.emit()


def _ignore(_error: SignetError) -> None:
    """No thumbnail: what is wrong with the file is said by the survey."""
