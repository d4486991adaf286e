"""The page of voices in front of somebody who is signed in, and the steps that its tests share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QSpinBox
from pytestqt.qtbot import QtBot

from engines.packs import LicenceClass, ModelPack
from studio.window import main_window
from studio.window.models import voices
from studio.window.pages.account_page import AccountPage
from studio.window.pages.people_page import PeoplePage
from studio.window.pages.voice_page import VoicePage
from tests.engines.voices import HIGH, speech
from tests.studio.window.conftest import PASSWORD, Driver
from tests.studio.window.fake_voices import Loudspeaker, VoiceWorkshop, recording


@pytest.fixture
def fake(tmp_path: Path) -> VoiceWorkshop:
    """A workshop with voices, without accounts."""
    home = tmp_path / "home"
    home.mkdir()
    return VoiceWorkshop(home)


@pytest.fixture
def page(qtbot: QtBot, fake: VoiceWorkshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """The page in front, somebody signed in; without the pages that it does not lead to."""
    monkeypatch.setattr(main_window, "PAGES", (AccountPage, PeoplePage, VoicePage))
    fake.create_account("studio", PASSWORD, "Lin Wei")
    fake.login("studio", PASSWORD)
    driver = Driver(qtbot, fake, tmp_path)
    driver.window.show_page("voice")
    driver.settle()
    yield driver
    for job in fake.jobs:
        job.go()
    driver.settle()
    driver.window.close()


def the_page(driver: Driver) -> VoicePage:
    """The page."""
    found = driver.window.pages["voice"]
    assert isinstance(found, VoicePage)
    return found


def listen_with(driver: Driver, speaker: Loudspeaker) -> Loudspeaker:
    """Let the page play through this."""
    the_page(driver).ear.make_player = lambda: speaker
    return speaker


def say(driver: Driver, text: str, takes: int = 1) -> None:
    """Write a text and press Make."""
    words = driver.find("voice_text", QPlainTextEdit)
    assert isinstance(words, QPlainTextEdit)
    words.setPlainText(text)
    spin = driver.find("voice_takes", QSpinBox)
    assert isinstance(spin, QSpinBox)
    spin.setValue(takes)
    driver.press("voice_speak_make")


def agree(driver: Driver, name: str, path: Path, purposes: tuple[str, ...] = ("private",)) -> str:
    """A consent to a voice in this recording."""
    person, today = driver.fake.add_subject(name), date.today()
    until = today + timedelta(days=300)
    grant = driver.fake.record_consent(person.id, path, purposes, today, until, likeness="voice")
    driver.studio.people.refresh()
    driver.settle()
    return grant.id


def put(driver: Driver, role: str, path: Path) -> None:
    """Drop a recording and wait until it was read."""
    driver.drop(f"voice_{role}_drop", path)
    driver.settle()


def set_change(driver: Driver) -> tuple[Path, Path]:
    """Two recordings with consents on the page."""
    reference = recording(driver.folder / "reference.wav", 2.0, samples=speech(HIGH, 2.0))
    target = recording(driver.folder / "speech.wav")
    agree(driver, "Grace", reference)
    agree(driver, "Eileen", target)
    driver.press("voice_mode_change")
    put(driver, "source", reference)
    put(driver, "target", target)
    return reference, target


def text_of(driver: Driver, name: str) -> str:
    """What a label says."""
    return str(driver.find(name).text())  # type: ignore[attr-defined]  # a label


def clone(driver: Driver, monkeypatch: pytest.MonkeyPatch, *, own: bool = False) -> None:
    """A pack that takes on voices is chosen, with or without voices of its own."""
    (driver.folder / "config.json").write_text('{"model": "xtts"}')
    files = {"config.json": ""} | ({"speakers_xtts.safetensors": ""} if own else {})
    about = ("1", "Some Licence", LicenceClass.NON_COMMERCIAL, "", files, driver.folder)
    monkeypatch.setattr(voices, "find_voices", lambda _home: ([], [ModelPack("ann", "voice.coqui", "Ann", *about)]))
    driver.studio.voices.list_voices()
    driver.settle()
    combo = driver.find("voice_voice", QComboBox)
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(1)
    words = driver.find("voice_text", QPlainTextEdit)
    assert isinstance(words, QPlainTextEdit)
    words.setPlainText("Good morning.")
    driver.settle()
