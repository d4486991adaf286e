"""How long neural voices take to load, with tiny models of random weights: the library, then each kind of voice.

coqui_import_s: torch and coqui-tts in a fresh process. load_ms_vits, load_ms_xtts, load_ms_piper: from a pack on disk,
checked, to a voice that can speak. rtf_vits_tiny: seconds of computing for a second of sound; the weights are a
hundredth of a real voice's, so this is the cost of everything around them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_IMPORTS = (
    "import time; start = time.perf_counter()\n"
    "from engines.voice.coqui_models import coqui\n"
    "with coqui():\n    import TTS.tts.models.vits, TTS.tts.models.xtts\n"
    "print(time.perf_counter() - start)"
)


def measure_neural() -> dict[str, Any]:
    """Times of import, load and speech."""
    from engines.device import Device
    from engines.packs import LicenceClass
    from engines.voice import coqui_models, onnx_models
    from studio.packs import add_pack
    from tests.engines.tiny_voices import make_piper, make_vits, make_xtts

    told = subprocess.run([sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True)
    found: dict[str, Any] = {"coqui_import_s": round(float(told.stdout.split()[-1]), 2)}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("vits", make_vits), ("xtts", make_xtts), ("piper", make_piper)):
            source = make(Path(folder) / name)
            pack = add_pack(Path(folder), source, pack_id=name, licence="-", licence_class=LicenceClass.OPEN)
            start = time.perf_counter()
            voice: Any = (
                onnx_models.load(pack, 0) if name == "piper" else coqui_models.load(pack, Device("cpu", "float32", 0))
            )
            found[f"load_ms_{name}"] = round((time.perf_counter() - start) * 1000, 1)
            if name == "vits":
                found["rtf_vits_tiny"] = _real_time_factor(voice)
    return found


def _real_time_factor(voice: Any) -> float:
    words: dict[str, Any] = {"language": "en", "speaker": "", "reference": None, "speed": 1.0, "temperature": 0.7}
    words |= {"seed": 0, "phonemes": str, "check": lambda: None}
    voice.say("Warm up.", **words)
    start = time.perf_counter()
    samples = voice.say("the green boat came home before the storm " * 4, **words)
    return round((time.perf_counter() - start) / (len(samples) / voice.rate_hz), 4)


SECTIONS: dict[str, Callable[[], Mapping[str, Any]]] = {"neural": measure_neural}
