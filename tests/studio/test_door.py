"""The command line where the surroundings fail it: odd names, full disks, closed streams, few descriptors, Ctrl-C."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.destination import verify_destination
from compliance.errors import NotWritable, OutputIsInput
from studio import demo
from studio.workshop import Workshop
from tests.studio.test_commands import (
    COLLINS,
    HOPPER,
    Answer,
    Template,
    english,  # noqa: F401  # a fixture
    signet,  # noqa: F401  # a fixture
    swap,
    template,  # noqa: F401  # a fixture
)

Signet = Callable[..., Answer]


# --- where the result goes -------------------------------------------------------------------------------------------


def test_a_name_that_cannot_be_is_refused_before_the_work(signet: Signet, tmp_path: Path) -> None:
    """Too long for the file system, or bytes that are no text: code 11, and no report."""
    for name in ("a" * 252 + ".png", os.fsdecode(b"\xff.png")):
        answer = signet(*swap(tmp_path / name))
        assert answer.code == 11
        assert "cannot be written" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_the_result_never_takes_the_place_of_what_it_is_made_from(signet: Signet, tmp_path: Path) -> None:
    """Source or target as --out, by its own name or through a link of either kind: code 2, and the original stays."""
    source, target = tmp_path / "source.jpg", tmp_path / "target.png"
    shutil.copy(HOPPER, source)
    shutil.copy(COLLINS, target)
    (tmp_path / "symbolic.png").symlink_to(source)
    (tmp_path / "hard.png").hardlink_to(target)
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("source.jpg", "target.png", "symbolic.png", "hard.png", "folder/source.jpg"):
        for more in (["--overwrite"], []):
            answer = signet(*swap(tmp_path / name, *more, "--json", source=source, target=target))
            assert (answer.code, answer.lines[-1]["error"]) == (2, "OutputIsInput")
    assert (source.read_bytes(), target.read_bytes()) == (HOPPER.read_bytes(), COLLINS.read_bytes())


def test_a_release_remembers_what_it_was_made_from(
    signet: Signet, template: Template, signet_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody asked before the work, as a window may: the finished result does not replace its source."""
    source = tmp_path / "source.jpg"
    shutil.copy(HOPPER, source)
    monkeypatch.setattr(Workshop, "verify_out", lambda *_: None)
    undone = Workshop.release
    asked: list[str] = []

    def release(shop: Workshop, *words: object) -> object:
        monkeypatch.undo()
        asked.append("release")
        return undone(shop, *words)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(Workshop, "release", release)
    consents = [word for name in ("hopper", "collins") for word in ("--consent", template.consents[name])]
    home = ["--home", signet_home]
    answer = signet(*swap(source, *consents, *home, "--overwrite", "--json", source=source))
    assert asked == ["release"]
    assert (answer.code, answer.lines[-1]["error"]) == (2, OutputIsInput.__name__)
    assert source.read_bytes() == HOPPER.read_bytes()


def test_a_name_leads_where_the_system_says(signet: Signet, template: Template, tmp_path: Path) -> None:
    """`link/../out.png` lies beside what the link means, not beside the link."""
    there = tmp_path / "there" / "deep"
    there.mkdir(parents=True)
    (tmp_path / "link").symlink_to(there)
    consents = [word for name in ("hopper", "collins") for word in ("--consent", template.consents[name])]
    answer = signet(*swap(Path(f"{tmp_path}/link/../out.png"), *consents))
    assert answer.code == 0
    assert (tmp_path / "there" / "out.png").exists()
    assert not (tmp_path / "out.png").exists()


def test_a_read_only_file_system_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions help nobody there."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NotWritable, match="permission denied"):
        verify_destination(tmp_path / "out.png", False)
    about = os.statvfs(tmp_path)
    read_only = os.statvfs_result([*about[:8], about.f_flag | os.ST_RDONLY, about.f_namemax])
    monkeypatch.setattr(os, "statvfs", lambda _path: read_only)
    with pytest.raises(NotWritable, match="read-only file system"):
        demo.prepare_folder(tmp_path)


# --- what goes in ----------------------------------------------------------------------------------------------------


def test_what_is_no_file_is_not_called_missing(signet: Signet, tmp_path: Path) -> None:
    """A folder, a pipe, a device, a name that cannot be: each says what it is."""
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), tmp_path / ("a" * 300)):
        answer = signet(*swap(tmp_path / "out.png", "--json", target=target))
        assert (answer.code, answer.lines[-1]["error"]) == (1, "NotAPicture")
    assert (
        signet(*swap(tmp_path / "out.png", "--json", target=tmp_path / "nowhere")).lines[-1]["error"] == "FileMissing"
    )


@pytest.mark.parametrize("value", ["nan", "inf", "-0.5"])
def test_a_strength_that_is_none_is_misuse(signet: Signet, tmp_path: Path, value: str) -> None:
    """Code 2 and a sentence that names the option."""
    answer = signet(*swap(tmp_path / "out.png", f"--strength={value}"))
    assert answer.code == 2
    assert "--strength" in answer.err
