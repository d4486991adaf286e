"""The engine protocol, requests and the registry."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from compliance.media import SyntheticMedia
from compliance.permit import Claim, LikenessUse, Permit, Role
from engines.job import CancelToken, Events


@dataclass(frozen=True, slots=True)
class Input:
    """One file fed to an engine. role: "source" or "target"; name is only for messages; sha256 is hex, of the bytes."""

    role: Role
    likeness: Literal["face", "voice"]
    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """Frozen plain data: what is asked, of which engine, with which options and inputs.

    options: JSON values only. faces_edited: how many faces of the target will be edited (from `Engine.survey`).
    """

    function: str
    engine: str
    inputs: tuple[Input, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = "private"
    faces_edited: int = 0
    consents: tuple[str, ...] = ()
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain data for the worker's pipe and for the digest."""
        return {
            "function": self.function,
            "engine": self.engine,
            "inputs": [
                {"role": item.role, "likeness": item.likeness, "sha256": item.sha256, "name": item.name}
                for item in self.inputs
            ],
            "options": dict(self.options),
            "purpose": self.purpose,
            "faces_edited": self.faces_edited,
            "consents": list(self.consents),
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Request:
        """Read what to_json wrote."""
        return cls(
            **{
                **data,
                "inputs": tuple(Input(**item) for item in data["inputs"]),
                "consents": tuple(data["consents"]),
            }
        )

    def digest(self) -> str:
        """SHA-256 (hex) of the request without file names: sorted compact JSON."""
        data = self.to_json()
        for item in data["inputs"]:
            del item["name"]
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def claim(self) -> Claim:
        """What the gate is asked for."""
        return Claim(
            function=self.function,
            engine=self.engine,
            request_sha256=self.digest(),
            uses=tuple(LikenessUse(item.role, item.likeness, item.sha256) for item in self.inputs),
            purpose=self.purpose,
            faces_edited=self.faces_edited,
            consents=self.consents,
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

    box: (left, top, width, height). eye_distance_px: between the outer eye corners.
    """

    number: int
    box: tuple[int, int, int, int]
    eye_distance_px: float
    yaw_degrees: float


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
_HOMES = {"face.mesh": "engines.face.mesh_swap", "fake.noise": "engines.fake.noise"}


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
