"""Presets of the drawn label may only add, and the label lies on no face where there is another place."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import resources
from compliance.labels import explicit
from compliance.labels.policy import LabelPlan
from compliance.labels.sighting import INK_SHARE_LIMIT
from compliance.labels.styles import (
    ALL,
    CHOICES,
    JURISDICTIONS,
    POSITIONS,
    STANDARD,
    STYLES,
    LabelStyle,
    rule_for,
    style_of,
)
from tests.compliance.labels.pictures import gradient, scene

SAMPLES = Path(str(resources.__file__)).parent / "samples"
# Where the faces are in the two portraits that the program ships, as its own finder sees them.
FACES = {"grace_hopper.jpg": (169, 132, 186, 201), "eileen_collins.png": (178, 69, 94, 107)}


def shared(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> int:
    """Pixels that two boxes share."""
    wide = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    high = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    return max(0, wide) * max(0, high)


@pytest.mark.parametrize("scale", [0.99, 0.0, -1.0, 2.01, float("nan")])
def test_no_style_makes_the_label_smaller(scale: float) -> None:
    """A style below the usual size cannot be made at all."""
    with pytest.raises(ValueError, match="never smaller"):
        LabelStyle(scale=scale)


@pytest.mark.parametrize("name", ["", "none", "off", "STANDARD", "tiny", "light; dark", "\0"])
def test_a_name_that_is_not_known_means_the_standard(name: str) -> None:
    """In every field, also in a plan that came over the worker's pipe."""
    assert style_of(name, name, name) == STANDARD
    plan = LabelPlan("0" * 16, "png", "p", "algorithmicMedia", False, "1").to_json()
    assert LabelPlan.from_json({**plan, "style": name, "position": name, "jurisdiction": name}).look() == STANDARD


def test_no_jurisdiction_is_weaker_than_china_and_all_is_the_strictest() -> None:
    """Figures, words and layers; every row says where it stands."""
    china, everything = rule_for("CN"), rule_for(ALL)
    assert rule_for("nowhere") == everything
    for name in CHOICES:
        rule = rule_for(name)
        assert rule.ink_share >= china.ink_share and rule.elements >= china.elements and rule.layers >= china.layers
        assert everything.ink_share >= rule.ink_share
        assert everything.elements >= rule.elements and everything.layers >= rule.layers
    assert all(len(rule.source) > 20 for rule in JURISDICTIONS.values())
    assert everything.ink_share <= INK_SHARE_LIMIT


def test_every_preset_is_measured_as_intact() -> None:
    """All looks, places and jurisdictions, on a soft and on a small picture, with and without SAMPLE: never less."""
    grounds = (scene(640, 480), gradient(200, 220))
    usual = [explicit.measure(explicit.draw(ground, sample=False)[0]) for ground in grounds]
    combined = [*itertools.product(STYLES, POSITIONS, ["ALL"]), *((name, "auto", "EU") for name in STYLES)]
    for index, (name, position, jurisdiction) in enumerate(combined):
        style, is_sample = style_of(name, position, jurisdiction), index % 2 == 1
        for ground, before in zip(grounds, usual, strict=True):
            found = explicit.measure(explicit.draw(ground, sample=is_sample, style=style, is_modified=is_sample)[0])
            explicit.require(found, sample=is_sample)
            assert found.ink_share > before.ink_share * 0.98
            assert found.contrast >= 10


def test_styles_do_what_they_say() -> None:
    """Plates light and dark, larger letters, the place asked for, the icon under the words."""
    ground = scene(900, 700)
    boxes = {name: explicit.draw(ground, sample=False, style=style)[1].box for name, style in STYLES.items()}
    assert boxes["large"][3] > boxes["standard"][3] * 1.4
    assert boxes["eu"][3] > boxes["standard"][3] * 1.5 and boxes["eu"][2] == boxes["standard"][2]
    for name, is_light in (("light", True), ("dark", False)):
        labelled, drawn = explicit.draw(ground, sample=False, style=STYLES[name])
        left, top, width, height = drawn.box
        assert (np.median(labelled[top : top + height, left : left + width]) > 128) == is_light
    for position in POSITIONS[1:]:
        left, top, _, _ = explicit.draw(ground, sample=False, style=LabelStyle(position=position))[1].box
        assert (top > 350, left < 200) == ("bottom" in position, "left" in position)
    assert style_of("standard", "auto", "EU").icon and style_of("standard", "auto", "EU").position == "top-right"
    made, changed = (explicit.draw(ground, sample=False, style=STYLES["eu"], is_modified=flag)[0] for flag in (0, 1))
    assert not np.array_equal(made, changed)


def test_what_a_style_adds_gives_way_where_there_is_no_room() -> None:
    """The least picture carries the plain label under every style."""
    ground = scene(96, 96)
    for style in (*STYLES.values(), LabelStyle(scale=2.0, icon=True)):
        explicit.require(explicit.measure(explicit.draw(ground, sample=False, style=style)[0]), sample=False)


@pytest.mark.parametrize("name", sorted(FACES))
@pytest.mark.parametrize("position", POSITIONS)
def test_the_label_lies_on_no_face(name: str, position: str) -> None:
    """The portraits, also cut so that the face is where the label would go, under every position asked for."""
    whole = np.asarray(Image.open(SAMPLES / name).convert("RGB"))
    _, top, _, height = FACES[name]
    # Cut below the chin: the lower edge is all face and collar.
    low = whole[: top + height + 10]
    for picture in (whole, low):
        style = style_of("standard", position)
        labelled, drawn = explicit.draw(picture, sample=False, style=style, keep_clear=[FACES[name]])
        assert shared(drawn.box, FACES[name]) == 0 == drawn.covers
        explicit.require(explicit.measure(labelled), sample=False)


def test_without_the_boxes_the_label_would_lie_on_the_face() -> None:
    """What the test above guards against does happen: the cut portrait asks for it."""
    name = "grace_hopper.jpg"
    whole = np.asarray(Image.open(SAMPLES / name).convert("RGB"))
    low = whole[: FACES[name][1] + FACES[name][3] + 10]
    assert shared(explicit.draw(low, sample=False)[1].box, FACES[name]) > 0


def test_where_every_place_is_a_face_the_least_is_covered_and_it_is_told() -> None:
    """A picture that is all face still carries its label."""
    ground = scene(400, 400)
    labelled, drawn = explicit.draw(ground, sample=False, keep_clear=[(0, 0, 400, 400)])
    assert drawn.covers == 1.0
    explicit.require(explicit.measure(labelled), sample=False)
    labelled, drawn = explicit.draw(ground, sample=False, keep_clear=[(0, 60, 400, 340)])
    assert 0 < drawn.covers < 1 or drawn.box[1] < 60
    explicit.require(explicit.measure(labelled), sample=False)
