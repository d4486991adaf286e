"""How far a marked picture lies from its original, by the two usual measures."""

from __future__ import annotations

import numpy as np

from compliance.labels.lettering import opencv
from compliance.labels.watermark.frame import Plane
from compliance.media import Pixels

# Wang et al. 2004: Gaussian window of 11 pixels and sigma 1.5, K1 = 0.01, K2 = 0.03.
_WINDOW_PX, _SIGMA_PX = 11, 1.5
_STRIP_PX = 96
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr_db(original: Pixels, marked: Pixels) -> float:
    """Peak signal to noise over all channels, in dB; infinite for equal pictures."""
    cv2 = opencv()
    error = cv2.norm(original, marked, cv2.NORM_L2SQR) / original.size
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(original: Plane, marked: Plane) -> float:
    """Mean structural similarity of two planes of luma, 0 to 255.

    Taken strip by strip, each with the rows around it that its windows reach: what is worked on stays in the cache.
    """
    height, reach = original.shape[0], _WINDOW_PX // 2
    total = 0.0
    for start in range(0, height, _STRIP_PX):
        end = min(height, start + _STRIP_PX)
        top, bottom = max(0, start - reach), min(height, end + reach)
        inside = slice(start - top, end - top)
        total += _sum_of_strip(original[top:bottom], marked[top:bottom], inside)
    return total / original.size


def _sum_of_strip(original: Plane, marked: Plane, inside: slice) -> float:
    """The index summed over some rows."""
    cv2 = opencv()

    def mean(plane: Plane) -> Plane:
        smooth = cv2.GaussianBlur(plane, (_WINDOW_PX, _WINDOW_PX), _SIGMA_PX, borderType=cv2.BORDER_REFLECT_101)
        result: Plane = smooth[inside]
        return result

    first, second = mean(original), mean(marked)
    both = first * second
    squares = first * first
    squares += second * second
    spread = mean(original * original + marked * marked) - squares
    joint = mean(original * marked) - both
    index = (2 * both + _C1) * (2 * joint + _C2)
    index /= (squares + _C1) * (spread + _C2)
    return float(index.sum(dtype=np.float64))
