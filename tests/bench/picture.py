"""Measures pictures: `python -m tests.bench.picture [--json FILE]`.

ratio_to_diffusers: pictures a second of picture.diffusers over those of bare diffusers, on the same tiny weights of
random numbers, on the CPU, with one thread; the best of several rounds that take turns, so that a busy machine hits
both alike. peak_memory_ratio: the largest resident set of a process of each that made the same pictures.
sketch_ms_…: thread time of one scene, the median over prompts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROMPT, SIZE, STEPS = "a low house by the sea", 128, 8
ROUNDS, PICTURES = 6, 2
SKETCHES = (
    "a red sunset over snowy mountains and a lake",
    "夜晚的城市与月亮",
    "a cartoon portrait of a smiling woman with red hair",
    "a blue vase with yellow flowers",
    "cherry trees by a river in spring",
)
SKETCH_SIZES = {"512": (512, 512), "1080p": (1920, 1080)}


def _ours(home: Path) -> Callable[[int], object]:
    """Our engine, as the worker calls it."""
    from compliance.permit import Permit
    from engines import packs
    from engines.engine import Request, load_engine
    from engines.job import CancelToken

    packs.keep_packs_in(home / "packs")
    engine = load_engine("picture.diffusers")
    options = {"pack": "tiny", "prompt": PROMPT, "width": SIZE, "height": SIZE, "steps": STEPS, "device": "cpu"}

    def make(seed: int) -> object:
        request = Request("picture.generate", "picture.diffusers", (), options, seed=seed)
        permit = Permit("per", request.function, request.engine, request.digest(), "acc", (), "private", 0, "", "")
        return engine.run(request, permit, {}, lambda _event: None, CancelToken())

    return make


def _bare(home: Path) -> Callable[[int], object]:
    """Diffusers alone, as its own manual shows it."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import numpy as np
    import torch
    from diffusers import StableDiffusionPipeline

    load: Any = StableDiffusionPipeline.from_pretrained
    pipeline = load(str(home / "packs" / "tiny"), local_files_only=True, dtype=torch.float32, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)

    def make(seed: int) -> object:
        made = pipeline(
            PROMPT,
            width=SIZE,
            height=SIZE,
            num_inference_steps=STEPS,
            guidance_scale=7.0,
            generator=torch.Generator("cpu").manual_seed(seed),
        )
        return np.asarray(made.images[0].convert("RGB"))

    return make


MAKERS = {"ours": _ours, "bare": _bare}


def _prepare(home: Path) -> None:
    from engines.packs import LicenceClass
    from studio.packs import add_pack
    from tests.engines.tiny_diffusion import make_pipeline

    source = make_pipeline(home / "source")
    add_pack(home, source, pack_id="tiny", licence="Apache-2.0", licence_class=LicenceClass.OPEN)


def _child(name: str, home: Path) -> None:
    """Make pictures in a process of their own and print its largest resident set in MiB."""
    make = MAKERS[name](home)
    for seed in range(PICTURES):
        make(seed)
    # getrusage would tell the larger one of this process and the one that started it.
    status = Path("/proc/self/status").read_text()
    print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024)


def _peak_mib(name: str, home: Path) -> float:
    words = [sys.executable, "-W", "ignore", "-m", "tests.bench.picture", "--child", name, str(home)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def diffusion(home: Path) -> dict[str, float]:
    """Speed and memory of both."""
    import torch

    torch.set_num_threads(1)
    _prepare(home)
    makers = {name: build(home) for name, build in MAKERS.items()}
    for make in makers.values():
        make(0)
    best = dict.fromkeys(makers, float("inf"))
    for turn in range(ROUNDS):
        for name in sorted(makers, reverse=bool(turn % 2)):
            before = time.thread_time()
            for seed in range(PICTURES):
                makers[name](seed)
            best[name] = min(best[name], (time.thread_time() - before) / PICTURES)
    peaks = {name: _peak_mib(name, home) for name in makers}
    return {
        "images_per_s_ours": 1 / best["ours"],
        "images_per_s_bare": 1 / best["bare"],
        "ratio_to_diffusers": best["bare"] / best["ours"],
        "peak_mib_ours": peaks["ours"],
        "peak_mib_bare": peaks["bare"],
        "peak_memory_ratio": peaks["ours"] / peaks["bare"],
    }


def sketches() -> dict[str, float]:
    """Thread time of the sketch painter."""
    from engines._cv import cv2
    from engines.picture.scene.painting import paint
    from engines.picture.scene.parser import parse

    cv2.setNumThreads(1)
    paint(parse(SKETCHES[0]), 64, 64, 0, lambda _stage: None)
    found = {}
    for name, (width, height) in SKETCH_SIZES.items():
        times = []
        for prompt in SKETCHES:
            before = time.thread_time()
            paint(parse(prompt), width, height, 1, lambda _stage: None)
            times.append((time.thread_time() - before) * 1e3)
        found[f"sketch_ms_{name}"] = statistics.median(times)
    return found


def main() -> None:
    """Print the figures, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--child", nargs=2, metavar=("MAKER", "HOME"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.child:
        _child(arguments.child[0], Path(arguments.child[1]))
        return
    figures = sketches()
    with tempfile.TemporaryDirectory() as folder:
        figures |= diffusion(Path(folder))
    for name, value in figures.items():
        print(f"{name:24} {value:10.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
