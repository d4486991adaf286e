"""Consent: a person allows a likeness for purposes until a day. Grants are never edited, only superseded or withdrawn.

The record is a superset of ISO/IEC TS 27560 as RFC 8785 canonical JSON. Its SHA-256 stands in the ledger, it names
people by pseudonym alone; what is personal (names, recipients, words) is sealed under the key of the person and tied to
the record by a salted digest. What has become of a grant since is read from the ledger, never from rows alone.
One grant is for one likeness of one person: nothing is bundled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

import rfc8785
import sqlalchemy as sa

from compliance import store
from compliance.clock import stamp, to_the_second, today
from compliance.consent_log import ConsentLog, log_of
from compliance.consent_record import (
    FORBIDDEN,
    PURPOSES,
    WORLDWIDE,
    Terms,
    new_withdrawal_code,
    record_of,
    withdrawal_digest,
)
from compliance.errors import (
    ConsentDates,
    ConsentExpired,
    ConsentForbidsUse,
    ConsentNotYetValid,
    ConsentOutputsUsed,
    ConsentOverByClock,
    ConsentPlace,
    ConsentPurpose,
    ConsentRefused,
    ConsentSuperseded,
    ConsentWithdrawn,
    LedgerBroken,
    SubjectErased,
    UnknownRecord,
)
from compliance.evidence import EvidenceLevel, level_of, use_nonce
from compliance.ledger import Ledger

LONGEST = timedelta(days=366)
GrantState = Literal["live", "not yet", "expired", "withdrawn", "superseded", "refused"]
Seal = Callable[[dict[str, Any], str], bytes]


@dataclass(frozen=True, slots=True)
class ConsentGrant:
    """One person's consent for one likeness. Dates are whole days, both included.

    match: "asset" binds it to the exact file, "biometric" to the person's template (model_sha256, threshold).
    max_outputs: None means no limit; outputs: releases made so far. ended: how it ended before its time.
    withdrawal_code is there once only: in the answer to `record_consent`.
    """

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
    ended: str | None = None
    ended_by: str = ""
    match: str = "asset"
    model_sha256: str | None = None
    threshold: float | None = None
    forbidden: tuple[str, ...] = FORBIDDEN
    territories: tuple[str, ...] = (WORLDWIDE,)
    projects: tuple[str, ...] = ()
    max_outputs: int | None = None
    outputs: int = 0
    age: str = "not stated"
    guardian_id: str | None = None
    evidence_level: EvidenceLevel = "operator"
    approved_by: str | None = None
    receipt_id: str | None = None
    withdrawal_code: str | None = field(default=None, repr=False)
    latest_day: date = field(default=date.min, repr=False, compare=False)
    """The latest day that the ledger tells since the grant was recorded. Over is over: a clock that was set back
    revives nothing.
    """

    leap: tuple[str, str] | None = field(default=None, repr=False, compare=False)
    """The days before and after a leap of the clock that went over the grant's last day, where there was one."""

    def clock_days(self) -> tuple[str, str] | None:
        """The days of the ledger and of the clock, where one of them alone, or a leap of the clock, ended the grant."""
        if self.state() != "expired":
            return None
        if today() <= self.valid_until:
            return self.latest_day.isoformat(), today().isoformat()
        return self.leap

    def state(self, day: date | None = None) -> GrantState:
        """What the grant is worth on a day; by default today, or over on the latest day that the ledger tells."""
        last = day or max(today(), self.latest_day)
        day = day or today()
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.ended is not None:
            return "superseded" if self.ended == "superseded" else "refused"
        if day < self.valid_from:
            return "not yet"
        return "expired" if last > self.valid_until else "live"

    def verify_live(self, day: date | None = None) -> None:
        """Raise ConsentWithdrawn, ConsentSuperseded, ConsentRefused, ConsentNotYetValid or ConsentExpired unless it
        holds on that day.
        """
        match self.state(day):
            case "withdrawn":
                raise ConsentWithdrawn(consent=self.id, when=to_the_second(self.withdrawn_at))
            case "superseded":
                raise ConsentSuperseded(consent=self.id, by=self.ended_by)
            case "refused":
                raise ConsentRefused(consent=self.id, when=self.ended_by)
            case "not yet":
                raise ConsentNotYetValid(consent=self.id, since=self.valid_from.isoformat())
            case "expired":
                if day is None and (days := self.clock_days()) is not None:
                    told = {"ledger": days[0], "clock": days[1]}
                    raise ConsentOverByClock(consent=self.id, until=self.valid_until.isoformat(), **told)
                raise ConsentExpired(consent=self.id, until=self.valid_until.isoformat())
            case "live":
                return

    def verify_purpose(self, purpose: str) -> None:
        """Raise ConsentPurpose unless the grant names this purpose."""
        if purpose not in self.purposes:
            raise ConsentPurpose(consent=self.id, purpose=purpose, allowed=", ".join(self.purposes))

    def verify_uses_allowed(self, uses: Iterable[str]) -> None:
        """Raise ConsentForbidsUse when one of the declared uses is forbidden, or is no word of the closed list."""
        for use in uses:
            if use in self.forbidden or use not in FORBIDDEN:
                raise ConsentForbidsUse(consent=self.id, use=use)

    def verify_place(self, territory: str, project: str) -> None:
        """Raise ConsentPlace unless territory and project are covered; an unsaid one is covered by "anywhere" alone."""
        if WORLDWIDE not in self.territories and territory not in self.territories:
            allowed = ", ".join(self.territories)
            raise ConsentPlace(consent=self.id, kind="territory", value=territory or "-", allowed=allowed)
        if self.projects and project not in self.projects:
            raise ConsentPlace(consent=self.id, kind="project", value=project or "-", allowed=", ".join(self.projects))

    def verify_outputs_left(self) -> None:
        """Raise ConsentOutputsUsed when as many releases were made as the grant allows."""
        if self.max_outputs is not None and self.outputs >= self.max_outputs:
            raise ConsentOutputsUsed(consent=self.id, limit=self.max_outputs)

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
    terms: Terms | None = None,
    seal: Seal | None = None,
    personal: Mapping[str, Any] | None = None,
) -> ConsentGrant:
    """Record a grant; the caller knows that the subject exists and has the role to record.

    evidence_sha256: a file handed in, where `terms.evidence` does not say more. seal and personal: what to keep sealed
    and how. Raises PurposeUnknown, ScopeUnclear, GuardianMissing, ConsentDates, NonceInvalid, SubjectErased, and for
    `terms.supersedes` UnknownRecord and the error of a grant that has ended.
    """
    terms = (terms or Terms()).with_file(evidence_sha256)
    if valid_until < valid_from or valid_until - valid_from > LONGEST:
        raise ConsentDates(since=valid_from.isoformat(), until=valid_until.isoformat())
    code, moment = new_withdrawal_code(), stamp()
    record, private = record_of(
        subject_id=subject_id,
        likeness=likeness,
        purposes=purposes,
        asset_sha256=asset_sha256,
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_by=recorded_by,
        recorded_at=moment,
        code_sha256=withdrawal_digest(code),
        origin=ledger.origin,
        terms=terms,
        personal=personal if seal is not None else None,
    )
    header, grant_id = record["header"], record["header"]["record_id"]
    canonical = rfc8785.dumps(record)
    log = log_of(ledger)
    if subject_id in log.erased:
        raise SubjectErased(subject=subject_id, when=log.erased[subject_id])
    if terms.supersedes is not None:
        before = grant(rows, ledger, terms.supersedes)
        if before.state() not in ("live", "not yet"):
            before.verify_live()
        if (before.subject_id, before.likeness) != (subject_id, likeness):
            raise UnknownRecord(kind="consent", id=terms.supersedes)
    sealed = seal(private, f"consent {grant_id}") if seal is not None else None
    with rows.write() as connection:
        nonces = [
            use_nonce(connection, ledger, subject_id, item.phrase, grant_id)
            for item in terms.evidence
            if item.phrase is not None
        ]
        told: dict[str, Any] = {
            "consent": grant_id,
            "subject": subject_id,
            "record_sha256": hashlib.sha256(canonical).hexdigest(),
        }
        told |= {"nonces": nonces} if nonces else {}
        told |= {"confirmed": "passphrase"} if terms.passphrase_commitment else {}
        index = ledger.append(connection, "consent_recorded", told)
        evidence = record["evidence"]
        connection.execute(
            sa.insert(store.consent_grant).values(
                id=grant_id,
                subject_id=subject_id,
                likeness=likeness,
                purposes=json.dumps(record["scope"]["purposes"]),
                asset_sha256=asset_sha256,
                valid_from=valid_from.isoformat(),
                valid_until=valid_until.isoformat(),
                evidence_sha256=evidence[0]["sha256"] if evidence else None,
                evidence_blob=evidence[0]["sha256"] if evidence else None,
                recorded_by=recorded_by,
                recorded_at=moment,
                record=canonical,
                ledger_index=index,
                withdrawal_code_sha256=record["withdrawal"]["code_sha256"],
                sealed_personal=sealed,
                max_outputs=terms.max_outputs,
                match=record["match"]["mode"],
                evidence_level=level_of(evidence, approved=False, confirmed=bool(terms.passphrase_commitment)),
            )
        )
        for state in ("requested", "given") if nonces else ("given",):
            enter_event(connection, grant_id, "consent", state, header["subject_ref"], index)
        if terms.supersedes is not None:
            over = ledger.append(connection, "consent_superseded", {"consent": terms.supersedes, "successor": grant_id})
            enter_event(connection, terms.supersedes, "consent", "superseded", recorded_by, over)
    return grant(rows, ledger, grant_id, withdrawal_code=code)


def enter_event(connection: sa.Connection, grant_id: str, kind: str, state: str, by: str, index: int) -> None:
    """One line of the life of a grant; an index for readers, the ledger entry is what counts."""
    connection.execute(
        sa.insert(store.consent_event).values(
            grant_id=grant_id, type=kind, state=state, by=by, at=stamp(), ledger_index=index
        )
    )


def withdraw_consent(
    rows: store.Store, ledger: Ledger, grant_id: str, reason: str = "", by: str = "operator"
) -> ConsentGrant:
    """Withdraw a grant for good; raises UnknownRecord, ConsentWithdrawn when it already was.

    by: a pseudonym of an account, "code", "passphrase" or "erasure". The reason stays in the database.
    """
    present = grant(rows, ledger, grant_id)
    if present.withdrawn_at is not None:
        raise ConsentWithdrawn(consent=grant_id, when=to_the_second(present.withdrawn_at))
    table = store.consent_withdrawal
    with rows.write() as connection:
        index = ledger.append(connection, "consent_withdrawn", {"consent": grant_id, "by": by})
        connection.execute(sa.delete(table).where(table.c.grant_id == grant_id))
        connection.execute(
            sa.insert(table).values(grant_id=grant_id, withdrawn_at=stamp(), reason=reason, ledger_index=index)
        )
        enter_event(connection, grant_id, "consent", "withdrawn", by, index)
    return grant(rows, ledger, grant_id)


def grants(
    rows: store.Store, ledger: Ledger, subject_id: str | None = None, only: Iterable[str] | None = None
) -> list[ConsentGrant]:
    """All grants, oldest first, or those of a person, or `only` those ids.

    Each row is checked against its record, the record and all that came after against the ledger: raises LedgerBroken.
    """
    table, gone = store.consent_grant, store.consent_withdrawal
    query = (
        sa.select(table, gone.c.withdrawn_at)
        .select_from(table.outerjoin(gone, gone.c.grant_id == table.c.id))
        .order_by(table.c.ledger_index)
    )
    if subject_id is not None:
        query = query.where(table.c.subject_id == subject_id)
    if only is not None:
        query = query.where(table.c.id.in_(list(only)))
    with rows.read() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    # Read after the rows, so that no row is newer than what the log tells.
    log = log_of(ledger)
    with rows.read() as connection:
        pruned = set(connection.execute(sa.select(store.pruned.c.idx)).scalars())
    return [_checked(row, log, row["ledger_index"] in pruned) for row in found]


def _days(times: tuple[str, str] | None) -> tuple[str, str] | None:
    return (times[0][:10], times[1][:10]) if times is not None else None


def _checked(row: dict[str, Any], log: ConsentLog, is_pruned: bool) -> ConsentGrant:
    """A grant is what its recorded document says, and the ledger vouches for the document: rows alone prove nothing."""
    index, digest = int(row["ledger_index"]), hashlib.sha256(row["record"]).hexdigest()
    if log.recorded.get(row["id"]) != (index, digest) and not is_pruned:
        raise LedgerBroken(index=index, reason="a consent record was changed")
    try:
        read = _read_record(json.loads(row["record"]))
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerBroken(index=index, reason="a consent record was changed") from error
    if read["id"] != row["id"]:
        raise LedgerBroken(index=index, reason="a consent record was changed")
    ended = log.ended.get(read["id"])
    withdrawn_at = ended.when if ended is not None and ended.state == "withdrawn" else row["withdrawn_at"]
    if read["subject_id"] in log.erased and withdrawn_at is None:
        withdrawn_at = log.erased[read["subject_id"]]
    approved_by = log.approved.get(read["id"])
    evidence = read.pop("evidence")
    return ConsentGrant(
        **read,
        ledger_index=index,
        withdrawn_at=withdrawn_at,
        ended=ended.state if ended is not None else None,
        ended_by=(ended.by if ended.state == "superseded" else ended.when) if ended is not None else "",
        outputs=log.outputs(read["id"]),
        evidence_sha256=evidence[0]["sha256"] if evidence else None,
        evidence_level=level_of(evidence, approved=approved_by is not None, confirmed=read["id"] in log.confirmed),
        approved_by=approved_by,
        latest_day=log.latest_day(index),
        leap=_days(log.leap_over(index, read["valid_until"].isoformat())),
    )


def _read_record(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of a grant from a record of this version or the first; raises KeyError and the like for neither."""
    if record.get("schema") == "signet.consent/1":
        return {
            "id": record["record_id"],
            "subject_id": record["subject_ref"],
            "likeness": record["likeness"],
            "purposes": tuple(record["purposes"]),
            "asset_sha256": record["asset_sha256"],
            "valid_from": date.fromisoformat(record["not_before"]),
            "valid_until": date.fromisoformat(record["not_after"]),
            "recorded_by": record["operator_ref"],
            "recorded_at": record["recorded_at"],
            "evidence": record["evidence"],
        }
    scope, match = record["scope"], record["match"]
    return {
        "id": record["header"]["record_id"],
        "subject_id": record["header"]["subject_ref"],
        "receipt_id": record["header"]["receipt_id"],
        "likeness": scope["modalities"][0],
        "purposes": tuple(scope["purposes"]),
        "asset_sha256": match["asset_sha256"],
        "match": match["mode"],
        "model_sha256": match.get("model_sha256"),
        "threshold": match.get("threshold"),
        "valid_from": date.fromisoformat(record["validity"]["not_before"]),
        "valid_until": date.fromisoformat(record["validity"]["not_after"]),
        "recorded_by": record["operator_ref"],
        "recorded_at": record["events"][0]["time"],
        "forbidden": tuple(scope["forbidden"]),
        "territories": tuple(scope["territories"]),
        "projects": tuple(scope["project_ids"]),
        "max_outputs": scope["max_outputs"],
        "age": record["subject"]["age"],
        "guardian_id": record["subject"]["guardian_ref"],
        "evidence": record["evidence"],
    }


def grant(rows: store.Store, ledger: Ledger, grant_id: str, *, withdrawal_code: str | None = None) -> ConsentGrant:
    """One grant; raises UnknownRecord. withdrawal_code: carried along, for the answer to whoever recorded it."""
    from dataclasses import replace

    for found in grants(rows, ledger, only=[grant_id]):
        return replace(found, withdrawal_code=withdrawal_code)
    raise UnknownRecord(kind="consent", id=grant_id)


def stored_record(rows: store.Store, grant_id: str) -> tuple[dict[str, Any], bytes | None]:
    """The public record and the sealed personal part of a grant; raises UnknownRecord. Not checked: see `grant`."""
    table = store.consent_grant
    with rows.read() as connection:
        row = connection.execute(
            sa.select(table.c.record, table.c.sealed_personal).where(table.c.id == grant_id)
        ).one_or_none()
    if row is None:
        raise UnknownRecord(kind="consent", id=grant_id)
    return json.loads(row.record), row.sealed_personal


__all__ = [
    "FORBIDDEN",
    "LONGEST",
    "PURPOSES",
    "ConsentGrant",
    "GrantState",
    "Terms",
    "enter_event",
    "grant",
    "grants",
    "record_consent",
    "stored_record",
    "withdraw_consent",
]
