"""The gate: measures a candidate's files as they lie on disk and says whether they may be called the starter model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from . import autoencoder
from .captions import ATTRIBUTES, Scene, scene
from .data import Pictures, Pixels
from .judge import right_by_attribute
from .plan import Plan

VERDICT: Final = "gate.json"
GUIDANCE, RESCALE = 3.0, 0.6
"""With a schedule that ends in pure noise more guidance than this blows out the contrast."""
LEAST_DB: Final = 28.0
LEAST_RIGHT: Final = 0.70
LEAST_ABOVE_CHANCE: Final = 0.20
LEAST_READ: Final = 0.85
"""How often the judge must be right on the painter's own held-out pictures before it is asked about an attribute."""
LEAST_ATTRIBUTES: Final = 6
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured. read, right, by_chance: shares by attribute; digest: SHA-256 over the candidate's files."""

    digest: str
    fidelity_db: float
    straight_codec_db: float
    read: dict[str, float]
    right: dict[str, float]
    by_chance: dict[str, float]
    samples: int

    def asked(self) -> list[str]:
        """The attributes that count: the judge reads them well enough, and samples were asked for them."""
        return [name for name, share in self.read.items() if share >= LEAST_READ and name in self.right]

    def mean_right(self) -> float:
        """The share of samples that show what was asked, every attribute counting alike; 0 when nothing counts."""
        return float(np.mean([self.right[name] for name in self.asked()])) if self.asked() else 0.0

    def mean_by_chance(self) -> float:
        """The same for captions dealt anew."""
        return float(np.mean([self.by_chance[name] for name in self.asked()])) if self.asked() else 0.0

    def failures(self) -> list[str]:
        """Every reason against it; empty when it passes. Anything that is no number fails too."""
        found = []
        if not self.fidelity_db >= LEAST_DB:
            found.append(f"the autoencoder keeps {self.fidelity_db:.1f} dB, {LEAST_DB:.0f} are needed")
        if not self.fidelity_db > self.straight_codec_db:
            found.append(f"a straight-line codec of its size keeps {self.straight_codec_db:.1f} dB, more than it does")
        asked = self.asked()
        if len(asked) < LEAST_ATTRIBUTES or "kind" not in asked:
            known = ", ".join(asked) or "none"
            found.append(
                f"the judge reads too few attributes to judge by: {known}; {LEAST_ATTRIBUTES} with kind needed"
            )
        right = self.mean_right()
        if not right >= LEAST_RIGHT:
            found.append(
                f"{right:.0%} of the attributes asked for are seen in the samples, {LEAST_RIGHT:.0%} are needed"
            )
        if not right >= self.mean_by_chance() + LEAST_ABOVE_CHANCE:
            found.append(
                f"captions dealt anew fit the samples in {self.mean_by_chance():.0%} of cases: too near to that"
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """All figures, and the failures."""
        return {**asdict(self), "mean_right": self.mean_right(), "failures": self.failures()}


def digest_of(folder: Path, leave_out: tuple[str, ...] = ()) -> str:
    """SHA-256 (hex) over the names and bytes of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in leave_out:
            digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def load(folder: Path, device: torch.device) -> Any:
    """The pipeline as anybody would load it, from local files alone, computed in full precision."""
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def questions(plan: Plan) -> list[Scene]:
    """Scenes to ask for: new ones, every answer of every attribute about equally often."""
    answers = sum(len(values) for values in ATTRIBUTES.values())
    counts = dict.fromkeys(((name, value) for name, values in ATTRIBUTES.items() for value in values), 0)
    found: list[Scene] = []
    quota = 1
    seed = 0
    # Numbers that no picture of the training has: those are below ten digits.
    first = 10**12 * (plan.seed + 1)
    while len(found) < plan.samples:
        drawn = scene(first + seed)
        seed += 1
        if any(counts[item] < quota for item in drawn.labels.items()):
            found.append(drawn)
            for item in drawn.labels.items():
                counts[item] += 1
        if seed % (answers * 4) == 0:
            quota += 1
    return found


def ask(pipeline: Any, plan: Plan, scenes: list[Scene]) -> Pixels:
    """One sample a scene, uint8, (n, side, side, 3); the same files give the same samples on one device."""
    found = []
    for start in range(0, len(scenes), _BATCH):
        batch = scenes[start : start + _BATCH]
        made = pipeline(
            [item.caption for item in batch],
            height=plan.side_px,
            width=plan.side_px,
            num_inference_steps=plan.sample_steps,
            guidance_scale=GUIDANCE,
            guidance_rescale=RESCALE,
            generator=[torch.Generator().manual_seed(plan.seed + start + place) for place in range(len(batch))],
            output_type="np",
        ).images
        found.append((np.nan_to_num(np.asarray(made)).clip(0, 1) * 255).round().astype(np.uint8))
    return np.concatenate(found)


def measure(
    folder: Path, plan: Plan, pictures: Pictures, judge: Any, device: torch.device, tell: Callable[[str], None] = print
) -> tuple[Verdict, list[Scene], Pixels]:
    """The verdict on a candidate folder, with the scenes asked for and the samples it gave."""
    digest = digest_of(folder)
    pipeline = load(folder, device)
    fidelity = autoencoder.fidelity_db(pipeline.vae, plan, pictures, device)
    straight = autoencoder.straight_codec_db(plan, pictures)
    tell(f"gate: autoencoder {fidelity:.2f} dB, straight-line codec {straight:.2f} dB")
    held = range(plan.pictures, plan.count())
    read = right_by_attribute(judge, pictures.at(held), [pictures.scenes[i] for i in held], device)
    scenes = questions(plan)
    samples = ask(pipeline, plan, scenes)
    right = right_by_attribute(judge, samples, scenes, device)
    verdict = Verdict(
        digest=digest,
        fidelity_db=fidelity,
        straight_codec_db=straight,
        read={name: share for name, (share, _, _) in read.items()},
        right={name: share for name, (share, _, _) in right.items()},
        by_chance={name: share for name, (_, share, _) in right.items()},
        samples=len(scenes),
    )
    for name in ATTRIBUTES:
        if name in verdict.read and name in verdict.right:
            counted = "" if name in verdict.asked() else " (does not count: the judge cannot read it)"
            tell(
                f"gate: {name}: judge right on held-out pictures {verdict.read[name]:.0%}, "
                f"samples right {verdict.right[name]:.0%}, by chance {verdict.by_chance[name]:.0%}{counted}"
            )
    return verdict, scenes, samples


def contact_sheet(path: Path, scenes: list[Scene], samples: Pixels, columns: int = 8) -> None:
    """A PNG of the samples with their captions, for a person to look at. It says on itself what it is."""
    from PIL import Image, ImageDraw

    side, gap = 128, 26
    shown = min(len(scenes), columns * 8)
    rows = -(-shown // columns)
    sheet = Image.new("RGB", (columns * side, rows * (side + gap) + gap), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((4, 6), "AI-generated: samples of a model in training, for its gate alone", "black")
    for place in range(shown):
        x, y = place % columns * side, gap + place // columns * (side + gap)
        sheet.paste(Image.fromarray(samples[place]).resize((side, side)), (x, y))
        text = scenes[place].caption
        draw.text((x + 2, y + side), f"{text[:20]}\n{text[20:40]}", "black", font_size=9)
    sheet.save(path)
