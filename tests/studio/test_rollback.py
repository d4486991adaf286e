"""An older copy of the database, put in the place of the newer one, is seen before anything is released from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compliance.errors import LedgerRolledBack, RoleMissing
from compliance.ledger_mark import MARK_FILE
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD
from tests.studio.conftest import COLLINS, HOPPER
from tests.studio.test_workshop import consents, finish


@pytest.fixture(scope="module")
def rolled_back_folder(studio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after a release whose database is the one from before it; copy it, never use it."""
    folder = tmp_path_factory.mktemp("rolled") / "home"
    shutil.copytree(studio_folder, folder)
    older = folder.parent / "older.db"
    shutil.copy(folder / "signet.db", older)
    with Workshop(folder, "own", None) as workshop:
        workshop.unlock(PASSWORD)
        running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
        workshop.release(running, folder.parent / "made.png")
        workshop.verify_ledger()
    for name in ("signet.db", "signet.db-wal", "signet.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(older, folder / "signet.db")
    return folder


@pytest.fixture
def rolled_back(rolled_back_folder: Path, tmp_path: Path):
    """A copy of it, open and signed in."""
    shutil.copytree(rolled_back_folder, tmp_path / "home")
    with Workshop(tmp_path / "home", "own", None) as workshop:
        workshop.unlock(PASSWORD)
        yield workshop


def test_an_older_copy_is_named_and_releases_nothing(rolled_back: Workshop, tmp_path: Path) -> None:
    """The check of the ledger and the doctor say so, and no file appears."""
    with pytest.raises(LedgerRolledBack) as told:
        rolled_back.verify_ledger()
    assert told.value.data["known"] > told.value.data["size"]
    assert [one.state for one in rolled_back.health() if one.name == "ledger"] == ["fail"]
    running = finish(rolled_back, rolled_back.plan_swap(HOPPER, COLLINS, consents(rolled_back)))
    with pytest.raises(LedgerRolledBack):
        rolled_back.release(running, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_going_on_is_an_entry_of_the_log(rolled_back: Workshop, tmp_path: Path) -> None:
    """An admin says why; from then on releases work again, and the log keeps it for good."""
    rolled_back.logkeeping.accept_rollback("the disk failed")
    rolled_back.verify_ledger()
    entry = [one for one in rolled_back.ledger_entries() if one["kind"] == "rollback_accepted"][-1]
    assert entry["fields"]["reason"] == "the disk failed"  # type: ignore[index]  # fields is a dictionary
    running = finish(rolled_back, rolled_back.plan_swap(HOPPER, COLLINS, consents(rolled_back)))
    rolled_back.release(running, tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()


def test_nobody_else_goes_on(rolled_back: Workshop) -> None:
    """Who is no admin does not decide that newer entries are lost."""
    rolled_back.create_account("ben", PASSWORD)
    rolled_back.login("ben", PASSWORD)
    with pytest.raises(RoleMissing):
        rolled_back.logkeeping.accept_rollback("it suits me")


def test_a_mark_that_cannot_be_read_stops_nothing(workshop: Workshop, tmp_path: Path) -> None:
    """Half a mark is none: it is no reason to refuse an honest home, and the next release writes it anew."""
    (workshop.home / MARK_FILE).write_bytes(b'{"size": ')
    running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
    workshop.release(running, tmp_path / "a.png")
    assert b'"root"' in (workshop.home / MARK_FILE).read_bytes()
