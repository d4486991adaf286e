"""Sealed media: every way of getting at the samples but one is shut."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from compliance.media import MediaInfo, SyntheticMedia, unseal
from tests.compliance.home import noise

WAYS = {
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "array": np.asarray,
    "array of objects": lambda media: np.asarray(media, dtype=object),
    "bytes": bytes,
    "memoryview": memoryview,
    "iterate": list,
    "index": lambda media: media[0],
    "length": len,
    "vars": vars,
}


@pytest.mark.parametrize("way", WAYS)
def test_sealed_media_cannot_be_taken_out(way: str) -> None:
    """Pickling, copying, viewing and iterating are refused."""
    with pytest.raises(TypeError):
        WAYS[way](noise())


def test_the_samples_are_not_shown() -> None:
    """Neither repr nor the public attributes hold samples."""
    media = noise()
    assert "sealed" in repr(media)
    assert [name for name in dir(media) if not name.startswith("_")] == ["info"]


def test_the_draft_cannot_change_what_it_labels() -> None:
    """The unsealed view is read-only, so a second label starts from the same samples."""
    with pytest.raises(ValueError, match="read-only"):
        unseal(noise())[0, 0] = 0


def test_wrong_samples_are_not_sealed() -> None:
    """Shape and type have to fit the info."""
    info = MediaInfo("picture", 4, 4, "sRGB", "trainedAlgorithmicMedia", "fake.noise", "1")
    for bad in (np.zeros((4, 4, 4), np.uint8), np.zeros((4, 5, 3), np.uint8), np.zeros((4, 4, 3), np.float32)):
        with pytest.raises(ValueError, match="pixels"):
            SyntheticMedia(bad, info)  # type: ignore[arg-type]  # a wrong type is what is tested
