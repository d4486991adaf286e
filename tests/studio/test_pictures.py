"""Pictures through the real workshop and the command line: review, consent, packs, labels."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compliance.errors import (
    ConsentMissing,
    ContentBlocked,
    LicenceForbids,
    OptionUnfit,
    PackDamaged,
    PackMissing,
    PermitInvalid,
    ReviewUnavailable,
    SignetError,
)
from compliance.review import shipped_lists
from engines.job import Failed, Finished
from engines.packs import LicenceClass
from studio.commands.picture import numbered, size_of
from studio.packs import add_pack
from studio.review import WordsReview
from studio.workshop import SwapPlan, Workshop, raise_failed
from tests.studio import command_line
from tests.studio.command_line import Signet
from tests.studio.conftest import HOPPER

# Fixtures, under names of this file.
english, signet, template = command_line.english, command_line.signet, command_line.template

LIMIT_S = 60.0
SCENE = {"prompt": "a boat on a lake at sunset", "width": 320, "height": 200}


def finish(workshop: Workshop, plan: SwapPlan) -> Any:
    """Run a plan; raises what the job failed with."""
    running = workshop.start(plan, lambda _event: None)
    last = running.wait(LIMIT_S)
    if isinstance(last, Failed):
        raise_failed(last)
    assert isinstance(last, Finished)
    return running


def forbidden() -> str:
    """A phrase that the shipped lists stop at."""
    return next(entry.text for entry in shipped_lists().entries if entry.severity == "stop")


# --- refusals --------------------------------------------------------------------------------------------------------


def test_words_that_review_stops_make_nothing(workshop: Workshop) -> None:
    """The gate refuses, in every spelling and for every engine of words, and the refusal is in the ledger."""
    for words in (forbidden(), f"a lake and {forbidden().upper()} by a house"):
        plan = workshop.plan_picture("picture.sketch", {**SCENE, "prompt": words})
        with pytest.raises(ContentBlocked):
            workshop.start(plan, lambda _event: None)
        assert [one.name for one in workshop.explain(plan.request) if not one.ok] == ["content"]
    refused = [entry for entry in workshop.ledger_entries() if entry["kind"] == "permit_refused"]
    assert len(refused) == 2 and "ContentBlocked" in str(refused[-1])
    assert "a lake and" not in str(workshop.ledger_entries())


def test_what_is_not_wanted_may_be_named(workshop: Workshop) -> None:
    """The negative prompt says what must not be seen: it is no reason to stop."""
    plan = workshop.plan_picture("picture.sketch", {**SCENE, "negative": forbidden()})
    assert all(one.ok for one in workshop.explain(plan.request))


def test_words_nobody_showed_are_not_passed(workshop: Workshop) -> None:
    """The gate sees a digest only: for one it cannot read, it says no."""
    claim = workshop.plan_picture("picture.sketch", SCENE).request.claim()
    with pytest.raises(ReviewUnavailable):
        WordsReview()(claim)


def test_an_unknown_engine_and_endless_words_are_refused(workshop: Workshop) -> None:
    """Before anything is read or reviewed."""
    with pytest.raises(OptionUnfit):
        workshop.plan_picture("face.mesh", {})
    with pytest.raises(OptionUnfit):
        workshop.plan_picture("picture.sketch", {"prompt": "x" * 100_000})


@pytest.mark.parametrize("engine_id", ["picture.enhance", "picture.restore"])
def test_a_picture_of_somebody_needs_consent(workshop: Workshop, engine_id: str) -> None:
    """Whoever is seen in an enhanced picture is edited; their grant, and no other, opens the gate."""
    with pytest.raises(ConsentMissing):
        workshop.start(workshop.plan_picture(engine_id, {}, picture=HOPPER), lambda _event: None)
    digest = hashlib.sha256(HOPPER.read_bytes()).hexdigest()
    mine = [grant.id for grant in workshop.grants() if grant.asset_sha256 == digest]
    others = [grant.id for grant in workshop.grants() if grant.asset_sha256 != digest]
    with pytest.raises(SignetError):
        workshop.start(workshop.plan_picture(engine_id, {}, picture=HOPPER, consents=others), lambda _event: None)
    running = finish(workshop, workshop.plan_picture(engine_id, {}, picture=HOPPER, consents=mine))
    assert running.info.faces_edited == 1


def test_a_person_cannot_be_passed_off_as_nobody(workshop: Workshop) -> None:
    """A plan made by hand that says "nobody is seen" is refused by the worker, which looks."""
    plan = workshop.plan_picture("picture.enhance", {}, picture=HOPPER)
    item = replace(plan.request.inputs[0], likeness="none", faces=(), faces_found=0)
    lying = replace(plan, request=replace(plan.request, inputs=(item,), faces_edited=0))
    with pytest.raises(ConsentMissing):
        finish(workshop, lying)


def test_packs_are_named_to_the_gate(workshop: Workshop, tmp_path: Path) -> None:
    """A missing pack is told at once; a licence that forbids the purpose stops the work before it starts."""
    with pytest.raises(PackMissing):
        workshop.plan_picture("picture.diffusers", {"prompt": "a house"})
    with pytest.raises(PackMissing):
        workshop.plan_picture("picture.diffusers", {"prompt": "a house", "pack": "nothing"})
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "config.json").write_text("{}")
    add_pack(
        workshop.home,
        tmp_path / "source",
        pack_id="mine",
        kind="picture.diffusers",
        licence="somebody's",
        licence_class=LicenceClass.NON_COMMERCIAL,
    )
    plan = workshop.plan_picture("picture.diffusers", {"prompt": "a house", "pack": "mine"}, purpose="advertising")
    assert [pack.id for pack in plan.request.packs] == ["mine"]
    with pytest.raises(LicenceForbids):
        workshop.start(plan, lambda _event: None)
    # A plan made by hand that keeps the pack from the gate, or names other weights, is refused by the worker.
    for packs, error in (((), PermitInvalid), ((replace(plan.request.packs[0], sha256="0" * 64),), PackDamaged)):
        lying = replace(plan, request=replace(plan.request, purpose="private", packs=packs))
        with pytest.raises(error):
            finish(workshop, lying)


def test_bad_commands_have_their_codes(signet: Signet, tmp_path: Path) -> None:
    """Sizes, seeds, missing files, missing packs, unknown schedulers and blocked words; nothing is left behind."""
    out = tmp_path / "out.png"
    base = ["picture", "sketch", "--prompt", "a lake", "--out", out]
    assert signet(*base, "--size", "big").code == 2
    assert signet(*base, "--size", "30x30").code == 2
    assert signet(*base, "--count", "0").code == 2
    assert signet(*base, "--seed", "-1").code == 2
    assert signet("picture", "sketch", "--prompt", "", "--out", out).code == 2
    assert signet("picture", "sketch", "--prompt", "x" * 100_000, "--out", out).code == 2
    assert signet("picture", "sketch", "--prompt", "a \x1b[2J lake", "--out", out).code == 2
    blocked = signet("picture", "sketch", "--prompt", forbidden(), "--out", out, "--json")
    assert blocked.lines[-1]["error"] == "ContentBlocked" and forbidden() not in blocked.out
    assert signet("picture", "generate", "--prompt", "a house", "--out", out).code == 8
    assert signet("picture", "enhance", "--picture", tmp_path / "no.png", "--out", out).code == 1
    assert signet("picture", "enhance", "--picture", HOPPER, "--out", out).code == 5
    assert signet("picture", "restore", "--picture", HOPPER, "--mask", tmp_path / "no.png", "--out", out).code == 1
    assert signet(*base, "--size", "95x300").code == 2
    assert signet(*base, "--purpose", "whatever").code == 2
    assert signet("picture", "generate", "--prompt", "a lake", "--mask", HOPPER, "--out", out).code == 2
    for name in ("out.bmp", "out.wav", "out.mp4", "out"):
        refused = signet("picture", "sketch", "--prompt", "a lake", "--out", tmp_path / name)
        # Before anything is painted, and with the endings of pictures alone.
        assert refused.code == 2 and "[0/" not in refused.err
        assert ".avif." in refused.err and ".docx" not in refused.err
    folder = signet("picture", "sketch", "--prompt", "a lake", "--out", tmp_path)
    assert folder.code == 11 and "it is a folder" in folder.err
    assert list(tmp_path.iterdir()) == []


def test_a_moving_picture_is_told_to_be_used_in_part(signet: Signet, tmp_path: Path) -> None:
    """Of a picture with frames the first is used, and the user reads so; a still one is told nothing of."""
    still = Image.new("RGB", (160, 120), (40, 90, 160))
    still.save(tmp_path / "still.gif")
    still.save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (160, 120), (200, 90, 0))])
    told = {}
    for name in ("still", "moving"):
        words = ["picture", "enhance", "--picture", tmp_path / f"{name}.gif", "--out", tmp_path / f"{name}.png"]
        answer = signet(*words, "--json" if name == "still" else "--overwrite")
        assert answer.code == 0
        told[name] = answer.err
    assert "moving.gif has 2 frames or pages; only the first is used." in told["moving"]
    assert "frames" not in told["still"]
    with Image.open(tmp_path / "moving.png") as made:
        assert np.asarray(made.convert("RGB"), int)[20, 20, 2] > 120


# --- what works ------------------------------------------------------------------------------------------------------


def test_a_sketch_is_released_labelled_and_verifies(signet: Signet, tmp_path: Path) -> None:
    """From one command line to files that verify; the same seed draws the same scene, the next one another."""
    words = ["picture", "sketch", "--prompt", "a red sunset over snowy mountains and a lake", "--size", "320x240"]
    answer = signet(*words, "--seed", 5, "--count", 2, "--out", tmp_path / "a.png", "--json")
    assert answer.code == 0, answer.out
    released = [line for line in answer.lines if line.get("event") == "released"]
    assert [line["seed"] for line in released] == [5, 6]
    assert signet(*words, "--seed", 5, "--out", tmp_path / "b.jpg").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-2.png", "a.png", "b.jpg"]
    check = signet("verify", *sorted(tmp_path.iterdir()), "--json")
    assert check.code == 0
    assert [line["verdict"] for line in check.lines] == ["sealed"] * 3
    first, other, again = (
        np.asarray(Image.open(tmp_path / name).convert("RGB"), int) for name in ("a.png", "a-2.png", "b.jpg")
    )
    assert np.abs(first - again).mean() < 4 < np.abs(first - other).mean()


def test_unknown_words_reach_the_user_in_their_language(signet: Signet, tmp_path: Path) -> None:
    """The warning of the painter, in Chinese, with the word that was unknown."""
    words = ["--lang", "zh-CN", "picture", "sketch", "--prompt", "湖边的独角兽", "--size", "256x200"]
    answer = signet(*words, "--out", tmp_path / "a.png")
    assert answer.code == 0
    assert "画家不认识：独角兽" in answer.err


def test_enhancing_and_restoring_a_landscape(workshop: Workshop, tmp_path: Path) -> None:
    """Without people no consent is asked for; enlarged, masked, restored: each is labelled and verifies."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:200, 0:280]
    pixels = np.dstack([x // 2, y, (x + y) // 3]).astype(np.uint8)
    pixels[50:150, 140] = 250
    pixels = np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)
    picture, mask = tmp_path / "old.png", tmp_path / "mask.png"
    Image.fromarray(pixels).save(picture)
    steps: list[tuple[str, dict[str, Any], Path | None, str]] = [
        ("picture.enhance", {"scale": 2}, None, "large.png"),
        ("picture.restore", {"result": "mask"}, None, "mask.png"),
        ("picture.restore", {}, mask, "new.png"),
    ]
    for engine_id, options, given, name in steps:
        running = finish(workshop, workshop.plan_picture(engine_id, options, picture=picture, mask=given))
        workshop.release(running, tmp_path / name)
    with Image.open(tmp_path / "large.png") as large:
        assert large.size == (560, 400)
    reports = workshop.verify([tmp_path / name for *_, name in steps])
    assert [report.verdict for report in reports] == ["sealed"] * 3
    assert all("algorithmicallyEnhanced" in str(report.layers["iptc"].evidence) for report in reports)


def test_names_and_sizes() -> None:
    """Several pictures are numbered; sizes are written with x, × or *."""
    assert [numbered(Path("a.b.png"), index, 3).name for index in range(3)] == ["a.b.png", "a.b-2.png", "a.b-3.png"]
    assert size_of("768x512") == size_of("768 × 512") == size_of("768*512") == (768, 512)
