"""Plans for speech by the neural voices of a model pack, with or without the voice of a recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from compliance.errors import NotASound, PackUnfit
from compliance.permit import PackUse
from engines.engine import Input, Request
from engines.packs import ModelPack
from engines.sound import sound_mime
from engines.voice import neural
from engines.voice.coqui_checkpoint import SPEAKERS
from studio.packs import find_pack, list_packs
from studio.recognition import HeardVoice
from studio.voice_changes import read_recording, verify_part

_LARGEST_CONFIG_BYTES = 16 << 20
# Which engine speaks with packs of which kind.
ENGINES: Final[Mapping[str, str]] = {
    "voice.coqui": "voice.coqui",
    "voice.kokoro": "voice.onnx",
    "voice.piper": "voice.onnx",
}


def plan(
    home: Path,
    listen: Callable[[str, bytes], HeardVoice],
    options: Mapping[str, Any],
    *,
    seed: int,
    reference: Path | None,
    consents: Sequence[str],
    purpose: str,
    declared_uses: Sequence[str] = (),
    territory: str = "",
    project: str = "",
) -> tuple[Request, bytes | None]:
    """The request, and the bytes of the recording whose voice is taken on.

    listen: looks at that voice for the gate. A reference is always the voice of a person; the voices of a pack are
    nobody's. Raises PackMissing, PackDamaged, PackUnfit, TextEmpty, TextTooLong, MarkupUnclear, ScriptUnclear,
    LanguageUnspoken; for a reference OptionUnfit, FileMissing, NotASound, SoundTooLong, VoiceNotFound.
    """
    pack = find_pack(home, str(options.get("pack", "")))
    if pack.kind not in ENGINES:
        raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=" / ".join(ENGINES))
    inputs: tuple[Input, ...] = ()
    data = None
    if reference is not None:
        data = read_recording(reference)
        if sound_mime(data) is None:
            raise NotASound(path=reference.name, reason="unknown format")
        verify_part(options, "source", listen(reference.name, data).recording_s)
        digest = hashlib.sha256(data).hexdigest()
        inputs = (Input("source", "voice", digest, reference.name, (1,), 1),)
    request = Request(
        function="voice.speak",
        engine=ENGINES[pack.kind],
        inputs=inputs,
        options=dict(options),
        purpose=purpose,
        consents=tuple(dict.fromkeys(consents)),
        seed=seed,
        declared_uses=tuple(dict.fromkeys(declared_uses)),
        territory=territory,
        project=project,
        packs=(PackUse(pack.id, pack.digest(), pack.licence_class.value),),
    )
    neural.outline(request)
    return request, data


def clones(packs: Iterable[ModelPack]) -> dict[str, bool]:
    """The packs that can take on the voice of a recording, and whether each has voices of its own as well.

    For showing alone: the engine looks again at what it has verified.
    """
    return {pack.id: SPEAKERS in pack.files for pack in packs if pack.kind == "voice.coqui" and _is_xtts(pack)}


def _is_xtts(pack: ModelPack) -> bool:
    try:
        with (pack.folder / "config.json").open("rb") as file:
            about = json.loads(file.read(_LARGEST_CONFIG_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(about, dict) and about.get("model") == "xtts"


def usual_pack(home: Path) -> str:
    """The first pack of neural voices by id; "" when there is none."""
    return next((pack.id for pack in list_packs(home) if pack.kind in ENGINES), "")
