"""The engine protocol, requests and the registry."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar

from compliance.errors import VoiceConsentMissing
from compliance.media import SyntheticMedia
from compliance.permit import Claim, Likeness, LikenessUse, PackUse, Permit, Role
from engines.job import CancelToken, Events


@dataclass(frozen=True, slots=True)
class Input:
    """One file fed to an engine. role: "source" or "target"; name is only for messages; sha256 is hex, of the bytes.

    likeness "none": nobody is shown or heard, so no consent is asked for; the worker looks whether that is true.
    faces: the numbers used or edited; faces_found: how many `Engine.survey` found; nothing and 0 where nobody looked.
    """

    role: Role
    likeness: Likeness
    sha256: str
    name: str
    faces: tuple[int, ...] = ()
    faces_found: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "role": self.role,
            "likeness": self.likeness,
            "sha256": self.sha256,
            "name": self.name,
            "faces": list(self.faces),
            "faces_found": self.faces_found,
        }


@dataclass(frozen=True, slots=True)
class Request:
    """Frozen plain data: what is asked, of which engine, with which options and inputs.

    options: JSON values only. faces_edited: how many faces of the target will be edited (from `Engine.survey`).
    declared_uses, territory and project say what the result is for, as far as consents restrict it.
    """

    function: str
    engine: str
    inputs: tuple[Input, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = "private"
    faces_edited: int = 0
    consents: tuple[str, ...] = ()
    seed: int = 0
    declared_uses: tuple[str, ...] = ()
    territory: str = ""
    project: str = ""
    packs: tuple[PackUse, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for the worker's pipe and for the digest."""
        return {
            "function": self.function,
            "engine": self.engine,
            "inputs": [item.to_json() for item in self.inputs],
            "options": dict(self.options),
            "purpose": self.purpose,
            "faces_edited": self.faces_edited,
            "consents": list(self.consents),
            "seed": self.seed,
            "declared_uses": list(self.declared_uses),
            "territory": self.territory,
            "project": self.project,
            "packs": [asdict(pack) for pack in self.packs],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Request:
        """Read what to_json wrote."""
        return cls(
            **{
                **data,
                "inputs": tuple(Input(**{**item, "faces": tuple(item.get("faces", ()))}) for item in data["inputs"]),
                "consents": tuple(data["consents"]),
                "declared_uses": tuple(data.get("declared_uses", ())),
                "packs": tuple(PackUse(**item) for item in data.get("packs", ())),
            }
        )

    def digest(self) -> str:
        """SHA-256 (hex) of the request without file names: sorted compact JSON."""
        data = self.to_json()
        for item in data["inputs"]:
            del item["name"]
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def verify_voices(self) -> None:
        """A recording for an engine of voices is somebody's voice, whatever it is said to be.

        Raises VoiceConsentMissing.
        """
        for item in self.inputs:
            if self.function.startswith("voice.") and item.likeness != "voice":
                raise VoiceConsentMissing(role=item.role, asset=item.sha256[:12])

    def claim(self) -> Claim:
        """What the gate is asked for."""
        return Claim(
            function=self.function,
            engine=self.engine,
            request_sha256=self.digest(),
            uses=tuple(
                LikenessUse(item.role, item.likeness, item.sha256, item.faces, item.faces_found)
                for item in self.inputs
                if item.likeness != "none"
            ),
            purpose=self.purpose,
            faces_edited=self.faces_edited,
            consents=self.consents,
            declared_uses=self.declared_uses,
            territory=self.territory,
            project=self.project,
            packs=self.packs,
        )


@dataclass(frozen=True, slots=True)
class Option:
    """One setting an engine offers; panels and --help are built from it."""

    name: str
    default: Any
    sentence: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face an engine found, counted from left to right starting at 1; pixels of the upright picture.

    box: (left, top, width, height). eye_distance_px: between the outer eye corners. time_s: of a film, when it is seen.
    """

    number: int
    box: tuple[int, int, int, int]
    eye_distance_px: float
    yaw_degrees: float
    time_s: float = 0.0


class Engine(Protocol):
    """One way of synthesis. Same request, same bytes on one device."""

    id: str
    version: str
    function: str
    options: tuple[Option, ...]

    def survey(self, name: str, data: bytes) -> list[FoundFace]:
        """Faces in one encoded picture, left to right; needs no permit since nothing is made of them.

        name is only for messages. Raises NotAPicture, PictureTooLarge, ModelDamaged.
        """

    def run(
        self, request: Request, permit: Permit, inputs: Mapping[Role, bytes], events: Events, cancel: CancelToken
    ) -> SyntheticMedia:
        """Make the media; the caller has verified the permit. inputs: encoded file bytes by role.

        Emits Progress only; calls `permit.verify_faces` with the number of faces before editing them, and
        `cancel.check()` between stages.
        """


EngineT = TypeVar("EngineT", bound=Engine)
_ENGINES: dict[str, type[Engine]] = {}
_HOMES = {
    "face.mesh": "engines.face.mesh_swap",
    "fake.noise": "engines.fake.noise",
    "fake.tone": "engines.fake.tone",
    "foreign.document": "engines.foreign.document",
    "foreign.picture": "engines.foreign.picture",
    "foreign.sound": "engines.foreign.sound",
    "foreign.video": "engines.foreign.video",
    "picture.cutout": "engines.picture.cutout",
    "picture.diffusers": "engines.picture.diffusion",
    "picture.enhance": "engines.picture.enhance",
    "picture.restore": "engines.picture.restore",
    "picture.sketch": "engines.picture.sketch",
    "voice.attribute": "engines.voice.attribute",
    "voice.converter": "engines.voice.converter",
    "voice.coqui": "engines.voice.coqui",
    "voice.lean": "engines.voice.convert",
    "voice.onnx": "engines.voice.onnx_voice",
    "voice.stock": "engines.voice.stock",
}


def engine(kind: type[EngineT]) -> type[EngineT]:
    """Class decorator: enter an engine under its id."""
    _ENGINES[kind.id] = kind
    return kind


def engine_ids() -> list[str]:
    """Ids of all engines the house knows, without importing them."""
    return sorted(_HOMES)


def load_engine(engine_id: str) -> Engine:
    """Import and make one engine; raises KeyError for an unknown id, ModelDamaged when its files are not whole."""
    if engine_id not in _ENGINES:
        importlib.import_module(_HOMES[engine_id])
    return _ENGINES[engine_id]()
