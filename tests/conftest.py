"""What holds for every test: no screen, no network, no home or keyring of the person who runs them.

The environment is set when this file is read, before anything can import Qt, NumPy or keyring.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Everything a library may take for the user's own folders lies in here and is removed at the end.
_SESSION_HOME = Path(tempfile.mkdtemp(prefix="signet-tests-"))

# A server started for the tests is named by SIGNET_TEST_…; all else would be the user's own.
for _name in [name for name in os.environ if name.startswith("SIGNET_") and not name.startswith("SIGNET_TEST_")]:
    del os.environ[_name]
# A session bus would lead to the desktop's own keyring.
os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
os.environ.update(
    QT_QPA_PLATFORM="offscreen",
    OMP_NUM_THREADS="1",
    HF_HUB_OFFLINE="1",
    PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
    HOME=str(_SESSION_HOME),
    XDG_DATA_HOME=str(_SESSION_HOME / "data"),
    XDG_CONFIG_HOME=str(_SESSION_HOME / "config"),
    XDG_STATE_HOME=str(_SESSION_HOME / "state"),
    XDG_CACHE_HOME=str(_SESSION_HOME / "cache"),
    SIGNET_HOME=str(_SESSION_HOME / "signet"),
)

# The checking machine replays one fixed series, so that a red check can be looked into; elsewhere every run differs.
settings.register_profile("signet", deadline=None, max_examples=60, derandomize=bool(os.environ.get("CI")))
settings.load_profile("signet")

_homes = count(1)
_calls_out: list[str] = []
_CALLS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
# Ports of this machine that a test has opened for itself; see the fixture `own_server`.
_own_ports: set[int] = set()


class NetworkUsed(AssertionError):
    """A test tried to speak to something outside this machine's own sockets."""


def _watch_sockets(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what leaves AF_UNIX. Sees Python's sockets in this process only; neither C++ nor children."""
    if event[:7] != "socket.":
        return
    if event == "socket.getaddrinfo" and arguments[0] == "127.0.0.1" and arguments[1] in _own_ports:
        return
    if event == "socket.connect" and arguments[1][:1] == ("127.0.0.1",) and arguments[1][1] in _own_ports:
        return
    if event in _LOOKUPS or (event in _CALLS and arguments[0].family != socket.AF_UNIX):
        _calls_out.append(f"{event}{arguments[1:] if event in _CALLS else arguments}")
        raise NetworkUsed(_calls_out[-1])


# An audit hook cannot be taken out again, which is what is wanted: no test can forget it.
sys.addaudithook(_watch_sockets)


# Tests against what is not part of the project: named at the end, run or not.
_OUTSIDE = {
    "tests/compliance/test_postgres.py": "PostgreSQL",
    "tests/compliance/test_desktop_keyring.py": "Secret Service",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say of each outside server whether it was tested against, and why not."""
    for file, name in _OUTSIDE.items():
        passed = [one for one in terminalreporter.stats.get("passed", []) if one.nodeid.startswith(file)]
        skipped = [one for one in terminalreporter.stats.get("skipped", []) if one.nodeid.startswith(file)]
        if passed:
            terminalreporter.write_line(f"{name}: {len(passed)} tests passed against a real server")
        if skipped:
            terminalreporter.write_line(f"{name}: {len(skipped)} tests skipped: {skipped[0].longrepr[2]}")


def pytest_unconfigure() -> None:
    """Take the session's home away."""
    shutil.rmtree(_SESSION_HOME, ignore_errors=True)


@pytest.fixture
def calls_out() -> list[str]:
    """The network calls refused in this test; one that expects them clears the list."""
    return _calls_out


@pytest.fixture
def own_server() -> Iterator[Callable[[int], None]]:
    """Lets the test speak to a port of this machine that it opened itself, by its number; nothing else is let through.

    For tests/compliance/test_oidc.py alone, whose provider of identities is a process of its own.
    """
    yield _own_ports.add
    _own_ports.clear()


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """Fail the test even when the code under test swallowed the refusal."""
    _calls_out.clear()
    yield
    tried, _calls_out[:] = _calls_out[:], []
    if tried:
        pytest.fail(f"the network was used: {', '.join(tried)}")


@pytest.fixture(autouse=True)
def signet_home(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for each test, outside tmp_path and not made yet; SIGNET_HOME names it."""
    home = _SESSION_HOME / f"home-{next(_homes)}"
    monkeypatch.setenv("SIGNET_HOME", str(home))
    return home
