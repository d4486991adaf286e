"""Sign in, make an account with the operator's declaration, or look at the account that is signed in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
)

from compliance.errors import CodeNeeded, SignetError, WrongCode
from studio.text import _
from studio.window.models.studio import Studio
from studio.window.pages.asking import code_field, password_field
from studio.window.pages.own_account import CloseAccountDialog, attest_note, number_line, number_note
from studio.window.pages.page import Page
from studio.window.widgets.basic import button, card, chip, clear, column, holder, label, named, row
from studio.window.words import level_word

FORM_WIDTH = 460


class AccountPage(Page):
    """Four faces: sign in, create, unlock, signed in."""

    name = "account"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("Account"),
            _("Every release names the account that made it. Accounts stay on this computer."),
        )
        self._model = studio.accounts
        self._creating = False
        self._place = column(spacing=0)
        self.body.addWidget(holder(self._place))
        self.body.addStretch(1)
        self._model.changed.connect(self.on_changed)
        self._model.created.connect(self.on_created)
        self._model.failed.connect(self.on_failed)
        self._model.busy_changed.connect(self.on_busy_changed)
        self.on_changed()

    def enter(self) -> None:
        """Read who is there, and be ready to type."""
        if not self._model.is_loaded:
            self._model.refresh()
        self._focus_first()

    def on_changed(self) -> None:
        """Show the face that fits who is there."""
        self._creating = False
        self.banner.hide()
        self._show()

    def on_created(self, username: str) -> None:
        """Another account was added while somebody is signed in."""
        if self.isVisible() and len(self._model.accounts) > 1:
            what = _("The account {name} is there.", name=username)
            self.banner.show_message("ok", what, _("To use it, sign out and sign in with its password."))

    def on_failed(self, error: SignetError) -> None:
        """Say what was refused and let the password be typed again."""
        super().on_failed(error)
        code = self.findChild(QLineEdit, "account_code")
        if isinstance(error, CodeNeeded | WrongCode) and code is not None:
            # The password was right: only the code is missing.
            code.setVisible(True)
            code.clear()
            code.setFocus()
            return
        for field in self.findChildren(QLineEdit):
            if field.echoMode() is QLineEdit.EchoMode.Password:
                field.clear()
        if (password := self.findChild(QLineEdit, "account_password")) is not None:
            password.setFocus()

    def on_busy_changed(self, busy: bool) -> None:
        """No second press while the first is answered."""
        if self.default_button is not None:
            self.default_button.setEnabled(not busy)

    def _show(self) -> None:
        clear(self._place)
        self.default_button = None
        session = self._model.session
        if not self._model.is_loaded:
            made = card(column(label(_("Looking for accounts..."), "muted")))
        elif session is not None and session.unlocked:
            made = self._create() if self._creating else self._signed_in()
        elif session is not None:
            made = self._unlock(session.username)
        elif not self._model.accounts:
            made = self._create()
        else:
            made = self._sign_in()
        made.setMaximumWidth(FORM_WIDTH + 60)
        self._place.addWidget(made)
        self._focus_first()

    def _focus_first(self) -> None:
        for name in ("account_name", "account_password"):
            field = self.findChild(QLineEdit, name)
            if field is not None and self.isVisible():
                field.setFocus()
                return

    def _sign_in(self) -> QFrame:
        accounts = named(QListWidget(), "account_list", _("Accounts on this computer"))
        last = self.studio.settings["account"]
        for account in self._model.accounts:
            item = QListWidgetItem(account.username)
            item.setData(Qt.ItemDataRole.UserRole, account.username)
            accounts.addItem(item)
            if account.username == last or accounts.currentItem() is None:
                accounts.setCurrentItem(item)
        accounts.setMaximumHeight(min(4, len(self._model.accounts)) * 40 + 16)
        password = password_field("account_password", _("Password"))
        password.setPlaceholderText(_("Password"))
        code = code_field("account_code")
        code.hide()
        enter = button("account_sign_in", _("Sign in"), "primary")

        def on_enter() -> None:
            item = accounts.currentItem()
            if item is not None and enter.isEnabled():
                self._model.login(item.data(Qt.ItemDataRole.UserRole), password.text(), code.text().strip() or None)

        enter.clicked.connect(on_enter)
        for field in (password, code):
            field.returnPressed.connect(on_enter)
        self.default_button = enter
        return card(
            column(
                label(_("Who is working?"), "heading"),
                accounts,
                label(_("Password"), "strong"),
                password,
                code,
                row(enter, 1),
                label(_("To add an account, sign in first: an account that is there lets the next one in."), "small"),
            ),
            24,
        )

    def _unlock(self, username: str) -> QFrame:
        password = password_field("account_password", _("Password"))
        code = code_field("account_code")
        code.hide()
        enter = button("account_unlock", _("Unlock"), "primary")
        leave = button("account_sign_out", _("Sign out"), "quiet")

        def on_enter() -> None:
            if enter.isEnabled():
                self._model.unlock(password.text(), code.text().strip() or None)

        enter.clicked.connect(on_enter)
        for field in (password, code):
            field.returnPressed.connect(on_enter)
        leave.clicked.connect(self._model.logout)
        self.default_button = enter
        return card(
            column(
                label(_("{name} is signed in", name=username), "heading"),
                label(_("The keys are locked. Enter the password to open them for this session."), "muted"),
                password,
                code,
                row(enter, 1, leave),
            ),
            24,
        )

    def _create(self) -> QFrame:
        name = named(QLineEdit(), "account_name", _("Account name"))
        name.setPlaceholderText(_("2 to 40 letters, digits, dots, dashes or underscores"))
        password = password_field("account_password", _("Password"))
        again = password_field("account_password_again", _("Password again"))
        declare = named(
            QCheckBox(_("I make the operator's declaration")), "account_declare", _("Operator's declaration")
        )
        real_name = named(QLineEdit(), "account_real_name", _("Your full name"))
        real_name.setPlaceholderText(_("Your full name"))
        # A statement of this weight is made, never found made: nothing is ticked beforehand.
        real_name.setEnabled(False)
        declare.toggled.connect(real_name.setEnabled)
        number = number_line("account_number")
        number.setEnabled(False)
        declare.toggled.connect(number.setEnabled)
        is_first = not self._model.accounts
        create = button("account_create", _("Create account"), "primary")
        back = button("account_back", _("Back"), "quiet")
        back.setVisible(bool(self._model.accounts))
        back.clicked.connect(self.on_back)

        def on_create() -> None:
            if not create.isEnabled():
                return
            if password.text() != again.text():
                self.banner.show_message("danger", _("The two passwords differ."), _("Type the same password twice."))
                again.clear()
                again.setFocus()
            elif declare.isChecked() and not real_name.text().strip():
                self.banner.show_message(
                    "danger",
                    _("The declaration needs your full name."),
                    _("Enter it, or untick the declaration: then you can look around but release nothing."),
                )
                real_name.setFocus()
            else:
                declared = real_name.text().strip() if declare.isChecked() else None
                given = number.text().strip() if is_first and declared is not None else ""
                number.clear()
                self._model.create(name.text().strip(), password.text(), declared, given or None)

        create.clicked.connect(on_create)
        for field in (name, password, again, real_name, number):
            field.returnPressed.connect(on_create)
        self.default_button = create
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(9)
        form.addRow(label(_("Account name"), "strong"), name)
        form.addRow(label(_("Password"), "strong"), password)
        form.addRow(label(_("Password again"), "strong"), again)
        heading = _("Welcome. Create your account") if is_first else _("Add another account")
        later = (named(label(attest_note(), "muted"), "account_attest_note", attest_note()),)
        of_the_first = (
            declare,
            label(self._declaration(), "muted"),
            real_name,
            number,
            label(number_note(), "small"),
        )
        said = of_the_first if is_first else later
        return card(
            column(
                label(heading, "heading"),
                form,
                label(_("A forgotten password cannot be recovered."), "small"),
                *said,
                row(create, 1, back),
            ),
            24,
        )

    def _declaration(self) -> str:
        return _(
            "I am the person named here. I answer for what I make with this account, I use a likeness only with the "
            "person's consent, and I leave the labels on what I publish. The declaration holds for 12 months."
        )

    def _signed_in(self) -> QFrame:
        account = self._model.account
        name = self._model.session.username if self._model.session else ""
        proven = account is not None and account.level != "none"
        level = account.level if account is not None else "none"
        may_declare = self._model.member is None or self._model.member.may_declare
        state = (
            chip(_("declared") if level == "self" else level_word(level), "ok")
            if proven
            else chip(_("no declaration") if may_declare else _("no proof of identity"), "warn")
        )
        leave = button("account_sign_out", _("Sign out"))
        leave.clicked.connect(self._model.logout)
        another = button("account_to_create", _("Add another account..."), "quiet", "plus")
        another.clicked.connect(self.on_to_create)
        body = column(row(label(name, "heading", wrap=False), state, 1))
        if proven and account is not None:
            until = (account.proof_until or "")[:10]
            holds = _("The operator's declaration holds until {date}.", date=until)
            proof = _("The proof of identity holds until {date}.", date=until)
            body.addWidget(label(holds if level == "self" else proof, "muted"))
            onward = button("account_to_people", _("People and consent"), "primary")
            onward.clicked.connect(lambda: self.go.emit("people"))
            body.addLayout(row(onward, leave, 1, another))
            self.default_button = onward
            body.addLayout(row(self._close_button(), 1))
            return card(body, 24)
        if not may_declare:
            return self._attested_only(body, row(leave, 1, another))
        body.addWidget(label(_("Without a valid declaration nothing can be released."), "muted"))
        body.addWidget(label(self._declaration(), "muted"))
        real_name = named(QLineEdit(), "account_real_name", _("Your full name"))
        real_name.setPlaceholderText(_("Your full name"))
        number = number_line("account_number")
        declare = button("account_declare_now", _("Make the declaration"), "primary")

        def on_declare() -> None:
            if real_name.text().strip() and declare.isEnabled():
                given = number.text().strip()
                number.clear()
                self._model.declare(real_name.text().strip(), given or None)

        declare.clicked.connect(on_declare)
        for field in (real_name, number):
            field.returnPressed.connect(on_declare)
        body.addWidget(real_name)
        body.addWidget(number)
        body.addWidget(label(number_note(), "small"))
        body.addLayout(row(declare, leave, 1, another))
        body.addLayout(row(self._close_button(), 1))
        self.default_button = declare
        return card(body, 24)

    def _attested_only(self, body: QVBoxLayout, actions: QHBoxLayout) -> QFrame:
        """For an account whose own declaration would be refused: what proves it instead."""
        body.addWidget(label(_("Without a proof of identity nothing can be released."), "muted"))
        body.addWidget(named(label(attest_note(), "muted"), "account_attest_note", attest_note()))
        onward = button("account_to_members", _("Members"), "primary")
        onward.clicked.connect(lambda: self.go.emit("members"))
        body.addLayout(row(onward, 1))
        body.addLayout(actions)
        body.addLayout(row(self._close_button(), 1))
        self.default_button = onward
        return card(body, 24)

    def _close_button(self) -> QPushButton:
        made = button("account_close", _("Close this account..."), "quiet")
        made.clicked.connect(self.on_close_account)
        return made

    def on_close_account(self) -> None:
        """Tell what it means, and ask for the password."""
        self.banner.hide()
        dialog = CloseAccountDialog(self._model, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_to_create(self) -> None:
        """Another account."""
        self._creating = True
        self.banner.hide()
        self._show()

    def on_back(self) -> None:
        """Not after all."""
        self._creating = False
        self.banner.hide()
        self._show()
