"""A text document made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal, cast

from compliance.errors import NotADocument, OptionUnfit
from compliance.media import Document, MediaInfo, SyntheticMedia
from compliance.permit import Permit, Role
from engines.engine import FoundFace, Option, Request, engine
from engines.foreign.origins import OPTIONS, made_with, origin
from engines.job import CancelToken, Events, Progress

FORMATS: Final = ("txt", "md", "html", "docx", "pdf")


@engine
class ForeignDocument:
    """Brings in one document as it is; the draft takes it apart."""

    id = "foreign.document"
    version = "1"
    function = "seal"
    options: tuple[Option, ...] = (*OPTIONS, Option("format", "txt", "What it is.", choices=FORMATS))

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """There are no faces in a text; raises NotADocument, since nobody should ask."""
        raise NotADocument(path=name, reason="faces are looked for in pictures")

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """The document; raises OptionUnfit, NotADocument when it is empty."""
        events(Progress(0, 1, "reading"))
        form = str(request.options.get("format", ""))
        if form not in FORMATS:
            raise OptionUnfit(option="format", value=form[:40], allowed=", ".join(FORMATS))
        data = inputs.get("target", b"")
        if not data:
            raise NotADocument(path=request.inputs[0].name if request.inputs else "-", reason="empty file")
        cancel.check()
        permit.verify_faces(request.faces_edited)
        info = MediaInfo.of_document(origin=origin(request), engine=self.id, engine_version=made_with(request))
        events(Progress(1, 1, "reading"))
        return SyntheticMedia(
            Document(cast(Literal["txt", "md", "html", "docx", "pdf"], form), data),
            replace(info, faces_edited=request.faces_edited),
        )
