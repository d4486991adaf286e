"""One job from the start to its release; its events come from a foreign thread and go on as signals."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from compliance.errors import SignetError
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio.window.calls import Calls, as_signet_error, emit_across
from studio.window.models.model import Model

if TYPE_CHECKING:
    from compliance.media import MediaInfo
    from studio.workshop import ReleaseView, Running, Workshop

SMOOTHING_MIN_DONE = 0.1  # below a tenth of the work a forecast says nothing


class MakingModel(Model):
    """state is None before the first job. `changed` after anything changed, `finished` once a preview is there."""

    changed = Signal()
    finished = Signal()
    released = Signal(object)
    let_go = Signal(object)
    _event_came = Signal(object, object)

    def __init__(
        self, workshop: Workshop, calls: Calls, preview_longest_px: int, parent: QObject | None = None
    ) -> None:
        super().__init__(workshop, calls, parent)
        self.preview_longest_px = preview_longest_px
        self._ticket: object = None
        self._reset()
        self.release_view: ReleaseView | None = None
        self.released_running: Running | None = None
        # Events come on the worker's thread: the queued connection brings them into the window's.
        self._event_came.connect(self.on_event, Qt.ConnectionType.QueuedConnection)

    def _reset(self) -> None:
        self.state: JobState | None = None
        self.running: Running | None = None
        self.info: MediaInfo | None = None
        self.stage = ""
        self.done, self.total = 0, 0
        self.started_s = 0.0
        self.error: SignetError | None = None
        self.preview = QImage()
        self.is_cancelling = False
        self.target: Path | None = None
        self.made_on = "workspace"

    @property
    def is_active(self) -> bool:
        """Whether a job is queued or running."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def is_releasable(self) -> bool:
        """Whether a finished result waits for its release."""
        return self.state is JobState.FINISHED and self.running is not None and not self.preview.isNull()

    def seconds_left(self) -> int | None:
        """Forecast from the share done so far; None while it would be a guess."""
        if not self.total or self.done / self.total < SMOOTHING_MIN_DONE:
            return None
        elapsed_s = time.monotonic() - self.started_s
        return round(elapsed_s * (self.total - self.done) / self.done)

    def start(self, source: Path, target: Path, consents: tuple[str, ...], **scope: Any) -> None:
        """Plan the swap, ask the gate and queue the job; an unreleased result before it is let go.

        scope: the further arguments of Workshop.plan_swap.
        """
        self.discard()
        self._reset()
        self.release_view = None
        ticket = self._ticket = object()
        self.target = target
        self.state = JobState.QUEUED
        self.started_s = time.monotonic()
        self.changed.emit()

        def on_event(event: Event) -> None:
            emit_across(self._event_came, ticket, event)

        def work() -> Any:
            return self.workshop.start(self.workshop.plan_swap(source, target, consents, **scope), on_event)

        def then(running: Running) -> None:
            if ticket is not self._ticket:
                return
            self.running = running
            if self.is_cancelling:
                self.calls.aside(running.cancel, _nothing, self._refuse)
            elif self.state is JobState.FINISHED:
                self._ask_preview()
            self.changed.emit()

        self.call(work, then, self._refuse)

    def adopt(self, running: Running, info: MediaInfo | None, preview: QImage, name: Path) -> None:
        """Take a finished result that another page made, to be released; name: what its file may be called after."""
        if running is self.running:
            return
        self.discard()
        self._reset()
        self._ticket, self.release_view = object(), None
        self.running, self.info, self.preview, self.target = running, info, preview, name
        self.state, self.made_on = JobState.FINISHED, "pictures"
        self.changed.emit()

    def cancel(self) -> None:
        """Stop the job; it ends with Cancelled within a second."""
        if not self.is_active or self.is_cancelling:
            return
        self.is_cancelling = True
        if self.running is not None:
            self.calls.aside(self.running.cancel, _nothing, self._refuse)
        self.changed.emit()

    def discard(self) -> None:
        """Let a result go that was not released."""
        if self.running is not None and self.state is JobState.FINISHED and self.release_view is None:
            running = self.running
            self.call(lambda: self.workshop.discard(running), _nothing)
            self.let_go.emit(running)
        if not self.is_active:
            self._ticket = None
            self._reset()
            self.changed.emit()

    def release(self, out: Path, overwrite: bool) -> None:
        """Release the result to a file."""
        running = self.running
        assert running is not None, "only a finished result is released"
        self.call(lambda: self.workshop.release(running, out, overwrite), self._take_release)

    def on_event(self, ticket: object, event: Event) -> None:
        """One event of the job; those of an older job are let go."""
        if ticket is not self._ticket:
            return
        match event:
            case Started():
                self.state = JobState.RUNNING
                self.started_s = time.monotonic()
            case Progress(done=done, total=total, stage=stage):
                self.done, self.total, self.stage = done, total, stage
            case Finished(info=info):
                self.state, self.info, self.done = JobState.FINISHED, info, self.total
                if self.running is not None:
                    self._ask_preview()
            case Failed():
                self._refuse(error_of(event))
                return
            case Cancelled():
                self.state, self.is_cancelling = JobState.CANCELLED, False
            case _:
                assert_never(event)
        self.changed.emit()

    def _ask_preview(self) -> None:
        running, ticket = self.running, self._ticket
        assert running is not None, "asked for after the job ended"

        def then(png: bytes) -> None:
            if ticket is self._ticket:
                self.preview = QImage.fromData(png, "PNG")
                self.changed.emit()
                self.finished.emit()

        self.call(lambda: self.workshop.preview(running, self.preview_longest_px), then, self._refuse)

    def _refuse(self, error: SignetError) -> None:
        self.state, self.error, self.is_cancelling = JobState.FAILED, error, False
        self.changed.emit()
        self.failed.emit(error)

    def _take_release(self, view: ReleaseView) -> None:
        self.release_view = view
        self.released_running, self.running = self.running, None
        self.changed.emit()
        self.released.emit(view)


def _nothing(_answer: object) -> None:
    """The answer says nothing."""


def error_of(event: Failed) -> SignetError:
    """The error that a failed job names."""
    from studio.workshop import raise_failed  # here, so that the window appears before the workshop is imported

    try:
        raise_failed(event)
    except Exception as error:
        return as_signet_error(error)
