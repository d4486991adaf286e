"""The first steps of the consent wizard: who, the guardian, and which picture or sound."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QRadioButton, QWizard, QWizardPage

from studio.text import _
from studio.window.models.people import ConsentDraft, PeopleModel, is_sound
from studio.window.models.picture_slot import PictureSlot
from studio.window.widgets.basic import card, clear, column, holder, label, named, row, scrolling
from studio.window.widgets.face_picture import face_picture
from studio.window.widgets.picture_card import PictureCard
from studio.window.widgets.sound_line import SoundLine
from studio.window.words import AGES, age_word

WHO, GUARDIAN, LIKENESS, NOTICE, EVIDENCE, FILE, CAMERA, SCOPE, REVIEW, RECORDED = range(10)
THIS_PERSON = "-"


class Step(QWizardPage):
    """A step with a title in the house style."""

    def __init__(self, name: str, title: str, lead: str) -> None:
        super().__init__()
        self.setObjectName(f"wizard_{name}")
        self.body = column(label(title, "title", wrap=False), label(lead, "muted"), spacing=12)
        self.body.setContentsMargins(24, 18, 24, 8)
        self.setLayout(self.body)

    def focus_first(self) -> None:
        """Where the keyboard starts: at the button that leads on, unless a step says otherwise."""
        kind = QWizard.WizardButton
        for which in (kind.NextButton, kind.CommitButton, kind.FinishButton):
            button = self.wizard().button(which)
            if button.isVisible() and button.isEnabled():
                button.setFocus()


class WhoStep(Step):
    """A new person, or one who is known; how old they are."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__("who", _("Who gives the consent?"), _("The name is kept encrypted in your home folder."))
        self._draft, self._model = draft, people
        self._known = named(QRadioButton(_("A person who is listed already")), "wizard_who_known", _("A listed person"))
        self._new = named(QRadioButton(_("A new person")), "wizard_who_new", _("A new person"))
        self._people = named(QComboBox(), "wizard_who_list", _("Listed people"))
        for subject in people.subjects:
            if subject.erased_at is None:
                self._people.addItem(subject.name or subject.id, subject.id)
        if people.chosen is not None:
            self._people.setCurrentIndex(max(0, self._people.findData(people.chosen)))
        self._name = named(QLineEdit(), "wizard_who_name", _("Full name of the person"))
        self._name.setPlaceholderText(_("Full name of the person"))
        self._age = named(QComboBox(), "wizard_who_age", _("Age of the person"))
        self._age.addItem(_("Please choose"), None)
        for age in AGES:
            self._age.addItem(age_word(age), age)
        self._note = label("", "muted")
        self._known.setEnabled(self._people.count() > 0)
        self._new.setChecked(True)
        self._new.toggled.connect(self.on_kind_changed)
        self._people.currentIndexChanged.connect(self.on_kind_changed)
        self._age.currentIndexChanged.connect(self.on_age_changed)
        self._name.textChanged.connect(self.completeChanged)
        for widget in (self._new, self._name, self._known, self._people):
            self.body.addWidget(widget)
        self.body.addSpacing(8)
        self.body.addWidget(label(_("How old is the person?"), "strong"))
        self.body.addWidget(self._age)
        self.body.addWidget(self._note)
        self.body.addStretch(1)
        self.on_kind_changed()

    def focus_first(self) -> None:
        """Ready to type, or to choose from the list."""
        (self._name if self._new.isChecked() else self._people).setFocus()

    def on_kind_changed(self) -> None:
        """Only the field that counts can be filled in; a listed person's age is known when it was asked for."""
        is_new = self._new.isChecked()
        self._name.setEnabled(is_new)
        self._people.setEnabled(not is_new)
        known = None if is_new else self._known_age()
        self._age.setEnabled(known is None)
        if known is not None:
            self._age.setCurrentIndex(self._age.findData(known))
        self.completeChanged.emit()

    def _known_age(self) -> str | None:
        chosen = self._people.currentData()
        return next((person.age for person in self._model.subjects if person.id == chosen), None)

    def on_age_changed(self) -> None:
        """Say what the age means."""
        self._note.setText(
            {
                "14-17": _(
                    "The consent is marked. Political, sexual, endorsement and testimony uses stay forbidden, "
                    "whatever is ticked."
                ),
                "under 14": _("A parent or guardian consents; the next step asks who."),
            }.get(self._age.currentData() or "", "")
        )
        self.completeChanged.emit()

    def isComplete(self) -> bool:
        """A name or a choice is there, and the age."""
        who = bool(self._name.text().strip()) if self._new.isChecked() else self._people.currentIndex() >= 0
        return who and self._age.currentData() is not None

    def validatePage(self) -> bool:
        """Keep the answer."""
        new = self._new.isChecked()
        person = next((one for one in self._model.subjects if one.id == self._people.currentData()), None)
        self._draft.subject_id = None if new else self._people.currentData()
        self._draft.new_name = self._name.text().strip() if new else self._people.currentText()
        self._draft.age = self._age.currentData()
        self._draft.guardian_id = person.guardian_id if person is not None and not new else None
        self._draft.guardian_name = ""
        return True

    def nextId(self) -> int:
        """Under 14 the guardian follows, unless one is known."""
        person = None if self._new.isChecked() else self._people.currentData()
        known = next((one.guardian_id for one in self._model.subjects if one.id == person), None)
        return GUARDIAN if self._age.currentData() == "under 14" and known is None else LIKENESS


class GuardianStep(Step):
    """Who consents for somebody under 14."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__(
            "guardian",
            _("Who is the parent or guardian?"),
            _("Under 14 a parent or another guardian consents for the child (PIPL 31). The name is kept encrypted."),
        )
        self._draft, self._people_model = draft, people
        self._known = named(
            QRadioButton(_("A person who is listed already")), "wizard_guardian_known", _("A listed person")
        )
        self._new = named(QRadioButton(_("A new person")), "wizard_guardian_new", _("A new person"))
        self._people = named(QComboBox(), "wizard_guardian_list", _("Listed people"))
        self._name = named(QLineEdit(), "wizard_guardian_name", _("Full name of the guardian"))
        self._name.setPlaceholderText(_("Full name of the guardian"))
        self._relation = named(QComboBox(), "wizard_guardian_relation", _("Relation to the child"))
        for word, text in (
            ("mother", _("mother")),
            ("father", _("father")),
            ("guardian", _("other guardian")),
        ):
            self._relation.addItem(text, word)
        self._new.setChecked(True)
        self._new.toggled.connect(self.on_kind_changed)
        self._name.textChanged.connect(self.completeChanged)
        self._people.currentIndexChanged.connect(self.completeChanged)
        for widget in (self._new, self._name, self._known, self._people):
            self.body.addWidget(widget)
        self.body.addSpacing(8)
        self.body.addWidget(label(_("Relation to the child"), "strong"))
        self.body.addWidget(self._relation)
        self.body.addStretch(1)

    def initializePage(self) -> None:
        """Offer everybody who is of age, but not the child."""
        self._people.clear()
        for person in self._people_model.subjects:
            if person.erased_at is None and person.id != self._draft.subject_id and person.age in (None, "adult"):
                self._people.addItem(person.name or person.id, person.id)
        self._known.setEnabled(self._people.count() > 0)
        self.on_kind_changed()

    def focus_first(self) -> None:
        """Ready to type."""
        (self._name if self._new.isChecked() else self._people).setFocus()

    def on_kind_changed(self) -> None:
        """Only the field that counts can be filled in."""
        self._name.setEnabled(self._new.isChecked())
        self._people.setEnabled(not self._new.isChecked())
        self.completeChanged.emit()

    def isComplete(self) -> bool:
        """Somebody is named."""
        return bool(self._name.text().strip()) if self._new.isChecked() else self._people.currentIndex() >= 0

    def validatePage(self) -> bool:
        """Keep the answer."""
        new = self._new.isChecked()
        self._draft.guardian_id = None if new else self._people.currentData()
        self._draft.guardian_name = self._name.text().strip() if new else ""
        self._draft.relation = self._relation.currentData()
        return True

    def nextId(self) -> int:
        """On to the likeness."""
        return LIKENESS


class LikenessStep(Step):
    """Face or voice, and the very file; where a picture shows several people, who is who."""

    def __init__(self, draft: ConsentDraft, slot: PictureSlot, people: PeopleModel) -> None:
        super().__init__(
            "picture",
            _("Which likeness, in which file?"),
            _("The consent is bound to this very file: a changed copy needs a new consent. Face and voice are apart."),
        )
        self._draft, self._slot, self._model = draft, slot, people
        self._face = named(QRadioButton(_("Face, in a picture")), "wizard_likeness_face", _("Face, in a picture"))
        self._voice = named(QRadioButton(_("Voice, in a sound")), "wizard_likeness_voice", _("Voice, in a sound"))
        self._face.setChecked(True)
        self._face.toggled.connect(self.on_likeness_changed)
        self.card = PictureCard("wizard_picture", _("Picture of the person"), slot)
        self.card.picture_given.connect(slot.set_picture)
        self.sound = SoundLine("wizard_sound", _("Sound of the person"), _("Sounds (*.wav *.flac *.mp3 *.m4a *.ogg)"))
        self.sound.changed.connect(self.completeChanged)
        self._sound_note = label("", "muted")
        self._sound_note.hide()
        self.sound.changed.connect(lambda: self.on_told(""))
        self.sound.told.connect(self.on_told)
        self._combos: dict[int, QComboBox] = {}
        self._listed = ""
        self._faces = QGridLayout()
        self._faces.setVerticalSpacing(6)
        faces_holder = holder(self._faces)
        self._who = card(
            column(
                label(_("Who is who?"), "strong"),
                scrolling(holder(column(faces_holder, 1)), "wizard_faces_scroll"),
                spacing=6,
            ),
            12,
        )
        self._who.setMinimumWidth(290)
        self._pictures = holder(row(self.card, self._who, spacing=14))
        self._pictures.layout().setStretch(0, 1)  # type: ignore[union-attr]  # the row that was just given to it
        self._sound_part = holder(
            column(
                label(_("The recording in which the person speaks"), "strong"),
                self.sound,
                self._sound_note,
                label(_("Only this person should be heard in it. The consent is bound to this very file."), "small"),
                spacing=8,
            )
        )
        self.body.addLayout(row(self._face, self._voice, 1, spacing=24))
        self.body.addWidget(self._pictures, 1)
        self.body.addWidget(self._sound_part)
        self.body.addStretch(0)
        slot.changed.connect(self.on_slot_changed)
        self.on_likeness_changed()

    def initializePage(self) -> None:
        """The person's name stands in the lists."""
        self._shown: object = None
        self.on_slot_changed()

    def focus_first(self) -> None:
        """The keyboard starts at the picture while there is none."""
        if self._face.isChecked() and self._slot.path is None:
            self.card.frame.setFocus()
        elif not self._face.isChecked() and self.sound.path is None:
            self.sound.choose.setFocus()
        else:
            super().focus_first()

    def choose_sound(self, path: Path) -> None:
        """The consent is to a voice, in this file."""
        self._voice.setChecked(True)
        self.sound.set_path(path)

    def on_told(self, reason: str) -> None:
        """Why the sound cannot be played, or nothing."""
        self._sound_note.setText(reason)
        self._sound_note.setVisible(bool(reason))

    def on_likeness_changed(self) -> None:
        """Face and voice need different files."""
        face = self._face.isChecked()
        self._pictures.setVisible(face)
        self._sound_part.setVisible(not face)
        self.on_slot_changed()

    def on_slot_changed(self) -> None:
        """List the faces where there are several."""
        numbers = [face.number for face in self._slot.faces]
        self._who.setVisible(len(numbers) > 1)
        wanted = (self._slot.sha256, self._slot.image.cacheKey(), self._draft.new_name, len(numbers))
        if getattr(self, "_shown", None) != wanted:
            self._shown = wanted
            self._list_faces(numbers)
        self.completeChanged.emit()

    def _list_faces(self, numbers: list[int]) -> None:
        chosen = {number: combo.currentData() for number, combo in self._combos.items()}
        same = self._slot.sha256 == self._listed
        self._listed = self._slot.sha256
        clear(self._faces)
        self._combos = {}
        for number in numbers if len(numbers) > 1 else ():
            combo = named(QComboBox(), f"wizard_face_{number}", _("Person of face {number}", number=number))
            combo.addItem(_("somebody else"), None)
            combo.addItem(self._draft.new_name or _("this person"), THIS_PERSON)
            for person in self._model.subjects:
                if person.erased_at is None and person.id != self._draft.subject_id:
                    combo.addItem(person.name or person.id, person.id)
            if same:
                # The small picture came after the faces: what was said meanwhile stays.
                combo.setCurrentIndex(max(0, combo.findData(chosen.get(number))))
            combo.currentIndexChanged.connect(self.on_said)
            self._combos[number] = combo
            self._faces.addWidget(face_picture(self._slot, number), number, 0)
            self._faces.addWidget(combo, number, 1)
        self._faces.setColumnStretch(1, 1)

    def on_said(self) -> None:
        """Mark the person's face in the picture."""
        own = self._own()
        self.card.set_chosen(own[0] if len(own) == 1 else 0)
        self.completeChanged.emit()

    def _own(self) -> list[int]:
        return [number for number, combo in self._combos.items() if combo.currentData() == THIS_PERSON]

    def isComplete(self) -> bool:
        """A face was found, and where there are several exactly one is the person's; or a sound is there."""
        if not self._face.isChecked():
            return is_sound(self.sound.path)
        return self._slot.state == "ready" and (len(self._slot.faces) < 2 or len(self._own()) == 1)

    def validatePage(self) -> bool:
        """Keep the answer."""
        draft, face = self._draft, self._face.isChecked()
        draft.likeness = "face" if face else "voice"
        draft.asset = self._slot.path if face else self.sound.path
        draft.face = next(iter(self._own()), None) if face else None
        draft.others = {
            number: combo.currentData()
            for number, combo in self._combos.items()
            if face and combo.currentData() not in (None, THIS_PERSON)
        }
        return True

    def nextId(self) -> int:
        """On to the notice."""
        return NOTICE
