"""The middle of the consent wizard: what the person reads, and what proves that they agree."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QRadioButton, QWizard

from compliance.errors import SignetError
from studio.text import _, language
from studio.window.models.people import ConsentDraft, How, PeopleModel
from studio.window.pages.asking import password_field
from studio.window.pages.wizard_steps import CAMERA, EVIDENCE, FILE, SCOPE, Step
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, card, column, holder, label, named, row
from studio.window.widgets.camera import Camera, why_no_camera
from studio.window.widgets.file_line import FileLine
from studio.window.widgets.picture_view import PictureView
from studio.window.widgets.reading import Reading

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
        self._draft.how = how
        self._draft.no_camera = why_no_camera() if how == "live" else ""
        if how == "none":
            self._draft.evidence = None
        return True

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

    def __init__(self, draft: ConsentDraft) -> None:
        super().__init__(
            "file", _("The evidence"), _("It is kept encrypted in your home folder; its digest goes into the ledger.")
        )
        self._draft = draft
        self.banner = Banner("wizard_file_banner")
        self.line = FileLine("wizard_evidence_file", _("Evidence file"), _("All files (*)"))
        self.line.changed.connect(self.completeChanged)
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
        for widget in (self.banner, self._hint, self.line, self._typed):
            self.body.addWidget(widget)
        self.body.addStretch(1)

    def initializePage(self) -> None:
        """Ask for what the chosen way needs."""
        how = self._draft.how
        self._typed.setVisible(how == "passphrase")
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
        self._draft.passphrase = self._first.text() if self._draft.how == "passphrase" else None
        return True

    def forget(self) -> None:
        """Keep nothing of what the person typed."""
        self._first.clear()
        self._again.clear()

    def nextId(self) -> int:
        """On to the scope."""
        return SCOPE


class CameraStep(Step):
    """The person reads a fresh phrase aloud; the film goes into memory and, once recorded, encrypted into the home."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__(
            "camera",
            _("Record the person now"),
            _("The person looks into the camera and reads the phrase aloud. It is good once, for 30 minutes."),
        )
        self._draft, self._model = draft, people
        self.make_camera: Callable[[], Camera] = Camera
        self.camera: Camera | None = None
        self.banner = Banner("wizard_camera_banner")
        self._phrase = label("", "heading")
        self._phrase.setObjectName("wizard_phrase")
        self._view = PictureView(200)
        self._record = button("wizard_camera_record", _("Start recording"), "primary")
        self._record.clicked.connect(self.on_record)
        self._file = button("wizard_camera_file", _("Hand in a file instead"), "quiet")
        self._file.clicked.connect(self.on_file)
        self._state = label("", "muted")
        self.body.addWidget(self.banner)
        self.body.addWidget(card(column(self._phrase), 16))
        self.body.addWidget(self._view, 1)
        line = row(self._record, self._state, self._file)
        line.setStretch(1, 1)
        self.body.addLayout(line)
        self._wants_file = False

    def initializePage(self) -> None:
        """Ask for a phrase, and let the camera see."""
        self._wants_file = False
        self._show_state()
        if self._draft.nonce_phrase is None:
            self._model.ask_phrase(self._draft, language(), self.on_phrase, self.on_refused)
        if self.camera is None:
            self.camera = self.make_camera()
            self.camera.pictured.connect(self._view.show_picture)
            self.camera.recorded.connect(self.on_recorded)
            self.camera.broke.connect(self.on_broke)
        self.camera.start()

    def cleanupPage(self) -> None:
        """Let the camera go when the reader goes back."""
        self.let_go()

    def let_go(self) -> None:
        """Switch the camera off."""
        if self.camera is not None:
            self.camera.close()

    def focus_first(self) -> None:
        """Ready to record."""
        self._record.setFocus()

    def on_phrase(self, nonce: object) -> None:
        """Show the phrase."""
        self._draft.nonce_phrase = nonce.phrase  # type: ignore[attr-defined]  # a Nonce, through the pool
        self._show_state()

    def on_refused(self, error: SignetError) -> None:
        """No phrase, no live recording."""
        self.banner.show_error(error)

    def _show_state(self) -> None:
        phrase = self._draft.nonce_phrase or ""
        self._phrase.setText(phrase or _("One moment."))
        is_recording = self.camera is not None and self.camera.is_recording
        self._record.setEnabled(bool(phrase))
        if is_recording:
            self._record.setText(_("Stop recording"))
            self._state.setText(_("Recording..."))
        elif self._draft.evidence_data is not None:
            self._record.setText(_("Record again"))
            self._state.setText(_("Recorded, {count} KiB.", count=len(self._draft.evidence_data) // 1024 + 1))
        else:
            self._record.setText(_("Start recording"))
            self._state.setText("")
        self._record.setAccessibleName(self._record.text())
        self.completeChanged.emit()

    def on_record(self) -> None:
        """Start, or stop."""
        if self.camera is None:
            return
        if self.camera.is_recording:
            self.camera.finish()
        else:
            self.banner.hide()
            self._draft.evidence_data = None
            self.camera.record()
        self._show_state()

    def on_recorded(self, data: bytes) -> None:
        """The film is there."""
        assert self.camera is not None, "it came from the camera"
        self._draft.evidence_data, self._draft.device = data, self.camera.device
        self._view.show_picture(QImage(self._view.image))
        self._show_state()
        super().focus_first()

    def on_broke(self, reason: str) -> None:
        """Say why, and leave the way to the file open."""
        self.banner.show_message("warn", reason, _("Try again, or hand in a file instead; it is a weaker mark."))
        self._show_state()

    def on_file(self) -> None:
        """A file after all."""
        self._wants_file = True
        self._draft.evidence_data = self._draft.nonce_phrase = None
        self._draft.how = "file"
        self.completeChanged.emit()
        wizard = self.wizard()
        assert isinstance(wizard, QWizard), "a step stands in a wizard"
        wizard.next()

    def isComplete(self) -> bool:
        """A film is there, or a file is wanted."""
        return self._wants_file or self._draft.evidence_data is not None

    def validatePage(self) -> bool:
        """The camera is not needed any more."""
        self.let_go()
        if not self._wants_file:
            self._draft.evidence = None
        return True

    def nextId(self) -> int:
        """On to the scope, or to the file."""
        return FILE if self._wants_file else SCOPE
