"""Editing the attributes of a voice with WORLD: `voice.attribute`, without neural weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compliance.media import SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.sound import decode_sound
from engines.voice.convert import sealed
from engines.voice.hearing import PART, complaints, measured, part_of, pieces_of, read_voice
from engines.voice.lean import narrowest
from engines.voice.world import BINS, RATE_HZ, Parts, blocks, resized, rework

_BEFORE = 2


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to a voice. tune: mean of the log of its pitch, around which liveliness widens."""

    tune: float
    semitones: float
    formants: float
    breath: float
    liveliness: float

    def __call__(self, parts: Parts) -> Parts:
        """One block, edited."""
        voiced = parts.pitch_hz > 0
        pitch = np.zeros_like(parts.pitch_hz)
        logs = np.log(parts.pitch_hz[voiced])
        logs = self.tune + (logs - self.tune) * self.liveliness + self.semitones / 12 * np.log(2.0)
        pitch[voiced] = np.clip(np.exp(logs), 40.0, 1000.0)
        sized = resized(parts, self.formants)
        breath = sized.breath
        if self.breath > 0:
            # Breath is heard above the first formants: noise takes the place of harmonics from 1 kHz up.
            share = np.clip((np.arange(BINS) * RATE_HZ / 2 / (BINS - 1) - 500) / 2500, 0.0, 1.0) * self.breath
            breath = breath + (1 - breath) * share
        return Parts(pitch, sized.envelope, breath)


@engine
class EditVoice:
    """Changes pitch, size, breath, pace and liveliness of a voice."""

    id = "voice.attribute"
    version = "1"
    function = "voice.attribute"
    options: tuple[Option, ...] = (
        Option("pitch", 0.0, "Higher or lower by so many semitones.", minimum=-12.0, maximum=12.0, unit="semitones"),
        Option("formants", 1.0, "Above 1 as from a smaller person, below 1 a larger one.", minimum=0.75, maximum=1.35),
        Option("breath", 0.0, "How breathy it becomes: 0 as it was, 1 a whisper.", minimum=0.0, maximum=1.0),
        Option("rate", 1.0, "Pace: 2 is twice as fast.", minimum=0.5, maximum=2.0),
        Option("liveliness", 1.0, "Range of the tune: 0 on one tone, 2 twice as wide.", minimum=0.0, maximum=2.0),
        *PART,
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a sound; raises NotASound, SoundTooLong for what is none."""
        decode_sound(name, data, RATE_HZ, first_s=1.0)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Edit; one channel at 24 kHz comes out.

        Raises NotASound, SoundTooLong, VoiceNotFound, OptionUnfit, ConsentTooNarrow.
        """
        name = next((item.name for item in request.inputs if item.role == "target"), "target")
        settings = {option.name: self._bounded(option, request) for option in self.options}
        part = part_of(request.options)
        total = _BEFORE + 1
        cancel.check()
        events(Progress(0, total, "reading sounds"))
        speech = read_voice(name, inputs.get("target", b""), part=part)
        permit.verify_faces(1)
        total = _BEFORE + len(blocks(speech.samples))
        cancel.check()
        events(Progress(1, total, "listening to the speech"))
        own = measured(name, pieces_of(speech, cancel.check), narrowest(speech.own_rate_hz))
        edit = Edit(own.tune, settings["pitch"], settings["formants"], settings["breath"], settings["liveliness"])

        def on_block(done: int, _total: int) -> None:
            cancel.check()
            events(Progress(_BEFORE + done, total, "changing the voice"))

        made = rework(speech.samples, edit, on_block, rate=settings["rate"])
        cancel.check()
        events(Progress(total, total, "changing the voice"))
        return sealed(made, self.id, self.version, complaints(speech)[:1])

    @staticmethod
    def _bounded(option: Option, request: Request) -> float:
        low, high = float(option.minimum or 0.0), float(option.maximum or 1.0)
        return min(high, max(low, float(request.options.get(option.name, option.default))))
