"""The page of voices: what cannot be used is said first, then speech, keyboard, release and words."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QListWidget, QPlainTextEdit, QSlider, QWidget

from engines import sound
from engines.job import JobState
from engines.voice.text import LONGEST_TEXT
from studio.window.pages.people_page import PeoplePage
from studio.window.pages.voice_release import VoiceReleaseDialog
from tests.engines.voices import HIGH, speech
from tests.studio.window.conftest import Driver
from tests.studio.window.fake_voices import Loudspeaker, VoiceWorkshop, recording
from tests.studio.window.test_language import cut, english
from tests.studio.window.test_names import nameless
from tests.studio.window.voices.conftest import clone, listen_with, put, say, set_change, text_of, the_page

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
