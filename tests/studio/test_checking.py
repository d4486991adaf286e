"""Checking many files: folders, lines as they come, a stop on the way, the written page, and the light installation."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from compliance import verify
from compliance.verify import LAYERS, LayerReport, Report
from studio import checking, text
from studio.checking import gather
from studio.commands import verify_page
from studio.commands.root import run

ROOT = Path(checking.__file__).parent.parent
SEALED = ROOT / "docs" / "demo.jpg"
HEAVY = ("torch", "PySide6", "diffusers", "TTS", "onnxruntime", "pyworld", "transformers", "mediapipe", "pocketsphinx")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test starts and ends in English."""
    text.set_language("en")
    yield
    text.set_language("en")


@pytest.fixture
def signet(signet_home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run one command line in this process; the home is empty."""

    def run_it(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_it


def plain(path: Path, *texts: tuple[str, str]) -> Path:
    """A small picture without labels."""
    info = PngImagePlugin.PngInfo()
    for key, value in texts:
        info.add_text(key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((40, 40, 3), 120, np.uint8)).save(path, "PNG", pnginfo=info)
    return path


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_page_never_takes_the_place_of_a_file(signet: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Code 11 before any work: for a file, for the checked file itself, for a link, for a folder that is not there."""
    picture = plain(tmp_path / "a.png")
    before = picture.read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for page in (picture, tmp_path / "link", tmp_path / "none" / "a.html"):
        code, out, _ = signet("verify", picture, "--html", page)
        assert (code, out) == (11, "")
    assert picture.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "link"]


# What a name, a text chunk or a signer may hold to break out of the page.
HOSTILE = (
    '"><script>alert(1)</script>',
    "<img src=x onerror=alert(1)>",
    "' onmouseover='x",
    "</td></tr></table></section><h1>sealed</h1>",
    "<!-- ",
    "&lt;script&gt;",
    "\u202egnp.exe\x1b[2J\udcff",
    "javascript:alert(1)",
    "]]><![CDATA[",
    "<style>body{display:none}</style>",
)


class Skeleton(HTMLParser):
    """The elements and attributes of a page, without its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str]] = []
        self.comments = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def skeleton(page: str) -> Skeleton:
    """Read a page."""
    made = Skeleton()
    made.feed(page)
    made.close()
    return made


def report(words: str) -> Report:
    """A report in which everything that comes from outside says the same words."""
    evidence = {"issuer": words, words: words, "fields": [{words: words, "Label": words}], "c2pa": words}
    layers = {name: LayerReport("damaged", evidence, (words,)) for name in LAYERS}
    refuted = {"state": "refuted", "reason": words, "at": words}
    foreign = ({"kind": "aigc", "program": words, "detail": words, "ai": True},)
    return Report(words, "broken", verify.SENTENCES["broken"], layers, refuted, foreign, "0" * 64)


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_from_a_file_becomes_markup(words: str) -> None:
    """The page of hostile words has the elements and attributes of the page of harmless ones."""
    hostile = verify_page.page([report(words)], {}, "2026-11-22T00:00:00Z", words)
    harmless = verify_page.page([report("harmless")], {}, "2026-11-22T00:00:00Z", "harmless")
    found, expected = skeleton(hostile), skeleton(harmless)
    assert found.tags == expected.tags
    assert found.values == expected.values
    assert found.comments == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", hostile)


def test_a_page_needs_nothing_else(tmp_path: Path, signet: Callable[..., tuple[int, str, str]]) -> None:
    """Hostile names and texts of real files: no script, no address but data, and the texts are readable in it."""
    name = "<img src=x onerror=alert(1)>"
    plain(tmp_path / "in" / f"{name}.png", ("parameters", "<script>x</script>\nSteps: 2, Sampler: <b>, Seed: 1"))
    plain(tmp_path / "in" / "b.png", ("Software", "ComfyUI <script>alert(1)</script>"))
    shutil.copy(SEALED, tmp_path / "in" / "sealed.jpg")
    code, _, _ = signet("verify", tmp_path / "in", "--html", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text("utf-8")
    found = skeleton(page)
    assert code == 7
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "img", "table", "tr", "th"}
    assert {tag for tag, _ in found.tags} <= allowed | {"td", "div", "ul", "li"}
    assert not [attribute for attribute, _ in found.values if attribute.startswith("on")]
    assert all(value.startswith("data:image/jpeg;base64,") for attribute, value in found.values if attribute == "src")
    assert not [value for _, value in found.values if re.search(r"https?:|//|url\(", value.partition(";base64,")[0])]
    assert "url(" not in verify_page._STYLE and "@import" not in verify_page._STYLE
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "ComfyUI &lt;script&gt;" in page and "&lt;img src=x" in page
    assert page.count("<section>") == 3


# --- what works ------------------------------------------------------------------------------------------------------


def test_the_small_picture_is_the_file_as_it_is() -> None:
    """The label of a release can be seen in the page: every place of the small picture is that of the file."""
    data = SEALED.read_bytes()
    address = verify_page.thumbnail(SEALED, verify.verify_bytes("x", data).sha256)
    small = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
    whole = Image.open(SEALED).convert("RGB")
    whole.thumbnail((320, 320))
    assert small.size == whole.size
    assert np.abs(np.asarray(small, int) - np.asarray(whole, int)).mean() < 6
    assert verify_page.thumbnail(SEALED, "0" * 64) == ""  # not the file that was checked


def test_folders_are_gone_through(tmp_path: Path) -> None:
    """Media in folders below too, each once; no hidden files; a credential beside a file is a part of it."""
    made = [plain(tmp_path / name) for name in ("b.png", "sub/a.png", "sub/deep/c.dat")]
    beside = tmp_path / "b.png.c2pa"
    beside.write_bytes(b"x")
    orphan = tmp_path / "sub" / "gone.png.c2pa"
    orphan.write_bytes(b"x")
    plain(tmp_path / ".hidden.png")
    plain(tmp_path / ".git" / "d.png")
    (tmp_path / "code.py").write_text("pass")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = gather([tmp_path, made[0], beside, tmp_path / "nowhere.png"])
    assert sorted(found.files) == sorted(made)
    assert found.missing == (tmp_path / "nowhere.png",)
    assert found.passed_over == 2  # the code, and a credential without its file
    assert found.has_folders


def test_a_folder_is_summed_up(tmp_path: Path, signet: Callable[..., tuple[int, str, str]]) -> None:
    """One line a file and a last one with the counts; code 7 when one is not sealed, 0 when all are."""
    shutil.copy(SEALED, tmp_path / "a.jpg")
    code, out, err = signet("verify", tmp_path, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [line.get("verdict") for line in lines] == ["sealed", None]
    assert lines[0]["layers"]["credential"]["evidence"]["c2pa"] == "Valid"
    assert len(lines[0]["sha256"]) == 64
    assert lines[1] == {"summary": {"sealed": 1}, "checked": 1, "named": 1, "passed_over": 0}
    plain(tmp_path / "b.png")
    code, out, _ = signet("verify", tmp_path)
    assert code == 7
    assert "intact (Valid, unknown signer)" in out
    assert "2 of 2 files checked. sealed: 1, unlabelled: 1" in out


@pytest.mark.parametrize("as_json", [False, True])
def test_a_stop_gives_what_was_done(
    tmp_path: Path, signet: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    """Ctrl-C in the third of four files: code 4, the first two are told, the page says that it is not all."""
    for name in "abcd":
        plain(tmp_path / "in" / f"{name}.png")
    real, seen = verify.verify_file, []

    def stopping(path: Path, *rest: object) -> Report:
        seen.append(path)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(path, *rest)

    monkeypatch.setattr(verify, "verify_file", stopping)
    words = ["--json"] if as_json else []
    code, out, _ = signet("verify", tmp_path / "in", "--html", tmp_path / "page.html", *words)
    assert code == 4
    assert out.count("a.png") and out.count("b.png") and not out.count("c.png")
    assert "2 of 4 files" in (tmp_path / "page.html").read_text("utf-8")
    if as_json:
        assert json.loads(out.splitlines()[-2])["named"] == 4


def test_the_page_speaks_the_readers_language(tmp_path: Path, signet: Callable[..., tuple[int, str, str]]) -> None:
    """--lang zh-CN: headings and states in Chinese."""
    plain(tmp_path / "a.png")
    signet("--lang", "zh-CN", "verify", tmp_path / "a.png", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert 'lang="zh-CN"' in page
    assert "缺失" in page and "absent:" not in page and "No label was found" not in page


# --- the light set ---------------------------------------------------------------------------------------------------

_WITHOUT = """
import importlib.abc, sys
class Gone(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {heavy!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Gone())
from studio.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def without_the_rest(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which the heavy parts cannot be imported."""
    code = _WITHOUT.replace("{heavy!r}", repr(HEAVY))
    command = [sys.executable, "-c", code, "--home", str(home), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_files_are_checked_without_the_rest(tmp_path: Path) -> None:
    """No torch, no Qt, no engine's library: a release verifies, its page is written, and no home is made."""
    done = without_the_rest(tmp_path / "home", "verify", str(SEALED), "--json", "--html", str(tmp_path / "page.html"))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["verdict"] == "sealed"
    assert (tmp_path / "page.html").stat().st_size > 5_000
    assert not (tmp_path / "home").exists()


def test_what_is_not_installed_says_what_to_install(tmp_path: Path) -> None:
    """Any other command: code 8, one sentence and one step, no traceback."""
    done = without_the_rest(tmp_path / "home", "account", "list", "--json")
    assert done.returncode == 8
    told = json.loads(done.stdout)
    assert told["error"] == "PartNotInstalled"
    assert "signet-studio[studio]" in told["next_step"]
    assert done.stderr == ""
