"""The worker: what it refuses, how it is stopped, what its death costs, what its sandbox allows."""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.clock import now, stamp
from compliance.errors import NotAPicture, OutOfMemory, PermitInvalid, Unexpected, WorkerDied
from compliance.permit import Permit
from engines.engine import Input, Request
from engines.job import Cancelled, Event, Failed, Finished, JobState, Progress, Started
from studio import runner as runner_module
from studio.runner import JobRunner, raise_failed
from tests.studio.conftest import COLLINS, HOPPER

GATE = Ed25519PrivateKey.generate()
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def shared_runner():
    """One worker for the tests that leave it whole."""
    runner = JobRunner(GATE.public_key().public_bytes_raw())
    yield runner
    runner.close()


@pytest.fixture
def runner():
    """A worker of its own, for tests that break it."""
    runner = JobRunner(GATE.public_key().public_bytes_raw())
    yield runner
    runner.close()


def permit(request: Request, key: Ed25519PrivateKey = GATE, **changes: object) -> Permit:
    """What a gate with this key would give."""
    made = Permit(
        permit_id=f"per-{secrets.token_hex(8)}",
        function=request.function,
        engine=request.engine,
        request_sha256=request.digest(),
        account="acc-test",
        consents=request.consents,
        purpose=request.purpose,
        faces_edited=request.faces_edited,
        issued_at=stamp(),
        expires_at=stamp(now().replace(year=now().year + 1)),
    )
    made = replace(made, **changes)  # type: ignore[arg-type]  # fields by name
    return replace(made, signature=key.sign(made.signed_bytes()).hex())


def noise(**options: object) -> Request:
    """A request for noise."""
    return Request("fake.noise", "fake.noise", (), options)


def swap(faces: int = 1) -> tuple[Request, list[bytes]]:
    """A request for a swap of the samples, with its bytes."""
    data = [HOPPER.read_bytes(), COLLINS.read_bytes()]
    inputs = tuple(
        Input(role, "face", hashlib.sha256(content).hexdigest(), role)
        for role, content in zip(("source", "target"), data, strict=True)
    )
    return Request("face.swap", "face.mesh", inputs, {"face": 0}, faces_edited=faces), data


def run(runner: JobRunner, request: Request, given: Permit | None = None, inputs: list[bytes] | None = None) -> Event:
    """Run to the last event."""
    return runner.start(request, given or permit(request), inputs or [], lambda _event: None).wait(LIMIT_S)


def test_no_permit_no_work(shared_runner: JobRunner) -> None:
    """Forged, foreign and expired permits, and those for another request, are refused before the first pixel."""
    request = noise()
    refused = [
        permit(request, Ed25519PrivateKey.generate()),
        replace(permit(request), signature=""),
        permit(noise(width=99)),
        permit(request, expires_at="2020-01-01T00:00:00Z"),
        replace(permit(request), account="acc-else"),
    ]
    for bad in refused:
        last = run(shared_runner, request, bad)
        assert isinstance(last, Failed)
        assert last.error == PermitInvalid.__name__


def test_exchanged_inputs_are_refused(shared_runner: JobRunner) -> None:
    """The worker hashes what it is given: a file other than the permitted one is not used."""
    request, data = swap()
    for inputs in ([data[1], data[0]], [data[0], data[1] + b"\0"], [data[0]]):
        last = run(shared_runner, request, inputs=inputs)
        assert isinstance(last, Failed)
        assert last.error == PermitInvalid.__name__


def test_errors_cross_the_border_as_themselves(shared_runner: JobRunner, tmp_path: Path) -> None:
    """An engine's error arrives with its class and data; an unknown engine or exception as a report without values."""
    with pytest.raises(OutOfMemory):
        raise_failed(run(shared_runner, noise(fail="OutOfMemory")))
    with pytest.raises(NotAPicture) as refusal:
        shared_runner.survey("face.mesh", "notes.txt", b"no picture")
    assert refusal.value.data["path"] == "notes.txt"
    runner_module.write_report.__globals__["_FOLDER"][:] = [tmp_path]
    with pytest.raises(Unexpected) as report:
        raise_failed(run(shared_runner, noise(width="secret canary")))
    text = Path(report.value.data["report"]).read_text()
    assert "ValueError" in text
    assert "canary" not in text


def test_the_order_of_events(shared_runner: JobRunner) -> None:
    """Started first, progress that grows, Finished last and once."""
    seen: list[Event] = []
    running = shared_runner.start(noise(steps=3), permit(noise(steps=3)), [], seen.append)
    running.wait(LIMIT_S)
    assert isinstance(seen[0], Started)
    assert isinstance(seen[-1], Finished)
    steps = [event.done for event in seen if isinstance(event, Progress)]
    assert steps == sorted(steps)
    assert running.state is JobState.FINISHED
    running.discard()


def test_cancel_stops_between_steps(shared_runner: JobRunner) -> None:
    """A cancelled job ends as cancelled, its worker lives on, and nothing of it can be released."""
    running = None

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and running is not None:
            running.cancel()

    request = noise(steps=1000, step_ms=20)
    running = shared_runner.start(request, permit(request), [], stop)
    assert isinstance(running.wait(LIMIT_S), Cancelled)
    assert running.state is JobState.CANCELLED
    assert isinstance(run(shared_runner, noise()), Finished)


def test_a_hanging_engine_is_killed(runner: JobRunner) -> None:
    """An engine that ignores the cancel loses its process; the job is cancelled and the next one gets a new worker."""
    request = noise(hang=True)
    running = None

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and running is not None:
            running.cancel()

    running = runner.start(request, permit(request), [], stop)
    running.cancel()
    assert isinstance(running.wait(LIMIT_S), Cancelled)
    assert isinstance(run(runner, noise()), Finished)


def test_a_killed_worker_is_told_and_replaced(runner: JobRunner) -> None:
    """kill -9 on the worker fails the job with WorkerDied; what it held cannot be drafted; the next job runs."""
    request = noise(steps=1000, step_ms=20)
    finished = runner.start(noise(), permit(noise()), [], lambda _event: None)
    finished.wait(LIMIT_S)
    process = runner._worker()

    def kill(event: Event) -> None:
        if isinstance(event, Progress):
            os.kill(process._child.pid, signal.SIGKILL)

    last = runner.start(request, permit(request), [], kill).wait(LIMIT_S)
    assert isinstance(last, Failed)
    with pytest.raises(WorkerDied):
        raise_failed(last)
    with pytest.raises(WorkerDied):
        finished.preview(sample=False, longest_px=100)
    assert isinstance(run(runner, noise()), Finished)


def test_same_request_same_bytes(shared_runner: JobRunner) -> None:
    """Two runs of one request give the same labelled preview, byte for byte."""
    request, data = swap()
    previews = []
    for _ in range(2):
        running = shared_runner.start(request, permit(request), data, lambda _event: None)
        assert isinstance(running.wait(LIMIT_S), Finished)
        previews.append(running.preview(sample=False, longest_px=400))
        running.discard()
    assert previews[0] == previews[1]


def test_the_engine_asks_for_persons(shared_runner: JobRunner) -> None:
    """A permit for no face at all lets no face be edited, whatever the options say."""
    request, data = swap(faces=0)
    last = run(shared_runner, request, inputs=data)
    assert isinstance(last, Failed)
    assert last.error == "ConsentTooNarrow"


TRIES = """
import os, socket, subprocess, sys
from studio.sandbox import confine
held = confine()
def says(name, act):
    try:
        act()
        print(name, "allowed")
    except OSError as error:
        print(name, "refused")
says("write", lambda: open(sys.argv[1] + "/x", "wb"))
says("home", lambda: os.listdir(sys.argv[1]))
says("shm", lambda: open("/dev/shm/signet-test", "wb"))
says("tcp", lambda: socket.socket())
says("udp", lambda: socket.socket(type=socket.SOCK_DGRAM))
says("program", lambda: subprocess.run(["true"]))
says("memory", lambda: os.write(os.memfd_create("x"), b"x"))
says("library", lambda: __import__("json.tool"))
print("landlock", held.landlock > 0, "seccomp", held.seccomp)
"""


def test_the_sandbox_takes_files_and_network(tmp_path: Path) -> None:
    """Inside the sandbox nothing can be written, no other folder read, no socket opened, no program started.

    A kernel that has Landlock and seccomp has to be made use of; one that has not is told so by the worker.
    """
    has_landlock = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0
    has_seccomp = "Seccomp:" in Path("/proc/self/status").read_text()
    told = subprocess.run([sys.executable, "-c", TRIES, tmp_path], capture_output=True, text=True, check=True).stdout
    answers = dict(line.split() for line in told.splitlines()[:-1])
    held = told.splitlines()[-1].split()
    assert held == ["landlock", str(has_landlock), "seccomp", str(has_seccomp)]
    if has_landlock:
        assert answers["write"] == answers["home"] == answers["shm"] == "refused"
    if has_seccomp:
        assert answers["tcp"] == answers["udp"] == answers["program"] == "refused"
    assert answers["memory"] == answers["library"] == "allowed"
    assert list(tmp_path.iterdir()) == []


def test_the_worker_tells_what_holds_it(shared_runner: JobRunner) -> None:
    """The runner knows the worker's confinement, from which the assurance word is made; it is what a child can get."""
    child = subprocess.run([sys.executable, "-c", TRIES, "/"], capture_output=True, text=True, check=True).stdout
    held = shared_runner.confinement
    assert child.splitlines()[-1] == f"landlock {held.landlock > 0} seccomp {held.seccomp}"
    assert held.is_complete == (held.landlock > 0 and held.seccomp)
