"""A furnished home, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.ledger import Ledger
from compliance.permit import Claim
from tests.compliance.home import PASSWORD, SOURCE, TARGET, Home
from tests.compliance.logs import make


@pytest.fixture(scope="session")
def furnished_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a furnished home; copy it, never use it."""
    folder = tmp_path_factory.mktemp("homes") / "furnished"
    home = Home.furnished(folder)
    home.rows.close()
    return folder


@pytest.fixture
def home(furnished_folder: Path, tmp_path: Path):
    """A furnished home of its own, unlocked."""
    folder = tmp_path / "home"
    shutil.copytree(furnished_folder, folder)
    opened = Home.open(folder)
    opened.accounts.unlock(PASSWORD)
    yield opened
    opened.rows.close()


@pytest.fixture
def claim(home: Home) -> Claim:
    """A swap that the gate allows, with both consents."""
    return home.claim(home.grant(SOURCE), home.grant(TARGET))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder to release into."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new, empty ledger."""
    made = make(tmp_path / "home")
    yield made
    made.store.close()
