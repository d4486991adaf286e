"""signet account: who works here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from studio.commands import member
from studio.commands.door import CodeOption, JsonOption, PasswordOption, opened, with_code, with_keys
from studio.commands.member import NameArgument, OwnNameArgument, signed_in
from studio.commands.output import Output
from studio.commands.password import ask_new_password, ask_password
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import AccountView

group = typer.Typer(help=N_("Accounts: who works here."))
group.add_typer(member.totp, name="totp")
group.add_typer(member.role, name="role")
group.add_typer(member.profile, name="profile")


def _proof(account: AccountView) -> str:
    if account.level == "none":
        return _("none")
    return _("{level}, until {day}", level=account.level, day=str(account.proof_until)[:10])


@group.command(
    help=N_("Make an account; the first one looks after the others, which need an admin who is signed in."),
    epilog=N_("Example: signet account create maria --declare 'Maria Example'"),
)
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


@group.command("list", help=N_("All accounts."), epilog=N_("Example: signet account list --json"))
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


@group.command(help=N_("Sign in."), epilog=N_("Example: signet account login maria --password-file secret.txt"))
def login(
    context: typer.Context,
    name: NameArgument,
    password_file: PasswordOption = None,
    code: CodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign in."""
    output = Output(as_json)
    with opened(context) as workshop:
        password = ask_password(password_file, name)
        session = with_code(name, code, lambda digits: workshop.login(name, password, digits))
    output.data(session)
    output.line(_("{account} is signed in until {time}.", account=session.username, time=session.expires_at))
    if not session.verified:
        output.line(_("Nothing can be released before the operator's declaration: `signet account declare`."))


@group.command(help=N_("Sign out and forget the opened keys."), epilog=N_("Example: signet account logout"))
def logout(context: typer.Context, as_json: JsonOption = False) -> None:
    """Sign out."""
    output = Output(as_json)
    with opened(context) as workshop:
        workshop.logout()
    output.data({"signed_in": False})
    output.line(_("Nobody is signed in."))


@group.command(
    help=N_("Declare the operator's full name: the first proof of identity, for 12 months."),
    epilog=N_("Example: signet account declare 'Maria Example'"),
)
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


@group.command(
    help=N_("An account: its roles, its proof of identity, its second factor."),
    epilog=N_("Example: signet account show maria"),
)
def show(
    context: typer.Context,
    name: OwnNameArgument = None,
    as_json: JsonOption = False,
) -> None:
    """Show one account."""
    with opened(context) as workshop:
        found = workshop.members.member(name)
    member.tell(Output(as_json), found)


@group.command(
    help=N_("Open the keys of the session with the password."),
    epilog=N_("Example: signet account unlock --password-file -"),
)
def unlock(
    context: typer.Context, password_file: PasswordOption = None, code: CodeOption = None, as_json: JsonOption = False
) -> None:
    """Open the keys."""
    output = Output(as_json)
    with opened(context) as workshop:
        name = signed_in(workshop)
        session = workshop.unlock(ask_password(password_file, name), code)
    output.data(session)
    output.line(_("The keys of {account} are open.", account=session.username))


@group.command(help=N_("Close the keys now; the password opens them."), epilog=N_("Example: signet account lock"))
def lock(context: typer.Context, as_json: JsonOption = False) -> None:
    """Close the keys."""
    output = Output(as_json)
    with opened(context) as workshop:
        name = signed_in(workshop)
        workshop.members.lock()
    output.data({"account": name, "unlocked": False})
    output.line(_("The keys of {account} are closed.", account=name))


@group.command(
    "step-up",
    help=N_("Give the password again before a step that wants it fresh, such as a release."),
    epilog=N_("Example: signet account step-up --code 123456"),
)
def step_up(
    context: typer.Context, password_file: PasswordOption = None, code: CodeOption = None, as_json: JsonOption = False
) -> None:
    """Show the password again."""
    output = Output(as_json)
    with opened(context) as workshop:
        name = signed_in(workshop)
        password = ask_password(password_file, name)
        with_code(name, code, lambda digits: workshop.members.step_up(password, digits))
        minutes = workshop.members.profile().step_up_s // 60
    output.data({"account": name, "stepped_up": True, "minutes": minutes})
    output.line(_("The password of {account} holds for {minutes} minutes.", account=name, minutes=minutes))


@group.command(
    help=N_("Change the password; every session of the account ends."),
    epilog=N_("Example: signet account password --password-file old.txt --new-password-file new.txt"),
)
def password(
    context: typer.Context,
    password_file: PasswordOption = None,
    new_password_file: member.NewPasswordOption = None,
    code: CodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the password."""
    output = Output(as_json)
    with opened(context) as workshop:
        name = signed_in(workshop)
        old = ask_password(password_file, name)
        new = ask_new_password(new_password_file, name)
        with_code(name, code, lambda digits: workshop.members.change_password(old, new, digits))
    output.data({"account": name, "changed": True})
    output.line(_("The password of {account} is changed; sign in with the new one.", account=name))


@group.command(
    help=N_("Close your account for good: its name and all that is sealed for it can be read by nobody afterwards."),
    epilog=N_("Example: signet account close --yes"),
)
def close(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help=N_("Do it; without this only what would happen is said."))] = False,
    password_file: PasswordOption = None,
    code: CodeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close the account."""
    output = Output(as_json)
    with opened(context) as workshop:
        name = signed_in(workshop)
        if yes:
            secret = ask_password(password_file, name)
            with_code(name, code, lambda digits: workshop.members.close_account(secret, digits))
    output.data({"account": name, "closed": yes})
    if yes:
        output.line(_("The account {account} is closed.", account=name))
    else:
        output.line(_("{account} would be closed for good; entries and released files stay. Add --yes.", account=name))
