"""The sizes of a training, by budget. `cpu` and `gpu` have never been run to their end: their times are estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FACTOR: Final = 8
"""How many times smaller the autoencoder's numbers lie on each side."""
LATENT_CHANNELS: Final = 4
WORDS: Final = 32
"""The longest caption in tokens, with its start and end."""
LARGEST_FILE_BYTES: Final = 12_000_000
"""No file that is written is larger, so that each can be carried where files are limited to 16 MiB."""
LARGEST_MODEL_BYTES: Final = 40_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One budget. side_px: of the pictures; crop_px: of what the autoencoder learns from; widths: channels by level."""

    name: str
    side_px: int
    pictures: int
    held_out: int
    autoencoder_widths: tuple[int, ...]
    autoencoder_layers: int
    autoencoder_steps: int
    autoencoder_batch: int
    crop_px: int
    unet_widths: tuple[int, ...]
    unet_layers: int
    text_width: int
    text_layers: int
    diffusion_steps: int
    diffusion_batch: int
    judge_steps: int
    judge_batch: int
    samples: int
    sample_steps: int
    average: float
    rate: float = 1e-3
    checkpoint_every_s: float = 60.0
    seed: int = 1

    def count(self) -> int:
        """All pictures: those learned from come first, those held out last."""
        return self.pictures + self.held_out


BUDGETS: Final = {
    # A minute of one free core (55 s of computing were measured): shows that every step works. Its model is worthless,
    # and the gate says so.
    "toy": Plan(
        name="toy",
        side_px=64,
        pictures=640,
        held_out=128,
        autoencoder_widths=(16, 16, 24, 32),
        autoencoder_layers=1,
        autoencoder_steps=120,
        autoencoder_batch=8,
        crop_px=64,
        unet_widths=(16, 32, 48),
        unet_layers=1,
        text_width=48,
        text_layers=1,
        diffusion_steps=150,
        diffusion_batch=32,
        judge_steps=150,
        judge_batch=32,
        samples=64,
        sample_steps=8,
        average=0.98,
        checkpoint_every_s=10,
    ),
    # Some two hours on two free cores by estimate; small pictures, and the gate is not expected to let them pass.
    "cpu": Plan(
        name="cpu",
        side_px=128,
        pictures=12_000,
        held_out=512,
        autoencoder_widths=(16, 32, 64, 96),
        autoencoder_layers=1,
        autoencoder_steps=6_000,
        autoencoder_batch=8,
        crop_px=64,
        unet_widths=(64, 96, 128),
        unet_layers=1,
        text_width=128,
        text_layers=2,
        diffusion_steps=9_000,
        diffusion_batch=16,
        judge_steps=3_000,
        judge_batch=32,
        samples=256,
        sample_steps=20,
        average=0.998,
    ),
    # 25 minutes of one H100 by estimate: some 6 for the autoencoder, some 19 for the rest.
    "gpu": Plan(
        name="gpu",
        side_px=256,
        pictures=40_000,
        held_out=1_024,
        autoencoder_widths=(32, 64, 96, 128),
        autoencoder_layers=2,
        autoencoder_steps=8_000,
        autoencoder_batch=32,
        crop_px=128,
        unet_widths=(64, 128, 192),
        unet_layers=1,
        text_width=192,
        text_layers=3,
        diffusion_steps=14_000,
        diffusion_batch=256,
        judge_steps=4_000,
        judge_batch=128,
        samples=512,
        sample_steps=20,
        average=0.9995,
    ),
}
