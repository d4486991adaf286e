"""The gate: the one place that says yes. Rules are numbered, run in order, and raise.

`authorize` records its answer in the ledger and makes a Permit for one request digest. The key that signs permits
lives as long as the program and in no file; the worker gets its public half.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from compliance import store
from compliance.account import Account
from compliance.clock import now, stamp
from compliance.consent import ConsentGrant, grants
from compliance.errors import (
    ConsentForOtherPicture,
    ConsentMissing,
    ConsentTooNarrow,
    DemoHomeOnly,
    PermitInvalid,
    SignetError,
    UnknownRecord,
)
from compliance.identity import require_proof
from compliance.ledger import Ledger
from compliance.permit import Claim, Permit

PERMIT_LIFETIME = timedelta(minutes=15)
# The two portraits of resources/samples, by the SHA-256 of their bytes. They stand here and not in a data file, so
# that no edited list opens the demo home, whose password is published, to another face.
DEMO_ASSETS = frozenset(
    {
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",  # Grace Hopper, US Navy
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",  # Eileen Collins, NASA
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules look at: the claim, who asks, and the named grants as the store holds them at this moment."""

    claim: Claim
    account: Account
    named: tuple[ConsentGrant, ...]
    rows: store.Store
    is_demo: bool


def verify_account(case: Case) -> None:
    """1. The operator's identity is proven (Deep Synthesis Provisions, Art. 9). Raises NotVerified."""
    require_proof(case.rows, case.account)


def verify_live(case: Case) -> None:
    """2. Every named grant is in force today: not withdrawn, not early, not over. Raises the ConsentError of it."""
    for grant in case.named:
        grant.verify_live()


def verify_uses(case: Case) -> None:
    """3. Whose likeness is lent and whose is edited: each has a named grant for this very file (Art. 14).

    Raises ConsentMissing when none is named, ConsentForOtherPicture when the named ones mean something else.
    """
    for use in case.claim.uses:
        if not any(grant.covers(use.likeness, use.asset_sha256) for grant in case.named):
            asset = use.asset_sha256[:12]
            wanted = {(other.likeness, other.asset_sha256) for other in case.claim.uses}
            foreign = [grant for grant in case.named if (grant.likeness, grant.asset_sha256) not in wanted]
            if foreign:
                raise ConsentForOtherPicture(consent=foreign[0].id, role=use.role, asset=asset)
            raise ConsentMissing(role=use.role, asset=asset)


def verify_purpose(case: Case) -> None:
    """4. Each grant that is used names the purpose. Raises ConsentPurpose."""
    for grant in case.named:
        if any(grant.covers(use.likeness, use.asset_sha256) for use in case.claim.uses):
            grant.verify_purpose(case.claim.purpose)


def verify_persons(case: Case) -> None:
    """5. No more faces are edited than persons have agreed to for the target. Raises ConsentTooNarrow."""
    for use in case.claim.uses:
        if use.role == "target":
            persons = {grant.subject_id for grant in case.named if grant.covers(use.likeness, use.asset_sha256)}
            if case.claim.faces_edited > len(persons):
                raise ConsentTooNarrow(faces=case.claim.faces_edited, persons=len(persons))


def verify_demo(case: Case) -> None:
    """6. The demo home works with the two sample portraits and nothing else. Raises DemoHomeOnly."""
    if case.is_demo:
        for use in case.claim.uses:
            if use.asset_sha256 not in DEMO_ASSETS:
                raise DemoHomeOnly(what="another picture")


RULES: tuple[Callable[[Case], None], ...] = (
    verify_account,
    verify_live,
    verify_uses,
    verify_purpose,
    verify_persons,
    verify_demo,
)


class Gate:
    """Says yes or no to requests of one home."""

    def __init__(self, rows: store.Store, ledger: Ledger, is_demo: bool) -> None:
        self._rows, self._ledger, self._is_demo = rows, ledger, is_demo
        self._key = Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What permits are checked against."""
        return self._key.public_key()

    def _examine(self, claim: Claim, account: Account) -> None:
        stored = {grant.id: grant for grant in grants(self._rows, self._ledger)}
        unknown = [consent for consent in claim.consents if consent not in stored]
        if unknown:
            raise UnknownConsent(kind="consent", id=unknown[0])
        named = tuple(stored[consent] for consent in dict.fromkeys(claim.consents))
        case = Case(claim, account, named, self._rows, self._is_demo)
        for rule in RULES:
            rule(case)

    def authorize(self, claim: Claim, account: Account) -> Permit:
        """Run all rules, record the decision, return a Permit; raises the error of the first rule that says no."""
        about = {
            "account": account.id,
            "function": claim.function,
            "request_sha256": claim.request_sha256,
            "consents": list(claim.consents),
        }
        try:
            self._examine(claim, account)
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
        )
        permit = replace(permit, signature=self._key.sign(permit.signed_bytes()).hex())
        self._ledger.append_now("permit_granted", {**about, "permit": permit.permit_id})
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
        self._examine(claim, account)


class UnknownConsent(UnknownRecord, ConsentMissing):
    """A named consent does not exist: exit code of a missing consent, sentence of an unknown record."""

    code = ConsentMissing.code
    message = UnknownRecord.message
    next_step = "List the consents with `signet consent list` and copy the id."
