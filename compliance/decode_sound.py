"""Decodes finished sound so that it can be measured; writes nothing. Used by release, verify and the tests."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing, NotASound

# Ten hours of telephone sound or one of stereo music: far more than the house makes, and it fits into memory.
LONGEST_SAMPLES: Final = 2 * 48000 * 3600


def decode_sound(name: str, data: bytes) -> tuple[NDArray[np.float32], int]:
    """All samples of the one sound stream of a file, and its rate in Hz: float32, (frames, channels), -1 to 1.

    name is only for the message. Raises NotASound for what cannot be decoded whole or is too long, LabelPartMissing
    without PyAV.
    """
    try:
        import av
    except ImportError as error:
        raise LabelPartMissing(part="PyAV") from error

    pieces: list[NDArray[np.float32]] = []
    count = rate_hz = 0
    try:
        with av.open(io.BytesIO(data), "r", metadata_errors="ignore") as container:
            if len(container.streams.audio) != 1:
                raise NotASound(path=name, reason="not exactly one sound stream")
            stream: Any = container.streams.audio[0]
            layout = stream.layout.name
            rate_hz = int(stream.rate)
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate_hz)
            for frame in container.decode(stream):
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().astype(np.float32, copy=False))
                    count += pieces[-1].size
                if count > LONGEST_SAMPLES:
                    raise NotASound(path=name, reason="longer than an hour")
            for piece in resampler.resample(None):
                pieces.append(piece.to_ndarray().astype(np.float32, copy=False))
    # A stream whose coding is unknown lacks attributes that others have.
    except (av.FFmpegError, AttributeError, ValueError, OSError, MemoryError) as error:
        raise NotASound(path=name, reason="cannot be decoded") from error
    if not count:
        raise NotASound(path=name, reason="no sound data")
    return np.ascontiguousarray(np.concatenate(pieces, axis=1).T), rate_hz
