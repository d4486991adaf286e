"""signet face: find faces, swap a face."""

from __future__ import annotations

import json
import os
import queue
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from compliance.errors import SignetError, TargetExists, UsageUnclear, WorkStopped
from compliance.storage import write_atomically
from studio.commands.door import JsonOption, PasswordOption, opened, split_words, with_keys
from studio.commands.options import (
    ExplainOption,
    OverwriteOption,
    PictureOutOption,
    ProjectOption,
    PurposeOption,
    TerritoryOption,
    UseOption,
)
from studio.commands.output import Output, plain_data
from studio.inputs import verify_is_file
from studio.text import N_, _, sentences, word

if TYPE_CHECKING:
    from engines.job import Event
    from studio.workshop import RuleResult, Running, SwapPlan, Workshop

group = typer.Typer(help=N_("Faces: find them, swap them."))

_STOP_WAIT_S = 5.0


@group.command(help=N_("Find the faces in a picture; their numbers are for --face."))
def find(
    context: typer.Context,
    picture: Annotated[
        Path, typer.Argument(metavar="PICTURE", help=N_("A picture: PNG, JPEG, WebP, TIFF, GIF or AVIF."))
    ],
    as_json: JsonOption = False,
) -> None:
    """Find faces."""
    with opened(context) as workshop:
        faces = workshop.survey(picture)
    Output(as_json).table(
        (_("face"), _("left, top"), _("width × height"), _("between the eyes"), _("turned by")),
        [
            (
                str(face.number),
                f"{face.box[0]}, {face.box[1]}",
                f"{face.box[2]} × {face.box[3]}",
                f"{face.eye_distance_px:.0f} px",
                f"{face.yaw_degrees:.0f}°",
            )
            for face in faces
        ],
        faces,
        _("No face was found in {path}.", path=picture),
    )


@group.command(help=N_("Put the face of one picture onto a face of another; the result is labelled."))
def swap(
    context: typer.Context,
    source: Annotated[Path, typer.Option("--source", metavar="FILE", help=N_("The picture that lends its face."))],
    target: Annotated[Path, typer.Option("--target", metavar="FILE", help=N_("The picture that is edited."))],
    out: PictureOutOption,
    consents: Annotated[
        list[str] | None,
        typer.Option(
            "--consent",
            metavar="ID...",
            help=N_("The consents of the people shown, for these two files: several times, with commas or spaces."),
        ),
    ] = None,
    face: Annotated[
        int,
        typer.Option(
            "--face", min=0, metavar="N", help=N_("Which face of the target, from left to right; all when left out.")
        ),
    ] = 0,
    purpose: PurposeOption = "private",
    strength: Annotated[
        float, typer.Option("--strength", min=0.0, max=1.0, metavar="0-1", help=N_("How much of the face is taken."))
    ] = 1.0,
    source_face: Annotated[
        int,
        typer.Option(
            "--source-face", min=0, metavar="N", help=N_("Which face of the source; the largest if left out.")
        ),
    ] = 0,
    uses: UseOption = None,
    territory: TerritoryOption = "",
    project: ProjectOption = "",
    explain: ExplainOption = False,
    save_request: Annotated[
        Path | None,
        typer.Option(
            "--save-request",
            metavar="FILE",
            help=N_("With --explain: keep the request for `signet gate explain`."),
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Swap a face."""
    output = Output(as_json)
    if save_request is not None and not explain:
        raise UsageUnclear(problem=_("--save-request goes with --explain"), command="signet face swap")
    if save_request is not None and os.path.lexists(save_request) and not overwrite:
        raise TargetExists(path=save_request)
    for picture in (source, target):
        verify_is_file(picture)
    with opened(context) as workshop:
        with_keys(workshop, password_file, workshop.require_ready)
        workshop.verify_out(out, overwrite, (source, target), "picture")
        plan = workshop.plan_swap(
            source,
            target,
            split_words(consents or []),
            face=face,
            purpose=purpose,
            strength=strength,
            source_face=source_face,
            declared_uses=split_words(uses or []),
            territory=territory,
            project=project,
        )
        if explain:
            if save_request is not None:
                write_atomically(save_request, json.dumps(plan.request.to_json(), ensure_ascii=False).encode())
            show_rules(output, workshop.explain(plan.request))
            return
        release = make(workshop, output, plan, out, overwrite)
        label = workshop.label_text()
    output.data({"event": "released", **release, "label": label})
    output.line(_("Released: {path} (release {id})", path=release["path"], id=release["id"]))
    output.line(_("Label on it: {label} · ledger entry {index}", label=label, index=release["ledger_index"]))


def show_rules(output: Output, results: list[RuleResult]) -> None:
    """What each rule of the gate says; raises the error of the first that says no."""
    for result in results:
        message, next_step = sentences(result.error) if result.error is not None else ("", "")
        output.data(
            {
                "rule": result.number,
                "name": result.name,
                "ok": result.ok,
                "error": result.error.name if result.error is not None else None,
                "reason": message,
                "next_step": next_step,
                **({"basis": dict(result.basis)} if result.basis else {}),
            }
        )
        output.line(f"{result.number:>2}. {result.name:<14} {_('yes') if result.ok else _('no')}  {message}".rstrip())
        if result.basis:
            lists, classifier = result.basis["lists_sha256"][:12], result.basis["classifier"] or "-"
            rules = result.basis["rules"]
            by = _(
                "by lists {lists}, {rules}, classifier {classifier}", lists=lists, rules=rules, classifier=classifier
            )
            output.line(f"    {by}")
    for result in results:
        if result.error is not None:
            raise result.error


def make(workshop: Workshop, output: Output, plan: SwapPlan, out: Path, overwrite: bool) -> dict[str, object]:
    """Run a plan to its released file and return the release as plain data; whatever happens, nothing else is left.

    Raises what the job failed with, and WorkStopped when the user stopped it.
    """
    running = run_job(workshop, plan, output)
    try:
        for warning in running.info.warnings if running.info else ():
            output.data({"event": "warning", "message": word(warning)})
            output.note(word(warning))
        released: dict[str, object] = plain_data(workshop.release(running, out, overwrite))
    except BaseException:
        workshop.discard(running)
        raise
    return released


def run_job(workshop: Workshop, plan: SwapPlan, output: Output) -> Running:
    """Start a plan, show its progress and wait for its end; a stop by the user cancels it and raises WorkStopped."""
    from engines.job import Cancelled, Failed, Finished, Progress, Started
    from studio.workshop import raise_failed

    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    running = workshop.start(plan, events.put)
    try:
        with output.progress() as show:
            while True:
                match event := events.get():
                    case Started():
                        output.data({"event": "started"})
                    case Progress():
                        show(event)
                    case Finished():
                        return running
                    case Failed():
                        raise_failed(event)
                    case Cancelled():
                        # Who is stopped by a withdrawal is told so, not that they stopped.
                        workshop.verify_live(running.request.consents)
                        raise WorkStopped
                    case _ as unknown:
                        assert_never(unknown)
    except KeyboardInterrupt as error:
        running.cancel()
        running.wait(_STOP_WAIT_S)
        workshop.discard(running)
        raise WorkStopped from error
    except SignetError:
        raise
    except BaseException:
        running.cancel()
        workshop.discard(running)
        raise
