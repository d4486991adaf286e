"""Diffusers pipelines out of model packs: whole folders and single files; LoRA; memory; what a family knows.

A pack of the kind picture.diffusers is a pipeline folder. One of the kind picture.single-file holds one safetensors
file with the weights of a whole model and, under config/, the settings and words of its pipeline: nothing is asked of
a hub and no code of a model is run.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compliance.errors import DeviceUnavailable, ModelUnfit, OptionUnfit, PackDamaged
from engines.device import Device
from engines.packs import ModelPack, read_safetensors_header

FOLDER_KIND: Final = "picture.diffusers"
FILE_KIND: Final = "picture.single-file"
LORA_KIND: Final = "picture.lora"
KINDS: Final = (FOLDER_KIND, FILE_KIND)
CONFIG: Final = "config"
"""The folder of a single-file pack that holds what a pipeline folder holds beside its weights."""
SCHEDULERS: Final[dict[str, str | None]] = {
    "as the model": None,
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler ancestral": "EulerAncestralDiscreteScheduler",
    "dpm++ 2m": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "heun": "HeunDiscreteScheduler",
    "lcm": "LCMScheduler",
}
MEMORY: Final = ("whole", "sliced", "offloaded", "sequential")
ATTENTION: Final = {
    "auto": None,
    "plain": "MATH",
    "flash": "FLASH_ATTENTION",
    "efficient": "EFFICIENT_ATTENTION",
    "cudnn": "CUDNN_ATTENTION",
}
_UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError, StopIteration, ImportError)


@dataclass(slots=True)
class Loaded:
    """A pipeline that is ready. ran_on: device and number type of its weights, as they really are."""

    pipeline: Any
    ran_on: tuple[str, str]


def load(pack: ModelPack, lora: ModelPack | None, lora_weight: float, memory: str, device: Device) -> Loaded:
    """Verify and load. Raises PackDamaged, PackForeign, ModelUnfit, DeviceUnavailable; MemoryError as it comes."""
    pack.verify()
    if lora is not None:
        lora.verify()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    pipeline = _open(pack, getattr(torch, device.dtype))
    if lora is not None:
        _apply(pipeline, lora, lora_weight)
    pipeline.set_progress_bar_config(disable=True)
    core = denoiser(pipeline)
    if memory == "offloaded" and device.name != "cpu":
        pipeline.enable_model_cpu_offload(device=device.name)
    elif memory == "sequential" and device.name != "cpu":
        pipeline.enable_sequential_cpu_offload(device=device.name)
    else:
        pipeline.to(device.name)
        if next(core.parameters()).device.type != device.name:
            raise DeviceUnavailable(device=device.name)
    if memory != "whole":
        # Families with transformers attend in one piece and have no slices of it.
        if hasattr(pipeline, "unet"):
            pipeline.enable_attention_slicing()
        if hasattr(pipeline.vae, "enable_tiling"):
            pipeline.vae.enable_slicing()
            pipeline.vae.enable_tiling()
    number_type = str(next(core.parameters()).dtype).removeprefix("torch.")
    return Loaded(pipeline, (device.name, number_type))


def denoiser(pipeline: Any) -> Any:
    """The part that is asked at every step; raises AttributeError for a pipeline without one."""
    return pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer


def side_step_px(pipeline: Any) -> int:
    """What the sides of a picture must be multiples of."""
    scale = int(getattr(pipeline, "vae_scale_factor", 8))
    return max(8, scale * (1 if hasattr(pipeline, "unet") else 2))


def _open(pack: ModelPack, number_type: Any) -> Any:
    base = pack.folder if pack.kind == FOLDER_KIND else pack.folder / CONFIG
    index = _index(pack, base)
    import diffusers

    name = str(index.get("_class_name"))
    family: Any = getattr(diffusers, name, None)
    if not (isinstance(family, type) and issubclass(family, diffusers.DiffusionPipeline)):
        raise ModelUnfit(pack=pack.id, reason="it holds no pipeline that is known here")
    _verify_parts(pack, base, index)
    diffusers.utils.logging.disable_progress_bar()
    # Parts that the index leaves out, such as the large text encoder of SD3; diffusers wants to hear it again.
    left_out = [part for part, told in index.items() if told == [None, None]]
    absent = dict.fromkeys(part for part in left_out if part not in family._optional_components)
    try:
        if pack.kind == FOLDER_KIND:
            read: Any = family.from_pretrained
            pipeline = read(
                str(base),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=number_type,
                **absent,
            )
        else:
            pipeline = _from_file(pack, family, base, number_type, absent)
    except _UNREADABLE as error:
        if is_out_of_memory(error):
            raise
        raise PackDamaged(pack=pack.id, file="-", reason=f"does not load: {type(error).__name__}") from error
    if not (hasattr(pipeline, "unet") or hasattr(pipeline, "transformer")) or not hasattr(pipeline, "vae"):
        raise ModelUnfit(pack=pack.id, reason="it is no pipeline that makes pictures from words")
    models = {part: model for part, model in pipeline.components.items() if hasattr(model, "parameters")}
    missing = [part for part, model in models.items() if _is_hollow(model) or not _is_filled(pack, part, model)]
    if missing:
        raise ModelUnfit(pack=pack.id, reason=f"the weights do not fill its {missing[0]}")
    return pipeline


def _from_file(pack: ModelPack, family: Any, config: Path, number_type: Any, absent: dict[str, None]) -> Any:
    from diffusers.loaders.single_file_utils import SingleFileComponentError

    if not hasattr(family, "from_single_file"):
        raise ModelUnfit(pack=pack.id, reason="pipelines of its kind do not load from a single file")
    name = next(name for name in pack.files if name.endswith(".safetensors") and "/" not in name)
    try:
        return family.from_single_file(
            str(pack.path(name)), config=str(config), local_files_only=True, dtype=number_type, **absent
        )
    except SingleFileComponentError as error:
        raise ModelUnfit(pack=pack.id, reason="the file holds a part of a model only") from error


def _index(pack: ModelPack, base: Path) -> dict[str, Any]:
    try:
        index = json.loads((base / "model_index.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnfit(pack=pack.id, reason="it holds no pipeline that is known here") from error
    if not isinstance(index, dict):
        raise ModelUnfit(pack=pack.id, reason="it holds no pipeline that is known here")
    return index


def _verify_parts(pack: ModelPack, base: Path, index: dict[str, Any]) -> None:
    """Each part is of the class that the index names; raises ModelUnfit. A part with code of its own is not loaded."""
    from diffusers import pipelines

    for part, told in index.items():
        if part.startswith("_") or not (isinstance(told, list) and len(told) == 2):
            continue
        library, name = told
        if library not in (None, "diffusers", "transformers") and not hasattr(pipelines, str(library)):
            raise ModelUnfit(pack=pack.id, reason=f"its {part} needs code of its own")
        config = base / part / "config.json"
        if library != "diffusers" or not config.is_file():
            continue
        try:
            found = str(json.loads(config.read_bytes()).get("_class_name", name))
        except (ValueError, AttributeError) as error:
            raise PackDamaged(pack=pack.id, file=f"{part}/config.json", reason="unreadable") from error
        if found != name:
            raise ModelUnfit(pack=pack.id, reason=f"its {part} is of the class {found} and not {name}")


def _is_hollow(model: Any) -> bool:
    """Whether a model has weights that no file filled."""
    return any(weight.is_meta for weight in model.parameters())


def _is_filled(pack: ModelPack, part: str, model: Any) -> bool:
    """Whether the files of a part hold as many numbers as its model has weights.

    Transformers makes up by chance what a file lacks, and only logs it.
    """
    if pack.kind != FOLDER_KIND or getattr(model.config, "quantization_config", None) is not None:
        return True
    held = 0
    for name in pack.files:
        if name.startswith(f"{part}/") and name.endswith(".safetensors"):
            header = read_safetensors_header(pack.path(name), name, pack.id)
            about = [told for tensor, told in header.items() if tensor != "__metadata__" and "F" in told["dtype"]]
            held += sum(math.prod(told["shape"]) for told in about)
    return held >= sum(int(weight.numel()) for weight in model.parameters())


def _apply(pipeline: Any, lora: ModelPack, weight: float) -> None:
    """Melt a LoRA into the weights; raises ModelUnfit where it was made for another base model."""
    names = [name for name in lora.files if name.endswith(".safetensors")]
    if not names:
        raise ModelUnfit(pack=lora.id, reason="it holds no safetensors file")
    if not hasattr(pipeline, "load_lora_weights"):
        raise ModelUnfit(pack=lora.id, reason="this model takes no LoRA")
    header = read_safetensors_header(lora.path(names[0]), names[0], lora.id)
    if not any("lora" in name.lower() for name in header):
        raise ModelUnfit(pack=lora.id, reason="it is no LoRA")
    try:
        pipeline.load_lora_weights(str(lora.folder), weight_name=names[0], local_files_only=True, use_safetensors=True)
        if not any(pipeline.get_list_adapters().values()):
            raise ValueError("nothing of it was taken")
        pipeline.fuse_lora(lora_scale=weight, safe_fusing=True)
        pipeline.unload_lora_weights()
    except _UNREADABLE as error:
        if is_out_of_memory(error):
            raise
        raise ModelUnfit(pack=lora.id, reason="this LoRA is for another base model") from error


def with_scheduler(pipeline: Any, name: str) -> tuple[Any, bool]:
    """The scheduler of a name from the settings of the model's own, and whether it could be made.

    Flow-matching models have no noise schedule that these could follow: they keep their own.
    """
    import diffusers

    before = pipeline.scheduler
    wanted = SCHEDULERS[name]
    if wanted is None:
        return before, True
    if "beta_schedule" not in before.config:
        return before, False
    try:
        return getattr(diffusers, wanted).from_config(before.config), True
    except (ValueError, TypeError) as error:
        raise OptionUnfit(option="scheduler", value=name, allowed="as the model") from error


def variant(pipeline: Any, has_mask: bool, has_picture: bool) -> Any:
    """The same weights as the pipeline that takes these inputs; raises OptionUnfit when the model has none."""
    if not has_picture:
        return pipeline
    # These two load every family of diffusers, more than a hundred MiB, so they are asked for only here.
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

    family = AutoPipelineForInpainting if has_mask else AutoPipelineForImage2Image
    try:
        found = family.from_pipe(pipeline)
    except (ValueError, AttributeError) as error:
        raise OptionUnfit(
            option="pack", value=type(pipeline).__name__, allowed="a model that takes a picture"
        ) from error
    found.set_progress_bar_config(disable=True)
    return found


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of the memory of a device, or of the machine's."""
    return isinstance(error, MemoryError) or any(
        words in str(error).lower() for words in ("out of memory", "can't allocate memory")
    )


@contextmanager
def attention(name: str) -> Iterator[None]:
    """Attention by one of torch's own ways; raises OptionUnfit where this machine has no such way for the model."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    chosen = ATTENTION[name]
    try:
        with nullcontext() if chosen is None else sdpa_kernel(getattr(SDPBackend, chosen)):
            yield
    except RuntimeError as error:
        if "No available kernel" in str(error) or "No viable backend" in str(error):
            raise OptionUnfit(option="attention", value=name, allowed="auto, plain") from error
        raise
