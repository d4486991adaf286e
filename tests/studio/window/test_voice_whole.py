"""The whole way of a voice through the window and the real workshop: consent, change, listening, release, verify."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from engines.job import JobState
from studio.window import main_window
from studio.window.pages.account_page import AccountPage
from studio.window.pages.people_page import PeoplePage
from studio.window.pages.voice_page import VoicePage
from studio.workshop import Workshop
from tests.compliance.home import PASSWORD
from tests.engines.voices import HIGH, LOW, Person, speech, wav
from tests.studio.window.conftest import Driver

LIMIT_MS = 60_000


@pytest.fixture
def real(
    qtbot: QtBot, studio_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Driver, Workshop]]:
    """A window over a real home, signed in, without the pages that voices do not lead to."""
    monkeypatch.setattr(main_window, "PAGES", (AccountPage, PeoplePage, VoicePage))
    home = tmp_path / "home"
    shutil.copytree(studio_folder, home)
    with Workshop(home, "own", None) as workshop:
        workshop.unlock(PASSWORD)
        driver = Driver(qtbot, workshop, tmp_path)  # type: ignore[arg-type]  # the fake one has its names
        yield driver, workshop
        driver.settle()
        driver.window.close()


def agree(driver: Driver, name: str, path: Path) -> None:
    """From the recording on the page through the wizard to a consent, with a letter as evidence."""
    people = driver.window.pages["people"]
    assert isinstance(people, PeoplePage)
    driver.settle()
    wizard = people.wizard
    assert wizard is not None and wizard.picture.sound.path == path
    driver.write("wizard_who_name", name, wizard)
    ages = driver.find("wizard_who_age", QComboBox, wizard)
    assert isinstance(ages, QComboBox)
    ages.setCurrentIndex(1)
    wizard.next()
    assert wizard.currentPage() is wizard.picture
    wizard.next()
    bar = wizard.notice.reading.verticalScrollBar()
    bar.setValue(bar.maximum())
    wizard.next()
    driver.press("wizard_evidence_file", wizard)
    wizard.next()
    letter = driver.folder / f"{name}.txt"
    letter.write_text(f"I, {name}, agree.", encoding="utf-8")
    wizard.file.line.set_path(letter)
    wizard.next()
    driver.press("wizard_purpose_private", wizard)
    wizard.next()
    assert wizard.currentPage() is wizard.review
    wizard.next()
    driver.qtbot.waitUntil(lambda: wizard.draft.granted is not None, timeout=LIMIT_MS)
    driver.settle()
    wizard.accept()
    driver.settle()


def test_a_voice_is_consented_to_changed_heard_and_released_in_the_window(real: tuple[Driver, Workshop]) -> None:
    """Both people agree in the wizard; a part of the speech is leaned; what is heard and released is labelled."""
    driver, workshop = real
    voices: dict[str, tuple[Person, str]] = {"source": (HIGH, "Hanna"), "target": (LOW, "Lena")}
    for role, (person, name) in voices.items():
        driver.window.show_page("voice")
        driver.press("voice_mode_change")
        path = driver.folder / f"{name}.wav"
        path.write_bytes(wav(speech(person, 3.0)))
        driver.drop(f"voice_{role}_drop", path)
        driver.settle()
        driver.press(f"voice_{role}_record")
        agree(driver, name, path)
    driver.window.show_page("voice")
    driver.settle()
    model = driver.studio.voices
    assert model.has_consents() and len(model.chosen_consents()) == 2
    model.slots["target"].set_part(0.5, 2.5)
    driver.press("voice_change_make")
    driver.qtbot.waitUntil(lambda: model.state in (JobState.FINISHED, JobState.FAILED), timeout=LIMIT_MS)
    assert model.state is JobState.FINISHED, driver.banner()
    take = model.take
    assert take is not None
    assert take.info.frames / take.info.rate_hz == pytest.approx(2.0, abs=0.01)
    assert take.heard.data.startswith(b"OggS")
    first, second = take.alignment.labels
    assert first[0] == 0 and second[0] == pytest.approx(2000, abs=60)
    assert take.alignment.to_input(first[1] / 1000) == pytest.approx(0.5, abs=0.02)
    model.release(take, driver.folder / "leaned.flac", False)
    driver.qtbot.waitUntil(lambda: take.released is not None, timeout=LIMIT_MS)
    driver.settle()
    (report,) = workshop.verify([driver.folder / "leaned.flac"])
    assert report.verdict == "sealed"
    assert set(workshop.releases()[-1].consents) == set(model.chosen_consents())
