"""One numbered face of a picture, small: beside a list of people, or as an icon in a list of faces."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from studio.text import _
from studio.window.models.picture_slot import PictureSlot
from studio.window.pictures import cut_face
from studio.window.widgets.basic import holder, label, row

SIDE_PX = 40
ICON = QSize(28, 28)


def _cut(slot: PictureSlot, number: int, side_px: int) -> QPixmap:
    face = next((one for one in slot.faces if one.number == number), None)
    return QPixmap() if face is None else QPixmap.fromImage(cut_face(slot.image, slot.size, face.box, side_px))


def face_picture(slot: PictureSlot, number: int) -> QWidget:
    """The face, cut out, and its number."""
    small = QLabel()
    small.setFixedSize(SIDE_PX, SIDE_PX)
    small.setScaledContents(True)
    small.setAlignment(Qt.AlignmentFlag.AlignCenter)
    small.setPixmap(_cut(slot, number, SIDE_PX * 2))
    return holder(row(small, label(_("face {number}", number=number), "strong", wrap=False), 1, spacing=8))


def face_icon(slot: PictureSlot, number: int) -> QIcon:
    """The face as an icon."""
    made = _cut(slot, number, ICON.width() * 2)
    return QIcon() if made.isNull() else QIcon(made)
