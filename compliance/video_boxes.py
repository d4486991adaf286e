"""Our own reader of MP4 and MOV video: boxes of ISO/IEC 14496-12 and of QuickTime, one fact sheet a track."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from compliance.sound_boxes import boxes, read_meta, read_top, read_uuid, relative
from compliance.sound_bytes import Broken, Parts

_HOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"})
_METADATA = frozenset({b"udta", b"meta", b"free", b"skip", b"wide", b"uuid"})
_DEEPEST = 8
_UNTURNED: Final = bytes.fromhex("00010000 00000000 00000000 00000000 00010000 00000000 00000000 00000000 40000000")
# A VideoSampleEntry (14496-12 §12.1.3) is so long before its own boxes, version and count of the list included.
_ENTRY_BOXES = 8 + 8 + 78


@dataclass(slots=True)
class Track:
    """What the boxes of one track say. width, height: of its first sample description; shown: of its header."""

    handler: bytes = b""
    codec: bytes = b""
    width: int = 0
    height: int = 0
    shown: tuple[int, int] = (0, 0)
    timescale: int = 0
    duration: int = 0
    samples: int = 0
    oddities: list[str] = field(default_factory=list)


def has_video(data: bytes) -> bool:
    """Whether a file that begins with ftyp has a movie box with a video track."""
    tracks: list[Track] = []
    try:
        for kind, _, content, end in boxes(data, 0, len(data)):
            if kind == b"moov":
                _read_movie(data, content, end, [], Parts([]), tracks, [], is_counted=False)
    except Broken:
        pass
    return any(track.handler == b"vide" for track in tracks)


def read_movie(data: bytes, parts: Parts) -> tuple[list[Track], list[str]]:
    """Walk a file: its tracks, and what no release of ours has; raises Broken.

    The payload digest covers ftyp, the media data and the movie box but for its metadata; chunk offsets count from the
    start of the media data they point into, since a credential moves that.
    """
    top = read_top(data, parts, _METADATA)
    oddities = [
        "it is stored in fragments" if kind == b"moof" else "it has boxes that a release does not have"
        for kind in top.others
        if kind != b"ftyp"
    ]
    tracks: list[Track] = []
    _read_movie(data, *top.movie, top.media, parts, tracks, oddities)
    if not top.media:
        parts.overlook("no video data")
    return tracks, oddities


def _read_movie(
    data: bytes,
    start: int,
    end: int,
    media: list[tuple[int, int]],
    parts: Parts,
    tracks: list[Track],
    oddities: list[str],
    depth: int = 0,
    *,
    is_counted: bool = True,
) -> None:
    if depth > _DEEPEST:
        raise Broken("boxes nested too deep")
    for kind, _, content, behind in boxes(data, start, end):
        body = memoryview(data)[content:behind]
        if kind == b"udta" and is_counted:
            for inner, _, inner_content, inner_end in boxes(data, content, behind):
                if inner == b"meta":
                    # The guide's place is the movie's own user data, not a track's.
                    read_meta(data, inner_content, inner_end, parts, is_place=depth == 0)
        elif kind == b"meta" and is_counted:
            read_meta(data, content, behind, parts, is_place=False)
        elif kind == b"uuid" and is_counted:
            read_uuid(bytes(body), parts)
        elif kind in _HOLDERS:
            if kind == b"trak":
                tracks.append(Track())
            parts.payload(kind, b"")
            _read_movie(data, content, behind, media, parts, tracks, oddities, depth + 1, is_counted=is_counted)
        elif kind in (b"stco", b"co64") and is_counted:
            parts.payload(kind, relative(bytes(body), 4 if kind == b"stco" else 8, media))
        elif kind not in _METADATA:
            parts.payload(kind, body)
            if kind == b"mvex":
                oddities.append("it is stored in fragments")
            elif kind == b"mvhd" and bytes(body)[36 + 12 * (body[0] == 1) :][:36] != _UNTURNED:
                oddities.append("the whole film is turned or scaled when shown")
            elif tracks:
                _read_facts(kind, bytes(body[:4096]), tracks[-1])


def _read_facts(kind: bytes, body: bytes, track: Track) -> None:
    wide = body[:1] == b"\x01"
    if kind == b"hdlr":
        # QuickTime has a second one, for the data; the first is the track's.
        track.handler = track.handler or body[8:12]
    elif kind == b"tkhd":
        if not body[3] & 1:
            track.oddities.append("a track is switched off")
        matrix = 40 + 12 * wide
        if body[matrix : matrix + 36] != _UNTURNED:
            track.oddities.append("a track is turned or scaled when shown")
        track.shown = (_number(body, matrix + 36, 4) >> 16, _number(body, matrix + 40, 4) >> 16)
    elif kind == b"mdhd":
        place, size = (20, 8) if wide else (12, 4)
        track.timescale, track.duration = _number(body, place, 4), _number(body, place + 4, size)
    elif kind == b"elst":
        _read_edits(body, wide, track)
    elif kind == b"stsz":
        track.samples = _number(body, 8, 4)
    elif kind == b"dref" and (_number(body, 4, 4) != 1 or body[19] != 1):
        track.oddities.append("its media lies in another file")
    elif kind == b"stsd":
        if _number(body, 4, 4) != 1:
            track.oddities.append("a track changes its coding on the way")
        track.codec = body[12:16]
        track.width, track.height = _number(body, 40, 2), _number(body, 42, 2)
        entry_end = min(len(body), 8 + _number(body, 8, 4))
        if track.handler == b"vide":
            for inner, _, content, _ in boxes(body, _ENTRY_BOXES, entry_end):
                if inner == b"clap":
                    track.oddities.append("a part of the frame is cut away when shown")
                elif inner == b"pasp" and body[content : content + 4] != body[content + 4 : content + 8]:
                    track.oddities.append("its pixels are not square")


def _read_edits(body: bytes, wide: bool, track: Track) -> None:
    """An edit list may say that media begins a little later (sound has a lead-in), and nothing else."""
    size = 8 if wide else 4
    one = 8 + size
    media_time = _number(body, one, size)
    if _number(body, 4, 4) != 1 or media_time >> (8 * size - 1) or body[one + size : one + size + 4] != b"\0\1\0\0":
        track.oddities.append("an edit list leaves out or repeats parts")
    elif track.handler != b"soun" and media_time:
        track.oddities.append("an edit list leaves out the beginning")


def _number(body: bytes, start: int, size: int) -> int:
    return int.from_bytes(body[start : start + size], "big")
