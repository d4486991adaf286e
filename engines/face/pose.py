"""Measures of one face from its 468 points: size, pose, openness of the lids."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.face import topology as points_of

Floats = NDArray[np.float32]

# A mesh swap convinces up to about 20 degrees of yaw between the faces, looks fake at 33 and like a sticker at 45.
FADE_FROM_DEGREES = 25.0
FADE_TO_DEGREES = 40.0


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a picture.

    points: float32, (468, 3), x and y in pixels of the picture, z in pixels away from the camera.
    presence: 0 to 1, how sure the network is that this is a face.
    """

    points: Floats
    presence: float

    @property
    def eye_distance_px(self) -> float:
        """Between the outer eye corners."""
        right, left = self.points[points_of.RIGHT_EYE_OUTER, :2], self.points[points_of.LEFT_EYE_OUTER, :2]
        return float(np.hypot(*(left - right)))

    @property
    def yaw_degrees(self) -> float:
        """How far the head is turned; positive towards the right edge of the picture."""
        right_to_left = self.points[points_of.LEFT_EYE_OUTER] - self.points[points_of.RIGHT_EYE_OUTER]
        return math.degrees(math.atan2(float(right_to_left[2]), float(np.hypot(right_to_left[0], right_to_left[1]))))

    @property
    def lid_openings(self) -> tuple[float, float]:
        """Height by width of the person's right and left eye; under 0.16 an eye counts as closed."""
        return (
            self._ratio(
                points_of.RIGHT_LID_TOP,
                points_of.RIGHT_LID_BOTTOM,
                points_of.RIGHT_EYE_OUTER,
                points_of.RIGHT_EYE_INNER,
            ),
            self._ratio(
                points_of.LEFT_LID_TOP, points_of.LEFT_LID_BOTTOM, points_of.LEFT_EYE_OUTER, points_of.LEFT_EYE_INNER
            ),
        )

    def box(self) -> tuple[float, float, float, float]:
        """Smallest box around all points: (left, top, width, height), pixels."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])

    def _ratio(self, a: int, b: int, c: int, d: int) -> float:
        flat = self.points[:, :2]
        return float(np.hypot(*(flat[a] - flat[b]))) / max(1e-3, float(np.hypot(*(flat[c] - flat[d]))))


def pose_strength(yaw_difference_degrees: float) -> float:
    """How much of a swap remains at this difference of yaw: 1 up to 25 degrees, 0 from 40 on."""
    part = (FADE_TO_DEGREES - abs(yaw_difference_degrees)) / (FADE_TO_DEGREES - FADE_FROM_DEGREES)
    return min(1.0, max(0.0, part))
