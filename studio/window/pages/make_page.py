"""Making: how far it is, how long it takes, stop; then the labelled preview."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QWidget

from compliance.errors import SignetError
from engines.job import JobState
from studio.text import _, word
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.progress_words import left_text, stage_word
from studio.window.widgets.basic import button, card, column, empty_state, holder, label, row
from studio.window.widgets.picture_view import PictureView
from studio.window.widgets.work_parts import work_parts

TICK_MS = 500
PREVIEW_MIN_PX = 320


class MakePage(Page):
    """Nothing yet, at work, or a result."""

    name = "make"

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio, _("Make"), _("The picture is made on this computer; nothing leaves it."))
        self._model = studio.making
        self._faces = QStackedWidget()
        self._nothing = self._build_nothing()
        self._work = self._build_work()
        self._result = self._build_result()
        for face in (self._nothing, self._work, self._result):
            self._faces.addWidget(face)
        self.body.addWidget(self._faces, 1)
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self.on_tick)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._model.cancel)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self.on_changed()

    def _build_nothing(self) -> QWidget:
        onward = button("make_to_workspace", _("To the workspace"), "primary", "workspace")
        onward.clicked.connect(lambda: self.go.emit("workspace"))
        self._onward = onward
        state = empty_state(
            "make", _("Nothing is being made"), _("Choose two pictures in the workspace, then press 'Make'."), onward
        )
        return holder(column(state, 1))

    def _build_work(self) -> QWidget:
        parts = work_parts("make", "make_cancel", self._model.cancel)
        self._stage, self._bar, self._left, self._cancel = parts
        foot = row(self._left, self._cancel)
        foot.setStretch(0, 1)
        return holder(column(card(column(self._stage, self._bar, foot, spacing=16), 28), 1))

    def _build_result(self) -> QWidget:
        self._view = PictureView(PREVIEW_MIN_PX)
        self._view.setObjectName("make_preview")
        self._view.setAccessibleName(_("Labelled preview"))
        self._facts = label("", "muted")
        self._facts.setObjectName("make_facts")
        self._release = button("make_release", _("Release..."), "primary", "release")
        self._release.clicked.connect(lambda: self.go.emit("release"))
        self._discard = button("make_discard", _("Discard"))
        self._discard.clicked.connect(self.on_discard)
        note = label(_("The label in the preview will stand on the released file."), "muted")
        foot = row(column(note, self._facts, spacing=2), self._discard, self._release)
        foot.setStretch(0, 1)
        body = column(self._view, foot, spacing=14)
        body.setStretch(0, 1)
        return card(body, 18)

    def enter(self) -> None:
        """Show what is."""
        self.on_changed()

    def on_changed(self) -> None:
        """Show the job as it is now."""
        model = self._model
        if model.is_active:
            self.banner.hide()
            self._faces.setCurrentWidget(self._work)
            self.default_button = None
            self._cancel.setEnabled(not model.is_cancelling)
            self._bar.setRange(0, max(model.total, 0))
            self._bar.setValue(model.done)
            self._stage.setText(self._stage_text())
            self._clock.start()
            self.on_tick()
            return
        self._clock.stop()
        if model.is_releasable or (model.state is JobState.FINISHED and not model.preview.isNull()):
            self._view.show_picture(model.preview)
            self._facts.setText(self._facts_text())
            self._release.setEnabled(model.is_releasable)
            self._discard.setEnabled(model.is_releasable)
            self.default_button = self._release
            self._faces.setCurrentWidget(self._result)
            return
        if model.state is JobState.FINISHED:
            self._stage.setText(_("Drawing the label on the preview..."))
            self._left.setText("")
            self._cancel.setEnabled(False)
            self._faces.setCurrentWidget(self._work)
            return
        if model.state is JobState.CANCELLED:
            self.banner.show_message("info", _("Stopped; nothing was released."), _("Start again whenever you like."))
        self.default_button = self._onward
        self._faces.setCurrentWidget(self._nothing)

    def on_failed(self, error: SignetError) -> None:
        """A failed job is said here until the next one, also while another page is in front."""
        if self._model.state is JobState.FAILED:
            self.banner.show_error(error)

    def on_tick(self) -> None:
        """The forecast moves on between two events."""
        if self._model.is_cancelling:
            self._left.setText("")
        elif self._model.is_active:
            self._left.setText(left_text(self._model.seconds_left()))

    def on_discard(self) -> None:
        """Let the result go."""
        self._model.discard()

    def _stage_text(self) -> str:
        if self._model.is_cancelling:
            return _("Stopping...")
        if self._model.state is JobState.QUEUED:
            return _("Asking for permission...")
        text = stage_word(self._model.stage) if self._model.stage else _("Starting...")
        return text[:1].upper() + text[1:]

    def _facts_text(self) -> str:
        info = self._model.info
        if info is None:
            return ""
        size = _("{width} x {height} pixels", width=info.width, height=info.height)
        if not info.faces_edited:
            return "\n".join([size, *(word(warning) for warning in info.warnings)])
        faces = _("1 face edited") if info.faces_edited == 1 else _("{count} faces edited", count=info.faces_edited)
        return " ".join([_("{size}, {faces}", size=size, faces=faces), *(word(warning) for warning in info.warnings)])
