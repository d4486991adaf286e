"""signet consent: who allows what until when."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studio.commands.door import (
    JsonOption,
    PasswordOption,
    opened,
    split_words,
    unlocked_if_named,
    with_keys,
)
from studio.commands.output import Output
from studio.commands.subject import shown_name
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import GrantView

group = typer.Typer(help=N_("Consents: who allows what until when."))

IdArgument = Annotated[str, typer.Argument(metavar="ID", help=N_("Id of the consent."))]
_PURPOSES = (
    N_("private"),
    N_("film"),
    N_("advertising"),
    N_("education"),
    N_("research"),
    N_("satire"),
)
_STATES = (N_("live"), N_("not yet"), N_("expired"), N_("withdrawn"))


def purposes_text(purposes: tuple[str, ...]) -> str:
    """Purposes as one text in the reader's language."""
    return ", ".join(_(purpose) for purpose in purposes)


def _rows(grant: GrantView) -> list[tuple[str, str]]:
    rows = [
        (_("id"), grant.id),
        (_("person"), f"{shown_name(grant.subject_name)} ({grant.subject_id})"),
        (_("likeness"), _(grant.likeness)),
        (_("purposes"), purposes_text(grant.purposes)),
        (_("from"), grant.valid_from),
        (_("until"), grant.valid_until),
        (_("state"), _(grant.state)),
        (_("SHA-256 of the picture"), grant.asset_sha256),
        (_("SHA-256 of the evidence"), grant.evidence_sha256 or _("none")),
        (_("recorded on"), grant.recorded_at),
        (_("ledger entry"), str(grant.ledger_index)),
    ]
    if grant.withdrawn_at:
        rows.append((_("withdrawn on"), grant.withdrawn_at))
    return rows


@group.command(help=N_("Record a person's consent for one picture."))
def record(
    context: typer.Context,
    subject_id: Annotated[str, typer.Option("--subject", metavar="ID", help=N_("Id of the person."))],
    picture: Annotated[
        Path, typer.Option("--picture", metavar="FILE", help=N_("The picture the consent is for, by its exact bytes."))
    ],
    purposes: Annotated[
        list[str],
        typer.Option(
            "--purpose",
            metavar="PURPOSE",
            help=N_(
                "What it may be used for: private, film, advertising, education, research, satire; "
                "several times or with commas."
            ),
        ),
    ],
    until: Annotated[
        datetime,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DATE", help=N_("Last day; at most 12 months later.")),
    ],
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help=N_("First day; today when left out.")),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="FILE", help=N_("The signed paper or message; kept encrypted.")),
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a consent."""
    first_day = since.date() if since else date.today()
    with opened(context) as workshop:
        grant = with_keys(
            workshop,
            password_file,
            lambda: workshop.record_consent(
                subject_id, picture, split_words(purposes), first_day, until.date(), evidence=evidence
            ),
        )
    Output(as_json).record(grant, _rows(grant))


@group.command("list", help=N_("All consents, or those of one person."))
def list_(
    context: typer.Context,
    subject_id: Annotated[str | None, typer.Option("--subject", metavar="ID", help=N_("Id of the person."))] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """All consents."""
    with opened(context) as workshop:
        unlocked_if_named(workshop, password_file)
        grants = workshop.grants(subject_id)
    Output(as_json).table(
        (_("id"), _("person"), _("purposes"), _("from"), _("until"), _("state")),
        [
            (
                grant.id,
                shown_name(grant.subject_name),
                purposes_text(grant.purposes),
                grant.valid_from,
                grant.valid_until,
                _(grant.state),
            )
            for grant in grants
        ],
        grants,
        _("There is no consent yet; record one with `signet consent record`."),
    )


@group.command(help=N_("One consent."))
def show(
    context: typer.Context, grant_id: IdArgument, password_file: PasswordOption = None, as_json: JsonOption = False
) -> None:
    """One consent."""
    with opened(context) as workshop:
        unlocked_if_named(workshop, password_file)
        grant = workshop.grant(grant_id)
    Output(as_json).record(grant, _rows(grant))


@group.command(help=N_("Withdraw a consent for good and list what was released under it."))
def withdraw(
    context: typer.Context,
    grant_id: IdArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=N_("Why, for your own records."))] = "",
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a consent."""
    output = Output(as_json)
    with opened(context) as workshop:
        releases = with_keys(workshop, password_file, lambda: workshop.withdraw_consent(grant_id, reason))
    output.data({"withdrawn": grant_id, "take_down": releases})
    output.line(_("Consent {consent} is withdrawn.", consent=grant_id))
    if releases:
        output.line(_("These files were released under it; take them down wherever they are:"))
        for release in releases:
            output.line(f"  {release.id}  {release.path}")
    else:
        output.line(_("Nothing was released under it."))
