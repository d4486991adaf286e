"""Voices of coqui-tts and ONNX with random weights, made at test time: real loaders, meaningless sound."""

from __future__ import annotations

import json
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


_once: dict[str, Path] = {}


def the_xtts(folder_of: pytest.TempPathFactory) -> Path:
    """The XTTS of make_xtts, made once in a run of tests; copy it, do not change it."""
    if "xtts" not in _once:
        _once["xtts"] = make_xtts(folder_of.mktemp("the-xtts") / "source")
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
