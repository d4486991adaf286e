"""About: who offers this studio, how to complain, and the service agreement; can be read signed out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFormLayout, QFrame, QLineEdit

from studio.text import _, language
from studio.window.models.studio import Studio
from studio.window.pages.label_dialog import LabelDialog
from studio.window.pages.page import Page
from studio.window.pages.withdraw_dialog import TakeDownDialog
from studio.window.widgets.basic import button, card, column, label, named, number_field, row
from studio.window.widgets.reading import Reading

if TYPE_CHECKING:
    from compliance.operator_profile import OperatorProfile


class AboutPage(Page):
    """The operator's profile on the left, the agreement on the right."""

    name = "about"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("About this studio"),
            _("Who answers for what is made here. The producer code goes into the label of every file."),
        )
        self._model = studio.operator
        self._fields: dict[str, QLineEdit] = {}
        self._shown_operator: OperatorProfile | None = None
        self._is_shown = False
        look = button("about_label", _("Look of the label..."))
        look.clicked.connect(self.on_label)
        self.head_actions.addWidget(look)
        both = row(self._build_profile(), self._build_agreement(), spacing=18)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        self.body.addLayout(both, 1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self._model.saved.connect(self.on_saved)
        self._model.accepted.connect(self.on_accepted)
        studio.accounts.changed.connect(self.on_accounts_changed)
        self.on_rights_changed()

    def _build_profile(self) -> QFrame:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(5)
        for name, text, hint in (
            ("name", _("Operator"), _("Name of the company or person")),
            ("credit_code", _("Unified social credit code"), _("18 characters")),
            ("producer_code", _("Producer code"), _("27 characters, as it was given to you")),
            ("filing_number", _("Filing number of the algorithm"), _("As the register prints it")),
            ("filing_link", _("Link to the filing"), "https://"),
            ("contact", _("Contact for complaints"), _("Phone, mail or address")),
            ("complaint_hours", _("Hours for complaints"), "09:00-18:00"),
        ):
            field = named(QLineEdit(), f"about_{name}", text)
            field.setPlaceholderText(hint)
            self._fields[name] = field
            form.addRow(label(text, "strong"), field)
        self._days = number_field("about_complaint_days", _("Working days until an answer"), 1, 15)
        form.addRow(label(_("Working days until an answer"), "strong"), self._days)
        ask = _("Everybody accepts the service agreement before the first release")
        self._asks = named(QCheckBox(_("Ask for the service agreement")), "about_agreement", ask)
        self._asks.setToolTip(ask)
        self._save = button("about_save", _("Save"), "primary")
        self._save.clicked.connect(self.on_save)
        self.default_button = self._save
        return card(column(label(_("Operator"), "heading"), form, self._asks, row(self._save, 1), 1, spacing=10), 18)

    def _build_agreement(self) -> QFrame:
        self.reading = Reading("about_agreement_text", _("Service agreement"))
        self.reading.setMinimumHeight(280)
        self.reading.read_to_end.connect(self.on_rights_changed)
        self._version = label("", "small")
        self._accept = button("about_accept", _("I accept it"))
        self._accept.clicked.connect(self._model.accept)
        head = label(_("Service agreement"), "heading")
        self._code = named(QLineEdit(), "about_withdraw_code", _("Withdrawal code of a receipt"))
        self._code.setPlaceholderText(_("Withdrawal code of a receipt"))
        self._withdraw = button("about_withdraw", _("Withdraw"), "danger", accessible_name=_("Withdraw with this code"))
        self._withdraw.setEnabled(False)
        self._withdraw.clicked.connect(self.on_withdraw)
        self._code.textChanged.connect(lambda text: self._withdraw.setEnabled(bool(text.strip())))
        line = row(self._code, self._withdraw)
        line.setStretch(0, 1)
        body = column(head, self.reading, row(self._accept, self._version, 1), spacing=10)
        body.addSpacing(6)
        body.addWidget(label(_("Withdraw a consent"), "heading"))
        body.addWidget(label(_("Whoever has the code of a receipt withdraws with it, without an account."), "muted"))
        body.addLayout(line)
        body.setStretch(1, 1)
        return card(body, 18)

    def enter(self) -> None:
        """Read anew."""
        self._model.refresh()

    def on_accounts_changed(self) -> None:
        """Another person may have accepted, or not."""
        self.on_rights_changed()
        if self.isVisible():
            self._model.refresh()

    def on_rights_changed(self) -> None:
        """Only an admin changes the profile; only who is signed in accepts the agreement."""
        accounts = self.studio.accounts
        why = accounts.why_not("set_operator") if accounts.is_open else _("Sign in on the page 'Account'.")
        for field in self._fields.values():
            field.setReadOnly(bool(why))
            field.setToolTip(why)
        for widget in (self._days, self._asks, self._save):
            widget.setEnabled(not why)
            if why or widget is not self._asks:
                widget.setToolTip(why)
        unread = "" if self.reading.is_read else _("Scroll to the end to go on.")
        shut = _("Sign in on the page 'Account'.") if not accounts.is_open else unread
        self._accept.setEnabled(not shut)
        self._accept.setToolTip(shut)
        # What is accepted is not asked for again until there is another version.
        self._accept.setVisible(not self._model.has_accepted)
        self._show_version()

    def on_changed(self) -> None:
        """Show what is set."""
        operator, agreement = self._model.operator, self._model.agreement
        if operator != self._shown_operator or operator is None:
            self._show_operator(operator)
        if agreement is not None and self.reading.toPlainText() == "":
            self.reading.show_texts(agreement.texts, language())
        self.on_rights_changed()

    def _show_operator(self, operator: OperatorProfile | None) -> None:
        """Only what was changed elsewhere replaces what is being typed."""
        if operator is None and self._is_shown:
            return
        self._shown_operator, self._is_shown = operator, True
        values = asdict(operator) if operator is not None else {}
        for name, field in self._fields.items():
            field.setText(str(values.get(name, "")))
            field.setCursorPosition(0)
        self._days.setValue(operator.complaint_days if operator is not None else 3)
        self._asks.setChecked(operator.agreement if operator is not None else False)

    def _show_version(self) -> None:
        agreement = self._model.agreement
        version = agreement.version if agreement is not None else ""
        said = _("Version {version}, accepted by you", version=version)
        self._version.setText(said if self._model.has_accepted else _("Version {version}", version=version))
        self._version.setVisible(agreement is not None)

    def on_save(self) -> None:
        """Hand the fields over."""
        self.banner.hide()
        changes: dict[str, Any] = {name: field.text().strip() for name, field in self._fields.items()}
        self._model.keep({**changes, "complaint_days": self._days.value(), "agreement": self._asks.isChecked()})

    def on_label(self) -> None:
        """Choose how the drawn label looks; a home's own matter, and never less than the law asks."""
        dialog = LabelDialog(self.studio, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_withdraw(self) -> None:
        """Withdraw with the code of a receipt; works signed out."""
        self.banner.hide()
        self.studio.people.withdraw_by_code(self._code.text().strip(), self.on_withdrawn, self.banner.show_error)

    def on_withdrawn(self, answer: Any) -> None:
        """It is withdrawn: say what must be taken down."""
        _grant, releases = answer
        self._code.clear()
        if self.studio.accounts.is_open:
            self.studio.people.refresh()
        dialog = TakeDownDialog(None, releases, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_saved(self) -> None:
        """It stands in the ledger."""
        self.banner.show_message("ok", _("The profile is saved."))

    def on_accepted(self) -> None:
        """It stands in the ledger."""
        self.banner.show_message("ok", _("You have accepted the service agreement."))
