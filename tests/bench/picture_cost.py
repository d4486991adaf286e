"""What the labels cost of one 1080p JPEG, and where the time goes: `python -m tests.bench.picture_cost`.

The whole release is timed, from the engine's pixels to the file under its name; what the encoder takes would be paid
without labels too and is told apart.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from compliance import encode, release
from compliance.fingerprint import registry
from compliance.labels import credential, explicit, watermark_image
from tests.bench.pictures import PICTURES
from tests.bench.trace import picture
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter

_RUNS = 5


class Stopwatch:
    """Seconds by stage; a stage inside another counts for itself alone.

    spent: of the thread that releases. beside: what other threads did at the same time, which nobody waited for.
    """

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.beside: dict[str, float] = {}
        self._thread = threading.get_ident()
        self._stacks: dict[int, list[float]] = {}

    @contextmanager
    def timing(self, owner: Any, name: str, label: str) -> Iterator[None]:
        """Count one function while the block runs."""
        real = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            start, thread = time.perf_counter(), threading.get_ident()
            counts = self.spent if thread == self._thread else self.beside
            inner = self._stacks.setdefault(thread, [0.0])
            inner.append(0.0)
            try:
                return real(*arguments, **options)
            finally:
                took = time.perf_counter() - start
                counts[label] = counts.get(label, 0.0) + took - inner.pop()
                inner[-1] += took

        setattr(owner, name, counted)
        try:
            yield
        finally:
            setattr(owner, name, real)


# What is timed: module, function, stage.
_STAGES: tuple[tuple[Any, str, str], ...] = (
    (explicit, "draw", "draw"),
    (watermark_image, "embed", "mark"),
    (encode, "encode_picture", "encode"),
    (explicit, "measure", "measure"),
    (watermark_image, "detect", "read back"),
    (release, "prints_of", "fingerprint"),
    (credential, "sign", "sign"),
    (release, "verify_draft", "look at the draft"),
    (release, "verify_sealed", "look at the sealed file"),
    (registry, "enter", "ledger and disk"),
)


def cost_part(say: Callable[[str], None], runs: int = _RUNS) -> dict[str, Any]:
    """The picture figures of the `cost` entry: medians in ms over a few releases, the first of which is not counted."""
    rows: list[dict[str, float]] = []
    others: list[dict[str, float]] = []
    busy: list[float] = []
    pixels = PICTURES["portrait 1080p, grain"]()
    with tempfile.TemporaryDirectory() as folder:
        home = Home.furnished(Path(folder) / "home")
        for run in range(runs + 1):
            claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
            drafter = HonestDrafter(picture(pixels))
            watch = Stopwatch()
            with ExitStack() as stack:
                for stage in _STAGES:
                    stack.enter_context(watch.timing(*stage))
                start, cpu = time.perf_counter(), time.process_time()
                home.release(claim, Path(folder) / f"{run}.jpg", drafter)
                whole, cpu = time.perf_counter() - start, time.process_time() - cpu
            rest = "ledger and disk"
            watch.spent[rest] = watch.spent.get(rest, 0.0) + whole - sum(watch.spent.values())
            busy.append(1e3 * cpu)
            rows.append({name: 1e3 * seconds for name, seconds in watch.spent.items()})
            others.append({name: 1e3 * seconds for name, seconds in watch.beside.items()})
        home.rows.close()
    split = {name: round(statistics.median(row.get(name, 0.0) for row in rows[1:]), 1) for name in rows[0]}
    beside = {name: round(statistics.median(row.get(name, 0.0) for row in others[1:]), 1) for name in others[0]}
    labels_ms = statistics.median(sum(row.values()) - row["encode"] for row in rows[1:])
    cpu_ms = statistics.median(busy[1:])
    say(
        f"1080p JPEG: {labels_ms:.0f} ms for the labels, {split['encode']:.0f} ms for the encoder; "
        f"{cpu_ms:.0f} ms of CPU"
    )
    for name, spent in split.items():
        say(f"  {name:28s} {spent:7.1f} ms")
    for name, spent in beside.items():
        say(f"  {name:28s} {spent:7.1f} ms beside, in a second thread")
    return {
        "jpeg_1080p_ms": round(labels_ms, 1),
        "jpeg_1080p_cpu_ms": round(cpu_ms, 1),
        "jpeg_1080p_split_ms": split,
        "jpeg_1080p_beside_ms": beside,
    }


if __name__ == "__main__":
    print(json.dumps(cost_part(lambda line: print(line, flush=True))))
