"""Media leaves through compliance.draft and compliance.release; every other way is named in doors.py or found here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.doors import DOORS
from tests.house.ways_out import WINGS, problems, ways

ROOT = Path(__file__).resolve().parents[2]

# What a careless author could write, and the name under which it is found.
FOUND = [
    ("open('x', 'w')", "open for writing"),
    ("open('x', mode=mode)", "open for writing"),
    ("open(*arguments)", "open for writing"),
    ("path.open('r+b')", "open for writing"),
    ("import io\nio.open('x', 'ab')", "open for writing"),
    ("import codecs as c\nc.open('x')", "import codecs"),
    ("opener = open", "open handed on"),
    ("write = path.open", "open handed on"),
    ("from io import open as o", "open handed on"),
    ("picture.save(path)", "save"),
    ("keep = picture.save", "save"),
    ("from numpy import savez", "savez"),
    ("getattr(picture, 'save')(path)", "save"),
    ("getattr(picture, name)(path)", "getattr by a computed name"),
    ("from PIL import Image\nImage.open(path).show()", "Image.show"),
    ("from PIL import ImageGrab", "import PIL.ImageGrab"),
    ("import cv2\ncv2.imwrite('x', pixels)", "imwrite"),
    ("import cv2 as c\nc.imencode('.png', pixels)", "imencode"),
    ("path.write_bytes(data)", "write_bytes"),
    ("path.replace(other)", "Path.replace"),
    ("pixels.tofile(path)", "tofile"),
    ("pixels.dump(path)", "dump"),
    ("import os\nos.open(path, os.O_WRONLY)", "os.open"),
    ("import os as system\nsystem.write(1, data)", "os.write"),
    ("from os import link as tie", "os.link"),
    ("import os\ngetattr(os, 'sendfile')", "os.sendfile"),
    ("import sys\nsys.stdout.buffer.write(data)", "stdout.buffer"),
    ("application.clipboard().setPixmap(p)", "clipboard"),
    ("from PySide6.QtGui import QDrag", "QDrag"),
    ("from PySide6 import QtGui\nQtGui.QPdfWriter(path)", "QPdfWriter"),
    ("from PySide6.QtPrintSupport import QPrintDialog", "import PySide6.QtPrintSupport"),
    ("from PySide6 import QtNetwork", "import PySide6.QtNetwork"),
    ("widget.grab()", "grab"),
    ("import socket", "import socket"),
    ("import urllib.request", "import urllib"),
    ("import multiprocessing.shared_memory as m", "import multiprocessing"),
    ("from concurrent.futures import ProcessPoolExecutor", "ProcessPoolExecutor"),
    ("from subprocess import run", "import subprocess"),
    ("import importlib.resources", "import importlib"),
    ("import pickle", "import pickle"),
    ("import sqlite3 as s", "import sqlite3"),
    ("from tempfile import NamedTemporaryFile", "import tempfile"),
    ("from os import *", "import *"),
    ("exec(text)", "exec"),
    ("run = eval", "eval"),
    ("__import__('socket')", "__import__"),
    ("from compliance.media import unseal", "unseal"),
    ("from compliance import media\nmedia.unseal(m)", "unseal"),
    ("m._SyntheticMedia__pixels", "_SyntheticMedia__"),
    ("getattr(m, '_SyntheticMedia__pixels')", "_SyntheticMedia__"),
    ("object.__getattribute__(m, f'_SyntheticMedia__{x}')", "_SyntheticMedia__"),
    ("def later():\n    if True:\n        import shutil", "import shutil"),
]

# What only reads, or only looks like a way out.
FREE = [
    "open('x')",
    "open('x', 'rb')",
    "path.open()",
    "path.open('rb')",
    "from studio.workshop import Workshop\nWorkshop.open(home, kind)",
    "import io\nkind.open(io.BytesIO(data))",
    "if kind.open is reader:\n    pass",
    "class Reader:\n    open: type",
    "from PIL import Image\nImage.open(path)",
    "from importlib import resources",
    "import importlib.metadata as m",
    "from urllib.parse import quote",
    "import re\nre.compile('x')",
    "'a'.replace('b', 'c')",
    "from datetime import datetime\ndatetime.now().replace(tzinfo=None)",
    "from dataclasses import replace\nreplace(job, state=1)",
    "import os\nos.path.join('a', 'b')\nos.unlink('x')",
    "page.show()",
    "getattr(thing, 'name', None)",
    "text = 'save, open, unseal'",
]


@pytest.mark.parametrize(("source", "way"), FOUND, ids=[source.splitlines()[-1].strip() for source, _ in FOUND])
def test_a_way_out_is_found(source: str, way: str) -> None:
    """Every spelling in the table is found under its name."""
    assert way in ways(source)


@pytest.mark.parametrize("source", FREE)
def test_reading_is_free(source: str) -> None:
    """What writes nothing needs no door."""
    assert ways(source) == {}


def test_media_has_one_way_out() -> None:
    """Each file uses exactly the ways that doors.py allows it, no more and no fewer."""
    assert problems(ROOT, DOORS) == []


def test_every_door_has_its_reason() -> None:
    """A door without a reason is a hole."""
    assert [file for file, doors in DOORS.items() for reason in doors.values() if len(reason.split()) < 3] == []


def test_only_draft_opens_sealed_media() -> None:
    """The seal is named where it is made and opened where labels are drawn or the review looks first; nowhere else."""
    names = {file for file, doors in DOORS.items() if {"unseal", "_SyntheticMedia__"} & doors.keys()}
    assert names == {"compliance/draft.py", "compliance/media.py", "compliance/review_result.py"}


def test_every_folder_of_a_wing_is_a_package() -> None:
    """The contracts see packages only: a folder without __init__.py would be a blind spot."""
    folders = {path.parent for wing in WINGS for path in (ROOT / wing).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_family_stands_in_its_contract() -> None:
    """A new family of engines must be entered into the contract of independence."""
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = next(contract for contract in contracts if contract["id"] == "families")["modules"]
    there = sorted(f"engines.{path.parent.name}" for path in (ROOT / "engines").glob("*/__init__.py"))
    assert sorted(named) == there


# --- planted violations ----------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The wings and their contracts, to be broken."""
    for wing in WINGS:
        shutil.copytree(ROOT / wing, tmp_path / wing, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check_contracts(root: Path) -> tuple[int, str]:
    """Exit code and output of lint-imports on the wings under root, which go before the installed ones."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_untouched_copy_keeps_all_contracts(copy: Path) -> None:
    """What the planted violations below turn red is green before."""
    code, output = check_contracts(copy)
    assert code == 0, output


PLANTED_IMPORTS = [
    ("engines/face/planted.py", "from PySide6 import QtCore", "engines.face.planted -> PySide6"),
    ("compliance/planted.py", "import PySide6.QtGui", "compliance.planted -> PySide6"),
    ("studio/planted.py", "from PySide6.QtCore import QObject", "studio.planted -> PySide6"),
    ("studio/planted.py", "def later():\n    import compliance.encode", "studio.planted -> compliance.encode"),
    ("studio/planted.py", "from compliance import draft", "studio.planted -> compliance.draft"),
    ("studio/planted.py", "from compliance.release import x", "studio.planted -> compliance.release"),
    ("engines/planted.py", "from compliance.gate import authorize", "engines.planted -> compliance.gate"),
    ("engines/planted.py", "import studio.text", "engines.planted -> studio.text"),
    ("engines/face/planted.py", "import engines.fake", "engines.face.planted -> engines.fake"),
    ("compliance/planted.py", "from engines.job import Job", "compliance.planted -> engines.job"),
]


@pytest.mark.parametrize(("file", "source", "edge"), PLANTED_IMPORTS, ids=[edge for *_, edge in PLANTED_IMPORTS])
def test_a_planted_import_breaks_a_contract(copy: Path, file: str, source: str, edge: str) -> None:
    """lint-imports goes red and names the planted import."""
    (copy / file).write_text(source + "\n")
    code, output = check_contracts(copy)
    assert code == 1, output
    assert edge in output


PLANTED_WAYS = [
    ("studio/planted.py", "def keep(picture, path):\n    picture.save(path)", "save"),
    ("engines/fake/planted.py", "from compliance.media import unseal\nunseal(1)", "unseal"),
    ("studio/planted.py", "def peek(media):\n    return media._SyntheticMedia__pixels", "_SyntheticMedia__"),
    ("compliance/planted.py", "import socket", "import socket"),
    ("engines/planted.py", "open('out.png', 'wb')", "open for writing"),
]


@pytest.mark.parametrize(("file", "source", "way"), PLANTED_WAYS, ids=[f"{f} {w}" for f, _, w in PLANTED_WAYS])
def test_a_planted_way_out_is_found(copy: Path, file: str, source: str, way: str) -> None:
    """The walk goes red and names file, line and way, and nothing else."""
    before = problems(copy, DOORS)
    (copy / file).write_text(source + "\n")
    new = [problem for problem in problems(copy, DOORS) if problem not in before]
    assert len(new) == 1
    assert new[0].startswith(f"{file}:")
    assert new[0].endswith(f"{way} is a way out")


def test_a_second_way_in_a_file_that_has_doors_is_found(copy: Path) -> None:
    """Doors are given by name: who may open a folder's descriptor may not save pictures."""
    before = problems(copy, DOORS)
    path = copy / "compliance/storage.py"
    path.write_text(path.read_text() + "\n\ndef keep(picture: object) -> None:\n    picture.save('x')\n")
    assert [p.split(": ", 1)[1] for p in problems(copy, DOORS) if p not in before] == ["save is a way out"]


def test_a_door_that_nobody_uses_is_found(copy: Path) -> None:
    """A line that is not needed any more must go, and so must the line of a file that is gone."""
    before = problems(copy, DOORS)
    idle = {"save": "for no reason"}
    doors = {**DOORS, "compliance/errors/base.py": idle, "studio/gone.py": idle}
    assert [p for p in problems(copy, doors) if p not in before] == [
        "compliance/errors/base.py: save is allowed in doors.py but not used",
        "studio/gone.py: stands in doors.py but is not there",
    ]
