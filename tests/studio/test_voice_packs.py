"""Converters and speaker models as packs through workshop, gate, worker and release; and a speech process that ends."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import (
    ConsentWithdrawn,
    LicenceForbids,
    PackDamaged,
    PackMissing,
    PackUnfit,
    PermitInvalid,
    RecogniserMissing,
    VoiceConsentForOther,
    VoiceConsentMissing,
    VoiceMismatch,
)
from engines.job import Failed, Finished
from engines.packs import LicenceClass
from studio import pipe
from studio.packs import add_pack, remove_pack
from studio.runner import _Process
from studio.workshop import SwapPlan, Workshop, raise_failed
from tests.engines.tiny_converters import make_converter, make_speaker
from tests.engines.tiny_voices import make_piper
from tests.engines.voices import HIGH, speech, wav
from tests.studio import command_line, test_voice_consent
from tests.studio.command_line import Signet
from tests.studio.test_voice_consent import LIMIT_S, consent, refused

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template
workshop, recordings, both = test_voice_consent.workshop, test_voice_consent.recordings, test_voice_consent.both
OPEN: dict[str, Any] = {"licence": "MIT", "licence_class": LicenceClass.OPEN}


@pytest.fixture(scope="module")
def converter(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A converter in the home, and one whose licence nobody knows."""
    source = make_converter(tmp_path_factory.mktemp("converter") / "source", parts=True)
    add_pack(workshop.home, source, pack_id="dark", licence="?", licence_class=LicenceClass.UNKNOWN)
    return add_pack(workshop.home, source, pack_id="changer", **OPEN).id


def convert(workshop: Workshop, recordings: Path, consents: tuple[str, ...], pack: str) -> SwapPlan:
    """The low voice says it, the high voice is taken on."""
    recording = {"source": recordings / "high.wav", "target": recordings / "low.wav"}
    return workshop.plan_voice("voice.converter", {"pack": pack}, **recording, consents=consents)


def made(workshop: Workshop, plan: SwapPlan) -> Any:
    """Run a plan; raises what the job failed with."""
    running = workshop.start(plan, lambda _event: None)
    last = running.wait(LIMIT_S)
    if isinstance(last, Failed):
        raise_failed(last)
    assert isinstance(last, Finished)
    return running


# --- converters ------------------------------------------------------------------------------------------------------


def test_a_converter_is_no_way_around_consent(
    workshop: Workshop, recordings: Path, both: tuple[str, str], converter: str
) -> None:
    """Both people, their very recordings, the licence of the weights; the worker loads what the gate was told of."""
    low, high = both
    for consents, error in (
        ((), VoiceConsentMissing),
        ((high,), VoiceConsentMissing),
        ((low,), VoiceConsentMissing),
        ((low, consent(workshop, recordings / "high again.wav")), VoiceConsentForOther),
    ):
        refused(workshop, convert(workshop, recordings, consents, converter), error)
    refused(workshop, convert(workshop, recordings, both, "dark"), LicenceForbids)
    plan = convert(workshop, recordings, both, converter)
    with pytest.raises(PermitInvalid):
        made(workshop, replace(plan, request=replace(plan.request, packs=())))
    swapped = replace(plan, request=replace(plan.request, options={"pack": "dark"}))
    with pytest.raises(PermitInvalid):
        made(workshop, swapped)


def test_packs_that_cannot_convert_are_refused_before_the_gate(
    workshop: Workshop, recordings: Path, tmp_path: Path
) -> None:
    """None, one of another kind, and a name that leaves the folder."""
    add_pack(workshop.home, make_piper(tmp_path / "piper"), pack_id="speaks", **OPEN)
    for pack, error in (("", PackMissing), ("none", PackMissing), ("../keys", PackMissing), ("speaks", PackUnfit)):
        with pytest.raises(error):
            convert(workshop, recordings, (), pack)


def test_a_voice_is_converted_labelled_and_verified(
    workshop: Workshop, recordings: Path, both: tuple[str, str], converter: str, tmp_path: Path
) -> None:
    """The file names both consents; after a withdrawal nothing more is made or released."""
    mine = consent(workshop, recordings / "high.wav", "Hilda")
    plan = convert(workshop, recordings, (both[0], mine), converter)
    released = workshop.release(made(workshop, plan), tmp_path / "changed.wav")
    assert set(released.consents) == {both[0], mine}
    assert workshop.verify([released.path])[0].verdict == "sealed"
    waiting = made(workshop, plan)
    workshop.withdraw_consent(mine, "no more")
    with pytest.raises(ConsentWithdrawn):
        workshop.release(waiting, tmp_path / "late.wav")
    refused(workshop, plan, ConsentWithdrawn)
    assert not (tmp_path / "late.wav").exists()


def test_signet_voice_convert_with_a_pack(signet: Signet, signet_home: Path, recordings: Path, tmp_path: Path) -> None:
    """What leaning alone knows is refused, and so is a conversion without consents; nothing is written."""
    source = make_converter(tmp_path / "source")
    added = signet("pack", "add", source, "--id", "changer", "--licence", "MIT", "--licence-class", "open", "--json")
    assert added.code == 0 and '"voice.converter"' in added.out
    out = tmp_path / "a.wav"
    files = ("--source", recordings / "high.wav", "--target", recordings / "low.wav", "--out", out, "--json")
    for more, error in (
        (("--pack", "changer", "--mix", "0.5"), "UsageUnclear"),
        (("--pack", "none"), "PackMissing"),
        (("--pack", "changer"), "VoiceConsentMissing"),
    ):
        answer = signet("voice", "convert", *files, *more)
        assert answer.code != 0 and answer.lines[-1]["error"] == error and not out.exists()


# --- speaker models --------------------------------------------------------------------------------------------------


@pytest.fixture
def speaker(workshop: Workshop, tmp_path: Path) -> Any:
    """A speaker pack in the home, while a test runs."""
    yield add_pack(workshop.home, make_speaker(tmp_path / "speaker"), pack_id="ears", **OPEN)
    if "ears" in {path.name for path in (workshop.home / "packs").iterdir()}:
        remove_pack(workshop.home, "ears")


def test_a_speaker_pack_compares_and_is_named_in_the_record(workshop: Workshop, recordings: Path, speaker: Any) -> None:
    """Its digest and threshold stand in the consent; another voice and a second voice in between are refused."""
    spoken = (recordings / "high again.wav").read_bytes()
    evidence = {"evidence_data": spoken, "evidence_kind": "audio"}
    before = len(workshop.grants())
    for name in ("low", "both"):
        with pytest.raises(VoiceMismatch):
            consent(workshop, recordings / f"{name}.wav", **evidence)
    assert len(workshop.grants()) == before
    grant = consent(workshop, recordings / "high.wav", "Hanna", **evidence)
    record = workshop.consent_record(grant)["match"]
    assert record["model"] == "ears" and record["threshold"] == 0.9
    assert speaker.files["speaker.onnx"] in record.values()

    def plan(name: str) -> SwapPlan:
        return workshop.plan_voice("voice.attribute", {}, target=recordings / f"{name}.wav", consents=[grant])

    refused(workshop, plan("low"), VoiceConsentForOther)
    running = made(workshop, plan("high again"))
    assert running.info.faces_edited == 1

    (speaker.folder / "speaker.json").write_text('{"threshold": 0.01}')
    with pytest.raises(PackDamaged):
        plan("low")
    remove_pack(workshop.home, "ears")
    (recordings / "unheard.wav").write_bytes(wav(speech(HIGH, 2.0, seed=8)))
    refused(workshop, plan("unheard"), RecogniserMissing)


def test_consents_from_before_the_pack_stay_with_the_built_in_encoder(
    workshop: Workshop, recordings: Path, tmp_path: Path
) -> None:
    """Both listen from then on; a consent is compared by the one that it names."""
    spoken = (recordings / "high again.wav").read_bytes()
    grant = consent(workshop, recordings / "high.wav", "Henrike", evidence_data=spoken, evidence_kind="audio")
    add_pack(workshop.home, make_speaker(tmp_path / "speaker", threshold=0.99), pack_id="ears", **OPEN)
    try:
        plan = workshop.plan_voice("voice.attribute", {}, target=recordings / "high again.wav", consents=[grant])
        assert all(rule.ok for rule in workshop.explain(plan.request) if rule.name in ("uses", "persons", "match"))
    finally:
        remove_pack(workshop.home, "ears")


@pytest.mark.parametrize("spoil", ["nothing", "inputs", "threshold"])
def test_a_speaker_pack_that_is_none_stops_the_work(
    workshop: Workshop, recordings: Path, tmp_path: Path, spoil: str
) -> None:
    """It answers with nothing, takes other inputs, or knows everybody: no voice is compared by halves."""
    source = make_speaker(tmp_path / "speaker", threshold=0.0 if spoil == "threshold" else 0.9, spoil=spoil)
    add_pack(workshop.home, source, pack_id="ears", **OPEN)
    try:
        with pytest.raises(PackDamaged):
            consent(workshop, recordings / "low.wav")
    finally:
        remove_pack(workshop.home, "ears")


# --- the speech process ----------------------------------------------------------------------------------------------


def test_a_speech_process_that_was_killed_is_replaced(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its worker, for the next job; what the old worker made before can still be released."""
    told = threading.Event()
    take = _Process._take

    def watched(process: _Process, message: pipe.Message) -> None:
        take(process, message)
        if message.body["op"] == "speechless":
            told.set()

    monkeypatch.setattr(_Process, "_take", watched)
    plan = workshop.plan_speech({"text": "Low tide."})
    kept = made(workshop, plan)
    worker = workshop._runner._worker()
    for child in Path(f"/proc/{worker._child.pid}/task/{worker._child.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    assert told.wait(LIMIT_S)
    assert made(workshop, plan).info == kept.info
    assert workshop._runner._worker() is not worker
    assert workshop.verify([workshop.release(kept, tmp_path / "kept.wav").path])[0].verdict == "sealed"
