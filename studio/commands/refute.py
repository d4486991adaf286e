"""signet refute: what is claimed with a release of ours is not true."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.output import Output
from studio.text import N_, _


def refute(
    context: typer.Context,
    release_id: Annotated[str, typer.Argument(metavar="ID", help=N_("Id of the release."))],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help=N_("Why, for the public; it stands in the notice."))
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help=N_("Where the notice goes, as .json and .txt."))
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refute a release."""
    from compliance.storage import refuse_taken

    if out is not None:
        refuse_taken(out, ".json", ".txt")
    with opened(context) as workshop:
        notice = with_keys(workshop, password_file, lambda: workshop.casework.refute(release_id, reason, out))
    output = Output(as_json)
    output.data(notice.content)
    for line in notice.text.splitlines():
        output.line(line)
    output.line(_("`signet verify` says so of this release from now on."))
