"""What goes in with labels comes out with them: credentials, fields and marks of the inputs stay named."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from compliance import verify
from compliance.imports import ids_of, read_imports, read_mark
from compliance.keys import public_keys
from compliance.labels.aigc import AigcField, xmp_packet
from compliance.material import Material
from studio.commands.root import run
from studio.settings import FILE_NAME, Settings
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD
from tests.studio.conftest import HOPPER
from tests.studio.test_pictures import finish

SCENE = {"prompt": "a boat on a lake at sunset", "width": 480, "height": 320}


def foreign() -> bytes:
    """A picture of another maker: its field and its source type, no credential."""
    packet = xmp_packet(
        AigcField("1", "other.maker", "THEIRS-77", "", "other.maker", "THEIRS-77"),
        origin="trainedAlgorithmicMedia",
        system="Theirs",
        version="3",
    )
    info, target = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    Image.fromarray(np.full((120, 160, 3), 99, np.uint8)).save(target, "PNG", pnginfo=info)
    return target.getvalue()


def test_what_says_nothing_or_is_broken_is_left_out() -> None:
    """Plain pictures, sounds that are none, noise, and masks, which show nothing."""
    plain = io.BytesIO()
    Image.fromarray(np.full((64, 64, 3), 9, np.uint8)).save(plain, "PNG")
    for data in (b"", b"junk", plain.getvalue(), foreign()[:40], b"RIFF" + bytes(60)):
        assert read_imports([Material("target", "image/png", data)], (), []) == []
    assert read_imports([Material("mask", "image/png", foreign())], [("mask", "1" * 16)], []) == []


def test_foreign_fields_are_named_and_kept_short() -> None:
    """Another maker's id and source type; endless and unprintable text is cut."""
    (said,) = read_imports([Material("target", "image/png", foreign())], (), [])
    assert (said["ids"], said["source_types"]) == (["THEIRS-77"], ["trainedAlgorithmicMedia"])
    assert ids_of([said]) == ["THEIRS-77"] and len(said["sha256"]) == 64
    long = foreign().replace(b"THEIRS-77", b"T" * 9)
    assert len(json.dumps(read_imports([Material("source", "image/png", long)], (), []))) < 1000


@pytest.mark.parametrize("found", [None, 7, "x", {}, [1, "x", None], [{"ids": 5}], [{"release": {}, "ids": [None, 3]}]])
def test_what_a_foreign_credential_has_in_that_place_never_raises(found: object) -> None:
    """Whoever signs may write there what they like."""
    assert ids_of(found) == []


@pytest.fixture(scope="module")
def first_and_second(studio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A home, its first release, and a second made from a copy of the first without any metadata and one with all."""
    import shutil

    place = tmp_path_factory.mktemp("chain")
    home = place / "home"
    shutil.copytree(studio_folder, home)
    with Workshop(home, "own", None) as workshop:
        workshop.unlock(PASSWORD)
        made = finish(workshop, workshop.plan_picture("picture.sketch", SCENE))
        workshop.release(made, place / "first.webp")
        with Image.open(place / "first.webp") as picture:
            picture.save(place / "bare.png")
        for name in ("first.webp", "bare.png"):
            again = finish(workshop, workshop.plan_picture("picture.enhance", {}, picture=place / name))
            workshop.release(again, place / f"from-{name}.avif")
    return home, place / "first.webp", place


def test_the_second_release_names_the_first(
    first_and_second: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """By its credential, its field and its mark; the new labels are those of the second alone, and all intact."""
    home, first, place = first_and_second
    known = [keys for keys in (public_keys(home),) if keys is not None]
    before, after = (verify.verify_file(path, known) for path in (first, place / "from-first.webp.avif"))
    old, new = (report.layers["ledger"].evidence["release"] for report in (before, after))
    assert (before.verdict, after.verdict) == ("sealed", "sealed") and old != new
    assert after.layers["watermark"].evidence["release"] == new
    (said,) = after.layers["credential"].evidence["imported"]
    assert (said["role"], said["release"], said["ids"], said["mark"]) == ("target", old, [old], old)
    assert said["credential"] == "intact"
    assert run(["--home", str(home), "verify", str(place / "from-first.webp.avif")]) == 0
    assert f"made from labelled files: {old}\n" in capsys.readouterr().out


def test_the_first_manifest_stays_inside_the_second(first_and_second: tuple[Path, Path, Path]) -> None:
    """The ingredient is more than a name: its own manifest, with its own evidence, can still be read."""
    import c2pa

    _, first, place = first_and_second
    with c2pa.Reader("image/avif", io.BytesIO((place / "from-first.webp.avif").read_bytes())) as reader:
        report = json.loads(reader.json())
    active = report["manifests"][report["active_manifest"]]
    (ingredient,) = active["ingredients"]
    kept = report["manifests"][ingredient["active_manifest"]]
    evidence = [item["data"] for item in kept["assertions"] if item["label"] == "org.signet.release"]
    old = verify.verify_file(first).layers["ledger"].evidence["release"]
    assert [item["release"] for item in evidence] == [old]
    assert (len(report["manifests"]), ingredient["relationship"]) == (2, "parentOf")


def test_a_stripped_copy_is_known_by_its_mark(first_and_second: tuple[Path, Path, Path]) -> None:
    """Saved again without any metadata: the mark under the new one still tells where it came from."""
    _, first, place = first_and_second
    old = verify.verify_file(first).layers["ledger"].evidence["release"]
    report = verify.verify_file(place / "from-bare.png.avif")
    (said,) = report.layers["credential"].evidence["imported"]
    assert {key: said[key] for key in ("role", "mark")} == {"role": "target", "mark": old}
    assert "release" not in said
    with Image.open(place / "bare.png") as picture:
        cropped = np.asarray(picture.convert("RGB").resize((430, 287)))
    assert read_mark(np.ascontiguousarray(cropped)) == old
    assert read_mark(np.full((200, 200, 3), 7, np.uint8)) == "" == read_mark(np.zeros((8, 8, 3), np.uint8))


def test_the_label_of_a_release_follows_the_settings_and_nothing_makes_it_less(
    workshop: Workshop, tmp_path: Path
) -> None:
    """The preset chosen on the command line is drawn; one that was written into the file by hand counts for nothing."""
    made = finish(workshop, workshop.plan_picture("picture.sketch", SCENE))
    reports = []
    for name, values in (
        ("usual.png", {}),
        ("large.gif", {"label_style": "large"}),
        ("forged.tif", {"label_style": "none", "label_position": "outside", "label_jurisdiction": 7}),
    ):
        (workshop.home / FILE_NAME).write_text(json.dumps(values))
        workshop.release(made, tmp_path / name)
        reports.append(verify.verify_file(tmp_path / name))
        assert reports[-1].layers["explicit"].state == "intact"
    usual, large, forged = (report.layers["explicit"].evidence["ink_share"] for report in reports)
    assert large > usual * 1.4 and forged > usual * 0.98


def test_presets_are_chosen_on_the_command_line(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown names are refused with the list; known ones are kept and shown with the rule's source."""
    home = ["--home", str(workshop.home)]
    for option in ("--style", "--position", "--jurisdiction"):
        assert run([*home, "settings", "label", option, "none"]) != 0
    assert "standard" in capsys.readouterr().err
    assert run([*home, "settings", "label", "--style", "eu", "--jurisdiction", "KR", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (told["style"], told["position"], told["jurisdiction"]) == ("eu", "auto", "KR")
    assert "GB 45438" in told["source"] and "explicit" in told["layers"]
    assert Settings(workshop.home).label().style == "eu"


def test_a_face_is_kept_clear_and_the_result_says_where_it_is(workshop: Workshop, tmp_path: Path) -> None:
    """The worker looks at the result; the label that stands in the file touches no face."""
    until = date.today() + timedelta(days=9)
    low = tmp_path / "low.png"
    with Image.open(HOPPER) as picture:
        picture.crop((0, 0, 512, 345)).save(low)
    person = workshop.add_subject("Grace Hopper")
    grant = workshop.record_consent(person.id, low, ["private"], date.today(), until)
    plan = workshop.plan_picture("picture.enhance", {}, picture=low, consents=[grant.id])
    made = finish(workshop, plan)
    ((left, top, width, height),) = made.info.keep_clear
    workshop.release(made, tmp_path / "out.webp")
    x, y, wide, high = verify.verify_file(tmp_path / "out.webp").layers["explicit"].evidence["box"]
    shared = (min(left + width, x + wide) - max(left, x), min(top + height, y + high) - max(top, y))
    assert min(shared) <= 0
    assert made.info.warnings == ()
