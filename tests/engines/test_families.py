"""Families of pipelines and single files: what does not fit, what a family does not know, LoRA, rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.errors import (
    ExitCode,
    ModelUnfit,
    OptionUnfit,
    PackDamaged,
    PackForeign,
    PackMissing,
    PackUnfit,
    SignetError,
)
from compliance.media import SyntheticMedia, unseal
from compliance.permit import Permit
from engines import packs
from engines.engine import Engine, Input, Request, load_engine
from engines.job import CancelToken, Event, JobCancelled, Progress
from engines.picture import denoising, weighting
from studio.packs import add_pack, kind_of
from tests.engines.test_diffusion import PERMIT, WORDS, picture
from tests.engines.tiny_diffusion import make_flow_pipeline, make_lora, make_xl_pipeline
from tests.engines.tiny_single_file import make_single_file, tensors_of

# diffusers' schedulers still hand torch tensors to np.array the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

ABOUT: dict[str, Any] = {"licence": "Apache-2.0", "licence_class": packs.LicenceClass.OPEN}


@pytest.fixture(scope="module")
def home(diffusion_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of diffusion_home, with an XL model, a flow model, a single file and three LoRAs."""
    folder = tmp_path_factory.mktemp("families")
    tiny = diffusion_home / "packs" / "tiny"
    add_pack(diffusion_home, make_xl_pipeline(folder / "xl", tiny), pack_id="xl", **ABOUT)
    add_pack(diffusion_home, make_flow_pipeline(folder / "flow", tiny), pack_id="flow", **ABOUT)
    add_pack(diffusion_home, make_single_file(tiny, folder / "one.safetensors"), pack_id="one", like="tiny", **ABOUT)
    for name, words in {"lora": {}, "lora-wide": {"words": 24}, "lora-else": {"name": "elsewhere.7.attn"}}.items():
        add_pack(diffusion_home, make_lora(folder / f"{name}.safetensors", **words), pack_id=name, **ABOUT)
    add_pack(diffusion_home, make_lora(folder / "lora-none.safetensors", part="prior"), pack_id="lora-none", **ABOUT)
    not_lora = make_single_file(tiny, folder / "no.safetensors")
    add_pack(diffusion_home, not_lora, pack_id="no-lora", kind="picture.lora", **ABOUT)
    return diffusion_home


@pytest.fixture
def engine(engine_of: Callable[[str], Engine], home: Path) -> Any:
    """The engine, with all packs."""
    return engine_of("picture.diffusers")


def make(
    engine: Any,
    inputs: dict[str, bytes] | None = None,
    seed: int = 11,
    events: Any = None,
    cancel: Any = None,
    **options: object,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """One run: pixels and warnings."""
    given = inputs or {}
    items = tuple(Input(role, "none", "", role) for role in given)  # type: ignore[arg-type]  # roles by name
    request = Request("picture.generate", "picture.diffusers", items, {**WORDS, **options}, seed=seed)
    permit: Permit = PERMIT
    media: SyntheticMedia = engine.run(request, permit, given, events or (lambda _e: None), cancel or CancelToken())
    return unseal(media), media.info.warnings


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"lora": "lora-wide"}, "this LoRA is for another base model"),
        ({"lora": "lora-else"}, "this LoRA is for another base model"),
        ({"lora": "lora-none"}, "this LoRA is for another base model"),
        ({"lora": "no-lora"}, "it is no LoRA"),
        ({"pack": "crossed"}, "its unet is of the class AutoencoderKL and not UNet2DConditionModel"),
    ],
    ids=["another width", "other layers", "no part of it", "no LoRA", "wrong class"],
)
def test_what_does_not_fit_is_told(engine: Any, options: dict[str, object], reason: str) -> None:
    """A LoRA for another base, one that is none, a UNet of the wrong class: a sentence and a code."""
    with pytest.raises(ModelUnfit) as refusal:
        make(engine, **options)
    assert refusal.value.data["reason"] == reason and refusal.value.code == ExitCode.MODEL


@pytest.mark.parametrize("how", ["no index", "no pipeline", "own code", "a scheduler", "a part missing", "wants more"])
def test_a_folder_that_is_no_pipeline(engine: Any, home: Path, tmp_path: Path, how: str) -> None:
    """Nothing of it is loaded, whatever its index claims."""
    source = tmp_path / "source"
    shutil.copytree(home / "packs" / "tiny", source)
    index = json.loads((source / "model_index.json").read_text())
    if how == "no index":
        index = ["nothing"]
    elif how == "no pipeline":
        index["_class_name"] = "AutoencoderKL"
    elif how == "a scheduler":
        index = {"_class_name": "DDIMScheduler"}
    elif how == "own code":
        index["unet"] = ["my_code", "MyUNet"]
    elif how == "wants more":
        index["_class_name"] = "StableDiffusionImg2ImgPipeline"
    else:
        shutil.rmtree(source / "vae")
    (source / "model_index.json").write_text(json.dumps(index))
    name = how.replace(" ", "-")
    add_pack(home, source, pack_id=name, kind="picture.diffusers", **ABOUT)
    with pytest.raises(SignetError) as refusal:
        make(engine, pack=name)
    assert refusal.value.code == ExitCode.MODEL


def test_single_files_that_are_no_model(home: Path, tmp_path: Path) -> None:
    """A part of a model, a pickle, a family that is not known, and a pack that lends nothing: nothing is added."""
    tiny = home / "packs" / "tiny"
    part = make_single_file(tiny, tmp_path / "part.safetensors", without="first_stage_model.")
    whole = make_single_file(tiny, tmp_path / "whole.safetensors")
    pickled = tmp_path / "model.ckpt"
    pickled.write_bytes(b"PK\x03\x04 archive/data.pkl")
    refused: list[tuple[Path, dict[str, str], type[SignetError]]] = [
        (part, {"like": "tiny"}, ModelUnfit),
        (part, {"kind": "picture.single-file"}, ModelUnfit),
        (whole, {}, ModelUnfit),
        (whole, {"like": "nothing"}, PackMissing),
        (whole, {"like": "piper"}, PackUnfit),
        (tiny, {"like": "tiny"}, PackUnfit),
        (pickled, {}, PackForeign),
    ]
    for source, words, error in refused:
        with pytest.raises(error) as refusal:
            add_pack(home, source, pack_id="refused", **words, **ABOUT)  # type: ignore[arg-type]  # texts by name
        assert refusal.value.code == ExitCode.MODEL
    assert not (home / "packs" / "refused").exists()
    assert kind_of(part)[0] == "weights" and kind_of(whole)[0] == "picture.single-file"


@pytest.mark.parametrize("how", ["unet missing", "unet shape", "text missing", "folder unet", "folder text"])
def test_weights_that_do_not_fill_the_model(engine: Any, home: Path, tmp_path: Path, how: str) -> None:
    """A tensor that is not there, or of another shape, is no silent hole that chance fills."""
    from safetensors.torch import load_file, save_file

    tiny, name = home / "packs" / "tiny", how.replace(" ", "-")
    if how.startswith("folder"):
        source = tmp_path / "source"
        shutil.copytree(tiny, source)
        places = {"folder unet": "unet/diffusion_pytorch_model", "folder text": "text_encoder/model"}
        path = source / f"{places[how]}.safetensors"
        tensors = load_file(path)
        del tensors[next(key for key in tensors if "norm1.weight" in key)]
        save_file(tensors, path, metadata={"format": "pt"})
        add_pack(home, source, pack_id=name, **ABOUT)
    else:
        tensors = tensors_of(tiny)
        mark = "middle_block.0.in_layers.2.weight" if how.startswith("unet") else "layer_norm1.weight"
        key = next(key for key in tensors if mark in key)
        bent = tensors.pop(key)
        if how == "unet shape":
            tensors[key] = bent[:, :-1]
        path = tmp_path / "bent.safetensors"
        save_file({key: value.contiguous() for key, value in tensors.items()}, path)
        add_pack(home, path, pack_id=name, like="tiny", **ABOUT)
    with pytest.raises((ModelUnfit, PackDamaged)) as refusal:
        make(engine, pack=name)
    assert refusal.value.code == ExitCode.MODEL


@pytest.mark.parametrize(
    "options",
    [{"batch": 2, "place": 2}, {"batch": 9}, {"place": 1}, {"attention": "magic"}, {"prompt": "a (house:9)"}],
    ids=str,
)
def test_options_out_of_range(engine: Any, options: dict[str, object]) -> None:
    """A place outside the row, an unknown way of attention, a weight that would burst the picture."""
    with pytest.raises(OptionUnfit):
        make(engine, **options)


def test_attention_that_is_not_here_is_told(engine: Any) -> None:
    """The processor has no cuDNN: a sentence, and the next picture is whole."""
    with pytest.raises(OptionUnfit):
        make(engine, attention="cudnn")
    assert make(engine, attention="plain")[0].shape == (96, 96, 3)


# --- what works ------------------------------------------------------------------------------------------------------


def test_a_single_file_is_the_folder(engine: Any) -> None:
    """The same weights in one file make the same bytes."""
    assert np.array_equal(make(engine, pack="one")[0], make(engine)[0])


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_known_families_bring_their_settings(tmp_path: Path, family: str) -> None:
    """A file with the names and shapes of a family gets its settings and words, without any other pack."""
    key, shape = {
        "sd15": ("input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", [320, 768]),
        "sdxl": ("input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight", [640, 2048]),
    }[family]
    shapes = {f"model.diffusion_model.{key}": shape, "model.diffusion_model.input_blocks.0.0.weight": [320, 4, 3, 3]}
    path = tmp_path / "model.safetensors"
    header(path, {**shapes, "first_stage_model.x": [1], "cond_stage_model.x": [1], "v_pred": [0]})
    pack = add_pack(tmp_path / "home", path, pack_id=family, **ABOUT)
    assert pack.kind == "picture.single-file"
    schedule = json.loads(pack.path("config/scheduler/scheduler_config.json").read_bytes())
    assert schedule["prediction_type"] == "v_prediction"
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(pack.folder / "config" / "tokenizer")
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    # A model for inpainting has nine channels: it is another one.
    shapes["model.diffusion_model.input_blocks.0.0.weight"] = [320, 9, 3, 3]
    header(path, {**shapes, "first_stage_model.x": [1], "cond_stage_model.x": [1]})
    with pytest.raises(ModelUnfit):
        add_pack(tmp_path / "home", path, pack_id="inpaint", **ABOUT)


def header(path: Path, shapes: dict[str, list[int]]) -> None:
    """A safetensors file of zeros as small as its type allows: bytes instead of floats."""
    told, place = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        told[name] = {"dtype": "U8", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(told).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(place))


def test_an_xl_model(engine: Any) -> None:
    """Text, picture and mask, and words that weigh more, with both text encoders."""
    plain, warnings = make(engine, pack="xl")
    assert plain.shape == (96, 96, 3) and warnings == (denoising.N_RAN_ON.format("cpu", "float32"),)
    weighted, _ = make(engine, pack="xl", prompt="a (low:1.5) house", negative="[low]")
    assert not np.array_equal(plain, weighted)
    inputs = {"target": picture(40), "mask": picture(255, "L")}
    assert make(engine, inputs, pack="xl", strength=0.9)[0].shape == (96, 96, 3)


def test_a_flow_model_tells_what_it_does_not_know(engine: Any) -> None:
    """A transformer that matches flows: its own scheduler, no weights of words, sides of its own step."""
    plain, _ = make(engine, pack="flow")
    made, warnings = make(engine, pack="flow", scheduler="euler", prompt="a (low) house", memory="sliced")
    assert made.shape == plain.shape == (96, 96, 3)
    assert denoising.N_NO_SCHEDULER in warnings and weighting.N_NO_WEIGHTS in warnings
    assert not np.array_equal(plain, make(engine, pack="flow", negative="low")[0])


def test_a_model_without_negative_words_or_guidance() -> None:
    """FLUX takes guidance as a number and no negative words; Qwen-Image compares; others may take neither."""

    class Flux:
        transformer = type("T", (), {"config": type("C", (), {"guidance_embeds": True})})

    class QwenImagePipeline:
        transformer = type("T", (), {"config": type("C", (), {"guidance_embeds": False})})

    settings = {"guidance": 4.0, "negative": "rain"}
    told: list[str] = []
    names = frozenset({"guidance_scale", "negative_prompt", "true_cfg_scale"})
    assert denoising._guidance(Flux(), names, settings, told) == {"guidance_scale": 4.0}
    assert told == [denoising.N_NO_NEGATIVE]
    qwen = denoising._guidance(QwenImagePipeline(), names, settings, told)
    assert qwen == {"true_cfg_scale": 4.0, "negative_prompt": "rain"}
    assert denoising._guidance(Flux(), frozenset(), settings, told) == {}
    assert told[1:] == [denoising.N_NO_GUIDANCE, denoising.N_NO_NEGATIVE]


def test_a_lora_acts_as_strongly_as_it_is_told(engine: Any) -> None:
    """At weight 0 nothing changes, at 1 the picture does; afterwards the model is the old one."""
    plain, _ = make(engine)
    assert np.array_equal(plain, make(engine, lora="lora", lora_weight=0.0)[0])
    assert not np.array_equal(plain, make(engine, lora="lora")[0])
    assert np.array_equal(plain, make(engine)[0])


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a house", [("a house", 1)]),
        ("a (low:1.3) house", [("a ", 1), ("low", 1.3), (" house", 1)]),
        ("((low)) [house]", [("low", 1.21), (" ", 1), ("house", 1 / 1.1)]),
        ("(a (low:0.5) house:2)", [("a ", 2), ("low", 1.0), (" house", 2)]),
        ("a \\(low\\) house", [("a (low) house", 1)]),
        ("a (low] house", [("a (low] house", 1)]),
        ("10:30 a) [b", [("10:30 a) [b", 1)]),
        ("", []),
    ],
)
def test_weights_are_read(prompt: str, pieces: list[tuple[str, float]]) -> None:
    """Brackets nest, numbers count, a bracket without its partner is text."""
    found = weighting.parse(prompt)
    assert [piece.text for piece in found] == [text for text, _ in pieces]
    assert [piece.weight for piece in found] == pytest.approx([weight for _, weight in pieces])


def test_weights_of_words(engine: Any) -> None:
    """A weight of 1 is the plain words, 0 takes them away, more pulls harder; what is cut off is told."""
    plain, _ = make(engine, prompt="a low house")
    assert np.array_equal(plain, make(engine, prompt="a (low:1.0) house")[0])
    pulled = [make(engine, prompt=f"a (low house:{weight}) x")[0].astype(int) for weight in (0.9, 1.0, 2.5)]
    assert np.abs(pulled[0] - pulled[1]).mean() < np.abs(pulled[2] - pulled[1]).mean()
    _, warnings = make(engine, prompt="b " * 100)
    assert weighting.N_CUT.format("b", 75) in warnings


def test_a_row_is_computed_once_and_told_apart(engine: Any) -> None:
    """Three pictures of one row: the first computes all, the others come from it, and each is that of its own seed."""
    alone = [make(engine, seed=seed)[0].astype(int) for seed in (20, 21, 22)]
    seen: list[list[Event]] = [[], [], []]
    row = [
        make(engine, seed=20 + place, events=seen[place].append, batch=3, place=place)[0].astype(int)
        for place in range(3)
    ]
    assert [len(events) for events in seen] == [6, 2, 2]
    # Sums over several pictures at once may be ordered otherwise, so the last bit of a number may differ.
    assert max(np.abs(one - other).max() for one, other in zip(alone, row, strict=True)) <= 1
    afresh = make(load_engine("picture.diffusers"), seed=21, batch=3, place=1)[0]
    assert np.array_equal(afresh, row[1])
    # What was kept is for this request alone: another word makes another picture.
    make(engine, seed=20, batch=3, place=0)
    assert not np.array_equal(make(engine, seed=21, batch=3, place=1, prompt="low")[0], row[1])


def test_a_row_that_does_not_fit_is_made_one_by_one(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without memory for all at once each is made alone, and that is told."""
    real = denoising._call

    def short(worker: Any, accepted: Any, told: Any, seeds: list[int]) -> list[Any]:
        if len(seeds) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(worker, accepted, told, seeds)

    monkeypatch.setattr(denoising, "_call", short)
    made, warnings = make(engine, seed=30, batch=2)
    assert denoising.N_ONE_BY_ONE in warnings
    monkeypatch.undo()
    assert np.array_equal(made, make(engine, seed=30)[0])


def test_less_memory_makes_nearly_the_same_picture(engine: Any) -> None:
    """Slices and tiles change the order of sums, and a little at the borders of tiles."""
    whole = make(engine)[0].astype(int)
    sliced = make(engine, memory="sliced")[0].astype(int)
    other = make(engine, seed=12)[0].astype(int)
    assert 4 * np.abs(whole - sliced).mean() < np.abs(whole - other).mean()
    assert np.corrcoef(whole.ravel(), sliced.ravel())[0, 1] > 0.95


def test_previews_are_sealed_and_change_nothing(engine: Any) -> None:
    """Every second step a small picture, sealed; the result has the same bytes as without, and cancel still works."""
    seen: list[Progress] = []
    shown = make(engine, events=seen.append, steps=6, preview_every=2)[0]
    glimpses = [event.glimpse for event in seen if event.glimpse is not None]
    assert [event.done for event in seen if event.glimpse is not None] == [3, 5]
    assert all(isinstance(glimpse, SyntheticMedia) for glimpse in glimpses)
    assert min(glimpses[0].info.width, glimpses[0].info.height) >= 128  # type: ignore[union-attr]  # checked above
    assert np.array_equal(shown, make(engine, steps=6)[0])
    cancel = CancelToken()

    def stop(event: Progress) -> None:
        if event.glimpse is not None:
            cancel.cancel()

    with pytest.raises(JobCancelled):
        make(engine, events=stop, cancel=cancel, steps=6, preview_every=1)
