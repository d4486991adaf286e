"""A workshop without engine, keys or ledger: the same names as studio.workshop.Workshop, all in memory."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from compliance.errors import (
    AccountExists,
    ConsentMissing,
    FileMissing,
    NotAPicture,
    SessionLocked,
    TargetExists,
    WeakPassword,
    WrongPassword,
)
from compliance.media import MediaInfo
from compliance.verify import SENTENCES, LayerReport, Report
from engines.engine import FoundFace
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio.workshop import AccountView, GrantView, ReleaseView, SessionView, SubjectView

NOW = "2026-03-01T09:30:00+00:00"
LAYERS = ("explicit", "aigc", "iptc", "credential", "ledger")
LABEL_TEXT = "AI生成 · AI-generated"


@dataclass(frozen=True)
class FakePlan:
    """What is to be made."""

    source: Path
    target: Path
    consents: tuple[str, ...]
    face: int
    purpose: str
    strength: float


class FakeRunning:
    """Goes on to the end unless the workshop holds it; a held job ends by `go` or by cancel."""

    def __init__(self, plan: FakePlan, on_event: Callable[[Event], None], held: bool, fails_with: str | None) -> None:
        self.plan = plan
        self.state = JobState.RUNNING
        self._emit = on_event
        self._held, self._fails_with = held, fails_with
        self._wake = threading.Event()
        self._cancelled = False
        self.thread = threading.Thread(target=self._work, daemon=True)

    def go(self) -> None:
        """Let a held job end."""
        self._wake.set()

    def cancel(self) -> None:
        """Stop."""
        self._cancelled = True
        self._wake.set()

    def _work(self) -> None:
        self._emit(Started())
        self._emit(Progress(1, 4, "finding faces"))
        if self._held:
            self._wake.wait(30)
        if self._cancelled:
            self.state = JobState.CANCELLED
            self._emit(Cancelled())
        elif self._fails_with:
            self.state = JobState.FAILED
            self._emit(Failed(self._fails_with, {"stage": "swapping face", "detail": "ended"}))
        else:
            self._emit(Progress(4, 4, "swapping face"))
            self.state = JobState.FINISHED
            self._emit(Finished(MediaInfo("picture", 640, 480, "sRGB", "compositeSynthetic", "face.mesh", "1", 1)))


class FakeWorkshop:
    """Accounts, people, consents, jobs and releases in memory. Pictures are surveyed by their file name:

    "noface" has no face, "crowd" has three, "broken" is no picture, anything else has one face.
    """

    kind = "own"

    def __init__(self, home: Path) -> None:
        self.home = home
        self.hold_jobs = False
        self.jobs_fail_with: str | None = None
        self.running: FakeRunning | None = None
        self.discarded: list[FakeRunning] = []
        self.closed = False
        self._accounts: dict[str, AccountView] = {}
        self._passwords: dict[str, str] = {}
        self._session: SessionView | None = None
        self._subjects: dict[str, SubjectView] = {}
        self._grants: dict[str, GrantView] = {}
        self._releases: list[ReleaseView] = []
        self._index = 0

    def close(self) -> None:
        self.closed = True

    def accounts(self) -> list[AccountView]:
        name = self._session.username if self._session else None
        return [replace(view, signed_in=view.username == name) for view in self._accounts.values()]

    def create_account(self, username: str, password: str, declared_name: str | None = None) -> AccountView:
        if username in self._accounts:
            raise AccountExists(account=username)
        if len(password) < 8:
            raise WeakPassword(minimum=8)
        proven = declared_name is not None
        view = AccountView(username, NOW, "self" if proven else "none", "2027-03-01" if proven else None, False)
        self._accounts[username], self._passwords[username] = view, password
        return view

    def login(self, username: str, password: str) -> SessionView:
        if self._passwords.get(username) != password:
            raise WrongPassword(account=username)
        proven = self._accounts[username].level != "none"
        self._session = SessionView(username, True, proven, "2026-03-02T09:30:00+00:00")
        return self._session

    def lock(self) -> None:
        """As after a restart on a machine without a keyring."""
        assert self._session is not None
        self._session = replace(self._session, unlocked=False)

    def unlock(self, password: str) -> SessionView:
        assert self._session is not None
        return self.login(self._session.username, password)

    def logout(self) -> None:
        self._session = None

    def declare(self, name: str) -> AccountView:
        assert self._session is not None and name
        view = replace(self._accounts[self._session.username], level="self", proof_until="2027-03-01")
        self._accounts[view.username] = view
        return view

    def session(self) -> SessionView | None:
        return self._session

    def add_subject(self, name: str) -> SubjectView:
        self._require()
        view = SubjectView(f"p{len(self._subjects) + 1}", name, NOW, 0)
        self._subjects[view.id] = view
        return view

    def subjects(self) -> list[SubjectView]:
        return list(self._subjects.values())

    def record_consent(
        self,
        subject_id: str,
        asset: Path,
        purposes: Sequence[str],
        valid_from: date,
        valid_until: date,
        evidence: Path | None = None,
        likeness: str = "face",
    ) -> GrantView:
        session = self._require()
        self._index += 1
        kept = hashlib.sha256(evidence.read_bytes()).hexdigest() if evidence else None
        view = GrantView(
            f"c{self._index}",
            subject_id,
            self._subjects[subject_id].name,
            likeness,
            tuple(purposes),
            hashlib.sha256(asset.read_bytes()).hexdigest(),
            valid_from.isoformat(),
            valid_until.isoformat(),
            "live" if valid_from <= date.today() <= valid_until else "expired",
            None,
            kept,
            datetime.now(UTC).isoformat(),
            session.username,
            self._index,
        )
        self._grants[view.id] = view
        return view

    def grants(self, subject_id: str | None = None) -> list[GrantView]:
        return [view for view in self._grants.values() if subject_id in (None, view.subject_id)]

    def withdraw_consent(self, grant_id: str, reason: str = "") -> list[ReleaseView]:
        self._require()
        self._grants[grant_id] = replace(self._grants[grant_id], state="withdrawn", withdrawn_at=NOW)
        return [view for view in self._releases if grant_id in view.consents]

    def survey(self, picture: Path) -> list[FoundFace]:
        if not picture.exists():
            raise FileMissing(path=picture.name)
        if "broken" in picture.name:
            raise NotAPicture(path=picture.name, reason="damaged")
        if "noface" in picture.name:
            return []
        with Image.open(picture) as opened:
            width, height = opened.size
        count = 3 if "crowd" in picture.name else 1
        side = width // (count * 2)
        return [
            FoundFace(n + 1, (side // 2 + n * side * 2, height // 6, side, side * 5 // 4), 60.0, 0.0)
            for n in range(count)
        ]

    def plan_swap(
        self,
        source: Path,
        target: Path,
        consents: Sequence[str],
        *,
        face: int = 0,
        purpose: str = "private",
        strength: float = 1.0,
    ) -> FakePlan:
        return FakePlan(source, target, tuple(consents), face, purpose, strength)

    def start(self, plan: FakePlan, on_event: Callable[[Event], None]) -> FakeRunning:
        self._require()
        if any(self._grants[grant].state != "live" for grant in plan.consents):
            raise ConsentMissing(role="source", asset=plan.source.name)
        self.running = FakeRunning(plan, on_event, self.hold_jobs, self.jobs_fail_with)
        self.running.thread.start()
        return self.running

    def preview(self, running: FakeRunning, longest_px: int = 1024) -> bytes:
        return _drawn(running.plan.target, longest_px)

    def release(self, running: FakeRunning, out: Path, overwrite: bool = False) -> ReleaseView:
        if out.exists() and not overwrite:
            raise TargetExists(path=out)
        out.write_bytes(_drawn(running.plan.target, 4096))
        self._index += 1
        view = ReleaseView(
            id=f"{self._index:016x}",
            path=out,
            format="png",
            file_sha256=hashlib.sha256(out.read_bytes()).hexdigest(),
            created_at=datetime.now(UTC).isoformat(),
            state="released",
            consents=running.plan.consents,
            ledger_index=self._index,
        )
        self._releases.append(view)
        return view

    def discard(self, running: FakeRunning) -> None:
        self.discarded.append(running)

    def releases(self) -> list[ReleaseView]:
        return list(self._releases)

    def verify(self, paths: Sequence[Path]) -> list[Report]:
        return [self._report(path) for path in paths]

    def _report(self, path: Path) -> Report:
        if not path.exists():
            raise FileMissing(path=path.name)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in {view.file_sha256 for view in self._releases}:
            return Report(str(path), "sealed", SENTENCES["sealed"], {name: LayerReport("intact") for name in LAYERS})
        if path.suffix == ".txt":
            layers = {name: LayerReport("unchecked") for name in LAYERS}
            return Report(str(path), "unreadable", SENTENCES["unreadable"], layers)
        layers = {name: LayerReport("absent") for name in LAYERS}
        return Report(str(path), "unlabelled", SENTENCES["unlabelled"], layers)

    def label_text(self) -> str:
        return LABEL_TEXT

    def _require(self) -> SessionView:
        if self._session is None or not self._session.unlocked:
            raise SessionLocked(account="somebody")
        return self._session


def _drawn(target: Path, longest_px: int) -> bytes:
    with Image.open(target) as opened:
        picture: Any = opened.convert("RGB")
    picture.thumbnail((longest_px, longest_px))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, picture.height - 24, 170, picture.height), fill=(16, 16, 16))
    draw.text((8, picture.height - 18), "AI-generated", fill=(255, 255, 255))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def draw_picture(path: Path, colour: tuple[int, int, int] = (190, 180, 170)) -> Path:
    """A plain picture with a head in it."""
    picture = Image.new("RGB", (640, 480), colour)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((220, 60, 420, 340), fill=(225, 190, 165))
    draw.ellipse((280, 170, 300, 185), fill=(40, 40, 40))
    draw.ellipse((340, 170, 360, 185), fill=(40, 40, 40))
    picture.save(path)
    return path
