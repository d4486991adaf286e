"""From a text to what is said piece by piece: signs that cannot be said, languages, sentences, numbers in words.

Shared by all voices. `read_text` does the whole way; every step can be used alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from compliance.errors import TextEmpty, TextTooLong
from engines.voice import numbers_en, numbers_zh
from engines.voice.markup import Manner, Pause, Words, read_markup

LONGEST_TEXT: Final = 20_000
"""Characters that are spoken at once: some twenty minutes."""
LONGEST_CHUNK: Final = {"zh": 60, "ja": 60}
_USUAL_CHUNK = 240
SENTENCE_PAUSE_MS: Final = 320
PARAGRAPH_PAUSE_MS: Final = 650
CHUNK_PAUSE_MS: Final = 0

# The language that a script stands for, by the first word of the Unicode name of a letter.
_SCRIPTS: Final = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "LATIN": "",
    "FULLWIDTH": "",
}
# Languages written in Latin letters keep them; the rest hand Latin words on to the English voice.
_LATIN = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "sk", "hu", "ro", "tr", "vi")
_SIGNS_A_WORD = 1.6
_SENTENCE = re.compile(r".*?(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？!?…]+[”’」』）]*|\n+|$)", re.DOTALL)
_ABBREVIATED = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e|etc|[A-Z])\.)$")
_CLAUSE = re.compile(r"(?<=[,;:])\s+|(?<=[，；：、—])\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """What is said in one breath: words ready for a voice.

    language: two letters. sentence: counted through the whole text, from 0. pause_ms: silence behind it. written: the
    words as they stood in the text, for subtitles.
    """

    text: str
    written: str
    language: str
    manner: Manner
    sentence: int
    pause_ms: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it will be said. notes: what was left out or done otherwise, for the user; lead_ms: silence before."""

    pieces: tuple[Piece, ...]
    notes: tuple[str, ...]
    lead_ms: int = 0

    @property
    def language(self) -> str:
        """The language that most of it is in."""
        weights: dict[str, int] = {}
        for piece in self.pieces:
            weights[piece.language] = weights.get(piece.language, 0) + len(piece.text)
        return max(weights, key=lambda name: weights[name])


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without control characters, emoji and half characters, composed (NFC); and notes on what went."""
    kept: list[str] = []
    controls = pictures = 0
    for sign in unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n"):
        kind = unicodedata.category(sign)
        if sign in "\n\t":
            kept.append("\n" if sign == "\n" else " ")
        elif kind in ("Cc", "Cs", "Co", "Cn"):
            controls += 1
            kept.append(" ")
        elif kind == "Cf" or sign in "\ufe0e\ufe0f\u20e3":
            continue  # joins and directions: they shape letters and say nothing
        elif _is_picture(sign, kind):
            pictures += 1
            kept.append(" ")
        elif kind.startswith("Z"):
            kept.append(" ")
        else:
            kept.append(sign)
    notes = []
    if controls:
        notes.append("control characters in the text were left out")
    if pictures:
        notes.append("emoji and other pictures in the text were left out")
    return "".join(kept), tuple(notes)


def _is_picture(sign: str, kind: str) -> bool:
    return (kind == "So" and sign not in "°№℃℉©®™") or (kind == "Sk" and sign >= "\U0001f3fb")


def language_of(sign: str, han: str = "zh") -> str | None:
    """The language that a letter stands for; "" for Latin letters, None for signs that belong to any."""
    if not sign.isalpha():
        return None
    if sign.isascii():
        return ""
    script = unicodedata.name(sign, "?").split()[0]
    found = _SCRIPTS.get(script.split("-")[0], "?")
    return han if found == "zh" else found


def language_runs(text: str, language: str = "auto") -> list[tuple[str, str]]:
    """(language, text) by runs of script. language: "auto", or the one that Latin and undecided letters are in.

    A sentence that is mostly Chinese keeps its Latin words, as Chinese voices can read them; other letters go to the
    language of their script. A script that nobody here can say gives "?".
    """
    latin = language if language in _LATIN else "en"
    han = "ja" if language == "ja" or re.search(r"[\u3040-\u30ff]", text) else "zh"
    found = [language_of(sign, han) for sign in text]
    words = len(re.findall(r"[A-Za-z]+", text))
    others = [name for name in found if name]
    main = max(sorted(set(others)), key=others.count) if others else ""
    if main == "zh" and others.count(main) > _SIGNS_A_WORD * words:
        latin = main
    fallback = main or (language if language != "auto" else latin)
    runs: list[tuple[str, str]] = []
    for sign, name in zip(text, found, strict=True):
        said = latin if name == "" else name
        if said is None:
            said = runs[-1][0] if runs else ""
        if runs and runs[-1][0] in (said, ""):
            runs[-1] = (said, runs[-1][1] + sign)
        else:
            runs.append((said, sign))
    return [(name or fallback, run) for name, run in runs]


def sentences(text: str) -> Iterator[tuple[str, bool]]:
    """(sentence, whether a paragraph ends with it) of a text in any language."""
    place, held = 0, ""
    while place < len(text):
        found = _SENTENCE.match(text, place)
        if found is None or found.end() == place:
            break
        place = found.end()
        part = held + found[0]
        if _ABBREVIATED.search(part.rstrip()) and place < len(text) and not part.endswith("\n"):
            held = part
            continue
        held = ""
        if part.strip():
            yield part.strip(), part.endswith("\n") or text[place : place + 2].startswith("\n")
        elif part.endswith("\n"):
            continue
    if held.strip():
        yield held.strip(), True


def chunks(text: str, longest: int) -> list[str]:
    """A long sentence in parts of at most longest characters: at its commas, else between words, else anywhere."""
    if len(text) <= longest:
        return [text]
    parts: list[str] = []
    for clause in _CLAUSE.split(text):
        if parts and len(parts[-1]) + len(clause) < longest:
            parts[-1] = " ".join((parts[-1], clause)) if parts[-1][-1].isascii() else parts[-1] + clause
            continue
        while len(clause) > longest:
            cut = clause.rfind(" ", 1, longest)
            cut = cut if cut > 0 else longest
            parts.append(clause[:cut].strip())
            clause = clause[cut:].strip()
        parts.append(clause)
    return [part for part in parts if part.strip()]


def in_words(text: str, language: str) -> str:
    """Numbers, dates, sums and percentages in words, for English and Chinese; other languages are left to the voice."""
    if language == "en":
        return numbers_en.in_words(text)
    return numbers_zh.in_words(text) if language == "zh" else text


def is_sayable(text: str) -> bool:
    """Whether there is any letter or digit."""
    return any(sign.isalnum() for sign in text)


def read_text(text: str, *, language: str = "auto", markup: bool = True) -> Reading:
    """Read a text for speaking; language: of the words in Latin letters, "auto" for English.

    Raises TextEmpty, TextTooLong, MarkupUnclear. Languages that nobody speaks come out as "?"; the voice refuses them.
    """
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(characters=len(text), limit=LONGEST_TEXT)
    if not text.strip():
        raise TextEmpty(reason="no words were given")
    cleaned, notes = clean(text)
    marked = read_markup(cleaned) if markup else [Words(cleaned)]
    pieces: list[Piece] = []
    lead_ms, number = 0, 0
    goes_on = False
    for part in marked:
        if isinstance(part, Pause):
            if pieces:
                pieces[-1] = replace(pieces[-1], pause_ms=part.ms)
                goes_on = False
            else:
                lead_ms += part.ms
            continue
        for sentence, is_last in sentences(part.text):
            if not is_sayable(sentence):
                continue
            number += int(bool(pieces) and not goes_on)
            new = list(_pieces(sentence, language, part.manner, number))
            ends = is_last or bool(re.search(r"[.!?…。！？][\"'”’)\]」』）]*$", sentence))
            pause_ms = PARAGRAPH_PAUSE_MS if is_last else SENTENCE_PAUSE_MS if ends else CHUNK_PAUSE_MS
            pieces += [*new[:-1], replace(new[-1], pause_ms=pause_ms)]
            goes_on = not ends
    if not pieces:
        raise TextEmpty(reason="it has no letters or digits")
    pieces[-1] = replace(pieces[-1], pause_ms=pieces[-1].pause_ms if isinstance(marked[-1], Pause) else 0)
    return Reading(tuple(pieces), notes, lead_ms)


def _pieces(sentence: str, language: str, manner: Manner, number: int) -> Iterator[Piece]:
    for name, run in language_runs(sentence, language):
        if not is_sayable(run):
            continue
        for chunk in chunks(run.strip(), LONGEST_CHUNK.get(name, _USUAL_CHUNK)):
            if is_sayable(chunk):
                yield Piece(in_words(chunk, name), chunk, name, manner, number, CHUNK_PAUSE_MS)
