"""Voices: what can speak here, the recordings of a change, and the takes from their start to their release."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, assert_never

from PySide6.QtCore import QObject, Qt, Signal

from compliance.errors import SignetError
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio.text import language
from studio.window.calls import Calls
from studio.window.models.bench import ROLES, Role
from studio.window.models.making import SMOOTHING_MIN_DONE, error_of
from studio.window.models.model import Model
from studio.window.models.people import PeopleModel
from studio.window.models.recording_slot import RecordingSlot

if TYPE_CHECKING:
    from compliance.media import MediaInfo
    from engines.packs import ModelPack
    from studio.voices import VoiceView
    from studio.window.widgets.wave_data import Heard
    from studio.workshop import GrantView, ReleaseView, Running, SwapPlan, Workshop

NoticeLanguage = Literal["zh", "en"]
MOST_TAKES = 16
LEAN, ATTRIBUTE, CONVERTER = "voice.lean", "voice.attribute", "voice.converter"


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which moment of a recording a moment of the labelled result comes from.

    start_s: where the part begins; pace: 2 is twice as fast; labels: (place in the speech, length) in ms.
    """

    start_s: float = 0.0
    pace: float = 1.0
    labels: tuple[tuple[int, int], ...] = ()

    def to_result(self, second: float) -> float:
        """A moment of the recording in the result."""
        ms = max(0.0, second - self.start_s) / self.pace * 1000
        return (ms + sum(length for place, length in self.labels if place <= ms)) / 1000

    def to_input(self, second: float) -> float:
        """A moment of the result in the recording; within a label it is the moment where that was put in."""
        ms, before = second * 1000, 0.0
        for place, length in self.labels:
            begins = place + before
            if ms < begins:
                break
            if ms < begins + length:
                return self.start_s + place / 1000 * self.pace
            before += length
        return self.start_s + (ms - before) / 1000 * self.pace


@dataclass(slots=True)
class Take:
    """One finished result, as it may be heard: with its audible label.

    recording: what it was made from, and the part of it; released: once it was.
    """

    number: int
    running: Running
    info: MediaInfo
    heard: Heard
    alignment: Alignment
    language: NoticeLanguage
    recording: Heard | None = None
    part: tuple[float, float] = (0.0, 0.0)
    released: ReleaseView | None = None


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
        self.slots: dict[Role, RecordingSlot] = {role: RecordingSlot(workshop, calls, self) for role in ROLES}
        self.consents: dict[Role, set[str]] = {role: set() for role in ROLES}
        self._seen: dict[Role, str] = dict.fromkeys(ROLES, "")
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
        self.slots["source"].changed.connect(lambda: self.on_slot_changed("source"))
        self.slots["target"].changed.connect(lambda: self.on_slot_changed("target"))
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
            return find_voices(self.workshop.home)

        def then(found: Any) -> None:
            self.stock, packs = found
            self.packs = [pack for pack in packs if pack.kind != CONVERTER]
            self.converters = [pack for pack in packs if pack.kind == CONVERTER]
            self.is_listed = True
            self.changed.emit()

        self.calls.aside(work, then, self.failed.emit)

    def offers(self, role: Role) -> list[GrantView]:
        """The live consents to this voice: those for this very file first, then those that go by the voice itself."""
        slot = self.slots[role]
        if slot.state != "ready":
            return []
        live = [grant for grant in self._people.grants if grant.state == "live" and grant.likeness == "voice"]
        live.sort(key=lambda grant: grant.recorded_at, reverse=True)
        exact = [grant for grant in live if grant.asset_sha256 == slot.sha256]
        return exact + [grant for grant in live if grant.match == "biometric" and grant not in exact]

    def roles(self) -> tuple[Role, ...]:
        """The recordings that the chosen way needs."""
        return ("target",) if self.engine == ATTRIBUTE else ROLES

    def chosen_consents(self) -> tuple[str, ...]:
        """All consents in use, each once."""
        found = [one.id for role in self.roles() for one in self.offers(role) if one.id in self.consents[role]]
        return tuple(dict.fromkeys(found))

    def has_consents(self) -> bool:
        """Whether every recording has a consent in use."""
        return all(any(one.id in self.consents[role] for one in self.offers(role)) for role in self.roles())

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

    def set_consent(self, role: Role, grant_id: str, used: bool) -> None:
        """Use a consent, or not."""
        (self.consents[role].add if used else self.consents[role].discard)(grant_id)
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

    def on_slot_changed(self, role: Role) -> None:
        """Another recording: the consents for this very file are used."""
        slot = self.slots[role]
        if slot.sha256 != self._seen[role]:
            self._seen[role] = slot.sha256
            self.consents[role] = self._exact(role)
        self.changed.emit()

    def on_people_changed(self) -> None:
        """Consents were recorded or withdrawn: where none was in use, one for this file is now."""
        for role in ROLES:
            self.consents[role] &= {grant.id for grant in self.offers(role)}
            self.consents[role] = self.consents[role] or self._exact(role)
        self.changed.emit()

    def _exact(self, role: Role) -> set[str]:
        return {one.id for one in self.offers(role) if one.asset_sha256 == self.slots[role].sha256}

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
        """Speak a text so many times, with seeds that follow."""
        purpose = self.purpose
        self._alignment, self._origin = Alignment(), (None, (0.0, 0.0))

        def planned(number: int) -> Callable[[], SwapPlan]:
            return lambda: self.workshop.plan_speech(options, seed=seed + number, purpose=purpose)

        self._begin([planned(number) for number in range(takes)])

    def change(self, options: Mapping[str, Any]) -> None:
        """Change the recording; its part and that of the reference are among the options."""
        given, slots, engine, consents = dict(options), self.slots, self.engine, self.chosen_consents()
        if engine == CONVERTER:
            given["pack"] = self.way.partition(":")[2]
        target, source = slots["target"].path, None if engine == ATTRIBUTE else slots["source"].path
        assert target is not None, "only what is ready is asked for"
        for role, start, end in (
            ("target", "start_s", "end_s"),
            ("source", "reference_start_s", "reference_end_s"),
        ):
            part = slots[role].part  # type: ignore[index]  # the two words of Role
            if role in self.roles() and part != (0.0, 0.0):
                given[start], given[end] = part
        scope: dict[str, Any] = {
            "purpose": self.purpose,
            "declared_uses": tuple(sorted(self.declared_uses)),
            "territory": self.territory,
            "project": self.project,
        }
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
            return self.workshop.start(plan(), lambda event: self._event_came.emit(ticket, event))

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


def labelled(
    workshop: Workshop, running: Running, info: MediaInfo, alignment: Alignment, spoken: NoticeLanguage
) -> tuple[Heard, Alignment]:
    """A result as it may be heard, and where its labels lie."""
    from compliance.decode_sound import decode_sound
    from studio.voices import labels_in
    from studio.window.widgets.wave_data import as_heard

    data = workshop.listen(running, spoken)
    samples, rate_hz = decode_sound("preview.ogg", data)
    labels = labels_in(samples, rate_hz, info.frames * 1000 / info.rate_hz)
    return as_heard(samples, rate_hz, data), Alignment(alignment.start_s, alignment.pace, tuple(labels))


def _nothing(_answer: object) -> None:
    """The answer says nothing."""
