"""People, their consents, and the picture a consent is recorded for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model

if TYPE_CHECKING:
    from compliance.evidence import Nonce
    from studio.workshop import GrantView, SubjectView, Workshop


def months_later(start: date, months: int) -> date:
    """The same day some months later, or the last day of that month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for day in (start.day, 30, 29, 28):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


How = Literal["live", "file", "passphrase", "receipt", "none"]
_KINDS = {
    "video": (".mp4", ".mov", ".mkv", ".webm", ".avi"),
    "audio": (".wav", ".flac", ".mp3", ".m4a", ".ogg"),
    "photo": (".jpg", ".jpeg", ".png", ".heic", ".webp"),
    "paper": (".pdf", ".tif", ".tiff"),
}


_LIVE_KINDS: dict[str, Any] = {"face": "video", "voice": "audio"}


def is_sound(path: Path | None) -> bool:
    """Whether a file is a sound, by its ending."""
    return path is not None and path.suffix.lower() in _KINDS["audio"]


def evidence_kind(path: Path | None) -> Any:
    """What a file handed in is, by its ending: a word of compliance.evidence.EvidenceKind."""
    ending = path.suffix.lower() if path is not None else ""
    return next((kind for kind, endings in _KINDS.items() if ending in endings), "file")


@dataclass(slots=True)
class ConsentDraft:
    """What the wizard gathers; either an existing subject or a new name.

    face: the person's number in a picture of several; others: who the other numbers are. evidence_data: a live
    recording, with the phrase that was read aloud and the camera's name. still, still_data: a picture with the person
    alone out of the evidence, for the comparison of faces. granted: the consent, once it is recorded.
    """

    subject_id: str | None = None
    new_name: str = ""
    age: str | None = None
    guardian_id: str | None = None
    guardian_name: str = ""
    relation: str | None = None
    likeness: Literal["face", "voice"] = "face"
    asset: Path | None = None
    face: int | None = None
    others: dict[int, str] = field(default_factory=dict)
    notice_language: str | None = None
    how: How = "file"
    evidence: Path | None = None
    evidence_data: bytes | None = None
    nonce_phrase: str | None = None
    device: str | None = None
    no_camera: str = ""
    still: Path | None = None
    still_data: bytes | None = None
    passphrase: str | None = None
    purposes: tuple[str, ...] = ()
    allowed_uses: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    max_outputs: int | None = None
    recipients: tuple[str, ...] = ()
    granted: GrantView | None = None
    valid_from: date = field(default_factory=date.today)
    valid_until: date = field(default_factory=lambda: months_later(date.today(), 12))

    @property
    def is_minor(self) -> bool:
        """Whether the uses that can be forbidden stay forbidden."""
        return self.age in ("14-17", "under 14")


class PeopleModel(Model):
    """Subjects and grants; `changed` after they changed, `withdrawn` with the take-down list."""

    changed = Signal()
    recorded = Signal(object)
    withdrawn = Signal(object, object)

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self.subjects: list[SubjectView] = []
        self.grants: list[GrantView] = []
        self.chosen: str | None = None
        self.is_loaded = False
        self.has_recogniser = False

    def forget(self) -> None:
        """Nobody is signed in: keep no name."""
        self.subjects, self.grants, self.chosen, self.is_loaded = [], [], None, False
        self.changed.emit()

    def refresh(self) -> None:
        """Read subjects and grants anew."""
        self.call(self._read, self._take)

    def choose(self, subject_id: str | None) -> None:
        """Remember the person looked at."""
        if subject_id != self.chosen:
            self.chosen = subject_id
            self.changed.emit()

    def grants_of(self, subject_id: str) -> list[GrantView]:
        """The consents of one person, newest first."""
        found = [grant for grant in self.grants if grant.subject_id == subject_id]
        return sorted(found, key=lambda grant: grant.recorded_at, reverse=True)

    def live_grants_for(self, asset_sha256: str) -> list[GrantView]:
        """Live consents recorded for this very file, the newest first, one for each person."""
        found: dict[str, GrantView] = {}
        for grant in sorted(self.grants, key=lambda grant: grant.recorded_at, reverse=True):
            if grant.state == "live" and grant.asset_sha256 == asset_sha256:
                found.setdefault(grant.subject_id, grant)
        return list(found.values())

    def name_of(self, grant: GrantView) -> str:
        """The person's name, or the id while the keys are locked."""
        return grant.subject_name or grant.subject_id

    def record(self, draft: ConsentDraft, done: Callable[[], None], refused: Callable[[SignetError], None]) -> None:
        """Record a consent; a new person is added first and kept for a second try. `refused` gets the error."""

        def work() -> object:
            grant = self._record(draft)
            return grant, self._read()

        def then(answer: Any) -> None:
            grant, read = answer
            draft.granted = grant
            self.chosen = grant.subject_id
            self._take(read)
            self.recorded.emit(grant)
            done()

        self.call(work, then, refused)

    def _enter_person(self, draft: ConsentDraft) -> str:
        """The person of a draft, entered now when they are new; kept in the draft for a second try."""
        if draft.guardian_id is None and draft.guardian_name:
            draft.guardian_id = self.workshop.add_subject(draft.guardian_name, age="adult").id
        if draft.subject_id is None:
            made = self.workshop.add_subject(draft.new_name, age=draft.age, guardian=draft.guardian_id)
            draft.subject_id = made.id
        return draft.subject_id

    def _record(self, draft: ConsentDraft) -> GrantView:
        from compliance.consent_record import Terms  # here, so that the window appears before the store is imported

        assert draft.asset is not None, "the wizard does not finish without a file"
        if draft.granted is not None:
            return draft.granted
        person = self._enter_person(draft)
        live = draft.evidence_data is not None
        terms = Terms(
            allowed_uses=() if draft.is_minor else draft.allowed_uses,
            territories=draft.territories,
            projects=draft.projects,
            max_outputs=draft.max_outputs,
            recipients=draft.recipients,
            age=draft.age,
            guardian_id=draft.guardian_id,
            relation=draft.relation,
            language=draft.notice_language or "en",
        )
        draft.granted = self.workshop.record_consent(
            person,
            draft.asset,
            draft.purposes,
            draft.valid_from,
            draft.valid_until,
            None if live else draft.evidence,
            draft.likeness,
            evidence_kind=_LIVE_KINDS[draft.likeness] if live else evidence_kind(draft.evidence),
            evidence_data=draft.evidence_data,
            nonce_phrase=draft.nonce_phrase if live else None,
            device=draft.device if live else None,
            passphrase=draft.passphrase,
            face=draft.face,
            notice_language=draft.notice_language,
            still=self._still(draft),
            terms=terms,
        )
        for number, other in sorted(draft.others.items()):
            self.workshop.assign_face(draft.asset, number, other)
        return draft.granted

    def _still(self, draft: ConsentDraft) -> bytes | None:
        """The picture that the face is compared by: out of the live recording, else a file of its own."""
        if draft.likeness != "face" or not self.has_recogniser:
            return None
        if draft.evidence_data is not None:
            return draft.still_data
        if draft.still is None:
            return None
        from studio.inputs import read_input

        return read_input(draft.still)

    def look_for_recogniser(self, then: Callable[[bool], None]) -> None:
        """Find out whether faces can be compared here; a damaged pack counts as none, the doctor tells of it."""

        def work() -> bool:
            from studio.packs import list_packs
            from studio.recognition import KIND

            return any(pack.kind == KIND for pack in list_packs(self.workshop.home))

        def found(there: bool) -> None:
            self.has_recogniser = there
            then(there)

        self.calls.aside(work, found, lambda _error: found(False))

    def ask_phrase(
        self, draft: ConsentDraft, language: str, then: Callable[[Nonce], None], refused: Callable[[SignetError], None]
    ) -> None:
        """A fresh phrase for the person of a draft; a new person is entered first, since it names them."""
        self.call(
            lambda: self.workshop.new_nonce(self._enter_person(draft), likeness=draft.likeness, language=language),
            then,
            refused,
        )

    def hand_in_receipt(
        self, grant_id: str, path: Path, then: Callable[[GrantView], None], refused: Callable[[SignetError], None]
    ) -> None:
        """Hand in the receipt that the person signed."""
        self._change(lambda: self.workshop.confirm_by_receipt(grant_id, path), then, refused)

    def save_receipt(
        self,
        grant_id: str,
        out: Path,
        code: str | None,
        then: Callable[[Any], None],
        refused: Callable[[SignetError], None],
    ) -> None:
        """Write the person's receipt; the file dialog has asked whether one may be replaced."""
        self.call(lambda: self.workshop.write_receipt(grant_id, out, code, overwrite=True), then, refused)

    def erase(self, subject_id: str, then: Callable[[Any], None]) -> None:
        """Erase what is kept about a person; `then` gets the take-down list."""
        self._change(lambda: self.workshop.erase_subject(subject_id), then, None)

    def withdraw_by_passphrase(self, grant: GrantView, passphrase: str) -> None:
        """Withdraw with what the person typed when they agreed; `withdrawn` follows."""

        def then(releases: Any) -> None:
            self.withdrawn.emit(grant, releases)

        self._change(lambda: self.workshop.withdraw_by_passphrase(grant.id, passphrase), then, None)

    def judge_evidence(self, grant_id: str, is_good: bool, then: Callable[[GrantView], None]) -> None:
        """Approve the evidence of somebody else's record as the second person, or refuse it: then the consent ends."""
        self._change(lambda: self.workshop.approve_evidence(grant_id, refuse=not is_good), then, None)

    def withdraw_by_code(self, code: str, then: Callable[[Any], None], refused: Callable[[SignetError], None]) -> None:
        """Withdraw with the code of a receipt; needs nobody signed in."""
        self.call(lambda: self.workshop.withdraw_by_code(code), then, refused)

    def _change(
        self, work: Callable[[], Any], then: Callable[[Any], None], refused: Callable[[SignetError], None] | None
    ) -> None:
        def on_done(answer: Any) -> None:
            changed, read = answer
            self._take(read)
            then(changed)

        self.call(lambda: (work(), self._read()), on_done, refused)

    def withdraw(self, grant: GrantView, reason: str) -> None:
        """Withdraw a consent."""

        def work() -> object:
            return self.workshop.withdraw_consent(grant.id, reason), self._read()

        def then(answer: Any) -> None:
            releases, read = answer
            self._take(read)
            self.withdrawn.emit(grant, releases)

        self.call(work, then)

    def _read(self) -> object:
        return self.workshop.subjects(), self.workshop.grants()

    def _take(self, answer: object) -> None:
        self.subjects, self.grants = answer  # type: ignore[misc]  # what _read returned, through the pool
        self.is_loaded = True
        if self.chosen not in {subject.id for subject in self.subjects}:
            self.chosen = self.subjects[0].id if self.subjects else None
        self.changed.emit()
