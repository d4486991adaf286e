"""The speech process: a small program beside the worker in which flite and espeak-ng speak.

espeak-ng is under the GPL, so it runs in a program of its own that shares nothing with Signet but a local socket. The
worker may start no programs once it is confined; it starts this one before. This one takes its own rights away, loads
nothing, and forks a child for each conversation; the child loads the libraries, speaks, and goes with its conversation.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import Any

from studio import pipe, sandbox

_ANSWER_LIMIT_S = 60.0
# Some twenty minutes of speech take less than half a minute to make.
_CPU_LIMIT_S = 240
_MEMORY_LIMIT_BYTES = 2 << 30


class SpeechProcess:
    """The speech process as seen by who started it. It ends when this object is closed, and when its starter ends."""

    def __init__(self) -> None:
        """Start it; raises OSError."""
        self._sock, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-m", "studio.speech", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._child.pid

    def begin(self) -> Conversation:
        """Begin a conversation; raises EOFError when the process is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                pipe.send(self._sock, {"op": "talk"}, descriptors=[theirs.fileno()])
            except pipe.PipeClosed as error:
                ours.close()
                raise EOFError from error
        return Conversation(ours)

    def wait(self) -> None:
        """Return when the process has ended, whoever ended it."""
        _wait_for_end(self._sock)

    def close(self) -> None:
        """End it, and every conversation with it."""
        self._sock.close()
        self._child.wait()


class Conversation:
    """One conversation: requests one after the other."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(_ANSWER_LIMIT_S)

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer to one request; raises EOFError when the other side has ended, TimeoutError when it hangs."""
        try:
            pipe.send(self._sock, request)
            message = pipe.receive(self._sock)
        except pipe.PipeClosed as error:
            if isinstance(error.__cause__, TimeoutError):
                raise TimeoutError from error
            raise EOFError from error
        return message.body, message.blob

    def close(self) -> None:
        """End it; what is being spoken stops."""
        self._sock.close()


def _serve(control: socket.socket) -> None:
    """Fork a child for each conversation until the other side closes."""
    sandbox.confine()
    # Nobody waits for the children: the kernel takes them away by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        try:
            message = pipe.receive(control)
        except pipe.PipeClosed:
            return
        if not message.descriptors:
            continue
        try:
            is_child = os.fork() == 0
        except OSError:
            is_child = False  # the closed socket says that nobody is there
        if is_child:
            control.close()
            _talk(socket.socket(fileno=message.descriptors[0]))
        for descriptor in message.descriptors:
            os.close(descriptor)


def _talk(sock: socket.socket) -> None:
    """Answer until the other side closes, then end; never returns."""
    import resource
    import threading

    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT_S, _CPU_LIMIT_S))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))
        threading.Thread(target=_end_with, args=(sock,), daemon=True).start()
        from engines.voice.libraries import Speakers

        speakers = Speakers()
        while True:
            body, blob = speakers.answer(pipe.receive(sock).body)
            pipe.send(sock, body, blob)
    except pipe.PipeClosed:
        code = 0
    finally:
        os._exit(code)


def _end_with(sock: socket.socket) -> None:
    """End this process as soon as the other side has closed, even in the middle of a word."""
    _wait_for_end(sock)
    os._exit(0)


def _wait_for_end(sock: socket.socket) -> None:
    """Return when the other side of a socket has closed; nothing is read from it."""
    import select

    watch = select.poll()
    watch.register(sock, select.POLLRDHUP)
    watch.poll()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)
