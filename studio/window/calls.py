"""Blocking calls beside the window: the work runs in a pool, the answer comes back in the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, SignalInstance

from compliance.errors import SignetError, Unexpected

Then = Callable[[Any], None]
Refused = Callable[[SignetError], None]
Ask = Callable[[SignetError, Callable[[], None], Callable[[], None]], bool]
"""Gets an error, what asks for the same work again, and what lets it be refused; False when it is not its matter."""


def as_signet_error(error: BaseException) -> SignetError:
    """The error itself; a foreign one becomes a report without media or names, and Unexpected."""
    if isinstance(error, SignetError):
        return error
    from studio.reports import places, write_report  # here, so that the window appears before it is needed

    kind = type(error).__name__
    return Unexpected(kind=kind, report=write_report(kind, places(error)))


def emit_across(signal: SignalInstance, *values: object) -> None:
    """Emit from the thread of some work; who has closed the window meanwhile hears nothing more.

    Work may outlast the window by a moment, and Qt takes its objects away with it.
    """
    with suppress(RuntimeError):  # PySide6: "Signal source has been deleted"
        signal.emit(*values)


class _Call(QObject):
    """One call; lives in the window's thread, its work runs in the pool."""

    ended = Signal(object, object)

    def __init__(self, owner: Calls, work: Callable[[], Any], then: Then, refused: Refused) -> None:
        super().__init__(owner)
        self._work, self._then, self._refused = work, then, refused
        self.is_aside = False
        # A queued connection to a method of this object is what moves the answer into the window's thread.
        self.ended.connect(self.on_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def parts(self) -> tuple[Callable[[], Any], Then, Refused]:
        """What it was made of."""
        return self._work, self._then, self._refused

    def run(self) -> None:
        """Do the work; in the pool's thread."""
        try:
            answer, error = self._work(), None
        except Exception as caught:
            answer, error = None, as_signet_error(caught)
        emit_across(self.ended, answer, error)

    def on_ended(self, answer: object, error: SignetError | None) -> None:
        """Hand the answer over; in the window's thread."""
        owner = self.parent()
        if not isinstance(owner, Calls) or not owner.forget(self):
            return
        self.deleteLater()
        if error is None:
            self._then(answer)
        elif owner.ask is None or not owner.ask(error, lambda: owner.start_again(self), lambda: self._refused(error)):
            self._refused(error)


class Calls(QObject):
    """Two lanes: `run` does one call after the other, `aside` does not wait for them (cancel, thumbnails)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = QThreadPool(self)
        self._lane.setMaxThreadCount(1)
        self._lane.setExpiryTimeout(-1)
        self._aside = QThreadPool(self)
        self._aside.setMaxThreadCount(2)
        self._open: set[_Call] = set()
        self._is_over = False
        self.ask: Ask | None = None

    @property
    def open_calls(self) -> int:
        """How many answers are still to come."""
        return len(self._open)

    def run(self, work: Callable[[], Any], then: Then, refused: Refused) -> None:
        """Do a blocking call after the ones before it; `then` or `refused` follows in the window's thread."""
        self._start(False, work, then, refused)

    def aside(self, work: Callable[[], Any], then: Then, refused: Refused) -> None:
        """The same without waiting for the calls in `run`."""
        self._start(True, work, then, refused)

    def start_again(self, call: _Call) -> None:
        """Do the work of a refused call once more, after what it lacked was given."""
        self._start(call.is_aside, *call.parts)

    def _start(self, aside: bool, work: Callable[[], Any], then: Then, refused: Refused) -> None:
        if self._is_over:
            return
        call = _Call(self, work, then, refused)
        call.is_aside = aside
        self._open.add(call)
        (self._aside if aside else self._lane).start(call.run)

    def forget(self, call: _Call) -> bool:
        """Count a call as answered; False when nobody waits for it any more."""
        if call not in self._open:
            return False
        self._open.remove(call)
        return True

    def finish(self, wait_ms: int = 5000) -> bool:
        """Let running work end before the program does, answer nobody any more; False when it took too long."""
        self._is_over = True
        self._lane.clear()
        self._aside.clear()
        self._open.clear()
        return self._lane.waitForDone(wait_ms) and self._aside.waitForDone(wait_ms)
