"""The built-in face swap: its refusals, what it finds, what it changes and what it leaves."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from compliance.errors import ConsentTooNarrow, FaceIndexUnknown, FaceTooSmall, NoFaceFound, NotAPicture
from compliance.media import Pixels, SyntheticMedia, unseal
from compliance.permit import Role
from engines._cv import cv2
from engines.engine import Engine
from engines.face import mesh_swap
from engines.face.landmarks import FaceFinder
from engines.face.pose import Face, pose_strength
from engines.face.swap import Identity, prepare, swap
from engines.face.topology import topology
from engines.face.warp import dense_map
from engines.job import CancelToken, Event, Progress
from engines.source import decode
from tests.engines.conftest import permit_for, png, request_for


@pytest.fixture(scope="module")
def engine(engine_of: Callable[[str], Engine]) -> Engine:
    """The built-in face swap."""
    return engine_of("face.mesh")


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    """Detector and landmarks alone."""
    return FaceFinder()


def _run(engine: Engine, source: bytes, target: bytes, faces: int = 1, **options: object) -> SyntheticMedia:
    request = request_for(engine, ("source", "target"), faces=faces, **options)
    inputs: dict[Role, bytes] = {"source": source, "target": target}
    return engine.run(request, permit_for(request), inputs, lambda _: None, CancelToken())


def _face(finder: FaceFinder, data: bytes) -> tuple[Pixels, Face]:
    picture = decode("portrait", data)
    (face,) = finder.find(picture)
    return picture, face


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["source", "target"])
def test_a_picture_without_a_face_is_refused(engine: Engine, hopper: bytes, faceless: bytes, role: str) -> None:
    """As source and as target, naming which of the two it is."""
    pictures = {"source": hopper, "target": hopper, role: faceless}
    with pytest.raises(NoFaceFound) as refusal:
        _run(engine, pictures["source"], pictures["target"])
    assert refusal.value.data["path"] == f"{role}.png"


@pytest.mark.parametrize("role", ["source", "target"])
def test_a_tiny_face_is_refused(engine: Engine, hopper: bytes, tiny_face: bytes, role: str) -> None:
    """Eyes less than 24 px apart: nothing good can come of it."""
    pictures = {"source": hopper, "target": hopper, role: tiny_face}
    with pytest.raises(FaceTooSmall) as refusal:
        _run(engine, pictures["source"], pictures["target"])
    assert refusal.value.data["path"] == f"{role}.png"
    assert refusal.value.data["eye_distance_px"] < 24 == refusal.value.data["limit_px"]


@pytest.mark.parametrize("number", [2, 3, -1, 1000])
def test_a_face_number_that_is_not_there_is_refused(engine: Engine, hopper: bytes, collins: bytes, number: int) -> None:
    """Numbers run from 1 to the count; the error tells the count."""
    with pytest.raises(FaceIndexUnknown) as refusal:
        _run(engine, collins, hopper, face=number)
    assert (refusal.value.data["index"], refusal.value.data["found"]) == (number, 1)


def test_more_faces_than_the_permit_covers_are_refused_before_any_edit(
    engine: Engine, collins: bytes, couple: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permit for one face does not stretch to the second one in the picture."""

    def no_edit(*_: object) -> None:
        pytest.fail("a face was edited")

    monkeypatch.setattr(mesh_swap, "prepare", no_edit)
    monkeypatch.setattr(mesh_swap, "paint", no_edit)
    with pytest.raises(ConsentTooNarrow):
        _run(engine, collins, couple, faces=1)


@pytest.mark.parametrize("missing", ["source", "target"])
def test_a_missing_input_is_refused(engine: Engine, hopper: bytes, missing: Role) -> None:
    """As if it were an empty file."""
    request = request_for(engine, ("source", "target"), faces=1)
    inputs: dict[Role, bytes] = {"source": hopper, "target": hopper}
    del inputs[missing]
    with pytest.raises(NotAPicture):
        engine.run(request, permit_for(request), inputs, lambda _: None, CancelToken())


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (24, 24), (33_000, 60)])
def test_odd_shapes_hold_no_face_and_do_no_harm(engine: Engine, size: tuple[int, int]) -> None:
    """Thin, tiny and very long pictures are no special case, and cost no more than others."""
    assert engine.survey("odd", png(Image.new("RGB", size, (180, 140, 120)))) == []


# --- finding ---------------------------------------------------------------------------------------------------------


def test_one_face_is_found_in_each_portrait(engine: Engine, hopper: bytes, collins: bytes) -> None:
    """At the right place: the box lies around the nose that a person would point at."""
    for data, nose in ((hopper, (262, 240)), (collins, (224, 128))):
        (face,) = engine.survey("portrait", data)
        left, top, width, height = face.box
        assert face.number == 1
        assert left < nose[0] < left + width and top < nose[1] < top + height
        assert face.eye_distance_px > 50 and abs(face.yaw_degrees) < 15


def test_faces_are_counted_from_left_to_right(engine: Engine, couple: bytes) -> None:
    """Number 1 is the leftmost."""
    first, second = engine.survey("couple", couple)
    assert (first.number, second.number) == (1, 2)
    assert first.box[0] + first.box[2] < 512 < second.box[0]


def test_a_small_face_in_a_large_picture_is_found(engine: Engine, hopper: bytes) -> None:
    """Tiles bring it into the range of the detector, which misses it in the whole picture."""
    crowd = np.full((1200, 1600, 3), 120, np.uint8)
    small = np.asarray(Image.fromarray(decode("hopper", hopper)).resize((256, 300), Image.Resampling.LANCZOS))
    crowd[850:1150, 1300:1556] = small
    (face,) = engine.survey("crowd", png(crowd))
    assert face.box[0] > 1300 and face.box[1] > 850


def test_a_face_is_found_once_more_from_where_it_was(finder: FaceFinder, hopper: bytes) -> None:
    """Following needs one pass and moves the points by little on a still picture."""
    picture, face = _face(finder, hopper)
    again = finder.landmarker.follow(picture, face)
    assert again.presence > 0.99
    assert np.abs(again.points[:, :2] - face.points[:, :2]).mean() < 0.02 * face.eye_distance_px


def test_turning_the_picture_turns_the_yaw(finder: FaceFinder, collins: bytes) -> None:
    """A mirrored face looks to the other side, by about as much."""
    picture, face = _face(finder, collins)
    (mirrored,) = finder.find(np.ascontiguousarray(picture[:, ::-1]))
    assert abs(face.yaw_degrees + mirrored.yaw_degrees) < 4


def test_the_mesh_is_closed_but_for_the_outline() -> None:
    """Every edge borders two triangles, except the 36 of the face oval; every point is used."""
    mesh = topology()
    edges: dict[tuple[int, int], int] = {}
    for triangle in mesh.triangles.tolist():
        for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            edges[min(a, b), max(a, b)] = edges.get((min(a, b), max(a, b)), 0) + 1
    border = {edge for edge, count in edges.items() if count == 1}
    assert {point for edge in border for point in edge} == set(mesh.oval.tolist())
    assert len(border) == 36 and set(edges.values()) == {1, 2}
    assert set(np.unique(mesh.triangles)) == set(range(468))


# --- swapping --------------------------------------------------------------------------------------------------------


def test_pixels_outside_the_face_are_unchanged(
    engine: Engine, finder: FaceFinder, hopper: bytes, collins: bytes
) -> None:
    """Not one value outside the hull of the 468 points differs, and the face itself does."""
    for source, target in ((collins, hopper), (hopper, collins)):
        picture, face = _face(finder, target)
        result = unseal(_run(engine, source, target))
        hull = np.zeros(picture.shape[:2], np.uint8)
        outline = cv2.convexHull(np.ascontiguousarray(face.points[:, :2])).round().astype(np.int32)
        cv2.fillConvexPoly(hull, outline, 1)
        outside = cv2.dilate(hull, np.ones((3, 3), np.uint8)) == 0
        assert (result[outside] == picture[outside]).all()
        assert np.abs(result[~outside].astype(int) - picture[~outside]).mean() > 5


def test_a_face_larger_than_the_working_size_is_swapped_within_its_hull(
    finder: FaceFinder, hopper: bytes, collins: bytes
) -> None:
    """Map, masks and blend are enlarged for it, and still end at the hull."""
    picture, face = _face(finder, hopper)
    scale = 6
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    points = face.points * np.float32(scale)
    result = swap(large, Face(points, 1.0), prepare(*_face(finder, collins)))
    hull = np.zeros(large.shape[:2], np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.ascontiguousarray(points[:, :2])).round().astype(np.int32), 1)
    outside = cv2.dilate(hull, np.ones((3, 3), np.uint8)) == 0
    assert (result[outside] == large[outside]).all()
    assert np.abs(result[~outside].astype(int) - large[~outside]).mean() > 5


def test_a_picture_without_colours_gets_none(finder: FaceFinder, hopper: bytes, collins: bytes) -> None:
    """A coloured face in a black and white picture turns grey with it."""
    picture, face = _face(finder, collins)
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    result = swap(grey, face, prepare(*_face(finder, hopper)))
    assert (result != grey).any()
    assert np.ptp(result, axis=2).max() <= 6


def test_no_pixel_is_taken_from_outside_the_source_face(finder: FaceFinder, hopper: bytes, collins: bytes) -> None:
    """Slivers of the mesh run nowhere: each mapped place lies within the box of the source's points."""
    _, target = _face(finder, hopper)
    _, source = _face(finder, collins)
    points = source.points[:, :2]
    for turn in np.radians([0, 20, 35, 50]):
        turned = target.points[:, :2] @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        raster = ((turned - turned.min(axis=0)) * 0.4).astype(np.float32)
        size = tuple(int(side) + 2 for side in raster.max(axis=0))
        mapped, covered = dense_map(points, raster, target.points[:, 2], topology().triangles, size)
        assert (mapped[covered] >= points.min(axis=0) - 0.01).all()
        assert (mapped[covered] <= points.max(axis=0) + 0.01).all()
        sideways = np.abs(np.diff(mapped, axis=1)).max(axis=2)[covered[:, 1:] & covered[:, :-1]]
        assert sideways.max() < 0.4 * source.eye_distance_px


def test_one_face_of_two_is_swapped_alone(engine: Engine, hopper: bytes, couple: bytes) -> None:
    """--face 2 changes the right one, and one permitted face is enough for it."""
    before = decode("couple", couple)
    media = _run(engine, hopper, couple, face=2)
    after = unseal(media)
    assert media.info.faces_edited == 1
    assert (after[:, :512] == before[:, :512]).all()
    assert (after[:, 512:] != before[:, 512:]).any()


def test_all_faces_are_swapped_without_a_number(engine: Engine, collins: bytes, couple: bytes) -> None:
    """The default is everyone in the picture."""
    before = decode("couple", couple)
    media = _run(engine, collins, couple, faces=2)
    after = unseal(media)
    assert media.info.faces_edited == 2
    assert (after[:, :512] != before[:, :512]).any() and (after[:, 512:] != before[:, 512:]).any()


def test_the_source_is_the_largest_face(engine: Engine, hopper: bytes, couple: bytes) -> None:
    """Of the couple that is Hopper: the same as taking her portrait, but for how she was found."""
    alone = unseal(_run(engine, hopper, couple, face=2)).astype(int)
    of_couple = unseal(_run(engine, couple, couple, face=2)).astype(int)
    assert np.abs(alone - of_couple).max(axis=2).mean() < 0.5


def test_strength_scales_the_change(finder: FaceFinder, hopper: bytes, collins: bytes) -> None:
    """Nothing at 0, all at 1, about half in between; the given picture is left alone by `swap`."""
    picture, face = _face(finder, hopper)
    kept = picture.copy()
    identity = prepare(*_face(finder, collins))
    nothing, half, full = (swap(picture, face, identity, strength).astype(int) for strength in (0.0, 0.5, 1.0))
    assert (nothing == picture).all() and (picture == kept).all()
    change = np.abs(half - picture).sum() / np.abs(full - picture).sum()
    assert 0.4 < change < 0.6


def test_a_turned_head_fades_the_swap_out(finder: FaceFinder, hopper: bytes, collins: bytes) -> None:
    """From 25 to 40 degrees of difference, whichever side; beyond, the picture is as it was."""
    assert [pose_strength(degrees) for degrees in (0, 25, -25, 32.5, 40, -90)] == [1, 1, 1, 0.5, 0, 0]
    picture, face = _face(finder, hopper)
    identity = prepare(*_face(finder, collins))
    turned = dataclasses.replace(identity, yaw_degrees=face.yaw_degrees - 41)
    assert (swap(picture, face, turned) == picture).all()
    halfway = dataclasses.replace(identity, yaw_degrees=face.yaw_degrees + 32)
    assert (swap(picture, face, halfway) != picture).any()


def test_a_faded_swap_is_told_in_a_warning(
    engine: Engine, hopper: bytes, collins: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the degrees; a swap in full strength has no warning."""
    assert _run(engine, collins, hopper).info.warnings == ()

    def turned(picture: Pixels, face: Face, name: str) -> Identity:
        return dataclasses.replace(prepare(picture, face, name), yaw_degrees=face.yaw_degrees + 31)

    monkeypatch.setattr(mesh_swap, "prepare", turned)
    (warning,) = _run(engine, hopper, hopper).info.warnings
    assert warning == "pose differs by 31 degrees: the swap was faded"


def test_the_mouth_of_the_target_stays(finder: FaceFinder, hopper: bytes, collins: bytes) -> None:
    """Collins's open smile keeps her own teeth, whoever's face is painted on."""
    picture, face = _face(finder, collins)
    result = swap(picture, face, prepare(*_face(finder, hopper)))
    mouth = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mouth, [face.points[topology().lips_inner, :2].round().astype(np.int32)], 1)
    inside = cv2.erode(mouth, np.ones((3, 3), np.uint8)) > 0
    assert inside.sum() > 20
    assert np.abs(result[inside].astype(int) - picture[inside]).mean() < 6


def test_closed_eyes_of_the_target_stay_closed(finder: FaceFinder, hopper: bytes, collins: bytes) -> None:
    """When the lids differ too much, the eyes are not painted."""
    picture, face = _face(finder, hopper)
    identity = prepare(*_face(finder, collins))
    staring = dataclasses.replace(identity, lid_openings=(0.9, 0.9))
    eyes = np.zeros(picture.shape[:2], np.uint8)
    for ring in topology().eyes:
        cv2.fillPoly(eyes, [face.points[ring, :2].round().astype(np.int32)], 1)
    inside = cv2.erode(eyes, np.ones((3, 3), np.uint8)) > 0
    kept, painted = (
        np.abs(swap(picture, face, who)[inside].astype(int) - picture[inside]) for who in (staring, identity)
    )
    assert kept.mean() < 8 < painted.mean()


def test_a_face_over_the_edge_is_swapped_without_harm(engine: Engine, hopper: bytes, collins: bytes) -> None:
    """Cut off at the side and below, the rest of the face is still painted."""
    cut = decode("hopper", hopper)[:300, 215:]
    before = np.ascontiguousarray(cut)
    after = unseal(_run(engine, collins, png(before), faces=3))
    assert after.shape == before.shape and (after != before).any()


def test_stages_are_told_in_order(engine: Engine, collins: bytes, couple: bytes) -> None:
    """One event a stage and one a face, the last one complete."""
    request = request_for(engine, ("source", "target"), faces=2)
    seen: list[Event] = []
    inputs: dict[Role, bytes] = {"source": collins, "target": couple}
    engine.run(request, permit_for(request), inputs, seen.append, CancelToken())
    assert seen == [
        Progress(0, 5, "reading pictures"),
        Progress(1, 5, "finding faces"),
        Progress(2, 5, "preparing the source"),
        Progress(3, 5, "swapping face"),
        Progress(4, 5, "swapping face"),
        Progress(5, 5, "swapping face"),
    ]


def test_importing_opencv_leaves_qt_alone() -> None:
    """The two variables that point Qt to OpenCV's own plug-ins and fonts are as before: unset, or the user's."""
    program = (
        "import os, engines._cv; print(os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH'), os.environ.get('QT_QPA_FONTDIR'))"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("QT_QPA_")}
    environment["QT_QPA_FONTDIR"] = "of-the-user"
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["None", "of-the-user"]
