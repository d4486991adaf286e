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
    scene = _scene(picture, face, whole)
    warped, covered = _bend(identity, scene)
    warped_small = cv2.resize(warped, scene.raster.size, interpolation=cv2.INTER_AREA)
    usable = _usable(scene, warped_small[..., 3], covered)
    painted = _lit(scene, warped, warped_small, usable)

    # Openings and edge are cut out before blending: the source's teeth would shine through in the coarse bands.
    depth = _depth_inside(usable)
    start, rise = (part * scene.raster_eye_distance_px for part in (_FEATHER_START, _FEATHER_WIDTH))
    alpha = cv2.resize(smooth_step(depth, start, max(2.0, rise)), scene.work.size) * np.float32(strength)
    shown = _outside_openings(scene, identity, turned_apart) * (cv2.resize(depth, scene.work.size) > 1.0)
    ground = scene.ground.astype(np.float32)
    difference = cv2.subtract(painted, ground) * shown[..., None]
    blended = cv2.add(ground, multiband(difference, alpha, blend_levels(scene.eye_distance_px)))
    _paste(picture[whole.slices], blended, _hull_weight(scene))


@dataclass(frozen=True, slots=True)
class _Scene:
    """The window of a target face. ground: uint8 (h, w, 3) at the size of `work`, ground_small at the size of `raster`;
    work_points, raster_points: (468, 2).
    """

    face: Face
    mesh: Topology
    work: Window
    raster: Window
    ground: Pixels
    ground_small: Pixels
    work_points: Floats
    raster_points: Floats

    @property
    def eye_distance_px(self) -> float:
        """In pixels of `work`."""
        return self.face.eye_distance_px * self.work.columns / self.work.width

    @property
    def raster_eye_distance_px(self) -> float:
        """In pixels of `raster`."""
        return self.face.eye_distance_px * self.raster.columns / self.raster.width


def _scene(picture: Pixels, face: Face, whole: Window) -> _Scene:
    """The target's window at the size worked in and at the size of map and masks."""
    work = whole.at_most(WORK_PX)
    raster = work.at_most(RASTER_PX)
    box = picture[whole.slices]
    ground = box if work == whole else cv2.resize(box, work.size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(ground, raster.size, interpolation=cv2.INTER_AREA)
    flat = face.points[:, :2]
    return _Scene(face, topology(), work, raster, ground, small, work.place(flat), raster.place(flat))


def _bend(identity: Identity, scene: _Scene) -> tuple[Pixels, NDArray[np.bool_]]:
    """The source bent by the target's mesh, uint8 (h, w, 4) at `work` size; where the mesh lies, at `raster` size."""
    level = 0
    while level + 1 < len(identity.levels) and identity.eye_distance_px / 2 ** (level + 1) > scene.eye_distance_px:
        level += 1
    mapped, covered = dense_map(
        identity.points[level],
        scene.raster_points,
        scene.face.points[:, 2],
        scene.mesh.triangles,
        scene.raster.size,
    )
    if scene.raster.size != scene.work.size:
        mapped = cv2.resize(mapped, scene.work.size)
    warped: Pixels = cv2.remap(identity.levels[level], mapped, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped, covered


def _usable(scene: _Scene, source_skin: Mask, covered: NDArray[np.bool_]) -> Mask:
    """1 where both faces show skin and the mesh lies: there the swap may stand; uint8 at `raster` size."""
    oval = np.zeros((scene.raster.rows, scene.raster.columns), np.uint8)
    cv2.fillPoly(oval, [fixed_point(scene.raster_points[scene.mesh.oval])], 255, shift=4)
    skin = _skin(scene.ground_small, scene.raster_points, 1.3)
    usable: Mask = ((oval > 0) & covered & (source_skin > 100) & (skin > 100)).astype(np.uint8)
    return usable


def _lit(scene: _Scene, warped: Pixels, warped_small: Pixels, usable: Mask) -> Floats:
    """The bent source in the target's light, colours and grain; float32 (h, w, 3) at `work` size."""
    plain = (usable > 0) & (_features(scene) == 0)
    colour = np.ascontiguousarray(warped[..., :3])
    colours = match_colours(
        np.ascontiguousarray(warped_small[..., :3]), scene.ground_small, plain, scene.raster_eye_distance_px
    )
    painted = colours.apply(colour) if colours else colour.astype(np.float32)
    plain_large = cv2.resize(plain.astype(np.uint8), scene.work.size, interpolation=cv2.INTER_NEAREST) > 0
    missing = grain(scene.ground, plain_large) ** 2 - grain(colour, plain_large) ** 2
    add_grain(painted, float(np.sqrt(max(0.0, missing))))
    return painted


def _window(picture: Pixels, face: Face, margin: float) -> Window:
    """The part of the picture around a face, one pixel per pixel."""
    height, width = picture.shape[:2]
    left, top, wide, high = face.box()
    pad = max(wide, high) * margin
    x0, y0 = max(0, int(np.floor(left - pad))), max(0, int(np.floor(top - pad)))
    x1, y1 = min(width, int(np.ceil(left + wide + pad))), min(height, int(np.ceil(top + high + pad)))
    x1, y1 = max(x0, x1), max(y0, y1)
    return Window(x0, y0, x1 - x0, y1 - y0, x1 - x0, y1 - y0)


def _skin(picture: Pixels, points: Floats, brow_grow: float) -> Mask:
    """The skin of one face, the inner face and brows always taken; points: (468, 2) in the picture's pixels."""
    mesh = topology()
    always = np.zeros(picture.shape[:2], np.uint8)
    for indices, grow in ((mesh.inner_face, 1.04), (mesh.brows[0], brow_grow), (mesh.brows[1], brow_grow)):
        cv2.fillConvexPoly(always, fixed_point(grown_hull(points[indices], grow)), 255, shift=4)
    return skin_mask(picture, skin_tone(picture, points), always)


def _features(scene: _Scene) -> Mask:
    """Eyes, lips and brows: no skin to take colours from."""
    mesh, mask = scene.mesh, np.zeros((scene.raster.rows, scene.raster.columns), np.uint8)
    grown = (
        (mesh.eyes[0], 1.5),
        (mesh.eyes[1], 1.5),
        (mesh.lips_outer, 1.15),
        (mesh.brows[0], 1.3),
        (mesh.brows[1], 1.3),
    )
    for indices, grow in grown:
        cv2.fillConvexPoly(mask, fixed_point(grown_hull(scene.raster_points[indices], grow)), 255, shift=4)
    return mask


def _depth_inside(mask: Mask) -> Floats:
    """Distance to the nearest unset pixel, the world beyond the raster counting as unset."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth: Floats = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return depth


def _outside_openings(scene: _Scene, identity: Identity, turned_apart_degrees: float) -> Floats:
    """0 where the target's mouth opening (always) and eyes (by rule) stay, 1 elsewhere, softly; at `work` size."""
    openings = np.zeros((scene.work.rows, scene.work.columns), np.uint8)
    mouth = fixed_point(scene.work_points[scene.mesh.lips_inner])
    cv2.fillPoly(openings, [mouth], 255, shift=4)
    # Between closed lips the map jumps over the source's teeth: the target's own seam covers what it draws in the jump.
    seam = max(2, round(_SEAM_RASTER_PX * scene.work.columns / scene.raster.columns))
    cv2.polylines(openings, [mouth], True, 255, seam, cv2.LINE_AA, shift=4)
    for ring, own, source in zip(scene.mesh.eyes, scene.face.lid_openings, identity.lid_openings, strict=True):
        is_shut = min(own, source) < _LID_CLOSED or own < _LID_RATIO * source
        if is_shut or turned_apart_degrees > _EYES_YAW_DEGREES:
            cv2.fillPoly(openings, [fixed_point(scene.work_points[ring])], 255, shift=4)
    side = 2 * max(1, int(_OPENING_SOFT * scene.eye_distance_px)) + 1
    table = (1 - np.arange(256) / 255).astype(np.float32)
    outside: Floats = cv2.LUT(cv2.blur(openings, (side, side)), table)
    return outside


def _hull_weight(scene: _Scene) -> Floats:
    """0 outside the hull of the face and rising to 1 over a few pixels inside; float32 at `raster` size."""
    hull = np.zeros((scene.raster.rows, scene.raster.columns), np.uint8)
    cv2.fillConvexPoly(hull, fixed_point(grown_hull(scene.raster_points, 1.0)), 1, shift=4)
    return smooth_step(_depth_inside(hull), 1.5, 4.0)


def _paste(box: Pixels, blended: Floats, inside: Floats) -> None:
    """Write the blended window back into the picture; `inside` ends coarse light at the hull of the face."""
    size = (box.shape[1], box.shape[0])
    painted = cv2.convertScaleAbs(cv2.max(blended, 0.0))
    if (painted.shape[1], painted.shape[0]) != size:
        painted = cv2.resize(painted, size, interpolation=cv2.INTER_CUBIC)
    weight = cv2.resize(inside, size)
    box[...] = cv2.blendLinear(painted, np.ascontiguousarray(box), weight, 1 - weight)
