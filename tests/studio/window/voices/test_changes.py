"""Voices that are changed or taken on: packs, consents, the parts in use, and comparing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QSlider

from engines.packs import LicenceClass, ModelPack
from studio.window.models import voices
from studio.window.models.voice_takes import Alignment
from tests.studio.window.conftest import Driver
from tests.studio.window.fake_voices import Loudspeaker, VoiceWorkshop, recording
from tests.studio.window.voices.conftest import agree, clone, listen_with, put, say, set_change, text_of, the_page


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
