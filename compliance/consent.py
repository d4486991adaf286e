"""Consent: a person allows a likeness for purposes until a day. Grants are never edited, only withdrawn.

In this version a grant is bound to the exact file (`match: asset`): it covers one picture of one person, known by the
SHA-256 of its bytes. The record is RFC 8785 canonical JSON and its digest stands in the ledger.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import rfc8785
from sqlalchemy import insert, select

from compliance import store
from compliance.clock import stamp, today
from compliance.errors import (
    ConsentDates,
    ConsentExpired,
    ConsentNotYetValid,
    ConsentPurpose,
    ConsentWithdrawn,
    PurposeUnknown,
    UnknownRecord,
)
from compliance.ledger import Ledger

PURPOSES = ("private", "film", "advertising", "education", "research", "satire")
LONGEST = timedelta(days=366)
GrantState = Literal["live", "not yet", "expired", "withdrawn"]


@dataclass(frozen=True, slots=True)
class ConsentGrant:
    """One person's consent for one picture. Dates are whole days, both included."""

    id: str
    subject_id: str
    likeness: str
    purposes: tuple[str, ...]
    asset_sha256: str
    valid_from: date
    valid_until: date
    evidence_sha256: str | None
    recorded_by: str
    recorded_at: str
    ledger_index: int
    withdrawn_at: str | None

    def state(self, day: date | None = None) -> GrantState:
        """What the grant is worth on a day (default today)."""
        day = day or today()
        if self.withdrawn_at is not None:
            return "withdrawn"
        if day < self.valid_from:
            return "not yet"
        return "expired" if day > self.valid_until else "live"

    def verify_live(self, day: date | None = None) -> None:
        """Raise ConsentWithdrawn, ConsentNotYetValid or ConsentExpired unless the grant holds on that day."""
        match self.state(day):
            case "withdrawn":
                raise ConsentWithdrawn(consent=self.id, when=self.withdrawn_at)
            case "not yet":
                raise ConsentNotYetValid(consent=self.id, since=self.valid_from.isoformat())
            case "expired":
                raise ConsentExpired(consent=self.id, until=self.valid_until.isoformat())
            case "live":
                return

    def verify_purpose(self, purpose: str) -> None:
        """Raise ConsentPurpose unless the grant names this purpose."""
        if purpose not in self.purposes:
            raise ConsentPurpose(consent=self.id, purpose=purpose, allowed=", ".join(self.purposes))

    def covers(self, likeness: str, asset_sha256: str) -> bool:
        """Whether this very file and likeness is meant."""
        return self.likeness == likeness and self.asset_sha256 == asset_sha256


def record_consent(
    rows: store.Store,
    ledger: Ledger,
    *,
    subject_id: str,
    likeness: Literal["face", "voice"],
    purposes: Sequence[str],
    asset_sha256: str,
    valid_from: date,
    valid_until: date,
    recorded_by: str,
    evidence_sha256: str | None = None,
) -> ConsentGrant:
    """Record a grant; raises PurposeUnknown, ConsentDates. The caller knows that the subject exists."""
    purposes = tuple(dict.fromkeys(purposes))
    unknown = [purpose for purpose in purposes if purpose not in PURPOSES]
    if unknown or not purposes:
        raise PurposeUnknown(purpose=", ".join(unknown) or "-", allowed=", ".join(PURPOSES))
    if valid_until < valid_from or valid_until - valid_from > LONGEST:
        raise ConsentDates(since=valid_from.isoformat(), until=valid_until.isoformat())
    grant_id, recorded_at = f"con-{secrets.token_hex(5)}", stamp()
    record: dict[str, Any] = {
        "schema": "signet.consent/1",
        "record_id": grant_id,
        "subject_ref": subject_id,
        "match": "asset",
        "likeness": likeness,
        "asset_sha256": asset_sha256,
        "purposes": list(purposes),
        "not_before": valid_from.isoformat(),
        "not_after": valid_until.isoformat(),
        "evidence": [{"kind": "file", "sha256": evidence_sha256}] if evidence_sha256 else [],
        "operator_ref": recorded_by,
        "recorded_at": recorded_at,
    }
    canonical = rfc8785.dumps(record)
    with rows.write() as connection:
        index = ledger.append(
            connection,
            "consent_recorded",
            {"consent": grant_id, "subject": subject_id, "record_sha256": hashlib.sha256(canonical).hexdigest()},
        )
        connection.execute(
            insert(store.consent_grant).values(
                id=grant_id,
                subject_id=subject_id,
                likeness=likeness,
                purposes=json.dumps(list(purposes)),
                asset_sha256=asset_sha256,
                valid_from=valid_from.isoformat(),
                valid_until=valid_until.isoformat(),
                evidence_sha256=evidence_sha256,
                evidence_blob=evidence_sha256,
                recorded_by=recorded_by,
                recorded_at=recorded_at,
                record=canonical,
                ledger_index=index,
            )
        )
    return grant(rows, ledger, grant_id)


def withdraw_consent(rows: store.Store, ledger: Ledger, grant_id: str, reason: str = "") -> ConsentGrant:
    """Withdraw a grant for good; raises UnknownRecord, ConsentWithdrawn when it already was."""
    present = grant(rows, ledger, grant_id)
    if present.withdrawn_at is not None:
        raise ConsentWithdrawn(consent=grant_id, when=present.withdrawn_at)
    with rows.write() as connection:
        index = ledger.append(connection, "consent_withdrawn", {"consent": grant_id})
        connection.execute(
            insert(store.consent_withdrawal).values(
                grant_id=grant_id, withdrawn_at=stamp(), reason=reason, ledger_index=index
            )
        )
    return grant(rows, ledger, grant_id)


def grants(rows: store.Store, ledger: Ledger, subject_id: str | None = None) -> list[ConsentGrant]:
    """All grants, oldest first; each row is checked against its record and the ledger (raises LedgerBroken)."""
    table, gone = store.consent_grant, store.consent_withdrawal
    query = (
        select(table, gone.c.withdrawn_at)
        .select_from(table.outerjoin(gone, gone.c.grant_id == table.c.id))
        .order_by(table.c.ledger_index)
    )
    if subject_id is not None:
        query = query.where(table.c.subject_id == subject_id)
    with rows.read() as connection:
        found = list(connection.execute(query).mappings())
    return [_checked(dict(row), ledger) for row in found]


def _checked(row: dict[str, Any], ledger: Ledger) -> ConsentGrant:
    """A grant is what its recorded document says, and the ledger vouches for the document: rows alone prove nothing."""
    from compliance.errors import LedgerBroken

    index, record = int(row["ledger_index"]), json.loads(row["record"])
    fields = ledger.entry(index)["fields"]
    if (
        fields.get("consent") != row["id"]
        or record["record_id"] != row["id"]
        or fields.get("record_sha256") != hashlib.sha256(row["record"]).hexdigest()
    ):
        raise LedgerBroken(index=index, reason="a consent record was changed")
    evidence = record["evidence"][0]["sha256"] if record["evidence"] else None
    return ConsentGrant(
        id=record["record_id"],
        subject_id=record["subject_ref"],
        likeness=record["likeness"],
        purposes=tuple(record["purposes"]),
        asset_sha256=record["asset_sha256"],
        valid_from=date.fromisoformat(record["not_before"]),
        valid_until=date.fromisoformat(record["not_after"]),
        evidence_sha256=evidence,
        recorded_by=record["operator_ref"],
        recorded_at=record["recorded_at"],
        ledger_index=index,
        withdrawn_at=row["withdrawn_at"],
    )


def grant(rows: store.Store, ledger: Ledger, grant_id: str) -> ConsentGrant:
    """One grant; raises UnknownRecord."""
    for found in grants(rows, ledger):
        if found.id == grant_id:
            return found
    raise UnknownRecord(kind="consent", id=grant_id)
