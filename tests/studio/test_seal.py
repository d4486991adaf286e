"""Media made elsewhere is labelled through the same door, and nobody real slips through it."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from compliance import verify
from compliance.errors import ConsentMissing, ContentBlocked, FormatUnsupported, VoiceConsentMissing
from compliance.permit import LikenessUse
from engines.engine import Input, Request
from studio.sealing import kind_of
from studio.settings import FILE_NAME
from studio.workshop import Workshop
from tests.compliance.documents import DOCUMENTS, HTML
from tests.engines.films import encoded
from tests.engines.voices import LOW, speech, wav
from tests.studio import command_line
from tests.studio.command_line import Signet
from tests.studio.conftest import HOPPER
from tests.studio.test_pictures import finish, forbidden

english, signet, template = command_line.english, command_line.signet, command_line.template
TOOL = ("--made-with", "Some Tool 1.0")


@pytest.fixture
def landscape(tmp_path: Path) -> Path:
    """A picture without anyone in it."""
    y, x = np.mgrid[0:240, 0:320]
    path = tmp_path / "landscape.png"
    Image.fromarray(np.dstack([x % 256, y, (x + y) // 3]).astype(np.uint8)).save(path)
    return path


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_face_needs_a_consent_or_a_declaration(workshop: Workshop) -> None:
    """A picture of somebody is not labelled as if it showed nobody."""
    with pytest.raises(ConsentMissing):
        workshop.plan_seal(HOPPER, made_with="Some Tool")


def test_a_sound_needs_a_consent_or_a_declaration(workshop: Workshop, tmp_path: Path) -> None:
    """Nobody counts voices in a sound, so the account has to say whose it is."""
    (tmp_path / "a.wav").write_bytes(wav(speech(LOW, 2.0)))
    with pytest.raises(VoiceConsentMissing):
        workshop.plan_seal(tmp_path / "a.wav", made_with="Some Tool")


def test_a_face_declared_as_no_face_is_found_by_the_worker(workshop: Workshop) -> None:
    """A plan made by hand that says nobody is seen is refused where the pixels are."""
    plan = workshop.plan_seal(HOPPER, made_with="Some Tool", nobody_real=True)
    item = replace(plan.request.inputs[0], likeness="none")
    with pytest.raises(ConsentMissing):
        finish(workshop, replace(plan, request=replace(plan.request, inputs=(item,))))


def test_nobody_real_counts_for_nothing_but_sealing(workshop: Workshop) -> None:
    """A swap whose faces are declared to be nobody's is refused by the gate, and by the worker without it."""
    data = HOPPER.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    plan = workshop.plan_seal(HOPPER, made_with="Some Tool", nobody_real=True)
    swap = Request(
        "face.swap", "face.mesh", tuple(Input(role, "nobody", digest, "x") for role in ("source", "target")), {}
    )
    materials = tuple(replace(plan.materials[0], role=role) for role in ("source", "target"))
    with pytest.raises(ConsentMissing):
        workshop.start(replace(plan, request=swap, materials=materials), lambda _event: None)
    results = workshop.explain(swap)
    assert next(one for one in results if not one.ok).error is not None
    assert LikenessUse("source", "nobody", digest) in swap.claim().uses


def test_words_of_a_document_are_reviewed(workshop: Workshop, tmp_path: Path) -> None:
    """A document that says what the lists stop at is not labelled, however it is marked up."""
    text = forbidden()
    path = tmp_path / "a.html"
    path.write_bytes(HTML.replace(b"At dusk", (text[:1] + "<b></b>" + text[1:] + " " + text).encode()))
    plan = workshop.plan_seal(path, made_with="Some Tool")
    with pytest.raises(ContentBlocked):
        workshop.start(plan, lambda _event: None)


def test_bad_commands_have_their_codes(signet: Signet, tmp_path: Path, landscape: Path) -> None:
    """No program named, a missing file, another kind's ending, a moving picture, several files for one name."""
    assert signet("seal", landscape).code == 2
    assert signet("seal", landscape, "--made-with", "").code == 2
    assert signet("seal", landscape, "--made-with", "Ä").code == 2
    assert signet("seal", tmp_path / "no.png", *TOOL).code == 1
    assert signet("seal", landscape, *TOOL, "--out", tmp_path / "a.wav").code == 2
    assert signet("seal", landscape, *TOOL, "--origin", "digitalCapture").code == 2
    assert signet("seal", landscape, landscape, *TOOL, "--out", tmp_path / "a.png").code == 2
    (tmp_path / "a.txt").write_bytes(DOCUMENTS["txt"])
    assert signet("seal", tmp_path / "a.txt", *TOOL, "--out", tmp_path / "a.md").code == 2
    moving = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    (tmp_path / "moving.gif").write_bytes(moving.getvalue())
    assert signet("seal", tmp_path / "moving.gif", *TOOL).code == 1
    assert not [path for path in tmp_path.iterdir() if "sealed" in path.name]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("cut.mp4", encoded(6)[:900], "not a video"),
        ("odd.mp4", b"no media at all" * 9 + b"\0", "not a video"),
        ("odd.wav", b"no media at all" * 9 + b"\0", "not a sound"),
        ("odd.docx", b"PK\x03\x04" + b"x" * 90, "not a document"),
        ("odd.png", b"no media at all" * 9 + b"\0", "not a picture"),
        ("empty.png", b"", "not a picture"),
        ("empty.pdf", b"", "not a document"),
        ("empty.mov", b"", "not a video"),
        ("empty.ogg", b"", "not a sound"),
    ],
)
def test_what_is_no_media_is_told_by_its_name(
    signet: Signet, tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    """A file cut off before its table of contents is a damaged film, not a picture with an odd ending."""
    (tmp_path / name).write_bytes(data)
    answer = signet("seal", tmp_path / name, *TOOL, "--nobody-real")
    assert answer.code == 1
    assert sentence in answer.err and "ends in a format" not in answer.err
    assert [path.name for path in tmp_path.glob("*sealed*")] == []


# --- what works ------------------------------------------------------------------------------------------------------


def test_every_kind_is_sealed_and_verifies(signet: Signet, tmp_path: Path, landscape: Path) -> None:
    """Picture, sound and all five documents: each carries every layer, and the original stays as it was."""
    files = {landscape: landscape.read_bytes()}
    for form, data in {**DOCUMENTS, "wav": wav(speech(LOW, 2.0))}.items():
        path = tmp_path / f"a.{form}"
        path.write_bytes(data)
        files[path] = data
    answer = signet("seal", *files, *TOOL, "--nobody-real", "--json")
    assert answer.code == 0, answer.out
    assert all(path.read_bytes() == data for path, data in files.items())
    sealed = [path.with_name(f"{path.stem}-sealed{path.suffix}") for path in files]
    check = signet("verify", *sealed, "--json")
    assert [line["verdict"] for line in check.lines] == ["sealed"] * len(files)
    assert all("Some Tool 1.0" not in line["sentence"] for line in check.lines)


def test_the_declaration_stands_in_the_ledger(workshop: Workshop, tmp_path: Path) -> None:
    """Who says that a face is nobody's is on record for good."""
    plan = workshop.plan_seal(HOPPER, made_with="Some Tool", nobody_real=True)
    workshop.release(finish(workshop, plan), tmp_path / "a.png")
    intended = [entry for entry in workshop.ledger_entries() if entry["kind"] == "release_intended"][-1]
    assert intended["fields"]["declared_nobody"] is True  # type: ignore[index]  # fields is a dictionary
    assert intended["fields"]["engine"] == "foreign.picture/Some Tool"  # type: ignore[index]  # as above


@pytest.mark.parametrize("form", list(DOCUMENTS))
def test_kinds_are_told_by_bytes(form: str) -> None:
    """Not by names."""
    assert kind_of(DOCUMENTS[form]) == "document"
    assert kind_of(HOPPER.read_bytes()) == "picture"
    assert kind_of(wav(speech(LOW, 0.5))) == "sound"


def test_text_of_two_bytes_a_letter_is_sealed(workshop: Workshop, tmp_path: Path) -> None:
    """Its first two bytes are also those of a sound."""
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff黄昏的港口。\r\n".encode("utf-16-le"))
    workshop.verify_seal(path, tmp_path / "b.txt")
    released = workshop.release(finish(workshop, workshop.plan_seal(path, made_with="Some Tool")), tmp_path / "b.txt")
    assert "黄昏的港口" in released.path.read_text(encoding="utf-8")


def test_markdown_without_front_matter_stays_markdown(workshop: Workshop, tmp_path: Path) -> None:
    """Its name alone tells it from plain text, in and out."""
    path = tmp_path / "a.md"
    path.write_text("# At dusk\n\nA harbour.\n")
    workshop.verify_seal(path, tmp_path / "b.md")
    assert workshop.plan_seal(path, made_with="Some Tool").request.options["format"] == "md"
    with pytest.raises(FormatUnsupported):
        workshop.verify_seal(path, tmp_path / "b.txt")


def test_the_preset_of_the_home_reaches_documents(workshop: Workshop, tmp_path: Path) -> None:
    """What `signet settings label` keeps is drawn by the next release."""
    (workshop.home / FILE_NAME).write_text(json.dumps({"label_style": "eu"}))
    (tmp_path / "a.txt").write_bytes(DOCUMENTS["txt"])
    plan = workshop.plan_seal(tmp_path / "a.txt", made_with="Some Tool")
    released = workshop.release(finish(workshop, plan), tmp_path / "b.txt")
    assert released.path.read_text().splitlines()[1] == "AI GENERATED"
    assert verify.verify_file(released.path).layers["explicit"].state == "intact"
