"""The review wired for real: pictures in the worker, classifiers that stop, cases, what the ledger tells of it."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compliance.content import ContentHit
from compliance.errors import (
    ClassifierUnusable,
    ContentBlocked,
    ExitCode,
    LicenceForbids,
    PackMissing,
    ReviewChanged,
    ReviewUnavailable,
    RoleMissing,
    SignetError,
    StoreBusy,
)
from compliance.media import Film, MediaInfo, SyntheticMedia, unseal_film
from compliance.permit import Permit
from compliance.review import shipped_lists
from compliance.review_result import watched
from compliance.review_rules import LEAST_SHARE, look, skin_share
from engines import packs
from engines.engine import Input, Request
from engines.job import Failed, Finished, JobState
from engines.packs import LicenceClass
from engines.picture.scene.painting import paint
from engines.picture.scene.parser import parse
from engines.source import decode
from studio.looking import Looking, load_classifier
from studio.packs import add_pack, packs_folder
from studio.review import WordsReview, words_of
from studio.workshop import SwapPlan, Workshop, raise_failed
from tests.compliance.home import PASSWORD
from tests.compliance.test_review_classifiers import model
from tests.studio import command_line
from tests.studio.command_line import Signet
from tests.studio.conftest import COLLINS, HOPPER

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template

LIMIT_S = 60.0
SCENE = {"prompt": "a boat on a lake", "width": 160, "height": 128}
SETTINGS = {
    "model": "tiny.onnx",
    "labels": ["fine", "blocked"],
    "thresholds": {"blocked": 0.7},
    "input_size": [8, 8],
}


def phrase(severity: str) -> str:
    """A phrase of the shipped lists."""
    return next(entry.text for entry in shipped_lists().entries if entry.severity == severity)


def classifier_pack(home: Path, folder: Path, pack_id: str = "tiny", **changes: Any) -> str:
    """A pack with the tiny network that says "blocked" to light pictures."""
    source = folder / f"source-{pack_id}"
    source.mkdir()
    model(source)
    (source / "classifier.json").write_text(json.dumps({**SETTINGS, **changes}))
    add_pack(home, source, pack_id=pack_id, licence="Apache-2.0", licence_class=LicenceClass.OPEN)
    shutil.rmtree(source)
    return pack_id


def png(pixels: np.ndarray) -> bytes:
    """Encoded."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def picture(folder: Path, name: str, value: int) -> Path:
    """A grey picture with a little structure."""
    pixels = np.full((120, 160, 3), value, np.uint8)
    pixels[40:80, 60] = 255 - value
    (folder / name).write_bytes(png(pixels))
    return folder / name


def body() -> np.ndarray:
    """A shaded skin-coloured column on grey: what the rule about skin is for."""
    y, x = np.mgrid[0:200, 0:150]
    shade = (0.75 + 0.25 * np.cos((x - 75) / 55))[..., None]
    drawn = np.where(((np.abs(x - 75) < 58) & (y > 10))[..., None], np.array((198, 134, 100)) * shade, 120.0)
    return np.clip(drawn + np.random.default_rng(0).normal(0, 2, drawn.shape), 0, 255).astype(np.uint8)


def finish(workshop: Workshop, plan: SwapPlan) -> Any:
    """Run a plan; raises what the job failed with."""
    running = workshop.start(plan, lambda _event: None)
    last = running.wait(LIMIT_S)
    if isinstance(last, Failed):
        raise_failed(last)
    assert isinstance(last, Finished)
    return running


def enhance(workshop: Workshop, path: Path) -> SwapPlan:
    """A plan without people or words."""
    return workshop.plan_picture("picture.enhance", {"scale": 2}, picture=path)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_picture_that_the_classifier_stops_is_not_worked_on(workshop: Workshop, tmp_path: Path) -> None:
    """The input stops the job before the engine; nothing can be looked at, and a case stands without the picture."""
    workshop.review.choose(classifier_pack(workshop.home, tmp_path))
    running = workshop.start(enhance(workshop, picture(tmp_path, "light.png", 250)), lambda _event: None)
    last = running.wait(LIMIT_S)
    assert isinstance(last, Failed)
    with pytest.raises(ContentBlocked) as refused:
        raise_failed(last)
    told = refused.value.data
    assert (told["rule"], told["place"], told["category"]) == ("tiny/blocked", "target", "blocked")
    assert told["score"] > 0.9 and refused.value.code == ExitCode.BLOCKED
    (case,) = workshop.casework.cases()
    assert (case.id, case.rule) == (told["case"], "tiny/blocked")
    assert case.id in refused.value.next_step.format(**told)
    for act in (workshop.preview, lambda job: workshop.release(job, tmp_path / "out.png")):
        with pytest.raises(SignetError):
            act(running)
    assert not (tmp_path / "out.png").exists()
    finish(workshop, enhance(workshop, picture(tmp_path, "dark.png", 5)))


def test_a_result_that_is_stopped_leaves_no_pixel(workshop: Workshop, tmp_path: Path) -> None:
    """A dark scene may be asked for; the light picture that comes of it is dropped in the worker and lies nowhere."""
    workshop.review.choose(classifier_pack(workshop.home, tmp_path, thresholds={"blocked": 0.5}))
    before = {path for path in workshop.home.rglob("*") if path.is_file()}
    running = workshop.start(workshop.plan_picture("picture.sketch", SCENE), lambda _event: None)
    last = running.wait(LIMIT_S)
    assert isinstance(last, Failed) and last.error == "ContentBlocked" and last.data["place"] == "result"
    assert running.state is JobState.FAILED and running.info is None
    with pytest.raises(SignetError):
        workshop.preview(running)
    with pytest.raises(SignetError):
        info = MediaInfo("picture", 8, 8, "sRGB", "algorithmicMedia", "x", "1")
        running.prepare(workshop._releaser.plan(info, "png"))
    assert {path for path in workshop.home.rglob("*") if path.is_file()} - before <= {
        path for path in workshop.home.rglob("*") if path.suffix in (".db-wal", ".db-shm", ".lock")
    }


@pytest.mark.parametrize("how", ["missing", "changed", "file", "settings"])
def test_a_classifier_that_cannot_be_used_stops_the_work(workshop: Workshop, tmp_path: Path, how: str) -> None:
    """Missing, replaced, bent: the gate or the worker says so, with an error of its own; nobody looks away."""
    workshop.review.choose(classifier_pack(workshop.home, tmp_path))
    plan = workshop.plan_picture("picture.sketch", SCENE)
    workshop._runner.close()  # a worker that has not loaded it yet
    place = packs_folder(workshop.home) / "tiny"
    if how == "missing":
        shutil.rmtree(place)
    elif how == "changed":
        shutil.rmtree(place)
        classifier_pack(workshop.home, tmp_path, thresholds={"blocked": 1.0})
    elif how == "file":
        (place / "tiny.onnx").write_bytes((place / "tiny.onnx").read_bytes() + b"x")
    else:
        # Well formed, and blind: the manifest knows the digest of the file that was chosen.
        (place / "classifier.json").write_text(json.dumps({**SETTINGS, "thresholds": {"blocked": 1.0}}))
    if how in ("missing", "changed"):
        # No permit is given for what can be seen from here.
        with pytest.raises(ClassifierUnusable):
            workshop.start(plan, lambda _event: None)
    with pytest.raises(ClassifierUnusable) as refused:
        finish(workshop, plan)
    assert refused.value.code in (ExitCode.BLOCKED, ExitCode.MODEL)
    assert workshop.review.state().problem is not None
    workshop.review.choose(None)
    finish(workshop, plan)


def test_only_a_fitting_pack_is_chosen(workshop: Workshop, tmp_path: Path) -> None:
    """No pack, another kind, another licence, a model that does not load, settings that say nonsense."""
    with pytest.raises(PackMissing):
        workshop.review.choose("absent")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "config.json").write_text("{}")
    add_pack(workshop.home, tmp_path / "words", pack_id="words", licence="x", licence_class=LicenceClass.OPEN)
    with pytest.raises(ClassifierUnusable):
        workshop.review.choose("words")
    bent: list[dict[str, Any]] = [{"labels": ["blocked"]}, {"input_size": [9, 9]}, {"model": "no.onnx"}, {"more": 1}]
    for number, changes in enumerate([*bent, {"thresholds": {"blocked": 2}}, {"input_size": "x"}]):
        try:
            workshop.review.choose(classifier_pack(workshop.home, tmp_path, f"bent{number}", **changes))
        except ClassifierUnusable:
            continue
        # One label for two outputs is only seen by its first picture; that stops the work then.
        assert number == 0
        with pytest.raises(ReviewUnavailable):
            finish(workshop, workshop.plan_picture("picture.sketch", SCENE))
        workshop.review.choose(None)
    source = tmp_path / "source-nc"
    source.mkdir()
    model(source)
    (source / "classifier.json").write_text(json.dumps(SETTINGS))
    add_pack(workshop.home, source, pack_id="nc", licence="x", licence_class=LicenceClass.NON_COMMERCIAL)
    with pytest.raises(LicenceForbids):
        workshop.review.choose("nc")
    (packs_folder(workshop.home) / "odd").mkdir()
    # Offered is what might be taken: damaged packs, other kinds and other licences are not.
    assert workshop.review.packs() == sorted(f"bent{number}" for number in range(6))
    assert workshop.review.state().classifier == ""


def test_only_an_admin_chooses(workshop: Workshop) -> None:
    """A creator asks in vain."""
    workshop.create_account("paul", PASSWORD)
    workshop.logout()
    workshop.login("paul", PASSWORD)
    with pytest.raises(RoleMissing):
        workshop.review.choose(None)


def test_the_permit_names_the_classifier_and_cannot_be_talked_out_of_it(workshop: Workshop, tmp_path: Path) -> None:
    """A caller below the workshop who drops the classifier from the permit breaks its signature."""
    workshop.review.choose(classifier_pack(workshop.home, tmp_path))
    plan = workshop.plan_picture("picture.sketch", SCENE)
    workshop.explain(plan.request)
    permit = workshop._gate.authorize(plan.request.claim(), workshop._accounts.require().account)
    assert permit.classifier == "tiny"
    bare = replace(permit, classifier="", classifier_sha256="")
    last = workshop._runner.start(plan.request, bare, [], lambda _event: None).wait(LIMIT_S)
    assert isinstance(last, Failed) and last.error == "PermitInvalid"


def test_a_result_of_another_review_is_not_released(workshop: Workshop, tmp_path: Path) -> None:
    """An admin chooses a classifier after a picture was made: it has to be made again under its eyes."""
    running = finish(workshop, workshop.plan_picture("picture.sketch", SCENE))
    workshop.review.choose(classifier_pack(workshop.home, tmp_path, thresholds={"blocked": 1.0}))
    with pytest.raises(ReviewChanged):
        workshop.release(running, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_a_hit_that_nobody_can_be_told_of_keeps_no_result(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the case cannot be opened the job fails, and its result goes."""
    plan = workshop.plan_picture("picture.sketch", SCENE)
    workshop._words.show(plan.request)
    permit = workshop._gate.authorize(plan.request.claim(), workshop._accounts.require().account)

    def busy(_request: Request, _hits: object) -> str:
        raise StoreBusy(path="x")

    running = workshop._runner.start(plan.request, permit, [], lambda _event: None, busy)
    running.take_hits([ContentHit("built-in/skin", "nudity", "case", "result")])
    last = running.wait(LIMIT_S)
    assert isinstance(last, Failed) and last.error == "StoreBusy" and running.info is None


def test_a_film_is_looked_at_frame_by_frame() -> None:
    """No frame leaves before it was looked at; each is told once, however often the film is walked through."""
    looking = Looking(_permit())
    frames = [np.zeros((200, 150, 3), np.uint8), body(), body()]
    info = MediaInfo("video", 150, 200, "sRGB", "algorithmicMedia", "x", "1", pictures=3, picture_rate="25")
    film = unseal_film(looking.watched(SyntheticMedia(Film(lambda: iter(frames)), info)))
    assert looking.hits == []
    for _ in range(2):
        assert len(list(film.frames())) == 3
    assert [(hit.place, hit.start) for hit in looking.hits] == [("result", 1), ("result", 2)]
    assert len(looking.untold()) == 2 and looking.untold() == []

    def refuse(_frames: object, _place: str, first: int = 0) -> None:
        if first:
            raise ContentBlocked(rule="r", category="c", place="result", start=first)

    stopped = unseal_film(watched(SyntheticMedia(Film(lambda: iter(frames)), info), refuse)).frames()
    assert next(stopped).max() == 0
    with pytest.raises(ContentBlocked):
        next(stopped)


def test_one_picture_of_many_is_enough(tmp_path: Path) -> None:
    """Any frame over a limit stops; the place and the number of the frame are told, and lower scores ask a person."""
    classifier_pack(tmp_path, tmp_path, case_thresholds={"fine": 0.4})
    kept = packs.folders()
    packs.keep_packs_in(packs_folder(tmp_path))
    try:
        digest = packs.pack_named("tiny").digest()
        with pytest.raises(ClassifierUnusable):
            load_classifier("tiny", "0" * 64)
        looking = Looking(replace(_permit(), classifier="tiny", classifier_sha256=digest))
        dark, light = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
        with pytest.raises(ContentBlocked) as refused:
            looking.look([dark, dark, light], "target")
    finally:
        packs._ROOT[:] = kept
    assert refused.value.data["start"] == 2 and refused.value.data["place"] == "target"
    assert [(hit.rule, hit.severity, hit.start) for hit in looking.hits] == [
        ("tiny/fine", "case", 0),
        ("tiny/fine", "case", 1),
        ("tiny/blocked", "stop", 2),
    ]


def _permit() -> Permit:
    return Permit("per-1", "f", "e", "0" * 64, "acc-1", (), "private", 0, "x", "y")


# --- words -----------------------------------------------------------------------------------------------------------


def test_every_text_of_a_request_is_looked_at(workshop: Workshop) -> None:
    """Prompts, scripts, lists of lines, whatever the option is called; what is not wanted may be named."""
    options = {"text": "one", "script": [{"line": "two"}, "three"], "negative": "four", "rate": 1.0, "count": 2}
    request = Request("voice.speak", "voice.any", (), options)
    assert [text for _, text in words_of(request)] == ["one", "two", "three"]
    review = WordsReview()
    for name, value in (("text", phrase("stop")), ("script", ["so", {"line": f"well, {phrase('stop')}"}])):
        spoken = replace(request, options={name: value})
        review.show(spoken)
        with pytest.raises(ContentBlocked) as refused:
            review(spoken.claim())
        assert refused.value.data["place"] == name


def test_words_that_a_person_has_to_look_at_open_a_case_and_stop_nothing(workshop: Workshop) -> None:
    """One case for a row of pictures from the same words; the decision in the ledger names the rule alone."""
    words = {**SCENE, "prompt": f"a lake, {phrase('case')}"}
    for seed in (1, 2):
        workshop.discard(finish(workshop, workshop.plan_picture("picture.sketch", words, seed=seed)))
    (case,) = workshop.casework.cases()
    told = workshop.casework.case(case.id).statements
    assert case.kind == "review" and told is not None and "prompt" in told[0].text
    granted = [entry for entry in workshop.ledger_entries() if entry["kind"] == "permit_granted"]
    assert granted[-1]["fields"]["content"]["hits"] == [case.rule]  # type: ignore[index]  # an entry is plain data
    assert phrase("case") not in str(workshop.ledger_entries())


# --- built-in rules and what is told ---------------------------------------------------------------------------------


def test_the_rules_see_skin_and_nothing_in_what_the_house_makes() -> None:
    """A body trips; both portraits, their faces cut out, and scenes of sand and sunset stay far below."""
    (hit,) = look(body(), "source")
    assert (hit.rule, hit.severity, hit.place) == ("built-in/skin", "case", "source") and hit.score >= LEAST_SHARE
    with pytest.raises(ValueError, match="no picture"):
        look(np.zeros((8, 8), np.uint8), "source")
    harmless = [decode(path.name, path.read_bytes()) for path in (HOPPER, COLLINS)]
    harmless += [harmless[0][110:312, 170:357], harmless[1][80:190, 160:260]]
    for words in ("a sandy beach at sunset", "fog over a desert in the evening", "autumn forest with a brown house"):
        harmless += [paint(parse(words, ""), 192, 128, seed, lambda _stage: None) for seed in (0, 5)]
    harmless += [np.full((64, 64, 3), (224, 172, 140), np.uint8)]
    assert max(skin_share(pixels) for pixels in harmless) < 0.8 * LEAST_SHARE


def test_the_built_in_rules_ask_and_do_not_stop(workshop: Workshop, tmp_path: Path) -> None:
    """A hint opens a case; the picture goes on, can be seen and is released."""
    (tmp_path / "body.png").write_bytes(png(body()))
    running = finish(workshop, enhance(workshop, tmp_path / "body.png"))
    assert {case.rule for case in workshop.casework.cases()} == {"built-in/skin"}
    assert workshop.preview(running)
    workshop.release(running, tmp_path / "out.png")


def test_a_mask_shows_nothing(tmp_path: Path) -> None:
    """Masks are not looked at, sounds neither: their words were."""
    looking = Looking(_permit())
    looking.look_at_input(Input("mask", "none", "0" * 64, "mask.png"), png(body()))
    looking.look_at_input(Input("source", "voice", "0" * 64, "a.wav"), b"RIFF\0\0\0\0WAVEfmt ")
    assert looking.hits == []
    looking.look_at_input(Input("source", "voice", "0" * 64, "not-a.wav"), png(body()))
    assert [hit.rule for hit in looking.hits] == ["built-in/skin"]


def test_the_decision_is_in_the_ledger_and_in_the_explanation(workshop: Workshop, tmp_path: Path) -> None:
    """By which lists, rules and classifier: the same words in permit, ledger and `gate explain`."""
    workshop.review.choose(classifier_pack(workshop.home, tmp_path, thresholds={"blocked": 1.0}))
    plan = workshop.plan_picture("picture.sketch", SCENE)
    basis = next(one.basis for one in workshop.explain(plan.request) if one.name == "content")
    finish(workshop, plan)
    granted = [entry for entry in workshop.ledger_entries() if entry["kind"] == "permit_granted"][-1]["fields"]
    view = workshop.review.state()
    assert granted["content"] == {**basis, "hits": []}  # type: ignore[index]  # an entry is plain data
    assert dict(basis) == {
        "lists_sha256": view.lists_sha256,
        "rules": view.rules,
        "classifier": "tiny",
        "classifier_sha256": view.classifier_sha256,
    }
    chosen = [entry for entry in workshop.ledger_entries() if entry["kind"] == "review_chosen"]
    assert [entry["fields"]["pack"] for entry in chosen] == ["tiny"]  # type: ignore[index]  # as above


def test_the_commands(signet: Signet, signet_home: Path, tmp_path: Path) -> None:
    """show, use, and a stop on the command line: its own exit code, the case in the advice, no file."""
    assert signet("review", "show", "--json").lines[-1]["classifier"] is None
    assert signet("review", "use").code == 2
    words = signet("review", "words", "--json").lines
    assert len(words) > 900 and set(words[0]) == {"list_id", "rule", "text", "category", "severity"}
    assert signet("review", "use", "absent").code == 8
    classifier_pack(signet_home, tmp_path)
    assert signet("review", "use", "tiny", "--json").lines[-1]["classifier"] == "tiny"
    light, out = picture(tmp_path, "light.png", 250), tmp_path / "out.png"
    blocked = signet("picture", "enhance", "--picture", light, "--out", out, "--json")
    assert blocked.code == int(ExitCode.BLOCKED) and "cas-" in str(blocked.lines[-1]["next_step"])
    assert not out.exists()
    shutil.rmtree(packs_folder(signet_home) / "tiny")
    assert signet("review", "show").code == int(ExitCode.BLOCKED)
    assert signet("picture", "enhance", "--picture", light, "--out", out).code == int(ExitCode.BLOCKED)
    assert signet("review", "use", "--built-in").code == 0
    assert signet("picture", "enhance", "--picture", light, "--out", out).code == 0
