"""Plain documents as PDF, in both languages: headings, lines, named values. Nothing of a picture, nothing of a sound.

The font is resources/fonts/print.ttf: the interface's letters with TrueType outlines, which is what reportlab embeds. A
letter it does not have is shown as an empty box, never left out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from xml.sax.saxutils import escape

from compliance.errors import LabelPartMissing

FONT = "Signet Print"
_MARGIN_MM = 20


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that begins a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; line ends are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Values:
    """Names and their values, one below the other."""

    rows: Sequence[tuple[str, str]]


Part = Heading | Paragraph | Values


def register_font() -> str:
    """Make the font known to reportlab once; returns its name. Raises LabelPartMissing without library or font."""
    try:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFError, TTFont
    except ImportError as error:
        raise LabelPartMissing(part="reportlab") from error
    if FONT not in pdfmetrics.getRegisteredFontNames():
        try:
            data = resources.files("resources").joinpath("fonts", "print.ttf").read_bytes()
            pdfmetrics.registerFont(TTFont(FONT, io.BytesIO(data)))
        except (OSError, TTFError) as error:
            raise LabelPartMissing(part="print.ttf") from error
    return FONT


def pdf(title: str, parts: Sequence[Part]) -> bytes:
    """The document as the bytes of a PDF (A4); the same input gives the same bytes.

    Raises LabelPartMissing without the library or the font.
    """
    font = register_font()
    from reportlab.lib.enums import TA_LEFT
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph as Block
    from reportlab.platypus import SimpleDocTemplate, Spacer, Table, TableStyle

    text = ParagraphStyle("text", fontName=font, fontSize=10, leading=15, wordWrap="CJK", alignment=TA_LEFT)
    heading = ParagraphStyle("heading", parent=text, fontSize=13, leading=19, spaceBefore=10, spaceAfter=4)
    head = ParagraphStyle("head", parent=text, fontSize=17, leading=24, spaceAfter=8)
    story: list[Any] = [Block(escape(title), head)]
    for part in parts:
        match part:
            case Heading():
                story.append(Block(escape(part.text), heading))
            case Paragraph():
                story += [Block(escape(line) or "&nbsp;", text) for line in part.text.split("\n")]
                story.append(Spacer(1, 2 * mm))
            case Values():
                cells = [[Block(escape(name), text), Block(_lines(value), text)] for name, value in part.rows]
                table = Table(cells, colWidths=[50 * mm, A4[0] - (2 * _MARGIN_MM + 50) * mm], splitInRow=1)
                table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
                story.append(table)
    out = io.BytesIO()
    margin = _MARGIN_MM * mm
    # invariant: no date and no random id inside, so that the digest of a report can be entered in the ledger.
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=title,
        author="Signet",
        invariant=1,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
    )
    document.build(story)
    return out.getvalue()


def _lines(value: str) -> str:
    return "<br/>".join(escape(line) for line in value.split("\n")) or "–"
