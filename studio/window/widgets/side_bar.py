"""The side bar: where one is, where one can go, and the language."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFrame, QPushButton

from studio.text import LANGUAGES, _, language
from studio.window import icons
from studio.window.theme import ICONS
from studio.window.widgets.basic import button, column, label, named, row

WIDTH = 216
ENTRIES = (
    "people",
    "workspace",
    "pictures",
    "voice",
    "make",
    "library",
    "sealing",
    "verify",
    "members",
    "cases",
    "about",
)
MOST_KEYS = 9
OPEN_WITHOUT_SESSION = ("verify", "account", "about")


def entry_title(name: str) -> str:
    """The name of a page in the side bar."""
    return {
        "people": _("People and consent"),
        "workspace": _("Workspace"),
        "pictures": _("Pictures"),
        "voice": _("Voices"),
        "make": _("Make"),
        "library": _("Library"),
        "sealing": _("Label other files"),
        "verify": _("Verify"),
        "members": _("Members"),
        "cases": _("Cases"),
        "about": _("About"),
        "account": _("Account"),
    }[name]


class SideBar(QFrame):
    """The entries, the first nine with Ctrl+1 … Ctrl+9, the account with Ctrl+0, and the language."""

    chosen = Signal(str)
    language_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("side_bar")
        self.setFixedWidth(WIDTH)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        seal = QSvgWidget(str(ICONS / "seal.svg"))
        seal.setFixedSize(34, 34)
        body = column(row(seal, label("Signet", "brand", wrap=False), 1, spacing=10), spacing=4, margins=14)
        body.addSpacing(16)
        for number, name in enumerate(ENTRIES, 1):
            body.addWidget(self._entry(name, f"Ctrl+{number}" if number <= MOST_KEYS else ""))
        body.addStretch(1)
        body.addWidget(self._entry("account", "Ctrl+0"))
        self._languages = named(QComboBox(), "side_language", _("Language"))
        for code, title in zip(LANGUAGES, ("English", "简体中文"), strict=True):
            self._languages.addItem(title, code)
        self._languages.setCurrentIndex(self._languages.findData(language()))
        self._languages.currentIndexChanged.connect(self.on_language_index_changed)
        body.addSpacing(6)
        body.addWidget(self._languages)
        self.setLayout(body)

    def _entry(self, name: str, keys: str) -> QPushButton:
        made = button(f"side_{name}", entry_title(name))
        made.setCheckable(True)
        made.setIcon(icons.checkable_icon(name))
        made.setIconSize(icons.SIZE)
        if keys:
            made.setShortcut(keys)
        made.setToolTip(f"{entry_title(name)} ({keys})" if keys else entry_title(name))
        made.setAutoDefault(False)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.clicked.connect(lambda: self.chosen.emit(name))
        self._group.addButton(made)
        self._buttons[name] = made
        return made

    def show_current(self, name: str) -> None:
        """Mark the page in front; the release page belongs to Make."""
        self._buttons["make" if name == "release" else name].setChecked(True)

    def set_open(self, is_open: bool) -> None:
        """Signed out, only Verify, About and Account can be reached."""
        for name, entry in self._buttons.items():
            entry.setEnabled(is_open or name in OPEN_WITHOUT_SESSION)

    def set_account(self, username: str | None) -> None:
        """Who is signed in."""
        entry = self._buttons["account"]
        keys = entry.shortcut()
        entry.setText((username or entry_title("account")).replace("&", "&&"))
        entry.setShortcut(keys)  # Qt drops a button's shortcut with its old text

    def on_language_index_changed(self, index: int) -> None:
        """Another language."""
        self.language_chosen.emit(self._languages.itemData(index))
