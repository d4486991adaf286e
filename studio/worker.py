"""The child process: joins one engine to compliance.draft. Requests in, events and drafts out; holds no key.

It is started by studio.runner with one end of a socket pair, takes its own rights away, and works until the socket
closes. Results stay sealed in its memory until they are released or discarded. It knows no path of the user's files:
inputs and drafts come as descriptors.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import (
    ConsentMissing,
    ContentBlocked,
    OutOfMemory,
    PackDamaged,
    PermitInvalid,
    SignetError,
    UnknownRecord,
)
from compliance.media import SyntheticMedia
from engines import packs
from engines.job import Cancelled, CancelToken, Event, Failed, Finished, JobCancelled, Progress, Started
from engines.voice import speech
from studio import pipe, sandbox
from studio.speech import SpeechProcess

if TYPE_CHECKING:
    from compliance.permit import Permit
    from engines.engine import Input, Request
    from studio.looking import Looking

# Looks into pictures that are said to show nobody.
FACE_ENGINE = "face.mesh"
# Labels media made elsewhere: no real person is shown there if the account says so. A text shows nobody.
SEAL, TEXT_ENGINE = "seal", "foreign.document"
# Options of requests whose value is a model pack.
PACK_OPTIONS = ("pack", "lora")
_GLIMPSE_PX = 512
_SURVEYS_KEPT = 16
_EVENT_NAMES: dict[type, str] = {
    Started: "started",
    Progress: "progress",
    Finished: "finished",
    Failed: "failed",
    Cancelled: "cancelled",
}


def failure(error: BaseException) -> Failed:
    """The event for an exception that left an engine; an unknown one becomes its type and places, without values."""
    if isinstance(error, SignetError):
        return Failed(error.name, {key: _plain(value) for key, value in error.data.items()})
    if isinstance(error, MemoryError) or "Insufficient memory" in str(error):
        return Failed(OutOfMemory.__name__, {"stage": "engine"})
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return Failed("Unexpected", {"kind": type(error).__name__, "places": places})


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _read(descriptor: int) -> bytes:
    try:
        with open(descriptor, "rb", closefd=False) as stream:
            stream.seek(0)
            return stream.read()
    finally:
        os.close(descriptor)


def _verify_packs(request: Request) -> None:
    """The packs a request loads are those the gate was told of; raises PermitInvalid, PackDamaged, PackMissing."""
    told = {pack.id: pack.sha256 for pack in request.packs}
    for name in PACK_OPTIONS:
        pack_id = str(request.options.get(name) or "")
        if pack_id and pack_id not in told:
            raise PermitInvalid(reason="a model pack is not named")
        if pack_id and packs.pack_named(pack_id).digest() != told[pack_id]:
            raise PackDamaged(pack=pack_id, file="-", reason="changed")


class Worker:
    """One conversation with the program."""

    def __init__(self, sock: socket.socket, voices: SpeechProcess | None = None) -> None:
        self._sock, self._voices = sock, voices
        self._sending = threading.Lock()
        self._results: dict[str, SyntheticMedia] = {}
        self._drafts: dict[str, Any] = {}
        self._looking: dict[str, Looking] = {}
        self._tokens: dict[str, CancelToken] = {}
        self._engines: dict[str, Any] = {}
        self._surveys: dict[tuple[str, str], list[Any]] = {}
        self._gate_key: Any = None
        self._used_permits: set[str] = set()

    def _send(self, body: dict[str, Any], blob: bytes = b"") -> None:
        with self._sending:
            pipe.send(self._sock, body, blob)

    def serve(self) -> None:
        """Answer until the other side closes."""
        confinement = sandbox.confine(readable=packs.folders())
        self._send({"op": "ready", "landlock": confinement.landlock, "seccomp": confinement.seccomp})
        if self._voices is not None:
            threading.Thread(target=self._tell_silence, args=(self._voices,), daemon=True).start()
        while True:
            try:
                message = pipe.receive(self._sock)
            except pipe.PipeClosed:
                return
            self._handle(message)

    def _tell_silence(self, voices: SpeechProcess) -> None:
        """Say when the speech process has ended: no other one can be started from here."""
        voices.wait()
        try:
            self._send({"op": "speechless"})
        except pipe.PipeClosed:
            pass  # the program has gone as well

    def _handle(self, message: pipe.Message) -> None:
        body = message.body
        operation: str = body["op"]
        if operation == "cancel":
            token = self._tokens.get(body["job"])
            if token is not None:
                token.cancel()
        elif operation == "run":
            token = self._tokens[body["job"]] = CancelToken()
            threading.Thread(target=self._run, args=(body, message.descriptors, token), daemon=True).start()
        else:
            handlers: dict[str, Callable[[pipe.Message], tuple[dict[str, Any], bytes]]] = {
                "hello": self._hello,
                "survey": self._survey,
                "sight": self._sight,
                "damage": self._damage,
                "embed": self._embed,
                "embed_voice": self._embed_voice,
                "hear": self._hear,
                "classifier": self._load_classifier,
                "prepare": self._prepare,
                "write": self._write,
                "preview": self._preview,
                "listen": self._listen,
                "discard": self._discard,
            }
            try:
                answer, blob = handlers[operation](message)
            except Exception as error:
                if isinstance(error, ContentBlocked):
                    # A film is looked at while it is drawn: now it is known, nothing of it is kept.
                    self._results.pop(body["job"], None)
                event = failure(error)
                answer, blob = {"error": event.error, "data": event.data}, b""
            self._tell_hits(body.get("job", ""))
            self._send({"op": "answer", "to": body["id"], **answer}, blob)

    def _hello(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if self._gate_key is not None:
            # One gate, known before the first request; no later word makes another one.
            raise PermitInvalid(reason="another gate is known")
        self._gate_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(message.body["gate_key"]))
        return {}, b""

    def _engine(self, engine_id: str) -> Any:
        if engine_id not in self._engines:
            from engines.engine import load_engine

            self._engines[engine_id] = load_engine(engine_id)
        return self._engines[engine_id]

    def _survey(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        data = _read(message.descriptors[0])
        faces = self._faces(message.body["engine"], message.body["name"], data)
        return {"faces": [asdict(face) for face in faces]}, b""

    def _faces(self, engine_id: str, name: str, data: bytes) -> list[Any]:
        """The faces in a file; the same bytes, which are looked at when work is planned and when it starts, once."""
        key = engine_id, hashlib.sha256(data).hexdigest()
        if key not in self._surveys:
            while len(self._surveys) >= _SURVEYS_KEPT:
                self._surveys.pop(next(iter(self._surveys)))
            self._surveys[key] = self._engine(engine_id).survey(name, data)
        return self._surveys[key]

    def _sight(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        data = _read(message.descriptors[0])
        return {"faces": [asdict(face) for face in self._seen(message.body["name"], data)]}, b""

    def _seen(self, name: str, data: bytes) -> list[Any]:
        """The faces in a film or document, where most are seen at once; the same bytes once, as in _faces."""
        from studio.faces_seen import faces_seen

        key = "seen", hashlib.sha256(data).hexdigest()
        if key not in self._surveys:
            found = faces_seen(name, data, self._engine(FACE_ENGINE).faces)
            while len(self._surveys) >= _SURVEYS_KEPT:
                self._surveys.pop(next(iter(self._surveys)))
            self._surveys[key] = found
        return self._surveys[key]

    def _damage(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from engines.picture.restore import damage

        data, sensitivity = _read(message.descriptors[0]), float(message.body["sensitivity"])
        width, height, bits = damage(message.body["name"], data, sensitivity)
        return {"width": width, "height": height}, bits

    def _embed(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from engines.face.recogniser import embed_picture

        data = _read(message.descriptors[0])
        return embed_picture(message.body["pack"], message.body["name"], data), b""

    def _load_classifier(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from studio.looking import load_classifier

        return {"labels": list(load_classifier(message.body["pack"], message.body["sha256"]).labels)}, b""

    def _embed_voice(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from engines.voice.speaker import embed_sound
        from engines.voice.speaker_pack import embed_sound_by

        name, data = message.body["name"], _read(message.descriptors[0])
        pack_id = str(message.body.get("pack", ""))
        return embed_sound_by(pack_id, name, data) if pack_id else embed_sound(name, data), b""

    def _hear(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from engines.voice.phrase import hear

        return hear(message.body["name"], _read(message.descriptors[0]), **message.body["listen_for"]), b""

    def _run(self, body: dict[str, Any], descriptors: list[int], token: CancelToken) -> None:
        job: str = body["job"]

        def emit(event: Event) -> None:
            if isinstance(event, Progress) and event.glimpse is not None:
                self._show(job, event.glimpse, sample=bool(body.get("sample", True)))
                event = replace(event, glimpse=None)
            self._send({"op": "event", "job": job, "event": _EVENT_NAMES[type(event)], "fields": asdict(event)})

        try:
            try:
                data = [_read(descriptor) for descriptor in descriptors]
                emit(Started())
                media = self._make(body, data, emit, token)
                token.check()
                self._tell_hits(job)
                self._results[job] = media
                emit(Finished(media.info))
            except JobCancelled:
                emit(Cancelled())
            except ContentBlocked as error:
                self._tell_hits(job)
                emit(failure(error))
            except Exception as error:
                emit(failure(error))
        except pipe.PipeClosed:
            pass  # the program has gone; nobody is left to tell
        finally:
            self._tokens.pop(job, None)

    def _show(self, job: str, glimpse: SyntheticMedia, *, sample: bool) -> None:
        """Send how far a picture has come: looked at first, then labelled, or not at all."""
        from compliance import draft

        looking = self._looking.get(job)
        if looking is not None and looking.finds_nothing(glimpse):
            self._send({"op": "glimpse", "job": job}, draft.preview(glimpse, sample=sample, longest_px=_GLIMPSE_PX))

    def _tell_hits(self, job: str) -> None:
        looking = self._looking.get(job)
        hits = looking.untold() if looking is not None else []
        if hits:
            self._send({"op": "reviewed", "job": job, "hits": [hit.to_json() for hit in hits]})

    def _make(
        self, body: dict[str, Any], data: list[bytes], emit: Callable[[Event], None], token: CancelToken
    ) -> SyntheticMedia:

        from compliance.permit import Permit
        from engines.engine import Request
        from studio.faces_seen import is_looked_through
        from studio.looking import Looking

        request = Request.from_json(body["request"])
        permit = Permit.from_json(body["permit"])
        if self._gate_key is None:
            raise PermitInvalid(reason="no gate is known")
        permit.verify(self._gate_key, request.digest())
        if permit.permit_id in self._used_permits:
            raise PermitInvalid(reason="used before")
        self._used_permits.add(permit.permit_id)
        if len(data) != len(request.inputs):
            raise PermitInvalid(reason="inputs are missing")
        request.verify_voices()
        for item, content in zip(request.inputs, data, strict=True):
            if hashlib.sha256(content).hexdigest() != item.sha256:
                raise PermitInvalid(reason="an input is not the file that was asked for")
            if item.likeness == "nobody" and request.function != SEAL:
                raise ConsentMissing(role=item.role, asset=item.sha256[:12])
            if request.function == SEAL and is_looked_through(content):
                self._verify_seen(item, content, permit)
                if item.likeness == "none" and request.engine == TEXT_ENGINE:
                    continue
            if item.likeness == "none" and item.role != "mask" and self._faces(FACE_ENGINE, item.name, content):
                raise ConsentMissing(role=item.role, asset=item.sha256[:12])
        _verify_packs(request)
        looking = self._looking[body["job"]] = Looking(permit)
        for item, content in zip(request.inputs, data, strict=True):
            if request.engine == TEXT_ENGINE:
                break  # its words were reviewed before there was a permit
            looking.look_at_input(item, content, request.function.startswith("voice."))
        inputs = {item.role: content for item, content in zip(request.inputs, data, strict=True)}
        media: SyntheticMedia = self._engine(request.engine).run(request, permit, inputs, emit, token)
        permit.verify_faces(media.info.faces_edited)
        watched = looking.watched(media)
        self._inform(watched, request, data)
        return watched

    def _verify_seen(self, item: Input, content: bytes, permit: Permit) -> None:
        """What is said of the people in a film or document fits what is seen in it.

        A declaration that nobody is real is the account's word, whoever is seen. Raises ConsentMissing, and
        ConsentTooNarrow for more people than agreed.
        """
        if item.likeness == "nobody":
            return
        seen = self._seen(item.name, content)
        if not seen:
            return
        if item.likeness == "none":
            raise ConsentMissing(role=item.role, asset=item.sha256[:12])
        permit.verify_faces(len(seen))

    def _inform(self, media: SyntheticMedia, request: Request, data: list[bytes]) -> None:
        """Tell the draft where faces are, and the release which marks the inputs carried."""
        from compliance import draft
        from studio.input_marks import marks_in

        marks = [
            (str(item.role), mark)
            for item, content in zip(request.inputs, data, strict=True)
            if item.role != "mask"
            for mark in marks_in(item.name, content)
        ]
        media.info = replace(media.info, marks_read=tuple(marks))
        draft.note_faces(media, self._engine(FACE_ENGINE).boxes)

    def _result(self, job: str) -> SyntheticMedia:
        try:
            return self._results[job]
        except KeyError as error:
            raise UnknownRecord(kind="result", id=job) from error

    def _prepare(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from compliance import draft
        from compliance.labels.policy import LabelPlan

        job = message.body["job"]
        made = draft.prepare(self._result(job), LabelPlan.from_json(message.body["plan"]))
        self._drafts[job] = made
        return {"payload_sha256": made.payload_sha256, "size": made.size}, b""

    def _write(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        descriptor = message.descriptors[0]
        try:
            self._drafts.pop(message.body["job"]).write(descriptor)
        finally:
            os.close(descriptor)
        return {}, b""

    def _preview(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from compliance import draft
        from compliance.labels.styles import LabelChoice

        body = message.body
        choice = LabelChoice(**{name: str(value) for name, value in body.get("label", {}).items()})
        media = self._result(body["job"])
        return {}, draft.preview(media, sample=body["sample"], longest_px=body["longest_px"], choice=choice)

    def _listen(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        from compliance import draft

        body = message.body
        media = self._result(body["job"])
        return {}, draft.preview_sound(media, sample=body["sample"], language=body["language"])

    def _discard(self, message: pipe.Message) -> tuple[dict[str, Any], bytes]:
        for kept in (self._results, self._drafts, self._looking):
            kept.pop(message.body["job"], None)
        return {}, b""


def _begin_speech() -> SpeechProcess | None:
    """Start the speech process, which cannot be done once this one is confined."""
    try:
        voices = SpeechProcess()
    except OSError:
        return None  # a voice that is asked for says then that the process is not running
    speech.talk_through(voices.begin)
    return voices


def main(arguments: list[str]) -> None:
    """Serve on the inherited socket whose number is the first argument; the second is the folder of model packs."""
    os.environ.update(OPENCV_OPENCL_RUNTIME="disabled", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    # torch looks for a place for what it compiles as soon as parts of it are imported, and nothing is writable here; it
    # is content with a folder that is there, and writes into it only where something is compiled.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = sys.prefix
    packs.keep_packs_in(Path(arguments[1]))
    sock = socket.socket(fileno=int(arguments[0]))
    voices = _begin_speech()
    try:
        Worker(sock, voices).serve()
    except pipe.PipeClosed:
        pass
    finally:
        # An engine thread may still compute; there is nobody left to take its result.
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
