"""Voice converters as packs: what keeps no contract is refused, then tiny ones change a made voice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from compliance.errors import (
    ConsentTooNarrow,
    ConversionFailed,
    NotASound,
    OptionUnfit,
    PackDamaged,
    PackMissing,
    PackUnfit,
    SignetError,
    SoundTooLong,
    VoiceNotFound,
)
from compliance.media import MediaInfo, unseal_sound
from engines import packs
from engines.engine import Engine, Input, Request, load_engine
from engines.job import CancelToken, Event, JobCancelled, Progress
from engines.packs import LicenceClass
from engines.voice import converter
from studio.packs import add_pack
from tests.engines.conftest import permit_for
from tests.engines.tiny_converters import make_converter
from tests.engines.tiny_voices import make_piper
from tests.engines.voices import HIGH, LOW, speech, wav

OPEN: dict[str, Any] = {"licence": "MIT", "licence_class": LicenceClass.OPEN}
LOW_VOICE, HIGH_VOICE = wav(speech(LOW, 3.0)), wav(speech(HIGH, 3.0, seed=5))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine, with good packs and bad ones."""
    folder = tmp_path_factory.mktemp("converters")
    home, before = folder / "home", packs.folders()
    add_pack(home, make_converter(folder / "whole"), pack_id="whole", **OPEN)
    add_pack(home, make_converter(folder / "parts", parts=True), pack_id="parts", **OPEN)
    for spoil in ("short", "silent", "nan", "inputs"):
        add_pack(home, make_converter(folder / spoil, spoil=spoil), pack_id=spoil, **OPEN)
    bare = make_converter(folder / "bare")
    (bare / "converter.json").write_text('{"rate_hz": "fast"}')
    add_pack(home, bare, pack_id="bare", **OPEN)
    broken = make_converter(folder / "broken")
    (broken / "convert.onnx").write_bytes(b"no model")
    add_pack(home, broken, pack_id="broken", **OPEN)
    add_pack(home, make_piper(folder / "piper"), pack_id="piper", **OPEN)
    changed = add_pack(home, make_converter(folder / "changed"), pack_id="changed", **OPEN)
    shutil.copy(folder / "silent" / "convert.onnx", changed.folder / "convert.onnx")
    packs.keep_packs_in(home / "packs")
    yield load_engine("voice.converter")
    if before:
        packs.keep_packs_in(before[0])


def convert(
    engine: Engine,
    source: bytes = HIGH_VOICE,
    target: bytes = LOW_VOICE,
    *,
    faces: int = 1,
    events: Any = lambda _: None,
    cancel: CancelToken | None = None,
    **options: Any,
) -> tuple[np.ndarray, MediaInfo]:
    """Samples and description of a converted voice."""
    request = Request(
        "voice.convert",
        "voice.converter",
        (Input("source", "voice", "0" * 64, "a.wav"), Input("target", "voice", "1" * 64, "b.wav")),
        {"pack": "whole", **options},
        faces_edited=faces,
    )
    inputs: dict[Any, bytes] = {"source": source, "target": target}
    media = engine.run(request, permit_for(request), inputs, events, cancel or CancelToken())
    return unseal_sound(media)[:, 0], media.info


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"pack": "none"}, PackMissing),
        ({"pack": "../packs/whole"}, PackMissing),
        ({"pack": "piper"}, PackUnfit),
        ({"pack": "bare"}, PackDamaged),
        ({"pack": "broken"}, PackDamaged),
        ({"pack": "changed"}, PackDamaged),
        ({"pack": "inputs"}, PackDamaged),
        ({"pack": "short"}, ConversionFailed),
        ({"pack": "silent"}, ConversionFailed),
        ({"pack": "nan"}, ConversionFailed),
        ({"strength": 0.5}, OptionUnfit),
        ({"start_s": 2.0, "end_s": 1.0}, OptionUnfit),
        ({"source": b"words"}, NotASound),
        ({"target": b""}, NotASound),
        ({"source": wav(np.zeros(32000))}, VoiceNotFound),
        ({"target": wav(np.zeros(1801 * 8000), 8000)}, SoundTooLong),
        ({"faces": 0}, ConsentTooNarrow),
    ],
    ids=lambda value: None if isinstance(value, dict) else value.__name__,
)
def test_what_cannot_be_is_refused(engine: Engine, options: dict[str, Any], error: type[SignetError]) -> None:
    """Packs of other kinds, damaged or against the contract; recordings that are none; a permit for nobody."""
    with pytest.raises(error):
        convert(engine, **options)


def test_cancel_between_blocks_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped when the first of several blocks is done."""
    monkeypatch.setattr(converter, "BLOCK_S", 1.0)
    cancel, stages = CancelToken(), []

    def on_event(event: Event) -> None:
        assert isinstance(event, Progress)
        stages.append(event.done)
        if event.done == 4:
            cancel.cancel()

    with pytest.raises(JobCancelled):
        convert(engine, events=on_event, cancel=cancel)
    assert max(stages) == 4


@pytest.mark.parametrize("pack", ["whole", "parts"])
def test_a_voice_is_changed_by_either_form_of_the_contract(engine: Engine, pack: str) -> None:
    """As one model, or as content, speaker and waveform; the same again, as long as the speech, and says what it is."""
    made, info = convert(engine, pack=pack)
    again, _ = convert(engine, pack=pack)
    assert np.array_equal(made, again)
    assert (info.frames, info.rate_hz) == (72_000, 24_000) and info.faces_edited == 1
    assert info.origin == "compositeWithTrainedAlgorithmicMedia" and 0.01 < np.abs(made).max() <= 0.96
    quiet, _ = convert(engine, source=wav(speech(HIGH, 3.0, seed=5) / 30), pack=pack)
    assert np.abs(quiet).max() < np.abs(made).max()
    part, _ = convert(engine, pack=pack, start_s=1.0, end_s=2.0)
    assert len(part) == 24_000


def test_blocks_join_without_a_seam(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """This model works sample by sample, so the blocks must give what one block gives."""
    whole, _ = convert(engine, target=wav(speech(LOW, 4.3)))
    monkeypatch.setattr(converter, "BLOCK_S", 1.0)
    blocks, _ = convert(engine, target=wav(speech(LOW, 4.3)))
    assert len(whole) == len(blocks) and np.abs(whole - blocks).max() < 1e-4
