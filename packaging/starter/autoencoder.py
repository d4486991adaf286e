"""The autoencoder: its training, its numbers for every picture, and the straight-line codec that it must beat."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from .data import Pictures, Pixels, spans
from .plan import FACTOR, LATENT_CHANNELS, Plan
from .stages import Run, Stage, noise

# Thin lines and stars vanish first; differences between neighbours make them count. Colours come late; means over
# patches make them come sooner.
_GRADIENT_WEIGHT, _PRIOR_WEIGHT = 0.5, 1e-6
_FIRST_LOG_VARIANCE = -6.0
_CODEC_PATCHES = 20_000


def build(plan: Plan) -> Any:
    """An untrained AutoencoderKL of the plan's widths; the same plan gives the same weights."""
    from diffusers import AutoencoderKL

    levels = len(plan.autoencoder_widths)
    torch.manual_seed(plan.seed)
    model = AutoencoderKL(
        block_out_channels=plan.autoencoder_widths,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=plan.autoencoder_layers,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=plan.side_px,
        mid_block_add_attention=False,
    )
    with torch.no_grad():
        # Little noise to begin with: at the usual start it drowns what the encoder says.
        model.quant_conv.weight[LATENT_CHANNELS:] = 0
        model.quant_conv.bias[LATENT_CHANNELS:] = _FIRST_LOG_VARIANCE
    return model


def stage(plan: Plan, pictures: Pictures, run: Run) -> Stage:
    """The training of the autoencoder on crops of the pictures that are not held out."""

    def loss(modules: nn.ModuleDict, chance: torch.Generator) -> Tensor:
        places = torch.randint(plan.pictures, (plan.autoencoder_batch,), generator=chance)
        room = plan.side_px - plan.crop_px
        corners = torch.randint(room + 1, (plan.autoencoder_batch, 2), generator=chance).tolist()
        crops = pictures.at(places.tolist())
        size = plan.crop_px
        batch = np.stack([p[y : y + size, x : x + size] for p, (y, x) in zip(crops, corners, strict=True)])
        given = as_tensor(batch, run.device)
        model: Any = modules["autoencoder"]
        with run.mixed():
            parameters = model.encode(given).latent_dist
            blur = noise(parameters.mean.shape, chance, run.device)
            made = model.decode(parameters.mean + parameters.std * blur).sample
        made, mean, variance = made.float(), parameters.mean.float(), parameters.logvar.float()
        prior = 0.5 * (mean.square() + variance.exp() - 1 - variance).mean()
        close = F.l1_loss(made, given) + F.l1_loss(F.avg_pool2d(made, FACTOR), F.avg_pool2d(given, FACTOR))
        return close + _GRADIENT_WEIGHT * _edges(made, given) + _PRIOR_WEIGHT * prior

    modules = nn.ModuleDict({"autoencoder": build(plan)})
    return Stage("autoencoder", modules, loss, plan.autoencoder_steps, plan.rate, plan.average, plan.seed)


def as_tensor(pixels: Pixels, device: torch.device) -> Tensor:
    """Pictures as the model takes them: float32, (n, 3, h, w), -1 to 1."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def _edges(made: Tensor, given: Tensor) -> Tensor:
    across = F.l1_loss(made.diff(dim=3), given.diff(dim=3))
    return across + F.l1_loss(made.diff(dim=2), given.diff(dim=2))


@torch.no_grad()
def encode_all(model: Any, plan: Plan, pictures: Pictures, folder: Path, run: Run) -> tuple[Tensor, float]:
    """The numbers of all pictures that are learned from, and what makes their spread 1.

    Kept in files beside the pictures' own; returns float16, (n, 4, side/8, side/8), on the CPU.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for file, first, last in spans(plan):
        kept = folder / f"{file:04}.npy"
        if not kept.is_file():
            found = []
            for start in range(first, last, 32):
                batch = pictures.at(range(start, min(start + 32, last)))
                with run.mixed():
                    found.append(model.encode(as_tensor(batch, run.device)).latent_dist.mean.float().cpu())
            part = kept.with_suffix(".part")
            with part.open("wb") as stream:
                np.save(stream, torch.cat(found).half().numpy())
            os.replace(part, kept)
        parts.append(torch.from_numpy(np.load(kept)))
    numbers = torch.cat(parts)[: plan.pictures]
    return numbers, float(1 / numbers.float().std())


@torch.no_grad()
def fidelity_db(model: Any, plan: Plan, pictures: Pictures, device: torch.device) -> float:
    """Peak signal-to-noise ratio of the held-out pictures after encoding and decoding, over all their pixels, in dB."""
    total, count = 0.0, 0
    for start in range(plan.pictures, plan.count(), 16):
        given = as_tensor(pictures.at(range(start, min(start + 16, plan.count()))), device)
        made = model.decode(model.encode(given).latent_dist.mean).sample.clamp(-1, 1)
        total += float(((made - given).float() / 2).square().sum())
        count += given.numel()
    return -10 * float(np.log10(max(total / count, 1e-12)))


def straight_codec_db(plan: Plan, pictures: Pictures) -> float:
    """The same figure for a codec by principal components with as many numbers a patch of 8 x 8 pixels.

    An autoencoder below it has not learned enough, however sharp it looks.
    """
    rng = np.random.default_rng(plan.seed)
    places = rng.choice(plan.pictures, min(plan.pictures, 512), replace=False)
    learned = _patches(pictures.at(places))
    learned = learned[rng.permutation(len(learned))[:_CODEC_PATCHES]]
    middle = learned.mean(0)
    _, axes = np.linalg.eigh(np.cov((learned - middle).T))
    chosen = axes[:, ::-1][:, :LATENT_CHANNELS].astype(np.float32)
    total, count = 0.0, 0
    for start in range(plan.pictures, plan.count(), 64):
        given = _patches(pictures.at(range(start, min(start + 64, plan.count()))))
        made = np.clip((given - middle) @ chosen @ chosen.T + middle, 0, 1)
        total += float(np.square(made - given).sum())
        count += given.size
    return -10 * float(np.log10(max(total / count, 1e-12)))


def _patches(pixels: Pixels) -> NDArray[np.float32]:
    """float32, (patches, 8*8*3), 0 to 1."""
    n, height, width, _ = pixels.shape
    cut = pixels.reshape(n, height // FACTOR, FACTOR, width // FACTOR, FACTOR, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.asarray(cut.reshape(-1, FACTOR * FACTOR * 3), np.float32) / 255
