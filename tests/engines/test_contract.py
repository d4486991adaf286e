"""What every engine keeps, whatever it makes."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from compliance.errors import NotADocument, NotAPicture, NotASound, NotAVideo
from compliance.media import SyntheticMedia, unseal, unseal_document, unseal_film, unseal_sound
from compliance.permit import Role
from engines.engine import Engine, Request, engine_ids, load_engine
from engines.job import CancelToken, Event, JobCancelled, Progress
from tests.engines.conftest import permit_for, request_for

EngineOf = Callable[[str], Engine]
Inputs = Mapping[str, Mapping[Role, bytes]]

each_engine = pytest.mark.parametrize("engine_id", engine_ids())


def _request(engine: Engine, inputs: Mapping[Role, bytes]) -> Request:
    return request_for(engine, tuple(inputs), faces=1 if "target" in inputs else 0, seed=7)


def _samples(media: SyntheticMedia) -> np.ndarray:
    if media.info.kind == "document":
        return np.frombuffer(unseal_document(media).data, np.uint8)
    if media.info.kind == "video":
        return np.stack([frame.copy() for frame in unseal_film(media).frames()])
    return unseal(media) if media.info.kind == "picture" else unseal_sound(media)


def test_an_unknown_engine_is_refused() -> None:
    """Before anything is imported."""
    with pytest.raises(KeyError):
        load_engine("face.magic")


@each_engine
@pytest.mark.parametrize("garbage", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", bytes(100)])
def test_garbage_is_refused_by_survey_and_run(engine_of: EngineOf, engine_id: str, garbage: bytes) -> None:
    """Bytes that are no picture or sound end in the error that says so and in nothing else."""
    engine = engine_of(engine_id)
    with pytest.raises((NotAPicture, NotASound, NotAVideo, NotADocument)):
        engine.survey("garbage", garbage)
    if engine_id == "foreign.document" and garbage:
        return  # any bytes may be a text; they are taken apart when they are drafted
    request = request_for(engine, ("source", "target"), faces=1)
    inputs: dict[Role, bytes] = {"source": garbage, "target": garbage}
    with pytest.raises((NotAPicture, NotASound, NotAVideo, NotADocument)):
        engine.run(request, permit_for(request), inputs, lambda _: None, CancelToken())


@each_engine
def test_a_cancelled_token_stops_before_anything_is_made(
    engine_of: EngineOf, inputs_of: Inputs, engine_id: str
) -> None:
    """A job cancelled while it waited for its turn."""
    engine, inputs = engine_of(engine_id), inputs_of[engine_id]
    request = _request(engine, inputs)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(JobCancelled):
        engine.run(request, permit_for(request), inputs, lambda _: None, cancel)


@each_engine
def test_cancel_works_at_every_stage(engine_of: EngineOf, inputs_of: Inputs, engine_id: str) -> None:
    """Whenever the user stops, up to the last event, no media comes out."""
    engine, inputs = engine_of(engine_id), inputs_of[engine_id]
    request = _request(engine, inputs)
    seen: list[Event] = []
    engine.run(request, permit_for(request), inputs, seen.append, CancelToken())
    for stop_at in range(len(seen) - 1):
        cancel, count = CancelToken(), 0

        def on_event(event: Event, stop_at: int = stop_at, cancel: CancelToken = cancel) -> None:
            nonlocal count
            if count == stop_at:
                cancel.cancel()
            count += 1

        with pytest.raises(JobCancelled):
            engine.run(request, permit_for(request), inputs, on_event, cancel)


@each_engine
def test_the_same_request_gives_the_same_bytes(engine_of: EngineOf, inputs_of: Inputs, engine_id: str) -> None:
    """Also from an engine loaded afresh."""
    inputs = inputs_of[engine_id]
    digests = set()
    for engine in (engine_of(engine_id), engine_of(engine_id), load_engine(engine_id)):
        request = _request(engine, inputs)
        media = engine.run(request, permit_for(request), inputs, lambda _: None, CancelToken())
        digests.add(hashlib.sha256(_samples(media).tobytes()).hexdigest())
    assert len(digests) == 1


@each_engine
def test_the_result_is_sealed_and_says_what_it_is(engine_of: EngineOf, inputs_of: Inputs, engine_id: str) -> None:
    """No array and no pickle can be made of it; its info names the engine, the size and the faces edited."""
    engine, inputs = engine_of(engine_id), inputs_of[engine_id]
    request = _request(engine, inputs)
    media = engine.run(request, permit_for(request), inputs, lambda _: None, CancelToken())
    with pytest.raises((TypeError, ValueError)):
        np.asarray(media)
    with pytest.raises(TypeError):
        pickle.dumps(media)
    # What was made elsewhere names the program that made it.
    version = request.options.get("made_with", engine.version)
    assert (media.info.engine, media.info.engine_version) == (engine.id, version)
    assert media.info.faces_edited == request.faces_edited
    info = media.info
    if info.kind != "document":
        shape = (info.height, info.width, 3) if info.kind == "picture" else (info.frames, info.channels)
        shape = (info.pictures, info.height, info.width, 3) if info.kind == "video" else shape
        assert _samples(media).shape == shape


@each_engine
def test_progress_is_told_and_never_runs_backwards(engine_of: EngineOf, inputs_of: Inputs, engine_id: str) -> None:
    """Progress is the only event an engine sends; the last one is complete."""
    engine, inputs = engine_of(engine_id), inputs_of[engine_id]
    request = _request(engine, inputs)
    seen: list[Event] = []
    engine.run(request, permit_for(request), inputs, seen.append, CancelToken())
    steps = [event for event in seen if isinstance(event, Progress)]
    assert steps == seen
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total


@each_engine
def test_an_engine_describes_itself(engine_of: EngineOf, engine_id: str) -> None:
    """Id, version, function and options with unique names, defaults within their bounds and one sentence each."""
    engine = engine_of(engine_id)
    assert engine.id == engine_id and engine.version and engine.function
    names = [option.name for option in engine.options]
    assert len(names) == len(set(names))
    for option in engine.options:
        assert option.sentence.endswith(".")
        assert option.minimum is None or option.default >= option.minimum
        assert option.maximum is None or option.default <= option.maximum
