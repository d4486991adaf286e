"""Accounts: who works here. The password is checked by opening the account's key slot (compliance.keys).

Whoever holds the opened keys of a home could sign in its name, so a session ends and locks by itself
(compliance.session), wrong passwords cost time (compliance.lockout), and heavy steps ask for the password again
(compliance.roles.STEP_UP).
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from compliance import keys, lockout, roles, session, store, totp
from compliance.account_log import account_log
from compliance.clock import now, stamp
from compliance.data_keys import shred
from compliance.errors import (
    AccountExists,
    AccountNameInvalid,
    CodeNeeded,
    CodeNotSetUp,
    NotSignedIn,
    SessionLocked,
    SignetError,
    StepUpNeeded,
    UnknownRecord,
    WeakPassword,
    WrongPassword,
)
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.roles import Action, Role
from compliance.session_keys import SessionKeyring

MINIMUM_PASSWORD = 8
_USERNAME = re.compile(r"[\w.\-]{2,40}")


@dataclass(frozen=True, slots=True)
class Account:
    """One operator. state is "active" or "closed"; the person's real name is sealed and not part of this."""

    id: str
    username: str
    created_at: str
    state: str


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in until when; keys is None while they are locked, by rest or because nothing holds them open."""

    account: Account
    expires_at: datetime
    keys: HomeKeys | None
    stepped_up_at: datetime | None = None

    def require_keys(self) -> HomeKeys:
        """The opened keys; raises SessionLocked."""
        if self.keys is None:
            raise SessionLocked(account=self.account.username)
        return self.keys


@dataclass(frozen=True, slots=True)
class Standing:
    """What an admin sees of an account beside its name. failures: wrong passwords in a row, over all."""

    roles: tuple[Role, ...]
    has_factor: bool
    is_bound: bool
    failures: int


class Accounts:
    """The accounts of one home and the session that is open in it."""

    def __init__(
        self,
        home: Path,
        home_id: str,
        rows: store.Store,
        ledger: Ledger,
        held: SessionKeyring | None,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._home, self._home_id, self._rows, self._ledger, self._held = home, home_id, rows, ledger, held
        self._clock = clock
        self._opened: tuple[session.Ticket, HomeKeys] | None = None

    # --- who there is ------------------------------------------------------------------------------------------------

    def all(self) -> list[Account]:
        """Every account, oldest first."""
        table = store.account
        query = select(table.c.id, table.c.username, table.c.created_at, table.c.state).order_by(table.c.created_at)
        with self._rows.read() as connection:
            return [Account(*row) for row in connection.execute(query)]

    def named(self, username: str) -> Account:
        """One account by name; raises UnknownRecord."""
        for account in self.all():
            if account.username == username:
                return account
        raise UnknownRecord(kind="account", id=username)

    def by_id(self, account_id: str) -> Account:
        """One account by its id; raises UnknownRecord."""
        for account in self.all():
            if account.id == account_id:
                return account
        raise UnknownRecord(kind="account", id=account_id)

    def standing(self, account: Account) -> Standing:
        """Roles, second factor and wrong attempts of an account."""
        table = store.account
        with self._rows.read() as connection:
            query = select(table.c.bound, table.c.cumulative_failures).where(table.c.id == account.id)
            bound, failures = connection.execute(query).one()
            held = roles.roles_of(connection, account.id)
            return Standing(
                tuple(role for role in Role if role in held),
                totp.has_factor(connection, account.id),
                bool(bound),
                int(failures),
            )

    def create(self, username: str, password: str, role: Role = Role.CREATOR) -> Account:
        """Make an account; the first makes the home's keys and may do everything one person can do alone.

        role: what a later one begins with, creator or auditor; an admin makes it. Raises AccountNameInvalid,
        AccountExists, WeakPassword, NotSignedIn, SessionLocked, RoleMissing.
        """
        if not _USERNAME.fullmatch(username):
            raise AccountNameInvalid(account=username)
        existing = self.all()
        if any(account.username.casefold() == username.casefold() for account in existing):
            raise AccountExists(account=username)
        _verify_strong(password)
        account = Account(f"acc-{secrets.token_hex(5)}", username, stamp(self._clock()), "active")
        slot, by = None, account
        given: tuple[Role, ...] = roles.FIRST_ROLES
        if existing:
            by, given = self.require_for(Action.CREATE_ACCOUNT).account, (role,)
            if role not in roles.STARTING_ROLES:
                raise ValueError("a role that needs two people")
            slot = keys.make_slot(self.require().require_keys(), account.id, password)
        else:
            # A key file without any account is what a crash between the two steps left: it opens nothing.
            opened = keys.create_keys(self._home, self._home_id, account.id, password)
            from compliance.refutation import publish  # it knows accounts itself

            publish(self._home, self._rows, self._ledger.origin, opened)
        with self._rows.write() as connection:
            if slot is not None:
                keys.put_slot(self._home, slot)
            row = {"id": account.id, "username": username, "created_at": account.created_at, "state": account.state}
            connection.execute(insert(store.account).values(**row))
            self._ledger.append(connection, "account_created", {"account": account.id, "by": by.id})
            roles.give(connection, self._ledger, account.id, given, [by.id], self._clock())
        return account

    # --- signing in --------------------------------------------------------------------------------------------------

    def _attempt(self, account: Account, password: str, code: str | None, kind: str) -> tuple[HomeKeys, bool]:
        """The opened keys, and whether every factor was shown; wrong ones are counted.

        kind: the ledger's word for success. Raises TooManyAttempts, AccountUnbound, WrongPassword, WrongCode,
        CodeNeeded.
        """
        with self._rows.write() as connection:
            refusal = lockout.begin(connection, account.id, account.username, self._clock())
        if refusal is not None:
            raise refusal
        try:
            opened, took_ms = self._open_slot(account, password)
            whole = self._take_code(opened, account, code)
            if not whole and kind != "unlocked":
                raise CodeNeeded(account=account.username)
        except WrongPassword:
            with self._rows.write() as connection:
                self._ledger.append(connection, "sign_in_refused", {"account": account.id})
                if lockout.failed(connection, account.id):
                    self._ledger.append(connection, "account_unbound", {"account": account.id})
                    session.end(connection, account.id)
            raise
        except SignetError:
            with self._rows.write() as connection:
                lockout.taken_back(connection, account.id)
            raise
        stronger = self._stronger_slot(opened, account, password, took_ms)
        with self._rows.write() as connection:
            lockout.passed(connection, account.id, whole=whole)
            moment = store.utc_text(self._clock())
            seen = update(store.account).where(store.account.c.id == account.id).values(last_seen_at=moment)
            connection.execute(seen)
            self._ledger.append(connection, kind, {"account": account.id})
            if stronger is not None:
                keys.put_slot(self._home, stronger)
                self._ledger.append(connection, "password_rehashed", {"account": account.id})
        return opened, whole

    def _open_slot(self, account: Account, password: str) -> tuple[HomeKeys, float]:
        began = time.perf_counter()
        opened = keys.unlock(self._home, account.id, account.username, password)
        return opened, (time.perf_counter() - began) * 1000

    def _take_code(self, opened: HomeKeys, account: Account, code: str | None) -> bool:
        """Whether the second factor was shown, or there is none. Raises WrongCode, SecondFactorGone, LedgerBroken."""
        entered = account_log(self._ledger).factors.get(account.id)
        with self._rows.write() as connection:
            if entered is not None:
                totp.verify_kept(connection, opened, account, entered)
            if not totp.is_asked_for(connection, opened, account.id):
                return True
            if code is None:
                return False
            totp.verify(connection, opened, account, code, self._clock())
            return True

    def _stronger_slot(self, opened: HomeKeys, account: Account, password: str, took_ms: float) -> keys.Slot | None:
        """A new slot where this machine tries the old one faster than it should."""
        if took_ms >= keys.FASTEST_MS:
            return None
        wanted = keys.choose_cost()
        if wanted.work() <= keys.slot_cost(self._home, account.id).work():
            return None
        return keys.make_slot(opened, account.id, password, wanted)

    def login(self, username: str, password: str, code: str | None = None) -> Session:
        """Sign in; counts as a step-up.

        Raises WrongPassword (also for an unknown name, after the same time), WrongCode, CodeNeeded, TooManyAttempts,
        AccountUnbound.
        """
        try:
            account = self.named(username)
            if account.state != "active":
                raise UnknownRecord(kind="account", id=username)
        except UnknownRecord as error:
            keys.waste_time(self._home, password)
            raise WrongPassword(account=username) from error
        opened, _ = self._attempt(account, password, code, "signed_in")
        with self._rows.write() as connection:
            state = session.begin(connection, self._home, opened, account.id, self._clock())
        self._hold(opened, state.profile.idle_s)
        return Session(account, state.expires_at, opened, state.stepped_up_at)

    def _hold(self, opened: HomeKeys, lifetime_s: int) -> None:
        ticket = session.read_ticket(self._home)
        if ticket is not None:
            self._opened = (ticket, opened)
        if self._held is not None:
            try:
                self._held.put(self._home_id, opened.home_key(), lifetime_s)
            except OSError:
                self._held = None

    def _release_keys(self) -> None:
        self._opened = None
        if self._held is not None:
            self._held.drop(self._home_id)

    def unlock(self, password: str, code: str | None = None) -> Session:
        """Open the keys of the session again; with every factor the account has it counts as a step-up.

        Raises NotSignedIn, WrongPassword, WrongCode, TooManyAttempts, AccountUnbound.
        """
        return self._again(password, code, "unlocked")

    def step_up(self, password: str, code: str | None = None) -> Session:
        """Show the password again, and the code where there is one, before a heavy step.

        Raises NotSignedIn, WrongPassword, WrongCode, CodeNeeded, TooManyAttempts, AccountUnbound.
        """
        return self._again(password, code, "stepped_up")

    def _again(self, password: str, code: str | None, kind: str) -> Session:
        account = self._signed_in().account
        opened, whole = self._attempt(account, password, code, kind)
        with self._rows.write() as connection:
            session.mark_active(connection, account.id, self._clock(), stepped_up=whole)
            profile = session.current_profile(connection)
        self._hold(opened, profile.idle_s)
        return self._signed_in()

    def logout(self) -> None:
        """Forget the session and the opened keys."""
        ended = self.current()
        self._release_keys()
        session.drop_ticket(self._home)
        with self._rows.write() as connection:
            session.end(connection)
            if ended is not None:
                self._ledger.append(connection, "signed_out", {"account": ended.account.id})

    def lock(self) -> None:
        """Close the keys now; the session stays and the password opens it again. Nothing happens without one."""
        open_session = self.current()
        self._release_keys()
        if open_session is not None:
            with self._rows.write() as connection:
                session.lock(connection, open_session.account.id)

    # --- the session -------------------------------------------------------------------------------------------------

    def current(self) -> Session | None:
        """The open session, or None when nobody is signed in or its time is over; asking is no activity."""
        ticket = session.read_ticket(self._home)
        if ticket is None:
            return None
        table = store.account
        with self._rows.read() as connection:
            state = session.state_of(connection, ticket)
            row = connection.execute(
                select(table.c.id, table.c.username, table.c.created_at, table.c.state).where(
                    table.c.id == ticket.account_id, table.c.state == "active", table.c.bound == 1
                )
            ).one_or_none()
        at = self._clock()
        if state is None or row is None or state.is_over(at):
            self._opened = None
            return None
        found = Session(Account(*row), state.expires_at, None, state.stepped_up_at)
        if state.is_idle(at):
            self._release_keys()
            return found
        if self._opened is None or self._opened[0] != ticket:
            held = self._held.get(self._home_id) if self._held is not None else None
            if held is None:
                return found
            self._opened = (ticket, keys.open_keys(self._home, held))
        opened = self._opened[1]
        # A ticket that was written by hand names anybody, but is sealed by nobody.
        return replace(found, keys=opened) if ticket.is_sealed_by(opened) else None

    def _signed_in(self) -> Session:
        found = self.current()
        if found is None:
            raise NotSignedIn
        return found

    def require(self) -> Session:
        """The open session, and a sign that somebody is here; raises NotSignedIn."""
        found = self._signed_in()
        if found.keys is not None:
            self.mark_active()
        return found

    def mark_active(self) -> None:
        """Somebody did something; a session that rests too long already stays locked."""
        ticket = session.read_ticket(self._home)
        if ticket is None:
            return
        at = self._clock()
        with self._rows.read() as connection:
            state = session.state_of(connection, ticket)
        if state is None or state.is_over(at) or state.is_idle(at) or not session.wants_mark(state, at):
            return
        with self._rows.write() as connection:
            session.mark_active(connection, ticket.account_id, at)
        if self._opened is not None and self._opened[0] == ticket:
            self._hold(self._opened[1], state.profile.idle_s)

    def verify_stepped_up(self, of: Session) -> None:
        """Raise StepUpNeeded unless the password was given lately enough for a heavy step.

        Raises SessionLocked where the keys are closed: only open keys tell a session from one that was written by hand.
        Raises NotSignedIn.
        """
        of.require_keys()
        ticket = session.read_ticket(self._home)
        with self._rows.read() as connection:
            state = session.state_of(connection, ticket) if ticket is not None else None
        if state is None or ticket is None or ticket.account_id != of.account.id:
            raise NotSignedIn
        if not state.is_stepped_up(self._clock()):
            raise StepUpNeeded(account=of.account.username, minutes=state.profile.step_up_s // 60)

    def require_for(self, action: Action) -> Session:
        """The open session of an account that may do this; for a heavy step also lately confirmed by the password.

        Raises NotSignedIn, RoleMissing, StepUpNeeded, and SessionLocked before a heavy step.
        """
        found = self.require()
        roles.verify_may(self._rows, found.account, action)
        if action in roles.STEP_UP:
            self.verify_stepped_up(found)
        return found

    # --- profile -----------------------------------------------------------------------------------------------------

    def profile(self) -> session.Profile:
        """The times that hold in this home."""
        with self._rows.read() as connection:
            return session.current_profile(connection)

    def set_profile(self, name: str) -> session.Profile:
        """Choose the times of sessions, as an admin.

        Raises ProfileUnknown, NotSignedIn, RoleMissing, StepUpNeeded.
        """
        chosen = session.profile_named(name)
        by = self.require_for(Action.CHANGE_PROFILE).account
        with self._rows.write() as connection:
            connection.execute(update(store.home).values(profile=chosen.name))
            self._ledger.append(connection, "profile_changed", {"profile": chosen.name, "by": by.id})
        return chosen

    # --- password, second factor, closing ----------------------------------------------------------------------------

    def change_password(self, old: str, new: str, code: str | None = None) -> None:
        """Change the password of who is signed in; every session of the account ends.

        Raises NotSignedIn, WeakPassword, WrongPassword, WrongCode, CodeNeeded, TooManyAttempts.
        """
        account = self._signed_in().account
        _verify_strong(new)
        opened, _ = self._attempt(account, old, code, "stepped_up")
        self.replace_slot(keys.make_slot(opened, account.id, new), "password_changed", {"account": account.id})
        session.drop_ticket(self._home)

    def replace_slot(
        self,
        slot: keys.Slot,
        kind: str,
        fields: dict[str, str],
        first: Callable[[Connection], None] = lambda _connection: None,
    ) -> None:
        """Write a new slot, with its entry, and end the sessions of its account; `first` may still refuse it."""
        with self._rows.write() as connection:
            first(connection)
            self._ledger.append(connection, kind, fields)
            session.end(connection, slot.account_id)
            keys.put_slot(self._home, slot)
        self._release_keys_of(slot.account_id)

    def _release_keys_of(self, account_id: str) -> None:
        ticket = session.read_ticket(self._home)
        if ticket is None or ticket.account_id == account_id:
            self._release_keys()

    def enroll_totp(self) -> totp.Enrolment:
        """Begin with a second factor; it is asked for once a code confirmed it.

        Raises NotSignedIn, SessionLocked, StepUpNeeded, CodeAlreadySetUp.
        """
        found = self.require()
        opened = found.require_keys()
        self.verify_stepped_up(found)
        with self._rows.write() as connection:
            return totp.enroll(connection, opened, found.account)

    def confirm_totp(self, code: str) -> None:
        """Show that the authenticator works; raises CodeNotSetUp, CodeAlreadySetUp, WrongCode, SessionLocked."""
        found = self.require()
        with self._rows.write() as connection:
            sealed = totp.confirm(connection, found.require_keys(), found.account, code, self._clock())
            fields = {"account": found.account.id, "sealed_sha256": sealed}
            self._ledger.append(connection, "second_factor_set", fields)

    def disable_totp(self) -> None:
        """Take the second factor away; raises NotSignedIn, SessionLocked, StepUpNeeded, CodeNotSetUp."""
        found = self.require()
        self.verify_stepped_up(found)
        with self._rows.write() as connection:
            if not totp.has_secret(connection, found.account.id):
                raise CodeNotSetUp(account=found.account.username)
            totp.remove(connection, found.account.id)
            self._ledger.append(connection, "second_factor_removed", {"account": found.account.id})

    def close_account(self, password: str, code: str | None = None) -> None:
        """Close the account that is signed in, for good: its name and all that is sealed for it can be read by nobody.

        The entries of the ledger and released files stay; they know the account by its id alone (PIPL 47). Raises
        NotSignedIn, LastAdmin, WrongPassword, WrongCode, CodeNeeded, TooManyAttempts.
        """
        account = self._signed_in().account
        with self._rows.read() as connection:
            if Role.ADMIN in roles.roles_of(connection, account.id):
                roles.verify_not_last_admin(connection, account)
        self._attempt(account, password, code, "stepped_up")
        with self._rows.write() as connection:
            if Role.ADMIN in roles.roles_of(connection, account.id):
                roles.verify_not_last_admin(connection, account)
            roles.take_all(connection, self._ledger, account.id)
            totp.remove(connection, account.id)
            session.end(connection, account.id)
            values = {"state": "closed", "username": account.id, "sealed_person": None}
            connection.execute(update(store.account).where(store.account.c.id == account.id).values(**values))
            table = store.identity_proof
            connection.execute(delete(table).where(table.c.account_id == account.id))
            keys.drop_slot(self._home, account.id)
            self._ledger.append(connection, "account_closed", {"account": account.id})
        self._release_keys()
        session.drop_ticket(self._home)
        try:
            shred(self._rows, self._ledger, account.id)
        except UnknownRecord:
            pass  # nothing was ever sealed for this account


def _verify_strong(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD:
        raise WeakPassword(minimum=MINIMUM_PASSWORD)
