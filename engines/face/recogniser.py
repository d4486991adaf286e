"""Templates of faces by an ONNX pack of the operator's choice: ArcFace and SFace, on the processor.

The pack (kind "face-recogniser") holds one .onnx file; its options name the family and the threshold: {"family":
"arcface", "threshold": 0.35}. No such pack is shipped: weights have licences of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.errors import PackDamaged
from compliance.media import Pixels
from engines._cv import cv2
from engines.face import topology as points_of
from engines.face.landmarks import FaceFinder
from engines.face.pose import Face
from engines.packs import ModelPack, pack_named
from engines.source import decode

Floats = NDArray[np.float32]

KIND = "face-recogniser"
FAMILIES = ("arcface", "sface")
SIDE_PX = 112
# Where eyes, nose and mouth corners lie in the pictures ArcFace and SFace were trained on (insightface, face_align).
_PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
_NOSE_TIP, _MOUTH_LEFT, _MOUTH_RIGHT = 1, 61, 291


class OnnxRecogniser:
    """A recogniser pack, verified and loaded."""

    def __init__(self, pack: ModelPack) -> None:
        """Load the one model of a pack, verified; raises PackDamaged, PackForeign."""
        names = [name for name in pack.files if name.endswith(".onnx")]
        family, threshold = pack.options.get("family"), pack.options.get("threshold")
        if pack.kind != KIND or len(names) != 1 or family not in FAMILIES or not isinstance(threshold, int | float):
            raise PackDamaged(pack=pack.id, file="pack.json", reason="it describes no face recogniser")
        pack.verify()
        self.id, self.threshold, self._family = pack.id, float(threshold), family
        self.model_sha256 = pack.files[names[0]]
        try:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = 1, 4
            # From bytes: a model that refers to files outside itself does not load.
            self._session: Any = onnxruntime.InferenceSession(
                pack.path(names[0]).read_bytes(), options, providers=["CPUExecutionProvider"]
            )
            self._input = self._session.get_inputs()[0].name
        except Exception as error:
            # onnxruntime raises classes of its own for every way in which a model can be unusable.
            raise PackDamaged(pack=pack.id, file=names[0], reason="it does not load") from error

    def embed(self, faces: Sequence[Pixels]) -> list[Floats]:
        """One unit vector for each aligned face; faces: uint8, (112, 112, 3), sRGB. Raises PackDamaged."""
        vectors = []
        for face in faces:
            try:
                (found, *_) = self._session.run(None, {self._input: self._fed(face)})
            except Exception as error:
                raise PackDamaged(pack=self.id, file="-", reason="it does not answer") from error
            vector = np.asarray(found, np.float32).reshape(-1)
            length = float(np.linalg.norm(vector))
            if vector.size < 2 or not np.isfinite(length) or length == 0.0:
                raise PackDamaged(pack=self.id, file="-", reason="its answer is no template")
            vectors.append(vector / np.float32(length))
        return vectors

    def _fed(self, face: Pixels) -> Floats:
        """ArcFace takes RGB from -1 to 1, SFace BGR from 0 to 255; both (1, 3, 112, 112)."""
        values = face.astype(np.float32)
        values = (values - 127.5) / 127.5 if self._family == "arcface" else values[..., ::-1]
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def aligned(picture: Pixels, face: Face) -> Pixels:
    """The face cut out and turned upright as recognisers expect it: uint8, (112, 112, 3).

    The similarity that fits five points best in the least squares (Umeyama, 1991).
    """
    flat = face.points[:, :2].astype(np.float64)
    eyes = [
        (flat[points_of.RIGHT_EYE_OUTER] + flat[points_of.RIGHT_EYE_INNER]) / 2,
        (flat[points_of.LEFT_EYE_OUTER] + flat[points_of.LEFT_EYE_INNER]) / 2,
    ]
    source = np.array([*eyes, flat[_NOSE_TIP], flat[_MOUTH_LEFT], flat[_MOUTH_RIGHT]])
    centre, goal = source.mean(axis=0), _PLACES.mean(axis=0)
    spread = source - centre
    left, sizes, right = np.linalg.svd((_PLACES - goal).T @ spread)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(signs) @ right
    scale = float((sizes * signs).sum() / max(1e-9, (spread**2).sum()))
    matrix = np.hstack([scale * turn, (goal - scale * turn @ centre)[:, None]])
    cut: Pixels = cv2.warpAffine(picture, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA, borderValue=0)
    return cut


def embed_picture(pack_id: str, name: str, data: bytes) -> dict[str, Any]:
    """Templates of all faces of an encoded picture by their numbers, with the recogniser that made them.

    Raises NotAPicture, PictureTooLarge, ModelDamaged, PackMissing, PackDamaged.
    """
    recogniser = OnnxRecogniser(pack_named(pack_id))
    picture = decode(name, data)
    faces = FaceFinder().find(picture)
    vectors = recogniser.embed([aligned(picture, face) for face in faces])
    return {
        "model_sha256": recogniser.model_sha256,
        "threshold": recogniser.threshold,
        "faces": {str(number): vector.tolist() for number, vector in enumerate(vectors, start=1)},
    }
