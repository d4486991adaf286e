"""What a result is for, and of which faces: from the workspace to the plan that the gate is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit

from studio.window.pages.faces_dialog import FacesDialog
from studio.window.pictures import cut_face, read_thumbnail
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver


def set_crowds(driver: Driver) -> Path:
    """Three faces in source and target, with consents."""
    crowd = draw_picture(driver.folder / "crowd.png")
    driver.consent("Grace", crowd)
    driver.window.show_page("workspace")
    for role in ("source", "target"):
        driver.drop(f"workspace_{role}_drop", crowd)
    driver.settle()
    return crowd


def test_nothing_more_is_declared_unless_it_is_said(signed_in: Driver) -> None:
    """Shut, with the widest answers left unsaid; a consent for one country is not met by silence."""
    driver = signed_in
    driver.set_bench()
    assert not driver.window.findChildren(QLineEdit, "workspace_territory")[-1].isVisible()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    assert driver.fake.running is not None
    plan = driver.fake.running.plan
    assert (plan.declared_uses, plan.territory, plan.project, plan.source_face) == ((), "", "", 0)


def test_what_is_declared_reaches_the_plan(signed_in: Driver) -> None:
    """Uses, country, project and the numbers of the faces lent and edited."""
    driver = signed_in
    set_crowds(driver)
    driver.press("workspace_more")
    driver.press("workspace_use_political")
    driver.write("workspace_territory", "cn")
    driver.write("workspace_project", "Film 7")
    for name, number in (("workspace_source_face", 2), ("workspace_face", 3)):
        combo = driver.find(name, QComboBox)
        assert isinstance(combo, QComboBox)
        assert not combo.itemIcon(number).isNull(), "each number shows its face"
        combo.setCurrentIndex(number)
    toggle = driver.find("workspace_more", QAbstractButton)
    assert isinstance(toggle, QAbstractButton) and toggle.text() == "More (3)"
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    assert driver.fake.running is not None
    plan = driver.fake.running.plan
    assert (plan.declared_uses, plan.territory, plan.project) == (("political",), "CN", "Film 7")
    assert (plan.source_face, plan.face) == (2, 3)


@pytest.mark.parametrize("typed", ["China", "1", "C7"])
def test_a_country_that_is_no_code_stops_the_work_before_it_starts(signed_in: Driver, typed: str) -> None:
    """The line under the form says what a country is."""
    driver = signed_in
    driver.set_bench()
    driver.press("workspace_more")
    driver.write("workspace_territory", typed)
    assert not driver.find("workspace_make").isEnabled()
    assert any("a code of two letters" in text for text in driver.texts())
    driver.write("workspace_territory", "CN")
    assert driver.find("workspace_make").isEnabled()


def test_a_new_source_forgets_a_number_that_it_lacks(signed_in: Driver) -> None:
    """The number counts for the picture that it was said of."""
    driver = signed_in
    set_crowds(driver)
    driver.studio.bench.set_source_face(3)
    driver.studio.bench.set_picture("source", draw_picture(driver.folder / "grace.png"))
    driver.settle()
    assert driver.studio.bench.source_face == 0


def test_signing_out_forgets_what_was_declared(signed_in: Driver) -> None:
    """Nothing of it is there for the next person."""
    driver = signed_in
    set_crowds(driver)
    driver.studio.bench.set_use("political", True)
    driver.studio.bench.set_place("cn", "Film 7")
    driver.studio.accounts.logout()
    driver.settle()
    scope = driver.studio.bench.scope()
    assert (scope["declared_uses"], scope["territory"], scope["project"]) == ((), "", "")


def test_each_number_is_shown_with_its_face(signed_in: Driver) -> None:
    """In the list of who is who as in the wizard: a number alone says little in a small picture."""
    driver = signed_in
    set_crowds(driver)
    dialog = FacesDialog(driver.studio, driver.studio.bench.slots["source"], driver.window)
    driver.settle()
    shown = [one for one in dialog.findChildren(QLabel) if not one.pixmap().isNull()]
    assert len([one for one in shown if one.pixmap().width() == one.pixmap().height() == 80]) == 3
    dialog.reject()


def test_a_face_at_the_edge_is_cut_without_a_frame(driver: Driver) -> None:
    """The square of a face never leaves the picture."""
    picture = read_thumbnail(draw_picture(driver.folder / "grace.png"), 320)
    size = picture.image.size() * 2
    for box in ((0, 0, 100, 120), (600, 440, 200, 200), (220, 60, 200, 280)):
        cut = cut_face(picture.image, size, box, 56)
        assert (cut.width(), cut.height()) == (56, 56)
