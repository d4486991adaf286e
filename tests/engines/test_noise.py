"""The noise engine: what the tests of jobs and workers lean on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from compliance.errors import registry
from compliance.media import unseal
from engines.engine import Engine
from engines.fake import noise
from engines.job import CancelToken, JobCancelled
from tests.engines.conftest import permit_for, request_for


@pytest.fixture
def engine(engine_of: Callable[[str], Engine]) -> Engine:
    """The noise engine."""
    return engine_of("fake.noise")


@pytest.mark.parametrize("name", sorted(registry()))
def test_it_fails_as_told(engine: Engine, name: str) -> None:
    """With any error of the house, its sentences filled."""
    request = request_for(engine, fail=name)
    with pytest.raises(registry()[name]) as failure:
        engine.run(request, permit_for(request), {}, lambda _: None, CancelToken())
    assert failure.value.name == name
    assert failure.value.next_step.format(**failure.value.data)


def test_it_fails_unexpectedly_on_an_unknown_name(engine: Engine) -> None:
    """That is how tests get an exception that nobody expects."""
    request = request_for(engine, fail="NoSuchError")
    with pytest.raises(ValueError, match="NoSuchError"):
        engine.run(request, permit_for(request), {}, lambda _: None, CancelToken())


def test_a_slow_run_ends_when_cancelled(engine: Engine) -> None:
    """Cancel ends the wait within a step, not after it."""
    request = request_for(engine, steps=2, step_ms=60_000)
    cancel, started = CancelToken(), threading.Event()

    def stop() -> None:
        started.wait()
        cancel.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(JobCancelled):
        engine.run(request, permit_for(request), {}, lambda _: started.set(), cancel)
    stopper.join()


def test_a_hanging_run_ignores_cancel(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits on and on after cancel was asked for: only its process can be ended."""

    class Waited(Exception):
        """The engine has waited often enough to be believed."""

    class Never:
        waits = 0

        def wait(self, _: float) -> None:
            Never.waits += 1
            if Never.waits == 5:
                raise Waited

    cancel = CancelToken()
    cancel.cancel()
    monkeypatch.setattr(noise.threading, "Event", Never)
    request = request_for(engine, hang=True)
    with pytest.raises(Waited):
        engine.run(request, permit_for(request), {}, lambda _: None, cancel)


def test_seed_and_size_make_the_picture(engine: Engine) -> None:
    """Another seed, another picture; the noise fills the whole range."""
    pictures = []
    for seed in (1, 2):
        request = request_for(engine, seed=seed, width=40, height=30)
        pictures.append(unseal(engine.run(request, permit_for(request), {}, lambda _: None, CancelToken())))
    assert pictures[0].shape == (30, 40, 3)
    assert (pictures[0] != pictures[1]).any()
    assert np.ptp(pictures[0]) > 240
