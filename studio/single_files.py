"""Single safetensors files of picture models: what one holds, by the names of its tensors, and the settings it needs.

The weights of a whole Stable Diffusion 1 or XL model carry neither the settings nor the words of its pipeline; both are
the same for all models of a family and come along with this program. Other families borrow them from a pack that is
there (`signet pack add FILE --like PACK`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import resources
from compliance.errors import ModelUnfit, PackForeign, PackUnfit
from engines.packs import ModelPack, read_safetensors_header

SINGLE_FILE, FOLDER, LORA = "picture.single-file", "picture.diffusers", "picture.lora"
CONFIG: Final = "config/"
_DATA = Path(str(resources.__file__)).parent / "single_files"
_DENOISER = ("model.diffusion_model.",)
_DECODER = ("first_stage_model.", "vae.")
_TEXT = ("cond_stage_model.", "conditioner.embedders.", "text_encoders.")
_LORA_MARKS = ("lora_up.", "lora_down.", "lora_a.", "lora_b.", ".lora.")
# A tensor by which a family is known, and its shape: how wide the words are that the first attention reads.
_FAMILIES: Final[Mapping[str, tuple[str, list[int]]]] = {
    "sd15": ("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", [320, 768]),
    "sdxl": ("model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight", [640, 2048]),
}
_FIRST: Final = "model.diffusion_model.input_blocks.0.0.weight"
_PICTURE_CHANNELS: Final = 4


def kind_of(source: Path) -> str:
    """picture.lora, picture.single-file or "weights", by the names in the file; "weights" when they tell nothing."""
    try:
        names = read_safetensors_header(source, source.name, source.name)
    except (PackForeign, OSError):
        return "weights"
    if any(mark in name.lower() for name in names for mark in _LORA_MARKS):
        return LORA
    return SINGLE_FILE if _is_whole(names) else "weights"


def settings_for(source: Path, pack_id: str, like: ModelPack | None) -> dict[str, bytes]:
    """The files below config/ that the pipeline of a single file needs: from the family, or from the pack it is like.

    Raises PackForeign, PackUnfit, and ModelUnfit when the file is not a whole model or its family is not known.
    """
    header = read_safetensors_header(source, source.name, pack_id)
    if not _is_whole(header):
        raise ModelUnfit(pack=pack_id, reason="the file holds a part of a model only")
    if like is not None:
        return _borrowed(like)
    family = next((name for name, told in _FAMILIES.items() if _shape(header, told[0]) == told[1]), None)
    first = _shape(header, _FIRST)
    if family is None or first is None or first[1:2] != [_PICTURE_CHANNELS]:
        raise ModelUnfit(pack=pack_id, reason="its family is not known here; name a pack that it is like with --like")
    return _own(family, header)


def _is_whole(names: Mapping[str, Any]) -> bool:
    return all(any(name.startswith(part) for name in names) for part in (_DENOISER, _DECODER, _TEXT))


def _shape(header: Mapping[str, Any], name: str) -> list[int] | None:
    return list(header[name]["shape"]) if name in header else None


def _borrowed(like: ModelPack) -> dict[str, bytes]:
    if like.kind not in (FOLDER, SINGLE_FILE):
        raise PackUnfit(pack=like.id, kind=like.kind, wanted=FOLDER)
    like.verify()
    found: dict[str, bytes] = {}
    for name in like.files:
        inside = name.removeprefix(CONFIG)
        is_weight = name.endswith((".safetensors", ".index.json", ".onnx"))
        if not is_weight and (like.kind == FOLDER or inside != name):
            found[f"{CONFIG}{inside}"] = like.path(name).read_bytes()
    return found


def _own(family: str, header: Mapping[str, Any]) -> dict[str, bytes]:
    parts: dict[str, dict[str, Any]] = json.loads((_DATA / f"{family}.json").read_bytes())
    if "v_pred" in header:
        # Models that predict a velocity say so by the name of an empty tensor, and with another one that they begin at
        # noise without any picture.
        schedule = parts["scheduler/scheduler_config.json"]
        schedule |= {"prediction_type": "v_prediction", "rescale_betas_zero_snr": "ztsnr" in header}
    found = {f"{CONFIG}{name}": json.dumps(content, indent=1).encode() for name, content in parts.items()}
    merges = (_DATA / "clip_merges.txt").read_bytes()
    words = json.dumps(_vocabulary(merges.decode()), ensure_ascii=False).encode()
    for name in parts:
        folder, _, last = name.partition("/")
        if last == "tokenizer_config.json":
            found |= {f"{CONFIG}{folder}/merges.txt": merges, f"{CONFIG}{folder}/vocab.json": words}
    return found


def _vocabulary(merges: str) -> dict[str, int]:
    """The numbers of CLIP's pieces of words: 256 bytes, the same ending a word, one for each merge, and two marks.

    A byte that is no sign is written as one above 255, as in the tokenizer of GPT-2.
    """
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = [chr(code) for code in visible]
    letters += [chr(256 + number) for number in range(256 - len(visible))]
    joined = ["".join(line.split()) for line in merges.splitlines()[1:]]
    names = [*letters, *(f"{letter}</w>" for letter in letters), *joined, "<|startoftext|>", "<|endoftext|>"]
    return {name: number for number, name in enumerate(names)}
