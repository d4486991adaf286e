"""What concerns one's own account: the number beside the declaration, closing it, and the national network identity."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QLineEdit, QWidget

from compliance.errors import SignetError
from studio.text import _
from studio.window.models.accounts import AccountsModel
from studio.window.pages.asking import WIDTH, code_field, password_field
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.widgets.file_line import FileLine


def number_line(object_name: str) -> QLineEdit:
    """A field for the number of an identity card; what is typed is hidden and forgotten once it was handed over."""
    made = password_field(object_name, _("Number of the identity card (optional)"))
    made.setPlaceholderText(made.accessibleName())
    made.setMaxLength(32)
    return made


def attest_note() -> str:
    """Why a later account cannot declare itself, and what it does instead."""
    return _(
        "Only the operator declares an identity: an admin, or the only account. For every other account two people "
        "vouch: on the page Members an admin enters the document that was shown (Seen in person), and another person "
        "confirms it there. A provider of identity that the studio has set up does as well."
    )


def number_note() -> str:
    """What happens to the number."""
    return _("The number is checked here in memory (GB 11643) and dropped; it is not stored and not sent.")


class CloseAccountDialog(QDialog):
    """Says what goes and what stays, then asks for the password; accepted once the account is closed."""

    def __init__(self, model: AccountsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("close_account_dialog")
        self.setWindowTitle(_("Close the account"))
        self.setMinimumWidth(WIDTH)
        self._model = model
        self.banner = Banner("close_account_banner")
        name = model.session.username if model.session is not None else ""
        understood = _("I understand that this cannot be taken back")
        self._understood = named(QCheckBox(understood), "close_account_understood", understood)
        self._understood.toggled.connect(self.on_changed)
        self._password = password_field("close_account_password", _("Password"))
        self._password.setPlaceholderText(_("Password"))
        self._password.textChanged.connect(self.on_changed)
        self._password.returnPressed.connect(self.on_confirm)
        self._code = code_field("close_account_code")
        # Shown before it has its place, a field would be a window of its own for a moment: it is only ever hidden here.
        if model.member is None or not model.member.has_factor:
            self._code.hide()
        keep = button("close_account_keep", _("Keep the account"))
        keep.setDefault(True)
        keep.clicked.connect(self.reject)
        self._confirm = button("close_account_confirm", _("Close for good"), "danger")
        self._confirm.clicked.connect(self.on_confirm)
        self.setLayout(
            column(
                label(_("Close the account {name}?", name=name), "heading"),
                label(_("What goes"), "strong"),
                label(
                    _(
                        "Your name, your roles, your proof of identity and everything that is sealed for this account. "
                        "Nobody can read it afterwards. You are signed out at once."
                    ),
                    "muted",
                ),
                label(_("What stays"), "strong"),
                label(
                    _(
                        "Released files, the consents that you recorded, and the entries of the ledger; they know the "
                        "account by its id alone."
                    ),
                    "muted",
                ),
                self.banner,
                self._understood,
                self._password,
                self._code,
                row(1, keep, self._confirm),
                spacing=10,
                margins=24,
            )
        )
        self.on_changed()
        self._understood.setFocus()

    def on_changed(self) -> None:
        """Both are needed."""
        self._confirm.setEnabled(self._understood.isChecked() and bool(self._password.text()))

    def on_confirm(self) -> None:
        """Close it."""
        if self._confirm.isEnabled():
            self._confirm.setEnabled(False)
            self.banner.hide()
            code = self._code.text().strip() or None
            self._model.close(self._password.text(), code, self.on_closed, self.on_refused)

    def on_closed(self, _answer: object) -> None:
        """It is closed."""
        self._password.clear()
        self.accept()

    def on_refused(self, error: SignetError) -> None:
        """Say why."""
        if error.name == "CodeNeeded":
            self._code.setVisible(True)
            self._code.setFocus()
        else:
            self._password.clear()
            self._code.clear()
            self._password.setFocus()
        self.on_changed()
        self.banner.show_error(error)


class NationalDialog(QDialog):
    """Asks for the operator's settings of the service and the credential of one's own app; `given` with path and it."""

    given = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("national_dialog")
        self.setWindowTitle(_("National network identity"))
        self.setMinimumWidth(WIDTH + 80)
        self._settings = FileLine("national_settings", _("Settings of the service"), _("JSON (*.json)"))
        self._settings.changed.connect(self.on_changed)
        self._credential = password_field("national_credential", _("Credential from your app"))
        self._credential.setPlaceholderText(_("Credential from your app"))
        self._credential.textChanged.connect(self.on_changed)
        self._credential.returnPressed.connect(self.on_confirm)
        cancel = button("national_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        self._confirm = button("national_confirm", _("Ask the service"), "primary")
        self._confirm.clicked.connect(self.on_confirm)
        self.setLayout(
            column(
                label(_("National network identity"), "heading"),
                label(
                    _(
                        "The app of the national service gives you a credential for one use. Only the service's answer "
                        "comes back: no name, no number, no picture is sent or kept."
                    ),
                    "muted",
                ),
                label(_("Settings of the service"), "strong"),
                self._settings,
                label(_("The operator of the studio has this file from the contract with the service."), "small"),
                label(_("Credential from your app"), "strong"),
                self._credential,
                row(1, cancel, self._confirm),
                spacing=8,
                margins=24,
            )
        )
        self.on_changed()
        self._settings.choose.setFocus()

    def on_changed(self) -> None:
        """Both are needed."""
        self._confirm.setEnabled(self._settings.path is not None and bool(self._credential.text().strip()))

    def on_confirm(self) -> None:
        """Hand both over and forget the credential."""
        if self._confirm.isEnabled():
            credential = self._credential.text().strip()
            self._credential.clear()
            self.given.emit(self._settings.path, credential)
            self.accept()
