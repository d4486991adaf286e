"""Films from elsewhere for the tests of reading them: turned, uneven, of ten bits, with sound."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np

from compliance.media import Pixels


def picture(index: int, width: int = 160, height: int = 128) -> Pixels:
    """Grey that grows with the index, with a white block in the upper left corner."""
    pixels = np.full((height, width, 3), 20 + 8 * index, np.uint8)
    pixels[: height // 4, : width // 4] = 255
    return pixels


def encoded(
    count: int,
    form: str = "mp4",
    *,
    codec: str = "libx264",
    rate: int = 8,
    ticks: Sequence[int] = (),
    pix_fmt: str = "yuv420p",
    sound_s: float = 0.0,
    size: tuple[int, int] = (160, 128),
    **context: Any,
) -> bytes:
    """A film of `count` pictures. ticks: when each is shown, in hundredths of a second, instead of an even rate."""
    target = io.BytesIO()
    with av.open(target, "w", format=form) as container:
        stream = container.add_stream(codec, rate=100 if ticks else rate, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        sound = container.add_stream("aac", rate=16000) if sound_s else None
        if sound is not None:
            sound.layout = "mono"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(picture(index, *size), format="rgb24").reformat(format=pix_fmt)
            if ticks:
                frame.pts, frame.time_base = ticks[index], Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            wave = (0.2 * np.sin(np.arange(round(sound_s * 16000)) * 0.2)).astype(np.float32)
            piece = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            piece.sample_rate = 16000
            container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return target.getvalue()


def turned(data: bytes, quarter: int) -> bytes:
    """The same MP4 to be shown turned by quarters with the clock."""
    rows = {
        1: (0, 1 << 16, 0, -1 << 16, 0, 0),
        2: (-1 << 16, 0, 0, 0, -1 << 16, 0),
        3: (0, -1 << 16, 0, 1 << 16, 0, 0),
        5: (46341, 46341, 0, -46341, 46341, 0),
    }[quarter]
    place = data.index(b"tkhd") + 4 + 40
    return data[:place] + struct.pack(">6i", *rows) + data[place + 24 :]
