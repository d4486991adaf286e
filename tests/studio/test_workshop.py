"""The workshop from end to end with the real engine: refusals, then a picture, then what is left on the disk."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import resources
from compliance.clock import stamp
from compliance.decode_sound import decode_sound
from compliance.errors import (
    ConsentForOtherPicture,
    ConsentMissing,
    ConsentTooNarrow,
    ConsentWithdrawn,
    ContentBlocked,
    DeclarationRefused,
    DemoHomeOnly,
    ExitCode,
    FaceIndexUnknown,
    FaceUnassigned,
    FileMissing,
    HomeUnusable,
    NameMissing,
    NoFaceFound,
    NotAPicture,
    NotASound,
    NotAttested,
    NotSignedIn,
    NotVerified,
    SessionLocked,
    StoreDamaged,
    UnknownRecord,
    WorkStopped,
)
from compliance.labels import audible, explicit
from compliance.labels.voice_clips import resampled
from engines.engine import Request
from engines.job import Failed, Finished
from studio.settings import Settings
from studio.workshop import SwapPlan, Workshop, raise_failed, verify_files
from tests.compliance.home import PASSWORD
from tests.studio.conftest import COLLINS, HOPPER

LIMIT_S = 60.0


def consents(workshop: Workshop) -> list[str]:
    """All consents of the furnished home."""
    return [grant.id for grant in workshop.grants()]


def finish(workshop: Workshop, plan: SwapPlan):
    """Run a plan; raises what the job failed with."""
    running = workshop.start(plan, lambda _event: None)
    last = running.wait(LIMIT_S)
    if isinstance(last, Failed):
        raise_failed(last)
    assert isinstance(last, Finished)
    return running


def test_signed_out_nothing_starts(workshop: Workshop) -> None:
    """After signing out no consent can be recorded and no work started."""
    plan = workshop.plan_swap(HOPPER, COLLINS, consents(workshop))
    workshop.logout()
    with pytest.raises(NotSignedIn):
        workshop.start(plan, lambda _event: None)
    with pytest.raises(NotSignedIn):
        workshop.add_subject("Somebody")


def test_the_gate_stands_before_the_worker(workshop: Workshop) -> None:
    """No consent, half the consents and consents for other files start nothing."""
    both = consents(workshop)
    for given, error in (([], ConsentMissing), (both[:1], ConsentMissing), (both[1:], ConsentMissing)):
        with pytest.raises(error):
            workshop.start(workshop.plan_swap(HOPPER, COLLINS, given), lambda _event: None)


def test_a_changed_source_file_needs_a_new_consent(workshop: Workshop, tmp_path: Path) -> None:
    """One byte more in the file, and the consent no longer covers it."""
    changed = tmp_path / "hopper.jpg"
    changed.write_bytes(HOPPER.read_bytes() + b"\0")
    with pytest.raises(ConsentForOtherPicture):
        workshop.start(workshop.plan_swap(changed, COLLINS, consents(workshop)), lambda _event: None)


def test_withdrawal_stops_a_result_that_is_already_made(workshop: Workshop, tmp_path: Path) -> None:
    """A result made before the withdrawal cannot be released after it; the take-down list names earlier releases."""
    running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
    first = workshop.release(running, tmp_path / "first.png")
    assert [item.id for item in workshop.withdraw_consent(consents(workshop)[0])] == [first.id]
    with pytest.raises(ConsentWithdrawn):
        workshop.release(running, tmp_path / "second.png")
    assert not (tmp_path / "second.png").exists()


def test_a_release_whose_row_is_lost_is_still_to_be_taken_down(workshop: Workshop, tmp_path: Path) -> None:
    """The ledger leads: rows that were cut or emptied hide nothing from the take-down list."""
    running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
    made = workshop.release(running, tmp_path / "made.png")
    with sqlite3.connect(workshop.home / "signet.db") as database:
        database.execute("DELETE FROM release")
    database.close()
    (listed,) = workshop.withdraw_consent(consents(workshop)[0])
    assert (listed.id, listed.file_sha256, listed.ledger_index) == (made.id, made.file_sha256, made.ledger_index)
    assert listed.path.name == f"{made.id}.png"


def test_an_account_without_declaration_cannot_release(tmp_path: Path) -> None:
    """An account without proof may sign in, but the gate refuses its work; the declaration changes that."""
    with Workshop(tmp_path / "home", "own", None) as workshop:
        workshop.create_account("paul", PASSWORD)
        workshop.login("paul", PASSWORD)
        request = Request("fake.noise", "fake.noise", ())
        plan = SwapPlan(request, (), ())
        with pytest.raises(NotVerified):
            workshop.start(plan, lambda _event: None)
        workshop.declare("Paul Example")
        finish(workshop, plan)


def test_a_second_account_cannot_declare_itself(workshop: Workshop) -> None:
    """Neither when it is made, nor afterwards; a refused one is not made."""
    with pytest.raises(DeclarationRefused):
        workshop.create_account("paul", PASSWORD, "Paul Example")
    assert [account.username for account in workshop.accounts()] == ["maria"]
    workshop.create_account("paul", PASSWORD)
    workshop.login("paul", PASSWORD)
    for declare in (workshop.declare, workshop.members.declare):
        with pytest.raises(DeclarationRefused):
            declare("Paul Example")
    with pytest.raises(NotAttested):
        workshop.require_ready()


def test_bad_pictures_are_told_before_the_gate(workshop: Workshop, tmp_path: Path) -> None:
    """Missing, empty, foreign, bombed, faceless and folder inputs have their own error; nothing is started."""
    empty, text, flat = tmp_path / "empty.png", tmp_path / "notes.png", tmp_path / "flat.png"
    empty.write_bytes(b"")
    text.write_text("hello")
    Image.new("RGB", (300, 300), "grey").save(flat)
    both = consents(workshop)
    for bad, error in (
        (tmp_path / "none.png", FileMissing),
        (empty, NotAPicture),
        (text, NotAPicture),
        (tmp_path, NotAPicture),
    ):
        with pytest.raises(error):
            workshop.plan_swap(bad, COLLINS, both)
    for pictures in ((flat, COLLINS), (HOPPER, flat)):
        with pytest.raises(NoFaceFound):
            workshop.plan_swap(*pictures, both)
    with pytest.raises(FaceIndexUnknown):
        workshop.plan_swap(HOPPER, COLLINS, both, face=7)


def test_two_faces_need_two_persons(workshop: Workshop, tmp_path: Path) -> None:
    """Two faces of a target are refused on the consent of one person; one face is fine once it is said whose it is."""
    double = tmp_path / "double.png"
    with Image.open(COLLINS) as left, Image.open(HOPPER) as right:
        canvas = Image.new("RGB", (1024, 600), "white")
        canvas.paste(left, (0, 0))
        canvas.paste(right, (512, 0))
        canvas.save(double)
    people = {person.name: person.id for person in workshop.subjects()}
    until = date.today() + timedelta(days=3)
    first = workshop.record_consent(people["Eileen Collins"], double, ["private"], date.today(), until)
    named = [*consents(workshop)[:1], first.id]
    with pytest.raises(ConsentTooNarrow):
        workshop.start(workshop.plan_swap(HOPPER, double, named), lambda _event: None)
    with pytest.raises(FaceUnassigned):
        workshop.start(workshop.plan_swap(HOPPER, double, named, face=1), lambda _event: None)
    workshop.assign_face(double, 1, people["Eileen Collins"])
    with pytest.raises(FaceUnassigned):
        workshop.start(workshop.plan_swap(HOPPER, double, named, face=2), lambda _event: None)
    finish(workshop, workshop.plan_swap(HOPPER, double, named, face=1))
    second = workshop.record_consent(people["Grace Hopper"], double, ["private"], date.today(), until)
    running = finish(workshop, workshop.plan_swap(HOPPER, double, [*named, second.id]))
    assert running.info.faces_edited == 2


def test_the_demo_home_takes_no_other_picture(tmp_path: Path) -> None:
    """In a demo home no consent can be recorded for another picture."""
    own = tmp_path / "own.png"
    shutil.copy(COLLINS, own)
    own.write_bytes(own.read_bytes() + b"\0")
    with Workshop(tmp_path / "home", "demo", None) as workshop:
        workshop.create_account("demo", PASSWORD, "Demo Person")
        workshop.login("demo", PASSWORD)
        person = workshop.add_subject("Eileen Collins")
        with pytest.raises(DemoHomeOnly):
            workshop.record_consent(person.id, own, ["private"], date.today(), date.today())
        assert "SAMPLE" in workshop.label_text()
    with Workshop(tmp_path / "home", "own", None) as workshop:
        assert workshop.kind == "demo"


def test_names_are_hidden_while_locked(workshop: Workshop) -> None:
    """A second process without keyring lists people by pseudonym and cannot release."""
    with Workshop(workshop.home, "own", None) as locked:
        assert {person.name for person in locked.subjects()} == {None}
        with pytest.raises(SessionLocked):
            locked.require_ready()
        with pytest.raises(SessionLocked):
            locked.add_subject("Somebody")


def test_unknown_ids_and_empty_names(workshop: Workshop) -> None:
    """Unknown people and consents are told; nobody is entered without a name."""
    for call in (workshop.subject, workshop.grant, workshop.withdraw_consent):
        with pytest.raises(UnknownRecord):
            call("con-none")
    with pytest.raises(NameMissing):
        workshop.add_subject("  ")


def test_a_home_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A file where the home should be."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(HomeUnusable):
        Workshop(tmp_path / "file", "own", None)


def test_an_emptied_database_is_not_a_new_home(workshop: Workshop) -> None:
    """A home whose database was cut to nothing is refused: taking it for new would forget every consent."""
    workshop.close()
    for name in ("signet.db", "signet.db-wal", "signet.db-shm"):
        (workshop.home / name).unlink(missing_ok=True)
    with pytest.raises(StoreDamaged):
        Workshop(workshop.home, "own", None)


def test_an_unfinished_job_cannot_be_released(workshop: Workshop, tmp_path: Path) -> None:
    """Releasing a cancelled job leaves nothing."""
    request = Request("fake.noise", "fake.noise", (), {"steps": 1000, "step_ms": 20})
    running = workshop.start(SwapPlan(request, (), ()), lambda _event: None)
    running.cancel()
    running.wait(LIMIT_S)
    with pytest.raises(WorkStopped):
        workshop.release(running, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_a_swap_goes_the_whole_way(workshop: Workshop, tmp_path: Path) -> None:
    """From consent to a sealed file, known to the home that made it and to strangers alike."""
    running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop), purpose="film"))
    for name in ("x.png", "x.jpg"):
        released = workshop.release(running, tmp_path / name)
        (report,) = workshop.verify([released.path])
        assert report.verdict == "sealed"
        assert report.layers["credential"].evidence["trust"] == "trusted"
        assert set(report.layers["credential"].evidence["consents"]) == set(consents(workshop))
        (stranger,) = verify_files([released.path], [])
        assert stranger.verdict == "sealed"
        assert stranger.layers["credential"].evidence["trust"] == "unknown signer"
    assert [item.path.name for item in workshop.releases()] == ["x.png", "x.jpg"]
    assert workshop.verify_ledger()[0] == len(workshop.ledger_entries())
    count = workshop.export_ledger(tmp_path / "ledger.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert sum(line["type"] == "entry" for line in lines) == count
    workshop.discard(running)


def test_a_stripped_copy_is_traced(workshop: Workshop, tmp_path: Path) -> None:
    """A cropped, re-saved copy without metadata is placed by the home that released it: which release, and when."""
    running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
    released = workshop.release(running, tmp_path / "x.png")
    with Image.open(released.path) as picture:
        picture.convert("RGB").crop((40, 40, 440, 420)).save(tmp_path / "copy.jpg", quality=60)
    (report,) = workshop.verify([tmp_path / "copy.jpg"])
    evidence = report.layers["watermark"].evidence
    assert evidence["release"] == released.id
    # Times without fractions compare as text: begun, finished, now.
    assert released.created_at <= evidence["released_at"] <= stamp()
    assert report.verdict == "broken"


def test_the_preview_is_labelled(workshop: Workshop) -> None:
    """What the screen gets carries the label burnt in, at any size."""
    running = finish(workshop, workshop.plan_swap(HOPPER, COLLINS, consents(workshop)))
    for longest_px in (200, 512, 2000):
        with Image.open(io.BytesIO(workshop.preview(running, longest_px))) as shown:
            pixels = np.asarray(shown.convert("RGB"))
        assert max(pixels.shape[:2]) <= longest_px
        assert explicit.state(explicit.measure(pixels)) == "intact"


@pytest.mark.parametrize("corner", ["top-left", "bottom-right"])
def test_the_preview_has_the_look_that_was_chosen(workshop: Workshop, corner: str) -> None:
    """What the window promises of the released file: the same preset, in the same place."""
    Settings(workshop.home).update({"label_position": corner, "label_style": "dark"})
    running = finish(workshop, SwapPlan(Request("fake.noise", "fake.noise", (), {"width": 480, "height": 360}), (), ()))
    with Image.open(io.BytesIO(workshop.preview(running))) as shown:
        measured = explicit.measure(np.asarray(shown.convert("RGB")))
    assert explicit.state(measured) == "intact"
    left, top, width, height = measured.box
    assert (left + width / 2 < 240, top + height / 2 < 180) == (
        (True, True) if corner == "top-left" else (False, False)
    )


def test_canary_only_the_labelled_file_holds_the_picture(workshop: Workshop, tmp_path: Path) -> None:
    """After a run of a known noise pattern no file holds it but the released, labelled one."""
    out = tmp_path / "out"
    out.mkdir()
    request = Request("fake.noise", "fake.noise", (), {"width": 480, "height": 360}, seed=20260901)
    pattern = np.random.Generator(np.random.PCG64(20260901)).integers(0, 256, (360, 480, 3), dtype=np.uint8)
    running = finish(workshop, SwapPlan(request, (), ()))
    workshop.preview(running)
    released = workshop.release(running, out / "noise.png")
    running.discard()

    def holds_it(path: Path) -> bool:
        data = path.read_bytes()
        if pattern[200].tobytes()[:96] in data or pattern[200, :, 0].tobytes()[:48] in data:
            return True
        try:
            with Image.open(io.BytesIO(data)) as picture:
                shown = np.asarray(picture.convert("RGB"))
        except OSError:
            return False
        # The invisible mark moves samples a little; chance alone comes this near to one in seven.
        return shown.shape == pattern.shape and float(np.mean(np.abs(shown.astype(int) - pattern) <= 16)) > 0.5

    holders = {path for path in tmp_path.rglob("*") if path.is_file() and holds_it(path)}
    assert holders == {released.path}
    assert workshop.verify([released.path])[0].verdict == "sealed"


@pytest.mark.parametrize("name", ["tone.wav", "tone.ogg"])
def test_canary_only_the_labelled_file_holds_the_sound(workshop: Workshop, tmp_path: Path, name: str) -> None:
    """After a run of known noise no file holds it, as samples or encoded, but the released, labelled one."""
    out = tmp_path / "out"
    out.mkdir()
    options = {"seconds": 2.0, "rate_hz": 16000, "noise": 1.0, "steps": 1}
    running = finish(workshop, SwapPlan(Request("fake.tone", "fake.tone", (), options, seed=20260902), (), ()))
    audible.require_sound(audible.measure_sound(*decode_sound("preview", workshop.listen(running, "en"))))
    released = workshop.release(running, out / name, language="en")
    chance = np.random.Generator(np.random.PCG64(20260902))
    chance.uniform(200, 900, 1)
    pattern = (0.25 * chance.uniform(-1, 1, (32000, 1))).astype(np.float32)[:, 0]
    whole = np.rint(pattern * 32768).astype("<i2")

    def holds_it(path: Path) -> bool:
        data = path.read_bytes()
        if whole[9000:9100].tobytes() in data or pattern[9000:9100].tobytes() in data:
            return True
        try:
            samples, rate_hz = decode_sound(path.name, data)
        except NotASound:
            return False
        heard = resampled(samples[:, 0], len(samples) * 16000 // rate_hz)
        return (
            float(np.abs(np.correlate(heard, pattern[:8000], "valid")).max() / (pattern[:8000] @ pattern[:8000])) > 0.3
        )

    holders = {path for path in tmp_path.rglob("*") if path.is_file() and holds_it(path)}
    assert holders == {released.path}
    assert workshop.verify([released.path])[0].verdict == "sealed"


def test_the_doctor_finds_a_healthy_home(workshop: Workshop) -> None:
    """Nothing fails on a machine that can release."""
    assert [finding.name for finding in workshop.health() if finding.state == "fail"] == []


def test_stopped_words_open_a_case_that_can_be_appealed(workshop: Workshop) -> None:
    """Words on the review's lists start nothing; the refusal names the rule, and a case stands without the words."""
    listed = json.loads((Path(resources.__file__).parent / "review" / "en.json").read_text())["entries"]
    entry = next(item for item in listed if item["severity"] == "stop")
    plan = workshop.plan_picture("picture.sketch", {"prompt": f"a hill, {entry['text']}, a lake"}, seed=1)
    with pytest.raises(ContentBlocked) as refusal:
        workshop.start(plan, lambda _event: None)
    assert refusal.value.code == ExitCode.BLOCKED
    assert str(refusal.value.data["rule"]).endswith(entry["rule"])
    (case,) = workshop.casework.cases()
    assert case.rule == refusal.value.data["rule"]
    assert entry["text"] not in str(workshop.ledger_entries())
    finish(workshop, workshop.plan_picture("picture.sketch", {"prompt": "a hill and a lake", "width": 128}, seed=1))
