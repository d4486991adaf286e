"""picture.sketch: what it refuses, what it reads in two languages, that seeds and sizes keep their word."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from compliance.errors import ExitCode, NotAPicture, OptionUnfit
from compliance.media import MediaInfo, Pixels, SyntheticMedia, unseal
from compliance.permit import Role
from engines.engine import Engine, load_engine
from engines.job import CancelToken
from engines.picture.scene.painting import KINDS, kind_of, paint
from engines.picture.scene.parser import Wish, parse
from engines.picture.scene.words import chinese, english
from tests.engines.conftest import permit_for, png, request_for


@pytest.fixture
def engine() -> Engine:
    """The engine."""
    return load_engine("picture.sketch")


def make(engine: Engine, seed: int = 0, inputs: dict[Role, bytes] | None = None, **options: Any) -> SyntheticMedia:
    """One run."""
    request = request_for(engine, tuple(inputs or {}), seed=seed, **options)
    return engine.run(request, permit_for(request), inputs or {}, lambda _event: None, CancelToken())


def told(engine: Engine, prompt: str, **options: Any) -> MediaInfo:
    """What is said of a small picture from a prompt."""
    return make(engine, prompt=prompt, **options).info


def quiet(_stage: str) -> None:
    """Nobody watches."""


def small(prompt: str, seed: int = 0, negative: str = "", size: tuple[int, int] = (96, 64)) -> Pixels:
    """A small picture straight from the painter."""
    return paint(parse(prompt, negative), *size, seed, quiet)


def concepts(wish: Wish) -> set[str]:
    """Concepts with their colour and number: "land:sea", "thing:boat/white/2"."""
    return {
        "/".join(str(part) for part in (mention.concept, mention.colour, mention.count) if part is not None)
        for mention in wish.mentions
    }


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED: list[dict[str, Any]] = [
    {"prompt": ""},
    {"prompt": " \n\t "},
    {"prompt": 7},
    {"prompt": None},
    {"prompt": "x" * 100_000},
    {"prompt": "雪" * 100_000},
    {"prompt": "a lake", "negative": "y" * 100_000},
    {"prompt": "a \x00 lake"},
    {"prompt": "a \x1b[31m lake"},
    {"prompt": "a \x7f lake"},
    {"prompt": "a \ud800 lake"},
    {"prompt": "a lake", "negative": "\x07"},
    {"width": 63},
    {"height": 2049},
    {"width": 100.5},
    {"width": float("nan")},
    {"width": "wide"},
    {"width": True},
    {"steps": 20},
    {"unlabelled": True},
]


@pytest.mark.parametrize("options", REFUSED, ids=[ascii(row)[:40] for row in REFUSED])
def test_bad_requests_are_refused(engine: Engine, options: dict[str, Any]) -> None:
    """Empty, endless and foreign prompts, control characters, sizes out of range and unknown options: code 2."""
    with pytest.raises(OptionUnfit) as refusal:
        make(engine, **options)
    assert refusal.value.code == ExitCode.USAGE
    assert len(str(refusal.value.data["value"])) <= 80


def test_a_picture_is_not_taken(engine: Engine) -> None:
    """The painter has no use for a picture, and says so instead of ignoring it."""
    with pytest.raises(NotAPicture):
        make(engine, inputs={"target": png(np.zeros((40, 40, 3), np.uint8))})


# --- reading ---------------------------------------------------------------------------------------------------------

READ: list[tuple[str, set[str]]] = [
    (
        "a red sunset over snowy mountains and a lake",
        {"time:sunset/red", "trait:snowy", "land:mountains", "land:lake"},
    ),
    ("夜晚的城市与月亮", {"time:night", "land:city", "sky:moon"}),
    ("雪山和湖上的红色夕阳", {"land:mountains", "trait:snowy", "land:lake", "time:sunset/red"}),
    ("畫一幅雪山與湖泊", {"land:mountains/1", "trait:snowy", "land:lake"}),
    ("two white boats on a blue sea", {"thing:boat/white/2", "land:sea/blue"}),
    ("海上有两只白色的帆船", {"land:sea", "thing:boat/white/2"}),
    ("a woman with long red hair", {"person:woman", "hair:long", "hair:itself/red"}),
    ("她的头发是黑色的", {"hair:itself/black"}),
    ("her hair is black", {"hair:itself/black"}),
    ("an orange on a wooden table", {"thing:table/brown"}),
    ("oranges and a green apple", {"fruit:orange/orange", "fruit:apple/green"}),
    ("sunflowers and roses", {"thing:flowers/yellow", "thing:flowers/red"}),
    ("a black-haired man in a t-shirt", {"hair:itself/black", "person:man", "wear:shirt"}),
    ("MOUNTAINS, Rivers; FORESTS!", {"land:mountains", "land:river", "land:forest"}),
    ("🌅🏔️ and 🌲", {"time:sunrise", "land:mountains", "trait:snowy", "thing:pines"}),
    ("ｓｅａ", {"land:sea"}),
    ("a s\u200bea", {"land:sea"}),
    ("northern lights over the milky way", {"sky:aurora", "sky:milkyway"}),
    ("一个戴帽子的女孩，蓝色背景", {"wear:hat", "person:woman", "age:young", "place:background/blue"}),
]


@pytest.mark.parametrize(("prompt", "expected"), READ, ids=[ascii(row[0])[:40] for row in READ])
def test_known_words_are_read(prompt: str, expected: set[str]) -> None:
    """English, Chinese in both scripts, plurals, emoji, full-width and invisible signs; colours and numbers belong."""
    found = concepts(parse(prompt))
    assert {item.replace("/1", "") for item in found} >= {item.replace("/1", "") for item in expected}


EXCLUDED: list[tuple[str, str, set[str], set[str]]] = [
    ("a lake without boats or birds", "", {"thing:boat", "thing:birds"}, {"land:lake"}),
    ("a blue sky and no clouds", "", {"weather:cloudy"}, {"sky:itself"}),
    ("没有云的蓝天", "", {"weather:cloudy"}, {"sky:itself"}),
    ("no clouds, two boats", "", {"weather:cloudy"}, {"thing:boat"}),
    ("a sea with boats", "boats, 鸟", {"thing:boat", "thing:birds"}, {"land:sea"}),
]


@pytest.mark.parametrize(("prompt", "negative", "excluded", "kept"), EXCLUDED)
def test_what_is_not_wanted_is_excluded(prompt: str, negative: str, excluded: set[str], kept: set[str]) -> None:
    """ "No", "without", their Chinese and the negative prompt take things out, up to the end of the clause."""
    wish = parse(prompt, negative)
    assert wish.excluded >= excluded
    assert all(wish.has(concept) for concept in kept)
    assert not any(wish.has(concept) for concept in excluded)


IGNORED: list[tuple[str, set[str]]] = [
    ("a unicorn on a beach", {"unicorn"}),
    ("a red car on a beach", {"car"}),
    ("海边的独角兽", {"独角兽"}),
    ("🦄 by a lake", {"🦄"}),
    ("4k masterpiece of a lake", {"4", "k", "masterpiece"}),
    ("ein See mit Bergen", {"ein", "see", "mit", "bergen"}),
]


@pytest.mark.parametrize(("prompt", "ignored"), IGNORED, ids=[ascii(row[0])[:30] for row in IGNORED])
def test_unknown_words_are_told(engine: Engine, prompt: str, ignored: set[str]) -> None:
    """The user learns which words did nothing; a colour before one is not given to the next thing."""
    assert set(parse(prompt).ignored) == ignored
    warnings = " ".join(told(engine, prompt).warnings)
    assert all(word in warnings for word in ignored) or "none of these words" in warnings
    assert "land:beach/red" not in concepts(parse(prompt))


def test_what_does_not_fit_is_told(engine: Engine) -> None:
    """A vase in outer space is understood and yet not painted; nothing is told where all was painted."""
    assert any("planet" in warning for warning in told(engine, "a vase and a planet").warnings)
    assert any("2 × women" in warning for warning in told(engine, "two women").warnings)
    assert told(engine, "a red sunset over snowy mountains and a lake").warnings == ()


def test_a_long_list_of_unknown_words_is_cut() -> None:
    """A prompt of nothing but noise makes no endless warning."""
    from engines.picture.sketch import _listed

    assert len(_listed(tuple("z" * 90 for _ in range(400)))) < 400


def test_the_vocabulary_has_no_word_twice() -> None:
    """A word that stands in two lines would silently mean only the last one."""
    from engines.picture.scene import words

    for language in (0, 1):
        listed = [word for _, word in words._entries(language)]
        assert sorted({word for word in listed if listed.count(word) > 1}) == []
    assert len(english()) > 250 and len(chinese()) > 350


KIND: list[tuple[str, str]] = [
    ("a portrait of an old man", "portrait"),
    ("微笑的女人", "portrait"),
    ("a vase with flowers", "still"),
    ("苹果和梨", "still"),
    ("a planet with rings", "space"),
    ("星云和星系", "space"),
    ("an abstract pattern in blue", "abstract"),
    ("螺旋", "abstract"),
    ("flowers by a river", "landscape"),
    ("qwertz", "landscape"),
]


@pytest.mark.parametrize(("prompt", "kind"), KIND)
def test_the_kind_of_picture_follows_the_words(prompt: str, kind: str) -> None:
    """Landscape, portrait, still life, space or pattern."""
    assert kind_of(parse(prompt)) == kind
    assert kind in KINDS


# --- painting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", ["a lake", "a woman", "a vase", "a planet", "an abstract pattern", "雪原上的小屋"])
def test_seeds_give_variety_and_keep_their_word(prompt: str) -> None:
    """The same seed gives the same bytes, other seeds other pictures."""
    digests = [hashlib.sha256(small(prompt, seed).tobytes()).hexdigest() for seed in (1, 1, 2, 3, 1 << 62)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


@pytest.mark.parametrize("size", [(64, 64), (64, 257), (300, 64), (2048, 64), (97, 101)])
@pytest.mark.parametrize("prompt", ["a city by a lake at night in the rain", "a man with a hat", "a vase and a cup"])
def test_every_size_is_painted(prompt: str, size: tuple[int, int]) -> None:
    """Square, tall, wide and odd sizes have that shape and something on them."""
    pixels = small(prompt, size=size)
    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.dtype == np.uint8
    assert pixels.std() > 8


def test_a_seed_gives_one_composition_at_every_size() -> None:
    """The large picture is the small one with more detail."""
    little, large = (
        small("snowy mountains and a lake", 5, size=(96, 64)),
        small("snowy mountains and a lake", 5, size=(384, 256)),
    )
    reduced = large.reshape(64, 4, 96, 4, 3).mean(axis=(1, 3))
    assert np.corrcoef(little.ravel(), reduced.ravel())[0, 1] > 0.97


def test_what_is_added_leaves_the_rest_in_place() -> None:
    """A boat more in the words is a boat more in the picture, and nothing else moves."""
    before, after = (
        small("a calm lake at noon", 4, size=(192, 128)),
        small("a calm lake at noon, a boat", 4, size=(192, 128)),
    )
    changed = (np.abs(before.astype(int) - after).max(axis=2) > 4).mean()
    assert 0.002 < changed < 0.2


@pytest.mark.parametrize(
    ("prompt", "other", "channel"),
    [("a red sky over the sea", "a blue sky over the sea", 0), ("a blue vase", "a red vase", 2)],
)
def test_colours_are_obeyed(prompt: str, other: str, channel: int) -> None:
    """The named colour is seen."""
    assert small(prompt, 2)[..., channel].mean() > small(other, 2)[..., channel].mean() + 3


def test_every_word_it_knows_can_be_painted() -> None:
    """No concept of the vocabulary breaks a painter."""
    seen: set[tuple[str, ...]] = set()
    for words, found in english().items():
        if found not in seen:
            seen.add(found)
            assert small(" ".join(words), 1, size=(64, 64)).shape == (64, 64, 3)


def test_the_painter_is_honest_about_itself(engine: Engine) -> None:
    """Not trained: the source type is that of rules, and the engine says what it is."""
    from engines.picture.sketch import TITLE

    info = make(engine).info
    assert info.origin == "algorithmicMedia"
    assert unseal(make(engine)).shape == (info.height, info.width, 3)
    assert "not a neural model" in TITLE
