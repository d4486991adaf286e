"""Tricks that would keep a notice out of sight: each is refused with its reason, and ordinary documents still pass."""

from __future__ import annotations

import io
import zipfile

import pytest

from compliance.documents import read_document, words_of_document
from compliance.errors import DocumentUnsuitable, NotADocument
from tests.compliance.documents import WORD, docx
from tests.compliance.test_documents import inspect, labelled


def page(body: str = "<p>x</p>", head: str = "", attributes: str = "") -> bytes:
    """A page."""
    return (
        f'<!doctype html>\n<html lang="en"><head><title>x</title>{head}</head>\n'
        f"<body{attributes}>{body}</body></html>\n"
    ).encode()


def sheet(css: str) -> bytes:
    """A page with a style sheet."""
    return page(head=f"<style>{css}</style>")


def word(body: str = "", **parts: str) -> bytes:
    """A Word document with something more in its text; __ in the names of parts means a slash."""
    text = f"<w:p><w:r><w:t>x</w:t></w:r></w:p>{body}<w:sectPr/>"
    return docx(text, **{name.replace("__", "/") + ".xml": content for name, content in parts.items()})


def styles(inside: str) -> str:
    """The part of styles."""
    return f'<w:styles xmlns:w="{WORD}">{inside}</w:styles>'


GOOD = [
    ("html", page("<h1>a</h1><p>b &amp; c<ul><li>x<li>y</ul><table><tr><td>1<td>2</table><br>1 < 2")),
    (
        "html",
        sheet(
            "body{font:16px/1.4 Georgia,serif;max-width:40em;margin:0 auto;padding:2em;color:#222}"
            "h1{color:rgb(1,2,3)} .a>p:first-child,td{border:1px solid #ccc;padding:.3em .6em}"
            "@media print{.no-print{display:none}} /* c */ pre{overflow:auto;background:#f4f4f4}"
        ),
    ),
    (
        "html",
        page(
            '<p style="margin-bottom: 0cm; line-height: 100%"><font face="Arial"><b>x</b></font></p>',
            '<meta http-equiv="content-type" content="text/html; charset=utf-8"/><meta name="generator" content="x"/>'
            '<style type="text/css">@page { size: 21cm 29.7cm; margin: 2cm } p { margin-bottom: 0.25cm }</style>',
            ' lang="en-US" link="#000080" vlink="#800000" dir="ltr"',
        ),
    ),
    ("html", page(head='<meta charset="utf-7"><meta name="viewport" content="width=device-width, initial-scale=1">')),
    ("md", b"# Title\n\ntext <br> <https://a.example> a < b\n\n```html\n<div hidden>\n```\n\n<!-- a note -->\nend"),
    ("md", b"---\ntitle: a\nlang: en\n---\n> quote\n\n```\nan open fence with <b>"),
    ("docx", word('<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:fldChar w:fldCharType="end"/></w:r></w:p>')),
    (
        "docx",
        word(
            word__styles=styles(
                '<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Calibri"/><w:sz w:val="22"/>'
                "</w:rPr></w:rPrDefault>"
                '<w:pPrDefault><w:pPr><w:spacing w:after="160" w:line="259" w:lineRule="auto"/></w:pPr></w:pPrDefault>'
                '</w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/>'
                "</w:style>"
            )
        ),
    ),
]

HTML = [
    sheet("p::before{content:'x';position:fixed;inset:0;background:#fff}"),
    sheet("p:first-line{font-size:0}"),
    sheet("p:nth-of-type(1){transform:scale(0)}"),
    sheet("@page{size:1px}"),
    sheet("@container x (min-width:1px){p{color:red}}"),
    sheet("@font-face{font-family:sans-serif;src:url(x)}"),
    sheet("@keyframes a{}"),
    sheet("@import 'x';"),
    sheet("div{margin-bottom:-9999px}"),
    sheet("h1{margin-top:calc(0px - 900px)}"),
    sheet("h1{margin-top:var(--x)}"),
    sheet("h1{margin-top:9999999px}"),
    sheet("body{padding-left:400px}"),
    sheet("div{color:red; p{display:none}}"),
    sheet("div{display:none"),
    sheet("[style]{opacity:0}"),
    sheet(":has(p){display:none}"),
    sheet("div{position:relative;z-index:2147483647;top:-90px}"),
    sheet("body{width:1px}"),
    sheet("div{outline:9999px solid #fff}"),
    sheet("b\\6fdy{display:none}"),
    sheet("/*"),
    sheet("<!-- p{} -->"),
    page(head="<style>.a{display:none}</style>", attributes=' class="a"'),
    page(attributes=' leftmargin="99999"'),
    *(
        page(text)
        for text in (
            "<dialog open>x</dialog>",
            "<svg></svg>",
            "<plaintext>x",
            "<xmp>x</xmp>",
            "<template>x</template>",
            "<slot></slot>",
            "<select><option>x",
            "<textarea>",
            "<marquee>x</marquee>",
            "x<body style='display:none'>",
            "<div><b style='font-size:0;color:#fff'></div>",
            "<div style='display:none'>x",
            "<div hidden />x",
            "<table><b>x</b><tr><td>x</table>",
            "<p><table><tr><td>x</table>",
            "<a><p><a>x</a></p></a>",
            "<!-- ",
            "<!--> <p hidden> -->",
            "<!-- a --!> <div hidden> -->",
            "<!--[if IE]><div hidden><![endif]-->",
            "<![CDATA[ x",
            "<?x",
            '<p style="color:red" style="color:blue">',
            '<p style="margin&colon;-9px">x</p>',
            "<div popover>x</div>",
            '<a href="java\tscript:x">x</a>',
            "<img src=x onerror=x>",
            '<p data-aigc-notice="1">x</p>',
            "\x1b[2J",
        )
    ),
    page(head="<title><!--</title>"),
    page(head="<base href=x>"),
    page(head="<div hidden>"),
    page(head='<meta name=viewport content="width=99999,initial-scale=0.01">'),
    b"<!doctype html><html hidden><head></head><body>x</body></html>",
    b"<!doctype html><html><head></head><body>x</body><body class=a>y</body></html>",
    b"<!doctype html><html><head></head><body>x</body></html>late",
]

MARKDOWN = [
    b"a\n\n<? never closed",
    b"a\n\n<!DOCTYPE never closed",
    b"a\n\n<![CDATA[ never closed",
    b"a\n\n<div hidden>",
    b"a\n\n<details>",
    b"a\n\n<b>\n```\n<div hidden>\n```\n",
    b"- ```\n<div hidden>\n",
    b"a\n\n~~~ `x`\nb\n\n~~~\n<div hidden>\n\n~~~\n",
    b"<b>\n```\n\n```\nfoo\n\n```\n<div hidden>\n\n```\n",
    b"<!--\n\n```\n-->\n<div hidden>\n\n```\n -->\n",
    b"a\n\n::: {.hidden}\n",
    b"a\n\n%% never closed\n",
    b"a\n\n{% comment %}\n",
    b"a\n\n<!-- a -- b\n",
    b"---\nheader-includes: <style>p{display:none}</style>\n---\na",
    b"---\ncss: x.css\n---\na",
    b"---\n\"AIGC\": '{}'\n---\na",
    "a \u2067 b".encode(),
    "a \x9b2J b".encode(),
]

RELATION = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOX = 'xmlns:x="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
WORDS = [
    word('<w:p><w:pPr><w:framePr w:x="1"/></w:pPr></w:p>'),
    word(f'<w:p><w:r><w:drawing><x:anchor {BOX} behindDoc="0"/></w:drawing></w:r></w:p>'),
    word("<w:p><w:r><w:pict/></w:r></w:p>"),
    word(word__header1=f'<w:hdr xmlns:w="{WORD}"><w:p><w:r><w:pict/></w:r></w:p></w:hdr>'),
    word("<w:tbl><w:tblPr><w:tblpPr/></w:tblPr></w:tbl>"),
    word("<w:altChunk/>"),
    word('<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r></w:p>'),
    word('<w:p><w:pPr><w:sectPr><w:pgSz w:w="20" w:h="20"/></w:sectPr></w:pPr></w:p>'),
    word('<w:p><w:pPr><w:sectPr><w:pgMar w:left="11906"/></w:sectPr></w:pPr></w:p>'),
    word('<w:p><w:pPr><w:sectPr><w:pgMar w:top="-9000"/></w:sectPr></w:pPr></w:p>'),
    word("<w:p><w:pPr><w:collapsed/></w:pPr></w:p>"),
    *(
        word(word__styles=styles(f"<w:docDefaults><w:pPrDefault><w:pPr>{rule}</w:pPr></w:pPrDefault></w:docDefaults>"))
        for rule in ('<w:spacing w:line="1" w:lineRule="exact"/>', '<w:ind w:left="-20000"/>', "<w:framePr/>")
    ),
    word(
        word__styles=styles(
            '<w:style w:type="paragraph" w:default="1" w:styleId="N"><w:basedOn w:val="B"/></w:style>'
            '<w:style w:type="paragraph" w:styleId="B"><w:rPr><w:vanish/></w:rPr></w:style>'
        )
    ),
    docx(
        **{
            "_rels/.rels": f'<Relationships xmlns="{RELATION}"><Relationship Id="a" Type="{OFFICE}/officeDocument" '
            'Target="word/other.xml"/></Relationships>'
        }
    ),
    docx(
        **{
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATION}"><Relationship Id="a" '
            f'Type="{OFFICE}/aFChunk" Target="x.html"/></Relationships>'
        }
    ),
    docx(**{"word/fonts/font1.odttf": "x"}),
    docx(**{"word/header1.xml": '<?xml version="1.0" encoding="UTF-7"?><a/>'}),
]


@pytest.mark.parametrize(("form", "data"), GOOD)
def test_ordinary_documents_pass(form: str, data: bytes) -> None:
    """What word processors and people write is labelled."""
    inspect(form, labelled(form, data))


@pytest.mark.parametrize(
    ("form", "data"),
    [*(("html", one) for one in HTML), *(("md", one) for one in MARKDOWN), *(("docx", one) for one in WORDS)],
)
def test_a_document_that_can_hide_its_notice_is_refused(form: str, data: bytes) -> None:
    """Refused before it is labelled, by a reason of its own."""
    with pytest.raises((DocumentUnsuitable, NotADocument)) as raised:
        labelled(form, data)
    assert raised.value.data.get("reason") or raised.value.data.get("path")


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    """Neither one part of 40 MiB of text nor many that make 300 MiB are unpacked."""
    for size, count in ((40 << 20, 1), (20 << 20, 14)):
        target = io.BytesIO(docx())
        with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
            for index in range(count):
                archive.writestr(f"word/media/{index}.xml", bytes(1) * size)
        with pytest.raises(NotADocument, match="too large"):
            read_document("x", target.getvalue())


def test_parts_that_cannot_be_read_are_told() -> None:
    """A broken part beside the text is an error with a sentence, for the review too."""
    data = word(word__header1="<a>")
    with pytest.raises(NotADocument):
        words_of_document("x", data)
