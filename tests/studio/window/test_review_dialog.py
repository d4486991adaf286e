"""What looks at words and pictures can be read by everybody, and chosen by an admin alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QListWidget, QPushButton

from studio.text import set_language
from studio.window.pages.review_dialog import ReviewDialog
from tests.studio.window.conftest import PASSWORD, Driver
from tests.studio.window.test_names import nameless


def opened(driver: Driver) -> ReviewDialog:
    """The dialog, by its button."""
    driver.window.show_page("cases")
    driver.settle()
    driver.press("cases_review")
    driver.settle()
    dialog = driver.window.findChild(ReviewDialog)
    assert isinstance(dialog, ReviewDialog)
    return dialog


def part(dialog: ReviewDialog, kind: type, name: str):  # type: ignore[no-untyped-def]  # as findChild
    """A part of the dialog by its name."""
    found = dialog.findChild(kind, name)
    assert found is not None, name
    return found


def test_who_is_no_admin_reads_and_cannot_choose(signed_in: Driver) -> None:
    """The phrases stand there; the choice is closed and says whose it is."""
    driver = signed_in
    driver.fake.create_account("second", PASSWORD)
    driver.fake.login("second", PASSWORD)
    driver.studio.accounts.refresh()
    driver.settle()
    dialog = opened(driver)
    assert part(dialog, QListWidget, "review_words").count() == 2
    assert not part(dialog, QPushButton, "review_use").isEnabled()
    assert not part(dialog, QComboBox, "review_pack").isEnabled()
    assert any("admin" in one for one in driver.texts(dialog))


def test_a_classifier_that_cannot_be_used_leaves_the_old_one(signed_in: Driver) -> None:
    """The refusal stands in the dialog, then another one is chosen, and the built-in rules again."""
    driver = signed_in
    dialog = opened(driver)
    packs, use = part(dialog, QComboBox, "review_pack"), part(dialog, QPushButton, "review_use")
    assert [packs.itemData(at) for at in range(packs.count())] == [None, "broken", "careful"]
    for pack, chosen in (("broken", None), ("careful", "careful"), ("broken", "careful"), (None, None)):
        packs.setCurrentIndex(packs.findData(pack))
        driver.qtbot.mouseClick(use, Qt.MouseButton.LeftButton)
        driver.settle()
        assert driver.fake.review.chosen == chosen
        assert dialog.banner.isVisible()
        assert ("broken" in dialog.banner.what.text()) is (pack == "broken")
        assert any((chosen or "the built-in rules alone") in one for one in driver.texts(dialog))


def test_a_phrase_is_searched_for(signed_in: Driver) -> None:
    """What does not hold it is hidden; an empty search shows all."""
    dialog = opened(signed_in)
    words, search = part(dialog, QListWidget, "review_words"), part(dialog, QLineEdit, "review_search")
    for text, shown in (
        ("SCAM", [True, False]),
        ("炸弹", [False, True]),
        ("nothing", [False, False]),
        ("", [True, True]),
    ):
        search.setText(text)
        assert [not words.item(at).isHidden() for at in range(words.count())] == shown


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_it_is_named_and_spoken_in_both_languages(signed_in: Driver, code: str) -> None:
    """Nothing nameless, and no English sentence in Chinese."""
    driver = signed_in
    driver.window.on_language_chosen(code)
    dialog = opened(driver)
    try:
        assert nameless(dialog) == []
        if code == "zh-CN":
            texts = [one.text() for one in dialog.findChildren(QLabel)]
            assert not [one for one in texts if "the " in one or "picture" in one]
    finally:
        set_language("en")
