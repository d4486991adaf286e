"""The middle of the consent wizard: what the person reads, and what proves that they agree."""

from __future__ import annotations

from PySide6.QtWidgets import QRadioButton

from studio.text import _, language
from studio.window.models.people import ConsentDraft, How, PeopleModel
from studio.window.pages.asking import password_field
from studio.window.pages.wizard_steps import CAMERA, EVIDENCE, FILE, SCOPE, Step
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import card, column, holder, label, named
from studio.window.widgets.camera import why_no_camera
from studio.window.widgets.file_line import FileLine
from studio.window.widgets.reading import Reading
from studio.window.widgets.sound_line import SoundLine

MINIMUM_PASSPHRASE = 8


class NoticeStep(Step):
    """What the person reads before they agree, in both languages, to the end."""

    def __init__(self, draft: ConsentDraft) -> None:
        super().__init__(
            "notice",
            _("Let the person read this"),
            _("The version that was read is named in the record. Scroll to the end to go on."),
        )
        self._draft = draft
        self.reading = Reading("wizard_notice_text", _("Notice to the person"))
        self.reading.read_to_end.connect(self.completeChanged)
        self.body.addWidget(self.reading, 1)
        self._shown = ""

    def initializePage(self) -> None:
        """The text fits the likeness; the reader's language stands first."""
        if self._shown != self._draft.likeness:
            from compliance.notice import LANGUAGES, notice  # here: nobody else in the window needs the texts

            self._shown = self._draft.likeness
            texts = {code: notice(self._draft.likeness, code).text for code in LANGUAGES}
            self.reading.show_texts(texts, language())

    def focus_first(self) -> None:
        """Ready to scroll."""
        self.reading.setFocus()

    def isComplete(self) -> bool:
        """It was read to the end."""
        return self.reading.is_read

    def validatePage(self) -> bool:
        """Keep in which language it was read."""
        self._draft.notice_language = language()
        return True

    def nextId(self) -> int:
        """On to the evidence."""
        return EVIDENCE


class EvidenceStep(Step):
    """What proves the consent; the record says how strongly it speaks."""

    def __init__(self, draft: ConsentDraft) -> None:
        super().__init__(
            "evidence",
            _("What proves the consent?"),
            _("The record says how strong the evidence is."),
        )
        self._draft = draft
        self._ways: dict[How, QRadioButton] = {}
        lines = column(spacing=4)
        for how, text, hint in (
            ("live", _("Record it now with the camera"), _("The person reads a fresh phrase aloud. Strongest.")),
            ("passphrase", _("The person is here and types a passphrase"), _("With it they can also withdraw alone.")),
            ("receipt", _("The person signs the printed receipt"), _("It is handed in at the end, or later.")),
            (
                "file",
                _("A file: letter, scan, photo or recording"),
                _("A second person should approve it."),
            ),
            ("none", _("I have no file; the person told me"), _("It rests on your word alone, weak in a dispute.")),
        ):
            way = named(QRadioButton(text), f"wizard_evidence_{'without' if how == 'none' else how}", text)
            way.setAccessibleDescription(hint)
            way.toggled.connect(self.completeChanged)
            self._ways[how] = way  # type: ignore[index]  # the words above are those of How
            small = label(hint, "small")
            small.setContentsMargins(28, 0, 0, 6)
            lines.addWidget(way)
            lines.addWidget(small)
        self.body.addWidget(card(lines, 18))
        self.body.addStretch(1)

    def focus_first(self) -> None:
        """Ready to choose."""
        next((way for way in self._ways.values() if way.isChecked()), self._ways["live"]).setFocus()

    def chosen(self) -> How | None:
        """The way that is chosen."""
        return next((how for how, way in self._ways.items() if way.isChecked()), None)

    def isComplete(self) -> bool:
        """One way is chosen."""
        return self.chosen() is not None

    def validatePage(self) -> bool:
        """Keep the answer; look for a camera only now."""
        how = self.chosen()
        assert how is not None, "the wizard does not go on before"
        if how != self._draft.how:
            self._draft.evidence_data = self._draft.nonce_phrase = self._draft.passphrase = None
            self._draft.still_data = None
        self._draft.how = how
        self._draft.no_camera = why_no_camera(self._draft.likeness) if how == "live" else ""
        if how == "none":
            self._draft.evidence = self._draft.still = None
        return True

    def initializePage(self) -> None:
        """A voice needs the microphone alone."""
        voice = self._draft.likeness == "voice"
        text = _("Record it now with the microphone") if voice else _("Record it now with the camera")
        self._ways["live"].setText(text)
        self._ways["live"].setAccessibleName(text)

    def nextId(self) -> int:
        """The camera, a file, or straight on; without a camera the file page says why."""
        match self.chosen():
            case "live":
                return FILE if self._draft.no_camera else CAMERA
            case "none":
                return SCOPE
            case _:
                return FILE


class FileStep(Step):
    """A file; beside it the person's passphrase where they are here."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__(
            "file", _("The evidence"), _("It is kept encrypted in your home folder; its digest goes into the ledger.")
        )
        self._draft, self._model = draft, people
        self.banner = Banner("wizard_file_banner")
        self.line = SoundLine("wizard_evidence_file", _("Evidence file"), _("All files (*)"))
        self.line.changed.connect(self.completeChanged)
        self.line.told.connect(lambda reason: self.banner.show_message("warn", reason))
        self.still = FileLine("wizard_still", _("Picture for the comparison"), _("Pictures (*.png *.jpg *.jpeg)"))
        self._compared = holder(
            column(
                label(_("For the comparison of faces (optional)"), "strong"),
                label(
                    _(
                        "A picture out of the evidence that shows this person alone. Its face is compared with the "
                        "likeness; the consent then covers the person in other pictures too. It is not kept, only "
                        "its encrypted template is."
                    ),
                    "muted",
                ),
                self.still,
                spacing=8,
            )
        )
        self._hint = label("", "muted")
        self._first = password_field("wizard_passphrase", _("Passphrase of the person"))
        self._again = password_field("wizard_passphrase_again", _("Passphrase again"))
        for field in (self._first, self._again):
            field.setPlaceholderText(field.accessibleName())
            field.textChanged.connect(self.completeChanged)
        self._typed = holder(
            column(
                label(_("The person types this, not you"), "strong"),
                label(
                    _("At least 8 characters that only they know. It is not kept; only a commitment to it is."), "muted"
                ),
                self._first,
                self._again,
                spacing=8,
            )
        )
        for widget in (self.banner, self._hint, self.line, self._typed, self._compared):
            self.body.addWidget(widget)
        self.body.addStretch(1)

    def initializePage(self) -> None:
        """Ask for what the chosen way needs."""
        how = self._draft.how
        self._typed.setVisible(how == "passphrase")
        self._compared.setVisible(self._model.has_recogniser and self._draft.likeness == "face")
        self._hint.setText(
            {
                "passphrase": _(
                    "A signed letter or a photo of the person, if there is one. With a file the evidence is marked as "
                    "confirmed by the person; without one it stays the operator's word."
                ),
                "receipt": _(
                    "A letter or a photo, if there is one. The receipt is printed after the consent is recorded; the "
                    "person signs it, and you hand it in on the last page."
                ),
            }.get(how, _("A signed letter, a scan, a photo, or a recording that was made elsewhere."))
        )
        if self._draft.no_camera:
            self.banner.show_message("warn", self._draft.no_camera, _("Hand in a file instead; it is a weaker mark."))
        else:
            self.banner.hide()
        self.completeChanged.emit()

    def focus_first(self) -> None:
        """The keyboard starts where something has to be given."""
        (self._first if self._draft.how == "passphrase" else self.line.choose).setFocus()

    def isComplete(self) -> bool:
        """A file where there is nothing else; the same passphrase twice where one is typed."""
        match self._draft.how:
            case "passphrase":
                typed = self._first.text()
                return len(typed.strip()) >= MINIMUM_PASSPHRASE and typed == self._again.text()
            case "receipt":
                return True
            case _:
                return self.line.path is not None

    def validatePage(self) -> bool:
        """Keep the answer."""
        self._draft.evidence = self.line.path
        self._draft.still = self.still.path
        self._draft.passphrase = self._first.text() if self._draft.how == "passphrase" else None
        return True

    def forget(self) -> None:
        """Keep nothing of what the person typed."""
        self._first.clear()
        self._again.clear()

    def nextId(self) -> int:
        """On to the scope."""
        return SCOPE
