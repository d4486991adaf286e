"""A small classifier that reads attributes off a picture, trained on the painter's pictures, never on samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .autoencoder import as_tensor
from .captions import ATTRIBUTES, Scene
from .data import Pictures, Pixels
from .plan import Plan
from .stages import Run, Stage

_SIDE_PX = 64
_UNSAID = -100


class Judge(nn.Module):
    """Pictures in, for every attribute one score an answer out. Input: float32, (n, 3, h, w), -1 to 1, any size."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 72, 96)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.GroupNorm(8, after), nn.SiLU(), nn.AvgPool2d(2)]
        self.body = nn.Sequential(*layers)
        self.heads = nn.ModuleDict({name: nn.Linear(96 * 16, len(values)) for name, values in ATTRIBUTES.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """Scores by attribute, (n, answers)."""
        small = F.interpolate(pictures, (_SIDE_PX, _SIDE_PX), mode="area")
        seen = self.body(small).flatten(1)
        return {name: head(seen) for name, head in self.heads.items()}


def stage(plan: Plan, pictures: Pictures, run: Run) -> Stage:
    """The training of the judge on the pictures that are not held out."""
    answers = labels_of(pictures.scenes)

    def loss(modules: nn.ModuleDict, chance: torch.Generator) -> Tensor:
        places = torch.randint(plan.pictures, (plan.judge_batch,), generator=chance)
        given = as_tensor(pictures.at(places.tolist()), run.device)
        # Half of the time softer: a sample is judged for what it shows, not for how sharp it is.
        if float(torch.rand((), generator=chance)) < 0.5:
            given = F.interpolate(F.avg_pool2d(given, 2), scale_factor=2.0, mode="bilinear")
        with run.mixed():
            scores = modules["judge"](given)
        losses = []
        for name, found in scores.items():
            wanted = answers[name][places]
            if bool((wanted != _UNSAID).any()):
                wanted = wanted.to(run.device)
                losses.append(F.cross_entropy(found.float(), wanted, ignore_index=_UNSAID))
        return torch.stack(losses).mean()

    torch.manual_seed(plan.seed + 2)
    modules = nn.ModuleDict({"judge": Judge()})
    return Stage("judge", modules, loss, plan.judge_steps, plan.rate, plan.average, plan.seed)


def labels_of(scenes: Sequence[Scene]) -> Mapping[str, Tensor]:
    """For every attribute the number of each scene's answer; _UNSAID where its caption says none."""
    return {
        name: torch.tensor([values.index(s.labels[name]) if name in s.labels else _UNSAID for s in scenes])
        for name, values in ATTRIBUTES.items()
    }


@torch.no_grad()
def right_by_attribute(
    judge: Any, pixels: Pixels, scenes: Sequence[Scene], device: torch.device
) -> dict[str, tuple[float, float, int]]:
    """By attribute: the share of pictures that show what their caption says, the same by chance, how many were asked.

    By chance: what the same answers would get if the captions were dealt to the pictures anew.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in ATTRIBUTES}
    for start in range(0, len(pixels), 64):
        for name, scores in judge(as_tensor(pixels[start : start + 64], device)).items():
            found[name].append(scores.argmax(1).cpu())
    result = {}
    for name, wanted in labels_of(scenes).items():
        asked = wanted != _UNSAID
        if not bool(asked.any()):
            continue
        said, seen = wanted[asked], torch.cat(found[name])[asked]
        count = len(ATTRIBUTES[name])
        shares = [torch.bincount(numbers, minlength=count).double() / len(said) for numbers in (said, seen)]
        right = float((said == seen).double().mean())
        result[name] = (right, float(np.dot(shares[0].numpy(), shares[1].numpy())), int(asked.sum()))
    return result
