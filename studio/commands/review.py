"""signet review: what looks at words and pictures in this home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.output import Output
from studio.text import N_, _, sentences

if TYPE_CHECKING:
    from studio.review import ReviewView

group = typer.Typer(help=N_("The review: which lists, rules and classifier look at words and pictures."))


def _show(output: Output, view: ReviewView) -> None:
    problem = sentences(view.problem)[0] if view.problem is not None else ""
    output.record(
        {
            "lists": list(view.lists),
            "lists_sha256": view.lists_sha256,
            "rules": view.rules,
            "classifier": view.classifier or None,
            "classifier_sha256": view.classifier_sha256 or None,
            "problem": view.problem.name if view.problem is not None else None,
        },
        [
            (_("lists of words"), ", ".join(view.lists)),
            (_("rules for pictures"), _("built-in rules; they are rough and only ask a reviewer")),
            (_("classifier"), view.classifier or _("none; the built-in rules alone look at pictures")),
            *([(_("problem"), problem)] if problem else []),
        ],
    )


@group.command(help=N_("What looks at words and pictures now."), epilog=N_("Example: signet review show --json"))
def show(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the review."""
    with opened(context) as workshop:
        view = workshop.review.state()
    _show(Output(as_json), view)
    if view.problem is not None:
        raise view.problem


@group.command(
    help=N_("Every phrase that is looked for in words, and what follows when it is found."),
    epilog=N_("Example: signet review words --json"),
)
def words(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the phrases."""
    with opened(context) as workshop:
        found = workshop.review.words()
    Output(as_json).table(
        (_("list"), _("rule"), _("phrase"), _("category"), _("what follows")),
        [(one.list_id, one.rule, one.text, one.category, one.severity) for one in found],
        found,
        "",
    )


@group.command(
    help=N_("Let a classifier pack look at every picture, as an admin; what it is sure of is stopped."),
    epilog=N_("Example: signet review use my-classifier; to go back: signet review use --built-in"),
)
def use(
    context: typer.Context,
    pack: Annotated[
        str | None, typer.Argument(metavar="PACK", help=N_("Id of a pack of the kind content-classifier."))
    ] = None,
    built_in: Annotated[bool, typer.Option("--built-in", help=N_("Only the built-in rules from now on."))] = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the classifier."""
    from compliance.errors import UsageUnclear

    if (pack is None) != built_in:
        raise UsageUnclear(problem=_("give a pack, or --built-in"), command="signet review use")
    with opened(context) as workshop:
        view = with_keys(workshop, password_file, lambda: workshop.review.choose(pack))
    _show(Output(as_json), view)
