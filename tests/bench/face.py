"""Measures the built-in face swap: `python -m tests.bench.face [--json FILE]`.

Thread time with one OpenCV thread, median of 15 frames (5 for the naive reference), one tracked face about 250 px high.
One frame is: the landmarks followed from the frame before, and the swap painted into the frame. Finding faces and
preparing the source happen once and are printed apart.

The naive reference does the same work the way it is usually written first: the same landmarks and the same mesh, but
masks, warp, colours and blend as float arrays of the whole frame (only the map is made around the face alone).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import resources
from compliance.media import Pixels
from engines._cv import cv2
from engines.face import swap as swapping
from engines.face.landmarks import FaceFinder
from engines.face.pose import Face
from engines.face.swap import Identity, paint, prepare
from engines.face.topology import topology
from engines.face.warp import dense_map
from engines.source import decode

FRAMES = {"512": (512, 512), "1080p": (1920, 1080), "4k": (3840, 2160)}
FACE_PX = 250
REPEATS, NAIVE_REPEATS = 15, 5
SAMPLES = Path(str(resources.__file__)).parent / "samples"

# Functions of engines.face.swap that make up the stages; the rest of `paint` is resizing and the remap.
STAGES = {
    "dense_map": "dense map",
    "_skin": "skin of the target",
    "_outside_openings": "mouth and eyes kept",
    "match_colours": "colours compared",
    "grain": "grain measured",
    "add_grain": "grain added",
    "multiband": "multi-band blend",
    "_paste": "paste",
}


def _thread_ms() -> float:
    return time.thread_time() * 1e3


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        before = _thread_ms()
        work()
        times.append(_thread_ms() - before)
    return statistics.median(times)


@contextmanager
def _stage_clock() -> Iterator[dict[str, list[float]]]:
    """Time the stage functions of the swap while this context is open, ms for each call."""
    times: dict[str, list[float]] = defaultdict(list)
    kept = {name: getattr(swapping, name) for name in STAGES}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            before = _thread_ms()
            result = function(*args)
            times[STAGES[name]].append(_thread_ms() - before)
            return result

        return call

    for name, function in kept.items():
        setattr(swapping, name, timed(name, function))
    try:
        yield times
    finally:
        for name, function in kept.items():
            setattr(swapping, name, function)


def _frame(portrait: Pixels, face: Face, size: tuple[int, int]) -> Pixels:
    """The portrait scaled to a face of 250 px, in the middle of a frame that continues its edges."""
    scale = FACE_PX / face.box()[3]
    scaled = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    left, top, wide, high = (round(value * scale) for value in face.box())
    columns = np.clip(np.arange(size[0]) - size[0] // 2 + left + wide // 2, 0, scaled.shape[1] - 1)
    rows = np.clip(np.arange(size[1]) - size[1] // 2 + top + high // 2, 0, scaled.shape[0] - 1)
    return np.ascontiguousarray(scaled[rows][:, columns])


def naive_swap(frame: Pixels, face: Face, source: Pixels, source_face: Face) -> Pixels:
    """The reference: whole-frame float arrays throughout; returns a new frame."""
    height, width = frame.shape[:2]
    flat, mesh = face.points[:, :2], topology()
    # The map itself is made around the face only, which favours the reference.
    x0, y0 = (int(value) for value in np.maximum(flat.min(axis=0) - 1, 0))
    x1, y1 = (int(value) + 2 for value in flat.max(axis=0))
    size = (min(x1, width) - x0, min(y1, height) - y0)
    corner = np.array([x0, y0], np.float32)
    near, _ = dense_map(source_face.points[:, :2], flat - corner, face.points[:, 2], mesh.triangles, size)
    mapped = np.full((height, width, 2), -1, np.float32)
    mapped[y0 : y0 + size[1], x0 : x0 + size[0]] = near
    warped = cv2.remap(source.astype(np.float32), mapped, None, cv2.INTER_LINEAR)
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [flat[mesh.oval].round().astype(np.int32)], 1.0)
    skin = mask > 0.5
    ground = frame.astype(np.float32)
    ours, theirs = warped[skin], ground[skin]
    warped = (warped - ours.mean(axis=0)) * (theirs.std(axis=0) / (ours.std(axis=0) + 1e-3)) + theirs.mean(axis=0)
    side = 2 * round(0.1 * face.eye_distance_px) + 1
    alpha = cv2.GaussianBlur(cv2.erode(mask, np.ones((side, side), np.uint8)), (side, side), 0)[..., None]
    return np.clip(warped * alpha + ground * (1 - alpha), 0, 255).astype(np.uint8)


def _measure(name: str, finder: FaceFinder, portrait: Pixels, face: Face, source: Pixels) -> tuple[float, float]:
    """Print the stages at one frame size; returns (built-in ms, ratio of the naive reference to it)."""
    (source_face,) = finder.find(source)
    identity: Identity = prepare(source, source_face)
    frame = _frame(portrait, face, FRAMES[name])
    (found,) = finder.find(frame)
    canvas = frame.copy()
    follow = finder.landmarker.follow

    def built_in() -> None:
        paint(canvas, follow(frame, found), identity)

    def naive() -> None:
        naive_swap(frame, follow(frame, found), source, source_face)

    built_in()
    naive()
    built_in_ms, naive_ms = _median_ms(built_in, REPEATS), _median_ms(naive, NAIVE_REPEATS)
    landmarks_ms = _median_ms(lambda: follow(frame, found), REPEATS)
    swap_ms = _median_ms(lambda: paint(canvas, found, identity), REPEATS)
    with _stage_clock() as times:
        for _ in range(REPEATS):
            paint(canvas, found, identity)
    width, height = FRAMES[name]
    print(f"\n{name} ({width} x {height}), face {found.box()[2]:.0f} x {found.box()[3]:.0f} px")
    print(f"  {'landmarks and swap':24}{built_in_ms:8.1f} ms")
    print(f"    {'landmarks':22}{landmarks_ms:8.1f} ms")
    print(f"    {'swap':22}{swap_ms:8.1f} ms")
    for stage, each in times.items():
        print(f"      {stage:20}{statistics.median(each):8.2f} ms")
    print(f"  {'naive reference':24}{naive_ms:8.1f} ms = {naive_ms / built_in_ms:.1f} times the built-in")
    print("  not counted above:")
    print(f"    {'copy of the frame':22}{_median_ms(frame.copy, REPEATS):8.2f} ms")
    once = _median_ms(lambda: finder.detector.find(frame, tiled=False), NAIVE_REPEATS)
    print(f"    {'detection, whole':22}{once:8.1f} ms")
    print(f"    {'detection, tiled':22}{_median_ms(lambda: finder.detector.find(frame), NAIVE_REPEATS):8.1f} ms")
    print(f"    {'source, once':22}{_median_ms(lambda: prepare(source, source_face), NAIVE_REPEATS):8.1f} ms")
    return built_in_ms, naive_ms / built_in_ms


def main() -> None:
    """Run all frame sizes and print; --json FILE also writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.face", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    finder = FaceFinder()
    portrait, source = (
        decode(name, (SAMPLES / name).read_bytes()) for name in ("grace_hopper.jpg", "eileen_collins.png")
    )
    (face,) = finder.find(portrait)
    print("Built-in face swap (face.mesh): thread time, one OpenCV thread, median of 15 frames, one tracked face.")
    print("Landmarks and swap count; detection, source preparation and the copy of the frame are printed apart.")
    measured = {name: _measure(name, finder, portrait, face, source) for name in FRAMES}
    figures = {
        "builtin": {name: round(ms, 2) for name, (ms, _) in measured.items()},
        "naive_ratio": {name: round(ratio, 2) for name, (_, ratio) in measured.items()},
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
