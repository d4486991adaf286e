"""A window that stands open for long: the log is signed, rest locks it, and what was typed is there afterwards."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from studio.settings import Settings
from studio.window.main_window import MainWindow
from studio.window.pages.consent_wizard import ConsentWizard
from studio.window.pages.people_page import PeoplePage
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD as REAL_PASSWORD
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import PASSWORD, Driver

REST = timedelta(minutes=31)


def lock(driver: Driver) -> None:
    """The keys were closed meanwhile; the window notices at its next look."""
    driver.fake.lock()
    driver.window.on_look()
    driver.settle()


def unlock(driver: Driver) -> None:
    """Give the password on the account page."""
    driver.write("account_password", PASSWORD)
    driver.press("account_unlock")
    driver.settle()


def open_wizard(driver: Driver) -> ConsentWizard:
    """The wizard with a name typed into it."""
    driver.window.show_page("people")
    page = driver.window.pages["people"]
    assert isinstance(page, PeoplePage)
    page.record_for(None)
    assert page.wizard is not None
    driver.settle()
    driver.write("wizard_who_name", "Grace Hopper", page.wizard)
    return page.wizard


def test_every_minute_the_log_may_be_signed_beside_the_window(signed_in: Driver) -> None:
    """The clock asks once a minute, in another thread; signed out it does not ask."""
    driver, keeping = signed_in, signed_in.fake.logkeeping
    clock = driver.window._log_clock
    assert clock.isActive() and clock.interval() == 60_000
    clock.timeout.emit()
    driver.settle()
    assert keeping.asked == 1
    assert threading.get_ident() not in keeping.threads
    driver.studio.accounts.logout()
    driver.settle()
    clock.timeout.emit()
    driver.settle()
    assert keeping.asked == 1


def test_a_log_that_cannot_be_signed_is_told(signed_in: Driver) -> None:
    """Above all pages, with what to do."""
    driver = signed_in
    driver.fake.logkeeping.refuses = True
    driver.window._log_clock.timeout.emit()
    driver.settle()
    assert driver.window.banner.isVisible()
    assert driver.window.banner.what.text() == "There is no space left at home."


def test_only_work_at_the_window_counts_as_work(signed_in: Driver) -> None:
    """A look without a key or a click before it leaves the session at rest."""
    driver, members = signed_in, signed_in.fake.members
    driver.window.on_look()
    driver.settle()
    before = members.active
    driver.window.on_look()
    driver.settle()
    assert members.active == before
    QApplication.sendEvent(
        driver.window, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Shift, Qt.KeyboardModifier.NoModifier)
    )
    driver.window.on_look()
    driver.settle()
    assert members.active == before + 1


def test_a_locked_window_shows_nothing_and_gives_all_of_it_back(signed_in: Driver) -> None:
    """Wizard, bench and page are hidden while the keys are closed; the password brings them back as they were."""
    driver = signed_in
    driver.set_bench()
    driver.studio.bench.set_place("cn", "Film 7")
    wizard = open_wizard(driver)
    lock(driver)
    assert driver.window.current == "account"
    assert not wizard.isVisible()
    assert "Grace" not in " ".join(driver.texts())
    driver.window.show_page("people")
    assert driver.window.current == "account"
    unlock(driver)
    assert driver.window.current == "people"
    assert wizard.isVisible()
    name = driver.find("wizard_who_name", QLineEdit, wizard)
    assert isinstance(name, QLineEdit) and name.text() == "Grace Hopper"
    assert wizard.windowModality() is not Qt.WindowModality.NonModal
    assert driver.studio.bench.slots["source"].path is not None
    assert (driver.studio.bench.territory, driver.studio.bench.project) == ("CN", "Film 7")
    wizard.reject()


def test_a_consent_that_was_unticked_stays_unticked_over_a_lock(signed_in: Driver) -> None:
    """Reading the people anew does not choose for the reader."""
    driver = signed_in
    driver.set_bench()
    (grant_id,) = driver.studio.bench.consents["source"]
    driver.studio.bench.set_consent("source", grant_id, False)
    lock(driver)
    unlock(driver)
    assert driver.studio.bench.consents["source"] == set()


def test_a_wrong_password_keeps_it_locked(signed_in: Driver) -> None:
    """Nothing comes back before the right one."""
    driver = signed_in
    wizard = open_wizard(driver)
    lock(driver)
    driver.write("account_password", "not the password")
    driver.press("account_unlock")
    driver.settle()
    assert not wizard.isVisible() and driver.window.current == "account"
    unlock(driver)
    wizard.reject()


def test_another_person_finds_nothing_of_the_first(signed_in: Driver) -> None:
    """Locked, signed out and signed in as somebody else: form, bench and names are gone."""
    driver = signed_in
    driver.fake.create_account("second", PASSWORD, "Li Na")
    driver.set_bench()
    wizard = open_wizard(driver)
    lock(driver)
    driver.press("account_sign_out")
    driver.settle()
    driver.studio.accounts.login("second", PASSWORD)
    driver.settle()
    assert driver.window.current == "people"
    assert not isValid(wizard)
    assert driver.studio.bench.slots["source"].path is None


def test_a_session_that_ends_takes_its_dialogs_with_it(signed_in: Driver) -> None:
    """After twelve hours nobody is signed in, and no wizard stands over the sign-in page."""
    driver = signed_in
    wizard = open_wizard(driver)
    driver.fake.logout()
    driver.window.on_look()
    driver.settle()
    assert driver.window.current == "account" and not isValid(wizard)


@pytest.fixture
def clocked(qtbot: QtBot, workshop: Workshop, tmp_path: Path) -> tuple[MainWindow, list[timedelta]]:
    """A window over a real home whose clock is moved by hand."""
    moved = [timedelta(0)]
    workshop._accounts._clock = lambda: datetime.now(UTC) + moved[0]
    window = MainWindow()
    qtbot.addWidget(window)
    window.adopt(workshop, Settings(tmp_path))
    window.show()
    qtbot.waitUntil(lambda: window.calls.open_calls == 0, timeout=20_000)
    return window, moved


def test_rest_locks_a_real_home_and_its_password_opens_it(
    qtbot: QtBot, clocked: tuple[MainWindow, list[timedelta]], tmp_path: Path
) -> None:
    """Half an hour without a key: the next look shows the sign-in page; the log is not signed while it is locked."""
    window, moved = clocked
    studio = window.studio
    assert studio is not None and studio.accounts.is_open and window.current == "people"

    def settle() -> None:
        qtbot.waitUntil(lambda: window.calls.open_calls == 0, timeout=20_000)

    studio.bench.set_picture("source", draw_picture(tmp_path / "source.png"))
    settle()
    entries = studio.workshop.verify_ledger()[0]
    window._log_clock.timeout.emit()
    settle()
    assert not window.banner.isVisible(), window.banner.what.text()
    moved[0] = REST
    window._was_active = False
    window._clock.timeout.emit()
    settle()
    assert studio.accounts.is_locked
    assert window.current == "account" and not window.side_bar._buttons["people"].isEnabled()

    def fields() -> list[QLineEdit]:
        return [one for one in window.findChildren(QLineEdit, "account_password") if one.isVisible()]

    qtbot.waitUntil(lambda: bool(fields()), timeout=20_000)
    fields()[-1].setText(REAL_PASSWORD)
    qtbot.keyClick(fields()[-1], Qt.Key.Key_Return)
    settle()
    assert studio.accounts.is_open and window.current == "people"
    assert studio.bench.slots["source"].path == tmp_path / "source.png"
    assert studio.workshop.verify_ledger()[0] >= entries
    window.close()
