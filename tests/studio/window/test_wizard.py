"""The consent wizard."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QWizard

from compliance.errors import DiskFull
from studio.window.models.people import months_later
from studio.window.pages.consent_wizard import ConsentWizard
from studio.window.pages.people_page import PeoplePage
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver

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


def type_keys(driver: Driver, *keys: Qt.Key | str) -> None:
    """Type into whatever has the keyboard."""
    for key in keys:
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


def test_no_step_can_be_left_without_its_answer(signed_in: Driver) -> None:
    """Nobody, no picture, a picture without a face, no evidence, no purpose: Next stays off."""
    driver = signed_in
    wizard = open_wizard(driver)
    assert not can_go_on(wizard)
    driver.write("wizard_who_name", "Grace", wizard)
    wizard.next()
    assert not can_go_on(wizard)
    wizard.slot.set_picture(draw_picture(driver.folder / "noface.png"))
    driver.settle()
    assert not can_go_on(wizard)
    assert any("No face was found" in text for text in driver.texts(wizard))
    wizard.slot.set_picture(draw_picture(driver.folder / "grace.png"))
    driver.settle()
    wizard.next()
    assert not can_go_on(wizard)
    wizard.evidence.set_evidence(driver.folder / "grace.png")
    wizard.next()
    assert not can_go_on(wizard)
    wizard.reject()
    assert driver.fake.subjects() == []


def test_a_refused_record_keeps_the_wizard_open_and_says_why(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are not lost, and a second try does not enter the person twice."""
    driver = signed_in
    original = driver.fake.record_consent

    def refuse(*_arguments: object, **_named: object) -> object:
        raise DiskFull(path="home")

    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    driver.write("wizard_who_name", "Grace", wizard)
    wizard.next()
    wizard.next()
    driver.find("wizard_evidence_without", QCheckBox, wizard).click()  # type: ignore[attr-defined]
    wizard.next()
    driver.find("wizard_purpose_film", QCheckBox, wizard).click()  # type: ignore[attr-defined]
    wizard.next()
    monkeypatch.setattr(driver.fake, "record_consent", refuse)
    wizard.accept()
    driver.settle()
    assert wizard.isVisible()
    assert wizard.banner.what.text() == "There is no space left at home."
    monkeypatch.setattr(driver.fake, "record_consent", original)
    wizard.accept()
    driver.settle()
    assert [person.name for person in driver.fake.subjects()] == ["Grace"]
    assert [grant.purposes for grant in driver.fake.grants()] == [("film",)]


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


def test_a_consent_is_recorded_with_the_keyboard_alone(signed_in: Driver) -> None:
    """From the first key to the recorded consent no mouse is needed; the file dialog is the system's own."""
    driver = signed_in
    picture = draw_picture(driver.folder / "grace.png")
    wizard = open_wizard(driver)
    driver.until(lambda: focus_is("wizard_who_name"))
    type_keys(driver, "Grace Hopper", KEY.Key_Return)
    driver.until(lambda: wizard.currentPage() is wizard.picture and focus_is("wizard_picture_drop"))
    wizard.picture.card.frame.choose = lambda: wizard.slot.set_picture(picture)  # type: ignore[method-assign]
    type_keys(driver, KEY.Key_Space)
    driver.settle()
    tab_to(driver, "wizard_next")
    type_keys(driver, KEY.Key_Return)
    assert wizard.currentPage() is wizard.evidence
    tab_to(driver, "wizard_evidence_without")
    type_keys(driver, KEY.Key_Space)
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
    assert driver.banner().startswith("The consent of Grace Hopper is recorded.")
    (grant,) = driver.fake.grants()
    assert grant.purposes == ("private", "satire")
    assert grant.evidence_sha256 is None
    assert date.fromisoformat(grant.valid_until) == months_later(date.today(), 12)


def test_a_known_person_can_be_chosen(signed_in: Driver) -> None:
    """A second consent of the same person enters no second person."""
    driver = signed_in
    picture = draw_picture(driver.folder / "grace.png")
    driver.consent("Grace", picture)
    wizard = open_wizard(driver, picture)
    driver.find("wizard_who_known", root=wizard).click()  # type: ignore[attr-defined]
    wizard.next()
    wizard.next()
    wizard.evidence.set_evidence(picture)
    wizard.next()
    driver.find("wizard_purpose_film", root=wizard).click()  # type: ignore[attr-defined]
    wizard.next()
    wizard.accept()
    driver.settle()
    assert len(driver.fake.subjects()) == 1
    assert len(driver.fake.grants()) == 2
