"""The live step of the consent wizard: the person reads a fresh phrase into the camera, or into the microphone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWizard

from compliance.errors import SignetError
from studio.text import _, language
from studio.window.models.people import ConsentDraft, PeopleModel
from studio.window.pages.wizard_steps import FILE, SCOPE, Step
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, card, column, label, row
from studio.window.widgets.camera import Camera, Likeness
from studio.window.widgets.picture_view import PictureView


def in_memory(image: QImage) -> bytes:
    """A picture as the bytes of a PNG, in memory and nowhere else."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


class CameraStep(Step):
    """The film goes into memory and, once recorded, encrypted into the home; whatever fails leads to the file page."""

    def __init__(self, draft: ConsentDraft, people: PeopleModel) -> None:
        super().__init__(
            "camera",
            _("Record the person now"),
            _("The person reads the phrase aloud, into the camera. It is good once, for 30 minutes."),
        )
        self._draft, self._model = draft, people
        self.make_camera: Callable[[Likeness], Camera] = Camera
        self.camera: Camera | None = None
        self._films: Likeness = "face"
        self.banner = Banner("wizard_camera_banner")
        self._phrase = label("", "heading")
        self._phrase.setObjectName("wizard_phrase")
        self._view = PictureView(200)
        self._record = button("wizard_camera_record", _("Start recording"), "primary")
        self._record.clicked.connect(self.on_record)
        self._file = button("wizard_camera_file", _("Hand in a file instead"), "quiet")
        self._file.clicked.connect(lambda: self.go_to_file(""))
        self._state = label("", "muted")
        self.body.addWidget(self.banner)
        self.body.addWidget(card(column(self._phrase), 16))
        self.body.addWidget(self._view, 1)
        line = row(self._record, self._state, self._file)
        line.setStretch(1, 1)
        self.body.addLayout(line)
        self.body.addStretch(0)
        self._wants_file = False

    def begin(self) -> None:
        """Ask for a phrase, and let the camera see; also when the reader comes back from the file page."""
        self._wants_file = False
        self._draft.how, self._draft.no_camera = "live", ""
        self.banner.hide()
        self._view.setVisible(self._draft.likeness == "face")
        if self._draft.nonce_phrase is None:
            self._model.ask_phrase(self._draft, language(), self.on_phrase, self.on_refused)
        if self.camera is not None and self._films != self._draft.likeness:
            self.camera.deleteLater()
            self.camera = None
        if self.camera is None:
            self._films = self._draft.likeness
            self.camera = self.make_camera(self._films)
            self.camera.pictured.connect(self._view.show_picture)
            self.camera.recorded.connect(self.on_recorded)
            self.camera.broke.connect(self.on_broke)
        self.camera.start()
        self._show_state()

    def focus_first(self) -> None:
        """This step came to the front: the camera sees, and all is ready to record."""
        self.begin()
        self._record.setFocus()

    def cleanupPage(self) -> None:
        """Let the camera go when the reader goes back."""
        self.let_go()

    def let_go(self) -> None:
        """Switch the camera off."""
        if self.camera is not None:
            self.camera.close()

    def on_phrase(self, nonce: object) -> None:
        """Show the phrase."""
        self._draft.nonce_phrase = nonce.phrase  # type: ignore[attr-defined]  # a Nonce, through the pool
        self._show_state()
        # Only now the button can take the keyboard.
        self._record.setFocus()

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
            self._draft.evidence_data = self._draft.still_data = None
            self.camera.record()
        self._show_state()

    def on_recorded(self, data: bytes) -> None:
        """The film is there; its last picture serves the comparison of faces."""
        assert self.camera is not None, "it came from the camera"
        self._draft.evidence_data, self._draft.device = data, self.camera.device
        last = QImage(self._view.image)
        if self._draft.likeness == "face" and not last.isNull():
            self._draft.still_data = in_memory(last)
        self._show_state()
        super().focus_first()

    def on_broke(self, reason: str) -> None:
        """On to the file page, which says why; Back tries the camera again."""
        if self.isVisible():
            self.go_to_file(reason)

    def go_to_file(self, reason: str) -> None:
        """A file after all; reason: why, when it is not the reader's own wish."""
        self._wants_file = True
        self._draft.evidence_data = self._draft.nonce_phrase = self._draft.still_data = None
        self._draft.how, self._draft.no_camera = "file", reason
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
            self._draft.evidence = self._draft.still = None
        return True

    def nextId(self) -> int:
        """On to the scope, or to the file."""
        return FILE if self._wants_file else SCOPE
