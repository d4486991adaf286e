"""What an editor of databases cuts or changes is named by the check of the ledger."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.cases import CaseBook, CaseKind
from compliance.errors import RowChanged, RowMissing, SignetError
from compliance.identity.proofs import method_of
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD
from tests.studio.conftest import COLLINS, HOPPER
from tests.studio.test_workshop import consents, finish


def edit(workshop: Workshop, statement: str) -> None:
    """What somebody with an editor of databases does."""
    with contextlib.closing(sqlite3.connect(workshop.home / "signet.db")) as database:
        database.execute(statement)
        database.commit()


@pytest.mark.parametrize(
    ("statement", "error", "kind"),
    [
        ("DELETE FROM consent_grant", RowMissing, "consent"),
        ("DELETE FROM consent_withdrawal", RowMissing, "withdrawal"),
        ("DELETE FROM release", RowMissing, "release"),
        ("UPDATE release SET state = 'rolled_back'", RowMissing, "release"),
        ("UPDATE release SET file_sha256 = 'f'", RowChanged, "release"),
        ("DELETE FROM case_file", RowMissing, "case"),
        ("DELETE FROM identity_proof", RowMissing, "proof of identity"),
        ("UPDATE identity_proof SET level = 'L3'", RowChanged, "proof of identity"),
        ("UPDATE identity_proof SET expires_at = '2999-01-01T00:00:00Z'", RowChanged, "proof of identity"),
        ("UPDATE identity_proof SET id = 'prf-invented'", RowMissing, "proof of identity"),
        (
            "INSERT INTO release SELECT 'ffffffffffffffff', state, permit_id, account_id, consents, target_path,"
            " part_path, overwrite, format, payload_sha256, file_sha256, intent_index, release_index, created_at,"
            " finished_at FROM release",
            RowChanged,
            "release",
        ),
        (
            "INSERT INTO case_file (id, kind, article, rule, state, opened_at, opened_by, ledger_index)"
            " VALUES ('cas-invented', 'complaint', '', '', 'open', 't', 'x', 0)",
            RowChanged,
            "case",
        ),
    ],
)
def test_rows_that_were_cut_or_changed_are_named(
    audited: Workshop, statement: str, error: type[SignetError], kind: str
) -> None:
    """The log is whole, and the check of it says what the database lost."""
    audited.verify_ledger()
    edit(audited, statement)
    with pytest.raises(error) as refusal:
        audited.verify_ledger()
    assert refusal.value.data["kind"] == kind
    assert [one.state for one in audited.health() if one.name == "ledger"] == ["fail"]


@pytest.fixture(scope="module")
def audited_folder(studio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a release, a case and a withdrawn consent; copy it, never use it."""
    folder = tmp_path_factory.mktemp("audited") / "home"
    shutil.copytree(studio_folder, folder)
    with Workshop(folder, "own", None) as workshop:
        workshop.unlock(PASSWORD)
        running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
        workshop.release(running, folder.parent / "made.png")
        workshop.withdraw_consent(consents(workshop)[0])
        keys, ledger = workshop._accounts.require().require_keys(), workshop._ledger
        with workshop._rows.write() as connection:
            CaseBook(workshop._rows, ledger).open_case_in(connection, CaseKind.COMPLAINT, by="x", keys=keys)
    return folder


@pytest.fixture
def audited(audited_folder: Path, tmp_path: Path) -> Iterator[Workshop]:
    """A copy of it, open."""
    shutil.copytree(audited_folder, tmp_path / "home")
    with Workshop(tmp_path / "home", "own", None) as workshop:
        yield workshop


def test_an_early_declaration_that_does_not_name_its_way_still_counts() -> None:
    """The first homes entered declarations without saying how they were made: they open and release as before."""
    assert method_of({"account": "a", "level": "self", "proof": "p", "until": "u"}) == "declaration"
