"""The command line where the surroundings fail it: odd names, full disks, closed streams, few descriptors, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from compliance import store
from compliance.destination import verify_destination
from compliance.errors import NotWritable, OutOfMemory, OutputIsInput, TooManyFilesOpen, WorkerDied
from studio import demo, runner
from studio.workshop import Workshop
from tests.studio import command_line
from tests.studio.command_line import Signet, Template, swap
from tests.studio.conftest import COLLINS, HOPPER

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template


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


# --- streams and signals ---------------------------------------------------------------------------------------------


def shell(line: str, home: Path, **surroundings: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $signet is the program."""
    program = {"signet": f"{sys.executable} -m studio", "SIGNET_HOME": str(home)}
    environment = {**os.environ, **program, **surroundings}
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    "line",
    [
        "$signet face swap --source a --target b --out c.png --json >/dev/full",
        "$signet ledger show >&- <&-",
        "$signet face swap --help >/dev/full",
    ],
    ids=["full, JSON", "closed", "full, help"],
)
def test_a_standard_output_that_takes_nothing_is_code_11(line: str, signet_home: Path) -> None:
    """One sentence on standard error and no traceback, whoever wrote the text and whatever the command was."""
    done = shell(line, signet_home)
    assert done.returncode == 11
    assert "standard output" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_standard_error_that_takes_nothing_costs_only_the_sentence(signet_home: Path) -> None:
    """The exit code stays that of the error, with the stream full or closed."""
    for stream in ("2>/dev/full", "2>&-"):
        assert shell(f"$signet nonsense {stream}", signet_home).returncode == 2


def test_further_interruptions_find_it_stopping_already(
    signet: Signet, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C again and again while the first one is being cleaned up: code 4, and nothing is left."""
    sent: list[int] = []

    def interrupt() -> None:
        sent.append(1)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Workshop, "start", lambda *_: interrupt())
    close = Workshop.close

    def impatient(shop: Workshop) -> None:
        interrupt()
        close(shop)
        interrupt()

    monkeypatch.setattr(Workshop, "close", impatient)
    consents = [word for name in ("hopper", "collins") for word in ("--consent", template.consents[name])]
    answer = signet(*swap(tmp_path / "out.png", *consents))
    assert (answer.code, len(sent)) == (4, 3)
    assert answer.err.splitlines()[0] == "Stopped; nothing was released."
    assert list(tmp_path.iterdir()) == []


# --- limits and damage -----------------------------------------------------------------------------------------------


@pytest.fixture
def few_files() -> Iterator[Callable[[], None]]:
    """Leaves the process no descriptor from the call on, to the end of the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def take_all() -> None:
        taken.append(os.open(os.devnull, os.O_RDONLY))
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, hard))
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))

    yield take_all
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for descriptor in taken:
        os.close(descriptor)


def test_without_descriptors_nobody_is_called_signed_out(
    signet: Signet, signet_home: Path, few_files: Callable[[], None]
) -> None:
    """Who cannot open the session's file does not know whether somebody is signed in; nor who cannot open the keys."""
    with Workshop.open(signet_home) as shop:
        assert shop.session() is not None
        few_files()
        for ask in (shop.session, shop.require_ready, lambda: shop.unlock("anything")):
            with pytest.raises(TooManyFilesOpen):
                ask()


def test_without_descriptors_a_command_says_so(signet: Signet, few_files: Callable[[], None]) -> None:
    """Code 10 and a sentence that names the limit; the database is not called read-only."""
    assert signet("account", "list").code == 0
    few_files()
    answer = signet("account", "list", "--json")
    assert (answer.code, answer.lines[-1]["error"]) == (10, "TooManyFilesOpen")


def test_an_input_that_memory_does_not_take_is_code_10() -> None:
    """A limit on the size of files holds for memory as well; nothing unexpected, and no descriptor is left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OutOfMemory):
            runner.JobRunner(b"").survey("face.mesh", "a.png", b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_worker_that_dies_under_a_limit_on_memory_had_too_little(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed by its own fault with a limit set: OutOfMemory, for whoever waits; without a limit: WorkerDied."""
    for is_limited, error in ((False, WorkerDied), (True, OutOfMemory)):
        monkeypatch.setattr(runner, "_memory_is_limited", lambda answer=is_limited: answer)
        process = workshop._runner._worker()
        os.kill(process._child.pid, signal.SIGSTOP)
        os.kill(process._child.pid, signal.SIGSEGV)
        os.kill(process._child.pid, signal.SIGCONT)
        with pytest.raises(error):
            process.ask({"op": "survey", "engine": "face.mesh", "name": "a.png"})


def test_a_worker_that_was_killed_from_outside_just_died(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand or by us: nothing is said of memory."""
    monkeypatch.setattr(runner, "_memory_is_limited", lambda: True)
    assert isinstance(runner._end_of(-signal.SIGKILL), WorkerDied)
    assert isinstance(runner._end_of(1), OutOfMemory)


@pytest.mark.parametrize("sealed", [b"", b"\0", b"\0" * 64])
def test_a_sealed_name_that_was_touched_is_damage(signet: Signet, signet_home: Path, sealed: bytes) -> None:
    """Whatever stands there instead: an error of the tree, no unexpected one."""
    with contextlib.closing(store.open_store(signet_home)) as rows, rows.write() as connection:
        connection.execute(sa.update(store.subject).values(sealed_person=sealed))
        # As people of the first version are, whose names are sealed under the key of the home.
        connection.execute(sa.delete(store.data_key))
    answer = signet("subject", "list", "--json")
    assert (answer.code, answer.lines[-1]["error"]) == (1, "KeysDamaged")


def test_missing_samples_are_damage_of_the_program(
    signet: Signet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo says which file is gone, code 8, before it makes anything."""
    out = tmp_path / "out"
    for present in ([], ["samples.json"]):
        folder = tmp_path / f"samples{len(present)}"
        folder.mkdir()
        for name in present:
            shutil.copy(demo.SAMPLES / name, folder)
        monkeypatch.setattr(demo, "SAMPLES", folder)
        answer = signet("demo", "--out", out, "--json")
        assert (answer.code, answer.lines[-1]["error"]) == (8, "BundledFileDamaged")
        monkeypatch.undo()
    assert not out.exists()


def test_a_program_without_its_resources_says_so_in_one_sentence() -> None:
    """Not even the catalogue of sentences is there: code 8, no traceback."""
    code = "import sys; sys.modules['resources'] = None; from studio.__main__ import main; sys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert "resources" in done.stderr
    assert "Traceback" not in done.stderr


def test_bytes_that_are_no_text_are_misuse_and_names_of_files_may_hold_them(signet: Signet, tmp_path: Path) -> None:
    """Neither a record nor a database could keep them; nothing is entered, and no report is written."""
    odd = os.fsdecode(b"\xff")
    named = ("consent", "record", "--subject", "sub-0", "--purpose", "private", "--until", "2027-01-01")
    for line in (
        ("subject", "add", odd),
        ("account", "create", f"a{odd}"),
        ("ledger", "accept-rollback", "--reason", odd),
        ("consent", "nonce", "--subject", odd, "--likeness", "face"),
        (*named, "--picture", HOPPER, "--recipient", "me", "--recipient", odd),
        (*named, "--picture", HOPPER, "--supersedes", odd),
    ):
        answer = signet(*line, "--json")
        assert (answer.code, answer.lines[-1]["error"]) == (2, "UsageUnclear"), line
        assert "bytes that are no text" in str(answer.lines[-1]["message"])
    shutil.copy(HOPPER, tmp_path / f"{odd}.jpg")
    assert signet("verify", tmp_path / f"{odd}.jpg").code != 2
