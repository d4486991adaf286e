"""Where a copy comes from: which release of a home known here a file looks or sounds like, and when that was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from compliance.documents import DocumentContainer
from compliance.errors import LabelPartMissing, NotASound, NotAVideo
from compliance.media import Pixels, Samples
from compliance.reading import AnyContainer, decode_picture
from compliance.sound_containers import SoundContainer
from compliance.video_containers import VideoContainer

_MOST_MATCHES = 5


class KnownReleases(Protocol):
    """The register of a home; see compliance.fingerprint.registry.Register."""

    def time_of(self, release_id: str) -> str | None:
        """When a release was finished."""

    def like_picture(self, pixels: Pixels) -> Sequence[Any]:
        """Releases that a picture is a copy of."""

    def like_film(self, seconds: Iterable[Pixels]) -> Sequence[Any]:
        """Releases that a film is a copy of."""

    def like_sound(self, samples: Samples, rate_hz: int) -> Sequence[Any]:
        """Releases that a sound is a copy of."""


def matches(
    data: bytes, container: AnyContainer, registers: Sequence[KnownReleases]
) -> tuple[list[dict[str, Any]] | None, str]:
    """The releases that a file is like, closest first, as plain data; None where that cannot be told, with the reason.

    Each has the release, the method, distance or inliers, and the time of the release.
    """
    if isinstance(container, DocumentContainer):
        return None, "documents have no fingerprint"
    if not registers:
        return None, "no register of releases is known here"
    found: list[dict[str, Any]] = []
    try:
        for one in registers:
            for match in _like(one, data, container)[:_MOST_MATCHES]:
                found.append(
                    {
                        "release": match.release,
                        "time": one.time_of(match.release),
                        "method": match.method,
                        **({"inliers": match.inliers} if match.inliers else {"distance": match.distance}),
                        **({"second": match.second} if isinstance(container, VideoContainer) else {}),
                    }
                )
    except LabelPartMissing:
        return None, "the library for fingerprints of this kind did not load"
    except (NotASound, NotAVideo, ValueError):
        return None, "the file cannot be decoded whole"
    return [match for match in found if match["time"]], ""


def _like(register: KnownReleases, data: bytes, container: AnyContainer) -> Sequence[Any]:
    if isinstance(container, SoundContainer):
        from compliance.decode_sound import decode_sound

        return register.like_sound(*decode_sound("the file", data))
    if isinstance(container, VideoContainer):
        from compliance.fingerprint.taking import seconds_of

        return register.like_film(seconds_of(data))
    pixels = decode_picture(data)
    if pixels is None:
        raise ValueError("not whole")
    return register.like_picture(pixels)


def time_of(release: str, registers: Iterable[KnownReleases]) -> str | None:
    """When a release was finished, if a register knows it."""
    return next((found for one in registers if (found := one.time_of(release)) is not None), None)
