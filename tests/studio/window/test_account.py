"""Signing in: refusals first, then the ways in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from tests.studio.window.conftest import PASSWORD, Driver


def test_wrong_password_shows_a_banner_and_nobody_is_signed_in(driver: Driver) -> None:
    """A wrong password is said in the banner, the field is emptied, and the pages behind stay closed."""
    driver.sign_up()
    driver.studio.accounts.logout()
    driver.settle()
    driver.write("account_password", "not the password")
    driver.press("account_sign_in")
    driver.settle()
    assert driver.banner().startswith("The name or the password is wrong.")
    field = driver.find("account_password", QLineEdit)
    assert isinstance(field, QLineEdit) and field.text() == ""
    assert not driver.studio.accounts.is_open
    assert not driver.find("side_people").isEnabled()


def test_two_different_passwords_make_no_account(driver: Driver) -> None:
    """The password is typed twice; different ones are refused before anything is made."""
    driver.write("account_name", "studio")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD + "x")
    driver.press("account_declare")
    driver.write("account_real_name", "Lin Wei")
    driver.press("account_create")
    assert driver.banner().startswith("The two passwords differ.")
    assert driver.fake.accounts() == []


def test_a_declaration_without_a_name_makes_no_account(driver: Driver) -> None:
    """Ticking the declaration without a name is refused."""
    driver.write("account_name", "studio")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.press("account_declare")
    driver.press("account_create")
    assert driver.banner().startswith("The declaration needs your full name.")
    assert driver.fake.accounts() == []


def test_a_short_password_is_refused_with_its_next_step(driver: Driver) -> None:
    """What the workshop refuses is said with what to do."""
    driver.write("account_name", "studio")
    driver.write("account_password", "short")
    driver.write("account_password_again", "short")
    driver.press("account_declare")
    driver.write("account_real_name", "Lin Wei")
    driver.press("account_create")
    driver.settle()
    assert driver.banner() == "The password is too short. Use at least 8 characters."


def test_signed_out_only_verify_and_account_can_be_reached(driver: Driver) -> None:
    """Shortcuts lead nowhere else either."""
    for name in ("people", "workspace", "make", "release", "library"):
        driver.window.show_page(name)
        assert driver.window.current == "account"
    driver.window.show_page("verify")
    assert driver.window.current == "verify"


def test_the_first_account_is_signed_in_and_led_to_the_people(driver: Driver) -> None:
    """Return in the last field creates the account; the people page follows."""
    driver.write("account_name", "studio")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.press("account_declare")
    driver.qtbot.keyClick(driver.write("account_real_name", "Lin Wei"), Qt.Key.Key_Return)
    driver.settle()
    assert driver.window.current == "people"
    assert driver.studio.accounts.is_open


def test_an_account_without_declaration_is_asked_for_it(driver: Driver) -> None:
    """Without the declaration the account page stays in front and offers it."""
    driver.write("account_name", "studio")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.press("account_create")
    driver.settle()
    assert driver.window.current == "account"
    driver.write("account_real_name", "Lin Wei")
    driver.press("account_declare_now")
    driver.settle()
    assert driver.studio.accounts.account is not None
    assert driver.studio.accounts.account.level == "self"


def test_a_locked_session_asks_for_the_password_only(driver: Driver) -> None:
    """A session without keys is opened with the password."""
    driver.sign_up()
    driver.fake.lock()
    driver.studio.accounts.refresh()
    driver.settle()
    assert driver.window.current == "account"
    driver.write("account_password", PASSWORD)
    driver.press("account_unlock")
    driver.settle()
    assert driver.studio.accounts.is_open


def test_a_second_account_is_added_by_the_first_and_chosen_from_the_list(signed_in: Driver) -> None:
    """Several accounts: the new one is announced, and both stand in the list after signing out."""
    driver = signed_in
    driver.window.show_page("account")
    driver.press("account_to_create")
    driver.write("account_name", "second")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.press("account_create")
    driver.settle()
    assert driver.banner().startswith("The account second is there.")
    driver.press("account_sign_out")
    driver.settle()
    accounts = driver.find("account_list")
    assert [accounts.item(row).text() for row in range(accounts.count())] == ["studio", "second"]  # type: ignore[attr-defined]
    assert accounts.currentItem().text() == "studio"  # type: ignore[attr-defined]


def test_a_declaration_is_not_offered_where_it_would_be_refused(signed_in: Driver) -> None:
    """Neither while a later account is made nor to that account itself; both are told of the two people instead."""
    driver = signed_in
    driver.window.show_page("account")
    driver.press("account_to_create")
    offered = ("account_declare", "account_real_name", "account_number", "account_declare_now")
    page = driver.window.pages["account"]
    assert not [name for name in offered if page.findChild(QWidget, name)]
    assert "another person confirms it" in driver.find("account_attest_note").accessibleName()
    driver.write("account_name", "second")
    driver.write("account_password", PASSWORD)
    driver.write("account_password_again", PASSWORD)
    driver.press("account_create")
    driver.settle()
    driver.press("account_sign_out")
    driver.settle()
    driver.fake.login("second", PASSWORD)
    driver.studio.accounts.refresh()
    driver.settle()
    driver.window.show_page("account")
    driver.settle()
    assert not [name for name in offered if page.findChild(QWidget, name)]
    assert "no proof of identity" in driver.texts(page)
    driver.press("account_to_members")
    driver.settle()
    assert driver.window.current == "members"
