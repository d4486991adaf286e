"""Finds the 468 points of a face with the face mesh network.

Model: Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2
from engines.face import topology as points_of
from engines.face.detector import Detection, Detector
from engines.face.models import read_network
from engines.face.pose import Face

Floats = NDArray[np.float32]

MODEL = "face_landmark.tflite"
NETWORK_SIDE_PX = 192
# On pictures tried, faces score 1.00 and false detections 0.00.
PRESENCE_LIMIT = 0.5
# The network wants the face with a quarter of its size around it.
_MARGIN = 1.5
_POINTS_LAYER, _PRESENCE_LAYER = "conv2d_21", "conv2d_31"


class Landmarker:
    """One loaded face mesh network; not safe for use by two threads at once."""

    def __init__(self) -> None:
        """Load the network; raises ModelDamaged."""
        self._network = read_network(MODEL)

    def locate(self, picture: Pixels, detection: Detection) -> Face:
        """The face at a detection; two passes, the second aligned by the first.

        picture: uint8, (height, width, 3), sRGB. A false detection shows as a presence near 0.
        """
        right, left = detection.eyes
        first = self._run(
            picture,
            (detection.left + detection.width / 2, detection.top + detection.height / 2),
            max(detection.width, detection.height) * _MARGIN,
            math.atan2(float(left[1] - right[1]), float(left[0] - right[0])),
        )
        return self.follow(picture, first) if first.presence > PRESENCE_LIMIT / 10 else first

    def follow(self, picture: Pixels, face: Face) -> Face:
        """The same face once more, searched where `face` lies: one pass, enough from frame to frame of a video."""
        flat = face.points[:, :2]
        across = flat[points_of.LEFT_EYE_OUTER] - flat[points_of.RIGHT_EYE_OUTER]
        roll = math.atan2(float(across[1]), float(across[0]))
        cos, sin = math.cos(roll), math.sin(roll)
        upright = flat @ np.array([[cos, -sin], [sin, cos]], np.float32)
        low, high = upright.min(axis=0), upright.max(axis=0)
        x, y = (low + high) / 2
        return self._run(picture, (x * cos - y * sin, x * sin + y * cos), float(max(high - low)) * _MARGIN, roll)

    def _run(self, picture: Pixels, centre: tuple[float, float], side: float, roll: float) -> Face:
        """Run the network on a square of `side` pixels around a centre, turned by `roll` radians."""
        side = max(side, 8.0)
        scale = side / NETWORK_SIDE_PX
        cos, sin = math.cos(roll) * scale, math.sin(roll) * scale
        middle = NETWORK_SIDE_PX / 2
        to_picture = np.array(
            [
                [cos, -sin, centre[0] - (cos - sin) * middle],
                [sin, cos, centre[1] - (sin + cos) * middle],
            ],
            np.float32,
        )
        crop = _cut(picture, to_picture, centre, side, scale)
        self._network.setInput(cv2.dnn.blobFromImage(crop, 1 / 255, crop.shape[:2], (0,) * 3, swapRB=False))
        points, presence = self._network.forward([_POINTS_LAYER, _PRESENCE_LAYER])
        found = points.reshape(points_of.POINTS, 3).astype(np.float32)
        placed = np.empty_like(found)
        placed[:, :2] = found[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        placed[:, 2] = found[:, 2] * scale
        logit = min(80.0, max(-80.0, float(presence.reshape(-1)[0])))
        return Face(placed, 1 / (1 + math.exp(-logit)))


def _cut(picture: Pixels, to_picture: Floats, centre: tuple[float, float], side: float, scale: float) -> Pixels:
    """The square as the network's input; only the pixels near it are touched, and shrinking averages (no aliasing)."""
    height, width = picture.shape[:2]
    reach = side * 0.75 + 2
    x0, y0 = (min(limit - 1, max(0, int(c - reach))) for c, limit in zip(centre, (width, height), strict=True))
    x1, y1 = (min(limit, max(1, int(c + reach) + 1)) for c, limit in zip(centre, (width, height), strict=True))
    near = picture[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    to_near = to_picture.copy()
    to_near[:, 2] -= (x0, y0)
    if scale > 1.5:
        size = (max(1, round(near.shape[1] / scale)), max(1, round(near.shape[0] / scale)))
        ratio = np.array([[size[0] / near.shape[1]], [size[1] / near.shape[0]]], np.float32)
        near = cv2.resize(near, size, interpolation=cv2.INTER_AREA)
        to_near *= ratio
        to_near[:, 2] += ratio[:, 0] * 0.5 - 0.5
    crop: Pixels = cv2.warpAffine(
        near,
        to_near,
        (NETWORK_SIDE_PX, NETWORK_SIDE_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return crop


class FaceFinder:
    """Detector and landmarks together: all faces of a picture."""

    def __init__(self) -> None:
        """Load both networks; raises ModelDamaged."""
        self.detector = Detector()
        self.landmarker = Landmarker()

    def find(self, picture: Pixels) -> list[Face]:
        """All faces, from left to right. picture: uint8, (height, width, 3), sRGB."""
        faces: list[Face] = []
        for detection in self.detector.find(picture):
            face = self.landmarker.locate(picture, detection)
            if face.presence > PRESENCE_LIMIT and not any(_is_same(face, other) for other in faces):
                faces.append(face)
        return sorted(faces, key=lambda face: float(face.points[:, 0].mean()))


def _is_same(face: Face, other: Face) -> bool:
    """Two detections may slide onto one face: their centres then lie within half an eye distance."""
    apart = face.points[:, :2].mean(axis=0) - other.points[:, :2].mean(axis=0)
    return float(np.hypot(*apart)) < 0.5 * max(face.eye_distance_px, other.eye_distance_px)
