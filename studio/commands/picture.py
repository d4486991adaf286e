"""signet picture: pictures from words, by a model or by the sketch painter; clearer and restored pictures."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compliance.errors import PackMissing, UsageUnclear
from studio.commands.door import JsonOption, PasswordOption, call_of, home_folder, opened, split_words, with_keys
from studio.commands.face import make
from studio.commands.options import OverwriteOption, PictureOutOption, PurposeOption
from studio.commands.output import Output
from studio.text import N_, _

if TYPE_CHECKING:
    from studio.workshop import SwapPlan, Workshop

group = typer.Typer(help=N_("Pictures: from words, clearer, restored."))

_MOST = 16
_SEEDS = 1 << 31
_SIZE = re.compile(r"(\d{1,5})\s*[xX×*]\s*(\d{1,5})")

PromptOption = Annotated[str, typer.Option("--prompt", metavar="TEXT", help=N_("What the picture shows."))]
NegativeOption = Annotated[str, typer.Option("--negative", metavar="TEXT", help=N_("What it does not show."))]
SizeOption = Annotated[str, typer.Option("--size", metavar="WxH", help=N_("Width and height in pixels, 96 to 2048."))]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed", min=0, metavar="N", help=N_("The same number makes the same picture; by chance if left out.")
    ),
]
CountOption = Annotated[
    int, typer.Option("--count", min=1, max=_MOST, metavar="N", help=N_("How many pictures, with seeds that follow."))
]
ConsentOption = Annotated[
    list[str] | None,
    typer.Option(
        "--consent", metavar="ID...", help=N_("The consents of the people seen in it: several times, or with commas.")
    ),
]
FadeOption = Annotated[
    float, typer.Option("--fade", min=0, max=1, metavar="0-1", help=N_("How far faded colours are brought back."))
]
ShowMaskOption = Annotated[bool, typer.Option("--show-mask", help=N_("Release the mask instead of the picture."))]
PictureOption = Annotated[Path, typer.Option("--picture", metavar="FILE", help=N_("The picture that is worked on."))]


def size_of(text: str) -> tuple[int, int]:
    """Width and height of "768x512"; raises UsageUnclear for anything else."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageUnclear(problem=_("{value} is no size; write it like 768x512", value=text), command="signet picture")
    return int(found[1]), int(found[2])


def numbered(out: Path, index: int, count: int) -> Path:
    """The name of one picture of several: a.png, then a-2.png, a-3.png."""
    return out if count == 1 or index == 0 else out.with_name(f"{out.stem}-{index + 1}{out.suffix}")


def together(index: int, count: int, batch: int) -> dict[str, int]:
    """The options of one picture of a row of count: with how many others it is computed, and its place among them."""
    if batch == 1:
        return {}
    first = index - index % batch
    return {"batch": min(batch, count - first), "place": index - first}


def _run(
    context: typer.Context,
    output: Output,
    password_file: str | None,
    out: Path,
    overwrite: bool,
    inputs: tuple[Path, ...],
    plans: Mapping[int, Callable[[Workshop], SwapPlan]],
    is_seeded: bool,
) -> None:
    """Make and release every plan (by its seed), one after the other; is_seeded: the seed makes a difference."""
    places = [numbered(out, index, len(plans)) for index in range(len(plans))]
    with opened(context) as workshop:
        with_keys(workshop, password_file, workshop.require_ready)
        for place in places:
            workshop.verify_out(place, overwrite, inputs, "picture")
        for place, (seed, plan) in zip(places, plans.items(), strict=True):
            made = plan(workshop)
            if place == places[0] and inputs:
                _tell_frames(output, inputs[0])
            release = make(workshop, output, made, place, overwrite)
            label = workshop.label_text()
            output.data({"event": "released", **release, "label": label, "seed": seed})
            output.line(_("Released: {path} (release {id})", path=release["path"], id=release["id"]))
            output.line(_("Label on it: {label} · ledger entry {index}", label=label, index=release["ledger_index"]))
            if is_seeded:
                output.line(_("Seed: {seed}", seed=seed))


def _tell_frames(output: Output, picture: Path) -> None:
    """Say that a moving picture, or one of pages, was given."""
    from engines.source import count_frames

    if (count := count_frames(picture.read_bytes())) > 1:
        output.note(_("{name} has {count} frames or pages; only the first is used.", name=picture.name, count=count))


def _seeds(seed: int | None, count: int) -> list[int]:
    first = secrets.randbelow(_SEEDS) if seed is None else seed
    return [first + index for index in range(count)]


def _worded(
    context: typer.Context,
    engine_id: str,
    options: dict[str, Any],
    *,
    out: Path,
    overwrite: bool,
    seed: int | None = 0,
    count: int = 1,
    batch: int = 1,
    picture: Path | None = None,
    mask: Path | None = None,
    consents: list[str] | None = None,
    purpose: str,
    password_file: str | None,
    output: Output,
) -> None:
    seeds = _seeds(seed, count)

    def planned(number: int) -> Callable[[Workshop], SwapPlan]:
        return lambda workshop: workshop.plan_picture(
            engine_id,
            options | together(seeds.index(number), count, batch),
            seed=number,
            picture=picture,
            mask=mask,
            consents=split_words(consents or []),
            purpose=purpose,
        )

    plans = {number: planned(number) for number in seeds}
    inputs = tuple(path for path in (picture, mask) if path is not None)
    _run(context, output, password_file, out, overwrite, inputs, plans, "prompt" in options)


@group.command(
    help=N_(
        "Make a picture from words by a diffusion model; with --picture from that one, with --mask inside the mask."
    ),
    epilog=N_('Example: signet picture generate --prompt "a low house" --pack sd15 --size 512x512 --out a.png'),
)
def generate(
    context: typer.Context,
    prompt: PromptOption,
    out: PictureOutOption,
    negative: NegativeOption = "",
    size: SizeOption = "512x512",
    pack: Annotated[
        str, typer.Option("--pack", metavar="ID", help=N_("The model pack; the first one there if left out."))
    ] = "",
    steps: Annotated[int, typer.Option("--steps", metavar="N", help=N_("Number of denoising steps."))] = 20,
    guidance: Annotated[
        float, typer.Option("--guidance", metavar="NUMBER", help=N_("How closely the words are followed."))
    ] = 7.0,
    scheduler: Annotated[
        str, typer.Option("--scheduler", metavar="NAME", help=N_("How the steps are taken."))
    ] = "as the model",
    lora: Annotated[str, typer.Option("--lora", metavar="ID", help=N_("A LoRA pack."))] = "",
    lora_weight: Annotated[
        float, typer.Option("--lora-weight", metavar="0-2", help=N_("How strongly the LoRA acts."))
    ] = 1.0,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help=N_("The picture to start from."))
    ] = None,
    mask: Annotated[
        Path | None, typer.Option("--mask", metavar="FILE", help=N_("White where it may be painted."))
    ] = None,
    strength: Annotated[
        float, typer.Option("--strength", metavar="0-1", help=N_("How much of a given picture is changed."))
    ] = 0.75,
    memory: Annotated[str, typer.Option("--memory", metavar="NAME", help=N_("Less memory for more time."))] = "whole",
    attention: Annotated[
        str, typer.Option("--attention", metavar="NAME", help=N_("How attention is computed."))
    ] = "auto",
    device: Annotated[str, typer.Option("--device", metavar="NAME", help=N_("Where it computes."))] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", metavar="NAME", help=N_("The numbers it computes with."))] = "auto",
    seed: SeedOption = None,
    count: CountOption = 1,
    batch: Annotated[
        int,
        typer.Option("--batch", min=1, max=8, metavar="N", help=N_("How many of them are computed together.")),
    ] = 1,
    consents: ConsentOption = None,
    purpose: PurposeOption = "private",
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a picture by a model."""
    from studio.pictures import DIFFUSION, usual_pack

    width, height = size_of(size)
    if mask is not None and picture is None:
        problem = _("--mask goes with --picture: it says where that picture may be painted")
        raise UsageUnclear(problem=problem, command="signet picture generate")
    named = pack or usual_pack(home_folder(call_of(context).home))
    if not named:
        raise PackMissing(pack=DIFFUSION)
    options: dict[str, Any] = {
        "pack": named,
        "prompt": prompt,
        "negative": negative,
        "width": width,
        "height": height,
        "steps": steps,
        "guidance": guidance,
        "scheduler": scheduler,
        "memory": memory,
        "attention": attention,
        "device": device,
        "dtype": dtype,
    }
    if lora:
        options |= {"lora": lora, "lora_weight": lora_weight}
    if picture is not None:
        options["strength"] = strength
    _worded(
        context,
        DIFFUSION,
        options,
        out=out,
        overwrite=overwrite,
        seed=seed,
        count=count,
        batch=batch,
        picture=picture,
        mask=mask,
        consents=consents,
        purpose=purpose,
        password_file=password_file,
        output=Output(as_json),
    )


@group.command(
    help=N_("Paint a simple scene from words by rules, without a model; English or Chinese. Unknown words are told."),
    epilog=N_('Example: signet picture sketch --prompt "a red sunset over snowy mountains and a lake" --out a.png'),
)
def sketch(
    context: typer.Context,
    prompt: PromptOption,
    out: PictureOutOption,
    negative: NegativeOption = "",
    size: SizeOption = "768x512",
    seed: SeedOption = None,
    count: CountOption = 1,
    purpose: PurposeOption = "private",
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Paint a scene."""
    width, height = size_of(size)
    output = Output(as_json)
    output.note(_("The sketch painter follows rules; it is not a neural model."))
    _worded(
        context,
        "picture.sketch",
        {"prompt": prompt, "negative": negative, "width": width, "height": height},
        out=out,
        overwrite=overwrite,
        seed=seed,
        count=count,
        purpose=purpose,
        password_file=password_file,
        output=output,
    )


@group.command(
    help=N_("Make a picture clearer: less noise, more contrast, more pixels. Whoever is seen in it has to consent."),
    epilog=N_("Example: signet picture enhance --picture old.jpg --scale 2 --fade 0.5 --out clear.png"),
)
def enhance(
    context: typer.Context,
    picture: PictureOption,
    out: PictureOutOption,
    denoise: Annotated[
        float, typer.Option("--denoise", min=0, max=1, metavar="0-1", help=N_("How much noise is taken away."))
    ] = 0.3,
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="nlm|tv", help=N_("How noise is found: nlm for photographs, tv for drawings.")
        ),
    ] = "nlm",
    scale: Annotated[int, typer.Option("--scale", metavar="1|2|4", help=N_("How many times wider and higher."))] = 1,
    sharpness: Annotated[
        float,
        typer.Option("--sharpness", min=0, max=1, metavar="0-1", help=N_("How sharp an enlarged picture is made.")),
    ] = 0.5,
    contrast: Annotated[
        float,
        typer.Option(
            "--contrast", min=0, max=1, metavar="0-1", help=N_("How much contrast each part of the picture gains.")
        ),
    ] = 0.3,
    fade: FadeOption = 0.0,
    pack: Annotated[
        str,
        typer.Option(
            "--pack", metavar="ID", help=N_("A model pack that enlarges; without a scale as many times as it does.")
        ),
    ] = "",
    consents: ConsentOption = None,
    purpose: PurposeOption = "private",
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a picture clearer."""
    options = {
        "denoise": denoise,
        "method": method,
        "scale": scale,
        "sharpness": sharpness,
        "contrast": contrast,
        "fade": fade,
        **({"pack": pack} if pack else {}),
    }
    _worded(
        context,
        "picture.enhance",
        options,
        out=out,
        overwrite=overwrite,
        picture=picture,
        consents=consents,
        purpose=purpose,
        password_file=password_file,
        output=Output(as_json),
    )


@group.command(
    help=N_("Cut out what stands in front of a picture, by a model pack, and put it on a plain colour."),
    epilog=N_("Example: signet picture cutout --picture vase.jpg --pack u2net --background green --out cut.png"),
)
def cutout(
    context: typer.Context,
    picture: PictureOption,
    out: PictureOutOption,
    pack: Annotated[str, typer.Option("--pack", metavar="ID", help=N_("The model pack."))],
    background: Annotated[
        str,
        typer.Option(
            "--background",
            metavar="COLOUR",
            help=N_("white, black, grey, green, blue or #rrggbb; nothing transparent, since the label needs pixels."),
        ),
    ] = "white",
    show_mask: ShowMaskOption = False,
    consents: ConsentOption = None,
    purpose: PurposeOption = "private",
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cut out the front."""
    _worded(
        context,
        "picture.cutout",
        {"pack": pack, "background": background, "result": "mask" if show_mask else "picture"},
        out=out,
        overwrite=overwrite,
        picture=picture,
        consents=consents,
        purpose=purpose,
        password_file=password_file,
        output=Output(as_json),
    )


@group.command(
    help=N_(
        "Fill scratches and dust. --show-mask shows in red what is taken for damage; edit it and give it as --mask."
    ),
    epilog=N_("Example: signet picture restore --picture old.png --show-mask --out mask.png"),
)
def restore(
    context: typer.Context,
    picture: PictureOption,
    out: PictureOutOption,
    mask: Annotated[
        Path | None, typer.Option("--mask", metavar="FILE", help=N_("Red (or white) where it is damaged."))
    ] = None,
    show_mask: ShowMaskOption = False,
    sensitivity: Annotated[
        float,
        typer.Option("--sensitivity", min=0, max=1, metavar="0-1", help=N_("How faint a scratch may be to be found.")),
    ] = 0.5,
    radius: Annotated[
        float,
        typer.Option("--radius", min=1, max=20, metavar="PX", help=N_("From how far around a scratch is filled.")),
    ] = 3.0,
    fade: FadeOption = 0.0,
    consents: ConsentOption = None,
    purpose: PurposeOption = "private",
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill scratches."""
    options = {
        "sensitivity": sensitivity,
        "radius": radius,
        "fade": fade,
        "result": "mask" if show_mask else "picture",
    }
    _worded(
        context,
        "picture.restore",
        options,
        out=out,
        overwrite=overwrite,
        picture=picture,
        mask=mask,
        consents=consents,
        purpose=purpose,
        password_file=password_file,
        output=Output(as_json),
    )
