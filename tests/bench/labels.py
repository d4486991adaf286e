"""Measures the labels: `python -m tests.bench.labels [--table] [--pictures DIR] [--json FILE] [--kinds …]`.

Pictures: each picture is marked with an id of its own and put through 38 attacks (tests.bench.attacks); an attack is
survived when the whole id is read back from nothing but the pixels. Two harder attacks are counted apart. Then crops of
the unmarked pictures are searched for a mark, which none may have.

Sound, video, cost and trace are measured by tests.bench.sounds, .video, .picture_cost and .trace; --kinds chooses among
them, and --json keeps what stands in the file of the kinds that were not run.

--pictures takes any folder instead of the built-in pictures, and measures pictures alone. --only and --crops make a run
short; --part I/N runs every Nth picture, so that a long run can be cut into pieces, whose pictures --json adds up.
Attacks that need PyAV are left out, and said to be, without it.
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
KINDS = ("pictures", "sound", "video", "cost", "trace")
_KINDS = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"}
_SMALLEST_PX = 96
_NEEDS_VIDEO = "H.264"


@dataclass
class Survival:
    """What became of one picture. lost: the attacks that it did not survive; seconds: processor time of embed."""

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

    found: dict[str, Callable[[], Pixels]] = {}
    for file in sorted(file for file in path.rglob("*") if file.suffix.lower() in _KINDS):
        try:
            with Image.open(file) as picture:
                picture.load()
                size = picture.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        if min(size) >= _SMALLEST_PX:
            found[str(file.relative_to(path))] = opener(file)
    return found


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
    begin = time.process_time()
    marked = embed(pixels, ident)
    seconds = time.process_time() - begin
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
    lost = sum(len(entry.lost) for entry in survivals)
    harder_lost = sum(len(entry.harder_lost) for entry in survivals)
    return {
        "attacks": len(attacks),
        "pictures": len(survivals),
        "recovered": (tried - lost) / max(1, tried),
        "lost": lost,
        "harder_recovered": (harder - harder_lost) / max(1, harder),
        "harder_lost": harder_lost,
        "ssim_min": min((entry.ssim for entry in survivals), default=1.0),
        "false_positives": positives,
        "unmarked": unmarked,
    }, survivals


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two entries of different pictures as one."""
    total = {key: one[key] + other[key] for key in ("pictures", "lost", "harder_lost", "false_positives", "unmarked")}
    attacks = one["attacks"]
    return {
        **total,
        "attacks": attacks,
        "recovered": 1 - total["lost"] / max(1, attacks * total["pictures"]),
        "harder_recovered": 1 - total["harder_lost"] / max(1, len(HARDER) * total["pictures"]),
        "ssim_min": min(one["ssim_min"], other["ssim_min"]),
    }


def sound_shares(found: dict[str, Any]) -> dict[str, Any]:
    """The `sound` entry: shares of ids read whole for 10 and 30 s, and all that was measured besides."""
    lengths = {name: value for name, value in found.items() if isinstance(value, dict)}
    rest = {name: value for name, value in found.items() if name not in lengths}
    return {
        **{name: value["survived"] / max(1, value["tried"]) for name, value in lengths.items()},
        **rest,
        "measured": lengths,
    }


def other_parts(kinds: set[str], say: Callable[[str], None]) -> dict[str, Any]:
    """The entries of sound, video, cost and trace that are asked for."""
    result: dict[str, Any] = {}
    if "trace" in kinds:
        from tests.bench.trace import trace_part

        result["trace"] = trace_part(say)
    has_av = importlib.util.find_spec("av") is not None
    if "cost" in kinds:
        from tests.bench.picture_cost import cost_part as of_picture

        result["cost"] = of_picture(say)
        if has_av:
            from tests.bench.video import cost_part as of_video

            result["cost"] |= of_video(say)
    if "sound" in kinds and has_av:
        from tests.bench.sounds import sound_part

        result["sound"] = sound_shares(sound_part(say))
    if "video" in kinds and has_av:
        from tests.bench.video import survival_part

        result["video"] = survival_part(say)
    return result


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
    parser.add_argument("--kinds", default="", help="which of " + ",".join(KINDS))
    arguments = parser.parse_args()
    pictures = folder(arguments.pictures) if arguments.pictures else dict(PICTURES)
    first, step = (int(number) for number in arguments.part.split("/"))
    names = [name for name in pictures if not arguments.only or arguments.only in name][first - 1 :: step]
    chosen = {name: pictures[name] for name in names}

    def say(line: str) -> None:
        print(line, flush=True)

    kinds = set(arguments.kinds.split(",")) if arguments.kinds else {"pictures"} if arguments.pictures else set(KINDS)
    if kinds - set(KINDS):
        parser.error("--kinds: " + ",".join(KINDS))
    result: dict[str, Any] = {}
    before = {}
    if arguments.json and arguments.json.exists():
        before = json.loads(arguments.json.read_text("utf-8"))
    if "pictures" in kinds:
        result["pictures"], survivals = picture_part(chosen, arguments.crops, say)
        if len(available()) < len(ATTACKS):
            say("left out, for want of PyAV: " + ", ".join(name for name in ATTACKS if name not in available()))
        if arguments.table:
            say("")
            for line in table(survivals):
                say(line)
        if step > 1 and first > 1 and "pictures" in before:
            result["pictures"] = added(before["pictures"], result["pictures"])
    result |= other_parts(kinds, say)
    say(json.dumps(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(before | result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
