"""Where neural engines compute: the choice of a device, its proof, and the number type that suits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from compliance.errors import DeviceUnavailable

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[DeviceName, ...] = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class Device:
    """A device that has been proven: a small sum was computed there. memory_mib: of the device, 0 where not told."""

    name: Literal["cpu", "cuda", "mps"]
    dtype: Literal["float32", "float16", "bfloat16"]
    memory_mib: int


def choose_device(wanted: str = "auto", dtype: str = "auto") -> Device:
    """Pick and prove a device; torch is imported here.

    wanted: one of DEVICES; auto takes a GPU where there is one. dtype: auto, float32, float16 or bfloat16.
    Raises DeviceUnavailable when the wanted one does not compute; never falls back silently to another.
    """
    import torch

    if wanted not in DEVICES:
        raise DeviceUnavailable(device=wanted)
    name = wanted
    if wanted == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        proof = torch.arange(8, device=name).sum().item()
    except (RuntimeError, AssertionError) as error:
        raise DeviceUnavailable(device=name) from error
    if proof != 28:
        raise DeviceUnavailable(device=name)
    chosen = dtype
    if dtype == "auto":
        chosen = "float32" if name == "cpu" else "bfloat16" if _has_bfloat16(torch, name) else "float16"
    memory = int(torch.cuda.get_device_properties(0).total_memory >> 20) if name == "cuda" else 0
    return Device(name, chosen, memory)  # type: ignore[arg-type]  # both are checked above or by torch


def _has_bfloat16(torch: Any, name: str) -> bool:
    return bool(name == "cuda" and torch.cuda.is_bf16_supported())
