"""Accounts, sessions, keys and sealed names."""

from __future__ import annotations

import json
import os
import stat
from datetime import timedelta

import pytest

from compliance import identity, keys, subject, vault
from compliance.clock import now, stamp
from compliance.errors import (
    AccountExists,
    AccountNameInvalid,
    ExitCode,
    KeysDamaged,
    NotSignedIn,
    SessionLocked,
    TooManyAttempts,
    WeakPassword,
    WrongPassword,
)
from compliance.session_keys import KernelKeyring, find_keyring
from tests.compliance.home import PASSWORD, Home


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
    vault.put(home.folder, opened, b"evidence canary")
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
    """Evidence comes back whole, and a touched blob is told."""
    opened = home.session().require_keys()
    digest = vault.put(home.folder, opened, b"paper")
    assert vault.get(home.folder, opened, digest) == b"paper"
    path = home.folder / "vault" / f"{digest}.sealed"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(KeysDamaged):
        vault.get(home.folder, opened, digest)


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


def test_stamps_are_utc() -> None:
    """Times are written in UTC and can be read back."""
    assert stamp().endswith("Z")
