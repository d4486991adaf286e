"""One command line in this process, in a copy of a home with an account, two people and their consents."""

from __future__ import annotations

import copy
import gettext
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio import text, workshop
from studio.commands.root import run
from studio.workshop import Workshop
from tests.studio.conftest import COLLINS, HOPPER

PASSWORD = "a long enough password"
TODAY = date.today()


class MemoryKeyring:
    """A session keyring in this process: what a test leaves open ends with it."""

    name = "memory"

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def put(self, home_id: str, key: bytes, lifetime_s: int) -> None:
        self._held[home_id] = key

    def get(self, home_id: str) -> bytes | None:
        return self._held.get(home_id)

    def drop(self, home_id: str) -> None:
        self._held.pop(home_id, None)


@dataclass(frozen=True)
class Answer:
    """What one command line came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def data(self) -> Any:
        """The last JSON line."""
        return self.lines[-1]

    @property
    def error(self) -> str:
        """The name of the error."""
        return str(self.data["error"])


Signet = Callable[..., Answer]


@dataclass(frozen=True)
class Template:
    """A home with one signed-in account, two people, and consents by what they are for."""

    home: Path
    pictures: Path
    consents: dict[str, str]
    subjects: dict[str, str]
    keyring: MemoryKeyring


def png_head(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels for it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + idat + chunk(b"IEND", b"")


def make_pictures(folder: Path) -> None:
    """The pictures that must be refused."""
    folder.joinpath("empty.png").write_bytes(b"")
    folder.joinpath("text.png").write_text("not a picture")
    folder.joinpath("cut.png").write_bytes(COLLINS.read_bytes()[:40_000])
    folder.joinpath("bomb.png").write_bytes(png_head(30_000, 30_000))
    folder.joinpath("changed.jpg").write_bytes(HOPPER.read_bytes() + b"\0")
    Image.new("RGB", (400, 400), (90, 120, 150)).save(folder / "no_face.png")
    with Image.open(HOPPER) as portrait:
        portrait.resize((82, 96), Image.Resampling.LANCZOS).save(folder / "small.png")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Made once: each sign-in costs half a second of key derivation."""
    folder = tmp_path_factory.mktemp("commands")
    home, pictures = folder / "home", folder / "pictures"
    pictures.mkdir()
    make_pictures(pictures)
    keyring = MemoryKeyring()
    with Workshop(home, "own", keyring) as shop:
        shop.create_account("ada", PASSWORD, "Ada Example")
        shop.login("ada", PASSWORD)
        hopper, collins = shop.add_subject("Grace Hopper").id, shop.add_subject("Eileen Collins").id
        year, month = timedelta(days=300), timedelta(days=30)

        def record(subject: str, picture: Path, purposes: list[str], since: date, until: date) -> str:
            return shop.record_consent(subject, picture, purposes, since, until).id

        consents = {
            "hopper": record(hopper, HOPPER, ["private"], TODAY, TODAY + year),
            "collins": record(collins, COLLINS, ["private", "film"], TODAY, TODAY + year),
            "expired": record(hopper, HOPPER, ["private"], TODAY - year, TODAY - month),
            "early": record(hopper, HOPPER, ["private"], TODAY + month, TODAY + year),
            "film": record(hopper, HOPPER, ["film"], TODAY, TODAY + year),
            "withdrawn": record(hopper, HOPPER, ["private"], TODAY, TODAY + year),
            "no_face": record(collins, pictures / "no_face.png", ["private"], TODAY, TODAY + year),
            "small": record(collins, pictures / "small.png", ["private"], TODAY, TODAY + year),
        }
        shop.withdraw_consent(consents["withdrawn"])
    return Template(home, pictures, consents, {"hopper": hopper, "collins": collins}, keyring)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test starts and ends in English."""
    text.set_language("en")
    yield
    text.set_language("en")
    gettext.textdomain("messages")
    os.environ.pop("LANGUAGE", None)


@pytest.fixture
def signet(
    template: Template, signet_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Run one command line in this process, in a copy of the template's home."""
    shutil.copytree(template.home, signet_home)
    keyring = copy.deepcopy(template.keyring)
    monkeypatch.setattr(workshop, "find_keyring", lambda: keyring)

    def run_it(*words: object) -> Answer:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run_it


def swap(out: Path, *more: object, source: Path = HOPPER, target: Path = COLLINS) -> list[object]:
    """The words of a face swap."""
    return ["face", "swap", "--source", source, "--target", target, "--out", out, *more]
