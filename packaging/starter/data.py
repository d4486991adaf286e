"""Paints the pictures in worker processes and keeps them in small files; the same plan gives the same bytes.

The files are a cache: one that is missing is painted again from its numbers, so nothing of them need be carried from
one machine to the next.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.picture.scene.painting import paint
from engines.picture.scene.parser import parse

from .captions import Scene, scene
from .plan import LARGEST_FILE_BYTES, Plan

_TRIES = 1_000
Pixels = NDArray[np.uint8]


def picture(seed: int, side_px: int) -> tuple[Pixels, Scene]:
    """The picture of a number and what it shows; what the painter cannot fit into a picture is drawn anew.

    Returns uint8, (side_px, side_px, 3), sRGB.
    """
    for number in range(_TRIES):
        own = seed * _TRIES + number
        found = scene(own)
        wish = parse(found.caption)
        pixels = paint(wish, side_px, side_px, own, lambda _stage: None)
        if not wish.left():
            return pixels, found
    raise AssertionError(f"no picture could be painted for number {seed}")


@dataclass(frozen=True, slots=True)
class Pictures:
    """Painted pictures and their scenes. pixels: uint8, (n, side, side, 3), read from disk when asked for."""

    parts: list[Pixels]
    scenes: list[Scene]
    per_file: int

    def __len__(self) -> int:
        return len(self.scenes)

    def at(self, places: Any) -> Pixels:
        """The pictures at these places."""
        return np.stack([self.parts[int(i) // self.per_file][int(i) % self.per_file] for i in places])


def per_file(plan: Plan) -> int:
    """How many pictures one file holds."""
    return max(1, (LARGEST_FILE_BYTES - 1024) // (plan.side_px**2 * 3))


def spans(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """(file, first picture, one behind the last) of every file."""
    size = per_file(plan)
    for file, first in enumerate(range(0, plan.count(), size)):
        yield file, first, min(first + size, plan.count())


def paint_all(folder: Path, plan: Plan, workers: int) -> Pictures:
    """Paint what is missing and open everything. workers: processes; 1 paints in this one."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [span for span in spans(plan) if not _pixels_file(folder, span[0]).is_file()]
    tasks = [(folder, plan, *span) for span in missing]
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            _paint_file(*task)
    else:
        # Spawned, not forked: a process that has loaded torch has threads that a fork would lose.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as pool:
            for future in as_completed([pool.submit(_paint_file, *task) for task in tasks]):
                future.result()
    return open_all(folder, plan)


def open_all(folder: Path, plan: Plan) -> Pictures:
    """Open the painted pictures of a plan."""
    parts = [np.load(_pixels_file(folder, file), mmap_mode="r") for file, _, _ in spans(plan)]
    scenes = [
        Scene(**item) for file, _, _ in spans(plan) for item in json.loads(_scenes_file(folder, file).read_text())
    ]
    return Pictures(parts, scenes, per_file(plan))


def _paint_file(folder: Path, plan: Plan, file: int, first: int, last: int) -> None:
    made = [picture(plan.seed * 10_000_000 + number, plan.side_px) for number in range(first, last)]
    told = [{"caption": found.caption, "labels": dict(found.labels)} for _, found in made]
    part = _scenes_file(folder, file).with_suffix(".part")
    part.write_text(json.dumps(told))
    os.replace(part, _scenes_file(folder, file))
    # The pictures come last: a file of them stands for a finished pair.
    part = _pixels_file(folder, file).with_suffix(".part")
    with part.open("wb") as stream:
        np.save(stream, np.stack([pixels for pixels, _ in made]))
    os.replace(part, _pixels_file(folder, file))


def _pixels_file(folder: Path, file: int) -> Path:
    return folder / f"pictures-{file:04}.npy"


def _scenes_file(folder: Path, file: int) -> Path:
    return folder / f"scenes-{file:04}.json"
