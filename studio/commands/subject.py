"""signet subject: the people whose likeness is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, unlocked_if_named, with_keys
from studio.commands.output import Output
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import SubjectView

group = typer.Typer(help=N_("People whose likeness is used."))


def shown_name(name: str | None) -> str:
    """A person's name, or a word for a name that is sealed while the keys are locked."""
    return name if name is not None else _("(sealed)")


def _rows(subject: SubjectView) -> list[tuple[str, str]]:
    return [
        (_("id"), subject.id),
        (_("name"), shown_name(subject.name)),
        (_("made on"), subject.created_at[:10]),
        (_("consents"), str(subject.grants)),
    ]


@group.command(help=N_("Add a person."))
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("The person's name; it is kept encrypted."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a person."""
    with opened(context) as workshop:
        subject = with_keys(workshop, password_file, lambda: workshop.add_subject(name))
    Output(as_json).record(subject, _rows(subject))


@group.command("list", help=N_("All people; names are shown while the keys are open."))
def list_(context: typer.Context, password_file: PasswordOption = None, as_json: JsonOption = False) -> None:
    """All people."""
    with opened(context) as workshop:
        unlocked_if_named(workshop, password_file)
        subjects = workshop.subjects()
    Output(as_json).table(
        (_("id"), _("name"), _("made on"), _("consents")),
        [(item.id, shown_name(item.name), item.created_at[:10], str(item.grants)) for item in subjects],
        subjects,
        _("There is nobody yet; add a person with `signet subject add NAME`."),
    )


@group.command(help=N_("One person."))
def show(
    context: typer.Context,
    subject_id: Annotated[str, typer.Argument(metavar="ID", help=N_("Id of the person."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """One person."""
    with opened(context) as workshop:
        unlocked_if_named(workshop, password_file)
        subject = workshop.subject(subject_id)
    Output(as_json).record(subject, _rows(subject))
