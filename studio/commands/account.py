"""signet account: who works here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.output import Output
from studio.commands.password import ask_password
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import AccountView

group = typer.Typer(help=N_("Accounts: who works here."))

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=N_("Name of the account."))]


def _proof(account: AccountView) -> str:
    if account.level == "none":
        return _("none")
    return _("{level}, until {day}", level=account.level, day=str(account.proof_until)[:10])


@group.command(help=N_("Make an account; a second one needs somebody who is signed in."))
def create(
    context: typer.Context,
    name: NameArgument,
    declare: Annotated[
        str | None,
        typer.Option(
            "--declare",
            metavar="FULL-NAME",
            help=N_("Declare the operator's full name at once: the first proof of identity."),
        ),
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account."""
    output = Output(as_json)
    with opened(context) as workshop:
        password = ask_password(password_file, name, confirm=True)
        account = with_keys(workshop, None, lambda: workshop.create_account(name, password, declare))
    output.data(account)
    output.line(_("The account {account} is made.", account=account.username))
    if account.level == "none":
        output.line(_("Nothing can be released before the operator's declaration: `signet account declare`."))
    output.line(_("Sign in with `signet account login {account}`.", account=account.username))


@group.command("list", help=N_("All accounts."))
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """All accounts."""
    with opened(context) as workshop:
        accounts = workshop.accounts()
    Output(as_json).table(
        (_("account"), _("made on"), _("proof of identity"), _("signed in")),
        [
            (account.username, account.created_at[:10], _proof(account), _("yes") if account.signed_in else _("no"))
            for account in accounts
        ],
        accounts,
        _("There is no account yet; make one with `signet account create NAME`."),
    )


@group.command(help=N_("Sign in."))
def login(
    context: typer.Context, name: NameArgument, password_file: PasswordOption = None, as_json: JsonOption = False
) -> None:
    """Sign in."""
    output = Output(as_json)
    with opened(context) as workshop:
        session = workshop.login(name, ask_password(password_file, name))
    output.data(session)
    output.line(_("{account} is signed in until {time}.", account=session.username, time=session.expires_at))
    if not session.verified:
        output.line(_("Nothing can be released before the operator's declaration: `signet account declare`."))


@group.command(help=N_("Sign out and forget the opened keys."))
def logout(context: typer.Context, as_json: JsonOption = False) -> None:
    """Sign out."""
    output = Output(as_json)
    with opened(context) as workshop:
        workshop.logout()
    output.data({"signed_in": False})
    output.line(_("Nobody is signed in."))


@group.command(help=N_("Declare the operator's full name: the first proof of identity, for 12 months."))
def declare(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FULL-NAME", help=N_("The operator's full name."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record the operator's own declaration."""
    output = Output(as_json)
    with opened(context) as workshop:
        account = with_keys(workshop, password_file, lambda: workshop.declare(name))
    output.data(account)
    output.line(_("Proof of identity of {account}: {proof}.", account=account.username, proof=_proof(account)))
