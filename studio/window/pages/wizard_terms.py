"""The end of the consent wizard: scope, review in plain words, and what is shown once it is recorded."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QCheckBox, QDateEdit, QFormLayout, QLineEdit

from compliance.errors import SignetError
from studio.text import _
from studio.window.models.people import ConsentDraft, PeopleModel, months_later
from studio.window.models.picture_slot import PictureSlot
from studio.window.pages.receipt_dialog import ask_receipt_out
from studio.window.pages.wizard_steps import RECORDED, REVIEW, Step
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, card, column, holder, label, named, number_field, row, scrolling
from studio.window.widgets.file_dialogs import choose_file
from studio.window.words import FORBIDDEN, PURPOSES, age_word, purpose_word, purposes_text, use_word

MAX_MONTHS = 12
_SEPARATORS = re.compile(r"[,;，；、]")


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list that a person typed."""
    return tuple(part.strip() for part in _SEPARATORS.split(text) if part.strip())


class ScopeStep(Step):
    """For what, where, how often and for how long; each purpose by itself."""

    def __init__(self, draft: ConsentDraft) -> None:
        super().__init__(
            "scope", _("What is allowed, and until when?"), _("Tick only what the person agreed to, each by itself.")
        )
        self._draft = draft
        self._ticks: dict[str, QCheckBox] = {}
        purposes = column(label(_("Purposes"), "strong"), spacing=3)
        for purpose in PURPOSES:
            tick = named(QCheckBox(purpose_word(purpose)), f"wizard_purpose_{purpose}", purpose_word(purpose))
            tick.toggled.connect(self.completeChanged)
            self._ticks[purpose] = tick
            purposes.addWidget(tick)
        purposes.addSpacing(8)
        purposes.addWidget(label(_("Forbidden, unless unticked"), "strong"))
        self._uses: dict[str, QCheckBox] = {}
        for use in FORBIDDEN:
            tick = named(QCheckBox(use_word(use)), f"wizard_forbid_{use}", _("Forbidden: {use}", use=use_word(use)))
            tick.setChecked(True)
            self._uses[use] = tick
            purposes.addWidget(tick)
        purposes.addStretch(1)
        self._from = self._date("wizard_valid_from", _("First day"), draft.valid_from)
        self._until = self._date("wizard_valid_until", _("Last day"), draft.valid_until)
        self._from.dateChanged.connect(self.on_from_changed)
        self.on_from_changed(self._from.date())
        self._until.setDate(self._until.maximumDate())
        self._territories = self._line("wizard_territories", _("Countries"), _("Anywhere; or codes such as CN, HK"))
        self._projects = self._line("wizard_projects", _("Projects"), _("Any project; or names"))
        self._recipients = self._line("wizard_recipients", _("Recipients"), _("Nobody besides the studio"))
        self._outputs = number_field("wizard_max_outputs", _("Most releases"), 0, 1_000_000)
        self._outputs.setSpecialValueText(_("no limit"))
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(5)
        days = row(self._dated(_("First day"), self._from), self._dated(_("Last day"), self._until), spacing=12)
        form.addRow(days)
        form.addRow(label(_("At most 12 months; after that the person is asked again."), "small"))
        for field, help_text in (
            (self._territories, _("Codes of two letters; whoever makes something names the country.")),
            (self._projects, _("Letters, digits, dots, dashes; whoever makes something names the project.")),
            (self._recipients, _("Kept encrypted; it stands on the receipt.")),
            (self._outputs, ""),
        ):
            form.addRow(label(field.accessibleName(), "strong"), field)
            if help_text:
                form.addRow(label(help_text, "small"))
        terms = column(form, 1, spacing=6)
        both = row(card(purposes, 16), card(terms, 16), spacing=14)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        self.body.addLayout(both)
        self.body.addStretch(1)

    def _dated(self, text: str, field: QDateEdit) -> Any:
        return column(label(text, "strong"), field, spacing=4)

    def _line(self, object_name: str, name: str, placeholder: str) -> QLineEdit:
        made = named(QLineEdit(), object_name, name)
        made.setPlaceholderText(placeholder)
        made.textChanged.connect(self.completeChanged)
        return made

    def _date(self, object_name: str, name: str, day: date) -> QDateEdit:
        made = named(QDateEdit(QDate(day.year, day.month, day.day)), object_name, name)
        made.setDisplayFormat("yyyy-MM-dd")
        made.setCalendarPopup(True)
        return made

    def initializePage(self) -> None:
        """For minors nothing special can be allowed."""
        for tick in self._uses.values():
            tick.setEnabled(not self._draft.is_minor)
            if self._draft.is_minor:
                tick.setChecked(True)
                tick.setToolTip(_("For minors this stays forbidden."))

    def focus_first(self) -> None:
        """Ready to tick."""
        self._ticks[PURPOSES[0]].setFocus()

    def on_from_changed(self, first: QDate) -> None:
        """The last day follows the first."""
        self._until.setMinimumDate(first)
        last = months_later(_day(first), MAX_MONTHS)
        self._until.setMaximumDate(QDate(last.year, last.month, last.day))

    def _codes(self) -> tuple[str, ...]:
        return tuple(code.upper() for code in listed(self._territories.text()))

    def isComplete(self) -> bool:
        """At least one purpose; countries as codes of two letters, projects as short names."""
        codes = all(re.fullmatch("[A-Z]{2}", code) for code in self._codes())
        projects = all(re.fullmatch(r"[\w.\- ]{1,60}", name) for name in listed(self._projects.text()))
        return codes and projects and any(tick.isChecked() for tick in self._ticks.values())

    def validatePage(self) -> bool:
        """Keep the answers."""
        draft = self._draft
        draft.purposes = tuple(purpose for purpose, tick in self._ticks.items() if tick.isChecked())
        draft.allowed_uses = tuple(use for use, tick in self._uses.items() if not tick.isChecked())
        draft.valid_from, draft.valid_until = _day(self._from.date()), _day(self._until.date())
        draft.territories, draft.projects = self._codes(), listed(self._projects.text())
        draft.recipients = listed(self._recipients.text())
        draft.max_outputs = self._outputs.value() or None
        return True

    def nextId(self) -> int:
        """On to the review."""
        return REVIEW


def _day(day: QDate) -> date:
    return date(day.year(), day.month(), day.day())


class ReviewStep(Step):
    """All of it in plain words, before it is recorded."""

    def __init__(self, draft: ConsentDraft, slot: PictureSlot, banner: Banner) -> None:
        super().__init__(
            "review",
            _("Is this right?"),
            _("A recorded consent is never edited; it can only be withdrawn or followed by a new one."),
        )
        self._draft, self._slot = draft, slot
        self.setCommitPage(True)
        self.text = label("")
        self.text.setObjectName("wizard_review_text")
        self.body.addWidget(banner)
        self.body.addWidget(card(column(scrolling(holder(column(self.text, 1)), "wizard_review_scroll")), 18), 1)

    def initializePage(self) -> None:
        """Put the answers into words."""
        draft = self._draft
        asset = draft.asset.name if draft.asset else ""
        if draft.likeness == "voice":
            what = _("{name} allows their voice in the sound {file} to be used.", name=draft.new_name, file=asset)
        else:
            what = _("{name} allows their face in the picture {file} to be used.", name=draft.new_name, file=asset)
        parts = [what, _("For: {purposes}.", purposes=purposes_text(draft.purposes)), self._forbidden()]
        parts.append(_("From {start} to {end}.", start=draft.valid_from.isoformat(), end=draft.valid_until.isoformat()))
        parts.append(self._where())
        parts.append(self._age())
        parts.append(self._evidence())
        if draft.likeness == "face" and len(self._slot.faces) > 1:
            parts.append(
                _(
                    "The picture shows {count} faces; face {number} is this person's, and the consent counts for it "
                    "alone.",
                    count=len(self._slot.faces),
                    number=draft.face or "?",
                )
            )
        self.text.setText("\n\n".join(parts))

    def _forbidden(self) -> str:
        forbidden = [use for use in FORBIDDEN if self._draft.is_minor or use not in self._draft.allowed_uses]
        if not forbidden:
            return _("No special use is forbidden.")
        return _("Never for: {uses}.", uses=_(", ").join(use_word(use) for use in forbidden))

    def _where(self) -> str:
        draft = self._draft
        anywhere, any_project = _("anywhere"), _("any project")
        said = [
            _("Where: {places}.", places=_(", ").join(draft.territories) or anywhere),
            _("For which project: {projects}.", projects=_(", ").join(draft.projects) or any_project),
            _("Releases: {count}.", count=draft.max_outputs or _("no limit")),
        ]
        if draft.recipients:
            said.append(_("Also given to: {names}.", names=_(", ").join(draft.recipients)))
        return "\n".join(said)

    def _age(self) -> str:
        age = _("Age: {age}.", age=age_word(self._draft.age or ""))
        if self._draft.age == "under 14" and self._draft.guardian_name:
            return age + "\n" + _("For the child consents: {name}.", name=self._draft.guardian_name)
        return age

    def _evidence(self) -> str:
        draft = self._draft
        if draft.evidence_data is not None:
            return _("Evidence: a recording made here, with the fresh phrase.")
        file = _("Evidence: {file}.", file=draft.evidence.name) if draft.evidence else ""
        match draft.how:
            case "passphrase":
                return (file + "\n" if file else "") + _("The person typed a passphrase of their own.")
            case "receipt":
                return (file + "\n" if file else "") + _("The person signs the receipt; it is handed in afterwards.")
            case _:
                return file or _("No evidence file; the record rests on your word.")

    def validatePage(self) -> bool:
        """Record first; the next step comes by itself once the workshop has said yes."""
        if self._draft.granted is not None:
            return True
        self.wizard().record()  # type: ignore[attr-defined]  # the consent wizard
        return False

    def nextId(self) -> int:
        """On to the receipt."""
        return RECORDED


class RecordedStep(Step):
    """The withdrawal code, this once, and the receipt."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__(
            "recorded",
            _("The consent is recorded"),
            _("Give the receipt to the person: the code on it withdraws the consent at any time, without an account."),
        )
        self._draft, self._model = draft, people
        self.setFinalPage(True)
        self.banner = Banner("wizard_recorded_banner")
        self._code = label("", wrap=False)
        self._code.setObjectName("wizard_withdrawal_code")
        self._code.setProperty("plate", True)
        self._pdf = button("wizard_receipt_pdf", _("Save receipt as PDF..."), "primary", "release")
        self._pdf.clicked.connect(lambda: self.on_save("pdf"))
        self._json = button("wizard_receipt_json", _("Save receipt as JSON..."))
        self._json.clicked.connect(lambda: self.on_save("json"))
        self._signed = button("wizard_receipt_signed", _("Hand in the signed receipt..."), icon="folder")
        self._signed.clicked.connect(self.on_signed)
        self._facts = label("", "muted")
        self.body.addWidget(self.banner)
        self.body.addWidget(
            card(
                column(
                    label(_("Withdrawal code, shown only now"), "strong"),
                    row(self._code, 1),
                    label(_("It is not kept anywhere in readable form and cannot be shown again."), "small"),
                    row(self._pdf, self._json, 1),
                    row(self._signed, 1),
                    self._facts,
                    spacing=12,
                ),
                20,
            )
        )
        self.body.addStretch(1)

    def initializePage(self) -> None:
        """Show the code."""
        grant = self._draft.granted
        assert grant is not None, "this step follows the record"
        self._code.setText(grant.withdrawal_code or "")
        self._facts.setText(
            _("Ledger entry {index}, receipt {id}", index=grant.ledger_index, id=grant.receipt_id or "")
        )
        self._signed.setVisible(self._draft.how in ("receipt", "passphrase", "file", "none"))

    def focus_first(self) -> None:
        """Ready to save."""
        self._pdf.setFocus()

    def on_save(self, ending: str) -> None:
        """Write the receipt, with the code."""
        grant = self._draft.granted
        assert grant is not None, "this step follows the record"
        out = ask_receipt_out(self, grant, ending)
        if out is None:
            return

        def then(_answer: object) -> None:
            self.banner.show_message("ok", _("The receipt is saved."), str(out))

        self._model.save_receipt(grant.id, out, grant.withdrawal_code, then, self.on_refused)

    def on_signed(self) -> None:
        """Take the receipt that the person signed."""
        grant = self._draft.granted
        path = choose_file(self, _("Choose the signed receipt"), _("All files (*)"))
        if grant is None or path is None:
            return

        def then(_grant: object) -> None:
            self._signed.setEnabled(False)
            self.banner.show_message("ok", _("The signed receipt is kept."), _("The person has confirmed the consent."))

        self._model.hand_in_receipt(grant.id, path, then, self.on_refused)

    def on_refused(self, error: SignetError) -> None:
        """Say why."""
        self.banner.show_error(error)

    def nextId(self) -> int:
        """The last one."""
        return -1
