"""ONNX models of pictures out of model packs: loaded once, never trusted about shapes or numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import ModelUnfit, OutOfMemory, PackUnfit
from engines.packs import ModelPack, pack_named

Planes = NDArray[np.float32]
BARE_KIND: Final = "onnx"
"""The kind of a pack made of a lone ONNX file: taken at its user's word, and looked at when it is used."""
_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Network:
    """One model with one picture in and pictures out. fixed_px: (height, width) it insists on; None: any will do."""

    def __init__(self, pack: ModelPack) -> None:
        """Verify and load; raises PackDamaged, PackForeign, ModelUnfit."""
        import onnxruntime

        pack.verify()
        names = [name for name in pack.files if name.endswith(".onnx")]
        if len(names) != 1:
            raise ModelUnfit(pack=pack.id, reason="it does not hold one ONNX file")
        self.pack = pack.id
        try:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            self._session = onnxruntime.InferenceSession(
                str(pack.path(names[0])), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # onnxruntime raises classes of its own for every way in which a model can be unusable.
            raise ModelUnfit(pack=pack.id, reason="its model cannot be loaded") from error
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape) if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] not in (3, "3") or inputs[0].type not in _NUMBERS:
            raise ModelUnfit(pack=pack.id, reason="its model does not take one picture of three colours")
        self._name, self._number = inputs[0].name, _NUMBERS[inputs[0].type]
        sides = shape[2:]
        self.fixed_px: tuple[int, int] | None = (
            (sides[0], sides[1]) if all(isinstance(side, int) and side > 0 for side in sides) else None
        )

    def ask(self, planes: Planes) -> Planes:
        """The first output for one picture. planes: float32, (1, 3, height, width).

        Returns float32, (1, channels, height, width). Raises ModelUnfit, OutOfMemory.
        """
        try:
            made = self._session.run(None, {self._name: planes.astype(self._number)})[0]
        except MemoryError as error:
            raise OutOfMemory(stage="engine") from error
        except Exception as error:
            if "alloc" in str(error).lower():
                raise OutOfMemory(stage="engine") from error
            # onnxruntime raises classes of its own for every way in which a model can fail.
            raise ModelUnfit(pack=self.pack, reason="its model fails on a picture") from error
        found: Any = np.asarray(made, np.float32)
        if found.ndim == 3:
            found = found[None]
        if found.ndim != 4 or found.shape[0] != 1 or not np.isfinite(found).all():
            raise ModelUnfit(pack=self.pack, reason="its model answers with something other than a picture")
        return np.ascontiguousarray(found)


class Shelf:
    """Keeps the model that was used last, by the digest of its pack."""

    def __init__(self) -> None:
        self._kept: tuple[str, Network] | None = None

    def network(self, pack_id: str, kinds: tuple[str, ...]) -> Network:
        """The model of a pack of one of these kinds; raises PackMissing, PackUnfit, PackDamaged, ModelUnfit."""
        pack = pack_named(pack_id)
        if pack.kind not in (*kinds, BARE_KIND):
            raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=kinds[0])
        digest = pack.digest()
        if self._kept is None or self._kept[0] != digest:
            self._kept = None
            self._kept = digest, Network(pack)
        return self._kept[1]
