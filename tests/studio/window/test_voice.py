"""The page of voices: what cannot be used is said first, then speech, changes, takes, comparing and release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QListWidget, QPlainTextEdit, QSlider, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from engines import sound
from engines.job import JobState
from engines.packs import LicenceClass, ModelPack
from engines.voice.text import LONGEST_TEXT
from studio.window import main_window
from studio.window.models import voices
from studio.window.models.voice_takes import Alignment
from studio.window.pages.account_page import AccountPage
from studio.window.pages.people_page import PeoplePage
from studio.window.pages.voice_page import VoicePage
from studio.window.pages.voice_release import VoiceReleaseDialog
from tests.engines.voices import HIGH, speech
from tests.studio.window.conftest import PASSWORD, Driver
from tests.studio.window.fake_voices import Loudspeaker, VoiceWorkshop, recording
from tests.studio.window.test_language import cut, english
from tests.studio.window.test_names import nameless

FR_AND_FRIENDS = {
    "flite",
    "rms",
    "slt",
    "awb",
    "klatt",
    "fr",
    "mp3",
    "vtt",
    "srt",
    "speech",
    "reference",
    "ann",
    "some",
    "licence",
}


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


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "seconds", "says"),
    [
        ("silence.wav", 0.0, "There is too little speech in silence.wav"),
        ("long.wav", 3.0, "long.wav is longer than 2 seconds."),
        ("words.wav", 0.0, "words.wav is not a sound"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_in_place(
    page: Driver, monkeypatch: pytest.MonkeyPatch, name: str, seconds: float, says: str
) -> None:
    """Silence, hours and no sound at all: each says what it is, and nothing can be made of it."""
    monkeypatch.setattr(sound, "LONGEST_S", 2.0)
    path = page.folder / name
    if name == "words.wav":
        path.write_bytes(b"these are words")
    else:
        recording(path, seconds, samples=np.zeros(16000) if not seconds else None)
    page.press("voice_mode_change")
    put(page, "target", path)
    assert text_of(page, "voice_target_line").startswith(says)
    assert not page.find("voice_change_make").isEnabled()
    assert page.studio.voices.slots["target"].state == "refused"


def test_overdriven_and_telephone_sound_are_taken_with_a_warning(page: Driver) -> None:
    """What will sound rough is said before the work."""
    loud = np.clip(speech(HIGH, 2.0) * 8, -1, 1)
    page.press("voice_mode_change")
    put(page, "target", recording(page.folder / "loud.wav", samples=loud))
    assert text_of(page, "voice_target_hint").startswith("A recording is overdriven")
    put(page, "source", recording(page.folder / "phone.wav", 2.0, 8000))
    assert text_of(page, "voice_source_hint").startswith("A recording has no high frequencies")


def test_a_recording_without_consent_leads_to_the_wizard_with_that_file(page: Driver) -> None:
    """The voice is chosen there already."""
    page.press("voice_mode_change")
    path = recording(page.folder / "stray.wav", 1.0)
    put(page, "target", path)
    assert "No live consent covers this very file." in page.texts()
    assert not page.find("voice_change_make").isEnabled()
    page.press("voice_target_record")
    page.settle()
    people = page.window.pages["people"]
    assert isinstance(people, PeoplePage) and people.wizard is not None
    assert people.wizard.picture.sound.path == path
    assert people.wizard.picture.isComplete()
    people.wizard.reject()


def test_a_consent_to_a_face_is_not_offered_for_a_voice(page: Driver) -> None:
    """Face and voice are apart, also for the same file."""
    path = recording(page.folder / "speech.wav", 1.0)
    page.consent("Grace", path)
    page.window.show_page("voice")
    page.press("voice_mode_change")
    put(page, "target", path)
    assert page.studio.voices.offers("target") == []


def test_the_gate_refuses_a_consent_withdrawn_meanwhile(page: Driver, fake: VoiceWorkshop) -> None:
    """It is said on the page; no take comes of it."""
    set_change(page)
    fake.withdraw_consent(page.studio.voices.chosen_consents()[0])
    page.press("voice_change_make")
    page.settle()
    assert page.studio.voices.state is JobState.FAILED
    assert page.banner().startswith("No consent covers the voice")
    assert page.banner().endswith(
        "Record the person's consent under 'People and consent', then come back and try again."
    )
    assert page.studio.voices.takes == []


def test_words_that_cannot_be_spoken_are_said_while_they_are_typed(page: Driver) -> None:
    """Nothing, too much, and a script without a speaker; the number of characters stands there all the time."""
    words = page.find("voice_text", QPlainTextEdit)
    assert isinstance(words, QPlainTextEdit)
    assert not page.find("voice_speak_make").isEnabled()
    words.setPlainText("a" * (LONGEST_TEXT + 1))
    assert text_of(page, "voice_count").endswith("That is too long for one sound: split it.")
    assert not page.find("voice_speak_make").isEnabled()
    words.setPlainText("only words")
    assert text_of(page, "voice_count") == f"10 of {LONGEST_TEXT} characters"
    form = page.find("voice_form", QComboBox)
    assert isinstance(form, QComboBox)
    form.setCurrentIndex(1)
    assert "names no speaker" in text_of(page, "voice_count")
    assert not page.find("voice_speak_make").isEnabled()


@pytest.mark.parametrize("silent", ["No loudspeaker was found on this machine.", ""])
def test_without_a_loudspeaker_the_page_says_so_and_works(page: Driver, fake: VoiceWorkshop, silent: str) -> None:
    """A machine without sound, or without the part of Qt that plays it."""
    say(page, "Good morning.")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.settle()
    if silent:
        listen_with(page, Loudspeaker(silent))
    else:

        def missing() -> Loudspeaker:
            raise ImportError

        the_page(page).ear.make_player = missing
    page.press("voice_result_play")
    assert page.banner().startswith(silent or "The part of Qt that plays sound (QtMultimedia) is not installed.")
    assert not the_page(page).takes._result.is_playing
    assert page.find("voice_release").isEnabled()


# --- speech ----------------------------------------------------------------------------------------------------------


def test_takes_are_spoken_with_seeds_that_follow(page: Driver, fake: VoiceWorkshop) -> None:
    """Each becomes a take, heard with its label in the reader's language, and any can be chosen or let go."""
    slider = page.find("voice_speak_rate", QSlider)
    assert isinstance(slider, QSlider)
    slider.setValue(slider.value() + 2)
    say(page, "Good morning.", takes=3)
    page.until(lambda: len(page.studio.voices.takes) == 3)
    page.settle()
    assert [job.plan.seed for job in fake.jobs] == [0, 1, 2]
    options = fake.jobs[0].plan.options
    assert options["text"] == "Good morning." and options["rate"] == pytest.approx(1.1)
    assert (options["voice"], options["language"], options["form"]) == ("auto", "auto", "text")
    assert fake.heard == ["en"] * 3
    entries = page.find("voice_takes_list", QListWidget)
    assert isinstance(entries, QListWidget) and entries.count() == 3
    entries.setCurrentRow(2)
    assert page.studio.voices.chosen == 3
    page.press("voice_discard")
    page.settle()
    assert [take.number for take in page.studio.voices.takes] == [1, 2]
    assert len(fake.discarded) == 1


def test_a_script_gives_every_speaker_a_voice(page: Driver, fake: VoiceWorkshop) -> None:
    """The table follows the script; what is not installed is not offered."""
    form = page.find("voice_form", QComboBox)
    assert isinstance(form, QComboBox)
    form.setCurrentIndex(1)
    words = page.find("voice_text", QPlainTextEdit)
    assert isinstance(words, QPlainTextEdit)
    words.setPlainText("Anna: Good morning.\nBo: Good morning, Anna.")
    page.settle()
    second = page.find("voice_cast_1", QComboBox)
    assert isinstance(second, QComboBox)
    assert [second.itemText(place) for place in range(second.count())] == ["by turns", "flite rms", "formant voice"]
    second.setCurrentIndex(2)
    words.setPlainText("Anna: Good morning.\nBo: Good morning, Anna.\nCy: Me too.")
    page.press("voice_speak_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    assert fake.jobs[0].plan.options["voices"] == "Bo=formant"
    assert fake.jobs[0].plan.options["form"] == "script"


def test_stopping_makes_no_further_takes_and_keeps_the_finished_ones(page: Driver, fake: VoiceWorkshop) -> None:
    """Esc stops; the page says that nothing was released."""
    fake.hold_jobs = True
    say(page, "Good morning.", takes=3)
    page.until(lambda: page.studio.voices.done == 1)
    assert text_of(page, "voice_stage").startswith("Take 1 of 3: ")
    assert not page.find("voice_speak_make").isEnabled()
    fake.jobs[0].go()
    page.until(lambda: len(fake.jobs) == 2 and page.studio.voices.done == 1)
    page.qtbot.keyClick(the_page(page), Qt.Key.Key_Escape)
    page.until(lambda: page.studio.voices.state is JobState.CANCELLED)
    page.settle()
    assert len(page.studio.voices.takes) == 1 and len(fake.jobs) == 2
    assert page.banner().startswith("Stopped; nothing was released.")


# --- changes ---------------------------------------------------------------------------------------------------------


def test_a_voice_is_changed_with_both_consents_and_only_the_selected_part(page: Driver, fake: VoiceWorkshop) -> None:
    """The part is an option; the file that the consent is given for goes in as it is."""
    reference, target = set_change(page)
    view = the_page(page).change.cards["target"].panel.view
    view.select((0.5, 2.0))
    page.press("voice_target_cut")
    page.settle()
    assert page.studio.voices.slots["target"].part == (0.5, 2.0)
    page.press("voice_change_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    plan = fake.jobs[0].plan
    assert plan.engine == "voice.lean" and plan.paths == (reference, target)
    assert (plan.options["start_s"], plan.options["end_s"]) == (0.5, 2.0)
    assert "reference_start_s" not in plan.options
    assert plan.consents == page.studio.voices.chosen_consents() and len(plan.consents) == 2
    page.press("voice_mode_change")
    page.press("voice_target_uncut")
    assert page.studio.voices.slots["target"].part == (0.0, 0.0)


def test_editing_needs_one_recording_and_its_sliders_come_from_the_engine(page: Driver, fake: VoiceWorkshop) -> None:
    """The place of the reference goes away, and only the speaker's consent is used."""
    _reference, target = set_change(page)
    way = page.find("voice_way", QComboBox)
    assert isinstance(way, QComboBox)
    way.setCurrentIndex(1)
    assert not the_page(page).change.cards["source"].isVisible()
    pitch = page.find("voice_attribute_pitch", QSlider)
    assert isinstance(pitch, QSlider)
    pitch.setValue(pitch.maximum())
    page.press("voice_change_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    plan = fake.jobs[0].plan
    assert plan.engine == "voice.attribute" and plan.paths == (target,) and len(plan.consents) == 1
    assert plan.options["pitch"] == 12.0 and plan.options["formants"] == 1.0
    assert set(plan.options) == {"pitch", "formants", "breath", "rate", "liveliness"}


def test_a_converter_among_the_packs_is_a_way_of_its_own(
    page: Driver, fake: VoiceWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its licence; it needs both recordings and both consents, and has no sliders."""
    about = ("1", "Some Licence", LicenceClass.NON_COMMERCIAL, "", {}, page.folder)
    packs = [ModelPack("seed", "voice.converter", "Seed", *about), ModelPack("amy", "voice.piper", "Amy", *about)]
    monkeypatch.setattr(voices, "find_voices", lambda _home: ([], packs))
    page.studio.voices.list_voices()
    set_change(page)
    way = page.find("voice_way", QComboBox)
    assert isinstance(way, QComboBox)
    assert [way.itemText(place) for place in range(2, way.count())] == ["Convert by Seed (model pack)"]
    way.setCurrentIndex(2)
    assert "not for business" in page.texts(the_page(page).change)
    page.press("voice_change_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    plan = fake.jobs[0].plan
    assert plan.engine == "voice.converter" and plan.options == {"pack": "seed"}
    assert len(plan.paths) == 2 and len(plan.consents) == 2


def test_a_pack_of_voices_is_offered_with_its_licence_and_has_no_pitch(
    page: Driver, fake: VoiceWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A converter is none of them; its own voice is written, since only the pack knows it."""
    about = ("1", "Some Licence", LicenceClass.RESEARCH_ONLY, "", {}, page.folder)
    packs = [ModelPack("seed", "voice.converter", "Seed", *about), ModelPack("amy", "voice.piper", "Amy", *about)]
    monkeypatch.setattr(voices, "find_voices", lambda _home: ([], packs))
    page.studio.voices.list_voices()
    page.settle()
    combo = page.find("voice_voice", QComboBox)
    assert isinstance(combo, QComboBox)
    assert [combo.itemText(place) for place in range(1, combo.count())] == ["Amy (model pack)"]
    combo.setCurrentIndex(1)
    assert "for research only" in page.texts(the_page(page).speak)
    page.write("voice_pack_voice", "amy-low")
    say(page, "Good morning.")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    options = fake.jobs[0].plan.options
    assert (options["pack"], options["voice"]) == ("amy", "amy-low") and "pitch" not in options


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


def test_a_voice_is_not_taken_on_before_recording_and_consent_are_there(
    page: Driver, fake: VoiceWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is said with the next step; only a live consent to this voice counts, for a purpose it names."""
    clone(page, monkeypatch)
    make = page.find("voice_speak_make")

    def says() -> str:
        return text_of(page, "voice_speak_why")

    assert not make.isEnabled() and says().startswith("Next: choose a recording of the person")
    path = recording(page.folder / "anna.wav", 2.0)
    put(page, "reference", path)
    assert not make.isEnabled() and says().endswith("of at least three seconds.")
    path = recording(page.folder / "anna.wav", 4.0)
    page.consent("Face", path)
    page.window.show_page("voice")
    page.press("voice_reference_remove")
    put(page, "reference", path)
    assert not make.isEnabled() and says() == "Next: each recording needs a live consent of the person heard."
    assert "No live consent covers this very file." in page.texts()
    grant = agree(page, "Anna", path)
    assert make.isEnabled() and says() == f"It speaks in the voice of Anna, under the consent {grant}."
    page.press(f"voice_reference_consent_{grant}")
    assert not make.isEnabled()
    page.press(f"voice_reference_consent_{grant}")
    page.studio.voices.set_place("CHINA", "")
    assert not make.isEnabled() and says().startswith("A country is a code of two letters")
    page.studio.voices.set_place("", "")
    page.studio.voices.set_purpose("film")
    assert says() == "The consent of Anna does not cover 'film and series'."
    page.studio.voices.set_purpose("private")
    fake.withdraw_consent(grant)
    page.press("voice_speak_make")
    page.settle()
    assert page.banner().startswith("No consent covers the voice") and page.studio.voices.takes == []
    page.studio.people.refresh()
    page.settle()
    assert not make.isEnabled()


def test_a_voice_is_taken_on_under_the_consent_that_the_page_names(
    page: Driver, fake: VoiceWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording, its part, the consent and what the result is for go to the gate; every take alike."""
    clone(page, monkeypatch)
    path = recording(page.folder / "anna.wav", 6.0)
    grant = agree(page, "Anna", path)
    put(page, "reference", path)
    the_page(page).speak.person.card.panel.view.select((1.0, 5.0))
    page.press("voice_reference_cut")
    page.studio.voices.set_use("political", True)
    page.studio.voices.set_place("cn", "Film")
    form = page.find("voice_form", QComboBox)
    assert isinstance(form, QComboBox)
    form.setCurrentIndex(1)
    say(page, "Anna: Good morning.\nBo: Good morning.", takes=2)
    page.until(lambda: len(page.studio.voices.takes) == 2)
    for job in fake.jobs:
        assert job.plan.paths == (path,) and job.plan.consents == (grant,)
        assert job.plan.scope == {
            "purpose": "private",
            "declared_uses": ("political",),
            "territory": "CN",
            "project": "Film",
        }
        options = job.plan.options
        assert (options["pack"], options["reference_start_s"], options["reference_end_s"]) == ("ann", 1.0, 5.0)
        assert (options["voice"], options["voices"]) == ("", "") and "pitch" not in options


def test_a_pack_with_voices_of_its_own_speaks_in_them_without_a_recording(
    page: Driver, fake: VoiceWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No consent is asked for; with a recording it takes that voice on, and a built-in voice never does."""
    clone(page, monkeypatch, own=True)
    assert not page.find("voice_speak_pitch").isEnabled() and page.find("voice_speak_rate").isEnabled()
    page.write("voice_pack_voice", "ann-low")
    assert text_of(page, "voice_speak_why") == "These voices are nobody's likeness: no consent is needed."
    say(page, "Good morning.")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.settle()
    assert fake.jobs[0].plan.paths == () and fake.jobs[0].plan.consents == ()
    assert fake.jobs[0].plan.options["voice"] == "ann-low"
    page.press("voice_mode_speak")
    put(page, "reference", recording(page.folder / "anna.wav", 4.0))
    assert not page.find("voice_speak_make").isEnabled()
    combo = page.find("voice_voice", QComboBox)
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(0)
    assert not the_page(page).speak.person.isVisible() and page.find("voice_speak_make").isEnabled()
    assert page.find("voice_speak_pitch").isEnabled()
    page.press("voice_speak_make")
    page.until(lambda: len(page.studio.voices.takes) == 1 and len(fake.jobs) == 2)
    page.settle()
    assert fake.jobs[1].plan.paths == ()


def test_a_pack_whose_settings_cannot_be_read_takes_on_no_voice(tmp_path: Path) -> None:
    """The engine would say what is wrong with it; the page offers what it can be sure of."""
    from studio.pack_voices import clones

    about = ("1", "Some Licence", LicenceClass.OPEN, "", {"config.json": ""}, tmp_path)
    pack = ModelPack("ann", "voice.coqui", "Ann", *about)
    for text in (None, "{", "[" * 100_000, '["xtts"]', '{"model": "vits"}', '{"model": 7}'):
        if text is not None:
            (tmp_path / "config.json").write_text(text)
        assert clones([pack]) == {}
    (tmp_path / "config.json").write_text('{"model": "xtts"}')
    assert clones([pack, ModelPack("bo", "voice.piper", "Bo", *about)]) == {"ann": False}


def test_a_purpose_that_a_consent_does_not_cover_is_said(page: Driver) -> None:
    """Before the gate is asked."""
    set_change(page)
    page.studio.voices.set_purpose("film")
    assert text_of(page, "voice_why") == "The consent of Grace does not cover 'film and series'."


def test_input_and_result_are_compared_at_the_same_place(page: Driver) -> None:
    """A goes on where B was, labels left out; the lines move together."""
    set_change(page)
    page.press("voice_change_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.settle()
    speaker = listen_with(page, Loudspeaker())
    take = page.studio.voices.take
    assert take is not None
    take.alignment = Alignment(0.0, 1.0, ((0, 500),))
    panels = the_page(page).takes
    page.press("voice_result_play")
    assert speaker.played == [(2.0, 0.0)] and panels._result.is_playing
    speaker.moved.emit(1.5)
    page.press("voice_compare")
    assert speaker.played[-1] == (3.0, 1.0) and panels._input.is_playing and not panels._result.is_playing
    speaker.moved.emit(1.2)
    page.press("voice_compare")
    assert speaker.played[-1] == (2.0, 1.7)
    page.press("voice_result_play")
    assert speaker.pauses == 1 and not panels._result.is_playing
    panels._input.view.sought.emit(0.25)
    assert panels._result.view.position_s == pytest.approx(0.75)
    page.press("voice_result_play")
    page.window.show_page("people")
    assert not panels._result.is_playing


def test_moments_of_recording_and_result_belong_together() -> None:
    """With a part, another pace and labels before and behind; within a label it is the moment where it stands."""
    aligned = Alignment(1.0, 2.0, ((0, 4000), (1000, 4000)))
    assert aligned.to_result(1.0) == 4.0 and aligned.to_input(4.0) == 1.0
    assert aligned.to_result(2.0) == 4.5 and aligned.to_input(4.5) == 2.0
    assert aligned.to_input(1.0) == 1.0 and aligned.to_input(6.0) == 3.0
    assert aligned.to_input(9.5) == 4.0


# --- keyboard --------------------------------------------------------------------------------------------------------


def test_everything_is_reached_and_done_by_keyboard(page: Driver, fake: VoiceWorkshop) -> None:
    """A text is written, made and heard, a recording is trimmed, without a mouse."""
    key = Qt.Key

    def focused() -> QWidget:
        found = QApplication.focusWidget()
        assert found is not None, "nothing has the keyboard"
        return found

    def tab_to(name: str) -> None:
        passed: list[str] = []
        while focused().objectName() != name:
            passed.append(focused().objectName())
            assert len(passed) < 60, f"Tab does not lead to {name}: {passed}"
            page.qtbot.keyClick(focused(), key.Key_Tab)

    page.window.activateWindow()
    page.window.show_page("voice")
    assert focused().objectName() == "voice_text"
    page.qtbot.keyClicks(focused(), "Hello.")
    for name in ("voice_voice", "voice_language", "voice_speak_rate", "voice_takes", "voice_seed", "voice_speak_make"):
        tab_to(name)
    page.qtbot.keyClick(focused(), key.Key_Return)
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.settle()
    speaker = listen_with(page, Loudspeaker())
    assert focused().objectName() == "voice_result_wave"
    page.qtbot.keyClick(focused(), key.Key_Space)
    assert len(speaker.played) == 1
    page.qtbot.keyClick(focused(), key.Key_Space)
    assert speaker.pauses == 1
    for name in ("voice_result_play", "voice_result_kind", "voice_discard", "voice_release"):
        tab_to(name)
    set_change(page)
    tab_to("voice_target_wave")
    for _step in range(20):
        page.qtbot.keyClick(focused(), key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    tab_to("voice_target_cut")
    page.qtbot.keyClick(focused(), key.Key_Return)
    assert page.studio.voices.slots["target"].part == (0.0, 1.5)
    for name in ("voice_lean_strength", "voice_purpose", "voice_change_make"):
        tab_to(name)


# --- release ---------------------------------------------------------------------------------------------------------


def release_dialog(driver: Driver) -> VoiceReleaseDialog:
    """The dialog of release, with the folder of the test."""
    driver.press("voice_release")
    found = driver.find("voice_release_dialog")
    assert isinstance(found, VoiceReleaseDialog)
    driver.write("voice_folder", str(driver.folder), found)
    return found


def test_a_take_is_released_in_a_format_with_the_notice_in_a_language(page: Driver, fake: VoiceWorkshop) -> None:
    """The language is chosen and heard at once; that a notice is spoken is no choice."""
    say(page, "Good morning.")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.settle()
    dialog = release_dialog(page)
    assert not [
        one for one in dialog.findChildren(QComboBox) if one.objectName() == "voice_notice" and one.count() != 2
    ]
    for name, index in (("voice_format", 2), ("voice_notice", 0)):
        combo = page.find(name, QComboBox, dialog)
        assert isinstance(combo, QComboBox)
        combo.setCurrentIndex(index)
    page.settle()
    assert fake.heard == ["en", "zh"]
    page.write("voice_file_name", "morning", dialog)
    (page.folder / "morning.mp3").write_bytes(b"old")
    page.press("voice_release_button", dialog)
    page.press("overwrite_keep")
    assert fake.sounds == []
    page.write("voice_file_name", "evening", dialog)
    page.press("voice_release_button", dialog)
    page.settle()
    assert fake.sounds == [(page.folder / "evening.mp3", "zh")]
    assert QApplication.activeModalWidget() is None
    assert text_of(page, "voice_facts") == f"Released: {page.folder / 'evening.mp3'}"
    assert not [
        one for one in page.window.findChildren(type(page.find("voice_discard")), "voice_release") if one.isVisible()
    ]


def test_signing_out_forgets_recordings_and_takes(page: Driver, fake: VoiceWorkshop) -> None:
    """Nothing of one person is left for the next."""
    set_change(page)
    page.press("voice_change_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.studio.accounts.logout()
    page.settle()
    model = page.studio.voices
    assert model.takes == [] and model.slots["target"].path is None and len(fake.discarded) == 1


# --- words, names, room ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_every_part_speaks_one_language_names_its_widgets_and_has_room(
    page: Driver, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filled, at the smallest size, in both languages."""
    set_change(page)
    page.press("voice_change_make")
    page.until(lambda: len(page.studio.voices.takes) == 1)
    page.window.on_language_chosen(code)
    page.window.resize(page.window.minimumSize())
    page.settle()
    the_page(page).show_mode("speak")
    clone(page, monkeypatch, own=True)
    put(page, "reference", recording(page.folder / "speech.wav"))
    front = the_page(page)
    front.speak.person.more.toggle.setChecked(True)
    front.speak._form.setCurrentIndex(1)
    front.speak.words.setPlainText("Eileen: 8.\nGrace: 8.\nLin: 8.")
    for mode in ("speak", "change", "takes"):
        front.show_mode(mode)
        page.settle()
        assert cut(front) == [], mode
        assert nameless(front) == [], mode
    take = page.studio.voices.take
    assert take is not None
    dialog = VoiceReleaseDialog(page.studio, take, page.window)
    page.qtbot.addWidget(dialog)
    dialog.show()
    page.settle()
    assert cut(dialog) == [] and nameless(dialog) == []
    if code == "zh-CN":
        left = [text for root in (front, dialog) for text in english(root, str(page.folder))]
        assert [text for text in left if not _is_name(text)] == []
    dialog.reject()


def _is_name(text: str) -> bool:
    import re

    words = {word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9]+", text)}
    known = {
        "lin",
        "signet",
        "wav",
        "flac",
        "mp",
        "m4a",
        "ogg",
        "ai",
        "generated",
        "aigc",
        "grace",
        "eileen",
        "ctrl",
        "esc",
    }
    ids = {f"c{number}" for number in range(9)}
    return words <= FR_AND_FRIENDS | known | ids
