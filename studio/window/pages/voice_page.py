"""Voices: speech from words, changes of a recorded voice, and the takes that came of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QWidget

from compliance.errors import SignetError
from engines.job import JobState
from studio.text import _
from studio.window.folders import show_folder_of
from studio.window.models.studio import Studio
from studio.window.models.voice_takes import Take
from studio.window.pages.page import Page
from studio.window.pages.voice_change import ChangePart
from studio.window.pages.voice_release import VoiceReleaseDialog
from studio.window.pages.voice_speak import SpeakPart
from studio.window.pages.voice_takes import TakesPart
from studio.window.progress_words import left_text, stage_word
from studio.window.widgets.basic import button, card, column, row
from studio.window.widgets.wave_panel import Ear
from studio.window.widgets.work_parts import work_parts

TICK_MS = 500


class VoicePage(Page):
    """`record_asked` carries the recording for which a consent is to be recorded."""

    name = "voice"
    record_asked = Signal(Path)

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio, _("Voices"), _("Speech from words, or a recorded voice changed; every sound says what it is.")
        )
        self._model = studio.voices
        self.ear = Ear(self)
        self.ear.told.connect(lambda reason: self.banner.show_message("warn", reason, _("Everything else works.")))
        self.speak = SpeakPart(self._model, self.ear)
        self.change = ChangePart(self._model, self.ear)
        self.takes = TakesPart(self._model, self.ear)
        for part in (self.speak, self.change):
            part.record_asked.connect(self.record_asked)
        self.takes.release_asked.connect(self.on_release_asked)
        self.takes.folder_asked.connect(self.on_folder_asked)
        self._parts: dict[str, QWidget] = {"speak": self.speak, "change": self.change, "takes": self.takes}
        self._modes: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        for mode, text in (("speak", _("Speak")), ("change", _("Change a voice")), ("takes", _("Takes"))):
            made = button(f"voice_mode_{mode}", text, "quiet")
            made.setCheckable(True)
            made.clicked.connect(lambda _on, mode=mode: self.on_mode(mode))
            group.addButton(made)
            self._modes[mode] = made
            self.head_actions.addWidget(made)
        self._work = self._build_work()
        self.body.addWidget(self._work)
        for part in self._parts.values():
            self.body.addWidget(part, 1)
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self.on_tick)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._model.cancel)
        self._model.changed.connect(self.on_changed)
        self._model.made.connect(self.on_made)
        self._model.failed.connect(self.on_failed)
        self._model.released.connect(self.on_released)
        self.mode = "speak"
        self.show_mode("takes" if self._model.takes else "speak")
        self.on_changed()

    def _build_work(self) -> QFrame:
        parts = work_parts("voice", "voice_cancel", self._model.cancel)
        self._stage, self._bar, self._left, self._cancel = parts
        head = row(self._stage, self._left, self._cancel, spacing=14)
        head.setStretch(0, 1)
        return card(column(head, self._bar, spacing=8), 14)

    def enter(self) -> None:
        """Find out which voices there are."""
        if not self._model.is_listed:
            self._model.list_voices()
        self.on_changed()

    def focus_first(self) -> None:
        """Ready to type where something is typed."""
        focused = self.window().focusWidget()
        # The first button of the page has the keyboard when the page has just come to the front.
        is_elsewhere = focused is None or not self.isAncestorOf(focused) or focused is self._modes["speak"]
        if self.mode == "speak" and is_elsewhere:
            self.speak.focus_first()
        else:
            super().focus_first()

    def show_mode(self, mode: str) -> None:
        """Speak, change or takes."""
        self.mode = mode
        self._modes[mode].setChecked(True)
        for name, part in self._parts.items():
            part.setVisible(name == mode)
        defaults = {"speak": self.speak.make, "change": self.change.make, "takes": None}
        self.default_button = defaults[mode]

    def on_mode(self, mode: str) -> None:
        """Another part of the page; what was said of the one before is read."""
        self.banner.hide()
        self.show_mode(mode)

    def on_changed(self) -> None:
        """Show the model as it is now."""
        model = self._model
        count = len(model.takes)
        self._modes["takes"].setText(_("Takes ({count})", count=count) if count else _("Takes"))
        self._modes["takes"].setAccessibleName(self._modes["takes"].text())
        self._work.setVisible(model.is_active)
        if model.is_active:
            self._bar.setRange(0, max(model.total, 0))
            self._bar.setValue(model.done)
            self._cancel.setEnabled(not model.is_cancelling)
            self._stage.setText(self._stage_text())
            self._clock.start()
            self.on_tick()
        else:
            self._clock.stop()
        if model.state is JobState.CANCELLED and not self.banner.isVisible():
            self.banner.show_message("info", _("Stopped; nothing was released."), _("Start again whenever you like."))
        elif model.state is JobState.QUEUED:
            self.banner.hide()
        self.speak.on_changed()
        self.change.on_changed()
        self.takes.on_changed()

    def on_tick(self) -> None:
        """The forecast moves on between two events."""
        self._left.setText("" if self._model.is_cancelling else left_text(self._model.seconds_left()))

    def on_made(self) -> None:
        """Let it be heard."""
        self.show_mode("takes")
        if self.isVisible():
            self.takes.focus_first()

    def on_failed(self, error: SignetError) -> None:
        """A failed job is said here until the next one, also while another page is in front."""
        if self._model.state is JobState.FAILED or self.isVisible():
            self.banner.show_error(error)

    def on_release_asked(self, take: Take) -> None:
        """Ask for the place, the format and the language."""
        self.banner.hide()
        dialog = VoiceReleaseDialog(self.studio, take, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def on_released(self, view: object) -> None:
        """It stands."""
        self.banner.show_message(
            "ok", _("Released"), _("It stands in the library; its label was read back from the file.")
        )

    def on_folder_asked(self, take: Take) -> None:
        """Show where it stands."""
        if take.released is not None and not show_folder_of(take.released.path):
            self.banner.show_message("info", _("No file browser answered."), str(take.released.path.parent))

    def _stage_text(self) -> str:
        model = self._model
        if model.is_cancelling:
            return _("Stopping...")
        if model.state is JobState.QUEUED:
            text = _("Asking for permission...")
        else:
            text = stage_word(model.stage) if model.stage else _("Starting...")
        text = text[:1].upper() + text[1:]
        number = model.wanted - model.waiting
        return (
            _("Take {number} of {count}: {stage}", number=number, count=model.wanted, stage=text)
            if model.wanted > 1
            else text
        )
