"""Voices as ONNX models, by two contracts.

Piper (pack kind "voice.piper"): one .onnx file and its JSON (NAME.onnx.json or config.json) with audio.sample_rate,
phoneme_id_map (sign → ids; "^" begins, "_" parts, "$" ends), inference (noise_scale, length_scale, noise_w),
espeak.voice, phoneme_type ("espeak" or "text") and speaker_id_map. The model takes input int64 (1, signs),
input_lengths int64 (1,), scales float32 (3,): noise, length, noise of the lengths, and, with several speakers, sid
int64 (1,); it gives float32 samples.

Kokoro (pack kind "voice.kokoro"): one .onnx file, config.json with vocab (sign → id), rate_hz (24000 if left out) and
languages (names of espeak-ng, "en-us" if left out), and voices.safetensors: a float32 tensor (lengths, 1, 256) for
each voice. The model takes input_ids (or tokens) int64 (1, signs with a 0 at both ends), style float32 (1, 256), the
row of the voice for so many signs, and speed float32 (1,); it gives float32 samples.

Chance inside a model follows the seed only where the seed is set before the model is loaded, so a model is loaded
for each request.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from compliance.errors import LanguageUnspoken, PackDamaged, PackUnfit, SpeechFailed
from engines.packs import ModelPack
from engines.voice.joining import Mono

KINDS: Final = ("voice.piper", "voice.kokoro")
VOICES = "voices.safetensors"
_LARGEST_CONFIG = 16 << 20
_LONGEST_KOKORO = 510
_RATES_HZ = (8000, 192_000)


@dataclass(slots=True)
class OnnxVoice:
    """A loaded voice. phonemes_in: the voice of espeak-ng whose phonemes it reads; None: it reads letters."""

    pack: str
    rate_hz: int
    languages: tuple[str, ...]
    speakers: tuple[str, ...]
    phonemes_in: str | None
    ids_of: Callable[[str], list[int]]
    feed_of: Callable[[list[int], str, float], dict[str, Any]]
    session: Any

    def say(self, signs: str, speaker: str, speed: float) -> Mono:
        """Speak phonemes or letters: float32, (frames,). Raises LanguageUnspoken, SpeechFailed."""
        ids = self.ids_of(signs)
        if not ids:
            raise LanguageUnspoken(language=self.languages[0] if self.languages else signs[:20])
        try:
            made = self.session.run(None, self.feed_of(ids, speaker, speed))[0]
        except (LanguageUnspoken, SpeechFailed):
            raise
        except Exception as error:
            # onnxruntime raises classes of its own for every way in which a model can fail.
            raise SpeechFailed(voice=self.pack, reason=type(error).__name__) from error
        return np.nan_to_num(np.asarray(made, np.float32).reshape(-1))

    def knows_all(self, signs: str) -> bool:
        """Whether every letter of what is to be said has its id."""
        return all(self.ids_of(sign) for sign in signs if sign.isalpha())


def load(pack: ModelPack, seed: int) -> OnnxVoice:
    """Verify a pack and load its voice; raises PackDamaged, PackForeign, PackUnfit."""
    if pack.kind not in KINDS:
        raise PackUnfit(pack=pack.id, kind=pack.kind, wanted=" / ".join(KINDS))
    pack.verify()
    models = [name for name in pack.files if name.endswith(".onnx")]
    if len(models) != 1:
        raise PackDamaged(pack=pack.id, file="-", reason="not exactly one .onnx file")
    own = f"{models[0]}.json"
    config = _config(pack, own if own in pack.files else "config.json")
    session = open_session(pack, models[0], seed)
    try:
        return _piper(pack, config, session) if pack.kind == "voice.piper" else _kokoro(pack, config, session)
    except (KeyError, TypeError, ValueError, AttributeError, OSError, IndexError) as error:
        reason = f"does not load: {type(error).__name__}"
        raise PackDamaged(pack=pack.id, file="config.json", reason=reason) from error


def _config(pack: ModelPack, name: str) -> dict[str, Any]:
    path = pack.path(name)
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ValueError("too large")
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict):
            raise ValueError("no table")
    except (OSError, ValueError) as error:
        raise PackDamaged(pack=pack.id, file=name, reason="unreadable") from error
    return data


def open_session(pack: ModelPack, name: str, seed: int) -> Any:
    """One model of a verified pack, on the processor; raises PackDamaged."""
    import onnxruntime

    try:
        onnxruntime.set_seed(seed % (1 << 31))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        return onnxruntime.InferenceSession(str(pack.path(name)), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises classes of its own for every way in which a model can be unusable.
        raise PackDamaged(pack=pack.id, file=name, reason=f"does not load: {type(error).__name__}") from error


def _inputs(pack: ModelPack, session: Any, needed: Mapping[str, str], allowed: Mapping[str, str]) -> dict[str, str]:
    """The inputs of a model by name and type, checked against its contract; raises PackDamaged."""
    found = {each.name: str(each.type) for each in session.get_inputs()}
    known = {**needed, **allowed}
    if not needed.keys() <= found.keys() <= known.keys() or any(found[name] != known[name] for name in found):
        raise PackDamaged(pack=pack.id, file="-", reason="inputs that the contract of its kind does not know")
    return found


def _rate(value: Any) -> int:
    if not _RATES_HZ[0] <= int(value) <= _RATES_HZ[1]:
        raise ValueError("rate")
    return int(value)


def _piper(pack: ModelPack, config: Mapping[str, Any], session: Any) -> OnnxVoice:
    needed = {"input": "tensor(int64)", "input_lengths": "tensor(int64)", "scales": "tensor(float)"}
    found = _inputs(pack, session, needed, {"sid": "tensor(int64)"})
    ids = {str(sign): [int(each) for each in places] for sign, places in config["phoneme_id_map"].items()}
    begin, part, end = ids["^"], ids["_"], ids["$"]
    chance = config.get("inference") or {}
    noise, length, length_noise = (
        float(chance.get(name, usual))
        for name, usual in (("noise_scale", 0.667), ("length_scale", 1.0), ("noise_w", 0.8))
    )
    speakers = {str(name): int(place) for name, place in (config.get("speaker_id_map") or {}).items()}
    if "sid" in found and not speakers:
        speakers = {str(place): place for place in range(int(config["num_speakers"]))}
    voice = str((config.get("espeak") or {}).get("voice") or "")
    reads_letters = config.get("phoneme_type") == "text"
    language = str((config.get("language") or {}).get("code") or voice)

    def ids_of(signs: str) -> list[int]:
        said = unicodedata.normalize("NFD", signs.casefold() if reads_letters else signs)
        known = [ids[sign] for sign in said if sign in ids and sign not in "^_$"]
        return [*begin, *part, *(each for sign in known for each in (*sign, *part)), *end] if known else []

    def feed_of(places: list[int], speaker: str, speed: float) -> dict[str, Any]:
        feed: dict[str, Any] = {
            "input": np.array([places], np.int64),
            "input_lengths": np.array([len(places)], np.int64),
            "scales": np.array([noise, length / speed, length_noise], np.float32),
        }
        return feed | ({"sid": np.array([speakers[speaker]], np.int64)} if "sid" in found else {})

    return OnnxVoice(
        pack=pack.id,
        rate_hz=_rate(config["audio"]["sample_rate"]),
        languages=(language,) if language else (),
        speakers=tuple(speakers) if "sid" in found else (),
        phonemes_in=None if reads_letters else voice,
        ids_of=ids_of,
        feed_of=feed_of,
        session=session,
    )


def _kokoro(pack: ModelPack, config: Mapping[str, Any], session: Any) -> OnnxVoice:
    from safetensors.numpy import load_file

    signs_in = "tokens" if any(each.name == "tokens" for each in session.get_inputs()) else "input_ids"
    needed = {signs_in: "tensor(int64)", "style": "tensor(float)", "speed": "tensor(float)"}
    _inputs(pack, session, needed, {})
    ids = {str(sign): int(place) for sign, place in config["vocab"].items()}
    styles = {name: np.asarray(rows, np.float32).reshape(len(rows), -1) for name, rows in _tensors(pack, load_file)}
    languages = config.get("languages") or ["en-us"]
    if not styles or not isinstance(languages, list):
        raise ValueError("no voices")

    def ids_of(signs: str) -> list[int]:
        return [ids[sign] for sign in signs if sign in ids]

    def feed_of(places: list[int], speaker: str, speed: float) -> dict[str, Any]:
        rows = styles[speaker]
        if len(places) > min(_LONGEST_KOKORO, len(rows)):
            raise SpeechFailed(voice=pack.id, reason="a sentence is too long for this voice")
        return {
            signs_in: np.array([[0, *places, 0]], np.int64),
            "style": rows[len(places) - 1][None],
            "speed": np.array([speed], np.float32),
        }

    return OnnxVoice(
        pack=pack.id,
        rate_hz=_rate(config.get("rate_hz", 24_000)),
        languages=tuple(str(name) for name in languages),
        speakers=tuple(sorted(styles)),
        phonemes_in="" if len(languages) > 1 else str(languages[0]),
        ids_of=ids_of,
        feed_of=feed_of,
        session=session,
    )


def _tensors(pack: ModelPack, load_file: Callable[[str], dict[str, Any]]) -> list[tuple[str, Any]]:
    return list(load_file(str(pack.path(VOICES))).items())
