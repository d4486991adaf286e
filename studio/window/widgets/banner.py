"""The inline banner: what happened and what to do next."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from compliance.errors import SignetError
from studio.text import _
from studio.window import icons
from studio.window.advice import advice
from studio.window.widgets.basic import button, column, label, restyle, row

_ICONS = {
    "info": ("info", "accent"),
    "ok": ("intact", "ok"),
    "warn": ("warning", "warn"),
    "danger": ("warning", "danger"),
}


class Banner(QFrame):
    """One message above a page; hidden until there is one.

    In a layout it makes room for itself; after `float_over` it lies over another widget, and nothing moves.
    """

    dismissed = Signal()

    def __init__(self, object_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._over: QWidget | None = None
        self.setObjectName(object_name)
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.what = label("", "strong")
        self.next_step = label("")
        for part in (self.what, self.next_step):
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        shut = button(f"{object_name}_close", "", "quiet", accessible_name=_("Close message"))
        shut.setIcon(QIcon(icons.pixmap("close", "text", 14)))
        shut.setIconSize(QSize(14, 14))
        shut.clicked.connect(self.on_close)
        texts = column(self.what, self.next_step, spacing=3)
        body = row(self._icon, texts, shut, spacing=12)
        body.setStretch(1, 1)
        body.setAlignment(shut, Qt.AlignmentFlag.AlignTop)
        body.setContentsMargins(14, 10, 8, 10)
        self.setLayout(body)
        self.hide()

    def show_message(self, kind: str, what: str, next_step: str = "") -> None:
        """Show a message; kind: info, ok, warn or danger."""
        self.setProperty("banner", kind)
        restyle(self)
        name, use = _ICONS[kind]
        self._icon.setPixmap(icons.pixmap(name, use, 22))
        self.what.setText(what)
        self.next_step.setText(next_step)
        self.next_step.setVisible(bool(next_step))
        self.setAccessibleName(what)
        self.setAccessibleDescription(next_step)
        self.show()
        self._place()

    def show_error(self, error: SignetError) -> None:
        """Show an error as its two sentences."""
        what, next_step = advice(error)
        self.show_message("danger", what, next_step)

    def float_over(self, place: QWidget) -> None:
        """Lie over a widget of the same parent from now on, as wide as it and at least as tall."""
        self._over = place
        self.setParent(place.parentWidget())
        self.hide()
        place.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the place."""
        if watched is self._over and event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._place()
        return False

    def _place(self) -> None:
        if self._over is None or self.isHidden():
            return
        place = self._over.geometry()
        body = self.layout()
        assert body is not None, "it was made with one"
        # Twice: wrapped labels know how tall they are only once they are as wide as they will be.
        for _pass in range(2):
            body.invalidate()
            self.resize(place.width(), max(place.height(), body.totalHeightForWidth(place.width())))
            body.activate()
        self.move(place.topLeft())
        self.raise_()

    def on_close(self) -> None:
        """The reader has seen it."""
        self.hide()
        self.dismissed.emit()
