"""A StableDiffusionPipeline of a few thousand random weights, made at test time: real loaders, meaningless pictures."""

from __future__ import annotations

import json
import string
from pathlib import Path


def make_pipeline(folder: Path, seed: int = 0) -> Path:
    """Write the pipeline to a folder as safetensors and return it; takes about five seconds with the imports."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(seed)
    words = folder.with_name(f"{folder.name}-words")
    words.mkdir(parents=True)
    letters = [*string.ascii_lowercase, *string.digits, ",", "."]
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters), "lo", "low</w>"]
    (words / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    (words / "merges.txt").write_text("#version: 0.2\nl o\nlo w</w>\n")
    tokenizer = CLIPTokenizer.from_pretrained(words, model_max_length=77)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=77,
            projection_dim=16,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
    )
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
    )
    autoencoder = AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
        norm_num_groups=4,
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    pipeline = StableDiffusionPipeline(
        unet=unet,
        vae=autoencoder,
        text_encoder=text,
        tokenizer=tokenizer,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def make_xl_pipeline(folder: Path, plain: Path, seed: int = 1) -> Path:
    """A StableDiffusionXLPipeline of random weights; plain: a pipeline of make_pipeline, whose words it shares."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    torch.manual_seed(seed)
    tokenizer = CLIPTokenizer.from_pretrained(plain / "tokenizer")
    config = CLIPTextModel.config_class.from_pretrained(plain / "text_encoder")
    unet = UNet2DConditionModel(
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1),
        projection_class_embeddings_input_dim=64,
    )
    StableDiffusionXLPipeline(
        unet=unet,
        vae=AutoencoderKL.from_pretrained(plain / "vae"),
        text_encoder=CLIPTextModel(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        scheduler=EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        add_watermarker=False,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def make_flow_pipeline(folder: Path, plain: Path, seed: int = 2) -> Path:
    """A StableDiffusion3Pipeline of random weights: a transformer that matches flows; its two CLIPs without T5."""
    import torch
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    torch.manual_seed(seed)
    tokenizer = CLIPTokenizer.from_pretrained(plain / "tokenizer")
    config = CLIPTextModel.config_class.from_pretrained(plain / "text_encoder")
    transformer = SD3Transformer2DModel(
        sample_size=32,
        patch_size=2,
        in_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        caption_projection_dim=16,
        pooled_projection_dim=32,
        out_channels=4,
    )
    StableDiffusion3Pipeline(
        transformer=transformer,
        vae=AutoencoderKL(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
            up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
            latent_channels=4,
            norm_num_groups=4,
            shift_factor=0.06,
            scaling_factor=1.5,
        ),
        text_encoder=CLIPTextModelWithProjection(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        text_encoder_3=None,
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        tokenizer_3=None,
        scheduler=FlowMatchEulerDiscreteScheduler(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def make_lora(
    path: Path, hidden: int = 16, words: int = 16, name: str = "transformer_blocks.0.attn2", part: str = "unet"
) -> Path:
    """A LoRA of rank 2 for the attention of make_pipeline's UNet; other sizes fit another base."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(3)
    at = f"{part}.down_blocks.1.attentions.0.{name}"
    tensors = {
        f"{at}.to_k.lora_A.weight": torch.randn(2, words),
        f"{at}.to_k.lora_B.weight": torch.randn(hidden, 2),
        f"{at}.to_q.lora_A.weight": torch.randn(2, hidden),
        f"{at}.to_q.lora_B.weight": torch.randn(hidden, 2),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path
