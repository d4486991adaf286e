"""Recogniser packs: what is none is refused, then tiny models of the right shape are run on the two portraits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import resources
from compliance.errors import PackDamaged, SignetError
from engines.face.landmarks import FaceFinder
from engines.face.recogniser import SIDE_PX, OnnxRecogniser, aligned
from engines.packs import LicenceClass, ModelPack
from engines.source import decode

onnx = pytest.importorskip("onnx")
SAMPLES = Path(resources.__file__).parent / "samples"


def tiny_model(side: int = SIDE_PX, output: str = "pooled") -> bytes:
    """A model that averages blocks of the picture: 48 numbers a face."""
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("AveragePool", ["face"], ["blocks"], kernel_shape=[side // 4] * 2, strides=[side // 4] * 2),
        helper.make_node("Flatten", ["blocks"], ["pooled"]),
        helper.make_node("Sub", ["pooled", "pooled"], ["nothing"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("face", kinds.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(output, kinds.FLOAT, [1, 48])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def pack(folder: Path, data: bytes, **changes: object) -> ModelPack:
    """A pack of one model file."""
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    options = {"family": "arcface", "threshold": 0.9, **changes}
    kind = str(options.pop("kind", "face-recogniser"))
    files = {"model.onnx": hashlib.sha256(data).hexdigest()}
    made = ModelPack("tiny", kind, "Tiny", "1", "MIT", LicenceClass.OPEN, "a test", files, folder, options)
    (folder / "pack.json").write_text(json.dumps(made.manifest()))
    return made


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (tiny_model(), {"family": "other"}),
        (tiny_model(), {"threshold": "high"}),
        (tiny_model(), {"kind": "picture"}),
        (b"no model", {}),
        (b"", {}),
    ],
)
def test_what_is_no_recogniser_is_refused(tmp_path: Path, data: bytes, changes: dict) -> None:
    """Another family, no threshold, another kind and a broken file have one answer."""
    with pytest.raises(PackDamaged):
        OnnxRecogniser(pack(tmp_path / "pack", data, **changes))


@pytest.mark.parametrize("data", [tiny_model(64), tiny_model(output="nothing")], ids=["other size", "no length"])
def test_an_answer_that_is_no_template_is_refused(tmp_path: Path, data: bytes) -> None:
    """A model that cannot take the face, or answers with nothing, stops the work."""
    recogniser = OnnxRecogniser(pack(tmp_path / "pack", data))
    with pytest.raises(SignetError):
        recogniser.embed([np.full((SIDE_PX, SIDE_PX, 3), 90, np.uint8)])


@pytest.mark.parametrize("family", ["arcface", "sface"])
def test_templates_are_unit_vectors_and_tell_two_people_apart(tmp_path: Path, family: str) -> None:
    """The same face again is nearer than another one; eyes and mouth lie where the models expect them."""
    recogniser = OnnxRecogniser(pack(tmp_path / "pack", tiny_model(), family=family))
    finder, vectors = FaceFinder(), {}
    for name in ("grace_hopper.jpg", "eileen_collins.png"):
        picture = decode(name, (SAMPLES / name).read_bytes())
        cut = aligned(picture, finder.find(picture)[0])
        assert cut.shape == (SIDE_PX, SIDE_PX, 3)
        smaller = np.ascontiguousarray(picture[::2, ::2])
        vectors[name] = recogniser.embed([cut, aligned(smaller, finder.find(smaller)[0])])
    hopper, collins = vectors.values()
    for vector in (*hopper, *collins):
        assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5)
    assert float(hopper[0] @ hopper[1]) > float(hopper[0] @ collins[0])
    assert float(collins[0] @ collins[1]) > float(hopper[0] @ collins[0])
