"""A small picture of how far a diffusion has come: the latent made smaller and decoded by the model's own decoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from compliance.media import MediaInfo, Origin, Pixels, SyntheticMedia
from engines._cv import cv2

_LONGEST_LATENT, _LONGEST_PX, _SHORTEST_PX = 32, 384, 128
N_NONE = "this model shows no preview while it works"


def can_glimpse(pipeline: Any) -> bool:
    """Whether the decoder takes latents as the steps hand them out: a picture of latents, not a row of packed ones."""
    autoencoder = getattr(pipeline, "vae", None)
    packs = hasattr(pipeline, "_unpack_latents")
    return autoencoder is not None and not packs and hasattr(autoencoder.config, "latent_channels")


def glimpse(pipeline: Any, latents: Any, origin: Origin, engine: str, version: str) -> SyntheticMedia | None:
    """Sealed like a result; for the worker alone, which looks at it, labels it and shows it. None if there is none.

    latents: float, (pictures, channels, height, width); the first of them is shown. Changes nothing of the run.
    """
    import torch

    autoencoder = pipeline.vae
    if latents.ndim != 4 or latents.shape[1] != autoencoder.config.latent_channels:
        return None
    small = latents[:1].detach().to(torch.float32)
    height, width = small.shape[-2:]
    scale = min(1.0, _LONGEST_LATENT / max(height, width))
    small = torch.nn.functional.interpolate(
        small, (max(1, round(height * scale)), max(1, round(width * scale))), mode="area"
    )
    # Early latents are mostly noise of a large size; brought to the usual size they decode to colours at all.
    small = small / small.std().clamp(min=1.0)
    config = autoencoder.config
    small = small / float(config.scaling_factor) + float(getattr(config, "shift_factor", None) or 0.0)
    with torch.inference_mode():
        made = autoencoder.decode(small.to(autoencoder.dtype), return_dict=False)[0]
    values = made[0].float().cpu().permute(1, 2, 0).numpy()
    pixels = np.nan_to_num(values * 127.5 + 127.5).clip(0, 255).astype(np.uint8)
    return _sealed(pixels, origin, engine, version)


def _sealed(pixels: Pixels, origin: Origin, engine: str, version: str) -> SyntheticMedia:
    height, width = pixels.shape[:2]
    factor = max(_LONGEST_PX / max(height, width), _SHORTEST_PX / min(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    large = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    return SyntheticMedia(large, MediaInfo("picture", size[0], size[1], "sRGB", origin, engine, version))
