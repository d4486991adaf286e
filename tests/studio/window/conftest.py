"""A dressed application, a window over the fake workshop, and a driver that acts as a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.settings import Settings
from studio.text import set_language
from studio.voices import VoiceView
from studio.window import theme
from studio.window.main_window import MainWindow
from studio.window.models import voices
from studio.window.models.studio import Studio
from studio.window.pages.consent_wizard import ConsentWizard
from studio.window.pages.people_page import PeoplePage
from tests.studio.fake_workshop import FakeWorkshop, draw_picture
from tests.studio.window.fake_parts import FakeCamera

PASSWORD = "a long enough password"
LIMIT_MS = 10_000


class Driver:
    """Finds widgets by name and waits for answers, never for time."""

    def __init__(self, qtbot: QtBot, fake: FakeWorkshop, folder: Path) -> None:
        self.qtbot, self.fake, self.folder = qtbot, fake, folder
        self.window = MainWindow()
        qtbot.addWidget(self.window)
        self.window.adopt(fake, Settings(fake.home))  # type: ignore[arg-type]  # the fake one fits by its names
        self.window.show()
        qtbot.waitExposed(self.window)
        self.settle()

    @property
    def studio(self) -> Studio:
        assert self.window.studio is not None
        return self.window.studio

    def until(self, what: Callable[[], bool]) -> None:
        """Run the window until something is so."""
        self.qtbot.waitUntil(what, timeout=LIMIT_MS)

    def settle(self) -> None:
        """Run the window until no answer is to come."""
        self.until(lambda: self.window.calls.open_calls == 0)
        QApplication.sendPostedEvents()
        QApplication.processEvents()

    def find(self, name: str, kind: type[QWidget] = QWidget, root: QWidget | None = None) -> QWidget:
        """The visible widget of that name."""
        found = [one for one in (root or self.window).findChildren(kind, name) if one.isVisible()]
        assert found, f"nothing visible is called {name}"
        return found[-1]

    def write(self, name: str, text: str, root: QWidget | None = None) -> QLineEdit:
        """Type into a field."""
        field = self.find(name, QLineEdit, root)
        assert isinstance(field, QLineEdit)
        field.clear()
        self.qtbot.keyClicks(field, text)
        return field

    def press(self, name: str, root: QWidget | None = None) -> None:
        """Click a button that can be clicked."""
        button = self.find(name, QAbstractButton, root)
        assert isinstance(button, QAbstractButton)
        assert button.isEnabled(), f"{name} is disabled"
        button.click()
        QApplication.processEvents()

    def drop(self, name: str, path: Path) -> None:
        """Drop a file on a widget."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        copy, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        self.find(name).dropEvent(QDropEvent(QPointF(20, 20), copy, data, button, keys))  # type: ignore[attr-defined]

    def banner(self) -> str:
        """What the banner of the page in front says, or nothing."""
        page = self.window.pages[self.window.current]
        return f"{page.banner.what.text()} {page.banner.next_step.text()}".strip() if page.banner.isVisible() else ""

    def texts(self, root: QWidget | None = None) -> list[str]:
        """All visible label texts."""
        labels = (root or self.window).findChildren(QLabel)
        return [one.text() for one in labels if one.isVisible() and one.text()]

    def sign_up(self) -> None:
        """Make the first account, with the declaration."""
        self.write("account_name", "studio")
        self.write("account_password", PASSWORD)
        self.write("account_password_again", PASSWORD)
        self.press("account_declare")
        self.write("account_real_name", "Lin Wei")
        self.press("account_create")
        self.settle()

    def consent(self, name: str, picture: Path, purposes: tuple[str, ...] = ("private",)) -> str:
        """Record a consent without the wizard; its id."""
        person = self.fake.add_subject(name)
        today = date.today()
        grant = self.fake.record_consent(person.id, picture, purposes, today, today + timedelta(days=300))
        self.studio.people.refresh()
        self.settle()
        return grant.id

    def set_bench(self) -> tuple[Path, Path]:
        """Two pictures with consents on the bench."""
        source = draw_picture(self.folder / "source.png")
        target = draw_picture(self.folder / "target.png", (120, 140, 160))
        self.consent("Grace", source)
        self.consent("Eileen", target)
        self.window.show_page("workspace")
        self.drop("workspace_source_drop", source)
        self.drop("workspace_target_drop", target)
        self.settle()
        return source, target


def wizard_steps(driver: Driver, picture: Path) -> Iterator[ConsentWizard]:
    """The consent wizard at each of its steps, filled in as far as each of them needs it."""
    page = driver.window.pages["people"]
    assert isinstance(page, PeoplePage)
    page.record_for(picture)
    driver.settle()
    wizard = page.wizard
    assert wizard is not None
    wizard.camera.make_camera = FakeCamera  # type: ignore[assignment]  # it fits by its names
    person = driver.fake.add_subject("Grace")
    today = date.today()
    draft = wizard.draft
    draft.subject_id, draft.new_name, draft.age, draft.asset = person.id, "Grace", "adult", picture
    draft.purposes = ("film",)
    draft.granted = driver.fake.record_consent(person.id, picture, ("film",), today, today)
    for how in ("file", "passphrase", "receipt", "live"):
        draft.how = how  # type: ignore[assignment]  # the words are those of How
        for number in wizard.pageIds():
            wizard.setStartId(number)
            wizard.restart()
            driver.settle()
            yield wizard
    wizard.reject()
    driver.settle()


@pytest.fixture(autouse=True)
def _english(qapp: QApplication) -> Iterator[None]:
    """Each test starts in English and in light colours."""
    set_language("en")
    if qapp.property("dressed") is None:
        theme.dress(qapp)
        qapp.setProperty("dressed", True)
    yield
    set_language("en")


@pytest.fixture(autouse=True)
def _voices(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is asked which voices speak here: two do, one is not installed."""
    found = [
        VoiceView("rms", "flite rms", "English, a man; statistical, from recordings", "flite", True),
        VoiceView("slt", "flite slt", "English, a woman; statistical, from recordings", "flite", False),
        VoiceView("formant", "formant voice", "any language; by rules, like a robot", "espeak", True),
    ]
    monkeypatch.setattr(voices, "find_voices", lambda _home: (found, []))


@pytest.fixture
def fake(tmp_path: Path) -> FakeWorkshop:
    """A workshop without accounts."""
    home = tmp_path / "home"
    home.mkdir()
    return FakeWorkshop(home)


@pytest.fixture
def driver(qtbot: QtBot, fake: FakeWorkshop, tmp_path: Path) -> Iterator[Driver]:
    """A window, nobody signed in."""
    made = Driver(qtbot, fake, tmp_path)
    yield made
    if fake.running is not None:
        fake.running.go()
    made.settle()
    made.window.close()


@pytest.fixture
def signed_in(driver: Driver) -> Driver:
    """A window with one account, signed in."""
    driver.sign_up()
    return driver


@pytest.fixture
def inside(qtbot: QtBot, fake: FakeWorkshop, tmp_path: Path) -> Iterator[Driver]:
    """A window that opens on a home in which somebody is signed in already: quicker than signing up in it."""
    fake.create_account("studio", PASSWORD, "Lin Wei")
    fake.login("studio", PASSWORD)
    made = Driver(qtbot, fake, tmp_path)
    yield made
    if fake.running is not None:
        fake.running.go()
    made.settle()
    made.window.close()
