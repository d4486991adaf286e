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
Samples = NDArray[np.float32]
Kind = Literal["picture", "sound", "video", "document"]
# "algorithmicMedia": made by rules, without training data; "algorithmicallyEnhanced": a picture bettered by rules.
Origin = Literal[
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "algorithmicMedia",
    "algorithmicallyEnhanced",
]


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What may be known about sealed media from outside. origin: an IPTC source type code.

    spans_ms: (start, end) of each sentence of speech, before any label is put in front.
    width, height: pixels, 0 for sound. rate_hz, channels, frames (samples a channel): of sound, 0 for pictures and for
    silent video. pictures, picture_rate: number of a video's frames and how many a second, as "30000/1001".
    """

    kind: Kind
    width: int
    height: int
    colour_space: Literal["sRGB", ""]
    origin: Origin
    engine: str
    engine_version: str
    faces_edited: int = 0
    warnings: tuple[str, ...] = ()
    rate_hz: int = 0
    channels: int = 0
    spans_ms: tuple[tuple[int, int], ...] = ()
    frames: int = 0

    @classmethod
    def of_sound(cls, samples: Samples, rate_hz: int, *, origin: Origin, engine: str, engine_version: str) -> MediaInfo:
        """The info of a sound: float32, (frames, channels)."""
        frames, channels = samples.shape
        return cls("sound", 0, 0, "", origin, engine, engine_version, rate_hz=rate_hz, channels=channels, frames=frames)


class SyntheticMedia:
    """A sealed picture or sound. Only compliance.draft opens it.

    Picture: uint8, (height, width, 3), sRGB. Sound: float32, (frames, channels), -1 to 1.
    """

    __slots__ = ("__pixels", "info")

    def __init__(self, pixels: Pixels | Samples, info: MediaInfo) -> None:
        """Seal pixels or samples; raises ValueError when shape or type do not fit the info."""
        if info.kind == "picture" and (pixels.dtype != np.uint8 or pixels.shape != (info.height, info.width, 3)):
            raise ValueError("pixels must be uint8, (height, width, 3)")
        if info.kind == "sound" and (pixels.dtype != np.float32 or pixels.shape != (info.frames, info.channels)):
            raise ValueError("samples must be float32, (frames, channels)")
        self.__pixels = pixels
        self.info = info

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("SyntheticMedia is sealed: it leaves through compliance.draft and compliance.release only")

    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = __getstate__ = _refuse
    __array__ = __buffer__ = __bytes__ = _refuse
    __iter__ = __getitem__ = __len__ = _refuse

    def __repr__(self) -> str:
        info = self.info
        size = f"{info.width}x{info.height}" if info.kind == "picture" else f"{info.frames}x{info.channels}"
        return f"<SyntheticMedia {info.kind} {size}, sealed>"


def unseal(media: SyntheticMedia) -> Pixels:
    """The pixels of a sealed picture, for compliance.draft alone. uint8, (height, width, 3), sRGB, read-only view.

    Raises ValueError for a sound.
    """
    if media.info.kind != "picture":
        raise ValueError("not a picture")
    pixels: Pixels = _view(media)
    return pixels


def unseal_sound(media: SyntheticMedia) -> Samples:
    """The samples of a sealed sound, for compliance.draft alone. float32, (frames, channels), read-only view.

    Raises ValueError for a picture.
    """
    if media.info.kind != "sound":
        raise ValueError("not a sound")
    samples: Samples = _view(media)
    return samples


def _view(media: SyntheticMedia) -> Any:
    view = media._SyntheticMedia__pixels.view()  # type: ignore[attr-defined]  # the mangled name is the seal
    view.flags.writeable = False
    return view
