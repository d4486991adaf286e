"""Our own reader of text documents: plain text, Markdown, HTML, Word (DOCX) and PDF.

It shares no code with compliance.encode_document, so what it finds after a release is evidence. It reads what a reader
sees first and last, and whether anything in the document could hide that. Sources: TC260-PG-20258A (place of the AIGC
field in documents), ECMA-376 Parts 1 and 2, WHATWG HTML, CommonMark 0.31 (HTML blocks), ISO 32000-2.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from compliance.documents_html import read_html
from compliance.documents_parts import Broken, Found
from compliance.documents_pdf import read_pdf, words_of_pdf
from compliance.documents_text import front_matter, judge_marks, read_markdown, read_plain
from compliance.documents_word import read_word, words_of_word
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
_UTF8_MARK = b"\xef\xbb\xbf"


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
    return "md" if front_matter(text) is not None else "txt"


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
    found = Found()
    try:
        _READERS[form](data, found)
    except Broken as error:
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


def _read_text(data: bytes, found: Found) -> None:
    read_plain(_text(data) or "", found)


def _read_markdown(data: bytes, found: Found) -> None:
    read_markdown(_text(data) or "", found)


def _read_html(data: bytes, found: Found) -> None:
    text = _text(data) or ""
    judge_marks(text, found)
    read_html(text, found, is_marked=data.startswith(_UTF8_MARK))


def words_of_document(name: str, data: bytes) -> str:
    """All words of a document, for a review: what is shown and what is not. Raises NotADocument, LabelPartMissing."""
    form = format_of_document(data)
    read_document(name, data)
    try:
        if form == "docx":
            return words_of_word(data)
        if form == "pdf":
            return words_of_pdf(data)
    except Broken as error:
        raise NotADocument(path=name, reason=error.args[0]) from error
    text = _text(data) or ""
    return html.unescape(re.sub(r"<[^>]*>", " ", text)) if form == "html" else text


_READERS: Final[dict[DocumentFormat, Callable[[bytes, Found], None]]] = {
    "txt": _read_text,
    "md": _read_markdown,
    "html": _read_html,
    "docx": read_word,
    "pdf": read_pdf,
}
