"""signet consent: who allows what until when."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from compliance.errors import UsageUnclear
from studio.commands.door import (
    JsonOption,
    PasswordOption,
    opened,
    split_words,
    unlocked_if_named,
    with_keys,
)
from studio.commands.options import OverwriteOption
from studio.commands.output import Output
from studio.commands.password import ask_password
from studio.commands.subject import AgeOption, GuardianOption, shown_name
from studio.text import N_, _, sentences

if TYPE_CHECKING:
    from studio.workshop import GrantView, ReleaseView

group = typer.Typer(help=N_("Consents: who allows what until when."))

Likeness = Literal["face", "voice"]
Language = Literal["zh-CN", "en"]
Kind = Literal["video", "audio", "paper", "photo", "file"]

SubjectOption = Annotated[str, typer.Option("--subject", metavar="ID", help=N_("Id of the person."))]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help=N_("Id of the consent."))]
_PURPOSES = (
    N_("private"),
    N_("film"),
    N_("advertising"),
    N_("education"),
    N_("research"),
    N_("satire"),
)
_STATES = (N_("live"), N_("not yet"), N_("expired"), N_("withdrawn"), N_("superseded"), N_("refused"))
_USES = (N_("political"), N_("sexual"), N_("endorsement"), N_("testimony"), N_("minors"))
_LEVELS = (
    N_("live"),
    N_("file+second"),
    N_("file+subject"),
    N_("operator"),
)


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
        *([(_("clock"), sentences(problem)[0])] if (problem := grant.clock_problem()) is not None else []),
        (
            _("SHA-256 of the recording") if grant.likeness == "voice" else _("SHA-256 of the picture"),
            grant.asset_sha256,
        ),
        (_("SHA-256 of the evidence"), grant.evidence_sha256 or _("none")),
        (_("evidence level"), _(grant.evidence_level)),
        (_("approved by"), grant.approved_by or _("nobody")),
        (_("match"), _(grant.match)),
        (_("forbidden uses"), ", ".join(_(use) for use in grant.forbidden) or _("none")),
        (_("territory"), ", ".join(_(place) for place in grant.territories)),
        (_("projects"), ", ".join(grant.projects) or _("any")),
        (_("releases"), f"{grant.outputs} / {grant.max_outputs if grant.max_outputs is not None else _('no limit')}"),
        (_("age"), _(grant.age)),
        (_("recorded on"), grant.recorded_at),
        (_("ledger entry"), str(grant.ledger_index)),
    ]
    if grant.withdrawn_at:
        rows.append((_("withdrawn on"), grant.withdrawn_at))
    return rows


@group.command(
    help=N_("Record a person's consent for one picture or one recording of their voice."),
    epilog=N_("Example: signet consent record --subject ID --picture portrait.png --purpose film --until 2027-06-30"),
)
def record(
    context: typer.Context,
    subject_id: SubjectOption,
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
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help=N_("The picture the consent is for, by its exact bytes.")),
    ] = None,
    voice: Annotated[
        Path | None,
        typer.Option("--voice", metavar="FILE", help=N_("The recording the consent is for, instead of a picture.")),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help=N_("First day; today when left out.")),
    ] = None,
    likeness: Annotated[
        Likeness, typer.Option("--likeness", help=N_("Face or voice; each needs a consent of its own."))
    ] = "face",
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="FILE", help=N_("The signed paper or message; kept encrypted.")),
    ] = None,
    kind: Annotated[Kind, typer.Option("--kind", help=N_("What the evidence is."))] = "file",
    phrase: Annotated[
        str | None,
        typer.Option(
            "--phrase", metavar="TEXT", help=N_("The phrase of `signet consent nonce` that the recording contains.")
        ),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            help=N_("The person's own passphrase, with which they can withdraw; kept as a commitment only."),
        ),
    ] = None,
    face: Annotated[
        int | None,
        typer.Option("--face", min=1, metavar="N", help=N_("Which face of the picture is the person's.")),
    ] = None,
    still: Annotated[
        Path | None,
        typer.Option(
            "--still",
            metavar="FILE",
            help=N_(
                "A picture of this person alone out of the evidence: with a recogniser pack the consent then covers "
                "their face in other pictures too. Only its encrypted template is kept."
            ),
        ),
    ] = None,
    allowed_uses: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-use",
            metavar="USE",
            help=N_("Uses that are forbidden unless named: political, sexual, endorsement, testimony, minors."),
        ),
    ] = None,
    territories: Annotated[
        list[str] | None,
        typer.Option("--territory", metavar="CC", help=N_("Country codes where it may be used; anywhere if none.")),
    ] = None,
    projects: Annotated[
        list[str] | None,
        typer.Option("--project", metavar="NAME", help=N_("Projects it may be used for; any if none.")),
    ] = None,
    recipients: Annotated[
        list[str] | None,
        typer.Option("--recipient", metavar="NAME", help=N_("Who gets the results; kept encrypted.")),
    ] = None,
    max_outputs: Annotated[
        int | None, typer.Option("--max-outputs", min=1, metavar="N", help=N_("How many releases are allowed."))
    ] = None,
    age: AgeOption = None,
    guardian: GuardianOption = None,
    notice: Annotated[
        Language | None,
        typer.Option("--notice", help=N_("The language of the notice that the person has just read to the end.")),
    ] = None,
    supersedes: Annotated[
        str | None, typer.Option("--supersedes", metavar="ID", help=N_("The consent that this one replaces."))
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", metavar="FILE", help=N_("Write the person's receipt with its withdrawal code.")),
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a consent."""
    from compliance.consent import Terms
    from studio.inputs import read_input

    asset = voice or picture
    if asset is None or (voice is not None and picture is not None):
        raise UsageUnclear(problem=_("Give --picture or --voice, one of the two."), command=context.command_path)
    first_day = since.date() if since else date.today()
    terms = Terms(
        allowed_uses=split_words(allowed_uses or []),
        territories=split_words(territories or []),
        projects=split_words(projects or []),
        recipients=tuple(recipients or ()),
        max_outputs=max_outputs,
        age=age,
        guardian_id=guardian,
        supersedes=supersedes,
    )
    passphrase = ask_password(str(passphrase_file), "") if passphrase_file else None
    output = Output(as_json)
    with opened(context) as workshop:
        grant = with_keys(
            workshop,
            password_file,
            lambda: workshop.record_consent(
                subject_id,
                asset,
                split_words(purposes),
                first_day,
                until.date(),
                evidence,
                "voice" if voice is not None else likeness,
                evidence_kind=kind,
                nonce_phrase=phrase,
                passphrase=passphrase,
                face=face,
                notice_language=notice,
                still=read_input(still) if still is not None else None,
                terms=terms,
            ),
        )
        if receipt is not None:
            workshop.write_receipt(grant.id, receipt, grant.withdrawal_code)
    output.record(grant, _rows(grant))
    output.line(_("withdrawal code: {code}", code=grant.withdrawal_code or "-"))
    output.note(_("Hand this code to the person; it is not shown again."))


@group.command(
    help=N_("A fresh phrase for a live recording; it is valid once, for 30 minutes."),
    epilog=N_("Example: signet consent nonce --subject ID --language zh-CN"),
)
def nonce(
    context: typer.Context,
    subject_id: SubjectOption,
    likeness: Annotated[Likeness, typer.Option("--likeness", help=N_("Face or voice."))] = "face",
    language: Annotated[Language, typer.Option("--language", help=N_("The language to speak in."))] = "zh-CN",
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """A fresh phrase."""
    with opened(context) as workshop:
        made = with_keys(
            workshop, password_file, lambda: workshop.new_nonce(subject_id, likeness=likeness, language=language)
        )
    Output(as_json).record(made, [(_("phrase"), made.phrase), (_("valid until"), made.expires_at)])


@group.command(
    help=N_("Approve the evidence of a consent as the second person, or refuse it."),
    epilog=N_("Example: signet consent approve con-0123456789"),
)
def approve(
    context: typer.Context,
    grant_id: IdArgument,
    refuse: Annotated[bool, typer.Option("--refuse", help=N_("The evidence is not good; the consent ends."))] = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve the evidence."""
    with opened(context) as workshop:
        grant = with_keys(workshop, password_file, lambda: workshop.approve_evidence(grant_id, refuse=refuse))
    Output(as_json).record(grant, _rows(grant))


@group.command(
    help=N_("Hand in the receipt that the person has signed."),
    epilog=N_("Example: signet consent signed con-0123456789 --file receipt-signed.pdf"),
)
def signed(
    context: typer.Context,
    grant_id: IdArgument,
    file: Annotated[Path, typer.Option("--file", metavar="FILE", help=N_("The signed receipt; kept encrypted."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand in a signed receipt."""
    with opened(context) as workshop:
        grant = with_keys(workshop, password_file, lambda: workshop.confirm_by_receipt(grant_id, file))
    Output(as_json).record(grant, _rows(grant))


@group.command(
    help=N_("Say whose face a number in a picture is, or confirm what somebody else has said."),
    epilog=N_("Example: signet consent assign --picture group.png --face 2 --subject ID"),
)
def assign(
    context: typer.Context,
    picture: Annotated[Path, typer.Option("--picture", metavar="FILE", help=N_("The picture."))],
    face: Annotated[int, typer.Option("--face", min=1, metavar="N", help=N_("The face, counted from left to right."))],
    subject_id: SubjectOption,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whose face it is."""
    with opened(context) as workshop:
        said = with_keys(workshop, password_file, lambda: workshop.assign_face(picture, face, subject_id))
    Output(as_json).record(
        said,
        [
            (_("face"), str(said.number)),
            (_("person"), said.subject_id),
            (_("said by"), said.assigned_by),
            (_("confirmed by"), said.confirmed_by or _("nobody")),
        ],
    )


@group.command(
    help=N_("Write the person's receipt as .pdf or .json."),
    epilog=N_("Example: signet consent receipt con-0123456789 --out receipt.pdf --code SW-XXXX-XXXX-XXXX-XXXX"),
)
def receipt(
    context: typer.Context,
    grant_id: IdArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=N_("Where it goes: .pdf or .json."))],
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help=N_("The withdrawal code, to print it as a QR code."))
    ] = None,
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a receipt."""
    output = Output(as_json)
    with opened(context) as workshop:
        with_keys(workshop, password_file, lambda: workshop.write_receipt(grant_id, out, code, overwrite))
    output.data({"receipt": out, "consent": grant_id})
    output.line(_("The receipt is at {path}.", path=out))


@group.command(
    "list",
    help=N_("All consents, or those of one person."),
    epilog=N_("Example: signet consent list --subject ID --json"),
)
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
                _(grant.state) if grant.clock_days is None else _("expired, by the clock"),
            )
            for grant in grants
        ],
        grants,
        _("There is no consent yet; record one with `signet consent record`."),
    )


@group.command(help=N_("One consent."), epilog=N_("Example: signet consent show con-0123456789 --json"))
def show(
    context: typer.Context, grant_id: IdArgument, password_file: PasswordOption = None, as_json: JsonOption = False
) -> None:
    """One consent."""
    with opened(context) as workshop:
        unlocked_if_named(workshop, password_file)
        grant = workshop.grant(grant_id)
    Output(as_json).record(grant, _rows(grant))


@group.command(
    help=N_("Withdraw a consent for good and list what was released under it; with a code without an account."),
    epilog=N_("Example: signet consent withdraw --code SW-XXXX-XXXX-XXXX-XXXX"),
)
def withdraw(
    context: typer.Context,
    grant_id: Annotated[str | None, typer.Argument(metavar="ID", help=N_("Id of the consent."))] = None,
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help=N_("The withdrawal code of the receipt."))
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", help=N_("The passphrase the person typed when agreeing.")),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=N_("Why, for your own records."))] = "",
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a consent."""
    output = Output(as_json)
    if (grant_id is None) == (code is None):
        raise UsageUnclear(
            problem=_("Give the id of a consent or --code, one of the two."), command=context.command_path
        )
    with opened(context) as workshop:
        if code is not None:
            grant_id, releases = workshop.withdraw_by_code(code)
        elif passphrase_file is not None:
            releases = workshop.withdraw_by_passphrase(str(grant_id), ask_password(str(passphrase_file), ""))
        else:
            releases = with_keys(workshop, password_file, lambda: workshop.withdraw_consent(str(grant_id), reason))
    output.data({"withdrawn": grant_id, "take_down": releases})
    output.line(_("Consent {consent} is withdrawn.", consent=grant_id))
    show_take_down(output, releases)


def show_take_down(output: Output, releases: list[ReleaseView]) -> None:
    """What has to be taken down, one line a file."""
    if releases:
        output.line(_("These files were released under it; take them down wherever they are:"))
        for release in releases:
            output.line(f"  {release.id}  {release.path}")
    else:
        output.line(_("Nothing was released under it."))
