"""An engine without a model: sounds of tones and noise, for tests and dry runs of everything around an engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compliance.errors import NotASound
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress


@engine
class Tone:
    """Makes gliding tones with a little noise from the seed. Takes no inputs."""

    id = "fake.tone"
    version = "1"
    function = "fake.tone"
    options: tuple[Option, ...] = (
        Option("seconds", 3.0, "Length of the sound.", minimum=0.1, maximum=3600, unit="s"),
        Option("rate_hz", 24000, "Samples a second.", minimum=8000, maximum=192_000, unit="Hz"),
        Option("channels", 1, "One or two channels.", minimum=1, maximum=2),
        Option("noise", 0.1, "Share of noise: 1 is nothing but noise.", minimum=0, maximum=1),
        Option("steps", 4, "Number of steps, each with one progress event.", minimum=1, maximum=10_000),
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a sound, and this engine takes none; raises NotASound for whatever it is shown."""
        raise NotASound(path=name, reason="this engine takes no inputs")

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Tones and noise at a quarter of full scale; raises NotASound when there are inputs."""
        for item in request.inputs:
            raise NotASound(path=item.name, reason="this engine takes no inputs")
        settings = {option.name: request.options.get(option.name, option.default) for option in self.options}
        rate_hz, channels, steps = int(settings["rate_hz"]), int(settings["channels"]), int(settings["steps"])
        frames = max(1, round(float(settings["seconds"]) * rate_hz))
        chance = np.random.Generator(np.random.PCG64(request.seed))
        turns = np.cumsum(np.repeat(chance.uniform(200, 900, steps), -(-frames // steps))[:frames]) / rate_hz
        samples = np.empty((frames, channels), np.float32)
        share = float(settings["noise"])
        for done, part in enumerate(np.array_split(np.arange(frames), steps)):
            events(Progress(done, steps, "making tones"))
            cancel.check()
            noise = chance.uniform(-1, 1, (len(part), channels))
            tones = np.sin(2 * np.pi * turns[part])[:, None]
            samples[part] = 0.25 * ((1 - share) * tones + share * noise)
        events(Progress(steps, steps, "making tones"))
        permit.verify_faces(0)
        info = MediaInfo.of_sound(
            samples, rate_hz, origin="trainedAlgorithmicMedia", engine=self.id, engine_version=self.version
        )
        return SyntheticMedia(samples, info)
