"""signet ledger: the append-only record of this home."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from compliance.errors import TargetExists
from studio.commands.door import JsonOption, opened
from studio.commands.output import Output
from studio.text import N_, _

group = typer.Typer(help=N_("The ledger: what happened here."))


@group.command(help=N_("Check every entry and the root."))
def verify(context: typer.Context, as_json: JsonOption = False) -> None:
    """Check the ledger."""
    output = Output(as_json)
    with opened(context) as workshop:
        entries, root = workshop.verify_ledger()
    output.data({"entries": entries, "root": root, "verdict": "intact"})
    output.line(_("The ledger holds together: {entries} entries, root {root}.", entries=entries, root=root))


@group.command(help=N_("Show entries."))
def show(
    context: typer.Context,
    start: Annotated[int, typer.Option("--from", min=0, metavar="N", help=N_("First entry; they count from 0."))] = 0,
    stop: Annotated[
        int | None, typer.Option("--to", min=0, metavar="N", help=N_("Last entry; the end when left out."))
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show entries."""
    with opened(context) as workshop:
        entries = workshop.ledger_entries(start, None if stop is None else stop + 1)
    Output(as_json).table(
        (_("entry"), _("content")),
        [
            (
                str(entry.get("index", start + place)),
                json.dumps({key: value for key, value in entry.items() if key != "index"}, ensure_ascii=False),
            )
            for place, entry in enumerate(entries)
        ],
        entries,
        _("There are no entries here."),
    )


@group.command(help=N_("Write all entries as JSON lines, for keeping elsewhere."))
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=N_("Where the entries go."))],
    overwrite: Annotated[bool, typer.Option("--overwrite", help=N_("Replace a file that is already there."))] = False,
    as_json: JsonOption = False,
) -> None:
    """Export the ledger."""
    output = Output(as_json)
    if os.path.lexists(out) and not overwrite:
        raise TargetExists(path=out)
    with opened(context) as workshop:
        count = workshop.export_ledger(out)
    output.data({"path": out, "entries": count})
    output.line(_("{entries} entries are in {path}.", entries=count, path=out))
