"""A place for one picture: drop or choose, then the picture with its faces, and what was found."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QWidget

from studio.text import _
from studio.window import icons
from studio.window.advice import advice
from studio.window.models.picture_slot import PictureSlot
from studio.window.widgets.basic import button, column, holder, label, row
from studio.window.widgets.drop_frame import DropFrame
from studio.window.widgets.picture_view import PictureView

NARROW_PX = 220


def faces_text(count: int) -> str:
    """How many faces were found."""
    return _("1 face found") if count == 1 else _("{count} faces found", count=count)


class PictureCard(QWidget):
    """Shows a PictureSlot; `picture_given` when another picture was dropped or chosen, `removed` when taken out."""

    picture_given = Signal(Path)
    removed = Signal()

    def __init__(self, name: str, title: str, slot: PictureSlot, removable: bool = False) -> None:
        super().__init__()
        self._slot = slot
        self._chosen = 0
        filters = _("Pictures (*.png *.jpg *.jpeg *.webp *.tif *.tiff *.gif);;All files (*)")
        self.frame = DropFrame(f"{name}_drop", title, title, filters)
        self.frame.file_given.connect(self.picture_given)
        arrow = QLabel()
        arrow.setPixmap(icons.pixmap("drop", "accent", 34))
        arrow.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = label(_("Drop a picture here, or click to choose"), "muted")
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty = holder(column(1, arrow, hint, 1))
        empty.setMinimumHeight(NARROW_PX)
        self._view = PictureView(NARROW_PX)
        self._stack = QStackedLayout()
        self._stack.addWidget(empty)
        self._stack.addWidget(self._view)
        self._stack.setContentsMargins(8, 8, 8, 8)
        self.frame.setLayout(self._stack)
        self.frame.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._line = label("", "strong")
        self._line.setObjectName(f"{name}_line")
        self._hint = label("", "muted")
        self._change = button(
            f"{name}_change", _("Change..."), "quiet", accessible_name=_("Change: {what}", what=title)
        )
        self._change.clicked.connect(self.frame.choose)
        self._remove = button(f"{name}_remove", _("Remove"), "quiet", accessible_name=_("Remove: {what}", what=title))
        self._remove.clicked.connect(self.removed)
        self._removable = removable
        texts = column(self._line, self._hint, spacing=2)
        foot = row(texts, self._change, self._remove, spacing=2)
        foot.setStretch(0, 1)
        body = column(self.frame, foot, spacing=8)
        body.setStretch(0, 1)
        self.setLayout(body)
        slot.changed.connect(self.on_slot_changed)
        self.on_slot_changed()

    def set_chosen(self, number: int) -> None:
        """Which face is in use; 0 for all."""
        self._chosen = number
        self.on_slot_changed()

    def on_slot_changed(self) -> None:
        """Show the slot as it is now."""
        slot = self._slot
        there = slot.path is not None
        self._stack.setCurrentIndex(1 if there and not slot.image.isNull() else 0)
        self._view.show_picture(slot.image, slot.size, slot.faces, self._chosen)
        self.frame.set_filled(there)
        self._change.setVisible(there)
        self._remove.setVisible(there and self._removable)
        name = slot.path.name if slot.path else ""
        line, hint = "", ""
        match slot.state:
            case "empty":
                hint = _("PNG, JPEG, WebP, TIFF or GIF")
            case "reading":
                line, hint = name, _("Looking for faces...")
            case "ready":
                line = name
                size = _("{width} x {height} pixels", width=slot.size.width(), height=slot.size.height())
                faces = faces_text(len(slot.faces))
                hint = _("{size}, {faces}", size=size, faces=faces) if slot.size.isValid() else faces
            case "refused":
                assert slot.error is not None, "a refused picture carries its error"
                line, hint = advice(slot.error)
        self._line.setText(line)
        self._line.setVisible(bool(line))
        self._hint.setText(hint)
