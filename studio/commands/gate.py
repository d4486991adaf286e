"""signet gate: ask the gate what it would say, rule by rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from compliance.errors import FileMissing, RequestUnreadable
from studio.commands.door import JsonOption, opened
from studio.commands.face import show_rules
from studio.commands.output import Output
from studio.text import N_

group = typer.Typer(help=N_("The gate: what it says to a request, and why."))


@group.callback()
def _only_one_command_so_far() -> None:
    pass


@group.command(
    help=N_("Ask every rule about a request; nothing is made and no permit is given."),
    epilog=N_("Example: signet gate explain request.json --json"),
)
def explain(
    context: typer.Context,
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help=N_("A request as JSON."))],
    as_json: JsonOption = False,
) -> None:
    """Explain a request."""
    from engines.engine import Request

    try:
        asked = Request.from_json(json.loads(request.read_bytes()))
        asked.claim()
    except FileNotFoundError as error:
        raise FileMissing(path=request) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestUnreadable(path=request) from error
    with opened(context) as workshop:
        show_rules(Output(as_json), workshop.explain(asked))
