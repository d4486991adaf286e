"""Jobs one after the other: each is planned and started when its turn comes; events come back as signals."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from PySide6.QtCore import QObject, Qt, Signal

from compliance.errors import SignetError
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio.window.calls import Calls, as_signet_error, emit_across
from studio.window.models.model import Model

if TYPE_CHECKING:
    from compliance.media import MediaInfo
    from studio.workshop import Running, Workshop

FORECAST_FROM = 0.1  # below a tenth of the work a forecast says nothing


@dataclass(eq=False)
class LineJob:
    """One piece of work. plan: makes the request; it runs beside the window."""

    plan: Callable[[], Any]
    state: JobState = JobState.QUEUED
    running: Running | None = None
    info: MediaInfo | None = None
    error: SignetError | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    started_s: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether it ended, in whatever way."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)

    def seconds_left(self) -> int | None:
        """Forecast from the share done so far; None while it would be a guess."""
        if not self.total or self.done / self.total < FORECAST_FROM:
            return None
        return round((time.monotonic() - self.started_s) * (self.total - self.done) / self.done)


class JobLine(Model):
    """`changed` after anything changed; `ended` with a job that finished, failed or was stopped."""

    changed = Signal()
    ended = Signal(object)
    _event_came = Signal(object, object)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.waiting: list[LineJob] = []
        self.current: LineJob | None = None
        self.is_cancelling = False
        # Events come on the worker's thread: the queued connection brings them into the window's.
        self._event_came.connect(self.on_event, Qt.ConnectionType.QueuedConnection)

    @property
    def is_active(self) -> bool:
        """Whether something runs or waits."""
        return self.current is not None or bool(self.waiting)

    def add(self, jobs: list[LineJob]) -> None:
        """Put work at the end of the line."""
        self.waiting += jobs
        self._go_on()

    def cancel(self) -> None:
        """Stop what runs and let go of what waits."""
        for job in self.waiting:
            job.state = JobState.CANCELLED
        left, self.waiting = self.waiting, []
        if self.current is not None and not self.is_cancelling:
            self.is_cancelling = True
            if self.current.running is not None:
                self.calls.aside(self.current.running.cancel, _nothing, self.failed.emit)
        self.changed.emit()
        for job in left:
            self.ended.emit(job)

    def _go_on(self) -> None:
        if self.current is not None or not self.waiting:
            self.changed.emit()
            return
        job = self.current = self.waiting.pop(0)
        job.started_s = time.monotonic()
        self.is_cancelling = False
        self.changed.emit()

        def on_event(event: Event) -> None:
            emit_across(self._event_came, job, event)

        def work() -> Any:
            return self.workshop.start(job.plan(), on_event)

        def then(running: Running) -> None:
            job.running = running
            if self.is_cancelling and job is self.current:
                self.calls.aside(running.cancel, _nothing, self.failed.emit)
            elif job.state is JobState.FINISHED:
                self._end(job)
            self.changed.emit()

        self.call(work, then, lambda error: self._fail(job, error))

    def on_event(self, job: LineJob, event: Event) -> None:
        """One event of the job in front."""
        match event:
            case Started():
                job.state, job.started_s = JobState.RUNNING, time.monotonic()
            case Progress(done=done, total=total, stage=stage):
                job.done, job.total, job.stage = done, total, stage
            case Finished(info=info):
                job.state, job.info, job.done = JobState.FINISHED, info, job.total
                if job.running is not None:
                    self._end(job)
            case Failed():
                self._fail(job, _error_of(event))
            case Cancelled():
                job.state = JobState.CANCELLED
                self._end(job)
            case _:
                assert_never(event)
        self.changed.emit()

    def _fail(self, job: LineJob, error: SignetError) -> None:
        job.state, job.error = JobState.FAILED, error
        self._end(job)
        self.failed.emit(error)

    def _end(self, job: LineJob) -> None:
        if job is self.current:
            self.current, self.is_cancelling = None, False
            self.ended.emit(job)
            self._go_on()


def _nothing(_answer: object) -> None:
    """The answer says nothing."""


def _error_of(event: Failed) -> SignetError:
    from studio.workshop import raise_failed  # here, so that the window appears before the workshop is imported

    try:
        raise_failed(event)
    except Exception as error:
        return as_signet_error(error)
