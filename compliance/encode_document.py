"""Puts the notice and the metadata into text documents; used by the draft alone.

The words stand first and last; the AIGC field, the IPTC source type and the system stand where TC260-PG-20258A puts
them (DOCX: custom properties; PDF: information dictionary and XMP), in HTML as meta elements, in Markdown as front
matter. Plain text has no place for metadata: there they are lines before the last one. The credential stands beside.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from dataclasses import dataclass
from typing import Any, Final

from compliance.documents import LARGEST_BYTES, DocumentFormat, read_document
from compliance.documents_parts import (
    FIELD,
    NOTICE_ATTRIBUTE,
    NOTICE_STYLE,
    NOTICE_UNDRAWN,
    SOURCE,
    SYSTEM,
    SYSTEM_VERSION,
)
from compliance.documents_word import FONTS, OFF
from compliance.errors import DocumentUnsuitable, LabelPartMissing, NotADocument
from compliance.labels import explicit, written
from compliance.labels.policy import SoundTags
from compliance.labels.styles import STANDARD, LabelStyle
from compliance.media import Document, Pixels

_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_CUSTOM: Final = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VT: Final = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_FMTID: Final = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_RELATIONSHIP: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_HALF_POINTS: Final = 24
_CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.custom-properties+xml"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a document is told to say. extra: words of a style between the notice and the text, "" for none.

    style: of the label on the pages of a PDF; its scale counts for the letters of a Word document too.
    """

    words: str
    extra: str
    sample: bool
    style: LabelStyle
    is_modified: bool

    @classmethod
    def of(cls, sample: bool, style: LabelStyle, is_modified: bool) -> Notice:
        """The words that have to stand there and what a style adds to them."""
        extra = f"{explicit.ICON} {explicit.MODIFIED if is_modified else explicit.GENERATED}" if style.icon else ""
        return cls(written.words(sample=sample), extra, sample, style, is_modified)

    @property
    def opening(self) -> list[str]:
        """The lines at the start."""
        return [self.words, self.extra] if self.extra else [self.words]

    @property
    def closing(self) -> list[str]:
        """The lines at the end."""
        return self.opening[::-1]


def encode_document(
    document: Document, tags: SoundTags, *, sample: bool, style: LabelStyle = STANDARD, is_modified: bool = False
) -> bytes:
    """The labelled document, in the format it came in. The same input gives the same bytes.

    style: may add the European words, and size, plate and place where there are pages or letters to draw.
    Raises DocumentUnsuitable where something in it could hide the notice or it carries an AIGC field of somebody else,
    NotADocument for a broken one, LabelPartMissing without the library of its format.
    """
    container = read_document("the document", document.data)
    # Markdown without front matter cannot be told from plain text.
    if container.format != document.format and (container.format, document.format) != ("txt", "md"):
        raise DocumentUnsuitable(reason="its content is of another format than its name says")
    if container.text_aigc:
        raise DocumentUnsuitable(reason="it carries the AIGC field of another maker, and a file has exactly one")
    fields = {FIELD: tags.aigc, SOURCE: tags.source_type, SYSTEM: tags.system, SYSTEM_VERSION: tags.version}
    # Every document that has no notice of ours yet is told to lack it; pages of a PDF are written anew before the look.
    faults = [reason for reason in container.hidden if reason != NOTICE_UNDRAWN]
    if faults and document.format != "pdf":
        raise DocumentUnsuitable(reason="; ".join(faults[:5]))
    labelled: bytes = _ENCODERS[document.format](document.data, fields, tags, Notice.of(sample, style, is_modified))
    try:
        faults = list(read_document("the document", labelled).hidden)
    except NotADocument as error:
        raise DocumentUnsuitable(reason=str(error.data["reason"])) from error
    if faults:
        raise DocumentUnsuitable(reason="; ".join(faults[:5]))
    if len(labelled) > LARGEST_BYTES:
        raise DocumentUnsuitable(reason="it is larger than 64 MiB")
    return labelled


def _decoded(data: bytes) -> str:
    for mark, coding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(coding)
    return data.decode("utf-8-sig")


def _as_text(data: bytes, fields: dict[str, str], tags: SoundTags, notice: Notice) -> bytes:
    text = _decoded(data)
    end = "\r\n" if "\r\n" in text else "\n"
    metadata = end.join(f"{key}: {value}" for key, value in fields.items())
    opening, closing = end.join(notice.opening), end.join(notice.closing)
    return f"{opening}{end}{end}{text.strip(chr(10) + chr(13))}{end}{end}{metadata}{end}{closing}{end}".encode()


def _as_markdown(data: bytes, fields: dict[str, str], tags: SoundTags, notice: Notice) -> bytes:
    text = _decoded(data)
    lines = text.splitlines()
    head: list[str] = []
    if lines and lines[0].rstrip() == "---":
        close = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), 0)
        if close:
            head, lines = lines[1:close], lines[close + 1 :]
    quoted = [f"{key}: '{value}'" for key, value in fields.items()]
    opening, closing = ("\n\n".join(f"**{one}**" for one in said) for said in (notice.opening, notice.closing))
    body = "\n".join(lines).strip("\n")
    if _is_fence_open(lines):
        body += "\n" + _is_fence_open(lines)
    # A line of dashes between them keeps an open block quote or list from taking the last notice in.
    return "\n".join(["---", *head, *quoted, "---", "", opening, "", body, "", "---", "", closing, ""]).encode()


def _is_fence_open(lines: list[str]) -> str:
    """The marks of a fence of code that has no end; "" without one."""
    mark = ""
    for line in lines:
        found = re.match(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})", line)
        if not mark:
            mark = found[1] if found else ""
        elif found and found[1].startswith(mark) and not line.strip(" `~"):
            mark = ""
    return mark


def _as_html(data: bytes, fields: dict[str, str], tags: SoundTags, notice: Notice) -> bytes:
    text = _decoded(data)
    body = re.search(r"<body\b[^>]*>", text, re.IGNORECASE)
    ends = list(re.finditer(r"</body\s*>", text, re.IGNORECASE))
    head = re.search(r"<head\b[^>]*>", text, re.IGNORECASE)
    if body is None or not ends or head is None or head.start() > body.start() or ends[-1].start() < body.end():
        raise DocumentUnsuitable(reason="it has no head and body elements")
    opening, closing = (
        "".join(f'<p {NOTICE_ATTRIBUTE}="1" style="{NOTICE_STYLE}">{_html_text(one)}</p>' for one in said)
        for said in (notice.opening, notice.closing)
    )
    metas = "".join(f'<meta name="{key}" content="{_attribute(value)}">\n' for key, value in fields.items())
    charset = '<meta charset="utf-8">\n'
    without = re.sub(r"<meta[^>]*charset[^>]*>", "", text[head.end() : body.start()], flags=re.IGNORECASE)
    # The mark at the start outranks every other word about the coding.
    return (
        "\ufeff"
        + text[: head.end()]
        + "\n"
        + charset
        + metas
        + without
        + body.group()
        + "\n"
        + opening
        + text[body.end() : ends[-1].start()]
        + closing
        + "\n"
        + text[ends[-1].start() :]
    ).encode()


def _html_text(text: str) -> str:
    """Text as it stands between tags."""
    return html.escape(text, quote=False)


def _attribute(value: str) -> str:
    return _html_text(value).replace('"', "&quot;")


# --- Word ------------------------------------------------------------------------------------------------------------


def _xml_library() -> Any:
    try:
        from lxml import etree
    except Exception as error:  # a broken native part raises whatever the loader raises
        raise LabelPartMissing(part="lxml") from error
    return etree


def _as_docx(data: bytes, fields: dict[str, str], tags: SoundTags, notice: Notice) -> bytes:
    etree = _xml_library()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)

    def parsed(content: bytes) -> Any:
        try:
            return etree.fromstring(content, parser)
        except etree.XMLSyntaxError as error:
            raise DocumentUnsuitable(reason="a part of it cannot be read") from error

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    if not {"word/document.xml", "_rels/.rels", "[Content_Types].xml"} <= set(parts):
        raise DocumentUnsuitable(reason="a part of it cannot be read")
    document = parsed(parts["word/document.xml"])
    body = document.find(f"{{{_W}}}body")
    for index, line in enumerate(notice.opening):
        body.insert(index, _paragraph(etree, line, notice.style.scale))
    pages = [child for child in body if child.tag == f"{{{_W}}}sectPr"]
    place = body.index(pages[-1]) if pages else len(body)
    for index, line in enumerate(notice.closing):
        body.insert(place + index, _paragraph(etree, line, notice.style.scale))
    parts["word/document.xml"] = _serialised(etree, document)
    _put_properties(etree, parsed, parts, fields)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        # The content types come first, and every entry has one date: the same input gives the same bytes.
        for name in sorted(parts, key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, parts[name])
    return target.getvalue()


def _serialised(etree: Any, tree: Any) -> bytes:
    return bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True))


def _paragraph(etree: Any, line: str, scale: float) -> Any:
    """A line of the notice in a paragraph that says everything about its look itself, so that no style can hide it."""
    half_points = round(_HALF_POINTS * scale)
    off = {name: f'<w:{name} w:val="0"/>' for name in OFF}
    fonts = " ".join(f'w:{key}="{value}"' for key, value in FONTS.items())
    said = {
        "rFonts": f"<w:rFonts {fonts}/>",
        "color": '<w:color w:val="000000"/>',
        "w": '<w:w w:val="100"/>',
        "sz": f'<w:sz w:val="{half_points}"/>',
        "szCs": f'<w:szCs w:val="{half_points}"/>',
        "shd": '<w:shd w:val="clear" w:color="auto" w:fill="FFFFFF"/>',
        **off,
    }
    look = "".join(said[name] for name in _ORDER)
    return etree.fromstring(
        f'<w:p xmlns:w="{_W}"><w:pPr><w:spacing w:before="0" w:after="120" w:line="240" w:lineRule="auto"/>'
        f'<w:ind w:left="0" w:right="0" w:firstLine="0"/><w:jc w:val="left"/></w:pPr><w:r><w:rPr>{look}</w:rPr>'
        f"<w:t>{_html_text(line)}</w:t></w:r></w:p>"
    )


# Word takes the properties of a run in this order alone (ECMA-376 Part 1, 17.3.2).
_ORDER: Final = [
    "rFonts",
    "caps",
    "smallCaps",
    "strike",
    "dstrike",
    "outline",
    "shadow",
    "emboss",
    "imprint",
    "snapToGrid",
    "vanish",
    "webHidden",
    "color",
    "spacing",
    "w",
    "position",
    "sz",
    "szCs",
    "shd",
    "specVanish",
]


def _put_properties(etree: Any, parsed: Any, parts: dict[str, bytes], fields: dict[str, str]) -> None:
    name = "docProps/custom.xml"
    tree = parsed(parts[name]) if name in parts else etree.Element(f"{{{_CUSTOM}}}Properties", nsmap={None: _CUSTOM})
    numbers = [int(entry.get("pid", "1")) for entry in tree if entry.get("pid", "1").isdigit()]
    for number, (key, value) in enumerate(fields.items(), max([1, *numbers]) + 1):
        entry = etree.SubElement(tree, f"{{{_CUSTOM}}}property", fmtid=_FMTID, pid=str(number), name=key)
        etree.SubElement(entry, f"{{{_VT}}}lpwstr", nsmap={"vt": _VT}).text = value
    parts[name] = _serialised(etree, tree)
    types = parsed(parts["[Content_Types].xml"])
    space = types.tag.partition("}")[0] + "}"
    if not any(entry.get("PartName") == f"/{name}" for entry in types):
        etree.SubElement(types, f"{space}Override", PartName=f"/{name}", ContentType=_CONTENT_TYPE)
        parts["[Content_Types].xml"] = _serialised(etree, types)
    relations = parsed(parts["_rels/.rels"])
    space = relations.tag.partition("}")[0] + "}"
    if not any(entry.get("Type") == _RELATIONSHIP for entry in relations):
        known = {entry.get("Id") for entry in relations}
        ident = next(f"rId{number}" for number in range(1, len(known) + 2) if f"rId{number}" not in known)
        etree.SubElement(relations, f"{space}Relationship", Id=ident, Type=_RELATIONSHIP, Target=name)
        parts["_rels/.rels"] = _serialised(etree, relations)


# --- PDF -------------------------------------------------------------------------------------------------------------


def _as_pdf(data: bytes, fields: dict[str, str], tags: SoundTags, notice: Notice) -> bytes:
    try:
        from pypdf import PdfReader, PdfWriter
    except Exception as error:  # a broken installation raises whatever the loader raises
        raise LabelPartMissing(part="pypdf") from error
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentUnsuitable(reason="it cannot be read, or is encrypted")
        packet = reader.root_object.get("/Metadata")
        if packet is not None and b"AIGC" in packet.get_object().get_data():
            raise DocumentUnsuitable(reason="it carries the AIGC field of another maker, and a file has exactly one")
        writer = PdfWriter(clone_from=reader)
        # How a viewer opens it is no part of what it shows; pages alone are shown.
        for name in ("/OpenAction", "/AA", "/ViewerPreferences", "/Collection", "/NeedsRendering"):
            writer.root_object.pop(name, None)
        for index in {0, len(writer.pages) - 1}:
            writer.pages[index].transfer_rotation_to_content()
        upright = io.BytesIO()
        writer.write(upright)
        shown = written.first_and_last_page(upright.getvalue())
        for index, pixels in {0: shown[0], len(writer.pages) - 1: shown[1]}.items():
            page = writer.pages[index]
            plate = _plate(page, pixels, notice)
            _enclose(writer, page)
            page.merge_page(plate, over=True)
        # The source type stands in the packet of XMP; once is enough.
        writer.add_metadata({f"/{key}": value for key, value in fields.items() if key != SOURCE})
        writer.xmp_metadata = tags.xmp
        _name_packet(writer)
        target = io.BytesIO()
        writer.write(target)
        return target.getvalue()
    except DocumentUnsuitable:
        raise
    except Exception as error:  # the library meets damage with whatever its parts raise
        raise DocumentUnsuitable(reason="its pages cannot be written anew") from error


def _enclose(writer: Any, page: Any) -> None:
    """Put what a page draws into a form of its own, so that nothing it leaves open reaches the label behind it.

    A tagged page names its pieces by their place in its stream; where everything it opens is closed, it stays as it is.
    """
    from pypdf.generic import ContentStream, DecodedStreamObject, DictionaryObject, NameObject

    content = page.get_contents()
    if content is None or ("/StructParents" in page and _is_closed(ContentStream(content, writer))):
        return
    drawn, call = DecodedStreamObject(), DecodedStreamObject()
    drawn.set_data(content.get_data())
    form = drawn.flate_encode()
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): page.mediabox,
            NameObject("/Resources"): page.get("/Resources", DictionaryObject()),
        }
    )
    call.set_data(b"q /SignetPage Do Q")
    place = DictionaryObject({NameObject("/SignetPage"): writer._add_object(form)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): place})
    page[NameObject("/Contents")] = writer._add_object(call)


def _is_closed(content: Any) -> bool:
    """Whether everything that a stream opens is closed in it, and nothing else."""
    pairs = {b"Q": b"q", b"ET": b"BT", b"EMC": b"BMC", b"EX": b"BX"}
    depth = dict.fromkeys(pairs.values(), 0)
    for _, operator in content.operations:
        opening = b"BMC" if operator == b"BDC" else operator
        if opening in depth:
            depth[opening] += 1
        elif operator in pairs:
            depth[pairs[operator]] -= 1
        if min(depth.values()) < 0:
            return False
    return not any(depth.values())


def _name_packet(writer: Any) -> None:
    """The stream of XMP says what it is; readers skip one that does not (ISO 32000-2, 14.3.2)."""
    from pypdf.generic import NameObject

    packet = writer.root_object["/Metadata"].get_object()
    packet[NameObject("/Type")] = NameObject("/Metadata")
    packet[NameObject("/Subtype")] = NameObject("/XML")


def _plate(page: Any, pixels: Pixels, notice: Notice) -> Any:
    """A page with nothing but the label on it, where the label fits best upon what the page shows."""
    from PIL import Image
    from pypdf import PdfReader
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    labelled, drawn = explicit.draw_fitting(
        pixels, sample=notice.sample, style=notice.style, is_modified=notice.is_modified
    )
    left, top, width, height = drawn.box
    patch = Image.fromarray(labelled[top : top + height, left : left + width])
    box = page.cropbox
    across, down = float(box.width) / pixels.shape[1], float(box.height) / pixels.shape[0]
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(float(box.right), float(box.top)), invariant=1)
    x = float(box.left) + left * across
    y = float(box.bottom) + (pixels.shape[0] - top - height) * down
    canvas.drawImage(ImageReader(patch), x, y, width * across, height * down)
    canvas.showPage()
    canvas.save()
    return PdfReader(io.BytesIO(target.getvalue())).pages[0]


_ENCODERS: Final[dict[DocumentFormat, Any]] = {
    "txt": _as_text,
    "md": _as_markdown,
    "html": _as_html,
    "docx": _as_docx,
    "pdf": _as_pdf,
}
