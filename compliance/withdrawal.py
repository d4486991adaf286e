"""Withdrawal by the subject: with the code of the receipt or their passphrase, without an account and without keys.

What follows from every withdrawal is here too: the templates of the person are destroyed as soon as no other live grant
of the same likeness needs them. The person's data key stays, because it also seals what proves the consent, which has
to be kept; erasing the person (compliance.subject) destroys it.
"""

from __future__ import annotations

import sqlalchemy as sa

from compliance import store
from compliance.clock import stamp, to_the_second
from compliance.consent import ConsentGrant, enter_event, grant, grants, stored_record, withdraw_consent
from compliance.consent_record import withdrawal_digest
from compliance.errors import ConsentWithdrawn, LedgerBroken, SecondPersonNeeded, WithdrawalCodeUnknown
from compliance.evidence import verify_passphrase
from compliance.ledger import Ledger


def withdraw_by_code(rows: store.Store, ledger: Ledger, code: str) -> ConsentGrant:
    """Withdraw the grant whose receipt carries this code; raises WithdrawalCodeUnknown, ConsentWithdrawn."""
    digest, table = withdrawal_digest(code), store.consent_grant
    with rows.read() as connection:
        found = connection.execute(sa.select(table.c.id).where(table.c.withdrawal_code_sha256 == digest)).scalar()
    # The column is an index that somebody may have emptied; the records themselves are looked through then.
    with rows.read() as connection:
        candidates = [found] if found is not None else connection.execute(sa.select(table.c.id)).scalars().all()
    for grant_id in candidates:
        if stored_record(rows, grant_id)[0].get("withdrawal", {}).get("code_sha256") == digest:
            return withdraw(rows, ledger, grant_id, by="code")
    raise WithdrawalCodeUnknown


def withdraw_by_passphrase(rows: store.Store, ledger: Ledger, grant_id: str, passphrase: str) -> ConsentGrant:
    """Withdraw by what the subject typed when they agreed; raises UnknownRecord, PassphraseWrong, ConsentWithdrawn."""
    granted = grant(rows, ledger, grant_id)
    commitment = stored_record(rows, granted.id)[0].get("withdrawal", {}).get("passphrase")
    verify_passphrase(commitment, passphrase, grant_id)
    return withdraw(rows, ledger, grant_id, by="passphrase")


def withdraw(rows: store.Store, ledger: Ledger, grant_id: str, reason: str = "", by: str = "operator") -> ConsentGrant:
    """Withdraw a grant and destroy the templates that nothing else needs; raises as compliance.consent does."""
    granted = withdraw_consent(rows, ledger, grant_id, reason, by)
    destroy_templates(rows, ledger, granted)
    return granted


def destroy_templates(rows: store.Store, ledger: Ledger, ended: ConsentGrant) -> int:
    """Destroy the person's templates of this likeness unless another live biometric grant needs them; how many."""
    table = store.template
    here = (
        table.c.subject_id == ended.subject_id,
        table.c.likeness == ended.likeness,
        table.c.sealed.is_not(None),
    )
    with rows.read() as connection:
        if connection.execute(sa.select(table.c.id).where(*here)).first() is None:
            return 0
    try:
        needed = any(
            other.match == "biometric" and other.likeness == ended.likeness and other.state() in ("live", "not yet")
            for other in grants(rows, ledger, ended.subject_id)
        )
    except LedgerBroken:
        # A record that was changed needs nothing, and must not keep a withdrawal from being carried out.
        needed = False
    if needed:
        return 0
    with rows.write() as connection:
        done = connection.execute(sa.update(table).where(*here).values(sealed=None)).rowcount
        if done:
            ledger.append(connection, "templates_destroyed", {"subject": ended.subject_id, "likeness": ended.likeness})
    if done:
        rows.scrub()
    return int(done)


# --- the second person and the signed receipt ------------------------------------------------------------------------


def approve_evidence(rows: store.Store, ledger: Ledger, grant_id: str, account_id: str) -> ConsentGrant:
    """A second person has looked at the evidence and found it good.

    Raises SecondPersonNeeded for the one who recorded it and where there is nothing to look at, UnknownRecord, and the
    error of a grant that has ended.
    """
    granted = _to_be_judged(rows, ledger, grant_id, account_id)
    with rows.write() as connection:
        index = ledger.append(connection, "consent_approved", {"consent": granted.id, "by": account_id})
        enter_event(connection, granted.id, "evidence", "approved", account_id, index)
        table = store.consent_grant
        connection.execute(sa.update(table).where(table.c.id == granted.id).values(approved_by=account_id))
    return grant(rows, ledger, grant_id)


def refuse_evidence(rows: store.Store, ledger: Ledger, grant_id: str, account_id: str) -> ConsentGrant:
    """A second person has looked at the evidence and found it wanting: the grant ends. Raises as approve_evidence."""
    granted = _to_be_judged(rows, ledger, grant_id, account_id)
    with rows.write() as connection:
        index = ledger.append(connection, "consent_refused", {"consent": granted.id, "by": account_id})
        enter_event(connection, granted.id, "evidence", "refused", account_id, index)
    return grant(rows, ledger, grant_id)


def _to_be_judged(rows: store.Store, ledger: Ledger, grant_id: str, account_id: str) -> ConsentGrant:
    granted = grant(rows, ledger, grant_id)
    if granted.state() not in ("live", "not yet"):
        granted.verify_live()
    if granted.recorded_by == account_id:
        raise SecondPersonNeeded(reason="whoever recorded a consent does not approve its evidence")
    if granted.evidence_sha256 is None:
        raise SecondPersonNeeded(reason="no evidence was handed in that somebody could look at")
    return granted


def confirm_by_receipt(rows: store.Store, ledger: Ledger, grant_id: str, receipt_sha256: str) -> ConsentGrant:
    """The subject signed the receipt, and the file of it was handed in; raises UnknownRecord, ConsentWithdrawn."""
    granted = grant(rows, ledger, grant_id)
    if granted.withdrawn_at is not None:
        raise ConsentWithdrawn(consent=grant_id, when=to_the_second(granted.withdrawn_at))
    with rows.write() as connection:
        index = ledger.append(
            connection, "consent_confirmed", {"consent": granted.id, "receipt_sha256": receipt_sha256, "at": stamp()}
        )
        enter_event(connection, granted.id, "evidence", "confirmed", granted.subject_id, index)
    return grant(rows, ledger, grant_id)
