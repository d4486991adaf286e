"""Proofs of identity. This first one is the operator's own declaration: level "self", named in every credential."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from compliance import store
from compliance.account import Account
from compliance.clock import now, stamp
from compliance.errors import AccountNameInvalid, NotVerified
from compliance.keys import HomeKeys
from compliance.ledger import Ledger

PROOF_LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class IdentityProof:
    """level: how strong ("self"); commitment: HMAC of the declared name, so that nothing can be read from it."""

    id: str
    account_id: str
    level: str
    method: str
    expires_at: str
    ledger_index: int


def declare(rows: store.Store, ledger: Ledger, keys: HomeKeys, account: Account, name: str) -> IdentityProof:
    """Record the operator's own declaration of their real name; the name itself is sealed under the home's keys.

    Raises AccountNameInvalid for an empty name.
    """
    name = unicodedata.normalize("NFKC", name).strip()
    if not 2 <= len(name) <= 200:
        raise AccountNameInvalid(account=name)
    proof_id, made_at, expires_at = f"prf-{secrets.token_hex(5)}", stamp(), stamp(now() + PROOF_LIFETIME)
    commitment = keys.commitment(f"person {name.casefold()}")
    with rows.write() as connection:
        index = ledger.append(
            connection,
            "identity_declared",
            {"account": account.id, "proof": proof_id, "level": "self", "commitment": commitment, "until": expires_at},
        )
        connection.execute(
            insert(store.identity_proof).values(
                id=proof_id,
                account_id=account.id,
                level="self",
                method="declaration",
                commitment=commitment,
                made_at=made_at,
                expires_at=expires_at,
                ledger_index=index,
            )
        )
        connection.execute(
            update(store.account)
            .where(store.account.c.id == account.id)
            .values(sealed_person=keys.seal_personal({"name": name}, f"account {account.id}"))
        )
    return IdentityProof(proof_id, account.id, "self", "declaration", expires_at, index)


def current_proof(rows: store.Store, account_id: str) -> IdentityProof | None:
    """The newest proof that has not expired, or None."""
    table = store.identity_proof
    query = (
        select(table.c.id, table.c.account_id, table.c.level, table.c.method, table.c.expires_at, table.c.ledger_index)
        .where(table.c.account_id == account_id)
        .order_by(table.c.ledger_index.desc())
    )
    with rows.read() as connection:
        proofs = [IdentityProof(*row) for row in connection.execute(query)]
    return next((proof for proof in proofs if datetime.fromisoformat(proof.expires_at) > now()), None)


def require_proof(rows: store.Store, account: Account) -> IdentityProof:
    """The current proof; raises NotVerified. No proof, no release."""
    proof = current_proof(rows, account.id)
    if proof is None:
        raise NotVerified(account=account.username)
    return proof
