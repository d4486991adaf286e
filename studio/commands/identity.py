"""signet identity: who the people behind the accounts are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.member import (
    NameArgument,
    NewPasswordOption,
    OwnNameArgument,
    ProposalArgument,
    tell,
    tell_proposal,
    tell_proposals,
)
from studio.commands.output import Output
from studio.commands.password import ask_new_password, read_line
from studio.text import N_, _

group = typer.Typer(help=N_("Identity: who the people behind the accounts are."))

NumberOption = Annotated[
    str | None,
    typer.Option(
        "--number-file",
        metavar="FILE",
        help=N_("Read the resident ID number or social credit code from here (- is the standard input); not kept."),
    ),
]
SettingsOption = Annotated[
    Path, typer.Option("--settings", metavar="FILE", help=N_("What was agreed on with the provider, as JSON."))
]
FullNameArgument = Annotated[str, typer.Argument(metavar="FULL-NAME", help=N_("The full name, as on the document."))]


def _number(file: str | None) -> str | None:
    return read_line(file) if file is not None else None


@group.command(
    help=N_("Level self: your own declaration of name and number; the number is checked and not kept."),
    epilog=N_("Example: signet identity declare 'Maria Example' --number-file -"),
)
def declare(
    context: typer.Context,
    name: FullNameArgument,
    number_file: NumberOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Declare oneself."""
    with opened(context) as workshop:
        number = _number(number_file)
        member = with_keys(workshop, password_file, lambda: workshop.members.declare(name, number))
    tell(Output(as_json), member)


@group.command(
    help=N_("Level L1: say, as an admin, that you saw this person with a document; a second person confirms it."),
    epilog=N_("Example: signet identity attest paul 'Paul Example' --document passport"),
)
def attest(
    context: typer.Context,
    account: NameArgument,
    name: FullNameArgument,
    document: Annotated[
        str,
        typer.Option(
            "--document",
            metavar="KIND",
            help=N_("resident_card, passport, residence_permit, business_licence or other_official."),
        ),
    ] = "resident_card",
    number_file: NumberOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Attest another person."""
    with opened(context) as workshop:
        number = _number(number_file)
        made = with_keys(workshop, password_file, lambda: workshop.members.attest(account, document, name, number))
    tell_proposal(Output(as_json), made)


@group.command(
    help=N_("Confirm, as the second person, what an admin attested; a rebound account gets its new password here."),
    epilog=N_("Example: signet identity confirm two-0a1b2c3d4e"),
)
def confirm(
    context: typer.Context,
    proposal: ProposalArgument,
    new_password_file: NewPasswordOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm as the second person."""
    with opened(context) as workshop:
        waiting = next((one for one in workshop.members.proposals() if one.id == proposal), None)
        password = None
        if waiting is not None and waiting.kind == "rebind":
            password = ask_new_password(new_password_file, waiting.account)
        member = with_keys(workshop, password_file, lambda: workshop.members.confirm(proposal, password))
    tell(Output(as_json), member)


@group.command(
    help=N_(
        "Give an account a new password after its person was seen; a second person confirms it where there is one."
    ),
    epilog=N_("Example: signet identity rebind paul"),
)
def rebind(
    context: typer.Context,
    account: NameArgument,
    new_password_file: NewPasswordOption = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bind an account to its person again."""
    output = Output(as_json)
    with opened(context) as workshop:
        members = workshop.members
        if members.can_rebind_alone(account):
            password = ask_new_password(new_password_file, account)
            tell(output, with_keys(workshop, password_file, lambda: members.rebind(account, password)))
        else:
            tell_proposal(output, with_keys(workshop, password_file, lambda: members.propose_rebinding(account)))


@group.command(
    help=N_("Level L2: sign in with the studio's OpenID provider in a browser on this machine."),
    epilog=N_("Example: signet identity oidc --settings provider.json"),
)
def oidc(
    context: typer.Context,
    settings: SettingsOption,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove oneself with a provider."""
    output = Output(as_json)

    def show(address: str) -> None:
        output.data({"open": address})
        output.line(_("Open this address in a browser on this machine:"))
        output.line(address)

    with opened(context) as workshop:
        member = with_keys(workshop, password_file, lambda: workshop.members.prove_with_provider(settings, show))
    tell(output, member)


@group.command(
    help=N_("Level L3: the result of the national network identity, for a credential from your own app."),
    epilog=N_("Example: signet identity national --settings service.json --credential-file -"),
)
def national(
    context: typer.Context,
    settings: SettingsOption,
    credential_file: Annotated[
        str, typer.Option("--credential-file", metavar="FILE", help=N_("The credential; - is the standard input."))
    ],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove oneself with the national service."""
    with opened(context) as workshop:
        credential = read_line(credential_file)
        member = with_keys(workshop, password_file, lambda: workshop.members.prove_with_national(settings, credential))
    tell(Output(as_json), member)


@group.command(
    help=N_("The proof of identity of an account, and what waits for a second person."),
    epilog=N_("Example: signet identity show maria --json"),
)
def show(
    context: typer.Context,
    name: OwnNameArgument = None,
    as_json: JsonOption = False,
) -> None:
    """Show proofs."""
    output = Output(as_json)
    with opened(context) as workshop:
        member, proposals = workshop.members.member(name), workshop.members.proposals()
    tell(output, member)
    if proposals:
        tell_proposals(output, proposals)
