"""The consent wizard."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QSpinBox, QWizard

from compliance.errors import DiskFull
from studio.window.models.people import months_later
from studio.window.pages.consent_wizard import ConsentWizard
from studio.window.pages.people_page import PeoplePage
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver
from tests.studio.window.fake_parts import FakeCamera

KEY = Qt.Key


def open_wizard(driver: Driver, asset: Path | None = None) -> ConsentWizard:
    """The wizard, in front."""
    page = driver.window.pages["people"]
    assert isinstance(page, PeoplePage)
    page.record_for(asset)
    assert page.wizard is not None
    driver.qtbot.waitExposed(page.wizard)
    driver.settle()
    return page.wizard


def can_go_on(wizard: ConsentWizard) -> bool:
    """Whether Next can be pressed."""
    return wizard.button(QWizard.WizardButton.NextButton).isEnabled()


pressed: list[Qt.Key | str] = []
"""Every key of the present test."""


def type_keys(driver: Driver, *keys: Qt.Key | str) -> None:
    """Type into whatever has the keyboard."""
    for key in keys:
        pressed.extend(key if isinstance(key, str) else [key])
        focused = QApplication.focusWidget()
        assert focused is not None, "nothing has the keyboard"
        if isinstance(key, str):
            driver.qtbot.keyClicks(focused, key)
        else:
            driver.qtbot.keyClick(focused, key)


def focus_is(name: str) -> bool:
    """Whether a widget has the keyboard."""
    focused = QApplication.focusWidget()
    return focused is not None and focused.objectName() == name


def tab_to(driver: Driver, name: str) -> None:
    """Press Tab until a widget has the keyboard."""
    for _press in range(30):
        if focus_is(name):
            return
        type_keys(driver, KEY.Key_Tab)
    raise AssertionError(f"Tab does not lead to {name}")


def choose(driver: Driver, name: str, data: object, wizard: ConsentWizard) -> None:
    """Choose an entry of a list by its data."""
    combo = driver.find(name, QComboBox, wizard)
    assert isinstance(combo, QComboBox)
    index = combo.findData(data)
    assert index >= 0, f"{name} does not offer {data}"
    combo.setCurrentIndex(index)


def read(wizard: ConsentWizard) -> None:
    """Scroll the notice to its end."""
    bar = wizard.notice.reading.verticalScrollBar()
    bar.setValue(bar.maximum())


def walk_to_evidence(driver: Driver, wizard: ConsentWizard, name: str = "Grace", age: str = "adult") -> None:
    """From the first step to the evidence."""
    driver.write("wizard_who_name", name, wizard)
    choose(driver, "wizard_who_age", age, wizard)
    wizard.next()
    if age == "under 14":
        driver.write("wizard_guardian_name", "Ada", wizard)
        wizard.next()
    assert wizard.currentPage() is wizard.picture
    driver.settle()
    wizard.next()
    read(wizard)
    wizard.next()
    assert wizard.currentPage() is wizard.evidence


def walk_to_review(driver: Driver, wizard: ConsentWizard, age: str = "adult") -> None:
    """From the first step to the review, with the operator's word alone."""
    walk_to_evidence(driver, wizard, age=age)
    driver.press("wizard_evidence_without", wizard)
    wizard.next()
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    assert wizard.currentPage() is wizard.review


def test_no_step_can_be_left_without_its_answer(signed_in: Driver) -> None:
    """Nobody, no age, no picture, no face, a notice that was not read, no evidence, no purpose: Next stays off."""
    driver = signed_in
    wizard = open_wizard(driver)
    assert not can_go_on(wizard)
    driver.write("wizard_who_name", "Grace", wizard)
    assert not can_go_on(wizard)
    choose(driver, "wizard_who_age", "adult", wizard)
    wizard.next()
    assert not can_go_on(wizard)
    wizard.slot.set_picture(draw_picture(driver.folder / "noface.png"))
    driver.settle()
    assert not can_go_on(wizard)
    assert any("No face was found" in text for text in driver.texts(wizard))
    wizard.slot.set_picture(draw_picture(driver.folder / "grace.png"))
    driver.settle()
    wizard.next()
    driver.settle()
    assert not can_go_on(wizard)
    read(wizard)
    wizard.next()
    assert not can_go_on(wizard)
    driver.press("wizard_evidence_file", wizard)
    wizard.next()
    assert not can_go_on(wizard)
    wizard.file.line.set_path(driver.folder / "grace.png")
    wizard.next()
    assert not can_go_on(wizard)
    driver.press("wizard_purpose_film", wizard)
    assert can_go_on(wizard)
    driver.write("wizard_territories", "China", wizard)
    assert not can_go_on(wizard)
    wizard.reject()
    assert driver.fake.subjects() == []


def test_in_a_crowd_exactly_one_face_is_the_persons(signed_in: Driver) -> None:
    """None, or two, leave Next off; the others can be named, and all of it is entered."""
    driver = signed_in
    eileen = driver.fake.add_subject("Eileen")
    driver.studio.people.refresh()
    driver.settle()
    wizard = open_wizard(driver, draw_picture(driver.folder / "crowd.png"))
    driver.write("wizard_who_name", "Grace", wizard)
    choose(driver, "wizard_who_age", "adult", wizard)
    wizard.next()
    driver.settle()
    assert not can_go_on(wizard)
    choose(driver, "wizard_face_1", "-", wizard)
    choose(driver, "wizard_face_2", "-", wizard)
    assert not can_go_on(wizard)
    choose(driver, "wizard_face_2", eileen.id, wizard)
    assert can_go_on(wizard)
    wizard.next()
    read(wizard)
    wizard.next()
    driver.press("wizard_evidence_without", wizard)
    wizard.next()
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    assert "face 1 is this person's" in wizard.review.text.text()
    wizard.next()
    driver.settle()
    said = driver.fake.assignments(driver.folder / "crowd.png")
    names = {person.id: person.name for person in driver.fake.subjects()}
    assert [(one.number, names[one.subject_id]) for one in said] == [(1, "Grace"), (2, "Eileen")]


def test_a_refused_record_keeps_the_wizard_open_and_says_why(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are not lost, and a second try does not enter the person twice."""
    driver = signed_in
    original = driver.fake.record_consent

    def refuse(*_arguments: object, **_named: object) -> object:
        raise DiskFull(path="home")

    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    walk_to_review(driver, wizard)
    monkeypatch.setattr(driver.fake, "record_consent", refuse)
    wizard.next()
    driver.settle()
    assert wizard.currentPage() is wizard.review
    assert wizard.banner.what.text() == "There is no space left at home."
    monkeypatch.setattr(driver.fake, "record_consent", original)
    wizard.next()
    driver.settle()
    assert wizard.currentPage() is wizard.recorded
    assert [person.name for person in driver.fake.subjects()] == ["Grace"]
    assert [grant.purposes for grant in driver.fake.grants()] == [("film",)]


def test_under_14_a_guardian_is_named_and_no_special_use_can_be_allowed(signed_in: Driver) -> None:
    """The wizard asks who consents; the ticks of special uses cannot be taken away."""
    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "kim.png"))
    walk_to_review(driver, wizard, age="under 14")
    assert "For the child consents: Ada." in wizard.review.text.text()
    wizard.back()
    assert not driver.find("wizard_forbid_political", QCheckBox, wizard).isEnabled()
    wizard.next()
    wizard.next()
    driver.settle()
    child = next(person for person in driver.fake.subjects() if person.name == "Grace")
    guardian = next(person for person in driver.fake.subjects() if person.name == "Ada")
    assert child.guardian_id == guardian.id
    (grant,) = driver.fake.grants()
    assert grant.forbidden == ("political", "sexual", "endorsement", "testimony", "minors")


def test_from_14_to_17_the_first_step_says_what_it_means(signed_in: Driver) -> None:
    """No guardian page, but a note."""
    driver = signed_in
    wizard = open_wizard(driver)
    driver.write("wizard_who_name", "Kim", wizard)
    choose(driver, "wizard_who_age", "14-17", wizard)
    assert any("The consent is marked." in text for text in driver.texts(wizard))
    wizard.next()
    assert wizard.currentPage() is wizard.picture
    wizard.reject()


def test_without_a_camera_the_file_page_says_why(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """No QtMultimedia: the live way leads to the file page, which names the reason and asks for a file."""
    driver = signed_in
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_live", wizard)
    wizard.next()
    assert wizard.currentPage() is wizard.file
    assert "QtMultimedia" in wizard.file.banner.what.text()
    assert not can_go_on(wizard)
    wizard.reject()


def with_camera(wizard: ConsentWizard, monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    """Let the wizard find a camera."""
    camera = FakeCamera()
    monkeypatch.setattr("studio.window.pages.wizard_evidence.why_no_camera", lambda _likeness: "")
    wizard.camera.make_camera = lambda _likeness: camera  # type: ignore[assignment, return-value]  # it fits by its names
    return camera


def test_a_live_recording_needs_its_film_and_carries_the_fresh_phrase(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Next stays off until the film is there; the record gets the film, the phrase and the camera's name."""
    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    camera = with_camera(wizard, monkeypatch)
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_live", wizard)
    wizard.next()
    driver.until(lambda: camera.is_open)
    driver.settle()
    assert wizard.currentPage() is wizard.camera
    phrase = driver.find("wizard_phrase", QLabel, wizard)
    assert isinstance(phrase, QLabel) and phrase.text().startswith("My name is Grace.")
    assert not can_go_on(wizard)
    driver.press("wizard_camera_record", wizard)
    assert not can_go_on(wizard)
    driver.press("wizard_camera_record", wizard)
    assert can_go_on(wizard)
    wizard.next()
    assert not camera.is_open
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    wizard.next()
    driver.settle()
    (record,) = driver.fake.recorded
    assert record["evidence_data"] == b"a film"
    assert record["nonce_phrase"] == phrase.text()
    assert (record["evidence_kind"], record["device"]) == ("video", "built in")
    assert driver.fake.grants()[0].evidence_level == "live"


def test_a_camera_that_fails_leaves_the_way_to_a_file(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is said; the file page follows on the reader's word, and the camera is let go."""
    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    camera = with_camera(wizard, monkeypatch)
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_live", wizard)
    wizard.next()
    driver.until(lambda: camera.is_open)
    driver.settle()
    camera.broke.emit("The camera could not be used.")
    assert wizard.currentPage() is wizard.file
    assert wizard.file.banner.what.text() == "The camera could not be used."
    assert not camera.is_open
    wizard.reject()


def test_a_passphrase_is_typed_twice_and_by_the_person(signed_in: Driver) -> None:
    """A short one, or two different ones, leave Next off; the record gets it and the window forgets it."""
    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_passphrase", wizard)
    wizard.next()
    driver.write("wizard_passphrase", "short", wizard)
    driver.write("wizard_passphrase_again", "short", wizard)
    assert not can_go_on(wizard)
    driver.write("wizard_passphrase", "blue harbour", wizard)
    driver.write("wizard_passphrase_again", "blue harbor", wizard)
    assert not can_go_on(wizard)
    driver.write("wizard_passphrase_again", "blue harbour", wizard)
    wizard.next()
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    wizard.next()
    driver.settle()
    assert driver.fake.recorded[0]["passphrase"] == "blue harbour"
    assert wizard.draft.passphrase is None
    assert all("blue harbour" not in field.text() for field in wizard.findChildren(QLineEdit))


def test_the_scope_reaches_the_record_as_it_was_ticked(signed_in: Driver) -> None:
    """Uses, countries, projects, recipients and the number of releases go into the terms."""
    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_receipt", wizard)
    wizard.next()
    wizard.next()
    driver.press("wizard_purpose_film", wizard)
    driver.press("wizard_forbid_endorsement", wizard)
    driver.write("wizard_territories", "cn, HK", wizard)
    driver.write("wizard_projects", "Film 7", wizard)
    driver.write("wizard_recipients", "Li Na; Bo", wizard)
    outputs = driver.find("wizard_max_outputs", QSpinBox, wizard)
    assert isinstance(outputs, QSpinBox)
    outputs.setValue(3)
    wizard.next()
    wizard.next()
    driver.settle()
    terms = driver.fake.recorded[0]["terms"]
    assert terms.allowed_uses == ("endorsement",)
    assert (terms.territories, terms.projects, terms.max_outputs) == (("CN", "HK"), ("Film 7",), 3)
    assert terms.recipients == ("Li Na", "Bo")
    assert driver.fake.recorded[0]["notice_language"] == "en"


def test_the_code_is_shown_once_and_the_receipt_carries_it(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """PDF and JSON can be saved; the signed receipt handed in confirms the consent; another wizard shows no code."""
    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    walk_to_review(driver, wizard)
    wizard.next()
    driver.settle()
    code = driver.find("wizard_withdrawal_code", QLabel, wizard)
    assert isinstance(code, QLabel) and code.text() == "7Q2K-9XWM-4TRB-VZ8P"
    assert not wizard.button(QWizard.WizardButton.BackButton).isVisible()
    for ending in ("pdf", "json"):
        out = driver.folder / f"receipt.{ending}"
        monkeypatch.setattr("studio.window.pages.receipt_dialog.choose_out", lambda *_, out=out: out)
        driver.press(f"wizard_receipt_{ending}", wizard)
        driver.settle()
        assert out.exists()
    assert [(path.suffix, given) for _id, path, given in driver.fake.receipts] == [
        (".pdf", code.text()),
        (".json", code.text()),
    ]
    monkeypatch.setattr("studio.window.pages.wizard_terms.choose_file", lambda *_: driver.folder / "receipt.pdf")
    driver.press("wizard_receipt_signed", wizard)
    driver.settle()
    assert driver.fake.grants()[0].evidence_level == "file+subject"
    wizard.button(QWizard.WizardButton.FinishButton).click()
    assert not wizard.isVisible()


def test_a_consent_never_lasts_longer_than_twelve_months(signed_in: Driver) -> None:
    """The last day follows the first and stops at twelve months."""
    wizard = open_wizard(signed_in)
    until = wizard.scope.findChild(type(wizard.scope._until), "wizard_valid_until")
    assert until is not None
    assert until.maximumDate().toPython() == months_later(date.today(), 12)
    wizard.scope._from.setDate(wizard.scope._from.date().addMonths(1))
    assert until.maximumDate().toPython() == months_later(wizard.scope._from.date().toPython(), 12)
    wizard.reject()


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_end_on_their_last_day(start: date, months: int, end: date) -> None:
    """A day that a month does not have becomes its last day."""
    assert months_later(start, months) == end


def test_a_consent_is_recorded_with_the_keyboard_alone(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the first key to the saved receipt no mouse is needed; the file dialogs are the system's own."""
    driver = signed_in
    picture = draw_picture(driver.folder / "grace.png")
    out = driver.folder / "receipt.pdf"
    monkeypatch.setattr("studio.window.pages.receipt_dialog.choose_out", lambda *_: out)
    wizard = open_wizard(driver)
    started_s = time.monotonic()
    driver.until(lambda: focus_is("wizard_who_name"))
    type_keys(driver, "Grace Hopper")
    tab_to(driver, "wizard_who_age")
    type_keys(driver, KEY.Key_Down)
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    driver.until(lambda: wizard.currentPage() is wizard.picture and focus_is("wizard_picture_drop"))
    wizard.picture.card.frame.choose = lambda: wizard.slot.set_picture(picture)  # type: ignore[method-assign]
    type_keys(driver, KEY.Key_Space)
    driver.settle()
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    driver.until(lambda: focus_is("wizard_notice_text"))
    type_keys(driver, KEY.Key_End)
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    driver.until(lambda: focus_is("wizard_evidence_live"))
    type_keys(driver, KEY.Key_Down)
    assert focus_is("wizard_evidence_passphrase")
    type_keys(driver, KEY.Key_Space)
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    driver.until(lambda: focus_is("wizard_passphrase"))
    type_keys(driver, "blue harbour", KEY.Key_Tab, "blue harbour")
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    driver.until(lambda: focus_is("wizard_purpose_private"))
    type_keys(driver, KEY.Key_Space)
    tab_to(driver, "wizard_purpose_satire")
    type_keys(driver, KEY.Key_Space)
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    assert "Grace Hopper allows their face in the picture grace.png to be used." in wizard.review.text.text()
    assert "For: private use, satire." in wizard.review.text.text()
    tab_to(driver, "wizard_record")
    type_keys(driver, KEY.Key_Return)
    driver.settle()
    driver.until(lambda: focus_is("wizard_receipt_pdf"))
    type_keys(driver, KEY.Key_Return)
    driver.settle()
    tab_to(driver, "wizard_done")
    type_keys(driver, KEY.Key_Return)
    took_s = time.monotonic() - started_s
    with capsys.disabled():
        print(f"\nconsent by keyboard alone: {took_s:.1f} s")
    assert driver.banner().startswith("The consent of Grace Hopper is recorded.")
    (grant,) = driver.fake.grants()
    assert grant.purposes == ("private", "satire")
    assert date.fromisoformat(grant.valid_until) == months_later(date.today(), 12)
    assert [path for _id, path, _code in driver.fake.receipts] == [out]


@pytest.fixture
def whole_walk(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> tuple[Driver, ConsentWizard, FakeCamera]:
    """The wizard over a picture of three, a camera, and somebody who is listed already."""
    signed_in.fake.add_subject("Eileen", age="adult")
    signed_in.studio.people.refresh()
    signed_in.settle()
    wizard = open_wizard(signed_in, draw_picture(signed_in.folder / "crowd.png"))
    camera = with_camera(wizard, monkeypatch)
    monkeypatch.setattr("studio.window.pages.receipt_dialog.choose_out", lambda *_: signed_in.folder / "receipt.pdf")
    pressed.clear()
    return signed_in, wizard, camera


# A person types 2.5 keys a second when they look for each (40 words a minute are 3.3); the longest of the steps that
# are no typing are the notice (350 words at 240 a minute) and the phrase that is read aloud (10 s).
KEYS_PER_S = 2.5
READING_S = 88 + 10
LONGEST_S = 180


def test_every_step_of_the_wizard_is_walked_by_keyboard_within_three_minutes(
    whole_walk: tuple[Driver, ConsentWizard, FakeCamera],
) -> None:
    """A child, a guardian, the face in a group, a live recording, scope with countries and projects, the receipt."""
    driver, wizard, camera = whole_walk
    steps: list[str] = []

    def on(step: str, focus: str) -> None:
        driver.until(lambda: wizard.currentPage().objectName() == f"wizard_{step}" and focus_is(focus))
        steps.append(step)

    def onward(name: str = "wizard_next") -> None:
        # Alt+N reaches the button from anywhere, Tab does too: the slower way is counted.
        tab_to(driver, name)
        type_keys(driver, KEY.Key_Return)

    on("who", "wizard_who_name")
    type_keys(driver, "Kim Hopper")
    tab_to(driver, "wizard_who_age")
    type_keys(driver, KEY.Key_Down, KEY.Key_Down, KEY.Key_Down)
    onward()
    on("guardian", "wizard_guardian_name")
    type_keys(driver, "Grace Hopper")
    onward()
    driver.settle()
    driver.until(lambda: wizard.currentPage() is wizard.picture)
    steps.append("picture")
    assert not can_go_on(wizard)
    tab_to(driver, "wizard_face_2")
    type_keys(driver, KEY.Key_Down)
    tab_to(driver, "wizard_face_3")
    type_keys(driver, KEY.Key_Down, KEY.Key_Down)
    assert can_go_on(wizard)
    onward()
    on("notice", "wizard_notice_text")
    type_keys(driver, KEY.Key_End)
    onward()
    on("evidence", "wizard_evidence_live")
    type_keys(driver, KEY.Key_Space)
    onward()
    driver.until(lambda: bool(wizard.draft.nonce_phrase))
    driver.settle()
    on("camera", "wizard_camera_record")
    type_keys(driver, KEY.Key_Return)
    assert camera.is_recording
    tab_to(driver, "wizard_camera_record")
    type_keys(driver, KEY.Key_Return)
    driver.until(lambda: focus_is("wizard_next"))
    onward()
    on("scope", "wizard_purpose_private")
    type_keys(driver, KEY.Key_Space)
    tab_to(driver, "wizard_territories")
    type_keys(driver, "CN")
    tab_to(driver, "wizard_projects")
    type_keys(driver, "Film 7")
    onward()
    driver.until(lambda: wizard.currentPage() is wizard.review)
    steps.append("review")
    onward("wizard_record")
    driver.settle()
    on("recorded", "wizard_receipt_pdf")
    type_keys(driver, KEY.Key_Return)
    driver.settle()
    onward("wizard_done")
    named = ["who", "guardian", "picture", "notice", "evidence", "camera", "scope", "review", "recorded"]
    assert steps == named
    (grant,) = driver.fake.grants()
    assert (grant.evidence_level, grant.age, grant.territories) == ("live", "under 14", ("CN",))
    assert [(one.number, one.subject_id) for one in driver.fake.assignments(driver.folder / "crowd.png")] == [
        (2, grant.subject_id),
        (3, "p1"),
    ]
    assert len(driver.fake.receipts) == 1
    assert len(pressed) / KEYS_PER_S + READING_S <= LONGEST_S, f"{len(pressed)} keys"


def test_a_known_person_can_be_chosen(signed_in: Driver) -> None:
    """A second consent of the same person enters no second person."""
    driver = signed_in
    picture = draw_picture(driver.folder / "grace.png")
    driver.consent("Grace", picture)
    wizard = open_wizard(driver, picture)
    driver.press("wizard_who_known", wizard)
    choose(driver, "wizard_who_age", "adult", wizard)
    wizard.next()
    driver.settle()
    wizard.next()
    read(wizard)
    wizard.next()
    driver.press("wizard_evidence_file", wizard)
    wizard.next()
    wizard.file.line.set_path(picture)
    wizard.next()
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    wizard.next()
    driver.settle()
    assert len(driver.fake.subjects()) == 1
    assert len(driver.fake.grants()) == 2
