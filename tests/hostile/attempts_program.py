"""Attempts on the program from outside: environment, files in its way, a changed installation, limits and signals."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import resources
from tests.hostile.attempts import ROOT, WORDS, Act, Ground, attempt

# --- environment -----------------------------------------------------------------------------------------------------

_SWITCHES = ("NO_LABEL", "LABEL", "LABELS", "UNSAFE", "DEBUG", "DEV", "TEST", "RAW", "SKIP_VERIFY", "WATERMARK", "DEMO")
_ENVIRONMENTS: dict[str, tuple[str, Mapping[str, str], bool]] = {
    "SIGNET switches": (
        "SIGNET_NO_LABEL=1, SIGNET_LABEL=off and nine more names that a label switch could have",
        {f"SIGNET_{name}": "off" if name.startswith(("LABEL", "WATER")) else "1" for name in _SWITCHES},
        True,
    ),
    "PYTHONOPTIMIZE": ("PYTHONOPTIMIZE=2, so that no assert holds", {"PYTHONOPTIMIZE": "2"}, False),
    "PYTHONDEVMODE": (
        "PYTHONDEVMODE, PYTHONMALLOC=debug, PYTHONFAULTHANDLER, PYTHONTRACEMALLOC",
        {"PYTHONDEVMODE": "1", "PYTHONMALLOC": "debug", "PYTHONFAULTHANDLER": "1", "PYTHONTRACEMALLOC": "3"},
        False,
    ),
    "PYTHONWARNINGS": (
        "PYTHONWARNINGS=error, PYTHONIOENCODING=latin-1, PYTHONUTF8=0",
        {"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
        False,
    ),
    "PYTHONPERFSUPPORT": ("PYTHONPERFSUPPORT and PYTHONPROFILEIMPORTTIME", {"PYTHONPERFSUPPORT": "1"}, False),
    "QT": (
        "QT_QPA_PLATFORM=minimal, QT_PLUGIN_PATH and QT_QPA_FONTDIR that lead nowhere, QT_DEBUG_PLUGINS",
        {"QT_QPA_PLATFORM": "minimal", "QT_PLUGIN_PATH": "/nowhere", "QT_QPA_FONTDIR": "/nowhere"},
        False,
    ),
    "OPENCV": (
        "OPENCV_IO_MAX_IMAGE_PIXELS=1, OPENCV_TRACE, OPENCV_DUMP_CONFIG, OPENCV_LOG_LEVEL",
        {
            "OPENCV_IO_MAX_IMAGE_PIXELS": "1",
            "OPENCV_TRACE": "1",
            "OPENCV_TRACE_LOCATION": "trace",
            "OPENCV_DUMP_CONFIG": "1",
            "OPENCV_LOG_LEVEL": "DEBUG",
        },
        False,
    ),
    "HF": (
        "HF_HOME in the place, HF_HUB_OFFLINE=0, TRANSFORMERS_CACHE, DIFFUSERS_VERBOSITY",
        {"HF_HOME": "hub", "HF_HUB_OFFLINE": "0", "TRANSFORMERS_CACHE": "hub", "DIFFUSERS_VERBOSITY": "debug"},
        False,
    ),
    "fonts": (
        "FONTCONFIG_FILE, FREETYPE_PROPERTIES and FONTCONFIG_PATH that make letters vanish",
        {
            "FONTCONFIG_FILE": "/dev/null",
            "FONTCONFIG_PATH": "/nowhere",
            "FREETYPE_PROPERTIES": "cff:no-stem-darkening=0",
        },
        False,
    ),
    "language": (
        "LC_ALL=C, LANGUAGE=xx, SIGNET_LANG=zh-CN: a label in no language",
        {"LC_ALL": "C", "LANG": "C", "LANGUAGE": "xx", "SIGNET_LANG": "zh-CN"},
        False,
    ),
    "threads": (
        "numbers of threads that are none: OMP_NUM_THREADS=0, OPENBLAS_NUM_THREADS=-1",
        {"OMP_NUM_THREADS": "0", "OPENBLAS_NUM_THREADS": "-1"},
        False,
    ),
    "malloc": (
        "MALLOC_PERTURB_, MALLOC_CHECK_=0, LD_BIND_NOW",
        {"MALLOC_PERTURB_": "170", "MALLOC_CHECK_": "0"},
        False,
    ),
    "LD_LIBRARY_PATH": ("LD_LIBRARY_PATH into an empty folder, LD_DEBUG_OUTPUT", {"LD_LIBRARY_PATH": "."}, False),
    "TMPDIR": (
        "TMPDIR, TEMP and TMP in the place, which is looked at afterwards",
        dict.fromkeys(("TMPDIR", "TEMP", "TMP"), "."),
        False,
    ),
}


def _with_environment(changes: Mapping[str, str]) -> Act:
    return lambda ground, place: ground.sketch(place, changes)


for _name, (_tried, _changes, _is_quick) in _ENVIRONMENTS.items():
    attempt(f"environment: {_name}", _tried, is_quick=_is_quick)(_with_environment(_changes))


@attempt("environment: LD_PRELOAD", "LD_PRELOAD of a library that does nothing, into program and worker")
def _preload(ground: Ground, place: Path) -> str:
    library = next(Path("/usr/lib").glob("*/libm.so.6"), Path("/lib/libm.so.6"))
    if compiler := shutil.which("cc"):
        (place / "nothing.c").write_text("int signet_nothing(void) { return 0; }\n")
        subprocess.run([compiler, "-shared", "-o", "nothing.so", "nothing.c"], cwd=place, check=True)
        library = place / "nothing.so"
    return ground.sketch(place, {"LD_PRELOAD": str(library)})


@attempt("environment: PYTHONINSPECT", "PYTHONINSPECT=1 and a prompt that asks every object for arrays and pictures")
def _inspect(ground: Ground, place: Path) -> str:
    asks = "import gc\nprint(sum(type(o).__name__ in ('ndarray', 'SyntheticMedia') for o in gc.get_objects()))\n"
    shell = ground.signet(
        place,
        (*WORDS, "--out", "a.png"),
        {"PYTHONINSPECT": "1"},
        program=[sys.executable, "-m", "studio"],
        said=asks,
    )
    last = shell.out.strip().splitlines()[-1]
    return f"exit {shell.code}, {f'{last} arrays or sealed media' if last.isdigit() else 'no prompt'}"


@attempt("environment: PYTHONPATH", "PYTHONPATH with a resources package whose label font and clips are empty")
def _shadow(ground: Ground, place: Path) -> str:
    # Beside the place: its own pictures are no finds.
    shadow = ground.folder / "copies" / place.name / "resources"
    shutil.copytree(
        Path(resources.__file__).parent, shadow, ignore=shutil.ignore_patterns("models", "samples", "*.pyc")
    )
    for file in (*(shadow / "fonts").glob("*.otf"), *(shadow / "labels").glob("*.wav")):
        file.write_bytes(b"")
    return ground.sketch(place, {"PYTHONPATH": str(shadow.parent)}, program=[sys.executable, "-m", "studio"])


# --- files in its way ------------------------------------------------------------------------------------------------


@attempt("settings: window.json", "label off, preview without label and a size of -1 in the window's settings")
def _window_settings(ground: Ground, place: Path) -> str:
    settings = ground.home / "window.json"
    settings.write_text(json.dumps({"label": "off", "labels": False, "preview_longest_px": -1, "unlabelled": True}))
    got = ground.sketch(place)
    settings.unlink()
    return got


@attempt(
    "settings: other files", "signet.ini, .signetrc, signet.toml, pyproject.toml and .env with label=off everywhere"
)
def _ini_files(ground: Ground, place: Path) -> str:
    text = "[signet]\nlabel = off\nlabels = false\nSIGNET_NO_LABEL=1\n"
    for folder in (place, ground.user, ground.home, ground.user / "config" / "signet-studio"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("signet.ini", ".signetrc", "signet.toml", "settings.ini", "config.json", ".env"):
            (folder / name).write_text(text)
    return ground.sketch(place)


@attempt(
    "files: modules in the folder", "resources, c2pa.py and av.py of one's own in the folder, with python -m studio"
)
def _modules(ground: Ground, place: Path) -> str:
    (place / "c2pa.py").write_text("raise ImportError('no credentials today')\n")
    (place / "av.py").write_text("raise ImportError('no sound today')\n")
    (place / "resources").mkdir()
    (place / "resources" / "__init__.py").write_text("")
    return ground.sketch(place, program=[sys.executable, "-m", "studio"])


@attempt(
    "options: label off",
    "--no-label, --label off, --raw, --unlabelled, --debug and --watermark 0 on the command line",
)
def _options(ground: Ground, place: Path) -> str:
    tried = (["--no-label"], ["--label", "off"], ["--raw"], ["--unlabelled"], ["--debug"], ["--watermark", "0"])
    codes = [ground.signet(place, (*WORDS, "--out", "a.png", *words)).code for words in tried[:2]]
    codes += [ground.signet(place, (*words, *WORDS, "--out", "a.png")).code for words in tried[2:]]
    return f"exits {codes}"


@attempt("names: other endings", "--out as .npy, .bmp, .raw, .ppm, .pdf, .png.txt, no ending, /dev/stdout and -")
def _endings(ground: Ground, place: Path) -> str:
    names = ("a.npy", "a.bmp", "a.raw", "a.ppm", "a.pdf", "a.png.txt", "a", "/dev/stdout", "-")
    shells = [ground.signet(place, (*WORDS, "--out", name)) for name in names]
    assert not any("\x89PNG" in shell.out or "JFIF" in shell.out for shell in shells)
    return f"exits {[shell.code for shell in shells]}"


@attempt("output: streams", "standard output and errors into files, as JSON and as text, for pixels among the words")
def _streams(ground: Ground, place: Path) -> str:
    for number, words in enumerate(((), ("--json",))):
        shell = ground.signet(place, (*WORDS, "--out", f"{number}.png", *words))
        (place / f"out-{number}").write_text(shell.out + shell.err)
    return "words only"


# --- another installation --------------------------------------------------------------------------------------------


class Copy:
    """An installation that can be changed: its resources are a copy where asked for, all else links to the real one."""

    def __init__(self, ground: Ground, place: Path, *, with_resources: bool = False) -> None:
        # Beside the place: its own pictures and sounds are no finds.
        place = ground.folder / "copies" / place.name
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site = place / "copy" / "lib" / version / "site-packages"
        self.site.mkdir(parents=True)
        binaries = place / "copy" / "bin"
        binaries.mkdir()
        real = Path(sys.executable).resolve()
        self.python = binaries / "python"
        self.python.symlink_to(real)
        (place / "copy" / "pyvenv.cfg").write_text(f"home = {real.parent}\ninclude-system-site-packages = false\n")
        (self.site / "rest.pth").write_text(sysconfig.get_path("purelib") + "\n")
        for wing in ("studio", "engines", "compliance", "resources"):
            if wing == "resources" and with_resources:
                skipped = shutil.ignore_patterns("__pycache__", "samples", "scene")
                shutil.copytree(ROOT / wing, self.site / wing, ignore=skipped)
            else:
                (self.site / wing).symlink_to(ROOT / wing)

    def sketch(self, ground: Ground, place: Path) -> str:
        """Make the picture with the copy."""
        return ground.sketch(place, program=[str(self.python), "-m", "studio"])


def _fonts(change: Callable[[Path], object]) -> Act:
    def act(ground: Ground, place: Path) -> str:
        copy = Copy(ground, place, with_resources=True)
        for font in (copy.site / "resources" / "fonts").iterdir():
            if font.suffix in (".otf", ".ttf"):
                change(font)
        return copy.sketch(ground, place)

    return act


def _swap_font(font: Path) -> None:
    """Another font with the same letters, as blank ones would be."""
    others = sorted(Path("/usr/share/fonts").rglob("*.[ot]tf"))
    font.write_bytes(others[0].read_bytes() if others else font.read_bytes()[::-1])


attempt("installation: as it is", "a copy of the installation, unchanged: shows that the copies below would work")(
    lambda ground, place: Copy(ground, place).sketch(ground, place)
)
attempt("installation: another font", "the label's font exchanged for another one")(_fonts(_swap_font))
attempt("installation: empty font", "the label's font emptied", is_quick=True)(
    _fonts(lambda font: font.write_bytes(b""))
)
attempt("installation: no font", "the label's font taken away")(_fonts(Path.unlink))


@attempt("installation: silent clips", "the spoken words exchanged for silence, then a sound is made")
def _silent_clips(ground: Ground, place: Path) -> str:
    copy = Copy(ground, place, with_resources=True)
    for clip in (copy.site / "resources" / "labels").glob("*.wav"):
        data = clip.read_bytes()
        clip.write_bytes(data[:44] + bytes(len(data) - 44))
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from engines.engine import Request
        from studio.workshop import SwapPlan, Workshop
        with Workshop(Path({str(ground.home)!r}), "own", None) as workshop:
            workshop.unlock({ground.password.read_text()!r})
            plan = SwapPlan(Request("fake.tone", "fake.tone", (), {{"seconds": 1.0}}), (), ())
            running = workshop.start(plan, lambda event: None)
            running.wait(60)
            try:
                workshop.release(running, Path("a.wav"))
            except Exception as error:
                print(type(error).__name__, error)
        """
    )
    shell = ground.signet(place, (), program=[str(copy.python), "-c", script])
    return f"exit {shell.code}: {shell.out.strip()[:90]}"


@attempt("installation: empty catalogues", "every translation of every sentence emptied")
def _catalogues(ground: Ground, place: Path) -> str:
    copy = Copy(ground, place, with_resources=True)
    for file in (copy.site / "resources" / "locale").rglob("*.mo"):
        file.write_bytes(b"")
    return copy.sketch(ground, place)


_BLOCK = """
import sys
class _Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r} or name.startswith({name!r} + "."):
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, _Missing())
"""


def _without(name: str) -> Act:
    def act(ground: Ground, place: Path) -> str:
        copy = Copy(ground, place)
        (copy.site / "sitecustomize.py").write_text(_BLOCK.format(name=name))
        return copy.sketch(ground, place)

    return act


for _module, _is_quick in (
    ("c2pa", True),
    ("cv2", False),
    ("av", False),
    ("PIL", False),
    ("PIL.PngImagePlugin", False),
    ("PIL.ImageFont", False),
    ("scipy", False),
    ("onnxruntime", False),
    ("compliance.inspection", False),
    ("compliance.labels.sighting", False),
    ("compliance.labels.watermark_image", False),
):
    attempt(f"without {_module}", f"{_module} cannot be imported, in program and worker", is_quick=_is_quick)(
        _without(_module)
    )


@attempt("broken c2pa", "a c2pa library that loads and whose every name fails")
def _broken_c2pa(ground: Ground, place: Path) -> str:
    copy = Copy(ground, place)
    (copy.site / "c2pa.py").write_text("def __getattr__(name):\n    raise RuntimeError('broken')\n")
    return copy.sketch(ground, place)


@attempt("c2pa that signs nothing", "a c2pa library that returns what it was given, unsigned")
def _idle_c2pa(ground: Ground, place: Path) -> str:
    copy = Copy(ground, place)
    (copy.site / "c2pa.py").write_text(
        "class _Any:\n"
        "    def __init__(self, *a, **k): pass\n"
        "    def __call__(self, *a, **k): return self\n"
        "    def __getattr__(self, name): return _Any()\n"
        "    def __enter__(self): return self\n"
        "    def __exit__(self, *a): return None\n"
        "def __getattr__(name): return _Any()\n"
    )
    return copy.sketch(ground, place)


# --- limits and signals ----------------------------------------------------------------------------------------------


def _limited(kind: int, value: int) -> Act:
    return lambda ground, place: ground.sketch(place, before=lambda: resource.setrlimit(kind, (value, value)))


attempt("limit: size of files", "no file may grow beyond 8 KiB, as on a quota")(
    _limited(resource.RLIMIT_FSIZE, 8 << 10)
)
attempt("limit: open files", "no more than 24 open files")(_limited(resource.RLIMIT_NOFILE, 24))
attempt("limit: memory", "no more than 1 GiB of address space")(_limited(resource.RLIMIT_AS, 1 << 30))


def _stopped(number: int, word: str) -> Act:
    """The whole program ends at an event that it tells itself."""

    def act(ground: Ground, place: Path) -> str:
        installed = [sys.executable, "-m", "studio"]
        ran = subprocess.Popen(
            [*installed, *WORDS, "--count", "3", "--out", "a.png", "--json"],
            cwd=place,
            env=ground.environment({"PYTHONUNBUFFERED": "1"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert ran.stdout is not None
        for told in ran.stdout:
            if word in told:
                os.kill(ran.pid, number)
                break
        ran.stdout.read()
        ran.stdout.close()
        ran.wait()
        hidden = sorted(path.name for path in place.iterdir() if path.name.startswith("."))
        before = len(ground.found(place))
        assert ground.signet(place, ("ledger", "verify")).code == 0
        left = sorted(path.name for path in place.iterdir() if path.name.startswith("."))
        assert not left, left
        return (
            f"exit {ran.returncode}, {len(hidden)} drafts before recovery, {before} of them without a label, none after"
        )

    return act


attempt("kill -9: while painting", "the program killed at its first sign of progress")(
    _stopped(signal.SIGKILL, "progress")
)
attempt("kill -9: as it finishes", "the program killed when the engine has finished")(
    _stopped(signal.SIGKILL, '"finished"')
)
attempt("kill -9: at the first release", "the program killed when the first of three is out", is_quick=True)(
    _stopped(signal.SIGKILL, '"released"')
)
attempt("SIGTERM: as it finishes", "the program asked to end when the engine has finished")(
    _stopped(signal.SIGTERM, '"finished"')
)
