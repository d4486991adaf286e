"""Accounts, sessions, keys and sealed names."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import fields, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance import identity, keys, store, subject, vault
from compliance.account import Accounts
from compliance.clock import now, stamp
from compliance.data_keys import is_shredded
from compliance.errors import (
    AccountExists,
    AccountNameInvalid,
    ExitCode,
    KeysDamaged,
    LastAdmin,
    NotSignedIn,
    ProfileUnknown,
    SessionLocked,
    TooManyAttempts,
    WeakPassword,
    WrongPassword,
)
from compliance.roles import Action
from compliance.session import Profile
from compliance.session_keys import KernelKeyring, find_keyring
from tests.compliance.home import PASSWORD, Home, prove


def test_a_wrong_password_opens_nothing(home: Home) -> None:
    """Wrong password and unknown name answer alike, with the exit code of accounts."""
    for name, password in (("maria", "wrong horse"), ("nobody", PASSWORD)):
        with pytest.raises(WrongPassword) as refusal:
            home.accounts.login(name, password)
        assert refusal.value.code == ExitCode.ACCOUNT


def test_guessing_is_slowed_down(home: Home) -> None:
    """After five wrong passwords the account waits, even for the right one, and the wait is entered."""
    for _ in range(5):
        with pytest.raises(WrongPassword):
            home.accounts.login("maria", "wrong horse")
    with pytest.raises(TooManyAttempts) as refusal:
        home.accounts.login("maria", PASSWORD)
    assert 1 <= refusal.value.data["wait_s"] <= 60
    assert home.events().count("sign_in_refused") == 5


def test_weak_passwords_and_bad_names_are_refused(home: Home) -> None:
    """Short passwords, taken names (in any case) and names that break a table are refused."""
    with pytest.raises(WeakPassword):
        home.accounts.create("paul", "short")
    with pytest.raises(AccountExists):
        home.accounts.create("Maria", PASSWORD)
    for name in ("", "x", "with space", "a/b", "n" * 41):
        with pytest.raises(AccountNameInvalid):
            home.accounts.create(name, PASSWORD)


def test_a_second_account_needs_somebody_signed_in(home: Home) -> None:
    """Later accounts get their slot from an open session; both then open the same home."""
    home.accounts.logout()
    with pytest.raises(NotSignedIn):
        home.accounts.create("paul", "other horse")
    first = home.accounts.login("maria", PASSWORD).require_keys()
    home.accounts.create("paul", "other horse")
    second = home.accounts.login("paul", "other horse").require_keys()
    assert first.home_key() == second.home_key()


def test_without_a_keyring_the_next_command_finds_the_keys_locked(home: Home) -> None:
    """A new process without keyring knows who is signed in, but must ask for the password before it can sign."""
    again = Home.open(home.folder)
    session = again.accounts.require()
    assert session.account.username == "maria"
    with pytest.raises(SessionLocked):
        session.require_keys()
    assert again.accounts.unlock(PASSWORD).require_keys().home_key()
    again.rows.close()


def test_a_session_ends(home: Home) -> None:
    """After twelve hours, after signing out, and with a broken session file nobody is signed in."""
    late = Home.open(home.folder, clock=lambda: now() + timedelta(hours=12, seconds=1))
    assert late.accounts.current() is None
    late.rows.close()
    (home.folder / "session.json").write_text("{broken")
    assert home.accounts.current() is None
    home.accounts.login("maria", PASSWORD)
    home.accounts.logout()
    with pytest.raises(NotSignedIn):
        home.accounts.require()


def test_a_damaged_key_file_is_told(home: Home) -> None:
    """A missing, broken or weakened key file raises KeysDamaged and loses nothing."""
    path = home.folder / "keys.json"
    whole = path.read_text()
    content = json.loads(whole)
    (slot,) = content["slots"].values()
    weakened = {**slot, "memory_kib": 8}
    for broken in ("", "{}", whole[:-40], json.dumps({**content, "slots": {next(iter(content["slots"])): weakened}})):
        path.write_text(broken)
        with pytest.raises(KeysDamaged):
            home.accounts.login("maria", PASSWORD)
    path.write_text(whole)
    home.accounts.login("maria", PASSWORD)


def test_nothing_secret_stands_in_the_files_of_a_home(home: Home) -> None:
    """Password, real names and private keys are in no file of the home; files and folder are closed to others."""
    opened = home.session().require_keys()
    subject.add_subject(home.rows, home.ledger, opened, "Grace Canary")
    vault.put(home.folder, "sub-1", bytes(32), b"evidence canary")
    needles = [PASSWORD.encode(), b"Maria Example", b"Grace Canary", b"evidence canary", opened.home_key()]
    needles += [opened.ledger_key().private_bytes_raw()]
    needles += [needle.hex().encode() for needle in needles]
    for path in (path for path in home.folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        assert not [needle for needle in needles if needle in data], path.name
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
    assert stat.S_IMODE(os.stat(home.folder / "vault").st_mode) == 0o700


def test_sealed_rows_cannot_be_swapped(home: Home) -> None:
    """What was sealed for one row does not open in another."""
    opened = home.session().require_keys()
    sealed = opened.seal_personal({"name": "A"}, "subject a")
    assert opened.open_personal(sealed, "subject a") == {"name": "A"}
    with pytest.raises(KeysDamaged):
        opened.open_personal(sealed, "subject b")


def test_the_vault_gives_back_what_it_took_or_says_so(home: Home) -> None:
    """Evidence comes back whole; touched, under another's name or key it does not; two people may hand in the same."""
    key, other = bytes(32), bytes(range(32))
    digest = vault.put(home.folder, "sub-1", key, b"paper")
    assert vault.put(home.folder, "sub-2", other, b"paper") == digest
    assert vault.get(home.folder, "sub-1", key, digest) == vault.get(home.folder, "sub-2", other, digest) == b"paper"
    first, second = (home.folder / "vault" / f"{owner}.{digest}.sealed" for owner in ("sub-1", "sub-2"))
    for bad in (second.read_bytes(), first.read_bytes()[:-1] + b"x", b""):
        first.write_bytes(bad)
        for tried in (key, other):
            with pytest.raises(KeysDamaged):
                vault.get(home.folder, "sub-1", tried, digest)
    vault.drop_all(home.folder, "sub-1")
    assert not first.exists() and second.exists()
    with pytest.raises(KeysDamaged):
        vault.get(home.folder, "sub-1", key, digest, home.session().require_keys())


def test_evidence_of_an_earlier_version_is_read(home: Home) -> None:
    """It lies under the home's own key and the digest alone."""
    opened = home.session().require_keys()
    digest = hashlib.sha256(b"paper").hexdigest()
    nonce = bytes(12)
    sealed = nonce + AESGCM(opened.vault_key()).encrypt(nonce, b"paper", digest.encode())
    (home.folder / "vault").mkdir(mode=0o700)
    (home.folder / "vault" / f"{digest}.sealed").write_bytes(sealed)
    assert vault.get(home.folder, "sub-1", bytes(32), digest, opened) == b"paper"


def test_a_declaration_is_the_level_self_and_ends(home: Home) -> None:
    """The declaration gives a proof for a year; after it there is none."""
    proof = identity.current_proof(home.rows, home.session().account.id)
    assert proof is not None
    assert (proof.level, proof.method) == ("self", "declaration")
    later = now() + timedelta(days=366)
    assert identity.current_proof(home.rows, home.session().account.id, later) is None


def test_equal_names_have_equal_commitments_under_one_home_only(home: Home) -> None:
    """The commitment finds the same person again and tells nothing to another home."""
    opened = home.session().require_keys()
    assert opened.commitment("person maria") == opened.commitment("person maria")
    other = keys.HomeKeys(b"\0" * 32, {}, opened.public)
    assert opened.commitment("person maria") != other.commitment("person maria")


def test_the_kernel_keyring_holds_and_forgets() -> None:
    """Where Linux lends its keyring, a key comes back until it is dropped; elsewhere there is none, and no file."""
    keyring = find_keyring()
    if keyring is None:
        return  # this machine lends none; SessionLocked is then what the test above shows
    assert isinstance(keyring, KernelKeyring)
    keyring.put("test-home", b"k" * 32, 60)
    assert keyring.get("test-home") == b"k" * 32
    keyring.drop("test-home")
    assert keyring.get("test-home") is None
    keyring.drop("test-home")


# --- sessions --------------------------------------------------------------------------------------------------------


def at(home: Home, **later: float) -> Home:
    """The same home, opened by another process so much later."""
    return Home.open(home.folder, clock=lambda: now() + timedelta(**later))


def test_a_session_that_rests_is_locked(home: Home) -> None:
    """After 30 minutes (5 in a studio) the keys are closed for good, also to the process that held them open."""
    moment = now()
    timed = Home.open(home.folder, clock=lambda: moment)
    for profile, minutes in (("personal", 30), ("studio", 5)):
        timed.accounts.login("maria", PASSWORD)
        timed.accounts.set_profile(profile)
        moment += timedelta(minutes=minutes)
        assert timed.accounts.require().keys is not None, "used just in time, and the rest begins anew"
        moment += timedelta(minutes=minutes, seconds=1)
        for _ in range(2):
            with pytest.raises(SessionLocked):
                timed.accounts.require().require_keys()
        assert timed.accounts.unlock(PASSWORD).require_keys()
    timed.rows.close()


def test_looking_is_no_activity(home: Home) -> None:
    """A window that asks every second who is signed in does not keep the keys open."""
    moment = now()
    timed = Home.open(home.folder, clock=lambda: moment)
    timed.accounts.login("maria", PASSWORD)
    for _ in range(31):
        moment += timedelta(minutes=1)
        session = timed.accounts.current()
    assert session is not None
    assert session.keys is None
    timed.rows.close()


def test_locking_closes_the_keys_at_once(home: Home) -> None:
    """In this process and in another one; the password opens them."""
    home.accounts.lock()
    other = Home.open(home.folder)
    for accounts in (home.accounts, other.accounts):
        assert accounts.require().keys is None
    assert home.accounts.unlock(PASSWORD).keys is not None
    other.rows.close()


def test_a_session_of_the_future_is_over(home: Home) -> None:
    """A clock that was set back ends the session instead of lengthening it."""
    early = at(home, days=-1)
    assert early.accounts.current() is None
    early.rows.close()


def test_a_changed_password_ends_every_session(home: Home) -> None:
    """The old password and every process that was signed in are out; a wrong old password changes nothing."""
    other = Home.open(home.folder)
    other.accounts.unlock(PASSWORD)
    with pytest.raises(WeakPassword):
        home.accounts.change_password(PASSWORD, "short")
    with pytest.raises(WrongPassword):
        home.accounts.change_password("wrong horse", "another horse")
    assert other.accounts.current() is not None
    ticket = (home.folder / "session.json").read_bytes()
    home.accounts.change_password(PASSWORD, "another horse")
    # Putting the old ticket back does not bring the session back.
    (home.folder / "session.json").write_bytes(ticket)
    assert home.accounts.current() is None
    assert other.accounts.current() is None
    with pytest.raises(WrongPassword):
        home.accounts.login("maria", PASSWORD)
    home.accounts.login("maria", "another horse")
    other.rows.close()


def test_nobody_writes_themselves_a_session(home: Home) -> None:
    """A session file and a row that name another account are sealed by nobody.

    With the keys at hand nobody is signed in; without them all heavy steps wait for that account's own password.
    """
    held = HeldKeys()
    paul = home.accounts.create("paul", PASSWORD)
    accounts = Accounts(home.folder, home.rows.identify().id, home.rows, home.ledger, held)
    accounts.login("maria", PASSWORD)
    ticket = json.loads((home.folder / "session.json").read_text())
    (home.folder / "session.json").write_text(json.dumps({**ticket, "account": paul.id}))
    with home.rows.write() as connection:
        connection.execute(sa.update(store.session_state).values(account_id=paul.id))
    assert accounts.current() is None
    again = Home.open(home.folder)
    with pytest.raises(SessionLocked):
        again.accounts.require().require_keys()
    with pytest.raises(SessionLocked):
        again.accounts.require_for(Action.WITHDRAW_CONSENT)
    again.rows.close()


def test_signing_in_as_somebody_else_ends_the_first_session(home: Home) -> None:
    """One home, one session: the keys of the first are not left to the second."""
    home.accounts.create("paul", PASSWORD)
    other = Home.open(home.folder)
    other.accounts.login("paul", PASSWORD)
    session = home.accounts.current()
    assert session is not None
    assert (session.account.username, session.keys) == ("paul", None)
    other.rows.close()


def test_the_keyring_forgets_with_the_session(home: Home) -> None:
    """What the desktop holds is dropped when the session rests, is locked or ends."""
    held = HeldKeys()
    moment = now()
    accounts = Accounts(home.folder, home.rows.identify().id, home.rows, home.ledger, held, clock=lambda: moment)
    for end in (accounts.lock, accounts.logout):
        accounts.login("maria", PASSWORD)
        assert [len(key) for key in held.keys.values()] == [32]
        assert held.lifetimes[-1] == 30 * 60
        end()
        assert held.keys == {}
    accounts.login("maria", PASSWORD)
    moment += timedelta(minutes=31)
    accounts.current()
    assert held.keys == {}


class HeldKeys:
    """A keyring in memory that remembers for how long it was asked to hold."""

    name = "memory"

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.lifetimes: list[int] = []

    def put(self, home_id: str, key: bytes, lifetime_s: int) -> None:
        self.keys[home_id] = key
        self.lifetimes.append(lifetime_s)

    def get(self, home_id: str) -> bytes | None:
        return self.keys.get(home_id)

    def drop(self, home_id: str) -> None:
        self.keys.pop(home_id, None)


def test_an_unknown_profile_is_refused_and_a_forged_one_is_strict(home: Home) -> None:
    """Only the two profiles exist; a word in the database that is neither gives the times of a studio."""
    with pytest.raises(ProfileUnknown):
        home.accounts.set_profile("endless")
    with home.rows.write() as connection:
        connection.execute(sa.update(store.home).values(profile="endless"))
    assert home.accounts.profile().name == "studio"


def test_a_profile_changes_times_alone() -> None:
    """It has no word about consent, labels or the ledger."""
    assert {field.name for field in fields(Profile)} == {"name", "total_s", "idle_s", "step_up_s"}


# --- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mib_per_ms", "low", "high"), [(0.01, 0, 1e9), (0.1, 0, 1e9), (0.45, 250, 750), (2.0, 250, 750), (20, 250, 750)]
)
def test_the_cost_of_a_password_suits_the_machine(mib_per_ms: float, low: float, high: float) -> None:
    """Simulated machines, slow to fast: a password takes 250 to 750 ms, and never less work than OWASP's floor."""

    def measure_ms(cost: keys.Cost) -> float:
        return cost.work() / 1024 / mib_per_ms

    cost = keys.calibrated(measure_ms)
    assert cost.is_plausible()
    assert cost.work() >= keys.FLOOR.work()
    assert low <= measure_ms(cost) <= high


def test_an_old_slot_is_made_stronger_at_the_next_sign_in(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine tries passwords faster than it should, the slot is wrapped anew; never weaker."""
    dearer = replace(keys.FLOOR, passes=3)
    maria = home.accounts.named("maria")
    monkeypatch.setattr(keys, "FASTEST_MS", 1e9)
    monkeypatch.setattr(keys, "choose_cost", lambda: dearer)
    home.accounts.login("maria", PASSWORD)
    assert keys.slot_cost(home.folder, maria.id) == dearer
    assert home.events()[-1] == "password_rehashed"
    monkeypatch.setattr(keys, "choose_cost", lambda: keys.FLOOR)
    home.accounts.login("maria", PASSWORD)
    assert keys.slot_cost(home.folder, maria.id) == dearer
    with pytest.raises(WrongPassword):
        home.accounts.login("maria", "wrong horse")


def test_an_unknown_name_costs_as_much_as_the_dearest_slot(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spent on a name that does not exist tells nobody that it does not."""
    spent: list[keys.Cost] = []
    monkeypatch.setattr(keys, "_derive", lambda _password, _salt, cost: spent.append(cost) or b"0" * 32)
    with pytest.raises(WrongPassword):
        home.accounts.login("nobody", PASSWORD)
    with pytest.raises(WrongPassword):
        home.accounts.login("maria", "wrong horse")
    assert spent[0] == spent[1]


# --- closing ---------------------------------------------------------------------------------------------------------


def test_the_last_admin_cannot_close(home: Home) -> None:
    """A home that nobody looks after is refused, alone or with others."""
    for _ in range(2):
        with pytest.raises(LastAdmin):
            home.accounts.close_account(PASSWORD)
        if not any(account.username == "paul" for account in home.accounts.all()):
            home.accounts.create("paul", PASSWORD)
    assert home.accounts.current() is not None


def test_a_closed_account_is_erased_but_for_its_id(home: Home) -> None:
    """Name, proofs, roles, slot and data key are gone; the log holds and tells what happened."""
    paul = home.accounts.create("paul", PASSWORD)
    prove(home, paul, "Paul Canary")
    home.accounts.login("paul", PASSWORD)
    with pytest.raises(WrongPassword):
        home.accounts.close_account("wrong horse")
    home.accounts.close_account(PASSWORD)
    assert home.accounts.current() is None
    with pytest.raises(WrongPassword):
        home.accounts.login("paul", PASSWORD)
    with pytest.raises(WrongPassword):
        home.accounts.login(paul.id, PASSWORD)
    (closed,) = [account for account in home.accounts.all() if account.state == "closed"]
    assert (closed.id, closed.username) == (paul.id, paul.id)
    assert home.accounts.standing(closed).roles == ()
    assert identity.proofs_of(home.rows, paul.id) == []
    with home.rows.read() as connection:
        assert is_shredded(connection, paul.id)
        row = connection.execute(sa.select(store.account).where(store.account.c.id == paul.id)).one()
    assert (row.sealed_person, row.totp_sealed) == (None, None)
    assert paul.id not in json.loads((home.folder / "keys.json").read_text())["slots"]
    home.ledger.verify()
    assert "account_closed" in home.events()


def test_stamps_are_utc() -> None:
    """Times are written in UTC and can be read back."""
    assert stamp().endswith("Z")
