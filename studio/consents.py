"""The part of the workshop that knows people and their consents; see studio.workshop for the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from compliance import consent, store, subject, vault, withdrawal
from compliance.account import Accounts
from compliance.assignment import assign_face, assignments
from compliance.clock import stamp
from compliance.consent import ConsentGrant, Terms
from compliance.consent_log import log_of
from compliance.consent_record import withdrawal_digest
from compliance.containers import read_container
from compliance.data_keys import data_key, open_for, seal_for
from compliance.documents import format_of_document
from compliance.errors import (
    ConsentOverByClock,
    DemoHomeOnly,
    FaceIndexUnknown,
    LedgerBroken,
    NameMissing,
    NotASound,
    ScopeUnclear,
    SignetError,
    WithdrawalCodeUnknown,
)
from compliance.evidence import (
    Evidence,
    EvidenceKind,
    Nonce,
    commit_passphrase,
    listen_for,
    new_nonce,
    phrase_distance,
)
from compliance.gate import DEMO_ASSETS, Gate
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.notice import notice
from compliance.roles import Action
from compliance.storage import write_atomically
from compliance.video_containers import is_video
from engines.engine import FoundFace
from studio.inputs import read_input
from studio.recognition import Recognition
from studio.runner import JobRunner
from studio.underway import Underway
from studio.voice_changes import read_recording

if TYPE_CHECKING:
    from studio.workshop import ReleaseView

HomeKind = Literal["own", "demo"]


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A person as shown; name is None while the keys are locked and after erasure."""

    id: str
    name: str | None
    created_at: str
    grants: int
    age: str | None = None
    guardian_id: str | None = None
    erased_at: str | None = None


@dataclass(frozen=True, slots=True)
class GrantView:
    """A consent as shown; dates are YYYY-MM-DD. withdrawal_code: only in the answer to its recording."""

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
    match: str = "asset"
    evidence_level: str = "operator"
    approved_by: str | None = None
    forbidden: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    max_outputs: int | None = None
    outputs: int = 0
    age: str = "not stated"
    guardian_id: str | None = None
    receipt_id: str | None = None
    withdrawal_code: str | None = None
    clock_days: tuple[str, str] | None = None
    """The days of the ledger and of the clock, where their difference alone ended the consent."""

    def clock_problem(self) -> ConsentOverByClock | None:
        """What there is to say about the clock, if anything."""
        if self.clock_days is None:
            return None
        ledger, clock = self.clock_days
        return ConsentOverByClock(consent=self.id, until=self.valid_until, ledger=ledger, clock=clock)


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """Whose face a number of one picture is."""

    asset_sha256: str
    likeness: str
    number: int
    subject_id: str
    assigned_by: str
    confirmed_by: str | None
    assigned_at: str


class Consents:
    """People, consents, who is who in a picture, withdrawal and erasure; mixed into the workshop."""

    home: Path
    kind: HomeKind
    _rows: store.Store
    _ledger: Ledger
    _accounts: Accounts
    _gate: Gate
    _runner: JobRunner
    _releaser: Any
    _underway: Underway
    _recognition: Recognition

    def survey(self, picture: Path) -> list[FoundFace]:
        """Faces in a picture; the workshop has it."""
        raise NotImplementedError

    def _keys_if_open(self) -> HomeKeys | None:
        current = self._accounts.current()
        return current.keys if current else None

    # --- people -----------------------------------------------------------------------------------------------------

    def add_subject(self, name: str, *, age: str | None = None, guardian: str | None = None) -> SubjectView:
        """Enter a person by name; the name is sealed under a key of theirs.

        age: "adult", "14-17" or "under 14", None where nobody asked; guardian: id of a person, needed under 14.
        Raises NameMissing, GuardianMissing, ScopeUnclear, UnknownRecord.
        """
        keys = self._accounts.require_for(Action.ADD_SUBJECT).require_keys()
        if not name.strip():
            raise NameMissing
        if age is not None and age not in subject.BIRTH_CLASSES:
            raise ScopeUnclear(kind="age", value=age, allowed=", ".join(subject.BIRTH_CLASSES))
        person = subject.add_subject(self._rows, self._ledger, keys, name, age=age, guardian_id=guardian)
        return _subject_view(person, 0)

    def subjects(self) -> list[SubjectView]:
        """All people, oldest first."""
        counts: dict[str, int] = {}
        for granted in consent.grants(self._rows, self._ledger):
            counts[granted.subject_id] = counts.get(granted.subject_id, 0) + 1
        people = subject.subjects(self._rows, self._keys_if_open())
        return [_subject_view(person, counts.get(person.id, 0)) for person in people]

    def subject(self, subject_id: str) -> SubjectView:
        """One person; raises UnknownRecord."""
        person = subject.subject(self._rows, self._keys_if_open(), subject_id)
        return _subject_view(person, len(consent.grants(self._rows, self._ledger, subject_id)))

    def erase_subject(self, subject_id: str) -> list[ReleaseView]:
        """Erase what is kept about a person (PIPL 47); returns the take-down list of all their consents.

        Consents end, work under them stops, evidence, templates and the person's key are destroyed.
        """
        self._accounts.require_for(Action.ERASE_SUBJECT)
        subject.subject(self._rows, None, subject_id)
        held = [granted.id for granted in consent.grants(self._rows, self._ledger, subject_id)]
        for digest in subject.erase_subject(self._rows, self._ledger, subject_id):
            vault.drop(self.home, digest)
        vault.drop_all(self.home, subject_id)
        self._underway.stop(held)
        return self._released_under(held)

    # --- recording --------------------------------------------------------------------------------------------------

    def new_nonce(self, subject_id: str, *, likeness: Literal["face", "voice"] = "face", language: str = "en") -> Nonce:
        """A fresh phrase for a live recording: names person, studio and month; valid once, for 30 minutes."""
        keys = self._accounts.require_for(Action.RECORD_CONSENT).require_keys()
        person = subject.require_present(subject.subject(self._rows, keys, subject_id))
        return new_nonce(
            self._rows,
            subject_id=person.id,
            name=person.name or person.id,
            studio=self.studio_name(),
            likeness=likeness,
            language=language,
        )

    def studio_name(self) -> str:
        """The name under which the studio asks: the operator's, else the account's."""
        from compliance.operator_profile import profile

        found = profile(self._rows)
        if found is not None and found.name:
            return found.name
        return self._accounts.require().account.username

    def record_consent(
        self,
        subject_id: str,
        asset: Path,
        purposes: Sequence[str],
        valid_from: date,
        valid_until: date,
        evidence: Path | None = None,
        likeness: Literal["face", "voice"] = "face",
        *,
        evidence_kind: EvidenceKind = "file",
        evidence_data: bytes | None = None,
        nonce_phrase: str | None = None,
        device: str | None = None,
        passphrase: str | None = None,
        face: int | None = None,
        notice_language: str | None = None,
        still: bytes | None = None,
        terms: Terms | None = None,
    ) -> GrantView:
        """Record a person's consent for one likeness in one file; evidence is sealed into the vault.

        evidence or evidence_data: the file or the bytes handed in; with nonce_phrase it was recorded live, here and
        now. passphrase: what the subject typed. face: whose number in the picture it is, where there are several.
        A voice is matched by the built-in encoder when the evidence is a sound ("audio"), else by the exact file.
        notice_language: the text that was read to the end just now. still: a picture of the person out of the evidence;
        with a recogniser pack the consent is matched by it and covers the person in other pictures too.
        terms: everything else (compliance.consent).

        The view has the withdrawal code, this once. Raises the errors of consent and assignment.
        """
        current = self._accounts.require_for(Action.RECORD_CONSENT)
        keys = current.require_keys()
        person = subject.require_present(subject.subject(self._rows, keys, subject_id))
        data = read_recording(asset) if likeness == "voice" else read_input(asset)
        asset_sha256 = hashlib.sha256(data).hexdigest()
        if self.kind == "demo" and asset_sha256 not in DEMO_ASSETS:
            raise DemoHomeOnly(what="a consent for another picture")
        if face is not None:
            self._verify_number(asset, face)
        terms = terms or Terms()
        terms = replace(
            terms,
            age=terms.age or person.age,
            guardian_id=terms.guardian_id or person.guardian_id,
            passphrase_commitment=commit_passphrase(passphrase) if passphrase is not None else None,
        )
        if notice_language is not None:
            terms = replace(
                terms,
                notice=notice(likeness, notice_language),
                notice_shown_at=stamp(),
                language=notice_language,
            )
        terms.verify(person.id)
        if evidence is not None and evidence_data is None:
            evidence_data = read_input(evidence)
        if likeness == "voice":
            self._recognition.listen(asset.name, data)
        elif not is_video(data) and format_of_document(data) in (None, "txt"):
            read_container(asset.name, data, salvage=True)
        if evidence_data is not None:
            told = self._check_phrase(evidence_kind, evidence_data, nonce_phrase) if nonce_phrase is not None else {}
            handed_in = Evidence(
                evidence_kind,
                hashlib.sha256(evidence_data).hexdigest(),
                is_live=nonce_phrase is not None,
                phrase=nonce_phrase,
                captured_at=stamp() if nonce_phrase is not None else None,
                device=device,
                **told,
            )
            terms = replace(terms, evidence=(*terms.evidence, handed_in))
            terms.verify(person.id)
            self._keep_evidence(keys, person.id, evidence_data)

        if likeness == "voice" and evidence_data is not None and evidence_kind == "audio":
            terms = replace(terms, match=self._recognition.enrol_voice(keys, person.id, evidence_data, data))
        elif likeness == "face" and still is not None:
            terms = replace(terms, match=self._recognition.enrol(keys, person.id, still, data, face))

        def seal(value: dict[str, Any], context: str) -> bytes:
            with self._rows.write() as connection:
                return seal_for(connection, keys, person.id, value, context)

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
            terms=terms,
            seal=seal,
            personal={"name": person.name, "studio": self.studio_name()},
        )
        if face is not None:
            self._assign(asset_sha256, face, person.id, current.account.id, likeness)
        return replace(self._view_grants([granted])[0], withdrawal_code=granted.withdrawal_code)

    def _check_phrase(self, kind: EvidenceKind, recording: bytes, phrase: str) -> dict[str, Any]:
        """Let the worker listen whether a live recording says the phrase: fields of Evidence.

        Raises PhraseNotHeard for a clear recording in which it is not heard, NotASound for an unreadable one; a film
        without sound, Chinese and noise are left to the second person.
        """
        wanted = listen_for(phrase)
        if wanted is None:
            return {"phrase_check": "second person"}
        try:
            told = self._runner.hear("evidence", recording, wanted)
        except NotASound:
            if kind == "audio":
                raise
            return {"phrase_check": "second person"}
        if told["heard"] is None:
            return {"phrase_check": "too noisy", "snr_db": told["snr_db"]}
        distance = phrase_distance(phrase, list(told["heard"]))
        return {"phrase_check": "heard", "snr_db": told["snr_db"], "phrase_distance": distance}

    def _keep_evidence(self, keys: HomeKeys, subject_id: str, data: bytes) -> str:
        """Seal what was handed in under the person's own key, so that erasing the person shreds it; its digest."""
        with self._rows.write() as connection:
            key = data_key(connection, keys, subject_id)
        return vault.put(self.home, subject_id, key, data)

    def approve_evidence(self, grant_id: str, *, refuse: bool = False) -> GrantView:
        """The second person's decision about the evidence; raises SecondPersonNeeded, RoleMissing, UnknownRecord."""
        current = self._accounts.require_for(Action.APPROVE_EVIDENCE)
        decide = withdrawal.refuse_evidence if refuse else withdrawal.approve_evidence
        granted = decide(self._rows, self._ledger, grant_id, current.account.id)
        if refuse:
            self._underway.stop([grant_id])
        return self._view_grants([granted])[0]

    def confirm_by_receipt(self, grant_id: str, signed_receipt: Path) -> GrantView:
        """Hand in the receipt that the subject signed; the file is sealed, its digest recorded."""
        current = self._accounts.require_for(Action.RECORD_CONSENT)
        owner = consent.grant(self._rows, self._ledger, grant_id).subject_id
        digest = self._keep_evidence(current.require_keys(), owner, read_input(signed_receipt))
        return self._view_grants([withdrawal.confirm_by_receipt(self._rows, self._ledger, grant_id, digest)])[0]

    # --- who is who -------------------------------------------------------------------------------------------------

    def assign_face(
        self, picture: Path, number: int, subject_id: str, *, likeness: Literal["face", "voice"] = "face"
    ) -> AssignmentView:
        """Say whose face a number is, or confirm what another account said; raises FaceIndexUnknown, UnknownRecord."""
        digest = hashlib.sha256(read_input(picture)).hexdigest()
        known = assignments(self._ledger, digest, likeness).get(number)
        account_id = self._accounts.require().account.id
        confirms = known is not None and known.subject_id == subject_id and known.assigned_by != account_id
        self._accounts.require_for(Action.CONFIRM_ASSIGNMENT if confirms else Action.RECORD_CONSENT)
        person = subject.require_present(subject.subject(self._rows, None, subject_id))
        if likeness == "face":
            self._verify_number(picture, number)
        return self._assign(digest, number, person.id, account_id, likeness)

    def _verify_number(self, picture: Path, number: int) -> None:
        found = len(self.survey(picture))
        if not 1 <= number <= found:
            raise FaceIndexUnknown(path=picture, index=number, found=found)

    def _assign(
        self, asset_sha256: str, number: int, subject_id: str, by: str, likeness: Literal["face", "voice"]
    ) -> AssignmentView:
        said = assign_face(
            self._rows,
            self._ledger,
            asset_sha256=asset_sha256,
            number=number,
            subject_id=subject_id,
            by=by,
            likeness=likeness,
        )
        return AssignmentView(
            asset_sha256, likeness, number, said.subject_id, said.assigned_by, said.confirmed_by, said.when
        )

    def assignments(self, picture: Path, likeness: Literal["face", "voice"] = "face") -> list[AssignmentView]:
        """Who is who in a picture, by number."""
        digest = hashlib.sha256(read_input(picture)).hexdigest()
        return [
            AssignmentView(digest, likeness, number, one.subject_id, one.assigned_by, one.confirmed_by, one.when)
            for number, one in sorted(assignments(self._ledger, digest, likeness).items())
        ]

    # --- reading ----------------------------------------------------------------------------------------------------

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
                clock_days=granted.clock_days(),
                withdrawn_at=granted.withdrawn_at,
                evidence_sha256=granted.evidence_sha256,
                recorded_at=granted.recorded_at,
                recorded_by=users.get(granted.recorded_by, granted.recorded_by),
                ledger_index=granted.ledger_index,
                match=granted.match,
                evidence_level=granted.evidence_level,
                approved_by=users.get(granted.approved_by, granted.approved_by) if granted.approved_by else None,
                forbidden=granted.forbidden,
                territories=granted.territories,
                projects=granted.projects,
                max_outputs=granted.max_outputs,
                outputs=granted.outputs,
                age=granted.age,
                guardian_id=granted.guardian_id,
                receipt_id=granted.receipt_id,
            )
            for granted in found
        ]

    def grants(self, subject_id: str | None = None) -> list[GrantView]:
        """All consents, oldest first, or those of one person."""
        return self._view_grants(consent.grants(self._rows, self._ledger, subject_id))

    def grant(self, grant_id: str) -> GrantView:
        """One consent; raises UnknownRecord."""
        return self._view_grants([consent.grant(self._rows, self._ledger, grant_id)])[0]

    def consent_record(self, grant_id: str) -> dict[str, Any]:
        """The public record of a consent, checked against the ledger."""
        consent.grant(self._rows, self._ledger, grant_id)
        return consent.stored_record(self._rows, grant_id)[0]

    def write_receipt(self, grant_id: str, out: Path, code: str | None = None, overwrite: bool = False) -> None:
        """Write the subject's receipt as PDF or JSON, by the ending of `out`; code: the withdrawal code, for its QR.

        Raises WithdrawalCodeUnknown when the code is not that of this grant, FormatUnsupported, TargetExists.
        """
        from compliance.receipt import receipt_of, rendered

        keys = self._accounts.require_for(Action.READ_LEDGER).require_keys()
        granted = consent.grant(self._rows, self._ledger, grant_id)
        record, sealed = consent.stored_record(self._rows, grant_id)
        if code is not None and record.get("withdrawal", {}).get("code_sha256") != withdrawal_digest(code):
            raise WithdrawalCodeUnknown
        personal: dict[str, Any] = {}
        if sealed is not None:
            with self._rows.read() as connection:
                personal = open_for(connection, keys, granted.subject_id, sealed, f"consent {granted.id}")
        receipt = receipt_of(granted, record, personal, self._ledger.entry(granted.ledger_index), code)
        write_atomically(out, rendered(receipt, out, overwrite))

    # --- withdrawal -------------------------------------------------------------------------------------------------

    def withdraw_consent(self, grant_id: str, reason: str = "") -> list[ReleaseView]:
        """Withdraw for good; work under it stops. Returns the take-down list: what was released under this consent."""
        current = self._accounts.require_for(Action.WITHDRAW_CONSENT)
        withdrawal.withdraw(self._rows, self._ledger, grant_id, reason, by=current.account.id)
        return self._after_withdrawal(grant_id)

    def withdraw_by_code(self, code: str) -> tuple[str, list[ReleaseView]]:
        """Withdraw with the code of the receipt, without an account; (grant, take-down list)."""
        granted = withdrawal.withdraw_by_code(self._rows, self._ledger, code)
        return granted.id, self._after_withdrawal(granted.id)

    def withdraw_by_passphrase(self, grant_id: str, passphrase: str) -> list[ReleaseView]:
        """Withdraw with what the subject typed when they agreed, without an account; the take-down list."""
        withdrawal.withdraw_by_passphrase(self._rows, self._ledger, grant_id, passphrase)
        return self._after_withdrawal(grant_id)

    def verify_live(self, grants: Iterable[str]) -> None:
        """Raise the error of the first of these grants that is over, such as ConsentWithdrawn."""
        for grant_id in grants:
            consent.grant(self._rows, self._ledger, grant_id).verify_live()

    def _after_withdrawal(self, grant_id: str) -> list[ReleaseView]:
        self._underway.stop([grant_id])
        keys = self._keys_if_open()
        if keys is not None:
            # A cut log would be noticed from here on; without keys the next checkpoint does it.
            try:
                Ledger(self._rows, self._ledger.origin, keys.ledger_key()).checkpoint()
            except SignetError:
                pass
        return self._released_under([grant_id])

    def _released_under(self, grants: Sequence[str]) -> list[ReleaseView]:
        """The take-down list. The ledger leads: a release whose row is lost is listed by its number."""
        rows = {item.id: item for item in self._releaser.releases()}
        asked = set(grants)
        try:
            told = log_of(self._ledger).released
        except LedgerBroken:
            # What is left is told; a withdrawal is carried out on a damaged ledger too.
            return [item for item in rows.values() if asked & set(item.consents)]
        return [
            rows.get(release)
            or self._releaser.from_log(
                release,
                one.format,
                one.file_sha256,
                stamp(datetime.fromisoformat(one.when)),
                one.consents,
                one.ledger_index,
            )
            for release, one in told.items()
            if asked & set(one.consents)
        ]


def _subject_view(person: subject.Subject, grants: int) -> SubjectView:
    return SubjectView(
        person.id, person.name, person.created_at, grants, person.age, person.guardian_id, person.erased_at
    )
