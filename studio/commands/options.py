"""Options that commands of several groups take, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.text import N_

OverwriteOption = Annotated[bool, typer.Option("--overwrite", help=N_("Replace a file that is already there."))]
PictureOutOption = Annotated[
    Path,
    typer.Option("--out", metavar="FILE", help=N_("Where the result goes: .png, .jpg, .webp, .tif, .gif or .avif.")),
]
SoundOutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help=N_("Where the sound goes: .wav, .flac, .mp3, .m4a, .ogg."))
]
PurposeOption = Annotated[
    str, typer.Option("--purpose", metavar="PURPOSE", help=N_("What it is for; the consents must allow it."))
]
UseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--use",
        metavar="USE",
        help=N_("Say if the result is political, sexual, an endorsement, a testimony or for minors."),
    ),
]
TerritoryOption = Annotated[str, typer.Option("--territory", metavar="CC", help=N_("Where it will be used."))]
ProjectOption = Annotated[str, typer.Option("--project", metavar="NAME", help=N_("What it will be used for."))]
ExplainOption = Annotated[bool, typer.Option("--explain", help=N_("Ask the gate rule by rule and make nothing."))]
