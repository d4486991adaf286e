"""Command lines by chance, over the real tree of commands: whatever they do, no media without labels appears."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.compliance.home import PASSWORD
from tests.compliance.labels.pictures import jpeg_bytes, scene
from tests.hostile.attempts import Ground, attempt

SETS, SHARE = 500, 16
SEED = 20261123
# A home is put back after so many: some commands close its account, or withdraw what others need.
_FRESH_EVERY = 50
# These reach out into the network, or wait for a person.
_LEFT_OUT = {("identity", "oidc"), ("identity", "national")}
_ODD = ("", "-", "0", "-1", "1", "3", "1e9", "nan", "x" * 300, "../..", "汉字", "\x1b[2J", "--", "%s%n", "a\nb")
_FLAGS = ("--no-label", "--raw", "--unlabelled", "--label=off", "--debug", "--force", "--json", "--overwrite", "--help")
_OUT = (
    "o.png",
    "o.jpg",
    "o.wav",
    "o.npy",
    "o.raw",
    "o.bmp",
    "sub/o.png",
    "none/o.png",
    "/dev/stdout",
    ".o.png",
    "o",
    "in.png",
)
_WORDS = (
    "private",
    "film",
    "en",
    "zh",
    "face",
    "voice",
    "png",
    "all",
    "maria",
    "a red sunset",
    "320x240",
    "64x64",
    "nlm",
    "tv",
)


def _leaves(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in getattr(command, "commands", {}).items():
        words = (*above, name)
        if hasattr(child, "commands"):
            yield from _leaves(child, words)
        elif words not in _LEFT_OUT:
            yield words, child


def lines(count: int, seed: int = SEED) -> list[list[str]]:
    """That many command lines; a third of them would be whole and release something."""
    from studio.commands.root import build

    chance = random.Random(seed)
    leaves = sorted(_leaves(build()), key=lambda leaf: leaf[0])
    made = []
    for _ in range(count):
        words, command = chance.choice(leaves)
        if chance.random() < 0.34:
            wanted = ("picture", chance.choice(("sketch", "enhance")))
            words, command = next(leaf for leaf in leaves if leaf[0] == wanted)
        made.append([*words, *_arguments(command, chance)])
    return made


def _arguments(command: Any, chance: random.Random) -> list[str]:
    said: list[str] = []
    careless = chance.random()
    for parameter in command.params:
        if not parameter.required and chance.random() > (0.25 if careless < 0.6 else 0.6):
            continue
        if parameter.required and chance.random() < 0.1 * careless:
            continue
        value = _value(parameter, chance, careless)
        if parameter.param_type_name == "argument":
            said.append(value)
        elif getattr(parameter, "is_flag", False):
            said.append(parameter.opts[-1])
        else:
            said += [parameter.opts[-1], value]
    if careless > 0.7:
        said.insert(chance.randint(0, len(said)), chance.choice(_FLAGS))
    if careless > 0.85:
        said.insert(chance.randint(0, len(said)), chance.choice(_ODD))
    return said


def _value(parameter: Any, chance: random.Random, careless: float) -> str:
    if careless > 0.5 and chance.random() < 0.4:
        return chance.choice((*_ODD, *_WORDS))
    name = parameter.name
    if name == "out":
        return chance.choice(_OUT[:3] if careless < 0.6 else _OUT)
    if name == "size":
        return chance.choice(("128x128", "160x128", "64x64"))
    if name == "count":
        return "1"
    if name in ("picture", "files", "source", "target", "mask", "file", "evidence"):
        return chance.choice(("in.png", "in.jpg", "in.txt", "missing.png", "."))
    if name in ("seed", "scale", "start", "stop", "steps"):
        return chance.choice(("1", "2"))
    if name in ("denoise", "sharpness", "contrast", "fade", "strength", "sensitivity"):
        return chance.choice(("0", "0.5", "1"))
    if name == "password_file":
        return "pw"
    return chance.choice(_WORDS)


@contextlib.contextmanager
def _as_user(ground: Ground, place: Path) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """This process as one run of the program: its folder, its home, its streams."""
    out, err = io.StringIO(), io.StringIO()
    before, folder, stdin = dict(os.environ), os.getcwd(), sys.stdin
    os.environ.update(ground.environment({"SIGNET_HOME": str(place / "home")}))
    # Without a screen no command line can open the window.
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        os.environ.pop(name, None)
    os.chdir(place)
    sys.stdin = io.StringIO("")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield out, err
    finally:
        os.chdir(folder)
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(before)


def run(ground: Ground, place: Path, those: Sequence[Sequence[str]]) -> Counter[int]:
    """Exit codes of command lines, each run in a home and a folder of its own making."""
    from studio.commands.root import run as program

    ground.plant(place / "in.png")
    ground.plant(place / "in.jpg", jpeg_bytes(scene(200, 160, 5)))
    (place / "in.txt").write_text("not a picture")
    (place / "pw").write_text(PASSWORD)
    (place / "sub").mkdir()
    codes: Counter[int] = Counter()
    for number, words in enumerate(those):
        if number % _FRESH_EVERY == 0:
            shutil.rmtree(place / "home", ignore_errors=True)
            # By another process: the database is open in this one, and reading it here would take its locks away.
            subprocess.run(["cp", "-a", "--", ground.home, place / "home"], check=True)
        with _as_user(ground, place) as (out, err):
            codes[program(list(words))] += 1
        said = out.getvalue() + err.getvalue()
        assert "Traceback" not in said, (words, said[-500:])
        assert "\x89PNG" not in said, words
    return codes


def _fuzz(ground: Ground, place: Path, count: int) -> str:
    codes = run(ground, place, lines(count))
    made = sum(path.suffix in (".png", ".jpg") for path in place.rglob("o*.*"))
    told = ", ".join(f"{times} x exit {code}" for code, times in sorted(codes.items()))
    return f"{made} pictures with all their labels; {told}"


@attempt(f"command lines: {SETS} by chance", f"{SETS} command lines by chance over the whole tree of commands")
def _all(ground: Ground, place: Path) -> str:
    return _fuzz(ground, place, SETS)


@attempt(f"command lines: {SHARE} by chance", f"the first {SHARE} of them", is_quick=True)
def _share(ground: Ground, place: Path) -> str:
    return _fuzz(ground, place, SHARE)
