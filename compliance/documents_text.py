"""Reads plain text and Markdown: first and last line, the lines of metadata, and what could keep them from being shown.

Programs that show Markdown differ in what they add to it. So markup that swallows what follows is refused outside of
closed fences of code: raw HTML but a few plain elements, directives, comments. Source: CommonMark 0.31.
"""

from __future__ import annotations

import re
from typing import Final

from compliance.documents_parts import FIELD, NOTICE_UNDRAWN, SOURCE, SYSTEM, SYSTEM_VERSION, Found

_TURNS = "marks of direction can turn its words around"
_RAW = "raw HTML in it can hide text"
_SWALLOWS = "markup in it can hide text"
_FINE_TAG = re.compile(
    r"<(br|hr|wbr) ?/?>|</?(b|i|u|s|em|strong|sub|sup|kbd|code|del|ins|mark|small|p|q|cite|var|samp)>"
    r"|<(https?://|mailto:)[^\s<>]*>|<[\w.+-]+@[\w.-]+>"
)
# What programs that make pages out of Markdown take from its head without changing how a page looks.
_FINE_KEYS: Final = frozenset(
    [
        "title",
        "subtitle",
        "author",
        "authors",
        "date",
        "lang",
        "language",
        "tags",
        "keywords",
        "description",
        "abstract",
        "categories",
        "category",
        "slug",
        "id",
        "aliases",
        "created",
        "updated",
        "modified",
        "version",
        "license",
        "copyright",
        "status",
        "source",
        "url",
    ]
)
_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)")


def front_matter(text: str) -> tuple[list[str], list[str]] | None:
    """The lines between the two fences at the start of a Markdown file and the lines after them; None without."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "---":
        return None
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return lines[1:index], lines[index + 1 :]
    return None


def read_plain(text: str, found: Found) -> None:
    """First and last line, and the lines of metadata."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found.first, found.last = lines[0], lines[-1]
    _take_keys(lines, found)
    judge_marks(text, found)


def judge_marks(text: str, found: Found) -> None:
    """Marks that turn words around in any program, and controls that a terminal obeys."""
    if re.search(r"[\u202a-\u202e\u2066-\u2069\x1b\x7f-\x84\x86-\x9f]", text):
        found.hidden.append(_TURNS)


def read_markdown(text: str, found: Found) -> None:
    """First and last line behind the front matter, and what could hide them."""
    head, body = front_matter(text) or ([], text.splitlines())
    _take_keys(head, found)
    judge_marks(text, found)
    for line in head:
        key = re.match(r"[^\s#-][^:]*(?=:)", line)
        if key is not None and key[0].strip().lower() not in _FINE_KEYS | {
            name.lower() for name in (FIELD, SOURCE, SYSTEM, SYSTEM_VERSION)
        }:
            found.hidden.append(f"its front matter can change what is shown: {key[0].strip()[:40]}")
    lines = [line.strip() for line in body if line.strip()]
    if lines:
        found.first, found.last = (_bare(line) for line in (lines[0], lines[-1]))
    outside, is_closed = _outside_fences(body)
    if not is_closed:
        found.hidden.append(NOTICE_UNDRAWN)
    joined = _without_comments(outside, found)
    for place in re.finditer(r"<[a-zA-Z/!?%]", joined):
        if _FINE_TAG.match(joined, place.start()) is None:
            found.hidden.append(_RAW)
            break
    if re.search(r"^\s*(:::|\+\+\+|%%)|\{[%#]|^\s*\{\{<|^\s*\.\. ", joined, re.MULTILINE):
        found.hidden.append(_SWALLOWS)


def _bare(line: str) -> str:
    return line[2:-2] if line.startswith("**") and line.endswith("**") else line


def _take_keys(lines: list[str], found: Found) -> None:
    for line in lines:
        for key, into in ((FIELD, found.aigc), (SOURCE, found.sources)):
            value = _keyed(line, key)
            if value is not None:
                into.append(value.encode())


def _keyed(line: str, key: str) -> str | None:
    """The value of a line `key: value`, without the quotes of YAML."""
    name, colon, value = line.partition(":")
    if not colon or name.strip().strip("\"'") != key:
        return None
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == "'":
        value = value[1:-1].replace("''", "'")
    return value


def _outside_fences(body: list[str]) -> tuple[str, bool]:
    """The text outside of fences of code that every program sees, and whether all of them are closed.

    A fence is surely one at the left edge behind an empty line, where it stands in no other block. With any other one
    in the text nobody can say here which marks open and which close, and all of it is judged as text.
    """
    kept: list[str] = []
    inside: list[str] = []
    mark, is_sure = "", True
    for index, line in enumerate(body):
        found = _FENCE.fullmatch(line.rstrip())
        if mark:
            inside.append(line)
            if found and found[2].startswith(mark) and not found[3].strip():
                mark, inside = "", []
            continue
        if found:
            mark, inside = found[2], []
            is_sure = is_sure and not found[1] and (index == 0 or not body[index - 1].strip())
        kept.append("" if found else line)
    return "\n".join([*kept, *inside] if is_sure else body), not mark


def _without_comments(text: str, found: Found) -> str:
    """Without comments that every program closes in the same place."""
    pieces, place = [], 0
    while (start := text.find("<!--", place)) >= 0:
        end = text.find("-->", start + 4)
        inside = text[start + 4 : end]
        if end < 0 or inside.startswith((">", "->")) or "--" in inside or "\n\n" in inside:
            found.hidden.append("a comment is not closed")
            break
        pieces.append(text[place:start])
        place = end + 3
    return "".join(pieces) + text[place:]
