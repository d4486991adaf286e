"""What can make or change a picture here: the built-in engines, and one offer for each model pack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engines.engine import Option, load_engine
from engines.packs import LicenceClass, ModelPack
from studio.packs import list_packs
from studio.pictures import CUTOUT, CUTTERS, DIFFUSION, PIPELINES, UPSCALERS

SKETCH, ENHANCE, RESTORE = "picture.sketch", "picture.enhance", "picture.restore"
LORA_KIND = "picture.lora"
# A window shows how far a picture has come, unless somebody does not want it.
PREVIEW_EVERY = 4
# The pack is chosen with the engine; several pictures are made one after the other.
_NOT_ASKED = ("pack", "batch", "place")


@dataclass(frozen=True, slots=True)
class PictureOffer:
    """One way to make a picture. title and licence: of the pack, "" for a built-in engine. options: without the pack.

    takes_picture: whether it can start from one; needs_picture: whether it must; takes_mask: whether one is painted
    on it.
    """

    engine: str
    options: tuple[Option, ...]
    pack: str = ""
    title: str = ""
    licence: str = ""
    licence_class: LicenceClass = LicenceClass.OPEN
    takes_picture: bool = False
    needs_picture: bool = False
    takes_mask: bool = False

    @property
    def key(self) -> str:
        """Tells it from the others."""
        return f"{self.engine} {self.pack}".strip()

    @property
    def takes_words(self) -> bool:
        """Whether a prompt is asked for."""
        return any(option.name == "prompt" for option in self.options)


def picture_offers(home: Path) -> list[PictureOffer]:
    """All of them, the sketch painter first since it always works; raises PackDamaged for a folder without manifest."""
    packs = list_packs(home)
    loras = tuple(pack.id for pack in packs if pack.kind == LORA_KIND)
    offers = [PictureOffer(SKETCH, _options(SKETCH))]
    for pack in packs:
        if pack.kind in PIPELINES:
            offers.append(_offer_of(pack, DIFFUSION, _options(DIFFUSION, loras)))
    offers.append(PictureOffer(ENHANCE, _options(ENHANCE), takes_picture=True, needs_picture=True))
    for pack in packs:
        engine = ENHANCE if pack.kind in UPSCALERS else CUTOUT if pack.kind in CUTTERS else ""
        if engine:
            offers.append(_offer_of(pack, engine, _options(engine)))
    offers.append(PictureOffer(RESTORE, _options(RESTORE), takes_picture=True, needs_picture=True, takes_mask=True))
    return offers


def _offer_of(pack: ModelPack, engine: str, options: tuple[Option, ...]) -> PictureOffer:
    return PictureOffer(
        engine,
        options,
        pack=pack.id,
        title=pack.title,
        licence=pack.licence,
        licence_class=pack.licence_class,
        takes_picture=True,
        needs_picture=engine != DIFFUSION,
        takes_mask=engine == DIFFUSION,
    )


def _options(engine_id: str, loras: tuple[str, ...] = ()) -> tuple[Option, ...]:
    """What a panel asks for; the pack is chosen with the engine, a LoRA among those that are there."""
    found = []
    for option in load_engine(engine_id).options:
        name = option.name
        if name in _NOT_ASKED or (name.startswith("lora") and not loras):
            continue
        if name == "lora":
            option = Option("lora", "", option.sentence, choices=("", *loras))
        elif name == "preview_every":
            option = replace(option, default=PREVIEW_EVERY)
        found.append(option)
    return tuple(found)
