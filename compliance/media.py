"""SyntheticMedia: what an engine returns, sealed.

The samples are read by compliance.draft, which draws the labels, and before it by compliance.review_result. Nothing
here can be saved, pickled, copied or viewed as an array. Python cannot make that a wall; it is a door that is shut and
that a test watches (who calls `unseal` is checked by tests/house/test_one_way_out.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
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
    keep_clear: boxes of faces in a picture, (left, top, width, height) in pixels: no label is put there. marks_read:
    (role, id as 16 hex digits, or 8 of a short sound) of the invisible marks that its inputs carried.
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
    spans_ms: tuple[tuple[int, int], ...] = ()
    rate_hz: int = 0
    channels: int = 0
    frames: int = 0
    pictures: int = 0
    picture_rate: str = ""
    keep_clear: tuple[tuple[int, int, int, int], ...] = ()
    marks_read: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_sound(cls, samples: Samples, rate_hz: int, *, origin: Origin, engine: str, engine_version: str) -> MediaInfo:
        """The info of a sound: float32, (frames, channels)."""
        frames, channels = samples.shape
        return cls("sound", 0, 0, "", origin, engine, engine_version, rate_hz=rate_hz, channels=channels, frames=frames)

    @classmethod
    def of_document(cls, *, origin: Origin, engine: str, engine_version: str) -> MediaInfo:
        """The info of a text document."""
        return cls("document", 0, 0, "", origin, engine, engine_version)

    @property
    def per_second(self) -> Fraction:
        """Frames of video a second; 0 for other media."""
        return Fraction(self.picture_rate or 0)


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A video frame by frame. frames: begins a new walk through all frames each time it is called, so that a long video
    is never whole in memory; each is uint8, (height, width, 3), sRGB, of one size, at a constant rate. sound: float32,
    (samples, channels), or None. An array handed out may be used again for the next frame.
    """

    frames: Callable[[], Iterator[Pixels]]
    sound: Samples | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A text document as bytes, in one of five formats, without labels yet."""

    format: Literal["txt", "md", "html", "docx", "pdf"]
    data: bytes


class SyntheticMedia:
    """A sealed picture, sound or video. Only compliance.draft opens it.

    Picture: uint8, (height, width, 3), sRGB. Sound: float32, (frames, channels), -1 to 1. Video: a Film.
    """

    __slots__ = ("__pixels", "info")

    def __init__(self, pixels: Pixels | Samples | Film | Document, info: MediaInfo) -> None:
        """Seal pixels, samples or a film; raises ValueError when shape or type do not fit the info."""
        if isinstance(pixels, Film) != (info.kind == "video"):
            raise ValueError("a film is sealed as video, and nothing else is")
        if isinstance(pixels, Document) != (info.kind == "document"):
            raise ValueError("a document is sealed as a document, and nothing else is")
        if isinstance(pixels, Film):
            _require_film(pixels, info)
        elif isinstance(pixels, Document):
            pass
        elif info.kind == "picture" and (pixels.dtype != np.uint8 or pixels.shape != (info.height, info.width, 3)):
            raise ValueError("pixels must be uint8, (height, width, 3)")
        elif info.kind == "sound" and (pixels.dtype != np.float32 or pixels.shape != (info.frames, info.channels)):
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
        size = f"{info.width}x{info.height}" if info.width else f"{info.frames}x{info.channels}"
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


def unseal_film(media: SyntheticMedia) -> Film:
    """A sealed video frame by frame, for compliance.draft alone; every frame and the sound are read-only views.

    A frame of another size or type, and a walk that ends early or late, raise ValueError while walking. Raises
    ValueError for what is no video.
    """
    info = media.info
    if info.kind != "video":
        raise ValueError("not a video")
    film: Film = media._SyntheticMedia__pixels  # type: ignore[attr-defined]  # the mangled name is the seal

    def frames() -> Iterator[Pixels]:
        count = 0
        for frame in film.frames():
            if frame.dtype != np.uint8 or frame.shape != (info.height, info.width, 3) or count == info.pictures:
                raise ValueError("frames must be uint8, (height, width, 3), as many as were told")
            count += 1
            yield _read_only(frame)
        if count != info.pictures:
            raise ValueError("the film ends early")

    return Film(frames, None if film.sound is None else _read_only(film.sound))


def unseal_document(media: SyntheticMedia) -> Document:
    """A sealed document, for compliance.draft alone. Raises ValueError for what is no document."""
    if media.info.kind != "document":
        raise ValueError("not a document")
    document: Document = media._SyntheticMedia__pixels  # type: ignore[attr-defined]  # the mangled name is the seal
    return document


def _require_film(film: Film, info: MediaInfo) -> None:
    sound = film.sound
    if not (info.width > 0 and info.height > 0 and info.pictures > 0 and 0 < info.per_second <= 1000):
        raise ValueError("a video has a size, frames and a rate")
    shape = (0, 0) if sound is None else sound.shape
    if shape != (info.frames, info.channels) or (sound is not None and sound.dtype != np.float32):
        raise ValueError("the sound of a video must be float32, (frames, channels), as told")


def _view(media: SyntheticMedia) -> Any:
    return _read_only(media._SyntheticMedia__pixels)  # type: ignore[attr-defined]  # the mangled name is the seal


def _read_only(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view
