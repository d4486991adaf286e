"""Members, cases and About: refusals first, then what each page does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDialog, QLabel, QLineEdit, QPlainTextEdit

from compliance.cases import CaseKind
from studio.window.pages.cases_page import AssignDialog, DecideDialog, OpenCaseDialog
from studio.window.pages.member_dialogs import AttestDialog, FactorDialog, PasswordDialog
from studio.window.widgets.reading import Reading
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import PASSWORD, Driver
from tests.studio.window.fake_parts import CODE


def in_front(driver: Driver, kind: type[QDialog]) -> QDialog:
    """The dialog of a kind that is open."""
    QApplication.processEvents()
    found = [one for one in driver.window.findChildren(kind) if one.isVisible()]
    assert found, f"no {kind.__name__}"
    return found[-1]


def sign_in_as(driver: Driver, name: str) -> None:
    """Another account of the home."""
    driver.fake.logout()
    driver.fake.login(name, PASSWORD)
    driver.studio.accounts.refresh()
    driver.settle()


def show(driver: Driver, page: str) -> None:
    """A page, read."""
    driver.window.show_page(page)
    driver.settle()


@pytest.fixture
def crew(signed_in: Driver) -> Driver:
    """Two accounts: the first is admin, the second has the role creator."""
    signed_in.fake.create_account("second", PASSWORD, "Li Na")
    signed_in.studio.accounts.refresh()
    signed_in.settle()
    return signed_in


def test_without_the_role_every_button_is_off_and_says_why(crew: Driver) -> None:
    """A creator can look at members and cases; what another role does is disabled with the role as the reason."""
    driver = crew
    case = driver.fake.casework.open_case(CaseKind.COMPLAINT, "It is not me.", account="studio")
    sign_in_as(driver, "second")
    show(driver, "members")
    for name in ("members_profile", "members_add", "members_role_reviewer", "members_attest", "members_rebind"):
        assert not driver.find(name).isEnabled(), name
        assert "admin" in driver.find(name).toolTip(), name
    show(driver, "cases")
    for name in ("cases_assign", "cases_decide"):
        assert not driver.find(name).isEnabled(), name
        assert driver.find(name).toolTip() == "This needs the role: reviewer."
    assert not driver.find("cases_appeal").isEnabled()
    show(driver, "about")
    assert not driver.find("about_save").isEnabled()
    assert driver.fake.casework.case(case.id).state == "open"


def test_a_refused_step_leaves_the_ticks_as_the_store_has_them(crew: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the window allows, the workshop decides: a tick that was refused is taken back."""
    driver = crew
    show(driver, "members")
    driver.fake.members.roles["studio"] = ("creator",)
    driver.press("members_role_reviewer")
    driver.settle()
    assert driver.banner().startswith("studio has no role that allows this")
    tick = driver.find("members_role_reviewer", QCheckBox)
    assert isinstance(tick, QCheckBox) and not tick.isChecked()


def test_a_role_is_given_by_two_people(crew: Driver) -> None:
    """The first asks and cannot confirm; the second confirms on the same page."""
    driver = crew
    show(driver, "members")
    driver.studio.members.choose("second")
    driver.settle()
    driver.press("members_role_reviewer")
    driver.settle()
    assert driver.banner().startswith("This waits for a second person.")
    assert driver.fake.members.roles["second"] == ("creator",)
    (proposal,) = driver.fake.members.proposals()
    confirm = driver.find(f"members_confirm_{proposal.id}")
    assert not confirm.isEnabled()
    assert confirm.toolTip() == "Whoever asked for it does not confirm it."
    sign_in_as(driver, "second")
    show(driver, "members")
    driver.press(f"members_confirm_{proposal.id}")
    driver.settle()
    assert driver.fake.members.roles["second"] == ("creator", "reviewer")
    assert driver.fake.members.proposals() == []


def test_the_times_of_the_home_are_chosen_by_an_admin(crew: Driver) -> None:
    """Several people on one machine get the shorter times."""
    driver = crew
    show(driver, "members")
    combo = driver.find("members_profile", QComboBox)
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    driver.settle()
    assert driver.fake.members.profile().name == "studio"


def test_a_second_factor_is_set_up_with_its_code_and_taken_away(signed_in: Driver) -> None:
    """A wrong code sets nothing up; the right one does, and the secret is not shown again."""
    driver = signed_in
    show(driver, "members")
    driver.press("members_factor")
    driver.settle()
    dialog = in_front(driver, FactorDialog)
    driver.write("factor_code", "000000", dialog)
    driver.press("factor_confirm", dialog)
    driver.settle()
    assert driver.fake.members.factors == set()
    driver.write("factor_code", CODE, dialog)
    driver.press("factor_confirm", dialog)
    driver.settle()
    assert driver.fake.members.factors == {"studio"}
    assert driver.find("members_factor").text() == "Take the second factor away"  # type: ignore[attr-defined]
    driver.press("members_factor")
    driver.settle()
    assert driver.fake.members.factors == set()


def test_a_person_seen_with_a_document_waits_for_the_second_one(crew: Driver) -> None:
    """The dialog needs a name; what it gives becomes a proposal, and the level comes with the confirmation."""
    driver = crew
    show(driver, "members")
    assert not driver.find("members_attest").isEnabled(), "nobody proves themselves"
    driver.studio.members.choose("second")
    driver.settle()
    driver.press("members_attest")
    dialog = in_front(driver, AttestDialog)
    assert not driver.find("attest_confirm", root=dialog).isEnabled()
    driver.write("attest_name", "Li Na", dialog)
    driver.press("attest_confirm", dialog)
    driver.settle()
    (proposal,) = driver.fake.members.proposals()
    assert (proposal.kind, proposal.account) == ("identity", "second")


def test_two_different_new_passwords_change_nothing(signed_in: Driver) -> None:
    """Typed twice the same, it is changed, and the session ends."""
    driver = signed_in
    show(driver, "members")
    driver.press("members_password")
    dialog = in_front(driver, PasswordDialog)
    driver.write("password_old", PASSWORD, dialog)
    driver.write("password_new", "another long one", dialog)
    driver.write("password_again", "another long on", dialog)
    driver.press("password_change", dialog)
    assert dialog.isVisible()
    driver.write("password_again", "another long one", dialog)
    driver.press("password_change", dialog)
    driver.settle()
    assert driver.fake.is_password("studio", "another long one")
    assert not driver.studio.accounts.is_open


def test_a_case_is_opened_assigned_and_decided_with_a_measure(crew: Driver) -> None:
    """An empty text opens nothing; who opened it does not decide it; a limit carries its day and its number."""
    driver = crew
    driver.fake.members.roles["second"] = ("creator", "reviewer")
    show(driver, "cases")
    assert "No case is open" in driver.texts()
    driver.press("cases_open")
    dialog = in_front(driver, OpenCaseDialog)
    assert isinstance(dialog, OpenCaseDialog)
    assert not driver.find("case_open_confirm", root=dialog).isEnabled()
    text = driver.find("case_open_text", QPlainTextEdit, dialog)
    assert isinstance(text, QPlainTextEdit)
    text.setPlainText("This is not me.")
    account = driver.find("case_open_account", QComboBox, dialog)
    assert isinstance(account, QComboBox)
    account.setCurrentText("studio")
    driver.press("case_open_confirm", dialog)
    driver.settle()
    (case,) = driver.fake.casework.cases()
    assert (case.kind, case.account) == ("complaint", "studio")
    sign_in_as(driver, "second")
    show(driver, "cases")
    driver.press("cases_assign")
    assign = in_front(driver, AssignDialog)
    driver.press("case_assign_confirm", assign)
    driver.settle()
    assert driver.fake.casework.case(case.id).state == "assigned"
    driver.press("cases_decide")
    decide = in_front(driver, DecideDialog)
    assert isinstance(decide, DecideDialog)
    reason = driver.find("case_decide_text", QPlainTextEdit, decide)
    assert isinstance(reason, QPlainTextEdit)
    reason.setPlainText("It is so.")
    driver.press("case_decide_upheld", decide)
    measure = driver.find("case_decide_measure", QComboBox, decide)
    assert isinstance(measure, QComboBox)
    measure.setCurrentIndex(measure.findData("limit"))
    QApplication.processEvents()
    answers = decide.answers()
    assert answers["upheld"] and answers["until"] is not None and answers["releases_a_day"] == 0
    driver.press("case_decide_confirm", decide)
    driver.settle()
    decided = driver.fake.casework.case(case.id)
    assert (decided.state, decided.decision, decided.measure) == ("decided", "upheld", "limit")


def test_a_late_case_is_marked_and_a_report_is_written(signed_in: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overdue stands in the list; an admin writes the pack for the authority as two files."""
    driver = signed_in
    case = driver.fake.casework.open_case(CaseKind.REVIEW, "A hit.")
    driver.fake.casework.make_overdue(case.id)
    show(driver, "cases")
    assert "overdue" in driver.texts()
    out = driver.folder / "case.json"
    monkeypatch.setattr("studio.window.pages.cases_page.choose_out", lambda *_: out)
    driver.press("cases_report")
    driver.settle()
    assert driver.banner().startswith("The report pack is written.")
    assert out.exists() and out.with_suffix(".pdf").exists()


def test_about_can_be_read_signed_out_and_changed_by_an_admin_only(driver: Driver) -> None:
    """Signed out the fields are read only; an operator without a name is refused; a whole one is kept."""
    show(driver, "about")
    assert driver.window.current == "about"
    name = driver.find("about_name", QLineEdit)
    assert isinstance(name, QLineEdit) and name.isReadOnly()
    assert not driver.find("about_accept").isEnabled()
    driver.window.show_page("account")
    driver.sign_up()
    show(driver, "about")
    driver.press("about_save")
    driver.settle()
    assert driver.banner().startswith("The operator's name cannot be used")
    driver.write("about_name", "Lin Wei")
    driver.press("about_agreement")
    driver.press("about_save")
    driver.settle()
    operator = driver.fake.casework.operator()
    assert operator is not None and (operator.name, operator.agreement) == ("Lin Wei", True)
    text = driver.find("about_agreement_text", Reading)
    assert isinstance(text, Reading)
    text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())
    driver.press("about_accept")
    driver.settle()
    assert driver.fake.casework.accepted == [("studio", "1")]


def test_a_code_of_a_receipt_withdraws_signed_out(signed_in: Driver) -> None:
    """A wrong code is refused; the right one withdraws without an account and says what to take down."""
    driver = signed_in
    grant_id = driver.consent("Grace", draw_picture(driver.folder / "grace.png"))
    driver.studio.accounts.logout()
    driver.settle()
    show(driver, "about")
    driver.write("about_withdraw_code", "0000-0000-0000-0000")
    driver.press("about_withdraw")
    driver.settle()
    assert driver.banner() != ""
    driver.write("about_withdraw_code", driver.fake.codes[grant_id])
    driver.press("about_withdraw")
    driver.settle()
    assert driver.fake.grants()[0].state == "withdrawn"
    assert any(isinstance(one, QLabel) and one.text() == "The consent is withdrawn." for one in _labels())
    driver.press("take_down_close", _open_dialog())


def _labels() -> list[QLabel]:
    return [one for top in QApplication.topLevelWidgets() for one in top.findChildren(QLabel) if one.isVisible()]


def _open_dialog() -> QDialog:
    return next(one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible())


def test_evidence_is_approved_by_a_second_person_only(crew: Driver) -> None:
    """Who recorded it cannot press the button; another consent officer can."""
    driver = crew
    picture = draw_picture(driver.folder / "grace.png")
    person = driver.fake.add_subject("Grace")
    grant = driver.fake.record_consent(person.id, picture, ("film",), date.today(), date.today(), Path(picture))
    show(driver, "people")
    button = driver.find(f"people_approve_{grant.id}")
    assert not button.isEnabled() and "recorded" in button.toolTip()
    driver.fake.members.roles["second"] = ("consent_officer",)
    sign_in_as(driver, "second")
    show(driver, "people")
    driver.press(f"people_approve_{grant.id}")
    driver.settle()
    assert driver.fake.grants()[0].approved_by == "second"
