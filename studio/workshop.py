"""Workshop: the one Qt-free object behind window, command line and scripted runs; it wires everything."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Self

from compliance import consent, identity, store, subject, vault, verify
from compliance.account import Account, Accounts, Session
from compliance.consent import PURPOSES, ConsentGrant
from compliance.errors import (
    DemoHomeOnly,
    FaceIndexUnknown,
    FileMissing,
    HomeUnusable,
    NameMissing,
    NoFaceFound,
    NotAPicture,
    SignetError,
    StoreDamaged,
    WorkStopped,
)
from compliance.gate import DEMO_ASSETS, Gate
from compliance.keys import HomeKeys, PublicKeys, has_keys, public_keys
from compliance.labels.policy import LABEL_TEXT, SAMPLE_TEXT
from compliance.ledger import Ledger, origin_of
from compliance.proof import parse_vkey
from compliance.release import Material, Released, Releaser, verify_destination
from compliance.session_keys import SessionKeyring, find_keyring
from compliance.storage import write_atomically
from compliance.verify import Report
from engines.engine import FoundFace, Input, Request
from engines.job import Event
from studio.reports import keep_reports_in
from studio.runner import JobRunner, Running, raise_failed

FACE_ENGINE = "face.mesh"
DEMO_FOLDER = "demo"
_LARGEST_INPUT_BYTES = 256 << 20

AccountLevel = Literal["self", "none"]
HomeKind = Literal["own", "demo"]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as shown."""

    username: str
    created_at: str
    level: AccountLevel
    proof_until: str | None
    signed_in: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """The open session as shown."""

    username: str
    unlocked: bool
    verified: bool
    expires_at: str


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A person as shown; name is None while the keys are locked."""

    id: str
    name: str | None
    created_at: str
    grants: int


@dataclass(frozen=True, slots=True)
class GrantView:
    """A consent as shown; dates are YYYY-MM-DD."""

    id: str
    subject_id: str
    subject_name: str | None
    likeness: str
    purposes: tuple[str, ...]
    asset_sha256: str
    valid_from: str
    valid_until: str
    state: consent.GrantState
    withdrawn_at: str | None
    evidence_sha256: str | None
    recorded_at: str
    recorded_by: str
    ledger_index: int


ReleaseView = Released


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `signet doctor`. detail and next_step are English message ids with their fields filled in data."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """A request with the bytes it speaks of; faces are those found in the target."""

    request: Request
    materials: tuple[Material, ...]
    faces: tuple[FoundFace, ...]


def default_home() -> Path:
    """SIGNET_HOME, else the user's data folder."""
    named = os.environ.get("SIGNET_HOME")
    if named:
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("signet-studio", appauthor=False)


def verify_files(paths: Sequence[Path], homes: Sequence[Path]) -> list[Report]:
    """Check files without opening a home; homes on this machine only tell which signers are known."""
    known = [keys for home in homes for keys in _known(home)]
    return [verify.verify_file(path, known) for path in paths]


def _known(home: Path) -> list[PublicKeys]:
    return [keys for place in (home, home / DEMO_FOLDER) if (keys := public_keys(place)) is not None]


class Workshop:
    """One home, opened. Closing it ends the worker; what was released stays."""

    def __init__(self, home: Path, kind: HomeKind, held: SessionKeyring | None) -> None:
        self.home = home
        self._rows = store.open_store(home)
        if has_keys(home) and not self._rows.is_identified():
            self._rows.close()
            raise StoreDamaged(path=self._rows.path, reason="it is empty although the home has keys")
        identity_of_home = self._rows.identify(kind)
        self.kind: HomeKind = identity_of_home.kind
        self._home_id = identity_of_home.id
        self._ledger = Ledger(self._rows, origin_of(self._home_id), None)
        self._held = held
        self._accounts = Accounts(home, self._home_id, self._rows, self._ledger, held)
        self._gate = Gate(self._rows, self._ledger, self.kind == "demo")
        self._releaser = Releaser(home, self._home_id, self.kind == "demo", self._rows, self._ledger, self._gate)
        self._runner = JobRunner(self._gate.public_key.public_bytes_raw())
        self._plans: dict[str, SwapPlan] = {}
        self._lock = threading.Lock()
        keep_reports_in(home)
        self.recovered = self._releaser.recover()

    @classmethod
    def open(cls, home: Path | None = None, kind: HomeKind = "own") -> Workshop:
        """Open or make a home and settle what a crash left behind; raises HomeUnusable, KeysDamaged, StoreDamaged.

        kind only counts for a new home.
        """
        place = (home or default_home()).expanduser().absolute()
        return cls(place, kind, find_keyring())

    def close(self) -> None:
        """End the worker and close the database."""
        self._runner.close()
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- accounts ---------------------------------------------------------------------------------------------------

    def _view_account(self, account: Account, current: Session | None) -> AccountView:
        proof = identity.current_proof(self._rows, account.id)
        return AccountView(
            username=account.username,
            created_at=account.created_at,
            level="self" if proof else "none",
            proof_until=proof.expires_at if proof else None,
            signed_in=current is not None and current.account.id == account.id,
        )

    def _view_session(self, session: Session) -> SessionView:
        return SessionView(
            username=session.account.username,
            unlocked=session.keys is not None,
            verified=identity.current_proof(self._rows, session.account.id) is not None,
            expires_at=session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def accounts(self) -> list[AccountView]:
        """Every account, oldest first."""
        current = self._accounts.current()
        return [self._view_account(account, current) for account in self._accounts.all()]

    def create_account(self, username: str, password: str, declared_name: str | None = None) -> AccountView:
        """Make an account; with declared_name also the operator's declaration. Later accounts need a session."""
        account = self._accounts.create(username, password)
        if declared_name is not None:
            before = self._accounts.current()
            if before is None:
                session = self._accounts.login(username, password)
                identity.declare(self._rows, self._ledger, session.require_keys(), account, declared_name)
                self._accounts.logout()
            else:
                identity.declare(self._rows, self._ledger, before.require_keys(), account, declared_name)
        return self._view_account(account, self._accounts.current())

    def login(self, username: str, password: str) -> SessionView:
        """Sign in; raises WrongPassword, TooManyAttempts."""
        return self._view_session(self._accounts.login(username, password))

    def unlock(self, password: str) -> SessionView:
        """Open the keys of the session; raises NotSignedIn, WrongPassword, TooManyAttempts."""
        return self._view_session(self._accounts.unlock(password))

    def logout(self) -> None:
        """Sign out."""
        self._accounts.logout()

    def session(self) -> SessionView | None:
        """The open session, or None."""
        current = self._accounts.current()
        return self._view_session(current) if current else None

    def declare(self, name: str) -> AccountView:
        """Record the operator's own declaration: level "self" for twelve months."""
        current = self._accounts.require()
        identity.declare(self._rows, self._ledger, current.require_keys(), current.account, name)
        return self._view_account(current.account, current)

    def _keys_if_open(self) -> HomeKeys | None:
        current = self._accounts.current()
        return current.keys if current else None

    # --- people and consent -----------------------------------------------------------------------------------------

    def add_subject(self, name: str) -> SubjectView:
        """Enter a person by name; the name is sealed."""
        keys = self._accounts.require().require_keys()
        if not name.strip():
            raise NameMissing
        person = subject.add_subject(self._rows, self._ledger, keys, name)
        return SubjectView(person.id, person.name, person.created_at, 0)

    def subjects(self) -> list[SubjectView]:
        """All people, oldest first."""
        counts: dict[str, int] = {}
        for granted in consent.grants(self._rows, self._ledger):
            counts[granted.subject_id] = counts.get(granted.subject_id, 0) + 1
        return [
            SubjectView(person.id, person.name, person.created_at, counts.get(person.id, 0))
            for person in subject.subjects(self._rows, self._keys_if_open())
        ]

    def subject(self, subject_id: str) -> SubjectView:
        """One person; raises UnknownRecord."""
        person = subject.subject(self._rows, self._keys_if_open(), subject_id)
        granted = consent.grants(self._rows, self._ledger, subject_id)
        return SubjectView(person.id, person.name, person.created_at, len(granted))

    def record_consent(
        self,
        subject_id: str,
        asset: Path,
        purposes: Sequence[str],
        valid_from: date,
        valid_until: date,
        evidence: Path | None = None,
        likeness: Literal["face", "voice"] = "face",
    ) -> GrantView:
        """Record a person's consent for one picture; the evidence file is sealed into the vault."""
        current = self._accounts.require()
        keys = current.require_keys()
        person = subject.subject(self._rows, keys, subject_id)
        asset_sha256 = hashlib.sha256(read_input(asset)).hexdigest()
        if self.kind == "demo" and asset_sha256 not in DEMO_ASSETS:
            raise DemoHomeOnly(what="a consent for another picture")
        evidence_sha256 = vault.put(self.home, keys, read_input(evidence)) if evidence is not None else None
        granted = consent.record_consent(
            self._rows,
            self._ledger,
            subject_id=person.id,
            likeness=likeness,
            purposes=purposes,
            asset_sha256=asset_sha256,
            valid_from=valid_from,
            valid_until=valid_until,
            recorded_by=current.account.id,
            evidence_sha256=evidence_sha256,
        )
        return self._view_grants([granted])[0]

    def _view_grants(self, found: Sequence[ConsentGrant]) -> list[GrantView]:
        names = {person.id: person.name for person in subject.subjects(self._rows, self._keys_if_open())}
        users = {account.id: account.username for account in self._accounts.all()}
        return [
            GrantView(
                id=granted.id,
                subject_id=granted.subject_id,
                subject_name=names.get(granted.subject_id),
                likeness=granted.likeness,
                purposes=granted.purposes,
                asset_sha256=granted.asset_sha256,
                valid_from=granted.valid_from.isoformat(),
                valid_until=granted.valid_until.isoformat(),
                state=granted.state(),
                withdrawn_at=granted.withdrawn_at,
                evidence_sha256=granted.evidence_sha256,
                recorded_at=granted.recorded_at,
                recorded_by=users.get(granted.recorded_by, granted.recorded_by),
                ledger_index=granted.ledger_index,
            )
            for granted in found
        ]

    def grants(self, subject_id: str | None = None) -> list[GrantView]:
        """All consents, oldest first, or those of one person."""
        return self._view_grants(consent.grants(self._rows, self._ledger, subject_id))

    def grant(self, grant_id: str) -> GrantView:
        """One consent; raises UnknownRecord."""
        return self._view_grants([consent.grant(self._rows, self._ledger, grant_id)])[0]

    def withdraw_consent(self, grant_id: str, reason: str = "") -> list[ReleaseView]:
        """Withdraw for good; returns the take-down list: what was released under this consent."""
        self._accounts.require()
        consent.withdraw_consent(self._rows, self._ledger, grant_id, reason)
        return [item for item in self._releaser.releases() if grant_id in item.consents]

    # --- work -------------------------------------------------------------------------------------------------------

    def survey(self, picture: Path) -> list[FoundFace]:
        """Faces in a picture, left to right; raises FileMissing, NotAPicture, PictureTooLarge."""
        return self._runner.survey(FACE_ENGINE, picture.name, read_input(picture))

    def plan_swap(
        self,
        source: Path,
        target: Path,
        consents: Sequence[str],
        *,
        face: int = 0,
        purpose: str = "private",
        strength: float = 1.0,
    ) -> SwapPlan:
        """Read both pictures once and look for faces; face 0 means all. The gate is not asked yet.

        Raises FileMissing, NotAPicture, PictureTooLarge, NoFaceFound, FaceIndexUnknown.
        """
        source_data, target_data = read_input(source), read_input(target)
        if not self._runner.survey(FACE_ENGINE, source.name, source_data):
            raise NoFaceFound(path=source)
        faces = self._runner.survey(FACE_ENGINE, target.name, target_data)
        if not faces:
            raise NoFaceFound(path=target)
        if face > len(faces):
            raise FaceIndexUnknown(path=target, index=face, found=len(faces))
        inputs = tuple(
            Input(role, "face", hashlib.sha256(data).hexdigest(), path.name)
            for role, path, data in (("source", source, source_data), ("target", target, target_data))
        )
        request = Request(
            function="face.swap",
            engine=FACE_ENGINE,
            inputs=inputs,
            options={"face": face, "strength": strength},
            purpose=purpose,
            faces_edited=1 if face else len(faces),
            consents=tuple(dict.fromkeys(consents)),
        )
        materials = (
            Material("source", mime_of(source_data), source_data),
            Material("target", mime_of(target_data), target_data),
        )
        return SwapPlan(request, materials, tuple(faces))

    def start(self, plan: SwapPlan, on_event: Callable[[Event], None]) -> Running:
        """Ask the gate and hand the work to the worker; raises ConsentError or AccountError when the gate says no."""
        current = self._accounts.require()
        permit = self._gate.authorize(plan.request.claim(), current.account)
        running = self._runner.start(plan.request, permit, [item.data for item in plan.materials], on_event)
        with self._lock:
            self._plans[running.id] = plan
        return running

    def preview(self, running: Running, longest_px: int = 1024) -> bytes:
        """A PNG of the result, at most longest_px long, with the label burnt in."""
        return running.preview(sample=self.kind == "demo", longest_px=longest_px)

    def release(self, running: Running, out: Path, overwrite: bool = False) -> ReleaseView:
        """Release a finished result under a name; the gate is asked again, since time has passed."""
        if running.info is None:
            raise WorkStopped
        current = self._accounts.require()
        keys = current.require_keys()
        plan = self._plans[running.id]
        claim = plan.request.claim()
        return self._releaser.release(
            permit=self._gate.authorize(claim, current.account),
            claim=claim,
            account=current.account,
            keys=keys,
            info=running.info,
            materials=plan.materials,
            drafter=running,
            out=out,
            overwrite=overwrite,
            assurance="self" if self._runner.confinement.is_complete else "self-unconfined",
        )

    def verify_out(self, out: Path, overwrite: bool = False) -> None:
        """Raise now what `release` would raise about the destination: FormatUnsupported, NotWritable, TargetExists."""
        verify_destination(Path(os.path.abspath(out)), overwrite)

    def require_ready(self) -> None:
        """Raise NotSignedIn, SessionLocked or NotVerified before any work is done for nothing."""
        current = self._accounts.require()
        identity.require_proof(self._rows, current.account)
        current.require_keys()

    def discard(self, running: Running) -> None:
        """Forget a result."""
        running.discard()
        with self._lock:
            self._plans.pop(running.id, None)

    def releases(self) -> list[ReleaseView]:
        """Everything released from this home, oldest first."""
        return self._releaser.releases()

    # --- checking ---------------------------------------------------------------------------------------------------

    def verify(self, paths: Sequence[Path]) -> list[Report]:
        """Check files; works signed out."""
        known = _known(self.home if self.kind == "own" else self.home.parent)
        known += [keys for keys in _known(self.home) if keys not in known]
        return [verify.verify_file(path, known) for path in paths]

    def verify_ledger(self) -> tuple[int, str]:
        """Recompute the whole ledger; (entries, root as hex). Raises LedgerBroken."""
        ledger = self._checked_ledger()
        ledger.verify()
        return ledger.size(), ledger.root().hex()

    def _checked_ledger(self) -> Ledger:
        """The ledger with the key that its checkpoints are checked with; a home without accounts has none yet."""
        keys = public_keys(self.home)
        return Ledger(self._rows, self._ledger.origin, None, parse_vkey(keys.ledger_vkey)[1] if keys else None)

    def ledger_entries(self, start: int = 0, stop: int | None = None) -> list[dict[str, object]]:
        """Entries by index, each with its index."""
        return [{"index": start + place, **entry} for place, entry in enumerate(self._ledger.entries(start, stop))]

    def export_ledger(self, out: Path) -> int:
        """Write the whole log as JSON lines: head with the key, entries, checkpoints; returns the number of entries."""
        write_atomically(out, "".join(f"{line.rstrip()}\n" for line in self._checked_ledger().export()).encode())
        return self._ledger.size()

    def label_text(self) -> str:
        """The words that will stand on a release of this home."""
        return SAMPLE_TEXT if self.kind == "demo" else LABEL_TEXT

    # --- doctor -----------------------------------------------------------------------------------------------------

    def health(self) -> list[Finding]:
        """What works here and what does not; changes nothing."""
        from studio.doctor import examine

        return examine(self.home, self._held, self._runner, self.verify_ledger, free_bytes(self.home))


def free_bytes(folder: Path) -> int:
    """Free space where a folder lies."""
    return shutil.disk_usage(folder).free


def read_input(path: Path) -> bytes:
    """All bytes of an input file, read once, so that what is hashed is what is used.

    Raises FileMissing, NotAPicture for something that is no regular file, is empty or is larger than 256 MiB.
    """
    try:
        if not path.is_file():
            if path.exists():
                raise NotAPicture(path=path, reason="it is not a file")
            raise FileMissing(path=path)
        if path.stat().st_size > _LARGEST_INPUT_BYTES:
            raise NotAPicture(path=path, reason="larger than 256 MiB")
        data = path.read_bytes()
    except OSError as error:
        raise NotAPicture(path=path, reason=(error.strerror or "unreadable").lower()) from error
    if not data:
        raise NotAPicture(path=path, reason="it is empty")
    return data


_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "image/tiff"),
)


def mime_of(data: bytes) -> str:
    """The type of a picture by its first bytes."""
    return next((mime for pattern, mime in _MAGIC if pattern.match(data)), "application/octet-stream")


__all__ = [
    "PURPOSES",
    "AccountView",
    "Finding",
    "GrantView",
    "HomeUnusable",
    "ReleaseView",
    "Running",
    "SessionView",
    "SignetError",
    "SubjectView",
    "SwapPlan",
    "Workshop",
    "default_home",
    "raise_failed",
    "verify_files",
]
