"""Templates of voices by an ONNX pack of the operator's choice, instead of the built-in network.

The pack (kind "speaker") holds one .onnx file with one input, float32 (1, samples), one channel at 16 kHz, and one
vector of any length as its first output; and speaker.json with threshold, from where on two templates are one person's
(a cosine), and allowance, by how much a stretch of five seconds may lie below it (0.08 if left out).
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from compliance.errors import PackDamaged, PackUnfit, VoiceNotFound
from engines.packs import ModelPack, pack_named
from engines.sound import Wave, decode_sound
from engines.voice.onnx_models import open_session
from engines.voice.speaker import LEAST_SPEECH_S, RATE_HZ, STRETCH_ALLOWANCE, Floats32, VoicePrint, speech_of

KIND: Final = "speaker"
SETTINGS: Final = "speaker.json"
_STRETCH_S, _STEP_S = 5.0, 2.5
_MOST_STRETCHES = 120
_LARGEST_SETTINGS = 1 << 20


class OnnxSpeaker:
    """A speaker model of a pack, verified and loaded."""

    def __init__(self, pack: ModelPack) -> None:
        """Load it; raises PackUnfit, PackDamaged, PackForeign."""
        if pack.kind != KIND:
            raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=KIND)
        pack.verify()
        names = [name for name in pack.files if name.endswith(".onnx")]
        if len(names) != 1:
            raise PackDamaged(pack=pack.id, file="-", reason="not exactly one .onnx file")
        self.id, self.model_sha256 = pack.id, pack.files[names[0]]
        self.threshold, self.allowance = _settings(pack)
        self._session: Any = open_session(pack, names[0], 0)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)":
            raise PackDamaged(pack=pack.id, file=names[0], reason="inputs that the contract of its kind does not know")
        self._input = inputs[0].name

    def embed(self, name: str, samples: Wave) -> VoicePrint:
        """The template of a recording at 16 kHz; raises VoiceNotFound for too little speech, PackDamaged."""
        speech = speech_of(samples)
        if len(speech) < LEAST_SPEECH_S * RATE_HZ:
            raise VoiceNotFound(path=name, seconds=round(len(speech) / RATE_HZ, 1), limit_s=LEAST_SPEECH_S)
        width = round(_STRETCH_S * RATE_HZ)
        starts = np.arange(0, max(1, len(speech) - width + 1), round(_STEP_S * RATE_HZ))
        if len(starts) > _MOST_STRETCHES:
            starts = starts[np.linspace(0, len(starts) - 1, _MOST_STRETCHES).astype(int)]
        # The last one ends with the recording: nobody speaks only there and is not heard.
        starts = np.unique([*starts, max(0, len(speech) - width)])
        stretches = np.stack([self._vector(speech[start : start + width]) for start in starts])
        mean = stretches.mean(axis=0)
        length = float(np.linalg.norm(mean))
        if length < 1e-6:
            raise PackDamaged(pack=self.id, file="-", reason="its answer is no template")
        whole = np.asarray(mean / length, np.float32)
        return VoicePrint(whole, stretches if len(stretches) > 1 else stretches[:0], len(speech) / RATE_HZ)

    def _vector(self, samples: Wave) -> Floats32:
        try:
            (found, *_) = self._session.run(None, {self._input: np.asarray(samples, np.float32)[None]})
        except Exception as error:
            # onnxruntime raises classes of its own for every way in which a model can fail.
            raise PackDamaged(pack=self.id, file="-", reason="it does not answer") from error
        vector = np.asarray(found, np.float32).reshape(-1)
        length = float(np.linalg.norm(vector))
        if vector.size < 2 or not np.isfinite(length) or length == 0.0:
            raise PackDamaged(pack=self.id, file="-", reason="its answer is no template")
        return np.asarray(vector / np.float32(length), np.float32)


def _settings(pack: ModelPack) -> tuple[float, float]:
    try:
        path = pack.path(SETTINGS)
        if path.stat().st_size > _LARGEST_SETTINGS:
            raise ValueError
        data = json.loads(path.read_bytes())
        threshold, allowance = float(data["threshold"]), float(data.get("allowance", STRETCH_ALLOWANCE))
        # A threshold of nothing would know everybody.
        if not (0.0 < threshold <= 1.0 and 0.0 <= allowance < threshold):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackDamaged(pack=pack.id, file=SETTINGS, reason="unreadable") from error
    return threshold, allowance


def embed_sound_by(pack_id: str, name: str, data: bytes) -> dict[str, Any]:
    """The template of the voice in an encoded sound by a pack, as engines.voice.speaker.embed_sound gives it.

    Raises NotASound, SoundTooLong, VoiceNotFound, PackMissing, PackUnfit, PackDamaged, PackForeign.
    """
    speaker = OnnxSpeaker(pack_named(pack_id))
    sound = decode_sound(name, data, RATE_HZ)
    heard = speaker.embed(name, sound.samples)
    return {
        "model_sha256": speaker.model_sha256,
        "threshold": speaker.threshold,
        "allowance": speaker.allowance,
        "voice": heard.vector.tolist(),
        "stretches": heard.stretches.tolist(),
        "recording_s": sound.seconds,
    }
