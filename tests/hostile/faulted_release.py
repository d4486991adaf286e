"""Makes one release or recovery after another, each in a child with a fault at one storage call; run by faults.

    python -m tests.hostile.faulted_release FOLDER

Reads one Point a line as JSON and answers each with one line: the calls counted, or what was found wrong afterwards.
Everything heavy is loaded once; each release is a fork of this process, and so is each look at what it left.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from compliance import draft, verify
from compliance.errors import SignetError
from compliance.keys import public_keys
from compliance.labels.policy import LabelPlan, Prepared
from compliance.media import MediaInfo, SyntheticMedia
from compliance.release import Releaser
from tests.compliance.home import PASSWORD, SOURCE, TARGET, Home, noise
from tests.compliance.labels.sounds import speech
from tests.hostile.judging import escapes

CALLS = (
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "link",
    "linkat",
    "rename",
    "renameat",
    "unlink",
    "unlinkat",
    "ftruncate",
)
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
# name: (file, whether something stands there already, what the release was when it was cut off).
SCENARIOS = {
    "picture": ("picture.png", False, ""),
    "overwrite": ("picture.png", True, ""),
    "beside": ("sound.ogg", False, ""),
    "beside-over": ("sound.ogg", True, ""),
    "recover-sealed": ("picture.png", False, "sealed"),
    "recover-linked": ("picture.png", False, "linked"),
}
_END_MARK = "the-end-of-the-release"
_OLD = b"what stood here before"
_LIMIT_S = 60
_COUNTED = re.compile(r"^(?:\d+\s+)?(\w+)\(")


@dataclass(frozen=True, slots=True)
class Point:
    """One moment: the n-th call of that name in a scenario, and what befalls it. call "": nothing does, count only."""

    scenario: str
    call: str = ""
    number: int = 0
    fault: str = ""
    again: bool = False

    def __str__(self) -> str:
        return f"{self.scenario} {self.call} {self.number} {self.fault}"


class _Ready:
    """Labelled media made beforehand: here it is the storage that is tried, and nothing is computed twice."""

    def __init__(self, made: draft.Draft) -> None:
        self._made = made

    def prepare(self, _plan: LabelPlan) -> Prepared:
        return Prepared(self._made.payload_sha256, self._made.size)

    def write(self, descriptor: int) -> None:
        self._made.write(descriptor)


class Rig:
    """One home in one place, put back after each point. out: where its releases appear, within the folder otherwise."""

    def __init__(self, folder: Path, out: Path | None = None, scenarios: Sequence[str] = tuple(SCENARIOS)) -> None:
        self._kept, self._home, self._out = folder / "kept", folder / "home", out or folder / "out"
        home = Home.furnished(folder / "furnished")
        self._claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
        picture = noise(128, 128)
        samples = speech(0.6, 8000)
        info = MediaInfo.of_sound(
            samples, 8000, origin="trainedAlgorithmicMedia", engine="fake.tone", engine_version="1"
        )
        self._media = {".png": picture, ".ogg": SyntheticMedia(samples, info)}
        self._plans = {}
        for file in dict.fromkeys(SCENARIOS[name][0] for name in scenarios):
            media = self._media[Path(file).suffix]
            plans = [home.releaser.plan(media.info, "ogg" if file.endswith("ogg") else "png") for _ in range(2)]
            self._plans[file] = [(plan, draft.prepare(media, plan)) for plan in plans]
        home.rows.close()
        for name in scenarios:
            file, is_there, cut = SCENARIOS[name]
            kept = self._kept / name
            shutil.rmtree(self._home, ignore_errors=True)
            shutil.rmtree(self._out, ignore_errors=True)
            shutil.copytree(folder / "furnished", self._home)
            self._out.mkdir()
            if is_there:
                (self._out / file).write_bytes(_OLD)
                if file.endswith("ogg"):
                    (self._out / f"{file}.c2pa").write_bytes(_OLD)
            if cut:
                _in_child(lambda cut=cut, name=name: self._cut_off(name, cut))
            kept.mkdir(parents=True)
            shutil.copytree(self._home, kept / "home")
            shutil.copytree(self._out, kept / "out")

    def _cut_off(self, scenario: str, when: str) -> None:
        """Begin a release and die as its file is about to get its name, or has it."""

        def die(*_: object) -> None:
            os._exit(0)

        setattr(Releaser, "_link" if when == "sealed" else "_commit", die)
        self._release(Home.open(self._home), scenario, 0)

    def _release(self, home: Home, scenario: str, which: int) -> str:
        file, overwrite, _ = SCENARIOS[scenario]
        plan, made = self._plans[file][which]
        home.accounts.unlock(PASSWORD)
        setattr(home.releaser, "plan", lambda *_: plan)  # noqa: B010  # a fixed id, for what was made beforehand
        session = home.session()
        arguments: dict[str, Any] = {
            "permit": home.gate.authorize(self._claim, session.account),
            "claim": self._claim,
            "account": session.account,
            "keys": session.require_keys(),
            "info": self._media[Path(file).suffix].info,
            "materials": (),
            "drafter": _Ready(made),
            "out": self._out / (file if which == 0 else f"second-{file}"),
            "overwrite": overwrite,
        }
        _wait_to_be_traced()
        return home.releaser.release(**arguments).id

    def run(self, point: Point) -> dict[str, Any]:
        """One point: put everything back, run, look at what there is, recover, look again."""
        self.put_back(point.scenario)
        said, log = _traced(lambda: self._act(point.scenario), point)
        hit = bool(point.fault) and point.fault.split("=")[1] in log
        return {"calls": _count(log), "hit": hit, "found": self.judge(point, said)}

    def put_back(self, scenario: str) -> None:
        """As it was before the release, or as the release that was cut off left it."""
        for folder, name in ((self._home, "home"), (self._out, "out")):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self._kept / scenario / name, folder)

    def act(self, scenario: str, before: Callable[[], None] = lambda: None) -> str:
        """Release or recover without a tracer; before: done in the child first. Returns what the child said."""

        def work() -> str:
            before()
            return self._act(scenario)

        return _in_child(work)

    def judge(self, point: Point, said: str) -> list[str]:
        """Recover, and say what is wrong before and after it."""
        told = _decoded(said)
        found = _decoded(_in_child(lambda: self._judge(point, told))).get("found", ["broken: the judge ended"])
        return [*told.get("found", []), *found]

    def _act(self, scenario: str) -> str:
        try:
            home = Home.open(self._home)
            if SCENARIOS[scenario][2]:
                _wait_to_be_traced()
                home.releaser.recover()
                return json.dumps({"returned": ""})
            return json.dumps({"returned": self._release(home, scenario, 0)})
        except (SignetError, OSError, sa.exc.SQLAlchemyError) as error:
            return json.dumps({"raised": type(error).__name__})

    def _judge(self, point: Point, told: dict[str, Any]) -> str:
        """What is wrong, as words that begin with unlabelled, lost, duplicate, unlogged, left or broken."""
        file, is_there, _ = SCENARIOS[point.scenario]
        found: list[str] = []
        keys = public_keys(self._home)
        assert keys is not None

        def look(when: str) -> None:
            for escape in escapes([self._out, self._home], known=[_OLD]):
                found.append(f"unlabelled {when}: {escape}")
            for path in self._out.iterdir():
                if path.name.startswith(".") or path.suffix == ".c2pa" or path.read_bytes() == _OLD:
                    continue
                if verify.verify_file(path, [keys]).verdict != "sealed":
                    found.append(f"unlabelled {when}: {path.name}")

        look("before recovery")
        home = Home.open(self._home)
        home.releaser.recover()
        if home.releaser.recover():
            found.append("left: recovery found more to do")
        look("after recovery")
        hidden = [path.name for path in self._out.iterdir() if path.name.startswith(".")]
        if hidden:
            found.append(f"left: {hidden}")
        done = {item.id: item for item in home.releaser.releases()}
        entries = home.ledger.entries()
        by_kind = {
            kind: Counter(entry["fields"]["release"] for entry in entries if entry["kind"] == kind)
            for kind in ("release_intended", "released", "release_rolled_back")
        }
        for kind, times in by_kind.items():
            found += [f"duplicate: {name} {kind} {count} times" for name, count in times.items() if count > 1]
        for name in by_kind["release_intended"]:
            if (name in by_kind["released"]) == (name in by_kind["release_rolled_back"]):
                found.append(f"unlogged: {name} has no end, or two")
        if set(done) != set(by_kind["released"]):
            found.append("unlogged: the releases are not those of the ledger")
        if told.get("returned") and told["returned"] not in done:
            found.append("lost: the release was announced")
        for item in done.values():
            if not item.path.exists():
                found.append(f"lost: {item.path.name}")
        named = {path for path in self._out.iterdir() if path.suffix != ".c2pa" and path.read_bytes() != _OLD}
        if named != {item.path for item in done.values()}:
            found.append(f"unlogged: {sorted(path.name for path in named)} stands there")
        if is_there and not done and (self._out / file).read_bytes() != _OLD:
            found.append("lost: what stood there before")
        try:
            home.ledger.verify()
        except SignetError as error:
            found.append(f"broken: {type(error).__name__}")
        if point.again:
            try:
                second = self._release_again(home, point.scenario)
                if verify.verify_file(second, [keys]).verdict != "sealed":
                    found.append("unlabelled: the next release")
            except SignetError as error:
                found.append(f"broken: the next release ends with {type(error).__name__}")
        home.rows.close()
        return json.dumps({"found": found})

    def _release_again(self, home: Home, scenario: str) -> Path:
        identifier = self._release(home, scenario, 1)
        return next(item.path for item in home.releaser.releases() if item.id == identifier)


def _wait_to_be_traced() -> None:
    """Say that all is ready, and go on when told to; nothing where nobody traces."""
    if _gate is not None:
        ready, go = _gate
        os.write(ready, b"!")
        os.read(go, 1)


_gate: tuple[int, int] | None = None


def _in_child(work: Callable[[], str | None]) -> str:
    """Run something in a fork of this process; returns what it says."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _finish(work, writing)
    os.close(writing)
    with os.fdopen(reading) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    return said


def _finish(work: Callable[[], str | None], writing: int) -> None:
    try:
        said = work() or ""
        # Where the count of calls ends: what follows is this test's own.
        os.access(_END_MARK, os.F_OK)
        os.write(writing, said.encode())
    except BaseException as error:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        text = json.dumps({"found": [f"broken: {type(error).__name__} {error} at {last.name}:{last.lineno}"]})
        os.write(writing, text.encode())
    finally:
        os._exit(0)


def _traced(work: Callable[[], str], point: Point) -> tuple[str, str]:
    """Run something in a child under strace; returns what it said and the trace."""
    global _gate
    answers, said_to = os.pipe()
    is_ready, ready = os.pipe()
    go, gone = os.pipe()
    child = os.fork()
    if child == 0:
        _gate = (ready, go)
        _finish(work, said_to)
    for descriptor in (said_to, ready, go):
        os.close(descriptor)
    with tempfile.NamedTemporaryFile("r", prefix="trace-") as log:
        tracer = None
        if os.read(is_ready, 1):
            what = [f"--trace={point.call or ','.join((*CALLS, 'access', 'faccessat', 'faccessat2'))}"]
            if point.fault:
                what.append(f"--inject={point.call}:{point.fault}:when={point.number}")
            tracer = subprocess.Popen(
                ["strace", "-qq", "-s", "64", "-o", log.name, *what, "-p", str(child)],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while f"TracerPid:\t{tracer.pid}" not in Path(f"/proc/{child}/status").read_text():
                if tracer.poll() is not None:
                    break
            os.write(gone, b"!")
        for descriptor in (is_ready, gone):
            os.close(descriptor)
        with os.fdopen(answers) as stream:
            said = stream.read()
        os.waitpid(child, 0)
        if tracer is not None:
            tracer.wait(_LIMIT_S)
        return said, log.read()


def _count(log: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for line in log.splitlines():
        if _END_MARK in line:
            break
        found = _COUNTED.match(line)
        if found and found[1] in CALLS:
            counted[found[1]] += 1
    return dict(counted)


def _decoded(said: str) -> dict[str, Any]:
    try:
        decoded: dict[str, Any] = json.loads(said)
    except ValueError:
        return {}
    return decoded


def main() -> None:
    """Serve points until standard input ends."""
    import cv2

    # A thread that is left behind by this process would be missing in its forks.
    cv2.setNumThreads(1)
    rig = Rig(Path(sys.argv[1]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(rig.run(Point(**json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
