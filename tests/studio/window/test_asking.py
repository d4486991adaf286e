"""What a step may need before it goes on: the password again, a code, the agreement, who is who."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDialog

from studio.window.pages.asking import AgreementDialog, StepUpDialog
from studio.window.widgets.reading import Reading
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import PASSWORD, Driver
from tests.studio.window.fake_parts import CODE


def ready_to_release(driver: Driver) -> None:
    """A finished picture on the release page."""
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    driver.window.show_page("release")
    driver.settle()


def dialog_of(driver: Driver, kind: type[QDialog]) -> QDialog:
    """The dialog in front."""
    found = [one for one in driver.window.findChildren(kind) if one.isVisible()]
    assert found, f"no {kind.__name__}"
    return found[-1]


def test_a_release_without_the_password_lately_releases_nothing_when_cancelled(signed_in: Driver) -> None:
    """Cancelling the question for the password leaves the refusal, and no file."""
    driver = signed_in
    ready_to_release(driver)
    driver.fake.needs_step_up = True
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    driver.press("step_up_cancel", dialog_of(driver, StepUpDialog))
    driver.settle()
    assert driver.banner().startswith("This step needs the password of studio again")
    assert driver.fake.releases() == []
    assert not (driver.folder / "out.png").exists()


def test_a_wrong_password_is_said_in_the_dialog_and_the_right_one_goes_on(signed_in: Driver) -> None:
    """The step that was refused is done again by itself once the password was taken."""
    driver = signed_in
    ready_to_release(driver)
    driver.fake.needs_step_up = True
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    dialog = dialog_of(driver, StepUpDialog)
    assert isinstance(dialog, StepUpDialog)
    driver.write("step_up_password", "not the password", dialog)
    driver.press("step_up_confirm", dialog)
    driver.settle()
    assert dialog.banner.what.text() == "The name or the password is wrong."
    assert driver.fake.releases() == []
    driver.write("step_up_password", PASSWORD, dialog)
    driver.press("step_up_confirm", dialog)
    driver.settle()
    assert [view.path.name for view in driver.fake.releases()] == ["out.png"]


def test_a_code_is_asked_for_where_there_is_a_second_factor(signed_in: Driver) -> None:
    """Signing in asks for the six digits only then, and keeps the password that was typed."""
    driver = signed_in
    driver.fake.members.factors.add("studio")
    driver.studio.accounts.logout()
    driver.settle()
    driver.write("account_password", PASSWORD)
    driver.press("account_sign_in")
    driver.settle()
    assert driver.banner().startswith("studio signs in with a code as well.")
    driver.write("account_code", "000000")
    driver.press("account_sign_in")
    driver.settle()
    assert driver.banner().startswith("The code is wrong")
    driver.write("account_code", CODE)
    driver.press("account_sign_in")
    driver.settle()
    assert driver.studio.accounts.is_open


def test_the_agreement_is_read_to_its_end_before_the_first_release(signed_in: Driver) -> None:
    """Accepting can be pressed only after the end was in sight; the release then goes on."""
    driver = signed_in
    ready_to_release(driver)
    driver.fake.needs_agreement = True
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    dialog = dialog_of(driver, AgreementDialog)
    driver.settle()
    assert not driver.find("agreement_accept", root=dialog).isEnabled()
    text = driver.find("agreement_text", root=dialog)
    assert isinstance(text, Reading)
    text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())
    driver.press("agreement_accept", dialog)
    driver.settle()
    assert driver.fake.casework.accepted == [("studio", "1")]
    assert len(driver.fake.releases()) == 1


def test_faces_of_a_crowd_are_named_one_by_one_and_kept(signed_in: Driver) -> None:
    """A picture of several faces offers to say who is who; what was said is shown the next time."""
    driver = signed_in
    crowd = draw_picture(driver.folder / "crowd.png")
    driver.consent("Grace", crowd)
    driver.window.show_page("workspace")
    driver.drop("workspace_source_drop", crowd)
    driver.settle()
    for _round in range(2):
        driver.press("workspace_source_who")
        driver.settle()
        combo = driver.find("faces_2", QComboBox)
        assert isinstance(combo, QComboBox)
        if _round == 0:
            assert combo.currentData() is None
            combo.setCurrentIndex(combo.findText("Grace"))
            driver.press("faces_save")
            driver.settle()
        else:
            assert combo.currentText() == "Grace"
            driver.press("faces_cancel")
    (said,) = driver.fake.assignments(crowd)
    assert (said.number, said.assigned_by, said.confirmed_by) == (2, "studio", None)


def test_work_at_the_window_is_told_and_a_lock_is_noticed(signed_in: Driver) -> None:
    """A key press keeps the session awake at the next look; keys locked meanwhile lead to the password."""
    driver = signed_in
    driver.window.on_look()
    driver.settle()
    before = driver.fake.members.active
    driver.window.on_look()
    driver.settle()
    assert driver.fake.members.active == before
    driver.qtbot.keyClicks(driver.window, "x")
    driver.window.on_look()
    driver.settle()
    assert driver.fake.members.active == before + 1
    driver.fake.lock()
    driver.window.on_look()
    driver.settle()
    assert driver.window.current == "account"
    assert driver.find("account_unlock").isEnabled()
