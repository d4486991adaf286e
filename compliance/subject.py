"""Subjects: the real people whose face or voice is used. Never a file path; the name is sealed under the person's key.

Erasing (PIPL 47) destroys that key: names, recipients and templates can be read by nobody afterwards, while records and
ledger, which know the pseudonym alone, still hold together.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from compliance import store
from compliance.clock import stamp
from compliance.data_keys import is_shredded, open_for, seal_for, shred
from compliance.errors import GuardianMissing, LedgerBroken, SubjectErased, UnknownRecord
from compliance.keys import HomeKeys
from compliance.ledger import Ledger

BIRTH_CLASSES = ("adult", "14-17", "under 14")


@dataclass(frozen=True, slots=True)
class Subject:
    """A person by pseudonym; name is None while the keys are locked and after the data were erased.

    age: a word of BIRTH_CLASSES, None where nobody asked.
    """

    id: str
    created_at: str
    name: str | None
    age: str | None = None
    guardian_id: str | None = None
    erased_at: str | None = None


def add_subject(
    rows: store.Store,
    ledger: Ledger,
    keys: HomeKeys,
    name: str,
    *,
    age: str | None = None,
    guardian_id: str | None = None,
) -> Subject:
    """Enter a person; only the pseudonym goes to the ledger.

    Raises GuardianMissing for somebody under 14 without a guardian who is entered, GuardianMissing for one who is not.
    """
    if age == "under 14" and guardian_id is None:
        raise GuardianMissing(reason="no guardian is named")
    if guardian_id is not None:
        guardian = subject(rows, None, guardian_id)
        if guardian.erased_at is not None or guardian.age in ("14-17", "under 14"):
            raise GuardianMissing(reason="the guardian is no adult person of this home")
    person = Subject(f"sub-{secrets.token_hex(5)}", stamp(), name.strip(), age, guardian_id)
    with rows.write() as connection:
        index = ledger.append(connection, "subject_added", {"subject": person.id})
        connection.execute(
            sa.insert(store.subject).values(
                id=person.id,
                created_at=person.created_at,
                sealed_person=seal_for(connection, keys, person.id, {"name": person.name}, f"subject {person.id}"),
                ledger_index=index,
                birth_class=age,
                guardian_subject_id=guardian_id,
            )
        )
    return person


def subjects(rows: store.Store, keys: HomeKeys | None, only: str | None = None) -> list[Subject]:
    """All people, oldest first, or `only` that one; names only when keys are open."""
    table = store.subject
    query = sa.select(table).order_by(table.c.ledger_index)
    if only is not None:
        query = query.where(table.c.id == only)
    with rows.read() as connection:
        return [
            Subject(
                row["id"],
                row["created_at"],
                _name(connection, keys, row["id"], row["sealed_person"]) if row["erased_at"] is None else None,
                row["birth_class"],
                row["guardian_subject_id"],
                row["erased_at"],
            )
            for row in connection.execute(query).mappings().all()
        ]


def _name(connection: sa.Connection, keys: HomeKeys | None, subject_id: str, sealed: bytes) -> str | None:
    if keys is None or is_shredded(connection, subject_id):
        return None
    table = store.data_key
    if connection.execute(sa.select(table.c.owner).where(table.c.owner == subject_id)).first() is None:
        # People of the first version have no key of their own; their name is sealed under the home's.
        return str(keys.open_personal(sealed, f"subject {subject_id}")["name"])
    return str(open_for(connection, keys, subject_id, sealed, f"subject {subject_id}")["name"])


def subject(rows: store.Store, keys: HomeKeys | None, subject_id: str) -> Subject:
    """One person; raises UnknownRecord."""
    for person in subjects(rows, keys, subject_id):
        return person
    raise UnknownRecord(kind="person", id=subject_id)


def require_present(person: Subject) -> Subject:
    """The person; raises SubjectErased when their data are gone."""
    if person.erased_at is not None:
        raise SubjectErased(subject=person.id, when=person.erased_at)
    return person


def erase_subject(rows: store.Store, ledger: Ledger, subject_id: str) -> list[str]:
    """Erase what is kept about a person (PIPL 47): consents end, templates and the person's key are destroyed.

    Returns the SHA-256 of evidence files that belong to nobody else, for the caller to take out of the vault.
    Raises UnknownRecord; a second call only cleans up what a crash left.
    """
    from compliance.consent import grant as grant_by_id
    from compliance.consent import withdraw_consent

    person = subject(rows, None, subject_id)
    grant, template = store.consent_grant, store.template
    with rows.read() as connection:
        held = connection.execute(sa.select(grant.c.id).where(grant.c.subject_id == subject_id)).scalars().all()
    for grant_id in held:
        try:
            if grant_by_id(rows, ledger, grant_id).state() in ("live", "not yet"):
                withdraw_consent(rows, ledger, grant_id, by="erasure")
        except LedgerBroken:
            # A record that was changed opens nothing, and must not keep the rest from being erased.
            continue
    with rows.write() as connection:
        if person.erased_at is None:
            ledger.append(connection, "subject_erased", {"subject": subject_id})
        connection.execute(
            sa.update(store.subject)
            .where(store.subject.c.id == subject_id)
            .values(sealed_person=b"", erased_at=person.erased_at or stamp())
        )
        connection.execute(sa.update(grant).where(grant.c.subject_id == subject_id).values(sealed_personal=None))
        connection.execute(sa.update(template).where(template.c.subject_id == subject_id).values(sealed=None))
        others = sa.select(grant.c.evidence_blob).where(
            grant.c.subject_id != subject_id, grant.c.evidence_blob.is_not(None)
        )
        blobs = (
            connection.execute(
                sa.select(grant.c.evidence_blob)
                .where(
                    grant.c.subject_id == subject_id,
                    grant.c.evidence_blob.is_not(None),
                    grant.c.evidence_blob.not_in(others),
                )
                .distinct()
            )
            .scalars()
            .all()
        )
    try:
        shred(rows, ledger, subject_id)
    except UnknownRecord:
        # A person of the first version: the sealed name itself is gone already.
        rows.scrub()
    return [str(blob) for blob in blobs]
