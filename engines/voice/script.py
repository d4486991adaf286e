"""Scripts: who says what, a line for each speech.

    # lines like this one are left out
    Anna: Good morning.
    Bo: Good morning, Anna.
      And good luck.

A line without a name goes on with the speech before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from compliance.errors import ScriptUnclear, TextEmpty, TextTooLong
from engines.voice.text import LONGEST_TEXT

MOST_SPEAKERS: Final = 24
_LINE = re.compile(r"\s*([^\W\d_](?:[^:：<>\n]{0,38}[^:：<>\s])?)\s*[:：](?!//)\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Speech:
    """What one speaker says before the next one does. line: where it begins, from 1."""

    speaker: str
    text: str
    line: int


def read_script(text: str) -> tuple[Speech, ...]:
    """The speeches of a script in order; raises ScriptUnclear, TextEmpty, TextTooLong."""
    if len(text) > LONGEST_TEXT:
        raise TextTooLong(characters=len(text), limit=LONGEST_TEXT)
    speeches: list[Speech] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = None if line[:1].isspace() and speeches else _LINE.fullmatch(line)
        if found is not None:
            speeches.append(Speech(" ".join(found[1].split()), found[2].strip(), number))
        elif speeches:
            last = speeches[-1]
            speeches[-1] = replace(last, text=f"{last.text}\n{line.strip()}".strip())
        else:
            raise ScriptUnclear(line=number, reason="it names no speaker")
    if not speeches:
        raise TextEmpty(reason="no words were given")
    for speech in speeches:
        if not speech.text:
            raise ScriptUnclear(line=speech.line, reason="the speaker says nothing")
    if len({speech.speaker for speech in speeches}) > MOST_SPEAKERS:
        raise ScriptUnclear(line=1, reason=f"there are more than {MOST_SPEAKERS} speakers")
    return tuple(speeches)
