"""A text that has to be read to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QPlainTextEdit

from studio.window.widgets.basic import named

_MARKS = re.compile(r"\*\*|^#+ |`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)", re.MULTILINE)
# The bundled typeface draws these as wide as a hanzi, which tears English apart.
_SLIM = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "..."})


def plain(markdown: str, language: str) -> str:
    """A short Markdown text as plain paragraphs."""
    text = _MARKS.sub("", markdown).strip()
    text = re.sub(r"\n +", "\n", text)
    text = re.sub(r"(?<=\S)\n(?=[^\n\d-])", " " if language == "en" else "", text)
    return text.translate(_SLIM) if language == "en" else text


class Reading(QPlainTextEdit):
    """Shows one text in two languages, the reader's first; `read_to_end` once its end was in sight."""

    read_to_end = Signal()

    def __init__(self, object_name: str, accessible_name: str) -> None:
        super().__init__()
        named(self, object_name, accessible_name)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.is_read = False
        self.verticalScrollBar().valueChanged.connect(self.on_moved)
        self.verticalScrollBar().rangeChanged.connect(self.on_moved)

    def show_texts(self, texts: Mapping[str, str], first: str) -> None:
        """Show the texts by language, `first` in front."""
        order = sorted(texts, key=lambda code: code != first)
        self.is_read = False
        self.setPlainText("\n\n\n".join(plain(texts[code], code) for code in order))
        self.on_moved()

    def showEvent(self, event: QShowEvent) -> None:
        """A text that fits without scrolling is in sight at once."""
        super().showEvent(event)
        self.on_moved()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page down, Space and End scroll; Return is for the button that leads on."""
        bar = self.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_End:
                bar.setValue(bar.maximum())
            case Qt.Key.Key_Home:
                bar.setValue(bar.minimum())
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                event.ignore()
            case _:
                super().keyPressEvent(event)

    def on_moved(self) -> None:
        """Notice the end."""
        bar = self.verticalScrollBar()
        if not self.is_read and self.isVisible() and self.toPlainText() and bar.value() >= bar.maximum():
            self.is_read = True
            self.read_to_end.emit()
