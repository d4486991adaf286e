"""The register of fingerprints of one home: entered with each release, asked by `verify` for copies without labels.

Rows are sealed by nothing: a match is a hint, and a row that was damaged (its sum is wrong) is passed over. A hundred
thousand releases are answered in less than two seconds: hashes and sketches are compared all at once, key points and
sounds only with the likeliest.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from compliance import store
from compliance.fingerprint import chroma, keypoints, pdq
from compliance.media import Pixels, Samples
from compliance.store import Store

Method = Literal["pdq", "orb", "chromaprint"]

_LIKELIEST = 40
_MOST_SECONDS = 600
_SKETCH = keypoints.SKETCH_BYTES
# Parts of a picture's key points: the sketch, of which all are read, and the points, of which only the likeliest are.
_SKETCHED, _POINTED = 0, 1
# Sounds that share the upper halves of fewer values than this are not compared.
_SHARED = 4


@dataclass(frozen=True, slots=True)
class Match:
    """A release that something is like. distance: bits of 256 for pdq, share of bits for chromaprint; inliers: key
    points explained, for orb. second: of a film, the second that was met.
    """

    release: str
    method: Method
    distance: float = 0.0
    inliers: int = 0
    second: int = 0


@dataclass(frozen=True, slots=True)
class Prints:
    """What is entered for one release: rows of method, part (the second of a film; of key points 0 is the sketch) and
    bytes.
    """

    rows: tuple[tuple[str, int, bytes], ...]


def of_picture(pixels: Pixels) -> Prints:
    """The fingerprints of a picture: uint8, (height, width, 3), sRGB."""
    rows = []
    value, quality = pdq.hash_of(pixels)
    if quality >= pdq.LOWEST_QUALITY:
        rows.append(("pdq", 0, value.tobytes()))
    points = keypoints.points_of(pixels)
    if len(points.words) >= keypoints.ENOUGH_INLIERS:
        rows.append(("orb", _SKETCHED, keypoints.packed(keypoints.sketch_of(points))))
        rows.append(("orb", _POINTED, points.to_bytes()))
    return Prints(tuple(rows))


def of_film(seconds: Iterable[Pixels]) -> Prints:
    """The fingerprints of a film, from its frames one second apart; of the first ten minutes."""
    film = FilmPrints()
    for pixels in islice(seconds, _MOST_SECONDS):
        film.add(pixels)
    return film.prints()


class FilmPrints:
    """Takes the fingerprints of a film while somebody else walks through it; of the first ten minutes."""

    def __init__(self) -> None:
        self._seconds = 0
        self._rows: list[tuple[str, int, bytes]] = []

    def add(self, pixels: Pixels) -> None:
        """Take in the first frame of the next second: uint8, (height, width, 3), sRGB."""
        if self._seconds < _MOST_SECONDS:
            value, quality = pdq.hash_of(pixels)
            if quality >= pdq.LOWEST_QUALITY:
                self._rows.append(("pdq", self._seconds, value.tobytes()))
        self._seconds += 1

    def prints(self) -> Prints:
        """What was taken."""
        return Prints(tuple(self._rows))


def of_sound(samples: Samples, rate_hz: int) -> Prints:
    """The fingerprint of a sound; float32, (frames, channels). Raises LabelPartMissing without the library."""
    found = chroma.print_of(samples, rate_hz)
    return Prints((("chromaprint", 0, found.astype("<u4").tobytes()),) if len(found) >= chroma.SHORTEST else ())


def enter(connection: Connection, release_id: str, prints: Prints) -> None:
    """Enter what a release looks or sounds like."""
    for method, part, data in prints.rows:
        connection.execute(
            insert(store.fingerprint).values(release_id=release_id, method=method, part=part, data=_with_sum(data))
        )


def _with_sum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big") + data


class Register:
    """The register of one home."""

    def __init__(self, rows: Store) -> None:
        self._rows = rows

    def time_of(self, release_id: str) -> str | None:
        """When a release of this home was finished, ISO 8601 UTC; None for one that it does not know.

        release_id: the whole id or, as short marks in sound have it, its first half.
        """
        table = store.release
        is_it = table.c.id.startswith(release_id, autoescape=True)
        query = select(table.c.finished_at).where(is_it, table.c.state == "released").limit(1)
        with self._rows.read() as connection:
            return connection.execute(query).scalar()

    def like_picture(self, pixels: Pixels) -> list[Match]:
        """Releases that a picture is a copy of, the closest first; also turned, mirrored or cropped copies."""
        found = self._by_hash(pixels)
        return found or self._by_points(pixels)

    def like_film(self, seconds: Iterable[Pixels]) -> list[Match]:
        """Releases that a film is a copy of, by its frames one second apart."""
        best: dict[str, Match] = {}
        for pixels in seconds:
            for match in self._by_hash(pixels):
                if match.release not in best or match.distance < best[match.release].distance:
                    best[match.release] = match
        return sorted(best.values(), key=lambda match: match.distance)

    def like_sound(self, samples: Samples, rate_hz: int) -> list[Match]:
        """Releases that a sound is a copy of, also up to 4 % faster or slower. Raises LabelPartMissing."""
        rows = [row for row in self._stored("chromaprint") if len(row[2]) >= 4 * chroma.SHORTEST]
        if not rows:
            return []
        joined = np.frombuffer(b"".join(data[: len(data) & ~3] for _, _, data in rows), "<u4").astype(np.uint32)
        halves = joined >> 16
        ends = np.cumsum([len(data) // 4 for _, _, data in rows])
        starts = np.concatenate([[0], ends[:-1]])
        for speed in chroma.SPEEDS:
            probe = chroma.print_of(chroma.stretched(samples, speed), rate_hz)
            is_asked = np.zeros(1 << 16, bool)
            is_asked[probe >> 16] = True
            shared = np.add.reduceat(is_asked[halves].astype(np.intp), starts)
            likeliest = np.argsort(-shared, kind="stable")[:_LIKELIEST]
            found = []
            for place in likeliest[shared[likeliest] >= _SHARED]:
                rate = chroma.error_rate(joined[starts[place] : ends[place]], probe)
                if rate <= chroma.THRESHOLD:
                    found.append(Match(rows[place][0], "chromaprint", round(rate, 4)))
            if found:
                return sorted(found, key=lambda match: match.distance)
        return []

    def _stored(self, method: Method, part: int | None = None, of: Sequence[str] = ()) -> list[tuple[str, int, bytes]]:
        """Every whole row of a method: release, part, bytes; of: only of these releases."""
        table = store.fingerprint
        query = select(table.c.release_id, table.c.part, table.c.data).where(table.c.method == method)
        if part is not None:
            query = query.where(table.c.part == part)
        if of:
            query = query.where(table.c.release_id.in_(of))
        with self._rows.read() as connection:
            return [
                (release, place, data[4:])
                for release, place, data in connection.execute(query).all()
                if len(data) > 4 and zlib.crc32(memoryview(data)[4:]) == int.from_bytes(data[:4], "big")
            ]

    def _by_hash(self, pixels: Pixels) -> list[Match]:
        probes, quality = pdq.variants_of(pixels)
        if quality < pdq.LOWEST_QUALITY:
            return []
        named, hashes = self._hashes()
        if not named:
            return []
        nearest = np.min([pdq.distances(hashes, probe) for probe in probes], axis=0)
        found = [
            Match(*named[place][:1], "pdq", float(nearest[place]), second=named[place][1])
            for place in np.flatnonzero(nearest <= pdq.THRESHOLD)
        ]
        return sorted(found, key=lambda match: match.distance)

    def _hashes(self) -> tuple[list[tuple[str, int]], NDArray[np.uint8]]:
        rows = [row for row in self._stored("pdq") if len(row[2]) == pdq.HASH_BYTES]
        joined = np.frombuffer(b"".join(data for _, _, data in rows), np.uint8).reshape(-1, pdq.HASH_BYTES)
        return [(release, part) for release, part, _ in rows], joined

    def _by_points(self, pixels: Pixels) -> list[Match]:
        probe = keypoints.points_of(pixels)
        if len(probe.words) < keypoints.ENOUGH_INLIERS:
            return []
        rows = [(release, data) for release, _, data in self._stored("orb", _SKETCHED) if len(data) == _SKETCH]
        sketches = np.frombuffer(b"".join(data for _, data in rows), np.uint8).reshape(-1, _SKETCH)
        alike = keypoints.likeness(sketches, keypoints.sketch_of(probe))
        likeliest = [rows[place][0] for place in np.argsort(-alike, kind="stable")[:_LIKELIEST]]
        found = []
        for release, _, data in self._stored("orb", _POINTED, likeliest) if likeliest else ():
            try:
                known = keypoints.Points.from_bytes(data)
            except ValueError:
                continue
            count = keypoints.inliers(known, probe)
            if count >= keypoints.ENOUGH_INLIERS:
                found.append(Match(release, "orb", inliers=count))
        return sorted(found, key=lambda match: -match.inliers)
