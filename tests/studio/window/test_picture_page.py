"""The pictures page, refusals first: words, seeds, consents, masks, presets, recipes."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QLineEdit, QListWidget, QPlainTextEdit, QSpinBox

from studio.window.models.mask import MaskModel
from studio.window.widgets.mask_canvas import MaskCanvas
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver
from tests.studio.window.fake_pictures import FakePicturePlan


def show(driver: Driver) -> Driver:
    """The page, read."""
    driver.window.show_page("pictures")
    driver.settle()
    return driver


def say(driver: Driver, words: str) -> None:
    """Type a prompt."""
    prompt = driver.find("pictures_prompt", QPlainTextEdit)
    assert isinstance(prompt, QPlainTextEdit)
    prompt.setPlainText(words)
    QApplication.processEvents()


def choose(driver: Driver, key: str) -> None:
    """Another engine."""
    combo = driver.find("pictures_engine", QComboBox)
    assert isinstance(combo, QComboBox)
    place = combo.findData(key)
    assert place >= 0, key
    combo.setCurrentIndex(place)
    combo.activated.emit(place)
    driver.settle()


def made(driver: Driver) -> list[FakePicturePlan]:
    """Press Make and wait for the results; what was asked for."""
    driver.press("pictures_make")
    driver.until(lambda: not driver.studio.picturing.line.is_active)
    driver.settle()
    return driver.fake.pictures


def text_of(driver: Driver, name: str) -> str:
    """What a label says."""
    one = driver.find(name, QLabel)
    assert isinstance(one, QLabel)
    return one.text()


def test_nothing_is_made_of_no_words(inside: Driver) -> None:
    """The button is off and the page says why; Ctrl+Enter does nothing either."""
    driver = show(inside)
    for words in ("", "   \n "):
        say(driver, words)
        assert not driver.find("pictures_make").isEnabled()
        QTest.keyClick(driver.find("pictures_prompt"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        driver.settle()
    assert "Next: say what the picture shows." in driver.texts()
    assert driver.fake.pictures == []


def test_whoever_is_seen_has_to_consent(inside: Driver) -> None:
    """Restoring a picture with a face needs a live consent; without faces none is asked for."""
    driver = show(inside)
    choose(driver, "picture.restore")
    assert "Next: choose the picture." in driver.texts()
    driver.drop("pictures_input_drop", draw_picture(driver.folder / "face.png"))
    driver.settle()
    assert not driver.find("pictures_make").isEnabled()
    assert "Next: whoever is seen in the picture has to consent." in driver.texts()
    driver.press("pictures_record")
    assert driver.window.current == "people"
    driver.window.pages["people"].wizard.reject()  # type: ignore[attr-defined]
    grant = driver.consent("Grace", driver.folder / "face.png")
    show(driver)
    assert made(driver)[-1].consents == (grant,)
    driver.studio.picturing.set_consent(grant, False)
    assert not driver.find("pictures_make").isEnabled()
    driver.drop("pictures_input_drop", draw_picture(driver.folder / "noface.png"))
    driver.settle()
    assert made(driver)[-1].consents == ()


def test_an_unreadable_picture_is_refused(inside: Driver) -> None:
    """The card says what is wrong; nothing can be made of it."""
    driver = show(inside)
    choose(driver, "picture.restore")
    driver.drop("pictures_input_drop", draw_picture(driver.folder / "broken.png"))
    driver.settle()
    assert "not a picture that can be read" in text_of(driver, "pictures_input_line")
    assert not driver.find("pictures_make").isEnabled()


def test_a_seed_is_a_number(inside: Driver) -> None:
    """Anything else gives the seed before it back."""
    driver = show(inside)
    before = driver.studio.picturing.seed
    field = driver.find("pictures_seed", QLineEdit)
    assert isinstance(field, QLineEdit)
    for typed in ("-1", "99999999999", "seven", "1.5", "\u0663", ""):
        field.setText(typed)
        field.editingFinished.emit()
        assert field.text() == str(before) and driver.studio.picturing.seed == before


def test_a_new_home_works_at_once_and_hints_at_packs(inside: Driver) -> None:
    """The sketch painter is there and says what it is; Ctrl+Enter makes; words and size arrive as they were set."""
    driver = show(inside)
    combo = driver.find("pictures_engine", QComboBox)
    assert isinstance(combo, QComboBox) and combo.currentText() == "Sketch painter, not a neural model"
    assert any("signet pack add" in text for text in driver.texts())
    say(driver, "a red sunset over a lake")
    driver.write("pictures_negative", "boats")
    width = driver.find("pictures_width", QSpinBox)
    assert isinstance(width, QSpinBox)
    width.setValue(643)
    width.editingFinished.emit()
    QTest.keyClick(driver.find("pictures_prompt"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: not driver.studio.picturing.line.is_active)
    driver.settle()
    (plan,) = driver.fake.pictures
    assert plan.engine == "picture.sketch"
    assert plan.options == {"prompt": "a red sunset over a lake", "negative": "boats", "width": 640, "height": 512}
    assert not driver.studio.picturing.takes[0].preview.isNull()


def test_a_pack_tells_its_licence_and_its_own_options(inside: Driver) -> None:
    """The panel is built from what the engine declares; the pack goes along."""
    driver = inside
    driver.fake.has_pack = True
    show(driver)
    choose(driver, "picture.diffusers tiny")
    assert "not for business" in driver.texts()
    steps = driver.find("pictures_steps", QSpinBox)
    assert isinstance(steps, QSpinBox) and (steps.minimum(), steps.maximum(), steps.value()) == (1, 150, 20)
    steps.setValue(7)
    say(driver, "a house")
    (plan,) = made(driver)
    assert (plan.options["pack"], plan.options["steps"], plan.options["guidance"]) == ("tiny", 7, 7.0)


def test_a_batch_has_seeds_that_follow_and_each_is_released_for_itself(inside: Driver) -> None:
    """Three pictures, three previews; the one that is released is the one that was shown."""
    driver = show(inside)
    say(driver, "a lake")
    driver.studio.picturing.set_seed(40)
    count = driver.find("pictures_count", QSpinBox)
    assert isinstance(count, QSpinBox)
    count.setValue(3)
    assert [plan.seed for plan in made(driver)] == [40, 41, 42]
    takes = driver.find("pictures_takes", QListWidget)
    assert isinstance(takes, QListWidget) and takes.count() == 3
    takes.setCurrentRow(1)
    driver.press("pictures_release")
    assert driver.window.current == "release"
    driver.write("release_folder", str(driver.folder))
    driver.press("release_button")
    driver.settle()
    assert (driver.folder / "picture-41-signet.png").is_file()
    assert [take.released is not None for take in driver.studio.picturing.takes] == [False, True, False]
    show(driver)
    assert not driver.find("pictures_release").isEnabled()


def test_discarding_and_signing_out_leave_nothing(inside: Driver) -> None:
    """Results are let go in the worker too; words, seed and picture are forgotten with the session."""
    driver = show(inside)
    say(driver, "a lake")
    made(driver)
    driver.press("pictures_discard")
    driver.settle()
    assert len(driver.fake.discarded) == 1 and driver.studio.picturing.takes == []
    made(driver)
    driver.studio.accounts.logout()
    driver.settle()
    assert len(driver.fake.discarded) == 2
    assert driver.studio.picturing.value("prompt") == "" and driver.studio.picturing.takes == []
    assert driver.window.pages["pictures"]._prompt.toPlainText() == ""  # type: ignore[attr-defined]


def test_a_running_picture_is_stopped_with_all_that_wait(inside: Driver) -> None:
    """Stop ends the one and lets go of the others; nothing is left to release."""
    driver = show(inside)
    driver.fake.hold_jobs = True
    say(driver, "a lake")
    driver.studio.picturing.count = 4
    driver.press("pictures_make")
    driver.until(lambda: driver.studio.picturing.line.current is not None and bool(driver.fake.pictures))
    driver.until(lambda: text_of(driver, "pictures_stage") == "Finding faces (3 more wait)")
    driver.press("pictures_stop")
    driver.until(lambda: not driver.studio.picturing.line.is_active)
    driver.settle()
    assert len(driver.fake.pictures) == 1 and driver.studio.picturing.takes == []


def test_a_failed_job_is_said(inside: Driver) -> None:
    """The banner carries the error; the page can be used again."""
    driver = show(inside)
    driver.fake.jobs_fail_with = "OutOfMemory"
    say(driver, "a lake")
    made(driver)
    assert driver.banner() != "" and driver.find("pictures_make").isEnabled()


def test_a_preview_can_be_neither_copied_nor_dragged(inside: Driver) -> None:
    """No button, key or mouse takes it out; the clipboard stays as it was."""
    driver = show(inside)
    say(driver, "a lake")
    made(driver)
    QGuiApplication.clipboard().setText("before")
    view = driver.find("pictures_preview")
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(40, 40))
    QTest.mouseMove(view, QPoint(140, 140))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(140, 140))
    takes = driver.window.findChild(QListWidget, "pictures_takes")
    assert takes is not None and not takes.dragEnabled()
    assert QGuiApplication.clipboard().text() == "before"
    assert not any("copy" in one.objectName() for one in driver.window.pages["pictures"].findChildren(QDialog))


def mask_of(png: bytes | None) -> Image.Image:
    """The mask as it goes to the worker."""
    assert png is not None
    return Image.open(io.BytesIO(png)).convert("L")


def test_a_painted_mask_goes_along_and_strokes_can_be_taken_back(inside: Driver) -> None:
    """Brush, undo, redo, eraser, clear; the mask is white where it was painted, and none when nothing is."""
    driver = show(inside)
    choose(driver, "picture.restore")
    driver.drop("pictures_input_drop", draw_picture(driver.folder / "noface.png"))
    driver.settle()
    driver.press("pictures_paint")
    canvas = driver.find("mask_canvas")
    assert isinstance(canvas, MaskCanvas)
    middle = canvas.place().center().toPoint()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
    model = driver.studio.picturing.mask
    size = model.image.size()
    assert mask_of(model.png()).getpixel((size.width() // 2, size.height() // 2)) == 255
    assert mask_of(model.png()).getpixel((3, 3)) == 0
    driver.press("mask_undo")
    assert model.png() is None
    driver.press("mask_redo")
    assert mask_of(made(driver)[-1].mask).size == (size.width(), size.height())
    driver.press("mask_eraser")
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert mask_of(model.png()).getextrema() == (0, 0)
    driver.press("mask_clear")
    made(driver)
    assert driver.fake.pictures[-1].mask is None


def test_keys_change_the_brush(inside: Driver) -> None:
    """[ makes it smaller, ] larger, within limits."""
    driver = show(inside)
    canvas = driver.window.pages["pictures"].tools.canvas  # type: ignore[attr-defined]
    before = canvas.brush_px
    QTest.keyClicks(canvas, "]")
    assert canvas.brush_px > before
    QTest.keyClicks(canvas, "[[")
    assert canvas.brush_px < before
    QTest.keyClicks(canvas, "[" * 60)
    assert canvas.brush_px == 2


def test_found_damage_is_a_mask_that_can_be_corrected(inside: Driver) -> None:
    """What the worker proposes stands on the canvas; a stroke of the eraser changes it."""
    driver = show(inside)
    choose(driver, "picture.restore")
    driver.drop("pictures_input_drop", draw_picture(driver.folder / "noface.png"))
    driver.settle()
    driver.press("pictures_find")
    driver.settle()
    model = driver.studio.picturing.mask
    found = mask_of(model.png())
    assert found.getpixel((5, 5)) == 255 and found.getpixel((found.width - 5, 5)) == 0
    canvas = driver.find("mask_canvas")
    assert isinstance(canvas, MaskCanvas)
    corner = canvas.place().topLeft().toPoint() + QPoint(12, 12)
    QTest.mouseClick(canvas, Qt.MouseButton.RightButton, pos=corner)
    assert mask_of(model.png()) != found


def test_bits_that_are_too_few_are_no_mask(qapp: QApplication) -> None:
    """A short answer leaves the mask as it was."""
    from PySide6.QtCore import QSize

    model = MaskModel()
    model.begin(QSize(64, 64))
    model.take_bits(64, 64, b"\xff" * 10)
    assert model.png() is None and not model.can_undo


def test_presets_keep_and_give_back(inside: Driver) -> None:
    """Saved, renamed, used, deleted; the words on the page stay where the preset has none."""
    driver = show(inside)
    say(driver, "a lake")
    driver.studio.picturing.set_value("width", 800)
    driver.press("pictures_presets")
    dialog = next(one for one in driver.window.findChildren(QDialog) if one.objectName() == "presets_dialog")
    assert not driver.find("presets_save", root=dialog).isEnabled()
    driver.write("presets_name", "wide", dialog)
    driver.press("presets_save", dialog)
    driver.settle()
    driver.write("presets_name", "very wide", dialog)
    driver.press("presets_rename", dialog)
    driver.settle()
    assert list(driver.fake.recipes.presets("picture.sketch")) == ["very wide"]
    driver.studio.picturing.set_value("width", 320)
    driver.find("presets_list", QListWidget, dialog).setCurrentRow(0)  # type: ignore[attr-defined]
    driver.press("presets_delete", dialog)
    driver.settle()
    assert driver.studio.picturing.presets == {}
    driver.write("presets_name", "wide", dialog)
    driver.studio.picturing.set_value("width", 1024)
    driver.press("presets_save", dialog)
    driver.settle()
    driver.studio.picturing.set_value("width", 320)
    driver.find("presets_list", QListWidget, dialog).setCurrentRow(0)  # type: ignore[attr-defined]
    driver.press("presets_use", dialog)
    assert driver.studio.picturing.value("width") == 1024
    width = driver.find("pictures_width", QSpinBox)
    assert isinstance(width, QSpinBox) and width.value() == 1024


def test_a_release_is_recalled_with_all_it_was_made_with(inside: Driver) -> None:
    """From the library back onto the page: engine, words, size and seed; what is not known is said."""
    driver = show(inside)
    say(driver, "a lake at night")
    driver.studio.picturing.set_seed(9)
    made(driver)
    driver.press("pictures_release")
    driver.write("release_folder", str(driver.folder))
    driver.press("release_button")
    driver.settle()
    show(driver)
    say(driver, "something else")
    driver.studio.picturing.roll()
    driver.window.show_page("library")
    driver.settle()
    driver.press("library_again")
    driver.settle()
    assert driver.window.current == "pictures"
    model = driver.studio.picturing
    assert (model.value("prompt"), model.seed, model.keeps_seed) == ("a lake at night", 9, True)
    driver.fake.recipes.kept.clear()
    driver.window.show_page("library")
    driver.settle()
    driver.press("library_again")
    driver.settle()
    assert driver.banner() == "How this was made is not known here."


def test_another_language_keeps_words_and_results(inside: Driver, tmp_path: Path) -> None:
    """The page is built anew; what was typed and made stays."""
    driver = show(inside)
    say(driver, "a lake")
    made(driver)
    driver.window.on_language_chosen("zh-CN")
    driver.settle()
    prompt = driver.find("pictures_prompt", QPlainTextEdit)
    assert isinstance(prompt, QPlainTextEdit) and prompt.toPlainText() == "a lake"
    assert driver.find("pictures_release").isEnabled()


def test_how_far_it_is_is_shown_only_where_the_worker_tells(inside: Driver) -> None:
    """Without a labelled preview from the worker there is progress alone; bytes that are no PNG show nothing."""
    driver = show(inside)
    driver.fake.hold_jobs = True
    say(driver, "a lake")
    driver.press("pictures_make")
    line = driver.studio.picturing.line
    driver.until(lambda: line.current is not None and line.current.running is not None)
    glimpse = driver.window.pages["pictures"].takes.glimpse  # type: ignore[attr-defined]
    shown = []
    for png in (b"", b"no picture", (draw_picture(driver.folder / "far.png")).read_bytes()):
        line.current.running.glimpse = png  # type: ignore[union-attr]  # it runs, as was waited for
        line.changed.emit()
        shown.append(not glimpse.isHidden())
    assert shown == [False, False, True]
    driver.press("pictures_stop")
    driver.until(lambda: not line.is_active)
