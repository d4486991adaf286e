"""The gate: the one place that says yes. Rules are numbered, run in order, and raise.

`authorize` records its answer in the ledger and makes a Permit for one request digest. The key that signs permits
lives as long as the program and in no file; the worker gets its public half. `explain` asks every rule and raises
nothing; it makes no permit and enters nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import func, select

from compliance import store
from compliance.account import Account
from compliance.assignment import assignments
from compliance.clock import now, stamp
from compliance.consent import PURPOSES, ConsentGrant, grants
from compliance.content import ContentDecision
from compliance.errors import (
    AssignmentUnconfirmed,
    ConsentForOtherPicture,
    ConsentMissing,
    ConsentTooNarrow,
    DemoHomeOnly,
    EvidenceUnconfirmed,
    FaceMismatch,
    FacePersonMissing,
    FaceUnassigned,
    LicenceForbids,
    PermitInvalid,
    PurposeUnknown,
    RecogniserMissing,
    ReviewUnavailable,
    SignetError,
    StepUpNeeded,
    UnknownRecord,
    VoiceConsentForOther,
    VoiceConsentMissing,
    VoiceConsentTooNarrow,
    VoiceMismatch,
)
from compliance.identity import require_proof
from compliance.ledger import Ledger
from compliance.operator_profile import verify_accepted
from compliance.permit import Claim, LikenessUse, Permit
from compliance.roles import Action, verify_may
from compliance.sanctions import verify_not_sanctioned
from compliance.session import Profile, current_profile

PERMIT_LIFETIME = timedelta(minutes=15)
# The two portraits of resources/samples, by the SHA-256 of their bytes. They stand here and not in a data file, so
# that no edited list opens the demo home, whose password is published, to another face.
DEMO_ASSETS = frozenset(
    {
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",  # Grace Hopper, US Navy
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",  # Eileen Collins, NASA
    }
)
# What the demo makes from words alone, by the digest of each whole request: no other words are worked on there.
DEMO_REQUESTS = frozenset(
    {
        "c224f151af5807e956f6e001a48d58e435b5ab5732cd3cf2542299700d6180d4",  # a painted scene
        "e718049aa2e2abe586ca7cdc80eb1dd97ad5a5c537d1108488f29bb4adb4319d",  # a sentence in English
        "5cc78466b57bd5e092011288f792d31967e419e5171e4078ef0028b6990d6a29",  # a sentence in Chinese
    }
)
# Whose voice a function cannot do without: a claim that does not name it hides it.
NEEDED_VOICES = {"voice.convert": ("source", "target"), "voice.attribute": ("target",)}
# The function that labels media made elsewhere.
SEAL = "seal"
# What each class of licence allows; a class nobody knows allows nothing (engines.packs names the classes).
_ANY_PURPOSE = frozenset({"private", "film", "advertising", "education", "research", "satire"})
LICENSED_PURPOSES = {
    "open": _ANY_PURPOSE,
    "responsible-use": _ANY_PURPOSE,
    "non-commercial": frozenset({"private", "education", "research"}),
    "research-only": frozenset({"research"}),
}


class ContentReview(Protocol):
    """Says whether what goes in may be worked on (Deep Synthesis Provisions, Art. 10); raises a ReviewError."""

    def __call__(self, claim: Claim, /) -> ContentDecision:
        """By what the content of this claim is judged, and what a person has to look at; raise where it may not be.

        Pictures are looked at in the worker, by what the permit names of this decision.
        """


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """How well one face of an asset fits the templates of a person; the score as the recogniser gives it."""

    number: int
    score: float
    is_same: bool


class Matcher(Protocol):
    """Compares the faces of an asset with a person's sealed templates, by a recogniser of this digest.

    Returns None where that recogniser is not installed, the keys are locked or nobody has looked at the asset.
    """

    def __call__(
        self, likeness: str, asset_sha256: str, subject_id: str, model_sha256: str, threshold: float, /
    ) -> list[FaceMatch] | None:
        """All faces of the asset against this person."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule says. error: what it would raise; None when it is content. basis: by what it was decided."""

    number: int
    name: str
    ok: bool
    reason: str
    error: SignetError | None = None
    basis: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules look at: the claim, who asks, and the named grants as the store holds them at this moment."""

    claim: Claim
    account: Account
    named: tuple[ConsentGrant, ...]
    rows: store.Store
    is_demo: bool
    ledger: Ledger
    profile: Profile
    missing: tuple[str, ...] = ()
    content: ContentReview | None = None
    matcher: Matcher | None = None
    is_stepped_up: Callable[[Account], bool] | None = None
    is_release: bool = False
    decided: list[ContentDecision] = field(default_factory=list)
    """What the rule about content found, once it was asked."""

    @property
    def uses(self) -> tuple[LikenessUse, ...]:
        """The uses of a likeness; inputs that show nobody (the worker looks) need no consent.

        Of what was made elsewhere the account may say that whoever is seen does not exist; of no other input.
        """
        free = ("none", "nobody") if self.claim.function == SEAL else ("none",)
        return tuple(use for use in self.claim.uses if use.likeness not in free)

    @property
    def is_strict(self) -> bool:
        """Whether several people work here, so that a second one can be asked; any profile but "personal"."""
        return self.profile.name != "personal"

    def covering(self, use: LikenessUse) -> list[ConsentGrant]:
        """The named grants that mean this use: by the exact file, or by the person's template."""
        return [
            grant
            for grant in self.named
            if grant.likeness == use.likeness
            and (grant.asset_sha256 == use.asset_sha256 or (grant.match == "biometric" and self.shows(grant, use)))
        ]

    def shows(self, grant: ConsentGrant, use: LikenessUse) -> bool:
        """Whether a used face of the asset is that of a biometric grant's person."""
        used = _numbers(use, self.claim)
        return any(found.is_same and found.number in used for found in self.matches(grant, use) or ())

    def matches(self, grant: ConsentGrant, use: LikenessUse) -> list[FaceMatch] | None:
        """The faces of a use against the person of a biometric grant; None where they cannot be compared."""
        if self.matcher is None or grant.model_sha256 is None or grant.threshold is None:
            return None
        return self.matcher(use.likeness, use.asset_sha256, grant.subject_id, grant.model_sha256, grant.threshold)

    def used(self) -> list[ConsentGrant]:
        """The named grants that mean any of the uses."""
        return [grant for grant in self.named if any(grant in self.covering(use) for use in self.uses)]


def _numbers(use: LikenessUse, claim: Claim) -> tuple[int, ...]:
    """The face numbers that a use touches. Where nobody has counted, the source lends its only face."""
    if use.faces:
        return use.faces
    count = claim.faces_edited if use.role == "target" else max(1, use.faces_found)
    return tuple(range(1, count + 1))


def verify_account(case: Case) -> None:
    """1. The account is active and its role allows to release. Raises RoleMissing, PermitInvalid."""
    table = store.account
    with case.rows.read() as connection:
        state = connection.execute(select(table.c.state).where(table.c.id == case.account.id)).scalar()
    if state != "active":
        raise PermitInvalid(reason="the account is not active")
    verify_may(case.rows, case.account, Action.RELEASE)


def verify_step_up(case: Case) -> None:
    """2. For a release the password was given lately enough for this profile. Raises StepUpNeeded."""
    if case.is_release and case.is_stepped_up is not None and not case.is_stepped_up(case.account):
        raise StepUpNeeded(account=case.account.username, minutes=case.profile.step_up_s // 60)


def verify_proof(case: Case) -> None:
    """3. The operator's identity is proven (Deep Synthesis Provisions, Art. 9). Raises NotVerified."""
    require_proof(case.rows, case.account)


def verify_known(case: Case) -> None:
    """4. Every named consent exists. Raises UnknownConsent."""
    if case.missing:
        raise UnknownConsent(kind="consent", id=case.missing[0])


def verify_live(case: Case) -> None:
    """5. Every named grant is in force today: not ended, not early, not over. Raises the ConsentError of it."""
    for grant in case.named:
        grant.verify_live()


def verify_uses(case: Case) -> None:
    """6. Whose likeness is lent and whose is edited: each has a named grant (Deep Synthesis Provisions, Art. 14).

    Raises ConsentMissing when none is named, ConsentForOtherPicture when the named ones mean something else,
    RecogniserMissing when a biometric one cannot be compared; for voices VoiceConsentMissing, VoiceConsentForOther.
    """
    for role in NEEDED_VOICES.get(case.claim.function, ()):
        if not any(use.role == role and use.likeness == "voice" for use in case.uses):
            raise VoiceConsentMissing(role=role, asset="-")
    for use in case.uses:
        if case.covering(use):
            continue
        asset = use.asset_sha256[:12]
        for grant in case.named:
            if grant.match == "biometric" and grant.likeness == use.likeness and case.matches(grant, use) is None:
                raise RecogniserMissing(consent=grant.id, model=(grant.model_sha256 or "-")[:12])
        foreign = [grant for grant in case.named if grant not in case.used()]
        if foreign:
            other = VoiceConsentForOther if use.likeness == "voice" else ConsentForOtherPicture
            raise other(consent=foreign[0].id, role=use.role, asset=asset)
        missing = VoiceConsentMissing if use.likeness == "voice" else ConsentMissing
        raise missing(role=use.role, asset=asset)


def verify_purpose(case: Case) -> None:
    """7. The purpose is one that a grant can name, and each grant that is used names it.

    Raises PurposeUnknown, ConsentPurpose.
    """
    if case.claim.purpose not in PURPOSES:
        raise PurposeUnknown(purpose=case.claim.purpose[:80], allowed=", ".join(PURPOSES))
    for grant in case.used():
        grant.verify_purpose(case.claim.purpose)


def verify_declared_uses(case: Case) -> None:
    """8. No grant forbids what the result is declared to be for. Raises ConsentForbidsUse."""
    for grant in case.used():
        grant.verify_uses_allowed(case.claim.declared_uses)


def verify_place(case: Case) -> None:
    """9. Territory and project are covered. Raises ConsentPlace."""
    for grant in case.used():
        grant.verify_place(case.claim.territory, case.claim.project)


def verify_outputs(case: Case) -> None:
    """10. No grant has used up its releases. Raises ConsentOutputsUsed."""
    for grant in case.used():
        grant.verify_outputs_left()


def verify_evidence(case: Case) -> None:
    """11. Where several people work, a second one has approved the evidence; alone, the subject has confirmed it.

    In the profile "personal" the operator's word is enough; the record says that it is no more. Raises
    EvidenceUnconfirmed.
    """
    if not case.is_strict:
        return
    is_alone = _people(case.rows) == 1
    for grant in case.used():
        is_approved = grant.approved_by is not None and grant.approved_by != grant.recorded_by
        is_confirmed = grant.evidence_level in ("live", "file+subject")
        if not (grant.evidence_sha256 is not None and (is_approved or (is_alone and is_confirmed))):
            raise EvidenceUnconfirmed(consent=grant.id, level=grant.evidence_level)


def verify_persons(case: Case) -> None:
    """12. Each face that is edited or lent is that of a person with a named grant for this picture.

    Who is who was said face by face (and confirmed by a second person where there is one), or is plain because as many
    persons have agreed as the picture shows faces, or was found by the recogniser. Raises ConsentTooNarrow,
    FaceUnassigned, FacePersonMissing, AssignmentUnconfirmed.
    """
    for use in case.uses:
        grants_of_use = case.covering(use)
        persons = {grant.subject_id for grant in grants_of_use}
        numbers = _numbers(use, case.claim)
        if use.role == "target" and max(case.claim.faces_edited, len(numbers)) > len(persons):
            narrow = VoiceConsentTooNarrow if use.likeness == "voice" else ConsentTooNarrow
            raise narrow(faces=max(case.claim.faces_edited, len(numbers)), persons=len(persons))
        said = assignments(case.ledger, use.asset_sha256, use.likeness)
        is_plain = len(persons) == use.faces_found if use.faces_found else not said
        for number in numbers:
            recognised = {grant.subject_id for grant in grants_of_use if _is_recognised(case, grant, use, number)}
            known = said.get(number)
            if known is not None and known.subject_id not in persons:
                raise FacePersonMissing(face=number, role=use.role, subject=known.subject_id)
            if recognised or is_plain:
                continue
            if known is None:
                raise FaceUnassigned(face=number, role=use.role, asset=use.asset_sha256[:12])
            if case.is_strict and known.confirmed_by is None and _people(case.rows) > 1:
                raise AssignmentUnconfirmed(face=number, role=use.role)


def verify_match(case: Case) -> None:
    """13. Under a biometric grant the face itself matches the person's template.

    A face counts when any of the biometric grants for the use knows it. Every used face must be known by one, but for
    as many as persons are covered by grants for the exact file. Raises FaceMismatch, RecogniserMissing.
    """
    for use in case.uses:
        biometric = [grant for grant in case.covering(use) if grant.match == "biometric"]
        if not biometric:
            continue
        by_file = {grant.subject_id for grant in case.covering(use) if grant.match == "asset"}
        unknown = []
        for number in _numbers(use, case.claim):
            best: FaceMatch | None = None
            for grant in biometric:
                found = case.matches(grant, use)
                if found is None:
                    raise RecogniserMissing(consent=grant.id, model=(grant.model_sha256 or "-")[:12])
                best = max(
                    [best, *(face for face in found if face.number == number)],
                    key=lambda face: (-2.0, 0.0) if face is None else (face.is_same, face.score),
                )
            if best is None or not best.is_same:
                unknown.append((number, best))
        if len(unknown) > len(by_file):
            number, best = unknown[0]
            raise (VoiceMismatch if use.likeness == "voice" else FaceMismatch)(
                face=number,
                role=use.role,
                consent=biometric[0].id,
                score=round(best.score, 3) if best else 0,
                threshold=biometric[0].threshold,
            )


def verify_content(case: Case) -> None:
    """14. What goes in was reviewed (Deep Synthesis Provisions, Art. 10). Raises the ReviewError of the review.

    A gate without a review says no: nothing passes because nobody looked.
    """
    if case.content is None:
        raise ReviewUnavailable(part="content", reason="nobody looks at it")
    case.decided.append(case.content(case.claim))


def verify_licences(case: Case) -> None:
    """15. The licence of every model pack allows the purpose. Raises LicenceForbids."""
    for pack in case.claim.packs:
        if case.claim.purpose not in LICENSED_PURPOSES.get(pack.licence_class, frozenset()):
            raise LicenceForbids(what=pack.id, licence=pack.licence_class)


def verify_sanctions(case: Case) -> None:
    """16. No sanction stands against the account (Deep Synthesis Provisions, Art. 10). Raises AccountSanctioned."""
    verify_not_sanctioned(case.ledger, case.account)


def verify_agreement(case: Case) -> None:
    """17. The account has accepted the operator's service agreement, where there is one (Labelling Measures, Art. 8).

    Raises AgreementNotAccepted.
    """
    verify_accepted(case.rows, case.account)


def verify_demo(case: Case) -> None:
    """18. The demo home works with the sample portraits and its own words, nothing else. Raises DemoHomeOnly."""
    if case.is_demo:
        for use in case.claim.uses:
            if use.asset_sha256 not in DEMO_ASSETS:
                raise DemoHomeOnly(what="another picture")
        if not case.claim.uses and case.claim.request_sha256 not in DEMO_REQUESTS:
            raise DemoHomeOnly(what="anything else made from words")


def _people(rows: store.Store) -> int:
    """How many active accounts there are."""
    table = store.account
    with rows.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(table).where(table.c.state == "active")).scalar_one()
        )


def _is_recognised(case: Case, grant: ConsentGrant, use: LikenessUse, number: int) -> bool:
    if grant.match != "biometric":
        return False
    return any(face.is_same and face.number == number for face in case.matches(grant, use) or ())


RULES: tuple[Callable[[Case], None], ...] = (
    verify_account,
    verify_step_up,
    verify_proof,
    verify_known,
    verify_live,
    verify_uses,
    verify_purpose,
    verify_declared_uses,
    verify_place,
    verify_outputs,
    verify_evidence,
    verify_persons,
    verify_match,
    verify_content,
    verify_licences,
    verify_sanctions,
    verify_agreement,
    verify_demo,
)


class Gate:
    """Says yes or no to requests of one home.

    content, matcher, is_stepped_up: what the wiring brings in; see the rules 14, 13 and 2. They may be set later.
    """

    def __init__(
        self,
        rows: store.Store,
        ledger: Ledger,
        is_demo: bool,
        *,
        content: ContentReview | None = None,
        matcher: Matcher | None = None,
        is_stepped_up: Callable[[Account], bool] | None = None,
    ) -> None:
        self._rows, self._ledger, self._is_demo = rows, ledger, is_demo
        self.content, self.matcher, self.is_stepped_up = content, matcher, is_stepped_up
        self._key = Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What permits are checked against."""
        return self._key.public_key()

    def _case(self, claim: Claim, account: Account, is_release: bool) -> Case:
        wanted = tuple(dict.fromkeys(claim.consents))
        stored = {grant.id: grant for grant in grants(self._rows, self._ledger, only=wanted)} if wanted else {}
        with self._rows.read() as connection:
            profile = current_profile(connection)
        return Case(
            claim,
            account,
            tuple(stored[consent] for consent in wanted if consent in stored),
            self._rows,
            self._is_demo,
            self._ledger,
            profile,
            tuple(consent for consent in wanted if consent not in stored),
            self.content,
            self.matcher,
            self.is_stepped_up,
            is_release,
        )

    def _examine(self, claim: Claim, account: Account, *, is_release: bool = False) -> ContentDecision:
        case = self._case(claim, account, is_release)
        for rule in RULES:
            rule(case)
        return case.decided[0]

    def explain(self, claim: Claim, account: Account) -> list[RuleResult]:
        """What every rule says to a claim, in order; raises only what makes the store unreadable (LedgerBroken …)."""
        case = self._case(claim, account, True)
        results = []
        for number, rule in enumerate(RULES, start=1):
            error: SignetError | None = None
            try:
                rule(case)
            except SignetError as refusal:
                error = refusal
            name = rule.__name__.removeprefix("verify_")
            basis = case.decided[0].basis() if rule is verify_content and case.decided else {}
            results.append(RuleResult(number, name, error is None, str(error or ""), error, basis))
        return results

    def authorize(self, claim: Claim, account: Account) -> Permit:
        """Run all rules, record the decision, return a Permit; raises the error of the first rule that says no."""
        about = {
            "account": account.id,
            "function": claim.function,
            "request_sha256": claim.request_sha256,
            "consents": list(claim.consents),
        }
        try:
            decision = self._examine(claim, account)
        except SignetError as error:
            self._ledger.append_now("permit_refused", {**about, "reason": error.name})
            raise
        moment = now()
        permit = Permit(
            permit_id=f"per-{secrets.token_hex(8)}",
            function=claim.function,
            engine=claim.engine,
            request_sha256=claim.request_sha256,
            account=account.id,
            consents=claim.consents,
            purpose=claim.purpose,
            faces_edited=claim.faces_edited,
            issued_at=stamp(moment - timedelta(seconds=1)),
            expires_at=stamp(moment + PERMIT_LIFETIME),
            content_sha256=decision.digest(),
            classifier=decision.classifier,
            classifier_sha256=decision.classifier_sha256,
        )
        permit = replace(permit, signature=self._key.sign(permit.signed_bytes()).hex())
        content = {**decision.basis(), "hits": sorted({hit.rule for hit in decision.hits})}
        self._ledger.append_now("permit_granted", {**about, "permit": permit.permit_id, "content": content})
        return permit

    def verify_for_release(self, permit: Permit, claim: Claim, account: Account) -> None:
        """The last look before a release: the permit is ours, fresh and unused, and every rule still says yes.

        Raises PermitInvalid or the error of a rule.
        """
        permit.verify(self.public_key, claim.request_sha256)
        if permit.account != account.id:
            raise PermitInvalid(reason="made for another account")
        table = store.permit_use
        with self._rows.read() as connection:
            used = connection.execute(select(table.c.used_at).where(table.c.permit_id == permit.permit_id)).first()
        if used is not None:
            raise PermitInvalid(reason="used before")
        self._examine(claim, account, is_release=True)

    def verify_still_live(self, claim: Claim) -> None:
        """Between signing and naming a file: no consent has ended meanwhile. Raises the ConsentError of it."""
        for grant in grants(self._rows, self._ledger, only=claim.consents) if claim.consents else ():
            grant.verify_live()


class UnknownConsent(UnknownRecord, ConsentMissing):
    """A named consent does not exist: exit code of a missing consent, sentence of an unknown record."""

    code = ConsentMissing.code
    message = UnknownRecord.message
    next_step = "List the consents with `signet consent list` and copy the id."
