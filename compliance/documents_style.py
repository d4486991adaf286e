"""Judges the styles of an HTML page: nothing passes but what is known to leave a notice in sight.

The notice answers for its own look by an inline style that outranks every sheet. What could still take it out of sight
is what moves, covers, clips or shrinks its surroundings, and what draws beside it. So properties, values, selectors and
at-rules are taken from lists, and everything else is named and refused. Sources: CSS 2.2, CSS Cascade 5, CSS Syntax 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

UNJUDGED: Final = "a style cannot be judged"
# Longest margin and padding of the whole page, by unit; more could push all text out of a small window. What stands
# inside the page may have many times as much.
_LONGEST: Final = {
    "px": 160,
    "pt": 120,
    "em": 10,
    "rem": 10,
    "ex": 20,
    "ch": 20,
    "mm": 40,
    "cm": 4,
    "in": 1.6,
    "%": 25,
    "vh": 25,
    "vw": 25,
    "": 0,
}
_INSIDE_TIMES: Final = 10
_ROOMY: Final = {"px": 240, "pt": 180, "em": 18, "rem": 18, "ch": 36, "mm": 60, "cm": 6, "in": 3, "%": 40, "vw": 40}
# These change nothing of where other elements stand and what covers them.
_HARMLESS: Final = re.compile(
    r"font(-(family|size|style|weight|variant|stretch|feature-settings|kerning|display))?|color|background(-color)?|"
    r"line-height|letter-spacing|word-spacing|text-(align(-last)?|decoration(-[a-z]+)?|transform|rendering|"
    r"justify|underline-offset|wrap)|white-space|word-(break|wrap)|overflow-wrap|hyphens|tab-size|vertical-align|quotes|"
    r"list-style(-(type|position))?|border(-(top|right|bottom|left))?-(color|style|radius)|border-radius|"
    r"border-(top|bottom)-(left|right)-radius|border-(collapse|spacing)|"
    r"caption-side|empty-cells|table-layout|(page-)?break-(before|after|inside)|orphans|widows|cursor|box-sizing|"
    r"user-select|-webkit-font-smoothing|-moz-osx-font-smoothing|(-webkit-|-ms-|-moz-)?text-size-adjust|accent-color|"
    r"print-color-adjust|-webkit-print-color-adjust|scroll-behavior|color-scheme|so-language",
)
# Lengths, which may not be negative and not endless.
_LENGTHS: Final = re.compile(
    r"(margin|padding)(-(top|right|bottom|left|block|inline)(-(start|end))?)?|text-indent|"
    r"border(-(top|right|bottom|left))?(-width)?"
)
# These may stand on elements inside the page, never on the page itself.
_INSIDE: Final = re.compile(
    r"(min-|max-)?(width|height)|display|visibility|overflow(-[xy])?|opacity|float|clear|box-shadow|flex(-[a-z]+)?|"
    r"justify-(content|items|self)|align-(content|items|self)|(row-|column-)?gap|columns?(-(count|width|rule))?|"
    r"grid-(template-columns|template-rows|auto-flow)|aspect-ratio|object-fit|direction|unicode-bidi|text-overflow|"
    r"transition(-[a-z-]+)?|max-inline-size|writing-mode|pointer-events|outline"
)
_LENGTH: Final = re.compile(r"\+?(\d+\.?\d*|\.\d+)([a-z%]*)")
_WORDS_OF_BORDERS: Final = re.compile(
    r"none|hidden|solid|dotted|dashed|double|groove|ridge|inset|outset|thin|medium|thick|auto|inherit|initial|unset|"
    r"#[0-9a-f]{3,8}|[a-z]+|(rgb|hsl)a?\([\d\s.,%/]*\)"
)
_PIECES: Final = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'|url\([^)\"'\s]*\)", re.DOTALL | re.IGNORECASE)
_BLOCK: Final = re.compile(r"[{};]")
_SIMPLE: Final = re.compile(
    r"(?P<tag>\*|[a-z][\w-]*)?(?P<names>([.#][\w-]+)*)(\[[\w-]+([~|^$*]?=(s|[\w-]+))?\])?"
    r"(?P<pseudo>:(hover|link|visited|active|focus|first-child|last-child|first-of-type|last-of-type|only-child|"
    r"nth-(child|of-type)\([\w+\s-]*\)|root))*",
)


class Unjudged(Exception):
    """A style that is not known to leave a notice in sight; args[0] names it."""


def judge_sheet(sheet: str, names_of_page: frozenset[str]) -> None:
    """Raise Unjudged unless a style sheet leaves everything in sight.

    names_of_page: classes (".a") and ids ("#b") of the html and body elements, which selectors may mean.
    """
    text = _plain(sheet)
    for selectors, rules in _rules(text):
        is_whole = any(_means_page(one, names_of_page) for one in selectors.split(","))
        _judge(rules, is_whole)


def judge_inline(style: str, *, is_page: bool) -> None:
    """Raise Unjudged unless a style attribute leaves everything in sight; is_page: of the html or body element."""
    text = _plain(style)
    if _BLOCK.search(text.replace(";", "")):
        raise Unjudged("braces")
    _judge(text, is_page)


def _plain(text: str) -> str:
    """Without comments; strings are replaced by one letter. Raises Unjudged for what parsers may read differently."""
    if "\\" in text or "<" in text or "expression(" in text.lower() or "@import" in text.lower():
        raise Unjudged("@import" if "@import" in text.lower() else "escapes")
    plain = _PIECES.sub(lambda found: " " if found.group().startswith("/*") else "s", text)
    for odd in ("/*", "*/", '"', "'"):
        if odd in plain:
            raise Unjudged("quotes or comments without an end")
    return plain.lower()


def _rules(text: str) -> Iterator[tuple[str, str]]:
    """Selector and declarations of every rule, also of those within @media and @supports."""
    place, depth = 0, 0
    while place < len(text):
        found = _BLOCK.search(text, place)
        if found is None:
            if text[place:].strip():
                raise Unjudged("a rule without an end")
            break
        prelude, sign = text[place : found.start()].strip(), found.group()
        place = found.end()
        if sign == "}":
            depth -= 1
            if depth < 0 or prelude:
                raise Unjudged("braces")
        elif sign == ";":
            if prelude and not prelude.startswith("@charset"):
                raise Unjudged(prelude.split()[0][:40])
        elif prelude.startswith(("@media", "@supports")):
            depth += 1
        else:
            end = text.find("}", place)
            if end < 0 or "{" in text[place:end]:
                raise Unjudged(f"{prelude[:40]}: a rule within a rule, or without an end")
            if prelude.startswith("@"):
                _judge_page(prelude, text[place:end])
            else:
                yield prelude, text[place:end]
            place = end + 1
    if depth:
        raise Unjudged("a rule without an end")


def _judge_page(prelude: str, rules: str) -> None:
    """The sheet of paper, as word processors write it; every other at-rule is refused."""
    name = re.split(r"[\s:]", prelude)[0]
    if name != "@page":
        raise Unjudged(name[:40])
    for key, value in _declarations(rules):
        if key == "size":
            lengths = [_LENGTH.fullmatch(word) for word in value.split()]
            smallest = {"mm": 70, "cm": 7, "in": 3, "pt": 200, "px": 270}
            for length in lengths:
                if length is not None and float(length[1]) < smallest.get(length[2], float("inf")):
                    raise Unjudged(f"@page size: {value[:40]}")
        elif key.startswith("margin"):
            _judge_length(key, value, 1)
        else:
            raise Unjudged(f"@page {key[:40]}")


def _declarations(rules: str) -> Iterator[tuple[str, str]]:
    for one in rules.split(";"):
        if not one.strip():
            continue
        key, colon, value = one.partition(":")
        if not colon:
            raise Unjudged(one.strip()[:40])
        yield key.strip(), value.replace("!important", "").strip()


def _judge(rules: str, is_whole: bool) -> None:
    for key, value in _declarations(rules):
        if _LENGTHS.fullmatch(key):
            _judge_length(key, value, 1 if is_whole else _INSIDE_TIMES)
        elif key == "position":
            if value not in ("static", "relative"):
                raise Unjudged(f"{key}: {value[:40]}")
        elif _INSIDE.fullmatch(key):
            if key == "outline" and value not in ("none", "0"):
                raise Unjudged(f"{key}: {value[:40]}")
            is_usual = (
                (key == "display" and value == "block")
                or (key in ("width", "max-width", "min-height", "height") and _is_roomy(value))
                or (key in ("min-width", "max-height", "float", "clear") and value in ("0", "none", "auto"))
                or (key == "visibility" and value == "visible")
            )
            if is_whole and not is_usual:
                raise Unjudged(f"{key}: {value[:40]}")
        elif not _HARMLESS.fullmatch(key):
            raise Unjudged(key[:40])


def _is_roomy(value: str) -> bool:
    """Whether a size of the page leaves room for a line."""
    found = _LENGTH.fullmatch(value)
    if found is None:
        return value in ("auto", "none")
    least = {
        "px": 240,
        "pt": 180,
        "em": 18,
        "rem": 18,
        "ch": 36,
        "mm": 60,
        "cm": 6,
        "in": 3,
        "%": 40,
        "vw": 40,
        "vh": 40,
    }
    return float(found[1]) >= least.get(found[2], float("inf"))


def _judge_length(key: str, value: str, times: int) -> None:
    for word in re.sub(r"(rgb|hsl)a?\([^()]*\)", "red", value).split():
        found = _LENGTH.fullmatch(word)
        if found is not None:
            if float(found[1]) > times * _LONGEST.get(found[2], -1):
                raise Unjudged(f"{key}: {value[:40]}")
        elif not _WORDS_OF_BORDERS.fullmatch(word):
            raise Unjudged(f"{key}: {value[:40]}")


def _means_page(selector: str, names_of_page: frozenset[str]) -> bool:
    """Whether a selector may mean the html or body element; raises Unjudged for one that cannot be read here."""
    subject = ""
    for compound in re.split(r"\s*[>+~]\s*|\s+", selector.strip()):
        found = _SIMPLE.fullmatch(compound)
        if not compound or found is None:
            raise Unjudged(selector.strip()[:40] or "a selector")
        subject = compound
    found = _SIMPLE.fullmatch(subject)
    assert found is not None
    if found["tag"] not in (None, "*", "html", "body"):
        return False
    names = set(re.findall(r"[.#][\w-]+", found["names"]))
    return found["tag"] in ("html", "body") or names <= names_of_page
