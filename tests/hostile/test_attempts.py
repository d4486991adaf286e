"""Attempts to get unlabelled media out of the program: a share here, all of them by `python -m tests.hostile`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.compliance.labels.pictures import png_bytes
from tests.hostile import __main__ as program
from tests.hostile.attempts import ATTEMPTS, Attempt, Ground, make

QUICK = [item for item in ATTEMPTS if item.is_quick]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory):
    """One user with one home for all attempts."""
    with Ground(tmp_path_factory.mktemp("hostile") / "ground") as made:
        yield made


def test_there_are_enough_attempts() -> None:
    """At least fifty, each with a name of its own and a line on what it tries."""
    files = {path.stem for path in Path(__file__).parent.glob("attempts_*.py")} | {"fuzz"}
    assert {module.__name__.rpartition(".")[2] for module in program.MODULES} == files
    assert len(ATTEMPTS) >= 50
    assert [name for name, count in Counter(item.name for item in ATTEMPTS).items() if count > 1] == []
    assert all(len(item.tried.split()) >= 3 for item in ATTEMPTS)


def test_the_judge_sees_what_it_has_to_see(ground: Ground, tmp_path: Path) -> None:
    """A picture without a label, its raw pixels and an array are found wherever they stand; ours is not."""
    assert ground.found(tmp_path) == []
    (tmp_path / "naked.png").write_bytes(png_bytes(ground.naked))
    (tmp_path / "no_ending").write_bytes(png_bytes(ground.naked))
    (tmp_path / "raw.bin").write_bytes(b"head" + ground.naked.tobytes())
    np.save(tmp_path / "array.npy", ground.naked)
    deep = ground.user / "deep" / "er"
    deep.mkdir(parents=True)
    (deep / ".hidden").write_bytes(png_bytes(ground.naked))
    found = {escape.path.name for escape in ground.found(tmp_path)}
    assert found == {"naked.png", "no_ending", "raw.bin", "array.npy", ".hidden"}
    (deep / ".hidden").unlink()


@pytest.mark.parametrize("chosen", QUICK, ids=[item.name for item in QUICK])
def test_an_attempt_is_in_vain(ground: Ground, chosen: Attempt) -> None:
    """Whatever was tried, nothing without its label stands anywhere."""
    result = make(chosen, ground)
    print(result.got)
    assert [str(escape) for escape in result.found] == []
