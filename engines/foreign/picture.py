"""A picture made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.errors import NotAPicture
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.foreign.origins import OPTIONS, made_with, origin
from engines.job import CancelToken, Events, Progress
from engines.source import count_frames, decode


@engine
class ForeignPicture:
    """Brings in one still picture as it is."""

    id = "foreign.picture"
    version = "1"
    function = "seal"
    options: tuple[Option, ...] = OPTIONS

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """This engine does not look for faces; raises NotAPicture, PictureTooLarge."""
        decode(name, data)
        return []

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """The picture; raises OptionUnfit, NotAPicture (also for one that moves), PictureTooLarge."""
        events(Progress(0, 1, "reading"))
        name = request.inputs[0].name if request.inputs else "-"
        data = inputs.get("target", b"")
        if count_frames(data) > 1:
            raise NotAPicture(path=name, reason="it moves or has pages; save what moves as a video first")
        pixels = decode(name, data)
        cancel.check()
        permit.verify_faces(request.faces_edited)
        events(Progress(1, 1, "reading"))
        height, width = pixels.shape[:2]
        info = MediaInfo(
            "picture", width, height, "sRGB", origin(request), self.id, made_with(request), request.faces_edited
        )
        return SyntheticMedia(pixels, info)
