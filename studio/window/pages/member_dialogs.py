"""Dialogs of the members' page: a second factor, somebody seen in person, a new password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import QComboBox, QDialog, QFrame, QLineEdit, QWidget

from compliance.errors import SignetError
from studio.text import _
from studio.window.models.members import MembersModel
from studio.window.pages.asking import WIDTH, code_field, password_field
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.words import DOCUMENTS, document_word

if TYPE_CHECKING:
    from compliance.totp import Enrolment

QR_PX = 220


class FactorDialog(QDialog):
    """Shows the secret once, as a QR code and as letters; accepted once a code of it was right."""

    def __init__(self, model: MembersModel, enrolment: Enrolment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("factor_dialog")
        self.setWindowTitle(_("Second factor"))
        self.setMinimumWidth(WIDTH)
        self._model = model
        self.banner = Banner("factor_banner")
        picture = QSvgWidget()
        picture.load(QByteArray(enrolment.as_svg().encode()))
        picture.renderer().setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
        picture.setFixedSize(QR_PX, QR_PX)
        picture.setAccessibleName(_("QR code for the authenticator"))
        # Authenticators read dark on light alone, whatever the colours of the window are.
        paper = QFrame()
        paper.setStyleSheet("QFrame { background: #FFFFFF; border-radius: 10px; }")
        paper.setLayout(column(picture, margins=10))
        secret = named(QLineEdit(enrolment.secret), "factor_secret", _("Secret for the authenticator"))
        secret.setReadOnly(True)
        self._code = code_field("factor_code")
        self._code.returnPressed.connect(self.on_confirm)
        cancel = button("factor_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        confirm = button("factor_confirm", _("Confirm"), "primary")
        confirm.setDefault(True)
        confirm.clicked.connect(self.on_confirm)
        self.setLayout(
            column(
                label(_("Set up a second factor"), "heading"),
                label(_("Scan this with an authenticator or type the secret into it; it is shown once."), "muted"),
                row(1, paper, 1),
                secret,
                self.banner,
                label(_("Code that the authenticator shows now"), "strong"),
                self._code,
                row(1, cancel, confirm),
                spacing=12,
                margins=24,
            )
        )
        self._code.setFocus()

    def on_confirm(self) -> None:
        """Show that the authenticator works."""
        code = self._code.text().strip()
        if code:
            parts = self._model.workshop.members

            def work() -> None:
                parts.confirm_factor(code)

            self._model.done.connect(self.on_done)
            self._model.step(work, self.on_refused)

    def on_done(self, _made: object) -> None:
        """It works."""
        self.accept()

    def on_refused(self, error: SignetError) -> None:
        """Once more."""
        self._model.done.disconnect(self.on_done)
        self._code.clear()
        self._code.setFocus()
        self.banner.show_error(error)


class AttestDialog(QDialog):
    """Says with which document a person was seen; `given` with document, name and number."""

    given = Signal(str, str, str)

    def __init__(self, account: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attest_dialog")
        self.setWindowTitle(_("Seen in person"))
        self.setMinimumWidth(WIDTH)
        self._document = named(QComboBox(), "attest_document", _("Document"))
        for document in DOCUMENTS:
            self._document.addItem(document_word(document), document)
        self._name = named(QLineEdit(), "attest_name", _("Name on the document"))
        self._name.textChanged.connect(self.on_changed)
        self._number = named(QLineEdit(), "attest_number", _("Number on the document (optional)"))
        cancel = button("attest_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        self._confirm = button("attest_confirm", _("I have seen the person"), "primary")
        self._confirm.clicked.connect(self.on_confirm)
        self.setLayout(
            column(
                label(_("Who stands before you as {name}?", name=account), "heading"),
                label(
                    _(
                        "Compare the person with the document. The number is checked and not kept. A second person has "
                        "to confirm it."
                    ),
                    "muted",
                ),
                label(_("Document"), "strong"),
                self._document,
                label(_("Name on the document"), "strong"),
                self._name,
                label(_("Number on the document (optional)"), "strong"),
                self._number,
                row(1, cancel, self._confirm),
                spacing=8,
                margins=24,
            )
        )
        self.on_changed()
        self._name.setFocus()

    def on_changed(self) -> None:
        """A name is needed."""
        self._confirm.setEnabled(bool(self._name.text().strip()))

    def on_confirm(self) -> None:
        """Hand it over."""
        self.given.emit(self._document.currentData(), self._name.text().strip(), self._number.text().strip())
        self._number.clear()
        self.accept()


class PasswordDialog(QDialog):
    """Asks for a new password twice, and for the old one; `given` with old, new and code."""

    given = Signal(str, str, str)

    def __init__(self, title: str, asks_old: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("password_dialog")
        self.setWindowTitle(title)
        self.setMinimumWidth(WIDTH)
        self.banner = Banner("password_banner")
        self._old = password_field("password_old", _("Old password"))
        self._new = password_field("password_new", _("New password"))
        self._again = password_field("password_again", _("New password again"))
        self._code = code_field("password_code")
        self._code.setPlaceholderText(_("Six digits, where there is a second factor"))
        cancel = button("password_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        change = button("password_change", _("Change"), "primary")
        change.setDefault(True)
        change.clicked.connect(self.on_change)
        body = column(label(title, "heading"), spacing=8, margins=24)
        if asks_old:
            body.addWidget(label(_("All sessions of the account end; sign in again afterwards."), "muted"))
        else:
            body.addWidget(label(_("The person of the account types it, not you."), "muted"))
        body.addWidget(self.banner)
        for field in (self._old, self._new, self._again, self._code):
            field.setPlaceholderText(field.placeholderText() or field.accessibleName())
            is_shown = asks_old or field in (self._new, self._again)
            field.setVisible(is_shown)
            if is_shown:
                body.addWidget(field)
            else:
                field.setParent(self)
                field.hide()
        body.addLayout(row(1, cancel, change))
        self.setLayout(body)
        (self._old if asks_old else self._new).setFocus()

    def on_change(self) -> None:
        """Hand it over when it was typed twice the same."""
        if not self._new.text() or self._new.text() != self._again.text():
            self.banner.show_message("danger", _("The two passwords differ."), _("Type the same password twice."))
            self._again.clear()
            return
        self.given.emit(self._old.text(), self._new.text(), self._code.text().strip())
        self.accept()
