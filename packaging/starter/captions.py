"""Draws scenes and writes their words: what a picture shows is decided first, then said, then painted from the words.

Every word comes from the painter's own list. A caption that the painter hears otherwise than it was meant is drawn
again, so captions and pictures never contradict each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from engines.picture.scene.painting import KINDS, kind_of
from engines.picture.scene.parser import parse
from engines.picture.scene.words import english

Rng = np.random.Generator

_COLOURS = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
_LANDS = ("mountains", "hills", "forest", "desert", "sea", "city", "meadow", "beach", "volcano", "island", "tundra")
_SHAPES = ("waves", "circles", "stripes", "marble", "spiral", "mosaic")
_CUTS = ("long", "short", "curly", "bald")

ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "land": _LANDS,
    "time": ("day", "sunset", "night"),
    "weather": ("clear", "storm", "snow", "fog"),
    "person": ("woman", "man"),
    "hair": _CUTS,
    "background": _COLOURS,
    "vase": _COLOURS,
    "planet": _COLOURS,
    "pattern": _SHAPES,
}
"""What the gate asks of a picture, and the answers. A scene answers only what its caption says."""

_COLOURED = {"background": "place:background", "vase": "thing:vase", "planet": "cosmos:planet"}

# What may stand in which land, beside what may stand in all.
_THINGS = {
    "mountains": ("house", "pines", "tree", "birds", "flowers"),
    "hills": ("house", "tree", "cherry", "birds", "balloon", "path", "pagoda"),
    "forest": ("house", "path", "birds", "flowers"),
    "desert": ("pyramids", "cactus", "birds", "balloon"),
    "sea": ("boat", "lighthouse", "birds"),
    "city": ("birds", "balloon", "boat"),
    "meadow": ("flowers", "tree", "house", "balloon", "birds", "path"),
    "beach": ("palms", "boat", "birds", "lighthouse"),
    "volcano": ("birds", "tree"),
    "island": ("boat", "birds"),
    "tundra": ("pines", "house"),
}
_MANY = ("boat", "house", "tree", "balloon")
_TIMES = ("sunrise", "day", "day", "sunset", "sunset", "dusk", "night", "night", "")
_WEATHERS = ("", "", "", "clear", "clear", "cloudy", "storm", "rain", "snow", "fog")
_HAIR = ("black", "brown", "yellow", "red", "gray", "white")
_COUNTS = {2: "two", 3: "three", 4: "four"}
# Words that mean something else beside other words, or make no phrase.
_ODD = frozenset(("early morning", "t-shirt", "fall", "still water", "wave of the sea", "mount", "rolling", "horizon"))


@dataclass(frozen=True, slots=True)
class Scene:
    """What one picture shows. labels: attribute → answer, of those in ATTRIBUTES that the caption says."""

    caption: str
    labels: Mapping[str, str]


@cache
def words_for() -> dict[str, tuple[str, ...]]:
    """All words of the painter's list that mean one concept alone, the usual word first."""
    found: dict[str, list[str]] = {}
    for words, concepts in english().items():
        if len(concepts) == 1 and (text := " ".join(words)) not in _ODD:
            found.setdefault(concepts[0], []).append(text)
    return {concept: tuple(texts) for concept, texts in found.items()}


def all_words() -> tuple[str, ...]:
    """Every single word of the painter's list, sorted."""
    return tuple(sorted({word for words in english() for word in words}))


def scene(seed: int) -> Scene:
    """The scene of a number, its caption heard by the painter as it was meant."""
    for attempt in itertools.count():
        found, meant = _draw(np.random.default_rng([seed, attempt]))
        wish = parse(found.caption)
        heard = {mention.concept for mention in wish.mentions} | {f"colour:{name}" for name in wish.colours}
        coloured = {(mention.concept, mention.colour) for mention in wish.mentions}
        colours = {(concept, found.labels[name]) for name, concept in _COLOURED.items() if name in found.labels}
        fits = not wish.ignored and meant <= heard and colours <= coloured
        if fits and kind_of(wish) == found.labels["kind"]:
            return found
    raise AssertionError


class _Words:
    """Says concepts in changing words and remembers what was meant."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.meant: set[str] = set()

    def pick(self, values: Sequence[str]) -> str:
        """One of the values, all alike."""
        return values[int(self.rng.integers(len(values)))]

    def chance(self, share: float) -> bool:
        """True for that share of the calls."""
        return bool(self.rng.random() < share)

    def say(self, concept: str) -> str:
        """A word for a concept; in three of five cases the usual one."""
        texts = words_for()[concept]
        self.meant.add(concept)
        return texts[0] if self.chance(0.6) else self.pick(texts)

    def colour(self, name: str) -> str:
        """A word for a colour, with a space behind it; nothing for no colour."""
        return f"{self.pick(words_for()[f'colour:{name}'][:2])} " if name else ""

    def some(self, thing: str) -> str:
        """One thing with its article, or several."""
        if thing in _MANY and self.chance(0.3):
            self.meant.add(f"thing:{thing}")
            return f"{_COUNTS[int(self.rng.integers(2, 5))]} {words_for()[f'thing:{thing}'][0]}s"
        word = self.say(f"thing:{thing}")
        if thing in ("birds", "flowers", "palms", "pines", "pyramids"):
            return word if word.endswith("s") or word == "geese" else f"{word}s"
        return _a(word)


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeio' else 'a'} {word}"


def _draw(rng: Rng) -> tuple[Scene, set[str]]:
    words = _Words(rng)
    draw: Callable[[_Words], tuple[str, dict[str, str]]]
    draw = (_landscape, _landscape, _landscape, _landscape, _portrait, _portrait, _still, _space, _abstract)[
        int(rng.integers(9))
    ]
    caption, labels = draw(words)
    return Scene(caption, {"kind": draw.__name__.removeprefix("_"), **labels}), words.meant


def _landscape(words: _Words) -> tuple[str, dict[str, str]]:
    land = words.pick(_LANDS)
    time = words.pick(_TIMES)
    weather = words.pick(_WEATHERS) if land != "desert" else words.pick(("", "clear"))
    if time in ("dusk", "night", "sunset", "sunrise") and weather in ("storm", "rain", "snow"):
        time = "day"
    labels = {"land": land} | ({"time": time} if time in ATTRIBUTES["time"] else {})
    labels |= {"weather": weather} if weather in ATTRIBUTES["weather"] else {}
    snowy = land in ("mountains", "forest") and weather not in ("storm", "rain") and words.chance(0.25)
    ground = (words.say("trait:snowy") + " " if snowy else "") + words.say(f"land:{land}")
    if land == "mountains" and ground.endswith(("mountain", "peak", "hill")):
        ground += "s"
    if land in ("mountains", "hills", "forest", "meadow") and words.chance(0.35):
        ground += f" and {_a(words.say(words.pick(('land:lake', 'land:river'))))}"
    parts = []
    if weather:
        parts.append(words.say(f"weather:{weather}"))
    shut = weather in ("storm", "rain", "snow", "fog")
    if not shut and time and words.chance(0.4):
        bodies = {"night": ("moon", "crescent", "stars", "aurora", "milkyway"), "day": ("sun", "rainbow")}
        parts.append("stars" if time == "dusk" else words.say(f"sky:{words.pick(bodies.get(time, ('sun',)))}"))
    things = words.rng.permutation(_THINGS[land])[: int(words.rng.integers(0, 3))]
    parts += [words.some(str(thing)) for thing in things]
    light = (
        (words.colour(words.pick(_COLOURS)) if words.chance(0.15) else "") + words.say(f"time:{time}") if time else ""
    )
    if not light:
        return ", ".join((ground, *parts)), labels
    if words.chance(0.5):
        return ", ".join((f"{_a(light)} over {ground}", *parts)), labels
    return ", ".join((ground, *parts, light)), labels


def _portrait(words: _Words) -> tuple[str, dict[str, str]]:
    person, cut = words.pick(("woman", "man")), words.pick(_CUTS)
    age = words.say(words.pick(("age:old", "age:young"))) + " " if words.chance(0.4) else ""
    who = f"{age}{words.say(f'person:{person}')}"
    parts = []
    if cut == "bald":
        words.meant.add("hair:bald")
        who = f"bald {who}"
    else:
        words.meant.add(f"hair:{cut}")
        colour = words.pick(_HAIR) if words.chance(0.7) else ""
        shade = "blonde " if colour == "yellow" else f"{colour} " if colour else ""
        parts.append(f"{cut} {shade}hair")
    if words.chance(0.6):
        parts.append(words.say(words.pick(("mood:smiling", "mood:sad", "mood:surprised", "mood:neutral"))))
    if words.chance(0.4):
        worn = words.pick(("glasses", "sunglasses", "hat", *(("beard",) if person == "man" else ("earrings",))))
        parts.append(words.say(f"wear:{worn}"))
    if words.chance(0.5):
        parts.append(words.colour(words.pick(_COLOURS)) + words.say("wear:shirt"))
    labels = {"person": person, "hair": cut}
    if words.chance(0.8):
        ground = words.pick(_COLOURS)
        labels["background"] = ground
        parts.append(words.colour(ground) + words.say("place:background"))
    start = words.pick(("portrait of ", "face of ", ""))
    return ", ".join((start + _a(who), *parts)), labels


def _still(words: _Words) -> tuple[str, dict[str, str]]:
    fruits = ("apple", "lemon", "pear", "plum")
    vase = words.pick(_COLOURS) if words.chance(0.8) else ""
    words.meant.add("kind:still")
    parts, labels = ["still life"], {}
    if vase:
        words.meant.add("thing:vase")
        labels["vase"] = vase
        flower = f"{words.colour(words.pick(_COLOURS))}{words.say('thing:flowers')}"
        parts.append(f"{flower if flower.endswith('s') else flower + 's'} in a {words.colour(vase)}vase")
    if words.chance(0.5) or not vase:
        parts.append(_a(words.say(words.pick(("thing:cup", "thing:candle")))))
    if words.chance(0.4) or not vase:
        fruit = words.pick(fruits)
        words.meant.add(f"fruit:{fruit}")
        parts.append(words.pick((_a(fruit), f"two {fruit}s", f"three {fruit}s")))
    if words.chance(0.4):
        parts.append(f"{words.colour(words.pick(_COLOURS))}{words.say('place:background')}")
    return ", ".join(parts), labels


def _space(words: _Words) -> tuple[str, dict[str, str]]:
    labels, parts = {}, []
    if words.chance(0.8):
        colour = words.pick(_COLOURS)
        labels["planet"] = colour
        words.meant.add("cosmos:planet")
        rings = f" with {words.say('cosmos:rings')}" if words.chance(0.5) else ""
        parts.append(f"{_a(words.colour(colour) + 'planet')}{rings}")
    if words.chance(0.4) or not parts:
        thing = words.pick(("nebula", "galaxy"))
        parts.append(words.colour(words.pick(_COLOURS)) + words.say(f"cosmos:{thing}"))
    parts.append(words.say("kind:space"))
    return ", ".join(parts), labels


def _abstract(words: _Words) -> tuple[str, dict[str, str]]:
    shape = words.pick(_SHAPES)
    first, second = (str(name) for name in words.rng.permutation(_COLOURS)[:2])
    said = (
        f"{words.say('kind:abstract')} of {words.colour(first)}and {words.colour(second)}{words.say(f'shape:{shape}')}"
    )
    return said, {"pattern": shape}
