"""signet account totp, role and profile: what belongs to an account beside its password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from compliance.errors import NotSignedIn
from studio.commands.door import CodeOption, JsonOption, PasswordOption, opened, with_keys
from studio.commands.output import Output
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.members import MemberView, ProposalView
    from studio.workshop import Workshop

totp = typer.Typer(help=N_("The second factor: a code from an authenticator."))
role = typer.Typer(help=N_("Roles: what an account may do."))
profile = typer.Typer(help=N_("How long sessions last and rest in this home."))

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=N_("Name of the account."))]
OwnNameArgument = Annotated[str | None, typer.Argument(metavar="[NAME]", help=N_("Who is signed in when left out."))]
RoleArgument = Annotated[
    str, typer.Argument(metavar="ROLE", help=N_("creator, consent_officer, reviewer, auditor or admin."))
]
ProposalArgument = Annotated[str, typer.Argument(metavar="ID", help=N_("Id of the proposal; see `role list`."))]
NewPasswordOption = Annotated[
    str | None,
    typer.Option("--new-password-file", metavar="FILE", help=N_("Read the new password from this file.")),
]


def signed_in(workshop: Workshop) -> str:
    """The name of who is signed in; raises NotSignedIn."""
    session = workshop.session()
    if session is None:
        raise NotSignedIn
    return session.username


def tell(output: Output, member: MemberView) -> None:
    """One account, as JSON or as named values."""
    until = str(member.proof_until)[:10]
    proof = _("none") if member.level == "none" else _("{level}, until {day}", level=member.level, day=until)
    output.record(
        member,
        (
            (_("account"), member.username),
            (_("state"), member.state if member.is_bound else _("waits to be bound again")),
            (_("roles"), ", ".join(member.roles) or _("none")),
            (_("proof of identity"), proof),
            (_("verified by"), ", ".join(member.verified_by) or _("nobody else")),
            (_("second factor"), _("yes") if member.has_factor else _("no")),
        ),
    )


def tell_proposal(output: Output, proposal: ProposalView) -> None:
    """A proposal and what makes it real."""
    output.data(proposal)
    output.line(
        _(
            "Proposed ({kind}: {detail}, for {account}); another person confirms it with `{command}`.",
            kind=proposal.kind,
            detail=proposal.detail,
            account=proposal.account,
            command=f"signet {'account role' if 'role' in proposal.kind else 'identity'} confirm {proposal.id}",
        )
    )


def tell_proposals(output: Output, proposals: list[ProposalView]) -> None:
    """What waits for a second person."""
    output.table(
        (_("id"), _("kind"), _("account"), _("detail"), _("asked by"), _("until")),
        [(one.id, one.kind, one.account, one.detail, one.proposed_by, one.expires_at[:10]) for one in proposals],
        proposals,
        _("Nothing waits for a second person."),
    )


# --- second factor ---------------------------------------------------------------------------------------------------


@totp.command(
    help=N_("Begin: shows the secret for the authenticator, once, as text and as a QR code."),
    epilog=N_("Example: signet account totp enroll, then signet account totp confirm 123456"),
)
def enroll(context: typer.Context, password_file: PasswordOption = None, as_json: JsonOption = False) -> None:
    """Make a secret."""
    output = Output(as_json)
    with opened(context) as workshop:
        made = with_keys(workshop, password_file, workshop.members.enroll_factor)
    output.data({"secret": made.secret, "uri": made.uri})
    if not as_json:
        for line in made.as_text().splitlines():
            output.line(line)
    output.line(_("Secret: {secret}", secret=made.secret))
    output.line(_("It is asked for after `signet account totp confirm CODE`."))


@totp.command(
    help=N_("Show that the authenticator works; from now on its code is asked for."),
    epilog=N_("Example: signet account totp confirm 123456"),
)
def confirm(
    context: typer.Context,
    code: Annotated[str, typer.Argument(metavar="CODE", help=N_("The six digits."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm the secret."""
    output = Output(as_json)
    with opened(context) as workshop:
        with_keys(workshop, password_file, lambda: workshop.members.confirm_factor(code))
    output.data({"second_factor": True})
    output.line(_("The second factor is set up."))


@totp.command(
    help=N_("Take the second factor away; needs a fresh password and a code."),
    epilog=N_("Example: signet account step-up --code 123456 && signet account totp disable"),
)
def disable(
    context: typer.Context, password_file: PasswordOption = None, code: CodeOption = None, as_json: JsonOption = False
) -> None:
    """Take the secret away."""
    output = Output(as_json)
    with opened(context) as workshop:
        if code is not None:
            from studio.commands.password import ask_password

            workshop.members.step_up(ask_password(password_file, signed_in(workshop)), code)
        with_keys(workshop, password_file, workshop.members.disable_factor)
    output.data({"second_factor": False})
    output.line(_("The second factor is taken away."))


# --- roles -----------------------------------------------------------------------------------------------------------


@role.command(
    help=N_("Give a role; where several accounts are active a second person has to confirm it."),
    epilog=N_("Example: signet account role grant paul reviewer"),
)
def grant(
    context: typer.Context,
    name: NameArgument,
    role: RoleArgument,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a role."""
    _change(context, name, role, password_file, as_json, revokes=False)


@role.command(
    help=N_("Take a role away; where several accounts are active a second person has to confirm it."),
    epilog=N_("Example: signet account role revoke paul reviewer"),
)
def revoke(
    context: typer.Context,
    name: NameArgument,
    role: RoleArgument,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a role away."""
    _change(context, name, role, password_file, as_json, revokes=True)


def _change(
    context: typer.Context, name: str, role: str, password_file: str | None, as_json: bool, *, revokes: bool
) -> None:
    output = Output(as_json)
    with opened(context) as workshop:
        change = workshop.members.revoke_role if revokes else workshop.members.grant_role
        proposal = with_keys(workshop, password_file, lambda: change(name, role))
        member = workshop.members.member(name)
    if proposal is not None:
        tell_proposal(output, proposal)
    else:
        tell(output, member)


@role.command(
    "confirm",
    help=N_("Confirm a change of roles that another person proposed."),
    epilog=N_("Example: signet account role confirm two-0a1b2c3d4e"),
)
def confirm_role(
    context: typer.Context,
    proposal: ProposalArgument,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm as the second person."""
    with opened(context) as workshop:
        member = with_keys(workshop, password_file, lambda: workshop.members.confirm(proposal))
    tell(Output(as_json), member)


@role.command(
    "refuse",
    help=N_("Refuse what another person proposed."),
    epilog=N_("Example: signet account role refuse two-0a1b2c3d4e"),
)
def refuse_role(context: typer.Context, proposal: ProposalArgument, as_json: JsonOption = False) -> None:
    """Close a proposal without doing anything."""
    output = Output(as_json)
    with opened(context) as workshop:
        workshop.members.refuse(proposal)
    output.data({"id": proposal, "refused": True})
    output.line(_("{id} is refused.", id=proposal))


@role.command(
    "list",
    help=N_("Who has which role, and what waits for a second person; --table shows what each role allows."),
    epilog=N_("Example: signet account role list --table"),
)
def list_roles(
    context: typer.Context,
    table: Annotated[bool, typer.Option("--table", help=N_("What each role allows."))] = False,
    as_json: JsonOption = False,
) -> None:
    """Show roles."""
    output = Output(as_json)
    if table:
        from compliance.roles import TABLE, Role

        rows = [(role.value, ", ".join(sorted(TABLE[role]))) for role in Role]
        data = [{"role": role.value, "actions": sorted(TABLE[role])} for role in Role]
        output.table((_("role"), _("allows")), rows, data, "")
        return
    with opened(context) as workshop:
        members, proposals = workshop.members.members(), workshop.members.proposals()
    output.table(
        (_("account"), _("state"), _("roles")),
        [(one.username, one.state, ", ".join(one.roles)) for one in members],
        members,
        _("There is no account yet; make one with `signet account create NAME`."),
    )
    if proposals:
        tell_proposals(output, proposals)


# --- times -----------------------------------------------------------------------------------------------------------


@profile.command("show", help=N_("The times that hold."), epilog=N_("Example: signet account profile show --json"))
def show_profile(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show the times."""
    with opened(context) as workshop:
        found = workshop.members.profile()
    _tell_profile(Output(as_json), found)


@profile.command(
    "set",
    help=N_("Choose the times: personal (one creator on one machine) or studio (several people)."),
    epilog=N_("Example: signet account profile set studio"),
)
def set_profile(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="PROFILE", help=N_("personal or studio."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the times."""
    with opened(context) as workshop:
        found = with_keys(workshop, password_file, lambda: workshop.members.set_profile(name))
    _tell_profile(Output(as_json), found)


def _tell_profile(output: Output, found: object) -> None:
    from compliance.session import Profile

    assert isinstance(found, Profile)
    output.record(
        found,
        (
            (_("profile"), found.name),
            (_("a session ends after"), _("{hours} hours", hours=found.total_s // 3600)),
            (_("the keys are closed after rest of"), _("{minutes} minutes", minutes=found.idle_s // 60)),
            (_("the password is asked for again after"), _("{minutes} minutes", minutes=found.step_up_s // 60)),
        ),
    )
