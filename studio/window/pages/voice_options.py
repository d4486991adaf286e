"""Settings of voice engines as sliders, built from what the engine declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSlider, QWidget

from studio.text import _, word
from studio.window.widgets.basic import button, label, named

if TYPE_CHECKING:
    from engines.engine import Option

# Steps of half a unit for semitones, of a twentieth for everything else.
_WIDE_RANGE, _WIDE_STEP, _STEP = 10.0, 0.5, 0.05


def option_title(name: str) -> str:
    """A setting in a word or two."""
    return {
        "strength": _("How far it leans"),
        "mix": _("Closer, rougher way"),
        "pitch": _("Pitch"),
        "formants": _("Size of the speaker"),
        "breath": _("Breath"),
        "rate": _("Pace"),
        "liveliness": _("Liveliness"),
    }.get(name, name)


def value_text(value: float, unit: str) -> str:
    """A value with its unit."""
    if unit == "semitones":
        return _("{value} semitones", value=f"{value:+.1f}" if value else "0")
    return f"{value:.2f}"


class OptionSliders(QWidget):
    """One slider for each number; `changed` with any of them. name: in front of the object names."""

    changed = Signal()

    def __init__(self, name: str, options: Sequence[Option]) -> None:
        super().__init__()
        self._options = {option.name: option for option in options}
        self._sliders: dict[str, QSlider] = {}
        self._lines: dict[str, tuple[QWidget, ...]] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        for line, option in enumerate(options):
            self._add(grid, line, name, option)
        reset = button(f"{name}_reset", _("As it was"), "quiet", "undo", accessible_name=_("Reset the sliders"))
        reset.clicked.connect(self.reset)
        grid.addWidget(reset, len(options), 1, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(1, 1)
        self.setLayout(grid)

    def _add(self, grid: QGridLayout, line: int, name: str, option: Option) -> None:
        title = option_title(option.name)
        slider = named(QSlider(Qt.Orientation.Horizontal), f"{name}_{option.name}", title)
        slider.setToolTip(word(option.sentence))
        low, high = option.minimum or 0.0, option.maximum or 1.0
        slider.setRange(0, round((high - low) / self._step(option)))
        slider.setMinimumWidth(70)
        slider.setPageStep(max(1, slider.maximum() // 8))
        shown = label("", wrap=False)
        shown.setMinimumWidth(104)

        def on_value(_value: int) -> None:
            shown.setText(value_text(self.value(option.name), option.unit))
            slider.setAccessibleDescription(shown.text())
            self.changed.emit()

        self._sliders[option.name] = slider
        self.set_value(option.name, float(option.default))
        shown.setText(value_text(float(option.default), option.unit))
        slider.valueChanged.connect(on_value)
        heading = label(title, wrap=False)
        self._lines[option.name] = (heading, slider, shown)
        grid.addWidget(heading, line, 0)
        grid.addWidget(slider, line, 1)
        grid.addWidget(shown, line, 2)

    @staticmethod
    def _step(option: Option) -> float:
        return _WIDE_STEP if (option.maximum or 1.0) - (option.minimum or 0.0) >= _WIDE_RANGE else _STEP

    def value(self, name: str) -> float:
        """What is set."""
        option = self._options[name]
        return round((option.minimum or 0.0) + self._sliders[name].value() * self._step(option), 3)

    def set_value(self, name: str, value: float) -> None:
        """Set one."""
        option = self._options[name]
        self._sliders[name].setValue(round((value - (option.minimum or 0.0)) / self._step(option)))

    def set_usable(self, name: str, is_usable: bool) -> None:
        """Grey out a setting that the chosen voice does not have, or bring it back."""
        for widget in self._lines[name]:
            widget.setEnabled(is_usable)

    def values(self) -> dict[str, float]:
        """All of them, for the engine."""
        return {name: self.value(name) for name in self._options}

    def reset(self) -> None:
        """Back to what the engine does by itself."""
        for name, option in self._options.items():
            self.set_value(name, float(option.default))
