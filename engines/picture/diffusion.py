"""Pictures from words by diffusers, on a model pack: text to picture, picture to picture, and painting into a mask.

Everything is local: the pack is verified before it is loaded, no code of a model is run, and no hub is asked. Torch and
diffusers are imported when the first picture is asked for, never before.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any

from compliance.errors import (
    NotAPicture,
    OptionUnfit,
    OutOfMemory,
    PackDamaged,
    PackUnfit,
)
from compliance.media import MediaInfo, Origin, Pixels, SyntheticMedia
from compliance.permit import Permit, Role
from engines.device import DEVICES, Device, choose_device
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.packs import ModelPack, pack_named
from engines.picture.options import checked
from engines.source import decode

KIND = "picture.diffusers"
LORA_KIND = "picture.lora"
SCHEDULERS = {
    "as the model": None,
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler ancestral": "EulerAncestralDiscreteScheduler",
    "dpm++ 2m": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "heun": "HeunDiscreteScheduler",
    "lcm": "LCMScheduler",
}
MEMORY = ("whole", "sliced", "offloaded", "sequential")


@engine
class Diffusion:
    """Any diffusers pipeline folder as a pack. Same request, same bytes on one device."""

    id = "picture.diffusers"
    version = "1"
    function = "picture.generate"
    options: tuple[Option, ...] = (
        Option("pack", "", "The model pack."),
        Option("prompt", "", "What the picture shows."),
        Option("negative", "", "What it does not show."),
        Option("width", 512, "Width of the picture.", minimum=64, maximum=2048, unit="px"),
        Option("height", 512, "Height of the picture.", minimum=64, maximum=2048, unit="px"),
        Option("steps", 20, "Number of denoising steps.", minimum=1, maximum=150),
        Option("guidance", 7.0, "How closely the words are followed.", minimum=0, maximum=30),
        Option("scheduler", "as the model", "How the steps are taken.", choices=tuple(SCHEDULERS)),
        Option("strength", 0.75, "How much of a given picture is changed.", minimum=0.05, maximum=1),
        Option("lora", "", "A LoRA pack."),
        Option("lora_weight", 1.0, "How strongly the LoRA acts.", minimum=0, maximum=2),
        Option("memory", "whole", "Less memory for more time.", choices=MEMORY),
        Option("device", "auto", "Where it computes.", choices=DEVICES),
        Option("dtype", "auto", "The numbers it computes with.", choices=("auto", "float32", "float16", "bfloat16")),
    )

    def __init__(self) -> None:
        self._loaded: tuple[tuple[str, ...], Any] | None = None

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """This engine looks for no faces; the worker asks the face engine."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """One picture; raises OptionUnfit, PackMissing, PackDamaged, PackUnfit, DeviceUnavailable, OutOfMemory."""
        cancel.check()
        settings = check_options(request, self.options)
        names = {item.role: item.name for item in request.inputs}
        given = {role: decode(names.get(role, role), data) for role, data in inputs.items()}
        steps = int(settings["steps"])
        events(Progress(0, steps + 1, "loading the model"))
        pipeline = self._pipeline(settings)
        cancel.check()
        events(Progress(1, steps + 1, "making the picture"))
        try:
            pixels = _generate(pipeline, settings, request, given, events, cancel)
        except MemoryError as error:
            raise OutOfMemory(stage="making the picture") from error
        except RuntimeError as error:
            if "out of memory" in str(error).lower():
                raise OutOfMemory(stage="making the picture") from error
            raise
        origin: Origin = "compositeWithTrainedAlgorithmicMedia" if inputs else "trainedAlgorithmicMedia"
        height, width = pixels.shape[:2]
        info = MediaInfo(
            "picture", width, height, "sRGB", origin, self.id, self.version, faces_edited=request.faces_edited
        )
        return SyntheticMedia(pixels, info)

    def _pipeline(self, settings: Mapping[str, Any]) -> Any:
        """The pipeline for these settings; kept from one job to the next, verified anew when it is loaded."""
        pack = pack_named(str(settings["pack"]))
        if pack.kind != KIND:
            raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=KIND)
        lora = pack_named(str(settings["lora"])) if settings["lora"] else None
        if lora is not None and lora.kind != LORA_KIND:
            raise PackUnfit(pack=lora.id, kind=lora.kind, wanted=LORA_KIND)
        device = choose_device(str(settings["device"]), str(settings["dtype"]))
        key = (
            pack.digest(),
            lora.digest() if lora else "",
            str(settings["lora_weight"]),
            str(settings["memory"]),
            device.name,
            device.dtype,
        )
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None
            weight, memory = float(settings["lora_weight"]), str(settings["memory"])
            self._loaded = key, _load(pack, lora, weight, memory, device)
        return self._loaded[1]


def check_options(request: Request, options: tuple[Option, ...]) -> dict[str, Any]:
    """Every option with its value or default; raises OptionUnfit, also for sides that are no multiples of 8."""
    settings = checked(request, options)
    for name in ("width", "height"):
        if settings[name] % 8:
            raise OptionUnfit(option=name, value=settings[name], allowed="multiples of 8")
    return settings


def _load(pack: ModelPack, lora: ModelPack | None, lora_weight: float, memory: str, device: Device) -> Any:
    pack.verify()
    if lora is not None:
        lora.verify()
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from diffusers import DiffusionPipeline

    load: Any = DiffusionPipeline.from_pretrained
    try:
        pipeline = load(
            str(pack.folder),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=getattr(torch, device.dtype),
        )
        if lora is not None:
            name = next(name for name in lora.files if name.endswith(".safetensors"))
            pipeline.load_lora_weights(str(lora.folder), weight_name=name, local_files_only=True)
            pipeline.fuse_lora(lora_scale=lora_weight)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, StopIteration, ImportError) as error:
        broken = lora if lora is not None and "lora" in f"{error}".lower() else pack
        raise PackDamaged(pack=broken.id, file="-", reason=f"does not load: {type(error).__name__}") from error
    pipeline.set_progress_bar_config(disable=True)
    if memory == "offloaded" and device.name != "cpu":
        pipeline.enable_model_cpu_offload(device=device.name)
    elif memory == "sequential" and device.name != "cpu":
        pipeline.enable_sequential_cpu_offload(device=device.name)
    else:
        pipeline.to(device.name)
    if memory != "whole":
        pipeline.enable_attention_slicing()
        if hasattr(pipeline, "vae"):
            pipeline.vae.enable_slicing()
            pipeline.vae.enable_tiling()
    return pipeline


def _generate(
    pipeline: Any,
    settings: Mapping[str, Any],
    request: Request,
    inputs: Mapping[Role, Pixels],
    events: Events,
    cancel: CancelToken,
) -> Any:
    import diffusers
    import numpy as np
    import torch
    from PIL import Image

    given = {role: Image.fromarray(pixels) for role, pixels in inputs.items()}
    scheduler = SCHEDULERS[str(settings["scheduler"])]
    before = pipeline.scheduler
    steps = int(settings["steps"])
    size = int(settings["width"]), int(settings["height"])
    words: dict[str, Any] = {
        "prompt": str(settings["prompt"]),
        "num_inference_steps": steps,
        "generator": torch.Generator("cpu").manual_seed(request.seed),
    }
    if settings["negative"]:
        words["negative_prompt"] = str(settings["negative"])
    words["guidance_scale"] = float(settings["guidance"])
    if "target" in given:
        words["image"] = given["target"].resize(size, Image.Resampling.LANCZOS)
        words["strength"] = float(settings["strength"])
    words["width"], words["height"] = size
    if "mask" in given:
        if "target" not in given:
            raise NotAPicture(path="mask", reason="a mask needs a picture to paint into")
        words["mask_image"] = given["mask"].convert("L").resize(size, Image.Resampling.NEAREST)

    def on_step(_pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        cancel.check()
        events(Progress(min(step + 2, steps + 1), steps + 1, "making the picture"))
        return tensors

    words["callback_on_step_end"] = on_step
    try:
        if scheduler is not None:
            try:
                pipeline.scheduler = getattr(diffusers, scheduler).from_config(before.config)
            except (ValueError, TypeError) as error:
                raise OptionUnfit(option="scheduler", value=settings["scheduler"], allowed="as the model") from error
        variant = _variant(pipeline, "mask" in given, "target" in given)
        accepted = inspect.signature(variant.__call__).parameters
        with torch.inference_mode():
            made = variant(**{key: value for key, value in words.items() if key in accepted or key == "prompt"})
    finally:
        pipeline.scheduler = before
    return np.ascontiguousarray(np.asarray(made.images[0].convert("RGB")))


def _variant(pipeline: Any, has_mask: bool, has_picture: bool) -> Any:
    """The same weights as the pipeline that takes these inputs; raises OptionUnfit when the model has none."""
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

    if not has_picture:
        return pipeline
    family = AutoPipelineForInpainting if has_mask else AutoPipelineForImage2Image
    try:
        variant = family.from_pipe(pipeline)
    except (ValueError, AttributeError) as error:
        raise OptionUnfit(
            option="pack", value=type(pipeline).__name__, allowed="a model that takes a picture"
        ) from error
    variant.set_progress_bar_config(disable=True)
    return variant
