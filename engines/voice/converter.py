"""`voice.convert` by a model pack: the speech of the target in the voice of the source, with the consent of both.

What comes out is meant to sound like the person in the source, so nothing here is weaker than where a voice is only
leaned: the gate asks for a grant of each of the two, for the very recordings that are read below.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np

from compliance.errors import ConversionFailed
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.packs import pack_named
from engines.sound import Wave, decode_sound, resampled
from engines.voice.hearing import CLIPPED, PART, REFERENCE_PART, complaints, part_of, read_voice
from engines.voice.joining import RATE_HZ, Mono
from engines.voice.options import checked
from engines.voice.world import RATE_HZ as HEARD_HZ

REFERENCE_S: Final = 30.0
BLOCK_S, OVERLAP_S = 20.0, 0.2
_HIGHEST_PEAK, _QUIETEST_PEAK = 0.95, 1e-3
N_REFERENCE_CUT: Final = "only the first thirty seconds of the reference were used"


@engine
class ConvertVoice:
    """A voice converter as a pack. Same request, same bytes."""

    id = "voice.converter"
    version = "1"
    function = "voice.convert"
    options: tuple[Option, ...] = (Option("pack", "", "The model pack."), *PART, *REFERENCE_PART)

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a sound; raises NotASound, SoundTooLong for what is none."""
        decode_sound(name, data, HEARD_HZ, first_s=1.0)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Convert; one channel at 24 kHz comes out.

        Raises NotASound, SoundTooLong, VoiceNotFound, OptionUnfit, ConsentTooNarrow, PackMissing, PackDamaged,
        PackUnfit, ConversionFailed.
        """
        from engines.voice.converter_models import load

        names: dict[Role, str] = {item.role: item.name for item in request.inputs}
        source, target = names.get("source", "source"), names.get("target", "target")
        settings = checked(request, self.options)
        cancel.check()
        events(Progress(0, 3, "reading sounds"))
        reference = read_voice(
            source, inputs.get("source", b""), first_s=REFERENCE_S, part=part_of(request.options, "source")
        )
        speech = read_voice(target, inputs.get("target", b""), part=part_of(request.options))
        permit.verify_faces(1)
        cancel.check()
        events(Progress(1, 3, "loading the model"))
        model = load(pack_named(str(settings["pack"])), request.seed)
        cancel.check()
        events(Progress(2, 3, "listening to the reference"))
        voice = model.listen(_at(reference.samples, model.rate_hz))
        own = _at(speech.samples, model.rate_hz)
        spans = _blocks(len(own), model.rate_hz)
        total = 3 + len(spans)
        made = np.zeros(round(len(own) * model.out_rate_hz / model.rate_hz), np.float32)
        filled = 0
        for number, (start, stop) in enumerate(spans):
            cancel.check()
            events(Progress(3 + number, total, "changing the voice"))
            place = round(start * model.out_rate_hz / model.rate_hz)
            filled = _lay(made, model.change(own[start:stop], voice), place, filled)
        cancel.check()
        if float(np.abs(made).max(initial=0.0)) < _QUIETEST_PEAK:
            raise ConversionFailed(pack=model.pack, reason="the result is silent")
        samples = _at(made.astype(np.float64), RATE_HZ, model.out_rate_hz)[:, None]
        # Only now: a sound with flat tops becomes higher when its rate is changed.
        samples *= np.float32(min(1.0, _HIGHEST_PEAK / float(np.abs(samples).max())))
        events(Progress(total, total, "changing the voice"))
        warnings = [each for each in complaints(reference, speech) if each == CLIPPED]
        warnings += [N_REFERENCE_CUT] * reference.is_cut
        info = MediaInfo(
            "sound",
            0,
            0,
            "",
            "compositeWithTrainedAlgorithmicMedia",
            self.id,
            self.version,
            faces_edited=1,
            warnings=tuple(warnings),
            rate_hz=RATE_HZ,
            channels=1,
            frames=len(samples),
        )
        return SyntheticMedia(samples, info)


def _at(samples: Wave, rate_hz: int, own_hz: int = HEARD_HZ) -> Mono:
    return np.ascontiguousarray(resampled(samples, own_hz, rate_hz), np.float32)


def _blocks(count: int, rate_hz: int) -> list[tuple[int, int]]:
    """(start, stop) of blocks of about BLOCK_S, equally long, neighbours sharing OVERLAP_S."""
    overlap = round(OVERLAP_S * rate_hz)
    number = max(1, -(-(count - overlap) // round((BLOCK_S - OVERLAP_S) * rate_hz)))
    cuts = np.linspace(0, max(0, count - overlap), number + 1).round().astype(int)
    return [(int(start), int(stop) + overlap if number > 1 else count) for start, stop in itertools.pairwise(cuts)]


def _lay(onto: Mono, block: Mono, place: int, filled: int) -> int:
    """Put a block at its place, faded in over the end of the one before; filled: up to where, told and returned."""
    block = block[: len(onto) - place].copy()
    shared = max(0, min(filled - place, len(block)))
    ramp = np.linspace(0, 1, shared, dtype=np.float32)
    block[:shared] = block[:shared] * ramp + onto[place : place + shared] * (1 - ramp)
    onto[place : place + len(block)] = block
    return place + len(block)
