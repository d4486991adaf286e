"""Input files: read once and whole, so that what is hashed is what is used."""

from __future__ import annotations

from pathlib import Path

from compliance.errors import FileMissing, NotAPicture
from compliance.storage import refuse_exhausted

_LARGEST_INPUT_BYTES = 256 << 20


def verify_is_file(path: Path) -> None:
    """Raise FileMissing where nothing is, and NotAPicture for a folder, a pipe, a device or an impossible name."""
    try:
        if path.is_file():
            return
        is_something = path.exists()
    except OSError as error:
        raise NotAPicture(path=path, reason=(error.strerror or "unreadable").lower()) from error
    if is_something:
        raise NotAPicture(path=path, reason="it is not a file")
    raise FileMissing(path=path)


def read_input(path: Path) -> bytes:
    """All bytes of an input file, read once, so that what is hashed is what is used.

    Raises FileMissing, NotAPicture for something that is no regular file, is empty or is larger than 256 MiB.
    """
    verify_is_file(path)
    try:
        if path.stat().st_size > _LARGEST_INPUT_BYTES:
            raise NotAPicture(path=path, reason="larger than 256 MiB")
        data = path.read_bytes()
    except OSError as error:
        refuse_exhausted(error)
        raise NotAPicture(path=path, reason=(error.strerror or "unreadable").lower()) from error
    if not data:
        raise NotAPicture(path=path, reason="it is empty")
    return data
