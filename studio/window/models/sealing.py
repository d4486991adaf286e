"""Labelling media made elsewhere: files one after the other, each through the gate, the worker and the release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from engines.job import JobState
from studio.window.calls import Calls
from studio.window.models.job_line import JobLine, LineJob
from studio.window.models.model import Model
from studio.window.models.people import PeopleModel
from studio.window.pictures import sha256_of

if TYPE_CHECKING:
    from studio.workshop import ReleaseView, Workshop

ORIGINS = (
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "algorithmicallyEnhanced",
)


@dataclass(eq=False)
class Sealing:
    """One file: waiting (no job yet), in work, released, or refused with its error."""

    path: Path
    sha256: str = ""
    job: LineJob | None = None
    release: ReleaseView | None = None
    error: SignetError | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it was not tried yet."""
        return self.job is None and self.error is None


class SealingModel(Model):
    """`changed` after anything changed, `released` with each file that came out."""

    changed = Signal()
    released = Signal(object)

    def __init__(self, workshop: Workshop, calls: Calls, people: PeopleModel, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self._people = people
        self.line = JobLine(workshop, calls, self)
        self._reset()
        self.line.changed.connect(self.changed)
        self.line.ended.connect(self.on_ended)

    def _reset(self) -> None:
        self.files: list[Sealing] = []
        self.made_with = ""
        self.origin = ORIGINS[0]
        self.nobody_real = False
        self.purpose = "private"

    def add(self, paths: Sequence[Path]) -> None:
        """Put files on the list, each once."""
        known = {one.path for one in self.files if one.release is None}
        for path in dict.fromkeys(paths):
            if path not in known:
                self._add(Sealing(path))
        self.changed.emit()

    def _add(self, one: Sealing) -> None:
        self.files.append(one)

        def then(digest: str) -> None:
            one.sha256 = digest
            self.changed.emit()

        def refused(error: SignetError) -> None:
            one.error = error
            self.changed.emit()

        self.calls.aside(lambda: sha256_of(one.path), then, refused)

    def consents_of(self, one: Sealing) -> tuple[str, ...]:
        """The live consents that were recorded for this very file; none are named where nobody is real."""
        if self.nobody_real or not one.sha256:
            return ()
        return tuple(grant.id for grant in self._people.live_grants_for(one.sha256))

    def set_asked(self, **asked: Any) -> None:
        """made_with, origin, nobody_real, purpose."""
        self.made_with = asked.get("made_with", self.made_with)
        self.origin = asked.get("origin", self.origin)
        self.nobody_real = asked.get("nobody_real", self.nobody_real)
        self.purpose = asked.get("purpose", self.purpose)
        self.changed.emit()

    @property
    def waiting(self) -> list[Sealing]:
        """What was not tried yet."""
        return [one for one in self.files if one.is_waiting]

    def remove(self, one: Sealing) -> None:
        """Take a file off the list; the file itself stays where it is."""
        if one in self.files and (one.job is None or one.job.is_over):
            self.files.remove(one)
            self.changed.emit()

    def try_again(self, one: Sealing) -> None:
        """Let a refused file wait again."""
        one.job, one.error = None, None
        self.changed.emit()

    def start(self) -> None:
        """Label everything that waits; each result stands beside its file as NAME-sealed."""
        if self.line.is_active or not self.made_with.strip():
            return
        for one in self.waiting:
            one.job = LineJob(self._plan(one))
        self.line.add([one.job for one in self.files if one.job is not None and not one.job.is_over])

    def _plan(self, one: Sealing) -> Any:
        made_with, origin, nobody, purpose = self.made_with.strip(), self.origin, self.nobody_real, self.purpose

        def plan() -> Any:
            from studio.sealing import default_out  # here, so that the window appears before it is needed

            self.workshop.verify_seal(one.path, default_out(one.path))
            return self.workshop.plan_seal(
                one.path,
                made_with=made_with,
                origin=origin,
                nobody_real=nobody,
                consents=self.consents_of(one),
                purpose=purpose,
            )

        return plan

    def on_ended(self, job: LineJob) -> None:
        """A labelled file comes out, or why it does not."""
        one = next((one for one in self.files if one.job is job), None)
        if one is None:
            return
        if job.state is JobState.CANCELLED:
            one.job = None
        elif job.state is JobState.FAILED:
            one.error = job.error
        elif (running := job.running) is not None:

            def then(view: ReleaseView) -> None:
                one.release = view
                self.changed.emit()
                self.released.emit(view)

            def refused(error: SignetError) -> None:
                one.error = error
                self.calls.aside(lambda: self.workshop.discard(running), _nothing, _ignore)
                self.changed.emit()

            def release() -> ReleaseView:
                from studio.sealing import default_out

                return self.workshop.release(running, default_out(one.path))

            self.call(release, then, refused)
        self.changed.emit()

    def forget(self) -> None:
        """Nobody is signed in."""
        self.line.cancel()
        self._reset()
        self.changed.emit()


def _nothing(_answer: object) -> None:
    """It is let go."""


def _ignore(_error: SignetError) -> None:
    """The worker has gone, and the result with it."""
