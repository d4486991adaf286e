"""The open database is read by SQLite alone: what else opened and closed it would take its locks away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.errors import InputError
from compliance.open_databases import is_open_here
from compliance.store import open_store
from compliance.verify import verify_file
from studio.checking import verify_files
from studio.inputs import read_input
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD, lower_the_cost_of_passwords

_ANOTHER = """
import sys
from pathlib import Path
from studio.workshop import Workshop
with Workshop(Path(sys.argv[1]), "own", None) as workshop:
    print(workshop._ledger.size())
"""


def _verify(database: Path) -> None:
    assert verify_file(database).verdict == "unreadable"


def _read(database: Path) -> None:
    for path in (database, database.with_name("signet.db-wal"), database.with_name("signet.db-shm")):
        with pytest.raises(InputError, match="open database"):
            read_input(path)


def _verify_folder(database: Path) -> None:
    assert not [report for report in verify_files([database.parent], [database.parent]) if "signet.db" in report.file]


def _verify_link(database: Path) -> None:
    link = database.parent.parent / "picture.png"
    link.symlink_to(database)
    _verify(link)


def _open_again(database: Path) -> None:
    open_store(database.parent).close()


def size_seen_elsewhere(home: Path) -> int:
    """How many entries another process finds; at its end it closes the database."""
    ran = subprocess.run([sys.executable, "-c", _ANOTHER, str(home)], check=True, capture_output=True, text=True)
    return int(ran.stdout)


@pytest.mark.parametrize("touch", [_verify, _read, _verify_folder, _verify_link, _open_again])
def test_nothing_is_lost_when_the_open_database_is_given_as_a_file(
    tmp_path: Path, touch: Callable[[Path], None]
) -> None:
    """Another process ends meanwhile and must not take itself for the last one: it would remove the journal."""
    lower_the_cost_of_passwords()
    home = tmp_path / "home"
    with Workshop(home, "own", None) as workshop:
        workshop.create_account("maria", PASSWORD, "Maria Example")
        workshop.login("maria", PASSWORD)
        touch(home / "signet.db")
        size_seen_elsewhere(home)
        workshop.add_subject("Grace Hopper")
        assert size_seen_elsewhere(home) == workshop._ledger.size()
        assert is_open_here(home / "signet.db")
    assert not is_open_here(home / "signet.db")
