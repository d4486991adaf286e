"""How a text is read for the review: many spellings of one phrase become one string of letters, with the way back.

Folding goes sign by sign, so that each letter knows where it stood: NFKD without marks, casefold, width, look-alike
letters, traditional to simplified; zero-width signs vanish. Then separators are left out and runs of one letter are
made one. A text has up to four such readings: as written, with digits and signs as letters (1 as i, 1 as l), and with
every hanzi spoken as its toneless syllable. Phrases are folded the same way, and a phrase found in a reading is looked
at again in the text: does it begin and end at words, are the letters all there, and is no sentence's end between them.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from compliance.errors import ReviewListDamaged

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Kinds of folded signs. The first three tell how far apart a separator holds its neighbours.
_SIGN, _SPACE, _STOP, _LETTER, _WIDE = 1, 2, 3, 10, 11
_ALL = 0x110000
_DROPPED = 0xFFFFFFFF
_HAN, _HAN_END = 0x4E00, 0xA000
_SYLLABLE_LETTERS = 6

_TABLES: Final = {
    "traditional.txt": "08af6532b33bd74a8a5950cd32a29a5131d1662f727a8f459ba672cf1d89a5f7",
    "pinyin.txt": "cea938ee783a670105332e2448261e2c841edd9827b15bc05cc8ae7f3c50b920",
}
"""The tables beside the lists, by SHA-256: a shortened table would let spellings through without a word."""

# Letters of other scripts and styles that are drawn like Latin ones; NFKD does not join them.
_LOOKALIKES = {
    **dict(zip("аеорсухіѕјкмтнвԁԛԝһ", "aeopcyxisjkmthbdqwh", strict=True)),
    **dict(zip("οαεικνρτυχ", "oaeikvptux", strict=True)),
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True)),
    **dict(zip("ıłøđħŧƙƴɡɑɩ", "ilodhtkygai", strict=True)),
    "æ": "ae",
    "œ": "oe",
}
# Blocks of styled capitals that NFKD leaves alone: negative circled, negative squared.
_STYLED_CAPITALS = (0x1F150, 0x1F170)
_STOPS = frozenset(".,;:!?。、؟،।…")
# Signs that are drawn as nothing though they are letters, symbols or spaces.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
_BLANK_SPACES = frozenset("\u2800")
# Scripts written without spaces between words.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0x20000, 0x3FFFF),
)

_DIGIT_LETTERS = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "€": "e"}
_STROKES = {"1", "!", "|"}


@dataclass(frozen=True, slots=True)
class _Tables:
    """One row a code point.

    fold: the folded sign, _DROPPED, or _ALL + n for the n-th of `many`. kind: of folded signs. leet: digits and
    signs as letters, strokes as i and as l. syllable: one row a hanzi from _HAN on, and how many letters of it count.
    """

    fold: Codes
    kind: npt.NDArray[np.uint8]
    many: tuple[tuple[int, ...], ...]
    leet: tuple[Codes, Codes]
    leet_sign: Flags
    syllable: Codes
    syllable_letters: npt.NDArray[np.int64]


def _table_text(name: str) -> str:
    data = (resources.files("resources") / "review" / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != _TABLES[name]:
        raise ReviewListDamaged(list=name, reason="its digest differs")
    return data.decode().partition("\n")[2]


def _kind_of(code: int) -> int:
    sign = chr(code)
    category = unicodedata.category(sign)
    if category[0] in "LN":
        return _WIDE if any(first <= code <= last for first, last in _UNSPACED) else _LETTER
    if sign in _STOPS:
        return _STOP
    return _SPACE if sign.isspace() or sign in _BLANK_SPACES else _SIGN


def _folded(sign: str, simplified: dict[str, str]) -> str:
    """One sign as its plain form: no, one or several signs."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sign).casefold())
    found = []
    for one in plain:
        category = unicodedata.category(one)
        if one in _BLANKS or category in ("Mn", "Me", "Cf", "Cs") or (category == "Cc" and not one.isspace()):
            continue
        found.append(_LOOKALIKES.get(one, simplified.get(one, one)))
    return "".join(found)


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """Made once, in about a tenth of a second; raises ReviewListDamaged when a table on disk is not the shipped one."""
    joined = _table_text("traditional.txt").replace("\n", "")
    simplified = dict(zip(joined[::2], joined[1::2], strict=True))
    fold = np.arange(_ALL, dtype=np.uint32)
    kind = np.full(_ALL, _SIGN, np.uint8)
    many: list[tuple[int, ...]] = []
    unchanged = [(0x3400, _HAN_END), (0xAC00, 0xD7A4), (0xE000, 0xF900), (0xD800, 0xE000)]
    for first, last in (*unchanged[:2], (0x20000, 0x2F800), (0x30000, 0x34000)):
        kind[first:last] = _WIDE
    fold[0xD800:0xE000] = _DROPPED
    fold[0xE0000:0xE1000] = _DROPPED  # tags and variation selectors
    for old, new in simplified.items():
        fold[ord(old)] = ord(new)
    skipped = np.zeros(_ALL, bool)
    for first, last in unchanged:
        skipped[first:last] = True
    # What lies elsewhere has no other form: rare scripts, private signs, hanzi of the later extensions.
    for start, stop in ((0, 0x10000), (0x10400, 0x10450), (0x1D400, 0x1D800), (0x1F000, 0x1FC00), (0x2F800, 0x2FA20)):
        for code in (start + np.flatnonzero(~skipped[start:stop])).tolist():
            plain = _folded(chr(code), simplified)
            letters = [one for one in plain if _kind_of(ord(one)) >= _LETTER]
            if plain and len(plain) > 1:
                # Of several signs the letters count: (a) is a. Signs alone are one separator.
                plain = "".join(letters) or plain[0]
            if len(plain) > 1:
                fold[code] = _ALL + len(many)
                many.append(tuple(map(ord, plain)))
            else:
                fold[code] = ord(plain) if plain else _DROPPED
            kind[code] = _kind_of(code)
    for start in _STYLED_CAPITALS:
        fold[start : start + 26] = np.arange(97, 123)
    leet = tuple(np.arange(_ALL, dtype=np.uint32) for _ in range(2))
    leet_sign = np.zeros(_ALL, bool)
    for table, letters_of in zip(
        leet, ({**_DIGIT_LETTERS, **dict.fromkeys(_STROKES, one)} for one in "il"), strict=True
    ):
        for sign, letter in letters_of.items():
            table[ord(sign)] = ord(letter)
            leet_sign[ord(sign)] = True
    spoken = np.zeros((_HAN_END - _HAN, _SYLLABLE_LETTERS), np.uint32)
    spoken[:, 0] = np.arange(_HAN, _HAN_END)
    lengths = np.ones(_HAN_END - _HAN, np.int64)
    for line in _table_text("pinyin.txt").splitlines():
        syllable, _, signs = line.partition(" ")
        at = [ord(sign) - _HAN for sign in signs]
        spoken[at, : len(syllable)] = list(map(ord, syllable))
        lengths[at] = len(syllable)
    return _Tables(fold, kind, tuple(many), (leet[0], leet[1]), leet_sign, spoken, lengths)


# --- phrases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """One spelling of a phrase as it is looked for.

    letters: without separators, runs of one letter made one. counts: how long each run is at least. before, inside:
    runs before and within which the phrase itself has a gap, so that the text may have spaces there.
    """

    letters: str
    counts: tuple[int, ...]
    before: frozenset[int]
    inside: frozenset[int]

    @property
    def length(self) -> int:
        """Letters with their repeats."""
        return sum(self.counts)


def forms(phrase: str, *, spoken: bool) -> tuple[Form, ...]:
    """The spellings of a phrase: as written and, when `spoken`, by the syllables of its hanzi."""
    text = Text(phrase)
    found = [_form(text.written)]
    if spoken and any(_HAN <= code < _HAN_END for code in text.folded.tolist()):
        found.append(_form(text.spoken))
    return tuple(found)


def _form(reading: Reading) -> Form:
    starts = [*reading.run_starts.tolist(), reading.codes.size]
    gaps = [at for at in range(1, reading.codes.size) if reading.edges[at]]
    return Form(
        reading.letters,
        tuple(stop - start for start, stop in pairwise(starts)),
        frozenset(starts.index(at) for at in gaps if at in starts),
        frozenset(_run_of(at, starts) for at in gaps if at not in starts),
    )


def _run_of(at: int, starts: list[int]) -> int:
    return sum(start <= at for start in starts) - 1


# --- texts -----------------------------------------------------------------------------------------------------------


class Reading:
    """One way to read a text: its letters and digits, without separators.

    codes: the letters. source: the place of each in the folded text. Gaps and edges are worked out when first asked.
    """

    def __init__(self, text: Text, codes: Codes, source: Places, folded: Codes, kinds: npt.NDArray[np.uint8]) -> None:
        self.text, self.codes, self.source = text, codes, source
        self._folded, self._kinds = folded, kinds
        first = np.ones(codes.size, bool)
        np.not_equal(codes[1:], codes[:-1], out=first[1:])
        self._first = first
        self.letters: str = codes[first].astype("<u4", copy=False).tobytes().decode("utf-32-le")

    @cached_property
    def run_starts(self) -> Places:
        """Where each run of one letter begins."""
        return np.flatnonzero(self._first)

    @cached_property
    def gaps(self) -> npt.NDArray[np.uint8]:
        """What stands before each letter: 0 nothing, 1 a sign, 2 a space, 3 the end of a sentence or its part."""
        kinds, size = self._kinds, self._kinds.size
        levels = np.where(kinds >= _LETTER, 0, kinds).astype(np.uint8)
        # A dot within a word is a sign, a dot before a space ends a sentence.
        dots = np.flatnonzero(self._folded == ord("."))
        followed = np.minimum(dots + 1, size - 1)
        levels[dots[(kinds[followed] != _SPACE) & (dots + 1 < size)]] = _SIGN
        found = np.zeros(self.source.size, np.uint8)
        if found.size:
            # Of several letters out of one sign the first has what stands before the sign.
            first = np.append(True, self.source[1:] != self.source[:-1])
            places = self.source[first]
            found[first] = np.maximum.reduceat(levels[: places[-1] + 1], np.append(0, places[:-1]))
        return found

    @cached_property
    def edges(self) -> Flags:
        """Where a word may begin: after a gap, and on either side of a sign of a script without spaces."""
        wide = self._kinds[self.source] == _WIDE
        found = np.asarray(self.gaps > 0)
        found[1:] |= wide[1:] | wide[:-1]
        # Several letters out of one sign stay together.
        origin = self.text.origin[self.source]
        found[1:] &= origin[1:] != origin[:-1]
        found[:1] = True
        return found

    @cached_property
    def replaced(self) -> Flags:
        """Letters that stand for a digit or a sign of the text."""
        own = self.text.folded[self.source]
        return np.asarray((self.codes != own) & self.text.tables.leet_sign[own])

    def span(self, form: Form, last_run: int) -> tuple[int, int] | None:
        """Where a form ending with this run stands in the original text, [start, end); None when it does not hold."""
        starts, size = self.run_starts, self.codes.size
        first_run = last_run - len(form.counts) + 1
        stops = [*starts[first_run + 1 : last_run + 2].tolist()]
        if len(stops) < len(form.counts):
            stops.append(size)
        begins = starts[first_run : last_run + 1].tolist()
        if any(stop - begin < count for begin, stop, count in zip(begins, stops, form.counts, strict=True)):
            return None
        # The first and the last letter may be repeated beyond the phrase ("kill loud"): the nearest edges count.
        heads = np.flatnonzero(self.edges[begins[0] : stops[0] - form.counts[0] + 1])
        ends = np.append(self.edges[begins[-1] + form.counts[-1] : min(stops[-1] + 1, size)], stops[-1] == size)
        tails = np.flatnonzero(ends)
        if not heads.size or not tails.size:
            return None
        start, stop = begins[0] + int(heads[-1]), begins[-1] + form.counts[-1] + int(tails[0])
        if not self._holds_together(form, start, stop, begins):
            return None
        if self is not self.text.written and self.replaced[start:stop].sum() * 2 > stop - start:
            return None
        origin = self.text.origin
        return int(origin[self.source[start]]), int(origin[self.source[stop - 1]]) + 1

    def _holds_together(self, form: Form, start: int, stop: int, begins: list[int]) -> bool:
        """Whether what separates the letters may stand within the phrase."""
        gaps = self.gaps[start + 1 : stop]
        if not gaps.any() or (gaps > 0).all():  # written in one, or letter by letter
            return True
        if (gaps == _STOP).any():
            return False
        if form.length >= 8:  # too long to come about between two words
            return True
        spaces = [start, *(start + 1 + np.flatnonzero(gaps == _SPACE)).tolist(), stop]
        # A single letter on either side of a space stands alone: "k ill".
        return all(
            at - left == 1 or right - at == 1 or self._may_part(form, at, begins)
            for left, at, right in zip(spaces, spaces[1:], spaces[2:], strict=False)
        )

    def _may_part(self, form: Form, at: int, begins: list[int]) -> bool:
        """Whether the phrase itself has a gap here, or its script has none at all."""
        run = _run_of(at, begins)
        return run in form.before if begins[run] == at else run in form.inside


class Text:
    """A text with its readings; any string will do, lone surrogates too.

    folded: the signs after folding, separators among them. origin: the place of each in the text.
    """

    def __init__(self, text: str) -> None:
        self.tables = _tables()
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        folded = self.tables.fold[codes]
        origin: Places = np.arange(folded.size)
        if folded.size and folded.max() >= _ALL:
            kept = folded != _DROPPED
            folded, origin = folded[kept], origin[kept]
            several = folded >= _ALL
            if several.any():
                folded, origin = self._spread(folded, origin, several)
        self.folded: Codes = folded
        self.origin = origin
        self.kinds = self.tables.kind[folded]

    def _spread(self, folded: Codes, origin: Places, several: Flags) -> tuple[Codes, Places]:
        """Put the letters of signs that stand for several in their place."""
        many = [self.tables.many[code - _ALL] for code in folded[several].tolist()]
        counts = np.ones(folded.size, np.int64)
        counts[several] = [len(one) for one in many]
        spread = np.repeat(folded, counts)
        spread[np.repeat(several, counts)] = [code for one in many for code in one]
        return spread, np.repeat(origin, counts)

    @cached_property
    def written(self) -> Reading:
        """The text as written."""
        return self._reading(self.folded, self.kinds)

    @cached_property
    def _latin(self) -> Flags:
        return np.asarray((self.folded >= 97) & (self.folded <= 122))

    @cached_property
    def spoken(self) -> Reading:
        """The text with each hanzi as its syllable; digits, which mark tones, part nothing and say nothing."""
        digits = (self.folded >= 48) & (self.folded <= 57)
        kinds = np.where(digits, np.uint8(_SIGN), self.kinds)
        source = np.flatnonzero(kinds >= _LETTER)
        letters = self.folded[source]
        han = (letters >= _HAN) & (letters < _HAN_END)
        rows = np.where(han, letters, _HAN) - _HAN
        counts = np.where(han, self.tables.syllable_letters[rows], 1)
        syllables = self.tables.syllable[rows]
        syllables[:, 0] = np.where(han, syllables[:, 0], letters)
        spoken = syllables[np.arange(_SYLLABLE_LETTERS) < counts[:, None]]
        return Reading(self, spoken, np.repeat(source, counts), self.folded, kinds)

    def readings(self) -> Iterator[Reading]:
        """All readings that can differ from one another."""
        yield self.written
        if self.tables.leet_sign[self.folded].any():
            yield from self._with_digits_as_letters()
        tones = (self.folded >= 49) & (self.folded <= 53)
        if ((self.folded >= _HAN) & (self.folded < _HAN_END)).any() or (tones[1:] & self._latin[:-1]).any():
            yield self.spoken

    def _with_digits_as_letters(self) -> Iterator[Reading]:
        signs, latin = self.tables.leet_sign[self.folded], self._latin
        # A stroke at the end of a word, or several, is punctuation.
        strokes = (self.folded == ord("!")) | (self.folded == ord("|"))
        if strokes.any():
            size = self.folded.size
            others = np.where(strokes, size, np.arange(size))
            following = np.minimum.accumulate(others[::-1])[::-1]
            signs &= ~strokes | np.append(latin | signs, False)[following]
        if not ((signs[1:] & latin[:-1]) | (signs[:-1] & latin[1:])).any():
            return
        replaced = self.folded[signs]
        ambiguous = ((replaced == ord("1")) | (replaced == ord("!")) | (replaced == ord("|"))).any()
        kinds = np.where(signs, np.uint8(_LETTER), self.kinds)
        for table in self.tables.leet[: 2 if ambiguous else 1]:
            folded = self.folded.copy()
            folded[signs] = table[replaced]
            yield self._reading(folded, kinds)

    def _reading(self, folded: Codes, kinds: npt.NDArray[np.uint8]) -> Reading:
        source = np.flatnonzero(kinds >= _LETTER)
        return Reading(self, folded[source], source, folded, kinds)


def readings(text: str) -> tuple[str, ...]:
    """The letters of a text in each way it is read."""
    return tuple(reading.letters for reading in Text(text).readings())
