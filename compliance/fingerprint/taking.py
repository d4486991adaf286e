"""Takes the fingerprints of a finished file from its bytes."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.decode_sound import decode_sound
from compliance.decode_video import decode_film
from compliance.documents import DocumentContainer
from compliance.errors import LabelPartMissing, NotASound, NotAVideo
from compliance.fingerprint import registry
from compliance.fingerprint.registry import Prints
from compliance.media import Pixels
from compliance.reading import decode_picture, read_media
from compliance.sound_containers import SoundContainer
from compliance.video_containers import VideoContainer


def prints_of(data: bytes, pixels: Pixels | None = None, film: Prints | None = None) -> Prints:
    """What a file looks or sounds like; nothing for documents and where a library is missing: it is no label.

    pixels: of a picture, where it is decoded already. film: what a film's frames gave while they were decoded.
    """
    container = read_media("the file", data)
    try:
        if pixels is not None:
            return registry.of_picture(pixels)
        if isinstance(container, DocumentContainer):
            return Prints(())
        if isinstance(container, SoundContainer):
            return registry.of_sound(*decode_sound("the file", data))
        if isinstance(container, VideoContainer):
            return registry.of_film(seconds_of(data)) if film is None else film
        pixels = decode_picture(data)
        return Prints(()) if pixels is None else registry.of_picture(pixels)
    except (LabelPartMissing, NotASound, NotAVideo):
        return Prints(())


def seconds_of(data: bytes) -> Iterator[Pixels]:
    """The first frame of every second of a film; raises NotAVideo, LabelPartMissing while walking."""
    next_s = 0.0
    for shot in decode_film("the file", data):
        if shot.time_s >= next_s:
            next_s = int(shot.time_s) + 1.0
            yield shot.pixels()
