"""signet voice: speech from words; the voices are listed here, and changed in voice_convert."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.errors import TextEmpty, UsageUnclear
from studio.commands.door import JsonOption, PasswordOption, opened, split_words, with_keys
from studio.commands.face import run_job, show_rules
from studio.commands.options import (
    ExplainOption,
    OverwriteOption,
    ProjectOption,
    PurposeOption,
    SoundOutOption,
    TerritoryOption,
    UseOption,
)
from studio.commands.output import Output, plain_data
from studio.commands.picture import numbered
from studio.text import N_, _, word

if TYPE_CHECKING:
    from studio.workshop import SwapPlan, Workshop

group = typer.Typer(help=N_("Voices: speech from words, and recorded voices changed."))

_MOST_TAKES = 16

ReferenceStartOption = Annotated[
    float | None,
    typer.Option("--reference-start", metavar="SECONDS", help=N_("Listen only to a part of the reference, from here.")),
]
ReferenceEndOption = Annotated[
    float | None,
    typer.Option("--reference-end", metavar="SECONDS", help=N_("Where the part of the reference ends.")),
]


@group.command(
    help=N_(
        "Speak a text by a built-in voice, or by one of a model pack; the sound announces itself as synthetic. "
        "These voices are nobody's likeness and need no consent; the voice of a --reference needs one."
    ),
    epilog=N_('Example: signet voice speak --text "Good morning." --lang en --out a.wav'),
)
def speak(
    context: typer.Context,
    out: SoundOutOption,
    words: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="TEXT",
            help=N_(
                'What is said. It may hold <break time="500ms"/>, <emphasis>…</emphasis> and '
                '<prosody rate="slow">…</prosody>.'
            ),
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option("--script", metavar="FILE", help=N_("A text file with a line for each speech: NAME: words.")),
    ] = None,
    spoken: Annotated[
        str,
        typer.Option(
            "--lang",
            metavar="en|zh|…",
            help=N_("Language of the words; found out by their letters if left out. The reader's stands before voice."),
        ),
    ] = "auto",
    voice: Annotated[
        str,
        typer.Option("--voice", metavar="ID", help=N_("Who speaks, from `signet voice list`; chosen if left out.")),
    ] = "auto",
    cast: Annotated[
        list[str] | None,
        typer.Option("--cast", metavar="NAME=ID", help=N_("Who speaks for whom in a script; several times.")),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", metavar="0.5-2", help=N_("How fast it is said; 1 is as usual."))
    ] = 1.0,
    pack: Annotated[
        str,
        typer.Option("--pack", metavar="ID", help=N_("A model pack of neural voices; --voice names one of its own.")),
    ] = "",
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="FILE",
            help=N_("A recording of the person whose voice a pack of XTTS takes on; needs their consent."),
        ),
    ] = None,
    consents: Annotated[
        list[str] | None,
        typer.Option(
            "--consent", metavar="ID...", help=N_("The consent of that person: several times, or with commas.")
        ),
    ] = None,
    reference_start: ReferenceStartOption = None,
    reference_end: ReferenceEndOption = None,
    pitch: Annotated[
        float, typer.Option("--pitch", metavar="-8-8", help=N_("How much higher it is said, in semitones."))
    ] = 0.0,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, metavar="N", help=N_("0 speaks plainly; other numbers vary pace and pitch a little.")
        ),
    ] = 0,
    takes: Annotated[
        int,
        typer.Option(
            "--takes", min=1, max=_MOST_TAKES, metavar="N", help=N_("How many takes, with seeds that follow.")
        ),
    ] = 1,
    subtitles: Annotated[
        str | None,
        typer.Option("--subtitles", metavar="srt|vtt", help=N_("Write subtitles beside the sound as well.")),
    ] = None,
    purpose: PurposeOption = "private",
    uses: UseOption = None,
    territory: TerritoryOption = "",
    project: ProjectOption = "",
    explain: ExplainOption = False,
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Speak a text."""
    from studio.voice_changes import part_options
    from studio.voices import read_script_file, subtitles_beside

    of_reference = part_options(reference_start, reference_end, of_reference=True)
    if reference is None and (consents or of_reference or uses or territory or project):
        problem = _(
            "--consent, --reference-start, --reference-end, --use, --territory and --project go with --reference."
        )
        raise UsageUnclear(problem=problem, command="signet voice speak")
    if (words is None) == (script is None):
        problem = _("Give either --text or --script.")
        raise UsageUnclear(problem=problem, command="signet voice speak")
    options: dict[str, Any] = {
        "text": words if script is None else read_script_file(script),
        "form": "text" if script is None else "script",
        "language": spoken,
        "voice": voice,
        "voices": ", ".join(cast or []),
        "rate": rate,
    }
    if pack:
        options |= {"pack": pack, "voice": "" if voice == "auto" else voice, **of_reference}
    if pitch or not pack:
        options["pitch"] = pitch
    if not options["text"]:
        raise TextEmpty(reason="no words were given")
    output = Output(as_json)
    places = [numbered(out, index, takes) for index in range(takes)]
    with opened(context) as workshop:
        plans = [
            workshop.plan_speech(
                options,
                seed=seed + index,
                purpose=purpose,
                reference=reference,
                consents=split_words(consents or []),
                declared_uses=split_words(uses or []),
                territory=territory,
                project=project,
            )
            for index in range(takes)
        ]
        with_keys(workshop, password_file, workshop.require_ready)
        if explain:
            show_rules(output, workshop.explain(plans[0].request))
            return
        beside = []
        for place in places:
            workshop.verify_out(
                place, overwrite, tuple(path for path in (script, reference) if path is not None), "sound"
            )
            beside.append(subtitles_beside(place, subtitles, overwrite) if subtitles is not None else None)
        if reference is None:
            output.note(_("These voices are nobody's likeness: no consent is needed."))
        for used in plans[0].request.packs:
            output.note(_("Model pack {pack}, licence class {kind}.", pack=used.id, kind=used.licence_class))
        for place, plan, text_file in zip(places, plans, beside, strict=True):
            speak_plan(workshop, output, plan, place, overwrite, text_file)


def speak_plan(
    workshop: Workshop, output: Output, plan: SwapPlan, out: Path, overwrite: bool, subtitles: Path | None = None
) -> dict[str, Any]:
    """Run one plan of speech to its released file, and its subtitles where a path is given; tells both.

    Whatever happens, nothing else is left. Raises what the job failed with, and WorkStopped when the user stopped it.
    """
    from studio.voices import notice_language, write_subtitles

    running = run_job(workshop, plan, output)
    try:
        info = running.info
        assert info is not None  # run_job returns finished jobs only
        for warning in info.warnings:
            output.data({"event": "warning", "message": word(warning)})
            output.note(word(warning))
        release = workshop.release(running, out, overwrite, notice_language(plan.request))
    except BaseException:
        workshop.discard(running)
        raise
    label = workshop.label_text()
    if subtitles is not None:
        write_subtitles(subtitles, plan.request, info, release.path, label)
    told: dict[str, Any] = {
        **plain_data(release),
        "label": label,
        "seed": plan.request.seed,
        "seconds": round(info.frames / info.rate_hz, 3),
        "origin": info.origin,
        "consent": ", ".join(plan.request.consents) or "not needed",
        "pack": ", ".join(pack.id for pack in plan.request.packs) or None,
        "subtitles": str(subtitles) if subtitles is not None else None,
    }
    output.data({"event": "released", **told})
    output.line(_("Released: {path} (release {id})", path=told["path"], id=told["id"]))
    output.line(_("Label on it: {label} · ledger entry {index}", label=label, index=release.ledger_index))
    if subtitles is not None:
        output.line(_("Subtitles: {path}", path=subtitles))
    return told


@group.command("list", help=N_("The built-in voices, and whether their libraries are installed."))
def list_voices(as_json: JsonOption = False) -> None:
    """List the voices."""
    from studio.voices import voices

    found = voices()
    Output(as_json).table(
        (_("voice"), _("name"), _("what it is"), _("installed")),
        [(one.id, one.name, word(one.sentence), _("yes") if one.is_here else _("no")) for one in found],
        found,
        _("There are no voices."),
    )
    if not as_json:
        from engines.voice.catalogue import LANGUAGES

        Output().line(_("Languages: {languages}", languages=" ".join(LANGUAGES)))
