"""The only encoders of sound; used by the draft alone, beside compliance.encode for pictures.

WAV is written here, since no library puts the AIGC chunk where TC260-PG-202510A wants it; all else by PyAV's FFmpeg.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from compliance.errors import LabelPartMissing
from compliance.labels.policy import SoundTags
from compliance.media import Samples
from compliance.sound_containers import SoundFormat

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_CHUNK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class _Way:
    """How PyAV makes one format. bit_rate: by number of channels; empty for lossless."""

    container: str
    codec: str
    options: dict[str, str]
    bit_rate: tuple[int, ...] = ()
    rates_hz: tuple[int, ...] = ()


_MPEG_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_WAYS: Final[dict[str, _Way]] = {
    "flac": _Way("flac", "flac", {}),
    "mp3": _Way("mp3", "libmp3lame", {"id3v2_version": "4"}, (128_000, 192_000), _MPEG_RATES),
    # Without the flag the AIGC field is silently not written.
    "m4a": _Way("ipod", "aac", {"movflags": "use_metadata_tags"}, (128_000, 192_000), _MPEG_RATES[:-1]),
    "ogg": _Way("ogg", "libopus", {}, (96_000, 160_000), (48000,)),
}


def encode_sound(samples: Samples, rate_hz: int, fmt: SoundFormat, tags: SoundTags, *, bits: int = 16) -> bytes:
    """Encode labelled sound together with its metadata, one AIGC field in the place of the format's guide.

    samples: float32, (frames, channels), -1 to 1, one or two channels. bits: 16 or 24, for WAV and FLAC. MP3 and M4A:
    128 kbit/s mono, 192 stereo; Ogg: Opus at 96 and 160 kbit/s, at 48 kHz. A rate that a format does not know is
    changed to the next higher one, or to 48 kHz above that. The same samples give the same bytes.
    Raises LabelPartMissing without PyAV.
    """
    if fmt == "wav":
        return _wav(samples, rate_hz, tags, bits)
    data = _encode(samples, rate_hz, fmt, tags, bits)
    if fmt == "m4a":
        data += struct.pack(">I4s16s", 24 + len(tags.xmp), b"uuid", _XMP_UUID) + tags.xmp
    return data


def encode_sound_preview(samples: Samples, rate_hz: int) -> bytes:
    """Encode sound that already carries the label as Opus in memory, without metadata; samples as in encode_sound."""
    return _encode(samples, rate_hz, "ogg", None, 16)


def _wav(samples: Samples, rate_hz: int, tags: SoundTags, bits: int) -> bytes:
    """RIFF: fmt, data, AIGC, _PMX, each filled up to an even length."""
    channels, width = samples.shape[1], bits // 8
    full = float(2 ** (bits - 1))
    whole = np.clip(np.rint(samples * full), -full, full - 1).astype("<i4")
    sound = whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    header = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * channels * width, channels * width, bits)
    chunks = ((b"fmt ", header), (b"data", sound), (b"AIGC", tags.aigc.encode("ascii")), (b"_PMX", tags.xmp))
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) & 1) for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I4s", 4 + len(body), b"WAVE") + body


def _encode(samples: Samples, rate_hz: int, fmt: SoundFormat, tags: SoundTags | None, bits: int) -> bytes:
    try:
        import av
    except ImportError as error:
        raise LabelPartMissing(part="PyAV") from error

    way = _WAYS[fmt]
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    target_hz = rate_hz
    if way.rates_hz and rate_hz not in way.rates_hz:
        target_hz = min((rate for rate in way.rates_hz if rate > rate_hz), default=max(way.rates_hz))
    target = io.BytesIO()
    # Bit-exact: no serial number by chance and no clock in the file.
    with av.open(target, "w", format=way.container, options={"fflags": "bitexact", **way.options}) as container:
        if tags is not None:
            container.metadata.update(_metadata(fmt, tags))
        stream: Any = container.add_stream(way.codec, rate=target_hz)
        stream.layout = layout
        if way.bit_rate:
            stream.bit_rate = way.bit_rate[samples.shape[1] - 1]
        if fmt == "flac" and bits == 24:
            stream.format = "s32"
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(
            format=context.format, layout=layout, rate=target_hz, frame_size=context.frame_size or None
        )
        for frame in [*_frames(av, samples, rate_hz, layout), None]:
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return target.getvalue()


def _metadata(fmt: SoundFormat, tags: SoundTags) -> dict[str, str]:
    """What FFmpeg writes as text: AIGC as TXXX, key or comment, XMP as a PRIV frame, the source type as a comment."""
    named = {"AIGC": tags.aigc}
    if fmt == "mp3":
        named["id3v2_priv.XMP"] = _escaped(tags.xmp)
    elif fmt in ("flac", "ogg"):
        named["DIGITALSOURCETYPE"] = tags.source_type
        named["AISYSTEMUSED"] = tags.system
        named["AISYSTEMVERSIONUSED"] = tags.version
    return named


def _frames(av: Any, samples: Samples, rate_hz: int, layout: str) -> list[Any]:
    frames = []
    for start in range(0, len(samples), _CHUNK_FRAMES):
        piece = np.ascontiguousarray(samples[start : start + _CHUNK_FRAMES].T)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        frames.append(frame)
    return frames


def _escaped(packet: bytes) -> str:
    """A packet as FFmpeg wants the data of a PRIV frame: what is not plain ASCII, and the backslash, as \\xNN."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02x}" for byte in packet)
