"""PDF: what could change or cover pages is refused or left out, and damage ends in a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText, Link
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    RectangleObject,
)

from compliance.documents import words_of_document
from compliance.errors import DocumentUnsuitable, LabelTooWeak, NotADocument
from compliance.verify import verify_bytes
from tests.compliance.documents import pdf
from tests.compliance.test_documents import inspect, labelled


def changed(change: Callable[[Any], None], pages: int = 2) -> bytes:
    """A PDF with something changed."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(pages))))
    change(writer)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def content(page: Any, writer: Any, before: bytes, behind: bytes) -> None:
    """Put operators around what a page draws."""
    stream = DecodedStreamObject()
    stream.set_data(before + page.get_contents().get_data() + behind)
    page[NameObject("/Contents")] = writer._add_object(stream)


def with_note(writer: Any) -> None:
    """A note over everything."""
    writer.add_annotation(0, FreeText(text="x", rect=(0, 0, 842, 842), background_color="ffffff"))


def with_layers(writer: Any) -> None:
    """Layers that a viewer may switch."""
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject()


def with_form(writer: Any) -> None:
    """An old form of Adobe's."""
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/XFA"): ArrayObject()})


def with_script(writer: Any) -> None:
    """A script."""
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): NameObject("/x")})
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): action})


def with_page_action(writer: Any) -> None:
    """Something that happens when a page opens."""
    writer.pages[0][NameObject("/AA")] = DictionaryObject()


def with_foreign_packet(writer: Any) -> None:
    """A packet of somebody else's with the field in it."""
    stream = DecodedStreamObject()
    stream.set_data(b"<?xpacket begin='' ?><TC260:AIGC>{}</TC260:AIGC><?xpacket end='w'?>")
    writer.root_object[NameObject("/Metadata")] = writer._add_object(stream.flate_encode())


def encrypted(writer: Any) -> None:
    """A PDF that needs a password."""
    writer.encrypt("secret", algorithm="RC4-128")


@pytest.mark.parametrize(
    "change",
    [with_note, with_layers, with_form, with_script, with_page_action, with_foreign_packet, encrypted],
)
def test_what_viewers_show_differently_is_refused(change: Callable[[Any], None]) -> None:
    """Notes, layers, forms, scripts, actions, a foreign field, a password."""
    with pytest.raises((DocumentUnsuitable, NotADocument)):
        labelled("pdf", changed(change))


def with_opening(writer: Any) -> None:
    """Where the document opens, and which box of the page is shown."""
    writer.root_object[NameObject("/OpenAction")] = ArrayObject([writer.pages[0].indirect_reference])
    writer.root_object[NameObject("/ViewerPreferences")] = DictionaryObject({NameObject("/ViewArea"): NameObject("/x")})


def with_link(writer: Any) -> None:
    """A link to an address."""
    writer.add_annotation(0, Link(rect=(10, 10, 50, 50), url="https://a.example"))


def with_open_ends(writer: Any) -> None:
    """More states are left than were entered, then all is drawn tiny and clipped away, and a text is never closed."""
    for page in writer.pages:
        content(page, writer, b"q ", b" Q Q Q Q 0 0 1 1 re W n 0.001 0 0 0.001 0 0 cm q BT")


def with_crop(writer: Any) -> None:
    """Only a corner of the page is shown."""
    for page in writer.pages:
        page.cropbox = RectangleObject((50, 300, 450, 600))


def with_turned_pages(writer: Any) -> None:
    """Pages that lie on their side."""
    for page in writer.pages:
        page[NameObject("/Rotate")] = NumberObject(270)


def with_unit(writer: Any) -> None:
    """Pages whose unit is ten points."""
    for page in writer.pages:
        page[NameObject("/UserUnit")] = FloatObject(10)


@pytest.mark.parametrize(
    "change",
    [with_opening, with_link, with_open_ends, with_crop, with_turned_pages, with_unit],
)
def test_what_can_be_set_right_is_labelled(change: Callable[[Any], None]) -> None:
    """The label stands in sight whatever the page leaves open, however it is cropped and turned."""
    inspect("pdf", labelled("pdf", changed(change)))


def test_a_note_put_upon_a_labelled_page_is_seen() -> None:
    """The draft is refused, not only the document before it."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(labelled("pdf"))))
    with_note(writer)
    target = io.BytesIO()
    writer.write(target)
    with pytest.raises(LabelTooWeak):
        inspect("pdf", target.getvalue())


def test_names_in_streams_are_no_actions() -> None:
    """Compressed pictures hold any bytes; what looks like an action in them is none."""

    def picture(writer: Any) -> None:
        stream = DecodedStreamObject()
        stream.set_data(b"/JS /AA /OCProperties %%EOF /Subtype /Widget")
        writer.pages[0][NameObject("/PieceInfo")] = writer._add_object(stream)

    inspect("pdf", labelled("pdf", changed(picture)))


def test_a_page_that_is_none_is_told() -> None:
    """A tree of pages whose leaf is something else reads as unreadable and ends no check."""
    data = pdf().replace(b"/Type /Page\n", b"/Type /Pawn\n").replace(b"/MediaBox", b"/MediaFox")
    data = data.replace(b"/Kids [ ", b"/Kids [ 99 0 R ")
    assert verify_bytes("x.pdf", data).verdict in ("unreadable", "unlabelled")


@pytest.mark.parametrize("cut", [40, 300, 900])
def test_a_cut_pdf_ends_in_a_sentence(cut: int) -> None:
    """Damage is told by one of our own errors, or mended."""
    data = pdf()[:-cut]
    try:
        inspect("pdf", labelled("pdf", data))
        words_of_document("x", data)
    except (DocumentUnsuitable, NotADocument, LabelTooWeak):
        pass
