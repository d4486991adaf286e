"""Who says what: from the options of a request to pieces with voices. Knows no library, so the studio asks it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from compliance.errors import LanguageUnspoken, OptionUnfit, TextTooLong
from engines.voice.catalogue import ANY, BY_ID, ENGLISH, LANGUAGES, TURNS, Voice
from engines.voice.script import read_script
from engines.voice.text import LONGEST_TEXT, Piece, read_text

_TURN_PAUSE_MS = 420


@dataclass(frozen=True, slots=True)
class Part:
    """One piece and who says it."""

    piece: Piece
    voice: Voice
    speaker: str


@dataclass(frozen=True, slots=True)
class Cast:
    """All that will be said, in order. notes: what is done otherwise than asked, for the user."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    lead_ms: int

    def lines(self) -> list[str]:
        """What is said in each sentence as it was written, speakers in front; for subtitles."""
        lines: dict[int, str] = {}
        for part in self.parts:
            before = lines.get(part.piece.sentence)
            text = part.piece.written.strip()
            if before is None:
                lines[part.piece.sentence] = ": ".join(filter(None, (part.speaker, text)))
            else:
                joint = " " if before[-1].isascii() and text[0].isascii() else ""
                lines[part.piece.sentence] = before + joint + text
        return [" ".join(lines[number].split()) for number in sorted(lines)]

    @property
    def language(self) -> str:
        """The language that most of it is in."""
        weights: dict[str, int] = {}
        for part in self.parts:
            weights[part.piece.language] = weights.get(part.piece.language, 0) + len(part.piece.text)
        return max(weights, key=lambda name: weights[name])


def cast(settings: Mapping[str, Any]) -> Cast:
    """Read the text or script of a request and give every piece a voice.

    settings: text, form, language, voice, voices of `engines.voice.stock`. Raises TextEmpty, TextTooLong,
    MarkupUnclear, ScriptUnclear, LanguageUnspoken, OptionUnfit.
    """
    text, language = str(settings["text"]), str(settings["language"])
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(characters=len(text), limit=LONGEST_TEXT)
    named = _named(str(settings["voices"]))
    wanted = str(settings["voice"])
    if settings["form"] != "script":
        if named:
            raise OptionUnfit(option="voices", value=str(settings["voices"])[:80], allowed="only with a script")
        reading = read_text(text, language=language)
        notes = list(reading.notes)
        parts = [_part(piece, wanted, "", notes) for piece in reading.pieces]
        return Cast(tuple(parts), tuple(dict.fromkeys(notes)), reading.lead_ms)
    speeches = read_script(text)
    speakers = list(dict.fromkeys(speech.speaker for speech in speeches))
    for speaker in named:
        if speaker not in speakers:
            raise OptionUnfit(option="voices", value=speaker[:80], allowed=", ".join(speakers))
    found: list[Part] = []
    notes, lead_ms, first = [], 0, 0
    for speech in speeches:
        reading = read_text(speech.text, language=language)
        notes += reading.notes
        wanted_here = named.get(speech.speaker, wanted)
        turn = speakers.index(speech.speaker)
        if found:
            last = found[-1]
            pause_ms = max(last.piece.pause_ms, _TURN_PAUSE_MS) + reading.lead_ms
            found[-1] = replace(last, piece=replace(last.piece, pause_ms=pause_ms))
        else:
            lead_ms = reading.lead_ms
        for piece in reading.pieces:
            placed = replace(piece, sentence=piece.sentence + first)
            found.append(_part(placed, wanted_here, speech.speaker, notes, turn))
        first = found[-1].piece.sentence + 1
    return Cast(tuple(found), tuple(dict.fromkeys(notes)), lead_ms)


def _named(voices: str) -> dict[str, str]:
    """The voices of speakers, "Anna=slt, Bo=formant"; raises OptionUnfit."""
    named: dict[str, str] = {}
    for word in filter(None, (word.strip() for word in voices.split(","))):
        speaker, equals, voice = word.partition("=")
        if not equals or not speaker.strip() or voice.strip() not in BY_ID:
            raise OptionUnfit(option="voices", value=word[:80], allowed=f"NAME=VOICE: {', '.join(BY_ID)}")
        named[" ".join(speaker.split())] = voice.strip()
    return named


def _part(piece: Piece, wanted: str, speaker: str, notes: list[str], turn: int | None = None) -> Part:
    if piece.language not in LANGUAGES:
        known = piece.language if piece.language != "?" else piece.written[:20]
        raise LanguageUnspoken(language=known)
    if wanted == "auto":
        if turn is None:
            return Part(piece, ENGLISH if piece.language == "en" else ANY, speaker)
        order = TURNS["en" if piece.language == "en" else ""]
        return Part(piece, BY_ID[order[turn % len(order)]], speaker)
    voice = BY_ID[wanted]
    if voice.library == "flite" and piece.language != "en":
        notes.append("this voice speaks English alone; the formant voice says the rest")
        voice = ANY
    return Part(piece, voice, speaker)
