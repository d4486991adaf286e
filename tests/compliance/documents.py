"""Small documents of every format, made on the spot."""

from __future__ import annotations

import io
import zipfile

TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def docx(body: str = "<w:p><w:r><w:t>A harbour at dusk.</w:t></w:r></w:p><w:sectPr/>", **parts: str) -> bytes:
    """A Word document with this body; parts: further or other files of the archive."""
    target = io.BytesIO()
    usual = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS,
        "word/document.xml": f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**usual, **parts}.items():
            archive.writestr(name, content)
    return target.getvalue()


def pdf(pages: int = 2) -> bytes:
    """A PDF of some pages, upright and lying in turn."""
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target, invariant=1)
    for index in range(pages):
        canvas.setPageSize((595, 842) if index % 2 == 0 else (842, 595))
        canvas.drawString(80, 400, f"Page {index + 1}: a harbour at dusk.")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


HTML = b"""<!doctype html>
<html lang="en"><head><title>Harbour</title><style>body { margin: 0; color: #333 } p { display: none }</style></head>
<body class="a"><h1>Harbour</h1><p>At dusk.
</body></html>
"""
MARKDOWN = b"---\ntitle: Harbour\n---\n# At dusk\n\n> a quote\n\n```\nan open fence"
TEXT = "A harbour at dusk.\n黄昏的港口。\n".encode()
DOCUMENTS = {"txt": TEXT, "md": MARKDOWN, "html": HTML, "docx": docx(), "pdf": pdf()}
