"""The pictures inside a document, so that they are looked at as pictures that stand alone are.

DOCX keeps them as parts of its archive, HTML and Markdown as data addresses; of a PDF all pages with any are drawn.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from compliance.documents import DocumentFormat, format_of_document
from compliance.documents_pdf import pdf_library
from compliance.errors import NotADocument
from compliance.labels.written import drawn_page
from compliance.media import Pixels

# More than these, and larger ones, are not looked at but refused: nobody could say then what they show.
MOST: Final = 400
_LARGEST_BYTES: Final = 64 << 20
_DEEPEST: Final = 8
_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif")
_ADDRESS = re.compile(r"data:image/[\w.+-]+((?:;[\w=.+-]+)*),([^\"'\s)>]+)", re.IGNORECASE)


def pictures_of(name: str, data: bytes) -> Iterator[bytes | Pixels]:
    """Each picture in a document: the bytes of a picture file, or a page drawn as uint8, (height, width, 3), sRGB.

    name is only for messages. Raises NotADocument for a broken one and for more than 400 pictures, LabelPartMissing
    without the library of PDF.
    """
    readers: dict[DocumentFormat | None, Callable[[str, bytes], Iterator[bytes | Pixels]]]
    readers = {"docx": _of_word, "pdf": _of_pdf}
    found = readers.get(format_of_document(data), _of_text)(name, data)
    for number, picture in enumerate(found):
        if number == MOST:
            raise NotADocument(path=name, reason="it has too many pictures")
        yield picture


def _of_word(name: str, data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if entry.filename.lower().endswith(_ENDINGS):
                    if entry.file_size > _LARGEST_BYTES:
                        raise NotADocument(path=name, reason="a picture in it is too large")
                    yield archive.read(entry)
    except NotADocument:
        raise
    except Exception as error:  # the archive and its decompressors have errors of their own (zlib, lzma)
        raise NotADocument(path=name, reason="the archive cannot be read") from error


def _of_text(name: str, data: bytes) -> Iterator[bytes]:
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    for address in _ADDRESS.finditer(text):
        content = unquote_to_bytes(address[2])
        try:
            yield base64.b64decode(content) if "base64" in address[1].lower() else content
        except binascii.Error:
            continue  # no viewer shows it


def _of_pdf(name: str, data: bytes) -> Iterator[Pixels]:
    """Pages that show any picture, drawn as a viewer does: also what is put together from strips is seen whole."""
    pdfium = pdf_library()
    try:
        pages = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise NotADocument(path=name, reason="it cannot be read, or is encrypted") from error
    try:
        for page in pages:
            if next(page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=_DEEPEST), None) is not None:
                yield drawn_page(page)
    except pdfium.PdfiumError as error:
        raise NotADocument(path=name, reason="a page cannot be read") from error
    finally:
        pages.close()
