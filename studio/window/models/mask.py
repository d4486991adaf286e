"""A mask painted over a picture: white where something is to be changed; every stroke can be taken back."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen, qRgb

MOST_STEPS = 40
LONGEST_PX = 1536


class MaskModel(QObject):
    """The mask of one picture, at most LONGEST_PX long; `changed` after every stroke."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        self.is_painted = False
        self._undo: list[tuple[QImage, bool]] = []
        self._redo: list[tuple[QImage, bool]] = []

    def begin(self, size: QSize) -> None:
        """An empty mask for a picture of that size (pixels)."""
        wanted = QSize(size)
        if max(size.width(), size.height()) > LONGEST_PX:
            wanted = size.scaled(QSize(LONGEST_PX, LONGEST_PX), Qt.AspectRatioMode.KeepAspectRatio)
        self.image = QImage(wanted, QImage.Format.Format_Grayscale8)
        if not self.image.isNull():
            self.image.fill(0)
        self._undo, self._redo, self.is_painted = [], [], False
        self.changed.emit()

    def take_bits(self, width: int, height: int, bits: bytes) -> None:
        """A mask that was found: one bit a pixel, each row from a new byte; what was painted can be brought back."""
        stride = (width + 7) // 8
        if self.image.isNull() or len(bits) < stride * height:
            return
        found = QImage(bits, width, height, stride, QImage.Format.Format_Mono)
        found.setColorTable([qRgb(0, 0, 0), qRgb(255, 255, 255)])
        grey = found.convertToFormat(QImage.Format.Format_Grayscale8)
        if grey.size() != self.image.size():
            smooth = Qt.TransformationMode.SmoothTransformation
            grey = grey.scaled(self.image.size(), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            grey = grey.convertToFormat(QImage.Format.Format_Grayscale8)
        self._remember()
        self.image, self.is_painted = grey, any(bits)
        self.changed.emit()

    def begin_stroke(self) -> None:
        """From here on it can be taken back as one."""
        self._remember()

    def paint(self, start: QPointF, end: QPointF, width_px: float, erase: bool) -> None:
        """A round brush from one point to another, in pixels of the mask."""
        if self.image.isNull():
            return
        painter = QPainter(self.image)
        pen = QPen(Qt.GlobalColor.black if erase else Qt.GlobalColor.white, width_px)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        if start == end:
            painter.drawPoint(start)
        else:
            painter.drawLine(start, end)
        painter.end()
        self.is_painted = self.is_painted or not erase
        self.changed.emit()

    def clear(self) -> None:
        """Nothing is painted any more; can be taken back."""
        if self.image.isNull() or not self.is_painted:
            return
        self._remember()
        self.image.fill(0)
        self.is_painted = False
        self.changed.emit()

    @property
    def can_undo(self) -> bool:
        """Whether there is a stroke to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether a stroke was taken back."""
        return bool(self._redo)

    def undo(self) -> None:
        """Take the last stroke back."""
        if self._undo:
            self._redo.append((self.image, self.is_painted))
            self.image, self.is_painted = self._undo.pop()
            self.changed.emit()

    def redo(self) -> None:
        """Paint it again."""
        if self._redo:
            self._undo.append((self.image, self.is_painted))
            self.image, self.is_painted = self._redo.pop()
            self.changed.emit()

    def png(self) -> bytes | None:
        """The mask as PNG, in memory alone; None where nothing is painted."""
        if self.image.isNull() or not self.is_painted:
            return None
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.image.save(buffer, "PNG")
        return bytes(buffer.data().data())

    def _remember(self) -> None:
        self._undo.append((self.image.copy(), self.is_painted))
        del self._undo[:-MOST_STEPS]
        self._redo.clear()
