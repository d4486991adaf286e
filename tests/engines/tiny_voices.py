"""Voices of coqui-tts and ONNX with random weights, made at test time: real loaders, meaningless sound."""

from __future__ import annotations

import atexit
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engines.voice.coqui_models import coqui

LETTERS = "abcdefghijklmnopqrstuvwxyz你好世界"


def _settings() -> dict[str, Any]:
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.shared_configs import CharactersConfig

    characters = CharactersConfig(
        characters_class="TTS.tts.models.vits.VitsCharacters",
        pad="_",
        eos="",
        bos="",
        blank="~",
        characters=LETTERS,
        punctuations="!,.? ，。",
        phonemes="",
    )
    return {
        "audio": BaseAudioConfig(sample_rate=22050),
        "characters": characters,
        "text_cleaner": "basic_cleaners",
        "use_phonemes": False,
        "test_sentences": [["hello"]],
        "datasets": [],
    }


def make_vits(folder: Path, *, speakers: int = 0, phonemes: bool = False, languages: tuple[str, ...] = ("en",)) -> Path:
    """A VITS of 340 thousand weights as coqui-tts saves one: config.json and a pickle model.pth; half a second."""
    import torch

    folder.mkdir(parents=True)
    with coqui():
        from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
        from TTS.tts.models.vits import Vits

        args = VitsArgs(
            hidden_channels=32,
            hidden_channels_ffn_text_encoder=32,
            num_heads_text_encoder=2,
            num_layers_text_encoder=1,
            num_layers_posterior_encoder=2,
            num_layers_flow=1,
            upsample_rates_decoder=[8, 8, 4],
            upsample_initial_channel_decoder=16,
            upsample_kernel_sizes_decoder=[16, 16, 8],
            resblock_kernel_sizes_decoder=[3],
            resblock_dilation_sizes_decoder=[[1, 3, 5]],
            use_sdp=False,
            init_discriminator=False,
            use_speaker_embedding=speakers > 0,
        )
        names = [f"speaker {number}" for number in range(1, speakers + 1)]
        config = VitsConfig(model_args=args, languages=list(languages), speakers=names, **_settings())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = Vits(config)
        config.save_json(str(folder / "config.json"))
        torch.save({"model": model.state_dict(), "step": 3}, folder / "model.pth")
    if phonemes:
        data = json.loads((folder / "config.json").read_text())
        data |= {"use_phonemes": True, "phonemizer": "espeak", "phoneme_language": "en-us"}
        (folder / "config.json").write_text(json.dumps(data))
    return folder


def make_fast_pitch(folder: Path) -> Path:
    """A FastPitch of half a million weights, which makes spectrograms, without a vocoder."""
    import torch

    folder.mkdir(parents=True)
    with coqui():
        from TTS.config.shared_configs import BaseAudioConfig
        from TTS.tts.configs.fast_pitch_config import FastPitchConfig
        from TTS.tts.models.forward_tts import ForwardTTS, ForwardTTSArgs

        small = {"hidden_channels_ffn": 32, "num_heads": 1, "num_layers": 1, "dropout_p": 0.1}
        settings = _settings()
        settings["characters"].characters_class = "TTS.tts.utils.text.characters.Graphemes"
        settings["audio"] = BaseAudioConfig(sample_rate=22050, griffin_lim_iters=12, preemphasis=0.97)
        config = FastPitchConfig(languages=["en"], **settings)
        config.model_args = ForwardTTSArgs(hidden_channels=32, encoder_params=small, decoder_params=small)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = ForwardTTS(config)
        config.save_json(str(folder / "config.json"))
        torch.save({"model": model.state_dict()}, folder / "model.pth")
    return folder


def make_glow(folder: Path) -> Path:
    """A Glow-TTS of a hundred thousand weights, which makes spectrograms by a flow, without a vocoder."""
    import torch

    folder.mkdir(parents=True)
    with coqui():
        from TTS.config.shared_configs import BaseAudioConfig
        from TTS.tts.configs.glow_tts_config import GlowTTSConfig
        from TTS.tts.models.glow_tts import GlowTTS

        small = {"kernel_size": 3, "dropout_p": 0.1, "num_layers": 1, "num_heads": 1, "hidden_channels_ffn": 32}
        settings = _settings()
        settings["characters"].characters_class = "TTS.tts.utils.text.characters.Graphemes"
        settings["audio"] = BaseAudioConfig(sample_rate=22050, griffin_lim_iters=12)
        config = GlowTTSConfig(
            hidden_channels_enc=32,
            hidden_channels_dec=32,
            hidden_channels_dp=32,
            num_flow_blocks_dec=2,
            num_block_layers=2,
            encoder_params=small,
            inference_noise_scale=0.5,
            **settings,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = GlowTTS(config)
        config.save_json(str(folder / "config.json"))
        torch.save({"model": model.state_dict()}, folder / "model.pth")
    return folder


_once: dict[str, Path] = {}


def the_xtts(folder_of: pytest.TempPathFactory) -> Path:
    """The XTTS of make_xtts, made once in a run of tests and removed behind it; copy it, do not change it."""
    if "xtts" not in _once:
        _once["xtts"] = make_xtts(folder_of.mktemp("the-xtts") / "source")
        atexit.register(shutil.rmtree, _once["xtts"], ignore_errors=True)
    return _once["xtts"]


def make_xtts(folder: Path, *, speakers: tuple[str, ...] = ("Ann",)) -> Path:
    """An XTTS as coqui-tts saves one, with a small language model and its fixed decoder of 90 MB; two seconds."""
    import torch
    from tokenizers import Tokenizer, models

    folder.mkdir(parents=True)
    with coqui():
        from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
        from TTS.tts.models.xtts import Xtts

        words = [
            "[STOP]",
            "[UNK]",
            "[SPACE]",
            "[START]",
            "[en]",
            "[zh-cn]",
            *"abcdefghijklmnopqrstuvwxyz.,!?0123456789",
        ]
        vocabulary = Tokenizer(models.BPE({word: place for place, word in enumerate(words)}, [], unk_token="[UNK]"))
        vocabulary.add_special_tokens(words[:6])
        vocabulary.save(str(folder / "vocab.json"))
        args = XttsArgs(
            gpt_layers=1,
            gpt_n_model_channels=64,
            gpt_n_heads=2,
            gpt_max_audio_tokens=12,
            gpt_max_text_tokens=120,
            gpt_number_text_tokens=len(words),
            gpt_start_text_token=3,
            gpt_stop_text_token=0,
            gpt_num_audio_tokens=34,
            gpt_start_audio_token=32,
            gpt_stop_audio_token=33,
            gpt_use_perceiver_resampler=True,
            decoder_input_dim=64,
            # Where it was trained; whoever loads it takes the file beside it.
            tokenizer_file="/nowhere/vocab.json",
        )
        config = XttsConfig(model_args=args, languages=["en", "zh-cn"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = Xtts(config)
            stored = {
                name: {"gpt_cond_latent": torch.randn(1, 32, 64), "speaker_embedding": torch.randn(1, 512, 1)}
                for name in speakers
            }
        config.save_json(str(folder / "config.json"))
        # The settings go along as an object, as in the files that coqui published.
        torch.save({"model": model.state_dict(), "config": config}, folder / "model.pth")
        torch.save(stored, folder / "speakers_xtts.pth")
    return folder


LETTER_IDS = {sign: [place] for place, sign in enumerate(["_", "^", "$", " ", *LETTERS, ".", ",", "ˈ"])}


def make_piper(folder: Path, *, speakers: int = 0, letters: bool = False) -> Path:
    """A Piper voice that hums 1200 samples a sign with some noise, by its real inputs; a few kilobytes."""
    from onnx import TensorProto, helper

    folder.mkdir(parents=True)
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "signs"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    nodes = [
        _constant("long", [1, 1, 1200], TensorProto.INT64),
        _constant("one", [1], TensorProto.INT64),
        _constant("axis", [2], TensorProto.INT64),
        _constant("steps", [i % 40 / 40.0 for i in range(1200)], TensorProto.FLOAT),
        _constant("loud", [0.2], TensorProto.FLOAT),
        _constant("turn", [6.283], TensorProto.FLOAT),
        # Each sign becomes a row of a wave whose pitch is its id.
        helper.make_node("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["ids", "axis"], ["rows"]),
        helper.make_node("Mul", ["rows", "steps"], ["phases"]),
        helper.make_node("Mul", ["phases", "turn"], ["angles"]),
        helper.make_node("Sin", ["angles"], ["waves"]),
        helper.make_node("RandomNormalLike", ["waves"], ["noise"], scale=0.1),
        helper.make_node("Slice", ["scales", "zero", "one"], ["share"]),
        _constant("zero", [0], TensorProto.INT64),
        helper.make_node("Mul", ["noise", "share"], ["hiss"]),
        helper.make_node("Add", ["waves", "hiss"], ["both"]),
        helper.make_node("Mul", ["both", "loud"], ["soft"]),
        _constant("flat", [1, 1, 1, -1], TensorProto.INT64),
    ]
    if speakers:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        nodes += [
            helper.make_node("Cast", ["sid"], ["who"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["who", "half"], ["gain"]),
            _constant("half", [0.5], TensorProto.FLOAT),
            helper.make_node("Mul", ["soft", "gain"], ["own"]),
        ]
    nodes.append(helper.make_node("Reshape", ["own" if speakers else "soft", "flat"], ["output"]))
    _save(folder / "voice.onnx", nodes, inputs)
    config: dict[str, Any] = {
        "audio": {"sample_rate": 22050},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_id_map": LETTER_IDS,
        "num_speakers": max(1, speakers),
        "speaker_id_map": {f"speaker {number}": number for number in range(speakers)},
    }
    if letters:
        config["phoneme_type"] = "text"
    (folder / "voice.onnx.json").write_text(json.dumps(config))
    return folder


def make_kokoro(folder: Path) -> Path:
    """A voice by Kokoro's contract: 1500 samples a sign, as loud as the style says and as short as the speed."""
    import numpy as np
    from onnx import TensorProto, helper
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "signs"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    nodes = [
        _constant("axis", [2], TensorProto.INT64),
        _constant("steps", [i % 50 / 50.0 for i in range(1500)], TensorProto.FLOAT),
        _constant("flat", [-1], TensorProto.INT64),
        helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["ids", "axis"], ["rows"]),
        helper.make_node("Mul", ["rows", "steps"], ["phases"]),
        helper.make_node("Div", ["phases", "speed"], ["angles"]),
        helper.make_node("Sin", ["angles"], ["waves"]),
        helper.make_node("ReduceMax", ["style"], ["gain"], keepdims=0),
        helper.make_node("Mul", ["waves", "gain"], ["loud"]),
        helper.make_node("Reshape", ["loud", "flat"], ["audio"]),
    ]
    _save(folder / "model.onnx", nodes, inputs, output="audio")
    vocab = {sign: place for sign, (place,) in LETTER_IDS.items() if place > 2}
    (folder / "config.json").write_text(json.dumps({"vocab": vocab, "languages": ["en-us"]}))
    rows = np.linspace(0.1, 0.5, 40, dtype=np.float32)[:, None, None].repeat(256, axis=2)
    save_file({"af_low": rows, "am_high": rows[::-1].copy()}, folder / "voices.safetensors")
    return folder


def _constant(name: str, values: list[Any], kind: int) -> Any:
    from onnx import helper

    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, kind, [len(values)], values))


def _save(path: Path, nodes: list[Any], inputs: list[Any], output: str = "output") -> None:
    import onnx
    from onnx import TensorProto, helper

    constants = [node for node in nodes if node.op_type == "Constant"]
    others = [node for node in nodes if node.op_type != "Constant"]
    made = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    graph = helper.make_graph([*constants, *others], "voice", inputs, made)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
