"""Decodes finished video frame by frame so that it can be measured; writes nothing. Used by release and verify."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing, NotAVideo
from compliance.media import Pixels

LARGEST_PIXELS: Final = 8192 * 4320
_THREADS = 2
_DEMUXERS = {b"\x1aE\xdf\xa3": "matroska"}


class DecodedShot:
    """One frame. time_s: when it is shown. is_key: it is stored without reference to other frames."""

    __slots__ = ("_frame", "_pixels", "is_key", "time_s")

    def __init__(self, frame: Any, time_s: float) -> None:
        self._frame, self.time_s = frame, time_s
        self.is_key = bool(frame.key_frame)
        self._pixels: Pixels | None = None

    def luma(self) -> NDArray[np.uint8]:
        """Brightness as stored: uint8, (height, width)."""
        frame = self._frame
        if not frame.format.name.startswith(("yuv4", "yuvj4", "nv12", "gray")) or frame.format.components[0].bits != 8:
            frame = frame.reformat(format="gray")
        plane = frame.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        return rows[: frame.height, : frame.width]

    def pixels(self) -> Pixels:
        """uint8, (height, width, 3)."""
        if self._pixels is None:
            self._pixels = self._frame.to_ndarray(format="rgb24")
        return self._pixels


def decode_film(name: str, data: bytes, *, key_frames: bool = False) -> Iterator[DecodedShot]:
    """Walk through the frames of the one video stream of a file, in the order and at the times they are shown.

    name is only for the message. key_frames: only those that stand for themselves. Raises NotAVideo while walking for
    what cannot be decoded to its end or has several video streams, LabelPartMissing without PyAV.
    """
    try:
        import av
    except ImportError as error:
        raise LabelPartMissing(part="PyAV") from error

    count = 0
    try:
        with av.open(
            io.BytesIO(data), "r", format=_DEMUXERS.get(data[:4], "mp4"), metadata_errors="ignore"
        ) as container:
            if len(container.streams.video) != 1:
                raise NotAVideo(path=name, reason="not exactly one video stream")
            stream: Any = container.streams.video[0]
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = _THREADS
            if key_frames:
                stream.codec_context.skip_frame = "NONKEY"
            if stream.codec_context.width * stream.codec_context.height > LARGEST_PIXELS:
                raise NotAVideo(path=name, reason="its frames are too large")
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise NotAVideo(path=name, reason="cannot be decoded")
                count += 1
                yield DecodedShot(frame, float(frame.time or 0.0))
    # A stream whose coding is unknown lacks attributes that others have.
    except (av.FFmpegError, AttributeError, ValueError, OSError, MemoryError) as error:
        raise NotAVideo(path=name, reason="cannot be decoded") from error
    if not count:
        raise NotAVideo(path=name, reason="no frames")
