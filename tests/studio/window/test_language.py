"""English and Simplified Chinese, live."""

from __future__ import annotations

import gettext
import re
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtGui import QRawFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QWidget,
)

from compliance.cases import CaseKind
from compliance.consent_record import Terms
from studio.text import LOCALE_FOLDER, language
from studio.window.pages.own_account import CloseAccountDialog, NationalDialog
from studio.window.pages.receipt_dialog import ReceiptDialog
from studio.window.pages.release_page import OverwriteDialog
from studio.window.pages.withdraw_dialog import EraseDialog, TakeDownDialog, WithdrawDialog
from studio.window.theme import FONT_FILE
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import PASSWORD, Driver, wizard_steps

# Names of products, formats and keys, and what the tests themselves put in.
NAMES = "signet english png jpeg jpg aigc iptc c2pa gb sha esc ctrl ai generated"
SPEAKERS = "flite rms slt awb klatt fr mp3"
PICTURES = "webp tif tiff gif avif"
OURS = "studio grace eileen lin wei source target stray out txt pdf json wav flac mp m4a ogg cn hk pipl crowd https"
ALLOWED = frozenset(f"{NAMES} {SPEAKERS} {PICTURES} {OURS}".split())
WORDS = re.compile(r"[A-Za-z][A-Za-z0-9]+")


def shown(root: QWidget) -> list[str]:
    """Everything a reader sees or hears in a widget."""
    texts: list[str] = [one.text() for kind in (QLabel, QAbstractButton) for one in root.findChildren(kind)]
    for field in root.findChildren(QLineEdit):
        texts.append(field.placeholderText())
    for combo in root.findChildren(QComboBox):
        texts += [combo.itemText(row) for row in range(combo.count())]
    for entries in root.findChildren(QListWidget):
        texts += [entries.item(row).text() for row in range(entries.count())]
    for one in root.findChildren(QWidget):
        if not one.objectName().startswith(("qt_", "__qt")):
            texts += [one.accessibleName(), one.accessibleDescription(), one.toolTip(), one.windowTitle()]
    return [text for text in texts if text]


def english(root: QWidget, folder: str) -> list[str]:
    """Texts with an English word that is no name."""
    left = []
    for text in shown(root):
        words = WORDS.findall(re.sub(r"[0-9a-f]{8,}|[0-9A-Z]{4}(-[0-9A-Z]{4})+", "", text.replace(folder, "")))
        if any(word.lower() not in ALLOWED for word in words):
            left.append(text)
    return left


def cut(root: QWidget) -> list[str]:
    """Visible texts that have less room than they need."""
    found = []
    for one in root.findChildren(QLabel):
        if one.isVisible() and one.text():
            needed = one.heightForWidth(one.width()) if one.wordWrap() else one.sizeHint().height()
            wide = one.wordWrap() or one.width() >= one.sizeHint().width()
            if one.height() < needed or not wide:
                found.append(one.text())
    for area in root.findChildren(QScrollArea):
        inside = area.widget()
        if area.isVisible() and inside is not None and inside.width() > area.viewport().width():
            found.append(f"{area.objectName()}: {inside.width()} of {area.viewport().width()} px")
    for entry in root.findChildren(QAbstractButton):
        if entry.isVisible() and entry.width() < entry.minimumSizeHint().width():
            found.append(entry.text())
    return found


def trust_dialogs(driver: Driver) -> tuple[QDialog, ...]:
    """The dialogs that end something, or print it again."""
    accounts, people = driver.studio.accounts, driver.studio.people
    grant = driver.fake.grants()[0]
    return (
        EraseDialog("Grace", 2),
        EraseDialog("Grace", 1),
        CloseAccountDialog(accounts),
        NationalDialog(),
        ReceiptDialog(people, grant),
    )


def fill_home(driver: Driver, picture: Path) -> None:
    """Something to show on every page: members, a proposal, cases, a consent with evidence and limits."""
    fake, today = driver.fake, date.today()
    fake.create_account("grace", PASSWORD, "Grace")
    fake.members.grant_role("grace", "consent_officer")
    fake.members.propose_rebinding("grace")
    person = fake.add_subject("Grace")
    terms = Terms(territories=("CN", "HK"), projects=("8",), max_outputs=3, age="14-17")
    purposes = ("private", "film", "advertising", "education", "research", "satire")
    fake.record_consent(person.id, picture, purposes, today, today, picture, terms=terms)
    case = fake.casework.open_case(CaseKind.COMPLAINT, "8", account="grace", release="8")
    fake.casework.make_overdue(case.id)
    fake.casework.decide(case.id, True, "8", measure="limit")
    driver.studio.people.choose(person.id)
    for model in (driver.studio.people, driver.studio.members, driver.studio.cases):
        model.refresh()
    driver.settle()


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_no_text_is_cut_in_the_smallest_window(signed_in: Driver, code: str) -> None:
    """All pages at their smallest size, and the dialogs."""
    driver = signed_in
    source, _target = driver.set_bench()
    fill_home(driver, source)
    driver.window.on_language_chosen(code)
    driver.window.resize(driver.window.minimumSize())
    driver.settle()
    for name in driver.window.pages:
        driver.window.show_page(name)
        driver.settle()
        assert cut(driver.window) == [], name
    driver.window.show_page("workspace")
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    assert cut(driver.window) == []
    driver.window.show_page("release")
    driver.settle()
    assert cut(driver.window) == []
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    for name in ("release", "library"):
        driver.window.show_page(name)
        driver.settle()
        assert cut(driver.window) == [], name
    driver.window.show_page("verify")
    driver.drop("verify_drop", source)
    driver.settle()
    assert cut(driver.window) == []
    for dialog in (
        WithdrawDialog("Grace", "private use, film and series, advertising, education, research, satire"),
        TakeDownDialog("Grace", driver.fake.releases()),
        OverwriteDialog(driver.folder / "out.png"),
        *trust_dialogs(driver),
    ):
        driver.qtbot.addWidget(dialog)
        dialog.show()
        driver.qtbot.waitExposed(dialog)
        driver.settle()
        assert cut(dialog) == [], dialog.objectName()
    for picture in (source, draw_picture(driver.folder / "crowd.png")):
        for wizard in wizard_steps(driver, picture):
            assert cut(wizard) == [], wizard.currentId()


def test_chinese_leaves_no_english_on_any_page(signed_in: Driver) -> None:
    """All pages, filled, the wizard and the dialogs speak Chinese; only names stay as they are."""
    driver = signed_in
    source, _target = driver.set_bench()
    fill_home(driver, source)
    folder = str(driver.folder)
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    driver.window.on_language_chosen("zh-CN")
    driver.settle()
    assert language() == "zh-CN"
    for name in driver.window.pages:
        driver.window.show_page(name)
        driver.settle()
        driver.window.pages[name].banner.hide()
    assert english(driver.window, folder) == []
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    driver.window.pages["verify"].check(driver.folder / "out.png")  # type: ignore[attr-defined]
    driver.studio.bench.set_picture("source", draw_picture(driver.folder / "stray.png", (1, 1, 1)))
    driver.settle()
    for wizard in wizard_steps(driver, draw_picture(driver.folder / "crowd.png")):
        assert english(wizard, folder) == [], wizard.currentId()
    dialogs = (
        WithdrawDialog("Grace", ""),
        TakeDownDialog("Grace", driver.fake.releases()),
        TakeDownDialog(None, [], erased=True),
        *trust_dialogs(driver),
    )
    for dialog in dialogs:
        driver.qtbot.addWidget(dialog)
    for root in (driver.window, *dialogs):
        assert english(root, folder) == [], root.objectName()


def test_the_guard_sees_english(signed_in: Driver) -> None:
    """The same walk in English finds plenty."""
    assert len(english(signed_in.window, str(signed_in.folder))) > 20


def test_switching_keeps_the_page_the_pictures_and_the_result(signed_in: Driver) -> None:
    """The pages are built anew; what was done is not lost, and the choice is kept for the next start."""
    driver = signed_in
    source, _target = driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    combo = driver.find("side_language")
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData("zh-CN"))
    driver.settle()
    assert driver.window.current == "make"
    assert driver.studio.bench.slots["source"].path == source
    assert driver.find("make_release").isEnabled()
    assert driver.studio.settings["language"] == "zh-CN"


def test_the_bundled_typeface_draws_every_character_of_the_catalogue() -> None:
    """No box stands where the machine has no Chinese font."""
    font = QRawFont(str(FONT_FILE), 14)
    catalogue = gettext.translation("signet", LOCALE_FOLDER, ["zh_CN"])
    text = "".join(catalogue._catalog.values()) + "简体中文"  # type: ignore[attr-defined]
    missing = sorted({sign for sign in text if ord(sign) > 32 and not font.supportsCharacter(ord(sign))})
    assert missing == []
