"""Brings model packs into a home, lists and removes them. What is loaded is checked again by engines.packs."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import FileMissing, PackExists, PackForeign, PackIdUnfit, PackMissing, PackUnfit
from compliance.storage import disk_error, write_atomically
from engines.packs import (
    MANIFEST,
    LicenceClass,
    ModelPack,
    is_pack_id,
    read_pack,
    sha256_of,
    verify_format,
    walk,
)
from studio import single_files

if TYPE_CHECKING:
    from engines.voice.coqui_checkpoint import Converted

FOLDER = "packs"
# What packs are for, by the name that the engines know.
KINDS = (
    "picture.diffusers",
    "picture.single-file",
    "picture.lora",
    "picture.upscaler",
    "picture.cutout",
    "voice.coqui",
    "voice.piper",
    "voice.kokoro",
    "voice.converter",
    "speaker",
    "face-recogniser",
    "content-classifier",
)


def packs_folder(home: Path) -> Path:
    """Where the packs of a home lie."""
    return home / FOLDER


def list_packs(home: Path) -> list[ModelPack]:
    """All packs of a home by id, unverified; a folder without a readable manifest raises PackDamaged."""
    folder = packs_folder(home)
    if not folder.is_dir():
        return []
    return [read_pack(path) for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]


def find_pack(home: Path, pack_id: str) -> ModelPack:
    """One pack, unverified; raises PackMissing, PackDamaged."""
    if not is_pack_id(pack_id) or not (packs_folder(home) / pack_id).is_dir():
        raise PackMissing(pack=pack_id)
    return read_pack(packs_folder(home) / pack_id)


def kind_of(source: Path) -> tuple[str, dict[str, Any]]:
    """What a folder or file most likely holds, by its own index files; ("weights", {}) when nothing tells.

    A diffusers pipeline has model_index.json with its class; a transformers or coqui model has config.json; a
    classifier of pictures has classifier.json, a converter of voices converter.json, a speaker model speaker.json,
    which say how their models are used.
    """
    from engines.voice import coqui_checkpoint

    index = source / "model_index.json"
    if index.is_file():
        try:
            return "picture.diffusers", {"class": str(json.loads(index.read_bytes())["_class_name"])}
        except (ValueError, KeyError, TypeError):
            return "picture.diffusers", {}
    if source.is_dir() and coqui_checkpoint.is_coqui(source):
        return "voice.coqui", {"model": str(json.loads((source / "config.json").read_bytes())["model"])}
    if _piper_config(source) is not None:
        return "voice.piper", {}
    if (source / "voices.safetensors").is_file() and "vocab" in _json(source / "config.json"):
        return "voice.kokoro", {}
    if (source / "converter.json").is_file():
        return "voice.converter", {}
    if (source / "speaker.json").is_file():
        return "speaker", {}
    if source.suffix == ".safetensors" and source.is_file():
        return single_files.kind_of(source), {}
    alone = [path for path in source.iterdir() if path.suffix == ".safetensors"] if source.is_dir() else []
    if len(alone) == 1 and single_files.kind_of(alone[0]) == single_files.LORA:
        return single_files.LORA, {}
    if (source / "classifier.json").is_file():
        return "content-classifier", {}
    if source.suffix == ".onnx":
        return "onnx", {}
    return "weights", {}


def _piper_config(source: Path) -> Path | None:
    """The JSON beside the one ONNX file of a Piper voice, given as its folder or as the ONNX file."""
    models = [source] if source.suffix == ".onnx" else sorted(source.glob("*.onnx")) if source.is_dir() else []
    config = models[0].with_name(f"{models[0].name}.json") if len(models) == 1 else None
    return config if config is not None and "phoneme_id_map" in _json(config) else None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def add_pack(
    home: Path,
    source: Path,
    *,
    pack_id: str,
    licence: str,
    licence_class: LicenceClass,
    kind: str | None = None,
    title: str | None = None,
    version: str = "1",
    origin: str = "",
    options: Mapping[str, Any] | None = None,
    like: str = "",
) -> ModelPack:
    """Copy a folder or file into the home as a pack; appears as a whole or not at all.

    like: the pack whose settings a single file of a picture model shares. Raises FileMissing, PackIdUnfit, PackExists,
    PackForeign (pickles, links, foreign formats), PackMissing, PackUnfit, ModelUnfit, DiskFull, NotWritable.
    """
    if not source.exists():
        raise FileMissing(path=source)
    if not is_pack_id(pack_id):
        raise PackIdUnfit(pack=pack_id[:80])
    target = packs_folder(home) / pack_id
    if target.exists():
        raise PackExists(pack=pack_id)
    files = dict(walk(source, pack_id)) if source.is_dir() else {source.name: source}
    files.pop(MANIFEST, None)
    if not files:
        raise PackForeign(pack=pack_id, file=source.name, reason="an empty folder")
    guessed_kind, guessed_options = kind_of(source)
    beside = _piper_config(source) if not source.is_dir() else None
    if beside is not None:
        files[beside.name] = beside
    converted = _convert(source, files, pack_id) if guessed_kind == "voice.coqui" else None
    for name, path in files.items():
        verify_format(path, name, pack_id)
    settings: dict[str, bytes] = {}
    if (kind or guessed_kind) == single_files.SINGLE_FILE or like:
        lender = find_pack(home, like) if like else None
        if source.is_dir():
            raise PackUnfit(pack=pack_id, kind=guessed_kind, wanted=single_files.SINGLE_FILE)
        settings = single_files.settings_for(source, pack_id, lender)
    temporary = packs_folder(home) / f".adding-{secrets.token_hex(4)}"
    try:
        temporary.mkdir(mode=0o700, parents=True)
        for name, path in files.items():
            place = temporary / name
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(path, place, follow_symlinks=False)
        for name, text in settings.items():
            (temporary / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(temporary / name, text)
        names = [*files, *settings, *(_write(converted, temporary) if converted is not None else ())]
        pack = ModelPack(
            id=pack_id,
            kind=kind or guessed_kind,
            title=title or pack_id,
            version=version,
            licence=licence,
            licence_class=licence_class,
            source=origin,
            files={name: sha256_of(temporary / name) for name in sorted(names)},
            folder=temporary,
            options={**guessed_options, **(options or {})},
        )
        # Checked once more as copied: what was looked at and what was copied need not be the same bytes.
        pack.verify()
        write_atomically(temporary / MANIFEST, json.dumps(pack.manifest(), indent=1, ensure_ascii=False).encode())
        os.rename(temporary, target)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise disk_error(error, packs_folder(home)) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return read_pack(target)


def _convert(source: Path, files: dict[str, Path], pack_id: str) -> Converted:
    """Read the pickles of a voice of coqui-tts as data, once, and take them off the files; raises PackForeign."""
    from engines.voice import coqui_checkpoint

    made = coqui_checkpoint.convert(source, pack_id)
    for name in [name for name in files if Path(name).suffix.lower() in coqui_checkpoint.NOT_TAKEN]:
        del files[name]
    for name in (*made.tensors, *made.texts):
        if name in files:
            raise PackForeign(pack=pack_id, file=name, reason="there beside the checkpoint that would become it")
    return made


def _write(made: Converted, folder: Path) -> list[str]:
    """Write converted weights and tables into a new pack; the names of the files."""
    from safetensors.torch import save_file

    for name, tensors in made.tensors.items():
        (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_file(tensors, folder / name)
    for name, text in made.texts.items():
        write_atomically(folder / name, text.encode())
    return [*made.tensors, *made.texts]


def remove_pack(home: Path, pack_id: str) -> None:
    """Take a pack out of the home; raises PackMissing. A damaged pack can be removed too."""
    target = packs_folder(home) / pack_id
    if not is_pack_id(pack_id) or not target.is_dir():
        raise PackMissing(pack=pack_id)
    gone = packs_folder(home) / f".removing-{secrets.token_hex(4)}"
    try:
        os.rename(target, gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise disk_error(error, packs_folder(home)) from error
