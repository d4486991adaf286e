"""What all neural voices share: options, the pieces of a text one after the other, and a look at how long they became.

Neural voices sometimes repeat themselves, go on with sounds that are no words, or stop half-way. What was said is
therefore compared with how long such a text usually takes; a piece far outside is spoken again with another seed, and
the take that comes closest is kept and warned about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from compliance.errors import LanguageUnspoken, OptionUnfit, SpeechFailed, TextTooLong
from engines.engine import Option, Request
from engines.job import CancelToken, Events, Progress
from engines.voice.casting import Cast, Part
from engines.voice.catalogue import ANY
from engines.voice.joining import RATE_HZ, Mono, Spoken, join, resample, trimmed
from engines.voice.length import expected_s, is_plausible
from engines.voice.script import read_script
from engines.voice.text import LONGEST_TEXT, Piece, read_text

N_LENGTH: Final = "a sentence is much shorter or longer than its words; listen to it"
N_LETTERS: Final = "signs that this voice does not know were left out"
N_PITCH: Final = "this voice cannot change its pitch; the tags for it were left out"
TAKES: Final = 3
# Far enough apart that neighbouring seeds share no piece and no take.
_NEXT_PIECE, _NEXT_TAKE = 1_000_003, 97
_TURN_PAUSE_MS = 420
# Pace and level in dB that an emphasis adds.
_EMPHASES: Final = {-1: (1.08, -3.0), 0: (1.0, 0.0), 1: (0.92, 2.0), 2: (0.84, 4.0)}
# Names that voices give to languages that the text front end calls by two letters.
_SAME_LANGUAGE: Final = {"cmn": "zh", "no": "nb", "jp": "ja"}

SHARED_OPTIONS: Final[tuple[Option, ...]] = (
    Option("pack", "", "The model pack."),
    Option("text", "", "What is said; a few tags may stand in it."),
    Option("form", "text", "A plain text, or a script with a speaker on each line.", choices=("text", "script")),
    Option("language", "auto", "Language of the words in Latin letters; auto finds it."),
    Option("voice", "", "Which voice of the pack speaks; the first one if left out."),
    Option("voices", "", "Who speaks for whom in a script: Anna=NAME, Bo=NAME."),
    Option("rate", 1.0, "How fast it is said.", minimum=0.5, maximum=2.0),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One piece and the voice of the pack that says it, "" where the pack names none."""

    piece: Piece
    voice: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """All that will be said, in order. notes: what is done otherwise than asked, for the user."""

    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    lead_ms: int


@dataclass(frozen=True, slots=True)
class Performance:
    """A text as it was spoken. samples: float32, (frames,), at joining.RATE_HZ. spans_ms: of each sentence."""

    samples: Mono
    spans_ms: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...]


Speak = Callable[[Line, float, int], Mono]
"""Speaks a line at a pace with a seed, at the rate of the voice."""


def language_key(name: str) -> str:
    """The two letters of a language as voices name it: "en-us", "zh-cn" and "cmn" become "en", "zh" and "zh"."""
    plain = name.replace("_", "-").split("-")[0].lower()
    return _SAME_LANGUAGE.get(plain, plain)


def named_language(piece: Piece, languages: Sequence[str]) -> str:
    """What the voice calls the language of a piece; the first of its names, "" where it names none."""
    return next((name for name in languages if language_key(name) == piece.language), "")


def verify_words(settings: Mapping[str, object]) -> None:
    """Look at the words before a model is loaded; raises TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear."""
    text = str(settings["text"])
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(characters=len(text), limit=LONGEST_TEXT)
    if settings["form"] == "script":
        read_script(text)
    else:
        read_text(text)


def outline(request: Request) -> Cast:
    """What a request to a neural voice will say, before its pack is loaded: for subtitles and for the notice.

    Raises TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear.
    """
    unnamed = {"text": "", "form": "text", "language": "auto", **request.options, "voice": "", "voices": ""}
    lines = read_lines(unnamed, (), ())
    # Who speaks is the pack's to say; only the words and the speakers' names are looked at.
    return Cast(tuple(Part(line.piece, ANY, line.speaker) for line in lines.lines), lines.notes, lines.lead_ms)


def read_lines(settings: Mapping[str, object], languages: Sequence[str], voices: Sequence[str]) -> Lines:
    """Read the text or script of a request for a pack that speaks these languages in these voices.

    A pack that names no languages gets whatever there is. Raises LanguageUnspoken, OptionUnfit, TextEmpty,
    TextTooLong, MarkupUnclear, ScriptUnclear.
    """
    verify_words(settings)
    text, latin = str(settings["text"]), _latin(str(settings["language"]), languages)
    usual = chosen("voice", str(settings["voice"]), voices)
    named = _named(str(settings["voices"]), voices)
    if settings["form"] != "script":
        if named:
            raise OptionUnfit(option="voices", value=str(settings["voices"])[:80], allowed="only with a script")
        reading = read_text(text, language=latin)
        lines = [Line(piece, usual) for piece in reading.pieces]
        return _spoken_by(languages, Lines(tuple(lines), reading.notes, reading.lead_ms))
    found: list[Line] = []
    notes: list[str] = []
    lead_ms = first = 0
    speeches = read_script(text)
    speakers = list(dict.fromkeys(speech.speaker for speech in speeches))
    for speaker in named:
        if speaker not in speakers:
            raise OptionUnfit(option="voices", value=speaker[:80], allowed=", ".join(speakers)[:400])
    for speech in speeches:
        reading = read_text(speech.text, language=latin)
        notes += reading.notes
        # Where nobody is named, the voices of the pack take turns.
        turn = voices[speakers.index(speech.speaker) % len(voices)] if voices and not settings["voice"] else usual
        voice = named.get(speech.speaker, turn)
        if found:
            pause_ms = max(found[-1].piece.pause_ms, _TURN_PAUSE_MS) + reading.lead_ms
            found[-1] = replace(found[-1], piece=replace(found[-1].piece, pause_ms=pause_ms))
        else:
            lead_ms = reading.lead_ms
        found += [
            Line(replace(piece, sentence=piece.sentence + first), voice, speech.speaker) for piece in reading.pieces
        ]
        first = found[-1].piece.sentence + 1
    return _spoken_by(languages, Lines(tuple(found), tuple(dict.fromkeys(notes)), lead_ms))


def _latin(wanted: str, languages: Sequence[str]) -> str:
    """The language that Latin letters are read in: the wanted one, else English if the pack can, else its own."""
    spoken = [language_key(name) for name in languages]
    if wanted in ("", "auto"):
        return "en" if "en" in spoken or not spoken else spoken[0]
    if spoken and language_key(wanted) not in spoken:
        raise LanguageUnspoken(language=wanted[:20])
    return language_key(wanted)


def _spoken_by(languages: Sequence[str], lines: Lines) -> Lines:
    spoken = {language_key(name) for name in languages}
    for line in lines.lines:
        if (spoken and line.piece.language not in spoken) or line.piece.language == "?":
            raise LanguageUnspoken(language=line.piece.language if spoken else line.piece.written[:20])
    return lines


def chosen(option: str, wanted: str, known: Sequence[str]) -> str:
    """One of the known names, the first when none is asked for, "" when none is known; raises OptionUnfit."""
    if not wanted:
        return known[0] if known else ""
    if wanted not in known:
        raise OptionUnfit(option=option, value=wanted[:80], allowed=", ".join(known)[:400] or "-")
    return wanted


def _named(text: str, voices: Sequence[str]) -> dict[str, str]:
    """The voices of speakers, "Anna=slt, Bo=Ann"; raises OptionUnfit."""
    named: dict[str, str] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        speaker, equals, voice = word.partition("=")
        if not equals or not speaker.strip() or voice.strip() not in voices:
            raise OptionUnfit(option="voices", value=word[:80], allowed=f"NAME=VOICE: {', '.join(voices)[:400]}")
        named[" ".join(speaker.split())] = voice.strip()
    return named


def perform(
    lines: Lines, speak: Speak, rate_hz: int, rate: float, seed: int, name: str, events: Events, cancel: CancelToken
) -> Performance:
    """Speak all lines, each up to three times when its length is odd, and join them.

    Emits Progress from 1 to the number of lines plus one; step 0 is the caller's. name: of the voice, for messages.
    Raises JobCancelled, SpeechFailed when nothing but silence came.
    """
    total = len(lines.lines) + 1
    notes = list(lines.notes)
    spoken: list[Spoken] = []
    for place, line in enumerate(lines.lines):
        cancel.check()
        events(Progress(1 + place, total, "speaking"))
        piece = line.piece
        if piece.manner.pitch_st:
            notes.append(N_PITCH)
        pace, gain_db = _EMPHASES[piece.manner.emphasis]
        pace *= rate * piece.manner.rate
        usual_s = expected_s(piece.text, piece.language, pace)
        best, best_away = np.zeros(0, np.float32), math.inf
        for take in range(TAKES):
            cancel.check()
            made = trimmed(resample(speak(line, pace, seed + place * _NEXT_PIECE + take * _NEXT_TAKE), rate_hz))
            made_s = len(made) / RATE_HZ
            if is_plausible(made_s, piece.text, piece.language, pace):
                best = made
                break
            # A voice without chance in it says the same however often it is asked.
            is_last = take == TAKES - 1 or (take > 0 and np.array_equal(made, best))
            away = abs(math.log(max(made_s, 0.01) / usual_s))
            if away < best_away:
                best, best_away = made, away
            if is_last:
                notes.append(N_LENGTH)
                break
        spoken.append(Spoken(best, line.voice, gain_db, piece.sentence, piece.pause_ms))
    cancel.check()
    events(Progress(total, total, "speaking"))
    if not any(len(piece.samples) for piece in spoken):
        raise SpeechFailed(voice=name, reason="silence")
    sound, spans_ms = join(spoken, lines.lead_ms)
    return Performance(sound, spans_ms, tuple(dict.fromkeys(notes)))
