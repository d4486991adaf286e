"""Review of pictures: classifiers that cannot judge stop the work, and one frame is enough."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from compliance.errors import ReviewUnavailable
from compliance.review_pictures import FrameHit, OnnxClassifier, Pixels, Score, review_frames

PICTURE: Pixels = np.zeros((40, 60, 3), np.uint8)
LABELS = ("fine", "blocked")


def model(folder: Path, *, side: int = 8, outputs: int = 2, inputs: int = 1, bias: float = 0.0) -> Path:
    """A tiny network: the mean of each channel, and from it one answer a label; white is over, black is not."""
    helper, kinds = onnx.helper, onnx.TensorProto
    weights = np.zeros((3, outputs), np.float32)
    weights[:, -1] = 4.0
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["answer"]),
    ]
    given_inputs = [helper.make_tensor_value_info("picture", kinds.FLOAT, [1, 3, side, side])]
    given_inputs += [helper.make_tensor_value_info(f"more{n}", kinds.FLOAT, [1]) for n in range(1, inputs)]
    graph = helper.make_graph(
        nodes,
        "tiny",
        given_inputs,
        [helper.make_tensor_value_info("answer", kinds.FLOAT, [1, outputs])],
        [
            onnx.numpy_helper.from_array(weights, "weights"),
            onnx.numpy_helper.from_array(np.full(outputs, bias, np.float32), "bias"),
        ],
    )
    path = folder / "tiny.onnx"
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(built.SerializeToString())
    return path


def classifier(path: Path, /, **changes: Any) -> OnnxClassifier:
    """The tiny network as a pack."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "0" * 64
    wanted: dict[str, Any] = {
        "id": "tiny",
        "path": path,
        "sha256": digest,
        "labels": LABELS,
        "thresholds": {"blocked": 0.7},
        "input_size": (8, 8),
    }
    return OnnxClassifier(**{**wanted, **changes})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "not the one that was chosen"),
        ({"path": Path("absent.onnx")}, "cannot be read"),
        ({"labels": ()}, "labels are missing"),
        ({"labels": ("blocked", "blocked")}, "labels are missing"),
        ({"thresholds": {}}, "limits name no label"),
        ({"thresholds": {"other": 0.5}}, "limits name no label"),
        ({"thresholds": {"blocked": 1.5}}, "not between"),
        ({"thresholds": {"blocked": 0.0}}, "not between"),
        ({"thresholds": {"blocked": float("nan")}}, "not between"),
        ({"input_size": (0, 8)}, "no size"),
        ({"input_size": (16, 16)}, "another shape"),
    ],
)
def test_a_classifier_that_is_not_the_chosen_one_does_not_load(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    """Digest, file, labels, limits and shape are checked before the first picture."""
    path = model(tmp_path)
    with pytest.raises(ReviewUnavailable) as refused:
        classifier(path, **changes)
    assert reason in str(refused.value)


def test_a_file_that_is_no_model_does_not_load(tmp_path: Path) -> None:
    """Rubbish with the right digest, a cut model, and a model of two inputs."""
    path = tmp_path / "x.onnx"
    for content in (b"", b"rubbish", model(tmp_path).read_bytes()[:100], model(tmp_path, inputs=2).read_bytes()):
        path.write_bytes(content)
        with pytest.raises(ReviewUnavailable):
            classifier(path)


def test_without_the_runtime_nothing_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing onnxruntime is no reason to look away."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ReviewUnavailable):
        classifier(model(tmp_path))


def test_a_silent_fall_back_to_another_device_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the session says it runs on is compared with what was asked."""
    import onnxruntime

    monkeypatch.setattr(onnxruntime.InferenceSession, "get_providers", lambda self: ["AzureExecutionProvider"])
    with pytest.raises(ReviewUnavailable) as refused:
        classifier(model(tmp_path))
    assert "another device" in str(refused.value)


@pytest.mark.parametrize(
    ("how", "changes"),
    [
        ({"outputs": 3}, {}),
        ({"bias": float("nan")}, {}),
        ({"bias": float("inf")}, {"output": "sigmoid"}),
        ({"bias": 3.0}, {"output": "probabilities"}),
    ],
)
def test_an_answer_that_is_no_score_stops_the_work(
    how: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    """Too many scores, no numbers, and no probabilities."""
    loaded = classifier(model(tmp_path, **how), **changes)
    with pytest.raises(ReviewUnavailable):
        loaded.classify(PICTURE)


@pytest.mark.parametrize("shape", [(0, 8, 3), (8, 8), (8, 8, 4), (8, 8, 1)])
def test_what_is_no_picture_is_not_passed(shape: tuple[int, ...], tmp_path: Path) -> None:
    """Empty arrays and other shapes raise instead of passing."""
    with pytest.raises(ReviewUnavailable):
        classifier(model(tmp_path)).classify(np.zeros(shape, np.uint8))
    with pytest.raises(ReviewUnavailable):
        classifier(model(tmp_path)).classify(np.zeros((8, 8, 3), np.float32))  # type: ignore[arg-type] # the very mistake


def test_a_failing_runtime_stops_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the runtime raises becomes ReviewUnavailable."""
    loaded = classifier(model(tmp_path))

    class Broken:
        def get_inputs(self) -> None:
            raise RuntimeError("out of memory")

    object.__setattr__(loaded, "_session", Broken())
    with pytest.raises(ReviewUnavailable):
        loaded.classify(PICTURE)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_a_loaded_classifier_scores_each_label(output: str, tmp_path: Path) -> None:
    """White is over the limit, black is not; each label has its score, only those with a limit hit."""
    loaded = classifier(model(tmp_path), output=output)
    assert loaded.version == loaded.sha256
    black, white = loaded.classify(PICTURE), loaded.classify(np.full_like(PICTURE, 255))
    assert [one.category for one in black] == list(LABELS)
    assert [one.over for one in black] == [False, False]
    assert [one.over for one in white] == [False, True]
    assert white[1].score > 0.99 > 0.01 > black[1].score


class StubClassifier:
    """Answers the blue of the first pixel."""

    id, version = "stub", "1"

    def classify(self, pixels: Pixels) -> list[Score]:
        score = int(pixels[0, 0, 2]) / 255
        return [Score("blocked", score, score >= 0.5)]


def test_one_frame_is_enough() -> None:
    """Of many frames one over the limit is a hit, and all such frames are told."""
    frames = [PICTURE.copy() for _ in range(100)]
    assert review_frames(StubClassifier(), frames) == ()
    frames[41][0, 0, 2] = frames[97][0, 0, 2] = 255
    assert review_frames(StubClassifier(), iter(frames)) == (FrameHit(41, "blocked", 1.0), FrameHit(97, "blocked", 1.0))


def test_no_frame_is_no_review() -> None:
    """A film without frames was not looked at."""
    with pytest.raises(ReviewUnavailable):
        review_frames(StubClassifier(), [])
