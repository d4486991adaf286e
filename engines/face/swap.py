"""The face swap itself: pure functions on pictures; only the window around the face is touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compliance.errors import FaceTooSmall
from compliance.media import Pixels
from engines._cv import cv2
from engines.face.blend import blend_levels, multiband, smooth_step
from engines.face.colour import match_colours
from engines.face.grain import add_grain, grain
from engines.face.pose import Face, pose_strength
from engines.face.skin import grown_hull, skin_mask, skin_tone
from engines.face.topology import LIP_BOTTOM, LIP_TOP, Topology, topology
from engines.face.warp import Window, dense_map, fixed_point

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

EYE_DISTANCE_LIMIT_PX = 24
# The longer side of what is kept of a source face, of the window worked in, and of the raster of map and masks.
SOURCE_PX, WORK_PX, RASTER_PX = 1024, 1024, 144
_SOURCE_SKIN_PX = 384
_SOURCE_MARGIN, _TARGET_MARGIN = 0.15, 0.08
_SMALLEST_LEVEL_PX = 64
# Eyes stay the target's when its lids are this much less open than the source's, closed, or the heads turned apart.
_LID_RATIO, _LID_CLOSED, _EYES_YAW_DEGREES = 0.6, 0.16, 18.0
# Parts of the eye distance: where the feather starts inside the usable skin, its width, how soft mouth and eyes end.
_FEATHER_START, _FEATHER_WIDTH, _OPENING_SOFT = 0.03, 0.16, 0.025
# How far the inner lip line moves towards the outer one once the mouth is open by this part of the eye distance.
_LIP_PULL, _LIP_OPEN = 0.3, 0.05
# Width of the kept line around the mouth opening, in pixels of the raster that the map is drawn on.
_SEAM_RASTER_PX = 2.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A source face made ready once. levels: uint8 (h, w, 4) from large to small, the fourth channel is its skin;
    points: (468, 2) for each level.
    """

    levels: tuple[Pixels, ...]
    points: tuple[Floats, ...]
    eye_distance_px: float
    lid_openings: tuple[float, float]
    yaw_degrees: float


def prepare(picture: Pixels, face: Face, name: str = "source") -> Identity:
    """Cut out a source face, find its skin and shrink it step by step, so that no target size aliases.

    picture: uint8 (h, w, 3) sRGB. name is only for the message of FaceTooSmall (eyes less than 24 px apart).
    """
    require_size(face, name)
    window = _window(picture, face, _SOURCE_MARGIN)
    scale = min(2.0, SOURCE_PX / max(window.width, window.height))
    size = max(8, round(window.width * scale)), max(8, round(window.height * scale))
    window = Window(window.left, window.top, window.width, window.height, *size)
    cut = cv2.resize(picture[window.slices], size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    small = window.at_most(_SOURCE_SKIN_PX)
    skin = _skin(cv2.resize(cut, small.size, interpolation=cv2.INTER_AREA), small.place(face.points[:, :2]), 1.25)
    levels = [np.dstack([cut, cv2.resize(skin, size)])]
    windows = [window]
    while min(windows[-1].size) > _SMALLEST_LEVEL_PX:
        last = windows[-1]
        half = Window(last.left, last.top, last.width, last.height, (last.columns + 1) // 2, (last.rows + 1) // 2)
        levels.append(cv2.resize(levels[-1], half.size, interpolation=cv2.INTER_AREA))
        windows.append(half)
    texture = _without_teeth(face)
    return Identity(
        tuple(levels),
        tuple(level.place(texture) for level in windows),
        face.eye_distance_px * scale,
        face.lid_openings,
        face.yaw_degrees,
    )


def _without_teeth(face: Face) -> Floats:
    """Places to take the texture from, (468, 2): with an open mouth the inner lip line moves a little into the lips.

    The target's mouth opening is kept, so teeth of the source could only show as a bright seam between closed lips.
    """
    mesh = topology()
    texture = face.points[:, :2].copy()
    inner, outer = texture[mesh.lips_inner], texture[mesh.lips_outer]
    upper, lower = face.points[LIP_TOP, :2], face.points[LIP_BOTTOM, :2]
    opening = float(np.hypot(*(upper - lower))) / max(1e-3, face.eye_distance_px)
    pull = np.float32(_LIP_PULL * min(1.0, opening / _LIP_OPEN))
    texture[mesh.lips_inner] = inner + (outer - inner) * pull
    return texture


def require_size(face: Face, name: str) -> None:
    """Raise FaceTooSmall when the eyes are less than 24 px apart."""
    if face.eye_distance_px < EYE_DISTANCE_LIMIT_PX:
        raise FaceTooSmall(path=name, eye_distance_px=round(face.eye_distance_px, 1), limit_px=EYE_DISTANCE_LIMIT_PX)


def swap(picture: Pixels, face: Face, identity: Identity, strength: float = 1.0) -> Pixels:
    """Paint an identity onto one face.

    picture: uint8 (h, w, 3) sRGB. strength: 0 (unchanged) to 1. Returns a new picture of the same shape; pixels outside
    the face hull are unchanged. A difference of yaw beyond 25 degrees fades the swap out, from 40 on nothing is left.
    Raises FaceTooSmall when the eyes are less than 24 px apart.
    """
    painted = picture.copy()
    paint(painted, face, identity, strength)
    return painted


def paint(picture: Pixels, face: Face, identity: Identity, strength: float = 1.0) -> None:
    """As `swap`, but changes the given picture: what a video does with a frame of its own."""
    require_size(face, "target")
    turned_apart = abs(face.yaw_degrees - identity.yaw_degrees)
    strength *= pose_strength(turned_apart)
    whole = _window(picture, face, _TARGET_MARGIN)
    if strength <= 0.0 or min(whole.width, whole.height) < 2:
        return
    mesh = topology()
    work = whole.at_most(WORK_PX)
    raster = work.at_most(RASTER_PX)
    box = picture[whole.slices]
    ground = box if work == whole else cv2.resize(box, work.size, interpolation=cv2.INTER_AREA)

    # 1. The source as the target's mesh bends it.
    flat = face.points[:, :2]
    on_work, on_raster = work.place(flat), raster.place(flat)
    eye_distance = face.eye_distance_px * work.columns / work.width
    raster_eye_distance = face.eye_distance_px * raster.columns / raster.width
    level = _level(identity, eye_distance)
    mapped, covered = dense_map(identity.points[level], on_raster, face.points[:, 2], mesh.triangles, raster.size)
    if raster != work:
        mapped = cv2.resize(mapped, work.size)
    warped = cv2.remap(identity.levels[level], mapped, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    # 2. Where both faces show skin: there the swap may stand.
    ground_small = cv2.resize(ground, raster.size, interpolation=cv2.INTER_AREA)
    warped_small = cv2.resize(warped, raster.size, interpolation=cv2.INTER_AREA)
    oval = np.zeros((raster.rows, raster.columns), np.uint8)
    cv2.fillPoly(oval, [fixed_point(on_raster[mesh.oval])], 255, shift=4)
    skin = _skin(ground_small, on_raster, 1.3)
    usable = ((oval > 0) & covered & (warped_small[..., 3] > 100) & (skin > 100)).astype(np.uint8)
    depth = _depth_inside(usable)
    alpha = smooth_step(depth, _FEATHER_START * raster_eye_distance, max(2.0, _FEATHER_WIDTH * raster_eye_distance))
    alpha = cv2.resize(alpha, work.size) * np.float32(strength)
    outside = _outside_openings(face, identity, mesh, on_work, (work, raster), turned_apart)
    alpha *= outside

    # 3. The target's light.
    features = _features(mesh, on_raster, raster)
    colours = match_colours(
        np.ascontiguousarray(warped_small[..., :3]), ground_small, (usable > 0) & (features == 0), raster_eye_distance
    )
    colour = np.ascontiguousarray(warped[..., :3])
    painted = colours.apply(colour) if colours else colour.astype(np.float32)

    plain = (
        cv2.resize(((usable > 0) & (features == 0)).astype(np.uint8), work.size, interpolation=cv2.INTER_NEAREST) > 0
    )
    missing = grain(ground, plain) ** 2 - grain(colour, plain) ** 2
    add_grain(painted, float(np.sqrt(max(0.0, missing))))

    # 4. Blend; coarse light reaches a little beyond the mask, so the hull of the face ends it.
    base = ground.astype(np.float32)
    near = (cv2.resize(depth, work.size) > 1.0) & (outside > 0.5)
    painted = np.where(near[..., None], painted, base)
    blended = multiband(painted, base, alpha, blend_levels(eye_distance))
    inside = _hull_weight(on_raster, raster)
    _paste(box, ground, blended, inside, work == whole)


def _window(picture: Pixels, face: Face, margin: float) -> Window:
    """The part of the picture around a face, one pixel per pixel."""
    height, width = picture.shape[:2]
    left, top, wide, high = face.box()
    pad = max(wide, high) * margin
    x0, y0 = max(0, int(np.floor(left - pad))), max(0, int(np.floor(top - pad)))
    x1, y1 = min(width, int(np.ceil(left + wide + pad))), min(height, int(np.ceil(top + high + pad)))
    x1, y1 = max(x0, x1), max(y0, y1)
    return Window(x0, y0, x1 - x0, y1 - y0, x1 - x0, y1 - y0)


def _level(identity: Identity, eye_distance_px: float) -> int:
    """The smallest level that is not coarser than the target."""
    level = 0
    while level + 1 < len(identity.levels) and identity.eye_distance_px / 2 ** (level + 1) > eye_distance_px:
        level += 1
    return level


def _skin(picture: Pixels, points: Floats, brow_grow: float) -> Mask:
    """The skin of one face, the inner face and brows always taken; points: (468, 2) in the picture's pixels."""
    mesh = topology()
    always = np.zeros(picture.shape[:2], np.uint8)
    for indices, grow in ((mesh.inner_face, 1.04), (mesh.brows[0], brow_grow), (mesh.brows[1], brow_grow)):
        cv2.fillConvexPoly(always, fixed_point(grown_hull(points[indices], grow)), 255, shift=4)
    return skin_mask(picture, skin_tone(picture, points), always)


def _features(mesh: Topology, points: Floats, raster: Window) -> Mask:
    """Eyes, lips and brows: no skin to take colours from."""
    mask = np.zeros((raster.rows, raster.columns), np.uint8)
    for indices, grow in (
        (mesh.eyes[0], 1.5),
        (mesh.eyes[1], 1.5),
        (mesh.lips_outer, 1.15),
        (mesh.brows[0], 1.3),
        (mesh.brows[1], 1.3),
    ):
        cv2.fillConvexPoly(mask, fixed_point(grown_hull(points[indices], grow)), 255, shift=4)
    return mask


def _depth_inside(mask: Mask) -> Floats:
    """Distance to the nearest unset pixel, the world beyond the raster counting as unset."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth: Floats = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return depth


def _outside_openings(
    face: Face,
    identity: Identity,
    mesh: Topology,
    points: Floats,
    windows: tuple[Window, Window],
    turned_apart_degrees: float,
) -> Floats:
    """0 where the target's mouth opening (always) and eyes (by rule) stay, 1 elsewhere, softly."""
    work, raster = windows
    eye_distance_px = face.eye_distance_px * work.columns / work.width
    openings = np.zeros((work.rows, work.columns), np.uint8)
    kept = [mesh.lips_inner]
    for ring, own, source in zip(mesh.eyes, face.lid_openings, identity.lid_openings, strict=True):
        is_shut = min(own, source) < _LID_CLOSED or own < _LID_RATIO * source
        if is_shut or turned_apart_degrees > _EYES_YAW_DEGREES:
            kept.append(ring)
    for ring in kept:
        cv2.fillPoly(openings, [fixed_point(points[ring])], 255, shift=4)
    # Between closed lips the map jumps over the source's teeth: the target's own seam covers what it draws in the jump.
    seam = max(2, round(_SEAM_RASTER_PX * work.columns / raster.columns))
    cv2.polylines(openings, [fixed_point(points[mesh.lips_inner])], True, 255, seam, cv2.LINE_AA, shift=4)
    side = 2 * max(1, int(_OPENING_SOFT * eye_distance_px)) + 1
    table = (1 - np.arange(256) / 255).astype(np.float32)
    outside: Floats = cv2.LUT(cv2.blur(openings, (side, side)), table)
    return outside


def _hull_weight(points: Floats, raster: Window) -> Floats:
    """0 outside the hull of the face and rising to 1 over a few pixels inside; float32 (rows, columns)."""
    hull = np.zeros((raster.rows, raster.columns), np.uint8)
    cv2.fillConvexPoly(hull, fixed_point(grown_hull(points, 1.0)), 1, shift=4)
    return smooth_step(_depth_inside(hull), 1.5, 4.0)


def _paste(box: Pixels, ground: Pixels, blended: Floats, inside: Floats, is_full_size: bool) -> None:
    """Write the blended window back into the picture, weighted by `inside`."""
    painted = cv2.convertScaleAbs(cv2.max(blended, 0.0))
    if not is_full_size:
        # Only the difference is enlarged: the picture keeps its own grain where little was changed.
        size = (box.shape[1], box.shape[0])
        painted = cv2.resize(painted, size, interpolation=cv2.INTER_CUBIC)
    weight = cv2.resize(inside, (box.shape[1], box.shape[0]))
    original = np.ascontiguousarray(box)
    box[...] = cv2.blendLinear(painted, original, weight, 1 - weight)
