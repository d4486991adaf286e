"""signet settings: what the drawn label looks like."""

from __future__ import annotations

from typing import Annotated

import typer

from compliance.errors import OptionUnfit
from compliance.labels.styles import rule_for
from studio.commands.door import JsonOption, opened
from studio.commands.output import Output
from studio.settings import FIELDS, Settings
from studio.text import N_, _

group = typer.Typer(help=N_("Settings: the look of the label, which may only add to what the rules ask for."))

_FIELDS = {"--style": "label_style", "--position": "label_position", "--jurisdiction": "label_jurisdiction"}


@group.command(
    help=N_("Show or choose the look of the drawn label: it may only add to what the rules ask for."),
    epilog=N_("Example: signet settings label --style large --jurisdiction EU"),
)
def label(
    context: typer.Context,
    style: Annotated[
        str | None, typer.Option("--style", metavar="NAME", help=N_("standard, light, dark, large or eu."))
    ] = None,
    position: Annotated[
        str | None,
        typer.Option("--position", metavar="PLACE", help=N_("auto, bottom-right, bottom-left, top-right or top-left.")),
    ] = None,
    jurisdiction: Annotated[
        str | None, typer.Option("--jurisdiction", metavar="CODE", help=N_("ALL, CN, EU, US-CA, IN or KR."))
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show or choose."""
    asked = {"--style": style, "--position": position, "--jurisdiction": jurisdiction}
    chosen = {option: value for option, value in asked.items() if value is not None}
    fields = {field.name: field for field in FIELDS}
    for option, value in chosen.items():
        field = fields[_FIELDS[option]]
        if not field.accepts(value):
            raise OptionUnfit(option=option, value=value[:80], allowed=", ".join(field.choices))
    with opened(context) as workshop:
        settings = Settings(workshop.home)
        if chosen:
            settings.update({_FIELDS[option]: value for option, value in chosen.items()})
    choice = settings.label()
    rule = rule_for(choice.jurisdiction)
    output = Output(as_json)
    output.data(
        {
            "style": choice.style,
            "position": choice.position,
            "jurisdiction": choice.jurisdiction,
            "layers": sorted(rule.layers),
            "source": rule.source,
        }
    )
    output.line(_("Style: {name}", name=choice.style))
    output.line(_("Position: {name}", name=choice.position))
    output.line(_("Rules: {name} ({source})", name=choice.jurisdiction, source=rule.source))
