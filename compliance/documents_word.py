"""Reads Word documents (DOCX): their first and last paragraph, their custom properties, and what could hide a notice.

What is written here answers for its own look, so what is left are things that float over it, pages and paragraphs that
leave it no room, and parts that bring other content. Those are named and refused. Source: ECMA-376 Parts 1 and 2.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from typing import Final

from compliance.documents_parts import FIELD, NOTICE_UNDRAWN, SOURCE, Broken, Found

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PROPERTIES: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/custom-properties}"
_MAIN: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_MAIN_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_PART_BYTES: Final = 32 << 20
_ALL_BYTES: Final = 256 << 20
_PARTS: Final = 4000
# Half points; half of what a body text has would be hard to read.
_SMALLEST: Final = 18
# Twentieths of a point: the smallest sheet, the room for text on it, the indent and distance that a default may have.
_SHEET, _ROOM, _PUSH = 2268, 1700, 4000
_COVERS = "something on its pages can cover the label"
_LEAVES_NO_ROOM = "its pages leave the label no room"
_DEFAULTS = "its default style can hide text"
_REPLACES = "it brings content from elsewhere"
_COVERING: Final = frozenset(["pict", "object", "framePr", "tblpPr", "control"])
_DEFAULTS_FINE: Final = frozenset(
    [
        "rFonts",
        "lang",
        "sz",
        "szCs",
        "kern",
        "color",
        "b",
        "bCs",
        "i",
        "iCs",
        "spacing",
        "ind",
        "jc",
        "widowControl",
        "ligatures",
        "snapToGrid",
        "suppressAutoHyphens",
        "contextualSpacing",
        "autoSpaceDE",
        "autoSpaceDN",
        "adjustRightInd",
        "overflowPunct",
        "textAlignment",
        "kinsoku",
        "tabs",
        "tab",
        "eastAsianLayout",
        "numForm",
        "numSpacing",
        "cntxtAlts",
        "keepNext",
        "keepLines",
        "noProof",
        "wordWrap",
        "autoRedefine",
    ]
)


def read_word(data: bytes, found: Found) -> None:
    """Fill in what was found; raises Broken."""
    parts, names = parts_of(data)
    if any(name.endswith(("vbaproject.bin", ".odttf")) or "/activex/" in name for name in names):
        found.hidden.append("macros, controls or fonts in it can change what is shown")
    document = parts.get("word/document.xml")
    body = None if document is None else document.find(f"{_W}body")
    if document is None or body is None or len(document.findall(f"{_W}body")) > 1:
        raise Broken("it has no text")
    custom = parts.get("docProps/custom.xml")
    for entry in () if custom is None else custom.iter(f"{_PROPERTIES}property"):
        value = "".join(entry.itertext())
        if entry.get("name") == FIELD:
            found.aigc.append(value.encode())
        elif entry.get("name") == SOURCE:
            found.sources.append(value.encode())
    _judge_links(parts, found)
    for name, part in parts.items():
        if name.startswith("word/") and not name.endswith(".rels"):
            _judge_part(part, found)
    _judge_defaults(parts.get("word/styles.xml"), found)
    _judge_fields(body, found)
    blocks = [block for block in body if block.tag != f"{_W}sectPr"]
    if blocks:
        found.first, found.last = (_notice_of(block, found) for block in (blocks[0], blocks[-1]))


def parts_of(data: bytes) -> tuple[dict[str, ElementTree.Element], list[str]]:
    """The XML parts of the archive by name, and the names of all parts in small letters.

    Raises Broken, also for what would unpack to more than 256 MiB.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = [entry.filename.lower().replace("\\", "/").lstrip("/") for entry in entries]
            if len(names) != len(set(names)):
                raise Broken("a part of it stands twice")
            if len(names) > _PARTS or sum(entry.file_size for entry in entries) > _ALL_BYTES:
                raise Broken("a part of it is too large")
            parts = {
                entry.filename: _parsed(archive, entry)
                for entry in entries
                if entry.filename.lower().endswith((".xml", ".rels"))
            }
            return parts, names
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        OSError,
        ValueError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        zipfile.LargeZipFile,
    ) as error:
        raise Broken("the archive cannot be read") from error
    except Exception as error:  # the decompressors have errors of their own (zlib, lzma)
        if isinstance(error, Broken):
            raise
        raise Broken("the archive cannot be read") from error


def _parsed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> ElementTree.Element:
    if entry.file_size > _PART_BYTES:
        raise Broken("a part of it is too large")
    content = archive.read(entry)
    # In another coding than UTF-8 a document type would not be seen here.
    if b"\0" in content or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Broken("a part of it holds a document type")
    declared = re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*[\"']([\w.-]+)", content)
    if declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise Broken("a part of it holds a document type")
    return ElementTree.fromstring(content)


def _local(tag: str) -> str:
    return str(tag).rpartition("}")[2]


def _judge_links(parts: dict[str, ElementTree.Element], found: Found) -> None:
    """Which part is shown, and that no part brings other content."""
    root = parts.get("_rels/.rels")
    main = [link.get("Target", "") for link in (() if root is None else root) if link.get("Type") == _MAIN]
    types = parts.get("[Content_Types].xml")
    shown = [
        entry.get("PartName", "")
        for entry in (() if types is None else types)
        if ".main+xml" in entry.get("ContentType", "")
    ]
    if [name.lstrip("/") for name in main] != ["word/document.xml"] or shown != ["/word/document.xml"]:
        found.hidden.append("another part than its text is shown")
    elif not any(entry.get("ContentType") == _MAIN_TYPE for entry in (() if types is None else types)):
        found.hidden.append("macros can change what is shown")
    for name, part in parts.items():
        for link in part if name.endswith(".rels") else ():
            kind = link.get("Type", "").rpartition("/")[2]
            if kind in ("vbaProject", "wordVbaData", "keyMapCustomizations", "attachedToolbars"):
                found.hidden.append("macros can change what is shown")
            elif (
                kind in ("aFChunk", "subDocument", "frame", "control", "oleObject", "package", "mailMergeSource")
                or (kind == "attachedTemplate" and re.match(r"(https?|ftp|\\\\|file://[^/])", link.get("Target", "")))
                or kind == "font"
            ):
                found.hidden.append(f"{_REPLACES}: {kind}")


def _judge_part(part: ElementTree.Element, found: Found) -> None:
    """What floats over text, and the pages."""
    for entry in part.iter():
        name = _local(entry.tag)
        if (name in _COVERING and name != "object") or (name == "object" and entry.tag.startswith(_W)):
            found.hidden.append(f"{_COVERS}: {name}")
        elif name == "anchor" and entry.get("behindDoc") not in ("1", "true"):
            found.hidden.append(f"{_COVERS}: a drawing that floats")
        elif name in ("altChunk", "subDoc", "mailMerge", "frameset"):
            found.hidden.append(f"{_REPLACES}: {name}")
        elif name == "collapsed" and entry.get(entry.tag.replace("collapsed", "val"), "1") not in ("0", "false"):
            found.hidden.append("a heading is folded up over what follows")
        elif entry.tag == f"{_W}sectPr":
            _judge_section(entry, found)


def _judge_section(section: ElementTree.Element, found: Found) -> None:
    def number(place: str, name: str, usual: int) -> int:
        entry = section.find(f"{_W}{place}")
        written = "" if entry is None else entry.get(f"{_W}{name}", "")
        try:
            return int(float(written)) if written else usual
        except (ValueError, OverflowError):
            return -1

    width, height = number("pgSz", "w", 11906), number("pgSz", "h", 16838)
    sides = [number("pgMar", name, 1440) for name in ("left", "right", "top", "bottom")]
    others = [number("pgMar", name, 0) for name in ("header", "footer", "gutter")]
    columns = number("cols", "num", 1)
    room = width - sides[0] - sides[1] - others[2], height - sides[2] - sides[3] - max(others[:2])
    if (
        min(*sides, *others) < 0
        or min(width, height) < _SHEET
        or max(width, height) > 31680
        or room[0] < _ROOM * max(1, columns)
        or room[1] < _ROOM // 2
        or not 1 <= columns <= 6
        or section.find(f"{_W}cols/{_W}col[@{_W}w='0']") is not None
    ):
        found.hidden.append(_LEAVES_NO_ROOM)


def _judge_defaults(styles: ElementTree.Element | None, found: Found) -> None:
    """What a paragraph without a style of its own takes on."""
    if styles is None:
        return
    by_name = {style.get(f"{_W}styleId"): style for style in styles.iter(f"{_W}style")}
    judged = list(styles.iter(f"{_W}docDefaults"))
    for style in styles.iter(f"{_W}style"):
        if style.get(f"{_W}default") in ("1", "true", "on") and style.get(f"{_W}type") in ("paragraph", "character"):
            chain = [style]
            while (based := chain[-1].find(f"{_W}basedOn")) is not None:
                other = by_name.get(based.get(f"{_W}val"))
                if other is None or other in chain:
                    break
                chain.append(other)
            judged.extend(chain)
    for place in judged:
        for group in (*place.iter(f"{_W}rPr"), *place.iter(f"{_W}pPr")):
            for entry in group:
                name = _local(entry.tag)
                if name in ("rPr", "pPr"):
                    continue
                if name not in _DEFAULTS_FINE or (name in ("spacing", "ind") and not _is_usual(entry)):
                    found.hidden.append(f"{_DEFAULTS}: {name}")


def _is_usual(entry: ElementTree.Element) -> bool:
    """Whether a spacing or an indent leaves text in sight."""
    for key, value in entry.attrib.items():
        name = _local(key)
        if name in ("lineRule", "beforeAutospacing", "afterAutospacing"):
            if value == "exact":
                return False
        elif not re.fullmatch(r"-?\d{1,5}", value) or not (-200 if name == "val" else 0) <= int(value) <= _PUSH:
            return name in ("hanging", "hangingChars") and value.isdigit() and int(value) <= _PUSH
        elif name == "line" and int(value) < 160:
            return False
    return True


def _judge_fields(body: ElementTree.Element, found: Found) -> None:
    """A field whose code has no end would take the last notice in, and codes are not shown."""
    depth = 0
    for entry in body.iter(f"{_W}fldChar"):
        kind = entry.get(f"{_W}fldCharType")
        depth += {"begin": 1, "end": -1}.get(str(kind), 0)
        if depth < 0:
            break
    if depth != 0:
        found.hidden.append("a field has no end")


def _notice_of(block: ElementTree.Element, found: Found) -> str:
    """The text of a paragraph made of one run that is written out in full; else why it may be unseen."""
    runs = [child for child in block if child.tag != f"{_W}pPr"]
    text = "".join(piece.text or "" for piece in block.iter(f"{_W}t"))
    if block.tag != f"{_W}p" or len(runs) != 1 or runs[0].tag != f"{_W}r":
        found.hidden.append(NOTICE_UNDRAWN)
        return text
    look = {_local(entry.tag): entry for entry in runs[0].findall(f"{_W}rPr/*")}
    frame = {_local(entry.tag): entry for entry in block.findall(f"{_W}pPr/*")}
    pieces = [child for child in runs[0] if child.tag != f"{_W}rPr"]

    def value(name: str, key: str = "val") -> str:
        entry = look.get(name)
        return "" if entry is None else entry.get(f"{_W}{key}", "")

    lines, indent = frame.get("spacing"), frame.get("ind")
    if (
        any(value(name) != "0" for name in OFF)
        or not value("sz").isdigit()
        or int(value("sz")) < _SMALLEST
        or value("color") != "000000"
        or value("shd", "fill") != "FFFFFF"
        or value("w") != "100"
        or value("rFonts", "ascii") != FONTS["ascii"]
        or value("rFonts", "eastAsia") != FONTS["eastAsia"]
        or set(look) - {*OFF, "sz", "szCs", "color", "shd", "w", "rFonts"}
        or set(frame) - {"spacing", "ind", "jc"}
        or lines is None
        or lines.get(f"{_W}lineRule") != "auto"
        or lines.get(f"{_W}line") != "240"
        or indent is None
        or any(amount != "0" for amount in indent.attrib.values())
        or [child.tag for child in pieces] != [f"{_W}t"]
    ):
        found.hidden.append(NOTICE_UNDRAWN)
    return text


OFF: Final = [
    "strike",
    "dstrike",
    "outline",
    "shadow",
    "emboss",
    "imprint",
    "snapToGrid",
    "vanish",
    "webHidden",
    "spacing",
    "position",
    "specVanish",
    "caps",
    "smallCaps",
]
"""What is written out as switched off in the run of a notice."""
FONTS: Final = {"ascii": "Arial", "hAnsi": "Arial", "eastAsia": "SimSun", "cs": "Arial"}
"""The fonts of a notice: every word processor has them or something for them."""


def words_of_word(data: bytes) -> str:
    """All text of all parts; raises Broken."""
    texts = [
        piece.text or ""
        for name, part in parts_of(data)[0].items()
        if name.startswith("word/") and not name.endswith(".rels")
        for piece in part.iter()
        if _local(piece.tag) in ("t", "delText", "instrText")
    ]
    return " ".join(texts)
