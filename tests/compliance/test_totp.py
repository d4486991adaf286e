"""The second factor: codes of RFC 6238, each taken once, asked for at the door and at heavy steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa

from compliance import lockout, store, totp
from compliance.account import Accounts
from compliance.errors import (
    CodeAlreadySetUp,
    CodeNeeded,
    CodeNotSetUp,
    KeysDamaged,
    SecondFactorGone,
    StepUpNeeded,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from tests.compliance.home import PASSWORD, Home

STEP = timedelta(seconds=totp.STEP_S)


class Watch:
    """A clock that stands still until it is moved; starts in the middle of a step."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).replace(second=15, microsecond=0)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def watch() -> Watch:
    """One clock for the test."""
    return Watch()


@pytest.fixture
def accounts(home: Home, watch: Watch):
    """The accounts of a furnished home under that clock, maria signed in."""
    opened = Home.open(home.folder, clock=watch)
    opened.accounts.login("maria", PASSWORD)
    yield opened.accounts
    opened.rows.close()


def code_at(secret: str, moment: datetime, steps: int = 0) -> str:
    """What the authenticator shows so many steps later."""
    return pyotp.TOTP(secret).at(moment + steps * STEP)


@pytest.fixture
def secret(accounts: Accounts, watch: Watch) -> str:
    """maria's secret, confirmed one step ago."""
    made = accounts.enroll_totp().secret
    accounts.confirm_totp(code_at(made, watch()))
    watch.moment += STEP
    return made


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_password_alone_does_not_sign_in(accounts: Accounts, secret: str) -> None:
    """With a factor set up the password is refused without a code, and that is no wrong attempt."""
    accounts.logout()
    for _ in range(lockout.FREE_TRIES + 2):
        with pytest.raises(CodeNeeded):
            accounts.login("maria", PASSWORD)
    assert accounts.current() is None


def test_a_code_alone_does_not_sign_in(accounts: Accounts, secret: str, watch: Watch) -> None:
    """A right code does not help a wrong password."""
    with pytest.raises(WrongPassword):
        accounts.login("maria", "wrong horse", code_at(secret, watch()))


def test_wrong_codes_count_as_wrong_passwords(accounts: Accounts, secret: str, watch: Watch) -> None:
    """Guessing six digits is slowed down like guessing a password."""
    for _ in range(lockout.FREE_TRIES):
        with pytest.raises(WrongCode):
            accounts.login("maria", PASSWORD, code_at(secret, watch(), 50))
    with pytest.raises(TooManyAttempts):
        accounts.login("maria", PASSWORD, code_at(secret, watch()))


def test_a_code_is_taken_once(accounts: Accounts, secret: str, watch: Watch) -> None:
    """Neither the same code again nor an earlier one, though both would still be in time; also in another process."""
    code = code_at(secret, watch())
    accounts.login("maria", PASSWORD, code)
    for used in (code, code_at(secret, watch(), -1)):
        with pytest.raises(WrongCode):
            accounts.login("maria", PASSWORD, used)
    accounts.login("maria", PASSWORD, code_at(secret, watch(), 1))


@pytest.mark.parametrize("steps", [-2, 2, 100])
def test_a_code_of_another_time_is_refused(accounts: Accounts, secret: str, watch: Watch, steps: int) -> None:
    """One step to either side is taken for a clock that goes wrong; more is not."""
    with pytest.raises(WrongCode):
        accounts.login("maria", PASSWORD, code_at(secret, watch(), steps))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "000000\n000000"])
def test_what_is_no_code_is_refused(accounts: Accounts, secret: str, code: str) -> None:
    """Other lengths, letters and full-width digits are wrong codes, not errors."""
    with pytest.raises(WrongCode):
        accounts.login("maria", PASSWORD, code)


def test_a_factor_is_not_replaced_or_confirmed_twice(accounts: Accounts, secret: str, watch: Watch) -> None:
    """Who finds the machine open cannot put their own authenticator in place of the owner's."""
    with pytest.raises(CodeAlreadySetUp):
        accounts.enroll_totp()
    with pytest.raises(CodeAlreadySetUp):
        accounts.confirm_totp(code_at(secret, watch()))


def test_without_a_factor_there_is_nothing_to_confirm_or_take_away(accounts: Accounts) -> None:
    """Both say that none is there."""
    for act in (lambda: accounts.confirm_totp("123456"), accounts.disable_totp):
        with pytest.raises(CodeNotSetUp):
            act()


def test_taking_the_factor_away_wants_it_first(home: Home, accounts: Accounts, secret: str, watch: Watch) -> None:
    """An old password does not do; a fresh one with a code does, and the factor is gone then."""
    watch.moment += timedelta(hours=8, minutes=1)
    accounts.unlock(PASSWORD)
    with pytest.raises(StepUpNeeded):
        accounts.disable_totp()
    with pytest.raises(CodeNeeded):
        accounts.step_up(PASSWORD)
    accounts.step_up(PASSWORD, code_at(secret, watch()))
    accounts.disable_totp()
    accounts.login("maria", PASSWORD)
    assert home.events()[-3:] == ["stepped_up", "second_factor_removed", "signed_in"]


def test_a_sealed_secret_belongs_to_one_account(home: Home, accounts: Accounts, secret: str) -> None:
    """Copied into another row it does not open: nobody signs in with their own authenticator as somebody else."""
    paul = accounts.create("paul", PASSWORD)
    table = store.account
    with home.rows.write() as connection:
        sealed = connection.execute(sa.select(table.c.totp_sealed).where(table.c.username == "maria")).scalar_one()
        connection.execute(sa.update(table).where(table.c.id == paul.id).values(totp_sealed=sealed))
    with pytest.raises(KeysDamaged):
        accounts.login("paul", PASSWORD)


# --- how it works ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["null", "unconfirmed", "older"])
def test_a_factor_that_was_taken_out_of_the_database_is_missed(
    home: Home, accounts: Accounts, secret: str, watch: Watch, how: str
) -> None:
    """The ledger remembers: an emptied row, an unconfirmed secret and that of an earlier factor open nothing."""
    session = accounts.require()
    with home.rows.read() as connection:
        column = store.account.c.totp_sealed
        older = connection.execute(sa.select(column).where(store.account.c.id == session.account.id)).scalar_one()
    accounts.disable_totp()
    if how == "older":
        watch.moment += 10 * STEP
        made = accounts.enroll_totp().secret
        accounts.confirm_totp(code_at(made, watch()))
    else:
        with home.rows.write() as connection:
            totp.enroll(connection, session.require_keys(), session.account)
        home.ledger.append_now("second_factor_set", {"account": session.account.id})
    if how != "unconfirmed":
        with home.rows.write() as connection:
            row = sa.update(store.account).where(store.account.c.id == session.account.id)
            connection.execute(row.values(totp_sealed=older if how == "older" else None))
    accounts.logout()
    watch.moment += 10 * STEP
    for code in (None, code_at(secret, watch())):
        with pytest.raises(SecondFactorGone):
            accounts.login("maria", PASSWORD, code)
    assert accounts.current() is None


def test_a_factor_that_is_given_up_is_not_missed(accounts: Accounts, secret: str) -> None:
    """Taken away by its owner, the password alone opens again."""
    accounts.disable_totp()
    accounts.logout()
    assert accounts.login("maria", PASSWORD).account.username == "maria"


def test_an_unconfirmed_factor_is_not_asked_for(accounts: Accounts) -> None:
    """Nobody locks themselves out with an authenticator that never worked; a new secret replaces the first."""
    first = accounts.enroll_totp()
    second = accounts.enroll_totp()
    assert first.secret != second.secret
    accounts.login("maria", PASSWORD)
    assert not accounts.standing(accounts.named("maria")).has_factor


def test_the_secret_comes_as_text_link_and_picture(accounts: Accounts) -> None:
    """160 bits or more, an otpauth link that names program and account, and a QR code in two forms."""
    made = accounts.enroll_totp()
    assert len(made.secret) * 5 >= 160
    assert made.uri.startswith("otpauth://totp/Signet:maria?secret=" + made.secret)
    assert len({len(line) for line in made.as_text().splitlines()}) == 1
    assert made.as_svg().startswith("<svg")


def test_a_clock_set_back_does_not_lock_out(accounts: Accounts, secret: str, watch: Watch) -> None:
    """Codes of the earlier time are taken; those already used stay used when their time comes again."""
    ahead = watch() + timedelta(days=1)
    watch.moment = ahead
    used = code_at(secret, ahead)
    accounts.login("maria", PASSWORD, used)
    watch.moment = ahead - timedelta(days=1)
    accounts.login("maria", PASSWORD, code_at(secret, watch()))
    watch.moment = ahead
    with pytest.raises(WrongCode):
        accounts.login("maria", PASSWORD, used)


def test_the_secret_stands_in_no_file(home: Home, accounts: Accounts, secret: str) -> None:
    """Neither the database nor the log holds it."""
    for path in (path for path in home.folder.rglob("*") if path.is_file()):
        assert secret.encode() not in path.read_bytes(), path.name


def test_codes_are_those_of_the_rfc(accounts: Accounts) -> None:
    """RFC 6238, appendix B: the first vector, cut to six digits."""
    assert pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", interval=totp.STEP_S).at(59) == "287082"
