"""Releases onto a disk that is full to fifty different degrees: each is whole or leaves nothing.

    python -m tests.hostile.fill

A small file system in memory is mounted in a name space of its own, which needs no rights of the machine's owner where
the kernel allows that; elsewhere a limit on the size of files takes its place.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.faulted_release import Point, Rig

ROOT = Path(__file__).resolve().parents[2]
_PAGE_BYTES = 4096
_DISK_BYTES = 16 << 20
# Free pages at each level: where only the pictures lie on the small disk, and where the home does as well.
PICTURE_LEVELS = tuple(range(25))
HOME_LEVELS = tuple(range(0, 150, 6))
_UNSHARE = ("unshare", "--map-root-user", "--mount", "--propagation", "private")


@dataclass(frozen=True, slots=True)
class Level:
    """One release. where: what lies on the small disk; free_bytes: left there; released: whether it was announced."""

    where: str
    free_bytes: int
    released: bool
    found: tuple[str, ...]


def can_mount() -> bool:
    """Whether this user may mount a file system in a name space of its own."""
    if shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="signet-mount-") as folder:
        tried = subprocess.run(
            [*_UNSHARE, "mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True, check=False
        )
    return tried.returncode == 0


def levels(every: int = 1) -> tuple[str, list[Level]]:
    """(what the disk was, what each level came to); every: take each n-th level only."""
    mounted = can_mount()
    with tempfile.TemporaryDirectory(prefix="signet-fill-") as folder:
        small = Path(folder, "small")
        small.mkdir()
        inner = [sys.executable, "-m", "tests.hostile.fill", "--inside", folder, str(every), str(int(mounted))]
        ran = subprocess.run(
            [*(_UNSHARE if mounted else ()), *inner], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 0, ran.stderr[-2000:]
    disk = "a tmpfs of its own" if mounted else "a limit on the size of files: mounting is forbidden here"
    return disk, [Level(**{**item, "found": tuple(item["found"])}) for item in json.loads(ran.stdout)]


def _inside(folder: Path, every: int, is_mounted: bool) -> list[dict[str, object]]:
    import cv2

    # A thread that is left behind by this process would be missing in its forks.
    cv2.setNumThreads(1)
    small = folder / "small"
    if is_mounted:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "none", small], check=True)
    answers: list[dict[str, object]] = []
    for where, free_pages in (("pictures", PICTURE_LEVELS), ("pictures and home", HOME_LEVELS)):
        place = (small if where.endswith("home") else folder) / "rig"
        place.mkdir()
        rig = Rig(place, small / "out" if where == "pictures" else None, ["picture"])
        for pages in free_pages[::every]:
            answers.append(_level(rig, where, pages * _PAGE_BYTES, small, is_mounted))
    return answers


def _level(rig: Rig, where: str, free_bytes: int, small: Path, is_mounted: bool) -> dict[str, object]:
    rig.put_back("picture")
    ballast = small / "ballast"
    if is_mounted:
        there = os.statvfs(small)
        with open(ballast, "wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, there.f_bavail * there.f_frsize - free_bytes)
        said = rig.act("picture")
        ballast.unlink()
    else:
        said = rig.act("picture", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, free_bytes)))
    found = rig.judge(Point("picture", again=True), said)
    return {"where": where, "free_bytes": free_bytes, "released": "returned" in said, "found": found}


def table(disk: str, done: Sequence[Level]) -> str:
    """How many levels there were, how many had room, and what was found wrong."""
    lines = [f"Disk: {disk}"]
    for where in dict.fromkeys(level.where for level in done):
        those = [level for level in done if level.where == where]
        whole = [level.free_bytes for level in those if level.released]
        lines.append(
            f"{where:20}{len(those):>4} levels, {len(those) - len(whole):>3} without room, {len(whole):>3} whole"
            + (f" (from {min(whole) >> 10} KiB on)" if whole else "")
            + f", {sum(bool(level.found) for level in those)} wrong"
        )
        lines += [f"  {level.free_bytes} bytes free: {word}" for level in those for word in level.found]
    return "\n".join(lines)


def main() -> None:
    """Print the table; the exit code is 1 where a level left half a release."""
    if sys.argv[1:2] == ["--inside"]:
        print(json.dumps(_inside(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1")))
        return
    disk, done = levels()
    print(table(disk, done))
    sys.exit(any(level.found for level in done))


if __name__ == "__main__":
    main()
