"""A picture fitted into its place, with the faces that were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget


class Boxed(Protocol):
    """What is drawn of a face: its number and its box (left, top, width, height) in pixels of the upright picture."""

    @property
    def number(self) -> int:
        """Counted from left to right, starting at 1; 0 for a box without a number."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """left, top, width, height."""


class PictureView(QWidget):
    """Shows an image as large as fits; `chosen` is the number of the face in use, 0 for all."""

    def __init__(self, minimum_height: int = 220) -> None:
        super().__init__()
        self.setMinimumSize(160, minimum_height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._image = QImage()
        self._full = QSize()
        self._faces: Sequence[Boxed] = ()
        self._chosen = 0

    def show_picture(
        self, image: QImage, full: QSize | None = None, faces: Sequence[Boxed] = (), chosen: int = 0
    ) -> None:
        """Show an image; full: size of the picture in whose pixels the face boxes are."""
        self._image, self._full, self._faces, self._chosen = image, full or image.size(), faces, chosen
        self.update()

    @property
    def image(self) -> QImage:
        """What is shown."""
        return self._image

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture with rounded corners and the face boxes."""
        if self._image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(
            (self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height()
        )
        outline = QPainterPath()
        outline.addRoundedRect(place, 8, 8)
        painter.setClipPath(outline)
        painter.drawImage(place, self._image)
        scale = size.width() / max(1, self._full.width())
        for face in self._faces:
            self._paint_face(painter, place, scale, face)

    def _paint_face(self, painter: QPainter, place: QRectF, scale: float, face: Boxed) -> None:
        left, top, width, height = (value * scale for value in face.box)
        box = QRectF(place.left() + left, place.top() + top, width, height)
        used = self._chosen in (0, face.number)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor("#FFFFFF"), 4.5))
        painter.drawRoundedRect(box, 6, 6)
        style = Qt.PenStyle.SolidLine if used else Qt.PenStyle.DotLine
        painter.setPen(QPen(QColor("#8A2B3C" if used else "#585E67"), 2.5, style))
        painter.drawRoundedRect(box, 6, 6)
        if not face.number:
            return
        badge = QRectF(box.left(), box.top(), 24, 24)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#8A2B3C" if used else "#585E67"))
        painter.drawRoundedRect(badge, 6, 6)
        font = QFont(self.font())
        font.setPixelSize(14)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(face.number))
