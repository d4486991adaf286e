"""Plans for pictures from words and of pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compliance.errors import OptionUnfit
from compliance.permit import PackUse
from engines.engine import FoundFace, Input, Request
from engines.picture.options import LONGEST_PROMPT
from studio.inputs import read_input
from studio.packs import find_pack, list_packs

FUNCTIONS: Final[Mapping[str, str]] = {
    "picture.diffusers": "picture.generate",
    "picture.sketch": "picture.generate",
    "picture.enhance": "picture.enhance",
    "picture.cutout": "picture.enhance",
    "picture.restore": "picture.enhance",
}
DIFFUSION, ENHANCE, CUTOUT = "picture.diffusers", "picture.enhance", "picture.cutout"
# Kinds of packs by what they are for; a bare ONNX file is taken at its user's word.
PIPELINES = ("picture.diffusers", "picture.single-file")
UPSCALERS, CUTTERS = ("picture.upscaler",), ("picture.cutout",)
# Options whose value is a model pack.
_PACK_OPTIONS = ("pack", "lora")

Survey = Callable[[str, bytes], list[FoundFace]]


@dataclass(frozen=True, slots=True)
class Given:
    """A picture that is worked on, or a mask: its name for messages and its bytes."""

    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def plan(
    home: Path,
    survey: Survey,
    engine_id: str,
    options: Mapping[str, Any],
    *,
    seed: int,
    picture: Path | None,
    mask: Path | bytes | None,
    consents: Sequence[str],
    purpose: str,
) -> tuple[Request, tuple[bytes, ...], tuple[FoundFace, ...]]:
    """The request, the bytes of its inputs, and the faces found in the picture; see Workshop.plan_picture."""
    if engine_id not in FUNCTIONS:
        raise OptionUnfit(option="engine", value=engine_id[:80], allowed=", ".join(FUNCTIONS))
    for name in ("prompt", "negative"):
        length = len(str(options.get(name, "")))
        if length > LONGEST_PROMPT:
            raise OptionUnfit(option=name, value=f"{length} characters", allowed=f"0 – {LONGEST_PROMPT}")
    packs = _packs(home, engine_id, options)
    inputs: list[Input] = []
    materials: list[bytes] = []
    faces: list[FoundFace] = []
    if picture is not None:
        target = Given(picture.name, read_input(picture))
        faces = survey(target.name, target.data)
        numbers = tuple(face.number for face in faces)
        likeness = "face" if faces else "none"
        inputs.append(Input("target", likeness, target.sha256, target.name, numbers, len(faces)))  # type: ignore[arg-type]  # both are of the literal
        materials.append(target.data)
    if mask is not None:
        given = Given("mask", mask) if isinstance(mask, bytes) else Given(mask.name, read_input(mask))
        inputs.append(Input("mask", "none", given.sha256, given.name))
        materials.append(given.data)
    request = Request(
        function=FUNCTIONS[engine_id],
        engine=engine_id,
        inputs=tuple(inputs),
        options=dict(options),
        purpose=purpose,
        faces_edited=len(faces),
        consents=tuple(dict.fromkeys(consents)),
        seed=seed,
        packs=packs,
    )
    return request, tuple(materials), tuple(faces)


def _packs(home: Path, engine_id: str, options: Mapping[str, Any]) -> tuple[PackUse, ...]:
    """What is loaded, by digest and licence class, for the gate; raises PackMissing, PackDamaged."""
    needed = {DIFFUSION: 1, ENHANCE: 0, CUTOUT: 1}.get(engine_id)
    if needed is None:
        return ()
    named = [str(options.get(name, "")) for name in _PACK_OPTIONS]
    packs = [find_pack(home, pack_id) for place, pack_id in enumerate(named) if pack_id or place < needed]
    return tuple(PackUse(pack.id, pack.digest(), pack.licence_class.value) for pack in packs)


def usual_pack(home: Path) -> str:
    """The pack that pictures are made with when none is named: the first by id; "" when there is none."""
    return next((pack.id for pack in list_packs(home) if pack.kind in PIPELINES), "")
