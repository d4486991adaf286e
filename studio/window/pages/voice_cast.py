"""Who speaks for whom in a script: a line for each speaker that the script names."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from studio.text import _
from studio.window.widgets.basic import label, named

# A script may name two dozen; a table of so many is still looked through.
_COLUMNS = 2


class CastTable(QWidget):
    """`changed` with every choice. A built-in voice is chosen, the voice of a pack is written, since only it knows."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self.setLayout(self._grid)
        self._fields: dict[str, QComboBox | QLineEdit] = {}
        self._shown: tuple[object, ...] = ()
        self._said: dict[str, str] = {}

    def show_speakers(self, speakers: Sequence[str], voices: Sequence[tuple[str, str]] | None) -> None:
        """Show these speakers; voices: (id, name) to choose from, None where the voice is written."""
        wanted = (tuple(speakers), tuple(voices) if voices is not None else None)
        if wanted == self._shown:
            return
        self._said.update(self.chosen())
        self._shown = wanted
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        self._fields = {}
        for place, speaker in enumerate(speakers):
            spoken = _("Voice of {name}", name=speaker)
            if voices is not None:
                combo = named(QComboBox(), f"voice_cast_{place}", spoken)
                combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
                combo.setMinimumContentsLength(2)
                combo.addItem(_("by turns"), "")
                for voice, title in voices:
                    combo.addItem(title, voice)
                combo.setCurrentIndex(max(0, combo.findData(self._said.get(speaker, ""))))
                combo.currentIndexChanged.connect(self.changed)
                self._fields[speaker] = combo
            else:
                field = named(QLineEdit(self._said.get(speaker, "")), f"voice_cast_{place}", spoken)
                field.setMinimumWidth(70)
                field.setPlaceholderText(_("by turns"))
                field.textEdited.connect(self.changed)
                self._fields[speaker] = field
            line, side = divmod(place, _COLUMNS)
            name = label(speaker, "strong", wrap=False)
            name.setMaximumWidth(70)
            name.setToolTip(speaker)
            self._grid.addWidget(name, line, side * 2)
            self._grid.addWidget(self._fields[speaker], line, side * 2 + 1)
        for side in range(_COLUMNS):
            self._grid.setColumnStretch(side * 2 + 1, 1)

    def chosen(self) -> dict[str, str]:
        """The voice of each speaker that was given one."""
        found = {}
        for speaker, field in self._fields.items():
            voice = field.currentData() if isinstance(field, QComboBox) else field.text().strip()
            if voice:
                found[speaker] = str(voice)
        return found
