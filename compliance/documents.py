"""Our own reader of text documents: plain text, Markdown, HTML, Word (DOCX) and PDF.

It shares no code with compliance.encode_document, so what it finds after a release is evidence. It reads what a reader
sees first and last, and whether anything in the document could hide that. Sources: TC260-PG-20258A (place of the AIGC
field in documents), ECMA-376 Parts 1 and 2, WHATWG HTML, CommonMark 0.31 (HTML blocks), ISO 32000-2.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final, Literal

from compliance.errors import NotADocument

DocumentFormat = Literal["txt", "md", "html", "docx", "pdf"]
# As the credential names them.
MIME: Final[dict[DocumentFormat, str]] = {
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    # The C2PA library would take these two apart; beside them, it has to bind their bytes as they are.
    "docx": "application/octet-stream",
    "pdf": "application/octet-stream",
}
LARGEST_BYTES: Final = 64 << 20
FIELD, SOURCE, SYSTEM, SYSTEM_VERSION = "AIGC", "DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"
NOTICE_UNDRAWN: Final = "a notice is not drawn as it has to be"
NOTICE_ATTRIBUTE: Final = "data-aigc-notice"
NOTICE_STYLE: Final = (
    "all:initial!important;display:block!important;visibility:visible!important;opacity:1!important;"
    "position:relative!important;z-index:2147483647!important;font:16px/1.5 sans-serif!important;color:#000!important;"
    "background:#fff!important;border:1px solid #000!important;padding:8px!important"
)
"""The style of a notice in HTML: nothing that a style sheet says about it counts."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PROPERTIES = "{http://schemas.openxmlformats.org/officeDocument/2006/custom-properties}"
_VARIANT = "{http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes}"
_LARGEST_PART_BYTES = 128 << 20
# Points; half of what a body text has would be hard to read.
_SMALLEST_PT = 9


@dataclass(frozen=True, slots=True)
class DocumentContainer:
    """What one document carries.

    first, last: what a reader sees first and last, "" in PDF, whose pages are looked at as pictures. hidden: why a
    notice in it might not be seen. text_aigc: every AIGC value; source_types: every DigitalSourceType value; xmp: of
    PDF. payload_sha256: digest of the whole file, since its credential stands beside it. damage: what salvage had to
    overlook.
    """

    format: DocumentFormat
    mime: str
    payload_sha256: str
    first: str = ""
    last: str = ""
    text_aigc: tuple[bytes, ...] = ()
    source_types: tuple[bytes, ...] = ()
    xmp: tuple[bytes, ...] = ()
    hidden: tuple[str, ...] = ()
    has_manifest: bool = False
    trailing_bytes: int = 0
    damage: tuple[str, ...] = ()


@dataclass
class _Found:
    first: str = ""
    last: str = ""
    aigc: list[bytes] = field(default_factory=list)
    sources: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


class _Broken(Exception):
    """The bytes break the format; args[0] is the reason."""


def format_of_document(data: bytes) -> DocumentFormat | None:
    """Which of the five a file is, by its bytes; None when none. Text with front matter counts as Markdown."""
    if data.startswith(b"%PDF-"):
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return "docx" if b"word/" in data else None
    text = _text(data)
    if text is None:
        return None
    if re.match(r"\s*(<!--.*?-->\s*)*(<!doctype html|<html[\s>])", text[:65536], re.IGNORECASE | re.DOTALL):
        return "html"
    return "md" if _front_matter(text) is not None else "txt"


def is_document(data: bytes) -> bool:
    """Whether the bytes are those of a document read here."""
    return format_of_document(data) is not None


def read_document(name: str, data: bytes, *, salvage: bool = False) -> DocumentContainer:
    """Take a document apart; with salvage, a broken one is told by its damage.

    name is only for the message. Raises NotADocument for anything else, for documents of over 64 MiB, and without
    salvage for broken ones.
    """
    form = format_of_document(data)
    if form is None:
        raise NotADocument(path=name, reason="no document format" if data else "empty file")
    if len(data) > LARGEST_BYTES:
        raise NotADocument(path=name, reason="larger than 64 MiB")
    damage: tuple[str, ...] = ()
    found = _Found()
    try:
        _READERS[form](data, found)
    except _Broken as error:
        if not salvage:
            raise NotADocument(path=name, reason=error.args[0]) from error
        damage = (str(error.args[0]),)
    return DocumentContainer(
        format=form,
        mime=MIME[form],
        payload_sha256=hashlib.sha256(form.encode() + b"\0" + data).hexdigest(),
        first=found.first,
        last=found.last,
        text_aigc=tuple(found.aigc),
        source_types=tuple(found.sources),
        xmp=tuple(found.xmp),
        hidden=tuple(dict.fromkeys(found.hidden)),
        damage=damage,
    )


# --- plain text and Markdown -----------------------------------------------------------------------------------------


def _text(data: bytes) -> str | None:
    """UTF-8 text, or UTF-16 with its mark; None for anything with control characters."""
    for mark, coding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                text = data.decode(coding)
            except UnicodeDecodeError:
                return None
            return None if not text.strip() or re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text) else text
    return None


def _front_matter(text: str) -> tuple[list[str], list[str]] | None:
    """The lines between the two fences at the start of a Markdown file and the lines after them; None without."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "---":
        return None
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return lines[1:index], lines[index + 1 :]
    return None


def _keyed(line: str, key: str) -> str | None:
    """The value of a line `key: value`, without the quotes of YAML."""
    name, colon, value = line.partition(":")
    if not colon or name.strip() != key:
        return None
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == "'":
        value = value[1:-1].replace("''", "'")
    return value


def _take_keys(lines: list[str], found: _Found) -> None:
    for line in lines:
        for key, into in ((FIELD, found.aigc), (SOURCE, found.sources)):
            value = _keyed(line, key)
            if value is not None:
                into.append(value.encode())


def _read_text(data: bytes, found: _Found) -> None:
    text = _text(data)
    assert text is not None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found.first, found.last = lines[0], lines[-1]
    _take_keys(lines, found)
    if any(mark in text for mark in "\u202e\u202d\u2066\u2067\u2068\x1b"):
        found.hidden.append("marks of direction can turn its words around")


# What keeps a viewer of Markdown from showing what follows.
_SWALLOWING = re.compile(r"<(style|script|template|textarea|title|noscript|select|svg|math|iframe)\b|\bhidden\b", re.I)


def _read_markdown(data: bytes, found: _Found) -> None:
    text = _text(data)
    assert text is not None
    parts = _front_matter(text)
    assert parts is not None
    head, body = parts
    _take_keys(head, found)
    lines = [line.strip() for line in body if line.strip()]
    if lines:
        found.first, found.last = (line.strip("*_ ") for line in (lines[0], lines[-1]))
    joined = "\n".join(body)
    if joined.rfind("<!--") > joined.rfind("-->"):
        found.hidden.append("a comment is not closed")
    if any(_SWALLOWING.search(tag) for tag in re.findall(r"<[a-zA-Z][^<>]*", joined)):
        found.hidden.append("raw HTML in it can hide text")


# --- HTML ------------------------------------------------------------------------------------------------------------

# These end an open paragraph by themselves (WHATWG HTML 13.1.2.4).
_CLOSING_P = re.compile(
    r"address|article|aside|blockquote|details|dialog|div|dl|fieldset|figure|footer|form|h[1-6]|header|hr|main|nav|ol|p|"
    r"pre|section|table|ul"
)
_ACTIVE = frozenset({"script", "iframe", "frame", "frameset", "object", "embed", "applet", "base", "noscript"})
_UNSEEN = frozenset({"style", "script", "template", "title", "noscript", "head"})
_HIDING = re.compile(
    r"(?:^|[;{\s])(display|visibility|opacity|clip(?:-path)?|mask[\w-]*|overflow[\w-]*|max-height|transform|filter|"
    r"position|content-visibility|zoom|scale|translate|rotate|contain|perspective|inset[\w-]*|top|left|right|bottom)\s*:",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\*|\bhtml\b|\bbody\b|:root|data-aigc|:not|:has|:is|:where", re.IGNORECASE)


class _Page(HTMLParser):
    """Walks a page in document order and notes its visible text and what could hide some of it."""

    def __init__(self, found: _Found) -> None:
        super().__init__(convert_charrefs=True)
        self._found = found
        self._in_body = False
        self._path: list[str] = []
        self._notice: int | None = None
        self.texts: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        hidden = self._found.hidden
        if tag in _ACTIVE or any(name.startswith("on") for name in values):
            hidden.append("scripts or embedded pages can change what is shown")
        if any(value.strip().lower().startswith("javascript:") for value in values.values()):
            hidden.append("scripts or embedded pages can change what is shown")
        if tag == "link" and "stylesheet" in values.get("rel", "").lower():
            hidden.append("a style sheet elsewhere can change what is shown")
        if tag == "meta":
            self._meta(values)
        if tag == "body":
            self._in_body = True
        if tag in ("html", "body") and (
            "hidden" in values or _HIDING.search(values.get("style", "")) or "-" in _margins(values.get("style", ""))
        ):
            hidden.append("a style can hide the whole page")
        if _CLOSING_P.fullmatch(tag) and "p" in self._path:
            self.handle_endtag("p")
        if tag not in _VOID:
            self._path.append(tag)
        if self._notice is None and values.get(NOTICE_ATTRIBUTE) == "1":
            if values.get("style") == NOTICE_STYLE and tag == "p" and self._path[:-1] == ["html", "body"]:
                self._notice = len(self._path)
            else:
                hidden.append(NOTICE_UNDRAWN)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def _meta(self, values: dict[str, str]) -> None:
        name, content = values.get("name", ""), values.get("content", "")
        if name == FIELD:
            self._found.aigc.append(content.encode())
        elif name == SOURCE:
            self._found.sources.append(content.encode())
        if values.get("http-equiv", "").lower() in ("refresh", "content-security-policy"):
            self._found.hidden.append("the page can replace itself")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._path:
            while self._path and self._path.pop() != tag:
                pass
        if self._notice is not None and len(self._path) < self._notice:
            self._notice = None

    def handle_data(self, data: str) -> None:
        inside = self._path[-1] if self._path else ""
        if inside == "style":
            self._style(data)
        elif self._in_body and data.strip() and not _UNSEEN.intersection(self._path):
            self.texts.append((" ".join(data.split()), self._notice is not None))

    def _style(self, sheet: str) -> None:
        sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
        if "\\" in sheet or "@import" in sheet.lower() or "@layer" in sheet.lower():
            self._found.hidden.append("a style sheet elsewhere can change what is shown")
        for selector, rules in re.findall(r"([^{}]*)\{([^{}]*)\}", sheet):
            if _WHOLE.search(selector) and (_HIDING.search(rules) or "-" in _margins(rules)):
                self._found.hidden.append("a style can hide the whole page")


_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)


def _margins(style: str) -> str:
    return "".join(re.findall(r"(?:margin|text-indent)[\w-]*\s*:([^;}]*)", style, re.IGNORECASE))


def _read_html(data: bytes, found: _Found) -> None:
    text = _text(data)
    assert text is not None
    page = _Page(found)
    try:
        page.feed(text)
        page.close()
    except (ValueError, AssertionError, RecursionError) as error:
        raise _Broken("the page cannot be read") from error
    if page.texts:
        (found.first, first_is_drawn), (found.last, last_is_drawn) = page.texts[0], page.texts[-1]
        if not (first_is_drawn and last_is_drawn):
            found.hidden.append(NOTICE_UNDRAWN)


# --- Word ------------------------------------------------------------------------------------------------------------


def _part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element | None:
    try:
        about = archive.getinfo(name)
    except KeyError:
        return None
    if about.file_size > _LARGEST_PART_BYTES:
        raise _Broken("a part of it is too large")
    content = archive.read(about)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise _Broken("a part of it holds a document type")
    return ElementTree.fromstring(content)


def _read_docx(data: bytes, found: _Found) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)):
                raise _Broken("a part of it stands twice")
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                found.hidden.append("macros can change what is shown")
            document = _part(archive, "word/document.xml")
            custom = _part(archive, "docProps/custom.xml")
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise _Broken("the archive cannot be read") from error
    body = None if document is None else document.find(f"{_W}body")
    if body is None:
        raise _Broken("it has no text")
    for entry in () if custom is None else custom.iter(f"{_PROPERTIES}property"):
        value = "".join(entry.itertext())
        if entry.get("name") == FIELD:
            found.aigc.append(value.encode())
        elif entry.get("name") == SOURCE:
            found.sources.append(value.encode())
    blocks = [block for block in body if block.tag != f"{_W}sectPr"]
    if blocks:
        found.first, found.last = (_notice_of(block, found) for block in (blocks[0], blocks[-1]))


def _notice_of(block: ElementTree.Element, found: _Found) -> str:
    """The text of a paragraph made of one run that is written out in full; else why it may be unseen."""
    runs = [child for child in block if child.tag != f"{_W}pPr"]
    text = "".join(piece.text or "" for piece in block.iter(f"{_W}t"))
    if block.tag != f"{_W}p" or len(runs) != 1 or runs[0].tag != f"{_W}r":
        found.hidden.append(NOTICE_UNDRAWN)
        return text
    said = runs[0].find(f"{_W}rPr")
    frame = block.find(f"{_W}pPr")

    def value(name: str, place: ElementTree.Element | None = said) -> str | None:
        entry = None if place is None else place.find(f"{_W}{name}")
        return None if entry is None else entry.get(f"{_W}val", "")

    shade = None if said is None else said.find(f"{_W}shd")
    size = value("sz")
    if (
        any(value(name) != "0" for name in ("vanish", "webHidden", "specVanish", "strike", "dstrike"))
        or size is None
        or not size.isdigit()
        or int(size) < 2 * _SMALLEST_PT
        or value("color") != "000000"
        or shade is None
        or shade.get(f"{_W}fill") != "FFFFFF"
        or (frame is not None and {child.tag for child in frame} - {f"{_W}spacing", f"{_W}jc", f"{_W}keepNext"})
    ):
        found.hidden.append(NOTICE_UNDRAWN)
    return text


# --- PDF -------------------------------------------------------------------------------------------------------------

_ACTIVE_PDF = (b"/JavaScript", b"/JS", b"/OpenAction", b"/AA", b"/XFA", b"/Launch", b"/RichMedia")


def pdf_library() -> Any:
    """The module pypdfium2; raises LabelPartMissing."""
    from compliance.errors import LabelPartMissing

    try:
        import pypdfium2
    except Exception as error:  # a broken native part raises whatever the loader raises
        raise LabelPartMissing(part="pypdfium2") from error
    return pypdfium2


def _read_pdf(data: bytes, found: _Found) -> None:
    import ctypes

    pdfium = pdf_library()
    try:
        pages = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise _Broken("it cannot be read, or is encrypted") from error
    try:
        if len(pages) == 0:
            raise _Broken("it has no page")
        size = pdfium.raw.FPDF_GetMetaText(pages, FIELD.encode(), None, 0)
        if size > 2:
            buffer = ctypes.create_string_buffer(size)
            pdfium.raw.FPDF_GetMetaText(pages, FIELD.encode(), buffer, size)
            found.aigc.append(buffer.raw[: size - 2].decode("utf-16-le", "replace").encode())
    finally:
        pages.close()
    # An incremental update could bring a second dictionary or packet; ours are written whole.
    found.xmp.extend(re.findall(rb"<\?xpacket begin=.*?<\?xpacket end=.{0,5}\?>", data, re.DOTALL))
    if data.count(b"%%EOF") != 1 or not data.rstrip().endswith(b"%%EOF"):
        found.hidden.append("a later version of the document stands behind this one")
    if any(mark in data for mark in _ACTIVE_PDF):
        found.hidden.append("actions in it can change what is shown")
    if b"/OCProperties" in data:
        found.hidden.append("layers in it can hide what is shown")


def words_of_document(name: str, data: bytes) -> str:
    """All words of a document, for a review: what is shown and what is not. Raises NotADocument, LabelPartMissing."""
    form = format_of_document(data)
    read_document(name, data)
    if form == "docx":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [_part(archive, part) for part in archive.namelist() if re.fullmatch(r"word/[\w]+\.xml", part)]
        return " ".join(piece.text or "" for part in parts if part is not None for piece in part.iter(f"{_W}t"))
    if form == "pdf":
        pages = pdf_library().PdfDocument(data)
        try:
            return " ".join(page.get_textpage().get_text_bounded() for page in pages)
        finally:
            pages.close()
    text = _text(data) or ""
    return html.unescape(re.sub(r"<[^>]*>", " ", text)) if form == "html" else text


def html_text(text: str) -> str:
    """Text as it stands between tags."""
    return html.escape(text, quote=False)


_READERS: Final = {
    "txt": _read_text,
    "md": _read_markdown,
    "html": _read_html,
    "docx": _read_docx,
    "pdf": _read_pdf,
}
