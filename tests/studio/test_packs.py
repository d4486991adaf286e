"""Model packs: foreign and damaged files first, then adding, listing, verifying, removing."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import pytest

from compliance.errors import ExitCode, FileMissing, PackDamaged, PackExists, PackForeign, PackIdUnfit, PackMissing
from engines.packs import LicenceClass, ModelPack, load_pack, read_pack
from studio import packs
from studio.commands.root import run
from studio.packs import kind_of


def safetensors(tensors: dict[str, tuple[str, list[int], int]], *, header: bytes | None = None) -> bytes:
    """A safetensors file: name → (type, shape, bytes); header replaces the right one."""
    place, about = 0, {}
    for name, (kind, shape, size) in tensors.items():
        about[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = header if header is not None else json.dumps(about).encode()
    return struct.pack("<Q", len(text)) + text + bytes(place)


GOOD = safetensors({"a": ("F32", [2, 3], 24), "b": ("BF16", [4], 8)})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder of weights as a hub would give it."""
    folder = tmp_path / "source"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (folder / "unet" / "weights.safetensors").write_bytes(GOOD)
    return folder


def add(home: Path, source: Path, **options: object) -> ModelPack:
    """Add with the usual words."""
    words = {"pack_id": "tiny", "licence": "Apache-2.0", "licence_class": LicenceClass.OPEN, **options}
    return packs.add_pack(home, source, **words)  # type: ignore[arg-type]  # words by name


def entry(start: int, end: int, shape: object = (1,), kind: str = "F32") -> bytes:
    """A header with one tensor."""
    return json.dumps({"a": {"dtype": kind, "shape": shape, "data_offsets": [start, end]}}).encode()


TWO = {
    "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    "b": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]},
}
OVERLAPPING = safetensors({}, header=json.dumps(TWO).encode()) + bytes(8)

BENT = {
    "no header": b"",
    "header longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "not JSON": safetensors({}, header=b"{nonsense"),
    "a list": safetensors({}, header=b"[]"),
    "outside": struct.pack("<Q", len(entry(0, 4))) + entry(0, 4),
    "negative": safetensors({}, header=entry(-4, 0)),
    "wrong size": safetensors({"a": ("F32", [2, 2], 8)}),
    "unknown type": safetensors({"a": ("Q99", [2], 8)}),
    "shape of words": safetensors({}, header=entry(0, 0, ["x"])),
    "overlap": OVERLAPPING,
}


@pytest.mark.parametrize("how", BENT)
def test_bent_safetensors_are_refused(tmp_path: Path, source: Path, how: str) -> None:
    """A header that lies about length, place, size, type or overlap refuses the pack, and nothing is left."""
    (source / "unet" / "weights.safetensors").write_bytes(BENT[how])
    with pytest.raises(PackForeign) as refusal:
        add(tmp_path / "home", source)
    assert refusal.value.code == ExitCode.MODEL
    assert packs.list_packs(tmp_path / "home") == []


class Gadget:
    """What a hostile checkpoint does when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("canary"),))


@pytest.mark.parametrize("name", ["model.ckpt", "model.pth", "model.bin", "x.pkl", "run.py", "weights.txt", "w.onnx"])
def test_files_that_can_run_code_are_refused(
    tmp_path: Path, source: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pickles are refused by name and in disguise, and none is ever opened as one."""
    monkeypatch.chdir(tmp_path)
    (source / name).write_bytes(pickle.dumps(Gadget()))
    with pytest.raises(PackForeign):
        add(tmp_path / "home", source)
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "home" / "packs" / "tiny").exists()


def test_links_and_odd_sources_are_refused(tmp_path: Path, source: Path) -> None:
    """Symbolic links, missing and empty folders, taken and impossible ids."""
    with pytest.raises(FileMissing):
        add(tmp_path / "home", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PackForeign):
        add(tmp_path / "home", tmp_path / "empty")
    for bad in ("../up", "UPPER", "", "y", "a/b", "x" * 80):
        with pytest.raises(PackIdUnfit):
            add(tmp_path / "home", source, pack_id=bad)
    add(tmp_path / "home", source)
    with pytest.raises(PackExists):
        add(tmp_path / "home", source)
    (source / "link.json").symlink_to("/etc/hostname")
    with pytest.raises(PackForeign):
        add(tmp_path / "home", source, pack_id="linked")


@pytest.mark.parametrize("how", ["changed", "missing", "added", "linked", "renamed", "manifest", "escape"])
def test_a_touched_pack_is_not_loaded(tmp_path: Path, source: Path, how: str) -> None:
    """Whatever happened to a pack since it was added, loading it says so."""
    pack = add(tmp_path / "home", source)
    weights = pack.folder / "unet" / "weights.safetensors"
    manifest = pack.folder / "pack.json"
    match how:
        case "changed":
            weights.write_bytes(GOOD[:-1] + b"\x01")
        case "missing":
            weights.unlink()
        case "added":
            (pack.folder / "more.json").write_text("{}")
        case "linked":
            weights.unlink()
            weights.symlink_to(source / "unet" / "weights.safetensors")
        case "renamed":
            pack.folder.rename(pack.folder.with_name("other"))
            pack = ModelPack(
                **{**{f: getattr(pack, f) for f in pack.__slots__}, "folder": pack.folder.with_name("other")}
            )
        case "manifest":
            manifest.write_text(manifest.read_text()[:-20])
        case "escape":
            content = json.loads(manifest.read_text())
            content["files"]["../../keys.json"] = "0" * 64
            manifest.write_text(json.dumps(content))
    with pytest.raises((PackDamaged, PackForeign)):
        load_pack(pack.folder)


def test_a_missing_pack_is_told(tmp_path: Path) -> None:
    """Unknown ids have the exit code of models."""
    for call in (packs.find_pack, packs.remove_pack):
        with pytest.raises(PackMissing) as refusal:
            call(tmp_path, "nothing")
        assert refusal.value.code == ExitCode.MODEL


def test_a_pack_comes_and_goes(tmp_path: Path, source: Path) -> None:
    """Added packs are listed, whole, told by their digest, and removed without a trace."""
    home = tmp_path / "home"
    pack = add(home, source)
    assert [item.id for item in packs.list_packs(home)] == ["tiny"]
    assert pack.kind == "picture.diffusers"
    assert load_pack(pack.folder).digest() == pack.digest() == read_pack(pack.folder).digest()
    assert add(home, source, pack_id="second", licence_class=LicenceClass.RESEARCH_ONLY).digest() != pack.digest()
    packs.remove_pack(home, "tiny")
    assert [item.id for item in packs.list_packs(home)] == ["second"]
    assert [path.name for path in (home / "packs").iterdir()] == ["second"]


def test_the_commands(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """signet pack add, list, verify and remove, with their exit codes and JSON lines."""
    home = ["--home", str(tmp_path / "home")]
    words = ["--id", "tiny", "--licence", "Apache-2.0"]
    assert run([*home, "pack", "add", str(source), *words, "--licence-class", "free beer"]) == ExitCode.USAGE
    assert run([*home, "pack", "add", str(source), *words, "--kind", "picture"]) == ExitCode.USAGE
    assert "picture.upscaler" in capsys.readouterr().err
    assert run([*home, "pack", "add", str(source), *words, "--licence-class", "open", "--json"]) == 0
    capsys.readouterr()
    assert run([*home, "pack", "list", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["licence_class"] == "open"
    assert run([*home, "pack", "verify", "--json"]) == 0
    (tmp_path / "home" / "packs" / "tiny" / "model_index.json").write_text("{}")
    assert run([*home, "pack", "verify"]) == ExitCode.MODEL
    assert run([*home, "pack", "remove", "tiny"]) == 0
    assert run([*home, "pack", "remove", "tiny"]) == ExitCode.MODEL
    assert run([*home, "pack", "add", str(source), *words]) == 0
    assert "nothing can be made with it" in capsys.readouterr().err


def test_a_lora_is_known_in_a_folder_too(tmp_path: Path) -> None:
    """A folder that holds one LoRA is one, as the file alone is; two of them are weights that nothing tells of."""
    names = {"unet.to_k.lora_A.weight": ("F32", [1], 4)}
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "one.safetensors").write_bytes(safetensors(names))
    assert kind_of(tmp_path / "some") == kind_of(tmp_path / "some" / "one.safetensors") == ("picture.lora", {})
    (tmp_path / "some" / "two.safetensors").write_bytes(safetensors(names))
    assert kind_of(tmp_path / "some")[0] == "weights"
