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

from compliance.consent_record import Terms
from compliance.errors import (
    AccountExists,
    AgreementNotAccepted,
    ConsentMissing,
    FileMissing,
    NotAPicture,
    PassphraseWrong,
    SessionLocked,
    StepUpNeeded,
    TargetExists,
    WeakPassword,
    WithdrawalCodeUnknown,
    WrongPassword,
)
from compliance.evidence import Nonce
from compliance.media import MediaInfo
from compliance.verify import SENTENCES, LayerReport, Report
from engines.engine import FoundFace
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio.workshop import AccountView, AssignmentView, GrantView, ReleaseView, SessionView, SubjectView
from tests.studio.window.fake_parts import FakeCasework, FakeLogkeeping, FakeMembers, FakeReview
from tests.studio.window.fake_pictures import FakePictures

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
    source_face: int = 0
    declared_uses: tuple[str, ...] = ()
    territory: str = ""
    project: str = ""

    def info(self) -> MediaInfo:
        """What comes of it."""
        return MediaInfo("picture", 640, 480, "sRGB", "compositeSynthetic", "face.mesh", "1", 1)


class FakeRunning:
    """Goes on to the end unless the workshop holds it; a held job ends by `go` or by cancel."""

    def __init__(self, plan: Any, on_event: Callable[[Event], None], held: bool, fails_with: str | None) -> None:
        self.plan = plan
        self.state = JobState.RUNNING
        self.glimpse = b""
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
            self._emit(Finished(self.plan.info()))


class FakeWorkshop(FakePictures):
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
        self.needs_step_up = False
        self.needs_agreement = False
        self.members = FakeMembers(self)
        self.casework = FakeCasework(self)
        self.review = FakeReview(self)
        self.logkeeping = FakeLogkeeping()
        self.receipts: list[tuple[str, Path, str | None]] = []
        self.codes: dict[str, str] = {}
        self.recorded: list[dict[str, Any]] = []
        self._said: dict[tuple[str, int], AssignmentView] = {}
        self.begin_pictures()
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
        first = () if self._accounts else ("admin", "consent_officer")
        self.members.roles[username] = (*first, "creator")
        self._accounts[username], self._passwords[username] = view, password
        return view

    def require_name(self) -> str:
        return self._require().username

    def is_password(self, username: str, password: str) -> bool:
        return self._passwords.get(username) == password

    def set_password(self, username: str, password: str) -> None:
        self._passwords[username] = password

    def set_level(self, username: str, level: Any) -> None:
        self._accounts[username] = replace(self._accounts[username], level=level, proof_until="2027-03-01")

    def login(self, username: str, password: str, code: str | None = None) -> SessionView:
        if self._passwords.get(username) != password:
            raise WrongPassword(account=username)
        self.members.verify_code(username, code)
        proven = self._accounts[username].level != "none"
        self._session = SessionView(username, True, proven, "2026-03-02T09:30:00+00:00")
        return self._session

    def lock(self) -> None:
        """As after a restart on a machine without a keyring."""
        assert self._session is not None
        self._session = replace(self._session, unlocked=False)

    def unlock(self, password: str, code: str | None = None) -> SessionView:
        assert self._session is not None
        return self.login(self._session.username, password, code)

    def logout(self) -> None:
        self._session = None

    def declare(self, name: str) -> AccountView:
        assert self._session is not None and name
        view = replace(self._accounts[self._session.username], level="self", proof_until="2027-03-01")
        self._accounts[view.username] = view
        return view

    def session(self) -> SessionView | None:
        return self._session

    def add_subject(self, name: str, *, age: str | None = None, guardian: str | None = None) -> SubjectView:
        self._require()
        view = SubjectView(f"p{len(self._subjects) + 1}", name, NOW, 0, age, guardian)
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
        *,
        terms: Terms | None = None,
        **others: Any,
    ) -> GrantView:
        session = self._require()
        self._ask_again()
        terms = terms or Terms()
        terms.verify(subject_id)
        self._index += 1
        data = others.get("evidence_data") or (evidence.read_bytes() if evidence else None)
        kept = hashlib.sha256(data).hexdigest() if data else None
        level = "live" if others.get("nonce_phrase") else "file+subject" if others.get("passphrase") else "operator"
        self.recorded.append({"terms": terms, "evidence": evidence, **others})
        if others.get("face"):
            self.assign_face(asset, others["face"], subject_id)
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
            evidence_level=level,
            forbidden=terms.forbidden(),
            territories=terms.territories or ("worldwide",),
            projects=terms.projects,
            max_outputs=terms.max_outputs,
            age=terms.age or "not stated",
            receipt_id=f"8-{self._index}",
        )
        self._grants[view.id] = view
        self.codes[view.id] = "7Q2K-9XWM-4TRB-VZ8P"
        return replace(view, withdrawal_code=self.codes[view.id])

    def new_nonce(self, subject_id: str, *, likeness: str = "face", language: str = "en") -> Nonce:
        name = self._subjects[subject_id].name
        if language == "zh-CN":
            return Nonce(f"我是{name}。我的口令是：琥珀、大桥、海岛、橙子。", language, NOW)
        return Nonce(f"My name is {name}. My words are: amber, bridge, island, orange.", language, NOW)

    def assign_face(self, picture: Path, number: int, subject_id: str, *, likeness: str = "face") -> AssignmentView:
        name, digest = self.require_name(), hashlib.sha256(picture.read_bytes()).hexdigest()
        known = self._said.get((digest, number))
        if known is not None and known.subject_id == subject_id and known.assigned_by != name:
            said = replace(known, confirmed_by=name)
        else:
            said = AssignmentView(digest, likeness, number, subject_id, name, None, NOW)
        self._said[digest, number] = said
        return said

    def assignments(self, picture: Path, likeness: str = "face") -> list[AssignmentView]:
        digest = hashlib.sha256(picture.read_bytes()).hexdigest()
        return [said for (asset, _number), said in sorted(self._said.items()) if asset == digest]

    def approve_evidence(self, grant_id: str, *, refuse: bool = False) -> GrantView:
        changes: dict[str, Any] = {"state": "refused"} if refuse else {"evidence_level": "file+second"}
        self._grants[grant_id] = replace(self._grants[grant_id], approved_by=self.require_name(), **changes)
        return self._grants[grant_id]

    def confirm_by_receipt(self, grant_id: str, signed_receipt: Path) -> GrantView:
        signed_receipt.read_bytes()
        self._grants[grant_id] = replace(self._grants[grant_id], evidence_level="file+subject")
        return self._grants[grant_id]

    def write_receipt(self, grant_id: str, out: Path, code: str | None = None, overwrite: bool = False) -> None:
        out.write_text("receipt")
        self.receipts.append((grant_id, out, code))

    def withdraw_by_code(self, code: str) -> tuple[str, list[ReleaseView]]:
        for grant_id, known in self.codes.items():
            if known == code:
                self._grants[grant_id] = replace(self._grants[grant_id], state="withdrawn", withdrawn_at=NOW)
                return grant_id, [view for view in self._releases if grant_id in view.consents]
        raise WithdrawalCodeUnknown

    def withdraw_by_passphrase(self, grant_id: str, passphrase: str) -> list[ReleaseView]:
        if self.recorded[int(grant_id[1:]) - 1].get("passphrase") != passphrase:
            raise PassphraseWrong(consent=grant_id)
        self._grants[grant_id] = replace(self._grants[grant_id], state="withdrawn", withdrawn_at=NOW)
        return [view for view in self._releases if grant_id in view.consents]

    def erase_subject(self, subject_id: str) -> list[ReleaseView]:
        self._ask_again()
        self._subjects[subject_id] = replace(self._subjects[subject_id], name=None, erased_at=NOW)
        held = {view.id for view in self._grants.values() if view.subject_id == subject_id}
        for grant_id in held:
            self._grants[grant_id] = replace(
                self._grants[grant_id], state="withdrawn", withdrawn_at=NOW, subject_name=None
            )
        return [view for view in self._releases if held & set(view.consents)]

    def close_name(self, name: str) -> None:
        """Take an account away."""
        del self._accounts[name], self._passwords[name]
        self._session = None

    def grants(self, subject_id: str | None = None) -> list[GrantView]:
        return [view for view in self._grants.values() if subject_id in (None, view.subject_id)]

    def withdraw_consent(self, grant_id: str, reason: str = "") -> list[ReleaseView]:
        self._require()
        self._ask_again()
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
        **others: Any,
    ) -> FakePlan:
        return FakePlan(source, target, tuple(consents), face, purpose, strength, **others)

    def start(self, plan: Any, on_event: Callable[[Event], None]) -> FakeRunning:
        self._require()
        if any(self._grants[grant].state != "live" for grant in plan.consents):
            raise ConsentMissing(role="source", asset=plan.source.name)
        self.running = FakeRunning(plan, on_event, self.hold_jobs, self.jobs_fail_with)
        self.running.thread.start()
        return self.running

    def preview(self, running: FakeRunning, longest_px: int = 1024) -> bytes:
        return _drawn(running.plan.target, longest_px)

    def release(self, running: FakeRunning, out: Path, overwrite: bool = False) -> ReleaseView:
        self._ask_again()
        if self.needs_agreement:
            raise AgreementNotAccepted(account=self.require_name(), version="1")
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
        self.keep_recipe(view.id, running.plan)
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

    def _ask_again(self) -> None:
        if self.needs_step_up:
            raise StepUpNeeded(account=self.require_name(), minutes=5)

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
