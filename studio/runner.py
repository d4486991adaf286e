"""JobRunner: owns the worker process and turns its events into callbacks.

The worker is disposable: one that dies or does not obey is replaced, and what it held is lost, which costs time but
never a label, since nothing it holds has left it.
"""

from __future__ import annotations

import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from compliance.content import ContentHit
from compliance.errors import ContentBlocked, OutOfMemory, SignetError, Unexpected, WorkerDied, registry
from compliance.labels.policy import LabelPlan, Language, Prepared
from compliance.labels.styles import USUAL, LabelChoice
from compliance.media import MediaInfo
from compliance.permit import Permit
from compliance.storage import refuse_exhausted
from engines.engine import FoundFace, Request
from engines.job import Cancelled, Event, Events, Failed, Finished, JobState, Progress, Started
from studio import pipe
from studio.reports import write_report
from studio.sandbox import Confinement
from studio.text import N_

Hits = Callable[[Request, Sequence[ContentHit]], str]
CANCEL_LIMIT_S = 0.8
_READY_LIMIT_S = 60.0


def error_of(name: str, data: Mapping[str, Any]) -> SignetError:
    """The SignetError that a worker's answer names; anything unknown becomes Unexpected with a report on disk."""
    kind = registry().get(name)
    if kind is None or name == "Unexpected":
        report = write_report(str(data.get("kind", name)), [str(place) for place in data.get("places", [])])
        return Unexpected(kind=data.get("kind", name), report=report)
    try:
        return kind(**data)
    except (KeyError, IndexError, TypeError):
        return WorkerDied(detail="unreadable answer")


def raise_failed(event: Failed) -> NoReturn:
    """Turn a Failed event back into its error and raise it."""
    raise error_of(event.error, event.data)


def _memory_file(data: bytes) -> int:
    """A descriptor of an unnamed file in memory that holds data; no copy of an input ever reaches a disk.

    Raises OutOfMemory, TooManyFilesOpen.
    """
    try:
        descriptor = os.memfd_create("input", os.MFD_CLOEXEC)
    except OSError as error:
        refuse_exhausted(error)
        raise OutOfMemory(stage=N_("reading pictures")) from error
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        # No memory, or a limit on the size of files, which the system applies to memory as well.
        os.close(descriptor)
        raise OutOfMemory(stage=N_("reading pictures")) from error
    return descriptor


def _end_of(code: int) -> SignetError:
    """What it means that the worker ended by itself: with a limit on memory set, that it did not suffice."""
    if code not in (0, -signal.SIGKILL, -signal.SIGTERM) and _memory_is_limited():
        return OutOfMemory(stage=N_("engine"))
    return WorkerDied(detail=f"signal {-code}" if code < 0 else f"exit {code}")


def _memory_is_limited() -> bool:
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


class Running:
    """One job in the worker. Ends exactly once; its last event is Finished, Failed or Cancelled."""

    def __init__(self, worker: _Process, request: Request, on_event: Events, on_hits: Hits, content: str) -> None:
        self.content_sha256 = content
        self._on_hits, self._case = on_hits, ""
        self._untold: SignetError | None = None
        self.id = f"job-{secrets.token_hex(5)}"
        self.request = request
        self.state = JobState.QUEUED
        self.info: MediaInfo | None = None
        # How far a picture has come: a labelled PNG, while it is made; told anew by the next Progress.
        self.glimpse = b""
        self._worker = worker
        self._on_event = on_event
        self._ended: Future[Event] = Future()
        self._lock = threading.Lock()
        self._cancelling = False

    def receive(self, event: Event) -> None:
        """Take an event of the worker; only the first ending counts."""
        with self._lock:
            if self._ended.done():
                return
            event = self._judged(event)
            match event:
                case Started():
                    self.state = JobState.RUNNING
                case Finished(info):
                    if self._cancelling:
                        # It was done before it heard of it; the user asked to stop, so stopped it is.
                        event = Cancelled()
                        self.state = JobState.CANCELLED
                    else:
                        self.info, self.state = info, JobState.FINISHED
                case Failed():
                    self.state = JobState.FAILED
                case Cancelled():
                    self.state = JobState.CANCELLED
                case Progress():
                    pass
            is_last = self.state not in (JobState.QUEUED, JobState.RUNNING)
            if is_last:
                self.glimpse = b""
        try:
            self._on_event(event)
        finally:
            if is_last:
                self._ended.set_result(event)

    def take_glimpse(self, png: bytes) -> None:
        """Keep the newest preview of a job that still runs."""
        with self._lock:
            if not self._ended.done() and not self._cancelling:
                self.glimpse = png

    def take_hits(self, hits: Sequence[ContentHit]) -> None:
        """What the review found in the pictures of this job; told before its end."""
        try:
            self._case = self._on_hits(self.request, hits)
        except SignetError as error:
            self._untold = error

    def _judged(self, event: Event) -> Event:
        """The end of a job with what came of its hits: the case of a stop, or that none could be opened."""
        match event:
            case Failed("ContentBlocked", data) if self._case:
                return Failed(event.error, {**data, "case": self._case})
            case Finished() if self._untold is not None:
                # A result that somebody should look at, and nobody will hear of it: it is not kept either.
                threading.Thread(target=self.discard, name="signet unreviewed result", daemon=True).start()
                return Failed(self._untold.name, self._untold.data)
        return event

    def cancel(self) -> None:
        """Ask to stop; a worker that does not obey in CANCEL_LIMIT_S is killed."""
        with self._lock:
            if self._ended.done() or self.state not in (JobState.QUEUED, JobState.RUNNING):
                return
            self._cancelling = True
        self._worker.tell({"op": "cancel", "job": self.id})
        timer = threading.Timer(CANCEL_LIMIT_S, self._kill)
        timer.daemon = True
        timer.start()
        self._ended.add_done_callback(lambda _: timer.cancel())

    def _kill(self) -> None:
        if not self._ended.done():
            self._worker.kill()

    def lose(self, error: SignetError) -> None:
        """The worker is gone."""
        self.receive(Cancelled() if self._cancelling else Failed(error.name, error.data))

    def wait(self, timeout_s: float | None = None) -> Event:
        """The last event; raises TimeoutError."""
        return self._ended.result(timeout_s)

    # --- the drafting half of a release, as compliance.release sees it ---

    def _ask(self, body: dict[str, Any], descriptors: Sequence[int] = ()) -> pipe.Message:
        """An answer about the result. Frames of a film are looked at while it is drawn: so it may be stopped here."""
        try:
            answer = self._worker.ask(body, descriptors)
        except ContentBlocked as error:
            raise ContentBlocked(**{**error.data, "case": self._case or "-"}) from error
        if self._untold is not None:
            self.discard()
            raise self._untold
        return answer

    def prepare(self, plan: LabelPlan) -> Prepared:
        """Label and encode in the worker's memory."""
        answer = self._ask({"op": "prepare", "job": self.id, "plan": plan.to_json()})
        return Prepared(payload_sha256=str(answer.body["payload_sha256"]), size=int(answer.body["size"]))

    def write(self, descriptor: int) -> None:
        """Let the worker write its draft into an open file."""
        self._ask({"op": "write", "job": self.id}, [descriptor])

    def preview(self, *, sample: bool, longest_px: int, choice: LabelChoice = USUAL) -> bytes:
        """A PNG with the label as the release will have it."""
        asked = {"op": "preview", "job": self.id, "sample": sample, "longest_px": longest_px, "label": asdict(choice)}
        return self._ask(asked).blob

    def listen(self, *, sample: bool, language: Language) -> bytes:
        """A labelled Ogg/Opus file of a sound."""
        return self._ask({"op": "listen", "job": self.id, "sample": sample, "language": language}).blob

    def discard(self) -> None:
        """Let the worker forget the result."""
        try:
            self._worker.ask({"op": "discard", "job": self.id})
        except (WorkerDied, OutOfMemory):
            # What the worker held went with it.
            pass


class _Process:
    """One worker process and the thread that listens to it."""

    def __init__(self, gate_key: bytes, packs: Path) -> None:
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            refuse_exhausted(error)
            raise
        with theirs:
            environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-m", "studio.worker", str(theirs.fileno()), str(packs)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
        self._sock = ours
        self._sending = threading.Lock()
        self._waiting: dict[str, Future[pipe.Message]] = {}
        self._jobs: dict[str, Running] = {}
        self._lock = threading.Lock()
        self._ready: Future[Confinement] = Future()
        self.is_gone = self.is_speechless = False
        threading.Thread(target=self._listen, name="signet worker events", daemon=True).start()
        self.ask({"op": "hello", "gate_key": gate_key.hex()})

    @property
    def confinement(self) -> Confinement:
        """What holds the worker, as it said at its start."""
        return self._ready.result(_READY_LIMIT_S)

    def tell(self, body: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send without waiting; a worker that is gone is noticed by the listener."""
        try:
            with self._sending:
                pipe.send(self._sock, body, b"", descriptors)
        except pipe.PipeClosed:
            pass

    def ask(self, body: dict[str, Any], descriptors: Sequence[int] = ()) -> pipe.Message:
        """Send and wait for the answer; raises the error the worker names, or WorkerDied."""
        key = secrets.token_hex(6)
        future: Future[pipe.Message] = Future()
        with self._lock:
            if self.is_gone:
                raise WorkerDied(detail="it had ended before")
            self._waiting[key] = future
        self.tell({**body, "id": key}, descriptors)
        answer = future.result()
        if "error" in answer.body:
            raise error_of(str(answer.body["error"]), dict(answer.body.get("data", {})))
        return answer

    def run(self, running: Running, body: dict[str, Any], descriptors: Sequence[int]) -> None:
        """Hand over a job."""
        with self._lock:
            if self.is_gone:
                raise WorkerDied(detail="it had ended before")
            self._jobs[running.id] = running
        self.tell(body, descriptors)

    def _listen(self) -> None:
        try:
            while True:
                self._take(pipe.receive(self._sock))
        except (pipe.PipeClosed, KeyError, TypeError, ValueError):
            pass
        self.kill()
        code = self._child.wait()
        with self._lock:
            self.is_gone = True
            waiting, self._waiting = self._waiting, {}
            jobs, self._jobs = self._jobs, {}
        if not self._ready.done():
            self._ready.set_exception(_end_of(code))
        for future in waiting.values():
            future.set_exception(_end_of(code))
        for running in jobs.values():
            running.lose(_end_of(code))
        self._sock.close()

    def _take(self, message: pipe.Message) -> None:
        for descriptor in message.descriptors:
            os.close(descriptor)
        body = message.body
        match body["op"]:
            case "ready":
                self._ready.set_result(Confinement(int(body["landlock"]), bool(body["seccomp"])))
            case "speechless":
                self.is_speechless = True
            case "answer":
                with self._lock:
                    future = self._waiting.pop(body["to"])
                future.set_result(message)
            case "glimpse":
                with self._lock:
                    running = self._jobs[body["job"]]
                running.take_glimpse(message.blob)
            case "reviewed":
                with self._lock:
                    running = self._jobs[body["job"]]
                running.take_hits([ContentHit.from_json(hit) for hit in body["hits"]])
            case "event":
                event = _event(body)
                with self._lock:
                    running = self._jobs[body["job"]]
                running.receive(event)

    def kill(self) -> None:
        """End the process now."""
        try:
            self._child.kill()
        except OSError:
            pass

    def close(self) -> None:
        """End the conversation; the worker leaves by itself, at once or by force."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        try:
            self._child.wait(2)
        except subprocess.TimeoutExpired:
            self.kill()
            self._child.wait()


def _event(body: dict[str, Any]) -> Event:
    fields = body["fields"]
    match body["event"]:
        case "started":
            return Started()
        case "progress":
            return Progress(int(fields["done"]), int(fields["total"]), str(fields["stage"]))
        case "finished":
            info = dict(fields["info"])
            spans_ms = tuple((int(start), int(end)) for start, end in info.get("spans_ms", ()))
            lists = {name: tuple(tuple(item) for item in info.get(name, ())) for name in ("keep_clear", "marks_read")}
            return Finished(MediaInfo(**{**info, "warnings": tuple(info["warnings"]), "spans_ms": spans_ms, **lists}))
        case "cancelled":
            return Cancelled()
        case "failed":
            return Failed(str(fields["error"]), dict(fields["data"]))
    raise ValueError("unknown event")


class JobRunner:
    """Starts the worker when it is needed, and again when it has gone. packs: the folder of model packs."""

    def __init__(self, gate_key: bytes, packs: Path = Path("packs")) -> None:
        self._gate_key = gate_key
        self._packs = packs
        self._process: _Process | None = None
        self._retired: list[_Process] = []
        self._lock = threading.Lock()

    def _worker(self) -> _Process:
        with self._lock:
            if self._process is not None and self._process.is_speechless:
                # It cannot start another speech process. What it made is still with it, so it stays until the end.
                self._retired.append(self._process)
                self._process = None
            if self._process is None or self._process.is_gone:
                self._process = _Process(self._gate_key, self._packs)
            return self._process

    def warm_up(self) -> None:
        """Start the worker ahead of its first use."""
        self._worker()

    @property
    def confinement(self) -> Confinement:
        """What holds the worker."""
        return self._worker().confinement

    def survey(self, engine_id: str, name: str, data: bytes) -> list[FoundFace]:
        """Faces in one encoded picture; raises NotAPicture, PictureTooLarge, ModelDamaged, WorkerDied."""
        return self._faces({"op": "survey", "engine": engine_id, "name": name}, data)

    def sight(self, name: str, data: bytes) -> list[FoundFace]:
        """Faces in a film or in the pictures of a document, where most are seen at once.

        Raises NotAVideo, NotADocument, ModelDamaged, WorkerDied.
        """
        return self._faces({"op": "sight", "name": name}, data)

    def _faces(self, asked: dict[str, Any], data: bytes) -> list[FoundFace]:
        descriptor = _memory_file(data)
        try:
            answer = self._worker().ask(asked, [descriptor])
        finally:
            os.close(descriptor)
        return [FoundFace(**{**face, "box": tuple(face["box"])}) for face in answer.body["faces"]]

    def find_damage(self, name: str, data: bytes, sensitivity: float) -> tuple[int, int, bytes]:
        """Where one encoded picture is scratched: width, height, one bit a pixel; raises NotAPicture, WorkerDied."""
        descriptor = _memory_file(data)
        try:
            asked = {"op": "damage", "name": name, "sensitivity": sensitivity}
            answer = self._worker().ask(asked, [descriptor])
        finally:
            os.close(descriptor)
        return int(answer.body["width"]), int(answer.body["height"]), answer.blob

    def embed(self, pack_id: str, name: str, data: bytes) -> tuple[str, float, dict[int, list[float]]]:
        """(model, threshold, templates by face number) of one encoded picture by a recogniser pack.

        Raises NotAPicture, PictureTooLarge, ModelDamaged, PackMissing, PackDamaged, WorkerDied.
        """
        descriptor = _memory_file(data)
        try:
            body = self._worker().ask({"op": "embed", "pack": pack_id, "name": name}, [descriptor]).body
        finally:
            os.close(descriptor)
        faces = {int(number): list(vector) for number, vector in body["faces"].items()}
        return str(body["model_sha256"]), float(body["threshold"]), faces

    def load_classifier(self, pack_id: str, sha256: str) -> None:
        """Let the worker load a classifier pack; raises ClassifierUnusable, WorkerDied."""
        self._worker().ask({"op": "classifier", "pack": pack_id, "sha256": sha256})

    def start(
        self,
        request: Request,
        permit: Permit,
        inputs: Sequence[bytes],
        on_event: Events,
        on_hits: Hits = lambda _request, _hits: "",
        *,
        sample: bool = False,
    ) -> Running:
        """Hand a permitted request to the worker; inputs in the order of request.inputs.

        sample: whether previews while it runs say that they are samples.

        on_hits: told what the review found in pictures, before the last event; answers with the case it opened.
        """
        worker = self._worker()
        running = Running(worker, request, on_event, on_hits, permit.content_sha256)
        descriptors = [_memory_file(data) for data in inputs]
        try:
            worker.run(
                running,
                {
                    "op": "run",
                    "job": running.id,
                    "request": request.to_json(),
                    "permit": permit.to_json(),
                    "sample": sample,
                },
                descriptors,
            )
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return running

    def embed_voice(self, name: str, data: bytes, pack_id: str = "") -> dict[str, Any]:
        """The template of the voice in an encoded sound, by the built-in network or by a speaker pack.

        See engines.voice.speaker.embed_sound. Raises NotASound, SoundTooLong, VoiceNotFound, ModelDamaged, PackMissing,
        PackDamaged, WorkerDied.
        """
        return self._ask_about(data, {"op": "embed_voice", "name": name, "pack": pack_id})

    def hear(self, name: str, data: bytes, listen_for: Mapping[str, Any]) -> dict[str, Any]:
        """Which of some words are spoken in an encoded sound; see engines.voice.phrase.hear. Raises NotASound."""
        return self._ask_about(data, {"op": "hear", "name": name, "listen_for": dict(listen_for)})

    def _ask_about(self, data: bytes, body: dict[str, Any]) -> dict[str, Any]:
        descriptor = _memory_file(data)
        try:
            return self._worker().ask(body, [descriptor]).body
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            for process in (*self._retired, self._process):
                if process is not None:
                    process.close()
            self._retired, self._process = [], None


__all__ = ["JobRunner", "Running", "error_of", "raise_failed"]
