"""The dense map: for every pixel of a target window, the place in the source face that belongs there.

Triangles of the target are drawn far to near as numbers into a small raster (those turned away are left out); each
number stands for the affine map of its triangle, so one gather gives the whole map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines._cv import cv2

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_SUBPIXEL_BITS = 4
# Triangles of less than this doubled area (square pixels) are seen from the side or from behind.
_AREA_LIMIT = 1e-2


@dataclass(frozen=True, slots=True)
class Window:
    """A box of the picture seen at another size: columns x rows pixels of its own for width x height of the picture."""

    left: int
    top: int
    width: int
    height: int
    columns: int
    rows: int

    @property
    def size(self) -> tuple[int, int]:
        """(columns, rows), the order OpenCV wants."""
        return self.columns, self.rows

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the box in the picture."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def at_most(self, longest_px: int) -> Window:
        """The same box with at most that many pixels on its longer side."""
        scale = min(1.0, longest_px / max(self.columns, self.rows))
        size = max(8, round(self.columns * scale)), max(8, round(self.rows * scale))
        return Window(self.left, self.top, self.width, self.height, *size)

    def place(self, points: Floats) -> Floats:
        """Picture coordinates as the window's own; (n, 2). Pixel centres lie at whole numbers in both."""
        ratio = np.array([self.columns / self.width, self.rows / self.height], np.float32)
        placed: Floats = (points - np.array([self.left, self.top], np.float32) + 0.5) * ratio - 0.5
        return placed


def fixed_point(points: Floats) -> NDArray[np.int32]:
    """Coordinates in sixteenths of a pixel, for OpenCV's drawing with shift=4."""
    return np.round(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def dense_map(
    source: Floats, target: Floats, depth: Floats, triangles: NDArray[np.intp], size: tuple[int, int]
) -> tuple[Floats, Bools]:
    """Source place for each pixel of a raster, and where the mesh covers it.

    source, target: (n, 2), pixels of the source and of the raster. depth: (n,), larger is farther.
    size: (columns, rows). Returns float32 (rows, columns, 2), its values continued a few pixels beyond the mesh, and
    bool (rows, columns).
    """
    corners = target[triangles]
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    order = np.argsort(-depth[triangles].sum(axis=1), kind="stable")
    order = order[area[order] > _AREA_LIMIT]
    raster = np.zeros((size[1], size[0]), np.int32)
    drawn = fixed_point(corners)
    fill = cv2.fillConvexPoly
    for number in order.tolist():
        fill(raster, drawn[number], number + 1, 8, _SUBPIXEL_BITS)

    # Affine map of a triangle: source = a * x + b * y + c; row 0 stands for "no triangle". Pixels of a sliver lie
    # partly outside of it, where its map runs far away: so the box of the source triangle bounds it.
    from_corners = source[triangles]
    source_along, source_across = from_corners[:, 1] - from_corners[:, 0], from_corners[:, 2] - from_corners[:, 0]
    divisor = np.where(np.abs(area) > _AREA_LIMIT, area, 1.0)[:, None]
    a = (source_along * across[:, 1:2] - source_across * along[:, 1:2]) / divisor
    b = (source_across * along[:, 0:1] - source_along * across[:, 0:1]) / divisor
    c = from_corners[:, 0] - a * corners[:, 0, 0:1] - b * corners[:, 0, 1:2]
    table = np.zeros((len(triangles) + 1, 10), np.float32)
    table[1:] = np.concatenate([a, b, c, from_corners.min(axis=1), from_corners.max(axis=1)], axis=1)

    of_pixel = table[raster]
    x = np.arange(size[0], dtype=np.float32)[None, :, None]
    y = np.arange(size[1], dtype=np.float32)[:, None, None]
    mapped = of_pixel[..., 0:2] * x + of_pixel[..., 2:4] * y + of_pixel[..., 4:6]
    np.maximum(mapped, of_pixel[..., 6:8], out=mapped)
    np.minimum(mapped, of_pixel[..., 8:10], out=mapped)
    covered = raster > 0
    return _continued(mapped, covered), covered


def _continued(mapped: Floats, covered: Bools) -> Floats:
    """The map grown by two pixels over its edge, so that enlarging it mixes no emptiness in."""
    low = mapped.copy()
    low[~covered] = -1e4
    grown = cv2.dilate(low, np.ones((3, 3), np.uint8), iterations=2)
    result: Floats = np.where(covered[..., None], mapped, grown).astype(np.float32)
    return result
