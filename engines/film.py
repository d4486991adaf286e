"""Read-only decoding of films into what engines work on: upright sRGB frames at a constant rate, and the sound.

Bytes come from anywhere, so the decoder is narrow: the container is named by the first bytes, lengths and sizes are
limited, and every way in which a decoder can fail becomes NotAVideo. A film is decoded anew on each walk and never
whole in memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing, NotAVideo, VideoTooLong
from compliance.media import Pixels, Samples

LONGEST_S: Final = 1800.0
LARGEST_PIXELS: Final = 4096 * 2304
_FASTEST = Fraction(120)
_EBML = b"\x1aE\xdf\xa3"
# FFmpeg's numbers for the transfer curves of HDR: PQ (SMPTE ST 2084) and HLG (ARIB STD-B67).
_HDR = frozenset({16, 18})
_THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class FilmFile:
    """A film that was looked through once. width, height: upright, with square pixels; pictures: frames at `rate`.

    sound: float32, (samples, 1 or 2), at rate_hz, beginning with the first frame; None without any.
    """

    name: str
    data: bytes
    width: int
    height: int
    rate: Fraction
    pictures: int
    sound: Samples | None
    rate_hz: int

    def frames(self) -> Iterator[Pixels]:
        """A new walk through all frames: at each moment the one that is shown then. Raises NotAVideo."""
        shots = _shots(self.name, self.data)
        shown, start_s = next(shots)
        following = next(shots, None)
        pixels: Pixels | None = None
        for index in range(self.pictures):
            until_s = start_s + float((index + Fraction(1, 2)) / self.rate)
            while following is not None and following[1] < until_s:
                shown, pixels = following[0], None
                following = next(shots, None)
            if pixels is None:
                pixels = _upright(shown, self.width, self.height)
            yield pixels


def glimpses(name: str, data: bytes, every_s: float = 1.0) -> Iterator[tuple[float, Pixels]]:
    """The first frame of a film, then about one every `every_s` seconds, upright, and when each is shown in seconds.

    Raises NotAVideo, LabelPartMissing without PyAV.
    """
    due_s: float | None = None
    size: tuple[int, int] | None = None
    for frame, time_s in _shots(name, data):
        if due_s is not None and time_s < due_s:
            continue
        due_s = time_s + every_s
        size = _size(name, data, frame) if size is None else size
        yield time_s, _upright(frame, *size)


def open_film(name: str, data: bytes, check: Callable[[], None]) -> FilmFile:
    """Look through a film: MP4, MOV, MKV or WebM. name is only for messages; check: called between frames, may raise.

    A film of changing rate is brought to its mean rate, 120 frames a second at most; turned ones are turned back, wider
    pixels made square, 10 bits reduced to 8. Raises NotAVideo (HDR, damaged, frames over 9.4 megapixels, of changing
    size), VideoTooLong over half an hour, LabelPartMissing without PyAV.
    """
    if not data:
        raise NotAVideo(path=name, reason="the file is empty")
    if data[:4] != _EBML and data[4:8] != b"ftyp":
        raise NotAVideo(path=name, reason="unknown format")
    first: Any = None
    count, start_s, last_s = 0, 0.0, 0.0
    for frame, time_s in _shots(name, data):
        check()
        if first is None:
            first, start_s = frame, time_s
            if frame.color_trc in _HDR:
                raise NotAVideo(path=name, reason="its colours are HDR; save it as SDR (BT.709) first")
        if (frame.width, frame.height, _turn(name, frame)) != (first.width, first.height, _turn(name, first)):
            raise NotAVideo(path=name, reason="its frames change their size")
        count, last_s = count + 1, time_s
        if last_s - start_s > LONGEST_S:
            raise VideoTooLong(path=name, limit_s=int(LONGEST_S))
    width, height = _size(name, data, first)
    rate = _rate(name, data, count, last_s - start_s)
    pictures = max(1, round((last_s - start_s) * rate) + 1)
    sound, rate_hz = _sound(name, data, start_s, check)
    return FilmFile(name, data, width, height, rate, pictures, sound, rate_hz)


def _opened(name: str, data: bytes) -> Any:
    try:
        import av
    except ImportError as error:
        raise LabelPartMissing(part="PyAV") from error
    return av.open(io.BytesIO(data), "r", format="matroska" if data[:4] == _EBML else "mp4", metadata_errors="ignore")


def _shots(name: str, data: bytes) -> Iterator[tuple[Any, float]]:
    """Frames as they are stored, and when they are shown in seconds; raises NotAVideo."""
    import av

    count, last_s = 0, -1e9
    try:
        with _opened(name, data) as container:
            stream = container.streams.best("video")
            if stream is None or stream.codec_context is None:
                raise NotAVideo(path=name, reason="it has no picture" if stream is None else "its coding is unknown")
            context = stream.codec_context
            if context.width * context.height > LARGEST_PIXELS:
                raise NotAVideo(path=name, reason="its frames are larger than 4096 by 2304")
            stream.thread_type = "AUTO"
            context.thread_count = _THREADS
            for frame in container.decode(stream):
                if frame.is_corrupt or frame.time is None or frame.time < last_s:
                    raise NotAVideo(path=name, reason="the file is damaged")
                count, last_s = count + 1, frame.time
                yield frame, frame.time
    # A stream whose coding is unknown lacks attributes that others have.
    except (av.FFmpegError, AttributeError, ValueError, OSError, MemoryError) as error:
        raise NotAVideo(path=name, reason="the file is damaged") from error
    if not count:
        raise NotAVideo(path=name, reason="it has no picture")


def _turn(name: str, frame: Any) -> int:
    """Quarter turns against the clock that bring a frame upright."""
    angle = round(frame.rotation)
    if angle % 90:
        raise NotAVideo(path=name, reason="it is turned by an angle that is no quarter")
    return int(angle // 90 % 4)


def _size(name: str, data: bytes, frame: Any) -> tuple[int, int]:
    """Width and height of the upright film with square pixels."""
    with _opened(name, data) as container:
        shape = container.streams.best("video").sample_aspect_ratio
    width, height = round(frame.width * shape) if shape and shape > 0 else frame.width, frame.height
    if not 0 < width * height <= LARGEST_PIXELS:
        raise NotAVideo(path=name, reason="its frames are larger than 4096 by 2304")
    return (height, width) if _turn(name, frame) % 2 else (width, height)


def _upright(frame: Any, width: int, height: int) -> Pixels:
    turns = _turn("", frame)
    wide, high = (height, width) if turns % 2 else (width, height)
    pixels: Pixels = frame.to_ndarray(format="rgb24", width=wide, height=high)
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _rate(name: str, data: bytes, count: int, span_s: float) -> Fraction:
    """The rate that the file names where its frames keep to it, else their mean rate."""
    mean = (count - 1) / span_s if count > 1 and span_s > 0 else 25.0
    with _opened(name, data) as container:
        stream = container.streams.best("video")
        told = stream.average_rate or stream.guessed_rate
    if told and abs(float(told) / mean - 1) < 0.02:
        mean_rate = Fraction(told)
    else:
        mean_rate = Fraction(mean).limit_denominator(1001)
    return min(max(mean_rate, Fraction(1)), _FASTEST)


def _sound(name: str, data: bytes, start_s: float, check: Callable[[], None]) -> tuple[Samples | None, int]:
    """The sound, mixed down to two channels where it has more, from the moment of the first frame on."""
    import av

    pieces: list[NDArray[Any]] = []
    begins_s: float | None = None
    count = 0
    try:
        with _opened(name, data) as container:
            if not container.streams.audio:
                return None, 0
            stream = container.streams.audio[0]
            rate_hz = int(stream.rate)
            layout = "mono" if stream.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate_hz)
            for frame in container.decode(stream):
                check()
                begins_s = frame.time if begins_s is None else begins_s
                new = [piece.to_ndarray() for piece in resampler.resample(frame)]
                pieces += new
                count += sum(piece.shape[1] for piece in new)
                if count > (LONGEST_S + 60) * rate_hz:
                    raise VideoTooLong(path=name, limit_s=int(LONGEST_S))
            pieces += [piece.to_ndarray() for piece in resampler.resample(None)]
    # A stream whose coding is unknown lacks attributes that others have.
    except (av.FFmpegError, AttributeError, ValueError, OSError, MemoryError) as error:
        raise NotAVideo(path=name, reason="its sound is damaged") from error
    if not pieces or not 8000 <= rate_hz <= 192_000:
        return None, 0
    samples = np.ascontiguousarray(np.concatenate(pieces, axis=1).T, np.float32)
    if not np.isfinite(samples).all():
        raise NotAVideo(path=name, reason="its sound is damaged")
    late = round(((begins_s or 0.0) - start_s) * rate_hz)
    if late > 0:
        samples = np.concatenate([np.zeros((late, samples.shape[1]), np.float32), samples])
    samples = samples[max(0, -late) :]
    return (samples, rate_hz) if len(samples) else (None, 0)
