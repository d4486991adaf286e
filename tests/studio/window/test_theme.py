"""Colours that can be read, in light and dark."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QCheckBox, QPlainTextEdit

from studio.window.theme import DARK, LIGHT, Theme, apply

PAIRS = [
    ("text", "window"),
    ("text", "surface"),
    ("text", "hover"),
    ("text", "accent_soft"),
    ("text", "ok_soft"),
    ("text", "warn_soft"),
    ("text", "danger_soft"),
    ("muted", "window"),
    ("muted", "surface"),
    ("muted", "hover"),
    ("accent", "window"),
    ("accent", "surface"),
    ("accent", "hover"),
    ("accent", "accent_soft"),
    ("on_accent", "accent"),
    ("ok", "ok_soft"),
    ("warn", "warn_soft"),
    ("danger", "danger_soft"),
    ("danger", "surface"),
]


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in QColor(colour).getRgbF()[:3]  # type: ignore[index]
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_stands_out_from_its_background(theme: Theme, front: str, back: str) -> None:
    """At least 4.5 to 1 wherever the style sheet puts one on the other."""
    assert contrast(getattr(theme, front), getattr(theme, back)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_mark_and_a_hint_can_be_seen_in_what_is_switched_off_or_empty(qapp: QApplication, theme: Theme) -> None:
    """A ticked box that is switched off shows its mark; a hint in a field of lines is as clear as in one of a line."""
    apply(qapp, theme)
    try:
        pictures = []
        for ticked in (False, True):
            box = QCheckBox()
            box.setChecked(ticked)
            box.setEnabled(False)
            box.resize(30, 30)
            pictures.append(box.grab().toImage())
        empty, marked = pictures
        places = [(x, y) for x in range(30) for y in range(30) if empty.pixelColor(x, y) != marked.pixelColor(x, y)]
        clearest = max(contrast(marked.pixelColor(*place).name(), theme.hover) for place in places)
        assert clearest >= 4.5
        lines = QPlainTextEdit()
        lines.ensurePolished()
        assert lines.palette().placeholderText().color() == QColor(theme.muted)
    finally:
        apply(qapp)
