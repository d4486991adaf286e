"""Checkpoints of a training stage as safetensors: whole or not there, in files small enough to be carried."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .plan import LARGEST_FILE_BYTES

_ABOUT = "about.json"


def save(folder: Path, step: int, tensors: Mapping[str, torch.Tensor]) -> Path:
    """Write the state after a step and drop the older ones; a kill at any moment leaves the last whole one."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.part"):
        shutil.rmtree(left)
    target = folder / f"step-{step:07}"
    part = target.with_suffix(".part")
    part.mkdir()
    piles: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        bytes_of_it = tensor.numel() * tensor.element_size()
        if size and size + bytes_of_it > LARGEST_FILE_BYTES - 1_000_000:
            piles.append({})
            size = 0
        # A copy of its own: an average and its weights may share memory before the first step.
        piles[-1][name] = tensor.detach().to("cpu", copy=True).contiguous()
        size += bytes_of_it
    for number, pile in enumerate(piles):
        save_file(pile, part / f"{number:03}.safetensors")
    (part / _ABOUT).write_text(json.dumps({"step": step, "files": len(piles)}))
    if target.exists():
        shutil.rmtree(target)
    os.replace(part, target)
    for older in folder.glob("step-*"):
        if older != target and older.suffix != ".part":
            shutil.rmtree(older)
    return target


def newest(folder: Path) -> tuple[int, dict[str, torch.Tensor]] | None:
    """(step, tensors) of the last whole checkpoint, None without one."""
    found = sorted(path for path in folder.glob("step-*") if path.suffix != ".part")
    if not found:
        return None
    about: dict[str, Any] = json.loads((found[-1] / _ABOUT).read_text())
    tensors: dict[str, torch.Tensor] = {}
    for number in range(about["files"]):
        tensors |= load_file(found[-1] / f"{number:03}.safetensors")
    return int(about["step"]), tensors
