"""What the readers of documents share: names of the fields, the look of a notice, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FIELD, SOURCE, SYSTEM, SYSTEM_VERSION = "AIGC", "DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"
NOTICE_UNDRAWN: Final = "a notice is not drawn as it has to be"
NOTICE_ATTRIBUTE: Final = "data-aigc-notice"
NOTICE_STYLE: Final = (
    "all:initial!important;display:block!important;visibility:visible!important;opacity:1!important;"
    "position:relative!important;z-index:2147483647!important;font:16px/1.5 sans-serif!important;color:#000!important;"
    "background:#fff!important;border:1px solid #000!important;padding:8px!important;clear:both!important;"
    "min-width:18em!important;direction:ltr!important;unicode-bidi:isolate!important"
)
"""The style of a notice in HTML: nothing that a style sheet says about it counts. The keyword all leaves the direction
out, so it is said by itself."""


@dataclass
class Found:
    """What a reader finds. first, last: what a reader of the document sees first and last; see DocumentContainer."""

    first: str = ""
    last: str = ""
    aigc: list[bytes] = field(default_factory=list)
    sources: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


class Broken(Exception):
    """The bytes break the format; args[0] is the reason."""
