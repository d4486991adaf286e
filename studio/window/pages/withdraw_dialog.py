"""Three small dialogs: withdraw a consent, erase a person, and what must be taken down after either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox, QDialog, QLineEdit, QListWidget, QWidget

from studio.text import _
from studio.window.pages.asking import password_field
from studio.window.widgets.basic import button, column, label, moment, named, row

if TYPE_CHECKING:
    from studio.workshop import ReleaseView

WIDTH = 520


class WithdrawDialog(QDialog):
    """Asks before a consent is withdrawn; keeping it is the default.

    passphrase is empty unless the person typed theirs.
    """

    def __init__(self, person: str, purposes: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("withdraw_dialog")
        self.setWindowTitle(_("Withdraw consent"))
        self.setMinimumWidth(WIDTH)
        self._reason = named(QLineEdit(), "withdraw_reason", _("Reason (optional)"))
        self._reason.setPlaceholderText(_("Reason (optional)"))
        own = _("The person is here and withdraws with their passphrase")
        self._own = named(QCheckBox(own), "withdraw_own", own)
        self._passphrase = password_field("withdraw_passphrase", _("Passphrase of the person"))
        self._passphrase.setPlaceholderText(_("Passphrase of the person"))
        self._passphrase.textChanged.connect(self.on_changed)
        self._passphrase.hide()
        self._own.toggled.connect(self.on_changed)
        keep = button("withdraw_keep", _("Keep the consent"))
        keep.setDefault(True)
        keep.clicked.connect(self.reject)
        self._withdraw = button("withdraw_confirm", _("Withdraw"), "danger")
        self._withdraw.clicked.connect(self.accept)
        self.setLayout(
            column(
                label(_("Withdraw the consent of {name}?", name=person), "heading"),
                label(_("It covered: {purposes}.", purposes=purposes)),
                label(
                    _(
                        "Nothing more can be made with it from now on, and this cannot be taken back. Files that were "
                        "released under it will be listed, so that you can take them down."
                    ),
                    "muted",
                ),
                self._reason,
                self._own,
                self._passphrase,
                row(1, keep, self._withdraw),
                spacing=14,
                margins=24,
            )
        )
        keep.setFocus()

    def on_changed(self) -> None:
        """With a passphrase it is the person's own act: no reason is asked for."""
        own = self._own.isChecked()
        self._passphrase.setVisible(own)
        self._reason.setEnabled(not own)
        self._withdraw.setEnabled(not own or bool(self._passphrase.text()))
        if own and not self._passphrase.text():
            self._passphrase.setFocus()

    def take_passphrase(self) -> str:
        """What the person typed, handed over once; empty when the studio withdraws."""
        typed = self._passphrase.text() if self._own.isChecked() else ""
        self._passphrase.clear()
        return typed

    def reason(self) -> str:
        """What was typed."""
        return self._reason.text().strip()


class EraseDialog(QDialog):
    """Asks before a person is erased; says what is destroyed and what stays."""

    def __init__(self, person: str, live: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("erase_dialog")
        self.setWindowTitle(_("Erase a person"))
        self.setMinimumWidth(WIDTH)
        understood = _("I understand that this cannot be taken back")
        self._understood = named(QCheckBox(understood), "erase_understood", understood)
        keep = button("erase_keep", _("Keep the person"))
        keep.setDefault(True)
        keep.clicked.connect(self.reject)
        erase = button("erase_confirm", _("Erase"), "danger")
        erase.setEnabled(False)
        erase.clicked.connect(self.accept)
        self._understood.toggled.connect(erase.setEnabled)
        ends = _("1 live consent ends") if live == 1 else _("{count} live consents end", count=live)
        self.setLayout(
            column(
                label(_("Erase {name}?", name=person), "heading"),
                label(_("What is destroyed"), "strong"),
                label(
                    _(
                        "The name, the evidence, the templates of face and voice, and the person's key: what was "
                        "sealed with it can be read by nobody, in old copies of this home neither. {ends}, and work "
                        "under them stops.",
                        ends=ends,
                    ),
                    "muted",
                ),
                label(_("What stays"), "strong"),
                label(
                    _(
                        "The entries of the ledger, which know the person by an id alone, and released files: you get "
                        "a list of them, to take them down."
                    ),
                    "muted",
                ),
                self._understood,
                row(1, keep, erase),
                spacing=10,
                margins=24,
            )
        )
        keep.setFocus()


class TakeDownDialog(QDialog):
    """Lists the releases made under a withdrawn consent, or with the likeness of an erased person."""

    def __init__(
        self, person: str | None, releases: list[ReleaseView], parent: QWidget | None = None, erased: bool = False
    ) -> None:
        super().__init__(parent)
        self.setObjectName("take_down_dialog")
        self.setWindowTitle(_("Person erased") if erased else _("Consent withdrawn"))
        self.setMinimumWidth(WIDTH)
        done = button("take_down_close", _("Close"), "primary")
        done.setDefault(True)
        done.clicked.connect(self.accept)
        what = _("The consent of {name} is withdrawn.", name=person) if person else _("The consent is withdrawn.")
        if erased:
            what = _("What was kept about the person is erased.")
        body = column(label(what, "heading"), spacing=14, margins=24)
        if releases:
            body.addWidget(label(_("These files were made under it. Take them down wherever they were published:")))
            files = named(QListWidget(), "take_down_list", _("Files to take down"))
            for release in releases:
                files.addItem(f"{release.path}\n{moment(release.created_at)}")
            files.setMinimumHeight(min(5, len(releases)) * 58 + 20)
            body.addWidget(files)
        else:
            body.addWidget(label(_("No file was released under it, so there is nothing to take down.")))
        body.addLayout(row(1, done))
        self.setLayout(body)
        done.setFocus()
