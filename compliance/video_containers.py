"""Our own reader of video files: MP4, MOV, MKV and WebM taken apart without trusting their writer.

It shares no code with the encoder, so what it finds after a release is evidence. Place of the AIGC field:
TC260-PG-20257A. What a player would show differently from what a decoder gives out (edits, turning, cropping, further
tracks) is named in `oddities`; a release has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compliance.errors import NotAVideo
from compliance.sound_bytes import Broken, Parts
from compliance.video_boxes import has_video, read_movie
from compliance.video_elements import read_segment

VideoFormat = Literal["mp4", "mov", "mkv", "webm"]
MIME: dict[VideoFormat, str] = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
}
_EBML = b"\x1aE\xdf\xa3"
PICTURE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"})


@dataclass(frozen=True, slots=True)
class VideoContainer:
    """What one video file carries. width, height: of its frames in pixels; pictures: frames stored; 0 when not told.

    aigc: values found in the place that the guide names for the format; aigc_elsewhere: in any other. xmp: every XMP
    packet. source_types: DigitalSourceType tags of formats without XMP. payload_sha256: hex digest of what makes
    picture and sound and not the metadata. oddities: what no release has. damage: what salvage had to overlook.
    """

    format: VideoFormat
    mime: str
    codec: str
    width: int
    height: int
    pictures: int
    duration_s: float
    has_sound: bool
    aigc: tuple[bytes, ...]
    aigc_elsewhere: tuple[bytes, ...]
    xmp: tuple[bytes, ...]
    source_types: tuple[bytes, ...]
    payload_sha256: str
    has_manifest: bool
    trailing_bytes: int
    oddities: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def text_aigc(self) -> tuple[bytes, ...]:
        """Every AIGC value outside XMP, wherever it stands."""
        return self.aigc + self.aigc_elsewhere


def is_video(data: bytes) -> bool:
    """Whether the bytes are those of a video format read here: Matroska, or MP4 with a video track."""
    if data[:4] == _EBML:
        return True
    return data[4:8] == b"ftyp" and data[8:12] not in PICTURE_BRANDS and has_video(data)


def read_video_container(name: str, data: bytes, *, salvage: bool = False) -> VideoContainer:
    """Take a video file apart; with salvage, read a damaged one as far as it goes and say what is damaged.

    name is only for the message. Raises NotAVideo for anything malformed and for files without a video track.
    """
    if not is_video(data):
        raise NotAVideo(path=name, reason="not a video file" if data else "empty file")
    parts = Parts([] if salvage else None)
    try:
        return _matroska(data, parts) if data[:4] == _EBML else _movie(data, parts)
    except Broken as error:
        raise NotAVideo(path=name, reason=error.args[0]) from error
    except IndexError as error:
        raise NotAVideo(path=name, reason="truncated") from error


def video_manifest_store(data: bytes) -> bytes:
    """The C2PA manifest store inside a video file; empty when there is none or the file is malformed."""
    parts = Parts([])
    try:
        if data[:4] != _EBML:
            read_movie(data, parts)
    except (Broken, IndexError):
        return b""
    return b"".join(parts.stores)


def _movie(data: bytes, parts: Parts) -> VideoContainer:
    form: VideoFormat = "mov" if data[8:12] == b"qt  " else "mp4"
    parts.payload(form.encode(), b"")
    tracks, oddities = read_movie(data, parts)
    films = [track for track in tracks if track.handler == b"vide"]
    if len(films) != 1:
        oddities.append("not exactly one video track")
    sounds = [track for track in tracks if track.handler == b"soun"]
    if len(sounds) > 1 or len(films) + len(sounds) != len(tracks):
        oddities.append("it has further tracks")
    for track in tracks:
        oddities += track.oddities
    film = films[0]
    if film.shown != (film.width, film.height):
        oddities.append("its frames are scaled when shown")
    return VideoContainer(
        format=form,
        mime=MIME[form],
        codec=film.codec.decode("latin-1").strip(),
        width=film.width,
        height=film.height,
        pictures=film.samples,
        duration_s=film.duration / film.timescale if film.timescale else 0.0,
        has_sound=bool(sounds),
        aigc=tuple(parts.aigc),
        aigc_elsewhere=tuple(parts.aigc_elsewhere),
        xmp=tuple(parts.xmp),
        source_types=tuple(parts.source_types),
        payload_sha256=parts.digest.hexdigest(),
        has_manifest=bool(parts.stores),
        trailing_bytes=0,
        oddities=tuple(dict.fromkeys(oddities)),
        damage=tuple(parts.damage or ()),
    )


def _matroska(data: bytes, parts: Parts) -> VideoContainer:
    found = read_segment(data, parts)
    form: VideoFormat = "webm" if found.doc_type == b"webm" else "mkv"
    kinds = list(found.kinds.values())
    if 1 not in kinds:
        raise Broken("no video track")
    if kinds.count(1) > 1 or kinds.count(2) > 1 or set(kinds) - {1, 2}:
        found.oddities.append("it has further tracks")
    return VideoContainer(
        format=form,
        mime=MIME[form],
        codec=found.codec.decode("latin-1").strip(),
        width=found.width,
        height=found.height,
        pictures=found.pictures,
        duration_s=found.duration_s,
        has_sound=2 in kinds,
        aigc=tuple(parts.aigc),
        aigc_elsewhere=tuple(parts.aigc_elsewhere),
        xmp=tuple(parts.xmp),
        source_types=tuple(parts.source_types),
        payload_sha256=parts.digest.hexdigest(),
        has_manifest=False,
        trailing_bytes=found.trailing_bytes,
        oddities=tuple(dict.fromkeys(found.oddities)),
        damage=tuple(parts.damage or ()),
    )
