"""Pictures from words by diffusers, on a model pack: text to picture, picture to picture, and painting into a mask.

Everything is local: the pack is verified before it is loaded, no code of a model is run, and no hub is asked. Torch and
diffusers are imported when the first picture is asked for, never before.

Several pictures of one row may be computed together (option batch): each is still a request, a permit and a release of
its own (option place), and the engine keeps the others until they are asked for. torch.compile is not offered: its
compilers are programs, and the engine process may start none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from compliance.errors import NotAPicture, OptionUnfit, OutOfMemory, PackUnfit
from compliance.media import MediaInfo, Origin, SyntheticMedia
from compliance.permit import Permit, Role
from engines.device import DEVICES, choose_device
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.packs import pack_named
from engines.picture.denoising import N_BLACK, Job, Row, generate
from engines.picture.options import SHORTEST_SIDE_PX, checked
from engines.picture.pipelines import ATTENTION, KINDS, LORA_KIND, MEMORY, SCHEDULERS, Loaded, is_out_of_memory, load
from engines.source import decode


@engine
class Diffusion:
    """Any diffusers pipeline as a pack: a folder or one file. Same request, same bytes on one device."""

    id = "picture.diffusers"
    version = "2"
    function = "picture.generate"
    options: tuple[Option, ...] = (
        Option("pack", "", "The model pack."),
        Option("prompt", "", "What the picture shows; (word:1.3) weighs more, [word] less, where the model knows it."),
        Option("negative", "", "What it does not show."),
        Option("width", 512, "Width of the picture.", minimum=SHORTEST_SIDE_PX, maximum=2048, unit="px"),
        Option("height", 512, "Height of the picture.", minimum=SHORTEST_SIDE_PX, maximum=2048, unit="px"),
        Option("steps", 20, "Number of denoising steps.", minimum=1, maximum=150),
        Option("guidance", 7.0, "How closely the words are followed.", minimum=0, maximum=30),
        Option("scheduler", "as the model", "How the steps are taken.", choices=tuple(SCHEDULERS)),
        Option("strength", 0.75, "How much of a given picture is changed.", minimum=0.05, maximum=1),
        Option("lora", "", "A LoRA pack."),
        Option("lora_weight", 1.0, "How strongly the LoRA acts.", minimum=0, maximum=2),
        Option("batch", 1, "How many pictures are computed together; their numbers may round differently.", 1, 8),
        Option("place", 0, "Which picture of those it is, counted from 0.", minimum=0, maximum=7),
        Option("preview_every", 0, "A small preview after so many steps; 0 for none.", minimum=0, maximum=50),
        Option("memory", "whole", "Less memory for more time.", choices=MEMORY),
        Option("attention", "auto", "How attention is computed.", choices=tuple(ATTENTION)),
        Option("device", "auto", "Where it computes.", choices=DEVICES),
        Option("dtype", "auto", "The numbers it computes with.", choices=("auto", "float32", "float16", "bfloat16")),
    )

    def __init__(self) -> None:
        self._loaded: tuple[tuple[str, ...], Loaded] | None = None
        self._row: tuple[str, Row] | None = None

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """This engine looks for no faces; the worker asks the face engine."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """One picture.

        Raises OptionUnfit, PackMissing, PackDamaged, PackUnfit, ModelUnfit, DeviceUnavailable, OutOfMemory.
        """
        cancel.check()
        settings = check_options(request, self.options)
        names = {item.role: item.name for item in request.inputs}
        given = {role: decode(names.get(role, role), data) for role, data in inputs.items()}
        if "mask" in given and "target" not in given:
            raise NotAPicture(path="mask", reason="a mask needs a picture to paint into")
        origin: Origin = "compositeWithTrainedAlgorithmicMedia" if inputs else "trainedAlgorithmicMedia"
        key = _row_key(request, settings, inputs)
        if self._row is None or self._row[0] != key:
            self._row = None
            job = Job(settings, request.seed - int(settings["place"]), given, origin, events, cancel)
            try:
                self._row = key, self._make(job)
            except MemoryError as error:
                raise OutOfMemory(stage="making the picture") from error
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise OutOfMemory(stage="making the picture") from error
                raise
        else:
            events(Progress(0, 1, "making the picture"))
        row = self._row[1]
        pixels = row.pictures[int(settings["place"])]
        if int(settings["place"]) == len(row.pictures) - 1:
            self._row = None
        cancel.check()
        height, width = pixels.shape[:2]
        total = int(settings["steps"]) + 1 if row.is_new else 1
        row.is_new = False
        events(Progress(total, total, "finished"))
        info = MediaInfo("picture", width, height, "sRGB", origin, self.id, self.version)
        told = dict.fromkeys((*row.warnings, *((N_BLACK,) if not pixels.any() else ())))
        return SyntheticMedia(pixels, replace(info, faces_edited=request.faces_edited, warnings=tuple(told)))

    def _make(self, job: Job) -> Row:
        steps = int(job.settings["steps"])
        job.events(Progress(0, steps + 1, "loading the model"))
        loaded = self._pipeline(job.settings)
        job.cancel.check()
        job.events(Progress(1, steps + 1, "making the picture"))
        return generate(loaded, job, self.id, self.version)

    def _pipeline(self, settings: Mapping[str, Any]) -> Loaded:
        """The pipeline for these settings; kept from one job to the next, verified anew when it is loaded."""
        pack = pack_named(str(settings["pack"]))
        if pack.kind not in KINDS:
            raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=KINDS[0])
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
            self._loaded = key, load(pack, lora, weight, memory, device)
        return self._loaded[1]


def check_options(request: Request, options: tuple[Option, ...]) -> dict[str, Any]:
    """Every option with its value or default; raises OptionUnfit, also for sides that are no multiples of 8."""
    settings = checked(request, options)
    for name in ("width", "height"):
        if settings[name] % 8:
            raise OptionUnfit(option=name, value=settings[name], allowed="multiples of 8")
    for name in ("steps", "batch", "place", "preview_every"):
        settings[name] = int(settings[name])
    if settings["place"] >= settings["batch"] or settings["place"] > request.seed:
        raise OptionUnfit(option="place", value=settings["place"], allowed=f"0 – {settings['batch'] - 1}")
    return settings


def _row_key(request: Request, settings: Mapping[str, Any], inputs: Mapping[Role, bytes]) -> str:
    """What the pictures of one row have in common: everything but their place and seed."""
    shared = {name: value for name, value in settings.items() if name not in ("place", "preview_every")}
    told = [shared, request.seed - int(settings["place"]), [pack.sha256 for pack in request.packs]]
    files = [(role, hashlib.sha256(data).hexdigest()) for role, data in sorted(inputs.items())]
    return json.dumps([told, files, [item.to_json() for item in request.inputs]], sort_keys=True)
