"""One run of a loaded pipeline: what it is told, in the words of its family, and what of that it does not know."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compliance.errors import ModelUnfit, OptionUnfit
from compliance.media import Origin, Pixels
from compliance.permit import Role
from engines.job import CancelToken, Events, Progress
from engines.picture import weighting
from engines.picture.glimpse import N_NONE, can_glimpse, glimpse
from engines.picture.pipelines import (
    Loaded,
    attention,
    denoiser,
    is_out_of_memory,
    side_step_px,
    variant,
    with_scheduler,
)

N_BLACK = "the picture is black: try the numbers float32"
N_NO_NEGATIVE = "this model knows no negative words: they were ignored"
N_NO_SCHEDULER = "this model takes its steps in its own way: the scheduler was ignored"
N_NO_GUIDANCE = "this model knows no guidance: it was ignored"
N_RAN_ON = "computed on {0} with {1}"
N_ONE_BY_ONE = "the memory did not suffice for several pictures together: they were made one by one"


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked: settings of the engine, the seed of the first picture, and pictures that go in."""

    settings: Mapping[str, Any]
    seed: int
    inputs: Mapping[Role, Pixels]
    origin: Origin
    events: Events
    cancel: CancelToken


@dataclass(slots=True)
class Row:
    """Pictures made together, uint8, (height, width, 3), and what is told of them."""

    pictures: list[Any]
    warnings: list[str] = field(default_factory=list)
    is_new: bool = True


def generate(loaded: Loaded, job: Job, engine: str, version: str) -> Row:
    """All pictures of a row; raises OptionUnfit, JobCancelled, and what torch raises."""
    pipeline, settings, warnings = loaded.pipeline, job.settings, [where_it_ran(loaded)]
    step_px = side_step_px(pipeline)
    for name in ("width", "height"):
        if settings[name] % step_px:
            raise OptionUnfit(option=name, value=settings[name], allowed=f"multiples of {step_px}")
    before = pipeline.scheduler
    scheduler, is_known = with_scheduler(pipeline, str(settings["scheduler"]))
    if not is_known:
        warnings.append(N_NO_SCHEDULER)
    if settings["preview_every"] and not can_glimpse(pipeline):
        warnings.append(N_NONE)
    try:
        pipeline.scheduler = scheduler
        worker = variant(pipeline, "mask" in job.inputs, "target" in job.inputs)
        accepted = frozenset(inspect.signature(worker.__call__).parameters)
        told = _told(worker, accepted, job, warnings)
        told["callback_on_step_end"] = _on_step(job, engine, version)
        with attention(str(settings["attention"])):
            pictures = _rows(worker, accepted, told, job, warnings)
    finally:
        pipeline.scheduler = before
    return Row(pictures, warnings)


def where_it_ran(loaded: Loaded) -> str:
    """The sentence on where the picture was really computed."""
    return N_RAN_ON.format(*loaded.ran_on)


def _rows(worker: Any, accepted: frozenset[str], told: dict[str, Any], job: Job, warnings: list[str]) -> list[Any]:
    batch = int(job.settings["batch"])
    seeds = [job.seed + number for number in range(batch)]
    if batch > 1 and "num_images_per_prompt" in accepted:
        try:
            return _call(worker, accepted, {**told, "num_images_per_prompt": batch}, seeds)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            warnings.append(N_ONE_BY_ONE)
    return [_call(worker, accepted, told, [seed])[0] for seed in seeds]


def _call(worker: Any, accepted: frozenset[str], told: Mapping[str, Any], seeds: list[int]) -> list[Any]:
    import numpy as np
    import torch

    # Chance comes from the processor's generator, so that a seed means the same on every device.
    chance = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    words = {**told, "generator": chance if len(chance) > 1 else chance[0]}
    try:
        with torch.inference_mode():
            made = worker(**{key: value for key, value in words.items() if key in accepted})
        return [np.ascontiguousarray(np.asarray(picture.convert("RGB"))) for picture in made.images]
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        # A pipeline for films, or one that wants a picture, a map or a mask of its own kind.
        raise ModelUnfit(pack=type(worker).__name__, reason="it makes no picture of what it was given") from error


def _told(worker: Any, accepted: frozenset[str], job: Job, warnings: list[str]) -> dict[str, Any]:
    """What the pipeline is called with, but for chance; what its family does not know is told in warnings."""
    from PIL import Image

    settings = job.settings
    size = int(settings["width"]), int(settings["height"])
    told: dict[str, Any] = {"num_inference_steps": int(settings["steps"]), "width": size[0], "height": size[1]}
    told |= _guidance(worker, accepted, settings, warnings)
    told |= _words(worker, settings, told, warnings)
    if "target" in job.inputs:
        picture = Image.fromarray(job.inputs["target"])
        told["image"] = picture.resize(size, Image.Resampling.LANCZOS)
        told["strength"] = float(settings["strength"])
    if "mask" in job.inputs:
        mask = Image.fromarray(job.inputs["mask"]).convert("L")
        told["mask_image"] = mask.resize(size, Image.Resampling.NEAREST)
    return told


def _guidance(
    worker: Any, accepted: frozenset[str], settings: Mapping[str, Any], warnings: list[str]
) -> dict[str, Any]:
    """How closely words are followed, by the name that the family gives it, and the words that are not wanted.

    Models with a distilled guidance (FLUX dev) take the number as an input and know no negative words; those with
    true_cfg_scale (Qwen-Image) compare with the negative words, if only empty ones.
    """
    guidance, negative = float(settings["guidance"]), str(settings["negative"])
    told: dict[str, Any] = {}
    is_distilled = bool(getattr(denoiser(worker).config, "guidance_embeds", False))
    if "true_cfg_scale" in accepted and not is_distilled and type(worker).__name__.startswith("Qwen"):
        return {"true_cfg_scale": guidance, "negative_prompt": negative or " "}
    if "guidance_scale" in accepted:
        told["guidance_scale"] = guidance
    else:
        warnings.append(N_NO_GUIDANCE)
    if not negative:
        return told
    if "negative_prompt" not in accepted or "true_cfg_scale" in accepted:
        warnings.append(N_NO_NEGATIVE)
    else:
        told["negative_prompt"] = negative
    return told


def _words(worker: Any, settings: Mapping[str, Any], told: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    wanted = weighting.parse(str(settings["prompt"]))
    unwanted = weighting.parse(str(told.pop("negative_prompt", "")))
    text, negative = weighting.plain(wanted), weighting.plain(unwanted)
    for words in (text, negative):
        cut = weighting.cut_off(worker, words) if words.strip() else ""
        if cut:
            warnings.append(cut)
    is_weighted = weighting.is_weighted(wanted) or weighting.is_weighted(unwanted)
    if is_weighted and weighting.knows_weights(worker):
        import torch

        with torch.inference_mode():
            return weighting.embeddings(worker, wanted, unwanted, guided=float(settings["guidance"]) > 1)
    if is_weighted:
        warnings.append(weighting.N_NO_WEIGHTS)
    return {"prompt": text, **({"negative_prompt": negative} if negative else {})}


def _on_step(job: Job, engine: str, version: str) -> Any:
    steps, every = int(job.settings["steps"]), int(job.settings["preview_every"])

    def on_step(pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        job.cancel.check()
        done = min(step + 2, steps + 1)
        shown = None
        if every and (step + 1) % every == 0 and step + 1 < steps and can_glimpse(pipeline):
            shown = glimpse(pipeline, tensors["latents"], job.origin, engine, version)
        job.events(Progress(done, steps + 1, "making the picture", shown))
        return tensors

    return on_step
