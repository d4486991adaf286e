"""The built-in face swap: a dense mesh warp, no neural identity model and no graphics card."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.errors import FaceIndexUnknown, NoFaceFound
from compliance.media import MediaInfo, Pixels, SyntheticMedia
from compliance.permit import Permit, Role
from engines._cv import cv2
from engines.engine import FoundFace, Option, Request, engine
from engines.face.landmarks import FaceFinder
from engines.face.pose import FADE_FROM_DEGREES, Face
from engines.face.swap import paint, prepare, require_size
from engines.face.topology import topology
from engines.job import CancelToken, Events, Progress
from engines.source import decode

_STAGES_BEFORE_FACES = 3
# Large enough for every face that a label could hide.
_SURVEY_PX = 640


@engine
class MeshSwap:
    """Puts the face of the source picture onto one face, or all faces, of the target picture."""

    id = "face.mesh"
    version = "1"
    function = "face.swap"
    options: tuple[Option, ...] = (
        Option("face", 0, "The face to swap, counted from left to right; 0 swaps all.", minimum=0, maximum=1000),
        Option("source_face", 0, "The face that is lent, likewise; 0 is the largest.", minimum=0, maximum=1000),
        Option("strength", 1.0, "How much of the new face is painted: 0 nothing, 1 all.", minimum=0.0, maximum=1.0),
    )

    def __init__(self) -> None:
        """Load the networks and the mesh; raises ModelDamaged."""
        topology()
        self._finder = FaceFinder()

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """Faces in one encoded picture, left to right; raises NotAPicture, PictureTooLarge."""
        return self.faces(decode(name, data))

    def faces(self, picture: Pixels) -> list[FoundFace]:
        """Faces in a picture that is decoded already, left to right; uint8, (height, width, 3), sRGB."""
        return [_found(number, face, picture) for number, face in enumerate(self._finder.find(picture), start=1)]

    def boxes(self, picture: Pixels) -> list[tuple[int, int, int, int]]:
        """Where faces are in a picture, (left, top, width, height) in pixels; large pictures are looked at smaller."""
        factor = min(1.0, _SURVEY_PX / max(picture.shape[:2]))
        small = picture
        if factor < 1:
            small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        found = [_found(number, face, small).box for number, face in enumerate(self._finder.find(small), start=1)]
        return [tuple(round(side / factor) for side in box) for box in found]

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Swap; the source face is the largest of the source picture unless a number is named.

        Raises NotAPicture, PictureTooLarge, NoFaceFound, FaceTooSmall, FaceIndexUnknown, ConsentTooNarrow.
        """
        names: dict[Role, str] = {item.role: item.name for item in request.inputs}
        source_name, target_name = names.get("source", "source"), names.get("target", "target")
        wanted, strength = int(request.options.get("face", 0)), float(request.options.get("strength", 1.0))
        lent = int(request.options.get("source_face", 0))
        total = _STAGES_BEFORE_FACES + max(1, request.faces_edited)

        cancel.check()
        events(Progress(0, total, "reading pictures"))
        source = decode(source_name, inputs.get("source", b""))
        target = decode(target_name, inputs.get("target", b""))

        cancel.check()
        events(Progress(1, total, "finding faces"))
        source_faces = self._finder.find(source)
        if not source_faces:
            raise NoFaceFound(path=source_name)
        cancel.check()
        chosen = _chosen(self._finder.find(target), wanted, target_name)
        for face in chosen:
            require_size(face, target_name)
        permit.verify_faces(len(chosen))
        total = _STAGES_BEFORE_FACES + len(chosen)

        cancel.check()
        events(Progress(2, total, "preparing the source"))
        source_face = _chosen(source_faces, lent, source_name)[0] if lent else max(source_faces, key=_area)
        identity = prepare(source, source_face, source_name)

        warnings = []
        for done, face in enumerate(chosen, start=_STAGES_BEFORE_FACES):
            cancel.check()
            events(Progress(done, total, "swapping face"))
            turned_apart = abs(face.yaw_degrees - identity.yaw_degrees)
            if turned_apart > FADE_FROM_DEGREES:
                warnings.append(f"pose differs by {turned_apart:.0f} degrees: the swap was faded")
            paint(target, face, identity, min(1.0, max(0.0, strength)))
        cancel.check()
        events(Progress(total, total, "swapping face"))
        info = MediaInfo(
            kind="picture",
            width=target.shape[1],
            height=target.shape[0],
            colour_space="sRGB",
            origin="compositeWithTrainedAlgorithmicMedia",
            engine=self.id,
            engine_version=self.version,
            faces_edited=len(chosen),
            warnings=tuple(warnings),
        )
        return SyntheticMedia(target, info)


def _chosen(faces: list[Face], wanted: int, name: str) -> list[Face]:
    """All faces for 0, else the one of that number; raises NoFaceFound, FaceIndexUnknown."""
    if not faces:
        raise NoFaceFound(path=name)
    if wanted == 0:
        return faces
    if not 1 <= wanted <= len(faces):
        raise FaceIndexUnknown(path=name, index=wanted, found=len(faces))
    return [faces[wanted - 1]]


def _area(face: Face) -> float:
    _, _, width, height = face.box()
    return width * height


def _found(number: int, face: Face, picture: Pixels) -> FoundFace:
    """What may be told of a face, its box cut to the picture."""
    left, top, width, height = face.box()
    x0, y0 = max(0, int(left)), max(0, int(top))
    x1, y1 = min(picture.shape[1], round(left + width)), min(picture.shape[0], round(top + height))
    return FoundFace(
        number,
        (x0, y0, max(0, x1 - x0), max(0, y1 - y0)),
        round(face.eye_distance_px, 1),
        round(face.yaw_degrees, 1),
    )
