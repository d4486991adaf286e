"""Workshop: the one Qt-free object behind window, command line and scripted runs; it wires everything."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, cast

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
    FaceIndexUnknown,
    HomeUnusable,
    NoFaceFound,
    OptionUnfit,
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
from compliance.release import Material, Released, Releaser
from compliance.roles import Action
from compliance.session_keys import SessionKeyring, find_keyring
from compliance.storage import write_atomically
from compliance.verify import Report
from engines.engine import FoundFace, Input, Request
from engines.job import Event
from engines.sound import sound_mime
from studio import pack_voices, pictures, sealing, voice_changes, voices
from studio.casework import Casework
from studio.checking import default_home, known_keys, refuted_lists, verify_files
from studio.consents import AssignmentView, Consents, GrantView, HomeKind, SubjectView
from studio.inputs import read_input
from studio.logkeeping import Logkeeping
from studio.members import Members
from studio.offers import PictureOffer, picture_offers
from studio.packs import packs_folder
from studio.recipes import Recipes
from studio.recognition import Recognition
from studio.reports import keep_reports_in
from studio.review import Review
from studio.runner import JobRunner, Running, raise_failed
from studio.settings import Settings
from studio.underway import Underway

FACE_ENGINE = "face.mesh"

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


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """A request with the bytes it speaks of; faces are those found in the target.

    paths: where the bytes were read, so that no release takes the place of an original. words: what a document says.
    """

    request: Request
    materials: tuple[Material, ...]
    faces: tuple[FoundFace, ...]
    paths: tuple[Path, ...] = ()
    words: tuple[tuple[str, str], ...] = ()


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


class Workshop(Consents):
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
        source_face: int = 0,
        declared_uses: Sequence[str] = (),
        territory: str = "",
        project: str = "",
    ) -> SwapPlan:
        """Read both pictures once and look for faces; face 0 means all, source_face 0 the largest.

        The gate is not asked yet. declared_uses, territory, project: what the result is for, as consents restrict it.
        Raises FileMissing, NotAPicture, PictureTooLarge, NoFaceFound, FaceIndexUnknown, OptionUnfit.
        """
        if not 0.0 <= strength <= 1.0:
            raise OptionUnfit(option="--strength", value=strength, allowed="0–1")
        source_data, target_data = read_input(source), read_input(target)
        lent = self._runner.survey(FACE_ENGINE, source.name, source_data)
        if not lent:
            raise NoFaceFound(path=source)
        if source_face > len(lent):
            raise FaceIndexUnknown(path=source, index=source_face, found=len(lent))
        faces = self._runner.survey(FACE_ENGINE, target.name, target_data)
        if not faces:
            raise NoFaceFound(path=target)
        if face > len(faces):
            raise FaceIndexUnknown(path=target, index=face, found=len(faces))
        for path, data in ((source, source_data), (target, target_data)):
            self._recognition.look(path.name, data)
        # The number is named, so that engine and gate speak of one and the same face.
        source_face = source_face or max(lent, key=lambda found: found.box[2] * found.box[3]).number
        edited = (face,) if face else tuple(found.number for found in faces)
        inputs = (
            Input("source", "face", hashlib.sha256(source_data).hexdigest(), source.name, (source_face,), len(lent)),
            Input("target", "face", hashlib.sha256(target_data).hexdigest(), target.name, edited, len(faces)),
        )
        request = Request(
            function="face.swap",
            engine=FACE_ENGINE,
            inputs=inputs,
            options={"face": face, "source_face": source_face, "strength": strength},
            purpose=purpose,
            faces_edited=len(edited),
            consents=tuple(dict.fromkeys(consents)),
            declared_uses=tuple(dict.fromkeys(declared_uses)),
            territory=territory,
            project=project,
        )
        materials = (
            Material("source", mime_of(source_data), source_data),
            Material("target", mime_of(target_data), target_data),
        )
        return SwapPlan(request, materials, tuple(faces), (source, target))

    def plan_picture(
        self,
        engine_id: str,
        options: Mapping[str, Any],
        *,
        seed: int = 0,
        picture: Path | None = None,
        mask: Path | bytes | None = None,
        consents: Sequence[str] = (),
        purpose: str = "private",
    ) -> SwapPlan:
        """A picture from words, or of the one given; whoever is seen on that needs a consent.

        mask: where it is painted into, a file or the bytes of a PNG. The gate is not asked yet.
        Raises OptionUnfit, PackMissing, PackDamaged, FileMissing, NotAPicture, PictureTooLarge.
        """
        request, given, faces = pictures.plan(
            self.home,
            self._look,
            engine_id,
            options,
            seed=seed,
            picture=picture,
            mask=mask,
            consents=consents,
            purpose=purpose,
        )
        materials = tuple(
            Material(item.role, mime_of(data), data) for item, data in zip(request.inputs, given, strict=True)
        )
        return SwapPlan(request, materials, faces, tuple(path for path in (picture, mask) if isinstance(path, Path)))

    def picture_offers(self) -> list[PictureOffer]:
        """What can make or change a picture here; raises PackDamaged."""
        return picture_offers(self.home)

    def find_damage(self, picture: Path, sensitivity: float = 0.5) -> tuple[int, int, bytes]:
        """Where a picture is likely scratched: width, height, and one bit a pixel, each row from a new byte.

        A proposal, to be edited. sensitivity: 0 to 1. Raises FileMissing, NotAPicture, PictureTooLarge.
        """
        return self._runner.find_damage(picture.name, read_input(picture), min(1.0, max(0.0, sensitivity)))

    def plan_voice(
        self,
        engine_id: str,
        options: Mapping[str, Any],
        *,
        target: Path,
        source: Path | None = None,
        consents: Sequence[str] = (),
        purpose: str = "private",
        declared_uses: Sequence[str] = (),
        territory: str = "",
        project: str = "",
    ) -> SwapPlan:
        """A recorded voice leaned towards that of the source (engine voice.lean), changed into it by the model of the
        option "pack" (voice.converter), or edited (voice.attribute).

        Whoever is heard in either recording needs a consent. The gate is not asked yet. Raises OptionUnfit,
        FileMissing, NotASound, SoundTooLong, VoiceNotFound, PackMissing, PackDamaged, PackUnfit.
        """
        request, recordings = voice_changes.plan(
            self.home,
            self._recognition.listen,
            engine_id,
            options,
            target=target,
            source=source,
            consents=consents,
            purpose=purpose,
            declared_uses=declared_uses,
            territory=territory,
            project=project,
        )
        materials = tuple(
            Material(item.role, mime_of(data), data) for item, data in zip(request.inputs, recordings, strict=True)
        )
        return SwapPlan(request, materials, (), tuple(path for path in (source, target) if path is not None))

    def plan_speech(
        self,
        options: Mapping[str, Any],
        *,
        seed: int = 0,
        purpose: str = "private",
        reference: Path | None = None,
        consents: Sequence[str] = (),
        declared_uses: Sequence[str] = (),
        territory: str = "",
        project: str = "",
    ) -> SwapPlan:
        """Speech by a built-in voice or, with the option "pack", by a neural one; options: of that engine.

        These voices are nobody's likeness; reference is a recording whose voice is taken on, which needs a consent,
        and what restricts that consent is said as for a change: declared_uses, territory, project.
        Raises OptionUnfit, TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear, LanguageUnspoken, PackMissing,
        PackDamaged, PackUnfit, FileMissing, NotASound, SoundTooLong, VoiceNotFound.
        """
        if not options.get("pack"):
            if reference is not None:
                raise OptionUnfit(option="--reference", value=reference.name, allowed="only with --pack")
            return SwapPlan(voices.plan(options, seed=seed, purpose=purpose), (), ())
        request, data = pack_voices.plan(
            self.home,
            self._recognition.listen,
            options,
            seed=seed,
            reference=reference,
            consents=consents,
            purpose=purpose,
            declared_uses=declared_uses,
            territory=territory,
            project=project,
        )
        if data is None or reference is None:
            return SwapPlan(request, (), ())
        return SwapPlan(request, (Material("source", sound_mime(data) or "", data),), (), (reference,))

    def plan_seal(
        self,
        path: Path,
        *,
        made_with: str,
        origin: str = "",
        nobody_real: bool = False,
        consents: Sequence[str] = (),
        purpose: str = "private",
    ) -> SwapPlan:
        """Label what another program made. Whoever is seen or heard needs a consent.

        nobody_real: the account declares instead that there is no real person in it; that stands in the ledger. The
        gate is not asked yet. Raises FileMissing, NotAPicture, NotAVideo, NotADocument, ConsentMissing, FilmShowsFaces
        for a film that shows faces all the same, VoiceConsentMissing.
        """
        made = sealing.plan(
            self._look_into,
            path,
            made_with=made_with,
            origin=origin,
            nobody_real=nobody_real,
            consents=consents,
            purpose=purpose,
        )
        materials = (Material("target", mime_of(made.data), made.data),)
        return SwapPlan(made.request, materials, made.faces, (path,), made.words)

    def verify_seal(self, path: Path, out: Path, overwrite: bool = False) -> None:
        """Raise now what sealing a file would raise about its destination: also FormatUnsupported for another kind."""
        sealing.verify_fits(out, path)
        self.verify_out(out, overwrite, (path,))

    def _look_into(self, kind: Kind, name: str, data: bytes) -> list[FoundFace]:
        return self._look(name, data) if kind == "picture" else self._runner.sight(name, data)

    def _look(self, name: str, data: bytes) -> list[FoundFace]:
        faces = self._runner.survey(FACE_ENGINE, name, data)
        if faces:
            self._recognition.look(name, data)
        return faces

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
        """A PNG of the result, at most longest_px long, with the label burnt in."""
        return running.preview(sample=self.kind == "demo", longest_px=longest_px)

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

    def verify_out(self, out: Path, overwrite: bool = False, inputs: Sequence[Path] = ()) -> None:
        """Raise now what `release` would raise about the destination.

        inputs: the files that the result is made from. Raises FormatUnsupported, NotWritable, TargetExists,
        OutputIsInput.
        """
        verify_destination(place_of(out), overwrite, inputs)

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


_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "image/tiff"),
    (re.compile(rb"....ftyp(avif|avis|mif1)", re.DOTALL), "image/avif"),
)


def mime_of(data: bytes) -> str:
    """The type of a picture or sound by its first bytes."""
    of_picture = next((mime for pattern, mime in _MAGIC if pattern.match(data)), None)
    return of_picture or sound_mime(data) or "application/octet-stream"


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
