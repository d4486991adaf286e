"""Accounts as a machine: whatever is done in whatever order, what must hold of them holds after every step."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from compliance import identity, lockout, roles, store
from compliance.account import Session
from compliance.clock import now
from compliance.errors import (
    AccountError,
    AccountUnbound,
    LastAdmin,
    NotSignedIn,
    SessionLocked,
    TooManyAttempts,
    UnknownRecord,
    WrongPassword,
)
from compliance.identity import in_person
from compliance.roles import Role
from tests.compliance.home import Home, lower_the_cost_of_passwords, prove

_WAYS_OUT = (AccountError, UnknownRecord)


class AccountsMachine(RuleBasedStateMachine):
    """Up to four people; the model knows passwords, wrong attempts and when somebody may try again."""

    accounts = Bundle("accounts")

    def __init__(self) -> None:
        super().__init__()
        lower_the_cost_of_passwords()
        self.folder = Path(tempfile.mkdtemp(prefix="signet-machine-"))
        self.moment = now()
        self.home = Home.open(self.folder / "home", clock=lambda: self.moment)
        self.passwords: dict[str, str] = {}
        self.failures: dict[str, int] = {}
        self.until = dict.fromkeys(self.passwords, self.moment)
        self.signed_in: str | None = None
        self.seen = self.moment
        self.proven: set[str] = set()

    def teardown(self) -> None:
        self.home.rows.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what is done --------------------------------------------------------------------------------------------

    @initialize(target=accounts)
    def begin(self) -> str:
        """The first account, signed in and proven."""
        self._add("maria")
        self.login("maria", right=True)
        self._declare("maria")
        return "maria"

    def _add(self, name: str) -> None:
        self.home.accounts.create(name, f"password of {name}")
        self.passwords[name], self.failures[name], self.until[name] = f"password of {name}", 0, self.moment

    @rule(target=accounts, name=st.sampled_from(["paul", "rosa", "ines"]), proven=st.booleans())
    def create(self, name: str, proven: bool):
        """Only an admin whose keys are open makes accounts; some have shown who they are."""
        if name in self.passwords:
            return multiple()
        session = self.home.accounts.current()
        try:
            self._add(name)
            self.seen = self.moment
        except AccountError:
            assert session is None or session.keys is None or not self._is_admin(session.account.username)
            return multiple()
        if proven:
            self._declare(name)
        return name

    def _declare(self, name: str) -> None:
        prove(self.home, self.home.accounts.named(name), f"Person {name}")
        self.proven.add(name)

    @rule(name=accounts, right=st.booleans())
    def login(self, name: str, right: bool) -> None:
        """A right password opens, unless there is a wait; a wrong one never does."""
        self._try(name, right, lambda password: self.home.accounts.login(name, password), name)

    @rule(right=st.booleans())
    def step_up(self, right: bool) -> None:
        """The same ladder as at the door; without a session there is nothing to step up."""
        session = self.home.accounts.current()
        if session is None:
            try:
                self.home.accounts.step_up("whatever")
            except NotSignedIn:
                return
            raise AssertionError("nobody was signed in")
        self._try(session.account.username, right, self.home.accounts.step_up, session.account.username)

    def _try(self, name: str, right: bool, act, then: str | None) -> None:
        waits = self.moment < self.until[name]
        if name not in self.passwords:
            expected = WrongPassword
        elif self._is_unbound(name):
            expected = AccountUnbound
        elif waits:
            expected = TooManyAttempts
        else:
            expected = None if right else WrongPassword
        password = self.passwords.get(name, "password of nobody") if right else "never the right one"
        try:
            act(password)
        except AccountError as error:
            assert expected is not None, f"refused with {error.name}"
            assert type(error) is expected
            if expected is WrongPassword and name in self.passwords:
                self.failures[name] += 1
                wait_s = lockout.wait_s(self.failures[name])
                self.until[name] = self.moment + timedelta(seconds=wait_s)
            return
        assert expected is None, f"let in instead of {expected}"
        self.failures[name] = 0
        self.signed_in, self.seen = then, self.moment

    @rule(seconds=st.sampled_from([60, 1801, 12 * 3600]))
    def time_passes(self, seconds: int) -> None:
        """The clock goes on."""
        self.moment += timedelta(seconds=seconds)

    @rule(name=accounts, count=st.sampled_from([0, 4, 9, 98, 99]), pause_s=st.sampled_from([0, 1, 59, 1200]))
    def guess(self, name: str, count: int, pause_s: int) -> None:
        """So many wrong passwords, as in hours of guessing; then one more, and after a pause the right one."""
        if name in self.passwords and not self._is_unbound(name) and self.failures[name] < count:
            with self.home.rows.write() as connection:
                values = {"failed_attempts": count, "cumulative_failures": count, "locked_until": None}
                connection.execute(sa.update(store.account).where(store.account.c.username == name).values(**values))
            self.failures[name], self.until[name] = count, self.moment
        self.login(name, right=False)
        self.moment += timedelta(seconds=pause_s)
        self.login(name, right=True)

    @rule()
    def logout(self) -> None:
        """Nobody is signed in afterwards."""
        self.home.accounts.logout()
        self.signed_in = None
        assert self.home.accounts.current() is None

    @rule()
    def lock(self) -> None:
        """Keys are closed; who is signed in stays."""
        self.home.accounts.lock()
        session = self.home.accounts.current()
        assert session is None or session.keys is None

    def _as(self, name: str) -> Session | None:
        """The session of somebody who signs in with the right password now, where that is possible."""
        self.login(name, right=True)
        session = self.home.accounts.current()
        return session if session is not None and session.account.username == name else None

    @rule(by=accounts, second=accounts, about=accounts, role=st.sampled_from(list(Role)), revokes=st.booleans())
    def change_roles(self, by: str, second: str, about: str, role: Role, revokes: bool) -> None:
        """One asks, another confirms; what comes of it had two proven people, or there was only one."""
        first = self._as(by)
        if first is None or about not in self.passwords:
            return
        account, rows, ledger = self.home.accounts.named(about), self.home.rows, self.home.ledger
        before = self.home.accounts.standing(account).roles
        with contextlib.suppress(*_WAYS_OUT):
            change = roles.revoke_role if revokes else roles.grant_role
            made = change(rows, ledger, first.account, account, role, self.moment)
            assert self._is_admin(by) or role is Role.ADMIN
            assert (made is None) == (self._active() == 1)
            confirming = self._as(second) if made is not None else None
            if made is not None and confirming is not None:
                assert self.home.accounts.standing(account).roles == before
                roles.confirm_role(rows, ledger, confirming.account, made, account, self.moment)
                assert second not in (by, *([about] if self._active() > 2 else []))
                assert second in self.proven
            return
        assert self.home.accounts.standing(account).roles == before

    @rule(by=accounts, second=accounts, about=accounts)
    def vouch(self, by: str, second: str, about: str) -> None:
        """One attests somebody, another confirms: three different people, two of them proven before."""
        first = self._as(by)
        if first is None or first.keys is None or about not in self.passwords:
            return
        account, rows, ledger, keys = self.home.accounts.named(about), self.home.rows, self.home.ledger, first.keys
        with contextlib.suppress(*_WAYS_OUT):
            name = f"Person {about}"
            made = in_person.attest(rows, ledger, keys, first.account, account, "passport", name, None, self.moment)
            confirming = self._as(second)
            if confirming is not None:
                in_person.confirm(rows, ledger, keys, confirming.account, made.id, account, self.moment)
                assert len({by, second, about}) == 3
                assert {by, second} <= self.proven
                self.proven.add(about)

    @rule(new=st.sampled_from(["a new password", "another password"]))
    def change_password(self, new: str) -> None:
        """The old one is asked for, and the session ends."""
        session = self.home.accounts.current()
        if session is None or self._is_unbound(session.account.username):
            return
        name = session.account.username
        if self.moment < self.until[name]:
            return
        self.home.accounts.change_password(self.passwords[name], new)
        self.passwords[name], self.failures[name], self.signed_in = new, 0, None
        assert self.home.accounts.current() is None

    @rule()
    def close(self) -> None:
        """Whoever is signed in closes their account; the last admin cannot."""
        session = self.home.accounts.current()
        if session is None:
            return
        name = session.account.username
        try:
            self.home.accounts.close_account(self.passwords[name])
        except LastAdmin:
            assert self._is_admin(name)
            return
        except (TooManyAttempts, AccountUnbound):
            return
        del self.passwords[name]
        self.proven.discard(name)
        self.signed_in = None

    # --- what holds ----------------------------------------------------------------------------------------------

    def _is_admin(self, name: str) -> bool:
        return Role.ADMIN in self.home.accounts.standing(self.home.accounts.named(name)).roles

    def _is_unbound(self, name: str) -> bool:
        if name not in self.passwords:
            return False
        standing = self.home.accounts.standing(self.home.accounts.named(name))
        return not standing.is_bound or (standing.failures >= lockout.LIMIT and self._active(besides=name) > 0)

    def _active(self, besides: str = "") -> int:
        accounts = [one for one in self.home.accounts.all() if one.state == "active" and one.username != besides]
        return sum(self.home.accounts.standing(one).is_bound for one in accounts)

    @invariant()
    def nobody_is_signed_in_without_their_password(self) -> None:
        """The session is that of the last one who gave a right password, or there is none."""
        session = self.home.accounts.current()
        assert session is None or session.account.username == self.signed_in

    @invariant()
    def sessions_end(self) -> None:
        """Nothing is older than twelve hours, and the keys close after half an hour without an act."""
        session = self.home.accounts.current()
        if session is not None:
            assert self.moment < session.expires_at <= self.moment + timedelta(hours=12)
            assert session.keys is None or self.moment - self.seen <= timedelta(minutes=30)

    @invariant()
    def somebody_looks_after_the_home(self) -> None:
        """An account that is not closed has the role admin, from the first account on."""
        open_accounts = [one for one in self.home.accounts.all() if one.state == "active"]
        holders = [one for one in open_accounts if Role.ADMIN in self.home.accounts.standing(one).roles]
        assert holders or not self.passwords

    @invariant()
    def nobody_proved_themselves(self) -> None:
        """Every proof of level L1 names two others, who are not the same."""
        for account in self.home.accounts.all():
            for proof in identity.proofs_of(self.home.rows, account.id):
                if proof.level == "L1":
                    assert len({account.id, proof.verifier, proof.second}) == 3
                else:
                    assert (proof.verifier, proof.second) == (None, None)

    @invariant()
    def waits_are_counted(self) -> None:
        """The wrong attempts of the store are those of the model."""
        for name in self.passwords:
            assert self.home.accounts.standing(self.home.accounts.named(name)).failures == self.failures[name]

    @invariant()
    def closed_keys_open_nothing(self) -> None:
        """What needs the keys is refused while they are closed."""
        session = self.home.accounts.current()
        if session is not None and session.keys is None:
            try:
                self.home.accounts.verify_stepped_up(session)
            except SessionLocked:
                return
            raise AssertionError("a heavy step with closed keys")


TestAccountsMachine = AccountsMachine.TestCase
TestAccountsMachine.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
