"""Picture packs through the program: previews that were looked at and labelled, rows, single files, cutting out."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compliance.errors import ContentBlocked, PackMissing
from compliance.labels import explicit
from compliance.media import MediaInfo, SyntheticMedia
from engines.job import Cancelled, Event, Finished, Progress
from engines.packs import LicenceClass
from studio import pipe
from studio.commands.picture import together
from studio.looking import Looking
from studio.packs import add_pack
from studio.pictures import usual_pack
from studio.worker import Worker
from studio.workshop import Workshop
from tests.engines import tiny_networks
from tests.engines.tiny_diffusion import make_pipeline
from tests.engines.tiny_single_file import make_single_file
from tests.studio import command_line
from tests.studio.command_line import Signet
from tests.studio.conftest import HOPPER
from tests.studio.test_review import _permit, body

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template

LIMIT_S = 60.0
ABOUT: dict[str, Any] = {"licence": "Apache-2.0", "licence_class": LicenceClass.OPEN}


def sealed(pixels: np.ndarray) -> SyntheticMedia:
    """What an engine hands out while it works."""
    height, width = pixels.shape[:2]
    return SyntheticMedia(pixels, MediaInfo("picture", width, height, "sRGB", "trainedAlgorithmicMedia", "x", "1"))


# --- previews --------------------------------------------------------------------------------------------------------


@pytest.fixture
def worker() -> Iterator[tuple[Worker, socket.socket]]:
    """A worker in this process, and the other end of its socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(LIMIT_S)
        yield Worker(theirs), ours


def sent(end: socket.socket, worker: Worker) -> list[pipe.Message]:
    """What came over the socket until now."""
    worker._send({"op": "end"})
    found = []
    while (message := pipe.receive(end)).body["op"] != "end":
        found.append(message)
    return found


def test_a_preview_that_nobody_looked_at_does_not_leave(worker: tuple[Worker, socket.socket]) -> None:
    """Without the looks of its job nothing is sent, nor when anything is found: a hit, a stop."""
    one, end = worker
    plain = sealed(np.full((200, 150, 3), 90, np.uint8))
    one._show("job", plain, sample=False)
    looking = one._looking["job"] = Looking(_permit())
    one._show("job", sealed(body()), sample=False)
    assert looking.hits == [] and looking.untold() == []

    def stop(*_: object) -> None:
        raise ContentBlocked(rule="r", category="c", place="result", start=0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Looking, "look", stop)
        one._show("job", plain, sample=False)
    assert sent(end, one) == []


@pytest.mark.parametrize("sample", [False, True])
def test_a_preview_carries_the_label(worker: tuple[Worker, socket.socket], sample: bool) -> None:
    """It leaves as a PNG with the label burnt in, that of samples in a demo home."""
    one, end = worker
    one._looking["job"] = Looking(_permit())
    one._show("job", sealed(np.full((300, 384, 3), 90, np.uint8)), sample=sample)
    (message,) = sent(end, one)
    assert message.body == {"op": "glimpse", "job": "job"}
    pixels = np.asarray(Image.open(io.BytesIO(message.blob)).convert("RGB"))
    explicit.require(explicit.measure(pixels), sample=sample)


def test_sealed_media_cannot_travel_in_an_event() -> None:
    """Whoever forgets to take the preview out of an event sends nothing at all."""
    from dataclasses import asdict

    with pytest.raises(TypeError):
        asdict(Progress(1, 2, "making the picture", sealed(np.zeros((100, 100, 3), np.uint8))))


# --- packs on the command line ---------------------------------------------------------------------------------------


def landscape(path: Path) -> Path:
    """A smooth picture with a red disc and nobody in it."""
    y, x = np.mgrid[0:200, 0:280]
    pixels = np.dstack([x // 3, 150 + y // 4, (x + y) // 4]).astype(np.uint8)
    pixels[(x - 140) ** 2 + (y - 100) ** 2 < 60**2] = (235, 30, 30)
    Image.fromarray(pixels).save(path)
    return path


def test_bad_packs_have_their_codes(signet: Signet, signet_home: Path, tmp_path: Path) -> None:
    """Pickles, parts of models, unknown lenders, missing packs, faces without consent, transparent backgrounds."""
    pickled = tmp_path / "model.ckpt"
    pickled.write_bytes(b"\x80\x02}q\x00.")
    words = ["--id", "xx", "--licence", "x", "--licence-class", "open"]
    answer = signet("pack", "add", pickled, *words)
    assert answer.code == 8 and "model.ckpt does not belong into a model pack" in answer.err
    cutter = tiny_networks.make_cutter(tmp_path / "cutter.onnx")
    assert signet("pack", "add", cutter, *words, "--like", "nothing").code == 8
    assert signet("pack", "add", cutter, *words, "--id", "cut", "--kind", "picture.cutout").code == 0
    scene, out = landscape(tmp_path / "scene.png"), tmp_path / "out.png"
    base = ["picture", "cutout", "--out", out]
    assert signet(*base, "--picture", scene, "--pack", "no").code == 8
    assert signet(*base, "--picture", HOPPER, "--pack", "cut").code == 5
    refused = signet(*base, "--picture", scene, "--pack", "cut", "--background", "transparent")
    assert refused.code == 2 and "background cannot be transparent" in refused.err
    assert signet("picture", "enhance", "--picture", scene, "--pack", "cut", "--out", out).code == 8
    assert not out.exists()


def test_cut_out_and_enlarged_pictures_are_released(signet: Signet, signet_home: Path, tmp_path: Path) -> None:
    """Both go through pack, gate, worker and release, say that a model made them, and verify."""
    for name, kind, source in (
        ("cut", "picture.cutout", tiny_networks.make_cutter(tmp_path / "cutter.onnx")),
        ("up", "picture.upscaler", tiny_networks.make_upscaler(tmp_path / "up.onnx")),
    ):
        add_pack(signet_home, source, pack_id=name, kind=kind, **ABOUT)
    scene = landscape(tmp_path / "scene.png")
    words = ["--picture", scene, "--json", "--out"]
    assert signet("picture", "cutout", "--pack", "cut", "--background", "blue", *words, tmp_path / "a.png").code == 0
    assert signet("picture", "enhance", "--pack", "up", *words, tmp_path / "b.png").code == 0
    with Image.open(tmp_path / "b.png") as large:
        assert large.size == (560, 400)
    with Image.open(tmp_path / "a.png") as cut:
        assert cut.mode == "RGB"
        assert np.abs(np.asarray(cut, int)[100, 8] - (0, 71, 187)).max() < 12
    checked = signet("verify", tmp_path / "a.png", tmp_path / "b.png", "--json")
    assert [line["verdict"] for line in checked.lines] == ["sealed"] * 2
    assert checked.out.count("compositeWithTrainedAlgorithmicMedia") >= 2


def test_rows_of_pictures() -> None:
    """Five pictures, two at a time: the last one is alone."""
    assert [together(index, 5, 2) for index in range(5)] == [
        {"batch": 2, "place": 0},
        {"batch": 2, "place": 1},
        {"batch": 2, "place": 0},
        {"batch": 2, "place": 1},
        {"batch": 1, "place": 0},
    ]
    assert together(3, 5, 1) == {}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_single_file_model_shows_how_far_it_is(workshop: Workshop, tmp_path: Path) -> None:
    """Added like another pack; labelled previews come while it runs; a stopped job leaves none; it is released."""
    tiny = make_pipeline(tmp_path / "source")
    add_pack(workshop.home, tiny, pack_id="tiny", **ABOUT)
    single = make_single_file(tiny, tmp_path / "model.safetensors")
    add_pack(workshop.home, single, pack_id="one", like="tiny", **ABOUT)
    assert usual_pack(workshop.home) == "one"
    with pytest.raises(PackMissing):
        workshop.plan_picture("picture.diffusers", {"prompt": "a house", "pack": "two"})
    options = {"pack": "one", "prompt": "a low house", "width": 256, "height": 200, "steps": 4, "device": "cpu"}
    plan = workshop.plan_picture("picture.diffusers", {**options, "preview_every": 1}, seed=3)
    seen: list[bytes] = []

    def watch(event: Event) -> None:
        if isinstance(event, Progress):
            assert event.glimpse is None
            seen.append(job[0].glimpse if job else b"")

    job: list[Any] = []
    job.append(workshop.start(plan, watch))
    assert isinstance(job[0].wait(LIMIT_S), Finished)
    shown = [png for png in dict.fromkeys(seen) if png]
    assert shown and job[0].glimpse == b""
    for png in shown:
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        explicit.require(explicit.measure(pixels), sample=False)
    workshop.release(job[0], tmp_path / "a.png")
    assert workshop.verify([tmp_path / "a.png"])[0].verdict == "sealed"
    # Stopped at the first preview, it leaves nothing to look at.
    stopped: list[Any] = []

    def stop(event: Event) -> None:
        if stopped and stopped[0].glimpse:
            stopped[0].cancel()

    long = replace(plan, request=replace(plan.request, options={**plan.request.options, "steps": 150}))
    stopped.append(workshop.start(long, stop))
    assert isinstance(stopped[0].wait(LIMIT_S), Cancelled)
    assert stopped[0].glimpse == b"" and stopped[0].info is None
