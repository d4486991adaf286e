"""signet pack: the model packs of this home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studio.commands.door import JsonOption, call_of, home_folder
from studio.commands.output import Output
from studio.text import N_, _

if TYPE_CHECKING:
    from engines.packs import ModelPack

group = typer.Typer(help=N_("Model packs: neural weights with their licence, checked before every load."))

PackArgument = Annotated[str, typer.Argument(metavar="PACK", help=N_("Id of the pack."))]


def _data(pack: ModelPack) -> dict[str, object]:
    return {**pack.manifest(), "digest": pack.digest(), "files": len(pack.files)}


def _table(output: Output, packs: list[ModelPack]) -> None:
    output.table(
        (_("id"), _("kind"), _("title"), _("licence"), _("licence class"), _("files")),
        [
            (pack.id, pack.kind, pack.title, pack.licence, pack.licence_class.value, str(len(pack.files)))
            for pack in packs
        ],
        [_data(pack) for pack in packs],
        _("There is no model pack yet; the built-in engines need none. Add one with `signet pack add`."),
    )


@group.command("list", help=N_("All packs of this home."))
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """All packs."""
    from studio.packs import list_packs

    _table(Output(as_json), list_packs(home_folder(call_of(context).home)))


@group.command(help=N_("Copy a folder or file of weights (safetensors, ONNX) into this home as a pack."))
def add(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help=N_("The folder or file of weights."))],
    pack_id: Annotated[str, typer.Option("--id", metavar="ID", help=N_("A short name for the pack."))],
    licence: Annotated[str, typer.Option("--licence", metavar="NAME", help=N_("The licence, as its source names it."))],
    licence_class: Annotated[
        str,
        typer.Option(
            "--licence-class",
            metavar="CLASS",
            help=N_("open, responsible-use, non-commercial, research-only or unknown; the gate keeps to it."),
        ),
    ] = "unknown",
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=N_("What it is for, if not obvious, as of an ONNX file: picture.upscaler, picture.cutout ..."),
        ),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help=N_("A title for people."))] = None,
    like: Annotated[
        str, typer.Option("--like", metavar="PACK", help=N_("A pack whose settings a single file shares."))
    ] = "",
    origin: Annotated[str, typer.Option("--source", metavar="TEXT", help=N_("Where the weights come from."))] = "",
    as_json: JsonOption = False,
) -> None:
    """Add a pack."""
    from compliance.errors import OptionUnfit, UsageUnclear
    from engines.packs import LicenceClass
    from studio.packs import KINDS, add_pack

    if kind is not None and kind not in KINDS:
        raise OptionUnfit(option="kind", value=kind[:80], allowed=", ".join(KINDS))
    try:
        known = LicenceClass(licence_class)
    except ValueError as error:
        problem = _("{value} is no licence class", value=licence_class)
        raise UsageUnclear(problem=problem, command="signet pack add") from error
    pack = add_pack(
        home_folder(call_of(context).home),
        source,
        pack_id=pack_id,
        licence=licence,
        licence_class=known,
        kind=kind,
        title=title,
        origin=origin,
        like=like,
    )
    output = Output(as_json)
    _table(output, [pack])
    if known is LicenceClass.UNKNOWN:
        output.note(_("Its licence class is unknown, so nothing can be made with it. Add it with --licence-class."))


@group.command(help=N_("Check every file of a pack, or of all packs."))
def verify(
    context: typer.Context,
    pack_id: Annotated[
        str | None, typer.Argument(metavar="PACK", help=N_("Id of the pack; all when left out."))
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify packs."""
    from studio.packs import find_pack, list_packs

    home = home_folder(call_of(context).home)
    output = Output(as_json)
    for pack in [find_pack(home, pack_id)] if pack_id else list_packs(home):
        pack.verify()
        output.data({"pack": pack.id, "state": "intact", "digest": pack.digest()})
        output.line(_("{pack}: every file is intact", pack=pack.id))


@group.command(help=N_("Remove a pack from this home."))
def remove(context: typer.Context, pack_id: PackArgument, as_json: JsonOption = False) -> None:
    """Remove a pack."""
    from studio.packs import remove_pack

    remove_pack(home_folder(call_of(context).home), pack_id)
    output = Output(as_json)
    output.data({"pack": pack_id, "state": "removed"})
    output.line(_("{pack} is removed.", pack=pack_id))
