"""Workshop: the one Qt-free object behind window, command line and scripted runs; it wires everything."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, Self, cast

from compliance import identity, ledger_mark, store, verify
from compliance.account import Account, Accounts, Session
from compliance.audit import verify_rows
from compliance.consent import PURPOSES
from compliance.content import ContentHit
from compliance.cosignature import verify_cosignatures
from compliance.destination import place_of, verify_destination
from compliance.errors import (
    AccountError,
    ContentBlocked,
    DeclarationRefused,
    HomeUnusable,
    ReviewChanged,
    SignetError,
    StoreDamaged,
    WorkStopped,
)
from compliance.fingerprint.registry import Register
from compliance.gate import Gate, RuleResult
from compliance.keys import HomeKeys, has_keys, public_keys
from compliance.labels.policy import LABEL_TEXT, SAMPLE_TEXT, Language
from compliance.ledger import Ledger, origin_of
from compliance.media import Kind
from compliance.proof import parse_vkey
from compliance.release import Released, Releaser
from compliance.roles import Action
from compliance.session_keys import SessionKeyring, find_keyring
from compliance.storage import write_atomically
from compliance.verify import Report
from engines.engine import Request
from engines.job import Event
from studio import sealing
from studio.casework import Casework
from studio.checking import default_home, known_keys, refuted_lists, verify_files
from studio.consents import AssignmentView, Consents, GrantView, HomeKind, SubjectView
from studio.inputs import read_input
from studio.logkeeping import Logkeeping
from studio.members import Members
from studio.packs import packs_folder
from studio.planning import Planning, SwapPlan
from studio.recipes import Recipes
from studio.recognition import Recognition
from studio.reports import keep_reports_in
from studio.review import Review
from studio.runner import JobRunner, Running, raise_failed
from studio.settings import Settings
from studio.underway import Underway

AccountLevel = Literal["none", "self", "L1", "L2", "L3"]


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


ReleaseView = Released


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `signet doctor`. detail and next_step are English message ids with their fields filled in data."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    next_step: str = ""


def make_way(home: Path) -> None:
    """Make the folders above the system's own place for program data; those above any other home are not ours to make.

    Raises HomeUnusable.
    """
    if os.environ.get("SIGNET_HOME") or home != default_home():
        return
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(path=home, reason=(error.strerror or "unknown").lower()) from error


class Workshop(Planning, Consents):
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
        self._runner = JobRunner(self._gate.public_key.public_bytes_raw(), self._make_packs_folder())
        self._gate.is_stepped_up = self._is_stepped_up
        self._underway = Underway(self._ledger)
        self._recognition = Recognition(home, self._rows, self._runner, self._keys_if_open)
        self._gate.matcher = self._recognition.match
        self._plans: dict[str, SwapPlan] = {}
        self._lock = threading.Lock()
        self.review = Review(home, self._ledger, self._accounts, self._runner)
        self._words = self._gate.content = self.review.content
        self._told_hits: set[tuple[str, ...]] = set()
        self.logkeeping = Logkeeping(home, self._rows, self._ledger, self._accounts, self._keys_if_open)
        self.recipes = Recipes(home, self._open_keys)
        self.members = Members(self._rows, self._ledger, self._accounts)
        self.casework = Casework(home, self._rows, self._ledger, self._accounts, self.logkeeping.due_checkpoint)
        keep_reports_in(home)
        self.recovered = self._releaser.recover()

    @classmethod
    def open(cls, home: Path | None = None, kind: HomeKind = "own") -> Workshop:
        """Open or make a home and settle what a crash left behind; raises HomeUnusable, KeysDamaged, StoreDamaged.

        kind only counts for a new home.
        """
        place = (home or default_home()).expanduser().absolute()
        make_way(place)
        return cls(place, kind, find_keyring())

    def _make_packs_folder(self) -> Path:
        # The sandbox can only leave readable what is there when the worker starts.
        folder = packs_folder(self.home)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def close(self) -> None:
        """End the worker, sign the log when it is time, close the database."""
        self._underway.close()
        self._runner.close()
        with contextlib.suppress(SignetError):
            # A log that cannot be signed now is told by whoever asks for it; closing goes on.
            self.logkeeping.due_checkpoint()
            self.casework.publish_refutations()
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
            level=cast(AccountLevel, proof.level) if proof else "none",
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
        """Make an account; with declared_name also the operator's declaration. Later accounts need a session.

        Raises DeclarationRefused, before anything is made, when a later account would declare itself.
        """
        if declared_name is not None and any(account.state != "closed" for account in self._accounts.all()):
            raise DeclarationRefused(account=username)
        account = self._accounts.create(username, password)
        if declared_name is not None:
            session = self._accounts.login(username, password)
            identity.declare(self._rows, self._ledger, session.require_keys(), account, declared_name)
            self._accounts.logout()
        return self._view_account(account, self._accounts.current())

    def login(self, username: str, password: str, code: str | None = None) -> SessionView:
        """Sign in; raises WrongPassword, WrongCode, CodeNeeded, TooManyAttempts, AccountUnbound."""
        return self._view_session(self._accounts.login(username, password, code))

    def unlock(self, password: str, code: str | None = None) -> SessionView:
        """Open the keys of the session; a step-up where every factor is shown.

        Raises NotSignedIn, WrongPassword, WrongCode, TooManyAttempts, AccountUnbound.
        """
        return self._view_session(self._accounts.unlock(password, code))

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

    # --- work -------------------------------------------------------------------------------------------------------

    def verify_seal(self, path: Path, out: Path, overwrite: bool = False) -> None:
        """Raise now what sealing a file would raise about its destination: also FormatUnsupported for another kind."""
        sealing.verify_fits(out, path)
        self.verify_out(out, overwrite, (path,))

    def start(self, plan: SwapPlan, on_event: Callable[[Event], None]) -> Running:
        """Ask the gate and hand the work to the worker; raises ConsentError or AccountError when the gate says no."""
        current = self._accounts.require()
        self._words.show(plan.request, plan.words)
        try:
            permit = self._gate.authorize(plan.request.claim(), current.account)
        except ContentBlocked as error:
            told = error.data
            stop = ContentHit(told["rule"], told["category"], "stop", told["place"], told["score"], told["start"])
            case = self.casework.open_for_hits(current.account.id, [stop])
            raise ContentBlocked(**{**told, "case": case}) from error
        self._open_cases(current.account, plan.request, self._words.hits(plan.request))
        self.logkeeping.due_checkpoint()
        running = self._runner.start(
            plan.request,
            permit,
            [item.data for item in plan.materials],
            on_event,
            partial(self._open_cases, current.account),
            sample=self.kind == "demo",
        )
        self._underway.add(running)
        with self._lock:
            self._plans[running.id] = plan
        return running

    def _open_cases(self, account: Account, request: Request, hits: Sequence[ContentHit]) -> str:
        """Open a case for what the review found; the same by the same rule in another picture of a row opens no second.

        Returns the case of a hard stop, else of the first new hit; "" when there is none.
        """
        same = replace(request, seed=0).digest()
        keys = {hit: (account.id, same, hit.rule, hit.place) for hit in hits}
        new = [hit for hit in hits if hit.severity == "stop" or keys[hit] not in self._told_hits]
        if not new:
            return ""
        case = self.casework.open_for_hits(account.id, new)
        self._told_hits.update(keys[hit] for hit in new)
        return case

    def explain(self, request: Request) -> list[RuleResult]:
        """What every rule of the gate says to a request, in order; makes no permit. Raises NotSignedIn."""
        self._words.show(request)
        return self._gate.explain(request.claim(), self._accounts.require().account)

    def _is_stepped_up(self, account: Account) -> bool:
        current = self._accounts.current()
        if current is None or current.account.id != account.id:
            return False
        try:
            self._accounts.verify_stepped_up(current)
        except AccountError:
            return False
        return True

    def preview(self, running: Running, longest_px: int = 1024) -> bytes:
        """A PNG of the result, at most longest_px long, with the label burnt in as it was chosen for this home."""
        choice = Settings(self.home).label()
        return running.preview(sample=self.kind == "demo", longest_px=longest_px, choice=choice)

    def listen(self, running: Running, language: Language = "zh") -> bytes:
        """A sound for the ear as Ogg/Opus, with the audible label in it; language: of the words spoken in it."""
        return running.listen(sample=self.kind == "demo", language=language)

    def release(self, running: Running, out: Path, overwrite: bool = False, language: Language = "zh") -> ReleaseView:
        """Release a finished result under a name; the gate is asked again, since time has passed.

        language: of the words spoken in sound.
        """
        if running.info is None:
            raise WorkStopped
        current = self._accounts.require()
        keys = current.require_keys()
        plan = self._plans[running.id]
        self.verify_out(out, overwrite, plan.paths)
        self._words.show(plan.request, plan.words)
        claim = plan.request.claim()
        permit = self._gate.authorize(claim, current.account)
        if permit.content_sha256 != running.content_sha256:
            # The worker looked at it by other rules, or without the classifier that is in force by now.
            raise ReviewChanged
        released = self._releaser.release(
            permit=permit,
            claim=claim,
            account=current.account,
            keys=keys,
            info=running.info,
            materials=plan.materials,
            drafter=running,
            out=out,
            overwrite=overwrite,
            language=language,
            choice=Settings(self.home).label(),
            assurance="self" if self._runner.confinement.is_complete else "self-unconfined",
        )
        self.recipes.keep(released.id, plan.request)
        return released

    def _open_keys(self) -> tuple[Account, HomeKeys]:
        current = self._accounts.require()
        return current.account, current.require_keys()

    def verify_out(
        self, out: Path, overwrite: bool = False, inputs: Sequence[Path] = (), kind: Kind | None = None
    ) -> None:
        """Raise now what `release` would raise about the destination.

        inputs: the files that the result is made from. kind: of what is to come, where it is known. Raises
        FormatUnsupported, NotWritable, TargetExists, OutputIsInput.
        """
        verify_destination(place_of(out), overwrite, inputs, kind)

    def require_ready(self) -> None:
        """Raise NotSignedIn, SessionLocked, StepUpNeeded, NotVerified or RoleMissing before any work is done."""
        current = self._accounts.require()
        identity.require_proof(self._rows, current.account)
        current.require_keys()
        self._accounts.require_for(Action.RELEASE)

    def discard(self, running: Running) -> None:
        """Forget a result."""
        running.discard()
        self._underway.drop(running)
        with self._lock:
            self._plans.pop(running.id, None)

    def releases(self) -> list[ReleaseView]:
        """Everything released from this home, oldest first."""
        return self._releaser.releases()

    # --- checking ---------------------------------------------------------------------------------------------------

    def verify(self, paths: Sequence[Path]) -> list[Report]:
        """Check files; works signed out."""
        known = known_keys(self.home if self.kind == "own" else self.home.parent)
        known += [keys for keys in known_keys(self.home) if keys not in known]
        refuted = refuted_lists(self.home if self.kind == "own" else self.home.parent)
        return [verify.verify_file(path, known, refuted, [Register(self._rows)]) for path in paths]

    def verify_ledger(self) -> tuple[int, str]:
        """Recompute the whole ledger and hold the rows against it; (entries, root as hex).

        Raises LedgerBroken, RowMissing, RowChanged.
        """
        ledger = self._checked_ledger()
        ledger.verify()
        verify_cosignatures(self._rows)
        verify_rows(self._rows, ledger)
        ledger_mark.verify(self.home, ledger)
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
        self._accounts.require_for(Action.EXPORT_LEDGER)
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


__all__ = [
    "PURPOSES",
    "AccountView",
    "AssignmentView",
    "Finding",
    "GrantView",
    "HomeUnusable",
    "ReleaseView",
    "RuleResult",
    "Running",
    "SessionView",
    "SignetError",
    "SubjectView",
    "SwapPlan",
    "Workshop",
    "default_home",
    "raise_failed",
    "read_input",
    "verify_files",
]
