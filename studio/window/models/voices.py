"""Voices: what can speak here, the recordings of a change, and the takes from their start to their release."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, assert_never

from PySide6.QtCore import QObject, Qt, Signal

from compliance.errors import SignetError
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio.text import _, language
from studio.window.calls import Calls, emit_across
from studio.window.models.bench import ROLES, is_territory
from studio.window.models.making import SMOOTHING_MIN_DONE, error_of
from studio.window.models.model import Model
from studio.window.models.people import PeopleModel
from studio.window.models.recording_slot import RecordingSlot
from studio.window.models.voice_takes import Alignment, NoticeLanguage, Take, labelled
from studio.window.words import purpose_word

if TYPE_CHECKING:
    from compliance.media import MediaInfo
    from engines.packs import ModelPack
    from studio.voices import VoiceView
    from studio.window.widgets.wave_data import Heard
    from studio.workshop import GrantView, Running, SwapPlan, Workshop

Place = Literal["source", "target", "reference"]
# The reference is the recording whose voice a pack takes on when it speaks a text.
PLACES: Final[tuple[Place, ...]] = (*ROLES, "reference")
MOST_TAKES = 16
LEAN, ATTRIBUTE, CONVERTER = "voice.lean", "voice.attribute", "voice.converter"


class VoicesModel(Model):
    """`changed` after anything changed; `made` when the last take of a row is there; `released` with the release."""

    changed = Signal()
    made = Signal()
    released = Signal(object)
    _event_came = Signal(object, object)

    def __init__(self, workshop: Workshop, calls: Calls, people: PeopleModel, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self._people = people
        self.stock: list[VoiceView] = []
        self.packs: list[ModelPack] = []
        self.converters: list[ModelPack] = []
        self.is_listed = False
        self.clones: dict[str, bool] = {}
        self.slots: dict[Place, RecordingSlot] = {place: RecordingSlot(workshop, calls, self) for place in PLACES}
        self.consents: dict[Place, set[str]] = {place: set() for place in PLACES}
        self._seen: dict[Place, str] = dict.fromkeys(PLACES, "")
        self.way = LEAN
        self.purpose = "private"
        self.declared_uses: set[str] = set()
        self.territory = self.project = ""
        self.notice: NoticeLanguage = "zh" if language() == "zh-CN" else "en"
        self.takes: list[Take] = []
        self.chosen = 0
        self._ticket: object = None
        self._plans: list[Callable[[], SwapPlan]] = []
        self._alignment = Alignment()
        self._origin: tuple[Heard | None, tuple[float, float]] = (None, (0.0, 0.0))
        self._reset()
        self._event_came.connect(self.on_event, Qt.ConnectionType.QueuedConnection)
        for place in PLACES:
            self.slots[place].changed.connect(lambda place=place: self.on_slot_changed(place))
        people.changed.connect(self.on_people_changed)

    def _reset(self) -> None:
        self.state: JobState | None = None
        self.running: Running | None = None
        self.info: MediaInfo | None = None
        self.stage = ""
        self.done, self.total, self.wanted = 0, 0, 0
        self.started_s = 0.0
        self.is_cancelling = False

    # --- what there is ----------------------------------------------------------------------------------------------

    def list_voices(self) -> None:
        """Find out which voices can speak on this machine."""

        def work() -> object:
            from studio.pack_voices import clones

            stock, packs = find_voices(self.workshop.home)
            return stock, packs, clones(packs)

        def then(found: Any) -> None:
            self.stock, packs, self.clones = found
            self.packs = [pack for pack in packs if pack.kind != CONVERTER]
            self.converters = [pack for pack in packs if pack.kind == CONVERTER]
            self.is_listed = True
            self.changed.emit()

        self.calls.aside(work, then, self.failed.emit)

    def offers(self, place: Place) -> list[GrantView]:
        """The live consents to this voice: those for this very file first, then those that go by the voice itself."""
        slot = self.slots[place]
        if slot.state != "ready":
            return []
        live = [grant for grant in self._people.grants if grant.state == "live" and grant.likeness == "voice"]
        live.sort(key=lambda grant: grant.recorded_at, reverse=True)
        exact = [grant for grant in live if grant.asset_sha256 == slot.sha256]
        return exact + [grant for grant in live if grant.match == "biometric" and grant not in exact]

    def roles(self) -> tuple[Place, ...]:
        """The recordings that the chosen way needs."""
        return ("target",) if self.engine == ATTRIBUTE else ROLES

    def used(self, place: Place) -> list[GrantView]:
        """The consents in use for a recording."""
        return [one for one in self.offers(place) if one.id in self.consents[place]]

    def chosen_consents(self) -> tuple[str, ...]:
        """All consents in use for a change, each once."""
        return tuple(dict.fromkeys(one.id for role in self.roles() for one in self.used(role)))

    def has_consents(self) -> bool:
        """Whether every recording of a change has a consent in use."""
        return all(self.used(role) for role in self.roles())

    def takes_on(self, pack_id: str) -> bool:
        """Whether this pack would speak in the voice of the reference, and not in one of its own."""
        return pack_id in self.clones and (not self.clones[pack_id] or self.slots["reference"].path is not None)

    def lack(self, places: Sequence[Place]) -> str:
        """What is missing before these recordings may be used, as a sentence; "" when it can be asked for."""
        slots = [self.slots[place] for place in places]
        if any(slot.state == "reading" for slot in slots):
            return _("Listening...")
        if any(slot.state == "refused" for slot in slots):
            return _("Next: choose another recording in place of the one that cannot be used.")
        if not all(self.used(place) for place in places):
            return _("Next: each recording needs a live consent of the person heard.")
        if not is_territory(self.territory):
            return _("A country is a code of two letters, such as CN; see 'More'.")
        return ""

    def uncovered(self, places: Sequence[Place]) -> str:
        """Which consent in use does not cover the purpose, as a sentence; "" when all do."""
        for grant in (one for place in places for one in self.used(place)):
            if self.purpose not in grant.purposes:
                name, purpose = grant.subject_name or grant.subject_id, purpose_word(self.purpose)
                return _("The consent of {name} does not cover '{purpose}'.", name=name, purpose=purpose)
        return ""

    def is_ready(self) -> bool:
        """Whether a change can be asked for; the gate decides in the end."""
        return all(self.slots[role].state == "ready" for role in self.roles()) and self.has_consents()

    @property
    def engine(self) -> str:
        """The engine of the chosen way."""
        return self.way.partition(":")[0]

    @property
    def converter(self) -> ModelPack | None:
        """The pack of the chosen way, where it is one."""
        return next((pack for pack in self.converters if self.way == f"{CONVERTER}:{pack.id}"), None)

    def set_way(self, way: str) -> None:
        """Lean towards another voice, edit this one, or convert it by a pack: "voice.converter:ID"."""
        self.way = way
        self.changed.emit()

    def set_consent(self, place: Place, grant_id: str, used: bool) -> None:
        """Use a consent, or not."""
        (self.consents[place].add if used else self.consents[place].discard)(grant_id)
        self.changed.emit()

    def set_purpose(self, purpose: str) -> None:
        """What the sound is for."""
        self.purpose = purpose
        self.changed.emit()

    def set_use(self, use: str, declared: bool) -> None:
        """Say that the result is for a use which consents may forbid, or that it is not."""
        (self.declared_uses.add if declared else self.declared_uses.discard)(use)
        self.changed.emit()

    def set_place(self, territory: str, project: str) -> None:
        """Where and for which project the result is used; empty for unsaid."""
        self.territory, self.project = territory.strip().upper(), project.strip()
        self.changed.emit()

    def on_slot_changed(self, place: Place) -> None:
        """Another recording: the consents for this very file are used."""
        slot = self.slots[place]
        if slot.sha256 != self._seen[place]:
            self._seen[place] = slot.sha256
            self.consents[place] = self._exact(place)
        self.changed.emit()

    def on_people_changed(self) -> None:
        """Consents were recorded or withdrawn: where none was in use, one for this file is now."""
        for place in PLACES:
            self.consents[place] &= {grant.id for grant in self.offers(place)}
            self.consents[place] = self.consents[place] or self._exact(place)
        self.changed.emit()

    def _exact(self, place: Place) -> set[str]:
        return {one.id for one in self.offers(place) if one.asset_sha256 == self.slots[place].sha256}

    def _scope(self) -> dict[str, Any]:
        return {
            "purpose": self.purpose,
            "declared_uses": tuple(sorted(self.declared_uses)),
            "territory": self.territory,
            "project": self.project,
        }

    def _part(self, place: Place, start: str, end: str) -> dict[str, float]:
        """The options for the part of a recording in use; none where it is all of it."""
        part = self.slots[place].part
        return {} if part == (0.0, 0.0) else {start: part[0], end: part[1]}

    # --- making -----------------------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether a take is being made."""
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def waiting(self) -> int:
        """How many takes come after the present one."""
        return len(self._plans)

    @property
    def take(self) -> Take | None:
        """The take that is looked at."""
        return next((one for one in self.takes if one.number == self.chosen), None)

    def seconds_left(self) -> int | None:
        """Forecast for the present take; None while it would be a guess."""
        if not self.total or self.done / self.total < SMOOTHING_MIN_DONE:
            return None
        return round((time.monotonic() - self.started_s) * (self.total - self.done) / self.done)

    def speak(self, options: Mapping[str, Any], seed: int, takes: int) -> None:
        """Speak a text so many times, with seeds that follow; by a pack that takes on voices, in the reference's."""
        given, asked = dict(options), {"purpose": self.purpose}
        if self.takes_on(str(given.get("pack", ""))):
            given |= self._part("reference", "reference_start_s", "reference_end_s")
            consents = tuple(one.id for one in self.used("reference"))
            asked = {**self._scope(), "reference": self.slots["reference"].path, "consents": consents}
        self._alignment, self._origin = Alignment(), (None, (0.0, 0.0))

        def planned(number: int) -> Callable[[], SwapPlan]:
            return lambda: self.workshop.plan_speech(given, seed=seed + number, **asked)

        self._begin([planned(number) for number in range(takes)])

    def change(self, options: Mapping[str, Any]) -> None:
        """Change the recording; its part and that of the reference are among the options."""
        given, slots, engine, consents = dict(options), self.slots, self.engine, self.chosen_consents()
        if engine == CONVERTER:
            given["pack"] = self.way.partition(":")[2]
        target, source = slots["target"].path, None if engine == ATTRIBUTE else slots["source"].path
        assert target is not None, "only what is ready is asked for"
        given |= self._part("target", "start_s", "end_s")
        if source is not None:
            given |= self._part("source", "reference_start_s", "reference_end_s")
        scope = self._scope()
        self._origin = slots["target"].heard, slots["target"].part
        self._alignment = Alignment(slots["target"].part[0], float(given.get("rate", 1.0)))
        self._begin(
            [lambda: self.workshop.plan_voice(engine, given, target=target, source=source, consents=consents, **scope)]
        )

    def _begin(self, plans: list[Callable[[], SwapPlan]]) -> None:
        if self.is_active:
            return
        self.discard_all()
        self._reset()
        self._plans, self.wanted = plans, len(plans)
        self._next()

    def _next(self) -> None:
        plan = self._plans.pop(0)
        ticket = self._ticket = object()
        self.running, self.info = None, None
        self.state, self.stage, self.done, self.total = JobState.QUEUED, "", 0, 0
        self.started_s = time.monotonic()
        self.changed.emit()

        def work() -> Any:
            return self.workshop.start(plan(), lambda event: emit_across(self._event_came, ticket, event))

        def then(running: Running) -> None:
            if ticket is not self._ticket:
                # Nobody waits for it any more: somebody else is signed in by now, or nobody.
                self.calls.aside(running.cancel, lambda _answer: self._discard(running), _nothing)
                return
            self.running = running
            if self.is_cancelling:
                self.calls.aside(running.cancel, _nothing, self._refuse)
            elif self.info is not None:
                self._listen()
            self.changed.emit()

        self.call(work, then, lambda error: ticket is self._ticket and self._refuse(error))

    def cancel(self) -> None:
        """Stop the present take and make no further ones; finished ones stay."""
        if not self.is_active or self.is_cancelling:
            return
        self.is_cancelling = True
        self._plans.clear()
        if self.running is not None:
            self.calls.aside(self.running.cancel, _nothing, self._refuse)
        self.changed.emit()

    def on_event(self, ticket: object, event: Event) -> None:
        """One event of the present take; those of an older one are let go."""
        if ticket is not self._ticket:
            return
        match event:
            case Started():
                self.state, self.started_s = JobState.RUNNING, time.monotonic()
            case Progress(done=done, total=total, stage=stage):
                self.done, self.total, self.stage = done, total, stage
            case Finished(info=info):
                self.info, self.done = info, self.total
                if self.running is not None:
                    self._listen()
            case Failed():
                self._refuse(error_of(event))
                return
            case Cancelled():
                self.state, self.is_cancelling = JobState.CANCELLED, False
                self._plans.clear()
            case _:
                assert_never(event)
        self.changed.emit()

    def _listen(self) -> None:
        """Get the result with its audible label: nothing else is ever heard."""
        running, info, ticket, alignment, spoken = self.running, self.info, self._ticket, self._alignment, self.notice
        assert running is not None and info is not None, "asked for after the take ended"

        def then(answer: Any) -> None:
            if ticket is not self._ticket:
                self._discard(running)
                return
            heard, aligned = answer
            number = max((one.number for one in self.takes), default=0) + 1
            self.takes.append(Take(number, running, info, heard, aligned, spoken, *self._origin))
            self.chosen = self.chosen or number
            self.running = None
            if self._plans and not self.is_cancelling:
                self._next()
                return
            self.state, self.is_cancelling = JobState.FINISHED, False
            self.changed.emit()
            self.made.emit()

        self.call(lambda: labelled(self.workshop, running, info, alignment, spoken), then, self._refuse)

    def _refuse(self, error: SignetError) -> None:
        self.state, self.is_cancelling = JobState.FAILED, False
        self._plans.clear()
        self.changed.emit()
        self.failed.emit(error)

    # --- results ----------------------------------------------------------------------------------------------------

    def choose(self, number: int) -> None:
        """Look at a take."""
        self.chosen = number
        self._renew()
        self.changed.emit()

    def set_notice(self, spoken: NoticeLanguage) -> None:
        """The language of the words that are spoken in a result; that they are spoken is no choice."""
        self.notice = spoken
        self._renew()
        self.changed.emit()

    def _renew(self) -> None:
        take = self.take
        if take is None or take.released is not None or take.language == self.notice:
            return
        spoken = self.notice

        def then(answer: Any) -> None:
            take.heard, take.alignment = answer
            take.language = spoken
            self.changed.emit()

        self.call(lambda: labelled(self.workshop, take.running, take.info, take.alignment, spoken), then)

    def discard(self, number: int) -> None:
        """Let one take go."""
        for take in [one for one in self.takes if one.number == number]:
            self.takes.remove(take)
            if take.released is None:
                self._discard(take.running)
        if self.take is None:
            self.chosen = self.takes[0].number if self.takes else 0
        self.changed.emit()

    def discard_all(self) -> None:
        """Let every take go."""
        for take in list(self.takes):
            self.discard(take.number)

    def _discard(self, running: Running) -> None:
        self.call(lambda: self.workshop.discard(running), _nothing)

    def release(self, take: Take, out: Path, overwrite: bool, subtitles: str = "") -> None:
        """Release a take, with subtitles beside it ("srt", "vtt" or none); `released` or `failed` follows."""
        spoken = self.notice

        def work() -> object:
            from studio.voices import subtitles_beside, write_subtitles

            beside = subtitles_beside(out, subtitles, overwrite) if subtitles else None
            view = self.workshop.release(take.running, out, overwrite, language=spoken)
            if beside is not None:
                write_subtitles(beside, take.running.request, take.info, view.path, self.workshop.label_text())
            return view

        def then(view: Any) -> None:
            take.released = view
            self.changed.emit()
            self.released.emit(view)

        self.call(work, then)

    def forget(self) -> None:
        """Nobody is signed in: keep no recording and no result."""
        self.cancel()
        self._ticket = None
        self._reset()
        self.discard_all()
        self.declared_uses.clear()
        self.territory = self.project = ""
        for slot in self.slots.values():
            slot.set_recording(None)


def find_voices(home: Path) -> tuple[list[VoiceView], list[ModelPack]]:
    """The built-in voices, and the packs that speak or convert; asks a process, so not for the window's thread."""
    from studio.pack_voices import ENGINES
    from studio.packs import list_packs
    from studio.voices import voices

    return voices(), [pack for pack in list_packs(home) if pack.kind in ENGINES or pack.kind == CONVERTER]


def _nothing(_answer: object) -> None:
    """The answer says nothing."""
