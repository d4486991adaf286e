"""What the labels are drawn with is loaded once and whole."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from compliance.labels.lettering import opencv

SLOW = """
import sys
sys.modules["started_here"].set()
sys.modules["go_on_here"].wait(0.3)
is_whole = True
"""


def test_a_library_that_another_thread_is_loading_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts of a release look for the label and the mark at the same moment."""
    started, go_on = Event(), Event()
    (tmp_path / "cv2.py").write_text(SLOW)
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setitem(sys.modules, "started_here", started)  # type: ignore[arg-type]  # the slow module finds it there
    monkeypatch.setitem(sys.modules, "go_on_here", go_on)  # type: ignore[arg-type]  # as above
    monkeypatch.syspath_prepend(tmp_path)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(opencv)
        assert started.wait(10)
        assert opencv().is_whole
        assert first.result() is opencv()
    # Not by the patch, which would bring this one back; the real one comes with the end of the test, or when needed.
    del sys.modules["cv2"]
