"""Consent by the command line and the workshop: what is refused, what a withdrawal stops, what a receipt says."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image

from compliance import vault
from compliance.data_keys import data_key
from compliance.errors import (
    ConsentForOtherPicture,
    ConsentWithdrawn,
    FaceIndexUnknown,
    FaceMismatch,
    KeysDamaged,
    NonceInvalid,
    RecogniserMissing,
    SessionLocked,
    Shredded,
    SubjectErased,
    UnknownRecord,
)
from engines.engine import Request
from engines.job import Cancelled, Finished, Progress
from engines.packs import LicenceClass
from studio import text, workshop
from studio.commands.root import run
from studio.packs import add_pack
from studio.workshop import SwapPlan, Workshop
from tests.compliance.home import PASSWORD
from tests.engines.test_recogniser import tiny_model
from tests.studio.command_line import Answer, MemoryKeyring
from tests.studio.conftest import COLLINS, HOPPER

LIMIT_S = 60.0
TODAY = date.today()
UNTIL = (TODAY + timedelta(days=9)).isoformat()


@pytest.fixture
def signet(
    workshop_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Commands in the furnished home, signed in."""
    keyring = MemoryKeyring()
    monkeypatch.setattr(workshop, "find_keyring", lambda: keyring)
    monkeypatch.setenv("SIGNET_HOME", str(workshop_folder))
    text.set_language("en")
    with Workshop(workshop_folder, "own", keyring) as opened:
        opened.login("maria", PASSWORD)

    def run_it(*words: object) -> Answer:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run_it


@pytest.fixture
def workshop_folder(studio_folder: Path, tmp_path: Path) -> Path:
    """A copy of the furnished home."""
    import shutil

    folder = tmp_path / "home"
    shutil.copytree(studio_folder, folder)
    return folder


def subject_id(signet: Callable[..., Answer], name: str = "Grace Hopper") -> str:
    """The id of a person of the furnished home."""
    return next(row["id"] for row in signet("subject", "list", "--json").lines if row["name"] == name)


def record(signet: Callable[..., Answer], *more: object) -> Answer:
    """Record a consent of Grace Hopper."""
    words = ["consent", "record", "--subject", subject_id(signet), "--picture", HOPPER, "--purpose", "film"]
    return signet(*words, "--until", UNTIL, "--json", *more)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--territory", "Narnia"], "ScopeUnclear"),
        (["--allow-use", "everything"], "ScopeUnclear"),
        (["--age", "under 14"], "GuardianMissing"),
        (["--face", "7"], "FaceIndexUnknown"),
        (["--phrase", "made up", "--evidence", COLLINS, "--kind", "video"], "NonceInvalid"),
        (["--phrase", "made up", "--evidence", COLLINS, "--kind", "paper"], "NonceInvalid"),
        (["--supersedes", "con-none"], "UnknownRecord"),
        (["--max-outputs", "0"], "UsageUnclear"),
        (["--likeness", "soul"], "UsageUnclear"),
    ],
)
def test_what_is_not_of_the_lists_is_refused(signet: Callable[..., Answer], words: list[object], error: str) -> None:
    """Each wrong term has its error and leaves no consent."""
    before = len(signet("consent", "list", "--json").lines)
    answer = record(signet, *words)
    assert answer.lines[-1]["error"] == error
    assert answer.code in (2, 5, 1)
    assert len(signet("consent", "list", "--json").lines) == before


def test_the_code_withdraws_without_an_account(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """The code is shown once, stands on the receipt, and withdraws after everybody has signed out."""
    pdf, copy = tmp_path / "receipt.pdf", tmp_path / "receipt.json"
    made = record(signet, "--receipt", pdf, "--recipient", "A broadcaster", "--notice", "zh-CN").lines[0]
    code = made["withdrawal_code"]
    assert signet("consent", "show", made["id"], "--json").lines[0]["withdrawal_code"] is None
    assert pdf.read_bytes().startswith(b"%PDF")
    assert signet("consent", "receipt", made["id"], "--out", copy, "--code", "SW-WRONG").code == 5
    assert signet("consent", "receipt", made["id"], "--out", copy, "--json").code == 0
    told = json.loads(copy.read_text())
    assert told["record"]["notice"]["language"] == "zh-CN"
    assert told["personal"]["recipients"] == ["A broadcaster"]
    assert told["withdrawal_code"] is None
    assert signet("consent", "receipt", made["id"], "--out", copy).code == 11
    assert signet("account", "logout").code == 0
    assert signet("consent", "withdraw", "--code", "SW-0000-0000-0000-0000", "--json").code == 5
    assert signet("consent", "withdraw").code == 2
    gone = signet("consent", "withdraw", "--code", code, "--json").lines[0]
    assert gone == {"withdrawn": made["id"], "take_down": []}
    assert signet("consent", "withdraw", "--code", code, "--json").lines[0]["error"] == "ConsentWithdrawn"


def test_the_gate_explains_itself(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """Every rule in order, with what to do; a request that is none is told; nothing is entered or made."""
    rules = signet(
        "face", "swap", "--source", HOPPER, "--target", COLLINS, "--out", tmp_path / "x.png", "--explain", "--json"
    )
    assert rules.code == 5
    told = {row["name"]: row for row in rules.lines if "rule" in row}
    assert [row["rule"] for row in told.values()] == list(range(1, len(told) + 1))
    assert not told["uses"]["ok"]
    assert told["uses"]["error"] == "ConsentMissing"
    assert told["proof"]["ok"]
    assert not (tmp_path / "x.png").exists()
    request = tmp_path / "request.json"
    for bad in (b"", b"[]", b"{}", b'{"function": 1}', b"\xff"):
        request.write_bytes(bad)
        assert signet("gate", "explain", request, "--json").lines[-1]["error"] == "RequestUnreadable"
    assert signet("gate", "explain", tmp_path / "none.json").code == 1
    request.write_text(json.dumps(Request("fake.noise", "fake.noise", ()).to_json()))
    before = signet("ledger", "show", "--json").out
    answer = signet("gate", "explain", request, "--json")
    assert answer.code == 0
    assert all(row["ok"] for row in answer.lines)
    assert signet("ledger", "show", "--json").out == before


def test_nonce_approve_and_assign(signet: Callable[..., Answer], tmp_path: Path) -> None:
    """A phrase names the person; nobody approves alone; a face is assigned by its number."""
    who = subject_id(signet)
    phrase = signet("consent", "nonce", "--subject", who, "--language", "en", "--json").lines[0]["phrase"]
    assert "Grace Hopper" in phrase
    film = tmp_path / "film.mp4"
    film.write_bytes(b"a film")
    made = record(signet, "--evidence", film, "--kind", "video", "--phrase", phrase).lines[0]
    assert made["evidence_level"] == "live"
    assert record(signet, "--evidence", film, "--kind", "video", "--phrase", phrase).code == 5
    assert signet("consent", "approve", made["id"], "--json").lines[-1]["error"] == "SecondPersonNeeded"
    signed = signet("consent", "signed", made["id"], "--file", film, "--json")
    assert signed.code == 0
    assert signet("consent", "assign", "--picture", HOPPER, "--face", 3, "--subject", who).code == 2
    said = signet("consent", "assign", "--picture", HOPPER, "--face", 1, "--subject", who, "--json").lines[0]
    assert (said["number"], said["confirmed_by"]) == (1, None)


def test_erasing_by_command(signet: Callable[..., Answer]) -> None:
    """Erasing wants a clear yes; afterwards the name is gone and the person cannot be used."""
    who = subject_id(signet)
    assert signet("subject", "erase", who).code == 2
    assert signet("subject", "erase", who, "--yes", "--json").code == 0
    shown = signet("subject", "show", who, "--json").lines[0]
    assert shown["name"] is None
    assert shown["erased_at"]
    assert {row["state"] for row in signet("consent", "list", "--subject", who, "--json").lines} == {"withdrawn"}
    assert record_for(signet, who).lines[-1]["error"] == "SubjectErased"


def record_for(signet: Callable[..., Answer], who: str) -> Answer:
    """Record for one person."""
    words = ["consent", "record", "--subject", who, "--picture", HOPPER, "--purpose", "film", "--until", UNTIL]
    return signet(*words, "--json")


def test_every_command_has_an_example(signet: Callable[..., Answer]) -> None:
    """`--help` ends with an example, in either language."""
    for command in ["record", "nonce", "approve", "signed", "assign", "receipt", "list", "show", "withdraw"]:
        assert f"Example: signet consent {command}" in " ".join(signet("consent", command, "--help").out.split())
    assert "示例：" in signet("--lang", "zh-CN", "consent", "nonce", "--help").out
    text.set_language("en")


# --- work that rests on a consent ------------------------------------------------------------------------------------


def slow_plan(workshop: Workshop, grant: str, steps: int = 100_00) -> SwapPlan:
    """Noise that takes long, made under a consent."""
    request = Request("fake.noise", "fake.noise", (), {"steps": steps, "step_ms": 20}, consents=(grant,))
    return SwapPlan(request, (), ())


def started(workshop: Workshop, plan: SwapPlan):
    """A job whose engine is at work."""
    at_work = threading.Event()
    running = workshop.start(plan, lambda event: at_work.set() if isinstance(event, Progress) else None)
    assert at_work.wait(LIMIT_S)
    return running


def test_a_withdrawal_stops_a_running_job(workshop: Workshop, tmp_path: Path) -> None:
    """The job under the consent is cancelled and cannot be released; one under another consent goes on."""
    first, second = (grant.id for grant in workshop.grants())
    running, other = started(workshop, slow_plan(workshop, first)), started(workshop, slow_plan(workshop, second))
    workshop.withdraw_consent(first)
    assert isinstance(running.wait(LIMIT_S), Cancelled)
    assert other.info is None
    assert other.state.value == "running"
    other.cancel()
    other.wait(LIMIT_S)


def test_a_withdrawal_in_another_process_stops_it_too(workshop: Workshop) -> None:
    """A second workshop on the same home, without keys and account, withdraws by the code."""
    person = workshop.subjects()[0].id
    granted = workshop.record_consent(person, HOPPER, ["private"], TODAY, TODAY)
    running = started(workshop, slow_plan(workshop, granted.id))
    with Workshop(workshop.home, "own", None) as visitor:
        visitor.withdraw_by_code(granted.withdrawal_code or "")
    assert isinstance(running.wait(LIMIT_S), Cancelled)


def test_a_withdrawal_destroys_a_finished_result(workshop: Workshop, tmp_path: Path) -> None:
    """What was made and not yet released is gone: no preview, no release."""
    granted = workshop.grants()[0]
    running = workshop.start(slow_plan(workshop, granted.id, steps=1), lambda _event: None)
    assert isinstance(running.wait(LIMIT_S), Finished)
    workshop.preview(running)
    workshop.withdraw_consent(granted.id)
    with pytest.raises(ConsentWithdrawn):
        workshop.release(running, tmp_path / "x.png")
    for thread in threading.enumerate():
        if thread.name == "signet withdrawn result":
            thread.join(LIMIT_S)
    with pytest.raises(UnknownRecord):
        workshop.preview(running)
    assert not (tmp_path / "x.png").exists()


def test_erasing_a_person_stops_their_work(workshop: Workshop) -> None:
    """Erasure is a withdrawal of all."""
    granted = workshop.grants()[0]
    running = started(workshop, slow_plan(workshop, granted.id))
    workshop.erase_subject(granted.subject_id)
    assert isinstance(running.wait(LIMIT_S), Cancelled)
    with pytest.raises(SubjectErased):
        workshop.new_nonce(granted.subject_id)


def test_locked_keys_record_nothing(workshop: Workshop) -> None:
    """Without keys neither a phrase nor a consent can be had."""
    with Workshop(workshop.home, "own", None) as locked:
        with pytest.raises(SessionLocked):
            locked.new_nonce(locked.subjects()[0].id)
        with pytest.raises(SessionLocked):
            locked.record_consent(locked.subjects()[0].id, HOPPER, ["private"], TODAY, TODAY)


# --- with a recogniser -----------------------------------------------------------------------------------------------


def test_a_recogniser_matches_the_person_in_another_picture(workshop: Workshop, tmp_path: Path) -> None:
    """Without a pack a still is refused; with one, another face is, and the person passes in a picture never named."""
    people = {person.name: person.id for person in workshop.subjects()}
    days = TODAY, TODAY + timedelta(days=3)
    with pytest.raises(RecogniserMissing):
        workshop.record_consent(people["Grace Hopper"], HOPPER, ["private"], *days, still=HOPPER.read_bytes())
    model = tmp_path / "model.onnx"
    model.write_bytes(tiny_model())
    add_pack(
        workshop.home,
        model,
        pack_id="tiny-faces",
        licence="MIT",
        licence_class=LicenceClass.OPEN,
        kind="face-recogniser",
        options={"family": "arcface", "threshold": 0.97},
    )
    with pytest.raises(FaceMismatch):
        workshop.record_consent(people["Grace Hopper"], HOPPER, ["private"], *days, still=COLLINS.read_bytes())
    granted = workshop.record_consent(people["Grace Hopper"], HOPPER, ["private"], *days, still=HOPPER.read_bytes())
    assert granted.match == "biometric"
    record = workshop.consent_record(granted.id)["match"]
    assert (record["model"], record["threshold"]) == ("tiny-faces", 0.97)
    another = tmp_path / "another.png"
    with Image.open(HOPPER) as portrait:
        portrait.convert("RGB").resize((400, 470)).save(another)
    target = next(one.id for one in workshop.grants() if one.subject_id == people["Eileen Collins"])
    rules = workshop.explain(workshop.plan_swap(another, COLLINS, [granted.id, target]).request)
    assert [rule.name for rule in rules if not rule.ok] == []
    with pytest.raises(ConsentForOtherPicture):
        workshop.start(workshop.plan_swap(COLLINS, COLLINS, [granted.id]), lambda _event: None)


def test_a_still_on_the_command_line_needs_a_recogniser(signet: Callable[..., Answer]) -> None:
    """Without a pack --still is refused with the code of consent and nothing is recorded; a missing file is told."""
    before = len(signet("consent", "list", "--json").lines)
    assert record(signet, "--still", HOPPER).lines[-1]["error"] == "RecogniserMissing"
    assert record(signet, "--still", HOPPER.with_name("no.png")).code == 1
    assert len(signet("consent", "list", "--json").lines) == before


def test_a_number_that_is_not_there_cannot_be_assigned(workshop: Workshop) -> None:
    """Faces are counted before anything is said of them."""
    person = workshop.subjects()[0].id
    for number in (0, 2, -1):
        with pytest.raises(FaceIndexUnknown):
            workshop.assign_face(HOPPER, number, person)
    with pytest.raises(NonceInvalid):
        workshop.record_consent(
            person, HOPPER, ["private"], TODAY, TODAY, evidence_data=b"film", evidence_kind="video", nonce_phrase="x"
        )


def test_a_copy_of_the_evidence_opens_no_more_once_the_person_is_erased(workshop: Workshop, tmp_path: Path) -> None:
    """Evidence and signed receipt lie under the person's own key: a backup of the vault is as dead as the vault."""
    person = workshop.add_subject("Grace Hopper")
    paper, receipt = tmp_path / "paper.txt", tmp_path / "receipt.txt"
    paper.write_bytes(b"signed paper")
    receipt.write_bytes(b"signed receipt")
    until = date.today() + timedelta(days=30)
    granted = workshop.record_consent(person.id, HOPPER, ["private"], date.today(), until, evidence=paper)
    workshop.confirm_by_receipt(granted.id, receipt)
    keys = workshop._accounts.require().require_keys()
    with workshop._rows.write() as connection:
        key = data_key(connection, keys, person.id)
    kept = {path.name: path.read_bytes() for path in (workshop.home / "vault").iterdir()}
    digests = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (paper, receipt)]
    assert set(kept) == {f"{person.id}.{digest}.sealed" for digest in digests}
    assert [vault.get(workshop.home, person.id, key, digest) for digest in digests] == [
        b"signed paper",
        b"signed receipt",
    ]
    workshop.erase_subject(person.id)
    assert list((workshop.home / "vault").iterdir()) == []
    for name, data in kept.items():
        (workshop.home / "vault" / name).write_bytes(data)
    with workshop._rows.write() as connection, pytest.raises(Shredded):
        data_key(connection, keys, person.id)
    for digest in digests:
        with pytest.raises(KeysDamaged):
            vault.get(workshop.home, person.id, keys.vault_key(), digest, keys)
