"""signet case: reviews, appeals, complaints and rumours, from opening to decision."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.errors import UsageUnclear
from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.options import OverwriteOption
from studio.commands.output import Output
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.casework import CaseView

group = typer.Typer(help=N_("Cases: reviews, appeals, complaints and rumours."))

IdArgument = Annotated[str, typer.Argument(metavar="CASE", help=N_("Id of the case."))]
TextOption = Annotated[
    str, typer.Option("--text", metavar="TEXT", help=N_("What you say, in plain text; kept sealed."))
]
_KINDS = (N_("review"), N_("appeal"), N_("complaint"), N_("refutation"))
_STATES = (N_("open"), N_("assigned"), N_("decided"), N_("appealed"), N_("closed"), N_("upheld"), N_("dismissed"))
_TAKEN = (N_("assigned to another reviewer"), N_("reported"), N_("outside"))
_MEASURES = (N_("warn"), N_("limit"), N_("suspend"), N_("close"))
_REASONS = (
    N_("unlawful content"),
    N_("no consent"),
    N_("label tampering"),
    N_("false information"),
    N_("false identity"),
    N_("other"),
)


def _rows(case: CaseView) -> list[tuple[str, str]]:
    rows = [
        (_("id"), case.id),
        (_("kind"), f"{_(case.kind)} ({case.article})"),
        (_("state"), _(case.state)),
        (_("account"), case.account or "-"),
        (_("release"), case.release or "-"),
        (_("rule"), case.rule or "-"),
        (_("opened on"), f"{case.opened_at} ({case.opened_by})"),
        (_("answer due"), case.due_at + (f" – {_('overdue')}" if case.overdue else "")),
        (_("reviewer"), case.assignee or "-"),
        (_("ledger entry"), str(case.ledger_index)),
    ]
    if case.appeal_of:
        rows.append((_("appeal of"), case.appeal_of))
    if case.decision:
        rows.append((_("decision"), _(case.decision)))
    if case.measure:
        rows.append((_("measure"), _(case.measure)))
    return rows


def _show(output: Output, case: CaseView) -> None:
    output.record(case, _rows(case))
    for said in case.statements or ():
        output.line()
        output.line(f"{said.at}  {said.by}")
        for line in said.text.splitlines():
            output.line(f"  {line}")


@group.command(
    "open", help=N_("Open a case by hand."), epilog=N_("Example: signet case open review --account ben --text …")
)
def open_(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="review|complaint|refutation", help=N_("What the case is about."))],
    said: TextOption,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help=N_("The account it is about."))
    ] = None,
    release: Annotated[
        str | None, typer.Option("--release", metavar="ID", help=N_("The release it is about; names its maker too."))
    ] = None,
    rule: Annotated[str, typer.Option("--rule", metavar="RULE", help=N_("Id of the rule that was broken."))] = "",
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a case."""
    from compliance.cases import CaseKind

    chosen = CaseKind(_word_of(kind, ("review", "complaint", "refutation")))
    with opened(context) as workshop:
        made = with_keys(
            workshop,
            password_file,
            lambda: workshop.casework.open_case(chosen, said, account=account, release=release, rule=rule),
        )
    _show(Output(as_json), made)


@group.command("list", help=N_("The cases you may see."), epilog=N_("Example: signet case list --overdue"))
def list_(
    context: typer.Context,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help=N_("Only: open, assigned, decided, appealed, closed.")),
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help=N_("Only cases whose answer is late."))] = False,
    as_json: JsonOption = False,
) -> None:
    """List cases."""
    from compliance.cases import CaseState

    chosen = CaseState(_word_of(state, _STATES[:5])) if state else None
    with opened(context) as workshop:
        cases = workshop.casework.cases(chosen, overdue=overdue)
    Output(as_json).table(
        (_("id"), _("kind"), _("state"), _("account"), _("answer due"), _("reviewer")),
        [
            (
                case.id,
                _(case.kind),
                _(case.state),
                case.account or "-",
                case.due_at[:10] + (f" – {_('overdue')}" if case.overdue else ""),
                case.assignee or "-",
            )
            for case in cases
        ],
        cases,
        _("There is no case here."),
    )


@group.command(help=N_("One case with its statements."), epilog=N_("Example: signet case show cas-0123456789"))
def show(
    context: typer.Context, case_id: IdArgument, password_file: PasswordOption = None, as_json: JsonOption = False
) -> None:
    """Show a case."""
    with opened(context) as workshop:
        case = with_keys(workshop, password_file, lambda: workshop.casework.case(case_id))
    _show(Output(as_json), case)


@group.command(
    help=N_("Give a case to a reviewer, also to yourself."),
    epilog=N_("Example: signet case assign cas-0123456789 rita"),
)
def assign(
    context: typer.Context,
    case_id: IdArgument,
    reviewer: Annotated[str, typer.Argument(metavar="NAME", help=N_("The reviewer's account."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Assign a case."""
    with opened(context) as workshop:
        case = with_keys(workshop, password_file, lambda: workshop.casework.assign(case_id, reviewer))
    _show(Output(as_json), case)


@group.command(
    help=N_("Decide a case of somebody else, with a measure or without."),
    epilog=N_(
        "Example: signet case decide cas-0123456789 upheld --text … --measure suspend --reason no-consent "
        "--until 2027-01-31"
    ),
)
def decide(
    context: typer.Context,
    case_id: IdArgument,
    decision: Annotated[
        str, typer.Argument(metavar="upheld|dismissed", help=N_("Is the hit, complaint, rumour or appeal right?"))
    ],
    said: TextOption,
    measure: Annotated[
        str | None,
        typer.Option("--measure", metavar="MEASURE", help=N_("Against the account: warn, limit, suspend, close.")),
    ] = None,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="REASON",
            help=N_(
                "Of the measure: unlawful-content, no-consent, label-tampering, false-information, false-identity, "
                "other."
            ),
        ),
    ] = "other",
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DATE", help=N_("Last day of a limit or suspension.")),
    ] = None,
    daily: Annotated[
        int | None, typer.Option("--daily", metavar="N", help=N_("Releases a day that a limit leaves."))
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide a case."""
    from compliance.sanctions import Measure, Reason

    upheld = _word_of(decision, ("upheld", "dismissed")) == "upheld"
    chosen = Measure(_word_of(measure, _MEASURES)) if measure else None
    why = Reason(_word_of(reason.replace("-", " "), _REASONS))
    with opened(context) as workshop:
        case = with_keys(
            workshop,
            password_file,
            lambda: workshop.casework.decide(
                case_id,
                upheld,
                said,
                measure=chosen,
                reason=why,
                until=until.date() if until else None,
                releases_a_day=daily,
            ),
        )
    _show(Output(as_json), case)


@group.command(
    help=N_("Appeal against a decision about your own account; another reviewer answers within three working days."),
    epilog=N_("Example: signet case appeal cas-0123456789 --text …"),
)
def appeal(
    context: typer.Context,
    case_id: IdArgument,
    said: TextOption,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Appeal."""
    with opened(context) as workshop:
        case = with_keys(workshop, password_file, lambda: workshop.casework.appeal(case_id, said))
    _show(Output(as_json), case)


@group.command(
    "import",
    help=N_("Make a case of a complaint from outside."),
    epilog=N_("Example: signet case import complaint.json"),
)
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=N_("The complaint as it came."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a complaint."""
    with opened(context) as workshop:
        case = with_keys(workshop, password_file, lambda: workshop.casework.import_complaint(file))
    _show(Output(as_json), case)


@group.command(
    help=N_("Write a complaint file to hand to a studio; needs no account."),
    epilog=N_("Example: signet case complain --category 'my likeness' --text … --out complaint.json"),
)
def complain(
    said: TextOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=N_("Where the complaint goes."))],
    category: Annotated[
        str,
        typer.Option(
            "--category",
            metavar="WORDS",
            help=N_("my likeness, my voice, false information, unlawful content, label missing, other."),
        ),
    ] = "other",
    release: Annotated[str, typer.Option("--release", metavar="ID", help=N_("Number of the content, 16 signs."))] = "",
    contact: Annotated[
        str, typer.Option("--contact", metavar="TEXT", help=N_("Where the answer goes; needed without a signature."))
    ] = "",
    unsigned: Annotated[bool, typer.Option("--unsigned", help=N_("Do not sign the file."))] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a complaint."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from compliance.complaint import complaint_file
    from compliance.storage import refuse_taken, write_atomically

    refuse_taken(out)
    key = None if unsigned else Ed25519PrivateKey.generate()
    data = complaint_file(category=category, statement=said, release=release, contact=contact, key=key)
    write_atomically(out, data)
    output = Output(as_json)
    output.data({"path": out, "signed": not unsigned})
    output.line(_("The complaint is in {path}.", path=out))


@group.command(
    help=N_("Write the report pack of a case for the authority: a signed JSON and a PDF."),
    epilog=N_("Example: signet case report cas-0123456789 --out report"),
)
def report(
    context: typer.Context,
    case_id: IdArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=N_("Name of the two files, without ending."))],
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report pack."""
    from compliance.storage import refuse_taken

    refuse_taken(out, ".json", ".pdf", overwrite=overwrite)
    with opened(context) as workshop:
        paths = with_keys(workshop, password_file, lambda: workshop.casework.report(case_id, out))
    output = Output(as_json)
    output.data({"case": case_id, "json": paths[0], "pdf": paths[1]})
    output.line(_("The report is in {json} and {pdf}.", json=paths[0], pdf=paths[1]))


@group.command(help=N_("Sanctions against accounts."), epilog=N_("Example: signet case sanctions --account ben"))
def sanctions(
    context: typer.Context,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help=N_("Only of this account."))] = None,
    as_json: JsonOption = False,
) -> None:
    """List sanctions."""
    with opened(context) as workshop:
        found = workshop.casework.sanctions(account)
    Output(as_json).table(
        (_("id"), _("measure"), _("reason"), _("from"), _("until"), _("case")),
        [
            (one.id, _(one.measure.value), _(one.reason.value), one.starts_at, one.ends_at or "-", one.case_id or "-")
            for one in found
        ],
        found,
        _("There is no sanction."),
    )


def _word_of(value: str, words: tuple[str, ...]) -> str:
    if value not in words:
        problem = _("“{value}” is none of: {words}.", value=value, words=", ".join(words))
        raise UsageUnclear(problem=problem, command="signet case")
    return value
