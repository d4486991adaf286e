"""The live step: a real recording of QtMultimedia fed with pictures made here, and every way in which it fails."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.window.pages.consent_wizard import ConsentWizard
from studio.window.widgets import camera as camera_module
from studio.window.widgets.camera import why_no_camera
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver
from tests.studio.window.fake_parts import FakeCamera
from tests.studio.window.test_wizard import can_go_on, open_wizard, walk_to_evidence

media = pytest.importorskip("PySide6.QtMultimedia", reason="this Qt came without QtMultimedia")
from tests.studio.window.film_camera import FilmCamera  # noqa: E402  # needs QtMultimedia

LIMIT_MS = 10_000


class Devices:
    """What the machine has."""

    video = True
    audio = True

    class _Device:
        def __init__(self, there: bool) -> None:
            self._there = there

        def isNull(self) -> bool:
            return not self._there

    @classmethod
    def defaultVideoInput(cls) -> Devices._Device:
        return cls._Device(cls.video)

    @classmethod
    def defaultAudioInput(cls) -> Devices._Device:
        return cls._Device(cls.audio)


@pytest.mark.parametrize(
    ("video", "audio", "denied", "likeness", "said"),
    [
        (False, True, "", "face", "No camera was found"),
        (True, False, "", "face", "No microphone was found"),
        (True, True, "QCameraPermission", "face", "does not let this program use the camera"),
        (True, True, "QMicrophonePermission", "face", "does not let this program use the microphone"),
        (False, False, "", "voice", "No microphone was found"),
        (False, True, "QCameraPermission", "voice", ""),
        (True, True, "", "face", ""),
    ],
)
def test_what_is_missing_is_named(
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    video: bool,
    audio: bool,
    denied: str,
    likeness: camera_module.Likeness,
    said: str,
) -> None:
    """No camera, no microphone, forbidden by the system; a voice needs no camera."""
    monkeypatch.setattr(Devices, "video", video)
    monkeypatch.setattr(Devices, "audio", audio)
    monkeypatch.setattr(media, "QMediaDevices", Devices)

    def check(_app: object, permission: object) -> Qt.PermissionStatus:
        is_denied = type(permission).__name__ == denied
        return Qt.PermissionStatus.Denied if is_denied else Qt.PermissionStatus.Granted

    monkeypatch.setattr(QCoreApplication, "checkPermission", check)
    reason = why_no_camera(likeness)
    assert said in reason and bool(said) == bool(reason)


@pytest.fixture
def film(qtbot: QtBot) -> Iterator[FilmCamera]:
    """A camera that sees."""
    made = FilmCamera()
    made.start()
    yield made
    made.close()
    camera_module.wait_for_endings()


def test_a_recording_is_a_film_in_memory(qtbot: QtBot, film: FilmCamera) -> None:
    """Recorded and stopped, the film has pictures and sound; nothing was written to a file."""
    av = pytest.importorskip("av")
    films: list[bytes] = []
    film.recorded.connect(films.append)
    film.record()
    qtbot.waitUntil(lambda: film.shown > 20, timeout=LIMIT_MS)
    assert film.is_recording
    film.finish()
    qtbot.waitUntil(lambda: bool(films), timeout=LIMIT_MS)
    with av.open(io.BytesIO(films[0])) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        assert sum(1 for _frame in container.decode(video=0)) > 10
    film.close()


def test_a_voice_is_recorded_without_a_picture(qtbot: QtBot) -> None:
    """The microphone alone; the sound can be read."""
    av = pytest.importorskip("av")
    sounds: list[bytes] = []
    voice = FilmCamera("voice")
    voice.start()
    voice.recorded.connect(sounds.append)
    voice.record()
    qtbot.waitUntil(lambda: voice.shown > 20, timeout=LIMIT_MS)
    voice.finish()
    qtbot.waitUntil(lambda: bool(sounds), timeout=LIMIT_MS)
    with av.open(io.BytesIO(sounds[0])) as container:
        assert {stream.type for stream in container.streams} == {"audio"}
    voice.close()


def test_a_camera_let_go_while_it_records_lives_until_the_recorder_has_ended(qtbot: QtBot) -> None:
    """The last bytes are written in a thread; a wizard that is given up in the middle ends nothing under its feet."""
    held = [FilmCamera()]
    films: list[bytes] = []
    held[0].recorded.connect(films.append)
    held[0].start()
    held[0].record()
    qtbot.waitUntil(lambda: held[0].shown > 5, timeout=LIMIT_MS)
    held[0].close()
    held.clear()
    assert len(camera_module._ENDING) == 1
    assert camera_module.wait_for_endings() and not camera_module._ENDING
    assert films == []


def test_closing_the_window_in_the_middle_of_a_recording_ends_it(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wizard goes, the recorder has ended, and only then the window."""
    driver = signed_in
    wizard = live_step(driver, monkeypatch, [], FilmCamera)
    driver.press("wizard_camera_record", wizard)
    film = wizard.camera.camera
    assert isinstance(film, FilmCamera)
    driver.until(lambda: film.shown > 5)
    assert film.is_recording
    driver.window.close()
    assert not film.is_recording and not camera_module._ENDING
    assert driver.fake.closed


def test_a_film_that_breaks_off_is_forgotten(qtbot: QtBot, film: FilmCamera) -> None:
    """The plug is pulled while it records: the reason is said once, and no film comes of it."""
    films: list[bytes] = []
    reasons: list[str] = []
    film.recorded.connect(films.append)
    film.broke.connect(reasons.append)
    film.record()
    qtbot.waitUntil(lambda: film.shown > 5, timeout=LIMIT_MS)
    film.pull_the_plug()
    film.on_error()
    qtbot.waitUntil(lambda: not film.is_recording, timeout=LIMIT_MS)
    assert reasons == ["The camera was taken away."]
    assert films == [] and bytes(film._buffer.data().data()) == b""


def test_no_space_is_said_as_such(qtbot: QtBot, film: FilmCamera) -> None:
    """Other breaks of the recorder are said in general."""
    reasons: list[str] = []
    film.broke.connect(reasons.append)
    film.on_recorder_error(media.QMediaRecorder.Error.OutOfSpaceError)
    film.start()
    film.on_recorder_error(media.QMediaRecorder.Error.FormatError)
    assert reasons == ["There is no space left for the recording.", "The recording broke off."]
    film.close()


def live_step(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, made: list[FakeCamera], kind: Any = FakeCamera
) -> ConsentWizard:
    """The wizard at its live step, with a camera of a kind; the fake one films at once."""

    def make(likeness: str) -> Any:
        made.append(kind(likeness))
        return made[-1]

    monkeypatch.setattr("studio.window.pages.wizard_evidence.why_no_camera", lambda _likeness: "")
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    wizard.camera.make_camera = make
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_live", wizard)
    wizard.next()
    driver.until(lambda: bool(wizard.draft.nonce_phrase))
    return wizard


@pytest.mark.parametrize("during", ["seeing", "recording", "recorded"])
def test_whatever_breaks_leads_to_the_file_page_with_its_reason(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch, during: str
) -> None:
    """Before, while and after a film was made; what was filmed and its phrase are forgotten, Back tries again."""
    driver = signed_in
    made: list[FakeCamera] = []
    wizard = live_step(driver, monkeypatch, made)
    if during != "seeing":
        driver.press("wizard_camera_record", wizard)
    if during == "recorded":
        driver.press("wizard_camera_record", wizard)
        assert wizard.draft.evidence_data == b"a film" and wizard.draft.still_data
    made[0].broke.emit("The camera was taken away.")
    assert wizard.currentPage() is wizard.file
    assert wizard.file.banner.isVisible()
    assert wizard.file.banner.what.text() == "The camera was taken away."
    assert not can_go_on(wizard) and not made[0].is_open
    draft = wizard.draft
    assert (draft.evidence_data, draft.nonce_phrase, draft.still_data) == (None, None, None)
    wizard.back()
    driver.until(lambda: made[0].is_open and bool(draft.nonce_phrase))
    assert wizard.currentPage() is wizard.camera and draft.how == "live"
    phrase = driver.find("wizard_phrase", QLabel, wizard)
    assert isinstance(phrase, QLabel) and "Grace" in phrase.text()
    wizard.reject()


def test_a_voice_opens_the_microphone_alone(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step says so, shows no picture, and the record calls it a sound."""
    driver = signed_in
    made: list[FakeCamera] = []
    monkeypatch.setattr("studio.window.pages.wizard_evidence.why_no_camera", lambda _likeness: "")
    wizard = open_wizard(driver)
    wizard.camera.make_camera = lambda likeness: made.append(FakeCamera(likeness)) or made[-1]  # type: ignore
    sound = driver.folder / "voice.wav"
    sound.write_bytes(b"RIFF")
    driver.write("wizard_who_name", "Grace", wizard)
    wizard.who._age.setCurrentIndex(1)
    wizard.next()
    driver.press("wizard_likeness_voice", wizard)
    assert not can_go_on(wizard)
    wizard.picture.sound.set_path(driver.folder / "letter.txt")
    assert not can_go_on(wizard)
    wizard.picture.sound.set_path(sound)
    wizard.next()
    bar = wizard.notice.reading.verticalScrollBar()
    bar.setValue(bar.maximum())
    wizard.next()
    driver.press("wizard_evidence_live", wizard)
    assert "microphone" in driver.find("wizard_evidence_live", root=wizard).accessibleName()
    wizard.next()
    driver.until(lambda: bool(wizard.draft.nonce_phrase))
    assert made[0].likeness == "voice" and not wizard.camera._view.isVisible()
    driver.press("wizard_camera_record", wizard)
    driver.press("wizard_camera_record", wizard)
    wizard.next()
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    wizard.next()
    driver.settle()
    (record,) = driver.fake.recorded
    assert (record["evidence_kind"], record["still"]) == ("audio", None)
    assert driver.fake.grants()[0].likeness == "voice"


def test_a_locked_window_films_nobody(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera goes off with the window and on again with the password."""
    driver = signed_in
    made: list[FakeCamera] = []
    wizard = live_step(driver, monkeypatch, made)
    assert made[0].is_open
    driver.fake.lock()
    driver.window.on_look()
    driver.settle()
    assert not made[0].is_open
    driver.fake.login("studio", "a long enough password")
    driver.studio.accounts.refresh()
    driver.settle()
    assert wizard.isVisible() and made[0].is_open
    wizard.reject()


def recorded_still(driver: Driver, wizard: ConsentWizard) -> object:
    """Record with the evidence at hand; the picture that went with it for the comparison."""
    driver.press("wizard_purpose_film", wizard)
    wizard.next()
    wizard.next()
    driver.settle()
    return driver.fake.recorded[-1]["still"]


@pytest.mark.parametrize("has_pack", [False, True])
def test_the_last_picture_of_the_film_is_compared_where_a_recogniser_is(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch, has_pack: bool
) -> None:
    """Without a recogniser no picture is handed over."""
    driver = signed_in
    wizard = live_step(driver, monkeypatch, [])
    driver.studio.people.has_recogniser = has_pack
    driver.press("wizard_camera_record", wizard)
    driver.press("wizard_camera_record", wizard)
    wizard.next()
    still = recorded_still(driver, wizard)
    assert (still is not None) == has_pack
    assert not has_pack or (isinstance(still, bytes) and still.startswith(b"\x89PNG"))


def test_a_picture_for_the_comparison_is_asked_for_where_a_recogniser_is(signed_in: Driver) -> None:
    """It stands on the file page; it is optional, and its bytes go with the record."""
    driver = signed_in
    driver.studio.people.look_for_recogniser = lambda then: then(True)  # type: ignore[method-assign]
    driver.studio.people.has_recogniser = True
    picture = draw_picture(driver.folder / "grace.png")
    wizard = open_wizard(driver, picture)
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_file", wizard)
    wizard.next()
    wizard.file.line.set_path(picture)
    assert can_go_on(wizard) and driver.find("wizard_still_choose", root=wizard).isVisible()
    wizard.file.still.set_path(picture)
    wizard.next()
    assert recorded_still(driver, wizard) == picture.read_bytes()


def test_a_sound_is_played_and_stopped_and_why_not_is_said(signed_in: Driver) -> None:
    """Only a sound has the button; it turns into Stop; leaving the page is silence."""
    from PySide6.QtCore import QObject, Signal

    class FakePlayer(QObject):
        ended = Signal(str)
        is_playing = False

        def play(self, _path: object) -> None:
            self.is_playing = True

        def stop(self) -> None:
            self.is_playing = False
            self.ended.emit("")

    driver = signed_in
    wizard = open_wizard(driver, draw_picture(driver.folder / "grace.png"))
    walk_to_evidence(driver, wizard)
    driver.press("wizard_evidence_file", wizard)
    wizard.next()
    player = FakePlayer()
    make: Callable[[], FakePlayer] = lambda: player  # noqa: E731  # one word more would not say more
    wizard.file.line.make_player = make
    wizard.file.line.set_path(driver.folder / "grace.png")
    assert not wizard.file.line._play.isVisible()
    wizard.file.line.set_path(driver.folder / "voice.wav")
    driver.press("wizard_evidence_file_play", wizard)
    assert player.is_playing and wizard.file.line._play.text() == "Stop"
    driver.press("wizard_evidence_file_play", wizard)
    assert not player.is_playing and wizard.file.line._play.text() == "Play"
    driver.press("wizard_evidence_file_play", wizard)
    player.ended.emit("This file cannot be played here.")
    assert wizard.file.banner.what.text() == "This file cannot be played here."
    driver.press("wizard_evidence_file_play", wizard)
    wizard.back()
    assert not player.is_playing
    wizard.reject()
