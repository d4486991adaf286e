"""What needs two people: one asks, another one confirms, and both are entered in the ledger."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from compliance import store
from compliance.errors import OwnWork, SecondPersonNeeded, UnknownRecord
from compliance.ledger import Ledger

if TYPE_CHECKING:
    from compliance.account import Account

LIFETIME: Final = timedelta(days=7)
"""A proposal that nobody confirmed in a week has to be made again."""


class Kind(StrEnum):
    """What is proposed."""

    GRANT_ROLE = "grant_role"
    REVOKE_ROLE = "revoke_role"
    IDENTITY = "identity"
    REBIND = "rebind"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One open question. about: id of the account it concerns; detail: a role or a kind of document; by: who asks."""

    id: str
    kind: Kind
    about: str
    detail: str
    by: str
    proposed_at: str
    expires_at: str
    sealed: bytes | None


def propose(
    connection: sa.Connection,
    ledger: Ledger,
    kind: Kind,
    about: Account,
    by: Account,
    detail: str,
    at: datetime,
    seal: tuple[str, bytes] | None = None,
) -> Proposal:
    """Enter a proposal. seal: (id chosen beforehand, personal text sealed for that id), where there is some."""
    proposal_id, sealed = seal if seal is not None else (new_id(), None)
    table = store.proposal
    moment, until = store.utc_text(at), store.utc_text(at + LIFETIME)
    fields = {"proposal": proposal_id, "what": kind.value, "account": about.id, "by": by.id, "detail": detail}
    index = ledger.append(connection, "proposed", fields)
    connection.execute(
        sa.insert(table).values(
            id=proposal_id,
            kind=kind.value,
            account_id=about.id,
            detail=detail,
            proposed_by=by.id,
            proposed_at=moment,
            expires_at=until,
            state="open",
            sealed=sealed,
            ledger_index=index,
        )
    )
    return Proposal(proposal_id, kind, about.id, detail, by.id, moment, until, sealed)


def new_id() -> str:
    """An id for a proposal."""
    return f"two-{secrets.token_hex(5)}"


_COLUMNS = ("id", "kind", "account_id", "detail", "proposed_by", "proposed_at", "expires_at", "sealed")


def _query(at: datetime) -> sa.Select[Any]:
    table = store.proposal
    alive = (table.c.state == "open") & (table.c.expires_at > store.utc_text(at))
    return sa.select(*(table.c[name] for name in _COLUMNS)).where(alive).order_by(table.c.ledger_index)


def _read(row: sa.Row[Any]) -> Proposal:
    kind = Kind(row.kind)
    return Proposal(
        row.id, kind, row.account_id, row.detail, row.proposed_by, row.proposed_at, row.expires_at, row.sealed
    )


def open_proposals(rows: store.Store, at: datetime) -> list[Proposal]:
    """What waits for a second person, oldest first."""
    with rows.read() as connection:
        return [_read(row) for row in connection.execute(_query(at))]


def proposal(connection: sa.Connection, proposal_id: str, at: datetime) -> Proposal:
    """One open proposal; raises UnknownRecord, also when it is decided or too old."""
    row = connection.execute(_query(at).where(store.proposal.c.id == proposal_id)).one_or_none()
    if row is None:
        raise UnknownRecord(kind="open proposal", id=proposal_id)
    return _read(row)


def settle(connection: sa.Connection, ledger: Ledger, settled: Proposal, by: Account, at: datetime) -> int:
    """Close a proposal as confirmed; the caller does what was proposed in the same transaction."""
    _close(connection, settled, by, at, "confirmed")
    return ledger.append(connection, "proposal_confirmed", {"proposal": settled.id, "by": by.id})


def refuse(connection: sa.Connection, ledger: Ledger, refused: Proposal, by: Account, at: datetime) -> int:
    """Close a proposal without doing anything; whoever may know of it may refuse it."""
    _close(connection, refused, by, at, "refused")
    return ledger.append(connection, "proposal_refused", {"proposal": refused.id, "by": by.id})


def _close(connection: sa.Connection, closed: Proposal, by: Account, at: datetime, state: str) -> None:
    table = store.proposal
    values = {"state": state, "decided_by": by.id, "decided_at": store.utc_text(at), "sealed": None}
    connection.execute(sa.update(table).where(table.c.id == closed.id).values(**values))


def active_accounts(connection: sa.Connection) -> list[str]:
    """Ids of the accounts that can sign in, oldest first."""
    table = store.account
    alive = (table.c.state == "active") & (table.c.bound == 1)
    return list(connection.execute(sa.select(table.c.id).where(alive).order_by(table.c.created_at)).scalars())


def verify_two_people(connection: sa.Connection, first: str, second: Account, at: datetime) -> None:
    """Raise unless the second person is proven to be somebody, and somebody else than the first.

    OwnWork for the same account; SecondPersonNeeded where the second has no valid proof of identity, or was proven to
    be the same person under another account.
    """
    # Imported here: identity asks for two people itself.
    from compliance.identity.proofs import current_proof_in

    if second.id == first:
        raise OwnWork(account=second.username)
    table = store.identity_proof
    alive = table.c.expires_at > at.strftime("%Y-%m-%dT%H:%M:%SZ")
    query = sa.select(table.c.account_id, table.c.commitment, table.c.subject_commitment).where(
        alive, table.c.account_id.in_([first, second.id])
    )
    proofs = connection.execute(query).all()
    if current_proof_in(connection, second.id, at) is None:
        raise SecondPersonNeeded(reason="the one who confirms has no valid proof of identity")
    one, other = (
        {mark for row in proofs if row.account_id == whose for mark in (row.commitment, row.subject_commitment) if mark}
        for whose in (first, second.id)
    )
    if one & other:
        raise SecondPersonNeeded(reason="both accounts were proven to be the same person")
