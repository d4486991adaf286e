"""What a person reads before they consent: texts with version and digest, in both languages, for each likeness."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

LANGUAGES = ("zh-CN", "en")
_VERSION = re.compile(r"<!-- version: ([\w.-]+) -->\n")


@dataclass(frozen=True, slots=True)
class Notice:
    """One text. text: Markdown without the line of the version; sha256 (hex): of the whole file."""

    likeness: str
    language: str
    version: str
    text: str
    sha256: str

    def to_record(self, shown_at: str | None) -> dict[str, Any]:
        """What a record says of the text; shown_at None: nobody says that it was read."""
        return {
            "likeness": self.likeness,
            "version": self.version,
            "language": self.language,
            "text_sha256": self.sha256,
            "shown_at": shown_at,
        }


def notice(likeness: Literal["face", "voice"], language: str) -> Notice:
    """The text in a language of LANGUAGES; any other language gets the English one."""
    language = language if language in LANGUAGES else "en"
    data = resources.files("resources").joinpath("notices", f"{likeness}.{language}.md").read_bytes()
    text = data.decode()
    found = _VERSION.match(text)
    assert found is not None, "a notice begins with its version"
    return Notice(likeness, language, found[1], text[found.end() :], hashlib.sha256(data).hexdigest())
