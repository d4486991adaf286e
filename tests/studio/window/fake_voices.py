"""The voices of the fake workshop, and a loudspeaker that only keeps what it was asked for."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from compliance.errors import TargetExists, VoiceConsentMissing
from compliance.media import MediaInfo
from engines.job import Cancelled, Event, Finished, JobState, Progress, Started
from engines.sound import Wave
from studio.workshop import ReleaseView
from tests.engines.voices import LOW, speech, wav
from tests.studio.fake_workshop import FakeWorkshop

RATE_HZ = 16000


def recording(path: Path, seconds: float = 3.0, rate_hz: int = RATE_HZ, samples: Wave | None = None) -> Path:
    """A recording of a made voice, or of these samples."""
    path.write_bytes(wav(speech(LOW, seconds, rate_hz) if samples is None else samples, rate_hz))
    return path


@dataclass(frozen=True)
class SoundPlan:
    """What is to be said or changed."""

    options: Mapping[str, Any]
    seed: int = 0
    engine: str = "voice.stock"
    paths: tuple[Path, ...] = ()
    consents: tuple[str, ...] = ()
    scope: Mapping[str, Any] = field(default_factory=dict)


class SoundRunning:
    """Ends at once, or when it is let go or stopped."""

    def __init__(self, plan: SoundPlan, on_event: Callable[[Event], None], held: bool) -> None:
        self.plan, self.request = plan, plan
        self.state = JobState.RUNNING
        self._emit, self._held = on_event, held
        self._wake = threading.Event()
        self._cancelled = False
        self.thread = threading.Thread(target=self._work, daemon=True)

    def go(self) -> None:
        self._wake.set()

    def cancel(self) -> None:
        self._cancelled = True
        self._wake.set()

    def _work(self) -> None:
        self._emit(Started())
        self._emit(Progress(1, 4, "speaking"))
        if self._held:
            self._wake.wait(30)
        if self._cancelled:
            self._emit(Cancelled())
            return
        changed = self.plan.engine != "voice.stock"
        info = MediaInfo("sound", 0, 0, "", "algorithmicMedia", self.plan.engine, "1", rate_hz=RATE_HZ, frames=RATE_HZ)
        spans = () if changed else ((0, 900),)
        self._emit(Finished(replace(info, channels=1, faces_edited=int(changed), spans_ms=spans)))


class VoiceWorkshop(FakeWorkshop):
    """The fake workshop with voices. heard: the languages in which results were listened to."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.jobs: list[SoundRunning] = []
        self.heard: list[str] = []
        self.sounds: list[tuple[Path, str]] = []

    def plan_speech(
        self,
        options: Mapping[str, Any],
        *,
        seed: int = 0,
        reference: Path | None = None,
        consents: Any = (),
        **scope: Any,
    ) -> SoundPlan:
        paths = () if reference is None else (reference,)
        return SoundPlan(options, seed, "voice.stock", paths, tuple(consents), scope)

    def plan_voice(
        self,
        engine_id: str,
        options: Mapping[str, Any],
        *,
        target: Path,
        source: Path | None,
        consents: Any,
        **scope: Any,
    ) -> SoundPlan:
        paths = tuple(path for path in (source, target) if path is not None)
        return SoundPlan(options, 0, engine_id, paths, tuple(consents), scope)

    def start(self, plan: Any, on_event: Callable[[Event], None]) -> Any:
        if not isinstance(plan, SoundPlan):
            return super().start(plan, on_event)
        if any(self._grants[grant].state != "live" for grant in plan.consents):
            raise VoiceConsentMissing(role="target", asset=plan.paths[-1].name)
        running = SoundRunning(plan, on_event, self.hold_jobs)
        self.jobs.append(running)
        running.thread.start()
        return running

    def listen(self, running: SoundRunning, language: str = "zh") -> bytes:
        self.heard.append(language)
        return wav(speech(LOW, 2.0, RATE_HZ, seed=running.plan.seed), RATE_HZ)

    def release(self, running: Any, out: Path, overwrite: bool = False, language: str = "") -> ReleaseView:
        if out.exists() and not overwrite:
            raise TargetExists(path=out)
        out.write_bytes(b"a labelled sound")
        self.sounds.append((out, language))
        return ReleaseView("0" * 16, out, "wav", "0" * 64, "2026-03-01T09:30:00+00:00", "released", (), 1)


class Loudspeaker(QObject):
    """Keeps what it was asked to play; silent says why it cannot."""

    moved = Signal(float)
    ended = Signal(str)

    def __init__(self, silent: str = "") -> None:
        super().__init__()
        self.silent = silent
        self.played: list[tuple[float, float]] = []
        self.pauses = 0

    def play(self, data: bytes, from_s: float) -> None:
        with wave.open(io.BytesIO(data)) as sound:
            self.played.append((round(sound.getnframes() / sound.getframerate(), 2), round(from_s, 2)))
        if self.silent:
            self.ended.emit(self.silent)

    def pause(self) -> None:
        self.pauses += 1
