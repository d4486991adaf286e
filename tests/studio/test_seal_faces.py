"""Faces in films and in the pictures of documents count as those of pictures do."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from compliance.documents_pictures import pictures_of
from compliance.errors import (
    ConsentForOtherPicture,
    ConsentMissing,
    ConsentTooNarrow,
    ConsentWithdrawn,
    NotADocument,
)
from compliance.media import Pixels
from engines.engine import FoundFace
from studio.faces_seen import faces_seen
from studio.workshop import SwapPlan, Workshop
from tests.compliance.documents import MARKDOWN, docx, pdf
from tests.engines.films import encoded, turned
from tests.studio.conftest import COLLINS, HOPPER
from tests.studio.test_pictures import finish

TOOL = "Some Tool"


@cache
def portrait(path: Path = HOPPER) -> Pixels:
    """A face, 240 by 240."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").crop((100, 60, 420, 380)).resize((240, 240)))


def film(*pictures: Pixels, turn: int = 0) -> bytes:
    """Pictures of one size, each shown for a second, lying so that a turn by quarters brings them upright."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4, options={"crf": "14", "g": "4"})
        high, wide = np.rot90(pictures[0], turn).shape[:2]
        stream.width, stream.height, stream.pix_fmt = wide, high, "yuv420p"
        for index, picture in enumerate(picture for picture in pictures for _ in range(4)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(picture, turn)), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 4)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return turned(target.getvalue(), turn) if turn else target.getvalue()


EMPTY = np.full((240, 240, 3), 90, np.uint8)


def as_png(pixels: Pixels) -> bytes:
    """A picture as a file."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


def with_picture(form: str, pixels: Pixels) -> bytes:
    """A document that shows a picture."""
    if form == "docx":
        target = io.BytesIO(docx())
        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr("word/media/image1.png", as_png(pixels))
        return target.getvalue()
    if form == "pdf":
        from reportlab.lib.utils import ImageReader
        from reportlab.pdfgen.canvas import Canvas

        target = io.BytesIO()
        canvas = Canvas(target, invariant=1)
        canvas.drawString(80, 400, "A page without any picture.")
        canvas.showPage()
        canvas.drawImage(ImageReader(Image.fromarray(pixels)), 80, 400, 240, 240)
        canvas.showPage()
        canvas.save()
        return target.getvalue()
    address = f"data:image/png;base64,{base64.b64encode(as_png(pixels)).decode()}"
    if form == "md":
        return f"---\ntitle: A face\n---\n\n![somebody]({address})\n".encode()
    page = f'<!doctype html>\n<html><head><title>A</title></head>\n<body><p><img src="{address}"></p>\n</body></html>\n'
    return page.encode()


def written(folder: Path, name: str, data: bytes) -> Path:
    """A file."""
    (folder / name).write_bytes(data)
    return folder / name


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_film_with_a_face_needs_consent_or_a_declaration(workshop: Workshop, tmp_path: Path) -> None:
    """As in a picture: invented people are declared to be so, and then nobody is asked for."""
    path = written(tmp_path, "walk.mp4", film(EMPTY, EMPTY, portrait()))
    with pytest.raises(ConsentMissing):
        workshop.plan_seal(path, made_with=TOOL)
    declared = workshop.plan_seal(path, made_with=TOOL, nobody_real=True)
    assert declared.request.inputs[0].likeness == "nobody" and declared.request.faces_edited == 0


def test_more_people_than_agreed_are_counted(workshop: Workshop, tmp_path: Path) -> None:
    """Two faces at once need two people's consents, at the gate and in the worker."""
    both = np.hstack([portrait(), portrait(COLLINS)])
    path = written(tmp_path, "two.mp4", film(np.hstack([EMPTY, EMPTY]), both))
    first = granted(workshop, path, "Grace Hopper")
    with pytest.raises(ConsentTooNarrow):
        workshop.start(workshop.plan_seal(path, made_with=TOOL, consents=[first]), lambda _event: None)
    one = written(tmp_path, "one.mp4", film(portrait()))
    plan = workshop.plan_seal(one, made_with=TOOL, consents=[granted(workshop, one, "Grace Hopper")])
    data = film(both)
    grant, forged = granted(workshop, written(tmp_path, "other.mp4", data), "Grace Hopper"), changed(plan, data)
    with pytest.raises(ConsentTooNarrow):
        finish(workshop, replace(forged, request=replace(forged.request, consents=(grant,))))


def test_every_named_grant_is_live_and_one_means_the_film(workshop: Workshop, tmp_path: Path) -> None:
    """A grant for another file does not cover it, and one that was withdrawn stops it beside a live one."""
    path = written(tmp_path, "one.mp4", film(portrait()))
    other = granted(workshop, HOPPER, "Grace Hopper")
    with pytest.raises(ConsentForOtherPicture):
        finish(workshop, workshop.plan_seal(path, made_with=TOOL, consents=[other]))
    live, ended = granted(workshop, path, "Grace Hopper"), granted(workshop, path, "Eileen Collins")
    workshop.withdraw_consent(ended)
    with pytest.raises(ConsentWithdrawn):
        finish(workshop, workshop.plan_seal(path, made_with=TOOL, consents=[live, ended]))


@pytest.mark.parametrize("form", ["docx", "pdf", "html", "md"])
def test_a_face_in_a_document_needs_a_consent_or_a_declaration(workshop: Workshop, tmp_path: Path, form: str) -> None:
    """As in a picture; a plan that says nobody is seen is refused in the worker."""
    path = written(tmp_path, f"a.{form}", with_picture(form, portrait()))
    with pytest.raises(ConsentMissing):
        workshop.plan_seal(path, made_with=TOOL)
    declared = workshop.plan_seal(path, made_with=TOOL, nobody_real=True)
    assert declared.request.inputs[0].likeness == "nobody"
    item = replace(declared.request.inputs[0], likeness="none")
    with pytest.raises(ConsentMissing):
        finish(workshop, replace(declared, request=replace(declared.request, inputs=(item,))))


def test_what_cannot_be_looked_at_is_refused() -> None:
    """A broken archive, a picture that claims too much, more pictures than anybody looks at."""
    whole = with_picture("docx", EMPTY)
    with pytest.raises(NotADocument):
        list(pictures_of("a", whole[:-40]))
    with pytest.raises(NotADocument):
        list(pictures_of("a", b"%PDF-1.7 nothing"))
    many = MARKDOWN + b"data:image/png;base64,AAAA " * 401
    with pytest.raises(NotADocument, match="too many"):
        list(pictures_of("a", many))


# --- what works ------------------------------------------------------------------------------------------------------


def test_films_and_documents_without_faces_go_on(workshop: Workshop, tmp_path: Path) -> None:
    """A film still needs its word, a document none; broken pictures and pages without any are passed over."""
    path = written(tmp_path, "empty.mp4", encoded(4))
    assert workshop.plan_seal(path, made_with=TOOL, nobody_real=True).request.inputs[0].likeness == "nobody"
    for form in ("docx", "pdf", "html"):
        path = written(tmp_path, f"a.{form}", with_picture(form, EMPTY))
        assert workshop.plan_seal(path, made_with=TOOL).request.inputs[0].likeness == "none"
    assert list(pictures_of("a", pdf())) == [] == list(pictures_of("a", docx()))
    assert list(pictures_of("a", b"data:image/png;base64,A! data:image/svg+xml,%3Csvg/%3E")) == [b"<svg/>"]


def test_a_film_of_somebody_who_agreed_is_planned_with_as_many_faces(workshop: Workshop, tmp_path: Path) -> None:
    """Turned films are looked at upright; the plan names how many are seen at once."""
    path = written(tmp_path, "turned.mp4", film(EMPTY, portrait(), turn=1))
    plan = workshop.plan_seal(path, made_with=TOOL, consents=[granted(workshop, path, "Grace Hopper")])
    assert (plan.request.faces_edited, plan.request.inputs[0].likeness) == (1, "face")
    assert plan.request.inputs[0].faces_found == 0
    finish(workshop, plan)


def test_a_document_is_an_asset_that_people_can_agree_to(workshop: Workshop, tmp_path: Path) -> None:
    """A consent for the very file lets the face in it pass, and it is released."""
    path = written(tmp_path, "a.docx", with_picture("docx", portrait()))
    plan = workshop.plan_seal(path, made_with=TOOL, consents=[granted(workshop, path, "Grace Hopper")])
    workshop.release(finish(workshop, plan), tmp_path / "out.docx")
    assert (tmp_path / "out.docx").exists()


def test_most_faces_at_once_are_told_with_their_time() -> None:
    """Not the first that are seen."""
    times = iter(range(9))
    found = {1: 1, 2: 2}

    def look(_pixels: Pixels) -> list[FoundFace]:
        return [FoundFace(number, (0, 0, 9, 9), 3.0, 0.0) for number in range(found.get(next(times), 0))]

    seen = faces_seen("a.mp4", film(EMPTY, EMPTY, EMPTY, EMPTY), look)
    assert [face.time_s for face in seen] == [2.0, 2.0]


def changed(plan: SwapPlan, data: bytes) -> SwapPlan:
    """A plan whose file was exchanged after it was made."""
    item = replace(plan.request.inputs[0], sha256=hashlib.sha256(data).hexdigest())
    request = replace(plan.request, inputs=(item,))
    return replace(plan, request=request, materials=(replace(plan.materials[0], data=data),))


def granted(workshop: Workshop, path: Path, name: str) -> str:
    """A consent of a person for one file."""
    until = date.today() + timedelta(days=9)
    person = workshop.add_subject(name)
    return workshop.record_consent(person.id, path, ["private"], date.today(), until).id
