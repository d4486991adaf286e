"""SyntheticMedia: what an engine returns, sealed.

The samples can be read by compliance.draft alone, which draws the labels. Nothing here can be saved, pickled, copied or
viewed as an array. Python cannot make that a wall; it is a door that is shut and that a test watches (who calls
`unseal` is checked by tests/house/test_one_way_out.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Origin = Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"]


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What may be known about sealed media from outside. width, height: pixels; origin: an IPTC source type code."""

    kind: Literal["picture"]
    width: int
    height: int
    colour_space: Literal["sRGB"]
    origin: Origin
    engine: str
    engine_version: str
    faces_edited: int = 0
    warnings: tuple[str, ...] = ()


class SyntheticMedia:
    """A sealed picture: uint8, (height, width, 3), sRGB. Only compliance.draft opens it."""

    __slots__ = ("__pixels", "info")

    def __init__(self, pixels: Pixels, info: MediaInfo) -> None:
        """Seal pixels; raises ValueError when shape or type do not fit the info."""
        if pixels.dtype != np.uint8 or pixels.shape != (info.height, info.width, 3):
            raise ValueError("pixels must be uint8, (height, width, 3)")
        self.__pixels = pixels
        self.info = info

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("SyntheticMedia is sealed: it leaves through compliance.draft and compliance.release only")

    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = __getstate__ = _refuse
    __array__ = __buffer__ = __bytes__ = _refuse
    __iter__ = __getitem__ = __len__ = _refuse

    def __repr__(self) -> str:
        return f"<SyntheticMedia {self.info.kind} {self.info.width}x{self.info.height}, sealed>"


def unseal(media: SyntheticMedia) -> Pixels:
    """The samples of sealed media, for compliance.draft alone. uint8, (height, width, 3), sRGB, read-only view."""
    pixels: Any = media._SyntheticMedia__pixels  # type: ignore[attr-defined]
    view: Pixels = pixels.view()
    view.flags.writeable = False
    return view
