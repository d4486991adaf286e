"""Colours, type and spacing of the window, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

import resources

RESOURCES = Path(resources.__file__).parent
FONT_FILE = RESOURCES / "fonts" / "interface.otf"
ICONS = RESOURCES / "icons"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by use, as #rrggbb. `*_soft` are backgrounds on which the colour of the same name and `text` are read."""

    dark: bool
    window: str
    surface: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_soft: str
    ok: str
    ok_soft: str
    warn: str
    warn_soft: str
    danger: str
    danger_soft: str
    hover: str


LIGHT = Theme(
    dark=False,
    window="#F6F5F2",
    surface="#FFFFFF",
    border="#D8D4CC",
    text="#1F2328",
    muted="#585E67",
    accent="#8A2B3C",
    on_accent="#FFFFFF",
    accent_soft="#F5E7E9",
    ok="#17653F",
    ok_soft="#E2F1E9",
    warn="#7A4E00",
    warn_soft="#FBF0DA",
    danger="#A8211A",
    danger_soft="#FBE9E7",
    hover="#ECEAE5",
)
DARK = Theme(
    dark=True,
    window="#16181C",
    surface="#1F2227",
    border="#3A3F47",
    text="#E9E7E4",
    muted="#A9AEB7",
    accent="#E993A2",
    on_accent="#2A0A10",
    accent_soft="#3A2429",
    ok="#74D3A0",
    ok_soft="#1B3327",
    warn="#E8B860",
    warn_soft="#372C17",
    danger="#F4968E",
    danger_soft="#3C2122",
    hover="#2A2E35",
)

_SHEET = """
QWidget {{ font-size: 14px; }}
QToolTip {{ background: {surface}; color: {text}; border: 1px solid {border}; padding: 4px 6px; }}
QFrame#side_bar {{ background: {surface}; border: none; border-right: 1px solid {border}; }}
QFrame[card="true"] {{ background: {surface}; border: 1px solid {border}; border-radius: 12px; }}
QFrame[drop="true"] {{ background: {surface}; border: 2px dashed {border}; border-radius: 12px; }}
QFrame[drop="true"][over="true"], QFrame[drop="true"]:focus {{ border-color: {accent}; }}
QFrame[drop="true"][filled="true"] {{ border-style: solid; border-width: 1px; padding: 1px; }}
QFrame[banner="info"] {{ background: {accent_soft}; border: 1px solid {accent}; border-radius: 10px; }}
QFrame[banner="ok"] {{ background: {ok_soft}; border: 1px solid {ok}; border-radius: 10px; }}
QFrame[banner="warn"] {{ background: {warn_soft}; border: 1px solid {warn}; border-radius: 10px; }}
QFrame[banner="danger"] {{ background: {danger_soft}; border: 1px solid {danger}; border-radius: 10px; }}
QLabel {{ background: transparent; }}
QLabel[text_role="title"] {{ font-size: 26px; }}
QLabel[text_role="heading"] {{ font-size: 17px; font-weight: 700; }}
QLabel[text_role="strong"] {{ font-weight: 700; }}
QLabel[text_role="muted"] {{ color: {muted}; }}
QLabel[text_role="small"] {{ color: {muted}; font-size: 12px; }}
QLabel[text_role="brand"] {{ font-size: 19px; font-weight: 700; }}
QLabel[chip] {{ border-radius: 9px; padding: 2px 9px; font-size: 12px; }}
QLabel[chip="ok"] {{ background: {ok_soft}; color: {ok}; }}
QLabel[chip="warn"] {{ background: {warn_soft}; color: {warn}; }}
QLabel[chip="danger"] {{ background: {danger_soft}; color: {danger}; }}
QLabel[chip="plain"] {{ background: {hover}; color: {muted}; }}
QLabel[plate="true"] {{ background: #101010; color: #FFFFFF; border-radius: 6px; padding: 8px 14px;
    font-size: 17px; font-weight: 700; }}
QPushButton {{ background: {surface}; color: {text}; border: 1px solid {border}; border-radius: 8px;
    padding: 8px 16px; min-height: 18px; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:focus {{ border: 2px solid {accent}; padding: 7px 15px; }}
QPushButton:checked {{ background: {accent_soft}; color: {accent}; border-color: {accent}; }}
QPushButton:disabled {{ color: {muted}; background: {window}; border-style: dashed; }}
QPushButton[weight="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 700; }}
QPushButton[weight="primary"]:hover {{ background: {accent}; border-color: {text}; }}
QPushButton[weight="primary"]:focus {{ border: 2px solid {text}; }}
QPushButton[weight="primary"]:disabled {{ background: {hover}; color: {muted}; border: 1px dashed {border}; }}
QPushButton[weight="danger"] {{ color: {danger}; border-color: {danger}; }}
QPushButton[weight="danger"]:disabled {{ color: {muted}; border-color: {border}; }}
QPushButton[weight="quiet"] {{ border-color: transparent; background: transparent; color: {accent}; padding: 8px 8px; }}
QPushButton[weight="quiet"]:hover {{ background: {hover}; }}
QPushButton[weight="quiet"]:checked {{ background: {accent_soft}; font-weight: 700; }}
QPushButton[weight="quiet"]:focus {{ border: 2px solid {accent}; padding: 7px 7px; }}
QPushButton[weight="quiet"]:disabled {{ color: {muted}; border: 1px solid transparent; }}
QFrame#side_bar QPushButton {{ text-align: left; border: 1px solid transparent; background: transparent;
    padding: 9px 10px; color: {text}; }}
QFrame#side_bar QPushButton:hover {{ background: {hover}; }}
QFrame#side_bar QPushButton:checked {{ background: {accent_soft}; color: {accent}; font-weight: 700; }}
QFrame#side_bar QPushButton:focus {{ border: 1px solid {accent}; }}
QFrame#side_bar QPushButton:disabled {{ color: {muted}; }}
QPlainTextEdit {{ background: {surface}; color: {text}; border: 1px solid {muted}; border-radius: 8px; padding: 8px;
    selection-background-color: {accent}; selection-color: {on_accent}; placeholder-text-color: {muted}; }}
QPlainTextEdit:focus {{ border: 2px solid {accent}; padding: 7px; }}
QPlainTextEdit:disabled {{ color: {muted}; background: {window}; border: 1px dashed {border}; }}
QLineEdit, QDateEdit, QSpinBox, QComboBox {{ background: {surface}; color: {text}; border: 1px solid {muted};
    border-radius: 8px; padding: 7px 10px; min-height: 20px;
    selection-background-color: {accent}; selection-color: {on_accent}; placeholder-text-color: {muted}; }}
QLineEdit:focus, QDateEdit:focus, QSpinBox:focus, QComboBox:focus {{ border: 2px solid {accent}; padding: 6px 9px; }}
QLineEdit:read-only {{ background: {window}; }}
QLineEdit:disabled, QDateEdit:disabled, QSpinBox:disabled, QComboBox:disabled {{ color: {muted}; background: {window};
    border: 1px dashed {border}; }}
QSpinBox QLineEdit {{ border: none; padding: 0 0 0 9px; min-height: 0; background: transparent; }}
QSpinBox::up-button, QSpinBox::down-button {{ width: 0px; border: none; }}
QSpinBox::up-arrow, QSpinBox::down-arrow {{ width: 0; height: 0; image: none; }}
QComboBox::drop-down, QDateEdit::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow, QDateEdit::down-arrow {{ image: url("{icons}/chevron-down.svg"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {surface}; color: {text}; border: 1px solid {border}; padding: 4px;
    selection-background-color: {accent_soft}; selection-color: {text}; }}
QListWidget {{ background: {surface}; color: {text}; border: 1px solid {border}; border-radius: 12px; padding: 6px;
    outline: none; }}
QListWidget::item {{ border-radius: 8px; padding: 9px 10px; color: {text}; }}
QListWidget::item:hover {{ background: {hover}; }}
QListWidget::item:selected {{ background: {accent_soft}; color: {text}; }}
QListWidget:focus {{ border: 1px solid {accent}; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0 2px; }}
QScrollBar::handle {{ background: {border}; border-radius: 4px; margin: 2px; min-height: 32px; min-width: 32px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {hover}; border: none; border-radius: 5px; max-height: 10px; min-height: 10px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 5px; }}
QWizard, QDialog {{ background: {window}; }}
QCheckBox, QRadioButton {{ spacing: 9px; color: {text}; padding: 3px 2px; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {muted}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 16px; height: 16px; border: 1px solid {muted};
    background: {surface}; }}
QCheckBox::indicator {{ border-radius: 5px; }}
QRadioButton::indicator {{ border-radius: 9px; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border: 2px solid {accent}; width: 14px; height: 14px; }}
QCheckBox:focus, QRadioButton:focus {{ color: {accent}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; image: url("{icons}/{check}.svg"); }}
QRadioButton::indicator:checked {{ border: 5px solid {accent}; width: 8px; height: 8px; }}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ background: {hover}; border-color: {border}; }}
QFileDialog QToolButton {{ background: {under_arrows}; border-radius: 6px; padding: 4px; }}
QCheckBox::indicator:checked:disabled {{ image: url("{icons}/{faint_check}.svg"); }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {border}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {accent}; }}
QSlider::handle:horizontal {{ width: 16px; height: 16px; margin: -6px 0; border-radius: 8px; background: {accent}; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{ background: {border}; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {text}; width: 12px; height: 12px; }}
"""


_forced: list[Theme] = []


def force(theme: Theme) -> None:
    """Use one theme whatever the system says; for pictures of the window."""
    _forced[:] = [theme]


def current() -> Theme:
    """The theme of the system's colour scheme; light where there is none."""
    if _forced:
        return _forced[0]
    hints = QGuiApplication.styleHints()
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def load_font() -> str | None:
    """Load the bundled typeface, so that Chinese needs no font of the machine; its family, None without the file."""
    number = QFontDatabase.addApplicationFont(str(FONT_FILE)) if FONT_FILE.exists() else -1
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return families[0] if families else None


def palette(theme: Theme) -> QPalette:
    """The theme as a palette, for everything that the style sheet does not paint."""
    made = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.ToolTipBase: theme.surface,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.BrightText: theme.danger,
    }
    for name, colour in colours.items():
        made.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.muted))
    return made


def apply(app: QApplication, theme: Theme | None = None) -> Theme:
    """Dress the application; called again when the system changes between light and dark."""
    chosen = theme or current()
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(chosen))
    fields = {name: getattr(chosen, name) for name in Theme.__slots__}
    # A mark stands on the accent, and on the quiet ground of what is switched off: light on one, dark on the other.
    check, faint_check = ("check-dark", "check-light") if chosen.dark else ("check-light", "check-dark")
    # The arrows of Qt's own dialog are black in every palette.
    under_arrows = chosen.muted if chosen.dark else chosen.surface
    app.setStyleSheet(
        _SHEET.format(icons=ICONS.as_posix(), check=check, faint_check=faint_check, under_arrows=under_arrows, **fields)
    )
    return chosen


def dress(app: QApplication) -> Theme:
    """Load the typeface, dress the application and follow the system's colour scheme."""
    family = load_font()
    if family is not None:
        app.setFont(QFont(family, 10))
    app.styleHints().colorSchemeChanged.connect(lambda _: apply(app))
    return apply(app)
