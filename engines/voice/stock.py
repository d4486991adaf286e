"""voice.stock: built-in voices without neural weights. They are nobody's likeness, so no consent is asked for.

English by flite (statistical voices from recordings that were made for it), everything else by espeak-ng's formant
synthesis. Both speak in the speech process (engines.voice.speech).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from compliance.errors import NotASound, SpeechFailed, VoiceMissing
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.job import CancelToken, Events, Progress
from engines.voice.casting import Cast, Part, cast
from engines.voice.catalogue import ANY, LANGUAGES, VOICES, Voice
from engines.voice.joining import RATE_HZ, Mono, Spoken, join, resample, trimmed
from engines.voice.length import is_plausible
from engines.voice.markup import FASTEST, MOST_PITCH_ST, SLOWEST, Manner
from engines.voice.options import checked
from engines.voice.speech import Speech

TITLE = "stock and formant voices, no neural model"
# Pace, pitch in semitones and level in dB that an emphasis adds.
_EMPHASES = {-1: (1.08, -0.5, -3.0), 0: (1.0, 0.0, 0.0), 1: (0.92, 1.0, 2.0), 2: (0.84, 2.0, 4.0)}
# How far pace and pitch move from sentence to sentence where a seed is given.
_PACE_SHARE, _PITCH_ST = 0.05, 0.7
_WORDS_A_MINUTE = 165
_SLOWEST_WORDS, _FASTEST_WORDS = 80, 450
_PITCH_A_SEMITONE = 5.6


@dataclass(frozen=True, slots=True)
class _Delivery:
    """How one piece is said in the end. rate: 1 is the voice's own pace."""

    rate: float
    pitch_st: float
    gain_db: float


@engine
class Stock:
    """Speech by built-in voices. Same request, same bytes."""

    id = "voice.stock"
    version = "1"
    function = "voice.speak"
    options: tuple[Option, ...] = (
        Option("text", "", "What is said; a few tags may stand in it."),
        Option("form", "text", "A plain text, or a script with a speaker on each line.", choices=("text", "script")),
        Option("language", "auto", "Language of the words in Latin letters.", choices=("auto", *LANGUAGES)),
        Option("voice", "auto", "Who speaks.", choices=("auto", *(voice.id for voice in VOICES))),
        Option("voices", "", "Who speaks for whom in a script: Anna=slt, Bo=formant."),
        Option("rate", 1.0, "How fast it is said.", minimum=SLOWEST, maximum=FASTEST),
        Option("pitch", 0.0, "How high it is said.", minimum=-MOST_PITCH_ST, maximum=MOST_PITCH_ST, unit="semitones"),
    )

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in words; raises NotASound for whatever it is shown."""
        raise NotASound(path=name, reason="this engine speaks from words alone")

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Speak a text. Raises OptionUnfit, TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear, LanguageUnspoken,
        VoiceMissing, SpeechFailed, and NotASound when it is given a file to work on.
        """
        cancel.check()
        for item in request.inputs:
            raise NotASound(path=item.name, reason="this engine speaks from words alone")
        settings = checked(request, self.options)
        play = cast(settings)
        notes = list(play.notes)
        manner = Manner(float(settings["rate"]), float(settings["pitch"]))
        spoken: list[Spoken] = []
        used: set[Voice] = set()
        total = len(play.parts)
        with Speech() as speech:
            for done, part in enumerate(play.parts):
                events(Progress(done, total, "speaking"))
                cancel.check()
                delivery = _delivery(part, manner, request.seed)
                samples, voice = _said(speech, part, delivery, settings["voice"] == "auto", notes)
                used.add(voice)
                spoken.append(Spoken(samples, voice.id, delivery.gain_db, part.piece.sentence, part.piece.pause_ms))
        cancel.check()
        events(Progress(total, total, "speaking"))
        if not any(len(piece.samples) for piece in spoken):
            raise SpeechFailed(voice=next(iter(used)).name, reason="silence")
        sound, spans_ms = join(spoken, play.lead_ms)
        permit.verify_faces(0)
        info = MediaInfo.of_sound(
            sound[:, None],
            RATE_HZ,
            origin="trainedAlgorithmicMedia" if any(voice.trained for voice in used) else "algorithmicMedia",
            engine=self.id,
            engine_version=self.version,
        )
        info = replace(info, warnings=tuple(dict.fromkeys(notes)), spans_ms=spans_ms)
        return SyntheticMedia(sound[:, None], info)


def outline(request: Request) -> Cast:
    """What a request will say, without saying it; raises what `Stock.run` raises for its options."""
    return cast(checked(request, Stock.options))


def _delivery(part: Part, asked: Manner, seed: int) -> _Delivery:
    """Markup, options, emphasis and the seed's variation together, within what the voices can do."""
    pace, pitch_st, gain_db = _EMPHASES[part.piece.manner.emphasis]
    if seed:
        chance = np.random.Generator(np.random.PCG64([seed, part.piece.sentence]))
        pace *= 1 + chance.uniform(-_PACE_SHARE, _PACE_SHARE)
        pitch_st += chance.uniform(-_PITCH_ST, _PITCH_ST)
    rate = pace * asked.rate * part.piece.manner.rate
    pitch_st += asked.pitch_st + part.piece.manner.pitch_st
    return _Delivery(min(max(rate, SLOWEST / 2), FASTEST * 1.5), min(max(pitch_st, -10.0), 10.0), gain_db)


def _said(speech: Speech, part: Part, delivery: _Delivery, may_change: bool, notes: list[str]) -> tuple[Mono, Voice]:
    """One piece at RATE_HZ without its silence, and who said it; tried twice where its length cannot be right."""
    voice, piece = part.voice, part.piece
    for attempt in range(2):
        try:
            samples = trimmed(_speak(speech, voice, piece.text, piece.language, delivery))
        except VoiceMissing:
            if not (may_change and voice.library == "flite"):
                raise
            notes.append("flite is not installed; the formant voice speaks instead")
            voice = ANY
            samples = trimmed(_speak(speech, voice, piece.text, piece.language, delivery))
        if is_plausible(len(samples) / RATE_HZ, piece.text, piece.language, delivery.rate):
            break
        if attempt == 0:
            speech.restart()
        else:
            notes.append("a sentence is much shorter or longer than its words; listen to it")
    return samples, voice


def _speak(speech: Speech, voice: Voice, text: str, language: str, delivery: _Delivery) -> Mono:
    if voice.library == "espeak":
        words = round(min(max(_WORDS_A_MINUTE * delivery.rate, _SLOWEST_WORDS), _FASTEST_WORDS))
        pitch = round(min(max(50 + delivery.pitch_st * _PITCH_A_SEMITONE, 0), 99))
        own = LANGUAGES[language] + (f"+{voice.own}" if voice.own else "")
        rate_hz, samples = speech.espeak(own, text, words_a_minute=words, pitch=pitch)
        return resample(samples, rate_hz)
    higher = 2 ** (delivery.pitch_st / 12)
    pace = voice.pace * delivery.rate
    if voice.mean_hz:
        rate_hz, samples = speech.flite(voice.own, text, rate=pace, pitch_hz=voice.mean_hz * higher)
        return resample(samples, rate_hz)
    # This voice keeps its pitch whatever it is told: it speaks slower by as much as it is then played faster.
    rate_hz, samples = speech.flite(voice.own, text, rate=pace / higher)
    return resample(samples, rate_hz * higher)
