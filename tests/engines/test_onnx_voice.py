"""voice.onnx on tiny Piper and Kokoro voices: refusals, the right ids, same bytes, phonemes, packs from one file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance.errors import (
    ExitCode,
    LanguageUnspoken,
    NotASound,
    OptionUnfit,
    PackDamaged,
    PackMissing,
    PackUnfit,
    SignetError,
    SpeechFailed,
    TextEmpty,
    TextTooLong,
)
from compliance.media import SyntheticMedia, unseal_sound
from engines import packs
from engines.engine import Input, Request, load_engine
from engines.job import CancelToken, Event, JobCancelled, Progress
from engines.voice import neural, onnx_models, speech
from studio.packs import add_pack
from tests.engines.conftest import permit_for
from tests.engines.test_coqui import Sounds
from tests.engines.tiny_voices import LETTER_IDS, make_kokoro, make_piper

OPEN: dict[str, Any] = {"licence": "MIT", "licence_class": packs.LicenceClass.OPEN}
BENT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no-ids": lambda config: config.pop("phoneme_id_map"),
    "no-begin": lambda config: config["phoneme_id_map"].pop("^"),
    "text-ids": lambda config: config.update(phoneme_id_map={"a": ["x"]}),
    "rate": lambda config: config["audio"].update(sample_rate=10**9),
    "list": lambda config: config.update(audio=[1]),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with Piper voices of letters, of phonemes and of two speakers, a Kokoro voice, and damaged ones."""
    folder = tmp_path_factory.mktemp("onnx")
    home = folder / "home"
    letters = make_piper(folder / "letters", letters=True)
    kokoro = make_kokoro(folder / "kokoro")
    add_pack(home, letters, pack_id="letters", **OPEN)
    add_pack(home, make_piper(folder / "sounds") / "voice.onnx", pack_id="sounds", **OPEN)
    add_pack(home, make_piper(folder / "two", speakers=2, letters=True), pack_id="two", **OPEN)
    add_pack(home, kokoro, pack_id="kokoro", **OPEN)
    for name, change in BENT.items():
        source = folder / name
        shutil.copytree(letters, source)
        config = json.loads((source / "voice.onnx.json").read_text())
        change(config)
        (source / "voice.onnx.json").write_text(json.dumps(config))
        add_pack(home, source, pack_id=name, kind="voice.piper", **OPEN)
    crossed = folder / "crossed"
    shutil.copytree(letters, crossed)
    shutil.copy(kokoro / "model.onnx", crossed / "voice.onnx")
    add_pack(home, crossed, pack_id="crossed", **OPEN)
    broken = folder / "broken"
    shutil.copytree(letters, broken)
    (broken / "voice.onnx").write_bytes(b"no model")
    add_pack(home, broken, pack_id="broken", **OPEN)
    shutil.copy(letters / "voice.onnx", letters / "other.onnx")
    add_pack(home, letters, pack_id="two-models", kind="voice.piper", **OPEN)
    add_pack(home, kokoro, pack_id="foreign", kind="voice.coqui", **OPEN)
    return home


@pytest.fixture
def engine(home: Path) -> Iterator[Any]:
    """The engine, with the packs of this file."""
    before = packs.folders()
    packs.keep_packs_in(home / "packs")
    yield load_engine("voice.onnx")
    for folder in before:
        packs.keep_packs_in(folder)


def run(engine: Any, *, seed: int = 3, events: Any = None, cancel: Any = None, **options: object) -> SyntheticMedia:
    """One run."""
    request = Request(
        "voice.speak", "voice.onnx", (), {"pack": "letters", "text": "Hello world.", **options}, seed=seed
    )
    made: SyntheticMedia = engine.run(
        request, permit_for(request), {}, events or (lambda _e: None), cancel or CancelToken()
    )
    return made


def sound(media: SyntheticMedia) -> np.ndarray:
    """The samples of a result."""
    return unseal_sound(media)


REFUSED: list[tuple[dict[str, object], type[SignetError]]] = [
    ({"pack": ""}, PackMissing),
    ({"pack": "nothing"}, PackMissing),
    ({"pack": "foreign"}, PackUnfit),
    ({"pack": "crossed"}, PackDamaged),
    ({"pack": "broken"}, PackDamaged),
    ({"pack": "two-models"}, PackDamaged),
    *(({"pack": name}, PackDamaged) for name in BENT),
    ({"text": " "}, TextEmpty),
    ({"text": "x" * 100_000}, TextTooLong),
    ({"language": "de"}, LanguageUnspoken),
    ({"text": "Привет"}, LanguageUnspoken),
    ({"pack": "two", "voice": "speaker 7"}, OptionUnfit),
    ({"pitch": 2}, OptionUnfit),
    ({"rate": 0}, OptionUnfit),
]


@pytest.mark.parametrize(
    ("options", "error"), REFUSED, ids=[" ".join(f"{k}={str(v)[:12]!a}" for k, v in o.items()) for o, _ in REFUSED]
)
def test_bad_requests_are_refused(engine: Any, options: dict[str, object], error: type[SignetError]) -> None:
    """Missing, crossed and bent packs, words nobody can say, unknown voices: each has its error."""
    with pytest.raises(error) as refusal:
        run(engine, **options)
    assert refusal.value.code in (ExitCode.MODEL, ExitCode.USAGE)


def test_no_recording_goes_in(engine: Any) -> None:
    """These voices take on nobody's."""
    request = Request("voice.speak", "voice.onnx", (Input("source", "voice", "0" * 64, "a.wav"),), {"pack": "letters"})
    with pytest.raises(NotASound):
        engine.run(request, permit_for(request), {"source": b"RIFF"}, lambda _e: None, CancelToken())


def test_a_sentence_too_long_for_kokoro_is_told(engine: Any) -> None:
    """Its styles end somewhere; the chunks of the front end are longer than this tiny voice knows."""
    before = speech.talk_through(Sounds)
    try:
        with pytest.raises(SpeechFailed):
            run(engine, pack="kokoro", text="abcdefghij " * 8)
    finally:
        speech.talk_through(before)


def test_cancel_between_pieces(engine: Any) -> None:
    """A cancel that arrives while the second sentence is spoken ends the run."""
    token = CancelToken()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.done == 2:
            token.cancel()

    with pytest.raises(JobCancelled):
        run(engine, events=stop, cancel=token, text="One. Two. Three.")


def test_signs_become_the_ids_that_the_voice_was_trained_with(engine: Any) -> None:
    """Piper: begin, each sign and the end with a part between them; accents apart; unknown signs left out."""
    voice = onnx_models.load(packs.pack_named("letters"), 0)
    begin, part, end = (LETTER_IDS[sign][0] for sign in "^_$")
    a, b = LETTER_IDS["a"][0], LETTER_IDS["b"][0]
    assert voice.ids_of("aЖb") == [begin, part, a, part, b, part, end]
    assert voice.ids_of("Áb") == voice.ids_of("ab")
    assert voice.ids_of("_^$") == []
    feed = voice.feed_of([1, 0, 5, 0, 2], "", 2.0)
    assert feed["scales"].tolist() == pytest.approx([0.667, 0.5, 0.8]) and feed["input_lengths"].tolist() == [5]


def test_same_request_same_bytes(engine: Any) -> None:
    """Also with chance inside the model; another seed, speaker or text changes the sound."""
    first = sound(run(engine, pack="two"))
    assert np.array_equal(first, sound(run(engine, pack="two")))
    for other in ({"seed": 4}, {"voice": "speaker 1"}, {"text": "Hello there."}):
        assert not np.array_equal(first, sound(run(engine, pack="two", **other)))  # type: ignore[arg-type]  # seeds among options


def test_phonemes_and_styles(engine: Any) -> None:
    """Piper and Kokoro read what the speech process says, in their accent; each style and pace sounds different."""
    talk = Sounds()
    before = speech.talk_through(lambda: talk)
    try:
        piper = run(engine, pack="sounds", text="Hello, world.")
        low = run(engine, pack="kokoro")
        high = run(engine, pack="kokoro", voice="am_high")
        fast = run(engine, pack="kokoro", rate=1.3)
    finally:
        speech.talk_through(before)
    assert {request["voice"] for request in talk.asked} == {"en-us"}
    assert piper.info.origin == low.info.origin == "trainedAlgorithmicMedia"
    assert not np.array_equal(sound(low), sound(fast)) and low.info.frames == high.info.frames
    assert neural.N_LETTERS in run(engine, text="hello wørld").info.warnings
    assert neural.N_LETTERS not in run(engine, text="héllo ﬁre").info.warnings
