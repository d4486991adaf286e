"""The wizard that records a consent: who, which picture, evidence, scope, review."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget, QWizard

from compliance.errors import SignetError
from studio.text import _
from studio.window.models.people import ConsentDraft
from studio.window.models.picture_slot import PictureSlot
from studio.window.models.studio import Studio
from studio.window.pages.wizard_steps import EvidenceStep, PictureStep, ReviewStep, ScopeStep, Step, WhoStep
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import named, restyle

SIZE = (760, 620)


class ConsentWizard(QWizard):
    """Gathers a ConsentDraft and records it; stays open, with the reason, when the record is refused."""

    def __init__(self, studio: Studio, asset: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("consent_wizard")
        self.setWindowTitle(_("Record consent"))
        self.setWizardStyle(QWizard.WizardStyle.ModernStyle)
        self.setOption(QWizard.WizardOption.NoBackButtonOnStartPage)
        self.setOption(QWizard.WizardOption.NoCancelButton, False)
        self.resize(*SIZE)
        self._studio = studio
        self.draft = ConsentDraft()
        self.slot = PictureSlot(studio.workshop, studio.calls, self)
        self.banner = Banner("wizard_banner")
        self.who = WhoStep(self.draft, studio.people)
        self.picture = PictureStep(self.draft, self.slot)
        self.evidence = EvidenceStep(self.draft)
        self.scope = ScopeStep(self.draft)
        self.review = ReviewStep(self.draft, self.slot, self.banner)
        for step in (self.who, self.picture, self.evidence, self.scope, self.review):
            self.addPage(step)
        self._name_buttons()
        # Queued: QWizard puts the keyboard somewhere itself after a step came to the front.
        self.currentIdChanged.connect(self.on_step_changed, Qt.ConnectionType.QueuedConnection)
        if asset is not None:
            self.slot.set_picture(asset)

    def _name_buttons(self) -> None:
        kind = QWizard.WizardButton
        texts = {
            kind.BackButton: ("wizard_back", _("Back")),
            kind.NextButton: ("wizard_next", _("Next")),
            kind.FinishButton: ("wizard_record", _("Record consent")),
            kind.CancelButton: ("wizard_cancel", _("Cancel")),
        }
        for which, (object_name, text) in texts.items():
            self.setButtonText(which, text)
            named(self.button(which), object_name, text)
        for which in (kind.NextButton, kind.FinishButton):
            self.button(which).setProperty("weight", "primary")
            restyle(self.button(which))

    def on_step_changed(self, _number: int) -> None:
        """Put the keyboard where the step begins."""
        step = self.currentPage()
        if isinstance(step, Step):
            step.focus_first()

    def accept(self) -> None:
        """Record; the wizard closes when the workshop has said yes."""
        self._set_busy(True)
        self._studio.people.recorded.connect(self.on_recorded)
        self._studio.people.record(self.draft, self.on_refused)

    def on_recorded(self, _grant: object) -> None:
        """The consent stands."""
        self._studio.people.recorded.disconnect(self.on_recorded)
        super().accept()

    def on_refused(self, error: SignetError) -> None:
        """Say why, and let it be corrected."""
        self._studio.people.recorded.disconnect(self.on_recorded)
        self._set_busy(False)
        self.banner.show_error(error)

    def _set_busy(self, busy: bool) -> None:
        for which in (QWizard.WizardButton.FinishButton, QWizard.WizardButton.BackButton):
            self.button(which).setEnabled(not busy)
