"""Members: roles, second factors, times and proofs of identity, as window and command line ask for them.

The right to each step is checked below, in compliance; here names become accounts and ids become names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compliance import identity, roles, store
from compliance.account import Account, Accounts
from compliance.clock import now
from compliance.errors import UnknownRecord
from compliance.identity import in_person
from compliance.identity.oidc import LIFETIME_S, Oidc, OidcSettings
from compliance.identity.provider import Transport
from compliance.ledger import Ledger
from compliance.proposals import Kind, Proposal, open_proposals, proposal, refuse
from compliance.roles import Action
from compliance.session import Profile
from compliance.totp import Enrolment


@dataclass(frozen=True, slots=True)
class MemberView:
    """An account as an admin sees it. level: of its current proof, "none" without one.

    may_declare: whether a declaration of its own would be taken.
    """

    username: str
    state: str
    roles: tuple[str, ...]
    level: str
    method: str | None
    proof_until: str | None
    verified_by: tuple[str, ...]
    has_factor: bool
    is_bound: bool
    failures: int
    may_declare: bool


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What waits for a second person: kind, the account it is about, who asked, until when it can be confirmed."""

    id: str
    kind: str
    account: str
    detail: str
    proposed_by: str
    expires_at: str


class Members:
    """Who belongs to a home and what they may do; made by the workshop."""

    def __init__(
        self, rows: store.Store, ledger: Ledger, accounts: Accounts, transport: Transport | None = None
    ) -> None:
        self._rows, self._ledger, self._accounts, self._transport = rows, ledger, accounts, transport

    # --- looking ----------------------------------------------------------------------------------------------------

    def member(self, username: str | None = None) -> MemberView:
        """One account by name, or the one that is signed in; raises UnknownRecord, NotSignedIn."""
        account = self._accounts.named(username) if username is not None else self._accounts.require().account
        return self._view(account)

    def members(self) -> list[MemberView]:
        """Every account, oldest first."""
        return [self._view(account) for account in self._accounts.all()]

    def _view(self, account: Account) -> MemberView:
        standing = self._accounts.standing(account)
        with self._rows.read() as connection:
            proof = identity.current_proof_in(connection, account.id)
            may_declare = identity.may_declare(connection, account.id)
        seen_by = (proof.verifier, proof.second) if proof is not None else ()
        return MemberView(
            username=account.username,
            state=account.state,
            roles=tuple(role.value for role in standing.roles),
            level=proof.level if proof is not None else "none",
            method=proof.method if proof is not None else None,
            proof_until=proof.expires_at if proof is not None else None,
            verified_by=tuple(self._name(who) for who in seen_by if who is not None),
            has_factor=standing.has_factor,
            is_bound=standing.is_bound,
            failures=standing.failures,
            may_declare=may_declare,
        )

    def _name(self, account_id: str) -> str:
        return next((one.username for one in self._accounts.all() if one.id == account_id), account_id)

    def proposals(self) -> list[ProposalView]:
        """What waits for a second person, oldest first."""
        return [self._proposal(one) for one in open_proposals(self._rows, now())]

    def _proposal(self, one: Proposal) -> ProposalView:
        return ProposalView(
            one.id, one.kind.value, self._name(one.about), one.detail, self._name(one.by), one.expires_at
        )

    # --- roles and times --------------------------------------------------------------------------------------------

    def grant_role(self, username: str, role: str) -> ProposalView | None:
        """Give a role; None when it is done, else the proposal that a second person confirms."""
        return self._change_role(username, role, roles.grant_role)

    def revoke_role(self, username: str, role: str) -> ProposalView | None:
        """Take a role away; as grant_role. Raises LastAdmin."""
        return self._change_role(username, role, roles.revoke_role)

    def _change_role(self, username: str, role: str, change: Callable[..., Proposal | None]) -> ProposalView | None:
        wanted = roles.role_named(role)
        by = self._accounts.require_for(Action.GRANT_ROLE).account
        made = change(self._rows, self._ledger, by, self._accounts.named(username), wanted, now())
        return self._proposal(made) if made is not None else None

    def confirm(self, proposal_id: str, password: str | None = None) -> MemberView:
        """Confirm what another person asked for, as the second one. password: the new one where an account is rebound.

        Raises UnknownRecord, OwnWork, SecondPersonNeeded, RoleMissing, StepUpNeeded, and what the step itself raises.
        """
        session = self._accounts.require()
        self._accounts.verify_stepped_up(session)
        with self._rows.read() as connection:
            found = proposal(connection, proposal_id, now())
        account = self._accounts.by_id(found.about)
        if found.kind is Kind.IDENTITY:
            keys = session.require_keys()
            in_person.confirm(self._rows, self._ledger, keys, session.account, found.id, account, now())
        elif found.kind is Kind.REBIND:
            self._rebind(account, password or "", found.id)
        else:
            roles.confirm_role(self._rows, self._ledger, session.account, found, account, now())
        return self._view(account)

    def refuse(self, proposal_id: str) -> None:
        """Close a proposal without doing anything; raises UnknownRecord, NotSignedIn, RoleMissing.

        Whoever asked, whom it concerns and every admin may.
        """
        by = self._accounts.require().account
        with self._rows.write() as connection:
            found = proposal(connection, proposal_id, now())
            if by.id not in (found.by, found.about):
                roles.verify_may_in(connection, by, Action.GRANT_ROLE)
            refuse(connection, self._ledger, found, by, now())

    def profile(self) -> Profile:
        """The times that hold in this home."""
        return self._accounts.profile()

    def set_profile(self, name: str) -> Profile:
        """Choose other times; raises ProfileUnknown, RoleMissing, StepUpNeeded."""
        return self._accounts.set_profile(name)

    # --- one's own account ------------------------------------------------------------------------------------------

    def step_up(self, password: str, code: str | None = None) -> None:
        """Show the password again before a heavy step; raises WrongPassword, WrongCode, CodeNeeded, TooManyAttempts."""
        self._accounts.step_up(password, code)

    def lock(self) -> None:
        """Close the keys now; the password opens them again."""
        self._accounts.lock()

    def mark_active(self) -> None:
        """Somebody moves the mouse or types: the session is not at rest."""
        self._accounts.mark_active()

    def change_password(self, old: str, new: str, code: str | None = None) -> None:
        """Change one's password; every session of the account ends. Raises WeakPassword, WrongPassword, CodeNeeded."""
        self._accounts.change_password(old, new, code)

    def close_account(self, password: str, code: str | None = None) -> None:
        """Close one's account for good; raises LastAdmin, WrongPassword, CodeNeeded."""
        self._accounts.close_account(password, code)

    def enroll_factor(self) -> Enrolment:
        """Begin with a second factor; raises CodeAlreadySetUp, StepUpNeeded."""
        return self._accounts.enroll_totp()

    def confirm_factor(self, code: str) -> None:
        """Show that the authenticator works; raises CodeNotSetUp, WrongCode."""
        self._accounts.confirm_totp(code)

    def disable_factor(self) -> None:
        """Take the second factor away; raises CodeNotSetUp, StepUpNeeded."""
        self._accounts.disable_totp()

    # --- proofs of identity -----------------------------------------------------------------------------------------

    def declare(self, name: str, number: str | None = None) -> MemberView:
        """The operator's own declaration; the number is checked and dropped. Raises NumberInvalid, IdentityTaken."""
        session = self._accounts.require()
        identity.declare(self._rows, self._ledger, session.require_keys(), session.account, name, number)
        return self._view(session.account)

    def attest(self, username: str, document: str, name: str, number: str | None = None) -> ProposalView:
        """Say, as an admin, that a person was seen with a document; another person confirms it with `confirm`."""
        session = self._accounts.require_for(Action.VERIFY_IDENTITY)
        account = self._accounts.named(username)
        if account.state != "active":
            raise UnknownRecord(kind="account", id=username)
        keys = session.require_keys()
        made = in_person.attest(self._rows, self._ledger, keys, session.account, account, document, name, number, now())
        return self._proposal(made)

    def propose_rebinding(self, username: str) -> ProposalView:
        """Ask that an account gets a new password from its person, who was seen; another person confirms it."""
        session = self._accounts.require()
        self._accounts.verify_stepped_up(session)
        account = self._accounts.named(username)
        made = in_person.propose_rebinding(self._rows, self._ledger, session.account, account, now())
        return self._proposal(made)

    def can_rebind_alone(self, username: str) -> bool:
        """Whether an unbound account has nobody but the one signed in to bind it again."""
        by, account = self._accounts.require().account, self._accounts.named(username)
        with self._rows.read() as connection:
            return in_person.is_alone(connection, by, account)

    def rebind(self, username: str, password: str) -> MemberView:
        """Bind an unbound account again where nobody else is left; raises SecondPersonNeeded where somebody is."""
        session = self._accounts.require()
        self._accounts.verify_stepped_up(session)
        account = self._accounts.named(username)
        self._rebind(account, password, None)
        return self._view(account)

    def _rebind(self, account: Account, password: str, proposal_id: str | None) -> None:
        session = self._accounts.require()
        in_person.rebind(
            self._accounts,
            self._rows,
            self._ledger,
            session.require_keys(),
            session.account,
            account,
            password,
            proposal_id,
            now(),
        )

    def prove_with_provider(
        self, settings: Path, show: Callable[[str], None], longest_s: float = LIFETIME_S
    ) -> MemberView:
        """Level L2: sign in with the studio's OpenID provider in a browser.

        show: gets the address to open. Raises IdentityRefused, IdentityProviderUnusable, IdentityTaken.
        """
        from studio.oidc_transport import HttpTransport, Loopback

        session = self._accounts.require()
        keys = session.require_keys()
        with Loopback() as loopback:
            verifier = Oidc(OidcSettings.read(settings), self._transport or HttpTransport(), loopback.uri)
            show(verifier.begin())
            verifier.receive(loopback.wait(longest_s))
        identity.establish(self._rows, self._ledger, keys, session.account, verifier)
        return self._view(session.account)

    def prove_with_national(self, settings: Path, credential: str) -> MemberView:
        """Level L3: the result of the national network identity, for a credential that the person's own app gave.

        Raises IdentityRefused, IdentityProviderUnusable, IdentityTaken.
        """
        from compliance.identity.national import National, NationalSettings
        from studio.oidc_transport import HttpTransport

        session = self._accounts.require()
        verifier = National(NationalSettings.read(settings), self._transport or HttpTransport(), credential)
        identity.establish(self._rows, self._ledger, session.require_keys(), session.account, verifier)
        return self._view(session.account)
