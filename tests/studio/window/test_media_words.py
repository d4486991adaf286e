"""The pages for pictures, labelling and verifying, filled: both languages, all names, nothing cut."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialog

from compliance.verify import SENTENCES, Report
from studio.text import language
from studio.window.pages.label_dialog import LabelDialog
from studio.window.pages.presets_dialog import PresetsDialog
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver
from tests.studio.window.test_language import ALLOWED, cut, english
from tests.studio.window.test_names import nameless
from tests.studio.window.test_sealing_page import FOUND

# What stands in the evidence of a checked file: names of fields, codes and formats.
CODES = "label produceid algorithmicmedia c2pa created somebody z other program lora mit px xyz sealed "
ENDINGS = "html htm tiff opus mp3 m4a mp4 m4v mov mkv webm md markdown docx"


def fill(driver: Driver) -> None:
    """Something on every one of these pages."""
    driver.fake.has_pack = True
    driver.window.show_page("pictures")
    driver.settle()
    model = driver.studio.picturing
    model.choose("picture.diffusers tiny")
    model.set_value("prompt", "8")
    model.count = 2
    model.start()
    driver.until(lambda: not model.line.is_active)
    driver.settle()
    crowd = draw_picture(driver.folder / "crowd.png")
    driver.consent("Grace", crowd)
    model.set_picture(crowd)
    driver.settle()
    model.find_damage()
    driver.settle()
    sealing = driver.studio.sealing
    odd = driver.folder / "8.xyz"
    odd.write_bytes(b"8")
    sealing.set_asked(made_with="8")
    sealing.add([crowd, odd])
    driver.settle()
    sealing.start()
    driver.until(lambda: not sealing.line.is_active)
    sealing.add([draw_picture(driver.folder / "stray.png")])
    driver.settle()
    refuted = {"state": "refuted", "at": "2026-03-02T10:00:00+00:00", "reason": "8"}
    driver.studio.checking.check_all([crowd, odd])
    driver.settle()
    checks = driver.studio.checking.checks
    checks[0].report = Report(str(crowd), "refuted", SENTENCES["refuted"], FOUND, refuted)


def dialogs(driver: Driver) -> tuple[QDialog, ...]:
    """Presets and the look of the label."""
    model = driver.studio.picturing
    model.save_preset("8")
    driver.settle()
    return PresetsDialog(model), LabelDialog(driver.studio)


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_nothing_is_cut_nameless_or_left_in_english(inside: Driver, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the smallest size, with every part of a page shown."""
    driver = inside
    fill(driver)
    monkeypatch.setattr("tests.studio.window.test_language.ALLOWED", ALLOWED | frozenset((CODES + ENDINGS).split()))
    driver.window.on_language_chosen(code)
    assert language() == code
    driver.window.resize(driver.window.minimumSize())
    for engine in ("picture.sketch", "picture.diffusers tiny", "picture.restore"):
        driver.studio.picturing.choose(engine)
        driver.window.show_page("pictures")
        driver.settle()
        assert cut(driver.window) == [], engine
    for name in ("pictures", "sealing", "verify", "library"):
        driver.window.show_page(name)
        driver.settle()
        assert cut(driver.window) == [], name
        assert nameless(driver.window.pages[name]) == [], name
        if code == "zh-CN":
            driver.window.pages[name].banner.hide()
            assert english(driver.window.pages[name], str(driver.folder)) == [], name
    for dialog in dialogs(driver):
        driver.qtbot.addWidget(dialog)
        dialog.show()
        driver.qtbot.waitExposed(dialog)
        driver.settle()
        assert cut(dialog) == [] and nameless(dialog) == [], dialog.objectName()
        if code == "zh-CN":
            assert english(dialog, str(driver.folder)) == [], dialog.objectName()
