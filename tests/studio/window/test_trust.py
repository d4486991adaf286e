"""What ends or shows trust: closing an account, erasing a person, withdrawal by passphrase, proofs, the agreement."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QFileInfo
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QDialog,
    QFileDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeView,
)

from studio.window.main_window import MainWindow
from studio.window.pages.own_account import CloseAccountDialog, NationalDialog
from studio.window.pages.receipt_dialog import ReceiptDialog
from studio.window.pages.withdraw_dialog import EraseDialog, TakeDownDialog, WithdrawDialog
from studio.window.widgets import file_dialogs
from studio.window.widgets.reading import Reading
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import PASSWORD, Driver

NUMBER = "11010519491231002X"
"""The example of GB 11643-1999, which is nobody's."""


def dialog_of(kind: type[QDialog]) -> QDialog:
    """The open dialog of a kind."""
    found = [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]
    assert found, f"no {kind.__name__} is open"
    return found[-1]


def is_open(kind: type[QDialog]) -> bool:
    """Whether a dialog of a kind is in front."""
    return any(isinstance(one, kind) and one.isVisible() for one in QApplication.topLevelWidgets())


def second_account(driver: Driver) -> None:
    """A creator beside the first account, signed in."""
    driver.fake.create_account("second", PASSWORD, "Li Na")
    driver.fake.logout()
    driver.fake.login("second", PASSWORD)
    driver.studio.accounts.refresh()
    driver.settle()
    driver.window.show_page("account")


def close_account(driver: Driver, password: str) -> QDialog:
    """Go through the dialog up to its last button."""
    driver.press("account_close")
    dialog = dialog_of(CloseAccountDialog)
    assert not driver.find("close_account_confirm", root=dialog).isEnabled()
    driver.write("close_account_password", password, dialog)
    assert not driver.find("close_account_confirm", root=dialog).isEnabled()
    driver.press("close_account_understood", dialog)
    driver.press("close_account_confirm", dialog)
    driver.settle()
    return dialog


def test_the_last_admin_cannot_close_the_account(signed_in: Driver) -> None:
    """The dialog stays, says why and what to do on which page, and forgets the password."""
    driver = signed_in
    driver.window.show_page("account")
    dialog = close_account(driver, PASSWORD)
    assert isinstance(dialog, CloseAccountDialog) and dialog.isVisible()
    assert dialog.banner.what.text().startswith("studio is the last admin")
    assert "'Members'" in dialog.banner.next_step.text()
    field = driver.find("close_account_password", QLineEdit, dialog)
    assert isinstance(field, QLineEdit) and field.text() == ""
    assert len(driver.fake.accounts()) == 1
    dialog.reject()


def test_an_account_is_closed_with_its_password_alone(signed_in: Driver) -> None:
    """A wrong password closes nothing; the right one does, and leads to the sign-in page."""
    driver = signed_in
    second_account(driver)
    dialog = close_account(driver, "not the password")
    assert dialog.isVisible() and len(driver.fake.accounts()) == 2
    driver.write("close_account_password", PASSWORD, dialog)
    driver.press("close_account_confirm", dialog)
    driver.settle()
    assert not is_open(CloseAccountDialog)
    assert [one.username for one in driver.fake.accounts()] == ["studio"]
    assert driver.window.current == "account" and not driver.studio.accounts.is_open


def test_a_wrong_number_makes_no_account_and_a_right_one_is_dropped(driver: Driver) -> None:
    """The checksum is asked before anything is made; the field is empty afterwards in either case."""
    driver.write("account_name", "studio")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    assert not driver.find("account_number").isEnabled()
    driver.press("account_declare")
    driver.write("account_real_name", "Lin Wei")
    driver.write("account_number", NUMBER[:-1] + "1")
    driver.press("account_create")
    driver.settle()
    assert driver.fake.accounts() == [] and driver.banner() != ""
    field = driver.find("account_number", QLineEdit)
    assert isinstance(field, QLineEdit) and field.text() == ""
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.write("account_number", NUMBER)
    driver.press("account_create")
    driver.settle()
    assert driver.fake.members.numbers == 1
    assert driver.fake.accounts()[0].level == "self"
    assert all(NUMBER not in one.text() for one in driver.window.findChildren(QLineEdit))


def test_the_number_can_stand_beside_a_later_declaration(driver: Driver) -> None:
    """An account without declaration makes it later, with or without the number."""
    driver.write("account_name", "studio")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.press("account_create")
    driver.settle()
    driver.write("account_real_name", "Lin Wei")
    driver.write("account_number", "123")
    driver.press("account_declare_now")
    driver.settle()
    assert driver.fake.accounts()[0].level == "none"
    driver.write("account_real_name", "Lin Wei")
    driver.write("account_number", NUMBER)
    driver.press("account_declare_now")
    driver.settle()
    assert (driver.fake.accounts()[0].level, driver.fake.members.numbers) == ("self", 1)


def test_the_national_identity_needs_settings_and_a_credential(signed_in: Driver) -> None:
    """What the service refuses is said on the page; a yes gives level L3, and the credential is forgotten."""
    driver = signed_in
    driver.window.show_page("members")
    driver.settle()
    for credential, level in (("spent", "self"), ("one-use", "L3")):
        driver.press("members_national")
        dialog = dialog_of(NationalDialog)
        assert isinstance(dialog, NationalDialog)
        assert not driver.find("national_confirm", root=dialog).isEnabled()
        dialog._settings.set_path(driver.folder / "service.json")
        assert not driver.find("national_confirm", root=dialog).isEnabled()
        driver.write("national_credential", credential, dialog)
        driver.press("national_confirm", dialog)
        driver.settle()
        assert not is_open(NationalDialog)
        assert driver.fake.accounts()[0].level == level
        assert ("proof of identity does not hold" in driver.banner()) == (level == "self"), driver.banner()


def test_a_person_is_erased_after_the_tick_and_the_password(signed_in: Driver) -> None:
    """Without the tick nothing happens; the step asks for the password again; then the take-down list is shown."""
    driver = signed_in
    driver.consent("Grace", draw_picture(driver.folder / "grace.png"))
    driver.window.show_page("people")
    driver.settle()
    driver.press("people_erase")
    dialog = dialog_of(EraseDialog)
    assert not driver.find("erase_confirm", root=dialog).isEnabled()
    assert any("1 live consent ends" in text for text in driver.texts(dialog))
    driver.press("erase_understood", dialog)
    driver.fake.needs_step_up = True
    driver.press("erase_confirm", dialog)
    driver.settle()
    assert driver.fake.subjects()[0].erased_at is None
    step_up = driver.window._asking
    assert step_up is not None
    driver.write("step_up_password", PASSWORD, step_up)
    driver.press("step_up_confirm", step_up)
    driver.settle()
    assert driver.fake.subjects()[0].name is None
    assert any("erased" in text for text in driver.texts(dialog_of(TakeDownDialog)))
    dialog_of(TakeDownDialog).accept()
    assert "Grace" not in " ".join(driver.texts(driver.window.pages["people"]))
    assert not any(one.isVisible() for one in driver.window.findChildren(QCheckBox, "people_erase"))


def test_a_role_that_may_not_erase_finds_the_button_off(signed_in: Driver) -> None:
    """The tool tip names the role."""
    driver = signed_in
    driver.consent("Grace", draw_picture(driver.folder / "grace.png"))
    driver.fake.members.roles["studio"] = ("creator",)
    driver.studio.accounts.refresh()
    driver.settle()
    driver.window.show_page("people")
    driver.studio.people.refresh()
    driver.settle()
    button = driver.find("people_erase")
    assert not button.isEnabled() and "consent officer" in button.toolTip()


def test_the_persons_passphrase_withdraws_and_a_wrong_one_does_not(signed_in: Driver) -> None:
    """It is handed over once and forgotten; without one the button is off."""
    driver = signed_in
    picture, today = draw_picture(driver.folder / "grace.png"), date.today()
    person = driver.fake.add_subject("Grace")
    grant = driver.fake.record_consent(person.id, picture, ("film",), today, today, passphrase="blue harbour")
    driver.window.show_page("people")
    driver.settle()
    for typed, state in (("green harbour", "live"), ("blue harbour", "withdrawn")):
        driver.press(f"people_withdraw_{grant.id}")
        dialog = dialog_of(WithdrawDialog)
        assert isinstance(dialog, WithdrawDialog)
        driver.press("withdraw_own", dialog)
        assert not driver.find("withdraw_confirm", root=dialog).isEnabled()
        driver.write("withdraw_passphrase", typed, dialog)
        driver.press("withdraw_confirm", dialog)
        driver.settle()
        assert driver.fake.grants()[0].state == state
    dialog_of(TakeDownDialog).accept()


def test_a_receipt_is_printed_again_with_the_code_or_without(
    signed_in: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is the person's to give; the file gets the ending of its kind."""
    driver = signed_in
    grant_id = driver.consent("Grace", draw_picture(driver.folder / "grace.png"))
    driver.window.show_page("people")
    driver.settle()
    monkeypatch.setattr("studio.window.pages.receipt_dialog.choose_out", lambda *_: driver.folder / "again")
    driver.press(f"people_receipt_{grant_id}")
    dialog = dialog_of(ReceiptDialog)
    driver.press("receipt_pdf", dialog)
    driver.settle()
    driver.write("receipt_code", driver.fake.codes[grant_id], dialog)
    driver.press("receipt_json", dialog)
    driver.settle()
    folder = driver.folder
    assert driver.fake.receipts == [
        (grant_id, folder / "again.pdf", None),
        (grant_id, folder / "again.json", driver.fake.codes[grant_id]),
    ]
    dialog.reject()


def test_the_agreement_is_offered_until_this_version_is_accepted(signed_in: Driver) -> None:
    """Accepted it is said to be; for another account it is offered again."""
    driver = signed_in
    driver.window.show_page("about")
    driver.settle()
    text = driver.find("about_agreement_text", Reading)
    assert isinstance(text, Reading)
    text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())
    driver.press("about_accept")
    driver.settle()
    assert not driver.window.findChildren(QDialog, "agreement_dialog")
    assert not [one for one in driver.window.findChildren(object, "about_accept") if one.isVisible()]
    assert "Version 1, accepted by you" in driver.texts()
    second_account(driver)
    driver.window.show_page("about")
    driver.settle()
    assert driver.find("about_accept").isVisible()


def test_what_is_typed_on_the_about_page_outlives_another_page(signed_in: Driver) -> None:
    """Only what was changed elsewhere replaces it."""
    driver = signed_in
    driver.window.show_page("about")
    driver.settle()
    driver.write("about_name", "Lin Wei")
    driver.window.show_page("people")
    driver.settle()
    driver.window.show_page("about")
    driver.settle()
    name = driver.find("about_name", QLineEdit)
    assert isinstance(name, QLineEdit) and name.text() == "Lin Wei"


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_an_error_moves_no_field(driver: Driver, code: str) -> None:
    """The message lies in the place of the lead sentence; every field stays under the hand."""
    driver.window.on_language_chosen(code)
    driver.settle()
    before = _places(driver.window)
    driver.write("account_name", "x")
    driver.press("account_create")
    driver.settle()
    assert driver.banner() != ""
    banner = driver.window.pages["account"].banner
    QApplication.processEvents()
    assert _places(driver.window) == before
    for part in (banner.what, banner.next_step):
        assert part.height() >= part.heightForWidth(part.width())
    top = banner.mapTo(driver.window, banner.rect().bottomLeft()).y()
    assert top < before["account_name"][1]


def _places(window: MainWindow) -> dict[str, tuple[int, int]]:
    names = ("account_name", "account_password", "account_create")
    found = {name: next(one for one in window.findChildren(object, name) if one.isVisible()) for name in names}
    return {name: one.mapTo(window, one.rect().topLeft()).toTuple() for name, one in found.items()}


@pytest.mark.parametrize("code", ["en", "zh-CN"])
def test_dialogs_for_files_speak_the_language_of_the_window(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    """All three are Qt's own and every word in them is the window's; the system's would be in another language."""
    driver.window.on_language_chosen(code)
    seen: list[QFileDialog] = []

    def show(dialog: QFileDialog) -> int:
        seen.append(dialog)
        assert dialog.testOption(QFileDialog.Option.DontUseNativeDialog)
        words = [one.text() for kind in (QLabel, QAbstractButton) for one in dialog.findChildren(kind)]
        foreign = [one for one in words if re.search("[A-Za-z]{2}" if code == "zh-CN" else "[\u4e00-\u9fff]", one)]
        assert foreign == []
        whole = dialog.findChild(QTreeView, "treeView").header().sectionResizeMode(3)
        assert whole == QHeaderView.ResizeMode.ResizeToContents
        assert dialog.iconProvider().type(QFileInfo(str(tmp_path))) == ("文件夹" if code == "zh-CN" else "Folder")
        return 0

    monkeypatch.setattr(QFileDialog, "exec", show)
    assert file_dialogs.choose_file(driver.window, "8", "*") is None
    assert file_dialogs.choose_out(driver.window, "8", "8", "*") is None
    assert file_dialogs.choose_folder(driver.window, "8", str(tmp_path)) is None
    assert len(seen) == 3
