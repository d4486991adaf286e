"""Accounts: who works here. The password is checked by opening the account's key slot (compliance.keys)."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from compliance import keys, store
from compliance.clock import now, stamp
from compliance.errors import (
    AccountExists,
    AccountNameInvalid,
    NotSignedIn,
    SessionLocked,
    TooManyAttempts,
    UnknownRecord,
    WeakPassword,
    WrongPassword,
)
from compliance.keys import HomeKeys
from compliance.ledger import Ledger
from compliance.session_keys import SessionKeyring
from compliance.storage import write_atomically

MINIMUM_PASSWORD = 8
SESSION_LIFETIME_S = 12 * 3600
_FREE_ATTEMPTS, _LONGEST_WAIT_S = 5, 60
_USERNAME = re.compile(r"[\w.\-]{2,40}")
_SESSION_FILE = "session.json"


@dataclass(frozen=True, slots=True)
class Account:
    """One operator. state is "active"; the person's real name is sealed and not part of this."""

    id: str
    username: str
    created_at: str
    state: str


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in until when; keys is None while this machine cannot hold them open."""

    account: Account
    expires_at: datetime
    keys: HomeKeys | None

    def require_keys(self) -> HomeKeys:
        """The opened keys; raises SessionLocked."""
        if self.keys is None:
            raise SessionLocked(account=self.account.username)
        return self.keys


class Accounts:
    """The accounts of one home and the session that is open in it."""

    def __init__(
        self, home: Path, home_id: str, rows: store.Store, ledger: Ledger, held: SessionKeyring | None
    ) -> None:
        self._home, self._home_id, self._rows, self._ledger, self._held = home, home_id, rows, ledger, held
        self._opened: tuple[str, HomeKeys] | None = None

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

    def create(self, username: str, password: str) -> Account:
        """Make an account; the first makes the home's keys, later ones need an open session.

        Raises AccountNameInvalid, AccountExists, WeakPassword, NotSignedIn, SessionLocked.
        """
        if not _USERNAME.fullmatch(username):
            raise AccountNameInvalid(account=username)
        existing = self.all()
        if any(account.username.casefold() == username.casefold() for account in existing):
            raise AccountExists(account=username)
        if len(password) < MINIMUM_PASSWORD:
            raise WeakPassword(minimum=MINIMUM_PASSWORD)
        account = Account(f"acc-{secrets.token_hex(5)}", username, stamp(), "active")
        if existing:
            keys.add_slot(self._home, self.require().require_keys(), account.id, password)
        else:
            # A key file without any account is what a crash between the two steps left: it opens nothing.
            keys.create_keys(self._home, self._home_id, account.id, password)
        with self._rows.write() as connection:
            connection.execute(
                insert(store.account).values(
                    id=account.id, username=username, created_at=account.created_at, state=account.state
                )
            )
            self._ledger.append(connection, "account_created", {"account": account.id})
        return account

    def _attempt(self, account: Account, password: str) -> HomeKeys:
        table = store.account
        with self._rows.read() as connection:
            failed, locked_until = connection.execute(
                select(table.c.failed_attempts, table.c.locked_until).where(table.c.id == account.id)
            ).one()
        if locked_until is not None:
            wait_s = (datetime.fromisoformat(locked_until) - now()).total_seconds()
            if wait_s > 0:
                raise TooManyAttempts(account=account.username, wait_s=int(wait_s) + 1)
        try:
            opened = keys.unlock(self._home, account.id, account.username, password)
        except WrongPassword:
            failed += 1
            until = None
            if failed >= _FREE_ATTEMPTS:
                wait_s = min(2 ** (failed - _FREE_ATTEMPTS), _LONGEST_WAIT_S)
                until = stamp(now() + timedelta(seconds=wait_s))
            with self._rows.write() as connection:
                connection.execute(
                    update(table).where(table.c.id == account.id).values(failed_attempts=failed, locked_until=until)
                )
                self._ledger.append(connection, "sign_in_refused", {"account": account.id})
            raise
        with self._rows.write() as connection:
            connection.execute(
                update(table).where(table.c.id == account.id).values(failed_attempts=0, locked_until=None)
            )
            self._ledger.append(connection, "signed_in", {"account": account.id})
        return opened

    def login(self, username: str, password: str) -> Session:
        """Sign in; raises WrongPassword (also for an unknown name, after the same time), TooManyAttempts."""
        try:
            account = self.named(username)
        except UnknownRecord as error:
            keys.waste_time(password)
            raise WrongPassword(account=username) from error
        opened = self._attempt(account, password)
        expires_at = now() + timedelta(seconds=SESSION_LIFETIME_S)
        content = {"account": account.id, "expires_at": stamp(expires_at)}
        write_atomically(self._home / _SESSION_FILE, json.dumps(content).encode())
        self._opened = (account.id, opened)
        if self._held is not None:
            try:
                self._held.put(self._home_id, opened.home_key(), SESSION_LIFETIME_S)
            except OSError:
                self._held = None
        return Session(account, expires_at, opened)

    def unlock(self, password: str) -> Session:
        """Open the keys of the session again; raises NotSignedIn, WrongPassword, TooManyAttempts."""
        session = self.require()
        opened = self._attempt(session.account, password)
        self._opened = (session.account.id, opened)
        return Session(session.account, session.expires_at, opened)

    def logout(self) -> None:
        """Forget the session and the opened keys."""
        session = self.current()
        self._opened = None
        if self._held is not None:
            self._held.drop(self._home_id)
        (self._home / _SESSION_FILE).unlink(missing_ok=True)
        if session is not None:
            self._ledger.append_now("signed_out", {"account": session.account.id})

    def current(self) -> Session | None:
        """The open session, or None when nobody is signed in or the time is over."""
        try:
            content = json.loads((self._home / _SESSION_FILE).read_bytes())
            account_id, expires_at = content["account"], datetime.fromisoformat(content["expires_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if now() >= expires_at:
            return None
        account = next((a for a in self.all() if a.id == account_id and a.state == "active"), None)
        if account is None:
            return None
        if self._opened is not None and self._opened[0] == account_id:
            return Session(account, expires_at, self._opened[1])
        held = self._held.get(self._home_id) if self._held is not None else None
        if held is None:
            return Session(account, expires_at, None)
        opened = keys.open_keys(self._home, held)
        self._opened = (account_id, opened)
        return Session(account, expires_at, opened)

    def require(self) -> Session:
        """The open session; raises NotSignedIn."""
        session = self.current()
        if session is None:
            raise NotSignedIn
        return session
