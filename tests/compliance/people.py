"""More people in a furnished home: accounts with roles, put straight into the tables."""

from __future__ import annotations

import secrets
from datetime import timedelta

import sqlalchemy as sa

from compliance import store
from compliance.account import Account
from compliance.clock import now, stamp
from compliance.roles import Role, give
from tests.compliance.home import Home


def add_person(home: Home, name: str, *roles: Role) -> Account:
    """An active account with roles and a proof of identity of its own; nobody can sign in to it."""
    account = Account(f"acc-{secrets.token_hex(5)}", name, stamp(), "active")
    with home.rows.write() as connection:
        home.ledger.append(connection, "account_created", {"account": account.id})
        connection.execute(
            sa.insert(store.account).values(
                id=account.id, username=name, created_at=account.created_at, state=account.state
            )
        )
        give(connection, home.ledger, account.id, roles, ["test"], now())
        proof, until = f"prf-{secrets.token_hex(5)}", stamp(now() + timedelta(days=3650))
        told = {"account": account.id, "proof": proof, "level": "L1", "method": "in person", "until": until}
        proven = home.ledger.append(connection, "identity_proven", told)
        connection.execute(
            sa.insert(store.identity_proof).values(
                id=proof,
                account_id=account.id,
                level="L1",
                method="in person",
                commitment=secrets.token_hex(16),
                made_at=stamp(),
                expires_at=until,
                ledger_index=proven,
            )
        )
    return account


def add_release(home: Home, account: Account, release_id: str = "0123456789abcdef") -> str:
    """A finished release of an account, as a row: no file stands behind it."""
    with home.rows.write() as connection:
        index = home.ledger.append(connection, "release_intended", {"release": release_id, "account": account.id})
        connection.execute(
            sa.insert(store.release).values(
                id=release_id,
                state="released",
                permit_id="per-1",
                account_id=account.id,
                consents="[]",
                target_path="picture.png",
                part_path="part",
                overwrite=0,
                format="png",
                payload_sha256="1" * 64,
                file_sha256="2" * 64,
                intent_index=index,
                release_index=index,
                created_at=stamp(),
                finished_at=stamp(),
            )
        )
    return release_id
