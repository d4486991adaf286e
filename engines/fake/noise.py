"""An engine without a model: pictures of noise, for tests and dry runs of everything around an engine."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from string import Formatter

import numpy as np

from compliance.errors import SignetError, registry
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.source import decode


@engine
class Noise:
    """Makes a noise picture from the seed; can be told to be slow, to fail or to hang. Inputs are optional."""

    id = "fake.noise"
    version = "1"
    function = "fake.noise"
    options: tuple[Option, ...] = (
        Option("width", 256, "Width of the picture.", minimum=1, maximum=8192, unit="px"),
        Option("height", 256, "Height of the picture.", minimum=1, maximum=8192, unit="px"),
        Option("steps", 4, "Number of steps, each with one progress event.", minimum=1, maximum=10_000),
        Option("step_ms", 0, "How long a step waits.", minimum=0, maximum=60_000, unit="ms"),
        Option("fail", "", "Name of the error to end with."),
        Option("hang", False, "Never end and ignore cancel: only killing the process helps.", choices=(False, True)),
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """No faces, ever; raises NotAPicture, PictureTooLarge."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Uniform noise; raises the error that the option `fail` names, NotAPicture for bad inputs."""
        settings = {option.name: request.options.get(option.name, option.default) for option in self.options}
        names: dict[Role, str] = {item.role: item.name for item in request.inputs}
        for role, data in inputs.items():
            decode(names.get(role, role), data)
        steps = int(settings["steps"])
        for done in range(steps):
            events(Progress(done, steps, "making noise"))
            if settings["hang"]:
                never = threading.Event()
                while True:
                    never.wait(1.0)
            cancel.check()
            if settings["fail"]:
                raise _named_error(str(settings["fail"]))
            cancel.wait(float(settings["step_ms"]) / 1000)
            cancel.check()
        events(Progress(steps, steps, "making noise"))
        permit.verify_faces(0)
        shape = (int(settings["height"]), int(settings["width"]), 3)
        pixels = np.random.Generator(np.random.PCG64(request.seed)).integers(0, 256, shape, dtype=np.uint8)
        info = MediaInfo(
            kind="picture",
            width=shape[1],
            height=shape[0],
            colour_space="sRGB",
            origin="trainedAlgorithmicMedia",
            engine=self.id,
            engine_version=self.version,
        )
        return SyntheticMedia(pixels, info)


def _named_error(name: str) -> SignetError:
    """An error of that class with made-up data; raises ValueError for a name that is no SignetError."""
    kind = registry().get(name)
    if kind is None:
        raise ValueError(f"no error is called {name}")
    fields = (field for text in (kind.message, kind.next_step) for _, field, _, _ in Formatter().parse(text))
    return kind(**{field: f"<{field}>" for field in fields if field})
