"""What is said of media made elsewhere: by which program, and what kind of making it was."""

from __future__ import annotations

import re
from typing import Final

from compliance.errors import OptionUnfit
from compliance.media import Origin
from engines.engine import Option, Request

ORIGINS: Final[tuple[Origin, ...]] = (
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "compositeSynthetic",
    "algorithmicMedia",
    "algorithmicallyEnhanced",
)
OPTIONS: Final = (
    Option("made_with", "", "The program that made it."),
    Option("origin", ORIGINS[0], "How it was made, as an IPTC source type.", choices=ORIGINS),
)
_NAME = re.compile(r"[\x20-\x7e]{1,80}")


def made_with(request: Request) -> str:
    """The name of the program, 1 to 80 printable ASCII characters; raises OptionUnfit."""
    name = str(request.options.get("made_with", "")).strip()
    if not _NAME.fullmatch(name):
        raise OptionUnfit(option="--made-with", value=name[:80], allowed="1 – 80 ASCII")
    return name


def origin(request: Request) -> Origin:
    """The source type that is claimed; raises OptionUnfit for one that says nothing of AI or rules."""
    said = str(request.options.get("origin", ORIGINS[0]))
    if said not in ORIGINS:
        raise OptionUnfit(option="--origin", value=said[:80], allowed=", ".join(ORIGINS))
    return said
