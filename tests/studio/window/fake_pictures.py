"""Pictures, masks, recipes and sealing of the fake workshop: the same names as studio.workshop, all in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from compliance.errors import FormatUnsupported, OptionUnfit
from compliance.media import MediaInfo
from engines.engine import Option
from engines.packs import LicenceClass
from studio.offers import PictureOffer
from studio.recipes import Recipe

SKETCH = (
    Option("prompt", "", "What the picture shows."),
    Option("negative", "", "What it does not show."),
    Option("width", 512, "Width of the picture.", minimum=64, maximum=2048, unit="px"),
    Option("height", 512, "Height of the picture.", minimum=64, maximum=2048, unit="px"),
)
DIFFUSERS = (
    *SKETCH,
    Option("steps", 20, "Number of denoising steps.", minimum=1, maximum=150),
    Option("guidance", 7.0, "How closely the words are followed.", minimum=0, maximum=30),
    Option("scheduler", "as the model", "How the steps are taken.", choices=("as the model", "auto")),
    Option("strength", 0.75, "How much of a given picture is changed.", minimum=0.05, maximum=1),
)
RESTORE = (
    Option("sensitivity", 0.5, "How faint a scratch may be to be found.", minimum=0, maximum=1),
    Option("radius", 3.0, "From how far around a scratch is filled.", minimum=1, maximum=20, unit="px"),
    Option("result", "picture", "The restored picture, or the mask in red, to be edited.", choices=("picture", "mask")),
)


@dataclass(frozen=True)
class FakePicturePlan:
    """A picture that is asked for."""

    engine: str
    options: Mapping[str, Any]
    target: Path
    seed: int = 0
    mask: bytes | None = None
    consents: tuple[str, ...] = ()
    purpose: str = "private"
    warnings: tuple[str, ...] = ()

    def info(self) -> MediaInfo:
        """What comes of it."""
        size = int(self.options.get("width", 512)), int(self.options.get("height", 512))
        return MediaInfo("picture", *size, "sRGB", "algorithmicMedia", self.engine, "1", warnings=self.warnings)


@dataclass
class FakeRecipes:
    """Kept in memory."""

    kept: dict[str, Recipe] = field(default_factory=dict)
    of: dict[str, dict[str, Recipe]] = field(default_factory=dict)

    def of_release(self, release_id: str) -> Recipe | None:
        return self.kept.get(release_id)

    def presets(self, engine: str) -> dict[str, Recipe]:
        return dict(sorted(self.of.get(engine, {}).items()))

    def save_preset(self, name: str, recipe: Recipe) -> None:
        if not name.strip():
            raise OptionUnfit(option="preset", value=name, allowed="1 – 80")
        self.of.setdefault(recipe.engine, {})[name.strip()] = recipe

    def rename_preset(self, engine: str, name: str, new: str) -> None:
        self.of[engine][new] = self.of[engine].pop(name)

    def delete_preset(self, engine: str, name: str) -> None:
        self.of[engine].pop(name, None)


class FakePictures:
    """What the fake workshop does with pictures. A mask that is found is the left half."""

    home: Path

    def begin_pictures(self) -> None:
        self.recipes = FakeRecipes()
        self.has_pack = False
        self.pictures: list[FakePicturePlan] = []
        self.sealed: list[dict[str, Any]] = []

    def picture_offers(self) -> list[PictureOffer]:
        restore = PictureOffer("picture.restore", RESTORE, takes_picture=True, needs_picture=True, takes_mask=True)
        pack = PictureOffer(
            "picture.diffusers",
            DIFFUSERS,
            "tiny",
            "Grace",
            "MIT",
            LicenceClass.NON_COMMERCIAL,
            takes_picture=True,
            takes_mask=True,
        )
        return [PictureOffer("picture.sketch", SKETCH), *([pack] if self.has_pack else []), restore]

    def plan_picture(
        self,
        engine_id: str,
        options: Mapping[str, Any],
        *,
        seed: int = 0,
        picture: Path | None = None,
        mask: bytes | None = None,
        consents: Sequence[str] = (),
        purpose: str = "private",
    ) -> FakePicturePlan:
        target = picture or self._painted(seed)
        made = FakePicturePlan(engine_id, dict(options), target, seed, mask, tuple(consents), purpose)
        self.pictures.append(made)
        return made

    def _painted(self, seed: int) -> Path:
        path = self.home / f"painted-{seed}.png"
        Image.new("RGB", (640, 480), (seed % 200, 120, 160)).save(path)
        return path

    def keep_recipe(self, release_id: str, plan: object) -> None:
        if isinstance(plan, FakePicturePlan):
            self.recipes.kept[release_id] = Recipe(plan.engine, plan.options, plan.seed)

    def find_damage(self, picture: Path, sensitivity: float = 0.5) -> tuple[int, int, bytes]:
        with Image.open(picture) as opened:
            width, height = opened.size
        row = bytearray((width + 7) // 8)
        row[: len(row) // 2] = b"\xff" * (len(row) // 2)
        return width, height, bytes(row) * height

    def verify_seal(self, path: Path, out: Path, overwrite: bool = False) -> None:
        if path.suffix == ".xyz":
            raise FormatUnsupported(path=out, supported=".png")

    def plan_seal(self, path: Path, **asked: Any) -> FakePicturePlan:
        self.sealed.append({"path": path, **asked})
        plan = FakePicturePlan("foreign.picture", {}, path)
        return replace(plan, consents=tuple(asked.get("consents", ())))
