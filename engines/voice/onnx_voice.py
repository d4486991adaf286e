"""Speech by ONNX voices on a model pack: Piper and Kokoro, by the contracts of engines.voice.onnx_models.

The voices of a pack are stock voices: no recording goes in. What they read, letters or phonemes, comes from the text
front end and the speech process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compliance.errors import NotASound
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.packs import pack_named
from engines.voice.joining import RATE_HZ, Mono
from engines.voice.neural import N_LETTERS, SHARED_OPTIONS, Line, perform, read_lines, verify_words
from engines.voice.options import checked
from engines.voice.phonemes import phonemes_of
from engines.voice.speech import Speech


@engine
class Onnx:
    """A Piper or Kokoro voice as a pack. Same request, same bytes."""

    id = "voice.onnx"
    version = "1"
    function = "voice.speak"
    options: tuple[Option, ...] = SHARED_OPTIONS

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in words; raises NotASound for whatever it is shown."""
        raise NotASound(path=name, reason="this engine speaks from words alone")

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Speak; one channel at 24 kHz comes out.

        Raises TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear, LanguageUnspoken, OptionUnfit, PackMissing,
        PackDamaged, PackUnfit, VoiceMissing, SpeechFailed, and NotASound when it is given a file to work on.
        """
        from engines.voice.onnx_models import load

        cancel.check()
        for item in request.inputs:
            raise NotASound(path=item.name, reason="this engine speaks from words alone")
        settings = checked(request, self.options)
        verify_words(settings)
        events(Progress(0, 2, "loading the model"))
        voice = load(pack_named(str(settings["pack"])), request.seed)
        lines = read_lines(settings, voice.languages, voice.speakers)
        cancel.check()
        speech = Speech()
        warnings: list[str] = []

        def speak(line: Line, pace: float, _seed: int) -> Mono:
            signs = line.piece.text
            if voice.phonemes_in is not None:
                signs = phonemes_of(speech, signs, voice.phonemes_in or line.piece.language)
            if not voice.knows_all(signs):
                warnings.append(N_LETTERS)
            return voice.say(signs, line.voice, pace)

        with speech:
            pace = float(settings["rate"])
            made = perform(lines, speak, voice.rate_hz, pace, request.seed, voice.pack, events, cancel)
        permit.verify_faces(0)
        samples = made.samples[:, None]
        info = MediaInfo.of_sound(
            samples, RATE_HZ, origin="trainedAlgorithmicMedia", engine=self.id, engine_version=self.version
        )
        told = tuple(dict.fromkeys((*made.warnings, *warnings)))
        return SyntheticMedia(samples, replace(info, warnings=told, spans_ms=made.spans_ms))
