"""The five steps of the consent wizard."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from PySide6.QtCore import QDate
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateEdit,
    QFormLayout,
    QLineEdit,
    QRadioButton,
    QWizard,
    QWizardPage,
)

from studio.text import _
from studio.window.models.people import ConsentDraft, PeopleModel, months_later
from studio.window.models.picture_slot import PictureSlot
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, card, column, label, named, row
from studio.window.widgets.drop_frame import choose_file
from studio.window.widgets.picture_card import PictureCard
from studio.window.words import PURPOSES, purpose_word, purposes_text

MAX_MONTHS = 12


class Step(QWizardPage):
    """A step with a title in the house style."""

    def __init__(self, name: str, title: str, lead: str) -> None:
        super().__init__()
        self.setObjectName(f"wizard_{name}")
        self.body = column(label(title, "title", wrap=False), label(lead, "muted"), spacing=12)
        self.body.setContentsMargins(24, 18, 24, 8)
        self.setLayout(self.body)

    def focus_first(self) -> None:
        """Where the keyboard starts: at Next or Record, unless a step says otherwise."""
        kind = QWizard.WizardButton
        for which in (kind.NextButton, kind.FinishButton):
            button = self.wizard().button(which)
            if button.isVisible() and button.isEnabled():
                button.setFocus()


class WhoStep(Step):
    """A new person, or one who is known."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__("who", _("Who gives the consent?"), _("The name is kept encrypted in your home folder."))
        self._draft = draft
        self._known = named(QRadioButton(_("A person who is listed already")), "wizard_who_known", _("A listed person"))
        self._new = named(QRadioButton(_("A new person")), "wizard_who_new", _("A new person"))
        self._people = named(QComboBox(), "wizard_who_list", _("Listed people"))
        for subject in people.subjects:
            self._people.addItem(subject.name or subject.id, subject.id)
        if people.chosen is not None:
            self._people.setCurrentIndex(max(0, self._people.findData(people.chosen)))
        self._name = named(QLineEdit(), "wizard_who_name", _("Full name of the person"))
        self._name.setPlaceholderText(_("Full name of the person"))
        self._known.setEnabled(bool(people.subjects))
        self._new.setChecked(True)
        self._new.toggled.connect(self.on_kind_changed)
        self._name.textChanged.connect(self.completeChanged)
        for widget in (self._new, self._name, self._known, self._people):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.on_kind_changed()

    def focus_first(self) -> None:
        """Ready to type, or to choose from the list."""
        (self._name if self._new.isChecked() else self._people).setFocus()

    def on_kind_changed(self) -> None:
        """Only the field that counts can be filled in."""
        self._name.setEnabled(self._new.isChecked())
        self._people.setEnabled(not self._new.isChecked())
        self.completeChanged.emit()

    def isComplete(self) -> bool:
        """A name or a choice is there."""
        return bool(self._name.text().strip()) if self._new.isChecked() else self._people.currentIndex() >= 0

    def validatePage(self) -> bool:
        """Keep the answer."""
        new = self._new.isChecked()
        self._draft.subject_id = None if new else self._people.currentData()
        self._draft.new_name = self._name.text().strip() if new else self._people.currentText()
        return True


class PictureStep(Step):
    """The very picture that the consent is for."""

    def __init__(self, draft: ConsentDraft, slot: PictureSlot) -> None:
        super().__init__(
            "picture",
            _("Which picture shows the face?"),
            _("The consent is bound to this very file: a changed copy needs a new consent."),
        )
        self._draft, self._slot = draft, slot
        self.card = PictureCard("wizard_picture", _("Picture of the person"), slot)
        self.card.picture_given.connect(slot.set_picture)
        self.body.addWidget(self.card, 1)
        slot.changed.connect(self.completeChanged)

    def focus_first(self) -> None:
        """The keyboard starts at the picture while there is none."""
        if self._slot.path is None:
            self.card.frame.setFocus()
        else:
            super().focus_first()

    def isComplete(self) -> bool:
        """A face was found."""
        return self._slot.state == "ready"

    def validatePage(self) -> bool:
        """Keep the answer."""
        self._draft.asset = self._slot.path
        return True


class EvidenceStep(Step):
    """The person's answer as a file, kept encrypted."""

    def __init__(self, draft: ConsentDraft) -> None:
        super().__init__(
            "evidence",
            _("What proves the consent?"),
            _("A signed letter, a scan or a recording. It is kept encrypted, its digest goes into the ledger."),
        )
        self._draft = draft
        self._path = named(QLineEdit(), "wizard_evidence_path", _("Evidence file"))
        self._path.setReadOnly(True)
        self._path.setPlaceholderText(_("No file chosen"))
        choose = self._choose = button("wizard_evidence_choose", _("Choose file..."), icon="folder")
        choose.clicked.connect(self.on_choose)
        self._remove = button("wizard_evidence_remove", _("Remove"), "quiet")
        self._remove.clicked.connect(self.on_remove)
        self._without = named(
            QCheckBox(_("I have no file; the person told me")), "wizard_evidence_without", _("No evidence file")
        )
        self._without.toggled.connect(self.completeChanged)
        line = row(self._path, choose, self._remove)
        line.setStretch(0, 1)
        self.body.addLayout(line)
        self.body.addWidget(self._without)
        self.body.addWidget(
            label(
                _("Without a file the record rests on your word alone. That is weak if it is ever disputed."), "small"
            )
        )
        self.body.addStretch(1)
        self.set_evidence(None)

    def set_evidence(self, path: Path | None) -> None:
        """Take a file, or none."""
        self._draft.evidence = path
        self._path.setText(str(path) if path else "")
        self._remove.setVisible(path is not None)
        self._without.setEnabled(path is None)
        self.completeChanged.emit()

    def on_choose(self) -> None:
        """Ask for the file."""
        if (path := choose_file(self, _("Choose the evidence"), _("All files (*)"))) is not None:
            self.set_evidence(path)

    def focus_first(self) -> None:
        """The keyboard starts at the choice of the file."""
        self._choose.setFocus()

    def on_remove(self) -> None:
        """Without it."""
        self.set_evidence(None)

    def isComplete(self) -> bool:
        """A file, or the plain statement that there is none."""
        return self._draft.evidence is not None or self._without.isChecked()


class ScopeStep(Step):
    """For what and for how long."""

    def __init__(self, draft: ConsentDraft) -> None:
        super().__init__(
            "scope", _("What is allowed, and until when?"), _("Tick only what the person agreed to, each by itself.")
        )
        self._draft = draft
        self._ticks: dict[str, QCheckBox] = {}
        purposes = column(label(_("Purposes"), "strong"), spacing=4)
        for purpose in PURPOSES:
            tick = named(QCheckBox(purpose_word(purpose)), f"wizard_purpose_{purpose}", purpose_word(purpose))
            tick.toggled.connect(self.completeChanged)
            self._ticks[purpose] = tick
            purposes.addWidget(tick)
        purposes.addStretch(1)
        self._from = self._date("wizard_valid_from", _("First day"), draft.valid_from)
        self._until = self._date("wizard_valid_until", _("Last day"), draft.valid_until)
        self._from.dateChanged.connect(self.on_from_changed)
        self.on_from_changed(self._from.date())
        self._until.setDate(self._until.maximumDate())
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.addRow(label(_("First day"), "strong"), self._from)
        form.addRow(label(_("Last day"), "strong"), self._until)
        dates = column(spacing=8)
        dates.addLayout(form)
        dates.addWidget(label(_("At most 12 months; after that the person is asked again."), "small"))
        dates.addStretch(1)
        both = row(card(purposes), card(dates), spacing=16)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        self.body.addLayout(both)
        self.body.addStretch(1)

    def _date(self, object_name: str, name: str, day: date) -> QDateEdit:
        made = named(QDateEdit(QDate(day.year, day.month, day.day)), object_name, name)
        made.setDisplayFormat("yyyy-MM-dd")
        made.setCalendarPopup(True)
        return made

    def focus_first(self) -> None:
        """Ready to tick."""
        self._ticks[PURPOSES[0]].setFocus()

    def on_from_changed(self, first: QDate) -> None:
        """The last day follows the first."""
        self._until.setMinimumDate(first)
        last = months_later(first.toPython(), MAX_MONTHS)
        self._until.setMaximumDate(QDate(last.year, last.month, last.day))

    def isComplete(self) -> bool:
        """At least one purpose."""
        return any(tick.isChecked() for tick in self._ticks.values())

    def validatePage(self) -> bool:
        """Keep the answers."""
        self._draft.purposes = tuple(purpose for purpose, tick in self._ticks.items() if tick.isChecked())
        self._draft.valid_from = self._from.date().toPython()
        self._draft.valid_until = self._until.date().toPython()
        return True


class ReviewStep(Step):
    """All of it in plain words, before it is recorded."""

    def __init__(self, draft: ConsentDraft, slot: PictureSlot, banner: Banner) -> None:
        super().__init__(
            "review",
            _("Is this right?"),
            _("A recorded consent is never edited; it can only be withdrawn or followed by a new one."),
        )
        self._draft, self._slot = draft, slot
        self.text = label("")
        self.text.setObjectName("wizard_review_text")
        self.body.addWidget(banner)
        self.body.addWidget(card(column(self.text), 22))
        self.body.addStretch(1)

    def initializePage(self) -> None:
        """Put the answers into words."""
        draft = self._draft
        asset = draft.asset.name if draft.asset else ""
        faces = len(self._slot.faces)
        parts = [
            _("{name} allows their face in the picture {file} to be used.", name=draft.new_name, file=asset),
            _("For: {purposes}.", purposes=purposes_text(draft.purposes)),
            _("From {start} to {end}.", start=draft.valid_from.isoformat(), end=draft.valid_until.isoformat()),
            _("Evidence: {file}.", file=draft.evidence.name)
            if draft.evidence
            else _("No evidence file; the record rests on your word."),
        ]
        if faces > 1:
            parts.append(_("The picture shows {count} faces; this consent counts for one person only.", count=faces))
        self.text.setText("\n\n".join(parts))
