"""picture.diffusers on a tiny pipeline of random weights: refusals, same bytes, cancel, every kind of input."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compliance.errors import (
    DeviceUnavailable,
    ExitCode,
    ModelUnfit,
    NotAPicture,
    OptionUnfit,
    PackDamaged,
    PackMissing,
    PackUnfit,
    SignetError,
)
from compliance.media import SyntheticMedia, unseal
from compliance.permit import Permit
from engines import packs
from engines.engine import Engine, Input, Request
from engines.job import CancelToken, Event, JobCancelled, Progress

# diffusers' schedulers still hand torch tensors to np.array the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

PERMIT = Permit("per", "picture.generate", "picture.diffusers", "", "acc", (), "private", 0, "", "")
WORDS = {"pack": "tiny", "prompt": "a low house", "width": 96, "height": 96, "steps": 3, "device": "cpu"}


@pytest.fixture
def engine(engine_of: Callable[[str], Engine]) -> Any:
    """The engine, with the packs of diffusion_home."""
    return engine_of("picture.diffusers")


def picture(shade: int, mode: str = "RGB") -> bytes:
    """A plain PNG."""
    stream = io.BytesIO()
    Image.new(mode, (120, 80), shade if mode == "L" else (shade, 90, 200 - shade // 2)).save(stream, "PNG")
    return stream.getvalue()


def make(
    engine: Any, inputs: dict[str, bytes] | None = None, events: Any = None, cancel: Any = None, **options: object
):
    """One run."""
    given = inputs or {}
    items = tuple(Input(role, "none", "", role) for role in given)  # type: ignore[arg-type]  # roles by name
    request = Request("picture.generate", "picture.diffusers", items, {**WORDS, **options}, seed=11)
    result: SyntheticMedia = engine.run(request, PERMIT, given, events or (lambda _e: None), cancel or CancelToken())
    return unseal(result)


REFUSED: list[tuple[dict[str, object], type[SignetError]]] = [
    ({"pack": ""}, PackMissing),
    ({"pack": "../keys"}, PackMissing),
    ({"pack": "nothing"}, PackMissing),
    ({"pack": "other"}, PackUnfit),
    ({"pack": "crossed"}, ModelUnfit),
    ({"lora": "other"}, PackUnfit),
    ({"width": 100}, OptionUnfit),
    ({"width": 100000}, OptionUnfit),
    ({"steps": 0}, OptionUnfit),
    ({"steps": "many"}, OptionUnfit),
    ({"guidance": float("nan")}, OptionUnfit),
    ({"prompt": 7}, OptionUnfit),
    ({"prompt": "x" * 100_000}, OptionUnfit),
    ({"scheduler": "unknown"}, OptionUnfit),
    ({"unlabelled": True}, OptionUnfit),
    ({"device": "cuda"}, DeviceUnavailable),
    ({"device": "quantum"}, OptionUnfit),
]


@pytest.mark.parametrize(
    ("options", "error"), REFUSED, ids=[f"{k}={str(v)[:12]}" for o, _ in REFUSED for k, v in o.items()]
)
def test_bad_requests_are_refused(engine: Any, options: dict[str, object], error: type[SignetError]) -> None:
    """Missing and unfit packs, values out of range, unknown options and absent devices each have their error."""
    if options.get("device") == "cuda":
        import torch

        if torch.cuda.is_available():
            options = {"device": "mps"}
    with pytest.raises(error) as refusal:
        make(engine, **options)
    assert refusal.value.code in (ExitCode.MODEL, ExitCode.USAGE, ExitCode.DEVICE)


def test_a_changed_weight_is_not_loaded(engine: Any) -> None:
    """A pack that was touched after it was added is refused before torch reads it."""
    whole = packs.pack_named("tiny")
    touched = whole.folder.with_name("touched")
    shutil.copytree(whole.folder, touched)
    manifest = touched / "pack.json"
    manifest.write_text(manifest.read_text().replace('"id": "tiny"', '"id": "touched"'))
    weights = touched / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(PackDamaged) as refusal:
        make(engine, pack="touched")
    assert refusal.value.data["reason"] == "changed"


def test_broken_inputs_are_refused(engine: Any) -> None:
    """A picture that is none, and a mask without a picture."""
    with pytest.raises(NotAPicture):
        make(engine, {"target": b"no picture"})
    with pytest.raises(NotAPicture):
        make(engine, {"mask": picture(255, "L")})


def test_cancel_works_at_any_step(engine: Any) -> None:
    """A cancel that arrives during a step ends the run at its end, and the next run is whole."""
    token = CancelToken()
    reached: list[int] = []

    def stop(event: Event) -> None:
        assert isinstance(event, Progress)
        reached.append(event.done)
        if event.done == 2:
            token.cancel()

    with pytest.raises(JobCancelled):
        make(engine, events=stop, cancel=token, steps=50)
    assert reached[-1] == 2
    assert make(engine).shape == (96, 96, 3)


def test_same_request_same_bytes(engine: Any) -> None:
    """Twice the same, also after another scheduler was used in between; another seed or word changes the picture."""
    first = make(engine)
    other = make(engine, scheduler="euler")
    assert np.array_equal(first, make(engine))
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, make(engine, prompt="low"))


@pytest.mark.parametrize("scheduler", ["ddim", "euler ancestral", "dpm++ 2m", "unipc", "heun", "lcm"])
def test_every_scheduler_runs(engine: Any, scheduler: str) -> None:
    """Each offered scheduler fits the model."""
    assert make(engine, scheduler=scheduler, steps=2).shape == (96, 96, 3)


def test_pictures_and_masks(engine: Any) -> None:
    """Picture to picture takes the size that is asked for; painting into a mask leaves the rest of the picture."""
    whole = make(engine, {"target": picture(40)}, strength=0.9)
    painted = make(engine, {"target": picture(40), "mask": picture(255, "L")}, strength=0.9)
    assert whole.shape == painted.shape == (96, 96, 3)
    assert not np.array_equal(whole, make(engine))


def test_progress_counts_to_the_end(engine: Any) -> None:
    """Loading is one step, each denoising step another."""
    seen: list[Event] = []
    make(engine, events=seen.append)
    assert [event.done for event in seen if isinstance(event, Progress)] == [0, 1, 2, 3, 4, 4]
