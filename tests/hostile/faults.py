"""Kills a release, or fails it, at every call that stores something, and looks at what is left after recovery.

    python -m tests.hostile.faults          a seeded sample
    python -m tests.hostile.faults --all    every call, each with every fault

Prints a table: for each kind of release and each call how many points there were and what was found wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self

from tests.hostile.faulted_release import CALLS, FAULTS, SCENARIOS, Point

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = 60
SEED = 20261122
_AT_ONCE = 2
# After every so many points one more release is made in the same home.
_AGAIN_EVERY = 8
KINDS = ("unlabelled", "lost", "duplicate", "unlogged", "left", "broken")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one point came to. hit: whether the fault took place; found: sentences that begin with one of KINDS."""

    point: Point
    hit: bool
    found: tuple[str, ...]


class Driver:
    """One process of tests.hostile.faulted_release with a place of its own."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.faulted_release", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def wait_until_ready(self) -> None:
        """Read the first line."""
        assert self._read() == {"ready": True}

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the driver ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, point: Point) -> dict[str, Any]:
        """Have one point made."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(point)) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Bench:
    """Two drivers that share the work."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="signet-faults-"))
        self._drivers = []
        for number in range(_AT_ONCE):
            place = self._folder / str(number)
            place.mkdir()
            self._drivers.append(Driver(place))
        for driver in self._drivers:
            driver.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for driver in self._drivers:
            driver.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, points: Iterable[Point]) -> list[tuple[Point, dict[str, Any]]]:
        """Answers in no order."""
        waiting: SimpleQueue[Point] = SimpleQueue()
        for point in points:
            waiting.put(point)
        answers: list[tuple[Point, dict[str, Any]]] = []

        def work(driver: Driver) -> None:
            while True:
                try:
                    point = waiting.get_nowait()
                except Empty:
                    return
                answers.append((point, driver.ask(point)))

        threads = [threading.Thread(target=work, args=(driver,)) for driver in self._drivers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def points(self, scenarios: Sequence[str]) -> list[Point]:
        """Every point of some scenarios, from one undisturbed run of each; raises AssertionError where that fails."""
        points = []
        for counted, answer in self.run(Point(name) for name in scenarios):
            assert not answer["found"], (counted, answer)
            points += [
                Point(counted.scenario, call, number, fault)
                for call in CALLS
                for number in range(1, answer["calls"].get(call, 0) + 1)
                for fault in FAULTS
            ]
        return sorted(points, key=str)

    def outcomes(self, points: Sequence[Point]) -> list[Outcome]:
        """Run points; every eighth is followed by one more release."""
        asked = [
            Point(point.scenario, point.call, point.number, point.fault, place % _AGAIN_EVERY == 0)
            for place, point in enumerate(points)
        ]
        return [Outcome(point, bool(answer["hit"]), tuple(answer["found"])) for point, answer in self.run(asked)]


def sample(points: Sequence[Point], count: int = SAMPLE, seed: int = SEED) -> list[Point]:
    """Some points by chance; half of them are calls on files and names, which are few beside those of the database.

    Sounds, which take longer, get a tenth of the points.
    """
    chance = random.Random(seed)
    slow = [point for point in points if point.scenario.startswith("beside")]
    database = [point for point in points if point not in slow and point.call in ("pwrite64", "fdatasync", "openat")]
    others = [point for point in points if point not in slow and point not in database]
    shares = ((slow, count // 10), (others, count // 2), (database, count - count // 10 - count // 2))
    return [point for those, share in shares for point in chance.sample(those, min(share, len(those)))]


def table(outcomes: Sequence[Outcome]) -> str:
    """Points and findings by scenario and call."""
    lines = [f"{'release':16}{'call':12}{'points':>7}{'hit':>6}" + "".join(f"{kind:>12}" for kind in KINDS)]
    keys = sorted({(outcome.point.scenario, outcome.point.call) for outcome in outcomes})
    for scenario, call in [*keys, ("all", "")]:
        those = [o for o in outcomes if scenario == "all" or (o.point.scenario, o.point.call) == (scenario, call)]
        counts = [sum(word.startswith(kind) for o in those for word in o.found) for kind in KINDS]
        hits = sum(outcome.hit for outcome in those)
        lines.append(f"{scenario:16}{call:12}{len(those):>7}{hits:>6}" + "".join(f"{count:>12}" for count in counts))
    return "\n".join(lines)


def main() -> None:
    """Print the table, and each finding in full; the exit code is 1 where there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every call, each with every fault")
    parser.add_argument("--release", choices=tuple(SCENARIOS), action="append", help="only this kind of release")
    chosen = parser.parse_args()
    started = time.monotonic()
    with Bench() as bench:
        points = bench.points(chosen.release or tuple(SCENARIOS))
        outcomes = bench.outcomes(points if chosen.all else sample(points))
    print(table(outcomes))
    for outcome in outcomes:
        for word in outcome.found:
            print(f"{outcome.point}: {word}")
    print(f"{len(outcomes)} of {len(points)} points in {time.monotonic() - started:.0f} s")
    sys.exit(any(outcome.found for outcome in outcomes))


if __name__ == "__main__":
    main()
