"""Model files and samples: verified before use, listed with source and licence."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from compliance.errors import ModelDamaged
from engines.engine import load_engine
from engines.face import models
from tests.engines.conftest import SAMPLES

LISTED = json.loads((models.MODELS_FOLDER / models.CATALOGUE).read_text())["files"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the model folder that may be damaged."""
    copy = tmp_path / "models"
    shutil.copytree(models.MODELS_FOLDER, copy)
    monkeypatch.setattr(models, "MODELS_FOLDER", copy)
    return copy


@pytest.mark.parametrize("name", sorted(LISTED))
@pytest.mark.parametrize("damage", ["one bit", "cut off", "empty", "gone"])
def test_a_damaged_model_is_refused(folder: Path, name: str, damage: str) -> None:
    """Any change of any file stops the engine from loading, and the error names the file."""
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    changed = {"one bit": bytes(data), "cut off": bytes(data[:-1]), "empty": b""}
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(changed[damage])
    with pytest.raises(ModelDamaged) as refusal:
        load_engine("face.mesh")
    assert refusal.value.data == {"file": name}


@pytest.mark.parametrize("catalogue", [None, b"", b"[]", b'{"files": {}}', b"\xff"])
def test_a_damaged_catalogue_is_refused(folder: Path, catalogue: bytes | None) -> None:
    """A file that is not listed cannot be verified and so is not used."""
    if catalogue is None:
        (folder / models.CATALOGUE).unlink()
    else:
        (folder / models.CATALOGUE).write_bytes(catalogue)
    with pytest.raises(ModelDamaged):
        load_engine("face.mesh")


def test_every_model_file_is_listed_with_licence() -> None:
    """Nothing lies in the folder unlisted, and every licence text is there."""
    there = {path.name for path in models.MODELS_FOLDER.iterdir()} - {models.CATALOGUE}
    texts = {entry["licence_file"] for entry in LISTED.values()}
    assert there == set(LISTED) | texts
    assert all(entry["licence"] == "Apache-2.0" and entry["origin"] for entry in LISTED.values())


def test_every_sample_is_what_its_listing_says() -> None:
    """Unchanged bytes, the size told, a source and a licence."""
    samples = json.loads((SAMPLES / "samples.json").read_text())["samples"]
    assert {path.name for path in SAMPLES.iterdir()} == {sample["file"] for sample in samples} | {"samples.json"}
    for sample in samples:
        data = (SAMPLES / sample["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sample["sha256"]
        with Image.open(SAMPLES / sample["file"]) as picture:
            assert picture.size == (sample["width"], sample["height"])
        assert sample["person"] and sample["source"] and sample["licence"].startswith("Public domain")
