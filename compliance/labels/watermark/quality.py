"""How far a marked picture lies from its original, by the two usual measures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from compliance.labels.lettering import opencv
from compliance.labels.watermark.frame import Plane
from compliance.media import Pixels

# Wang et al. 2004: Gaussian window of 11 pixels and sigma 1.5, K1 = 0.01, K2 = 0.03.
_WINDOW_PX, _SIGMA_PX = 11, 1.5
_PIECE_PX = 360
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr_db(original: Pixels, marked: Pixels) -> float:
    """Peak signal to noise over all channels, in dB; infinite for equal pictures."""
    cv2 = opencv()
    error = cv2.norm(original, marked, cv2.NORM_L2SQR) / original.size
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(original: Plane, marked: Plane) -> float:
    """Mean structural similarity of two planes of luma, 0 to 255.

    Taken piece by piece, each with the pixels around it that its windows reach: what is worked on stays in the cache.
    Two pieces are worked on at a time.
    """
    height, width = original.shape

    def sum_from(corner: tuple[int, int]) -> float:
        rows, inner_rows = _reach(corner[0], height)
        columns, inner_columns = _reach(corner[1], width)
        return _sum_of_piece(original[rows, columns], marked[rows, columns], (inner_rows, inner_columns))

    corners = [(row, column) for row in range(0, height, _PIECE_PX) for column in range(0, width, _PIECE_PX)]
    with ThreadPoolExecutor(2) as threads:
        return sum(threads.map(sum_from, corners)) / original.size


def _reach(start: int, length: int) -> tuple[slice, slice]:
    """What is needed along one side to reckon a piece, and where the piece lies in it."""
    end = min(length, start + _PIECE_PX)
    first = max(0, start - _WINDOW_PX // 2)
    return slice(first, min(length, end + _WINDOW_PX // 2)), slice(start - first, end - first)


def _sum_of_piece(original: Plane, marked: Plane, inside: tuple[slice, slice]) -> float:
    """The index summed over some pixels.

    By the error of the marked plane: x² + y² = (x - y)² + 2xy, for the means and inside them.
    """
    cv2 = opencv()

    def mean(plane: Plane) -> Plane:
        smooth = cv2.GaussianBlur(plane, (_WINDOW_PX, _WINDOW_PX), _SIGMA_PX, borderType=cv2.BORDER_REFLECT_101)
        result: Plane = smooth[inside]
        return result

    first, second = mean(original), mean(marked)
    product = mean(cv2.multiply(original, marked))
    error = cv2.subtract(original, marked)
    error = mean(cv2.multiply(error, error, dst=error))
    both = cv2.multiply(first, second, scale=2.0)
    apart = cv2.subtract(first, second)
    cv2.multiply(apart, apart, dst=apart)
    joint = cv2.addWeighted(product, 2.0, both, -1.0, _C2)
    both += np.float32(_C1)
    error -= apart
    error += joint
    apart += both
    joint *= both
    joint /= cv2.multiply(apart, error, dst=apart)
    return float(joint.sum(dtype=np.float64))
