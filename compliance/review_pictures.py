"""Review of pictures: the contract of a classifier, a loader of ONNX packs, and the rule for many frames (DSP 10).

A classifier that is configured must judge: when it does not load, or its file is not the one that was chosen, or its
answer is not a score for each label, ReviewUnavailable stops the work. Nothing passes because nobody looked.
No classifier is shipped: its weights have licences of their own, and the operator chooses the pack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from compliance.errors import ReviewUnavailable

Pixels = npt.NDArray[np.uint8]

_PACK_LIMIT = 2 * 1024**3
_PROVIDERS = ("CPUExecutionProvider",)


@dataclass(frozen=True, slots=True)
class Score:
    """How sure a classifier is of one category, 0 to 1, and whether that is over its limit.

    asks: whether it is over the lower limit from which a reviewer is asked.
    """

    category: str
    score: float
    over: bool
    asks: bool = False


@dataclass(frozen=True, slots=True)
class FrameHit:
    """A frame over a limit: its number in the sequence, from 0, the score, and what follows."""

    frame: int
    category: str
    score: float
    severity: Literal["stop", "case"] = "stop"


class ContentClassifier(Protocol):
    """Looks at one picture and scores categories of prohibited content."""

    @property
    def id(self) -> str:
        """Names the classifier in records."""

    @property
    def version(self) -> str:
        """Names its weights in records: a version or their SHA-256."""

    def classify(self, pixels: Pixels) -> Sequence[Score]:
        """Score one picture: uint8, (height, width, 3), sRGB. Raises ReviewUnavailable when it cannot judge."""


def review_frames(classifier: ContentClassifier, frames: Iterable[Pixels]) -> tuple[FrameHit, ...]:
    """Look at every frame given; one frame over a limit is enough, never an average.

    Returns the hits in the order of the frames; the work ends at none, so that all places are known.
    Raises ReviewUnavailable when the classifier cannot judge one of them, or there is no frame.
    """
    hits: list[FrameHit] = []
    seen = 0
    for number, pixels in enumerate(frames):
        seen += 1
        hits += [
            FrameHit(number, one.category, one.score, "stop" if one.over else "case")
            for one in classifier.classify(pixels)
            if one.over or one.asks
        ]
    if not seen:
        raise ReviewUnavailable(part=classifier.id, reason="there is no frame to look at")
    return tuple(hits)


@dataclass(frozen=True)
class OnnxClassifier:
    """An image classifier as one ONNX file, run by onnxruntime on the processor.

    path, sha256: the file and the digest that was recorded when the pack was chosen. labels: the category of each
    output, in order. thresholds: the limit of each category that counts, within 0 to 1; a score at or over it is a hit;
    categories without one are scored and never hit. input_size: (width, height) in pixels.
    mean, deviation: of the training pictures, for each channel of 0 to 1. output: what the model answers, logits (made
    probabilities by softmax, or by sigmoid where labels are independent) or probabilities. case_thresholds: lower
    limits from which a reviewer is asked and nothing is stopped.
    The file is read and loaded at once, in the constructor, from the bytes whose digest was taken.
    Raises ReviewUnavailable; never passes a picture it did not judge.
    """

    id: str
    path: Path
    sha256: str
    labels: Sequence[str]
    thresholds: Mapping[str, float]
    input_size: tuple[int, int]
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    deviation: tuple[float, float, float] = (0.5, 0.5, 0.5)
    output: Literal["softmax", "sigmoid", "probabilities"] = "softmax"
    case_thresholds: Mapping[str, float] = field(default_factory=dict)
    _session: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise self._unavailable("its labels are missing or there twice")
        if not self.thresholds or not self.thresholds.keys() <= set(self.labels):
            raise self._unavailable("its limits name no label, or an unknown one")
        if not self.case_thresholds.keys() <= set(self.labels):
            raise self._unavailable("its limits name no label, or an unknown one")
        if not all(0 < limit <= 1 for limit in (*self.thresholds.values(), *self.case_thresholds.values())):
            raise self._unavailable("a limit is not between 0 and 1")
        if not all(0 < side <= 4096 for side in self.input_size) or not all(self.deviation):
            raise self._unavailable("its input has no size")
        object.__setattr__(self, "_session", self._load())

    @property
    def version(self) -> str:
        """The SHA-256 of the file."""
        return self.sha256

    def classify(self, pixels: Pixels) -> Sequence[Score]:
        """Score one picture, scaled as a whole to the model's size: nothing is cropped away.

        pixels: uint8, (height, width, 3), sRGB. Returns a score for each label. Raises ReviewUnavailable.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise self._unavailable("this is no picture")
        scaled = Image.fromarray(pixels).resize(self.input_size, Image.Resampling.BICUBIC)
        mean, deviation = np.array(self.mean, np.float32), np.array(self.deviation, np.float32)
        plane = (np.asarray(scaled, np.float32) / np.float32(255) - mean) / deviation
        try:
            (answer,) = self._session.run(None, {self._session.get_inputs()[0].name: plane.transpose(2, 0, 1)[None]})
        except Exception as error:  # whatever the runtime raises: a picture that was not judged does not pass
            raise self._unavailable("it failed") from error
        scores = np.asarray(answer, np.float64).reshape(-1)
        if scores.size != len(self.labels) or not np.isfinite(scores).all():
            raise self._unavailable("its answer is no score for each label")
        if self.output == "softmax":
            scores = np.exp(scores - scores.max())
            scores /= scores.sum()
        elif self.output == "sigmoid":
            scores = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
        elif scores.min() < -1e-6 or scores.max() > 1 + 1e-6:
            raise self._unavailable("its answer is no probability")
        found = zip(self.labels, scores.tolist(), strict=True)
        # A limit that no score can reach would be no limit: it is at most 1.
        return tuple(
            Score(one, score, score >= self.thresholds.get(one, 2.0), score >= self.case_thresholds.get(one, 2.0))
            for one, score in found
        )

    def _load(self) -> Any:
        try:
            if self.path.stat().st_size > _PACK_LIMIT:
                raise self._unavailable("its file is too large")
            data = self.path.read_bytes()
        except OSError as error:
            raise self._unavailable("its file cannot be read") from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise self._unavailable("its file is not the one that was chosen")
        try:
            import onnxruntime
        except ImportError as error:
            raise self._unavailable("onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        try:
            # From memory: the bytes whose digest was taken, and no way to weights in other files.
            session = onnxruntime.InferenceSession(data, options, providers=list(_PROVIDERS))
        except Exception as error:  # onnxruntime raises classes of its own for each fault of a model
            raise self._unavailable("its file is no model that can be run") from error
        # onnxruntime falls back to another provider without a word.
        if session.get_providers() != list(_PROVIDERS):
            raise self._unavailable("it runs on another device than it was asked to")
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type != "tensor(float)":
            raise self._unavailable("it does not take one picture and give one answer")
        shape = inputs[0].shape
        width, height = self.input_size
        wanted = (1, 3, height, width)
        if len(shape) != 4 or any(
            isinstance(has, int) and has != want for has, want in zip(shape, wanted, strict=True)
        ):
            raise self._unavailable("it takes pictures of another shape")
        return session

    def _unavailable(self, reason: str) -> ReviewUnavailable:
        return ReviewUnavailable(part=self.id, reason=reason)
