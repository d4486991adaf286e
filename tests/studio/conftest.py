"""A real workshop on a furnished home, and a swap of the two sample portraits that the gate allows."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

import resources
from compliance import identity
from compliance.identity.in_person import InPerson
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD, lower_the_cost_of_passwords

SAMPLES = Path(resources.__file__).parent / "samples"
HOPPER, COLLINS = SAMPLES / "grace_hopper.jpg", SAMPLES / "eileen_collins.png"


@pytest.fixture(scope="session")
def studio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with "maria", verified, two people and a consent for each sample; copy it, never use it."""
    lower_the_cost_of_passwords()
    folder = tmp_path_factory.mktemp("studios") / "home"
    with Workshop(folder, "own", None) as workshop:
        workshop.create_account("maria", PASSWORD, "Maria Example")
        workshop.login("maria", PASSWORD)
        until = date.today() + timedelta(days=30)
        for name, picture in (("Grace Hopper", HOPPER), ("Eileen Collins", COLLINS)):
            person = workshop.add_subject(name)
            workshop.record_consent(person.id, picture, ["private", "film"], date.today(), until)
    return folder


def prove(workshop: Workshop, username: str, name: str) -> None:
    """A proof of level L1 for a member without the two people: a starting point."""
    rows, ledger, accounts = workshop._rows, workshop._ledger, workshop._accounts
    seen = InPerson(name, None, "passport", "acc-first", "acc-second")
    identity.establish(rows, ledger, accounts.require().require_keys(), accounts.named(username), seen)


@pytest.fixture
def workshop(studio_folder: Path, tmp_path: Path):
    """The real workshop, signed in and unlocked; no keyring is touched."""
    folder = tmp_path / "studio-home"
    shutil.copytree(studio_folder, folder)
    with Workshop(folder, "own", None) as opened:
        opened.unlock(PASSWORD)
        yield opened
