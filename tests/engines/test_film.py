"""Films from anywhere: damaged, turned, uneven, too long and in HDR, then what an engine gets of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from compliance.errors import NotAVideo, SignetError, VideoTooLong
from engines import film
from engines.film import FilmFile, open_film
from tests.engines.films import encoded, turned


def opened(data: bytes) -> FilmFile:
    """A film that nobody cancels."""
    return open_film("x.mp4", data, lambda: None)


def levels(found: FilmFile) -> list[int]:
    """The index of the picture in each frame, by its grey."""
    return [round((float(np.median(frame)) - 20) / 8) for frame in found.frames()]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"GIF89a" + bytes(40), "unknown format"),
        (b"\x1aE\xdf\xa3" + bytes(40), "damaged"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "damaged|no picture"),
    ],
)
def test_what_is_no_film_is_refused(data: bytes, reason: str) -> None:
    """In one sentence."""
    with pytest.raises(NotAVideo, match=reason):
        opened(data)


def test_damaged_films_are_refused_or_read() -> None:
    """Cut and changed bytes raise nothing but the house's own errors."""
    data = encoded(6, sound_s=0.7)
    chance = np.random.default_rng(2)
    for _ in range(40):
        broken = bytearray(data)
        for place in chance.integers(0, len(data), 8):
            broken[place] ^= 0xFF
        cut = bytes(broken[: int(chance.integers(9, len(data)))])
        for piece in (bytes(broken), cut):
            try:
                list(opened(piece).frames())
            except SignetError:
                pass
    with pytest.raises(NotAVideo):
        opened(encoded(6)[:900])


def test_hdr_odd_angles_and_giants_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its own reason."""
    hdr = encoded(2, codec="libx264", pix_fmt="yuv420p10le", color_trc=16, color_primaries=9, colorspace=9)
    with pytest.raises(NotAVideo, match="HDR"):
        opened(hdr)
    with pytest.raises(NotAVideo, match="no quarter"):
        opened(turned(encoded(2), 5))
    monkeypatch.setattr(film, "LARGEST_PIXELS", 160 * 128 - 1)
    with pytest.raises(NotAVideo, match="larger than"):
        opened(encoded(2))


def test_a_film_is_half_an_hour_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused on the way, not at the end."""
    monkeypatch.setattr(film, "LONGEST_S", 0.5)
    with pytest.raises(VideoTooLong):
        opened(encoded(12))


def test_cancelling_is_heard_between_frames() -> None:
    """The check is asked on the way."""

    class Enough(Exception):
        pass

    def stop() -> None:
        raise Enough

    with pytest.raises(Enough):
        open_film("x", encoded(3), stop)


def test_a_film_is_walked_through_again_and_again() -> None:
    """Every picture once, at the rate of the file, twice the same."""
    found = opened(encoded(9))
    assert (found.width, found.height, found.rate, found.pictures, found.sound) == (160, 128, Fraction(8), 9, None)
    assert levels(found) == levels(found) == list(range(9))


def test_a_turned_film_is_upright() -> None:
    """The white corner goes where a player would show it."""
    corners = {}
    for quarter in (1, 2, 3):
        found = opened(turned(encoded(1), quarter))
        frame = next(iter(found.frames()))
        assert frame.shape == (found.height, found.width, 3) == ((128, 160, 3) if quarter == 2 else (160, 128, 3))
        lit = np.argwhere(frame[..., 0] > 200).mean(axis=0) / frame.shape[:2]
        corners[quarter] = ("top" if lit[0] < 0.5 else "bottom", "left" if lit[1] < 0.5 else "right")
    assert corners == {1: ("top", "right"), 2: ("bottom", "right"), 3: ("bottom", "left")}


def test_an_uneven_film_becomes_even() -> None:
    """A picture that is shown longer is there more often; nothing moves by more than half a frame."""
    found = opened(encoded(5, "matroska", ticks=(0, 10, 20, 60, 70)))
    assert found.rate == Fraction(40, 7)
    assert found.pictures == 5
    assert levels(found) == [0, 2, 2, 3, 4]


def test_ten_bits_and_wide_pixels_are_brought_to_the_usual() -> None:
    """Eight bits, square pixels."""
    assert levels(opened(encoded(3, pix_fmt="yuv420p10le"))) == [0, 1, 2]
    found = opened(encoded(1, sample_aspect_ratio=Fraction(3, 2)))
    assert (found.width, found.height) == (240, 128)
    assert next(iter(found.frames())).shape == (128, 240, 3)


def test_sound_comes_along() -> None:
    """At its own rate, as long as it was."""
    found = opened(encoded(8, sound_s=1.0))
    assert found.sound is not None
    assert found.rate_hz == 16000
    assert found.sound.shape[1] == 1
    assert abs(len(found.sound) - 16000) < 3000
    assert 0.1 < float(np.abs(found.sound).max()) < 0.4
