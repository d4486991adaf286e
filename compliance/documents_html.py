"""Walks an HTML page as a browser does, where all browsers agree; whatever they mend by guessing is named and refused.

Well nested elements of a list, attributes of a list, styles that are known to leave everything in sight: then the
first and the last paragraph of the body are what a reader meets first and last. Source: WHATWG HTML, parsing (13.2).
"""

from __future__ import annotations

import html
import re
from typing import Final

from compliance.documents_parts import (
    FIELD,
    NOTICE_ATTRIBUTE,
    NOTICE_STYLE,
    NOTICE_UNDRAWN,
    SOURCE,
    Found,
)
from compliance.documents_style import UNJUDGED, Unjudged, judge_inline, judge_sheet

_NESTING = "its elements are not closed in order"
_ODD = "it is written so that browsers have to guess"
_ELEMENT = "an element can change or cover what is shown"
_ATTRIBUTE = "an attribute can change or cover what is shown"
_INLINE: Final = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "nobr",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
    ]
)
_BLOCK: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "ul",
    ]
)
_TABLE: Final = frozenset(["caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"])
_VOID: Final = frozenset(["br", "hr", "img", "wbr", "col", "meta", "link"])
_OPTIONAL: Final = frozenset(["p", "li", "dd", "dt", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup"])
# Where words and other elements would be moved out of by the browser.
_BARE: Final = frozenset(["table", "tbody", "thead", "tfoot", "tr", "colgroup"])
_PARENTS: Final = {
    "li": frozenset(["ul", "ol", "menu"]),
    "dd": frozenset(["dl", "div"]),
    "dt": frozenset(["dl", "div"]),
    "td": frozenset(["tr"]),
    "th": frozenset(["tr"]),
    "tr": frozenset(["table", "tbody", "thead", "tfoot"]),
    **{name: frozenset(["table"]) for name in ("tbody", "thead", "tfoot", "caption", "colgroup")},
    "col": frozenset(["colgroup"]),
}
# Which open elements the start of another one ends.
_ENDS: Final = {
    "li": frozenset(["li"]),
    "dd": frozenset(["dd", "dt"]),
    "dt": frozenset(["dd", "dt"]),
    "td": frozenset(["td", "th"]),
    "th": frozenset(["td", "th"]),
    "tr": frozenset(["td", "th", "tr", "colgroup"]),
    **{
        name: frozenset(["td", "th", "tr", "tbody", "thead", "tfoot", "colgroup"])
        for name in ("tbody", "thead", "tfoot")
    },
}
_TAG = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z_][\w:.-]*(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*)\s*(/?)>"
)
_ATTR = re.compile(r"\s+([a-zA-Z_][\w:.-]*)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?")
_FINE_ATTRIBUTE = re.compile(
    r"id|class|lang|xml:lang|xmlns|dir|title|style|role|aria-[a-z]+|data-(?!aigc)[\w-]+|name|href|rel|rev|target|type|"
    r"hreflang|download|src|alt|width|height|loading|decoding|border|align|valign|bgcolor|color|face|size|text|link|vlink|"
    r"alink|colspan|rowspan|span|scope|headers|summary|cellpadding|cellspacing|rules|frame|nowrap|start|value|reversed|"
    r"compact|clear|noshade|datetime|cite|hidden|open|translate|itemprop|itemscope|itemtype|about|property|content|"
    r"charset|http-equiv|media|abbr|char|charoff|profile|version|prefix|vocab|typeof|resource"
)
_ADDRESSES: Final = frozenset(["", "http", "https", "mailto", "tel", "data"])
_LINKS: Final = re.compile(r"(shortcut )?icon|canonical|author|license|alternate|apple-touch-icon|next|prev|help")
_VIEWPORT = re.compile(r"width=device-width(,initial-scale=1(\.0*)?)?(,shrink-to-fit=no|,viewport-fit=cover)?")
_ESCAPE = re.compile(r"&(?!(?:quot|amp|apos|lt|gt|#\d{1,6}|#x[0-9a-fA-F]{1,6});)")


def read_html(text: str, found: Found, *, is_marked: bool) -> None:
    """Note what a page shows first and last and what could hide it. is_marked: it begins with the mark of UTF-8."""
    page = _Page(found)
    page.walk(text)
    if page.words:
        found.first, found.last = page.words[0], page.words[-1]
    if not (is_marked and page.is_framed):
        found.hidden.append(NOTICE_UNDRAWN)


class _Page:
    """One walk through a page. words: the visible pieces of text in the body, in order."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._path: list[str] = []
        self._seen: dict[str, int] = {}
        self._notices: list[int] = []
        self._is_notice = False
        self._steps = 0
        self._sheets: list[str] = []
        self._names: set[str] = set()
        self._is_over = False
        self.words: list[str] = []

    @property
    def is_framed(self) -> bool:
        """Whether notices stand at the very start and the very end of the body."""
        return len(self._notices) > 1 and self._notices[0] == 1 and self._notices[-1] == self._steps

    def _fault(self, reason: str, detail: str = "") -> None:
        self._found.hidden.append(f"{reason}: {detail}" if detail else reason)

    def walk(self, text: str) -> None:
        """Read all of it."""
        place = 0
        while place < len(text):
            start = text.find("<", place)
            self._text(text[place : len(text) if start < 0 else start])
            if start < 0:
                break
            place = self._markup(text, start)
        if self._path:
            self._fault(_NESTING)
        for sheet in self._sheets:
            self._judged(judge_sheet, sheet, frozenset(self._names))

    def _judged(self, judge: object, *arguments: object, **named: bool) -> None:
        try:
            judge(*arguments, **named)  # type: ignore[operator]  # one of the two judges of styles
        except Unjudged as error:
            self._fault(UNJUDGED, str(error))

    def _markup(self, text: str, start: int) -> int:
        """Read what begins with "<"; returns where it ends."""
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            inside = text[start + 4 : end if end >= 0 else len(text)]
            if end < 0 or inside.startswith((">", "->")) or re.search(r"<!--|--!|\[if", inside, re.IGNORECASE):
                self._fault("a comment is not closed" if end < 0 else _ODD)
            return len(text) if end < 0 else end + 3
        if found := re.compile(r"<!doctype[^<>\[]*>", re.IGNORECASE).match(text, start):
            if self._path or self._seen:
                self._fault(_ODD)
            return found.end()
        found = _TAG.match(text, start)
        if found is None:
            if re.compile(r"<[a-zA-Z/!?]").match(text, start):
                self._fault(_ODD)
            self._text("<")
            return start + 1
        tag = found[2].lower()
        if found[1]:
            if found[3].strip() or found[4]:
                self._fault(_ODD)
            self._end(tag)
            return found.end()
        self._start(tag, self._values(tag, found[3]))
        if found[4] and tag not in _VOID:
            self._fault(_NESTING)
        if tag in ("style", "title", "script", "textarea", "xmp"):
            return self._raw(tag, text, found.end())
        return found.end()

    def _raw(self, tag: str, text: str, start: int) -> int:
        """What stands in an element without elements."""
        end = re.compile(f"</{tag}\\s*>", re.IGNORECASE).search(text, start)
        inside = text[start : end.start() if end else len(text)]
        if end is None or "<" in inside:
            self._fault(_ODD)
        if tag == "style":
            self._sheets.append(inside)
        if self._path and self._path[-1] == tag:
            self._path.pop()
        return end.end() if end else len(text)

    def _values(self, tag: str, written: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, value in _ATTR.findall(written):
            name = name.lower()
            if name in values:
                self._fault(_ODD)
                continue
            if name == "style" and _ESCAPE.search(value):
                self._fault(_ODD)
            values[name] = html.unescape(value[1:-1] if value[:1] in "\"'" and value else value)
        return values

    def _start(self, tag: str, values: dict[str, str]) -> None:
        self._seen[tag] = self._seen.get(tag, 0) + 1
        if tag in ("html", "head", "body"):
            self._frame(tag, values)
            return
        if self._path[-1:] == ["head"]:
            self._in_head(tag, values)
            return
        if tag not in _INLINE and tag not in _BLOCK and tag not in _TABLE and tag not in _VOID - {"meta", "link"}:
            self._fault(_ELEMENT, tag)
        self._close_for(tag)
        self._steps += 1
        if NOTICE_ATTRIBUTE in values:
            self._notice(tag, values)
        else:
            self._attributes(tag, values)
        if tag not in _VOID:
            self._path.append(tag)

    def _frame(self, tag: str, values: dict[str, str]) -> None:
        """html, head and body, each once and in this order."""
        order = {"html": [], "head": ["html"], "body": ["html"]}
        if self._path != order[tag] or self._seen[tag] > 1 or (tag == "body" and "head" not in self._seen):
            self._fault(_NESTING, tag)
        if "hidden" in values:
            self._fault(_ATTRIBUTE, "hidden")
        self._attributes(tag, values, is_page=True)
        self._names.update(f".{name}".lower() for name in values.get("class", "").split())
        if "id" in values:
            self._names.add(f"#{values['id']}".lower())
        self._path.append(tag)

    def _in_head(self, tag: str, values: dict[str, str]) -> None:
        if tag not in ("meta", "title", "link", "style"):
            self._fault(_ELEMENT, tag)
        self._attributes(tag, values)
        if tag == "meta":
            self._meta(values)
        if tag == "link" and not _LINKS.fullmatch(values.get("rel", "").lower()):
            self._fault("a style sheet elsewhere can change what is shown")
        if tag not in _VOID:
            self._path.append(tag)

    def _meta(self, values: dict[str, str]) -> None:
        name, content = values.get("name", "").strip(), values.get("content", "")
        if name == FIELD:
            self._found.aigc.append(content.encode())
        elif name == SOURCE:
            self._found.sources.append(content.encode())
        elif name.lower() == "viewport" and not _VIEWPORT.fullmatch(re.sub(r"[\s;]+", "", content.lower())):
            self._fault(_ATTRIBUTE, "viewport")
        if "http-equiv" in values and values["http-equiv"].lower() not in ("content-type", "x-ua-compatible"):
            self._fault("the page can replace itself")

    def _attributes(self, tag: str, values: dict[str, str], *, is_page: bool = False) -> None:
        for name, value in values.items():
            if not _FINE_ATTRIBUTE.fullmatch(name):
                active = name.startswith("on")
                self._fault("scripts or embedded pages can change what is shown" if active else _ATTRIBUTE, name[:40])
            if name in ("href", "src", "cite"):
                bare = re.sub(r"[\x00-\x20]", "", value).lower()
                scheme = re.match(r"([^/?#]*):", bare)
                if (scheme[1] if scheme else "") not in _ADDRESSES:
                    self._fault("scripts or embedded pages can change what is shown", name)
            if name == "style":
                self._judged(judge_inline, value, is_page=is_page)
        if tag == "img" and "src" not in values:
            self._fault(_ODD)

    def _notice(self, tag: str, values: dict[str, str]) -> None:
        exact = {NOTICE_ATTRIBUTE: "1", "style": NOTICE_STYLE}
        if tag == "p" and values == exact and self._path == ["html", "body"]:
            self._is_notice = True
            self._notices.append(self._steps)
        else:
            self._found.hidden.append(NOTICE_UNDRAWN)

    def _close_for(self, tag: str) -> None:
        """End what the start of another element ends, and see that it may stand here."""
        path = self._path
        if tag in _BLOCK and path[-1:] == ["p"] and tag != "table":
            path.pop()
        elif tag in _BLOCK and "p" in path:
            self._fault(_NESTING, tag)
        ends = _ENDS.get(tag, frozenset())
        if "p" in path[-1:] and ends:
            path.pop()
        while path and path[-1] in ends:
            path.pop()
        parent = path[-1] if path else ""
        if tag in _PARENTS:
            if parent not in _PARENTS[tag]:
                self._fault(_NESTING, tag)
        elif parent in _BARE:
            self._fault(_NESTING, tag)
        is_heading = re.fullmatch(r"h[1-6]", tag) is not None and any(re.fullmatch(r"h[1-6]", one) for one in path)
        if is_heading or (tag in ("a", "nobr") and tag in path) or path[:2] != ["html", "body"] or self._is_over:
            self._fault(_NESTING, tag)

    def _end(self, tag: str) -> None:
        path = self._path
        self._is_notice = False
        if tag not in path or tag in _VOID:
            self._fault(_NESTING, tag)
            return
        while path[-1] != tag:
            if path[-1] not in _OPTIONAL or tag in _INLINE:
                self._fault(_NESTING, path[-1])
            path.pop()
        path.pop()
        self._is_over = self._is_over or tag == "body"

    def _text(self, data: str) -> None:
        if not data.strip():
            return
        inside = self._path[-1] if self._path else ""
        if self._path[:2] != ["html", "body"]:
            self._fault(_ODD)
        elif inside in _BARE:
            self._fault(_NESTING, inside)
        if "body" not in self._seen:
            return
        if not self._is_notice:
            self._steps += 1
        self.words.append(" ".join(html.unescape(data).split()))
