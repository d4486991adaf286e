"""Finds where faces are: BlazeFace (short range) over the whole picture and over half-overlapping tiles.

The network sees 128 x 128 pixels and knows faces that fill a fair part of them; tiles bring smaller faces into its
range (on a 1280 px group picture: none of six faces without tiles, all six with them). What it finds wrongly is dropped
later by the presence score of the face mesh. Model and decoding: Bazarevsky et al., BlazeFace, 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compliance.media import Pixels
from engines._cv import cv2
from engines.face.models import read_network

Floats = NDArray[np.float32]

MODEL = "face_detection_short_range.tflite"
NETWORK_SIDE_PX = 128
# (stride in pixels, anchors per cell) of the two output grids.
_GRIDS = ((8, 2), (16, 6))
_SCORE_LIMIT = 0.5
_OVERLAP_LIMIT = 0.3
# Tiles of the shorter side, its half and, in large pictures, its quarter (at least this large).
_TILE_LEVELS = 3
_SMALLEST_QUARTER_PX = 400
# Below this, a tile holds no face of usable size; above that many tiles, a picture is a stripe and not a portrait.
_SMALLEST_TILE_PX = 48
_MOST_TILES = 600


@dataclass(frozen=True, slots=True)
class Detection:
    """A place that looks like a face; all in pixels. eyes: (2, 2), the person's right eye first."""

    score: float
    left: float
    top: float
    width: float
    height: float
    eyes: Floats

    def overlap(self, other: Detection) -> float:
        """Shared area as a part of the smaller box, 0 to 1."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        smaller = min(self.width * self.height, other.width * other.height)
        return max(0.0, wide) * max(0.0, high) / max(smaller, 1e-6)


class Detector:
    """One loaded BlazeFace network; not safe for use by two threads at once."""

    def __init__(self) -> None:
        """Load the network; raises ModelDamaged."""
        self._network = read_network(MODEL)
        self._anchors = _anchors()

    def find(self, picture: Pixels, *, tiled: bool = True) -> list[Detection]:
        """Places that look like a face, best first.

        picture: uint8, (height, width, 3), sRGB. tiled: also look at tiles; without, only faces of about a fifth of the
        picture or more are found.
        """
        height, width = picture.shape[:2]
        side = max(height, width)
        found = self._look(picture, (width - side) / 2, (height - side) / 2, side)
        if tiled:
            for left, top, tile in _tiles(width, height):
                found += self._look(picture, left, top, tile)
        kept: list[Detection] = []
        for candidate in sorted(found, key=lambda item: -item.score):
            if all(candidate.overlap(better) <= _OVERLAP_LIMIT for better in kept):
                kept.append(candidate)
        return kept

    def _look(self, picture: Pixels, left: float, top: float, side: float) -> list[Detection]:
        """Run the network on one square window, which may reach over the edge (seen as black)."""
        height, width = picture.shape[:2]
        scale = NETWORK_SIDE_PX / side
        x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
        x1, y1 = min(width, math.ceil(left + side)), min(height, math.ceil(top + side))
        small_size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
        small = cv2.resize(
            picture[y0:y1, x0:x1], small_size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        )
        canvas = np.zeros((NETWORK_SIDE_PX, NETWORK_SIDE_PX, 3), np.uint8)
        at_x, at_y = max(0, round((x0 - left) * scale)), max(0, round((y0 - top) * scale))
        high, wide = min(small.shape[0], NETWORK_SIDE_PX - at_y), min(small.shape[1], NETWORK_SIDE_PX - at_x)
        canvas[at_y : at_y + high, at_x : at_x + wide] = small[:high, :wide]

        self._network.setInput(cv2.dnn.blobFromImage(canvas, 1 / 127.5, canvas.shape[:2], (127.5,) * 3, swapRB=False))
        logits, boxes = self._network.forward(["classificators", "regressors"])
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -80, 80)))
        found = []
        for index in np.flatnonzero(scores > _SCORE_LIMIT):
            # Rows: centre, size, then six points (eyes first), in pixels of the network relative to the anchor.
            rows = boxes.reshape(-1, 8, 2)[index] / NETWORK_SIDE_PX
            centre = (rows[0] + self._anchors[index]) * side + (left, top)
            size = rows[1] * side
            eyes = (rows[2:4] + self._anchors[index]) * side + (left, top)
            if size.min() > 0:
                corner = centre - size / 2
                found.append(
                    Detection(
                        float(scores[index]),
                        float(corner[0]),
                        float(corner[1]),
                        float(size[0]),
                        float(size[1]),
                        eyes.astype(np.float32),
                    )
                )
        return found


def _anchors() -> Floats:
    """Centres of the anchors in output order, (896, 2), as parts of the window."""
    parts = []
    for stride, per_cell in _GRIDS:
        cells = NETWORK_SIDE_PX // stride
        y, x = np.mgrid[0:cells, 0:cells]
        centres = np.stack([(x + 0.5) / cells, (y + 0.5) / cells], axis=-1).reshape(-1, 2)
        parts.append(np.repeat(centres, per_cell, axis=0))
    return np.concatenate(parts).astype(np.float32)


def _tiles(width: int, height: int) -> list[tuple[float, float, float]]:
    """Half-overlapping square windows (left, top, side) that cover the picture, largest first."""
    shorter = min(width, height)
    tiles = []
    for level in range(_TILE_LEVELS):
        side = shorter / 2**level
        if side < (_SMALLEST_QUARTER_PX if level == 2 else _SMALLEST_TILE_PX):
            break
        step = side / 2
        columns = max(1, math.ceil((width - side) / step) + 1)
        rows = max(1, math.ceil((height - side) / step) + 1)
        if columns * rows > _MOST_TILES:
            break
        tiles += [
            (float(left), float(top), side)
            for top in np.linspace(0, height - side, rows)
            for left in np.linspace(0, width - side, columns)
        ]
    return tiles
