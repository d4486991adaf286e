"""Reads a prompt: which known things are named, in which colour and number, what is excluded, what is unknown.

No grammar: the longest known word wins; a colour or number belongs to the next thing of the same clause (or, after
"is", to the thing before); "no" and "without" exclude the things up to the next clause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

from compliance.errors import OptionUnfit
from engines.picture.scene.words import TRADITIONAL, chinese, english, is_glue

_LONGEST_RUN = 4
_LATIN = re.compile(r"[a-z]+(?:['’][a-z]+)?")
_BREAKS = frozenset(",.;:!?，。；：！？、\n")
# Behind what was excluded, these go on with what is wanted; "or" does not.
_ENDS_NO = frozenset(("and", "的", "和", "与", "跟"))
# Behind these stands another thing: a colour before them is not its own.
_PLACES = frozenset(("on", "in", "at", "by", "of", "to", "from", "into", "onto", "through", "and", "or"))
_INVISIBLE = {"Cf", "Mn", "Me"}


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that the words name. concept: "group:value"; text: the words themselves."""

    concept: str
    text: str
    colour: str | None = None
    count: int | None = None

    @property
    def group(self) -> str:
        """The part before the colon."""
        return self.concept.partition(":")[0]

    @property
    def value(self) -> str:
        """The part behind the colon."""
        return self.concept.partition(":")[2]


@dataclass
class Wish:
    """What a prompt asks for. A painter takes what it paints with `wants`; what nobody took is told to the user."""

    mentions: tuple[Mention, ...]
    colours: tuple[str, ...]
    excluded: frozenset[str]
    ignored: tuple[str, ...]
    _taken: set[str] = field(default_factory=set)
    _short: list[str] = field(default_factory=list)

    def wants(self, concept: str) -> Mention | None:
        """The first mention of a concept, taken; None when it is not asked for or excluded."""
        return next(iter(self.all(concept)), None)

    def all(self, concept: str) -> list[Mention]:
        """Every mention of a concept ("group:value") or group ("group"), taken."""
        found = [m for m in self.mentions if concept in (m.concept, m.group) and m.concept not in self.excluded]
        self._taken.update(mention.concept for mention in found)
        return found

    def has(self, *groups: str) -> bool:
        """Whether anything of these groups or concepts is named; takes nothing."""
        return any(m.group in groups or m.concept in groups for m in self.mentions if m.concept not in self.excluded)

    def left(self) -> tuple[str, ...]:
        """Words that were understood but are not in the picture."""
        words = [m.text for m in self.mentions if m.concept not in self._taken and m.concept not in self.excluded]
        return tuple(dict.fromkeys((*words, *self._short)))

    def falls_short(self, text: str) -> None:
        """Say that a painter could not do this."""
        self._short.append(text)


def parse(prompt: str, negative: str = "") -> Wish:
    """Read a prompt; everything named in `negative` is excluded. Raises OptionUnfit for control characters."""
    found = _read(_plain(prompt, "prompt"))
    unwanted = _read(_plain(negative, "negative")) if negative else None
    excluded = found.excluded | (
        {m.concept for m in unwanted.mentions} | unwanted.excluded if unwanted else frozenset()
    )
    return replace(found, excluded=frozenset(excluded))


def _plain(text: str, option: str) -> str:
    """The text in one spelling: NFKC, lower case, simplified characters, no invisible signs."""
    for sign in text:
        if unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\t\r\n":
            raise OptionUnfit(option=option, value=ascii(sign), allowed="text without control characters")
    text = unicodedata.normalize("NFKC", text).lower().translate(TRADITIONAL)
    return "".join(sign for sign in text if unicodedata.category(sign) not in _INVISIBLE)


def _read(text: str) -> Wish:
    reader = _Reader()
    for concepts, word in _tokens(text):
        reader.take(concepts, word)
    reader.end_clause()
    return Wish(
        tuple(reader.mentions),
        tuple(dict.fromkeys(reader.colours)),
        frozenset(reader.excluded),
        tuple(dict.fromkeys(reader.ignored)),
    )


class _Reader:
    """The state of reading: the colour, number and "no" that wait for the thing they belong to."""

    def __init__(self) -> None:
        self.mentions: list[Mention] = []
        self.colours: list[str] = []
        self.excluded: set[str] = set()
        self.ignored: list[str] = []
        self._colour: str | None = None
        self._count: int | None = None
        self._size: tuple[str, str] | None = None
        self._before = ""
        self._is_negative = self._has_excluded = False
        self._is_copula = self._may_be_fruit = False

    def take(self, concepts: tuple[str, ...] | None, word: str) -> None:
        """One token: None for an unknown word, () for one that says nothing."""
        if concepts is None:
            self.ignored.append(word)
            # "a red car on a beach": the red is not the beach's.
            self._colour = self._count = None
        if self._has_excluded and word in _ENDS_NO:
            self._is_negative = self._has_excluded = False
        if word in _PLACES:
            self._let_go()
        for concept in concepts or ():
            group, _, value = concept.partition(":")
            match group:
                case "no":
                    self._is_negative = True
                case "is":
                    self._is_copula = True
                case "break":
                    self.end_clause()
                case "colour":
                    self._take_colour(value, word)
                case "count":
                    self._count = int(value)
                case "size":
                    self._size = (value, word)
                case _:
                    self._take_thing(concept, word)
        self._before = word

    def _take_colour(self, colour: str, word: str) -> None:
        if self._is_copula and self.mentions:
            self.mentions[-1] = replace(self.mentions[-1], colour=colour)
        else:
            if self._colour is not None:
                self.colours.append(self._colour)
            self._colour = colour
            self._may_be_fruit = word == "orange" and self._before in ("an", "one", "the")
        self._is_copula = False

    def _let_go(self) -> None:
        """A waiting colour belongs to nothing that comes; "an orange" was the fruit."""
        if self._colour is not None:
            if self._may_be_fruit:
                self.mentions.append(Mention("fruit:orange", "orange", "orange", self._count))
            else:
                self.colours.append(self._colour)
        self._colour = self._count = None

    def _take_thing(self, concept: str, word: str) -> None:
        concept, _, own_colour = concept.partition("=")
        if self._is_negative:
            self.excluded.add(concept)
            self._has_excluded = True
            self._colour = self._count = None
            return
        if concept == "hair:itself" and self._size is not None:
            # "long red hair": the length is a thing of its own here.
            self.mentions.append(Mention(f"hair:{self._size[0]}", self._size[1]))
        self._size = None
        self.mentions.append(Mention(concept, word, self._colour or own_colour or None, self._count))
        self._colour = self._count = None

    def end_clause(self) -> None:
        """A comma or "with": what still waits belongs to nothing."""
        self._let_go()
        if self._size is not None:
            self.ignored.append(self._size[1])
        self._size = None
        self._is_negative = self._has_excluded = self._is_copula = False


def _tokens(text: str) -> Iterator[tuple[tuple[str, ...] | None, str]]:
    """Concepts and words in order; English by words, everything else by the longest known run of signs."""
    place = 0
    unknown = known = ""
    while place < len(text):
        sign = text[place]
        latin = _LATIN.match(text, place)
        if latin is None and not sign.isspace() and sign not in _BREAKS:
            known = next((text[place : place + n] for n in range(8, 0, -1) if text[place : place + n] in chinese()), "")
            if not known and (unicodedata.category(sign)[0] in "LNS"):
                unknown += sign
                place += 1
                continue
        if unknown:
            yield None, unknown
            unknown = ""
        if latin is not None:
            place = yield from _english(text, place)
        elif sign in _BREAKS:
            yield ("break",), sign
            place += 1
        elif not sign.isspace() and known:
            yield chinese()[known], known
            place += len(known)
        else:
            place += 1
    if unknown:
        yield None, unknown


def _english(text: str, start: int) -> Generator[tuple[tuple[str, ...] | None, str], None, int]:
    """The longest known run of English words at a place; returns where it ends."""
    words: list[str] = []
    ends: list[int] = []
    place = start
    while len(words) < _LONGEST_RUN and (found := _LATIN.match(text, place)):
        words.append(found[0].replace("’", "'").removesuffix("'s"))
        ends.append(found.end())
        place = found.end()
        while place < len(text) and text[place] in " \t-":
            place += 1
    for length in range(len(words), 0, -1):
        concepts = _known(tuple(words[:length]))
        if concepts is not None:
            yield concepts, " ".join(words[:length])
            return ends[length - 1]
    if words[0] == "t" and len(words) > 1 and words[1] == "shirt":
        yield english()[("shirt",)], "t-shirt"
        return ends[1]
    yield (() if is_glue(words[0]) else None), words[0]
    return ends[0]


def _known(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The concepts of a run of words, also in the plural."""
    table = english()
    last = words[-1]
    forms = [last]
    if len(last) > 3 and last.endswith("s") and not last.endswith("ss"):
        forms += [last[:-1]]
        forms += [last[:-2]] if last.endswith("es") else []
        forms += [last[:-3] + "y"] if last.endswith("ies") else []
    return next((table[(*words[:-1], form)] for form in forms if (*words[:-1], form) in table), None)
