"""Reports of unexpected errors: the kind of exception and the places in the code, never values, media or names."""

from __future__ import annotations

import os
import platform
import secrets
import traceback
from collections.abc import Sequence
from pathlib import Path

from compliance.clock import stamp
from compliance.labels.policy import system_version

_FOLDER: list[Path] = []


def keep_reports_in(home: Path) -> None:
    """Where reports go from now on: the folder `reports` of a home."""
    _FOLDER[:] = [home / "reports"]


def places(error: BaseException) -> list[str]:
    """file:line of every frame, with the path cut down to the package and no message or value."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def write_report(kind: str, where: Sequence[str]) -> str:
    """Write a report and return its path, or "-" when there is no home to write to."""
    if not _FOLDER:
        return "-"
    folder = _FOLDER[0]
    path = folder / f"{stamp().replace(':', '')}-{secrets.token_hex(3)}.txt"
    lines = [
        f"Signet {system_version()}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        f"time: {stamp()}",
        f"error: {kind}",
        *(f"  {'/'.join(Path(place).parts[-2:])}" for place in where),
    ]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
    except OSError:
        return "-"
    return str(path)
