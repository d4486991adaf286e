"""All steps in their order, each done only where it is not done yet."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from . import autoencoder, data, diffusion, judge, stages, tokenizer
from .export import NotExported, assemble, check_sizes, export
from .gate import VERDICT, contact_sheet, measure
from .plan import Plan
from .stages import Clock, OutOfTime, Run

__all__ = ["NotExported", "OutOfTime", "build"]
_PLAN = "plan.json"


class WrongFolder(Exception):
    """The folder holds something else; the message says what to do."""


def build(
    plan: Plan, out: Path, *, resume: bool, workers: int, clock: Clock, tell: Callable[[str], None] = print
) -> Path:
    """Train, measure and export; returns the folder of the starter model.

    Raises WrongFolder, OutOfTime (go on with resume), NotExported when the gate does not let the candidate pass.
    """
    _begin(plan, out, resume)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = Run(out / "state", device, clock, plan.checkpoint_every_s, tell)
    tell(f"painting {plan.count()} pictures of {plan.side_px} px in {workers} processes; training on {device.type}")
    pictures = data.paint_all(out / "data", plan, workers)
    _check(clock, "data")
    words = out / "tokenizer"
    if not (words / "merges.txt").is_file():
        tokenizer.make([item.caption for item in pictures.scenes[: plan.pictures]], words)
    known = tokenizer.read(words)
    coder = stages.train(autoencoder.stage(plan, pictures, run), run)["autoencoder"]
    numbers, scale = autoencoder.encode_all(coder, plan, pictures, out / "latents", run)
    _check(clock, "latents")
    painter = stages.train(diffusion.stage(plan, pictures, numbers, scale, known, run), run)
    reader = stages.train(judge.stage(plan, pictures, run), run)["judge"]
    candidate = out / "candidate"
    assemble(plan, coder, scale, painter, words, candidate)
    tell(f"candidate: {check_sizes(candidate) / 1e6:.1f} MB")
    verdict, scenes, samples = measure(candidate, plan, pictures, reader, device, tell)
    _write(out / VERDICT, verdict.to_json())
    contact_sheet(out / "samples.png", scenes, samples)
    return export(candidate, verdict, out)


def _begin(plan: Plan, out: Path, resume: bool) -> None:
    told = json.loads(json.dumps(asdict(plan)))
    kept = out / _PLAN
    if not out.exists() or not any(out.iterdir()):
        out.mkdir(parents=True, exist_ok=True)
        _write(kept, told)
    elif not resume:
        raise WrongFolder(f"{out} is not empty; --resume goes on with what lies there")
    elif not kept.is_file() or json.loads(kept.read_text()) != told:
        raise WrongFolder(f"{out} holds a training of other sizes; choose an empty folder")


def _check(clock: Clock, what: str) -> None:
    if clock.is_over():
        raise OutOfTime(what)


def _write(path: Path, content: object) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1))
    os.replace(part, path)
