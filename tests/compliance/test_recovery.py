"""After a crash: what was linked is finished, all else is taken back, and nothing foreign is touched."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance import store, verify
from compliance.errors import StoreDamaged
from compliance.keys import public_keys
from tests.compliance.home import Home


def test_recovery_removes_only_its_own_files(home: Home, claim, out: Path) -> None:
    """A row that names other files, or an id that makes such a name, removes nothing."""
    home.release(claim, out / "x.png")
    with home.rows.write() as connection:
        connection.execute(sa.update(store.release).values(state="intended", part_path=str(home.folder / "keys.json")))
    home.releaser.recover()
    assert (home.folder / "keys.json").exists()
    assert (out / "x.png").exists()
    with home.rows.write() as connection:
        connection.execute(sa.update(store.release).values(state="intended", id="x/../../keys"))
    with pytest.raises(StoreDamaged):
        home.releaser.recover()


def test_kill_at_thirty_moments(furnished_folder: Path, tmp_path: Path, out: Path) -> None:
    """A process killed at 30 random calls of a release never leaves an unlabelled file or one without an entry."""
    folder = tmp_path / "home"
    shutil.copytree(furnished_folder, folder)
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.compliance.killed_release", folder, out],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert driver.stdin is not None
    assert driver.stdout is not None

    def tell(number: int) -> str:
        driver.stdin.write(f"{number}\n")
        driver.stdin.flush()
        return driver.stdout.readline().strip()

    calls = int(tell(0))
    generator = random.Random(20260901)
    # The last part of the calls is where files get their names; it gets its share of the moments.
    moments = [generator.randint(1, calls) for _ in range(18)] + [
        generator.randint(int(calls * 0.9), calls) for _ in range(12)
    ]
    home = None
    for moment in moments:
        assert tell(moment) == "signal 9"
        keys = public_keys(folder)
        assert keys is not None
        for path in out.iterdir():
            if not path.name.startswith("."):
                assert verify.verify_file(path, [keys]).verdict == "sealed"
        home = Home.open(folder)
        home.releaser.recover()
        names = {path.name for path in out.iterdir()}
        assert not [name for name in names if name.startswith(".")]
        assert names == {item.path.name for item in home.releaser.releases()}
        assert home.releaser.recover() == []
        home.rows.close()
    driver.stdin.close()
    assert driver.wait() == 0
    driver.stdout.close()
    assert home is not None
    home = Home.open(folder)
    home.ledger.verify()
    entered = {e["fields"]["release"] for e in home.ledger.entries() if e["kind"] == "release_intended"}
    assert {item.id for item in home.releaser.releases()} <= entered
    home.rows.close()


def test_recovery_leaves_foreign_files_alone(home: Home, claim, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the name was taken by another file after the crash, recovery rolls back and keeps that file."""

    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    monkeypatch.setattr(home.releaser, "_roll_back", lambda _id: "open")
    monkeypatch.setattr(home.releaser, "_link", cut)
    with pytest.raises(PowerCut):
        home.release(claim, out / "x.png")
    (out / "x.png").write_bytes(b"mine")
    (settled,) = home.releaser.recover()
    assert home.events()[-1] == "release_rolled_back"
    assert (out / "x.png").read_bytes() == b"mine"
    assert os.listdir(out) == ["x.png"]
    assert settled not in {item.id for item in home.releaser.releases()}
