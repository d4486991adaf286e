"""Reads the checkpoints of coqui-tts as data: tensors for safetensors, names and numbers for JSON.

A `.pth` file is a pickle. It is read by torch's weights-only reader, which knows tensors and plain values and calls
nothing else. XTTS writes its own settings into the pickle as objects: their classes are replaced by an empty one, so
that they are skipped and no code of theirs is run. Whatever else a pickle asks for refuses the file.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compliance.errors import PackForeign

WEIGHTS, SPEAKERS = "model.safetensors", "speakers_xtts.safetensors"
VOCODER = "vocoder/"
PICKLES = frozenset({".pth", ".pt", ".tar"})
# What lies beside a published voice and is not needed once the pickles are read.
NOT_TAKEN = PICKLES | {".md5"}
# Objects that coqui-tts has written into checkpoints over the years; none of them is needed to speak.
_SKIPPED = (
    "TTS.config.shared_configs.BaseDatasetConfig",
    "TTS.tts.configs.xtts_config.XttsArgs",
    "TTS.tts.configs.xtts_config.XttsAudioConfig",
    "TTS.tts.configs.xtts_config.XttsConfig",
    "TTS.tts.models.xtts.XttsArgs",
    "TTS.tts.models.xtts.XttsAudioConfig",
    "TTS.utils.radam.RAdam",
)
# Parts of a checkpoint that only training uses.
_TRAINING = ("disc.", "dvae.", "speaker_encoder", "torch_mel_spectrogram_dvae", "torch_mel_spectrogram_style_encoder")


class Skipped:
    """Stands where a pickle holds an object of settings; keeps nothing."""

    def __init__(self, *_: object) -> None:
        """Whatever it is made with."""

    def __setstate__(self, _: object) -> None:
        """Whatever it would hold."""


@dataclass(slots=True)
class Converted:
    """What a folder of coqui-tts becomes. tensors: file → its tensors; texts: file → JSON; left: files not needed."""

    tensors: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def is_coqui(folder: Path) -> bool:
    """Whether a folder holds a voice of coqui-tts: its config.json names a model and speaks of audio."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and isinstance(config.get("model"), str) and isinstance(config.get("audio"), dict)


def read_pickle(path: Path, name: str, pack: str) -> Any:
    """The content of a checkpoint, by the weights-only reader; raises PackForeign for everything it refuses."""
    import pickle

    import torch

    allowed: list[Any] = [*((Skipped, each) for each in _SKIPPED), dict, defaultdict]
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PackForeign(pack=pack, file=name, reason="a pickle that asks for more than weights") from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise PackForeign(pack=pack, file=name, reason="a damaged checkpoint") from error


def convert(folder: Path, pack: str) -> Converted:
    """Read every pickle of a folder of coqui-tts; raises PackForeign.

    The weights become model.safetensors, a vocoder's (in the folder `vocoder`) vocoder/model.safetensors, stored
    speakers of XTTS speakers_xtts.safetensors, and tables of names JSON under their own names.
    """
    made = Converted()
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICKLES):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise PackForeign(pack=pack, file=name, reason="a link or device")
        if path.stem in ("dvae", "mel_stats", "model_se"):
            made.left.append(name)
            continue
        content = read_pickle(path, name, pack)
        weights = _weights(content)
        if weights is not None:
            target = (VOCODER if name.startswith(VOCODER) else "") + WEIGHTS
            if target in made.tensors:
                raise PackForeign(pack=pack, file=name, reason="a second checkpoint beside the first")
            made.tensors[target] = weights
        elif path.stem == "speakers_xtts":
            made.tensors[SPEAKERS] = _speakers(content, name, pack)
        else:
            made.texts[str(Path(name).with_suffix(".json"))] = _table(content, name, pack)
    return made


def _weights(content: Any) -> dict[str, Any] | None:
    import torch

    held = content.get("model", content) if isinstance(content, Mapping) else None
    if not isinstance(held, Mapping) or not held or not all(isinstance(one, torch.Tensor) for one in held.values()):
        return None
    made: dict[str, Any] = {}
    for key, tensor in held.items():
        plain = str(key).removeprefix("xtts.")
        if not plain.startswith(_TRAINING):
            # A copy of its own for each: safetensors holds no tensors that share memory.
            made[plain] = tensor.detach().clone().contiguous()
    return made or None


def _speakers(content: Any, name: str, pack: str) -> dict[str, Any]:
    """Stored speakers of XTTS: "Name/style" and "Name/speaker"."""
    import torch

    made: dict[str, Any] = {}
    try:
        for speaker, parts in content.items():
            (style,) = (value for key, value in parts.items() if key != "speaker_embedding")
            for part, tensor in (("style", style), ("speaker", parts["speaker_embedding"])):
                made[f"{speaker}/{part}"] = torch.as_tensor(tensor).detach().clone().contiguous()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PackForeign(pack=pack, file=name, reason="no table of speakers") from error
    return made


def _table(content: Any, name: str, pack: str) -> str:
    """A table of names and numbers as JSON; tensors become lists."""

    def plain(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else str(value)

    if not isinstance(content, Mapping) or not content:
        raise PackForeign(pack=pack, file=name, reason="neither weights nor a table of names")
    return json.dumps(content, default=plain, ensure_ascii=False)
