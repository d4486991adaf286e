"""signet verify: what a file says about itself, and whether it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.errors import ExitCode, FileMissing, VerificationFailed
from studio.commands.door import JsonOption, call_of, home_folder
from studio.commands.output import Output
from studio.text import N_, _, word

if TYPE_CHECKING:
    from compliance.verify import Report

_STATES = (N_("intact"), N_("damaged"), N_("absent"), N_("unchecked"))
_VERDICTS = (N_("sealed"), N_("refuted"), N_("broken"), N_("unchecked"), N_("unlabelled"), N_("unreadable"))
_TAMPERED = (
    N_("the list of refuted releases was changed or is not signed by its home"),
    N_("the list of refuted releases was taken away from its home"),
)
_LAYERS = (N_("explicit"), N_("aigc"), N_("iptc"), N_("credential"), N_("ledger"), N_("watermark"), N_("fingerprint"))


def verify(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=N_("Pictures to check."))],
    as_json: JsonOption = False,
) -> None:
    """Check files and say which layer of the label holds."""
    from studio.workshop import verify_files

    output = Output(as_json)
    missing = [file for file in files if not file.exists()]
    present = [file for file in files if file.exists()]
    reports = verify_files(present, [home_folder(call_of(context).home)])
    if reports:
        show_reports(output, reports)
    if missing:
        raise FileMissing(path=missing[0])
    failed = sum(report.verdict != "sealed" for report in reports)
    if failed and as_json:
        raise typer.Exit(ExitCode.LABEL)
    if failed:
        raise VerificationFailed(count=failed)


def show_reports(output: Output, reports: list[Report]) -> None:
    """One JSON line a file, or a table of the layers and a sentence a file."""
    from compliance.imports import ids_of

    layers = list(dict.fromkeys(name for report in reports for name in report.layers))
    output.table(
        (_("file"), _("verdict"), *(_(name) for name in layers)),
        [
            (
                report.file,
                _(report.verdict),
                *(_(report.layers[name].state) if name in report.layers else "-" for name in layers),
            )
            for report in reports
        ],
        [report.to_json() for report in reports],
        _("No file was named."),
    )
    for report in reports:
        output.line(f"{report.file}: {_(report.sentence)}")
        made_from = ids_of(report.layers["credential"].evidence.get("imported")) if report.layers else []
        if made_from:
            output.line("  " + _("made from labelled files: {ids}", ids=", ".join(made_from)))
        if report.refuted is not None:
            when = report.refuted.get("at", "")
            output.line(f"  {_(report.refuted['state'])} {when}: {word(str(report.refuted['reason']))}")
        for name, layer in report.layers.items():
            for reason in layer.reasons:
                output.line(f"  {_(name)}: {word(reason)}")
