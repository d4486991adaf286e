"""A report of an unknown exception: type and places in the program, without values, messages, names or media."""

from __future__ import annotations

import platform
import secrets
import traceback
from datetime import UTC, datetime
from pathlib import Path

from compliance.errors import DiskError
from compliance.storage import disk_error, write_atomically
from studio.text import N_

_NOT_WRITTEN = N_("(nowhere: the home folder cannot be written)")


def report_lines(error: BaseException) -> list[str]:
    """The report as lines: versions, then per exception of the chain its type and its stack as file:line function."""
    lines = [
        f"time: {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"python: {platform.python_version()}",
        f"system: {platform.system()} {platform.machine()}",
    ]
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        lines += ["", f"exception: {type(link).__module__}.{type(link).__qualname__}"]
        for frame, line in traceback.walk_tb(link.__traceback__):
            lines.append(f"  {_place(frame.f_code.co_filename)}:{line} {frame.f_code.co_qualname}")
        link = link.__cause__ or link.__context__
    return lines


def write_report(error: BaseException, home: Path) -> str:
    """Write the report below home/reports; returns its path, or a message id when the home cannot be written."""
    folder = home / "reports"
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.txt"
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise disk_error(failure, folder) from failure
        write_atomically(path, ("\n".join(report_lines(error)) + "\n").encode())
    except DiskError:
        return _NOT_WRITTEN
    return str(path)


def _place(filename: str) -> str:
    """A source file by its place in a package, without the folders of this machine."""
    parts = Path(filename).parts
    for start in ("site-packages", "compliance", "engines", "studio"):
        if start in parts[:-1]:
            return "/".join(parts[len(parts) - parts[::-1].index(start) - 1 :])
    return parts[-1] if parts else "?"
