"""Data keys: one random key for each person and each account, so that what is kept about one of them can be erased.

All that is sealed for a person is sealed under the person's own key; the key lies in the database, wrapped under the
home's. Erasing is destroying the wrapped key: what was sealed stays where it lies and can be read by nobody (the ledger
keeps its digests and still holds). The wrapped bytes leave the files of a home on a file; on a server its write-ahead
log and its backups are the operator's to expire.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.clock import stamp
from compliance.database import Store
from compliance.errors import KeysDamaged, Shredded, UnknownRecord
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.tables import data_key as table

KIND_OF: Final[Mapping[str, str]] = {"sub": "subject", "acc": "account"}
"""What the first letters of an id say about its owner."""

_NONCE_BYTES = 12


def data_key(connection: sa.Connection, keys: HomeKeys, owner: str) -> bytes:
    """The key, 32 bytes, of a person or account (sub-…, acc-…); the first call makes it, so give a write transaction.

    Raises Shredded, KeysDamaged, and UnknownRecord for an id that is neither.
    """
    kind = KIND_OF.get(owner.partition("-")[0])
    if kind is None:
        raise UnknownRecord(kind="person", id=owner)
    found = _known_key(connection, keys, owner)
    if found is not None:
        return found
    made = secrets.token_bytes(32)
    row = {"owner": owner, "kind": kind, "wrapped": keys.wrap_key(made, owner), "made_at": stamp()}
    connection.execute(sa.insert(table).values(**row))
    return made


def _known_key(connection: sa.Connection, keys: HomeKeys, owner: str) -> bytes | None:
    query = sa.select(table.c.wrapped, table.c.shredded_at).where(table.c.owner == owner)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.shredded_at is not None:
        raise Shredded(owner=owner)
    if row.wrapped is None:
        raise KeysDamaged(path=owner)
    return keys.unwrap_key(row.wrapped, owner)


def is_shredded(connection: sa.Connection, owner: str) -> bool:
    """Whether the key of this owner was destroyed; False also where there never was one."""
    gone = sa.select(table.c.owner).where(table.c.owner == owner, table.c.shredded_at.is_not(None))
    return connection.execute(gone).first() is not None


def shred(rows: Store, ledger: Ledger, owner: str) -> None:
    """Destroy the key of a person or account, for good, and enter that in the ledger.

    A second call only cleans the files again. Raises UnknownRecord where there is no key, and StoreBusy when another
    process kept the old state in sight: the key is destroyed then, but its bytes may lie in the files; call again.
    """
    with rows.write() as connection:
        query = sa.select(table.c.shredded_at).where(table.c.owner == owner)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownRecord(kind="data key", id=owner)
        if row.shredded_at is None:
            values = {"wrapped": None, "shredded_at": stamp()}
            connection.execute(sa.update(table).where(table.c.owner == owner).values(**values))
            ledger.append(connection, "data_key_shredded", {"owner": owner})
    rows.scrub()


# --- sealing ---------------------------------------------------------------------------------------------------------


def seal(key: bytes, value: Any, context: str) -> bytes:
    """Seal a JSON value: AES-256-GCM, the nonce in front; context (table, row, column) is authenticated."""
    return seal_bytes(key, json.dumps(value, ensure_ascii=False, sort_keys=True).encode(), context)


def open_sealed(key: bytes, sealed: bytes, context: str) -> Any:
    """Inverse of seal; raises KeysDamaged when bytes, key or context are not those it was sealed with."""
    return json.loads(open_bytes(key, sealed, context))


def seal_bytes(key: bytes, data: bytes, context: str) -> bytes:
    """Like seal, for what is bytes already (templates, pictures, sounds)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, context.encode())


def open_bytes(key: bytes, sealed: bytes, context: str) -> bytes:
    """Inverse of seal_bytes; raises KeysDamaged."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise KeysDamaged(path=context) from error


def seal_for(connection: sa.Connection, keys: HomeKeys, owner: str, value: Any, context: str) -> bytes:
    """Seal a JSON value under its owner's key, made where it is missing; see data_key for what is raised."""
    return seal(data_key(connection, keys, owner), value, context)


def open_for(connection: sa.Connection, keys: HomeKeys, owner: str, sealed: bytes, context: str) -> Any:
    """Open what seal_for sealed; raises Shredded, and KeysDamaged where the key is missing or does not fit."""
    key = _known_key(connection, keys, owner)
    if key is None:
        raise KeysDamaged(path=owner)
    return open_sealed(key, sealed, context)
