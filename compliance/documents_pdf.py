"""Reads PDF: its field, its packets of XMP, and what could change or cover its pages after they were looked at.

Every viewer agrees on the content of pages; on notes, forms, layers, actions and later versions they differ. Those are
named and refused. The dictionaries are read as plain text, so nothing of them may stand in a compressed object.
Source: ISO 32000-2.
"""

from __future__ import annotations

import ctypes
import re
from typing import Any, Final

from compliance.documents_parts import FIELD, Broken, Found

_NOTES: Final = frozenset(
    b"Text FreeText Line Square Circle Polygon PolyLine Highlight Underline Squiggly StrikeOut Caret Stamp Ink Popup "
    b"FileAttachment Sound Movie Screen Widget PrinterMark TrapNet Watermark 3D Redact Projection RichMedia".split()
)
_ACTIVE: Final = frozenset(b"JavaScript JS OpenAction AA XFA Launch RichMedia Hide SetOCGState GoTo3DView".split())
_FRAMES: Final = frozenset(b"Collection ViewerPreferences NeedsRendering".split())
_STREAM = re.compile(rb"\bstream\r?\n.*?\bendstream\b", re.DOTALL)
_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]+)")


def pdf_library() -> Any:
    """The module pypdfium2; raises LabelPartMissing."""
    from compliance.errors import LabelPartMissing

    try:
        import pypdfium2
    except Exception as error:  # a broken native part raises whatever the loader raises
        raise LabelPartMissing(part="pypdfium2") from error
    return pypdfium2


def read_pdf(data: bytes, found: Found) -> None:
    """Fill in what was found; raises Broken, LabelPartMissing."""
    pdfium = pdf_library()
    try:
        pages = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise Broken("it cannot be read, or is encrypted") from error
    try:
        if len(pages) == 0:
            raise Broken("it has no page")
        for index in (0, len(pages) - 1):
            if min(pages[index].get_size()) <= 0:
                raise Broken("a page cannot be read")
        size = pdfium.raw.FPDF_GetMetaText(pages, FIELD.encode(), None, 0)
        if size > 2:
            buffer = ctypes.create_string_buffer(size)
            pdfium.raw.FPDF_GetMetaText(pages, FIELD.encode(), buffer, size)
            found.aigc.append(buffer.raw[: size - 2].decode("utf-16-le", "replace").encode())
    except pdfium.PdfiumError as error:
        raise Broken("a page cannot be read") from error
    finally:
        pages.close()
    found.xmp.extend(re.findall(rb"<\?xpacket begin=.*?<\?xpacket end=.{0,5}\?>", data, re.DOTALL))
    plain = _STREAM.sub(b" stream ", data)
    if plain.count(b"%%EOF") != 1 or not plain.rstrip().endswith(b"%%EOF") or plain.count(b"startxref") != 1:
        found.hidden.append("a later version of the document stands behind this one")
    names = {re.sub(rb"#([0-9a-fA-F]{2})", _byte, name) for name in _NAME.findall(plain)}
    if names & _ACTIVE:
        found.hidden.append("actions in it can change what is shown")
    if b"OCProperties" in names:
        found.hidden.append("layers in it can hide what is shown")
    if names & _FRAMES:
        found.hidden.append("its settings can show something else than its pages")
    if b"ObjStm" in names or b"Encrypt" in names:
        found.hidden.append("parts of it cannot be judged")
    for note in sorted(names & _NOTES):
        # Names of these mean a note only as a subtype; a font may be called Line.
        if re.search(rb"/Subtype\s*/" + note + rb"\b", plain) or b"#" in plain:
            found.hidden.append(f"notes or form fields can cover what is shown: {note.decode()}")


def _byte(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])


def words_of_pdf(data: bytes) -> str:
    """The text of all pages; raises Broken, LabelPartMissing."""
    pdfium = pdf_library()
    try:
        pages = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise Broken("it cannot be read, or is encrypted") from error
    try:
        return " ".join(page.get_textpage().get_text_bounded() for page in pages)
    except pdfium.PdfiumError as error:
        raise Broken("a page cannot be read") from error
    finally:
        pages.close()
