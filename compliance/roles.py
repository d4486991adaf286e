"""Who may do what: one declared table of roles and actions, and the separation of duties that no window can skip.

An admin looks after accounts and reads no evidence, decides no case and removes nothing from the log; an auditor reads
and does nothing else; nobody decides about their own work (trust model: two people for every change of roles).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from compliance import store
from compliance.account_log import roles_told
from compliance.errors import LastAdmin, OwnWork, RoleClash, RoleMissing, RoleUnknown, UnknownRecord
from compliance.ledger import Ledger
from compliance.proposals import (
    Kind,
    Proposal,
    active_accounts,
    proposal,
    propose,
    settle,
    verify_two_people,
)

if TYPE_CHECKING:
    from compliance.account import Account


class Role(StrEnum):
    """What an account is there for; one account may have several."""

    CREATOR = "creator"
    CONSENT_OFFICER = "consent_officer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    """What needs a role. Verifying a file, withdrawing with a code, and one's own account need none."""

    PREVIEW = "preview"
    RELEASE = "release"
    ADD_SUBJECT = "add_subject"
    RECORD_CONSENT = "record_consent"
    WITHDRAW_CONSENT = "withdraw_consent"
    APPROVE_EVIDENCE = "approve_evidence"
    CONFIRM_ASSIGNMENT = "confirm_assignment"
    READ_EVIDENCE = "read_evidence"
    ERASE_SUBJECT = "erase_subject"
    OPEN_CASE = "open_case"
    APPEAL = "appeal"
    REVIEW_CASE = "review_case"
    DECIDE_APPEAL = "decide_appeal"
    SANCTION = "sanction"
    REFUTE = "refute"
    REPORT_CASE = "report_case"
    READ_LEDGER = "read_ledger"
    EXPORT_LEDGER = "export_ledger"
    COSIGN_LEDGER = "cosign_ledger"
    PRUNE = "prune"
    CREATE_ACCOUNT = "create_account"
    VERIFY_IDENTITY = "verify_identity"
    REBIND_ACCOUNT = "rebind_account"
    GRANT_ROLE = "grant_role"
    CHANGE_PROFILE = "change_profile"
    SET_OPERATOR = "set_operator"
    RENEW_CERTIFICATE = "renew_certificate"
    ACCEPT_ROLLBACK = "accept_rollback"
    CHOOSE_REVIEW = "choose_review"


_EVERYBODY = {Action.READ_LEDGER}
_WORKERS = _EVERYBODY | {Action.OPEN_CASE, Action.APPEAL, Action.WITHDRAW_CONSENT}

TABLE: Final[Mapping[Role, frozenset[Action]]] = {
    Role.CREATOR: frozenset(_WORKERS | {Action.PREVIEW, Action.RELEASE, Action.ADD_SUBJECT, Action.RECORD_CONSENT}),
    Role.CONSENT_OFFICER: frozenset(
        _WORKERS
        | {
            Action.ADD_SUBJECT,
            Action.RECORD_CONSENT,
            Action.APPROVE_EVIDENCE,
            Action.CONFIRM_ASSIGNMENT,
            Action.READ_EVIDENCE,
            Action.ERASE_SUBJECT,
            # Whose duty it is to erase personal data removes payloads whose time is over; leaves always stay.
            Action.PRUNE,
        }
    ),
    Role.REVIEWER: frozenset(
        _WORKERS
        | {
            Action.PREVIEW,
            Action.REVIEW_CASE,
            Action.DECIDE_APPEAL,
            Action.SANCTION,
            Action.REFUTE,
            Action.REPORT_CASE,
            Action.READ_EVIDENCE,
        }
    ),
    Role.AUDITOR: frozenset(_EVERYBODY | {Action.EXPORT_LEDGER, Action.COSIGN_LEDGER}),
    Role.ADMIN: frozenset(
        _EVERYBODY
        | {
            Action.EXPORT_LEDGER,
            Action.REPORT_CASE,
            # Refuting a rumour is a duty of the operator (Deep Synthesis Provisions, Art. 11), who may work alone.
            Action.REFUTE,
            Action.CREATE_ACCOUNT,
            Action.VERIFY_IDENTITY,
            Action.REBIND_ACCOUNT,
            Action.GRANT_ROLE,
            Action.CHANGE_PROFILE,
            Action.SET_OPERATOR,
            Action.RENEW_CERTIFICATE,
            Action.ACCEPT_ROLLBACK,
            Action.CHOOSE_REVIEW,
        }
    ),
}
"""Role × action: what is not named here is refused."""

STEP_UP: Final = frozenset(
    {
        Action.RELEASE,
        Action.RECORD_CONSENT,
        Action.APPROVE_EVIDENCE,
        Action.WITHDRAW_CONSENT,
        Action.GRANT_ROLE,
        Action.REBIND_ACCOUNT,
        Action.VERIFY_IDENTITY,
        Action.CHANGE_PROFILE,
        Action.RENEW_CERTIFICATE,
        Action.ACCEPT_ROLLBACK,
        Action.CHOOSE_REVIEW,
        Action.EXPORT_LEDGER,
        Action.PRUNE,
        Action.ERASE_SUBJECT,
    }
)
"""Actions for which the password must have been given lately; how lately is the profile's (compliance.session)."""

FIRST_ROLES: Final = (Role.ADMIN, Role.CREATOR, Role.CONSENT_OFFICER)
"""What the first account of a home gets, so that one creator alone can work."""
STARTING_ROLES: Final = (Role.CREATOR, Role.AUDITOR)
"""With which of them a later account may begin: neither has power over anybody else."""


def roles_of(connection: sa.Connection, account_id: str) -> frozenset[Role]:
    """The roles of an account as this transaction sees them; a row that the ledger does not tell of gives none.

    Raises LedgerBroken.
    """
    table = store.account_role
    query = sa.select(table.c.role, table.c.ledger_index).where(table.c.account_id == account_id)
    rows = connection.execute(query).all()
    told = roles_told(connection, account_id) if rows else {}
    return frozenset(Role(row.role) for row in rows if told.get(row.role) == row.ledger_index)


def roles(rows: store.Store, account_id: str) -> frozenset[Role]:
    """The roles of an account."""
    with rows.read() as connection:
        return roles_of(connection, account_id)


def allowed(held: frozenset[Role]) -> frozenset[Action]:
    """Everything that roles allow together."""
    return frozenset(action for role in held for action in TABLE[role])


def roles_for(action: Action) -> tuple[Role, ...]:
    """The roles that allow an action, in their order."""
    return tuple(role for role in Role if action in TABLE[role])


def verify_may(rows: store.Store, account: Account, action: Action) -> None:
    """Raise RoleMissing unless a role of the account allows the action."""
    with rows.read() as connection:
        verify_may_in(connection, account, action)


def verify_may_in(connection: sa.Connection, account: Account, action: Action) -> None:
    """As verify_may, inside a transaction of the caller, so that the deed and the right stand at one moment."""
    if action not in allowed(roles_of(connection, account.id)):
        named = ", ".join(roles_for(action))
        raise RoleMissing(account=account.username, action=action.value, roles=named)


def verify_not_own(account: Account, *authors: str) -> None:
    """Raise OwnWork when the account is one of those whose work or account is decided about (ids of accounts)."""
    if account.id in authors:
        raise OwnWork(account=account.username)


# --- changes ---------------------------------------------------------------------------------------------------------


def role_named(name: str) -> Role:
    """Raises RoleUnknown."""
    try:
        return Role(name)
    except ValueError:
        raise RoleUnknown(role=name, allowed=", ".join(Role)) from None


def grant_role(
    rows: store.Store, ledger: Ledger, by: Account, account: Account, role: Role, at: datetime
) -> Proposal | None:
    """Let an admin give a role: at once where there is nobody else, otherwise as a proposal that a second one confirms.

    Returns the proposal, or None when it is done. Raises RoleMissing, RoleClash, UnknownRecord for a closed account.
    """
    return _change(rows, ledger, by, account, role, at, Kind.GRANT_ROLE)


def revoke_role(
    rows: store.Store, ledger: Ledger, by: Account, account: Account, role: Role, at: datetime
) -> Proposal | None:
    """Let an admin take a role away, as in grant_role. Raises RoleMissing, LastAdmin, UnknownRecord."""
    return _change(rows, ledger, by, account, role, at, Kind.REVOKE_ROLE)


def _change(
    rows: store.Store, ledger: Ledger, by: Account, account: Account, role: Role, at: datetime, kind: Kind
) -> Proposal | None:
    with rows.write() as connection:
        verify_may_in(connection, by, Action.GRANT_ROLE)
        _verify_possible(connection, kind, account, role)
        if len(active_accounts(connection)) > 1:
            return propose(connection, ledger, kind, account, by, role.value, at)
        _apply(connection, ledger, kind, account.id, role, [by.id], at)
    return None


def _verify_possible(connection: sa.Connection, kind: Kind, account: Account, role: Role) -> None:
    held = roles_of(connection, account.id)
    if kind is Kind.GRANT_ROLE:
        known = sa.select(store.account.c.id).where(store.account.c.id == account.id, store.account.c.state == "active")
        if connection.execute(known).first() is None:
            raise UnknownRecord(kind="account", id=account.username)
        if held - {role} and Role.AUDITOR in held | {role}:
            raise RoleClash(account=account.username, role=role.value)
        return
    if role not in held:
        raise UnknownRecord(kind="role of this account", id=role.value)
    if role is Role.ADMIN:
        verify_not_last_admin(connection, account)


def admins(connection: sa.Connection) -> set[str]:
    """Ids of the accounts that can sign in and look after the others."""
    return {one for one in active_accounts(connection) if Role.ADMIN in roles_of(connection, one)}


def verify_not_last_admin(connection: sa.Connection, account: Account) -> None:
    """Raise LastAdmin when nobody else could look after the home."""
    if not admins(connection) - {account.id}:
        raise LastAdmin(account=account.username)


def confirm_role(
    rows: store.Store, ledger: Ledger, by: Account, wanted: Proposal, account: Account, at: datetime
) -> None:
    """Confirm a proposed change of roles as the second person, and carry it out.

    by: another admin; where there is none, any other account with a valid proof of identity. Whom the change concerns
    may confirm it only where nobody else is there. Raises RoleMissing, OwnWork, SecondPersonNeeded, LastAdmin,
    RoleClash, UnknownRecord (decided, or too old).
    """
    with rows.write() as connection:
        found = proposal(connection, wanted.id, at)
        verify_two_people(connection, found.by, by, at)
        if found.by not in admins(connection):
            raise RoleMissing(account=found.by, action=Action.GRANT_ROLE.value, roles=Role.ADMIN.value)
        if admins(connection) - {found.by}:
            verify_may_in(connection, by, Action.GRANT_ROLE)
        if len(active_accounts(connection)) > 2:
            verify_not_own(by, found.about)
        role = Role(found.detail)
        _verify_possible(connection, found.kind, account, role)
        settle(connection, ledger, found, by, at)
        _apply(connection, ledger, found.kind, found.about, role, [found.by, by.id], at)


def _apply(
    connection: sa.Connection, ledger: Ledger, kind: Kind, account_id: str, role: Role, by: list[str], at: datetime
) -> None:
    if kind is Kind.GRANT_ROLE:
        give(connection, ledger, account_id, (role,), by, at)
        return
    table = store.account_role
    connection.execute(sa.delete(table).where(table.c.account_id == account_id, table.c.role == role.value))
    ledger.append(connection, "role_revoked", {"account": account_id, "role": role.value, "by": by})


def give(
    connection: sa.Connection, ledger: Ledger, account_id: str, given: Sequence[Role], by: list[str], at: datetime
) -> None:
    """Write roles down, each with its entry; the caller has asked whether it may be."""
    table = store.account_role
    held = roles_of(connection, account_id)
    for role in given:
        if role in held:
            continue
        index = ledger.append(connection, "role_granted", {"account": account_id, "role": role.value, "by": by})
        connection.execute(
            sa.insert(table).values(
                account_id=account_id,
                role=role.value,
                granted_by=by[-1],
                granted_at=store.utc_text(at),
                ledger_index=index,
            )
        )


def take_all(connection: sa.Connection, ledger: Ledger, account_id: str) -> None:
    """Take every role from an account that is being closed."""
    held = sorted(roles_of(connection, account_id))
    connection.execute(sa.delete(store.account_role).where(store.account_role.c.account_id == account_id))
    for role in held:
        ledger.append(connection, "role_revoked", {"account": account_id, "role": role.value, "by": [account_id]})
