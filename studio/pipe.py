"""Messages between the program and its worker: JSON, an optional blob, and open descriptors, over a Unix socket.

No pickle: the worker reads foreign files, so what it says is data and is checked as such.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_HEADER = struct.Struct(">II")
_LARGEST_JSON = 16 << 20
_LARGEST_BLOB = 256 << 20
_MOST_DESCRIPTORS = 4


@dataclass(slots=True)
class Message:
    """One message; the receiver owns the descriptors and closes them."""

    body: dict[str, Any]
    blob: bytes = b""
    descriptors: list[int] = field(default_factory=list)


class PipeClosed(Exception):
    """The other side has gone."""


def send(sock: socket.socket, body: dict[str, Any], blob: bytes = b"", descriptors: Sequence[int] = ()) -> None:
    """Send one message; raises PipeClosed. The caller serialises senders."""
    text = json.dumps(body).encode()
    header = _HEADER.pack(len(text), len(blob))
    try:
        if descriptors:
            sent = socket.send_fds(sock, [header], list(descriptors))
            sock.sendall(header[sent:])
        else:
            sock.sendall(header)
        sock.sendall(text)
        if blob:
            sock.sendall(blob)
    except OSError as error:
        raise PipeClosed from error


def _exactly(sock: socket.socket, count: int) -> bytes:
    pieces, missing = [], count
    while missing:
        try:
            piece = sock.recv(min(missing, 1 << 20))
        except OSError as error:
            raise PipeClosed from error
        if not piece:
            raise PipeClosed
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def receive(sock: socket.socket) -> Message:
    """Wait for one message; raises PipeClosed when the other side has gone or talks nonsense."""
    try:
        header, descriptors, _, _ = socket.recv_fds(sock, _HEADER.size, _MOST_DESCRIPTORS)
    except OSError as error:
        raise PipeClosed from error
    if not header:
        raise PipeClosed
    try:
        header += _exactly(sock, _HEADER.size - len(header))
        text_length, blob_length = _HEADER.unpack(header)
        if text_length > _LARGEST_JSON or blob_length > _LARGEST_BLOB:
            raise PipeClosed
        body = json.loads(_exactly(sock, text_length))
        if not isinstance(body, dict):
            raise PipeClosed
        return Message(body, _exactly(sock, blob_length), list(descriptors))
    except (PipeClosed, ValueError) as error:
        for descriptor in descriptors:
            os.close(descriptor)
        raise PipeClosed from error
