"""Reading the watermark out of luma: straight, then scaled, turned or mirrored, then tilted, then with another shape.

Each stage is tried only when the one before read nothing. An id counts only with a right CRC-24, in the pilot set that
this id uses, and with pilots that stand above chance; nothing else is reported as found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from compliance.labels.lettering import opencv
from compliance.labels.watermark.code import Decoded, decode
from compliance.labels.watermark.frame import Plane, canonical_size, resized, soft_bits, tile_spectrum, whitened
from compliance.labels.watermark.pattern import TILE_PX, Complex, Pattern, pattern, pilot_set
from compliance.labels.watermark.sync import (
    Matrix,
    Spectrum,
    Sync,
    chunks,
    judge,
    leaning,
    normalised,
    refine,
    shapes,
    similarities,
    track,
    upright,
)

Effort = Literal["straight", "moved", "similar", "full"]

SMALLEST_PX: Final = 32

# The best z of a whole search through an unmarked picture lies between 5 and 7; the CRC and the set decide, z only
# spares work: likely finds are tried at once, of the doubtful ones the best two when all else has failed.
Z_LIKELY, Z_TRY, _DOUBTS = 6.3, 5.2, 2
_STRAIGHT_Z, _SETS_TRIED = 2.0, 2
_CANDIDATES, _LEANING, _SHAPES, _CHUNK, _TRIALS = 48, 24, 24, 6, 3
_SURE_Z = 6.3
_UPRIGHT = 6
# From here on the pattern is there for sure; if it cannot be read, the picture is bent.
_BENT_Z, _STRAIGHTENINGS = 6.4, 3
_CANVAS_PX, _CANVAS_AREA = 6000, 8_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. sync: where; z: the best pilot height met, found or not; stage: which search read it."""

    decoded: Decoded | None
    sync: Sync | None
    z: float
    stage: str


def read(plane: Plane, key: bytes, effort: Effort = "full") -> Reading:
    """Search luma for a mark of this key.

    effort: straight tries the untouched frame only, moved only scales, rotations and mirroring, similar both, full
    everything. Only full takes the short way to upright pictures: the others measure what a mark bears, and a mark
    that only the short way finds would not bear a turn.
    """
    height, width = plane.shape
    if min(height, width) < SMALLEST_PX:
        return Reading(None, None, 0.0, "too small")
    keyed = pattern(key)
    frame = resized(plane, *canonical_size(height, width))
    white = whitened(frame)
    if float(np.abs(white).max()) < 1e-3:
        return Reading(None, None, 0.0, "flat")
    straight = Reading(None, None, 0.0, "not tried") if effort == "moved" else _straight(white, keyed, key)
    if straight.decoded is not None or effort == "straight":
        return straight
    spectrum = Spectrum(white)
    quick = _upright(plane, frame, white, spectrum, keyed, key) if effort == "full" else None
    if quick is not None:
        return quick
    alike = similarities(spectrum, keyed, _CANDIDATES)
    families: list[tuple[str, Callable[[], list[Matrix]]]] = [("similarity", lambda: alike)]
    if effort == "full":
        families.append(("bent", lambda: leaning(spectrum, keyed, alike[:_LEANING])))
        families.append(("shape", lambda: shapes(spectrum, keyed, _SHAPES)))
    doubtful: list[tuple[Sync, str]] = []
    highest = straight.z
    for stage, family in families:
        for sync in _refined(spectrum, keyed, family()):
            highest = max(highest, sync.z)
            if sync.z < Z_LIKELY:
                doubtful.append((sync, stage))
                continue
            decoded = _unwarped(plane, frame, white, sync, keyed, key)
            if decoded is not None:
                return Reading(decoded, sync, sync.z, stage)
    doubtful.sort(key=lambda entry: -entry[0].z)
    for sync, stage in doubtful[:_DOUBTS]:
        decoded = _unwarped(plane, frame, white, sync, keyed, key) if sync.z >= Z_TRY else None
        if decoded is not None:
            return Reading(decoded, sync, sync.z, stage)
    return Reading(None, None, highest, "nothing")


def _upright(
    plane: Plane, frame: Plane, white: Plane, spectrum: Spectrum, keyed: Pattern, key: bytes
) -> Reading | None:
    """Most pictures are cropped and scaled and stand upright: a short search for these alone, before the whole one."""
    found = judge(spectrum, keyed, upright(spectrum, keyed, _UPRIGHT), turned=False)
    best = max(found, key=lambda sync: sync.z)
    sync = refine(spectrum, keyed, best) if best.z >= Z_TRY else best
    if sync.z < Z_LIKELY:
        return None
    decoded = _unwarped(plane, frame, white, sync, keyed, key, straightenings=0)
    return Reading(decoded, sync, sync.z, "upright") if decoded is not None else None


def _warped(white: Plane, sync: Sync, keyed: Pattern, key: bytes) -> Decoded | None:
    """Decode a frame that is whitened already."""
    view = _view(white, sync.matrix, sync.shift)
    if view is None:
        return None
    cv2 = opencv()
    move, size = view
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    return _accept(tile_spectrum(cv2.warpAffine(white, move[:2], size, flags=flags)), keyed, key, sync.chosen)


def read_white(white: Plane, key: bytes) -> Reading:
    """Read a canonical frame that is whitened already, as the sum of many frames is; the untouched frame only."""
    return _straight(white, pattern(key), key)


def _straight(white: Plane, keyed: Pattern, key: bytes) -> Reading:
    """Read a picture whose frame is untouched: neither cropped nor turned."""
    tile = tile_spectrum(white)
    values = normalised(tile[keyed.pilot_bins[:, 0], keyed.pilot_bins[:, 1]])
    totals = (np.conj(keyed.pilot_phases) @ values).real / (np.sqrt(np.sum(np.abs(values) ** 2) / 2) + 1e-9)
    ranked = np.argsort(-totals, kind="stable")[:_SETS_TRIED]
    for chosen in ranked.tolist():
        sync = Sync(np.eye(2), (0.0, 0.0), chosen, float(totals[chosen]))
        decoded = _accept(tile, keyed, key, chosen) if sync.z >= _STRAIGHT_Z else None
        if decoded is not None:
            return Reading(decoded, sync, sync.z, "straight")
    first = int(ranked[0])
    return Reading(None, Sync(np.eye(2), (0.0, 0.0), first, float(totals[first])), float(totals[first]), "straight")


def _accept(tile: Complex, keyed: Pattern, key: bytes, chosen: int) -> Decoded | None:
    """The id in an aligned tile spectrum, if its CRC is right and it belongs to this pilot set."""
    decoded = decode(soft_bits(tile, keyed, chosen))
    if decoded.crc_ok and pilot_set(decoded.ident, key) == chosen:
        return decoded
    return None


def _refined(spectrum: Spectrum, keyed: Pattern, family: list[Matrix]) -> Iterator[Sync]:
    """Judge a family of transforms piece by piece until one is sure; the best few, refined, the likeliest first."""
    judged: list[Sync] = []
    for part in chunks(family, _CHUNK):
        judged.extend(judge(spectrum, keyed, part))
        if max(sync.z for sync in judged) >= _SURE_Z:
            break
    judged.sort(key=lambda sync: -sync.z)
    first = refine(spectrum, keyed, judged[0])
    if first.z >= _SURE_Z:
        yield first
    others = [refine(spectrum, keyed, start) for start in judged[1:_TRIALS]]
    yield from sorted(others if first.z >= _SURE_Z else [first, *others], key=lambda sync: -sync.z)


def _unwarped(
    plane: Plane,
    frame: Plane,
    white: Plane,
    sync: Sync,
    keyed: Pattern,
    key: bytes,
    straightenings: int = _STRAIGHTENINGS,
) -> Decoded | None:
    """Bring the picture back to the canonical frame by a Sync and decode it; straighten it first if it is bent."""
    # Where the pattern is small, whitening again at its own larger size takes the longest time; often it is not needed.
    quick = _warped(white, sync, keyed, key) if sync.scale < 1.0 else None
    if quick is not None:
        return quick
    source, matrix = _at_scale(plane, frame, sync)
    view = _view(source, matrix, sync.shift)
    if view is None:
        return None
    move, size = view
    for lap in range(straightenings + 1):
        white = _looked_at(source, move, size)
        decoded = _accept(tile_spectrum(white), keyed, key, sync.chosen)
        if decoded is not None or sync.z < _BENT_Z or lap == straightenings:
            return decoded
        bend = track(white, keyed, sync.chosen, reach_px=(12, 8, 4)[lap])
        if bend is None:
            return None
        move = move @ bend
    return None


def _at_scale(plane: Plane, frame: Plane, sync: Sync) -> tuple[Plane, Matrix]:
    """A picture whose pixels are about canonical ones, so that warping it neither blurs nor aliases."""
    if sync.scale < 1.0:
        return frame, sync.matrix
    height, width = (max(SMALLEST_PX, round(side / sync.scale)) for side in frame.shape)
    source = resized(plane, height, width)
    shrink = np.diag([width / frame.shape[1], height / frame.shape[0]])
    return source, shrink @ sync.matrix


def _view(source: Plane, matrix: Matrix, shift: tuple[float, float]) -> tuple[Matrix, tuple[int, int]] | None:
    """The 3 x 3 map from a canonical canvas, its tiles at multiples of 128 px, to a picture, and the canvas' size.

    None when the canvas would be too large.
    """
    height, width = source.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]) - centre
    places = corners @ np.linalg.inv(matrix).T + np.array(shift)
    base = np.floor(places.min(0) / TILE_PX) * TILE_PX
    columns, rows = (int(value) for value in np.ceil(places.max(0) - base) + 1)
    if max(rows, columns) > _CANVAS_PX or rows * columns > _CANVAS_AREA:
        return None
    move = np.eye(3)
    move[:2, :2] = matrix
    move[:2, 2] = matrix @ (base - np.array(shift)) + centre
    return move, (columns, rows)


def _looked_at(source: Plane, move: Matrix, size: tuple[int, int]) -> Plane:
    """The whitened canvas of a map, zero outside the picture."""
    cv2 = opencv()
    flags = cv2.WARP_INVERSE_MAP
    is_affine = bool((move[2] == (0, 0, 1)).all())
    warp, matrix = (cv2.warpAffine, move[:2]) if is_affine else (cv2.warpPerspective, move)
    warped = warp(source, matrix, size, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    inside = warp(np.ones(source.shape, np.uint8), matrix, size, flags=flags | cv2.INTER_NEAREST)
    result: Plane = whitened(warped)
    result *= inside
    return result
