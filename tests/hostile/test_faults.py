"""Releases that are killed or failed at a storage call, and on disks that are full to different degrees."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.hostile import faults, fill


def can_trace() -> bool:
    """Whether strace is there and may hold on to a process of ours."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-o", "/dev/null", sys.executable, "-c", ""], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not can_trace(), reason="strace is missing or may not trace here")
def test_a_fault_at_any_storage_call_leaves_nothing_half_done() -> None:
    """Killed, or told of a broken or full disk, a release is whole or taken back: none unlabelled, lost or unlogged."""
    with faults.Bench() as bench:
        points = bench.points(tuple(faults.SCENARIOS))
        assert len(points) >= 300
        outcomes = bench.outcomes(faults.sample(points))
    print(faults.table(outcomes))
    assert {str(outcome.point): outcome.found for outcome in outcomes if outcome.found} == {}
    # A fault that did not take place shows nothing.
    assert sum(outcome.hit for outcome in outcomes) >= 0.9 * faults.SAMPLE


def test_a_full_disk_leaves_all_or_nothing() -> None:
    """However much room is left, a release is whole or there is nothing of it; both happen."""
    disk, done = fill.levels(every=5)
    print(fill.table(disk, done))
    assert [level for level in done if level.found] == []
    assert {level.released for level in done} == {True, False}
