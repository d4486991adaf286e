"""The releaser's own measurement refuses bad labels and accepts good ones."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from compliance import encode, inspection
from compliance.errors import LabelTooWeak
from compliance.labels import audible, explicit
from compliance.labels.policy import LabelPlan, Prepared
from compliance.reading import read_media
from tests.hostile import bad_pictures, bad_sounds, labels


def test_there_are_enough_of_them() -> None:
    """The whole set holds at least 300 bad labels and 300 good ones, every kind with its share."""
    counted = Counter(case.is_good for case in labels.cases())
    assert counted[False] >= 300
    assert counted[True] >= 300


@pytest.mark.parametrize("seed", range(3))
def test_the_painter_of_bad_labels_can_paint_good_ones(seed: int) -> None:
    """With nothing wrong, label and rhythm made by hand are accepted: what is refused is refused for its one fault."""
    pixels, _ = bad_pictures.control(np.random.default_rng(seed))
    assert explicit.reasons(explicit.measure(pixels)) == ()
    sound, _ = bad_sounds.control(np.random.default_rng(seed))
    assert audible.reasons(audible.measure_sound(*sound)) == ()


def test_bad_labels_are_refused_and_good_ones_accepted() -> None:
    """A share of every kind; all of them by `python -m tests.hostile.labels --all`."""
    judged = labels.judge(labels.cases(labels.SHARE_EACH))
    assert [
        (item.case.medium, item.case.kind, item.case.seed, item.reason) for item in judged if not item.is_right
    ] == []


@pytest.mark.parametrize("kind", ["no label", "tiny", "transparent", "low contrast", "wrong words"])
def test_a_whole_draft_with_a_bad_label_is_refused(kind: str) -> None:
    """Right metadata does not help: the draft is judged by what it shows."""
    pixels, _ = bad_pictures.BAD_PICTURES[kind](np.random.default_rng(7))
    plan = LabelPlan("0123456789abcdef", "png", "signet.local/test", "trainedAlgorithmicMedia", False, "1")
    data = encode.encode_picture(pixels, "png", plan.packet())
    prepared = Prepared(read_media("draft", data).payload_sha256, len(data))
    with pytest.raises(LabelTooWeak) as refusal:
        inspection.verify_draft(data, plan, prepared)
    assert refusal.value.data["layer"] == "explicit"
