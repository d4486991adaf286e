"""The loop that all trainings share: warm-up, averaging, checkpoints, going on after a kill, stopping in time.

What is random in a step depends on the plan's seed, the stage and the number of the step alone. So a training that was
killed and gone on with takes the same steps as one that was not; on a CPU its weights are the same bit by bit.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import checkpoints

Loss = Callable[[nn.ModuleDict, torch.Generator], Tensor]
_WARM_SHARE, _FALL_FROM, _LOWEST = 0.02, 0.6, 0.02


class OutOfTime(Exception):
    """The time of this command is over; a checkpoint is written and --resume goes on."""


@dataclass
class Clock:
    """When this command has to stop. end_s: on time.monotonic; infinity for never."""

    end_s: float = math.inf

    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.end_s


@dataclass(frozen=True)
class Stage:
    """One training. modules: what learns; loss: of one step, from the modules and that step's chance."""

    name: str
    modules: nn.ModuleDict
    loss: Loss
    steps: int
    rate: float
    average: float
    seed: int


@dataclass
class Run:
    """Where and how a stage runs. tell: takes a line for the reader."""

    folder: Path
    device: torch.device
    clock: Clock
    checkpoint_every_s: float
    tell: Callable[[str], None] = print

    def mixed(self) -> AbstractContextManager[Any]:
        """bfloat16 where that is faster: on CUDA alone (on a CPU it was measured 20 to 45 % slower)."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.autocast("cuda", dtype=torch.bfloat16)

    def layout(self) -> torch.memory_format:
        """How weights lie in memory: channels last on CUDA, where convolutions are faster so."""
        return torch.channels_last if self.device.type == "cuda" else torch.contiguous_format


def chance(seed: int, stage: str, step: int) -> torch.Generator:
    """The random numbers of one step, on the CPU."""
    digest = hashlib.sha256(f"{seed} {stage} {step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def noise(shape: torch.Size, chance_of_step: torch.Generator, device: torch.device) -> Tensor:
    """Normal noise on a device; drawn there, since a CPU would take longer for it than a fast device for the step."""
    if device.type == "cpu":
        return torch.randn(shape, generator=chance_of_step)
    own = torch.Generator(device).manual_seed(int(torch.randint(2**62, (), generator=chance_of_step)))
    return torch.randn(shape, generator=own, device=device)


def train(stage: Stage, run: Run) -> nn.ModuleDict:
    """Train to the last step, from the newest checkpoint on; returns the averaged modules, in eval mode.

    Raises OutOfTime after a checkpoint when the clock runs out.
    """
    folder = run.folder / stage.name
    modules = stage.modules.to(run.device).to(memory_format=run.layout()).train()
    if run.device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    average = copy.deepcopy(modules).eval().requires_grad_(False)
    names = [name for name, weight in modules.named_parameters() if weight.requires_grad]
    weights = dict(modules.named_parameters())
    optimizer = torch.optim.AdamW([weights[name] for name in names], stage.rate, betas=(0.9, 0.99), weight_decay=0.01)
    found = checkpoints.newest(folder)
    step = 0
    if found is not None:
        step, tensors = found
        _restore(tensors, modules, average, optimizer, weights)
    began, saved_at, first = time.monotonic(), time.monotonic(), step
    losses: list[float] = []

    def save() -> None:
        checkpoints.save(folder, step, _state(modules, average, optimizer, weights))

    while step < stage.steps:
        for group in optimizer.param_groups:
            group["lr"] = stage.rate * _rate_at(step, stage.steps)
        loss = stage.loss(modules, chance(stage.seed, stage.name, step))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([weights[name] for name in names], 1.0)
        optimizer.step()
        step += 1
        _follow(average, modules, min(stage.average, (1 + step) / (10 + step)))
        if step % max(1, stage.steps // 20) == 0 or step == stage.steps:
            losses.append(float(loss.detach()))
            pace = (step - first) / max(time.monotonic() - began, 1e-9)
            run.tell(f"{stage.name}: step {step} of {stage.steps}, loss {losses[-1]:.4f}, {pace:.1f} steps/s")
        if step == stage.steps:
            save()
        elif run.clock.is_over():
            save()
            raise OutOfTime(stage.name)
        elif time.monotonic() - saved_at >= run.checkpoint_every_s:
            save()
            saved_at = time.monotonic()
    return average


def _rate_at(step: int, steps: int) -> float:
    """The share of the full rate: up over the first 2 %, even, then down along a cosine over the last 40 %."""
    up = min(1.0, (step + 1) / max(1.0, steps * _WARM_SHARE))
    done = step / max(1, steps)
    if done < _FALL_FROM:
        return up
    return max(_LOWEST, 0.5 * (1 + math.cos(math.pi * (done - _FALL_FROM) / (1 - _FALL_FROM))))


@torch.no_grad()
def _follow(average: nn.Module, modules: nn.Module, decay: float) -> None:
    for mean, weight in zip(average.parameters(), modules.parameters(), strict=True):
        mean.lerp_(weight.detach(), 1 - decay)
    for mean, value in zip(average.buffers(), modules.buffers(), strict=True):
        mean.copy_(value)


def _state(
    modules: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, weights: dict[str, nn.Parameter]
) -> dict[str, Tensor]:
    state = {f"weights/{name}": value for name, value in modules.state_dict().items()}
    state |= {f"average/{name}": value for name, value in average.state_dict().items()}
    for name, weight in weights.items():
        state |= {f"optimizer/{name}/{key}": torch.as_tensor(value) for key, value in optimizer.state[weight].items()}
    return state


def _restore(
    state: dict[str, Tensor],
    modules: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    weights: dict[str, nn.Parameter],
) -> None:
    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}

    modules.load_state_dict(part("weights/"))
    average.load_state_dict(part("average/"))
    for name, weight in weights.items():
        kept = part(f"optimizer/{name}/")
        # The count of steps stays on the CPU, where AdamW keeps it.
        if kept:
            optimizer.state[weight] = {key: kept[key].to("cpu" if key == "step" else weight.device) for key in kept}
