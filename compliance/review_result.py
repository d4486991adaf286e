"""The look at a result before anybody else may look: no preview, no draft and no file comes before it (DSP 10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from compliance.errors import ReviewUnavailable
from compliance.media import Pixels, SyntheticMedia, unseal

RESULT = "result"
"""What hits call the place."""


class Look(Protocol):
    """Looks at pictures and raises where they may not be; first: the number of the first of them in a film."""

    def __call__(self, frames: Iterable[Pixels], place: str, first: int = 0, /) -> None:
        """Look at pictures, uint8, (height, width, 3), sRGB."""


def watched(media: SyntheticMedia, look: Look) -> SyntheticMedia:
    """The same result once it was looked at; a film is looked at frame by frame, before anybody gets the frame.

    None of its pixels are kept here. A sound says the words that the gate reviewed. Raises what look raises (of a film
    while it is walked through), and ReviewUnavailable for a kind of media that nobody can look at.
    """
    match media.info.kind:
        case "picture":
            look([unseal(media)], RESULT)
            return media
        case "video":
            return _watched_film(media, look)
        case "sound" | "document":
            return media
    raise ReviewUnavailable(part=RESULT, reason="nobody looks at this kind of media")


def _watched_film(media: SyntheticMedia, look: Look) -> SyntheticMedia:
    from compliance.media import Film, unseal_film

    film = unseal_film(media)

    def frames() -> Iterator[Pixels]:
        for number, frame in enumerate(film.frames()):
            look([frame], RESULT, number)
            yield frame

    return SyntheticMedia(Film(frames, film.sound), media.info)
