"""A sound made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compliance.errors import NotASound
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.foreign.origins import OPTIONS, made_with, origin
from engines.job import CancelToken, Events, Progress
from engines.sound import decode_channels


@engine
class ForeignSound:
    """Brings in one sound at its own rate, with its own channels."""

    id = "foreign.sound"
    version = "1"
    function = "seal"
    options: tuple[Option, ...] = OPTIONS

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a sound; raises NotASound, since nobody should ask."""
        raise NotASound(path=name, reason="faces are looked for in pictures")

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """The sound; raises OptionUnfit, NotASound, SoundTooLong."""
        events(Progress(0, 1, "reading"))
        name = request.inputs[0].name if request.inputs else "-"
        samples, rate_hz = decode_channels(name, inputs.get("target", b""), cancel.check)
        permit.verify_faces(request.faces_edited)
        events(Progress(1, 1, "reading"))
        info = MediaInfo.of_sound(
            samples, rate_hz, origin=origin(request), engine=self.id, engine_version=made_with(request)
        )
        return SyntheticMedia(samples, replace(info, faces_edited=request.faces_edited))
