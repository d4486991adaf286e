"""signet voice convert and signet voice attribute: change a recorded voice, with the consent of whoever is heard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studio.commands.door import JsonOption, PasswordOption, opened, split_words, with_keys
from studio.commands.face import make, show_rules
from studio.commands.options import (
    ExplainOption,
    OverwriteOption,
    ProjectOption,
    PurposeOption,
    SoundOutOption,
    TerritoryOption,
    UseOption,
)
from studio.commands.output import Output
from studio.commands.voice import (
    ReferenceEndOption,
    ReferenceStartOption,
    group,
)
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import SwapPlan, Workshop

TargetOption = Annotated[Path, typer.Option("--target", metavar="FILE", help=N_("The recording that is changed."))]
ConsentOption = Annotated[
    list[str] | None,
    typer.Option(
        "--consent", metavar="ID...", help=N_("The consents of the people heard: several times, or with commas.")
    ),
]
StartOption = Annotated[
    float | None,
    typer.Option(
        "--start", metavar="SECONDS", help=N_("Change only a part of the recording, from here; the file stays whole.")
    ),
]
EndOption = Annotated[
    float | None,
    typer.Option("--end", metavar="SECONDS", help=N_("Where that part ends; the end of the recording if left out.")),
]


@group.command(
    help=N_(
        "Lean recorded speech towards the voice of another recording, with the consent of both people; "
        "it takes on pitch, tune and colour and stays told apart. With --pack, a neural model changes the voice. "
        "The result is labelled."
    ),
    epilog=N_("Example: signet voice convert --source REF.wav --target SPEECH.wav --out a.wav --consent ID,ID"),
)
def convert(
    context: typer.Context,
    source: Annotated[
        Path, typer.Option("--source", metavar="FILE", help=N_("The recording whose voice it leans towards."))
    ],
    target: TargetOption,
    out: SoundOutOption,
    consents: ConsentOption = None,
    strength: Annotated[
        float, typer.Option("--strength", metavar="0-1", help=N_("How far it leans: 0 not at all, 1 all the way."))
    ] = 1.0,
    mix: Annotated[
        float, typer.Option("--mix", metavar="0-1", help=N_("Share of a closer, rougher way; 0.5 is the most useful."))
    ] = 0.0,
    pack: Annotated[
        str, typer.Option("--pack", metavar="ID", help=N_("A model pack that changes voices, instead of leaning."))
    ] = "",
    start: StartOption = None,
    end: EndOption = None,
    reference_start: ReferenceStartOption = None,
    reference_end: ReferenceEndOption = None,
    purpose: PurposeOption = "private",
    uses: UseOption = None,
    territory: TerritoryOption = "",
    project: ProjectOption = "",
    explain: ExplainOption = False,
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lean a voice, or change it by a pack."""
    from studio.voice_changes import part_options

    if pack and (strength, mix) != (1.0, 0.0):
        from compliance.errors import UsageUnclear

        problem = _("--strength and --mix are for leaning, without --pack")
        raise UsageUnclear(problem=problem, command="signet voice convert")
    _change(
        context,
        "voice.converter" if pack else "voice.lean",
        {
            **({"pack": pack} if pack else {"strength": strength, "mix": mix}),
            **part_options(start, end),
            **part_options(reference_start, reference_end, of_reference=True),
        },
        {"source": source, "target": target},
        out,
        (explain, overwrite, password_file, as_json),
        consents=split_words(consents or []),
        purpose=purpose,
        declared_uses=split_words(uses or []),
        territory=territory,
        project=project,
    )


@group.command(
    help=N_("Change pitch, size, breath, pace or liveliness of a recorded voice, with the consent of whoever speaks."),
    epilog=N_("Example: signet voice attribute --target SPEECH.wav --pitch 3 --formants 1.1 --out a.wav --consent ID"),
)
def attribute(
    context: typer.Context,
    target: TargetOption,
    out: SoundOutOption,
    consents: ConsentOption = None,
    pitch: Annotated[
        float, typer.Option("--pitch", metavar="-12-12", help=N_("Higher or lower by so many semitones."))
    ] = 0.0,
    formants: Annotated[
        float,
        typer.Option(
            "--formants", metavar="0.75-1.35", help=N_("Above 1 as from a smaller person, below 1 a larger one.")
        ),
    ] = 1.0,
    breath: Annotated[
        float, typer.Option("--breath", metavar="0-1", help=N_("How breathy it becomes: 0 as it was, 1 a whisper."))
    ] = 0.0,
    rate: Annotated[float, typer.Option("--rate", metavar="0.5-2", help=N_("Pace: 2 is twice as fast."))] = 1.0,
    liveliness: Annotated[
        float,
        typer.Option("--liveliness", metavar="0-2", help=N_("Range of the tune: 0 on one tone, 2 twice as wide.")),
    ] = 1.0,
    start: StartOption = None,
    end: EndOption = None,
    purpose: PurposeOption = "private",
    uses: UseOption = None,
    territory: TerritoryOption = "",
    project: ProjectOption = "",
    explain: ExplainOption = False,
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Edit a voice."""
    from studio.voice_changes import part_options

    settings = {"pitch": pitch, "formants": formants, "breath": breath, "rate": rate, "liveliness": liveliness}
    _change(
        context,
        "voice.attribute",
        {**settings, **part_options(start, end)},
        {"target": target},
        out,
        (explain, overwrite, password_file, as_json),
        consents=split_words(consents or []),
        purpose=purpose,
        declared_uses=split_words(uses or []),
        territory=territory,
        project=project,
    )


def _change(
    context: typer.Context,
    engine_id: str,
    options: dict[str, Any],
    recordings: dict[str, Path],
    out: Path,
    how: tuple[bool, bool, str | None, bool],
    **asked: Any,
) -> None:
    """Plan, make and release; how: explain, overwrite, password_file, as_json."""
    from studio.voice_changes import verify_recording

    explain, overwrite, password_file, as_json = how
    output = Output(as_json)
    for path in recordings.values():
        verify_recording(path)
    with opened(context) as workshop:
        with_keys(workshop, password_file, workshop.require_ready)
        workshop.verify_out(out, overwrite, tuple(recordings.values()), "sound")
        plan = workshop.plan_voice(engine_id, options, **recordings, **asked)
        if explain:
            show_rules(output, workshop.explain(plan.request))
            return
        _tell(workshop, output, plan, out, overwrite)


def _tell(workshop: Workshop, output: Output, plan: SwapPlan, out: Path, overwrite: bool) -> None:
    release = make(workshop, output, plan, out, overwrite)
    label = workshop.label_text()
    output.data({"event": "released", **release, "label": label})
    output.line(_("Released: {path} (release {id})", path=release["path"], id=release["id"]))
    output.line(_("Label on it: {label} · ledger entry {index}", label=label, index=release["ledger_index"]))
