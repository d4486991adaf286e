"""The recipe of the starter model at its smallest: the gate refuses, a kill changes nothing, the export loads."""

from __future__ import annotations

import dataclasses
import math
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from compliance.errors import PackDamaged
from engines.packs import LicenceClass
from engines.picture.scene.parser import parse
from engines.picture.scene.words import is_glue
from starter import __main__ as command
from starter import captions, checkpoints, data, export, gate, plan, stages, train
from starter.gate import Verdict
from starter.plan import BUDGETS, LARGEST_FILE_BYTES, Plan
from starter.stages import Clock, OutOfTime, Run, Stage
from studio.packs import add_pack, find_pack

# diffusers' schedulers still hand torch tensors to np.array the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SPECK = Plan(
    name="speck",
    side_px=32,
    pictures=24,
    held_out=8,
    autoencoder_widths=(8, 8, 8, 8),
    autoencoder_layers=1,
    autoencoder_steps=4,
    autoencoder_batch=2,
    crop_px=16,
    unet_widths=(8, 16),
    unet_layers=1,
    text_width=16,
    text_layers=1,
    diffusion_steps=4,
    diffusion_batch=4,
    judge_steps=3,
    judge_batch=4,
    samples=8,
    sample_steps=2,
    average=0.9,
)
NEVER_S = 1e9
GOOD = Verdict(
    digest="",
    fidelity_db=30.0,
    straight_codec_db=26.0,
    read=dict.fromkeys(captions.ATTRIBUTES, 0.95),
    right=dict.fromkeys(captions.ATTRIBUTES, 0.8),
    by_chance=dict.fromkeys(captions.ATTRIBUTES, 0.2),
    samples=8,
)
ALL = captions.ATTRIBUTES


class Killed(BaseException):
    """Ends a training where it stands, as a kill does: nobody catches it."""


class Stops(Clock):
    """A clock that is over from a number of looks on."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    def is_over(self) -> bool:
        self.left -= 1
        return self.left < 0


def build(out: Path, resume: bool = False, clock: Clock | None = None) -> Path:
    """One run of the whole recipe in this process."""
    return train.build(SPECK, out, resume=resume, workers=1, clock=clock or Clock(), tell=lambda _line: None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole run, which the gate has refused."""
    out = tmp_path_factory.mktemp("starter") / "out"
    with warnings.catch_warnings(), pytest.raises(export.NotExported, match="dB"):
        # The filter above does not reach fixtures.
        warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")
        build(out)
    return out


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fidelity_db": 27.9}, "28 are needed"),
        ({"fidelity_db": math.nan}, "28 are needed"),
        ({"straight_codec_db": 30.0}, "straight-line codec"),
        ({"straight_codec_db": math.nan}, "straight-line codec"),
        ({"right": dict.fromkeys(ALL, 0.69)}, "70% are needed"),
        ({"right": dict.fromkeys(ALL, math.nan)}, "70% are needed"),
        ({"right": {}}, "70% are needed"),
        ({"by_chance": dict.fromkeys(ALL, 0.61)}, "too near"),
        ({"read": dict.fromkeys(ALL, 0.84)}, "too few attributes"),
        ({"read": dict.fromkeys(ALL, math.nan)}, "too few attributes"),
        ({"read": {**GOOD.read, "kind": 0.5}}, "too few attributes"),
        ({"read": dict.fromkeys([*ALL][:5], 0.95)}, "too few attributes"),
    ],
)
def test_the_gate_refuses(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """One figure too low, or no figure, is enough; nothing gets the name then."""
    candidate = tmp_path / "candidate"
    candidate.mkdir()
    verdict = dataclasses.replace(GOOD, digest=gate.digest_of(candidate), **change)
    assert reason in "; ".join(verdict.failures())
    with pytest.raises(export.NotExported, match="does not let it pass"):
        export.export(candidate, verdict, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["candidate"]


def test_a_verdict_is_of_one_candidate(tmp_path: Path) -> None:
    """A good verdict does not let other files pass."""
    candidate = tmp_path / "candidate"
    candidate.mkdir()
    (candidate / "model.safetensors").write_bytes(b"one")
    verdict = dataclasses.replace(GOOD, digest=gate.digest_of(candidate))
    (candidate / "model.safetensors").write_bytes(b"two")
    with pytest.raises(export.NotExported, match="other files"):
        export.export(candidate, verdict, tmp_path)
    assert not (tmp_path / export.NAME).exists()


@pytest.mark.parametrize("sizes", [[LARGEST_FILE_BYTES + 1], [LARGEST_FILE_BYTES] * 4])
def test_a_model_that_is_too_large_is_refused(sizes: list[int], tmp_path: Path) -> None:
    """A file beyond 12 MB, and a model beyond 40 MB of files that are small enough each."""
    for number, size in enumerate(sizes):
        with (tmp_path / f"{number}.safetensors").open("wb") as stream:
            stream.truncate(size)
    with pytest.raises(export.NotExported, match="bytes"):
        export.check_sizes(tmp_path)


def test_the_model_of_a_few_steps_does_not_pass(trained: Path) -> None:
    """A whole run ends at the gate: figures and a sheet are there, a starter model is not."""
    assert not (trained / export.NAME).exists()
    assert (trained / gate.VERDICT).is_file()
    assert (trained / "samples.png").read_bytes()[:4] == b"\x89PNG"


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    """Neither another's files nor a training of other sizes is gone on with."""
    (tmp_path / "letter.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(train.WrongFolder):
            build(tmp_path, resume)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_command_ends_with_its_code(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused by the gate, wrong use, out of time: each has a code of its own."""
    monkeypatch.setitem(BUDGETS, "toy", SPECK)
    words = ["--out", str(trained), "--budget", "toy", "--workers", "1"]
    assert command.main([*words, "--resume"]) == command.REFUSED
    assert command.main(words) == command.WRONG_USE
    assert command.main([*words, "--resume", "--minutes", "0"]) == command.NOT_DONE
    assert "Traceback" not in "".join(capsys.readouterr())


def test_the_command_starts_from_its_folder() -> None:
    """It is run as a folder, since `packaging` is the name of a library."""
    found = subprocess.run(
        [sys.executable, Path(plan.__file__).parent, "--help"], capture_output=True, text=True, check=True
    )
    assert "--resume" in found.stdout


# --- going on after a kill -------------------------------------------------------------------------------------------


def small_stage(killed_at: int | None = None) -> Stage:
    """A training of a few numbers that can be killed within a step."""
    torch.manual_seed(0)
    asked = [0]

    def loss(modules: nn.ModuleDict, chance: torch.Generator) -> Tensor:
        asked[0] += 1
        if asked[0] == killed_at:
            raise Killed
        given = torch.randn((4, 6), generator=chance)
        return (modules["line"](given) - given.flip(1)).square().mean()

    return Stage("line", nn.ModuleDict({"line": nn.Linear(6, 6)}), loss, 9, 0.01, 0.9, seed=5)


def run_in(folder: Path, every_s: float = NEVER_S) -> Run:
    """Where a small training runs."""
    return Run(folder, torch.device("cpu"), Clock(), every_s, lambda _line: None)


def last_state(folder: Path) -> tuple[int, dict[str, bytes]]:
    """Everything of the newest checkpoint, bit by bit."""
    found = checkpoints.newest(folder / "line")
    assert found is not None
    return found[0], {name: tensor.numpy().tobytes() for name, tensor in found[1].items()}


@pytest.mark.parametrize("killed_at", [1, 5, 9])
@pytest.mark.parametrize("kept", [1, 3])
def test_a_kill_between_two_steps_changes_nothing(
    killed_at: int, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, averages and optimizer are the same bytes, also where the last checkpoint is some steps old."""
    stages.train(small_stage(), run_in(tmp_path / "whole"))
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save", lambda *given, save=checkpoints.save: given[1] % kept == 0 and save(*given))
        with pytest.raises(Killed):
            stages.train(small_stage(killed_at), run_in(tmp_path / "killed", every_s=0))
    stages.train(small_stage(), run_in(tmp_path / "killed"))
    assert last_state(tmp_path / "killed") == last_state(tmp_path / "whole")
    assert last_state(tmp_path / "whole")[0] == 9


def test_a_kill_within_a_checkpoint_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-written checkpoint is never read, and the next one clears it away."""
    stages.train(small_stage(), run_in(tmp_path / "whole"))
    replace = checkpoints.os.replace  # type: ignore[attr-defined]  # the module's own os
    calls = [0]

    def die(source: Path, target: Path) -> None:
        calls[0] += 1
        if calls[0] == 4:
            raise Killed
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.os, "replace", die)  # type: ignore[attr-defined]  # the module's own os
        with pytest.raises(Killed):
            stages.train(small_stage(), run_in(tmp_path / "killed", every_s=0))
    assert last_state(tmp_path / "killed")[0] == 3
    stages.train(small_stage(), run_in(tmp_path / "killed"))
    assert last_state(tmp_path / "killed") == last_state(tmp_path / "whole")
    assert [path.name for path in (tmp_path / "killed" / "line").iterdir()] == ["step-0000009"]


def test_a_recipe_stopped_again_and_again_makes_the_same_model(trained: Path, tmp_path: Path) -> None:
    """Stopped after every few looks at the clock, the candidate's files are those of one uninterrupted run."""
    stops = 0
    while True:
        try:
            build(tmp_path, resume=stops > 0, clock=Stops(3))
        except OutOfTime:
            stops += 1
        except export.NotExported:
            break
        assert stops < 20
    assert stops > 2
    assert gate.digest_of(tmp_path / "candidate") == gate.digest_of(trained / "candidate")


def test_checkpoints_come_in_files_that_can_be_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than one file allows goes into several."""
    monkeypatch.setattr(checkpoints, "LARGEST_FILE_BYTES", 1_000_900)
    tensors = {str(number): torch.full((100,), float(number)) for number in range(7)}
    written = checkpoints.save(tmp_path, 3, tensors)
    assert len(list(written.glob("*.safetensors"))) == 4
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert all(torch.equal(found[1][name], tensor) for name, tensor in tensors.items())


# --- what is made ----------------------------------------------------------------------------------------------------


def test_captions_say_what_the_painter_hears() -> None:
    """Every word is one of the painter's; what a caption answers is among the answers the gate knows."""
    known = {*captions.all_words(), "hair", "still", "life"}
    for seed in range(300):
        found = captions.scene(seed)
        assert found == captions.scene(seed)
        assert parse(found.caption).ignored == ()
        words = set(re.findall("[a-z]+", found.caption))
        strange = {w for w in words if not is_glue(w) and not {w, w.removesuffix("s"), w.removesuffix("es")} & known}
        assert strange <= {"with"}
        assert all(answer in ALL[name] for name, answer in found.labels.items())


@pytest.mark.parametrize(
    ("caption", "labels", "meant"),
    [
        ("a dragon over hills", {"kind": "landscape"}, {"land:hills"}),
        ("a boat, hills", {"kind": "landscape"}, {"land:hills", "land:desert"}),
        ("a boat", {"kind": "portrait"}, {"thing:boat"}),
        ("a red planet, space", {"kind": "space", "planet": "blue"}, {"cosmos:planet"}),
    ],
)
def test_a_caption_that_is_heard_otherwise_is_drawn_again(
    caption: str, labels: dict[str, str], meant: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown word, a thing not heard, another kind of picture, another colour."""
    bad, good = (captions.Scene(caption, labels), meant), captions._draw(np.random.default_rng(4))
    given = iter([bad, bad, good])
    monkeypatch.setattr(captions, "_draw", lambda _rng: next(given))
    assert captions.scene(1) == good[0]


def test_every_answer_is_drawn() -> None:
    """No answer of the gate's questions is missing among the captions."""
    drawn = {item for seed in range(1500) for item in captions.scene(seed).labels.items()}
    assert drawn == {(name, value) for name, values in ALL.items() for value in values}


def test_pictures_are_painted_again_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost file of pictures comes back byte by byte, from worker processes as well as from this one."""
    monkeypatch.setattr(data, "per_file", lambda _plan: 3)
    small = dataclasses.replace(SPECK, pictures=6, held_out=2)
    data.paint_all(tmp_path, small, workers=1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name in ("pictures-0000.npy", "pictures-0002.npy", "scenes-0002.json"):
        (tmp_path / name).unlink()
    data.paint_all(tmp_path, small, workers=2)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_candidate_loads_and_is_taken_as_a_pack(trained: Path, tmp_path: Path) -> None:
    """A candidate that had passed loads as anybody loads a pipeline, paints, and goes into a home."""
    candidate = trained / "candidate"
    verdict = dataclasses.replace(GOOD, digest=gate.digest_of(candidate))
    made = export.export(candidate, verdict, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [export.NAME]
    pipeline = gate.load(made, torch.device("cpu"))
    scenes = [captions.scene(number) for number in (1, 2)]
    samples = gate.ask(pipeline, SPECK, scenes)
    assert samples.shape == (2, 32, 32, 3)
    assert np.array_equal(samples, gate.ask(pipeline, SPECK, scenes))
    words = [word for word in captions.all_words() if word != "t-shirt"]
    # Its start, one token, its end.
    assert {len(ids) for ids in pipeline.tokenizer(words).input_ids} == {3}
    home = tmp_path / "home"
    pack = add_pack(home, made, pack_id="starter", licence="Apache-2.0", licence_class=LicenceClass.OPEN)
    assert pack.kind == "picture.diffusers"
    find_pack(home, "starter").verify()
    (home / "packs" / "starter" / "vae" / "config.json").write_text("{}")
    with pytest.raises(PackDamaged):
        find_pack(home, "starter").verify()


def test_a_run_as_on_cuda_ends_at_the_gate_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With bfloat16 and channels last, as far as a CPU can show it, every stage runs and the candidate is written."""
    monkeypatch.setattr(Run, "mixed", lambda _run: torch.autocast("cpu", dtype=torch.bfloat16))
    monkeypatch.setattr(Run, "layout", lambda _run: torch.channels_last)
    with pytest.raises(export.NotExported, match="dB"):
        build(tmp_path)
    assert gate.load(tmp_path / "candidate", torch.device("cpu")) is not None


def test_the_schedule_ends_without_a_signal_and_still_counts() -> None:
    """The last step is pure noise; its weight in the loss is not nought."""
    from starter.diffusion import make_scheduler, weights_at

    kept = make_scheduler().alphas_cumprod
    assert float(kept[-1]) == 0
    weights = weights_at(kept)
    assert float(weights[-1]) == 1
    assert bool((weights > 0).all()) and bool((weights <= 1).all())
