"""signet demo: the whole way once, with the bundled portraits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.commands.door import JsonOption, call_of, home_folder
from studio.commands.output import Output
from studio.text import N_, _


def demo(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help=N_("Folder for the files; made when it is not there."))
    ] = Path("demo-output"),
    as_json: JsonOption = False,
) -> None:
    """Run the demo."""
    output = Output(as_json)
    output.data({"event": "started"})
    output.line(_("Signet demo: two public-domain portraits, a painted scene, two spoken sentences: verified files."))
    from studio.demo import run_demo

    run_demo(home_folder(call_of(context).home), out, output)
