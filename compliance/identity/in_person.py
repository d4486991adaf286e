"""Level "L1": an admin sees the person and a document, a second verified person confirms it.

Nobody proves themselves, and neither of the two may be the person under another account. The same two people bind an
account to its person again after too many wrong passwords or a forgotten one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from compliance import keys as slots
from compliance import lockout, store, totp
from compliance.account import MINIMUM_PASSWORD, Account, Accounts
from compliance.data_keys import open_for, seal_for
from compliance.errors import (
    OptionUnfit,
    SecondPersonNeeded,
    UnknownRecord,
    WeakPassword,
)
from compliance.identity.declaration import commit_number
from compliance.identity.proofs import (
    Established,
    IdentityProof,
    Level,
    commitment_of_name,
    current_proof_in,
    plain_name,
    record,
    require_proof,
)
from compliance.keys import HomeKeys
from compliance.proposals import (
    Kind,
    Proposal,
    active_accounts,
    new_id,
    proposal,
    propose,
    settle,
    verify_two_people,
)
from compliance.roles import Action, verify_may_in, verify_not_own

if TYPE_CHECKING:
    from compliance.ledger import Ledger

DOCUMENTS: Final = ("resident_card", "passport", "residence_permit", "business_licence", "other_official")
"""What was looked at; of it nothing is kept but this word."""


@dataclass(frozen=True, slots=True, repr=False)
class InPerson:
    """What two people saw. subject: commitment of the number that stood on the document, None when none was read."""

    name: str
    subject: str | None
    document: str
    verifier: str
    second: str
    level: Level = "L1"
    method: str = "in person"

    def verify(self, keys: HomeKeys) -> Established:
        """What was attested and confirmed."""
        return Established(self.name, self.subject, {"document": self.document}, self.verifier, self.second)


def attest(
    rows: store.Store,
    ledger: Ledger,
    keys: HomeKeys,
    by: Account,
    account: Account,
    document: str,
    name: str,
    number: str | None,
    at: datetime,
) -> Proposal:
    """Say, as an admin, that the person of an account was seen with a document; a second person has to confirm it.

    The number is checked and dropped. Raises RoleMissing, OwnWork, NotVerified (the admin's own identity is not
    proven), OptionUnfit (document of no known kind), NumberInvalid, AccountNameInvalid, SecondPersonNeeded.
    """
    subject = commit_number(keys, number)[1] if number is not None else None
    del number
    name = plain_name(name)
    if document not in DOCUMENTS:
        raise OptionUnfit(option="--document", value=document, allowed=", ".join(DOCUMENTS))
    verify_not_own(by, account.id)
    require_proof(rows, by, at)
    with rows.write() as connection:
        verify_may_in(connection, by, Action.VERIFY_IDENTITY)
        _verify_other_person(connection, keys, (by.id,), name, subject)
        seal = new_id()
        content = {"name": name, "subject": subject}
        sealed = seal_for(connection, keys, account.id, content, f"proposal {seal}")
        return propose(connection, ledger, Kind.IDENTITY, account, by, document, at, (seal, sealed))


def _verify_other_person(
    connection: sa.Connection, keys: HomeKeys, accounts: tuple[str, ...], name: str, subject: str | None
) -> None:
    """Raise SecondPersonNeeded when one of these accounts was proven to be the very person that is attested."""
    table = store.identity_proof
    marks = [commitment_of_name(keys, name), *([subject] if subject else [])]
    same = sa.select(table.c.id).where(
        table.c.account_id.in_(accounts), table.c.commitment.in_(marks) | table.c.subject_commitment.in_(marks)
    )
    if connection.execute(same.limit(1)).first() is not None:
        raise SecondPersonNeeded(reason="nobody can vouch for themselves under another account")


def confirm(
    rows: store.Store, ledger: Ledger, keys: HomeKeys, by: Account, proposal_id: str, account: Account, at: datetime
) -> IdentityProof:
    """Confirm an attested identity as the second person; makes the proof of level L1.

    Where the admin is the only one who has proven anything, nobody else can be the second: then the one who was seen
    confirms it, signed in to the account that it is about, and the entry names them so.
    Raises OwnWork, SecondPersonNeeded, IdentityTaken, UnknownRecord (decided, too old, or of another kind).
    """
    with rows.write() as connection:
        found = _open(connection, proposal_id, Kind.IDENTITY, account, at)
        is_first = by.id == account.id != found.by and not _others_proven(connection, found.by, account.id, at)
        if not is_first:
            verify_two_people(connection, found.by, by, at)
            verify_not_own(by, account.id)
        assert found.sealed is not None
        content: dict[str, Any] = open_for(connection, keys, account.id, found.sealed, f"proposal {found.id}")
        vouching = (found.by,) if is_first else (found.by, by.id)
        _verify_other_person(connection, keys, vouching, content["name"], content["subject"])
        seen = InPerson(content["name"], content["subject"], found.detail, found.by, by.id)
        settle(connection, ledger, found, by, at)
        return record(connection, ledger, keys, account, seen.level, seen.method, seen.verify(keys), at)


def _others_proven(connection: sa.Connection, first: str, second: str, at: datetime) -> bool:
    """Whether anybody but these two accounts could be a second person."""
    table = store.account
    others = sa.select(table.c.id).where(table.c.id.not_in([first, second]), table.c.state != "closed")
    return any(current_proof_in(connection, other, at) for other in connection.execute(others).scalars().all())


def _open(connection: sa.Connection, proposal_id: str, kind: Kind, account: Account, at: datetime) -> Proposal:
    found = proposal(connection, proposal_id, at)
    if found.kind is not kind or found.about != account.id:
        raise UnknownRecord(kind="open proposal", id=proposal_id)
    return found


# --- binding an account again ----------------------------------------------------------------------------------------


def propose_rebinding(rows: store.Store, ledger: Ledger, by: Account, account: Account, at: datetime) -> Proposal:
    """Ask, as an admin who has seen the person, that an account gets a new password; a second person confirms it.

    Where no admin can sign in, any other account with a valid proof of identity may ask. Raises RoleMissing, OwnWork,
    NotVerified, UnknownRecord (closed).
    """
    verify_not_own(by, account.id)
    require_proof(rows, by, at)
    with rows.write() as connection:
        _verify_may_rebind(connection, by, account)
        return propose(connection, ledger, Kind.REBIND, account, by, "seen in person", at)


def _verify_may_rebind(connection: sa.Connection, by: Account, account: Account) -> None:
    from compliance.roles import admins

    if account.state != "active":
        raise UnknownRecord(kind="account", id=account.username)
    if admins(connection) - {account.id}:
        verify_may_in(connection, by, Action.REBIND_ACCOUNT)


def is_alone(connection: sa.Connection, by: Account, account: Account) -> bool:
    """Whether an unbound account has nobody but this one left to bind it again."""
    bound = connection.execute(sa.select(store.account.c.bound).where(store.account.c.id == account.id)).scalar_one()
    return not bound and set(active_accounts(connection)) - {account.id} == {by.id}


def rebind(
    accounts: Accounts,
    rows: store.Store,
    ledger: Ledger,
    keys: HomeKeys,
    by: Account,
    account: Account,
    password: str,
    proposal_id: str | None,
    at: datetime,
) -> None:
    """Give an account a new password, typed by its person; its wrong attempts are forgotten, its second factor is gone.

    proposal_id: what another one asked for, confirmed hereby; None where the account is unbound and nobody but `by` is
    left. Raises WeakPassword, RoleMissing, OwnWork, NotVerified, SecondPersonNeeded, UnknownRecord.
    """
    if len(password) < MINIMUM_PASSWORD:
        raise WeakPassword(minimum=MINIMUM_PASSWORD)
    verify_not_own(by, account.id)
    require_proof(rows, by, at)
    slot = slots.make_slot(keys, account.id, password)

    def settle_it(connection: sa.Connection) -> None:
        if proposal_id is None:
            _verify_may_rebind(connection, by, account)
            if not is_alone(connection, by, account):
                raise SecondPersonNeeded(reason="another person asks for it, then this one confirms")
        else:
            found = _open(connection, proposal_id, Kind.REBIND, account, at)
            verify_two_people(connection, found.by, by, at)
            settle(connection, ledger, found, by, at)
        lockout.passed(connection, account.id, whole=True)
        totp.remove(connection, account.id)

    accounts.replace_slot(slot, "account_rebound", {"account": account.id, "by": by.id}, settle_it)
