"""The wizard that records a consent: who, likeness and file, notice, evidence, scope, review, receipt."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget, QWizard

from compliance.errors import SignetError
from studio.text import _
from studio.window.models.people import ConsentDraft, is_sound
from studio.window.models.picture_slot import PictureSlot
from studio.window.models.studio import Studio
from studio.window.pages.wizard_camera import CameraStep
from studio.window.pages.wizard_evidence import EvidenceStep, FileStep, NoticeStep
from studio.window.pages.wizard_steps import (
    CAMERA,
    EVIDENCE,
    FILE,
    GUARDIAN,
    LIKENESS,
    NOTICE,
    RECORDED,
    REVIEW,
    SCOPE,
    WHO,
    GuardianStep,
    LikenessStep,
    Step,
    WhoStep,
)
from studio.window.pages.wizard_terms import RecordedStep, ReviewStep, ScopeStep
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import named, restyle

SIZE = (820, 660)


class ConsentWizard(QWizard):
    """Gathers a ConsentDraft and records it; stays open, with the reason, when the record is refused."""

    def __init__(self, studio: Studio, asset: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("consent_wizard")
        self.setWindowTitle(_("Record consent"))
        self.setWizardStyle(QWizard.WizardStyle.ModernStyle)
        self.setOption(QWizard.WizardOption.NoBackButtonOnStartPage)
        self.setOption(QWizard.WizardOption.NoBackButtonOnLastPage)
        self.setOption(QWizard.WizardOption.NoCancelButtonOnLastPage)
        self.setOption(QWizard.WizardOption.NoCancelButton, False)
        self.resize(*SIZE)
        self._studio = studio
        self.draft = ConsentDraft()
        self.slot = PictureSlot(studio.workshop, studio.calls, self)
        self.banner = Banner("wizard_banner")
        self.who = WhoStep(self.draft, studio.people)
        self.guardian = GuardianStep(self.draft, studio.people)
        self.picture = LikenessStep(self.draft, self.slot, studio.people)
        self.notice = NoticeStep(self.draft)
        self.evidence = EvidenceStep(self.draft)
        self.file = FileStep(self.draft, studio.people)
        self.camera = CameraStep(self.draft, studio.people)
        self.scope = ScopeStep(self.draft)
        self.review = ReviewStep(self.draft, self.slot, self.banner)
        self.recorded = RecordedStep(self.draft, studio.people)
        for number, step in (
            (WHO, self.who),
            (GUARDIAN, self.guardian),
            (LIKENESS, self.picture),
            (NOTICE, self.notice),
            (EVIDENCE, self.evidence),
            (FILE, self.file),
            (CAMERA, self.camera),
            (SCOPE, self.scope),
            (REVIEW, self.review),
            (RECORDED, self.recorded),
        ):
            self.setPage(number, step)
        self._name_buttons()
        # Queued: QWizard puts the keyboard somewhere itself after a step came to the front.
        self.currentIdChanged.connect(self.on_step_changed, Qt.ConnectionType.QueuedConnection)
        self.finished.connect(self.camera.let_go)
        studio.people.look_for_recogniser(lambda _there: None)
        if is_sound(asset):
            self.picture.choose_sound(asset)
        elif asset is not None:
            self.slot.set_picture(asset)

    def _name_buttons(self) -> None:
        kind = QWizard.WizardButton
        texts = {
            kind.BackButton: ("wizard_back", _("Back")),
            kind.NextButton: ("wizard_next", _("Next")),
            kind.CommitButton: ("wizard_record", _("Record consent")),
            kind.FinishButton: ("wizard_done", _("Done")),
            kind.CancelButton: ("wizard_cancel", _("Cancel")),
        }
        for which, (object_name, text) in texts.items():
            self.setButtonText(which, text)
            named(self.button(which), object_name, text)
        for which in (kind.NextButton, kind.CommitButton, kind.FinishButton):
            self.button(which).setProperty("weight", "primary")
            restyle(self.button(which))

    def on_step_changed(self, _number: int) -> None:
        """Put the keyboard where the step begins."""
        step = self.currentPage()
        if isinstance(step, Step):
            step.focus_first()

    def hideEvent(self, event: QHideEvent) -> None:
        """A window that was locked films nobody."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.camera.let_go()

    def showEvent(self, event: QShowEvent) -> None:
        """Unlocked: the camera sees again."""
        super().showEvent(event)
        if not event.spontaneous() and self.currentPage() is self.camera:
            self.camera.begin()

    def record(self) -> None:
        """Record; the receipt follows when the workshop has said yes."""
        self._set_busy(True)
        self.banner.hide()
        self._studio.people.record(self.draft, self.on_recorded, self.on_refused)

    def on_recorded(self) -> None:
        """The consent stands."""
        self._set_busy(False)
        self.draft.passphrase = None
        self.file.forget()
        self.next()

    def on_refused(self, error: SignetError) -> None:
        """Say why, and let it be corrected."""
        self._set_busy(False)
        self.banner.show_error(error)

    def _set_busy(self, busy: bool) -> None:
        kind = QWizard.WizardButton
        for which in (kind.CommitButton, kind.BackButton, kind.CancelButton):
            self.button(which).setEnabled(not busy)
