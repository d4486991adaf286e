"""A file that is being written shows nothing: whatever part of it somebody copies, no picture comes out unlabelled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compliance import draft, encode, release
from compliance.labels.policy import LabelPlan
from tests.compliance.home import noise
from tests.hostile.judging import decoded_pictures, fault_of


class PowerCut(BaseException):
    """The end of the process, at once."""


def labelled(name: str) -> bytes:
    """A draft that does not fit in one page."""
    plan = LabelPlan("0123456789abcdef", name, "signet.local/test", "trainedAlgorithmicMedia", False, "1")  # type: ignore[arg-type]  # both names are of the literal
    return bytes(draft.prepare(noise(240, 208), plan)._data)


@pytest.fixture
def cut_short(monkeypatch: pytest.MonkeyPatch):
    """Let os.write take that many bytes in all, and then the power goes."""
    real = os.write

    def cut(budget: int) -> None:
        left = [budget]

        def write(descriptor: int, data: memoryview) -> int:
            if left[0] <= 0:
                raise PowerCut
            taken = real(descriptor, bytes(data[: left[0]]))
            left[0] -= taken
            return taken

        monkeypatch.setattr(os, "write", write)

    return cut


@pytest.mark.parametrize("name", ["png", "jpeg"])
@pytest.mark.parametrize("seal", [False, True])
def test_half_a_file_is_no_picture(name: str, seal: bool, tmp_path: Path, cut_short) -> None:
    """Draft and sealed file alike: cut anywhere but in the last page, they are no picture even to a lenient decoder."""
    data = labelled(name)
    assert decoded_pictures(data)
    assert decoded_pictures(data[: len(data) // 2]), "in order, half of it would be one"
    for share in (0.05, 0.3, 0.6, 0.9):
        cut_short(int((len(data) - 4096) * share) + 1)
        path = tmp_path / f"{share}"
        with pytest.raises(PowerCut):
            if seal:
                release._write_synced(path, data)
            else:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
                try:
                    encode.write_all(descriptor, data)
                finally:
                    os.close(descriptor)
        assert path.stat().st_size > 0
        assert decoded_pictures(path.read_bytes()) == []
        assert fault_of(path.read_bytes()) == ""
