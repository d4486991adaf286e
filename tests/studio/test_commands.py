"""The command line as a user meets it: exit codes, sentences, JSON, passwords, nothing left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from compliance.consent import PURPOSES
from engines.job import Progress
from studio import demo, text, workshop
from studio.commands import usage
from studio.commands.output import Output, printable, time_left_s
from studio.commands.root import build
from studio.workshop import Workshop
from tests.studio import command_line
from tests.studio.command_line import PASSWORD, Answer, Template, swap
from tests.studio.conftest import COLLINS, HOPPER

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template


# --- refusals --------------------------------------------------------------------------------------------------------

# name, source, target, consents, more words, exit code, error
REFUSED_SWAPS: list[tuple[str, str, str, list[str], list[str], int, str]] = [
    ("missing file", "nowhere.png", "", ["hopper", "collins"], [], 1, "FileMissing"),
    ("zero bytes", "empty.png", "", ["hopper", "collins"], [], 1, "NotAPicture"),
    ("not an image", "text.png", "", ["hopper", "collins"], [], 1, "NotAPicture"),
    ("truncated", "", "cut.png", ["hopper", "collins"], [], 1, "NotAPicture"),
    ("30,000 x 30,000", "", "bomb.png", ["hopper", "collins"], [], 1, "PictureTooLarge"),
    ("no face", "", "no_face.png", ["hopper", "no_face"], [], 1, "NoFaceFound"),
    ("face too small", "", "small.png", ["hopper", "small"], [], 1, "FaceTooSmall"),
    ("no such face", "", "", ["hopper", "collins"], ["--face", "7"], 2, "FaceIndexUnknown"),
    ("no consent", "", "", [], [], 5, "ConsentMissing"),
    ("one consent for two people", "", "", ["hopper"], [], 5, "ConsentMissing"),
    ("unknown consent", "", "", ["con-0000000000", "collins"], [], 5, "UnknownConsent"),
    ("expired consent", "", "", ["expired", "collins"], [], 5, "ConsentExpired"),
    ("consent not yet valid", "", "", ["early", "collins"], [], 5, "ConsentNotYetValid"),
    ("withdrawn consent", "", "", ["withdrawn", "collins"], [], 5, "ConsentWithdrawn"),
    ("consent for another purpose", "", "", ["film", "collins"], [], 5, "ConsentPurpose"),
    ("consent for the other person", "", "", ["no_face", "collins"], [], 5, "ConsentForOtherPicture"),
    ("changed source", "changed.jpg", "", ["hopper", "collins"], [], 5, "ConsentForOtherPicture"),
]


@pytest.mark.parametrize(
    ("source", "target", "consents", "more", "code", "error"),
    [row[1:] for row in REFUSED_SWAPS],
    ids=[row[0] for row in REFUSED_SWAPS],
)
def test_a_refused_swap_has_its_code_and_leaves_nothing(
    signet: Callable[..., Answer],
    template: Template,
    tmp_path: Path,
    source: str,
    target: str,
    consents: list[str],
    more: list[str],
    code: int,
    error: str,
) -> None:
    """Bad input and missing consent: the exit code, the error's name, two sentences, no file of any kind."""
    words = [word for name in consents for word in ("--consent", template.consents.get(name, name))]
    answer = signet(
        *swap(
            tmp_path / "out.png",
            *words,
            *more,
            "--json",
            source=template.pictures / source if source else HOPPER,
            target=template.pictures / target if target else COLLINS,
        )
    )
    assert (answer.code, answer.lines[-1]["error"]) == (code, error)
    assert answer.lines[-1]["code"] == code
    assert answer.lines[-1]["message"].endswith(".")
    assert answer.lines[-1]["next_step"].endswith(".")
    assert answer.err == ""
    assert list(tmp_path.iterdir()) == []


def test_where_the_result_cannot_go_is_said_before_the_work(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """An existing file 11 and untouched, a missing folder 11, a file as folder 11, a foreign ending 2."""
    there = tmp_path / "there.png"
    there.write_bytes(b"mine")
    assert signet(*swap(there)).code == 11
    assert there.read_bytes() == b"mine"
    assert signet(*swap(tmp_path / "nowhere" / "out.png")).code == 11
    assert signet(*swap(there / "out.png")).code == 11
    assert signet(*swap(tmp_path / "out.bmp")).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


@pytest.mark.parametrize(
    "words",
    [
        ["subject", "add", "Somebody"],
        ["consent", "withdraw", "con-1"],
        ["account", "declare", "Somebody Else"],
        ["account", "create", "second", "--password-file", "{password}"],
        swap(Path("out.png")),
    ],
    ids=["add", "withdraw", "declare", "second account", "swap"],
)
def test_signed_out_is_code_6(signet: Callable[..., Answer], tmp_path: Path, words: list[object]) -> None:
    """Whatever needs somebody who answers for it is refused while nobody is signed in."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    assert signet("account", "logout").code == 0
    answer = signet(*[str(word).replace("{password}", str(password)) for word in words])
    assert answer.code == 6
    assert answer.err.splitlines()[0] == "Nobody is signed in."


def test_an_account_without_a_declaration_releases_nothing(
    signet: Callable[..., Answer], template: Template, tmp_path: Path
) -> None:
    """No proof, no release: code 6 before any work, and the next step names the command."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    assert signet("account", "create", "second", "--password-file", password).code == 0
    assert signet("account", "login", "second", "--password-file", password).code == 0
    answer = signet(*swap(tmp_path / "out.png"))
    assert answer.code == 6
    assert "signet identity attest" in answer.err


def test_a_request_can_be_kept_for_the_gate(template: Template, signet: Callable[..., Answer], tmp_path: Path) -> None:
    """What `--explain --save-request` keeps is what `gate explain` reads; over a file, or without it, it is refused."""
    kept = tmp_path / "request.json"
    words = ["--consent", template.consents["hopper"], "--consent", template.consents["collins"]]
    wanted = swap(tmp_path / "out.png", *words, "--save-request", kept)
    assert signet(*wanted).code == 2
    assert not kept.exists()
    asked = signet(*wanted, "--explain", "--json")
    assert asked.code == 0
    assert signet("gate", "explain", kept, "--json").lines == asked.lines
    assert signet(*wanted, "--explain").code == 11
    assert [path.name for path in tmp_path.iterdir()] == ["request.json"]


USAGE = [
    (["face"], "A command is missing.", "signet face --help"),
    (["veryfy"], "There is no command veryfy. Did you mean verify?", "signet --help"),
    (["face", "swap"], "--source is missing.", "signet face swap --help"),
    (["face", "swap", "--sorce", "x"], "There is no option --sorce.", "signet face swap --help"),
    (["face", "find", "a", "b"], "Too many words: b.", "signet face find --help"),
    (["ledger", "show", "--from", "x"], "The value of --from cannot be used: a whole number is needed.", "--help"),
    (["picture", "sketch", "--seed", "-1"], "The value of --seed cannot be used: at least 0.", "--help"),
    (["picture", "sketch", "--count", "17"], "The value of --count cannot be used: at most 16.", "--help"),
    (
        ["subject", "add", "X", "--age", "12"],
        "The value of --age cannot be used: choose one of adult, 14-17, under 14.",
        "signet subject add --help",
    ),
    (["--lang", "tlh", "doctor"], "There is no language “tlh”; there are: en, zh-CN.", "signet --help"),
]


@pytest.mark.parametrize(("words", "message", "next_step"), USAGE, ids=[" ".join(row[0]) for row in USAGE])
def test_misuse_is_code_2_in_two_lines(
    signet: Callable[..., Answer], words: list[str], message: str, next_step: str
) -> None:
    """A wrong command line says what is wrong and where to read on, without a usage block."""
    answer = signet(*words)
    assert answer.code == 2
    first, second = answer.err.splitlines()
    assert first.startswith(message)
    assert next_step in second


def test_no_display_is_code_9(signet: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a command the window opens; without a screen a sentence says what to do instead."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    answer = signet()
    assert answer.code == 9
    assert "signet --help" in answer.err


def test_an_unknown_exception_becomes_a_report_without_values(
    signet: Callable[..., Answer], signet_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a traceback: a report with types and places, and none of the words or messages."""

    def fail(*_: object) -> None:
        raise RuntimeError("secret-value")

    monkeypatch.setattr(Workshop, "survey", fail)
    answer = signet("face", "find", "secret-name.png")
    assert answer.code == 1
    assert "Traceback" not in answer.err
    (report,) = (signet_home / "reports").iterdir()
    assert str(report) in answer.err
    content = report.read_text()
    assert "RuntimeError" in content
    assert "commands/face.py:" in content
    assert "secret" not in content


def test_a_home_that_cannot_be_used_is_code_11(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """--home pointing at a file is a sentence, not a crash."""
    place = tmp_path / "file"
    place.write_text("")
    assert signet("--home", place / "home", "account", "list").code == 11


@contextmanager
def _interrupted(_output: Output) -> Iterator[Callable[[Progress], None]]:
    def stop(_progress: Progress) -> None:
        raise KeyboardInterrupt

    yield stop


def test_ctrl_c_during_a_job_is_code_4(
    signet: Callable[..., Answer], template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is cancelled, nothing is released and nothing left behind."""
    monkeypatch.setattr(Output, "progress", _interrupted)
    answer = signet(*swap(tmp_path / "out.png", "--consent", template.consents["hopper"], template.consents["collins"]))
    assert answer.code == 4
    assert answer.err.splitlines()[0] == "Stopped; nothing was released."
    assert list(tmp_path.iterdir()) == []
    assert signet("ledger", "verify").code == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_a_command_with_code_4(
    signet: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Also inside code that Python runs from a string, and the handlers of before come back."""
    # A shell that runs the tests in the background has told them to ignore SIGINT; then nothing here would be stopped.
    before = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
    outside = signal.signal(getattr(signal, name), before)

    def interrupted(*_: object) -> None:
        eval("os.kill(os.getpid(), number)", {"os": os, "number": getattr(signal, name)})

    monkeypatch.setattr(Workshop, "survey", interrupted)
    try:
        assert signet("face", "find", HOPPER).code == 4
        assert signal.getsignal(getattr(signal, name)) is before
    finally:
        signal.signal(getattr(signal, name), outside)


# --- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PASSWORD.encode() + b"\n", 0),
        (PASSWORD.encode() + b"\r\n", 0),
        (b"wrong password\n", 6),
        (b"", 6),
        (b"two\nlines\n", 6),
        (b"\xff\xfe\n", 6),
        (b"x" * 5000, 6),
    ],
    ids=["newline", "crlf", "wrong", "empty", "two lines", "not text", "too long"],
)
def test_a_password_file_holds_one_line(
    signet: Callable[..., Answer], tmp_path: Path, content: bytes, code: int
) -> None:
    """Only the line end is taken off; anything that is no password is code 6."""
    password = tmp_path / "password"
    password.write_bytes(content)
    assert signet("account", "login", "ada", "--password-file", password).code == code


def test_a_password_comes_from_standard_input_or_the_variable(
    signet: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """- reads standard input, SIGNET_PASSWORD_FILE names a file; without either and without a terminal it is code 6."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSWORD.encode() + b"\n")))
    assert signet("account", "login", "ada", "--password-file", "-").code == 0
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    monkeypatch.setenv("SIGNET_PASSWORD_FILE", str(password))
    assert signet("account", "login", "ada").code == 0
    monkeypatch.setenv("SIGNET_PASSWORD_FILE", str(tmp_path / "nowhere"))
    assert signet("account", "login", "ada").code == 1
    monkeypatch.delenv("SIGNET_PASSWORD_FILE")
    answer = signet("account", "login", "ada", "--json")
    assert (answer.code, answer.lines[-1]["error"]) == (6, "PasswordMissing")


def test_locked_keys_are_opened_by_the_password_file_or_refused(
    signet: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a keyring the session is locked: listings go on without names, writing needs the password, once."""
    monkeypatch.setattr(workshop, "find_keyring", lambda: None)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    answer = signet("subject", "add", "Somebody", "--json")
    assert (answer.code, answer.lines[-1]["error"]) == (6, "SessionLocked")
    assert {row["name"] for row in signet("subject", "list", "--json").lines} == {None}
    assert signet("subject", "add", "Somebody", "--password-file", password).code == 0
    named = signet("subject", "list", "--json", "--password-file", password).lines
    assert [row["name"] for row in named] == ["Grace Hopper", "Eileen Collins", "Somebody"]


# --- what works ------------------------------------------------------------------------------------------------------


def test_a_swap_is_released_and_verifies(signet: Callable[..., Answer], template: Template, tmp_path: Path) -> None:
    """The whole way: events, the result as last line, a sealed file, and code 7 for it after one changed byte."""
    out = tmp_path / "out.png"
    consents = f"{template.consents['hopper']},{template.consents['collins']}"
    answer = signet(*swap(out, "--consent", consents, "--json"))
    assert answer.code == 0
    assert answer.lines[0] == {"event": "started"}
    steps = [line for line in answer.lines if line["event"] == "progress"]
    assert steps
    assert all(set(line) == {"event", "done", "total", "stage"} for line in steps)
    assert answer.lines[-1]["event"] == "released"
    assert answer.lines[-1]["path"] == str(out)
    checked = signet("verify", out, "--json")
    (report,) = checked.lines
    assert (checked.code, report["verdict"], report["file"]) == (0, "sealed", str(out))
    assert list(report["layers"]) == ["explicit", "aigc", "iptc", "credential", "ledger", "watermark", "fingerprint"]
    assert {layer["state"] for layer in report["layers"].values()} == {"intact"}
    data = bytearray(out.read_bytes())
    data[len(data) // 2] ^= 1
    changed = tmp_path / "changed.png"
    changed.write_bytes(data)
    both = signet("verify", out, changed, "--json")
    assert both.code == 7
    assert [line["verdict"] == "sealed" for line in both.lines] == [True, False]
    taken = signet("consent", "withdraw", template.consents["hopper"], "--json").lines[0]
    assert [release["path"] for release in taken["take_down"]] == [str(out)]


def test_listings_are_json_lines_with_json_and_tabbed_lines_without(
    signet: Callable[..., Answer], template: Template
) -> None:
    """Every listing: one object a line with --json, a head and one tab-separated line a row elsewhere."""
    for words, key in (
        (["account", "list"], "username"),
        (["subject", "list"], "id"),
        (["consent", "list"], "state"),
        (["ledger", "show"], "kind"),
        (["doctor"], "state"),
    ):
        rows = signet(*words, "--json").lines
        assert rows
        assert all(key in row for row in rows)
        plain = signet(*words)
        assert plain.code == 0
        assert "\t" in plain.out.splitlines()[0]
    one = signet("consent", "show", template.consents["collins"], "--json").lines[0]
    assert (one["purposes"], one["state"]) == (["private", "film"], "live")
    assert len(signet("consent", "list", "--subject", template.subjects["collins"], "--json").lines) == 3
    assert signet("subject", "show", "sub-nobody").code == 1


def test_the_ledger_verifies_shows_and_exports(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """verify counts what show lists; export writes once and refuses an existing file with 11."""
    counted = signet("ledger", "verify", "--json").lines[0]["entries"]
    assert len(signet("ledger", "show", "--json").lines) == counted
    assert len(signet("ledger", "show", "--from", 1, "--to", 2, "--json").lines) == 2
    out = tmp_path / "ledger.jsonl"
    assert signet("ledger", "export", "--out", out, "--json").lines[0]["entries"] == counted
    assert signet("ledger", "export", "--out", out).code == 11
    assert signet("ledger", "export", "--out", out, "--overwrite").code == 0


def test_a_file_that_says_nothing_is_not_called_authentic(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """verify of an unlabelled picture is code 7 and says that absence proves nothing; a missing file is code 1."""
    answer = signet("verify", HOPPER)
    assert answer.code == 7
    assert "does not make the file authentic" in answer.out
    assert "authentic" not in answer.out.replace("does not make the file authentic", "")
    assert signet("verify", tmp_path / "nowhere.png").code == 1


def test_faces_are_found_and_numbered(signet: Callable[..., Answer]) -> None:
    """face find gives the numbers that --face takes; it needs no account."""
    signet("account", "logout")
    (face,) = signet("face", "find", HOPPER, "--json").lines
    assert face["number"] == 1
    assert face["eye_distance_px"] > 24


# --- the demo --------------------------------------------------------------------------------------------------------


def test_the_demo_goes_the_whole_way_twice_and_spares_other_files(
    signet: Callable[..., Answer], signet_home: Path, tmp_path: Path
) -> None:
    """Six labelled files, verified, one refusal; a second run replaces its own files and no other."""
    out = tmp_path / "demo-output"
    out.mkdir()
    foreign = out / demo.PICTURES[0].name
    foreign.write_bytes(b"somebody's file")
    first = signet("demo", "--out", out, "--json")
    assert first.code == 0
    assert first.lines[0] == {"event": "started"}
    made = first.lines[-1]["files"]
    assert first.lines[-1]["label"].startswith("SAMPLE")
    assert [line["error"] for line in first.lines if line.get("event") == "refused"] == ["ConsentWithdrawn"]
    assert {line["verdict"] for line in first.lines if "verdict" in line} == {"sealed"}
    assert foreign.read_bytes() == b"somebody's file"
    assert sorted(Path(path).suffix for path in made) == [".jpg", ".png", ".png", ".png", ".wav", ".wav"]
    second = signet("demo", "--out", out)
    assert second.code == 0
    assert "is refused, as it must be" in second.out
    assert sorted(str(path) for path in out.iterdir()) == sorted([*made, str(foreign)])
    assert signet("verify", *made).code == 0
    assert signet("ledger", "verify", "--home", signet_home / "demo").code == 0


def test_the_demo_says_when_its_folder_cannot_be_made(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """A file where the folder should be: code 11, and the file stays."""
    place = tmp_path / "file"
    place.write_bytes(b"mine")
    assert signet("demo", "--out", place).code == 11
    assert signet("demo", "--out", place / "folder").code == 11
    assert place.read_bytes() == b"mine"


def test_the_published_password_opens_only_a_demo_home(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """The user's own home does not know the demo account."""
    password = tmp_path / "password"
    password.write_text(demo.DEMO_PASSWORD)
    assert signet("account", "login", demo.DEMO_ACCOUNT, "--password-file", password).code == 6


# --- language, help, streams -----------------------------------------------------------------------------------------


def test_the_language_is_chosen_by_option_then_variable(
    signet: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """--lang wins over SIGNET_LANG, for help and for errors, before or after the command."""
    assert "人脸" in signet("--lang", "zh-CN", "face", "--help").out
    assert "当前无人登录" in signet("account", "logout", "--lang=zh-CN").out
    monkeypatch.setenv("SIGNET_LANG", "zh-CN")
    assert "登录" in signet("account", "--help").out
    assert "Sign in." in signet("account", "--help", "--lang", "en").out


def test_every_help_text_exists_in_both_languages() -> None:
    """No command and no option is without a sentence, and none stays English in Chinese."""

    def sentences(command: Any) -> Iterator[str]:
        yield command.help
        for parameter in command.params:
            yield parameter.help
        for child in getattr(command, "commands", {}).values():
            yield from sentences(child)

    english = list(sentences(build()))
    text.set_language("zh-CN")
    chinese = list(sentences(build()))
    assert all(english)
    assert [pair for pair in zip(english, chinese, strict=True) if pair[0] == pair[1]] == []


def test_the_help_names_every_purpose() -> None:
    """The list in the help of `consent record` is the list that the record knows."""
    record = build().commands["consent"].commands["record"]
    (option,) = [parameter for parameter in record.params if "--purpose" in parameter.opts]
    assert ", ".join(PURPOSES) in option.help


def test_words_may_stand_anywhere_and_consents_side_by_side() -> None:
    """--home and --lang move to the front, `--consent A B` is spelled out, what follows -- stays."""
    words = ["face", "swap", "--consent", "a", "b", "--out", "o", "--home", "h", "--lang=en", "--", "--home", "x"]
    expected = ["--home", "h", "--lang=en", "face", "swap", "--consent", "a", "--consent", "b", "--out", "o"]
    assert usage.arranged(words) == [*expected, "--", "--home", "x"]
    assert usage.value_of(usage.arranged(words), "--home") == "h"


def test_control_characters_in_names_reach_no_terminal() -> None:
    """An escape sequence in a file name is spelled out; Chinese and spaces stay."""
    assert printable("a\x1b[2J\n王 b") == "a\\x1b[2J\\n王 b"
    assert printable("\udcff") == "\\udcff"


def test_the_time_left_is_told_only_when_it_means_something() -> None:
    """Nothing in the first three seconds, at the start or at the end; then the pace so far."""
    assert time_left_s(Progress(1, 4, "x"), 2.0) is None
    assert time_left_s(Progress(0, 4, "x"), 10.0) is None
    assert time_left_s(Progress(4, 4, "x"), 10.0) is None
    assert time_left_s(Progress(1, 4, "x"), 10.0) == 30


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    """`--help` imports no Qt, no torch, no OpenCV, no NumPy and no database."""
    words = [sys.executable, "-X", "importtime", "-m", "studio", "face", "swap", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "--consent" in done.stdout
    assert "typer" in loaded
    assert not loaded & {"PySide6", "torch", "cv2", "diffusers", "numpy", "sqlalchemy", "PIL", "c2pa"}


def test_a_command_runs_without_qt(signet_home: Path) -> None:
    """A command that opens a home and reads its ledger leaves Qt alone."""
    code = "import sys; from studio.__main__ import main; c = main(['ledger', 'verify', '--json']); "
    code += "sys.exit(c or any(name.startswith('PySide6') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_reader_that_leaves_is_no_error_worth_a_word() -> None:
    """`signet doctor | head -0`: no traceback, no report, nothing on standard error."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "studio", "account", "list"], stdout=write, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(write)
    assert done.stderr == b""
    assert done.returncode == 1
