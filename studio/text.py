"""The reader's language: gettext for window and command line alike, loaded when the first sentence is asked for.

Message ids are the English sentences. Lower wings raise errors with ids and fields; here they become sentences.
"""

from __future__ import annotations

import gettext
import locale
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import resources
from compliance.errors import SignetError

LOCALE_FOLDER = Path(resources.__file__).parent / "locale"
LANGUAGES = ("en", "zh-CN")

# Fields of errors that hold words of ours, not of the user's; looked up in the catalogue before they are filled in.
_OWN_WORDS = frozenset(
    {"allowed", "detail", "device", "field", "kind", "layer", "measure", "purpose", "reason", "report", "role", "stage"}
    | {"state", "what"}
)

_NUMBERED = re.compile(r"\{\d+\}")

_language: str | None = None
_catalogue: gettext.NullTranslations | None = None


def N_(message: str) -> str:
    """Mark a message id for the catalogue; returns it unchanged."""
    return message


def set_language(code: str | None) -> None:
    """Choose "en" or "zh-CN"; None asks SIGNET_LANG, then the locale. Anything unknown reads as English."""
    global _language, _catalogue
    _language = _known(code) if code else _surroundings()
    _catalogue = None
    _numbered.cache_clear()


def language() -> str:
    """The language in use: "en" or "zh-CN"."""
    if _language is None:
        set_language(None)
    assert _language is not None
    return _language


def _(message: str, /, **fields: Any) -> str:
    """Translate a message id, then fill in its fields; a field that is missing shows as "?"."""
    text = _loaded().gettext(message) if message else ""
    return text.format_map(_Fields(fields)) if fields else text


def sentences(error: SignetError) -> tuple[str, str]:
    """What happened and what to do, in the reader's language."""
    fields = {key: _word(value) if key in _OWN_WORDS else value for key, value in error.data.items()}
    filled = _Fields(fields)
    return _(error.message).format_map(filled), _(error.next_step).format_map(filled)


def word(text: str) -> str:
    """Translate words that a lower wing put together, such as the reason why a layer is damaged.

    Those stand in the catalogue whole, or with what was filled in as an id with numbered fields, or in front of ": "
    and a detail; several are joined by "; ". What is not known stays English.
    """
    if language() == "en" or not text:
        return text
    found = _(text)
    if found != text:
        return found
    for pattern, translation in _numbered():
        match = pattern.fullmatch(text)
        # What is filled in is one piece: else the first of several reasons would swallow the others.
        if match and not any("; " in part for part in match.groups()):
            return translation.format(*(_(part) for part in match.groups()))
    if "; " in text:
        return "；".join(map(word, text.split("; ")))
    reason, colon, detail = text.partition(": ")
    return f"{word(reason)}：{word(detail)}" if colon and _(reason) != reason else text


class _Fields(dict[str, Any]):
    """Fields of a sentence; an error made elsewhere may lack one, and a sentence with a hole beats none."""

    def __missing__(self, key: str) -> str:
        return "?"


def _word(value: Any) -> Any:
    if isinstance(value, str):
        return word(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(_word(item)) for item in value)
    return value


@cache
def _numbered() -> list[tuple[re.Pattern[str], str]]:
    """Ids with numbered fields as patterns, the longest first, each with its translation."""
    catalogue = getattr(_loaded(), "_catalog", {})
    ids = [(text, catalogue[text]) for text in catalogue if isinstance(text, str) and _NUMBERED.search(text)]
    return [
        (re.compile("(.+?)".join(map(re.escape, _NUMBERED.split(message)))), translation)
        for message, translation in sorted(ids, key=lambda pair: -len(pair[0]))
    ]


def _known(code: str) -> str:
    return "zh-CN" if code.lower().replace("_", "-").split(".")[0].split("-")[0] in ("zh", "chinese") else "en"


def _surroundings() -> str:
    environment: Mapping[str, str] = os.environ
    for name in ("SIGNET_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return _known(environment[name])
    return _known((locale.getlocale()[0] or "en").replace(" ", "-"))


def _loaded() -> gettext.NullTranslations:
    global _catalogue
    if _catalogue is None:
        if language() == "en":
            _catalogue = gettext.NullTranslations()
        else:
            _catalogue = gettext.translation("signet", LOCALE_FOLDER, [language().replace("-", "_")], fallback=True)
    return _catalogue


# What an operating system says of a file, in lower case, as the lower wings pass it on.
SYSTEM_REASONS = (
    N_("permission denied"),
    N_("read-only file system"),
    N_("not a directory"),
    N_("is a directory"),
    N_("file exists"),
    N_("file name too long"),
    N_("no such file or directory"),
    N_("too many levels of symbolic links"),
    N_("input/output error"),
    N_("operation not permitted"),
    N_("unknown"),
)
# Roles of pictures, as errors of the gate name them.
ROLES = (N_("source"), N_("target"))
