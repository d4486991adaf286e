"""Read-only decoding of sounds into what engines work on: one channel of float64 samples at one rate.

Bytes come from anywhere, so the decoder is narrow: the container is chosen by the first bytes and named to FFmpeg, so
that no play list or script in disguise is followed; a length that would not fit is refused before the end is reached.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelPartMissing, NotASound, SoundTooLong

Wave = NDArray[np.float64]

LONGEST_S: Final = 1800.0
_FULL_SCALE = 0.999
_CLIPPED_RUN = 3


class _Container(NamedTuple):
    is_mine: Callable[[bytes], bool]
    demuxer: str
    mime: str


_CONTAINERS: Final = (
    _Container(lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE", "wav", "audio/wav"),
    _Container(lambda head: head[:4] == b"fLaC", "flac", "audio/flac"),
    _Container(lambda head: head[:4] == b"OggS", "ogg", "audio/ogg"),
    _Container(lambda head: head[4:8] == b"ftyp", "mp4", "audio/mp4"),
    _Container(lambda head: head[:4] == b"\x1aE\xdf\xa3", "matroska", "video/webm"),
    _Container(lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), "aiff", "audio/aiff"),
    _Container(lambda head: head[:3] == b"ID3", "mp3", "audio/mpeg"),
    _Container(lambda head: head[:1] == b"\xff" and head[1:2] >= b"\xe0", "mp3", "audio/mpeg"),
)


@dataclass(frozen=True, slots=True)
class Sound:
    """A decoded sound. samples: float64, (frames,), -1 to 1, the mean of all channels, at rate_hz.

    own_rate_hz: of the file. is_cut: the file goes on after the part that was asked for. clipped: share of the file's
    samples that lie in flat tops at full scale, 0 to 1.
    """

    samples: Wave
    rate_hz: int
    own_rate_hz: int
    is_cut: bool
    clipped: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz


def decode_sound(name: str, data: bytes, rate_hz: int, *, first_s: float | None = None) -> Sound:
    """Decode one sound: WAV, FLAC, Ogg, MP3, M4A, AIFF, or the sound of an MP4 or WebM film.

    name is only for messages. first_s: seconds after which reading stops; without it all is read, up to half an hour.
    Raises NotASound, SoundTooLong, LabelPartMissing without PyAV.
    """
    if not data:
        raise NotASound(path=name, reason="the file is empty")
    kind = next((kind for kind in _CONTAINERS if kind.is_mine(data[:16])), None)
    if kind is None:
        raise NotASound(path=name, reason="unknown format")
    try:
        import av
    except ImportError as error:
        raise LabelPartMissing(part="PyAV") from error
    try:
        with av.open(io.BytesIO(data), "r", format=kind.demuxer, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise NotASound(path=name, reason="no sound stream")
            return _decode(name, container, rate_hz, first_s)
    except (av.FFmpegError, ValueError, OSError, MemoryError) as error:
        raise NotASound(path=name, reason="cannot be decoded") from error


def decode_channels(name: str, data: bytes, check: Callable[[], None]) -> tuple[NDArray[np.float32], int]:
    """Decode one sound with all its channels, at its own rate: float32, (frames, channels); and the rate in Hz.

    check: called between pieces, may raise. Raises NotASound, SoundTooLong, LabelPartMissing without PyAV.
    """
    kind = next((kind for kind in _CONTAINERS if kind.is_mine(data[:16])), None)
    if kind is None:
        raise NotASound(path=name, reason="unknown format" if data else "the file is empty")
    try:
        import av
    except ImportError as error:
        raise LabelPartMissing(part="PyAV") from error
    pieces: list[NDArray[Any]] = []
    try:
        with av.open(io.BytesIO(data), "r", format=kind.demuxer, metadata_errors="ignore") as container:
            if not container.streams.audio or container.streams.video:
                raise NotASound(path=name, reason="no sound stream, or pictures beside it")
            stream = container.streams.audio[0]
            rate_hz, count = int(stream.rate), 0
            plain = av.AudioResampler(format="fltp", layout=stream.layout.name, rate=rate_hz)
            for frame in chain(container.decode(stream), (None,)):
                new = [piece.to_ndarray() for piece in plain.resample(frame)]
                pieces += new
                count += sum(piece.shape[1] for piece in new)
                check()
                if count > LONGEST_S * rate_hz:
                    raise SoundTooLong(path=name, limit_s=int(LONGEST_S))
    except (av.FFmpegError, ValueError, OSError, MemoryError) as error:
        raise NotASound(path=name, reason="cannot be decoded") from error
    if not pieces or not sum(piece.shape[1] for piece in pieces):
        raise NotASound(path=name, reason="no sound data")
    samples = np.ascontiguousarray(np.concatenate(pieces, axis=1).T, np.float32)
    if not np.isfinite(samples).all():
        raise NotASound(path=name, reason="values that are no numbers")
    return np.clip(samples, -1, 1), rate_hz


def sound_mime(data: bytes) -> str | None:
    """The type of a sound by its first bytes; None when it is none that is read here."""
    return next((kind.mime for kind in _CONTAINERS if kind.is_mine(data[:16])), None)


def _decode(name: str, container: Any, rate_hz: int, first_s: float | None) -> Sound:
    import av

    stream = container.streams.audio[0]
    own_rate_hz = int(stream.rate)
    plain = av.AudioResampler(format="fltp", layout=stream.layout.name, rate=own_rate_hz)
    pieces: list[NDArray[np.float64]] = []
    count = clipped = total = 0
    is_cut = False
    limit = (LONGEST_S if first_s is None else first_s) * own_rate_hz
    for frame in container.decode(stream):
        for piece in plain.resample(frame):
            values = piece.to_ndarray()
            clipped, total = clipped + _flat_tops(values), total + values.size
            pieces.append(values.mean(axis=0, dtype=np.float64))
            count += values.shape[1]
        if count > limit:
            if first_s is None:
                raise SoundTooLong(path=name, limit_s=int(LONGEST_S))
            is_cut = True
            break
    if not is_cut:
        for piece in plain.resample(None):
            pieces.append(piece.to_ndarray().mean(axis=0, dtype=np.float64))
    if not pieces or not sum(map(len, pieces)):
        raise NotASound(path=name, reason="no sound data")
    samples = np.concatenate(pieces)[: int(limit)]
    if not np.isfinite(samples).all():
        raise NotASound(path=name, reason="values that are no numbers")
    return Sound(resampled(samples, own_rate_hz, rate_hz), rate_hz, own_rate_hz, is_cut, clipped / max(1, total))


def _flat_tops(values: NDArray[Any]) -> int:
    """How many samples lie in runs at full scale; (channels, frames)."""
    full = np.abs(values) >= _FULL_SCALE
    runs = full[:, :-2] & full[:, 1:-1] & full[:, 2:] if values.shape[1] >= _CLIPPED_RUN else full[:, :0]
    return int(np.count_nonzero(runs)) * _CLIPPED_RUN if runs.size else 0


def resampled(samples: Wave, from_hz: int, to_hz: int) -> Wave:
    """The same sound at another rate, by libswresample; float64, (frames,)."""
    if from_hz == to_hz:
        return samples
    import av

    frame: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="dblp", layout="mono")
    frame.sample_rate = from_hz
    changer = av.AudioResampler(format="dblp", layout="mono", rate=to_hz)
    pieces = [piece.to_ndarray()[0] for part in (frame, None) for piece in changer.resample(part)]
    return np.concatenate(pieces) if pieces else samples[:0]
