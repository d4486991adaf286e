"""Labels, buttons, cards and rows in the house style; every interactive one carries a name."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from studio.window import icons

EMPTY_HEIGHT = 280
WidgetT = TypeVar("WidgetT", bound=QWidget)


def named(widget: WidgetT, object_name: str, accessible_name: str) -> WidgetT:
    """Give an interactive widget its name for tests and its name for screen readers."""
    widget.setObjectName(object_name)
    widget.setAccessibleName(accessible_name)
    return widget


class _Wrapped(QLabel):
    """A wrapping label whose smallest height is that of its present width, so that its text is never cut."""

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(hint.width(), self.heightForWidth(self.width())) if self.width() > hint.width() else hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


def label(text: str, role: str = "", wrap: bool = True) -> QLabel:
    """A plain-text label; role: title, heading, strong, muted, small, brand or nothing."""
    made = _Wrapped() if wrap else QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setText(text)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("text_role", role)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return made


def chip(text: str, kind: str) -> QLabel:
    """A small coloured state word; kind: ok, warn, danger or plain."""
    made = label(text, wrap=False)
    made.setProperty("chip", kind)
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return made


def button(object_name: str, text: str, weight: str = "", icon: str = "", accessible_name: str = "") -> QPushButton:
    """A push button that also answers to Return; weight: primary, danger, quiet or nothing."""
    made = named(QPushButton(text), object_name, accessible_name or text)
    made.setAutoDefault(True)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if weight:
        made.setProperty("weight", weight)
    if icon:
        use = {"primary": "on_accent", "danger": "danger", "quiet": "accent"}.get(weight, "text")
        made.setIcon(icons.icon(icon, use))
        made.setIconSize(icons.SIZE)
    return made


def number_field(object_name: str, accessible_name: str, lowest: int, highest: int) -> QSpinBox:
    """A field for a whole number; the arrow keys count."""
    made = named(QSpinBox(), object_name, accessible_name)
    made.setRange(lowest, highest)
    # Style sheets reach the room around the text of a spin box only through the field inside it.
    made.lineEdit().setTextMargins(9, 0, 0, 0)
    return made


def restyle(widget: QWidget) -> None:
    """Let the style sheet look at changed properties."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def column(*items: QWidget | QLayout | int, spacing: int = 12, margins: int = 0) -> QVBoxLayout:
    """A vertical layout; an int is a stretch."""
    made = QVBoxLayout()
    _fill(made, items, spacing, margins)
    return made


def row(*items: QWidget | QLayout | int, spacing: int = 10, margins: int = 0) -> QHBoxLayout:
    """A horizontal layout; an int is a stretch."""
    made = QHBoxLayout()
    _fill(made, items, spacing, margins)
    return made


def _fill(
    made: QVBoxLayout | QHBoxLayout, items: tuple[QWidget | QLayout | int, ...], spacing: int, margins: int
) -> None:
    made.setSpacing(spacing)
    made.setContentsMargins(margins, margins, margins, margins)
    for item in items:
        if isinstance(item, int):
            made.addStretch(item)
        elif isinstance(item, QWidget):
            made.addWidget(item)
        else:
            made.addLayout(item)


def card(layout: QLayout, padding: int = 20) -> QFrame:
    """A raised panel around a layout."""
    made = QFrame()
    made.setProperty("card", True)
    layout.setContentsMargins(padding, padding, padding, padding)
    made.setLayout(layout)
    return made


def holder(layout: QLayout) -> QWidget:
    """A bare widget around a layout, to show and hide it as one."""
    made = QWidget()
    layout.setContentsMargins(0, 0, 0, 0)
    made.setLayout(layout)
    return made


def scrolling(content: QWidget, object_name: str) -> QScrollArea:
    """A scroll area around a tall widget; the focus goes to its content."""
    made = QScrollArea()
    made.setObjectName(object_name)
    made.setWidgetResizable(True)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setWidget(content)
    return made


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and let it go."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)


def empty_state(icon: str, heading: str, sentence: str, *actions: QPushButton) -> QFrame:
    """What stands where nothing is yet: an icon, what this place is for, and the next step."""
    picture = QLabel()
    picture.setPixmap(icons.pixmap(icon, "accent", 44))
    picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
    head = label(heading, "heading")
    head.setAlignment(Qt.AlignmentFlag.AlignCenter)
    text = label(sentence, "muted")
    text.setAlignment(Qt.AlignmentFlag.AlignCenter)
    body = column(1, picture, head, text, row(1, *actions, 1), 1, spacing=10)
    made = card(body, 28)
    made.setFixedHeight(EMPTY_HEIGHT)
    return made


def moment(text: str) -> str:
    """A stored time (ISO 8601) as local date and minute."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (when.astimezone() if when.tzinfo else when).strftime("%Y-%m-%d %H:%M")


def short_digest(digest: str) -> str:
    """The first twelve hex digits of a digest, enough to tell files apart by eye."""
    return digest[:12] + "..." if len(digest) > 12 else digest
