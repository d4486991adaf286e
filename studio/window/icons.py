"""Line icons of the window, drawn in the colour asked for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio.window.theme import ICONS, current

SIZE = QSize(25, 19)


@lru_cache(maxsize=256)
def _drawn(name: str, colour: str, side_px: int, ratio: float) -> QPixmap:
    text = (ICONS / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    pixmap = QPixmap(QSize(side_px, side_px) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    return pixmap


def pixmap(name: str, use: str = "text", side_px: int = 20) -> QPixmap:
    """One icon in the colour of a use (a field of Theme), side_px logical pixels wide."""
    return _drawn(name, getattr(current(), use), side_px, QGuiApplication.primaryScreen().devicePixelRatio())


def _spaced(name: str, use: str) -> QPixmap:
    """An icon with room to its right: Qt's style sheets cannot set the gap between icon and text."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    made = QPixmap(SIZE * ratio)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.drawPixmap(0, 0, pixmap(name, use, SIZE.height()))
    painter.end()
    return made


def icon(name: str, use: str = "text") -> QIcon:
    """One icon for a button with text (show it at SIZE), muted while the button is disabled."""
    made = QIcon(_spaced(name, use))
    made.addPixmap(_spaced(name, "muted"), QIcon.Mode.Disabled)
    return made


def checkable_icon(name: str) -> QIcon:
    """One icon for a side bar entry: accent while checked, muted while disabled."""
    made = icon(name)
    made.addPixmap(_spaced(name, "accent"), QIcon.Mode.Normal, QIcon.State.On)
    return made
