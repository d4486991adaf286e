"""Tracing a stripped copy: `python -m tests.bench.trace [--runs N]`.

Pictures are released into a home of their own, cut by 40 %, saved as JPEG 60 without metadata, and given to
`signet verify` as a user would: a new process each time. Found means that it names the release and its time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from compliance.media import MediaInfo, Pixels, SyntheticMedia
from tests.bench.pictures import PICTURES
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter

RUNS = 10
_NAMES = ("portrait 512", "portrait 640x427", "portrait 1080p, grain", "skyline", "grass")


def picture(pixels: Pixels) -> SyntheticMedia:
    """A sealed picture, as an engine hands it over."""
    height, width = pixels.shape[:2]
    return SyntheticMedia(
        pixels, MediaInfo("picture", width, height, "sRGB", "trainedAlgorithmicMedia", "bench", "1", 1)
    )


def strip(source: Path, target: Path) -> None:
    """Cut 40 % of the area away, save as JPEG 60, keep no metadata."""
    whole = Image.open(source).convert("RGB")
    width, height = (round(side * math.sqrt(0.6)) for side in whole.size)
    left, top = int((whole.width - width) * 0.6), int((whole.height - height) * 0.3)
    whole.crop((left, top, left + width, top + height)).save(target, "JPEG", quality=60)


def asked(home: Path, file: Path) -> tuple[dict[str, Any], float, float]:
    """What `signet verify` says of a file, and the seconds that its process took: by the clock, and of CPU."""
    command = [sys.executable, "-m", "studio", "--home", str(home), "verify", str(file), "--json"]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "SIGNET_LANG": "en"})
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout.splitlines()[-1]), seconds, cpu_s


def names(report: dict[str, Any], release: str) -> bool:
    """Whether a report names this release, and when it was made, by mark or fingerprint."""
    mark = report["layers"]["watermark"]["evidence"]
    if mark.get("release") == release and mark.get("released_at"):
        return True
    matches = report["layers"]["fingerprint"]["evidence"].get("matches", ())
    return any(match["release"] == release and match["time"] for match in matches)


def trace_part(say: Callable[[str], None], runs: int = RUNS) -> dict[str, Any]:
    """The `trace` entry: found, the share of runs that named release and time; median and slowest in seconds."""
    found, seconds, cpu = 0, [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Home.furnished(Path(folder) / "home")
        copies = []
        for number, name in enumerate(_NAMES):
            claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
            made = home.release(claim, Path(folder) / f"{number}.png", HonestDrafter(picture(PICTURES[name]())))
            copy = Path(folder) / f"copy{number}.jpg"
            strip(made.path, copy)
            copies.append((name, made.id, copy))
        home.rows.close()
        for run in range(runs):
            name, release, copy = copies[run % len(copies)]
            report, took_s, cpu_s = asked(home.folder, copy)
            is_found = names(report, release)
            found += is_found
            seconds.append(took_s)
            cpu.append(cpu_s)
            say(
                f"{name:24s} {took_s:5.2f} s ({cpu_s:.2f} s of CPU)  {'named' if is_found else 'NOT NAMED'}  "
                f"{report['verdict']}"
            )
    return {
        "found": found / max(1, runs),
        "median_s": round(statistics.median(seconds), 3),
        "slowest_s": round(max(seconds), 3),
        "median_cpu_s": round(statistics.median(cpu), 3),
        "runs": runs,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS)
    print(json.dumps(trace_part(lambda line: print(line, flush=True), parser.parse_args().runs)))


if __name__ == "__main__":
    main()
