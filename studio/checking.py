"""Checking files without opening a home: which files, against which homes, one report after the other.

What `signet verify` needs and no more: neither engines nor the worker nor the window are loaded, or have to be
installed. Homes on this machine only tell which signers and which releases are known.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from compliance import refutation, store, verify
from compliance.errors import FileMissing, SignetError
from compliance.fingerprint.registry import Register
from compliance.keys import PublicKeys, public_keys
from compliance.labels.policy import FORMATS
from compliance.open_databases import is_open_here
from compliance.refutation import RefutationList
from compliance.verify import Report

DEMO_FOLDER = "demo"
_BESIDE = ".c2pa"
_ENDINGS = frozenset(ending for rule in FORMATS.values() for ending in rule.endings) | {".jpe", ".jfif", ".oga"}
# How media begin, whatever their name says: PNG, JPEG, RIFF, TIFF, GIF, Matroska, Ogg, FLAC, ID3, PDF.
_FIRST_BYTES = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"RF64", b"II*\0", b"MM\0*", b"GIF8", b"\x1aE\xdf\xa3"),
    *(b"OggS", b"fLaC", b"ID3", b"%PDF-"),
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Files to check, each once, in order.

    missing: named and not there. passed_over: how many files of the folders are no media. has_folders: any was named.
    """

    files: tuple[Path, ...]
    missing: tuple[Path, ...]
    passed_over: int
    has_folders: bool


def default_home() -> Path:
    """SIGNET_HOME, else the user's data folder."""
    named = os.environ.get("SIGNET_HOME")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("signet-studio", appauthor=False)


def gather(paths: Iterable[Path]) -> Gathered:
    """The files that are meant: folders are walked, without hidden files and links to folders.

    A credential that stands beside a file (NAME.c2pa) counts as a part of that file.
    """
    files: dict[Path, None] = {}
    missing: list[Path] = []
    passed_over = 0
    has_folders = False
    for path in paths:
        if not _exists(path):
            missing.append(path)
        elif not _is_folder(path):
            files[path.with_suffix("") if _is_part(path) else path] = None
        else:
            has_folders = True
            for found in _walk(path):
                if _is_part(found):
                    continue
                if _is_media(found):
                    files[found] = None
                else:
                    passed_over += 1
    return Gathered(tuple(files), tuple(missing), passed_over, has_folders)


def _exists(path: Path) -> bool:
    """True also for what may not be looked at: then the report says so."""
    try:
        return path.exists()
    except OSError:
        return True


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and (path.is_file() or path.is_symlink()):
                yield path


def _is_part(path: Path) -> bool:
    """Whether it is the credential of a file beside it."""
    return path.suffix.lower() == _BESIDE and path.with_suffix("").is_file()


def _is_media(path: Path) -> bool:
    """Whether a file in a folder is worth a report: by its name, or by how it begins."""
    if path.suffix.lower() in _ENDINGS:
        return True
    if is_open_here(path):
        return False
    try:
        with path.open("rb") as stream:
            first = stream.read(12)
    except OSError:
        return True  # it cannot be read, and that is worth saying
    return first.startswith(_FIRST_BYTES) or first[4:8] == b"ftyp"


def verify_each(paths: Iterable[Path], homes: Sequence[Path]) -> Iterator[Report]:
    """Check files one after the other, each when it is asked for; one that is gone by then is passed over."""
    known = [keys for home in homes for keys in known_keys(home)]
    refuted = [found for home in homes for found in refuted_lists(home)]
    with ExitStack() as opened:
        registers = [Register(rows) for home in homes for rows in _registers(home, opened)]
        for path in paths:
            try:
                yield verify.verify_file(path, known, refuted, registers)
            except FileMissing:
                continue


def verify_files(paths: Sequence[Path], homes: Sequence[Path]) -> list[Report]:
    """Check files without opening a home; raises FileMissing."""
    for path in paths:
        if not path.exists():
            raise FileMissing(path=path)
    return list(verify_each(paths, homes))


def _registers(home: Path, opened: ExitStack) -> Iterator[store.Store]:
    """The databases in this folder that can be read; what cannot is somebody else's, or broken, and tells nothing."""
    for place in (home, home / DEMO_FOLDER):
        if not (place / store.DATABASE_NAME).is_file() and not (place / store.SETTINGS_NAME).is_file():
            continue
        try:
            rows = store.open_store(place)
        except (SignetError, ImportError):
            # ImportError: a home on a server, and its driver is not installed.
            continue
        opened.callback(rows.close)
        yield rows


def refuted_lists(home: Path) -> list[RefutationList]:
    """What the homes in this folder refuted, as their public lists say."""
    places = [(place, keys) for place in (home, home / DEMO_FOLDER) if (keys := public_keys(place)) is not None]
    return [found for place, keys in places if (found := refutation.read_list(place, keys)) is not None]


def known_keys(home: Path) -> list[PublicKeys]:
    """The public keys of the homes in this folder."""
    return [keys for place in (home, home / DEMO_FOLDER) if (keys := public_keys(place)) is not None]
