"""Input files: read once and whole, so that what is hashed is what is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from compliance.errors import FileMissing, InputError, NotADocument, NotAPicture, NotASound, NotAVideo
from compliance.open_databases import is_open_here
from compliance.storage import refuse_exhausted

if TYPE_CHECKING:
    from compliance.media import Kind

_LARGEST_INPUT_BYTES = 256 << 20
_UNREADABLE: Final[dict[Kind, type[InputError]]] = {
    "picture": NotAPicture,
    "sound": NotASound,
    "video": NotAVideo,
    "document": NotADocument,
}


def unreadable(path: Path) -> type[InputError]:
    """What to raise for a file that is none of what its name says; NotAPicture where the name says nothing."""
    from compliance.labels.policy import FORMATS  # here, for `--help` loads no arrays

    ending = path.suffix.lower()
    return next((_UNREADABLE[rule.kind] for rule in FORMATS.values() if ending in rule.endings), NotAPicture)


def verify_is_file(path: Path) -> None:
    """Raise FileMissing where nothing is, and what `unreadable` says for a folder, a pipe, a device, a bad name."""
    try:
        if path.is_file():
            return
        is_something = path.exists()
    except OSError as error:
        raise unreadable(path)(path=path, reason=(error.strerror or "unreadable").lower()) from error
    if is_something:
        raise unreadable(path)(path=path, reason="it is not a file")
    raise FileMissing(path=path)


def read_input(path: Path) -> bytes:
    """All bytes of an input file, read once, so that what is hashed is what is used.

    Raises FileMissing, and for what is no regular file, is empty or larger than 256 MiB what `unreadable` says.
    """
    verify_is_file(path)
    if is_open_here(path):
        raise unreadable(path)(path=path, reason="it is the open database of a studio")
    try:
        if path.stat().st_size > _LARGEST_INPUT_BYTES:
            raise unreadable(path)(path=path, reason="larger than 256 MiB")
        data = path.read_bytes()
    except OSError as error:
        refuse_exhausted(error)
        raise unreadable(path)(path=path, reason=(error.strerror or "unreadable").lower()) from error
    if not data:
        raise unreadable(path)(path=path, reason="it is empty")
    return data
