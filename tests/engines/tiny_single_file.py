"""One file with the weights of a tiny pipeline, under the names that Stable Diffusion's authors gave them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def _unet_name(name: str, layers: int) -> str:
    for ours, theirs in _UNET.items():
        if name.startswith(f"{ours}."):
            return name.replace(ours, theirs, 1)
    part = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)", name)
    if part is None:
        kind, number, rest = re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)", name).groups()  # type: ignore[union-attr]  # the only other names
        return f"middle_block.{int(number) * 2 if kind == 'resnets' else 1}.{_inside(kind, rest)}"
    side, block, kind, number, rest = part.groups()
    place = int(block) * (layers + 1) + int(number)
    match kind:
        case "downsamplers":
            return f"input_blocks.{(int(block) + 1) * (layers + 1)}.0.op.{rest.removeprefix('conv.')}"
        case "upsamplers":
            return f"output_blocks.{int(block) * (layers + 1) + layers}.2.{rest}"
    where = f"input_blocks.{place + 1}" if side == "down" else f"output_blocks.{place}"
    return f"{where}.{0 if kind == 'resnets' else 1}.{_inside(kind, rest)}"


def _inside(kind: str, rest: str) -> str:
    first, _, last = rest.partition(".")
    return f"{_RESNET[first]}.{last}" if kind == "resnets" else rest


def _decoder_name(name: str, blocks: int) -> str:
    name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name)
    if "mid_block.attentions.0." in name:
        head, rest = name.split("mid_block.attentions.0.")
        part = next(part for part in _ATTENTION if rest.startswith(part))
        return f"{head}mid.attn_1.{_ATTENTION[part]}{rest.removeprefix(part)}"
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda found: f"up.{blocks - 1 - int(found[1])}.block", name)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda found: f"up.{blocks - 1 - int(found[1])}.upsample", name)


def tensors_of(folder: Path) -> dict[str, Any]:
    """All weights of a StableDiffusionPipeline folder by their names in a single file."""
    from safetensors.torch import load_file

    found: dict[str, Any] = {}
    for name, tensor in load_file(folder / "unet" / "diffusion_pytorch_model.safetensors").items():
        found[f"model.diffusion_model.{_unet_name(name, 1)}"] = tensor
    for name, tensor in load_file(folder / "vae" / "diffusion_pytorch_model.safetensors").items():
        is_attention = "attentions" in name and name.endswith("weight") and "group_norm" not in name
        found[f"first_stage_model.{_decoder_name(name, 2)}"] = tensor[..., None, None] if is_attention else tensor
    for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items():
        found[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = tensor
    return found


def make_single_file(folder: Path, path: Path, without: str = "-") -> Path:
    """Write them to one file; without: leave out names that begin so."""
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in tensors_of(folder).items() if not name.startswith(without)}
    save_file(tensors, path)
    return path
