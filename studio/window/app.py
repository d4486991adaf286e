"""The window's program: shows the window at once, opens the workshop beside it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from studio.settings import Settings
from studio.window.calls import as_signet_error
from studio.window.main_window import MainWindow
from studio.window.theme import dress

if TYPE_CHECKING:
    from studio.workshop import Workshop


SIGNAL_LOOK_MS = 300


class ErrorHook(QObject):
    """Turns an exception that nobody caught into a banner; from any thread."""

    caught = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.caught.connect(window.show_error, Qt.ConnectionType.QueuedConnection)

    def __call__(self, kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        """What sys.excepthook calls."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
        else:
            self.caught.emit(as_signet_error(error))


def make_application() -> QApplication:
    """The one QApplication, dressed; safe to call again."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
        app.setApplicationName("Signet")
        app.setDesktopFileName("signet")
        dress(app)
    return app


def open_window(home: Path | None) -> MainWindow:
    """Show the window and open the workshop beside it."""
    window = MainWindow()
    window.show()

    def work() -> tuple[Workshop, Settings]:
        from studio.workshop import Workshop  # here, in the pool: the window is there before it is imported

        workshop = Workshop.open(home)
        return workshop, Settings(workshop.home)

    window.calls.run(work, lambda opened: window.adopt(*opened), window.show_error)
    return window


def main(home: Path | None = None) -> int:
    """Run the window until it is closed; the exit code."""
    app = make_application()
    window = open_window(home)
    before, sys.excepthook = sys.excepthook, ErrorHook(window)
    try:
        with _closing_on_signals(window):
            return app.exec()
    finally:
        sys.excepthook = before


@contextmanager
def _closing_on_signals(window: MainWindow) -> Iterator[None]:
    """Close the window on Ctrl+C in the terminal and on a request to end, as if its cross had been pressed."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        window.close()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    # Python looks at signals only while it runs itself, and Qt's loop sleeps in C++.
    clock = QTimer()
    clock.timeout.connect(lambda: None)
    clock.start(SIGNAL_LOOK_MS)
    try:
        yield
    finally:
        clock.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
