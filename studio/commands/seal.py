"""signet seal: labels AI media made with another program, through the same door as everything made here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, split_words, with_keys
from studio.commands.face import make
from studio.commands.options import OverwriteOption, PurposeOption
from studio.commands.output import Output
from studio.text import N_, _


def seal(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help=N_("Pictures, sounds, videos or documents made by AI."))
    ],
    made_with: Annotated[str, typer.Option("--made-with", metavar="NAME", help=N_("The program that made them."))],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help=N_("Where the result goes; NAME-sealed beside the file if left out.")
        ),
    ] = None,
    origin: Annotated[
        str, typer.Option("--origin", metavar="CODE", help=N_("How they were made, as an IPTC source type."))
    ] = "trainedAlgorithmicMedia",
    nobody_real: Annotated[
        bool,
        typer.Option(
            "--nobody-real",
            help=N_(
                "You declare that whoever is seen or heard does not exist; it stands in the ledger with your account."
            ),
        ),
    ] = False,
    consents: Annotated[
        list[str] | None,
        typer.Option(
            "--consent",
            metavar="ID...",
            help=N_("The consents of the people seen or heard: several times, or with commas."),
        ),
    ] = None,
    purpose: PurposeOption = "private",
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label media made elsewhere."""
    from compliance.errors import UsageUnclear
    from studio.sealing import default_out

    output = Output(as_json)
    if out is not None and len(files) > 1:
        raise UsageUnclear(problem=_("--out names one file, and several are to be sealed"), command="signet seal")
    places = [out or default_out(path) for path in files]
    with opened(context) as workshop:
        with_keys(workshop, password_file, workshop.require_ready)
        for path, place in zip(files, places, strict=True):
            workshop.verify_seal(path, place, overwrite)
        for path, place in zip(files, places, strict=True):
            plan = workshop.plan_seal(
                path,
                made_with=made_with,
                origin=origin,
                nobody_real=nobody_real,
                consents=split_words(consents or []),
                purpose=purpose,
            )
            release = make(workshop, output, plan, place, overwrite)
            output.data({"event": "released", **release, "made_with": made_with})
            output.line(_("Released: {path} (release {id})", path=release["path"], id=release["id"]))
            output.line(_("Made with {program}; every label is on it now.", program=made_with))
