"""Two dialogs that a step may need before it goes on: the password again, and the service agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QDialog, QLineEdit, QPlainTextEdit, QWidget

from compliance.errors import SignetError
from studio.text import _, language
from studio.window.models.studio import Studio
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.widgets.reading import Reading

if TYPE_CHECKING:
    from compliance.operator_profile import Agreement

WIDTH = 480


def password_field(object_name: str, accessible_name: str) -> QLineEdit:
    """A field whose letters are not shown."""
    made = named(QLineEdit(), object_name, accessible_name)
    made.setEchoMode(QLineEdit.EchoMode.Password)
    return made


def code_field(object_name: str) -> QLineEdit:
    """A field for the six digits of an authenticator."""
    made = named(QLineEdit(), object_name, _("Code of the authenticator"))
    made.setPlaceholderText(_("Six digits"))
    made.setMaxLength(8)
    return made


class StepUpDialog(QDialog):
    """Asks for the password, and the code where there is one; accepted once the workshop has taken them."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("step_up_dialog")
        self.setWindowTitle(_("Password"))
        self.setMinimumWidth(WIDTH)
        self._studio = studio
        self.banner = Banner("step_up_banner")
        self._password = password_field("step_up_password", _("Password"))
        self._code = code_field("step_up_code")
        member = studio.accounts.member
        # Shown before it has its place, a field would be a window of its own for a moment: it is only ever hidden here.
        if member is None or not member.has_factor:
            self._code.hide()
        cancel = button("step_up_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        self._go_on = button("step_up_confirm", _("Go on"), "primary")
        self._go_on.setDefault(True)
        self._go_on.clicked.connect(self.on_confirm)
        name = studio.accounts.session.username if studio.accounts.session else ""
        self.setLayout(
            column(
                label(_("This step needs the password again"), "heading"),
                label(_("{name}, please show that it is you.", name=name), "muted"),
                self.banner,
                self._password,
                self._code,
                row(1, cancel, self._go_on),
                spacing=12,
                margins=24,
            )
        )
        self._password.setFocus()

    def on_confirm(self) -> None:
        """Show the password to the workshop."""
        if not self._go_on.isEnabled():
            return
        password, code = self._password.text(), self._code.text().strip() or None
        self._go_on.setEnabled(False)
        members = self._studio.workshop.members
        self._studio.calls.run(lambda: members.step_up(password, code), self.on_taken, self.on_refused)

    def on_taken(self, _answer: object) -> None:
        """It was right."""
        self.accept()

    def on_refused(self, error: SignetError) -> None:
        """It was not; once more."""
        self._go_on.setEnabled(True)
        if error.name == "CodeNeeded":
            self._code.setVisible(True)
            self._code.setFocus()
        else:
            self._password.clear()
            self._code.clear()
            self._password.setFocus()
        self.banner.show_error(error)


class AgreementDialog(QDialog):
    """Shows the service agreement; accepting it can be pressed once it was read to the end."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("agreement_dialog")
        self.setWindowTitle(_("Service agreement"))
        self.setMinimumSize(620, 520)
        self._studio = studio
        self._version = ""
        self.banner = Banner("agreement_banner")
        self.reading = Reading("agreement_text", _("Service agreement"))
        self._accept = button("agreement_accept", _("I accept it"), "primary")
        self._accept.setEnabled(False)
        self._accept.clicked.connect(self.on_accept)
        self.reading.read_to_end.connect(self.on_read)
        leave = button("agreement_leave", _("Not now"))
        leave.clicked.connect(self.reject)
        body = column(
            label(_("Before the first release"), "heading"),
            label(_("The operator of this studio asks everybody to accept this agreement, once."), "muted"),
            self.banner,
            self.reading,
            label(_("Scroll to the end to go on."), "small"),
            row(1, leave, self._accept),
            spacing=12,
            margins=24,
        )
        body.setStretch(3, 1)
        self.setLayout(body)
        self.reading.setFocus()
        studio.calls.run(studio.workshop.casework.agreement, self.on_there, self.banner.show_error)

    def on_there(self, agreement: Agreement) -> None:
        """Show the text in the reader's language first, then the other one."""
        self._version = agreement.version
        self.reading.show_texts(agreement.texts, language())

    def on_read(self) -> None:
        """It was read to the end."""
        self._accept.setEnabled(bool(self._version))

    def on_accept(self) -> None:
        """Say so."""
        version, casework = self._version, self._studio.workshop.casework

        def then(_answer: Any) -> None:
            self.accept()

        self._studio.calls.run(lambda: casework.accept_agreement(version), then, self.banner.show_error)


class TextDialog(QDialog):
    """Asks for one text in several lines; `text` once it was accepted."""

    def __init__(
        self, name: str, title: str, lead: str, confirm: str, parent: QWidget | None = None, danger: bool = False
    ) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}_dialog")
        self.setWindowTitle(title)
        self.setMinimumWidth(WIDTH)
        self._text = named(QPlainTextEdit(), f"{name}_text", title)
        self._text.setTabChangesFocus(True)
        self._text.setFixedHeight(140)
        self._text.textChanged.connect(self.on_changed)
        cancel = button(f"{name}_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        self._confirm = button(f"{name}_confirm", confirm, "danger" if danger else "primary")
        self._confirm.clicked.connect(self.accept)
        self.fields = column(spacing=8)
        self.setLayout(
            column(
                label(title, "heading"),
                label(lead, "muted"),
                self.fields,
                self._text,
                row(1, cancel, self._confirm),
                spacing=12,
                margins=24,
            )
        )
        self.on_changed()
        self._text.setFocus()

    def text(self) -> str:
        """What was written."""
        return self._text.toPlainText().strip()

    def on_changed(self) -> None:
        """Without a text there is nothing to confirm."""
        self._confirm.setEnabled(bool(self.text()))
