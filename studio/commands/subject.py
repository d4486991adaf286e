"""signet subject: the people whose likeness is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from compliance.errors import UsageUnclear
from studio.commands.door import JsonOption, PasswordOption, opened, unlocked_if_named, with_keys
from studio.commands.output import Output
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import SubjectView

Age = Literal["adult", "14-17", "under 14"]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help=N_("Id of the person."))]
AgeOption = Annotated[Age | None, typer.Option("--age", help=N_("How old the person is."))]
GuardianOption = Annotated[
    str | None, typer.Option("--guardian", metavar="ID", help=N_("Id of the guardian; needed under 14."))
]
_AGES = (N_("adult"), N_("14-17"), N_("under 14"), N_("not stated"))

group = typer.Typer(help=N_("People whose likeness is used."))


def shown_name(name: str | None) -> str:
    """A person's name, or a word for a name that is sealed while the keys are locked."""
    return name if name is not None else _("(sealed)")


def _rows(subject: SubjectView) -> list[tuple[str, str]]:
    return [
        (_("id"), subject.id),
        (_("name"), _("(erased)") if subject.erased_at else shown_name(subject.name)),
        (_("made on"), subject.created_at[:10]),
        (_("consents"), str(subject.grants)),
        (_("age"), _(subject.age or "not stated")),
    ]


@group.command(help=N_("Add a person."), epilog=N_('Example: signet subject add "Grace Hopper" --age adult'))
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("The person's name; it is kept encrypted."))],
    age: AgeOption = None,
    guardian: GuardianOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a person."""
    with opened(context) as workshop:
        subject = with_keys(workshop, password_file, lambda: workshop.add_subject(name, age=age, guardian=guardian))
    Output(as_json).record(subject, _rows(subject))


@group.command(
    "list",
    help=N_("All people; names are shown while the keys are open."),
    epilog=N_("Example: signet subject list --json"),
)
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


@group.command(help=N_("One person."), epilog=N_("Example: signet subject show sub-0123456789"))
def show(
    context: typer.Context,
    subject_id: IdArgument,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """One person."""
    with opened(context) as workshop:
        unlocked_if_named(workshop, password_file)
        subject = workshop.subject(subject_id)
    Output(as_json).record(subject, _rows(subject))


@group.command(
    help=N_("Erase what is kept about a person: consents end, evidence, templates and the person's key are destroyed."),
    epilog=N_("Example: signet subject erase sub-0123456789 --yes"),
)
def erase(
    context: typer.Context,
    subject_id: IdArgument,
    yes: Annotated[bool, typer.Option("--yes", help=N_("Do it; it cannot be undone."))] = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a person."""
    output = Output(as_json)
    if not yes:
        raise UsageUnclear(problem=_("Erasing cannot be undone; say --yes to do it."), command=context.command_path)
    with opened(context) as workshop:
        releases = with_keys(workshop, password_file, lambda: workshop.erase_subject(subject_id))
    output.data({"erased": subject_id, "take_down": releases})
    output.line(_("What was kept about {subject} is erased.", subject=subject_id))
    if releases:
        output.line(_("These files were released with their likeness; take them down wherever they are:"))
        for release in releases:
            output.line(f"  {release.id}  {release.path}")
