"""signet account and signet identity, from the command line to the home and back."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pyotp
import pytest

from studio import workshop
from studio.commands.root import run
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD, lower_the_cost_of_passwords
from tests.compliance.test_accounts import HeldKeys
from tests.studio.command_line import Answer, Signet
from tests.studio.conftest import prove

RESIDENT = "11010519491231002X"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with maria, verified and signed in, and paul and rosa; rosa is verified too."""
    lower_the_cost_of_passwords()
    folder = tmp_path_factory.mktemp("members") / "home"
    with Workshop(folder, "own", None) as shop:
        shop.create_account("maria", PASSWORD, "Maria Example")
        shop.login("maria", PASSWORD)
        shop.create_account("paul", PASSWORD)
        shop.create_account("rosa", PASSWORD)
        prove(shop, "rosa", "Rosa Example")
    return folder


@pytest.fixture
def signet(
    template: Path,
    signet_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Signet:
    """Run a command line with --json in a copy of that home, whose keyring is this process's memory."""
    shutil.copytree(template, signet_home)
    held = HeldKeys()
    monkeypatch.setattr(workshop, "find_keyring", lambda: held)
    (tmp_path / "password").write_text(PASSWORD)
    monkeypatch.setenv("SIGNET_PASSWORD_FILE", str(tmp_path / "password"))

    def run_it(*words: object) -> Answer:
        capsys.readouterr()
        code = run([*map(str, words), "--json"])
        captured = capsys.readouterr()
        assert captured.err == ""
        return Answer(code, captured.out, captured.err)

    assert run_it("account", "login", "maria").code == 0
    return run_it


def file_with(folder: Path, text: str) -> Path:
    """A file that holds one line."""
    path = folder / f"line-{abs(hash(text))}"
    path.write_text(text)
    return path


# --- refusals --------------------------------------------------------------------------------------------------------


REFUSED = (
    ("account show nobody", 1, "UnknownRecord"),
    ("account role grant paul emperor", 2, "RoleUnknown"),
    ("account role grant paul auditor", 6, "RoleClash"),
    ("account role revoke maria admin", 6, "LastAdmin"),
    ("account role revoke paul reviewer", 1, "UnknownRecord"),
    ("account role confirm two-0000000000", 1, "UnknownRecord"),
    ("account role refuse two-0000000000", 1, "UnknownRecord"),
    ("account profile set endless", 2, "ProfileUnknown"),
    ("account totp confirm 123456", 6, "CodeNotSetUp"),
    ("account totp disable", 6, "CodeNotSetUp"),
    ("account close --yes", 6, "LastAdmin"),
    ("identity attest maria Somebody", 6, "OwnWork"),
    ("identity attest paul Somebody --document diary", 2, "OptionUnfit"),
    ("identity confirm two-0000000000", 1, "UnknownRecord"),
    ("identity rebind maria", 6, "OwnWork"),
    ("identity oidc --settings nowhere.json", 6, "IdentityProviderUnusable"),
    ("identity declare Maria --number-file nowhere", 1, "FileMissing"),
)


def test_what_is_refused_has_its_code_and_name(signet: Signet) -> None:
    """Each refusal its exit code, its class and two sentences; the log stays sound."""
    for words, code, error in REFUSED:
        answer = signet(*words.split())
        assert (answer.code, answer.data["error"]) == (code, error), words
        assert answer.data["message"].endswith(".")
        assert answer.data["next_step"].endswith(".")
    assert signet("ledger", "verify").code == 0


SIGNED_OUT = (
    "account show",
    "account unlock",
    "account lock",
    "account step-up",
    "account password",
    "account close",
    "account totp enroll",
    "account role grant paul reviewer",
    "account profile set studio",
    "identity declare Somebody",
    "identity attest paul Somebody",
    "identity rebind paul",
)


def test_signed_out_nothing_of_it_works(signet: Signet) -> None:
    """Every step of an account needs somebody; the exit code is that of accounts."""
    signet("account", "logout")
    for words in SIGNED_OUT:
        answer = signet(*words.split())
        assert (answer.code, answer.data["error"]) == (6, "NotSignedIn"), words


def test_a_number_is_checked_and_never_told(signet: Signet, signet_home: Path, tmp_path: Path) -> None:
    """A wrong one is refused without repeating it; a right one is in no file of the home."""
    wrong = file_with(tmp_path, RESIDENT[:-1] + "1")
    answer = signet("identity", "declare", "Maria Example", "--number-file", wrong)
    assert (answer.code, answer.data["error"]) == (2, "NumberInvalid")
    assert RESIDENT[:-1] not in answer.out
    right = file_with(tmp_path, RESIDENT)
    assert signet("identity", "declare", "Maria Example", "--number-file", right).data["level"] == "self"
    for path in (path for path in signet_home.rglob("*") if path.is_file()):
        assert RESIDENT.encode() not in path.read_bytes(), path.name


# --- how it works ----------------------------------------------------------------------------------------------------


def test_a_role_passes_through_two_hands(signet: Signet) -> None:
    """Proposed by maria, confirmed by rosa, shown in the list; a refused one is gone."""
    first = signet("account", "role", "grant", "paul", "reviewer").data
    assert (first["kind"], first["account"], first["proposed_by"]) == ("grant_role", "paul", "maria")
    other = signet("account", "role", "grant", "paul", "consent_officer").data
    assert signet("account", "role", "refuse", other["id"]).code == 0
    assert signet("account", "role", "confirm", first["id"]).data["error"] == "OwnWork"
    signet("account", "login", "rosa")
    assert signet("account", "role", "confirm", first["id"]).data["roles"] == ["creator", "reviewer"]
    listed = [json.loads(line) for line in signet("account", "role", "list").out.splitlines()]
    assert {one["username"]: one["roles"] for one in listed}["paul"] == ["creator", "reviewer"]
    table = [json.loads(line) for line in signet("account", "role", "list", "--table").out.splitlines()]
    assert {one["role"] for one in table} == {"creator", "consent_officer", "reviewer", "auditor", "admin"}


def test_a_second_factor_from_the_first_code_to_the_last(signet: Signet) -> None:
    """Set up, asked for at the door, taken away with a fresh code."""
    secret = signet("account", "totp", "enroll").data["secret"]
    codes = pyotp.TOTP(secret)
    assert signet("account", "totp", "confirm", "000000").data["error"] == "WrongCode"
    now = int(time.time())
    assert signet("account", "totp", "confirm", codes.at(now - 30)).code == 0
    assert signet("account", "show").data["has_factor"] is True
    assert signet("account", "login", "maria").data["error"] == "CodeNeeded"
    assert signet("account", "login", "maria", "--code", codes.at(now - 30)).data["error"] == "WrongCode"
    assert signet("account", "login", "maria", "--code", codes.at(now)).code == 0
    assert signet("account", "totp", "disable", "--code", codes.at(now + 30)).code == 0
    assert signet("account", "login", "maria").code == 0


def test_an_identity_passes_through_two_hands(signet: Signet) -> None:
    """Attested by the admin, confirmed by rosa; paul is L1 then, verified by both."""
    proposal = signet("identity", "attest", "paul", "Paul Example", "--document", "passport").data
    signet("account", "login", "rosa")
    found = signet("identity", "confirm", proposal["id"]).data
    assert (found["level"], found["verified_by"]) == ("L1", ["maria", "rosa"])
    assert signet("identity", "show", "paul").data["method"] == "in person"


def test_a_forgotten_password_is_replaced_by_two_people(signet: Signet, tmp_path: Path) -> None:
    """Asked for by the admin, confirmed by rosa where paul types his new one."""
    proposal = signet("identity", "rebind", "paul").data
    assert proposal["kind"] == "rebind"
    signet("account", "login", "rosa")
    new = file_with(tmp_path, "another horse")
    assert signet("identity", "confirm", proposal["id"], "--new-password-file", new).code == 0
    assert signet("account", "login", "paul").data["error"] == "WrongPassword"
    assert signet("account", "login", "paul", "--password-file", new).data["username"] == "paul"


def test_a_changed_password_signs_out(signet: Signet, tmp_path: Path) -> None:
    """Afterwards only the new one opens."""
    new = file_with(tmp_path, "another horse")
    assert signet("account", "password", "--new-password-file", new).data["changed"] is True
    assert signet("account", "show").data["error"] == "NotSignedIn"
    assert signet("account", "login", "maria").data["error"] == "WrongPassword"
    assert signet("account", "login", "maria", "--password-file", new).code == 0


def test_locked_keys_ask_for_the_password_where_it_can_be_had(signet: Signet, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file of a password a locked command opens the keys itself; without one it says how."""
    signet("account", "lock")
    assert signet("account", "profile", "set", "studio").data["step_up_s"] == 300
    signet("account", "lock")
    monkeypatch.delenv("SIGNET_PASSWORD_FILE")
    assert signet("account", "profile", "set", "personal").data["error"] == "SessionLocked"
    assert signet("account", "profile", "show").data["name"] == "studio"


def test_the_password_is_given_again(signet: Signet) -> None:
    """step-up and unlock say what they opened, and for how long."""
    assert signet("account", "step-up").data == {"account": "maria", "stepped_up": True, "minutes": 480}
    assert signet("account", "unlock").data["unlocked"] is True


def test_closing_says_first_what_it_would_do(signet: Signet) -> None:
    """Without --yes nothing happens; with it the account is gone."""
    signet("account", "login", "paul")
    assert signet("account", "close").data == {"account": "paul", "closed": False}
    assert signet("account", "close", "--yes").data == {"account": "paul", "closed": True}
    assert signet("account", "login", "paul").data["error"] == "WrongPassword"
