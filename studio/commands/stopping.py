"""Ctrl-C and its kin: the first one stops the work, all further ones find it stopping already."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

# Blocks of stoppable() around the one that runs; only the outermost changes handlers.
_depth = 0


class Stop(KeyboardInterrupt):
    """The user or the system asked the command to stop.

    A class of its own: Python kills itself with SIGINT at exit, whatever the exit code, when a plain KeyboardInterrupt
    has passed through code that was executed from a string, as every dataclass is.
    """


def _stop(_number: int, _frame: object) -> None:
    # Cleaning up is short and must not be cut off: what stays open after it would be somebody's file.
    _ignore()
    raise Stop


def _ignore() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stoppable(is_last: bool = False) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise Stop inside, once; what was ignored stays ignored.

    is_last: the process ends after the block, so that signals are of no more use and stay ignored.
    """
    global _depth
    if threading.current_thread() is not threading.main_thread() or _depth:
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, handler in before.items():
        if handler not in (signal.SIG_IGN, None):
            signal.signal(number, _stop)
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if is_last:
            _ignore()
        else:
            for number, handler in before.items():
                if handler is not None:
                    signal.signal(number, handler)
