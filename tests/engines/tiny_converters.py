"""Voice converters and speaker models as tiny ONNX files, made at test time: real inputs, simple arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engines.tiny_voices import _constant as constant
from tests.engines.tiny_voices import _save as save

RATE_HZ = 16_000


def make_converter(folder: Path, *, parts: bool = False, spoil: str = "") -> Path:
    """A converter that makes speech as loud as the reference and mixes in some of its level.

    parts: with content.onnx and speaker.onnx. spoil: "short" gives half of the sound, "silent" none of it, "nan" no
    numbers, "inputs" takes other inputs than the contract says.
    """
    from onnx import TensorProto, helper

    folder.mkdir(parents=True)
    names = ("content", "embedding") if parts else ("source", "reference")
    names = ("source", "who") if spoil == "inputs" else names
    shapes: list[list[Any]] = [[1, "samples"], [1, "some"]]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(names, shapes, strict=True)
    ]
    nodes = [
        helper.make_node("ReduceL2", [names[1]], ["loud"], keepdims=0),
        helper.make_node("Mul", [names[0], "loud"], ["scaled"]),
        _last(spoil),
        constant("zero", [0.0], TensorProto.FLOAT),
        constant("first", [0], TensorProto.INT64),
        constant("half", [RATE_HZ], TensorProto.INT64),
        constant("time", [1], TensorProto.INT64),
    ]
    save(folder / "convert.onnx", nodes, inputs, output="wave")
    if parts:
        sound = [helper.make_tensor_value_info("sound", TensorProto.FLOAT, [1, "samples"])]
        save(folder / "content.onnx", [helper.make_node("Tanh", ["sound"], ["output"])], sound)
        save(folder / "speaker.onnx", [helper.make_node("ReduceMax", ["sound"], ["output"], keepdims=1)], sound)
    (folder / "converter.json").write_text(json.dumps({"rate_hz": RATE_HZ}))
    return folder


def _last(spoil: str) -> Any:
    from onnx import helper

    if spoil == "short":
        return helper.make_node("Slice", ["scaled", "first", "half", "time"], ["wave"])
    if spoil == "silent":
        return helper.make_node("Mul", ["scaled", "zero"], ["wave"])
    if spoil == "nan":
        return helper.make_node("Div", ["scaled", "zero"], ["wave"])
    return helper.make_node("Tanh", ["scaled"], ["wave"])


def make_speaker(folder: Path, threshold: float = 0.9, spoil: str = "") -> Path:
    """A model of voices: the levels of forty tones between 80 and 3000 Hz, less their mean; tells made people apart.

    spoil: "nothing" answers with zeros, "inputs" takes two sounds.
    """
    import numpy as np
    from onnx import TensorProto, helper

    folder.mkdir(parents=True)
    tones_hz = np.geomspace(80, 3000, 40)
    angles = 2 * np.pi * tones_hz[:, None] * np.arange(640) / RATE_HZ
    filters = np.stack([np.sin(angles), np.cos(angles)]) * np.hanning(640)
    nodes = [
        helper.make_node("Unsqueeze", ["sound", "one"], ["waves"]),
        *(
            step
            for name, values in zip(("sine", "cosine"), filters, strict=True)
            for step in (
                _table(f"{name} filters", values[:, None]),
                helper.make_node("Conv", ["waves", f"{name} filters"], [f"{name} tones"], strides=[320]),
                helper.make_node("ReduceL2", [f"{name} tones"], [f"{name} levels"], axes=[2], keepdims=0),
            )
        ),
        helper.make_node("Add", ["sine levels", "cosine levels"], ["levels"]),
        helper.make_node("Add", ["levels", "little"], ["above"]),
        helper.make_node("Log", ["above"], ["logs"]),
        helper.make_node("ReduceMean", ["logs"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["logs", "logs" if spoil == "nothing" else "mean"], ["output"]),
        constant("one", [1], TensorProto.INT64),
        constant("little", [1e-3], TensorProto.FLOAT),
    ]
    names = ("sound", "other") if spoil == "inputs" else ("sound",)
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"{name} samples"]) for name in names]
    save(folder / "speaker.onnx", nodes, inputs)
    (folder / "speaker.json").write_text(json.dumps({"threshold": threshold}))
    return folder


def _table(name: str, values: Any) -> Any:
    from onnx import helper, numpy_helper

    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values.astype("float32")))
