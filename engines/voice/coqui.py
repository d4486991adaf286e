"""Speech by coqui-tts on a model pack: VITS, XTTS, Glow-TTS, FastPitch and their kin.

Everything is local: the pack is verified before it is loaded, and neither a hub nor the keyboard is asked. The voices
of a pack are stock voices. XTTS can take on the voice of a recording: that is the likeness of a person, goes in as a
source, and is used only with a grant that the gate and the worker have seen. Torch and coqui-tts are imported when the
first words are spoken, never before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from compliance.errors import (
    NotASound,
    OptionUnfit,
    OutOfMemory,
    PackUnfit,
    SpeechFailed,
    VoiceConsentMissing,
    VoiceNotFound,
)
from compliance.media import MediaInfo, Origin, SyntheticMedia
from compliance.permit import Permit, Role
from engines.device import DEVICES, choose_device
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.packs import pack_named
from engines.sound import decode_sound
from engines.voice.hearing import REFERENCE_PART, part_of
from engines.voice.joining import RATE_HZ, Mono
from engines.voice.neural import (
    N_LETTERS,
    SHARED_OPTIONS,
    Line,
    named_language,
    perform,
    read_lines,
    verify_words,
)
from engines.voice.options import checked
from engines.voice.phonemes import phonemes_of
from engines.voice.speech import Speech

if TYPE_CHECKING:
    from engines.voice.coqui_models import CoquiVoice, Reference

KIND = "voice.coqui"
_REFERENCE_HZ = 22050
_SHORTEST_REFERENCE_S, _LONGEST_REFERENCE_S = 3.0, 30.0
_LOUD_ENOUGH = 10 ** (-50 / 20)
N_REFERENCE_CUT = "only the first thirty seconds of the reference were used"


@engine
class Coqui:
    """A voice of coqui-tts as a pack. Same request, same bytes on one device."""

    id = "voice.coqui"
    version = "1"
    function = "voice.speak"
    options: tuple[Option, ...] = (
        *SHARED_OPTIONS,
        *REFERENCE_PART,
        Option("temperature", 0.75, "How lively XTTS speaks.", minimum=0.05, maximum=1.5),
        Option("device", "auto", "Where it computes.", choices=DEVICES),
    )

    def __init__(self) -> None:
        self._loaded: tuple[tuple[str, str], CoquiVoice] | None = None

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a sound; raises NotASound, SoundTooLong for what is none."""
        decode_sound(name, data, _REFERENCE_HZ, first_s=1.0)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Speak; one channel at 24 kHz comes out.

        Raises TextEmpty, TextTooLong, MarkupUnclear, LanguageUnspoken, OptionUnfit, PackMissing, PackDamaged,
        PackUnfit, DeviceUnavailable, OutOfMemory; VoiceMissing and SpeechFailed for voices that read phonemes; for a
        reference VoiceConsentMissing, NotASound, VoiceNotFound.
        """
        cancel.check()
        warnings: list[str] = []
        reference = _reference(request, inputs, warnings)
        settings = checked(request, self.options)
        verify_words(settings)
        # What there is to say is known only with the voice, so loading is one of two steps until then.
        events(Progress(0, 2, "loading the model"))
        voice = self._voice(str(settings["pack"]), str(settings["device"]))
        if reference is not None and not voice.clones:
            raise OptionUnfit(option="source", value=voice.name, allowed="a pack of XTTS, which can take on a voice")
        if reference is None and voice.clones and not voice.speakers:
            raise OptionUnfit(option="voice", value="-", allowed="a pack with voices of its own, or a reference")
        lines = read_lines(settings, voice.languages, () if reference is not None else voice.speakers)
        cancel.check()
        speech = Speech()

        def speak(line: Line, pace: float, seed: int) -> Mono:
            return voice.say(
                line.piece.text,
                language=named_language(line.piece, voice.languages),
                speaker=line.voice,
                reference=reference,
                speed=pace,
                temperature=float(settings["temperature"]),
                seed=seed,
                phonemes=lambda text: phonemes_of(speech, text, voice.phonemes_in or line.piece.language),
                check=cancel.check,
            )

        try:
            with speech:
                pace = float(settings["rate"])
                made = perform(lines, speak, voice.rate_hz, pace, request.seed, voice.pack, events, cancel)
        except MemoryError as error:
            raise OutOfMemory(stage="speaking") from error
        except (RuntimeError, AssertionError, LookupError, ValueError, TypeError, ImportError) as error:
            if "out of memory" in str(error).lower():
                raise OutOfMemory(stage="speaking") from error
            raise SpeechFailed(voice=voice.pack, reason=type(error).__name__) from error
        if voice.forget_unknown_signs():
            warnings.append(N_LETTERS)
        permit.verify_faces(request.faces_edited)
        origin: Origin = "compositeWithTrainedAlgorithmicMedia" if reference is not None else "trainedAlgorithmicMedia"
        samples = made.samples[:, None]
        info = MediaInfo.of_sound(samples, RATE_HZ, origin=origin, engine=self.id, engine_version=self.version)
        info = replace(
            info,
            faces_edited=request.faces_edited,
            warnings=(*made.warnings, *warnings),
            spans_ms=made.spans_ms,
        )
        return SyntheticMedia(samples, info)

    def _voice(self, pack_id: str, device_name: str) -> CoquiVoice:
        """The voice of a pack; kept from one job to the next, verified anew when it is loaded."""
        from engines.voice.coqui_models import load

        pack = pack_named(pack_id)
        if pack.kind != KIND:
            raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=KIND)
        device = choose_device(device_name, "float32")
        key = pack.digest(), device.name
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None
            self._loaded = key, load(pack, device)
        return self._loaded[1]


def _reference(request: Request, inputs: Mapping[Role, bytes], warnings: list[str]) -> Reference | None:
    """The recording whose voice is taken on; only a source that the gate knows as a person's voice is one."""
    from engines.voice.coqui_models import Reference

    items = {item.role: item for item in request.inputs}
    for role in items:
        if role != "source":
            raise NotASound(path=items[role].name, reason="this engine takes a voice to speak with and nothing else")
    if "source" not in inputs:
        return None
    name = items["source"].name
    start_s, end_s = part_of(request.options, "source")
    last_s = start_s + _LONGEST_REFERENCE_S
    sound = decode_sound(name, inputs["source"], _REFERENCE_HZ, first_s=min(end_s or last_s, last_s))
    samples = sound.samples[round(start_s * _REFERENCE_HZ) :]
    seconds = len(samples) / _REFERENCE_HZ
    if items["source"].likeness != "voice":
        raise VoiceConsentMissing(role="source", asset=items["source"].sha256[:12])
    is_silent = not len(samples) or float(np.sqrt(np.mean(samples**2))) < _LOUD_ENOUGH
    if is_silent or seconds < _SHORTEST_REFERENCE_S:
        heard_s = 0 if is_silent else round(seconds, 1)
        raise VoiceNotFound(path=name, seconds=heard_s, limit_s=_SHORTEST_REFERENCE_S)
    # A part that was asked for is cut because it was asked for, which needs no warning.
    if sound.is_cut and not 0 < end_s <= last_s:
        warnings.append(N_REFERENCE_CUT)
    return Reference(samples.astype(np.float32), sound.rate_hz)
