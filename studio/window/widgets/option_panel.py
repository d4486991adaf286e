"""The settings of an engine as fields: built from what the engine declares, whichever engine it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSlider, QWidget

from studio.text import _
from studio.window.widgets.basic import clear, column, holder, label, named, number_field, row
from studio.window.words import choice_word, option_word

if TYPE_CHECKING:
    from engines.engine import Option

STEPS = 100
COLUMNS = 2
Values = Callable[[str], Any]
SetValue = Callable[[str, Any], None]


class OptionPanel(QWidget):
    """Two columns of fields. read and write: how a value is asked for and set, by the option's name."""

    def __init__(self, name: str, read: Values, write: SetValue) -> None:
        super().__init__()
        self._name, self._read, self._write = name, read, write
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(10)
        for place in range(COLUMNS):
            self._grid.setColumnStretch(place, 1)
        self.setLayout(self._grid)

    def show_options(self, options: Iterable[Option]) -> None:
        """Build the fields anew."""
        clear(self._grid)
        for place, option in enumerate(options):
            field = self._field(option)
            made = holder(column(label(option_word(option.name), "strong"), field, spacing=3))
            made.setToolTip(_(option.sentence))
            self._grid.addWidget(made, place // COLUMNS, place % COLUMNS, Qt.AlignmentFlag.AlignTop)

    def _field(self, option: Option) -> QWidget:
        title, name = option_word(option.name), f"{self._name}_{option.name}"
        value = self._read(option.name)
        if option.choices:
            return self._choices(option, name, title, value)
        if isinstance(option.default, str):
            line = named(QLineEdit(str(value)), name, title)
            line.textChanged.connect(lambda text: self._write(option.name, text))
            return line
        if isinstance(option.default, int) and not isinstance(option.default, bool):
            whole = number_field(name, title, int(option.minimum or 0), int(option.maximum or 0))
            whole.setValue(int(value))
            if option.unit:
                whole.setSuffix(f" {option.unit}")
            whole.valueChanged.connect(lambda number: self._write(option.name, number))
            return whole
        return self._slider(option, name, title, float(value))

    def _choices(self, option: Option, name: str, title: str, value: Any) -> QComboBox:
        combo = named(QComboBox(), name, title)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(6)
        for choice in option.choices:
            combo.addItem(choice_word(option.name, choice), choice)
        combo.setCurrentIndex(max(0, combo.findData(value)))
        combo.currentIndexChanged.connect(lambda _index: self._write(option.name, combo.currentData()))
        return combo

    def _slider(self, option: Option, name: str, title: str, value: float) -> QWidget:
        lowest, highest = float(option.minimum or 0), float(option.maximum or 1)
        slider = named(QSlider(Qt.Orientation.Horizontal), name, title)
        slider.setRange(0, STEPS)
        slider.setPageStep(10)
        slider.setMinimumWidth(70)
        told = label("", wrap=False)
        told.setMinimumWidth(44)

        def tell(number: float) -> None:
            unit = f" {option.unit}" if option.unit else ""
            told.setText((f"{number:.2f}" if highest <= 2 else f"{number:.1f}") + unit)

        def on_moved(place: int) -> None:
            number = round(lowest + (highest - lowest) * place / STEPS, 4)
            tell(number)
            self._write(option.name, number)

        slider.setValue(round((value - lowest) / (highest - lowest) * STEPS))
        tell(value)
        slider.valueChanged.connect(on_moved)
        line = row(slider, told, spacing=6)
        line.setStretch(0, 1)
        return holder(line)
