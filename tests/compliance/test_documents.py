"""Documents: what could hide their notice is refused, and what is labelled reads as labelled."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from compliance.documents import read_document
from compliance.draft import prepare
from compliance.errors import DocumentUnsuitable, FormatUnsupported, LabelTooWeak, NotADocument
from compliance.inspection import verify_draft
from compliance.labels import aigc, written
from compliance.labels.policy import LabelPlan, Prepared
from compliance.media import Document, MediaInfo, SyntheticMedia
from compliance.verify import verify_bytes
from tests.compliance.documents import DOCUMENTS, HTML, MARKDOWN, TEXT, docx, pdf

ID = "0123456789abcdef"


def plan_for(form: str, *, sample: bool = False) -> LabelPlan:
    """A plan for a format."""
    return LabelPlan(ID, form, "signet.local/abc", "trainedAlgorithmicMedia", sample, "0.1")  # type: ignore[arg-type]  # a format


def sealed(form: str, data: bytes) -> SyntheticMedia:
    """A document as an engine returns it."""
    info = MediaInfo.of_document(origin="trainedAlgorithmicMedia", engine="test", engine_version="1")
    return SyntheticMedia(Document(form, data), info)  # type: ignore[arg-type]  # a format


def labelled(form: str, data: bytes | None = None, *, sample: bool = False) -> bytes:
    """The draft of a document."""
    return prepare(sealed(form, DOCUMENTS[form] if data is None else data), plan_for(form, sample=sample))._data


def inspect(form: str, data: bytes, *, sample: bool = False) -> None:
    """Look at bytes as a release does."""
    prepared = Prepared(read_document("x", data).payload_sha256, len(data))
    verify_draft(data, plan_for(form, sample=sample), prepared)


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("html", HTML.replace(b"<h1>", b"<script>1</script><h1>")),
        ("html", HTML.replace(b"<h1>", b'<h1 onclick="x()">')),
        ("html", HTML.replace(b"<h1>", b'<iframe src="x"></iframe><h1>')),
        ("html", HTML.replace(b"margin: 0", b"display: none")),
        ("html", HTML.replace(b"margin: 0", b"margin-top: -90px")),
        ("html", HTML.replace(b"body {", b"* { opacity: 0 } body {")),
        ("html", HTML.replace(b"body {", b"@media print { [data-aigc-notice] { display: none } } body {")),
        ("html", HTML.replace(b"<body", b'<body style="overflow:hidden"')),
        ("html", HTML.replace(b"<title>", b'<link rel="stylesheet" href="x.css"><title>')),
        ("html", HTML.replace(b"<title>", b'<meta http-equiv="refresh" content="0;url=x"><title>')),
        ("html", HTML.replace(b"At dusk.", b"<div hidden>At dusk.")),
        ("html", b"<html>no body at all</html>"),
        ("html", HTML.replace(b"<title>", b'<meta name="AIGC" content="{}"><title>')),
        ("md", MARKDOWN + b"\n```\n<!-- open"),
        ("md", MARKDOWN + b"\n```\n<style>p{display:none}</style>"),
        ("md", b"---\nAIGC: '{}'\n---\ntext"),
        ("txt", "abc \u202e def".encode()),
        ("docx", docx(**{"word/vbaProject.bin": "x"})),
        ("docx", docx(**{"docProps/custom.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'})),
        ("pdf", pdf().replace(b"/Type /Catalog", b"/XFA 1 0 R /Type /Catalog")),
        ("txt", DOCUMENTS["pdf"]),
    ],
)
def test_what_could_hide_the_notice_is_refused(form: str, data: bytes) -> None:
    """Nothing is labelled that could show itself without its label, or that carries another maker's field."""
    with pytest.raises((DocumentUnsuitable, NotADocument, LabelTooWeak)):
        inspect(form, labelled(form, data))


@pytest.mark.parametrize("form", list(DOCUMENTS))
def test_every_layer_is_read_back(form: str) -> None:
    """The notice stands first and last; one AIGC field and one source type are found by our own readers."""
    data = labelled(form)
    inspect(form, data)
    container = read_document("x", data)
    found = written.measure(data, container)
    assert (found.first, found.last, found.sample) == (True, True, False)
    assert aigc.read_aigc(container).fields[0]["ProduceID"] == ID
    assert aigc.read_iptc(container).state == "intact"


@pytest.mark.parametrize("form", list(DOCUMENTS))
def test_the_same_document_gives_the_same_bytes(form: str) -> None:
    """No date and no random number goes in."""
    assert labelled(form) == labelled(form)


@pytest.mark.parametrize("form", list(DOCUMENTS))
def test_a_sample_says_so(form: str) -> None:
    """A demo's document says SAMPLE, and one that does not is refused there."""
    inspect(form, labelled(form, sample=True), sample=True)
    with pytest.raises(LabelTooWeak):
        inspect(form, labelled(form), sample=True)


@pytest.mark.parametrize("form", list(DOCUMENTS))
def test_unlabelled_documents_read_as_unlabelled(form: str) -> None:
    """Nothing found is said as such, never as authentic."""
    assert verify_bytes(f"a.{form}", DOCUMENTS[form]).verdict == "unlabelled"


@pytest.mark.parametrize("form", ["txt", "md", "html"])
@pytest.mark.parametrize("which", [0, -1])
def test_a_notice_taken_out_is_seen(form: str, which: int) -> None:
    """With the first or the last notice gone the explicit layer is damaged, and no draft of that kind passes."""
    text = labelled(form).decode()
    places = [match.span() for match in re.finditer(re.escape(written.words(sample=False)), text)]
    start, end = places[which]
    changed = (text[:start] + "x" + text[end:]).encode()
    with pytest.raises(LabelTooWeak):
        inspect(form, changed)
    assert verify_bytes("a", changed).layers["explicit"].state == "damaged"


def _edited(data: bytes, old: str, new: str, count: int = -1) -> bytes:
    """A Word document with its text part edited."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(target, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "word/document.xml":
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode(), count)
            copy.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<w:vanish w:val="0"/>', "<w:vanish/>"),
        ('<w:vanish w:val="0"/>', ""),
        ('<w:sz w:val="24"/>', '<w:sz w:val="2"/>'),
        ('<w:color w:val="000000"/>', '<w:color w:val="FFFFFF"/>'),
        ('w:fill="FFFFFF"', 'w:fill="000000"'),
        ("AI生成", "AI"),
    ],
)
def test_a_notice_that_word_would_hide_is_seen(old: str, new: str) -> None:
    """Hidden, tiny, white on white or shortened: the draft is refused."""
    with pytest.raises(LabelTooWeak):
        inspect("docx", _edited(labelled("docx"), old, new, 1))


def test_a_pdf_that_grew_a_version_is_seen() -> None:
    """A later version appended to a labelled PDF is told."""
    changed = labelled("pdf") + b"\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
    assert verify_bytes("a.pdf", changed).layers["explicit"].state != "intact"


def test_a_page_painted_over_is_seen() -> None:
    """A white sheet over the label of the last page leaves nothing to measure."""
    from pypdf import PdfReader, PdfWriter
    from reportlab.pdfgen.canvas import Canvas

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(labelled("pdf"))))
    sheet = io.BytesIO()
    canvas = Canvas(sheet, pagesize=(842, 842))
    canvas.setFillGray(1)
    canvas.rect(0, 0, 842, 842, fill=1)
    canvas.showPage()
    canvas.save()
    writer.pages[-1].merge_page(PdfReader(io.BytesIO(sheet.getvalue())).pages[0])
    target = io.BytesIO()
    writer.write(target)
    with pytest.raises(LabelTooWeak):
        inspect("pdf", target.getvalue())


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"PK\x03\x04 nothing", b"%PDF-1.7 nothing", b"   \n"])
def test_broken_documents_are_told(data: bytes) -> None:
    """Half a file is no document, and verify says unreadable rather than guess."""
    with pytest.raises(NotADocument):
        read_document("x", data)
    assert verify_bytes("x", data).verdict == "unreadable"


def test_no_format_turns_into_another() -> None:
    """A text leaves as text: what was read is what is labelled."""
    with pytest.raises(FormatUnsupported):
        prepare(sealed("txt", TEXT), plan_for("md"))
