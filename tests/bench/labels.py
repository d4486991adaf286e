"""Measures the labels: `python -m tests.bench.labels [--table] [--pictures DIR] [--json FILE]`.

Pictures: each picture is marked with an id of its own and put through 38 attacks (tests.bench.attacks); an attack is
survived when the whole id is read back from nothing but the pixels. Two harder attacks are counted apart. Then crops of
the unmarked pictures are searched for a mark, which none may have.

--pictures takes any folder instead of the built-in pictures. --only and --crops make a run short; --part I/N runs every
Nth picture, so that a long run can be cut into pieces. Attacks that need PyAV are left out, and said to be, without it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from compliance.labels.watermark_image import detect, embed
from compliance.media import Pixels
from tests.bench.attacks import ATTACKS, HARDER, Attack
from tests.bench.pictures import PICTURES

UNMARKED = 2000
_KINDS = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"}
_SMALLEST_PX = 96
_NEEDS_VIDEO = "H.264"


@dataclass
class Survival:
    """What became of one picture. lost: the attacks that it did not survive; seconds: thread time of embed."""

    name: str
    shape: tuple[int, int]
    psnr_db: float
    ssim: float
    missing: list[str]
    lost: list[str] = field(default_factory=list)
    harder_lost: list[str] = field(default_factory=list)
    seconds: float = 0.0


def folder(path: Path) -> dict[str, Callable[[], Pixels]]:
    """Every picture of a folder that Pillow opens and that is not too small for a label."""

    def opener(file: Path) -> Callable[[], Pixels]:
        return lambda: np.asarray(Image.open(file).convert("RGB"), np.uint8)

    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in _KINDS)
    sizes = {file: Image.open(file).size for file in files}
    return {str(file.relative_to(path)): opener(file) for file in files if min(sizes[file]) >= _SMALLEST_PX}


def available() -> dict[str, Attack]:
    """The attacks that can be run here."""
    has_video = importlib.util.find_spec("av") is not None
    return {name: attack for name, attack in ATTACKS.items() if has_video or not name.startswith(_NEEDS_VIDEO)}


def ident_of(name: str) -> int:
    """An id for a picture: its own, and the same every time."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def survive(name: str, pixels: Pixels, attacks: dict[str, Attack]) -> Survival:
    """Mark one picture and try every attack on it."""
    ident = ident_of(name)
    begin = time.thread_time()
    marked = embed(pixels, ident)
    seconds = time.thread_time() - begin
    missing = [attack for attack, held in marked.guarantees.items() if not held]
    result = Survival(name, pixels.shape[:2], marked.psnr_db, marked.ssim, missing, seconds=seconds)

    def lost(named: dict[str, Attack]) -> list[str]:
        found = {attack: detect(run(marked.pixels)) for attack, run in named.items()}
        return [attack for attack, seen in found.items() if not (seen.found and seen.ident == ident)]

    result.lost, result.harder_lost = lost(attacks), lost(HARDER)
    return result


def crops(pictures: dict[str, Callable[[], Pixels]], count: int) -> Iterator[Pixels]:
    """Crops of unmarked pictures, of many sizes and shapes, in turn."""
    maker = np.random.default_rng(12)
    shares = np.full(len(pictures), count // max(1, len(pictures)))
    shares[: count - int(shares.sum())] += 1
    for make, share in zip(pictures.values(), shares, strict=True):
        pixels = make()
        height, width = pixels.shape[:2]
        for _ in range(share):
            high, wide = (int(side * maker.uniform(0.3, 1.0)) for side in (height, width))
            top, left = int(maker.integers(0, height - high + 1)), int(maker.integers(0, width - wide + 1))
            yield np.ascontiguousarray(pixels[top : top + high, left : left + wide])


def picture_part(
    pictures: dict[str, Callable[[], Pixels]], unmarked: int, say: Callable[[str], None]
) -> tuple[dict[str, Any], list[Survival]]:
    """The `pictures` entry of the result, and what became of each picture."""
    attacks = available()
    survivals = []
    for name, make in pictures.items():
        entry = survive(name, make(), attacks)
        survivals.append(entry)
        say(
            f"{name:24.24s} {entry.shape[1]:>5}x{entry.shape[0]:<5} {entry.psnr_db:5.1f} dB  SSIM {entry.ssim:.4f}  "
            f"{1e3 * entry.seconds:5.0f} ms  lost {len(entry.lost)}: {', '.join(entry.lost + entry.harder_lost) or '-'}"
            + (f"  (not guaranteed: {', '.join(entry.missing)})" if entry.missing else "")
        )
    positives = 0
    for crop in crops(pictures, unmarked):
        positives += detect(crop).found
    tried = len(attacks) * len(survivals)
    harder = len(HARDER) * len(survivals)
    return {
        "attacks": len(attacks),
        "pictures": len(survivals),
        "recovered": (tried - sum(len(entry.lost) for entry in survivals)) / max(1, tried),
        "harder_recovered": (harder - sum(len(entry.harder_lost) for entry in survivals)) / max(1, harder),
        "ssim_min": min((entry.ssim for entry in survivals), default=1.0),
        "false_positives": positives,
        "unmarked": unmarked,
    }, survivals


def table(survivals: list[Survival]) -> list[str]:
    """One line an attack: how many pictures survived it, and which did not."""
    lines = []
    for name in [*available(), *HARDER]:
        lost = [entry.name for entry in survivals if name in entry.lost or name in entry.harder_lost]
        harder = " (told apart)" if name in HARDER else ""
        lines.append(f"{name + harder:34s} {len(survivals) - len(lost):>3}/{len(survivals)}  {', '.join(lost)}")
    return lines


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="one line an attack")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures instead of the built-in ones")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--only", help="only pictures whose name contains this")
    parser.add_argument("--part", default="1/1", help="I/N: every Nth picture, beginning with the Ith")
    parser.add_argument("--crops", type=int, default=UNMARKED, help="how many unmarked crops are searched")
    parser.add_argument("--sound", action="store_true", help="only the mark in sound")
    arguments = parser.parse_args()
    pictures = folder(arguments.pictures) if arguments.pictures else dict(PICTURES)
    first, step = (int(number) for number in arguments.part.split("/"))
    names = [name for name in pictures if not arguments.only or arguments.only in name][first - 1 :: step]
    chosen = {name: pictures[name] for name in names}

    def say(line: str) -> None:
        print(line, flush=True)

    # Each kind of media adds its own entry here.
    result: dict[str, Any] = {}
    if importlib.util.find_spec("av") is not None:
        from tests.bench.sounds import sound_part

        result["sound"] = sound_part(say)
        if not arguments.sound:
            from tests.bench.video import video_part

            result["video"], result["cost"] = video_part(say)
    if arguments.sound:
        say(json.dumps(result))
        return
    result["pictures"], survivals = picture_part(chosen, arguments.crops, say)
    if len(available()) < len(ATTACKS):
        say("left out, for want of PyAV: " + ", ".join(name for name in ATTACKS if name not in available()))
    if arguments.table:
        say("")
        for line in table(survivals):
            say(line)
    say(json.dumps(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
