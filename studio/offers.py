"""What can make or change a picture here: the built-in engines, and one offer for each model pack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engines.engine import Option, load_engine
from engines.packs import LicenceClass
from studio.packs import list_packs
from studio.pictures import CUTOUT, CUTTERS, DIFFUSION, PIPELINES, UPSCALERS

SKETCH, ENHANCE, RESTORE = "picture.sketch", "picture.enhance", "picture.restore"
LORA_KIND = "picture.lora"


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
            offers.append(
                PictureOffer(
                    DIFFUSION,
                    _options(DIFFUSION, loras),
                    pack=pack.id,
                    title=pack.title,
                    licence=pack.licence,
                    licence_class=pack.licence_class,
                    takes_picture=True,
                    takes_mask=True,
                )
            )
    offers.append(PictureOffer(ENHANCE, _options(ENHANCE), takes_picture=True, needs_picture=True))
    for pack in packs:
        engine = ENHANCE if pack.kind in UPSCALERS else CUTOUT if pack.kind in CUTTERS else ""
        if engine:
            offers.append(
                PictureOffer(
                    engine,
                    _options(engine),
                    pack=pack.id,
                    title=pack.title,
                    licence=pack.licence,
                    licence_class=pack.licence_class,
                    takes_picture=True,
                    needs_picture=True,
                )
            )
    offers.append(PictureOffer(RESTORE, _options(RESTORE), takes_picture=True, needs_picture=True, takes_mask=True))
    return offers


def _options(engine_id: str, loras: tuple[str, ...] = ()) -> tuple[Option, ...]:
    """What a panel asks for; the pack is chosen with the engine, a LoRA among those that are there."""
    found = []
    for option in load_engine(engine_id).options:
        if option.name in ("pack", "batch", "place") or (
            option.name.startswith("lora") and engine_id == DIFFUSION and not loras
        ):
            continue
        if option.name == "lora":
            option = Option("lora", "", option.sentence, choices=("", *loras))
        found.append(option)
    return tuple(found)
