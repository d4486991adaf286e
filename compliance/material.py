"""An input file as a release remembers it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Material:
    """An input file as it was fed to the engine, for the credential. role: "source", "target" or "mask"."""

    role: str
    mime: str
    data: bytes
