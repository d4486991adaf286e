"""A sound to look at: waveform or spectrogram, a line where it is heard, a selection, and labels that are spoken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from compliance.errors import SignetError
from studio.text import _
from studio.window import theme
from studio.window.calls import Calls
from studio.window.widgets.basic import named

if TYPE_CHECKING:
    from studio.window.widgets.wave_data import Heard

HEIGHT = 96
SHORTEST_VIEW_S = 0.05
_ZOOM = 1.6
_DRAG_PX = 4
_RULER_PX = 18
_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


def clock(seconds: float) -> str:
    """A moment as 1:02.3."""
    tenths = round(max(0.0, seconds) * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"


class WaveView(QWidget):
    """`sought` with the moment asked for in seconds, `selected` with (start, end) or None, `view_changed`.

    Drag selects, a click seeks, Ctrl and the wheel zoom, Shift and the wheel scroll; every one of these has keys.
    """

    sought = Signal(float)
    selected = Signal(object)
    view_changed = Signal()
    play_asked = Signal()

    def __init__(self, object_name: str, accessible_name: str, calls: Calls) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self._calls = calls
        self.heard: Heard | None = None
        self.view = (0.0, 0.0)
        self.selection: tuple[float, float] | None = None
        self.position_s = 0.0
        self.is_spectrum = False
        self._marks: Sequence[tuple[float, float, str]] = ()
        self._image = QImage()
        self._drawn: tuple[object, ...] = ()
        self._asked: tuple[object, ...] = ()
        self._pressed_s: float | None = None
        self._anchor_s = 0.0
        self.setMinimumHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return self.heard.seconds if self.heard is not None else 0.0

    @property
    def image(self) -> QImage:
        """What is painted of the sound."""
        return self._image

    def sizeHint(self) -> QSize:
        """Wide rather than tall."""
        return QSize(320, HEIGHT)

    def show_sound(self, heard: Heard | None, marks: Sequence[tuple[float, float, str]] = ()) -> None:
        """Show a sound from its beginning to its end; marks: (start, end, word) of stretches that are named."""
        self._marks = marks
        if heard is not self.heard:
            self.heard = heard
            self.selection, self.position_s, self._image, self._drawn, self._asked = None, 0.0, QImage(), (), ()
            self.view = (0.0, self.seconds)
            self.view_changed.emit()
        self._renew()

    def set_spectrum(self, on: bool) -> None:
        """Show frequencies instead of loudness."""
        self.is_spectrum = on
        self._renew()

    def set_position(self, second: float, follow: bool = True) -> None:
        """Where it is heard; follow: bring that moment into sight."""
        self.position_s = min(max(0.0, second), self.seconds)
        start, end = self.view
        if follow and self.heard is not None and not start <= self.position_s <= end:
            self.scroll_to(self.position_s - (end - start) * 0.1)
        self._tell()
        self.update()

    def select(self, selection: tuple[float, float] | None) -> None:
        """Select a stretch, or nothing."""
        if selection is not None:
            low, high = sorted(min(max(0.0, second), self.seconds) for second in selection)
            selection = (low, high) if high > low else None
        if selection != self.selection:
            self.selection = selection
            self.selected.emit(selection)
        self._tell()
        self.update()

    def zoom(self, factor: float, around_s: float | None = None) -> None:
        """Show factor times as much, keeping one moment where it is; 0 shows all."""
        if self.heard is None:
            return
        start, end = self.view
        if factor == 0:
            self._set_view(0.0, self.seconds)
            return
        kept = around_s if around_s is not None else self._kept()
        span = min(self.seconds, max(SHORTEST_VIEW_S, (end - start) * factor))
        share = (kept - start) / max(end - start, 1e-9)
        self._set_view(kept - span * share, kept - span * share + span)

    def scroll_to(self, start_s: float) -> None:
        """Show the same stretch from another moment on."""
        start, end = self.view
        self._set_view(start_s, start_s + end - start)

    def _kept(self) -> float:
        start, end = self.view
        return self.position_s if start <= self.position_s <= end else (start + end) / 2

    def _set_view(self, start: float, end: float) -> None:
        span = min(end - start, self.seconds)
        start = min(max(0.0, start), self.seconds - span)
        if (start, start + span) != self.view:
            self.view = (start, start + span)
            self.view_changed.emit()
            self._renew()

    # --- painting ---------------------------------------------------------------------------------------------------

    def _size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return max(8, round(self.width() * ratio)), max(8, round((self.height() - _RULER_PX) * ratio))

    def _renew(self) -> None:
        """Let the picture of the present view be computed beside the window; the old one stays until it is there."""
        self.update()
        heard = self.heard
        if heard is None or not self.isVisible():
            return
        wanted = (self.view, self._size(), self.is_spectrum, theme.current())
        if wanted in (self._drawn, self._asked):
            return
        self._asked = wanted

        def then(image: QImage) -> None:
            if self._asked == wanted and self.heard is heard:
                self._image, self._drawn, self._asked = image, wanted, ()
                self.update()

        self._calls.aside(_painter(heard, *wanted), then, _ignore)

    def showEvent(self, event: Any) -> None:
        """Paint what was not needed before."""
        super().showEvent(event)
        self._renew()

    def resizeEvent(self, event: Any) -> None:
        """Paint at the new size."""
        super().resizeEvent(event)
        self._renew()

    def _x(self, second: float) -> float:
        start, end = self.view
        return (second - start) / max(end - start, 1e-9) * self.width()

    def _second(self, x: float) -> float:
        start, end = self.view
        return min(max(0.0, start + x / max(1, self.width()) * (end - start)), self.seconds)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, the named stretches, the selection, the ruler and the line where it is heard."""
        colours = theme.current()
        painter = QPainter(self)
        field = QRectF(0, 0, self.width(), self.height() - _RULER_PX)
        painter.fillRect(field, QColor(colours.surface))
        if self.heard is not None and not self._image.isNull():
            painter.drawImage(field, self._image)
            self._paint_marks(painter, field, colours)
        if self.selection is not None:
            left, right = (self._x(second) for second in self.selection)
            shade = QColor(colours.accent)
            shade.setAlpha(56)
            painter.fillRect(QRectF(left, 0, right - left, field.height()), shade)
            painter.setPen(QPen(QColor(colours.accent), 1))
            for edge in (left, right):
                painter.drawLine(QPointF(edge, 0), QPointF(edge, field.height()))
        if self.heard is not None:
            self._paint_ruler(painter, field, colours)
            here = self._x(self.position_s)
            painter.setPen(QPen(QColor(colours.text), 2))
            painter.drawLine(QPointF(here, 0), QPointF(here, field.height()))
        edge_colour = colours.accent if self.hasFocus() else colours.border
        painter.setPen(QPen(QColor(edge_colour), 2 if self.hasFocus() else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(field.adjusted(1, 1, -1, -1))

    def _paint_marks(self, painter: QPainter, field: QRectF, colours: theme.Theme) -> None:
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        shade = QColor(colours.warn)
        shade.setAlpha(48)
        for start, end, word in self._marks:
            place = QRectF(self._x(start), 0, self._x(end) - self._x(start), field.height())
            if place.right() < 0 or place.left() > field.width():
                continue
            painter.fillRect(place, shade)
            painter.setPen(QColor(colours.text))
            text = place.intersected(field).adjusted(4, 2, -2, -2)
            if painter.fontMetrics().horizontalAdvance(word) < text.width():
                painter.drawText(text, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, word)

    def _paint_ruler(self, painter: QPainter, field: QRectF, colours: theme.Theme) -> None:
        start, end = self.view
        step = next((one for one in _STEPS_S if (end - start) / one * 64 <= self.width()), _STEPS_S[-1])
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(colours.muted))
        number = int(start / step)
        while number * step <= end:
            x = self._x(number * step)
            if x >= 0:
                painter.drawLine(QPointF(x, field.bottom()), QPointF(x, field.bottom() + 4))
                text = clock(number * step) if step >= 0.1 else f"{number * step:.2f}"
                if x + 40 < self.width():
                    painter.drawText(QPointF(x + 3, self.height() - 4), text)
            number += 1

    def _tell(self) -> None:
        """What a screen reader says of it."""
        text = _("At {position} of {length}", position=clock(self.position_s), length=clock(self.seconds))
        if self.selection is not None:
            start, end = self.selection
            text += _(", selected from {start} to {end}", start=clock(start), end=clock(end))
        self.setAccessibleDescription(text if self.heard is not None else "")

    # --- mouse and keyboard -----------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A selection may begin here."""
        if event.button() == Qt.MouseButton.LeftButton and self.heard is not None:
            self._pressed_s = self._second(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Dragging selects."""
        if self._pressed_s is not None and abs(event.position().x() - self._x(self._pressed_s)) >= _DRAG_PX:
            self.select((self._pressed_s, self._second(event.position().x())))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click seeks, and takes a selection away when it is outside of it."""
        pressed, self._pressed_s = self._pressed_s, None
        if pressed is None or abs(event.position().x() - self._x(pressed)) >= _DRAG_PX:
            return
        if self.selection is not None and not self.selection[0] <= pressed <= self.selection[1]:
            self.select(None)
        self._seek(pressed)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """With Ctrl it zooms, with Shift or sideways it scrolls; else it is the page's."""
        turn = event.angleDelta()
        keys = event.modifiers()
        if keys & Qt.KeyboardModifier.ControlModifier and turn.y():
            self.zoom(1 / _ZOOM if turn.y() > 0 else _ZOOM, self._second(event.position().x()))
        elif turn.x() or keys & Qt.KeyboardModifier.ShiftModifier:
            start, end = self.view
            self.scroll_to(start - (turn.x() or turn.y()) / 120 * (end - start) / 10)
        else:
            event.ignore()
            return
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, with Shift they select; Plus, Minus and 0 zoom; Page keys scroll; Space plays."""
        actions = self._keys(event.modifiers())
        action = actions.get(event.key())
        if self.heard is None or action is None or (event.key() == Qt.Key.Key_Escape and self.selection is None):
            super().keyPressEvent(event)
            return
        action()

    def _keys(self, modifiers: Qt.KeyboardModifier) -> dict[int, Callable[[], None]]:
        start, end = self.view
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        step = (end - start) / (200 if modifiers & Qt.KeyboardModifier.ControlModifier else 40)
        key = Qt.Key
        found: dict[int, Callable[[], None]] = {
            key.Key_Left: lambda: self._move(self.position_s - step, shift),
            key.Key_Right: lambda: self._move(self.position_s + step, shift),
            key.Key_Home: lambda: self._move(0.0, shift),
            key.Key_End: lambda: self._move(self.seconds, shift),
            key.Key_PageUp: lambda: self.scroll_to(start - (end - start) * 0.8),
            key.Key_PageDown: lambda: self.scroll_to(end - (end - start) * 0.2),
            key.Key_Plus: lambda: self.zoom(1 / _ZOOM),
            key.Key_Equal: lambda: self.zoom(1 / _ZOOM),
            key.Key_Minus: lambda: self.zoom(_ZOOM),
            key.Key_0: lambda: self.zoom(0),
            key.Key_Space: self.play_asked.emit,
            key.Key_Escape: lambda: self.select(None),
        }
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            found[key.Key_A] = lambda: self.select((0.0, self.seconds))
        return found

    def _move(self, second: float, selects: bool) -> None:
        before = self.position_s
        if selects:
            edges = self.selection
            # The far end of a selection that ends here stays; otherwise it begins here.
            if edges is None or min(abs(before - edge) for edge in edges) > 1e-6:
                self._anchor_s = before
            elif self._anchor_s not in edges:
                self._anchor_s = edges[0] if abs(before - edges[1]) <= 1e-6 else edges[1]
            self.select((self._anchor_s, second))
        self._seek(second)

    def _seek(self, second: float) -> None:
        self.set_position(second)
        self.sought.emit(self.position_s)


def _painter(
    heard: Heard, view: tuple[float, float], size: tuple[int, int], is_spectrum: bool, colours: theme.Theme
) -> Callable[[], QImage]:
    def work() -> QImage:
        from studio.window.widgets.wave_data import spectrum_image, wave_image

        return (spectrum_image if is_spectrum else wave_image)(heard, view, size, colours)

    return work


def _ignore(_error: SignetError) -> None:
    """No picture: the sound is still played and used."""
