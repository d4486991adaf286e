"""Attempts on the worker: its pipe spoken by a stranger, its memory, and the sealed results themselves."""

from __future__ import annotations

import copy
import io
import json
import os
import pickle
import resource
import secrets
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.clock import now, stamp
from compliance.permit import Permit
from engines.engine import Request
from studio import pipe
from tests.compliance.home import noise
from tests.hostile.attempts import OPTIONS, SEED, Ground, attempt
from tests.hostile.judging import fault_of

_MINE = Ed25519PrivateKey.generate()
_REQUEST = Request("picture.generate", "picture.sketch", (), OPTIONS, seed=SEED)
_PLAN = {
    "release_id": "0123456789abcdef",
    "format": "png",
    "producer": "signet.local/test",
    "origin": "algorithmicMedia",
    "sample": False,
    "version": "1",
    "language": "zh",
}


def _permit(key: Ed25519PrivateKey = _MINE, request: Request = _REQUEST) -> Permit:
    made = Permit(
        permit_id=f"per-{secrets.token_hex(8)}",
        function=request.function,
        engine=request.engine,
        request_sha256=request.digest(),
        account="acc-test",
        consents=(),
        purpose="private",
        faces_edited=0,
        issued_at=stamp(),
        expires_at=stamp(now().replace(year=now().year + 1)),
    )
    return replace(made, signature=key.sign(made.signed_bytes()).hex())


class Stranger:
    """Starts the program's worker by hand and speaks its pipe."""

    def __init__(self, place: Path, gate: Ed25519PrivateKey | None = None, **how: Any) -> None:
        ours, theirs = socket.socketpair()
        self.socket = ours
        packs = place / "packs"
        packs.mkdir(exist_ok=True)
        with theirs:
            self.child = subprocess.Popen(
                [sys.executable, "-I", "-m", "studio.worker", str(theirs.fileno()), str(packs)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=place,
                **how,
            )
        ours.settimeout(60)
        assert pipe.receive(ours).body["op"] == "ready"
        if gate is not None:
            self.ask({"op": "hello", "gate_key": gate.public_key().public_bytes_raw().hex()})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.child.kill()
        self.child.wait()

    def ask(self, body: dict[str, Any], descriptors: tuple[int, ...] = ()) -> pipe.Message:
        """The answer to one question; events are passed over."""
        pipe.send(self.socket, {**body, "id": "q"}, b"", descriptors)
        while True:
            message = pipe.receive(self.socket)
            if message.body["op"] == "answer":
                return message

    def work(self, permit: Permit, request: Request = _REQUEST, job: str = "job-1") -> str:
        """The last event of a job."""
        pipe.send(
            self.socket,
            {"op": "run", "job": job, "request": request.to_json(), "permit": permit.to_json(), "id": "r"},
        )
        while True:
            body = pipe.receive(self.socket).body
            if body.get("event") in ("finished", "failed", "cancelled"):
                fields = body["fields"]
                return str(body["event"]) + (f" ({fields['error']})" if body["event"] == "failed" else "")


@attempt("pipe: no permit", "the worker is asked for work with an empty, unsigned or expired permit", is_quick=True)
def _no_permit(ground: Ground, place: Path) -> str:
    with Stranger(place, _MINE) as stranger:
        bad = (
            replace(_permit(), signature=""),
            replace(_permit(), expires_at="2020-01-01T00:00:00Z"),
            _permit(Ed25519PrivateKey.generate()),
            _permit(request=replace(_REQUEST, seed=8)),
        )
        said = [stranger.work(permit) for permit in bad]
        assert set(said) == {"failed (PermitInvalid)"}, said
        assert "error" in stranger.ask({"op": "preview", "job": "job-1", "sample": False, "longest_px": 300}).body
    return f"{len(said)} refusals"


@attempt("pipe: a permit twice", "one good permit is used for a second job")
def _replayed(ground: Ground, place: Path) -> str:
    with Stranger(place, _MINE) as stranger:
        permit = _permit()
        said = [stranger.work(permit), stranger.work(permit, job="job-2")]
    assert said == ["finished", "failed (PermitInvalid)"], said
    return " / ".join(said)


@attempt("pipe: a second gate", "after the program's gate a gate of one's own is named", is_quick=True)
def _second_gate(ground: Ground, place: Path) -> str:
    with Stranger(place, Ed25519PrivateKey.generate()) as stranger:
        answer = stranger.ask({"op": "hello", "gate_key": _MINE.public_key().public_bytes_raw().hex()})
        assert answer.body.get("error") == "PermitInvalid", answer.body
        said = stranger.work(_permit())
    assert said == "failed (PermitInvalid)", said
    return said


@attempt("pipe: no gate", "work is asked for before any gate is named")
def _no_gate(ground: Ground, place: Path) -> str:
    with Stranger(place) as stranger:
        said = stranger.work(_permit())
    assert said == "failed (PermitInvalid)", said
    return said


@attempt("pipe: other requests", "save, dump, pixels, exec, pickle and write without a draft are asked for")
def _other_requests(ground: Ground, place: Path) -> str:
    said = []
    for operation in ("save", "dump", "pixels", "exec", "pickle", "unseal", "result"):
        with Stranger(place, _MINE) as stranger:
            assert stranger.work(_permit()) == "finished"
            with open(place / operation, "w+b") as into:
                try:
                    answer = stranger.ask({"op": operation, "job": "job-1", "path": "raw"}, (into.fileno(),))
                    said.append(str(answer.body.get("error")))
                    assert not answer.blob
                except (pipe.PipeClosed, TimeoutError):
                    said.append("closed")
        if operation == "save":
            with Stranger(place, _MINE) as stranger, open(place / "early", "w+b") as into:
                stranger.work(_permit())
                assert "error" in stranger.ask({"op": "write", "job": "job-1"}, (into.fileno(),)).body
    return ", ".join(said)


@attempt("pipe: other plans", "drafts by plans for raw, npy, bmp, no format, no producer, an id that is none")
def _other_plans(ground: Ground, place: Path) -> str:
    changes: tuple[dict[str, Any], ...] = (
        {"format": "raw"},
        {"format": "npy"},
        {"format": ""},
        {"format": None},
        {"format": "wav"},
        {"release_id": "none"},
        {"label": False},
        {"sample": "no"},
        {"origin": ""},
    )
    drafts = 0
    with Stranger(place, _MINE) as stranger:
        assert stranger.work(_permit()) == "finished"
        for number, change in enumerate(changes):
            if "error" in stranger.ask({"op": "prepare", "job": "job-1", "plan": {**_PLAN, **change}}).body:
                continue
            with open(place / f"draft-{number}", "w+b") as into:
                stranger.ask({"op": "write", "job": "job-1"}, (into.fileno(),))
            assert (place / f"draft-{number}").stat().st_size > 0
            assert fault_of((place / f"draft-{number}").read_bytes()) == ""
            drafts += 1
    return f"{len(changes) - drafts} refused, {drafts} drafts, all with the drawn label and without a seal"


@attempt("pipe: odd previews", "previews of no size, of huge, broken and missing sizes")
def _odd_previews(ground: Ground, place: Path) -> str:
    shown = 0
    with Stranger(place, _MINE) as stranger:
        assert stranger.work(_permit()) == "finished"
        for size in (0, -1, 1, 10, 50, 96, 10**9, "all", None, 0.5, [300]):
            answer = stranger.ask({"op": "preview", "job": "job-1", "sample": False, "longest_px": size})
            assert bool(answer.blob) != ("error" in answer.body)
            assert fault_of(answer.blob) == ""
            shown += bool(answer.blob)
    return f"{shown} with the label, the others refused"


@attempt(
    "pipe: broken messages", "half messages, lengths of gigabytes, JSON that is no object, unknown jobs", is_quick=True
)
def _broken(ground: Ground, place: Path) -> str:
    ended = 0
    for raw in (
        struct.pack(">II", 5, 0) + b"nojso",
        struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF),
        struct.pack(">II", 2, 0) + b"[]",
        struct.pack(">II", 2, 0) + b"{}",
    ):
        with Stranger(place, _MINE) as stranger:
            stranger.socket.sendall(raw)
            stranger.socket.shutdown(socket.SHUT_WR)
            got = b""
            try:
                while piece := stranger.socket.recv(1 << 16):
                    got += piece
            except OSError:
                pass
            assert b"PNG" not in got
            ended += 1
    return f"{ended} workers ended or said nothing"


@attempt("worker: memory of a stranger", "/proc/PID/mem and ptrace of a worker that holds a result, by the same user")
def _memory(ground: Ground, place: Path) -> str:
    flag = "import ctypes; from studio.sandbox import confine; confine(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    shell = ground.signet(place, (), program=[sys.executable, "-c", flag])
    assert shell.out.strip() == "0", shell
    how: dict[str, Any] = {}
    if os.geteuid() == 0:
        if not _can_be_nobody(place):
            return "the process is not dumpable; reading was not tried: only root can start the installation here"
        how = {"user": 65534, "group": 65534, "extra_groups": []}
    with tempfile.TemporaryDirectory() as folder, Stranger(_reachable(folder), _MINE, **how) as stranger:
        assert stranger.work(_permit()) == "finished"
        script = textwrap.dedent(
            f"""
            import ctypes
            try:
                with open("/proc/{stranger.child.pid}/mem", "rb"):
                    print("open")
            except OSError as error:
                print(type(error).__name__)
            print("ptrace", ctypes.CDLL(None).ptrace(16, {stranger.child.pid}, 0, 0))
            """
        )
        ran = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False, **how)
    assert ran.stdout.split() == ["PermissionError", "ptrace", "-1"], ran.stdout + ran.stderr
    return "permission denied, twice"


def _reachable(folder: str) -> Path:
    """A folder that every user may use; those of the attempts are below one that only its owner may enter."""
    path = Path(folder)
    path.chmod(0o777)
    return path


def _can_be_nobody(place: Path) -> bool:
    """Whether the user nobody can start the installed program."""
    place.chmod(0o777)
    try:
        ran = subprocess.run(
            [sys.executable, "-I", "-c", "import studio.worker, cv2"],
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return ran.returncode == 0


@attempt(
    "worker: core file",
    "a worker that holds a result is made to dump its core, without a limit on cores",
    is_quick=True,
)
def _core(ground: Ground, place: Path) -> str:
    def unlimited() -> None:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    with Stranger(place, _MINE, preexec_fn=unlimited) as stranger:
        assert stranger.work(_permit()) == "finished"
        limit = Path(f"/proc/{stranger.child.pid}/limits").read_text()
        stranger.child.send_signal(signal.SIGABRT)
        stranger.child.wait()
    core = next(line for line in limit.splitlines() if line.startswith("Max core file size")).split()
    assert core[4:6] == ["0", "0"], core
    assert [path for path in place.iterdir() if "core" in path.name] == []
    return "no core"


@attempt(
    "sealed media: copies",
    "pickle, copy, arrays, bytes, iteration, JSON, numpy.save and Pillow on a sealed result",
    is_quick=True,
)
def _sealed(ground: Ground, place: Path) -> str:
    from PIL import Image

    media = noise()
    ways: tuple[Callable[[], object], ...] = (
        lambda: pickle.dumps(media),
        lambda: pickle.dumps(media, 0),
        lambda: copy.copy(media),
        lambda: copy.deepcopy(media),
        lambda: np.asarray(media),
        lambda: np.save(io.BytesIO(), media, allow_pickle=True),  # type: ignore[arg-type]  # it is meant not to fit
        lambda: bytes(media),  # type: ignore[call-overload]  # it is meant not to fit
        lambda: memoryview(media),  # type: ignore[arg-type]  # it is meant not to fit
        lambda: list(media),  # type: ignore[call-overload]  # it is meant not to fit
        lambda: json.dumps(media),
        lambda: Image.fromarray(media),
        lambda: media[0],  # type: ignore[index]  # it is meant not to fit
        lambda: vars(media),
    )
    for number, way in enumerate(ways):
        try:
            way()
        except (TypeError, AttributeError, ValueError):
            continue
        raise AssertionError(f"way {number} gave something")
    assert "array" not in repr(media)
    return f"{len(ways)} refusals"


@attempt("sealed media: jobs", "the running job and the workshop pickled, a job's own fields looked through")
def _jobs(ground: Ground, place: Path) -> str:
    running = ground.run()
    for thing in (running, ground.workshop):
        try:
            pickle.dumps(thing)
        except (TypeError, AttributeError, pickle.PicklingError):
            continue
        raise AssertionError("a job could be pickled")
    held = [name for name, value in vars(running).items() if isinstance(value, np.ndarray | bytes) and len(value)]
    assert held == [], held
    return "nothing to pickle, no pixels in the program"
