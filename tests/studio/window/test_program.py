"""The window as a program: what it loads, what it does with the unexpected, and the binding below it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from compliance.errors import NotSignedIn
from studio.window.app import ErrorHook
from studio.window.calls import Calls, _Call, emit_across
from studio.window.main_window import MainWindow
from studio.window.models.job_line import JobLine
from tests.studio.fake_workshop import FakeWorkshop
from tests.studio.window.conftest import Driver

OPEN_AND_QUIT = """
import sys
from pathlib import Path
from PySide6.QtCore import QDeadlineTimer, QEventLoop
from studio.window.app import make_application, open_window

app = make_application()
window = open_window(Path(sys.argv[1]))
limit = QDeadlineTimer(60_000)
while (window.studio is None or not window.studio.accounts.is_loaded) and not limit.hasExpired():
    assert not window.banner.isVisible(), window.banner.what.text()
    app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)
assert window.studio is not None and window.pages, "the window did not open"
for name in window.pages:
    window.show_page(name)
heavy = {"torch", "cv2", "diffusers", "transformers", "onnxruntime", "insightface", "TTS"} & set(sys.modules)
network = {name for name in sys.modules if name.startswith(("PySide6.QtNetwork", "PySide6.QtWebEngine"))}
window.close()
print(sorted(heavy | network))
"""


def test_the_window_over_a_real_home_loads_no_engine(tmp_path: Path) -> None:
    """Opened with the real workshop, the process has neither torch nor OpenCV nor a network module of Qt."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_QUIT, str(tmp_path / "home")],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"SIGNET_LANG": "en"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


RUN_AND_WAIT = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from studio.window import app as program

program.make_application()
QTimer.singleShot(0, lambda: print("ready", flush=True))
sys.exit(program.main(Path(sys.argv[1])))
"""


def test_a_request_to_end_closes_the_window_in_order(tmp_path: Path) -> None:
    """SIGTERM ends the program with 0, as if the window had been closed."""
    command = [sys.executable, "-c", RUN_AND_WAIT, str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_calls_of_the_binding_keep_none_alive(qtbot: QtBot) -> None:
    """PySide6 6.12.0 drops a reference to None with every call under Python 3.11, until the process dies of it."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _call in range(500):
        thing.setObjectName("x")
    assert sys.getrefcount(None) > before - 250


def test_an_unexpected_error_of_a_call_becomes_a_report(qtbot: QtBot) -> None:
    """A foreign exception in the pool arrives as Unexpected, without its message."""
    calls = Calls()
    caught: list[object] = []

    def work() -> None:
        raise RuntimeError("somebody/face.png")

    calls.run(work, caught.append, caught.append)
    qtbot.waitUntil(lambda: bool(caught))
    (error,) = caught
    assert type(error).__name__ == "Unexpected"
    assert "face.png" not in str(error)
    assert calls.finish()


def test_an_exception_nobody_caught_becomes_a_banner(driver: Driver) -> None:
    """The hook shows the sentences above the pages; no traceback reaches the reader."""
    hook = ErrorHook(driver.window)
    hook(NotSignedIn, NotSignedIn(), None)
    driver.until(lambda: driver.window.banner.isVisible())
    assert driver.window.banner.what.text() == "Nobody is signed in."
    hook(ValueError, ValueError("secret"), None)
    driver.until(lambda: "ValueError" in driver.window.banner.what.text())
    assert "secret" not in driver.window.banner.what.text() + driver.window.banner.next_step.text()


def test_the_window_is_there_before_the_workshop(qtbot: QtBot) -> None:
    """An empty window says that it opens, and only that."""
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    assert window.pages == {}
    window.show_page("library")
    assert window.close()


def test_closing_stops_the_work_and_ends_the_worker(signed_in: Driver) -> None:
    """A running job is cancelled, the workshop is closed, place and size are kept."""
    driver = signed_in
    driver.fake.hold_jobs = True
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.running is not None)
    driver.window.close()
    assert driver.fake.closed
    assert driver.studio.settings["geometry"]


def test_work_that_outlasts_the_window_speaks_to_nobody(qapp: QApplication) -> None:
    """An event or an answer that comes when Qt has taken its receiver away is let go."""
    calls = Calls()
    line = JobLine(FakeWorkshop(Path("home")), calls)  # type: ignore[arg-type]  # the fake one fits by its names
    came = line._event_came
    call = _Call(calls, lambda: "answer", print, print)
    for one in (line, call):
        shiboken6.delete(one)
    emit_across(came, "job", "event")
    call.run()
