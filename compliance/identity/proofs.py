"""The proofs of a home: what a verifier found is turned into a row and an entry here, and dropped."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import sqlalchemy as sa

from compliance import store
from compliance.clock import now, stamp
from compliance.data_keys import data_key, seal_for
from compliance.errors import AccountNameInvalid, IdentityTaken, NotAttested, NotVerified
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.proof import leaf_hash

if TYPE_CHECKING:
    from compliance.account import Account

Level = Literal["self", "L1", "L2", "L3"]
LEVELS: Final[tuple[Level, ...]] = ("self", "L1", "L2", "L3")
"""From weak to strong."""
PROOF_LIFETIME: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class IdentityProof:
    """level: how strong; verifier and second: ids of the accounts that saw the person, for L1."""

    id: str
    account_id: str
    level: str
    method: str
    expires_at: str
    ledger_index: int
    verifier: str | None = None
    second: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Established:
    """What a verifier found out about a person; lives for one call.

    name: sealed for the account, None where the source told none. subject: commitment (HMAC, hex) of what is the
    person's alone at this source, None where nothing is. facts: public words for the ledger, never about the person.
    """

    name: str | None
    subject: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    verifier: str | None = None
    second: str | None = None

    def __repr__(self) -> str:
        return "Established(…)"


class IdentityVerifier(Protocol):
    """One way to show who somebody is."""

    @property
    def level(self) -> Level:
        """How strong this way is."""

    @property
    def method(self) -> str:
        """Its name in the records."""

    def verify(self, keys: HomeKeys) -> Established:
        """Find out who it is; raises AccountNameInvalid, NumberInvalid, IdentityRefused, IdentityProviderUnusable."""


def plain_name(name: str) -> str:
    """A name as it is kept: NFKC, without space around. Raises AccountNameInvalid."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if not 2 <= len(plain) <= 200:
        raise AccountNameInvalid(account=plain)
    return plain


def commitment_of_name(keys: HomeKeys, name: str) -> str:
    """Equal names are found again in this home; nothing can be read from it."""
    return keys.commitment(f"person {name.casefold()}")


def establish(
    rows: store.Store,
    ledger: Ledger,
    keys: HomeKeys,
    account: Account,
    verifier: IdentityVerifier,
    at: datetime | None = None,
) -> IdentityProof:
    """Run a verifier and keep its result as a proof of twelve months.

    Raises what the verifier raises, and IdentityTaken when the person has proven another account.
    """
    found = verifier.verify(keys)
    with rows.write() as connection:
        return record(connection, ledger, keys, account, verifier.level, verifier.method, found, at or now())


def record(
    connection: sa.Connection,
    ledger: Ledger,
    keys: HomeKeys,
    account: Account,
    level: Level,
    method: str,
    found: Established,
    at: datetime,
) -> IdentityProof:
    """Write a proof down inside the caller's transaction; see establish.

    The ledger's commitment is made under the account's own data key: when that is shredded, it belongs to nobody.
    """
    name = plain_name(found.name) if found.name is not None else None
    commitment = commitment_of_name(keys, name) if name is not None else str(found.subject)
    same_name = _others(connection, account.id, at, store.identity_proof.c.commitment == commitment)
    if found.subject and _others(
        connection, account.id, at, store.identity_proof.c.subject_commitment == found.subject
    ):
        raise IdentityTaken(account=account.username)
    proof_id, until = f"prf-{secrets.token_hex(5)}", stamp(at + PROOF_LIFETIME)
    own_key = data_key(connection, keys, account.id)
    fields = {
        "account": account.id,
        "proof": proof_id,
        "level": level,
        "method": method,
        "commitment": hmac.digest(own_key, (found.subject or commitment).encode(), hashlib.sha256).hex(),
        "until": until,
        **{word: value for word, value in (("by", found.verifier), ("second", found.second)) if value is not None},
        **({"facts": dict(found.facts)} if found.facts else {}),
        # Two people may share a name; that the studio has seen it is entered, and nothing is refused.
        **({"same_name_as": same_name} if same_name else {}),
    }
    index = ledger.append(connection, "identity_declared" if level == "self" else "identity_proven", fields)
    connection.execute(
        sa.insert(store.identity_proof).values(
            id=proof_id,
            account_id=account.id,
            level=level,
            method=method,
            commitment=commitment,
            subject_commitment=found.subject,
            made_at=stamp(at),
            expires_at=until,
            ledger_index=index,
            verifier_ref=found.verifier,
            second_ref=found.second,
        )
    )
    if name is not None:
        sealed = seal_for(connection, keys, account.id, {"name": name}, f"account {account.id}")
        connection.execute(
            sa.update(store.account).where(store.account.c.id == account.id).values(sealed_person=sealed)
        )
    return IdentityProof(proof_id, account.id, level, method, until, index, found.verifier, found.second)


def _others(connection: sa.Connection, account_id: str, at: datetime, wanted: sa.ColumnElement[bool]) -> list[str]:
    """Ids of other accounts with a live proof of which that is true."""
    table = store.identity_proof
    alive = (table.c.account_id != account_id) & (table.c.expires_at > stamp(at)) & wanted
    return sorted(set(connection.execute(sa.select(table.c.account_id).where(alive)).scalars()))


def proofs_of(rows: store.Store, account_id: str) -> list[IdentityProof]:
    """Every proof of an account, also the expired ones, newest first.

    What the ledger tells counts: a row that was raised by hand has the level that was entered, an invented one none.
    """
    with rows.read() as connection:
        return _proofs(connection, account_id)


_ENTERED: Final = ("identity_declared", "identity_proven")


def method_of(fields: dict[str, Any]) -> str:
    """How an entered proof was made; the first entries of declarations do not say, and knew one way only."""
    return str(fields.get("method", "declaration"))


def _proofs(connection: sa.Connection, account_id: str) -> list[IdentityProof]:
    table, entry = store.identity_proof, store.ledger_entry
    query = (
        sa.select(table.c.id, table.c.expires_at, table.c.ledger_index, entry.c.leaf, entry.c.body)
        .join(entry, entry.c.idx == table.c.ledger_index)
        .where(table.c.account_id == account_id)
        .order_by(table.c.ledger_index.desc())
    )
    found = []
    for row in connection.execute(query):
        if row.body is None or leaf_hash(row.body) != row.leaf:
            continue
        told = json.loads(row.body)
        fields = told["fields"]
        if told["kind"] in _ENTERED and (fields["proof"], fields["account"]) == (row.id, account_id):
            level, until = fields["level"], min(fields["until"], row.expires_at)
            method = method_of(fields)
            seen_by = (fields.get("by"), fields.get("second"))
            found.append(IdentityProof(row.id, account_id, level, method, until, row.ledger_index, *seen_by))
    return found


def may_declare(connection: sa.Connection, account_id: str) -> bool:
    """Whether an account is the operator's: an admin's, or the only one that is not closed.

    A locked account is not closed: whoever locks the others out is not alone.
    """
    # Imported here: roles ask for proofs themselves.
    from compliance.roles import Role, roles_of

    if Role.ADMIN in roles_of(connection, account_id):
        return True
    table = store.account
    others = sa.select(table.c.id).where(table.c.id != account_id, table.c.state != "closed")
    return connection.execute(others).first() is None


def current_proof(rows: store.Store, account_id: str, at: datetime | None = None) -> IdentityProof | None:
    """The strongest proof that has not expired, of equal ones the newest; None when there is none.

    A declaration counts only as long as the account may make one.
    """
    with rows.read() as connection:
        return current_proof_in(connection, account_id, at)


def current_proof_in(connection: sa.Connection, account_id: str, at: datetime | None = None) -> IdentityProof | None:
    """As current_proof, inside a transaction of the caller."""
    moment, is_operator = at or now(), may_declare(connection, account_id)
    alive = [
        proof
        for proof in _proofs(connection, account_id)
        if proof.level in LEVELS
        and datetime.fromisoformat(proof.expires_at) > moment
        and (proof.level != "self" or is_operator)
    ]
    return max(alive, key=lambda proof: LEVELS.index(proof.level), default=None)


def require_proof(rows: store.Store, account: Account, at: datetime | None = None) -> IdentityProof:
    """The current proof; raises NotVerified, as NotAttested where a declaration is not enough. No proof, no release."""
    with rows.read() as connection:
        proof = current_proof_in(connection, account.id, at)
        if proof is None and not may_declare(connection, account.id):
            raise NotAttested(account=account.username)
    if proof is None:
        raise NotVerified(account=account.username)
    return proof
