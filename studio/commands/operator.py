"""signet operator and signet about: who offers this studio, and what accounts agree to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.output import Output
from studio.text import N_, _, language

if TYPE_CHECKING:
    from compliance.operator_profile import OperatorProfile

group = typer.Typer(help=N_("The operator: who offers this studio, and the service agreement."))

_FIELDS = (
    N_("name"),
    N_("credit code"),
    N_("producer code"),
    N_("filing number"),
    N_("filing link"),
    N_("contact"),
    N_("complaint hours"),
    N_("complaint days"),
)


def _rows(profile: OperatorProfile | None) -> list[tuple[str, str]]:
    values = asdict(profile) if profile else {}
    rows = [(_(name), str(values.get(name.replace(" ", "_")) or _("not set"))) for name in _FIELDS]
    rows.append((_("service agreement"), _("has to be accepted") if values.get("agreement") else _("not asked for")))
    return rows


@group.command(help=N_("The operator's profile."), epilog=N_("Example: signet operator show --json"))
def show(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the profile."""
    with opened(context) as workshop:
        profile = workshop.casework.operator()
    Output(as_json).record({"operator": asdict(profile) if profile else None}, _rows(profile))


@group.command(
    "set",
    help=N_("Change the operator's profile; what is not named stays, an empty text takes a field away."),
    epilog=N_(
        "Example: signet operator set --name 'Studio' --contact desk@studio.example --complaint-hours 09:00-18:00"
    ),
)
def set_(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help=N_("Name of the operator."))] = None,
    credit_code: Annotated[
        str | None, typer.Option("--credit-code", metavar="CODE", help=N_("Unified social credit code, 18 characters."))
    ] = None,
    producer_code: Annotated[
        str | None,
        typer.Option(
            "--producer-code", metavar="CODE", help=N_("Code of the service provider, 27 characters; goes into labels.")
        ),
    ] = None,
    filing_number: Annotated[
        str | None, typer.Option("--filing-number", metavar="TEXT", help=N_("Filing number of the algorithm."))
    ] = None,
    filing_link: Annotated[
        str | None, typer.Option("--filing-link", metavar="LINK", help=N_("Public address of the filing, https."))
    ] = None,
    contact: Annotated[
        str | None, typer.Option("--contact", metavar="TEXT", help=N_("Where complaints and questions go."))
    ] = None,
    complaint_hours: Annotated[
        str | None, typer.Option("--complaint-hours", metavar="HH:MM-HH:MM", help=N_("When complaints are taken."))
    ] = None,
    complaint_days: Annotated[
        int | None, typer.Option("--complaint-days", metavar="N", help=N_("Working days until an answer, 1 to 15."))
    ] = None,
    agreement: Annotated[
        bool | None,
        typer.Option(
            "--agreement/--no-agreement", help=N_("Accounts accept the service agreement before they release.")
        ),
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the profile."""
    given: dict[str, Any] = {
        "name": name,
        "credit_code": credit_code,
        "producer_code": producer_code,
        "filing_number": filing_number,
        "filing_link": filing_link,
        "contact": contact,
        "complaint_hours": complaint_hours,
        "complaint_days": complaint_days,
        "agreement": agreement,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    with opened(context) as workshop:
        profile = with_keys(workshop, password_file, lambda: workshop.casework.set_operator(**changes))
    Output(as_json).record({"operator": asdict(profile)}, _rows(profile))


@group.command(help=N_("Read the service agreement."), epilog=N_("Example: signet operator agreement"))
def agreement(context: typer.Context, as_json: JsonOption = False) -> None:
    """Read the agreement."""
    with opened(context) as workshop:
        found = workshop.casework.agreement()
    output = Output(as_json)
    output.data({"version": found.version, "sha256": found.sha256, "texts": dict(found.texts)})
    for line in found.texts[language()].splitlines():
        output.line(line)


@group.command(
    help=N_("Accept a version of the service agreement for your own account."),
    epilog=N_("Example: signet operator accept 1"),
)
def accept(
    context: typer.Context,
    version: Annotated[str, typer.Argument(metavar="VERSION", help=N_("The version you have read."))],
    as_json: JsonOption = False,
) -> None:
    """Accept the agreement."""
    with opened(context) as workshop:
        workshop.casework.accept_agreement(version)
    output = Output(as_json)
    output.data({"accepted": version})
    output.line(_("Version {version} of the service agreement is accepted.", version=version))


@group.command(
    help=N_("Replace the certificates that sign releases, as when somebody may have copied the keys."),
    epilog=N_("Example: signet operator renew-certificate"),
)
def renew_certificate(
    context: typer.Context, password_file: PasswordOption = None, as_json: JsonOption = False
) -> None:
    """Replace the certificates."""
    with opened(context) as workshop:
        leaf, root = with_keys(workshop, password_file, workshop.logkeeping.renew_certificate)
    output = Output(as_json)
    output.data({"leaf_until": leaf, "root_until": root})
    output.line(_("Releases are signed with a new certificate from now on, good until {until}.", until=leaf))
    output.line(_("What was released before is still known as this home's own."))


def about(context: typer.Context, as_json: JsonOption = False) -> None:
    """Who made this program and who offers this studio."""
    from compliance.labels.policy import system_version

    with opened(context) as workshop:
        profile = workshop.casework.operator()
    output = Output(as_json)
    output.data({"program": "Signet", "version": system_version(), "operator": asdict(profile) if profile else None})
    output.line(f"Signet {system_version()}")
    output.line(_("Everything this program releases is AI-made and labelled; no label can be switched off."))
    for name, value in _rows(profile):
        output.line(f"{name}: {value}")
