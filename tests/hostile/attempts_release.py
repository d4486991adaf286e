"""Attempts beside a running release: places that change under it, children that die, previews, edited records."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from compliance import store
from compliance.errors import SignetError
from compliance.labels import audible, explicit
from compliance.labels.policy import LabelPlan, Prepared
from compliance.verify import verify_file
from engines.engine import Request
from engines.job import Event
from studio.runner import Running
from tests.hostile.attempts import LIMIT_S, Act, Ground, attempt
from tests.hostile.fill import _UNSHARE, can_mount
from tests.hostile.judging import decoded_pictures, decoded_sound, fault_of

Hook = Callable[[Path], None]


def _nothing(_place: Path) -> None:
    """No hook."""


class Watched:
    """The worker's half of a release, with something done at each of its moments."""

    def __init__(self, running: Running, place: Path, **hooks: Hook) -> None:
        self._running, self._place, self._hooks = running, place, hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._running, name)

    def _do(self, moment: str) -> None:
        self._hooks.get(moment, _nothing)(self._place)

    def prepare(self, plan: LabelPlan) -> Prepared:
        self._do("before_prepare")
        prepared = self._running.prepare(plan)
        self._do("after_prepare")
        return prepared

    def write(self, descriptor: int) -> None:
        self._do("before_write")
        self._running.write(descriptor)
        self._do("after_write")


def release(ground: Ground, place: Path, out: Path, *, overwrite: bool = False, **hooks: Hook) -> str:
    """Make the picture and release it with hooks; in words, what came of it."""
    running = ground.run()
    try:
        watched = Watched(running, place, **hooks)
        released = ground.workshop.release(watched, out, overwrite)  # type: ignore[arg-type]  # it fits by its names
    except SignetError as error:
        return f"{type(error).__name__}: {str(error)[:70]}"
    finally:
        ground.workshop.discard(running)
    return f"a picture with all its labels at {released.path.name}"


def _hidden(place: Path, ending: str) -> list[Path]:
    return [path for path in place.rglob(".signet-*") if path.name.endswith(ending)]


# --- the destination -------------------------------------------------------------------------------------------------


@attempt("place: symbolic link", "--out is a link to a file elsewhere, with and without --overwrite", is_quick=True)
def _link(ground: Ground, place: Path) -> str:
    victim = ground.plant(place / "victim.png")
    (place / "a.png").symlink_to(victim)
    said = [release(ground, place, place / "a.png"), release(ground, place, place / "a.png", overwrite=True)]
    assert victim.read_bytes() in ground.planted
    return " / ".join(said)


@attempt("place: dangling link", "--out is a link to a name without a file")
def _dangling(ground: Ground, place: Path) -> str:
    (place / "a.png").symlink_to(place / "raw.bin")
    said = release(ground, place, place / "a.png")
    assert not (place / "raw.bin").exists()
    return said


@attempt(
    "place: folder is a link", "the folder of --out is a link, which is turned elsewhere while the draft is written"
)
def _turned(ground: Ground, place: Path) -> str:
    for name in ("one", "two"):
        (place / name).mkdir()
    (place / "way").symlink_to(place / "one")

    def turn(_place: Path) -> None:
        (place / "way").unlink()
        (place / "way").symlink_to(place / "two")

    return release(ground, place, place / "way" / "a.png", before_write=turn)


@attempt(
    "place: folder is exchanged",
    "the folder of --out is renamed away and another one put there while the draft is written",
)
def _exchanged(ground: Ground, place: Path) -> str:
    (place / "here").mkdir()

    def exchange(_place: Path) -> None:
        (place / "here").rename(place / "gone")
        (place / "here").mkdir()

    return release(ground, place, place / "here" / "a.png", after_write=exchange)


@attempt("race: draft is copied", "every hidden file is copied at every moment of the release", is_quick=True)
def _copied(ground: Ground, place: Path) -> str:
    kept = place / "kept"
    kept.mkdir()

    def copy(_place: Path) -> None:
        for path in _hidden(place, ""):
            shutil.copyfile(path, kept / f"{len(list(kept.iterdir()))}{path.name}.png")

    moments = ("before_prepare", "after_prepare", "before_write", "after_write")
    said = release(ground, place, place / "a.png", **dict.fromkeys(moments, copy))
    faults = [fault for path in kept.iterdir() if (fault := fault_of(path.read_bytes()))]
    count = len(list(kept.iterdir()))
    shutil.rmtree(kept) if not faults else None
    return f"{count} copies of labelled drafts; {said}"


@attempt("race: draft has two names", "the draft gets a second name by a hard link, which stays")
def _second_name(ground: Ground, place: Path) -> str:
    def tie(_place: Path) -> None:
        for path in _hidden(place, ".part"):
            os.link(path, place / ".kept")

    said = release(ground, place, place / "a.png", after_write=tie)
    assert fault_of((place / ".kept").read_bytes()) == ""
    return f"a labelled draft; {said}"


@attempt("race: draft is exchanged", "the draft's name is given to a picture without a label before it is read back")
def _exchanged_draft(ground: Ground, place: Path) -> str:
    def exchange(_place: Path) -> None:
        for path in _hidden(place, ".part"):
            path.unlink()
            ground.plant(path)

    return release(ground, place, place / "a.png", after_write=exchange)


@attempt("race: draft is overwritten", "a picture without a label is written into the draft's own file", is_quick=True)
def _overwritten_draft(ground: Ground, place: Path) -> str:
    def overwrite(_place: Path) -> None:
        other = ground.plant(place / "other.png").read_bytes()
        for path in _hidden(place, ".part"):
            path.write_bytes(other)

    return release(ground, place, place / "a.png", after_write=overwrite)


@attempt("race: draft is cut", "the draft's file is cut to half before it is read back")
def _cut_draft(ground: Ground, place: Path) -> str:
    def cut(_place: Path) -> None:
        for path in _hidden(place, ".part"):
            os.truncate(path, path.stat().st_size // 2)

    return release(ground, place, place / "a.png", after_write=cut)


@attempt("race: name is taken", "a file appears under the name while the draft is written")
def _taken(ground: Ground, place: Path) -> str:
    said = release(ground, place, place / "a.png", before_write=lambda _: ground.plant(place / "a.png") and None)
    assert (place / "a.png").read_bytes() in ground.planted
    return said


@attempt("place: hard link to an input", "--overwrite onto a second name of a user's own picture")
def _hard_link(ground: Ground, place: Path) -> str:
    mine = ground.plant(place / "mine.png")
    os.link(mine, place / "a.png")
    said = release(ground, place, place / "a.png", overwrite=True)
    assert mine.read_bytes() in ground.planted
    return said


@attempt("place: pipe", "--out is a pipe that somebody reads from")
def _pipe(ground: Ground, place: Path) -> str:
    os.mkfifo(place / "a.png")
    reader = os.open(place / "a.png", os.O_RDONLY | os.O_NONBLOCK)
    try:
        said = release(ground, place, place / "a.png")
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)
    (place / "a.png").unlink()
    return said


@attempt("place: not a disk", "--out under /proc, /sys and /dev, where writing is no saving")
def _odd_folders(ground: Ground, place: Path) -> str:
    names = ("/proc/self/a.png", "/sys/a.png", "/dev/fd/a.png", "/proc/self/fd/a.png")
    return " / ".join(release(ground, place, Path(name)).split(":")[0] for name in names)


@attempt("place: read-only folder", "--out in a file system that is mounted for reading only")
def _read_only(ground: Ground, place: Path) -> str:
    if not can_mount():
        (place / "shut").mkdir(mode=0o500)
        return "mounting is forbidden here; " + (
            "" if os.geteuid() else release(ground, place, place / "shut" / "a.png")
        )
    (place / "shut").mkdir()
    script = 'mount -t tmpfs -o ro none shut && exec "$0" "$@"'
    return ground.sketch(
        place, out="shut/a.png", program=[*_UNSHARE, "sh", "-c", script, sys.executable, "-m", "studio"]
    )


# --- the child -------------------------------------------------------------------------------------------------------


def _kill_worker(ground: Ground) -> None:
    os.kill(ground.workshop._runner._worker()._child.pid, signal.SIGKILL)


def _killed_at(moment: str) -> Act:
    def act(ground: Ground, place: Path) -> str:
        return release(ground, place, place / "a.png", **{moment: lambda _place: _kill_worker(ground)})

    return act


for _moment, _said in (
    ("before_prepare", "before it labels"),
    ("after_prepare", "when the labelled draft is in its memory"),
    ("before_write", "before it writes the draft"),
    ("after_write", "when it has written the draft"),
):
    attempt(
        f"worker killed: {_moment.replace('_', ' ')}", f"kill -9 of the worker {_said}", is_quick="after" in _moment
    )(_killed_at(_moment))


def _killed_on(word: str) -> Act:
    """The worker ends at one of its own events."""

    def act(ground: Ground, place: Path) -> str:
        seen: list[str] = []

        def on_event(event: Event) -> None:
            seen.append(type(event).__name__)
            if seen[-1] == word:
                _kill_worker(ground)

        running = ground.run(on_event=on_event)
        try:
            ground.workshop.release(running, place / "a.png")
        except SignetError as error:
            return f"{seen[-1]}, then {type(error).__name__}"
        return "a picture with all its labels"

    return act


for _word in ("Started", "Progress", "Finished"):
    attempt(f"worker killed: at {_word}", f"kill -9 of the worker as it tells {_word}")(_killed_on(_word))


@attempt(
    "scan during a render",
    "folders, temporary ones and shared memory, looked at on every event of the worker",
    is_quick=True,
)
def _scan(ground: Ground, place: Path) -> str:
    looked: list[int] = []

    def look(_place: Path) -> None:
        looked.append(len(ground.found(place)))

    running = ground.workshop.start(ground.plan(ground.home), lambda _event: look(place))
    running.wait(LIMIT_S)
    moments = ("before_prepare", "after_prepare", "before_write", "after_write")
    watched = Watched(running, place, **dict.fromkeys(moments, look))
    ground.workshop.release(watched, place / "a.png")  # type: ignore[arg-type]  # it fits by its names
    assert sum(looked) == 0, looked
    return f"{len(looked)} looks, nothing without a label"


@attempt("job that is never released", "a finished job is left, the program closed, and the home packed as an archive")
def _left_job(ground: Ground, place: Path) -> str:
    ground.run()
    archive = place / "home.tar"
    # By another process: see compliance.open_databases.
    subprocess.run(["tar", "-cf", archive, "-C", ground.home, "."], check=True)
    data = archive.read_bytes()
    assert not any(piece in data for piece in ground.canary)
    return "records of a home, no media"


# --- previews --------------------------------------------------------------------------------------------------------


@attempt(
    "preview: every size",
    "previews of 1 to 100,000 px, of 0 and of -5: each carries the label or is refused",
    is_quick=True,
)
def _previews(ground: Ground, place: Path) -> str:
    running = ground.run()
    shown, refused = 0, 0
    for size_px in (-5, 0, 1, 16, 47, 64, 95, 96, 97, 128, 200, 320, 1024, 100_000):
        try:
            data = ground.workshop.preview(running, size_px)
        except SignetError:
            refused += 1
            continue
        (pixels,) = decoded_pictures(data)
        assert explicit.state(explicit.measure(pixels)) == "intact", size_px
        shown += 1
    return f"{shown} with the label, {refused} refused"


@attempt("preview: sound", "what the ear gets before a release: the label at start and end, in both languages")
def _listened(ground: Ground, place: Path) -> str:
    running = ground.run(Request("fake.tone", "fake.tone", (), {"seconds": 2.0}))
    for language in ("zh", "en"):
        heard = decoded_sound(ground.workshop.listen(running, language))  # type: ignore[arg-type]  # both are of the literal
        assert heard is not None
        assert audible.state(audible.measure_sound(*heard)) == "intact"
    return "two sounds with the label"


# --- records that were edited ----------------------------------------------------------------------------------------


@attempt(
    "records: a release of one's own", "a row that calls an unlabelled picture sealed, then recovery", is_quick=True
)
def _forged_row(ground: Ground, place: Path) -> str:
    import hashlib

    mine = ground.plant(place / "mine.png")
    rows = ground.workshop._rows
    made = ground.run()
    ground.workshop.release(made, place / "a.png")
    table = store.release
    with rows.write() as connection:
        real = dict(connection.execute(sa.select(table).order_by(table.c.created_at.desc())).mappings().first() or {})
        forged = {
            **real,
            "id": "f" * 16,
            "permit_id": "per-forged",
            "state": "sealed",
            "target_path": str(mine),
            "file_sha256": hashlib.sha256(mine.read_bytes()).hexdigest(),
            "release_index": None,
            "finished_at": None,
        }
        connection.execute(sa.insert(table).values(**forged))
    try:
        ground.workshop._releaser.recover()
        said = "entered"
    except SignetError as error:
        said = type(error).__name__
    with rows.write() as connection:
        connection.execute(sa.delete(table).where(table.c.id == "f" * 16))
    assert said == "StoreDamaged", said
    verdict = verify_file(mine, [ground.keys]).verdict
    assert verdict == "unlabelled", verdict
    return f"{said}; the file still verifies as {verdict}"


@attempt("draft: another plan", "a draft made by another plan: another release, and a producer of nothing or of noise")
def _producer(ground: Ground, place: Path) -> str:
    said = []
    for value in ("", "\x00\x1b", "x" * 5000, "汉字"):
        running = ground.run()
        forged = _Forged(running, value)
        try:
            ground.workshop.release(forged, place / f"{len(said)}.png")  # type: ignore[arg-type]  # it fits by its names
            said.append("released")
        except SignetError as error:
            said.append(type(error).__name__)
    return ", ".join(said)


class _Forged(Watched):
    """Prepares a draft by another plan than the one it was told."""

    def __init__(self, running: Running, producer: str) -> None:
        super().__init__(running, Path())
        self._producer = producer

    def prepare(self, plan: LabelPlan) -> Prepared:
        return self._running.prepare(replace(plan, producer=self._producer, release_id="0" * 16))


@attempt("records: consumed permits", "the table of used permits emptied, and one permit used for two releases")
def _permits(ground: Ground, place: Path) -> str:
    said = release(ground, place, place / "a.png")
    with ground.workshop._rows.write() as connection:
        connection.execute(sa.delete(store.permit_use))
    return f"{said}; again: {release(ground, place, place / 'b.png')}"


@attempt("two programs at once", "two programs release under one name at the same moment")
def _two(ground: Ground, place: Path) -> str:
    shells: list[str] = []
    threads = [threading.Thread(target=lambda: shells.append(ground.sketch(place))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    there = [one.name for one in place.iterdir()]
    assert len(there) == 1, f"{there}, {shells}"
    return " / ".join(sorted(shells))
