"""Scripted attempts to get media out of the unmodified program without its labels. None may succeed.

Each attempt is a function with a name and one line on what it tries; it works in a place of its own, says in a few
words what it got, and afterwards everything that it could have left anywhere is looked at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from compliance.keys import PublicKeys, public_keys
from compliance.media import Pixels, unseal
from compliance.permit import Permit
from engines.engine import Request, load_engine
from engines.job import CancelToken, Event
from studio.pictures import plan as plan_picture
from studio.runner import Running
from studio.workshop import SwapPlan, Workshop
from tests.compliance.home import PASSWORD, lower_the_cost_of_passwords
from tests.compliance.labels.pictures import png_bytes, scene
from tests.hostile.judging import Escape, decoded_pictures, escapes, files_below

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120.0
SIZE = (320, 240)
PROMPT, SEED = "a red sunset over a lake", 7
OPTIONS: dict[str, Any] = {"prompt": PROMPT, "negative": "", "width": SIZE[0], "height": SIZE[1]}
WORDS = ("picture", "sketch", "--prompt", PROMPT, "--size", f"{SIZE[0]}x{SIZE[1]}", "--seed", str(SEED))
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".avif", ".wav", ".flac", ".mp3", ".m4a", ".ogg")
# Outside the ground: looked at for this one picture only, since others use them too.
_SHARED = tuple(Path("/", *parts) for parts in (("tmp",), ("var", "tmp"), ("dev", "shm")))
_SHARED_LARGEST_BYTES = 8 << 20
_ALIKE_LEVELS = 6.0


@dataclass(frozen=True, slots=True)
class Shell:
    """What one run of the program came to."""

    code: int
    out: str
    err: str

    def said(self) -> str:
        """The exit code and the first sentence."""
        lines = (self.err or self.out).strip().splitlines()
        notes = [line for line in lines if "painter follows rules" not in line and not line.startswith("[")]
        return f"exit {self.code}" + (f": {notes[0][:90]}" if notes and self.code else "")


@dataclass
class Ground:
    """One user with one home, who owns everything here: folders, environment, installation."""

    folder: Path
    planted: set[bytes] = field(default_factory=set)
    _workshop: Workshop | None = None

    def __enter__(self) -> Self:
        self.user, self.temporary, self.home = self.folder / "user", self.folder / "tmp", self.folder / "home"
        for made in (self.user, self.temporary, self.folder / "places"):
            made.mkdir(parents=True)
        lower_the_cost_of_passwords()
        with Workshop(self.home, "own", None) as workshop:
            workshop.create_account("maria", PASSWORD, "Maria Example")
            workshop.login("maria", PASSWORD)
        self.password = self.folder / "password"
        self.password.write_text(PASSWORD)
        self._started_at = time.time()
        self.naked = self._naked()
        rows = [self.naked[row, 40:80] for row in (12, 60, 110, 170)]
        self.canary = tuple(piece.tobytes() for row in rows for piece in (row, row[:, ::-1]))
        return self

    def __exit__(self, *_: object) -> None:
        if self._workshop is not None:
            self._workshop.close()

    def _naked(self) -> Pixels:
        """The picture that all attempts are after, as the engine makes it: what nobody may find."""
        request = self.plan(self.home).request
        permit = Permit("per-test", request.function, request.engine, request.digest(), "acc", (), "private", 0, "", "")
        engine = load_engine(request.engine)
        return np.array(unseal(engine.run(request, permit, {}, lambda _event: None, CancelToken())))

    def plan(self, home: Path) -> SwapPlan:
        """A request for the picture."""
        request, materials, faces = plan_picture(
            home,
            lambda _name, _data: [],
            "picture.sketch",
            OPTIONS,
            seed=SEED,
            picture=None,
            mask=None,
            consents=(),
            purpose="private",
        )
        assert not materials
        return SwapPlan(request, (), faces)

    @property
    def keys(self) -> PublicKeys:
        """The public keys of the home."""
        keys = public_keys(self.home)
        assert keys is not None
        return keys

    @property
    def workshop(self) -> Workshop:
        """The program without its command line, on the same home, signed in."""
        if self._workshop is None:
            self._workshop = Workshop(self.home, "own", None)
            self._workshop.unlock(PASSWORD)
        return self._workshop

    def run(self, request: Request | None = None, on_event: Callable[[Event], None] = lambda _event: None) -> Running:
        """Have something made, the picture as a rule, and wait for the end."""
        plan = SwapPlan(request, (), ()) if request else self.plan(self.home)
        running = self.workshop.start(plan, on_event)
        running.wait(LIMIT_S)
        return running

    def plant(self, path: Path, data: bytes | None = None) -> Path:
        """Put a file of the user's own somewhere: a picture without a label unless told otherwise."""
        content = data if data is not None else png_bytes(scene(300, 220, 3))
        path.write_bytes(content)
        self.planted.add(content)
        return path

    def environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        """What the program is started with."""
        kept = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
        own = {
            "HOME": str(self.user),
            "XDG_CACHE_HOME": str(self.user / "cache"),
            "XDG_CONFIG_HOME": str(self.user / "config"),
            "XDG_STATE_HOME": str(self.user / "state"),
            "TMPDIR": str(self.temporary),
            "SIGNET_HOME": str(self.home),
            "SIGNET_PASSWORD_FILE": str(self.password),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "QT_QPA_PLATFORM": "offscreen",
        }
        return {**kept, **own, **changes}

    def signet(
        self,
        place: Path,
        words: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        program: Sequence[str] | None = None,
        before: Callable[[], None] | None = None,
        said: str | None = None,
    ) -> Shell:
        """Run the installed program in a place. program: what is run instead; before: done in the child first."""
        installed = Path(sys.executable).with_name("signet")
        started = (
            list(program) if program else [str(installed)] if installed.exists() else [sys.executable, "-m", "studio"]
        )
        ran = subprocess.run(
            [*started, *words],
            cwd=place,
            env=self.environment(environment or {}),
            capture_output=True,
            text=True,
            errors="replace",
            input=said or "",
            timeout=LIMIT_S,
            check=False,
            preexec_fn=before,
        )
        return Shell(ran.returncode, ran.stdout, ran.stderr)

    def sketch(self, place: Path, environment: Mapping[str, str] | None = None, out: str = "a.png", **how: Any) -> str:
        """Have the picture made and released; in words, what came of it."""
        shell = self.signet(place, (*WORDS, "--out", out), environment, **how)
        made = place / out
        if shell.code == 0 and made.is_file():
            return "a picture with all its labels"
        return shell.said()

    def found(self, place: Path) -> list[Escape]:
        """Everything without a label that an attempt left where it could leave something."""
        own = [place, self.user, self.temporary, self.home]
        released = [
            path
            for path in files_below([place])
            if path.suffix.lower() in _ENDINGS
            and not path.name.startswith(".")
            and path.read_bytes() not in self.planted
        ]
        found = escapes(own, known=self.planted, canary=self.canary, released=released, keys=self.keys)
        return found + [Escape(path, "the picture itself") for path in self._echoes()]

    def _echoes(self) -> list[Path]:
        """Files in folders that everybody uses which hold the picture without its label."""
        found = []
        for folder in _SHARED:
            for path in folder.glob("*") if folder.is_dir() else ():
                try:
                    known = path.lstat()
                    if not path.is_file() or path.is_symlink() or known.st_mtime < self._started_at:
                        continue
                    data = path.read_bytes() if known.st_size < _SHARED_LARGEST_BYTES else b""
                except OSError:
                    continue
                if any(piece in data for piece in self.canary) or any(map(self._is_it, decoded_pictures(data))):
                    found.append(path)
        return found

    def _is_it(self, pixels: Pixels) -> bool:
        """Whether pixels are the picture without a label, whatever their size."""
        if min(pixels.shape[:2]) < 64:
            return False
        here = np.asarray(Image.fromarray(pixels).resize(SIZE), np.float32)
        return float(np.abs(here - self.naked).mean()) < _ALIKE_LEVELS


Act = Callable[[Ground, Path], str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. tried: one line; is_quick: part of every run of the tests."""

    name: str
    tried: str
    act: Act
    is_quick: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt got, in words, and what stands somewhere without a label: nothing, or it succeeded."""

    attempt: Attempt
    got: str
    found: tuple[Escape, ...]


ATTEMPTS: list[Attempt] = []


def attempt(name: str, tried: str, *, is_quick: bool = False) -> Callable[[Act], Act]:
    """Enter an attempt into the table."""

    def enter(act: Act) -> Act:
        ATTEMPTS.append(Attempt(name, tried, act, is_quick))
        return act

    return enter


def make(chosen: Attempt, ground: Ground) -> Result:
    """Make one attempt in a place of its own, and look."""
    place = ground.folder / "places" / f"{ATTEMPTS.index(chosen)}"
    place.mkdir()
    got = chosen.act(ground, place)
    found = ground.found(place)
    for done in (place, ground.folder / "copies" / place.name):
        shutil.rmtree(done, ignore_errors=True)
    return Result(chosen, got, tuple(found))


def line(result: Result) -> str:
    """One line of the table."""
    got = "; ".join(map(str, result.found)) if result.found else result.got
    return f"{'SUCCEEDED' if result.found else 'in vain':10}{result.attempt.name:46}{result.attempt.tried:76}  {got}"
