"""What tests/conftest.py promises to every test."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

_seen: list[Path] = []


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["v4", "v6"])
def test_a_network_connection_is_refused_and_remembered(family: socket.AddressFamily, calls_out: list[str]) -> None:
    """A connection beyond local sockets is refused at once, and remembered even if the refusal is swallowed."""
    with socket.socket(family) as plug, pytest.raises(AssertionError, match=r"socket\.connect"):
        plug.connect(("::1" if family == socket.AF_INET6 else "127.0.0.1", 9))
    assert len(calls_out) == 1
    calls_out.clear()


def test_a_datagram_is_refused(calls_out: list[str]) -> None:
    """A datagram needs no connection and is refused all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug, pytest.raises(AssertionError):
        plug.sendto(b"x", ("127.0.0.1", 9))
    calls_out.clear()


def test_a_name_is_not_looked_up(calls_out: list[str]) -> None:
    """Looking up a name would already tell the network what is being done."""
    with pytest.raises(AssertionError):
        socket.getaddrinfo("localhost", 80)
    calls_out.clear()


def test_local_sockets_work(tmp_path: Path) -> None:
    """Sockets between processes of this machine are not touched."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as plug:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        plug.connect(str(tmp_path / "s"))


@pytest.mark.parametrize("round_number", [1, 2])
def test_each_test_has_its_own_home(round_number: int, signet_home: Path) -> None:
    """SIGNET_HOME is new for every test and does not exist yet."""
    assert os.environ["SIGNET_HOME"] == str(signet_home)
    assert not signet_home.exists()
    assert signet_home not in _seen
    _seen.append(signet_home)


def test_the_users_own_folders_are_out_of_reach() -> None:
    """Libraries that ask for the user's folders get ones inside the session's home."""
    import platformdirs

    session = Path(os.environ["HOME"])
    assert session.name.startswith("signet-tests-")
    assert Path(platformdirs.user_data_dir("signet")).is_relative_to(session)
    assert Path.home() == session


def test_the_keyring_holds_nothing() -> None:
    """No test reaches the keyring of the person who runs it."""
    import keyring

    assert type(keyring.get_keyring()).__module__ == "keyring.backends.null"


@given(st.integers())
def test_properties_may_use_the_shelter(number: int) -> None:
    """The sheltering fixtures do not trip Hypothesis' health checks."""
    assert number == int(str(number))
