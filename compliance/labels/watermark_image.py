"""The invisible mark in a picture: a 64-bit id that survives saving, scaling, cropping, turning and screenshots.

`embed` writes it as quietly as the picture allows and reads it back from attacked copies before it answers; `detect`
finds it without knowing anything of the picture. The parts stand in compliance.labels.watermark. A mark is evidence and
no proof: whoever knows the key, and the detector's key is public, can remove or replace it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from compliance.labels.watermark.detect import SMALLEST_PX, Effort, read
from compliance.labels.watermark.embed import Host, Strength, applied
from compliance.labels.watermark.frame import Jpeg, Plane, canonical_size, luma, resized
from compliance.labels.watermark.quality import psnr_db, ssim
from compliance.media import Pixels

DETECTOR_KEY: Final = b"signet picture mark 1"
"""The public key: whoever has the program can read the mark, as the law's detectors must."""
MINIMUM_SSIM: Final = 0.98

# From quiet to as loud as MINIMUM_SSIM allows: photographs stop at the first, texture and text go on.
_LADDER: Final = (
    Strength(rms_levels=1.7, cap=0.9, pilot_share=0.20, tilt=0.1),
    Strength(rms_levels=2.6, cap=1.3, pilot_share=0.24, tilt=0.1),
    Strength(rms_levels=5.5, cap=2.5, pilot_share=0.28, tilt=0.0),
)
# What is aimed at leaves room for measures that differ in the last digits.
_AIMED_SSIM = 0.9806
_QUIETER_LAPS = 8


@dataclass(frozen=True, slots=True)
class Embedded:
    """A marked picture. guarantees: attack to whether the id was read back after it."""

    pixels: Pixels
    psnr_db: float
    ssim: float
    guarantees: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found. ident counts only when found.

    pilot_z: height of the pilots over chance, found or not; the best of a search through an unmarked picture is 5 to 7,
    and 40 perfect pilots give 8.9, so z alone proves nothing. scale: size of the pattern against an untouched picture
    of this size. angle_deg: rotation. error_rate: share of coded bits that had to be corrected. evidence: one line for
    a reader.
    """

    found: bool
    ident: int
    crc_ok: bool
    pilot_z: float
    scale: float
    angle_deg: float
    flipped: bool
    error_rate: float
    evidence: str


def embed(pixels: Pixels, ident: int, key: bytes = DETECTOR_KEY) -> Embedded:
    """Mark a picture with an id.

    pixels: uint8, (height, width, 3), sRGB; not changed. ident: 0 to 2**64 - 1. The same input gives the same bytes.
    The mark grows louder until the id is read back after every guaranteed attack, or the structural similarity would
    fall below MINIMUM_SSIM. A picture under 32 px is returned as it is, with no guarantee.
    Raises ValueError for other shapes, types and ids.
    """
    _require_picture(pixels)
    if not 0 <= ident < 1 << 64:
        raise ValueError("a watermark id has 64 bits")
    if min(pixels.shape[:2]) < SMALLEST_PX:
        return Embedded(pixels.copy(), float("inf"), 1.0, dict.fromkeys(GUARANTEED, False))
    plane = luma(pixels)
    host = Host(plane, ident, key)
    changes: list[Plane] = []
    for strength in _LADDER:
        marked, view, similarity, change = _as_loud_as_allowed(pixels, plane, host.change(strength))
        if _survives_all(view, HARDEST.values(), ident, key):
            return Embedded(marked, psnr_db(pixels, marked), similarity, dict.fromkeys(GUARANTEED, True))
        changes.append(change)
    return _loudest(pixels, plane, changes, ident, key)


def _loudest(pixels: Pixels, plane: Plane, changes: list[Plane], ident: int, key: bytes) -> Embedded:
    """The loudest change that keeps what is promised; the loudest of all when none does."""
    loudest: Embedded | None = None
    for change in reversed(changes):
        marked = applied(pixels, change)
        view = luma(marked)
        guarantees = {name: _survives(view, attack, ident, key) for name, attack in GUARANTEED.items()}
        if loudest is None or all(guarantees.values()):
            loudest = Embedded(marked, psnr_db(pixels, marked), ssim(plane, view), guarantees)
        if all(guarantees.values()):
            break
    assert loudest is not None
    return loudest


def detect(pixels: Pixels, key: bytes = DETECTOR_KEY) -> Detection:
    """Search a picture for a mark of a key.

    pixels: uint8, (height, width, 3), sRGB. Scales of 0.42 to 3.2, every rotation, mirroring, changes of shape of up to
    a third and moderate perspective are searched. Never raises for such pixels; a picture under 32 px has no mark.
    Raises ValueError for other shapes and types.
    """
    _require_picture(pixels)
    reading = read(luma(pixels), key) if min(pixels.shape[:2]) >= SMALLEST_PX else None
    if reading is None or reading.decoded is None or reading.sync is None:
        z = reading.z if reading else 0.0
        return Detection(False, 0, False, z, 1.0, 0.0, False, 0.5, f"no mark of this key; pilots z {z:.1f}")
    sync, decoded = reading.sync, reading.decoded
    evidence = (
        f"id {decoded.ident:016x}, CRC-24 right, pilots z {reading.z:.1f} in set {sync.chosen}, "
        f"{decoded.error_rate:.1%} of the coded bits corrected, scale {sync.scale:.3f}, "
        f"turned {sync.angle_deg:.1f} degrees{', mirrored' if sync.flipped else ''} ({reading.stage})"
    )
    return Detection(
        True,
        decoded.ident,
        decoded.crc_ok,
        reading.z,
        sync.scale,
        sync.angle_deg,
        sync.flipped,
        decoded.error_rate,
        evidence,
    )


def _require_picture(pixels: Pixels) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError("pixels must be uint8, (height, width, 3)")


def _as_loud_as_allowed(pixels: Pixels, plane: Plane, change: Plane) -> tuple[Pixels, Plane, float, Plane]:
    """A change made quieter until the structural similarity allows it: the marked picture, its luma, the similarity
    and the change.
    """
    factor = 1.0
    for _ in range(_QUIETER_LAPS):
        quieter = change * np.float32(factor)
        marked = applied(pixels, quieter)
        view = luma(marked)
        similarity = ssim(plane, view)
        if similarity >= _AIMED_SSIM:
            return marked, view, similarity, quieter
        # What is lost grows with the square of the change.
        factor *= min(0.98, float(np.sqrt((1 - _AIMED_SSIM) / (1 - similarity))))
    return pixels.copy(), plane, 1.0, np.zeros_like(change)


def _survives_all(view: Plane, attacks: Iterable[Attack], ident: int, key: bytes) -> bool:
    """Whether the id is read after every attack; two are tried side by side, the quick ones first."""
    quick = [attack for attack in attacks if attack[1] == "straight"]
    dear = [attack for attack in attacks if attack[1] != "straight"]
    with ThreadPoolExecutor(2) as threads:
        return all(all(threads.map(lambda attack: _survives(view, attack, ident, key), some)) for some in (quick, dear))


def _survives(view: Plane, attack: Attack, ident: int, key: bytes) -> bool:
    change, effort = attack
    decoded = read(change(view), key, effort).decoded
    return decoded is not None and decoded.ident == ident


def _halved(plane: Plane) -> Plane:
    height, width = plane.shape
    return resized(plane, max(1, height // 2), max(1, width // 2))


def _cropped(plane: Plane) -> Plane:
    """Half of the area, off the centre."""
    height, width = plane.shape
    high, wide = round(height * 0.7071), round(width * 0.7071)
    top, left = (height - high) * 2 // 3, (width - wide) // 3
    return plane[top : top + high, left : left + wide]


def _screenshot(plane: Plane) -> Plane:
    """At 83 % in a window with bars and margins, JPEG 80. A large picture is first brought to canonical size."""
    height, width = (min(side, canon) for side, canon in zip(plane.shape, canonical_size(*plane.shape), strict=True))
    small = resized(plane, max(1, round(height * 0.83)), max(1, round(width * 0.83)))
    bar, margin = round(small.shape[0] * 0.09), round(small.shape[1] * 0.06)
    screen = np.pad(small, ((bar, bar), (margin, margin)), constant_values=243.0)
    screen[:bar] = 56.0
    return Jpeg(80)(screen)


def _hurried(plane: Plane) -> Plane:
    """A quarter of the area, JPEG 70."""
    height, width = plane.shape
    return Jpeg(70)(plane[height // 3 : height // 3 + height // 2, width // 5 : width // 5 + width // 2])


Attack = tuple[Callable[[Plane], Plane], Effort]
GUARANTEED: Final[dict[str, Attack]] = {
    "jpeg-50": (Jpeg(50), "straight"),
    "half-size": (_halved, "straight"),
    "crop-50": (_cropped, "similar"),
    "screenshot": (_screenshot, "similar"),
}
"""The attacks after which, or after a harder one of their kind, the id is read back before a picture is called marked,
and how hard is looked."""
# What stands these stands the promised ones and has something left for attacks nobody tried here: JPEG 10 for JPEG 50,
# a quarter of the area at JPEG 70 for half of it.
HARDEST: Final[dict[str, Attack]] = {
    "jpeg-10": (Jpeg(10), "straight"),
    "half-size": (_halved, "straight"),
    "hurried": (_hurried, "moved"),
    "screenshot": (_screenshot, "moved"),
}
