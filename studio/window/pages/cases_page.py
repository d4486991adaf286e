"""Cases: reviews, appeals, complaints and rumours, with the day until which each is answered."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QFrame,
    QPushButton,
    QRadioButton,
    QWidget,
)

from studio.text import _
from studio.window.models.studio import Studio
from studio.window.pages.asking import TextDialog
from studio.window.pages.page import Page
from studio.window.pages.review_dialog import ReviewDialog
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
    named,
    number_field,
    row,
)
from studio.window.widgets.chooser import Chooser
from studio.window.widgets.file_dialogs import choose_file, choose_out
from studio.window.words import (
    MEASURES,
    REASONS,
    case_kind,
    case_state,
    decision_word,
    measure_word,
    reason_word,
)

if TYPE_CHECKING:
    from studio.casework import CaseView

LIST_WIDTH = 200
OPENED_BY_HAND = ("complaint", "review", "refutation")
WITHIN = timedelta(days=30)


class OpenCaseDialog(TextDialog):
    """What kind of case, about which account or release, and what is the matter."""

    def __init__(self, accounts: list[str], releases: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        told = _("What is the matter? The text is sealed.")
        super().__init__("case_open", _("Open a case"), told, _("Open it"), parent)
        self._kind = named(QComboBox(), "case_open_kind", _("Kind of case"))
        for kind in OPENED_BY_HAND:
            self._kind.addItem(case_kind(kind), kind)
        self._account = named(QComboBox(), "case_open_account", _("About the account"))
        self._account.addItem(_("none"), None)
        for name in accounts:
            self._account.addItem(name, name)
        self._release = named(QComboBox(), "case_open_release", _("About the release"))
        self._release.addItem(_("none"), None)
        for release_id, name in releases:
            self._release.addItem(name, release_id)
        for field in (self._kind, self._account, self._release):
            self.fields.addWidget(label(field.accessibleName(), "strong"))
            self.fields.addWidget(field)

    def answers(self) -> tuple[str, str | None, str | None]:
        """Kind, account and release."""
        return self._kind.currentData(), self._account.currentData(), self._release.currentData()


class DecideDialog(TextDialog):
    """Upheld or not, why, and with which measure against the account."""

    def __init__(self, has_account: bool, parent: QWidget | None = None) -> None:
        lead = _("Give the reason; the person concerned reads it.")
        super().__init__("case_decide", _("Decide the case"), lead, _("Decide"), parent)
        self._upheld = named(QRadioButton(_("It is upheld")), "case_decide_upheld", _("It is upheld"))
        dismissed = named(QRadioButton(_("It is dismissed")), "case_decide_dismissed", _("It is dismissed"))
        dismissed.setChecked(True)
        self._measure = named(QComboBox(), "case_decide_measure", _("Measure"))
        self._measure.addItem(_("no measure"), None)
        for measure in MEASURES if has_account else ():
            self._measure.addItem(measure_word(measure), measure)
        self._reason = named(QComboBox(), "case_decide_reason", _("Reason of the measure"))
        for reason in REASONS:
            self._reason.addItem(reason_word(reason), reason)
        last = date.today() + WITHIN
        self._until = named(QDateEdit(QDate(last.year, last.month, last.day)), "case_decide_until", _("Last day"))
        self._until.setDisplayFormat("yyyy-MM-dd")
        self._until.setCalendarPopup(True)
        self._a_day = number_field("case_decide_a_day", _("Releases a day"), 0, 1000)
        self.fields.addLayout(row(self._upheld, dismissed, 1, spacing=20))
        self._rows = []
        for field in (self._measure, self._reason, self._until, self._a_day):
            line = holder(column(label(field.accessibleName(), "strong"), field, spacing=4))
            self._rows.append(line)
            self.fields.addWidget(line)
        self._upheld.toggled.connect(self.on_choice)
        self._measure.currentIndexChanged.connect(self.on_choice)
        self.on_choice()

    def on_choice(self) -> None:
        """Show only what the measure needs."""
        measure = self._measure.currentData() if self._upheld.isChecked() else None
        needs = (
            self._upheld.isChecked() and self._measure.count() > 1,
            measure is not None,
            measure in ("limit", "suspend"),
            measure == "limit",
        )
        for line, is_needed in zip(self._rows, needs, strict=True):
            line.setVisible(is_needed)
        self.adjustSize()

    def answers(self) -> dict[str, Any]:
        """What the workshop takes."""
        from compliance.sanctions import Measure, Reason  # here, so that the window appears before the store

        upheld = self._upheld.isChecked()
        measure = Measure(self._measure.currentData()) if upheld and self._measure.currentData() else None
        day = self._until.date()
        return {
            "upheld": upheld,
            "text": self.text(),
            "measure": measure,
            "reason": Reason(self._reason.currentData()),
            "until": date(day.year(), day.month(), day.day()) if measure in ("limit", "suspend") else None,
            "releases_a_day": self._a_day.value() if measure == "limit" else None,
        }


class CasesPage(Page):
    """The list on the left, the most urgent first; the chosen case on the right."""

    name = "cases"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("Cases"),
            _("Every hit of the review, complaint, rumour and appeal is answered by a person, within days."),
        )
        self._model = studio.cases
        take = button("cases_import", _("Take in a complaint..."), icon="folder")
        take.clicked.connect(self.on_import)
        opened = button("cases_open", _("Open a case..."), "primary", "plus")
        opened.clicked.connect(self.on_open)
        self._take_in, self._open = take, opened
        looked = button("cases_review", _("What is looked at..."))
        looked.clicked.connect(self.on_review)
        self.head_actions.addWidget(looked)
        self.head_actions.addWidget(take)
        self.head_actions.addWidget(opened)
        self.default_button = opened
        self._list = Chooser("cases_list", _("Cases"), LIST_WIDTH)
        self._list.picked.connect(self._model.choose)
        self._detail = column(spacing=12)
        self._both = holder(self._list.beside(holder(column(holder(self._detail), 1))))
        self._empty = empty_state("cases", _("No case is open"), _("Hits of the review and complaints appear here."))
        self.body.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self._both, 1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self._model.done.connect(self.on_done)
        self.on_changed()

    def enter(self) -> None:
        """Read anew: others work here too."""
        if self.studio.accounts.is_open:
            self._model.refresh()

    def on_changed(self) -> None:
        """Show the cases as they are now."""
        for opening in (self._open, self._take_in):
            why = self.studio.accounts.why_not("open_case")
            opening.setEnabled(not why)
            opening.setToolTip(why)
        self._both.setVisible(bool(self._model.cases))
        self._empty.setVisible(not self._model.cases)
        chosen = self._model.case
        lines = ((case.id, self._line_of(case)) for case in self._model.cases)
        self._list.show_rows(lines, chosen.id if chosen is not None else None)
        clear(self._detail)
        if chosen is not None:
            self._detail.addWidget(self._card(chosen))

    def _line_of(self, case: CaseView) -> str:
        word, _kind = case_state(case.state, case.overdue)
        return f"{case_kind(case.kind)}, {word}\n" + _("until {date}", date=case.due_at[:10])

    def _card(self, case: CaseView) -> QFrame:
        word, kind = case_state(case.state, case.overdue)
        body = column(row(label(case_kind(case.kind), "heading", wrap=False), chip(word, kind), 1), spacing=6)
        body.addWidget(label(_("To be answered until {when}", when=moment(case.due_at)), "strong"))
        opened = _("Opened by {name} on {when}", name=case.opened_by or "-", when=moment(case.opened_at))
        body.addWidget(label(opened, "muted"))
        facts = []
        if case.account:
            facts.append(_("About the account {name}.", name=case.account))
        if case.release:
            facts.append(_("About the release {id}.", id=case.release))
        if case.rule:
            facts.append(_("Rule {rule}.", rule=case.rule))
        if case.assignee:
            facts.append(_("In the hands of {name}.", name=case.assignee))
        if case.decision:
            facts.append(_("Decision: {decision}.", decision=decision_word(case.decision)))
        if case.measure:
            facts.append(_("Measure: {measure}.", measure=measure_word(case.measure)))
        if facts:
            body.addWidget(label("\n".join(facts)))
        if case.statements is None:
            body.addWidget(label(_("Reviewers and those concerned can read what was written."), "muted"))
        for said in case.statements or ():
            who = "-" if said.by in ("", "outside") else said.by
            lines = column(label(f"{who}, {moment(said.at)}", "small"), label(said.text), spacing=2)
            body.addWidget(card(lines, 12))
        body.addSpacing(6)
        assign, decide, appeal, report = self._buttons(case)
        body.addLayout(row(decide, assign, 1))
        body.addLayout(row(appeal, report, 1))
        number = _("Case {id}, ledger entry {index}", id=case.id, index=case.ledger_index)
        body.addWidget(label(number, "small"))
        return card(body, 20)

    def _buttons(self, case: CaseView) -> list[QPushButton]:
        accounts = self.studio.accounts
        me = accounts.session.username if accounts.session is not None else ""
        settled = _("The case is decided.") if case.state not in ("open", "assigned") else ""
        own = _("Nobody decides about their own work.") if me and me in (case.account, case.opened_by) else ""
        foreign = "" if case.account == me else _("Only the account that it is about can appeal.")
        later = "" if case.state in ("open", "assigned", "decided") else _("An appeal was made already.")
        made = []
        for name, text, why, act in (
            ("assign", _("Assign..."), accounts.why_not("review_case") or settled, self.on_assign),
            ("decide", _("Decide..."), accounts.why_not("review_case") or settled or own, self.on_decide),
            ("appeal", _("Appeal..."), accounts.why_not("appeal") or foreign or later, self.on_appeal),
            ("report", _("Report pack..."), accounts.why_not("report_case"), self.on_report),
        ):
            one = button(f"cases_{name}", text, "primary" if name == "decide" else "")
            one.setEnabled(not why)
            one.setToolTip(why)
            one.clicked.connect(lambda _checked=False, act=act: act(case))
            made.append(one)
        return made

    def on_done(self, made: object) -> None:
        """A step went well."""
        if isinstance(made, tuple):
            self.banner.show_message("ok", _("The report pack is written."), "\n".join(str(path) for path in made))
        else:
            self.banner.show_message("ok", _("It is entered."))

    def _show(self, dialog: TextDialog, then: Any) -> None:
        self.banner.hide()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(then)
        dialog.open()

    def on_open(self) -> None:
        """Open a case by hand."""
        from compliance.cases import CaseKind  # here, so that the window appears before the store is imported

        accounts = [one.username for one in self.studio.accounts.accounts]
        releases = [(one.id, Path(one.path).name) for one in self.studio.library.releases]
        dialog = OpenCaseDialog(accounts, releases, self.window())

        def then() -> None:
            kind, account, release = dialog.answers()
            text, parts = dialog.text(), self.studio.workshop.casework
            self._model.step(lambda: parts.open_case(CaseKind(kind), text, account=account, release=release))

        self._show(dialog, then)

    def on_review(self) -> None:
        """Show the review: its words, and what looks at pictures."""
        self.banner.hide()
        dialog = ReviewDialog(self.studio, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_import(self) -> None:
        """Make a case of a complaint file."""
        path = choose_file(self, _("Choose the complaint"), _("All files (*)"))
        if path is not None:
            self._model.step(lambda: self.studio.workshop.casework.import_complaint(path))

    def on_assign(self, case: CaseView) -> None:
        """Give it to a reviewer."""
        self.banner.hide()
        dialog = AssignDialog([one.username for one in self.studio.accounts.accounts], self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        parts = self.studio.workshop.casework

        def then() -> None:
            name = dialog.name()
            self._model.step(lambda: parts.assign(case.id, name))

        dialog.accepted.connect(then)
        dialog.open()

    def on_decide(self, case: CaseView) -> None:
        """Decide it, with a reason."""
        dialog = DecideDialog(case.account is not None and case.kind != "appeal", self.window())

        def then() -> None:
            answers = dialog.answers()
            self._model.step(lambda: self.studio.workshop.casework.decide(case.id, **answers))

        self._show(dialog, then)

    def on_appeal(self, case: CaseView) -> None:
        """Appeal, with a reason."""
        lead = _("Another reviewer answers within three working days.")
        dialog = TextDialog("case_appeal", _("Appeal"), lead, _("Appeal"), self.window())

        def then() -> None:
            text = dialog.text()
            self._model.step(lambda: self.studio.workshop.casework.appeal(case.id, text))

        self._show(dialog, then)

    def on_report(self, case: CaseView) -> None:
        """Write the pack for the authority."""
        out = choose_out(self, _("Report pack for the authority"), f"{case.id}.json", _("JSON (*.json)"))
        if out is not None:
            self._model.step(lambda: self.studio.workshop.casework.report(case.id, out))


class AssignDialog(TextDialog):
    """Who decides a case; no text is needed."""

    def __init__(self, accounts: list[str], parent: QWidget | None = None) -> None:
        super().__init__("case_assign", _("Assign the case"), _("Who decides it?"), _("Assign"), parent)
        self._name = named(QComboBox(), "case_assign_name", _("Reviewer"))
        self._name.addItems(accounts)
        self.fields.addWidget(self._name)
        self._text.hide()
        self._confirm.setEnabled(True)
        self._name.setFocus()

    def name(self) -> str:
        """The account that was chosen."""
        return self._name.currentText()
