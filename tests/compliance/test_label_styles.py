"""Presets of the label in films and documents: they may add to it, and it is measured as before."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from compliance.decode_video import decode_film
from compliance.documents import read_document, words_of_document
from compliance.draft import prepare
from compliance.errors import LabelTooWeak
from compliance.inspection import verify_draft
from compliance.labels import explicit, written
from compliance.labels.moving import Plates
from compliance.labels.policy import LabelPlan, Prepared
from compliance.labels.styles import POSITIONS, STYLES, LabelStyle
from compliance.media import Document, MediaInfo, SyntheticMedia
from tests.compliance.documents import DOCUMENTS
from tests.compliance.films import RATE, film, frames

PLAN = LabelPlan("0123456789abcdef", "mp4", "signet.local/x", "trainedAlgorithmicMedia", False, "1")


def labelled(plan: LabelPlan, data: bytes = b"") -> bytes:
    """A document as it leaves the worker."""
    form = plan.format
    info = MediaInfo.of_document(origin=plan.origin, engine="x", engine_version="1")
    return prepare(SyntheticMedia(Document(form, data or DOCUMENTS[form]), info), plan)._data  # type: ignore[arg-type]  # a format of documents


def inspect(plan: LabelPlan, data: bytes) -> None:
    """Measure it as the releaser does."""
    verify_draft(data, plan, Prepared(read_document("a", data).payload_sha256, len(data)))


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["txt", "md", "html", "docx"])
def test_what_a_style_adds_is_no_label(form: str) -> None:
    """A document that keeps the added words and lost the notice itself is refused."""
    plan = replace(PLAN, format=form, style="eu")  # type: ignore[arg-type]  # a format of documents
    data = labelled(plan)
    notice, extra = written.words(sample=False).encode(), b"AI GENERATED"
    with pytest.raises(LabelTooWeak):
        inspect(plan, edited(data, notice, extra))


def edited(data: bytes, old: bytes, new: bytes) -> bytes:
    """The same document with other words."""
    if not data.startswith(b"PK"):
        return data.replace(old, new)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            out.writestr(name, source.read(name).replace(old, new))
    return target.getvalue()


@pytest.mark.parametrize("form", sorted(DOCUMENTS))
def test_a_style_that_is_not_known_changes_nothing(form: str) -> None:
    """In every field, byte by byte."""
    plan = replace(PLAN, format=form)  # type: ignore[arg-type]  # a format of documents
    assert labelled(replace(plan, style="none", position="outside", jurisdiction="MOON")) == labelled(plan)


# --- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", sorted(DOCUMENTS))
@pytest.mark.parametrize("style", sorted(STYLES))
def test_documents_are_intact_in_every_style(form: str, style: str) -> None:
    """Measured like the usual ones, which stay the shortest."""
    plan = replace(PLAN, format=form, style=style, sample=True)  # type: ignore[arg-type]  # a format of documents
    data = labelled(plan)
    inspect(plan, data)
    assert labelled(plan) == data


@pytest.mark.parametrize("form", ["txt", "md", "html", "docx"])
def test_european_words_stand_between_notice_and_text(form: str) -> None:
    """Twice, and they say what was done; the notice stays first and last."""
    for origin, word in (("trainedAlgorithmicMedia", "GENERATED"), ("compositeSynthetic", "MODIFIED")):
        plan = replace(PLAN, format=form, origin=origin, jurisdiction="EU")  # type: ignore[arg-type]  # a format, an origin
        inspect(plan, labelled(plan))
        words = words_of_document("a", labelled(plan))
        places = [words.index(f"AI {word}"), words.rindex(f"AI {word}")]
        notice = written.words(sample=False)
        assert words.index(notice) < places[0] < words.index("dusk") < places[1] < words.rindex(notice)
        assert words.count("AI GENERATED") + words.count("AI MODIFIED") == 2


@pytest.mark.parametrize("size", [(400, 70), (70, 400), (150, 150), (1200, 90), (85, 150)])
def test_narrow_pages_take_what_has_room(size: tuple[int, int]) -> None:
    """On a strip of a page the label is as it has to be, whatever a style would add."""
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1)
    canvas.drawString(4, 4, "x")
    canvas.showPage()
    canvas.save()
    for style, position in (("large", "top-left"), ("eu", "auto")):
        plan = replace(PLAN, format="pdf", style=style, position=position)
        inspect(plan, labelled(plan, target.getvalue()))


@pytest.mark.parametrize("style", sorted(STYLES))
def test_narrow_pictures_are_intact_in_every_style(style: str) -> None:
    """The European words give way where they would push the others away from the edge."""
    plan = replace(PLAN, format="png", style=style)
    info = MediaInfo("picture", 130, 230, "sRGB", plan.origin, "x", "1")
    made = prepare(SyntheticMedia(np.full((230, 130, 3), 255, np.uint8), info), plan)
    verify_draft(made._data, plan, Prepared(made.payload_sha256, made.size))


def test_larger_letters_in_word_and_on_pages() -> None:
    """Half as large again; a position that is asked for is taken on a page."""
    with zipfile.ZipFile(io.BytesIO(labelled(replace(PLAN, format="docx", style="large")))) as archive:
        assert archive.read("word/document.xml").count(b'w:sz w:val="36"') == 2
    usual, large, placed = (
        explicit.measure(written.first_and_last_page(labelled(replace(PLAN, format="pdf", **more)))[0])
        for more in ({}, {"style": "large"}, {"position": "top-left"})
    )
    assert large.ink_share > 1.4 * usual.ink_share
    assert placed.box[0] < 200 > placed.box[1] and usual.box[1] > 200


# --- films -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "position"), [("large", "top-left"), ("eu", "auto"), ("light", "bottom-left"), ("dark", "auto")]
)
def test_films_are_intact_in_every_style(style: str, position: str) -> None:
    """The corner label looks as was asked for, on the first and on the last frame, and the title stands as well."""
    plan = replace(PLAN, style=style, position=position)
    made = prepare(film(256, 208), plan)
    verify_draft(made._data, plan, Prepared(made.payload_sha256, made.size))
    last = [shot.pixels() for shot in decode_film("a", made._data)][-1]
    seen = explicit.measure(last)
    left, top, width, height = seen.box
    ground = float(np.median(last[top - 2 : top + height + 2, left - 2 : left + width + 2]))
    assert not explicit.reasons(seen)
    if style in ("light", "dark"):
        assert (ground > 128) == (style == "light")
    if style == "large":
        assert seen.ink_share > 0.09
    if position != "auto":
        assert (top < 104, left < 60) == (position.startswith("top"), position.endswith("left"))


def test_plate_and_place_stay_where_what_a_style_adds_has_no_room() -> None:
    """In a small frame the size gives way, and the choice of the plate and the place does not."""
    first = next(frames(176, 144))
    plates = Plates.of(first, RATE, sample=True, style=LabelStyle("dark", 2.0, True, "top-left"))
    plain = Plates.of(first, RATE, sample=True, style=LabelStyle("dark", 1.0, False, "top-left"))
    assert plates.corner.box == plain.corner.box
    assert np.array_equal(plates.corner.levels, plain.corner.levels)
    assert {"auto", "top-left"} <= set(POSITIONS)
