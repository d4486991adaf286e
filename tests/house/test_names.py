"""Names, texts and start-up: the conventions that a machine can check."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.ways_out import WINGS

ROOT = Path(__file__).resolve().parents[2]

# The patterns are put together from pieces, so that this file does not find itself.
EMPTY_NAME = re.compile("(?i:^|_)(?i:manager|helper|service|util)s?(?=_|$)|(?:Manager|Helper|Service|Util)s?(?![a-z])")
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:(?:" + "tmp|root|work|opt" + r")\b|(?:home|Users)/[A-Za-z])")
OPEN_DOOR = "Unsafe" + "AllowAll"
REGISTRY = re.compile(r"py" + r"pi\.org|pythonhosted|index-" + r"url|find-" + "links", re.IGNORECASE)
HEAVY = {"PySide6", "shiboken6", "torch", "cv2", "diffusers"}


def tracked_texts() -> dict[str, str]:
    """Tracked text files by their path from the root; a file that is not UTF-8 is not text."""
    # The folder may belong to somebody else than the user who runs the tests.
    names = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    texts: dict[str, str] = {}
    for name in filter(None, names):
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return texts


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Tracked text files, read once."""
    return tracked_texts()


def has_empty_name(name: str) -> bool:
    """Whether a class or module is named after nothing in particular."""
    return bool(EMPTY_NAME.search(name))


@pytest.mark.parametrize(
    "name",
    ["JobManager", "Helper", "FaceHelpers", "AccountService", "Util", "ImageUtils", "utils", "helpers", "ui_utils"],
)
def test_an_empty_name_is_found(name: str) -> None:
    """The words that say nothing are found in classes and modules, alone and in company."""
    assert has_empty_name(name)


@pytest.mark.parametrize("name", ["Subject", "JobRunner", "managed", "Utilisation", "futile"])
def test_a_telling_name_passes(name: str) -> None:
    """Names of the domain pass."""
    assert not has_empty_name(name)


def test_no_class_or_module_has_an_empty_name() -> None:
    """Manager, Helper, Service and Util say nothing of what a thing does."""
    wrong = []
    for wing in (*WINGS, "tests"):
        for path in sorted((ROOT / wing).rglob("*.py")):
            classes = [n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
            wrong += [f"{path.relative_to(ROOT)}: {name}" for name in [path.stem, *classes] if has_empty_name(name)]
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["/" + "tmp/x", "/" + "root/y", "'/" + "work/main'", "/" + "home/ann/z", "/" + "opt/v"]
)
def test_a_machine_path_is_found(path: str) -> None:
    """Paths of one machine are found."""
    assert MACHINE_PATH.search(path)


@pytest.mark.parametrize(
    "text", ["$out/tmp", "a/root", "models/work/x", "https://example.org/opt/x", "~/opt", "/home/"]
)
def test_a_relative_path_is_no_machine_path(text: str) -> None:
    """Paths within the project and addresses are left alone."""
    assert not MACHINE_PATH.search(text)


def test_no_tracked_text_names_a_machine_path(texts: dict[str, str]) -> None:
    """The project runs on other machines than the one it was written on."""
    wrong = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert wrong == []


def test_no_door_that_skips_a_check_is_shipped(texts: dict[str, str]) -> None:
    """The door that skips the gate lives in tests alone."""
    assert [name for name, text in texts.items() if OPEN_DOOR in text and not name.startswith("tests/")] == []


def test_no_registry_is_named(texts: dict[str, str]) -> None:
    """Where packages come from is the machine's business, not the project's."""
    tooling = [name for name in texts if name.startswith(("packaging/", ".ci/")) or name == "pyproject.toml"]
    assert {"packaging/setup", "pyproject.toml"} <= set(tooling)
    assert [name for name in tooling if REGISTRY.search(texts[name])] == []


SCRIPTS = ("packaging/setup", "packaging/run", "packaging/test", "packaging/postgres", ".ci/run")


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_commands_can_be_run(script: str) -> None:
    """Each command is executable, strict and free of syntax errors."""
    assert os.access(ROOT / script, os.X_OK)
    text = (ROOT / script).read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_packaging_does_not_shadow_the_library_of_its_name() -> None:
    """With an __init__.py the folder would be found before the library `packaging`."""
    assert not (ROOT / "packaging/__init__.py").exists()
    import packaging.version

    assert packaging.version.Version("1.0")


@pytest.mark.parametrize("wing", ["compliance", "engines"])
@pytest.mark.parametrize(
    "source",
    ['"""M."""\n\n\ndef f() -> None:\n    pass\n', '"""M."""\n\n\nclass C:\n    pass\n', "X = 1\n"],
    ids=["function", "class", "module"],
)
def test_a_public_name_needs_a_docstring(wing: str, source: str) -> None:
    """The linter's configuration asks every public function, class and module of the lower wings for a docstring."""
    done = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--no-cache", "--stdin-filename", f"{wing}/planted.py", "-"],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"\bD10[0-3]\b", done.stdout), done.stdout


def test_help_starts_without_the_heavy_libraries() -> None:
    """The command line answers --help without loading Qt, OpenCV or any network's library."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "studio", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "studio" in loaded
    assert loaded & HEAVY == set()
