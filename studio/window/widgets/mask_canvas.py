"""A picture on which a mask is painted: brush, eraser, undo, redo, clear; the keys [ and ] change the brush."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from studio.text import _
from studio.window.models.mask import MaskModel
from studio.window.theme import current
from studio.window.widgets.basic import button, column, label, named, row

SMALLEST_PX, LARGEST_PX, USUAL_PX = 2, 200, 24
STEP = 1.25


class MaskCanvas(QWidget):
    """The picture with the mask in colour over it. The brush is as many pixels of the screen wide as it says."""

    def __init__(self, model: MaskModel) -> None:
        super().__init__()
        named(self, "mask_canvas", _("Mask: paint where the picture is to be changed"))
        self._model = model
        self._picture = QImage()
        self._last: QPointF | None = None
        self._at: QPointF | None = None
        self.brush_px = float(USUAL_PX)
        self.erases = False
        self.setMinimumSize(240, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        model.changed.connect(self.update)

    def show_picture(self, image: QImage) -> None:
        """The picture that is painted over."""
        self._picture = image
        self.update()

    def set_brush(self, width_px: float) -> None:
        """How wide the brush is, in pixels of the screen."""
        self.brush_px = min(float(LARGEST_PX), max(float(SMALLEST_PX), width_px))
        self.update()

    def place(self) -> QRectF:
        """Where the picture stands."""
        size = self._picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF(
            (self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height()
        )

    def _scale(self) -> float:
        return self._model.image.width() / max(1.0, self.place().width())

    def _in_mask(self, at: QPointF) -> QPointF:
        return (at - self.place().topLeft()) * self._scale()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The left button paints, the right one takes away."""
        self.setFocus()
        if self._picture.isNull() or self._model.image.isNull():
            return
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._model.begin_stroke()
            self._last = event.position()
            self._stroke(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Paint on while a button is held."""
        self._at = event.position()
        if self._last is not None:
            self._stroke(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The stroke ends."""
        self._last = None

    def _stroke(self, event: QMouseEvent) -> None:
        assert self._last is not None, "a stroke has begun"
        held = event.buttons() | event.button()
        erase = self.erases or bool(held & Qt.MouseButton.RightButton)
        start, end = self._in_mask(self._last), self._in_mask(event.position())
        self._model.paint(start, end, self.brush_px * self._scale(), erase)
        self._last = event.position()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """[ and ] make the brush smaller and larger; undo and redo as everywhere."""
        if event.text() == "[":
            self.set_brush(self.brush_px / STEP)
        elif event.text() == "]":
            self.set_brush(self.brush_px * STEP)
        elif event.matches(QKeySequence.StandardKey.Undo):
            self._model.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self._model.redo()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, the mask, the brush, and a frame while the keyboard is here."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._picture.isNull():
            return
        place, theme = self.place(), current()
        painter.drawImage(place, self._picture)
        if self._model.is_painted:
            painter.drawImage(place, _coloured(self._model.image, QColor(220, 30, 60, 150)))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRect(place.adjusted(1, 1, -1, -1))
        if self._at is not None and self.underMouse():
            for colour, width in (("#FFFFFF", 3.0), ("#101010", 1.2)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawEllipse(self._at, self.brush_px / 2, self.brush_px / 2)


def _coloured(mask: QImage, colour: QColor) -> QImage:
    """The mask as a picture of one colour, clear where nothing is painted."""
    made = QImage(mask.size(), QImage.Format.Format_ARGB32_Premultiplied)
    made.fill(colour)
    alpha = mask.copy()
    alpha.reinterpretAsFormat(QImage.Format.Format_Alpha8)
    painter = QPainter(made)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.drawImage(0, 0, alpha)
    painter.end()
    return made


class MaskTools(QWidget):
    """The canvas with its tools in one row under it."""

    def __init__(self, model: MaskModel) -> None:
        super().__init__()
        self._model = model
        self.canvas = MaskCanvas(model)
        self._brush = button("mask_brush", _("Brush"))
        self._eraser = button("mask_eraser", _("Eraser"))
        for one, erases in ((self._brush, False), (self._eraser, True)):
            one.setCheckable(True)
            one.clicked.connect(lambda _checked, erases=erases: self.set_erases(erases))
        self._undo = button("mask_undo", _("Undo"), "quiet", accessible_name=_("Undo the last stroke"))
        self._undo.clicked.connect(model.undo)
        self._redo = button("mask_redo", _("Redo"), "quiet", accessible_name=_("Paint the stroke again"))
        self._redo.clicked.connect(model.redo)
        self._clear = button("mask_clear", _("Clear"), "quiet", accessible_name=_("Clear the mask"))
        self._clear.clicked.connect(model.clear)
        self.size_slider = named(QSlider(Qt.Orientation.Horizontal), "mask_size", _("Width of the brush in pixels"))
        self.size_slider.setRange(SMALLEST_PX, LARGEST_PX)
        self.size_slider.setValue(USUAL_PX)
        self.size_slider.setToolTip(_("The keys [ and ] change it as well"))
        self.size_slider.valueChanged.connect(lambda value: self.canvas.set_brush(float(value)))
        tools = row(self._brush, self._eraser, self.size_slider, spacing=6)
        tools.setStretch(2, 1)
        keys = label(_("Keys: [ and ] for the brush, Ctrl+Z to undo."), "small")
        steps = row(self._undo, self._redo, self._clear, 1, spacing=6)
        self.setLayout(column(self.canvas, tools, steps, keys, spacing=8))
        model.changed.connect(self.on_changed)
        self.set_erases(False)
        self.on_changed()

    def set_erases(self, erases: bool) -> None:
        """Brush or eraser."""
        self.canvas.erases = erases
        self._brush.setChecked(not erases)
        self._eraser.setChecked(erases)

    def on_changed(self) -> None:
        """What can be done now."""
        self._undo.setEnabled(self._model.can_undo)
        self._redo.setEnabled(self._model.can_redo)
        self._clear.setEnabled(self._model.is_painted)
