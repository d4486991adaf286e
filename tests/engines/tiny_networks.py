"""ONNX models of a few numbers with the signatures of picture models, made at test time: real loaders, no weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def _save(path: Path, nodes: list[Any], weights: dict[str, np.ndarray], side: int | None, channels: int = 3) -> Path:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    size = [side, side] if side else ["height", "width"]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, channels, *size])],
        [helper.make_tensor_value_info("made", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def make_upscaler(path: Path, scale: int = 2, side: int | None = None, blur_px: int = 5) -> Path:
    """Enlarges scale times by repetition after a mean over blur_px, so that a tile without surroundings shows."""
    from onnx import helper

    kernel = np.zeros((3, 3, blur_px, blur_px), np.float32)
    for channel in range(3):
        kernel[channel, channel] = 1 / blur_px**2
    pad = blur_px // 2
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["even"], pads=[pad] * 4),
        helper.make_node("Resize", ["even", "", "scales"], ["made"], mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric"),
    ]  # fmt: skip
    return _save(path, nodes, {"kernel": kernel, "scales": np.float32([1, 1, scale, scale])}, side)


def make_cutter(path: Path, side: int | None = 64) -> Path:
    """Takes what is red for the front: the first colour less the second, as a mask of one channel."""
    from onnx import helper

    kernel = np.float32([1, -1, 0]).reshape(1, 3, 1, 1)
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["raw"]),
        helper.make_node("Sigmoid", ["raw"], ["made"]),
    ]
    return _save(path, nodes, {"kernel": kernel}, side)


def make_shrinker(path: Path) -> Path:
    """No upscaler: it makes pictures smaller."""
    from onnx import helper

    nodes = [helper.make_node("AveragePool", ["picture"], ["made"], kernel_shape=[2, 2], strides=[2, 2])]
    return _save(path, nodes, {}, None)


def make_grey_model(path: Path) -> Path:
    """Takes a picture of one colour, which is no contract of ours."""
    from onnx import helper

    return _save(path, [helper.make_node("Identity", ["picture"], ["made"])], {}, None, channels=1)


def make_infinite(path: Path) -> Path:
    """Answers with numbers that are none."""
    from onnx import helper

    nodes = [
        helper.make_node("Sub", ["picture", "picture"], ["zero"]),
        helper.make_node("Div", ["picture", "zero"], ["made"]),
    ]
    return _save(path, nodes, {}, None)
