"""People and their consents: who allowed what, until when, and how it is withdrawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from studio.text import _, language, sentences
from studio.window.models.studio import Studio
from studio.window.pages.consent_wizard import ConsentWizard
from studio.window.pages.page import Page
from studio.window.pages.receipt_dialog import ReceiptDialog
from studio.window.pages.withdraw_dialog import EraseDialog, TakeDownDialog, WithdrawDialog
from studio.window.widgets.basic import (
    button,
    card,
    chip,
    clear,
    column,
    empty_state,
    holder,
    label,
    moment,
    row,
    short_digest,
)
from studio.window.widgets.chooser import Chooser
from studio.window.words import age_word, evidence_word, grant_state, purposes_text, use_word

if TYPE_CHECKING:
    from studio.workshop import GrantView, ReleaseView, SubjectView

PEOPLE_WIDTH = 220


class PeoplePage(Page):
    """A list of people on the left, the consents of the chosen one on the right."""

    name = "people"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("People and consent"),
            _("Nobody's face is used without a consent that is recorded here, covers the purpose and is still live."),
        )
        self._model = studio.people
        self.wizard: ConsentWizard | None = None
        record = button("people_record", _("Record consent..."), "primary", "plus")
        record.clicked.connect(self.on_record)
        self.head_actions.addWidget(record)
        self.default_button = record
        self._list = Chooser("people_list", _("People"), PEOPLE_WIDTH, 320)
        self._list.picked.connect(self._model.choose)
        self._grants = column(spacing=12)
        self._both = holder(self._list.beside(holder(column(holder(self._grants), 1))))
        self._empty = holder(column())
        self._empty.layout().addWidget(
            empty_state(
                "people",
                _("No consent is recorded yet"),
                _(
                    "Ask the person whose face you want to use, keep their written answer as a file, and record it "
                    "here. Only then can the face be used."
                ),
                self._empty_action(),
            )
        )
        self._record = record
        self.studio.accounts.changed.connect(self.on_rights_changed)
        self.body.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self._both, 1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self._model.withdrawn.connect(self.on_withdrawn)
        self._model.recorded.connect(self.on_recorded)
        self.on_changed()
        self.on_rights_changed()

    def _empty_action(self) -> QPushButton:
        action = button("people_record_first", _("Record the first consent..."), "primary", "plus")
        action.clicked.connect(self.on_record)
        self._first = action
        return action

    def on_rights_changed(self) -> None:
        """Without a role for it nothing can be recorded."""
        for action in (self._record, self._first):
            action.setEnabled(self.studio.accounts.may("record_consent"))
            action.setToolTip(self.studio.accounts.why_not("record_consent"))

    def enter(self) -> None:
        """Read anew: another program may have recorded or withdrawn."""
        if self.studio.accounts.is_open:
            self._model.refresh()

    def _line_of(self, subject: SubjectView) -> str:
        live = sum(grant.state == "live" for grant in self._model.grants_of(subject.id))
        count = _("1 live consent") if live == 1 else _("{count} live consents", count=live)
        state = count if subject.erased_at is None else _("erased")
        return f"{subject.name or subject.id}\n{state}"

    def on_changed(self) -> None:
        """Show people and consents as they are now."""
        there = bool(self._model.subjects)
        self._both.setVisible(there)
        self._empty.setVisible(not there and self._model.is_loaded)
        lines = ((subject.id, self._line_of(subject)) for subject in self._model.subjects)
        self._list.show_rows(lines, self._model.chosen)
        clear(self._grants)
        person = next((one for one in self._model.subjects if one.id == self._model.chosen), None)
        if person is not None:
            self._grants.addLayout(self._person_line(person))
            grants = self._model.grants_of(person.id)
            for grant in grants:
                self._grants.addWidget(self._grant_card(grant))
            if not grants:
                self._grants.addWidget(
                    empty_state("people", _("No consent of this person yet"), _("Record one to use their face."))
                )

    def _person_line(self, person: SubjectView) -> QHBoxLayout:
        """Who is looked at, and the way to erase them."""
        erased = _("Erased on {when}", when=moment(person.erased_at or ""))
        facts = [age_word(person.age)] if person.age is not None else []
        head = label(person.name or person.id, "heading")
        note = label(erased if person.erased_at is not None else " ".join(facts), "muted")
        line = row(column(head, note, spacing=2), spacing=16)
        line.setStretch(0, 1)
        if not note.text():
            note.hide()
        if person.erased_at is None:
            erase = button("people_erase", _("Erase this person..."), "quiet")
            erase.setEnabled(self.studio.accounts.may("erase_subject"))
            erase.setToolTip(self.studio.accounts.why_not("erase_subject"))
            erase.clicked.connect(self.on_erase)
            line.addWidget(erase, 0, Qt.AlignmentFlag.AlignTop)
        return line

    def _grant_card(self, grant: GrantView) -> QFrame:
        word, kind = grant_state(grant.state)
        lines = column(
            label(purposes_text(grant.purposes), "heading"),
            row(chip(word, kind), 1),
            label(_("From {start} to {end}", start=grant.valid_from, end=grant.valid_until)),
            label(_("For the picture with SHA-256 {digest}", digest=short_digest(grant.asset_sha256)), "muted"),
            spacing=5,
        )
        if (problem := grant.clock_problem()) is not None:
            lines.addWidget(label(" ".join(sentences(problem)), "small"))
        if grant.evidence_sha256:
            evidence = _("Evidence kept, SHA-256 {digest}", digest=short_digest(grant.evidence_sha256))
        else:
            evidence = _("No evidence file was kept")
        word_of_evidence, evidence_kind = evidence_word(grant.evidence_level)
        lines.addWidget(label(evidence, "muted"))
        lines.addLayout(row(chip(word_of_evidence, evidence_kind), 1))
        lines.addWidget(label(self._limits(grant), "muted"))
        recorded = _(
            "Recorded by {account} on {when}, ledger entry {index}",
            account=grant.recorded_by,
            when=moment(grant.recorded_at),
            index=grant.ledger_index,
        )
        lines.addWidget(label(recorded, "small"))
        if grant.withdrawn_at:
            lines.addWidget(label(_("Withdrawn on {when}", when=moment(grant.withdrawn_at)), "small"))
        body = row(holder(lines), spacing=16)
        body.setStretch(0, 1)
        name = self._model.name_of(grant)
        side = column(spacing=8)
        if grant.state in ("live", "not yet"):
            withdraw = button(
                f"people_withdraw_{grant.id}",
                _("Withdraw..."),
                "danger",
                accessible_name=_("Withdraw consent of {name}", name=name),
            )
            withdraw.clicked.connect(lambda _checked=False, grant=grant: self.on_withdraw(grant))
            side.addWidget(withdraw)
            for judging in self._judging(grant, name):
                side.addWidget(judging)
        spoken = _("Receipt of {name}", name=name)
        receipt = button(f"people_receipt_{grant.id}", _("Receipt..."), "quiet", accessible_name=spoken)
        receipt.clicked.connect(lambda _checked=False, grant=grant: self.on_receipt(grant))
        side.addWidget(receipt)
        side.addStretch(1)
        body.addLayout(side)
        made = card(body, 18)
        made.setObjectName(f"grant_{grant.id}")
        return made

    def _limits(self, grant: GrantView) -> str:
        """Where, for which project, how often; what is never allowed; the age."""
        places = _("anywhere") if "worldwide" in grant.territories else _(", ").join(grant.territories)
        parts = [_("Where: {places}.", places=places)]
        if grant.projects:
            parts.append(_("For which project: {projects}.", projects=_(", ").join(grant.projects)))
        if grant.max_outputs is not None:
            parts.append(_("{done} of {most} releases used.", done=grant.outputs, most=grant.max_outputs))
        if grant.forbidden:
            parts.append(_("Never for: {uses}.", uses=_(", ").join(use_word(use) for use in grant.forbidden)))
        if grant.age in ("14-17", "under 14"):
            parts.append(_("Age: {age}.", age=age_word(grant.age)))
        return " ".join(parts) if language() == "en" else "".join(parts)

    def _judging(self, grant: GrantView, name: str) -> list[QPushButton]:
        """Two buttons for the second person, where there is evidence that nobody has approved yet."""
        if grant.evidence_sha256 is None or grant.approved_by is not None or grant.evidence_level == "live":
            return []
        accounts = self.studio.accounts
        why = accounts.why_not("approve_evidence")
        if not why and accounts.session is not None and accounts.session.username == grant.recorded_by:
            why = _("Whoever recorded a consent does not approve its evidence.")
        made = []
        for is_good, text, spoken in (
            (True, _("Approve evidence"), _("Approve the evidence of {name}", name=name)),
            (False, _("Refuse evidence"), _("Refuse the evidence of {name}", name=name)),
        ):
            word = "approve" if is_good else "refuse"
            judge = button(f"people_{word}_{grant.id}", text, "" if is_good else "quiet", accessible_name=spoken)
            judge.setEnabled(not why)
            judge.setToolTip(why)
            judge.clicked.connect(
                lambda _checked=False, grant=grant, is_good=is_good: self._model.judge_evidence(
                    grant.id, is_good, self.on_judged
                )
            )
            made.append(judge)
        return made

    def on_judged(self, grant: GrantView) -> None:
        """The second person has decided."""
        self.banner.show_message("ok", _("The evidence of {name} is decided.", name=self._model.name_of(grant)))

    def on_record(self) -> None:
        """Open the wizard for somebody."""
        self.record_for(None)

    def record_for(self, asset: Path | None) -> None:
        """Open the wizard, with a picture when it comes from the workspace."""
        self.banner.hide()
        self.wizard = ConsentWizard(self.studio, asset, self.window())
        self.wizard.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.wizard.open()

    def on_recorded(self, grant: GrantView) -> None:
        """The consent stands."""
        what = _("The consent of {name} is recorded.", name=self._model.name_of(grant))
        self.banner.show_message("ok", what, _("It holds until {date}.", date=grant.valid_until))

    def on_withdraw(self, grant: GrantView) -> None:
        """Ask first."""
        self.banner.hide()
        dialog = WithdrawDialog(self._model.name_of(grant), purposes_text(grant.purposes), self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._withdraw(grant, dialog.take_passphrase(), dialog.reason()))
        dialog.open()

    def _withdraw(self, grant: GrantView, passphrase: str, reason: str) -> None:
        if passphrase:
            self._model.withdraw_by_passphrase(grant, passphrase)
        else:
            self._model.withdraw(grant, reason)

    def on_receipt(self, grant: GrantView) -> None:
        """The receipt once more."""
        self.banner.hide()
        dialog = ReceiptDialog(self._model, grant, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_erase(self) -> None:
        """Ask first."""
        self.banner.hide()
        person = next((one for one in self._model.subjects if one.id == self._model.chosen), None)
        if person is None:
            return
        live = sum(grant.state in ("live", "not yet") for grant in self._model.grants_of(person.id))
        dialog = EraseDialog(person.name or person.id, live, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._model.erase(person.id, self.on_erased))
        dialog.open()

    def on_erased(self, releases: list[ReleaseView]) -> None:
        """Show what must be taken down."""
        dialog = TakeDownDialog(None, releases, self.window(), erased=True)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_withdrawn(self, grant: GrantView, releases: list[ReleaseView]) -> None:
        """Show what must be taken down."""
        if not self.isVisible():
            return
        dialog = TakeDownDialog(self._model.name_of(grant), releases, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
