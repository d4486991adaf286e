"""The base of the view-models: calls to the workshop, whether one is open, and how it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.window.calls import Calls, Then

if TYPE_CHECKING:
    from studio.workshop import Workshop


class Model(QObject):
    """Talks to the workshop beside the window; `failed` carries the error of a call that refused."""

    failed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workshop = workshop
        self.calls = calls
        self._open = 0

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._open > 0

    def call(self, work: Callable[[], Any], then: Then, refused: Callable[[SignetError], None] | None = None) -> None:
        """Run a blocking call; `refused` replaces the signal `failed`."""
        self._count(+1)

        def on_answer(answer: Any) -> None:
            self._count(-1)
            then(answer)

        def on_refusal(error: SignetError) -> None:
            self._count(-1)
            if refused is not None:
                refused(error)
            else:
                self.failed.emit(error)

        self.calls.run(work, on_answer, on_refusal)

    def _count(self, step: int) -> None:
        before, self._open = self._open > 0, self._open + step
        if before != (self._open > 0):
            self.busy_changed.emit(self._open > 0)
