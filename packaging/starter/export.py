"""Puts the parts together as a plain pipeline folder, and gives it its name only when the gate has let it pass."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from .gate import VERDICT, Verdict, digest_of
from .plan import LARGEST_FILE_BYTES, LARGEST_MODEL_BYTES, Plan

NAME = "starter"
_CARD = """# Starter model

A small diffusion model trained from scratch on pictures that Signet's own sketch painter painted from its own captions;
no other picture or text went into it. Licence: Apache-2.0, like the painter.

It knows {words} English words and paints {side} x {side} pixels. Other words fall apart into letters and say nothing to
it. Good settings: guidance {guidance}, guidance_rescale {rescale}, 20 steps.
"""


class NotExported(Exception):
    """The candidate may not be called the starter model; the message says why."""


def assemble(plan: Plan, autoencoder: Any, scale: float, modules: Any, tokenizer_folder: Path, folder: Path) -> None:
    """Write the candidate: a StableDiffusionPipeline folder in half precision; raises NotExported when it is too large.

    scale: what makes the spread of the autoencoder's numbers 1.
    """
    import torch
    from diffusers import StableDiffusionPipeline

    from .captions import all_words
    from .diffusion import make_scheduler
    from .gate import GUIDANCE, RESCALE
    from .tokenizer import read

    autoencoder.register_to_config(scaling_factor=scale)
    pipeline = StableDiffusionPipeline(
        vae=autoencoder.to("cpu", torch.float16),
        text_encoder=modules["text"].to("cpu", torch.float16),
        tokenizer=read(tokenizer_folder),
        unet=modules["unet"].to("cpu", torch.float16),
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    part = folder.with_suffix(".part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    # A little below the limit: a shard also has a header.
    pipeline.save_pretrained(part, safe_serialization=True, max_shard_size=LARGEST_FILE_BYTES - 500_000)
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(tokenizer_folder / name, part / "tokenizer" / name)
    card = _CARD.format(words=len(all_words()), side=plan.side_px, guidance=GUIDANCE, rescale=RESCALE)
    (part / "README.md").write_text(card)
    check_sizes(part)
    os.replace(part, folder)


def check_sizes(folder: Path) -> int:
    """The bytes of a model folder; raises NotExported when it or one of its files is too large."""
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    for path, size in sizes.items():
        if size > LARGEST_FILE_BYTES:
            raise NotExported(f"{path.name} has {size} bytes; no file may have more than {LARGEST_FILE_BYTES}")
    total = sum(sizes.values())
    if total > LARGEST_MODEL_BYTES:
        raise NotExported(f"the model has {total} bytes; it may not have more than {LARGEST_MODEL_BYTES}")
    return total


def export(candidate: Path, verdict: Verdict, out: Path) -> Path:
    """Copy a candidate that passed to `starter`, with its verdict; raises NotExported for any other.

    The verdict must be of the very bytes that are copied.
    """
    failures = verdict.failures()
    if failures:
        raise NotExported("the gate does not let it pass: " + "; ".join(failures))
    if verdict.digest != digest_of(candidate):
        raise NotExported("the gate judged other files than these")
    target = out / NAME
    part = target.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(candidate, part)
    (part / VERDICT).write_text(json.dumps(verdict.to_json(), indent=1))
    if digest_of(part, leave_out=(VERDICT,)) != verdict.digest:
        raise NotExported("the files changed while they were copied")
    check_sizes(part)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)
    return target
