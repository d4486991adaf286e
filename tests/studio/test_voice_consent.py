"""Voices through the real workshop, gate, worker and release: refused first, then leaned, labelled and verified."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compliance import evidence
from compliance.errors import (
    ConsentExpired,
    ConsentPurpose,
    ConsentWithdrawn,
    EvidenceVoiceMismatch,
    NotAPicture,
    NotASound,
    OptionUnfit,
    PermitInvalid,
    PhraseNotHeard,
    SignetError,
    SoundTooLong,
    VoiceConsentForOther,
    VoiceConsentMissing,
    VoiceConsentTooNarrow,
    VoiceNotFound,
)
from engines.engine import Input, Request
from engines.job import Failed, Finished
from engines.sound import Wave, resampled
from engines.voice import speech as talking
from studio.speech import SpeechProcess
from studio.workshop import SwapPlan, Workshop
from tests.compliance.home import PASSWORD
from tests.engines.voices import HIGH, LOW, Person, speech, wav
from tests.studio.conftest import HOPPER

TODAY = date.today()
UNTIL = TODAY + timedelta(days=30)
LIMIT_S = 120.0


@pytest.fixture(scope="module")
def workshop(studio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One workshop with one worker for this file."""
    folder = tmp_path_factory.mktemp("voices") / "home"
    shutil.copytree(studio_folder, folder)
    with Workshop(folder, "own", None) as opened:
        opened.unlock(PASSWORD)
        yield opened


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of two made people: two of the low voice, two of the high one, and one of both."""
    folder = tmp_path_factory.mktemp("recordings")
    people: dict[str, tuple[Person, float, int]] = {
        "low": (LOW, 3.0, 1),
        "low again": (LOW, 4.0, 2),
        "high": (HIGH, 3.0, 1),
        "high again": (HIGH, 4.0, 2),
    }
    for name, (person, seconds, seed) in people.items():
        (folder / f"{name}.wav").write_bytes(wav(speech(person, seconds, seed=seed)))
    both = np.concatenate([speech(HIGH, 12.0, seed=3), speech(LOW, 6.0, seed=3)])
    (folder / "both.wav").write_bytes(wav(both))
    (folder / "silence.wav").write_bytes(wav(np.zeros(32000)))
    (folder / "words.wav").write_bytes(b"words")
    return folder


def consent(workshop: Workshop, recording: Path, name: str = "Somebody", **more: Any) -> str:
    """A consent of a new person for one recording of their voice."""
    person = workshop.add_subject(name)
    terms: dict[str, Any] = {"purposes": ["private"], "since": TODAY, "until": UNTIL, **more}
    purposes, since, until = terms.pop("purposes"), terms.pop("since"), terms.pop("until")
    return workshop.record_consent(person.id, recording, purposes, since, until, likeness="voice", **terms).id


def lean(workshop: Workshop, source: Path, target: Path, consents: list[str], **more: Any) -> SwapPlan:
    """A plan of leaning."""
    return workshop.plan_voice("voice.lean", {}, source=source, target=target, consents=consents, **more)


def refused(workshop: Workshop, plan: SwapPlan, error: type[SignetError]) -> SignetError:
    """The gate says no before the worker hears anything; a permit is not made."""
    with pytest.raises(error) as refusal:
        workshop.start(plan, lambda _event: None)
    return refusal.value


@pytest.fixture(scope="module")
def both(workshop: Workshop, recordings: Path) -> tuple[str, str]:
    """Consents by the exact file: of the low voice and of the high one."""
    return consent(workshop, recordings / "low.wav", "Lou"), consent(workshop, recordings / "high.wav", "Hanna")


def test_both_people_must_have_agreed(workshop: Workshop, recordings: Path, both: tuple[str, str]) -> None:
    """The one whose voice is lent and the one whose speech is changed; each is missed by its role."""
    low, high = both
    source, target = recordings / "high.wav", recordings / "low.wav"
    assert refused(workshop, lean(workshop, source, target, []), VoiceConsentMissing).data["role"] == "source"
    assert refused(workshop, lean(workshop, source, target, [high]), VoiceConsentMissing).data["role"] == "target"
    assert refused(workshop, lean(workshop, source, target, [low]), VoiceConsentMissing).data["role"] == "source"
    unsaid = workshop.plan_voice("voice.attribute", {}, target=target, consents=[])
    told = {rule.name: type(rule.error) for rule in workshop.explain(unsaid.request)}
    assert (told["uses"], told["persons"]) == (VoiceConsentMissing, VoiceConsentTooNarrow)
    edited = workshop.plan_voice("voice.attribute", {"pitch": 2.0}, target=target, consents=[high])
    refused(workshop, edited, VoiceConsentForOther)
    other = lean(workshop, recordings / "high again.wav", target, [low, high])
    refused(workshop, other, VoiceConsentForOther)
    wide = lean(workshop, source, target, [low, high], purpose="advertising")
    refused(workshop, wide, ConsentPurpose)


def test_a_consent_for_a_face_is_none_for_a_voice(workshop: Workshop, recordings: Path) -> None:
    """Nobody consents to their face in a recording: modalities are never bundled."""
    person = workshop.add_subject("Face Only")
    with pytest.raises(NotAPicture):
        workshop.record_consent(person.id, recordings / "low.wav", ["private"], TODAY, UNTIL)
    face = workshop.record_consent(person.id, HOPPER, ["private"], TODAY, UNTIL).id
    plan = workshop.plan_voice("voice.attribute", {}, target=recordings / "low.wav", consents=[face])
    refused(workshop, plan, VoiceConsentForOther)


def test_dates_and_withdrawal_count_at_once(workshop: Workshop, recordings: Path) -> None:
    """Before the first sample is read."""
    target = recordings / "low.wav"
    early = consent(workshop, target, since=TODAY - timedelta(days=9), until=TODAY - timedelta(days=2))
    refused(workshop, workshop.plan_voice("voice.attribute", {}, target=target, consents=[early]), ConsentExpired)
    gone = consent(workshop, target)
    workshop.withdraw_consent(gone, "changed my mind")
    refused(workshop, workshop.plan_voice("voice.attribute", {}, target=target, consents=[gone]), ConsentWithdrawn)


@pytest.mark.parametrize("likeness", ["none", "face"])
def test_a_request_that_hides_a_voice_is_refused_by_gate_and_worker(
    workshop: Workshop, recordings: Path, both: tuple[str, str], likeness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said to show nobody, or a face: the gate does not believe it, and the worker would not either."""
    plan = workshop.plan_voice("voice.attribute", {}, target=recordings / "low.wav", consents=[both[0]])
    (item,) = plan.request.inputs
    hidden = Request(
        "voice.attribute", "voice.attribute", (Input("target", likeness, item.sha256, item.name),), faces_edited=1
    )
    refused(workshop, SwapPlan(hidden, plan.materials, ()), VoiceConsentMissing)
    monkeypatch.setattr("compliance.gate.RULES", ())
    monkeypatch.setattr("compliance.gate.NEEDED_VOICES", {})
    monkeypatch.setattr(
        "compliance.gate.Gate._examine", lambda gate, claim, account, **_: gate.content(claim), raising=True
    )
    ended = workshop.start(SwapPlan(hidden, plan.materials, ()), lambda _event: None).wait(LIMIT_S)
    assert isinstance(ended, Failed) and ended.error == "VoiceConsentMissing"


def test_the_worker_takes_no_other_recording_than_the_gate_was_asked_about(
    workshop: Workshop, recordings: Path, both: tuple[str, str]
) -> None:
    """The bytes are hashed again where they are used."""
    plan = workshop.plan_voice("voice.attribute", {}, target=recordings / "low.wav", consents=[both[0]])
    foreign = type(plan.materials[0])("target", "audio/wav", (recordings / "high.wav").read_bytes())
    ended = workshop.start(SwapPlan(plan.request, (foreign,), ()), lambda _event: None).wait(LIMIT_S)
    assert isinstance(ended, Failed) and ended.error == PermitInvalid.__name__


def test_what_is_no_recording_of_a_voice_is_no_asset(workshop: Workshop, recordings: Path) -> None:
    """Neither for a consent nor for work; options out of range are told by name."""
    whole = (recordings / "low.wav").read_bytes()
    for name, data in {
        "cut off": whole[:30],
        "no sample": wav(np.zeros(0)),
        "no rate": whole[:24] + bytes(4) + whole[28:],
        "one a second": whole[:24] + b"\1\0\0\0" + whole[28:],
    }.items():
        (recordings / f"{name}.wav").write_bytes(data)
        with pytest.raises((NotASound, SoundTooLong)):
            workshop.plan_voice("voice.attribute", {}, target=recordings / f"{name}.wav")
    for name, error in (("words", NotASound), ("silence", VoiceNotFound)):
        with pytest.raises(error):
            consent(workshop, recordings / f"{name}.wav")
        with pytest.raises(error):
            workshop.plan_voice("voice.attribute", {}, target=recordings / f"{name}.wav")
    with pytest.raises(NotASound):
        workshop.plan_voice("voice.attribute", {}, target=recordings)
    with pytest.raises(NotASound):
        consent(workshop, recordings)
    for options in ({"pitch": 40.0}, {"pitch": True}, {"age": 1.0}):
        with pytest.raises(OptionUnfit):
            workshop.plan_voice("voice.attribute", options, target=recordings / "low.wav")


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"start_s": -1.0}, "--start"),
        ({"start_s": NAN}, "--start"),
        ({"start_s": INF}, "--start"),
        ({"start_s": 3.5}, "--start"),
        ({"start_s": 2.9}, "--start"),
        ({"end_s": -1.0}, "--end"),
        ({"end_s": NAN}, "--end"),
        ({"end_s": 3.5}, "--end"),
        ({"end_s": 0.05}, "--end"),
        ({"start_s": 2.0, "end_s": 1.0}, "--end"),
        ({"start_s": 1.0, "end_s": 1.0}, "--end"),
        ({"reference_start_s": 3.5}, "--reference-start"),
        ({"reference_start_s": 1.0, "reference_end_s": 1.1}, "--reference-end"),
    ],
)
def test_a_part_that_does_not_lie_in_its_recording_is_refused_by_name(
    workshop: Workshop, recordings: Path, options: dict[str, float], option: str
) -> None:
    """Each recording is three seconds long; neither gate nor engine is asked."""
    with pytest.raises(OptionUnfit) as refusal:
        workshop.plan_voice(
            "voice.lean", options, source=recordings / "high.wav", target=recordings / "low.wav", consents=[]
        )
    assert refusal.value.data["option"] == option


def test_a_part_is_covered_by_the_consent_to_its_whole_file_and_by_no_other(
    workshop: Workshop, recordings: Path, both: tuple[str, str]
) -> None:
    """The request names the digest of the whole file; a consent to a copy that was cut beforehand is another one's."""
    target = recordings / "low.wav"
    plan = workshop.plan_voice("voice.attribute", {"start_s": 1.0, "end_s": 3.0}, target=target, consents=[both[0]])
    assert plan.request.inputs[0].sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert plan.materials[0].data == target.read_bytes()
    assert all(rule.ok for rule in workshop.explain(plan.request))
    cut = recordings / "cut.wav"
    cut.write_bytes(wav(speech(LOW, 3.0)[16000:]))
    of_the_cut = consent(workshop, cut)
    refused(workshop, replace(plan, request=replace(plan.request, consents=(of_the_cut,))), VoiceConsentForOther)


def test_a_voice_is_leaned_labelled_and_verified(
    workshop: Workshop, recordings: Path, both: tuple[str, str], tmp_path: Path
) -> None:
    """Through gate, worker and release; the file names both consents and is sealed."""
    running = workshop.start(
        lean(workshop, recordings / "high.wav", recordings / "low.wav", list(both)), lambda _event: None
    )
    assert isinstance(running.wait(LIMIT_S), Finished)
    released = workshop.release(running, tmp_path / "leaned.wav")
    (report,) = workshop.verify([released.path])
    assert report.verdict == "sealed"
    assert all(workshop.grant(grant).outputs == 1 for grant in both)


def test_spoken_evidence_is_compared_with_the_recording(workshop: Workshop, recordings: Path) -> None:
    """Somebody else's recording is refused when the consent is recorded; nothing is kept of it."""
    before = len(workshop.grants())
    spoken = (recordings / "high again.wav").read_bytes()
    for name in ("low", "both"):
        with pytest.raises(EvidenceVoiceMismatch):
            consent(workshop, recordings / f"{name}.wav", evidence_data=spoken, evidence_kind="audio")
    assert len(workshop.grants()) == before


def test_a_biometric_consent_covers_the_voice_and_not_the_file(workshop: Workshop, recordings: Path) -> None:
    """Another recording of the person passes, another person's and one with a second voice in it do not."""
    spoken = (recordings / "high again.wav").read_bytes()
    grant = consent(workshop, recordings / "high.wav", "Hanna", evidence_data=spoken, evidence_kind="audio")
    record = workshop.consent_record(grant)["match"]
    assert record["mode"] == "biometric" and record["model"] == "speaker-encoder" and record["threshold"] == 0.78
    for name in ("low", "both"):
        plan = workshop.plan_voice("voice.attribute", {}, target=recordings / f"{name}.wav", consents=[grant])
        refused(workshop, plan, VoiceConsentForOther)
    plan = workshop.plan_voice("voice.attribute", {}, target=recordings / "high again.wav", consents=[grant])
    assert all(result.ok for result in workshop.explain(plan.request) if result.name in ("uses", "persons", "match"))
    workshop.withdraw_consent(grant, "no more")
    refused(workshop, plan, ConsentWithdrawn)


# --- the spoken phrase -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoken_by_flite() -> Iterator[Any]:
    """Says a text with the voice rms, in the speech process: samples at 16 kHz."""
    process = SpeechProcess()
    before = talking.talk_through(process.begin)

    def say(text: str) -> Wave:
        with talking.Speech() as asked:
            rate_hz, samples = asked.flite("rms", text)
        return resampled(samples.astype(np.float64), rate_hz, 16000)

    yield say
    talking.talk_through(before)
    process.close()


def record_live(workshop: Workshop, person: str, asset: Path, recording: bytes, phrase: str) -> dict[str, Any]:
    """The evidence in the record of a live consent."""
    grant = workshop.record_consent(
        person,
        asset,
        ["private"],
        TODAY,
        UNTIL,
        likeness="voice",
        evidence_data=recording,
        evidence_kind="audio",
        nonce_phrase=phrase,
    )
    (told,) = workshop.consent_record(grant.id)["evidence"]
    return dict(told)


def test_the_phrase_is_listened_to(
    workshop: Workshop, spoken_by_flite: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right words are counted, other words are refused; noise and Chinese are left to a second person."""
    person = workshop.add_subject("Robert Smith").id
    phrase = workshop.new_nonce(person, likeness="voice", language="en").phrase
    other = workshop.new_nonce(person, likeness="voice", language="en").phrase
    samples, asset = spoken_by_flite(phrase), tmp_path / "robert.wav"
    asset.write_bytes(wav(samples))
    answers: list[dict[str, Any]] = []
    listen = workshop._runner.hear
    monkeypatch.setattr(workshop._runner, "hear", lambda *asked: answers.append(listen(*asked)) or answers[-1])
    right = record_live(workshop, person, asset, wav(samples), phrase)
    assert right["phrase_check"] == "heard" and right["phrase_distance"] <= 0.334 and right["snr_db"] > 18
    monkeypatch.setattr(workshop._runner, "hear", lambda *_asked: answers[0])
    with pytest.raises(PhraseNotHeard) as refusal:
        record_live(workshop, person, asset, wav(samples), other)
    assert refusal.value.data["heard"] < evidence.NEEDED_WORDS
    monkeypatch.undo()
    noise = np.random.default_rng(2).normal(size=len(samples)) * 0.08 * np.abs(samples).max()
    asset.write_bytes(wav(samples + noise))
    told = record_live(workshop, person, asset, wav(samples + noise), other)
    assert told["phrase_check"] == "too noisy" and told["phrase_distance"] is None and told["snr_db"] < 18
    chinese = workshop.new_nonce(person, likeness="voice", language="zh-CN").phrase
    told = record_live(workshop, person, asset, wav(samples + noise), chinese)
    assert told["phrase_check"] == "second person" and told["phrase_distance"] is None


def test_words_count_in_their_order_alone() -> None:
    """Four of six in order are needed; others in between do no harm."""
    words = ["amber", "anchor", "basket", "bridge", "candle", "castle"]
    phrase = f"My name is A. In May 2026 I agree that S uses my voice. My words are: {', '.join(words)}."
    assert evidence.phrase_distance(phrase, words) == 0
    assert evidence.phrase_distance(phrase, ["river", *words[:2], "river", *words[4:]]) == 0.333
    for heard in ([], words[:3], words[::-1], words[:1] * 6):
        with pytest.raises(PhraseNotHeard):
            evidence.phrase_distance(phrase, heard)
    assert evidence.listen_for("我是甲。我的口令是：琥珀、船锚。") is None
    asked = evidence.listen_for(phrase)
    assert asked is not None and "amber" in asked["words"] and len(asked["words"]) == 32
