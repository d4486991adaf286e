"""Our own reader of WAV, FLAC, MP3, MP4 sound and Ogg bytes: what is in the file, without trusting its writer.

It shares no code with the encoders, so what it finds after a release is evidence. Sources: Microsoft RIFF and EBU
Tech 3306 (RF64), RFC 9639 (FLAC), ISO/IEC 11172-3 and 13818-3 (MPEG audio), RFC 3533 (Ogg), RFC 7845 (Opus),
Vorbis I §4, C2PA 2.2 Annex A, TC260-PG-202510A (place of the AIGC field).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from compliance.errors import NotASound
from compliance.sound_boxes import read_m4a
from compliance.sound_bytes import Broken, Parts, id3_length, read_comments, read_id3

SoundFormat = Literal["wav", "flac", "mp3", "m4a", "ogg"]
MIME: Final[dict[SoundFormat, str]] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
}


@dataclass(frozen=True, slots=True)
class SoundContainer:
    """What one sound file carries; rate_hz, channels: as stored.

    aigc: values found in the place that the guide names for the format; aigc_elsewhere: in any other. xmp: every XMP
    packet, in file order. source_types: DigitalSourceType comments of formats without XMP. payload_sha256: hex digest
    of what makes the sound and not its metadata. frames: samples a channel as the header counts them, 0 when it does
    not. trailing_bytes: bytes after the end of the sound. damage: what salvage had to overlook; else empty.
    """

    format: SoundFormat
    mime: str
    codec: str
    rate_hz: int
    channels: int
    frames: int
    aigc: tuple[bytes, ...]
    aigc_elsewhere: tuple[bytes, ...]
    xmp: tuple[bytes, ...]
    source_types: tuple[bytes, ...]
    payload_sha256: str
    has_manifest: bool
    trailing_bytes: int
    damage: tuple[str, ...] = ()

    @property
    def text_aigc(self) -> tuple[bytes, ...]:
        """Every AIGC value outside XMP, wherever it stands."""
        return self.aigc + self.aigc_elsewhere


@dataclass(frozen=True, slots=True)
class _Facts:
    codec: str
    rate_hz: int
    channels: int
    frames: int
    trailing_bytes: int


def is_sound(data: bytes) -> bool:
    """Whether the first bytes are those of a sound format read here."""
    return _format_of(data) is not None


def read_sound_container(name: str, data: bytes, *, salvage: bool = False) -> SoundContainer:
    """Take a sound file apart; with salvage, read a damaged one as far as it goes and say what is damaged.

    name is only for the message. Raises NotASound for anything malformed, for several streams or tracks and for tracks
    that are not sound: what is measured must be all that is played.
    """
    form = _format_of(data)
    if form is None:
        raise NotASound(path=name, reason="not a sound file" if data else "empty file")
    parts = Parts([] if salvage else None)
    parts.payload(form.encode(), b"")
    try:
        facts = _READERS[form](data, parts)
    except Broken as error:
        raise NotASound(path=name, reason=error.args[0]) from error
    if not (0 < facts.rate_hz <= 768_000 and 0 < facts.channels <= 255):
        raise NotASound(path=name, reason="no rate or no channels")
    return SoundContainer(
        format=form,
        mime=MIME[form],
        codec=facts.codec,
        rate_hz=facts.rate_hz,
        channels=facts.channels,
        frames=facts.frames,
        aigc=tuple(parts.aigc),
        aigc_elsewhere=tuple(parts.aigc_elsewhere),
        xmp=tuple(parts.xmp),
        source_types=tuple(parts.source_types),
        payload_sha256=parts.digest.hexdigest(),
        has_manifest=bool(parts.stores),
        trailing_bytes=facts.trailing_bytes,
        damage=tuple(parts.damage or ()),
    )


def sound_manifest_store(data: bytes) -> bytes:
    """The C2PA manifest store inside a sound file; empty when there is none or the file is malformed."""
    form = _format_of(data)
    if form is None:
        return b""
    parts = Parts([])
    try:
        _READERS[form](data, parts)
    except Broken:
        return b""
    return b"".join(parts.stores)


def _format_of(data: bytes) -> SoundFormat | None:
    """The format by the first bytes; an ID3 tag may stand before MP3 and before FLAC."""
    if data[:4] in (b"RIFF", b"RF64", b"BW64") and data[8:12] == b"WAVE":
        return "wav"
    if data[:4] == b"OggS":
        return "ogg"
    if data[4:8] == b"ftyp":
        # The same container holds pictures and video; those are others' business.
        return None if data[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1") else "m4a"
    try:
        start = id3_length(data, 0)
    except Broken:
        return None
    if data[start : start + 4] == b"fLaC":
        return "flac"
    return "mp3" if _frame_length(data[start : start + 4]) or start else None


# --- WAV -------------------------------------------------------------------------------------------------------------

_WAVE_CODECS = {1: "pcm", 3: "float"}
_EXTENSIBLE = 0xFFFE


def _read_wav(data: bytes, parts: Parts) -> _Facts:
    """Walk the chunks of a RIFF or RF64 file."""
    wide = data[:4] != b"RIFF"
    size, data_size = int.from_bytes(data[4:8], "little"), 0
    if wide:
        if data[12:16] != b"ds64" or len(data) < 48:
            raise Broken("no 64-bit sizes")
        size, data_size = struct.unpack("<QQ", data[20:36])
    if size & 1:
        size += 1
    end = min(8 + size, len(data))
    if 8 + size > len(data):
        parts.overlook("truncated")
    position, header, sound = 12, b"", -1
    while position < end:
        name = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if wide and name == b"data" and length == 0xFFFFFFFF:
            length = data_size
        start, position = position + 8, position + 8 + length + (length & 1)
        if start > end or start + length > end:
            parts.overlook("truncated")
        body = memoryview(data)[start : min(start + length, end)]
        if name == b"fmt ":
            if header:
                raise Broken("two headers")
            header = bytes(body)
            parts.payload(name, body)
        elif name == b"data":
            if sound >= 0 or len(header) < 16:
                raise Broken("two sounds" if header else "no header")
            sound = len(body)
            parts.payload(name, body)
        elif name == b"wavl":
            raise Broken("two sounds")
        else:
            _read_wav_metadata(name, bytes(body), parts)
    if len(header) < 16:
        raise Broken("no header")
    if sound < 0:
        parts.overlook("no sound data")
    tag, channels, rate_hz, _, align, bits = struct.unpack("<HHIIHH", header[:16])
    if tag == _EXTENSIBLE and len(header) >= 26:
        tag = int.from_bytes(header[24:26], "little")
    codec = f"{_WAVE_CODECS.get(tag, 'other')}{bits}"
    return _Facts(codec, rate_hz, channels, max(sound, 0) // align if align else 0, len(data) - end)


def _read_wav_metadata(name: bytes, body: bytes, parts: Parts) -> None:
    if name == b"AIGC":
        parts.aigc.append(body.rstrip(b"\x00"))
    elif name == b"_PMX":
        parts.xmp.append(body)
    elif name == b"C2PA":
        parts.stores.append(body)
    elif name.lower() == b"id3 " and id3_length(body, 0):
        read_id3(body, parts, is_place=False)
    elif name == b"LIST" and body[:4] == b"INFO":
        position = 4
        while position + 8 <= len(body):
            length = int.from_bytes(body[position + 4 : position + 8], "little")
            if b"AIGC" in body[position : position + 4].upper():
                parts.aigc_elsewhere.append(body[position + 8 : position + 8 + length].rstrip(b"\x00"))
            position += 8 + length + (length & 1)


# --- FLAC ------------------------------------------------------------------------------------------------------------


def _read_flac(data: bytes, parts: Parts) -> _Facts:
    """Walk the metadata blocks of a FLAC file; everything behind them is the sound."""
    start = id3_length(data, 0)
    if start:
        read_id3(data[:start], parts, is_place=False)
    position, info, comments, last = start + 4, b"", 0, False
    while not last:
        if position + 4 > len(data):
            raise Broken("truncated")
        kind, length = data[position] & 0x7F, int.from_bytes(data[position + 1 : position + 4], "big")
        last = bool(data[position] & 0x80)
        body = data[position + 4 : position + 4 + length]
        if len(body) < length:
            raise Broken("truncated")
        if (kind == 0) != (not info) or (kind == 0 and length != 34) or kind == 127:
            raise Broken("damaged header")
        if kind == 0:
            info = body
            parts.payload(b"info", body)
        elif kind == 4:
            comments += 1
            read_comments(body, parts)
        position += 4 + length
    if comments > 1:
        raise Broken("two comment blocks")
    if data[position : position + 1] != b"\xff" or data[position + 1 : position + 2] not in (b"\xf8", b"\xf9"):
        parts.overlook("no sound data")
    parts.payload(b"frames", memoryview(data)[position:])
    packed = int.from_bytes(info[10:18], "big")
    rate_hz, channels, frames = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    return _Facts("flac", rate_hz, channels, frames, 0)


# --- MP3 -------------------------------------------------------------------------------------------------------------

_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)
# Version bits of the header → divisor of the rate: MPEG-1, MPEG-2, MPEG-2.5.
_DIVISORS = {3: 1, 2: 2, 0: 4}


def _frame_length(header: bytes) -> int:
    """Length in bytes of the Layer III frame with this header; 0 when it is none (free format counts as none)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in _DIVISORS or not 0 < bitrate < 15 or rate == 3:
        return 0
    divisor = _DIVISORS[version]
    kbit, per_frame = (_BITRATES_1[bitrate], 144) if divisor == 1 else (_BITRATES_2[bitrate], 72)
    return per_frame * 1000 * kbit * divisor // _RATES[rate] + (header[2] >> 1 & 1)


def _read_mp3(data: bytes, parts: Parts) -> _Facts:
    """Walk tag and frames of an MP3 file; all frames must have one rate and one number of channels."""
    position = id3_length(data, 0)
    if position:
        read_id3(data[:position], parts, is_place=True)
    rate_hz = channels = count = per_frame = 0
    first = position
    while length := _frame_length(data[position : position + 4]):
        version, rate = data[position + 1] >> 3 & 3, data[position + 2] >> 2 & 3
        found = _RATES[rate] // _DIVISORS[version], 1 if data[position + 3] >> 6 == 3 else 2
        if count and found != (rate_hz, channels):
            parts.overlook("frames of two kinds")
            break
        rate_hz, channels = found
        per_frame = 1152 if version == 3 else 576
        if position + length > len(data):
            parts.overlook("truncated")
            length = len(data) - position
        position += length
        count += 1
    if not count:
        raise Broken("no sound data")
    parts.payload(b"frames", memoryview(data)[first:position])
    if data[position : position + 3] == b"TAG" and len(data) - position == 128:
        position = len(data)
    return _Facts("mp3", rate_hz, channels, count * per_frame, len(data) - position)


# --- MP4 -------------------------------------------------------------------------------------------------------------


def _read_m4a(data: bytes, parts: Parts) -> _Facts:
    facts = read_m4a(data, parts)
    frames = facts.duration * facts.rate_hz // facts.timescale if facts.timescale else 0
    return _Facts(facts.codec.decode("latin-1").strip(), facts.rate_hz, facts.channels, frames, 0)


# --- Ogg -------------------------------------------------------------------------------------------------------------

# Ogg's checksum runs from the highest bit, zlib's from the lowest: turned bytes make the one out of the other.
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _page_sum(page: bytes) -> int:
    """The CRC of a page whose checksum field is zero (RFC 3533 §6)."""
    turned = zlib.crc32(page.translate(_TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


def _read_ogg(data: bytes, parts: Parts) -> _Facts:
    """Walk the pages of an Ogg file with one stream of Opus or Vorbis."""
    position = number = granule = 0
    serial, packet, needed = b"", b"", 3
    headers: list[bytes] = []
    ended = False
    while position < len(data) and not ended:
        table = data[position + 27 : position + 27 + (data[position + 26] if position + 27 <= len(data) else 0)]
        end = position + 27 + len(table) + sum(table)
        head = data[position : position + 27]
        if len(head) < 27 or head[:5] != b"OggS\x00" or len(table) < head[26] or end > len(data):
            parts.overlook("truncated" if head[:4] == b"OggS"[: len(head)] else "damaged page")
            break
        bare = head[:22] + bytes(4) + data[position + 26 : end]
        if _page_sum(bare) != int.from_bytes(head[22:26], "little"):
            parts.overlook("damaged page")
        if number == 0:
            serial = head[14:18]
        if head[14:18] != serial or (number > 0 and head[5] & 2):
            raise Broken("several streams")
        if int.from_bytes(head[18:22], "little") != number:
            parts.overlook("a page is missing")
            number = int.from_bytes(head[18:22], "little")
        if len(headers) < needed:
            body = position + 27 + len(table)
            for length in table:
                packet += data[body : body + length]
                body += length
                if len(packet) > 1 << 24:
                    raise Broken("a header is too large")
                if length < 255:
                    headers.append(packet)
                    packet = b""
            if headers and headers[0].startswith(b"OpusHead"):
                needed = 2
        else:
            granule = int.from_bytes(head[6:14], "little", signed=True)
            parts.payload(head[5:14] + table, memoryview(data)[position + 27 + len(table) : end])
        ended = bool(head[5] & 4)
        position, number = end, number + 1
    if not ended:
        parts.overlook("truncated")
    if len(headers) < needed:
        raise Broken("no header")
    parts.payload(b"head", headers[0])
    if headers[0].startswith(b"OpusHead") and len(headers[0]) >= 19:
        skip = int.from_bytes(headers[0][10:12], "little")
        facts = ("opus", 48000, headers[0][9], max(granule - skip, 0))
        comments = headers[1].removeprefix(b"OpusTags")
    elif headers[0].startswith(b"\x01vorbis") and len(headers[0]) >= 30:
        facts = ("vorbis", int.from_bytes(headers[0][12:16], "little"), headers[0][11], max(granule, 0))
        comments = headers[1].removeprefix(b"\x03vorbis")
        parts.payload(b"setup", headers[2])
    else:
        raise Broken("neither Opus nor Vorbis")
    if len(comments) == len(headers[1]):
        raise Broken("no comments")
    read_comments(comments, parts)
    return _Facts(*facts, len(data) - position)


_READERS = {"wav": _read_wav, "flac": _read_flac, "mp3": _read_mp3, "m4a": _read_m4a, "ogg": _read_ogg}
