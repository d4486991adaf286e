"""Neural voices through the real workshop and the command line: packs, licences, consent, labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import (
    ConsentMissing,
    ContentBlocked,
    LicenceForbids,
    NotASound,
    OptionUnfit,
    PackDamaged,
    PackMissing,
    PackUnfit,
    PermitInvalid,
    SignetError,
    TextEmpty,
    VoiceConsentMissing,
)
from engines.job import Failed, Finished
from engines.packs import LicenceClass
from studio.packs import add_pack
from studio.workshop import SwapPlan, Workshop, raise_failed
from tests.engines.tiny_voices import make_vits, the_xtts
from tests.engines.voices import LOW, speech, wav
from tests.studio import command_line
from tests.studio.command_line import Signet
from tests.studio.test_voices import forbidden

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template

LIMIT_S = 120.0
OPEN: dict[str, Any] = {"licence": "Apache-2.0", "licence_class": LicenceClass.OPEN}
CPML: dict[str, Any] = {"licence": "CPML", "licence_class": LicenceClass.NON_COMMERCIAL}
HELLO = {"text": "Hello world.", "device": "cpu"}


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny VITS as coqui-tts saves it."""
    return make_vits(tmp_path_factory.mktemp("vits") / "source", speakers=2)


@pytest.fixture(scope="module")
def xtts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny XTTS as coqui-tts saves it."""
    return the_xtts(tmp_path_factory)


def finish(workshop: Workshop, plan: SwapPlan) -> Any:
    """Run a plan; raises what the job failed with."""
    running = workshop.start(plan, lambda _event: None)
    last = running.wait(LIMIT_S)
    if isinstance(last, Failed):
        raise_failed(last)
    assert isinstance(last, Finished)
    return running


# --- refusals --------------------------------------------------------------------------------------------------------


def test_plans_that_cannot_be_are_refused_before_the_gate(workshop: Workshop, vits: Path, tmp_path: Path) -> None:
    """Packs that are missing or of another kind, words that are none, a reference that is no sound or has no pack."""
    add_pack(workshop.home, vits, pack_id="picture", kind="picture.lora", **OPEN)
    add_pack(workshop.home, vits, pack_id="tiny", **OPEN)
    silence = tmp_path / "a.txt"
    silence.write_text("no sound")
    for options, more, error in (
        ({"pack": "nothing"}, {}, PackMissing),
        ({"pack": "../keys"}, {}, PackMissing),
        ({"pack": "picture"}, {}, PackUnfit),
        ({"pack": "tiny", "text": "…"}, {}, TextEmpty),
        ({"pack": "tiny"}, {"reference": silence}, NotASound),
        ({}, {"reference": silence}, OptionUnfit),
    ):
        with pytest.raises(error):
            workshop.plan_speech({**HELLO, **options}, **more)  # type: ignore[arg-type]  # words by name
    assert not [entry for entry in workshop.ledger_entries() if entry["kind"].startswith("permit")]


def test_the_licence_of_a_voice_is_kept(workshop: Workshop, vits: Path) -> None:
    """Weights for non-commercial use speak in no advertisement, and those of an unknown licence nowhere."""
    add_pack(workshop.home, vits, pack_id="cpml", **CPML)
    add_pack(workshop.home, vits, pack_id="dark", licence="?", licence_class=LicenceClass.UNKNOWN)
    for pack, purpose in (("cpml", "advertising"), ("cpml", "film"), ("dark", "private")):
        plan = workshop.plan_speech({**HELLO, "pack": pack}, purpose=purpose)
        with pytest.raises(LicenceForbids):
            workshop.start(plan, lambda _event: None)
    plan = workshop.plan_speech({**HELLO, "pack": "cpml"}, purpose="private")
    assert all(one.ok for one in workshop.explain(plan.request))


def test_words_are_reviewed(workshop: Workshop, vits: Path) -> None:
    """Also when a tag cuts them in two."""
    add_pack(workshop.home, vits, pack_id="tiny", **OPEN)
    word = forbidden()
    for text in (word, f"{word[:1]}<emphasis>{word[1:]}</emphasis>"):
        with pytest.raises(ContentBlocked):
            workshop.start(workshop.plan_speech({"text": text, "pack": "tiny"}), lambda _event: None)


def test_the_worker_loads_what_the_gate_was_told_of(workshop: Workshop, vits: Path) -> None:
    """A pack that is not named, and one that was changed after the permit, are not loaded."""
    pack = add_pack(workshop.home, vits, pack_id="tiny", **OPEN)
    plan = workshop.plan_speech({**HELLO, "pack": "tiny"})
    with pytest.raises(PermitInvalid):
        finish(workshop, replace(plan, request=replace(plan.request, packs=())))
    manifest = pack.folder / "pack.json"
    manifest.write_text(manifest.read_text().replace('"open"', '"unknown"'))
    with pytest.raises(PackDamaged):
        finish(workshop, plan)


@pytest.mark.slow
def test_a_voice_is_taken_on_with_consent_alone(
    workshop: Workshop, xtts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No grant, a grant for a face, a lie about what the recording is: refused by the gate or the worker.

    With the grant it is made, labelled, signed and verified; the credential names the origin.
    """
    # torch left it here when the voice was made; a worker has to do without.
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    add_pack(workshop.home, xtts, pack_id="ann", **CPML)
    reference = tmp_path / "anna.wav"
    reference.write_bytes(wav(speech(LOW, 6.0)))
    options = {**HELLO, "pack": "ann"}
    plan = workshop.plan_speech(options, reference=reference)
    with pytest.raises(ConsentMissing):
        workshop.start(plan, lambda _event: None)
    faces = [grant.id for grant in workshop.grants() if grant.likeness == "face"]
    with pytest.raises(SignetError):
        workshop.start(workshop.plan_speech(options, reference=reference, consents=faces), lambda _event: None)
    nobody = replace(plan.request.inputs[0], likeness="none")
    with pytest.raises(VoiceConsentMissing):
        finish(workshop, replace(plan, request=replace(plan.request, inputs=(nobody,))))

    person = workshop.add_subject("Anna Example")
    until = date.today() + timedelta(days=30)
    grant = workshop.record_consent(person.id, reference, ["private"], date.today(), until, likeness="voice")
    granted = workshop.plan_speech(options, reference=reference, consents=[grant.id])
    running = finish(workshop, granted)
    assert running.info.origin == "compositeWithTrainedAlgorithmicMedia"
    release = workshop.release(running, tmp_path / "out.wav", False)
    assert release.consents == (grant.id,)
    assert workshop.verify([release.path])[0].verdict == "sealed"
    workshop.withdraw_consent(grant.id)
    with pytest.raises(SignetError):
        workshop.start(granted, lambda _event: None)


# --- the command line ------------------------------------------------------------------------------------------------


def test_signet_voice_speak_with_a_pack(signet: Signet, signet_home: Path, vits: Path, tmp_path: Path) -> None:
    """A pickle becomes a pack, speaks, and is told with its licence class; what a pack cannot do is refused."""
    added = signet("pack", "add", vits, "--id", "tiny", "--licence", "MIT", "--licence-class", "open", "--json")
    assert added.code == 0 and '"voice.coqui"' in added.out
    out = tmp_path / "a.wav"
    speak = ("voice", "speak", "--pack", "tiny", "--text", "Hello world.", "--out", out)
    answer = signet(*speak, "--pitch", "2")
    assert answer.code == 2 and len(answer.err.splitlines()) >= 2 and not out.exists()
    answer = signet(*speak, "--voice", "speaker 2", "--subtitles", "srt", "--json")
    assert answer.code == 0, answer.err
    told = answer.lines[-1]
    assert told["pack"] == "tiny" and told["consent"] == "not needed"
    assert "Hello world." in (tmp_path / "a.srt").read_text()
    assert signet("verify", out).code == 0
