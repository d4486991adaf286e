"""Loads voices of coqui-tts from packs: VITS, XTTS, and the mel models (Glow-TTS, FastPitch and their kin).

The model is built from its config.json and filled from safetensors; coqui-tts never sees a path outside the pack, no
name that it could look up in a hub, and no pickle. Of config.json only what the models need is believed: classes and
functions that it names must stand in the tables here, and paths are replaced by the pack's own files.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LanguageUnspoken, PackDamaged
from engines.device import Device
from engines.packs import ModelPack
from engines.voice import torchaudio_stand_in
from engines.voice.coqui_checkpoint import SPEAKERS, VOCODER, WEIGHTS
from engines.voice.coqui_vocoder import Generator, GriffinLim, Vocoder

KIND = "voice.coqui"
MODELS = frozenset({"vits", "xtts", "glow_tts", "fast_pitch", "fast_speech", "fastspeech2", "speedy_speech"})
_VOCODERS = frozenset({"hifigan_generator", "melgan_generator", "multiband_melgan_generator", "univnet_generator"})
_CHARACTERS = frozenset(
    {
        "TTS.tts.models.vits.VitsCharacters",
        "TTS.tts.utils.text.characters.BaseCharacters",
        "TTS.tts.utils.text.characters.Graphemes",
        "TTS.tts.utils.text.characters.IPAPhonemes",
    }
)
# Settings whose value is a file; those without a file in the pack are left empty.
_FILES = ("speaker_file", "speakers_file", "d_vector_file", "language_ids_file", "tokenizer_file", "stats_path")
_UNUSED = (
    "speaker_encoder_model_path",
    "speaker_encoder_config_path",
    "gpt_checkpoint",
    "clvp_checkpoint",
    "decoder_checkpoint",
    "mel_norm_file",
)
_LARGEST_CONFIG = 16 << 20

Samples = NDArray[np.float32]
Phonemes = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Reference:
    """A recording whose voice is taken on. samples: float32, (frames,), -1 to 1."""

    samples: Samples
    rate_hz: int


@dataclass(slots=True)
class CoquiVoice:
    """A loaded voice. languages and speakers may be empty: then it has one and does not say which.

    phonemes_in: it reads phonemes of this voice of espeak-ng ("": of the language of the text); None: it reads letters.
    """

    model: Any
    vocoder: Vocoder | None
    pack: str
    name: str
    rate_hz: int
    languages: tuple[str, ...]
    speakers: tuple[str, ...]
    stored: Mapping[str, tuple[Any, Any]]
    phonemes_in: str | None
    length_scale: float = 1.0

    @property
    def clones(self) -> bool:
        """Whether it can take on the voice of a recording."""
        return self.name == "xtts"

    def say(
        self,
        text: str,
        *,
        language: str,
        speaker: str,
        reference: Reference | None,
        speed: float,
        temperature: float,
        seed: int,
        phonemes: Phonemes,
        check: Callable[[], None],
    ) -> Samples:
        """Speak one piece of text: float32, (frames,). check is called at every step where the model has steps.

        Raises LanguageUnspoken when it knows none of the letters of the text.
        """
        import torch

        check()
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(seed)
            if self.name == "xtts":
                made = self._say_xtts(text, language, speaker, reference, speed, temperature, check)
            else:
                made = self._say_by_letters(text, language, speaker, speed, phonemes)
        samples: Samples = np.nan_to_num(np.asarray(made, np.float32).reshape(-1))
        return samples

    def _say_xtts(
        self,
        text: str,
        language: str,
        speaker: str,
        reference: Reference | None,
        speed: float,
        temperature: float,
        check: Callable[[], None],
    ) -> Any:
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList

        class Stop(StoppingCriteria):
            def __call__(self, input_ids: Any, _scores: Any, **_: Any) -> Any:
                check()
                return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

        if reference is not None:
            heard = torch.from_numpy(reference.samples)[None]
            style = self.model.get_gpt_cond_latents(heard, reference.rate_hz)
            voice = self.model.get_speaker_embedding(heard, reference.rate_hz)
        else:
            style, voice = self.stored[speaker]
        return self.model.inference(
            text,
            language,
            style,
            voice,
            temperature=temperature,
            speed=speed,
            stopping_criteria=StoppingCriteriaList([Stop()]),
        )["wav"]

    def _say_by_letters(self, text: str, language: str, speaker: str, speed: float, phonemes: Phonemes) -> Any:
        model = self.model
        tokenizer = model.tokenizer
        cleaned = tokenizer.text_cleaner(text, lang=language.split("-")[0] or None) if tokenizer.text_cleaner else text
        if self.phonemes_in is not None:
            cleaned = phonemes(cleaned)
            tokenizer.phonemizer.handed = cleaned
        if not any(sign.isalnum() and self._knows(sign) for sign in cleaned):
            raise LanguageUnspoken(language=language or cleaned[:20])
        model.length_scale = self.length_scale / speed
        made = model.synthesize(
            text,
            speaker=speaker or None,
            language=language if language in model.language_manager.name_to_id else None,
            use_griffin_lim=False,
        )
        if made["wav"] is not None:
            return made["wav"]
        spectrogram = made["outputs"]["model_outputs"][0].detach().float().cpu().numpy().squeeze()
        return self.vocoder(model.ap, spectrogram) if self.vocoder is not None else spectrogram

    def _knows(self, sign: str) -> bool:
        try:
            self.model.tokenizer.characters.char_to_id(sign)
        except KeyError:
            return False
        return True

    def forget_unknown_signs(self) -> bool:
        """Whether signs were met since the last time that this voice does not know."""
        unknown = getattr(self.model.tokenizer, "not_found_characters", [])
        met = any(sign.isalnum() for sign in unknown)
        if unknown:
            unknown.clear()
        return met


def load(pack: ModelPack, device: Device) -> CoquiVoice:
    """Verify a pack and load its voice; raises PackDamaged, PackForeign.

    device: computing in float32 everywhere, since vocoders lose sound in 16 bits.
    """
    pack.verify()
    data = read_config(pack, "config.json")
    _require_known(pack, data)
    import torch

    try:
        # A model is made of chance numbers before it is filled; nobody else's chance may depend on that.
        with coqui(), torch.random.fork_rng(devices=[]):
            config = _config(pack, data)
            voice = _xtts(pack, config) if config.model == "xtts" else _by_letters(pack, config)
    except PackDamaged:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        AttributeError,
        ImportError,
        AssertionError,
    ) as error:
        raise PackDamaged(pack=pack.id, file="config.json", reason=f"does not load: {type(error).__name__}") from error
    voice.model.to(device.name).eval()
    return voice


def read_config(pack: ModelPack, name: str) -> dict[str, Any]:
    """One config of a pack as plain data; raises PackDamaged."""
    path = pack.path(name)
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise ValueError
        data = json.loads(path.read_bytes())
        if not isinstance(data, dict):
            raise ValueError
    except (OSError, ValueError) as error:
        raise PackDamaged(pack=pack.id, file=name, reason="unreadable") from error
    return data


def _require_known(pack: ModelPack, data: Mapping[str, Any]) -> None:
    """Refuse settings that name code, unless it is code we know."""

    def refuse(reason: str) -> PackDamaged:
        return PackDamaged(pack=pack.id, file="config.json", reason=reason)

    if str(data.get("model", "")).lower() not in MODELS:
        raise refuse(f"no voice model of ours: {str(data.get('model'))[:40]}")
    if data.get("base_model") not in (None, "", "forward_tts"):
        raise refuse("an unknown base model")
    characters = data.get("characters")
    if isinstance(characters, Mapping) and characters.get("characters_class") not in (None, "", *_CHARACTERS):
        raise refuse("an unknown class of characters")
    cleaner = data.get("text_cleaner")
    if cleaner is not None and not (
        isinstance(cleaner, str) and cleaner.endswith("_cleaners") and cleaner.isidentifier()
    ):
        raise refuse("an unknown text cleaner")
    if data.get("use_phonemes") and data.get("phonemizer") not in (None, "", "espeak", "multi_phonemizer"):
        raise refuse(f"phonemes of {str(data['phonemizer'])[:40]}, which Signet does not bring")
    if str(data["model"]).lower() == "xtts" and "vocab.json" not in pack.files:
        raise PackDamaged(pack=pack.id, file="vocab.json", reason="the tokenizer is missing")


@contextmanager
def coqui() -> Iterator[None]:
    """coqui-tts as it may be imported here: offline, silent, and without looking for programs to start."""
    # numba, under librosa, refuses to be imported where it cannot write down what it compiles, and nothing is written.
    os.environ.update(HF_HUB_OFFLINE="1", NUMBA_DISABLE_JIT="1")
    torchaudio_stand_in.install()
    # It asks espeak-ng for its version when it is imported, by starting it. With no PATH it finds none.
    path, os.environ["PATH"] = os.environ.get("PATH", ""), ""
    for name in ("TTS", "trainer"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        # It warns of settings that its own models do not know; what does not fit shows when the weights are filled in.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import TTS.tts.utils.text.phonemizers as table

            table.PHONEMIZERS["espeak"] = _phonemizer()
            # Not empty: coqui-tts would otherwise fill it by starting espeak-ng.
            table.DEF_LANG_TO_PHONEMIZER.setdefault("-", "espeak")
            yield
    finally:
        os.environ["PATH"] = path


def _phonemizer() -> Any:
    """A phonemizer for coqui-tts that hands on what was found before; see CoquiVoice.say."""

    class Handed:
        handed = ""

        def __init__(self, language: str = "", **_: Any) -> None:
            self.language = language

        @staticmethod
        def name() -> str:
            return "espeak"

        def phonemize(self, text: str, separator: str = "", language: str | None = None) -> str:
            return self.handed

    return Handed


def _config(pack: ModelPack, data: dict[str, Any]) -> Any:
    from TTS.config import register_config

    def own(holder: dict[str, Any]) -> None:
        for key in _UNUSED:
            if key in holder:
                holder[key] = None
        for key in _FILES:
            if holder.get(key):
                name = PurePosixPath(str(holder[key]).replace("\\", "/")).name
                name = f"{name.removesuffix('.pth')}.json" if name.endswith(".pth") else name
                holder[key] = str(pack.path(name)) if name in pack.files else None

    data = dict(data)
    data["model"] = str(data["model"]).lower()
    if data.get("use_phonemes"):
        data["phonemizer"] = "espeak"
    for holder in (data, data.get("model_args"), data.get("audio")):
        if isinstance(holder, dict):
            own(holder)
    if data["model"] == "vits" and isinstance(data.get("model_args"), dict):
        data["model_args"]["init_discriminator"] = False
    config = register_config(data["model"])()
    config.from_dict(data)
    return config


def _fill(pack: ModelPack, module: Any, name: str, keep: Callable[[str], str | None]) -> None:
    """Load weights into a module; every tensor must have its place and every place its tensor."""
    from safetensors.torch import load_file

    held = {}
    for key, tensor in load_file(str(pack.path(name)), device="cpu").items():
        kept = keep(key)
        if kept is not None:
            held[kept] = tensor
    try:
        module.load_state_dict(held, strict=True)
    except RuntimeError as error:
        raise PackDamaged(pack=pack.id, file=name, reason="weights of another model than config.json says") from error


def _by_letters(pack: ModelPack, config: Any) -> CoquiVoice:
    from TTS.tts.models import setup_model

    model = setup_model(config)
    _fill(pack, model, WEIGHTS, lambda key: None if key.startswith(("disc.", "speaker_encoder")) else key)
    model.eval()
    if hasattr(model, "store_inverse"):
        model.store_inverse()
    managed = model.speaker_manager
    known = [*(config.languages or ()), *(one.get("language") or "" for one in config.datasets or ())]
    if not any(known) and config.get("phoneme_language"):
        known = [config.phoneme_language]
    # coqui-tts writes "en" where its training told no language; that says nothing about the voice.
    told = tuple(dict.fromkeys(each for each in known if each))
    own_hz = int(config.audio.sample_rate)
    vocoder = _generator(pack) if f"{VOCODER}config.json" in pack.files else GriffinLim(own_hz)
    return CoquiVoice(
        model=model,
        vocoder=vocoder,
        pack=pack.id,
        name=config.model,
        rate_hz=own_hz if config.model == "vits" else vocoder.rate_hz,
        languages=told,
        speakers=tuple(managed.speaker_names) if managed is not None else (),
        stored={},
        phonemes_in=str(config.phoneme_language or "") if config.use_phonemes else None,
        length_scale=float(getattr(model, "length_scale", 1.0)),
    )


def _xtts(pack: ModelPack, config: Any) -> CoquiVoice:
    from safetensors.torch import load_file
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
    from TTS.tts.models import setup_model

    model = setup_model(config)
    try:
        model.tokenizer = VoiceBpeTokenizer(vocab_file=str(pack.path("vocab.json")))
    except Exception as error:
        # The tokenizer's reader raises plain Exception for whatever is no tokenizer.
        raise PackDamaged(pack=pack.id, file="vocab.json", reason="no tokenizer") from error
    model.init_models()
    # Version 1 files hold the parts for inference, which later ones leave to be made.
    _fill(pack, model, WEIGHTS, lambda key: None if key.startswith("gpt.gpt_inference.") else key)
    model.hifigan_decoder.eval()
    model.gpt.init_gpt_for_inference(kv_cache=model.args.kv_cache, use_deepspeed=False)
    model.gpt.eval()
    stored: dict[str, dict[str, Any]] = {}
    if SPEAKERS in pack.files:
        for key, tensor in load_file(str(pack.path(SPEAKERS)), device="cpu").items():
            speaker, _, part = key.rpartition("/")
            stored.setdefault(speaker, {})[part] = tensor
    return CoquiVoice(
        model=model,
        vocoder=None,
        pack=pack.id,
        name="xtts",
        rate_hz=int(config.model_args.output_sample_rate),
        languages=tuple(config.languages),
        speakers=tuple(stored),
        stored={name: (parts["style"], parts["speaker"]) for name, parts in stored.items()},
        phonemes_in=None,
    )


def _generator(pack: ModelPack) -> Generator:
    """The vocoder in the folder `vocoder` of a pack; raises PackDamaged."""
    from TTS.config import register_config
    from TTS.utils.audio import AudioProcessor
    from TTS.vocoder.models import setup_generator

    name = f"{VOCODER}config.json"
    data = read_config(pack, name)
    generator_name = str(data.get("generator_model", "")).lower()
    if generator_name not in _VOCODERS or not isinstance(data.get("audio"), dict):
        raise PackDamaged(pack=pack.id, file=name, reason="no vocoder of ours")
    data["audio"]["stats_path"] = None
    config = register_config(generator_name.removesuffix("_generator"))()
    config.from_dict(data)
    generator = setup_generator(config)

    def keep(key: str) -> str | None:
        return None if key.startswith("model_d.") else key.removeprefix("model_g.")

    _fill(pack, generator, VOCODER + WEIGHTS, keep)
    generator.eval()
    if hasattr(generator, "remove_weight_norm"):
        generator.remove_weight_norm()
    return Generator(generator, AudioProcessor(config.audio), int(config.audio.sample_rate))
