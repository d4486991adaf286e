"""Writes that survive a crash: own records of a home, and the order in which the bytes of a file appear."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from compliance.errors import DiskError, DiskFull, NotWritable, TargetExists, TargetStays, TooManyFilesOpen

# One page: the kernel lets others see it as a whole or not at all.
_HEAD_BYTES: Final = 4096
# What SQLite asks for at once, for the index of its journal.
_NEXT_TO_NOTHING: Final = 64 * 1024


def disk_error(error: OSError, path: object) -> DiskError:
    """The SignetError for a failed write at path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path=path)
    return NotWritable(path=path, reason=(error.strerror or "unknown").lower())


def refuse_exhausted(error: OSError) -> None:
    """Raise TooManyFilesOpen when this is what the system says; then nothing else is known of the file."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        raise TooManyFilesOpen from error


def refuse_unwritable(folder: Path) -> None:
    """Raise NotWritable unless this process may make files in a folder that is there."""
    if not os.access(folder, os.W_OK | os.X_OK):
        is_read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
        raise NotWritable(path=folder, reason="read-only file system" if is_read_only else "permission denied")


def refuse_taken(path: Path, *endings: str, overwrite: bool | None = None) -> None:
    """Raise TargetExists where something stands at path, or at path with one of the endings; a link to nothing too.

    overwrite: whether that is allowed; None where it cannot be, then it is TargetStays. Raises NotWritable for what
    cannot name a file. What the system cannot say of a path now, it says when the file is written.
    """
    if path.name in ("", ".."):
        raise NotWritable(path=path, reason="it is not a file name")
    for one in [path.with_suffix(ending) for ending in endings] or [path]:
        if not overwrite and os.path.lexists(one):
            raise (TargetStays if overwrite is None else TargetExists)(path=one)


def is_full(folder: Path) -> bool:
    """Whether next to nothing can be written there; SQLite's error for that does not always say so."""
    try:
        rest = os.statvfs(folder)
    except OSError:
        return False
    return rest.f_bavail * rest.f_frsize < _NEXT_TO_NOTHING


def fsync_folder(folder: Path) -> None:
    """Make a rename, link or unlink in this folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def head_last(descriptor: int, data: bytes) -> Iterator[memoryview]:
    """The pieces of a new file in the order in which they are to be written: its head when all else is there.

    Whoever copies the file meanwhile, or finds it after a power cut, holds bytes without the head that a decoder needs,
    and not the upper part of a picture whose label stands farther down. Moves the place of writing.
    """
    view = memoryview(data)
    if len(view) > _HEAD_BYTES:
        os.lseek(descriptor, _HEAD_BYTES, os.SEEK_SET)
        yield view[_HEAD_BYTES:]
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield view[:_HEAD_BYTES]
    else:
        yield view


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace a file as a whole: temporary file, fsync, rename, folder fsync. Raises DiskFull, NotWritable."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
        fsync_folder(path.parent)
    except OSError as error:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise disk_error(error, path) from error
