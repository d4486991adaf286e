"""voice.coqui on tiny voices of random weights: refusals, same bytes, cancel, checkpoints, phonemes, references."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.errors import (
    ExitCode,
    LanguageUnspoken,
    MarkupUnclear,
    NotASound,
    OptionUnfit,
    PackDamaged,
    PackForeign,
    PackMissing,
    PackUnfit,
    ScriptUnclear,
    SignetError,
    SpeechFailed,
    TextEmpty,
    TextTooLong,
    VoiceConsentMissing,
    VoiceNotFound,
)
from compliance.media import SyntheticMedia, unseal_sound
from engines import packs
from engines.engine import Engine, Input, Request, load_engine
from engines.job import CancelToken, Event, JobCancelled, Progress
from engines.voice import coqui_checkpoint, neural, speech
from engines.voice.coqui import N_REFERENCE_CUT
from engines.voice.joining import RATE_HZ
from studio.pack_voices import clones
from studio.packs import add_pack
from tests.engines.conftest import permit_for
from tests.engines.tiny_voices import make_fast_pitch, make_glow, make_vits, the_xtts
from tests.engines.voices import LOW, wav
from tests.engines.voices import speech as made_speech

OPEN: dict[str, Any] = {"licence": "Apache-2.0", "licence_class": packs.LicenceClass.OPEN}
WORDS = {"pack": "many", "text": "Hello world.", "device": "cpu"}


@pytest.fixture(scope="module")
def voices_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a VITS of three voices, one that reads phonemes, one of Chinese, and damaged ones."""
    folder = tmp_path_factory.mktemp("coqui")
    home = folder / "home"
    many = make_vits(folder / "many", speakers=3)
    add_pack(home, many, pack_id="many", **OPEN)
    add_pack(home, make_vits(folder / "sounds", phonemes=True), pack_id="sounds", **OPEN)
    add_pack(home, make_vits(folder / "chinese", languages=("zh-cn",)), pack_id="chinese", **OPEN)
    add_pack(home, make_fast_pitch(folder / "mel"), pack_id="mel", **OPEN)
    add_pack(home, make_glow(folder / "glow"), pack_id="glow", **OPEN)
    for name, change in BENT.items():
        source = folder / name
        shutil.copytree(many, source)
        data = json.loads((source / "config.json").read_text())
        change(data)
        (source / "config.json").write_text(json.dumps(data))
        add_pack(home, source, pack_id=name, kind="voice.coqui", **OPEN)
    plain = folder / "plain"
    plain.mkdir()
    (plain / "config.json").write_text("{}")
    add_pack(home, plain, pack_id="plain", kind="picture.lora", **OPEN)
    return home


BENT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "crossed": lambda data: data.update(model="glow_tts", model_args=None),
    "unknown": lambda data: data.update(model="tortoise"),
    "foreign-code": lambda data: data["characters"].update(characters_class="os.system"),
    "foreign-base": lambda data: data.update(base_model="../../evil"),
    "foreign-cleaner": lambda data: data.update(text_cleaner="__builtins__"),
    "foreign-phonemes": lambda data: data.update(use_phonemes=True, phonemizer="gruut"),
    "narrow": lambda data: data["model_args"].update(hidden_channels=16),
    "no-tokenizer": lambda data: data.update(model="xtts"),
}


@pytest.fixture(scope="module")
def loaded() -> Engine:
    """One engine for all tests, which keeps its last voice."""
    return load_engine("voice.coqui")


@pytest.fixture
def engine(loaded: Engine, voices_home: Path) -> Iterator[Any]:
    """The engine, with the packs of voices_home."""
    before = packs.folders()
    packs.keep_packs_in(voices_home / "packs")
    yield loaded
    for folder in before:
        packs.keep_packs_in(folder)


def run(
    engine: Any,
    source: bytes | None = None,
    *,
    likeness: str = "voice",
    seed: int = 7,
    events: Any = None,
    cancel: Any = None,
    **options: object,
) -> SyntheticMedia:
    """One run."""
    items = () if source is None else (Input("source", likeness, "0" * 64, "ann.wav"),)  # type: ignore[arg-type]  # a literal by name
    request = Request("voice.speak", "voice.coqui", items, {**WORDS, **options}, seed=seed)
    inputs = {} if source is None else {"source": source}
    made: SyntheticMedia = engine.run(
        request, permit_for(request), inputs, events or (lambda _e: None), cancel or CancelToken()
    )
    return made


def sound(media: SyntheticMedia) -> np.ndarray:
    """The samples of a result."""
    return unseal_sound(media)


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, object], type[SignetError]]] = [
    ({"pack": ""}, PackMissing),
    ({"pack": "../keys"}, PackMissing),
    ({"pack": "nothing"}, PackMissing),
    ({"pack": "plain"}, PackUnfit),
    *(({"pack": name}, PackDamaged) for name in BENT),
    ({"text": ""}, TextEmpty),
    ({"text": "\u200d \U0001f600 …"}, TextEmpty),
    ({"text": "x" * 100_000}, TextTooLong),
    ({"text": "a <break time='soon'/> b"}, MarkupUnclear),
    ({"text": "no speaker", "form": "script"}, ScriptUnclear),
    ({"language": "de"}, LanguageUnspoken),
    ({"text": "Привет, мир."}, LanguageUnspoken),
    ({"text": "Hello.", "pack": "chinese", "language": "en"}, LanguageUnspoken),
    ({"voice": "speaker 9"}, OptionUnfit),
    ({"voices": "Bo=speaker 2"}, OptionUnfit),
    ({"text": "Bo: Hello.", "form": "script", "voices": "Bo=nobody"}, OptionUnfit),
    ({"text": "Bo: Hello.", "form": "script", "voices": "Ann=speaker 2"}, OptionUnfit),
    ({"rate": 9}, OptionUnfit),
    ({"rate": float("nan")}, OptionUnfit),
    ({"text": 7}, OptionUnfit),
    ({"device": "quantum"}, OptionUnfit),
    ({"unlabelled": True}, OptionUnfit),
]


@pytest.mark.parametrize(
    ("options", "error"), REFUSED, ids=[" ".join(f"{k}={str(v)[:14]!a}" for k, v in o.items()) for o, _ in REFUSED]
)
def test_bad_requests_are_refused(engine: Any, options: dict[str, object], error: type[SignetError]) -> None:
    """Missing, unfit and bent packs, words nobody can say, unknown voices and languages: each has its error."""
    with pytest.raises(error) as refusal:
        run(engine, **options)
    assert refusal.value.code in (ExitCode.MODEL, ExitCode.USAGE)


def test_settings_that_name_code_are_told_as_such(engine: Any) -> None:
    """The reason names what was refused, and coqui-tts never gets to import it."""
    for name, reason in {
        "foreign-code": "characters",
        "foreign-base": "base model",
        "foreign-cleaner": "cleaner",
        "foreign-phonemes": "gruut",
        "no-tokenizer": "tokenizer",
        "narrow": "another model",
    }.items():
        with pytest.raises(PackDamaged) as refusal:
            run(engine, pack=name)
        assert reason in refusal.value.data["reason"]


def test_a_changed_weight_is_not_loaded(engine: Any, voices_home: Path, tmp_path: Path) -> None:
    """A pack that was touched after it was added is refused before torch reads it."""
    whole = packs.pack_named("many")
    touched = tmp_path / "packs" / "many"
    shutil.copytree(whole.folder, touched)
    weights = touched / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    packs.keep_packs_in(tmp_path / "packs")
    with pytest.raises(PackDamaged) as refusal:
        type(engine)().run(request := _request(), permit_for(request), {}, lambda _e: None, CancelToken())
    assert refusal.value.data["reason"] == "changed"


def _request(**options: object) -> Request:
    return Request("voice.speak", "voice.coqui", (), {**WORDS, **options}, seed=7)


def test_a_voice_without_speech_process_says_what_it_needs(engine: Any) -> None:
    """Phonemes come from the speech process; without one there is an error and no call of a program."""
    before = speech.talk_through(None)
    try:
        with pytest.raises(SpeechFailed):
            run(engine, pack="sounds")
    finally:
        speech.talk_through(before)


class Evil:
    """What a pickle must not do."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("evil",)


def test_checkpoints_are_read_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that calls something, a damaged one and two of weights are refused; none of them becomes a pack."""
    import torch

    monkeypatch.chdir(tmp_path)
    source = tmp_path / "voice"
    make_vits(source)
    whole = (source / "model.pth").read_bytes()
    for spoil in (
        lambda: torch.save({"model": {"a": torch.zeros(2)}, "x": Evil()}, source / "model.pth"),
        lambda: (source / "model.pth").write_bytes(b"no pickle"),
        lambda: (source / "model.pth").write_bytes(whole[: len(whole) // 2]),
        lambda: ((source / "model.pth").write_bytes(whole), shutil.copy(source / "model.pth", source / "best.pth")),
        lambda: ((source / "best.pth").unlink(), torch.save([1, 2], source / "speakers.pth")),
        lambda: ((source / "speakers.pth").unlink(), (source / "run.py").write_text("print()")),
        lambda: ((source / "run.py").unlink(), (source / "model.safetensors").write_bytes(b"\2\0\0\0\0\0\0\0{}")),
    ):
        spoil()
        with pytest.raises(PackForeign):
            add_pack(tmp_path / "home", source, pack_id="bad", **OPEN)
    assert not (tmp_path / "evil").exists()
    assert list((tmp_path / "home" / "packs").glob("*")) == []


def test_a_reference_is_the_voice_of_a_person(engine: Any) -> None:
    """What the gate was not told of is not taken on, and a voice that cannot take one on says so."""
    voice = wav(made_speech(LOW, 4.0))
    with pytest.raises(VoiceConsentMissing):
        run(engine, voice, likeness="none")
    with pytest.raises(VoiceConsentMissing):
        run(engine, voice, likeness="face")
    with pytest.raises(OptionUnfit):
        run(engine, voice)
    with pytest.raises(VoiceNotFound):
        run(engine, wav(made_speech(LOW, 1.0)))
    with pytest.raises(VoiceNotFound):
        run(engine, wav(np.zeros(4 * RATE_HZ)))
    with pytest.raises(NotASound):
        run(engine, b"no sound")


# --- speaking --------------------------------------------------------------------------------------------------------


def test_same_request_same_bytes(engine: Any) -> None:
    """Twice the same; another seed, voice, word or pace changes the sound; nothing of chance leaks to the caller."""
    import torch

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = sound(run(engine))
    assert np.array_equal(first, sound(run(engine)))
    for other in ({"seed": 8}, {"voice": "speaker 2"}, {"text": "Hello there."}, {"rate": 1.5}):
        assert not np.array_equal(first, sound(run(engine, **other)))  # type: ignore[arg-type]  # seeds among options
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_comes_out_says_what_it_is(engine: Any) -> None:
    """One channel, sentences with their times, the origin of a trained model, and no words in the info."""
    info = run(engine, text="Hello world. <break time='1s'/> Hello again.").info
    assert (info.kind, info.rate_hz, info.channels, info.origin) == ("sound", RATE_HZ, 1, "trainedAlgorithmicMedia")
    (first, second) = info.spans_ms
    assert second[0] - first[1] >= 990
    assert "Hello" not in str(info)


def test_odd_lengths_are_spoken_again_and_warned_about(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece far too long gets two more takes with other seeds; the closest one is kept."""
    seeds: list[int] = []

    def say(_voice: Any, _text: str, *, seed: int, **_: Any) -> np.ndarray:
        seeds.append(seed)
        seconds = {0: 30, 1: 20, 2: 25}[len(seeds) - 1] if len(seeds) <= 3 else 1.0
        return np.sin(np.arange(int(seconds * 22050)) / 9).astype(np.float32) * np.float32(0.1)

    monkeypatch.setattr("engines.voice.coqui_models.CoquiVoice.say", say)
    made = run(engine)
    assert len(set(seeds)) == neural.TAKES == 3
    assert 20 < made.info.frames / RATE_HZ < 21
    assert neural.N_LENGTH in made.info.warnings
    assert neural.N_LENGTH not in run(engine).info.warnings and len(seeds) == 4


def test_cancel_between_pieces_leaves_nothing(engine: Any) -> None:
    """A cancel that arrives while the second sentence is spoken ends the run, and the next run is whole."""
    token = CancelToken()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.done == 2:
            token.cancel()

    with pytest.raises(JobCancelled):
        run(engine, events=stop, cancel=token, text="One. Two. Three.")
    assert sound(run(engine)).shape[1] == 1


def test_scripts_have_a_voice_for_each_speaker(engine: Any) -> None:
    """Named speakers get their voice, the others take turns; signs that the voice does not know are told."""
    text = "Ann: Hello world.\nBo: Hello world.\nAnn: Hello world."
    by_turns = run(engine, text=text, form="script")
    named = run(engine, text=text, form="script", voices="Bo=speaker 2, Ann=speaker 1")
    other = run(engine, text=text, form="script", voices="Bo=speaker 3")
    assert len(by_turns.info.spans_ms) == 3
    assert np.array_equal(sound(by_turns), sound(named))
    assert not np.array_equal(sound(by_turns), sound(other))
    assert neural.N_LETTERS in run(engine, text="héllo wörld").info.warnings
    assert neural.N_LETTERS not in named.info.warnings


def test_chinese_goes_to_the_chinese_voice(engine: Any) -> None:
    """A voice of Chinese reads what it has signs for."""
    assert run(engine, pack="chinese", text="你好，世界。").info.frames > 0


@pytest.mark.parametrize("pack", ["mel", "glow"])
def test_spectrograms_become_sound(engine: Any, pack: str) -> None:
    """A FastPitch and a Glow-TTS without a vocoder are heard through Griffin-Lim, the same way each time."""
    first = sound(run(engine, pack=pack))
    assert np.array_equal(first, sound(run(engine, pack=pack)))
    assert not np.array_equal(first, sound(run(engine, pack=pack, seed=8)))
    assert np.isfinite(first).all() and np.abs(first).max() > 0.05


class Sounds:
    """A speech process that answers with the letters it was given."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        self.asked.append(request)
        return {"phonemes": f"(de){request['text'].lower()}(en)"}, b""

    def close(self) -> None:
        pass


def test_phonemes_are_asked_of_the_speech_process(engine: Any) -> None:
    """In the accent of the pack, without the marks, which stay where they were."""
    talk = Sounds()
    before = speech.talk_through(lambda: talk)
    try:
        run(engine, pack="sounds", text="Hello, world.")
    finally:
        speech.talk_through(before)
    assert {request["voice"] for request in talk.asked} == {"en-us"}
    assert [request["text"].lower() for request in talk.asked[:2]] == ["hello", "world"]


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    """Neither the worker nor the list of engines imports torch or coqui-tts."""
    code = (
        "import sys, studio.worker, studio.packs, engines.voice.coqui, engines.voice.neural\n"
        "from engines.engine import load_engine\n"
        "load_engine('voice.coqui')\n"
        "print([name for name in ('torch', 'TTS', 'librosa', 'transformers') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# --- XTTS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def xtts_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with an XTTS that has one stored voice; removed at once, as it is 90 MB."""
    folder = tmp_path_factory.mktemp("xtts")
    source = the_xtts(tmp_path_factory)
    add_pack(folder / "home", source, pack_id="ann", **OPEN)
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def xtts(xtts_home: Path, engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The engine, with the packs of xtts_home; one take is enough of sounds that have no right length."""
    monkeypatch.setattr(neural, "TAKES", 1)
    monkeypatch.setattr("engines.voice.coqui._LONGEST_REFERENCE_S", 3.5)
    packs.keep_packs_in(xtts_home / "packs")
    return engine


def test_xtts_speaks_takes_on_a_voice_and_stops(xtts: Any) -> None:
    """Stored voices and references through one loaded model; a cancel between two steps of the model ends it."""
    hello = {"pack": "ann", "text": "Hello world."}
    first = run(xtts, **hello)
    assert first.info.origin == "trainedAlgorithmicMedia"
    assert np.array_equal(sound(first), sound(run(xtts, **hello)))
    taken = run(xtts, wav(made_speech(LOW, 4.0)), **hello)
    assert taken.info.origin == "compositeWithTrainedAlgorithmicMedia"
    assert not np.array_equal(sound(first)[: taken.info.frames], sound(taken)[: first.info.frames])
    assert N_REFERENCE_CUT in taken.info.warnings
    # A part of a recording is the same voice as that part alone; too short a part is none.
    both = np.concatenate([np.zeros(2 * RATE_HZ), made_speech(LOW, 3.2, RATE_HZ), np.zeros(RATE_HZ)])
    part = run(xtts, wav(both, RATE_HZ), reference_start_s=2.0, reference_end_s=5.2, **hello)
    alone = run(xtts, wav(both[2 * RATE_HZ : round(5.2 * RATE_HZ)], RATE_HZ), **hello)
    assert part.info.warnings == tuple(one for one in alone.info.warnings if one != N_REFERENCE_CUT)
    assert not np.array_equal(sound(part), sound(taken))
    with pytest.raises(VoiceNotFound):
        run(xtts, wav(both, RATE_HZ), reference_start_s=2.0, reference_end_s=4.0, **hello)
    with pytest.raises(VoiceNotFound):
        run(xtts, wav(both, RATE_HZ), reference_start_s=60.0, **hello)
    assert run(xtts, **{**hello, "text": "你好 12。"}).info.frames > 0

    class SoonCancelled(CancelToken):
        def __init__(self) -> None:
            super().__init__()
            self.left = 6

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                self.cancel()
            super().check()

    with pytest.raises(JobCancelled):
        run(xtts, cancel=SoonCancelled(), **hello)


def test_xtts_settings_become_data(xtts_home: Path) -> None:
    """The settings object of a published checkpoint is skipped, the stored voice kept, no pickle left."""
    pack = packs.read_pack(xtts_home / "packs" / "ann")
    assert set(pack.files) == {"config.json", "model.safetensors", "speakers_xtts.safetensors", "vocab.json"}
    assert pack.kind == "voice.coqui" and pack.options["model"] == "xtts"
    header = packs.read_safetensors_header(pack.folder / coqui_checkpoint.SPEAKERS, "-", "-")
    assert set(header) - {"__metadata__"} == {"Ann/style", "Ann/speaker"}
    assert clones([pack]) == {"ann": True}
