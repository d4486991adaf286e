"""What all pages share: title, lead sentence, banner, body, and the button that Return presses."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from compliance.errors import SignetError
from studio.window.models.studio import Studio
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import column, holder, label, row, scrolling

MARGIN = 32
BANNER_PX = 64


class Page(QWidget):
    """`go` asks the main window for another page by name."""

    go = Signal(str)
    name = ""

    def __init__(self, studio: Studio, title: str, lead: str) -> None:
        super().__init__()
        self.setObjectName(f"{self.name}_page")
        self.studio = studio
        self.default_button: QPushButton | None = None
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.title = label(title, "title", wrap=False)
        self.head_actions = row(spacing=8)
        self.banner = Banner(f"{self.name}_banner")
        self.body: QVBoxLayout = column(spacing=16)
        content = holder(self.body)
        content.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        head = row(self.title, 1, self.head_actions)
        # The lead sentence keeps the place in which a message appears, so that no field moves under the hand.
        place = holder(column(label(lead, "muted"), 1))
        place.setMinimumHeight(BANNER_PX)
        outer = column(head, place, scrolling(content, f"{self.name}_scroll"), spacing=8)
        outer.setContentsMargins(MARGIN, 26, MARGIN, 22)
        outer.setStretch(2, 1)
        self.setLayout(outer)
        self.banner.float_over(place)

    def enter(self) -> None:
        """The page comes to the front."""

    def focus_first(self) -> None:
        """Put the keyboard into the page, unless it is there already."""
        focused = self.window().focusWidget()
        if focused is None or not self.isAncestorOf(focused):
            (self.default_button or self).setFocus()

    def on_failed(self, error: SignetError) -> None:
        """Say what was refused."""
        if self.isVisible():
            self.banner.show_error(error)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses the default button."""
        button = self.default_button
        if (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and button
            and button.isEnabled()
            and button.isVisible()
        ):
            button.click()
        else:
            super().keyPressEvent(event)
