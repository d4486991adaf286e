"""Subjects: the real people whose face or voice is used. Never a file path; the name is sealed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import insert, select

from compliance import store
from compliance.clock import stamp
from compliance.errors import UnknownRecord
from compliance.keys import HomeKeys
from compliance.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Subject:
    """A person by pseudonym; name is None while the keys are locked."""

    id: str
    created_at: str
    name: str | None


def add_subject(rows: store.Store, ledger: Ledger, keys: HomeKeys, name: str) -> Subject:
    """Enter a person; only the pseudonym goes to the ledger."""
    subject = Subject(f"sub-{secrets.token_hex(5)}", stamp(), name.strip())
    with rows.write() as connection:
        index = ledger.append(connection, "subject_added", {"subject": subject.id})
        connection.execute(
            insert(store.subject).values(
                id=subject.id,
                created_at=subject.created_at,
                sealed_person=keys.seal_personal({"name": subject.name}, f"subject {subject.id}"),
                ledger_index=index,
            )
        )
    return subject


def subjects(rows: store.Store, keys: HomeKeys | None) -> list[Subject]:
    """All people, oldest first; names only when keys are open."""
    table = store.subject
    query = select(table.c.id, table.c.created_at, table.c.sealed_person).order_by(table.c.ledger_index)
    with rows.read() as connection:
        found = list(connection.execute(query))
    return [
        Subject(id_, created_at, keys.open_personal(sealed, f"subject {id_}")["name"] if keys else None)
        for id_, created_at, sealed in found
    ]


def subject(rows: store.Store, keys: HomeKeys | None, subject_id: str) -> Subject:
    """One person; raises UnknownRecord."""
    for person in subjects(rows, keys):
        if person.id == subject_id:
            return person
    raise UnknownRecord(kind="person", id=subject_id)
