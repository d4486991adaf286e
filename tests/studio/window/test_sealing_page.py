"""Labelling other files and verifying many, refusals first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget

from compliance.errors import ConsentMissing
from compliance.verify import SENTENCES, LayerReport, Report
from studio.window.widgets.evidence import evidence_lines
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver


def show(driver: Driver, page: str = "sealing") -> Driver:
    """A page, read."""
    driver.window.show_page(page)
    driver.settle()
    return driver


def drop(driver: Driver, name: str, *paths: Path) -> None:
    """Drop several files at once."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    driver.find(name).dropEvent(QDropEvent(QPointF(20, 20), copy, data, button, keys))  # type: ignore[attr-defined]
    driver.settle()


def seal(driver: Driver) -> None:
    """Press the button and wait for all of them."""
    driver.press("sealing_start")
    driver.until(lambda: not driver.studio.sealing.line.is_active)
    driver.settle()


# --- labelling -------------------------------------------------------------------------------------------------------


def test_nothing_is_labelled_without_files_and_without_the_program(inside: Driver) -> None:
    """The button is off, and the page says which of the two is missing."""
    driver = show(inside)
    assert not driver.find("sealing_start").isEnabled() and "Next: drop the files." in driver.texts()
    drop(driver, "sealing_drop", draw_picture(driver.folder / "a.png"))
    assert not driver.find("sealing_start").isEnabled()
    assert "Next: say which program made them." in driver.texts()
    driver.write("sealing_made_with", "   ")
    assert not driver.find("sealing_start").isEnabled()
    assert driver.fake.sealed == []


def test_who_is_seen_needs_a_consent_and_the_line_goes_on(inside: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file is refused with its reason and can be tried again; the others are labelled."""
    driver = show(inside)
    plan = driver.fake.plan_seal

    def refuse(path: Path, **asked: Any) -> Any:
        if path.name == "face.png" and not asked["nobody_real"] and not asked["consents"]:
            raise ConsentMissing(role="target", asset="0" * 12)
        return plan(path, **asked)

    monkeypatch.setattr(driver.fake, "plan_seal", refuse)
    face, other = draw_picture(driver.folder / "face.png"), draw_picture(driver.folder / "other.png", (9, 9, 9))
    odd = driver.folder / "odd.xyz"
    odd.write_bytes(b"odd")
    drop(driver, "sealing_drop", face, odd, other, face)
    driver.write("sealing_made_with", "Other program")
    seal(driver)
    files = driver.studio.sealing.files
    assert [type(one.error).__name__ for one in files] == ["ConsentMissing", "FormatUnsupported", "NoneType"]
    assert (driver.folder / "other-sealed.png").is_file() and not (driver.folder / "face-sealed.png").exists()
    assert driver.find("sealing_record_0").isEnabled()
    grant = driver.consent("Grace", face)
    driver.press("sealing_again_0")
    assert "1 recorded consent" in driver.texts()
    seal(driver)
    assert driver.fake.sealed[-1]["consents"] == (grant,) and (driver.folder / "face-sealed.png").is_file()


def test_the_declaration_is_said_only_where_it_was_ticked(inside: Driver) -> None:
    """Off by default, and off again after signing out; ticked it names no consents."""
    driver = show(inside)
    picture = draw_picture(driver.folder / "face.png")
    driver.consent("Grace", picture)
    drop(driver, "sealing_drop", picture)
    driver.write("sealing_made_with", "Other program")
    driver.press("sealing_nobody")
    seal(driver)
    (asked,) = driver.fake.sealed
    assert asked["nobody_real"] is True and asked["consents"] == ()
    assert (asked["made_with"], asked["origin"]) == ("Other program", "trainedAlgorithmicMedia")
    driver.studio.accounts.logout()
    driver.settle()
    assert not driver.studio.sealing.nobody_real and driver.studio.sealing.files == []


def test_stopping_leaves_what_waits_on_the_list(inside: Driver) -> None:
    """Nothing comes out; all files wait again."""
    driver = show(inside)
    driver.fake.hold_jobs = True
    pictures = [draw_picture(driver.folder / f"{name}.png") for name in "abc"]
    drop(driver, "sealing_drop", *pictures)
    driver.write("sealing_made_with", "Other program")
    driver.press("sealing_start")
    driver.until(lambda: driver.fake.running is not None and driver.studio.sealing.line.current is not None)
    driver.press("sealing_stop")
    driver.until(lambda: not driver.studio.sealing.line.is_active)
    driver.settle()
    assert len(driver.studio.sealing.waiting) == 3
    assert not list(driver.folder.glob("*-sealed.png"))


def test_a_labelled_file_leads_to_verify_and_into_the_library(inside: Driver) -> None:
    """From the result list to the checked file."""
    driver = show(inside)
    drop(driver, "sealing_drop", draw_picture(driver.folder / "a.png"))
    driver.write("sealing_made_with", "Other program")
    seal(driver)
    assert [one.path.name for one in driver.studio.library.releases] == ["a-sealed.png"]
    driver.press("sealing_verify_0")
    driver.settle()
    assert driver.window.current == "verify" and driver.studio.checking.path == driver.folder / "a-sealed.png"


# --- verifying -------------------------------------------------------------------------------------------------------

FOUND = {
    "explicit": LayerReport("intact", {"box": [40, 300, 200, 60], "ink_share": 0.0641, "contrast": 17.4}),
    "aigc": LayerReport("intact", {"fields": [{"Label": "1", "ProduceID": "0011223344556677"}]}),
    "iptc": LayerReport("intact", {"source_type": ["http://example/algorithmicMedia"]}),
    "credential": LayerReport("intact", {"trust": "unknown signer", "issuer": "Somebody", "actions": ["c2pa.created"]}),
    "ledger": LayerReport("intact", {"index": 7, "size": 9, "time": "2026-03-01T09:30:00+00:00", "log": "known here"}),
    "watermark": LayerReport("intact", {"release": "0011223344556677", "pilots_z": 31.2, "corrected": 0.012}),
    "fingerprint": LayerReport(
        "intact", {"matches": [{"release": "0011223344556677", "time": "2026-03-01T09:30:00+00:00", "inliers": 88}]}
    ),
}


def reported(driver: Driver, monkeypatch: pytest.MonkeyPatch, *reports: Report) -> None:
    """Let the workshop answer with these, by file name."""
    by_name = {Path(report.file).name: report for report in reports}
    monkeypatch.setattr(driver.fake, "verify", lambda paths: [by_name[path.name] for path in paths])


@pytest.mark.parametrize(
    "evidence",
    [
        {"explicit": {"box": "x", "ink_share": "y"}},
        {"explicit": {"box": [1], "ink_share": 0.1, "frames": 3}},
        {"ledger": {"index": 1}},
        {"watermark": {"pilots_z": [], "corrected": "x"}},
        {"fingerprint": {"matches": [{}, None]}},
        {"aigc": {"fields": [None]}},
        {"credential": {"actions": 5}},
        {"nothing known": {"a": 1}},
    ],
)
def test_evidence_of_any_shape_is_no_error(evidence: dict[str, Any]) -> None:
    """What comes from a foreign file may be anything; then there is no line."""
    for name, found in evidence.items():
        assert isinstance(evidence_lines(name, found), list)


def test_many_files_stand_in_a_table_and_each_can_be_looked_at(inside: Driver) -> None:
    """A sealed one, a bare one, one that is no medium, one that is gone."""
    driver = show(inside, "verify")
    bare, text = draw_picture(driver.folder / "bare.png"), driver.folder / "letter.txt"
    text.write_text("I agree.")
    drop(driver, "verify_drop", bare, text, driver.folder / "gone.png")
    table = driver.find("verify_list", QListWidget)
    assert isinstance(table, QListWidget)
    said = [table.item(place).text().split("    ") for place in range(table.count())]
    assert said == [["bare.png", "unlabelled"], ["letter.txt", "unreadable"], ["gone.png", "cannot be read"]]
    table.setCurrentRow(1)
    driver.settle()
    sentence = driver.find("verify_sentence", QLabel)
    assert isinstance(sentence, QLabel) and sentence.text() == SENTENCES["unreadable"]


def test_a_folder_stands_for_its_files_and_the_newest_drop_counts(inside: Driver) -> None:
    """Dropping again replaces the table."""
    driver = show(inside, "verify")
    inside = driver.folder / "inside"
    inside.mkdir()
    for name in ("b.png", "a.png"):
        draw_picture(inside / name)
    drop(driver, "verify_drop", inside)
    assert [one.path.name for one in driver.studio.checking.checks] == ["a.png", "b.png"]
    drop(driver, "verify_drop", draw_picture(driver.folder / "c.png"))
    assert [one.path.name for one in driver.studio.checking.checks] == ["c.png"]


def test_every_layer_shows_what_it_rests_on(inside: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Box, share, contrast, fields, signer, entry, z, matches with their time; the trio of C2PA; refuted."""
    driver = show(inside, "verify")
    picture = draw_picture(driver.folder / "a.png")
    refuted = {"state": "refuted", "at": "2026-03-02T10:00:00+00:00", "reason": "not true"}
    whole = Report(str(picture), "refuted", SENTENCES["refuted"], FOUND, refuted)
    reported(driver, monkeypatch, whole)
    drop(driver, "verify_drop", picture)
    texts = "\n".join(driver.texts())
    for part in (
        "letters 6.4 % of the shorter side, contrast 17.4:1",
        "at 40, 300, 200 x 60 pixels",
        "ProduceID 0011223344556677",
        "algorithmicMedia",
        "signed by Somebody",
        "C2PA: Valid (unknown signer)",
        "entry 7 of 9",
        "its ledger is known here",
        "z 31.2, checksum holds, 1.2 % of its bits corrected",
        "88 points agree",
        "Refuted on 2026-03-02",
    ):
        assert part in texts, part
    view = driver.find("verify_view")
    assert [plate.box for plate in view._faces] == [(40, 300, 200, 60)]  # type: ignore[attr-defined]
    for trust, said in (("trusted", "C2PA: Trusted"), ("invalid", "C2PA: Invalid")):
        layers = {**FOUND, "credential": LayerReport("intact", {"trust": trust})}
        reported(driver, monkeypatch, replace(whole, layers=layers))
        drop(driver, "verify_drop", picture)
        chip = driver.find("verify_trust", QLabel)
        assert isinstance(chip, QLabel) and chip.text() == said


def test_a_report_is_written_and_replaces_no_file(inside: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page with every file; a file that is there stays."""
    driver = show(inside, "verify")
    assert not driver.find("verify_export").isEnabled()
    drop(driver, "verify_drop", draw_picture(driver.folder / "a.png"), draw_picture(driver.folder / "b.png"))
    out = driver.folder / "report.html"
    monkeypatch.setattr("studio.window.pages.verify_page.choose_out", lambda *_: out)
    out.write_text("mine")
    driver.press("verify_export")
    driver.settle()
    assert out.read_text() == "mine" and "already there" in driver.banner()
    out.unlink()
    driver.press("verify_export")
    driver.settle()
    assert driver.banner().startswith("The report is written.")
    page = out.read_text(encoding="utf-8")
    assert "a.png" in page and "b.png" in page


def test_verify_works_signed_out(driver: Driver) -> None:
    """Nobody has to have an account to check a file."""
    show(driver, "verify")
    drop(driver, "verify_drop", draw_picture(driver.folder / "a.png"))
    assert any(SENTENCES["unlabelled"] == text for text in driver.texts())
    assert not driver.window.side_bar._buttons["sealing"].isEnabled()


def test_the_program_that_was_named_is_not_kept_for_the_next_account(inside: Driver) -> None:
    """Fields are cleared with the session."""
    driver = show(inside)
    driver.write("sealing_made_with", "Other program")
    driver.studio.accounts.logout()
    driver.settle()
    field = driver.window.pages["sealing"].findChild(QLineEdit, "sealing_made_with")
    assert field is not None and field.text() == ""
