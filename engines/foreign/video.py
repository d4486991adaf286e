"""A video made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.errors import NotAVideo
from compliance.media import Film, MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.film import open_film
from engines.foreign.origins import OPTIONS, made_with, origin
from engines.job import CancelToken, Events, Progress


@engine
class ForeignVideo:
    """Brings in one film, upright, at a constant rate, with its sound."""

    id = "foreign.video"
    version = "1"
    function = "seal"
    options: tuple[Option, ...] = OPTIONS

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """Faces are not counted in films; raises NotAVideo, since nobody should ask."""
        raise NotAVideo(path=name, reason="faces are looked for in pictures")

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """The film; raises OptionUnfit, NotAVideo, VideoTooLong."""
        events(Progress(0, 1, "reading"))
        kind, tool = origin(request), made_with(request)
        name = request.inputs[0].name if request.inputs else "-"
        film = open_film(name, inputs.get("target", b""), cancel.check)
        permit.verify_faces(request.faces_edited)
        events(Progress(1, 1, "reading"))
        info = MediaInfo(
            "video",
            film.width,
            film.height,
            "sRGB",
            kind,
            self.id,
            tool,
            request.faces_edited,
            rate_hz=film.rate_hz,
            channels=0 if film.sound is None else film.sound.shape[1],
            frames=0 if film.sound is None else len(film.sound),
            pictures=film.pictures,
            picture_rate=str(film.rate),
        )
        return SyntheticMedia(Film(film.frames, film.sound), info)
