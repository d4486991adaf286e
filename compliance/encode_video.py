"""The only encoder of video; used by the draft alone, beside compliance.encode and compliance.encode_sound.

MP4 and MOV: H.264 and AAC, with the AIGC field as a metadata key (TC260-PG-20257A) and XMP as a `uuid` box. MKV: H.264
and Opus, WebM: VP9 and Opus, with AIGC and the source type as tags of the segment. Frames are taken one by one.

H.264 is encoded by whatever PyAV's FFmpeg has: x264 in the wheels of the package index (under the GPL, loaded with that
FFmpeg, never part of this project), else OpenH264, else the plainer MPEG-4 of FFmpeg itself.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing, VideoUnsuitable
from compliance.labels.policy import SoundTags
from compliance.media import Pixels, Samples
from compliance.video_containers import VideoFormat

LARGEST_BYTES: Final = 1 << 30

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_THREADS = 2
# FFmpeg's numbers: ITU-R BT.709 as matrix, primaries and transfer; 16 to 235.
_BT709, _VIDEO_RANGE = 1, 1
_SOUND_CHUNK = 1 << 16
_KEY_FRAME_S = 2


@dataclass(frozen=True, slots=True)
class _Way:
    """How PyAV makes one format. codecs: the first that is there is taken."""

    container: str
    codecs: tuple[str, ...]
    sound: str
    options: dict[str, str]


_H264 = ("libx264", "libopenh264", "mpeg4")
_MOV_FLAGS = {"movflags": "use_metadata_tags", "use_editlist": "0"}
_WAYS: Final[dict[VideoFormat, _Way]] = {
    "mp4": _Way("mp4", _H264, "aac", _MOV_FLAGS),
    "mov": _Way("mov", _H264, "aac", _MOV_FLAGS),
    "mkv": _Way("matroska", _H264, "libopus", {}),
    "webm": _Way("webm", ("libvpx-vp9",), "libopus", {}),
}
_OPTIONS: Final[dict[str, dict[str, str]]] = {
    # Without B-frames the first frame shown is the first stored, and no edit list has to hide the difference.
    "libx264": {"preset": "medium", "crf": "18", "bf": "0"},
    "libopenh264": {"rc_mode": "quality", "qmin": "14", "qmax": "30"},
    "mpeg4": {"qscale": "3", "qmin": "2", "qmax": "5"},
    "libvpx-vp9": {"deadline": "good", "cpu-used": "4", "crf": "24", "b": "0", "row-mt": "0", "lag-in-frames": "16"},
}


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """One frame as it is encoded, BT.709, video range: three uint8 planes that may be changed, chroma of half size."""

    luma: NDArray[np.uint8]
    blue: NDArray[np.uint8]
    red: NDArray[np.uint8]


class FilmEncoder:
    """Encodes one film into memory: `planes` of a frame, then `push`; at last `finish`.

    width, height: even. sound: float32, (samples, channels), or None. The same frames and
    sound give the same bytes on one machine. Raises LabelPartMissing without PyAV or an encoder,
    VideoUnsuitable for a film over 1 GiB.
    """

    def __init__(
        self,
        fmt: VideoFormat,
        size: tuple[int, int],
        rate: Fraction,
        tags: SoundTags,
        sound: Samples | None = None,
        sound_hz: int = 0,
    ) -> None:
        try:
            import av
        except ImportError as error:
            raise LabelPartMissing(part="PyAV") from error
        self._av, self._fmt, self._tags, self._rate = av, fmt, tags, rate
        way = _WAYS[fmt]
        codec = next((name for name in way.codecs if name in av.codecs_available), None)
        if codec is None:
            raise LabelPartMissing(part="video encoder")
        self._target = io.BytesIO()
        # Bit-exact: no unique number and no clock in the file.
        self._container = cast(
            Any,
            av.open(self._target, "w", format=way.container, options={"fflags": "bitexact", **way.options}),
        )
        self._container.metadata.update(_metadata(fmt, tags))
        self._stream = cast(
            Any,
            self._container.add_stream(codec, rate=rate, options=_OPTIONS[codec]),
        )
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = 1 / rate
        context.thread_count = _THREADS
        context.gop_size = max(1, round(_KEY_FRAME_S * rate))
        # BT.709 throughout, 16 to 235.
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _VIDEO_RANGE
        self._count = 0
        self._reformatter = av.video.reformatter.VideoReformatter()
        self._sound_stream: Any = None
        self._sound: Iterator[Any] = iter(())
        if sound is not None:
            self._add_sound(way.sound, sound, sound_hz)

    def planes(self, pixels: Pixels) -> tuple[Any, Planes]:
        """A frame brought into the encoder's colours: (for push, planes to draw on); uint8, (height, width, 3)."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame = self._reformatter.reformat(frame, format="yuv420p", dst_colorspace=_BT709, dst_color_range=_VIDEO_RANGE)
        return frame, Planes(*(_view(frame, index) for index in range(3)))

    def push(self, frame: Any) -> None:
        """Encode the next frame, as `planes` gave it."""
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._count += 1
        self._container.mux(self._stream.encode(frame))
        self._push_sound(until_s=float(self._count / self._rate))
        if self._target.tell() > LARGEST_BYTES:
            raise VideoUnsuitable(reason="it is larger than 1 GiB")

    def finish(self) -> bytes:
        """The whole file."""
        self._container.mux(self._stream.encode(None))
        self._push_sound(until_s=None)
        self._container.close()
        data = self._target.getvalue()
        if self._fmt in ("mp4", "mov"):
            data += struct.pack(">I4s16s", 24 + len(self._tags.xmp), b"uuid", _XMP_UUID) + self._tags.xmp
        if len(data) > LARGEST_BYTES:
            raise VideoUnsuitable(reason="it is larger than 1 GiB")
        return data

    def _add_sound(self, codec: str, sound: Samples, sound_hz: int) -> None:
        layout = "mono" if sound.shape[1] == 1 else "stereo"
        target_hz = 48000
        stream = self._container.add_stream(codec, rate=target_hz)
        stream.layout = layout
        stream.bit_rate = 128_000 if layout == "mono" else 192_000
        context = stream.codec_context
        context.open()
        resampler = self._av.AudioResampler(
            format=context.format, layout=layout, rate=target_hz, frame_size=context.frame_size or None
        )
        self._sound_stream = stream
        self._sound = self._pieces(sound, sound_hz, layout, resampler)

    def _pieces(self, sound: Samples, sound_hz: int, layout: str, resampler: Any) -> Iterator[Any]:
        for start in range(0, len(sound), _SOUND_CHUNK):
            piece = np.ascontiguousarray(sound[start : start + _SOUND_CHUNK].T)
            frame = self._av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = sound_hz, start, Fraction(1, sound_hz)
            yield from resampler.resample(frame)
        yield from resampler.resample(None)

    def _push_sound(self, until_s: float | None) -> None:
        """Encode sound up to a moment, so that both streams lie side by side in the file."""
        if self._sound_stream is None:
            return
        for piece in self._sound:
            self._container.mux(self._sound_stream.encode(piece))
            if until_s is not None and piece.pts is not None and float(piece.pts * piece.time_base) >= until_s:
                return
        if until_s is None:
            self._container.mux(self._sound_stream.encode(None))


def _view(frame: Any, index: int) -> NDArray[np.uint8]:
    """A plane of a frame as an array that writes into it."""
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _metadata(fmt: VideoFormat, tags: SoundTags) -> dict[str, str]:
    """What FFmpeg writes as keys or tags; Matroska has no place for XMP."""
    named = {"AIGC": tags.aigc}
    if fmt in ("mkv", "webm"):
        named["DIGITALSOURCETYPE"] = tags.source_type
        named["AISYSTEMUSED"] = tags.system
        named["AISYSTEMVERSIONUSED"] = tags.version
    return named
