"""Wrong passwords: what they cost, across processes and restarts, and who ends it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from compliance import lockout, store
from compliance.account import Accounts
from compliance.clock import now
from compliance.errors import (
    AccountError,
    AccountUnbound,
    NotVerified,
    OwnWork,
    RoleMissing,
    SecondPersonNeeded,
    TooManyAttempts,
    UnknownRecord,
    WeakPassword,
    WrongPassword,
)
from compliance.identity import in_person
from tests.compliance.home import PASSWORD, Home, prove

NEW = "another horse"


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = now()

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def watch() -> Watch:
    """One clock for the test."""
    return Watch()


@pytest.fixture
def timed(home: Home, watch: Watch):
    """The furnished home under that clock."""
    opened = Home.open(home.folder, clock=watch)
    yield opened
    opened.rows.close()


def failures(home: Home, count: int, name: str = "maria") -> None:
    """As if that many wrong passwords had been given in a row, the last wait being over."""
    with home.rows.write() as connection:
        values = {"failed_attempts": count, "cumulative_failures": count, "locked_until": None}
        connection.execute(sa.update(store.account).where(store.account.c.username == name).values(**values))


def wrong(accounts: Accounts, name: str = "maria") -> None:
    """One wrong password."""
    with pytest.raises(WrongPassword):
        accounts.login(name, "wrong horse")


def test_the_ladder() -> None:
    """Five are free, then 1 s doubling to 60 s, 20 minutes at every tenth, an hour from the hundredth on."""
    assert [lockout.wait_s(count) for count in range(1, 15)] == [0, 0, 0, 0, 1, 2, 4, 8, 16, 1200, 60, 60, 60, 60]
    assert [lockout.wait_s(count) for count in (20, 90, 99, 100, 101, 500)] == [1200, 1200, 60, 3600, 3600, 3600]


def test_every_wait_is_kept_to_the_second(timed: Home, watch: Watch) -> None:
    """A try before its time is refused without looking at the password, and costs nothing more."""
    for count in range(1, 11):
        wrong(timed.accounts)
        wait_s = lockout.wait_s(count)
        if wait_s:
            for early_s in (0, wait_s - 1):
                watch.moment += timedelta(seconds=early_s)
                with pytest.raises(TooManyAttempts) as refusal:
                    timed.accounts.login("maria", PASSWORD)
                assert refusal.value.data["wait_s"] == wait_s - early_s
                watch.moment -= timedelta(seconds=early_s)
            watch.moment += timedelta(seconds=wait_s)
    timed.accounts.login("maria", PASSWORD)
    assert timed.accounts.standing(timed.accounts.named("maria")).failures == 0


def test_waits_survive_a_restart_and_hold_in_every_process(timed: Home, watch: Watch) -> None:
    """A new process meets the wait that another one earned."""
    for _ in range(5):
        wrong(timed.accounts)
    again = Home.open(timed.folder, clock=watch)
    with pytest.raises(TooManyAttempts):
        again.accounts.login("maria", PASSWORD)
    again.rows.close()


def test_many_at_once_have_no_more_tries(timed: Home, watch: Watch) -> None:
    """Eight that guess at the same moment, each with its own way into the database, get five tries; the rest wait."""
    start = threading.Barrier(8)

    def guess(_number: int) -> str:
        other = Home.open(timed.folder, clock=watch)
        start.wait(30)
        try:
            other.accounts.login("maria", "wrong horse")
        except AccountError as error:
            return error.name
        finally:
            other.rows.close()
        return "signed in"

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(guess, range(8)))
    assert said == ["TooManyAttempts"] * 3 + ["WrongPassword"] * 5
    assert timed.accounts.standing(timed.accounts.named("maria")).failures == 5


def test_a_try_that_was_killed_counts(timed: Home) -> None:
    """The attempt is on the disk before the password is tried."""
    with timed.rows.write() as connection:
        maria = timed.accounts.named("maria")
        assert lockout.begin(connection, maria.id, maria.username, now()) is None
    assert timed.accounts.standing(maria).failures == 1


def test_a_clock_set_back_costs_no_year(timed: Home, watch: Watch) -> None:
    """The wait begins anew under the earlier clock and ends after its own length."""
    for _ in range(7):
        wrong(timed.accounts)
        watch.moment += timedelta(seconds=61)
    wrong(timed.accounts)
    watch.moment -= timedelta(days=3650)
    with pytest.raises(TooManyAttempts) as refusal:
        timed.accounts.login("maria", PASSWORD)
    assert refusal.value.data["wait_s"] == 8
    watch.moment += timedelta(seconds=8)
    timed.accounts.login("maria", PASSWORD)


def test_alone_the_hundredth_costs_an_hour_but_never_the_home(timed: Home, watch: Watch) -> None:
    """Where nobody could bind the account again it is not unbound, or a passer-by could close the home for good."""
    failures(timed, lockout.LIMIT - 1)
    wrong(timed.accounts)
    with pytest.raises(TooManyAttempts) as refusal:
        timed.accounts.login("maria", PASSWORD)
    assert refusal.value.data["wait_s"] == 3600
    watch.moment += timedelta(hours=1)
    timed.accounts.login("maria", PASSWORD)


# --- binding again ---------------------------------------------------------------------------------------------------


@pytest.fixture
def studio(timed: Home) -> Home:
    """maria (admin, signed in), paul and rosa, all proven; paul's hundredth wrong password was just given."""
    timed.accounts.login("maria", PASSWORD)
    for name in ("paul", "rosa"):
        account = timed.accounts.create(name, PASSWORD)
        prove(timed, account, f"{name.title()} Example")
    failures(timed, lockout.LIMIT - 1, "paul")
    wrong(timed.accounts, "paul")
    return timed


def rebind(home: Home, by: str, proposal_id: str | None, password: str = NEW, name: str = "paul") -> None:
    """Bind an account again, as somebody."""
    keys = home.session().require_keys()
    accounts = home.accounts
    in_person.rebind(
        accounts, home.rows, home.ledger, keys, accounts.named(by), accounts.named(name), password, proposal_id, now()
    )


def propose(home: Home, by: str, name: str = "paul") -> str:
    """Ask for that, as somebody; the id of the proposal."""
    accounts = home.accounts
    return in_person.propose_rebinding(home.rows, home.ledger, accounts.named(by), accounts.named(name), now()).id


def test_the_hundredth_wrong_password_unbinds(studio: Home, watch: Watch) -> None:
    """Not even the right password opens the account then, whatever the time; the log says so once."""
    watch.moment += timedelta(days=1)
    for password in (PASSWORD, "wrong horse"):
        with pytest.raises(AccountUnbound):
            studio.accounts.login("paul", password)
    assert studio.events().count("account_unbound") == 1
    assert not studio.accounts.standing(studio.accounts.named("paul")).is_bound


def test_an_open_session_ends_when_the_account_is_unbound(studio: Home) -> None:
    """Whoever still sits there is signed out."""
    studio.accounts.login("rosa", PASSWORD)
    failures(studio, lockout.LIMIT - 1, "rosa")
    wrong(studio.accounts, "rosa")
    assert studio.accounts.current() is None
    rosa = studio.accounts.named("rosa").id
    with studio.rows.read() as connection:
        left = sa.select(store.session_state.c.opened_at).where(store.session_state.c.account_id == rosa)
        assert connection.execute(left).all() == []


def test_one_person_alone_binds_nobody_where_two_are_left(studio: Home) -> None:
    """Neither without a proposal, nor confirming one's own, nor the person concerned; nor is the password weak."""
    with pytest.raises(SecondPersonNeeded):
        rebind(studio, "maria", None)
    proposal = propose(studio, "maria")
    with pytest.raises(OwnWork):
        rebind(studio, "maria", proposal)
    with pytest.raises(OwnWork):
        rebind(studio, "paul", proposal)
    with pytest.raises(WeakPassword):
        rebind(studio, "rosa", proposal, "short")
    with pytest.raises(AccountUnbound):
        studio.accounts.login("paul", NEW)


def test_who_may_not_ask_does_not(studio: Home) -> None:
    """Only an admin, about somebody else, and with an identity of their own."""
    with pytest.raises(RoleMissing):
        propose(studio, "rosa")
    with pytest.raises(OwnWork):
        propose(studio, "paul")
    with studio.rows.write() as connection:
        connection.execute(sa.delete(store.identity_proof))
    with pytest.raises(NotVerified):
        propose(studio, "maria")


def test_two_people_bind_an_account_again(studio: Home, watch: Watch) -> None:
    """Asked for by the admin, confirmed by another one: the new password opens it, the old one does not."""
    proposal = propose(studio, "maria")
    rebind(studio, "rosa", proposal)
    with pytest.raises(UnknownRecord):
        rebind(studio, "rosa", proposal)
    wrong_before = studio.accounts.standing(studio.accounts.named("paul")).failures
    with pytest.raises(WrongPassword):
        studio.accounts.login("paul", PASSWORD)
    assert studio.accounts.login("paul", NEW).account.username == "paul"
    assert wrong_before == 0
    assert "account_rebound" in studio.events()


def test_a_proposal_about_one_account_binds_no_other(studio: Home) -> None:
    """A confirmed id does not carry a new password into another account."""
    proposal = propose(studio, "maria")
    with pytest.raises(UnknownRecord):
        rebind(studio, "rosa", proposal, name="maria")


def test_where_two_are_the_other_one_binds(timed: Home) -> None:
    """In the smallest studio the only other account is enough, and only for an account that is unbound."""
    timed.accounts.login("maria", PASSWORD)
    paul = timed.accounts.create("paul", PASSWORD)
    prove(timed, paul, "Paul Example")
    with pytest.raises(SecondPersonNeeded):
        rebind(timed, "maria", None)
    failures(timed, lockout.LIMIT - 1, "paul")
    wrong(timed.accounts, "paul")
    rebind(timed, "maria", None)
    timed.accounts.login("paul", NEW)
    # The only admin too, by the one who is left.
    failures(timed, lockout.LIMIT - 1)
    wrong(timed.accounts)
    rebind(timed, "paul", None, name="maria")
    timed.accounts.login("maria", NEW)
