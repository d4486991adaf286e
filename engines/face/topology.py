"""Which of the 468 face points form triangles, outlines, eyes, lips and brows; read from resources/models.

Triangles are turned so that a face seen from the front has a positive cross product in picture coordinates (y down);
a triangle that turns negative is seen from behind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from compliance.errors import ModelDamaged
from engines.face.models import read_model

FILE = "face_mesh_topology.json"
POINTS = 468

# Single points of the mesh (numbers as in MediaPipe's face mesh; right and left are the person's own).
RIGHT_EYE_OUTER, RIGHT_EYE_INNER, RIGHT_LID_TOP, RIGHT_LID_BOTTOM = 33, 133, 159, 145
LEFT_EYE_OUTER, LEFT_EYE_INNER, LEFT_LID_TOP, LEFT_LID_BOTTOM = 263, 362, 386, 374
LIP_TOP, LIP_BOTTOM = 13, 14

# Patches of bare skin: both cheeks and the bridge of the nose.
SKIN_PATCHES = (
    (116, 117, 118, 119, 100, 142, 203, 206, 216, 192, 213, 147, 123),
    (345, 346, 347, 348, 329, 371, 423, 426, 436, 416, 433, 376, 352),
    (168, 122, 196, 236, 198, 4, 420, 456, 419, 351),
)
# Points of cheeks and chin that, with brows, eyes and lips, span the inner face.
_INNER_CHEEKS = (50, 280, 205, 425, 187, 411, 212, 432, 202, 422, 199, 200, 18, 175, 111, 340, 117, 346)

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Topology:
    """Index lists into the face points. triangles: (898, 3), the mouth opening included; rings are closed outlines."""

    triangles: Indices
    oval: Indices
    eyes: tuple[Indices, Indices]
    lips_outer: Indices
    lips_inner: Indices
    brows: tuple[Indices, Indices]
    inner_face: Indices


@cache
def _parse(data: bytes) -> Topology:
    fields = json.loads(data)

    def indices(name: str) -> Indices:
        return np.array(fields[name], dtype=np.intp)

    triangles = np.concatenate([indices("skin_triangles"), indices("eye_triangles"), indices("mouth_triangles")])
    eyes, brows = (indices("right_eye"), indices("left_eye")), (indices("right_brow"), indices("left_brow"))
    lips_outer = indices("lips_outer")
    inner_face = np.concatenate([*brows, *eyes, lips_outer, np.array(_INNER_CHEEKS, dtype=np.intp)])
    return Topology(triangles, indices("oval"), eyes, lips_outer, indices("lips_inner"), brows, inner_face)


def topology() -> Topology:
    """The mesh of the 468 points; raises ModelDamaged when its file is not whole."""
    try:
        return _parse(read_model(FILE))
    except (ValueError, KeyError) as error:
        raise ModelDamaged(file=FILE) from error
