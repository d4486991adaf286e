"""Voice converters as ONNX packs: speech goes in with a recording of another voice, and comes out in that voice.

The contract (pack kind "voice.converter"): converter.json holds rate_hz, of the sounds that go in, and out_rate_hz, of
the sound that comes out (the same if left out). Sounds are float32 (1, samples), one channel, -1 to 1. The folder has

* convert.onnx, with two float32 inputs and float32 samples as its first output, which last as long as the speech;
  the speech is its input `source` (the sound) or `content`, the voice its input `reference` (the sound) or `embedding`;
* content.onnx, where there is the input `content`: the sound of the speech in, what is said in it out, of any shape;
* speaker.onnx, where there is the input `embedding`: the sound of the reference in, whose voice it is out.

Chance inside a model follows the seed only where the seed is set before it is loaded, so it is loaded for each request.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from compliance.errors import ConversionFailed, PackDamaged, PackUnfit
from engines.packs import ModelPack
from engines.voice.joining import Mono
from engines.voice.onnx_models import open_session

KIND: Final = "voice.converter"
SETTINGS: Final = "converter.json"
CONVERT, CONTENT, SPEAKER = "convert.onnx", "content.onnx", "speaker.onnx"
_RATES_HZ = (8000, 48_000)
_LARGEST_SETTINGS = 1 << 20
# Models work in steps of some ten milliseconds and lose up to a few of them at the end.
_LENGTH_TOLERANCE, _SHORTEST_S = 0.1, 0.1


@dataclass(slots=True)
class Converter:
    """A loaded converter. feeds: the model's two inputs, (of the speech, of the voice)."""

    pack: str
    rate_hz: int
    out_rate_hz: int
    feeds: tuple[str, str]
    convert: Any
    content: Any | None
    speaker: Any | None

    def listen(self, reference: Mono) -> Any:
        """What the model is told of a voice, from a recording of it at rate_hz; raises ConversionFailed."""
        return self._answer(self.speaker, reference) if self.speaker is not None else reference[None]

    def change(self, speech: Mono, voice: Any) -> Mono:
        """Speech at rate_hz in another voice: float32, at out_rate_hz, exactly as long. Raises ConversionFailed."""
        said = self._answer(self.content, speech) if self.content is not None else speech[None]
        made = np.asarray(self._run(self.convert, dict(zip(self.feeds, (said, voice), strict=True))), np.float32)
        samples = made.reshape(-1)
        if not np.isfinite(samples).all():
            raise ConversionFailed(pack=self.pack, reason="values that are no numbers")
        length = round(len(speech) * self.out_rate_hz / self.rate_hz)
        if abs(len(samples) - length) > max(_LENGTH_TOLERANCE * length, _SHORTEST_S * self.out_rate_hz):
            raise ConversionFailed(pack=self.pack, reason="the result is not as long as the speech")
        return np.pad(samples[:length], (0, max(0, length - len(samples))))

    def _answer(self, session: Any, sound: Mono) -> Any:
        return self._run(session, {session.get_inputs()[0].name: sound[None]})

    def _run(self, session: Any, feed: dict[str, Any]) -> Any:
        try:
            return session.run(None, feed)[0]
        except Exception as error:
            # onnxruntime raises classes of its own for every way in which a model can fail.
            raise ConversionFailed(pack=self.pack, reason=type(error).__name__) from error


def load(pack: ModelPack, seed: int) -> Converter:
    """Verify a pack and load its models; raises PackUnfit, PackDamaged, PackForeign."""
    if pack.kind != KIND:
        raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=KIND)
    pack.verify()
    rate_hz, out_rate_hz = _rates(pack)
    convert = open_session(pack, CONVERT, seed)
    content, speaker = (open_session(pack, name, seed) if name in pack.files else None for name in (CONTENT, SPEAKER))
    speech, voice = "content" if content is not None else "source", "embedding" if speaker is not None else "reference"
    _verify_inputs(pack, CONVERT, convert, {speech, voice})
    for name, session in ((CONTENT, content), (SPEAKER, speaker)):
        if session is not None:
            _verify_inputs(pack, name, session, None)
    return Converter(pack.id, rate_hz, out_rate_hz, (speech, voice), convert, content, speaker)


def _verify_inputs(pack: ModelPack, name: str, session: Any, wanted: set[str] | None) -> None:
    """wanted: the names of the inputs; None: exactly one, of any name. Raises PackDamaged."""
    found = {each.name: each.type for each in session.get_inputs()}
    fits = len(found) == 1 if wanted is None else found.keys() == wanted
    if not fits or set(found.values()) != {"tensor(float)"}:
        raise PackDamaged(pack=pack.id, file=name, reason="inputs that the contract of its kind does not know")


def _rates(pack: ModelPack) -> tuple[int, int]:
    try:
        path = pack.path(SETTINGS)
        if path.stat().st_size > _LARGEST_SETTINGS:
            raise ValueError
        data = json.loads(path.read_bytes())
        rates = int(data["rate_hz"]), int(data.get("out_rate_hz", data["rate_hz"]))
        if not all(_RATES_HZ[0] <= rate <= _RATES_HZ[1] for rate in rates):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackDamaged(pack=pack.id, file=SETTINGS, reason="unreadable") from error
    return rates
