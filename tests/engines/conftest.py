"""Pictures, a loaded engine and permits for the tests of engines."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import resources
from compliance.media import Pixels
from compliance.permit import Permit, Role
from engines import packs
from engines._cv import cv2
from engines.engine import Engine, Input, Request, load_engine
from engines.source import decode
from engines.voice.speech import Talk, talk_through
from studio.packs import add_pack
from studio.speech import SpeechProcess
from tests.engines import films
from tests.engines.tiny_converters import make_converter
from tests.engines.tiny_diffusion import make_pipeline
from tests.engines.tiny_networks import make_cutter
from tests.engines.tiny_voices import make_piper, make_vits
from tests.engines.voices import HIGH, LOW, speech, wav

SAMPLES = Path(str(resources.__file__)).parent / "samples"


# What an engine cannot run without, at its smallest.
NEEDED_OPTIONS: dict[str, dict[str, Any]] = {
    "picture.diffusers": {
        "pack": "tiny",
        "prompt": "a low house",
        "width": 96,
        "height": 96,
        "steps": 2,
        "device": "cpu",
    },
    "foreign.document": {"made_with": "Some Tool", "format": "txt"},
    "foreign.picture": {"made_with": "Some Tool"},
    "foreign.sound": {"made_with": "Some Tool"},
    "foreign.video": {"made_with": "Some Tool"},
    "picture.sketch": {"prompt": "a boat on a lake", "width": 96, "height": 96},
    "picture.enhance": {"scale": 2, "fade": 0.5},
    "picture.cutout": {"pack": "cutter"},
    "voice.stock": {"text": "Low tide. 退潮。"},
    "voice.onnx": {"pack": "piper", "text": "Hello world."},
    "voice.converter": {"pack": "converter"},
    "voice.coqui": {"pack": "vits", "text": "Hello world.", "device": "cpu"},
}


def png(pixels: Pixels | Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def request_for(engine: Engine, roles: tuple[Role, ...] = (), faces: int = 0, seed: int = 0, **options: Any) -> Request:
    """A request without files: engines are handed bytes, and digests are the gate's concern."""
    inputs = tuple(Input(role, "face", "0" * 64, f"{role}.png") for role in roles)
    return Request(
        engine.function,
        engine.id,
        inputs,
        {**NEEDED_OPTIONS.get(engine.id, {}), **options},
        faces_edited=faces,
        seed=seed,
    )


def permit_for(request: Request) -> Permit:
    """A permit as the gate would give it, without its signature, which the worker checks and not the engine."""
    return Permit(
        permit_id="permit",
        function=request.function,
        engine=request.engine,
        request_sha256=request.digest(),
        account="account",
        consents=request.consents,
        purpose=request.purpose,
        faces_edited=request.faces_edited,
        issued_at="2026-01-01T00:00:00+00:00",
        expires_at="2026-01-01T01:00:00+00:00",
    )


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """OpenCV on one thread, as in the worker."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="session", autouse=True)
def _speech() -> Iterator[None]:
    """The speech process, started when a voice first speaks."""
    started: list[SpeechProcess] = []

    def begin() -> Talk:
        if not started:
            started.append(SpeechProcess())
        return started[0].begin()

    talk_through(begin)
    yield
    talk_through(None)
    for process in started:
        process.close()


@pytest.fixture(scope="session")
def diffusion_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three packs: a whole one, one of another kind, and one whose UNet is of the wrong class."""
    folder = tmp_path_factory.mktemp("diffusion")
    home = folder / "home"
    source = make_pipeline(folder / "source")
    words: dict[str, Any] = {"licence": "Apache-2.0", "licence_class": packs.LicenceClass.OPEN}
    add_pack(home, source, pack_id="tiny", **words)
    add_pack(home, source, pack_id="other", kind="voice.vits", **words)
    shutil.copy(source / "vae" / "config.json", source / "unet" / "config.json")
    add_pack(home, source, pack_id="crossed", **words)
    add_pack(home, make_cutter(folder / "cutter.onnx"), pack_id="cutter", kind="picture.cutout", **words)
    add_pack(home, make_vits(folder / "vits"), pack_id="vits", **words)
    add_pack(home, make_piper(folder / "piper", letters=True), pack_id="piper", **words)
    add_pack(home, make_converter(folder / "converter"), pack_id="converter", **words)
    return home


@pytest.fixture(scope="session")
def engine_of(diffusion_home: Path) -> Callable[[str], Engine]:
    """Engines by id, each loaded once for the whole run."""
    packs.keep_packs_in(diffusion_home / "packs")
    loaded: dict[str, Engine] = {}

    def of(engine_id: str) -> Engine:
        if engine_id not in loaded:
            loaded[engine_id] = load_engine(engine_id)
        return loaded[engine_id]

    return of


@pytest.fixture(scope="session")
def hopper() -> bytes:
    """The portrait of Grace Hopper, 512 x 600."""
    return (SAMPLES / "grace_hopper.jpg").read_bytes()


@pytest.fixture(scope="session")
def collins() -> bytes:
    """The portrait of Eileen Collins, 512 x 512."""
    return (SAMPLES / "eileen_collins.png").read_bytes()


@pytest.fixture(scope="session")
def couple(hopper: bytes, collins: bytes) -> bytes:
    """Both portraits side by side: Hopper on the left, Collins on the right; 1024 x 600."""
    both = np.zeros((600, 1024, 3), np.uint8)
    both[:, :512] = decode("hopper", hopper)
    both[:512, 512:] = decode("collins", collins)
    return png(both)


@pytest.fixture(scope="session")
def faceless() -> bytes:
    """A smooth picture without anyone in it."""
    y, x = np.mgrid[0:240, 0:320]
    return png(np.dstack([x % 256, y, (x + y) // 3]).astype(np.uint8))


@pytest.fixture(scope="session")
def tiny_face(hopper: bytes) -> bytes:
    """Hopper so small that her eyes are less than 24 px apart."""
    return png(Image.fromarray(decode("hopper", hopper)).resize((90, 105), Image.Resampling.LANCZOS))


@pytest.fixture(scope="session")
def low_voice() -> bytes:
    """Two seconds of a made deep voice."""
    return wav(speech(LOW, 2.0))


@pytest.fixture(scope="session")
def high_voice() -> bytes:
    """Two seconds of a made high voice."""
    return wav(speech(HIGH, 2.0, seed=5))


@pytest.fixture(scope="session")
def inputs_of(
    hopper: bytes, collins: bytes, faceless: bytes, low_voice: bytes, high_voice: bytes
) -> Mapping[str, Mapping[Role, bytes]]:
    """Good inputs for every engine id."""
    return {
        "face.mesh": {"source": collins, "target": hopper},
        "fake.noise": {},
        "fake.tone": {},
        "foreign.document": {"target": b"A harbour at dusk."},
        "foreign.picture": {"target": hopper},
        "foreign.sound": {"target": low_voice},
        "foreign.video": {"target": films.encoded(6)},
        "picture.cutout": {"target": faceless},
        "picture.diffusers": {},
        "picture.enhance": {"target": faceless},
        "picture.restore": {"target": faceless},
        "picture.sketch": {},
        "voice.stock": {},
        "voice.attribute": {"target": low_voice},
        "voice.coqui": {},
        "voice.onnx": {},
        "voice.converter": {"source": high_voice, "target": low_voice},
        "voice.lean": {"source": high_voice, "target": low_voice},
    }
