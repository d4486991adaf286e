"""The UNet and its text encoder, trained together: v-prediction, a schedule down to pure noise, min-SNR weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .data import Pictures
from .plan import FACTOR, LATENT_CHANNELS, WORDS, Plan
from .stages import Run, Stage, noise

WITHOUT_WORDS = 0.12
"""The share of captions that are dropped, so that the model also learns to paint without words."""
_MIN_SNR = 5.0
_HEADS = 4


def make_scheduler() -> Any:
    """The noise schedule: scaled linear betas, stretched so that the last step has no signal left."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def build(plan: Plan, tokenizer: Any) -> nn.ModuleDict:
    """An untrained UNet and text encoder; the same plan gives the same weights."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(plan.seed + 1)
    unet = UNet2DConditionModel(
        block_out_channels=plan.unet_widths,
        layers_per_block=plan.unet_layers,
        norm_num_groups=8,
        sample_size=plan.side_px // FACTOR,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("CrossAttnDownBlock2D",) * len(plan.unet_widths),
        up_block_types=("CrossAttnUpBlock2D",) * len(plan.unet_widths),
        cross_attention_dim=plan.text_width,
        # diffusers reads this as the number of heads.
        attention_head_dim=_HEADS,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=plan.text_width,
            intermediate_size=plan.text_width * 3,
            num_hidden_layers=plan.text_layers,
            num_attention_heads=_HEADS,
            max_position_embeddings=WORDS,
            projection_dim=plan.text_width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    return nn.ModuleDict({"unet": unet, "text": text})


def stage(plan: Plan, pictures: Pictures, numbers: Tensor, scale: float, tokenizer: Any, run: Run) -> Stage:
    """The training on the autoencoder's numbers, which encode_all gives. scale: what makes their spread 1."""
    captions = [scene.caption for scene in pictures.scenes[: plan.pictures]]
    told = _ids(tokenizer, captions).to(run.device)
    untold = _ids(tokenizer, [""])[0].to(run.device)
    kept = make_scheduler().alphas_cumprod.float().to(run.device)
    numbers = numbers.to(run.device)
    steps = len(kept)
    size = plan.diffusion_batch

    def loss(modules: nn.ModuleDict, chance: torch.Generator) -> Tensor:
        places = torch.randint(plan.pictures, (size,), generator=chance).to(run.device)
        clean = numbers[places].float() * scale
        ids = told[places].clone()
        ids[(torch.rand(size, generator=chance) < WITHOUT_WORDS).to(run.device)] = untold
        # One time from each of `size` equal spans: less noise in the loss than times at random.
        share = (torch.arange(size) + torch.rand(size, generator=chance)) / size
        times = (share * steps).long().clamp(0, steps - 1).to(run.device)
        blur = noise(clean.shape, chance, run.device)
        signal = kept[times].view(-1, 1, 1, 1)
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * blur
        wanted = signal.sqrt() * blur - (1 - signal).sqrt() * clean
        weights = weights_at(kept[times])
        unet: Any = modules["unet"]
        text: Any = modules["text"]
        with run.mixed():
            words = text(ids).last_hidden_state
            found = unet(noisy, times, words).sample
        error = (found.float() - wanted).square().mean((1, 2, 3))
        return (error * weights).mean()

    return Stage("diffusion", build(plan, tokenizer), loss, plan.diffusion_steps, plan.rate, plan.average, plan.seed)


def weights_at(signal: Tensor) -> Tensor:
    """min-SNR for v-prediction, one added to both sides so that the step without signal counts (Hang et al. 2023).

    signal: the share of the picture's variance that is left, 0 to 1.
    """
    ratio = signal / (1 - signal).clamp(min=1e-8)
    return (ratio.clamp(max=_MIN_SNR) + 1) / (ratio + 1)


def _ids(tokenizer: Any, captions: list[str]) -> Tensor:
    found = tokenizer(captions, padding="max_length", truncation=True, max_length=WORDS, return_tensors="pt")
    ids: Tensor = found.input_ids
    return ids
