"""Leaning one voice towards another with the consent of both: `voice.convert`, without neural weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.sound import decode_sound
from engines.voice.hearing import (
    CUT_REFERENCE,
    PART,
    REFERENCE_PART,
    REFERENCE_S,
    SHORT_REFERENCE,
    SHORT_S,
    complaints,
    measured,
    part_of,
    pieces_of,
    read_voice,
)
from engines.voice.lean import Lean, narrowest, size_between
from engines.voice.world import RATE_HZ, blocks, rework

_BEFORE = 3


@engine
class LeanVoice:
    """Leans the speech of the target towards the voice of the source: its pitch, tune and colour; no imitation."""

    id = "voice.lean"
    version = "1"
    function = "voice.convert"
    options: tuple[Option, ...] = (
        Option("strength", 1.0, "How far it leans: 0 not at all, 1 all the way.", minimum=0.0, maximum=1.0),
        Option("mix", 0.0, "Share of a closer, rougher way; 0.5 is the most useful.", minimum=0.0, maximum=1.0),
        *PART,
        *REFERENCE_PART,
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a sound; raises NotASound, SoundTooLong for what is none."""
        decode_sound(name, data, RATE_HZ, first_s=1.0)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Lean; one channel at 24 kHz comes out.

        Raises NotASound, SoundTooLong, VoiceNotFound, OptionUnfit, ConsentTooNarrow.
        """
        names: dict[Role, str] = {item.role: item.name for item in request.inputs}
        strength, mix = (
            min(1.0, max(0.0, float(request.options.get(option.name, option.default)))) for option in self.options[:2]
        )
        own_part, other_part = part_of(request.options), part_of(request.options, "source")
        total = _BEFORE + 1
        cancel.check()
        events(Progress(0, total, "reading sounds"))
        reference = read_voice(
            names.get("source", "source"), inputs.get("source", b""), first_s=REFERENCE_S, part=other_part
        )
        speech = read_voice(names.get("target", "target"), inputs.get("target", b""), part=own_part)
        permit.verify_faces(1)
        total = _BEFORE + len(blocks(speech.samples))
        high_hz = narrowest(reference.own_rate_hz, speech.own_rate_hz)

        cancel.check()
        events(Progress(1, total, "listening to the reference"))
        other = measured(names.get("source", "source"), pieces_of(reference, cancel.check), high_hz)
        cancel.check()
        events(Progress(2, total, "listening to the speech"))
        pieces = pieces_of(speech, cancel.check)
        own_tune = measured(names.get("target", "target"), pieces, high_hz).tune
        size = size_between(own_tune, other.tune, strength)
        own = measured(names.get("target", "target"), pieces, high_hz, size)
        warnings = complaints(reference, speech)
        warnings += [SHORT_REFERENCE] * (other.voiced_s < SHORT_S) + [CUT_REFERENCE] * reference.is_cut

        def on_block(done: int, _total: int) -> None:
            cancel.check()
            events(Progress(_BEFORE + done, total, "changing the voice"))

        made = rework(speech.samples, Lean.between(own, other, strength, mix, size), on_block)
        cancel.check()
        events(Progress(total, total, "changing the voice"))
        return sealed(made, self.id, self.version, warnings)


def sealed(
    made: np.ndarray[tuple[int, ...], np.dtype[np.float64]], engine_id: str, version: str, warnings: list[str]
) -> SyntheticMedia:
    """A changed voice as sealed media, one channel; one person is edited."""
    samples = made.astype(np.float32)[:, None]
    info = MediaInfo(
        "sound",
        0,
        0,
        "",
        "compositeSynthetic",
        engine_id,
        version,
        faces_edited=1,
        warnings=tuple(warnings),
        rate_hz=RATE_HZ,
        channels=1,
        frames=len(samples),
    )
    return SyntheticMedia(samples, info)
