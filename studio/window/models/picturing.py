"""Making pictures: by what, from which words, options, seeds and picture; and what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from compliance.errors import SignetError
from engines.job import JobState
from studio.window.calls import Calls
from studio.window.models.job_line import JobLine, LineJob
from studio.window.models.making import MakingModel
from studio.window.models.mask import MaskModel
from studio.window.models.model import Model
from studio.window.models.people import PeopleModel
from studio.window.models.picture_slot import PictureSlot

if TYPE_CHECKING:
    from studio.offers import PictureOffer
    from studio.recipes import Recipe
    from studio.workshop import GrantView, ReleaseView, Running, Workshop

SEEDS = 1 << 31
MOST_TAKES = 16
THUMBNAIL_PX = 512


@dataclass(eq=False)
class Take:
    """One result: what it was asked with and its labelled preview. released: once it stands as a file."""

    job: LineJob
    engine: str
    seed: int
    preview: QImage = field(default_factory=QImage)
    released: ReleaseView | None = None


class PicturingModel(Model):
    """`changed` after anything changed, `asked_changed` only when the fields of the page have to be filled anew."""

    changed = Signal()
    asked_changed = Signal()
    presets_changed = Signal()

    def __init__(
        self,
        workshop: Workshop,
        calls: Calls,
        people: PeopleModel,
        making: MakingModel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(workshop, calls, parent)
        self._people, self._making = people, making
        self.line = JobLine(workshop, calls, self)
        self.slot = PictureSlot(workshop, calls, self, needs_face=False)
        self.mask = MaskModel(self)
        self.offers: list[PictureOffer] = []
        self.presets: dict[str, Recipe] = {}
        self._reset()
        self.line.changed.connect(self.changed)
        self.line.ended.connect(self.on_ended)
        self.line.failed.connect(self.failed)
        self.slot.changed.connect(self.on_slot_changed)
        self.mask.changed.connect(self.changed)
        people.changed.connect(self.on_people_changed)
        making.let_go.connect(self.on_let_go)
        making.released.connect(self.on_released)

    def _reset(self) -> None:
        self.key = ""
        self.options: dict[str, dict[str, Any]] = {}
        self.seed = secrets.randbelow(SEEDS)
        self.keeps_seed = False
        self.count = 1
        self.purpose = "private"
        self.consents: set[str] = set()
        self._offered: set[str] = set()
        self._seen = ""
        self.takes: list[Take] = []
        self.shown: Take | None = None

    # --- what is asked for ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read which engines and packs there are."""
        self.call(self.workshop.picture_offers, self._take_offers)

    def _take_offers(self, offers: list[PictureOffer]) -> None:
        if [one.key for one in offers] == [one.key for one in self.offers]:
            return
        self.offers = offers
        self.choose(self.key)

    @property
    def offer(self) -> PictureOffer | None:
        """What is chosen; the first where nothing is."""
        return next((one for one in self.offers if one.key == self.key), self.offers[0] if self.offers else None)

    def choose(self, key: str) -> None:
        """Another engine or pack; each keeps its own options."""
        self.key = key
        offer = self.offer
        if offer is not None:
            self.key = offer.key
            before = next((one for name, one in self.options.items() if name != self.key), {})
            mine = self.options.setdefault(self.key, {})
            if offer.takes_words and not mine.get("prompt") and before.get("prompt"):
                mine["prompt"] = before["prompt"]
        self.asked_changed.emit()
        self.changed.emit()
        self.read_presets()

    def value(self, name: str) -> Any:
        """An option as it is set, or its default."""
        offer = self.offer
        default = next((one.default for one in offer.options if one.name == name), "") if offer is not None else ""
        return self.options.get(self.key, {}).get(name, default)

    def set_value(self, name: str, value: Any) -> None:
        """Set an option of the chosen engine."""
        self.options.setdefault(self.key, {})[name] = value
        self.changed.emit()

    def asked(self) -> dict[str, Any]:
        """All options as Workshop.plan_picture takes them."""
        offer = self.offer
        if offer is None:
            return {}
        found = {one.name: self.value(one.name) for one in offer.options}
        if offer.pack:
            found["pack"] = offer.pack
        if not found.get("lora"):
            found.pop("lora", None)
            found.pop("lora_weight", None)
        return found

    def set_seed(self, seed: int) -> None:
        """A number that is kept from now on."""
        self.seed, self.keeps_seed = seed % SEEDS, True
        self.asked_changed.emit()

    def roll(self) -> None:
        """A seed by chance."""
        self.seed = secrets.randbelow(SEEDS)
        self.asked_changed.emit()

    def set_picture(self, path: Path | None) -> None:
        """The picture that is worked on, or none."""
        self.slot.set_picture(path)

    def on_slot_changed(self) -> None:
        """Another picture: an empty mask of its size, and the consents recorded for it."""
        if self.slot.state in ("empty", "refused"):
            self._seen = ""
        if self.slot.state == "ready" and self.slot.size.isValid() and self.slot.sha256 != self._seen:
            self._seen = self.slot.sha256
            self.mask.begin(self.slot.size)
            self._offered = {grant.id for grant in self.grants()}
            self.consents = set(self._offered)
        self.changed.emit()

    def grants(self) -> list[GrantView]:
        """The live consents recorded for the picture; none are asked for where nobody is seen."""
        ready = self.slot.state == "ready" and bool(self.slot.faces)
        return self._people.live_grants_for(self.slot.sha256) if ready else []

    def set_consent(self, grant_id: str, used: bool) -> None:
        """Use a consent, or not."""
        (self.consents.add if used else self.consents.discard)(grant_id)
        self.changed.emit()

    def on_people_changed(self) -> None:
        """New consents are used, what was chosen among the old ones stays."""
        there = {grant.id for grant in self.grants()}
        self.consents = (self.consents & there) | (there - self._offered)
        self._offered = there
        self.changed.emit()

    @property
    def picture(self) -> Path | None:
        """The picture that goes in, where the engine takes one."""
        offer = self.offer
        return self.slot.path if offer is not None and offer.takes_picture else None

    def find_damage(self) -> None:
        """Let the worker propose a mask for restoring."""
        path = self.slot.path
        if path is None:
            return
        sensitivity = float(self.value("sensitivity") or 0.5)

        def then(found: tuple[int, int, bytes]) -> None:
            if path == self.slot.path:
                self.mask.take_bits(*found)

        self.call(lambda: self.workshop.find_damage(path, sensitivity), then)

    # --- making -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Queue as many pictures as asked for, with seeds that follow."""
        offer = self.offer
        if offer is None or self.line.is_active:
            return
        if not self.keeps_seed:
            self.roll()
        options, picture = self.asked(), self.picture
        mask = self.mask.png() if picture is not None and offer.takes_mask else None
        consents, purpose = tuple(sorted(self.consents)) if picture is not None else (), self.purpose

        def planned(seed: int) -> LineJob:
            def plan() -> Any:
                return self.workshop.plan_picture(
                    offer.engine, options, seed=seed, picture=picture, mask=mask, consents=consents, purpose=purpose
                )

            return LineJob(plan)

        count = self.count if offer.takes_words else 1
        takes = [Take(planned(seed), offer.engine, seed) for seed in range(self.seed, self.seed + count)]
        for take in self.takes[: max(0, len(self.takes) + count - MOST_TAKES)]:
            self.discard(take)
        self.takes += takes
        self.line.add([take.job for take in takes])

    def on_ended(self, job: LineJob) -> None:
        """Draw the labelled preview of a result; forget what gave none."""
        take = next((one for one in self.takes if one.job is job), None)
        if take is None:
            if job.running is not None and job.state is JobState.FINISHED:
                self._let_go(job.running)
            return
        if job.state is not JobState.FINISHED or job.running is None:
            self.takes.remove(take)
            return
        running = job.running

        def then(png: bytes) -> None:
            take.preview = QImage.fromData(png, "PNG")
            self.shown = take
            self.changed.emit()

        self.call(lambda: self.workshop.preview(running, self._making.preview_longest_px), then)

    def show(self, take: Take) -> None:
        """Look at another result."""
        self.shown = take
        self.changed.emit()

    def hand_over(self, take: Take) -> bool:
        """Give a result to the release page; False while that makes something itself."""
        if take.job.running is None or take.preview.isNull() or self._making.is_active or take.released is not None:
            return False
        name = self.picture.stem if self.picture is not None else f"picture-{take.seed}"
        self._making.adopt(take.job.running, take.job.info, take.preview, Path(name))
        return True

    def discard(self, take: Take) -> None:
        """Let a result go."""
        if take in self.takes:
            self.takes.remove(take)
        if self.shown is take:
            self.shown = next((one for one in reversed(self.takes) if not one.preview.isNull()), None)
        if take.job.running is not None and take.released is None:
            if self._making.running is take.job.running:
                self._making.discard()
            else:
                self._let_go(take.job.running)
        self.changed.emit()

    def _let_go(self, running: Running) -> None:
        self.call(lambda: self.workshop.discard(running), _nothing)

    def on_let_go(self, running: object) -> None:
        """The release page discarded what it was given."""
        take = next((one for one in self.takes if one.job.running is running), None)
        if take is not None:
            self.takes.remove(take)
            if self.shown is take:
                self.shown = next((one for one in reversed(self.takes) if not one.preview.isNull()), None)
            self.changed.emit()

    def on_released(self, view: ReleaseView) -> None:
        """A result stands as a file."""
        take = next((one for one in self.takes if one.job.running is self._making.released_running), None)
        if take is not None:
            take.released = view
            self.changed.emit()

    # --- recipes ----------------------------------------------------------------------------------------------------

    def recall(self, recipe: Recipe) -> bool:
        """Fill the page with how something was made; False when its engine or pack is not here."""
        pack = str(recipe.options.get("pack", ""))
        offer = next((one for one in self.offers if (one.engine, one.pack) == (recipe.engine, pack)), None)
        if offer is None:
            return False
        self._fill(offer, recipe.options)
        self.seed, self.keeps_seed, self.count = recipe.seed, True, 1
        self.choose(offer.key)
        return True

    def _fill(self, offer: PictureOffer, options: Mapping[str, Any]) -> None:
        known = {one.name for one in offer.options}
        self.options[offer.key] = {name: value for name, value in options.items() if name in known}

    def read_presets(self) -> None:
        """The presets of the chosen engine."""
        offer = self.offer
        if offer is None:
            return

        def then(found: dict[str, Recipe]) -> None:
            self.presets = found
            self.presets_changed.emit()

        def refused(_error: SignetError) -> None:
            self.presets = {}
            self.presets_changed.emit()

        self.call(lambda: self.workshop.recipes.presets(offer.engine), then, refused)

    def save_preset(self, name: str) -> None:
        """Keep the options as they are under a name."""
        from studio.recipes import Recipe  # here: it leads to the keys, which the window needs later

        offer = self.offer
        if offer is None:
            return
        recipe = Recipe(offer.engine, self.asked(), self.seed if self.keeps_seed else 0)
        self.call(lambda: self.workshop.recipes.save_preset(name, recipe), self._after_presets)

    def rename_preset(self, name: str, new: str) -> None:
        """Another name."""
        if (offer := self.offer) is not None:
            self.call(lambda: self.workshop.recipes.rename_preset(offer.engine, name, new), self._after_presets)

    def delete_preset(self, name: str) -> None:
        """Forget one."""
        if (offer := self.offer) is not None:
            self.call(lambda: self.workshop.recipes.delete_preset(offer.engine, name), self._after_presets)

    def use_preset(self, name: str) -> None:
        """Fill the options from a preset; the words that are there stay where the preset has none."""
        offer, preset = self.offer, self.presets.get(name)
        if offer is None or preset is None:
            return
        options = dict(preset.options)
        if not options.get("prompt") and self.value("prompt"):
            options["prompt"] = self.value("prompt")
        self._fill(offer, options)
        self.asked_changed.emit()
        self.changed.emit()

    def _after_presets(self, _answer: object) -> None:
        self.read_presets()

    def forget(self) -> None:
        """Nobody is signed in: results, words, picture and mask go."""
        self.line.cancel()
        for take in list(self.takes):
            self.discard(take)
        self._reset()
        self.presets = {}
        self.slot.set_picture(None)
        self.mask.begin(self.slot.size)
        self.asked_changed.emit()
        self.presets_changed.emit()
        self.changed.emit()


def _nothing(_answer: object) -> None:
    """It is let go."""
