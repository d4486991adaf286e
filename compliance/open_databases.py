"""Databases that this process has open, and whose files nothing else in it may open.

POSIX takes every lock of a process on a file away as soon as the process closes any descriptor of that file. Reading
HOME/signet.db beside SQLite therefore leaves the database without its locks: another process that ends takes itself for
the last one and removes the journal, and what is committed here from then on stands in a file without a name
(sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Final

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")

_held: Counter[tuple[int, int]] = Counter()
_lock = Lock()


def hold(path: Path) -> tuple[int, int]:
    """Note that SQLite is about to open a file that is there; returns what `let_go` takes."""
    about = path.stat()
    key = about.st_dev, about.st_ino
    with _lock:
        _held[key] += 1
    return key


def let_go(key: tuple[int, int]) -> None:
    """SQLite has closed it."""
    with _lock:
        _held[key] -= 1
        if not _held[key]:
            del _held[key]


def is_open_here(path: str | Path) -> bool:
    """Whether a path leads to a database that is open here, or to a file beside it, by whatever name; opens nothing."""
    if not _held:
        return False
    name = os.fspath(path)
    for ending in _SIDE_FILES:
        name = name.removesuffix(ending)
    try:
        about = os.stat(name)
    except (OSError, ValueError):
        return False
    with _lock:
        return (about.st_dev, about.st_ino) in _held
