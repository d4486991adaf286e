"""The whole way through the window: pictures, consents, making, releasing, library, verify."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton

from engines.job import JobState
from studio.window.pages.people_page import PeoplePage
from studio.window.widgets.side_bar import ENTRIES
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver

# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_picture_without_consent_cannot_be_made_from_and_leads_to_the_wizard(signed_in: Driver) -> None:
    """The hint names the next step; its button opens the wizard with that picture."""
    driver = signed_in
    driver.set_bench()
    stray = draw_picture(driver.folder / "stray.png", (1, 2, 3))
    driver.drop("workspace_source_drop", stray)
    driver.settle()
    assert "No live consent covers this file." in driver.texts()
    assert not driver.find("workspace_make").isEnabled()
    driver.press("workspace_source_record")
    driver.settle()
    page = driver.window.pages["people"]
    assert isinstance(page, PeoplePage) and page.wizard is not None
    assert page.wizard.slot.path == stray
    page.wizard.reject()


def test_a_file_that_is_no_picture_and_one_without_a_face_are_refused_in_place(signed_in: Driver) -> None:
    """Both sentences stand under the picture."""
    driver = signed_in
    driver.window.show_page("workspace")
    driver.drop("workspace_source_drop", draw_picture(driver.folder / "broken.png"))
    driver.drop("workspace_target_drop", draw_picture(driver.folder / "noface.png"))
    driver.settle()
    assert driver.find("workspace_source_line").text().startswith("broken.png is not a picture")  # type: ignore[attr-defined]
    assert driver.find("workspace_target_line").text() == "No face was found in noface.png."  # type: ignore[attr-defined]
    assert not driver.find("workspace_make").isEnabled()


def test_a_session_that_ended_meanwhile_leads_back_to_the_account(signed_in: Driver) -> None:
    """The keys were locked elsewhere: a refused call leads to the page that asks for the password."""
    driver = signed_in
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    driver.fake.lock()
    driver.studio.people.withdraw(driver.fake.grants()[0], "")
    driver.settle()
    assert driver.window.current == "account"
    assert driver.find("account_unlock").isVisible()


def test_the_gate_refuses_a_consent_withdrawn_meanwhile(signed_in: Driver) -> None:
    """What was withdrawn elsewhere is refused on Make, and nothing can be released."""
    driver = signed_in
    driver.set_bench()
    driver.fake.withdraw_consent(driver.studio.bench.chosen_consents()[0])
    driver.press("workspace_make")
    driver.settle()
    assert driver.window.current == "make"
    assert driver.banner().startswith("No consent covers the person in the source picture")
    assert driver.studio.making.state is JobState.FAILED
    driver.window.show_page("release")
    assert "Nothing to release" in driver.texts()


def test_a_failed_job_says_what_happened(signed_in: Driver) -> None:
    """A Failed event becomes the sentences of its error."""
    driver = signed_in
    driver.fake.jobs_fail_with = "OutOfMemory"
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.state is JobState.FAILED)
    assert driver.banner().startswith("The memory did not suffice")


def test_an_existing_file_is_only_replaced_after_a_yes(signed_in: Driver) -> None:
    """The question comes first, keeping is its default, and No leaves the old bytes."""
    driver = signed_in
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    out = driver.folder / "out.png"
    out.write_bytes(b"old")
    driver.press("make_release")
    driver.write("release_folder", str(driver.folder))
    driver.write("release_name", out.name)
    driver.press("release_button")
    dialog = driver.find("overwrite_dialog")
    keep = driver.find("overwrite_keep", root=dialog)
    assert isinstance(keep, QPushButton) and keep.isDefault()
    driver.press("overwrite_keep", dialog)
    driver.settle()
    assert out.read_bytes() == b"old" and driver.fake.releases() == []
    driver.press("release_button")
    driver.press("overwrite_replace", driver.find("overwrite_dialog"))
    driver.settle()
    assert out.read_bytes() != b"old" and len(driver.fake.releases()) == 1


# --- the way through -------------------------------------------------------------------------------------------------


def test_drop_make_cancel(signed_in: Driver) -> None:
    """Esc stops a running job; nothing is left to release."""
    driver = signed_in
    driver.fake.hold_jobs = True
    driver.set_bench()
    assert driver.studio.bench.is_ready()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.stage == "finding faces")
    assert driver.window.current == "make"
    assert "Finding faces" in driver.texts()
    driver.until(lambda: driver.studio.making.running is not None)
    driver.qtbot.keyClick(driver.window.pages["make"], Qt.Key.Key_Escape)
    driver.until(lambda: driver.studio.making.state is JobState.CANCELLED)
    assert driver.banner().startswith("Stopped; nothing was released.")
    assert driver.fake.releases() == []


def test_cancel_before_the_job_was_taken_still_cancels(signed_in: Driver) -> None:
    """Stop pressed while the gate is still asked reaches the job once it is there."""
    driver = signed_in
    driver.fake.hold_jobs = True
    driver.set_bench()
    driver.press("workspace_make")
    driver.studio.making.cancel()
    driver.until(lambda: driver.studio.making.state is JobState.CANCELLED)


def test_make_release_library_verify(signed_in: Driver) -> None:
    """A released file stands in the library and verifies with five intact layers."""
    driver = signed_in
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    assert driver.find("make_preview").accessibleName() == "Labelled preview"
    driver.press("make_release")
    assert driver.find("release_label_text").text() == "AI生成 · AI-generated"  # type: ignore[attr-defined]
    driver.write("release_folder", str(driver.folder))
    name = driver.write("release_name", "picture")
    driver.qtbot.keyClick(name, Qt.Key.Key_Return)
    driver.settle()
    out = driver.folder / "picture.png"
    assert out.exists()
    assert driver.find("release_path").text() == str(out)  # type: ignore[attr-defined]
    driver.press("release_to_library")
    driver.settle()
    assert driver.find("library_list").count() == 1  # type: ignore[attr-defined]
    assert "With the consent of Grace, Eileen" in driver.texts()
    driver.press("library_verify")
    driver.settle()
    assert driver.find("verify_sentence").text().startswith("AI-generated or AI-edited")  # type: ignore[attr-defined]
    rows = [driver.find(f"layer_{layer}") for layer in ("explicit", "aigc", "iptc", "credential", "ledger")]
    assert [row.accessibleName().endswith(": intact") for row in rows] == [True] * 5


def test_verify_takes_any_file_signed_out_and_never_calls_absent_authentic(driver: Driver) -> None:
    """A dropped picture without labels: five rows absent, and the sentence says what that does not mean."""
    driver.window.show_page("verify")
    driver.drop("verify_drop", draw_picture(driver.folder / "plain.png"))
    driver.settle()
    assert driver.find("verify_sentence").text() == "No label was found. That does not make the file authentic."  # type: ignore[attr-defined]
    assert driver.find("layer_credential").accessibleName().endswith(": absent")


def test_a_file_that_is_gone_is_said_on_the_verify_page(driver: Driver) -> None:
    """Verify of a missing file is an error with its sentence."""
    driver.window.show_page("verify")
    driver.drop("verify_drop", driver.folder / "gone.png")
    driver.settle()
    assert driver.banner().startswith("There is no file at gone.png.")


def test_withdrawing_lists_what_must_be_taken_down(signed_in: Driver) -> None:
    """After a clear yes the consent is withdrawn, the releases are listed, and the library marks them."""
    driver = signed_in
    driver.set_bench()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    grant = driver.fake.grants()[0]
    driver.window.show_page("people")
    driver.studio.people.choose(grant.subject_id)
    driver.press(f"people_withdraw_{grant.id}")
    dialog = driver.find("withdraw_dialog")
    driver.press("withdraw_confirm", dialog)
    driver.settle()
    files = driver.find("take_down_list", root=driver.find("take_down_dialog"))
    assert "out.png" in files.item(0).text()  # type: ignore[attr-defined]
    driver.press("take_down_close", driver.find("take_down_dialog"))
    assert not driver.studio.bench.is_ready()
    driver.window.show_page("library")
    driver.settle()
    assert "take down: consent withdrawn" in driver.texts()


def test_several_faces_can_be_swapped_one_by_one_or_all(signed_in: Driver) -> None:
    """Three faces: the choice offers all and each by its number."""
    driver = signed_in
    driver.window.show_page("workspace")
    driver.drop("workspace_target_drop", draw_picture(driver.folder / "crowd.png"))
    driver.settle()
    faces = driver.find("workspace_face")
    assert isinstance(faces, QComboBox)
    assert [faces.itemText(row) for row in range(faces.count())] == ["all faces", "face 1", "face 2", "face 3"]
    faces.setCurrentIndex(2)
    assert driver.studio.bench.face == 2


def test_a_removed_picture_comes_back_with_undo(signed_in: Driver) -> None:
    """Ctrl+Z brings the picture and its consent back."""
    driver = signed_in
    source, _target = driver.set_bench()
    driver.press("workspace_source_remove")
    assert driver.studio.bench.slots["source"].path is None
    undo = driver.find("workspace_undo")
    assert isinstance(undo, QPushButton)
    assert undo.shortcut() == QKeySequence(QKeySequence.StandardKey.Undo)
    driver.press("workspace_undo")
    driver.settle()
    assert driver.studio.bench.slots["source"].path == source
    assert driver.studio.bench.is_ready()


def test_an_unticked_consent_is_not_used(signed_in: Driver) -> None:
    """A live consent for the file is ticked at first; unticking it closes Make."""
    driver = signed_in
    driver.set_bench()
    grant = driver.studio.bench.offers("source")[0]
    tick = driver.find(f"workspace_source_consent_{grant.id}", QCheckBox)
    assert isinstance(tick, QCheckBox) and tick.isChecked()
    tick.click()
    assert not driver.find("workspace_make").isEnabled()


def test_signing_out_forgets_names_and_pictures(signed_in: Driver) -> None:
    """Nothing of the one person is left for the next."""
    driver = signed_in
    driver.set_bench()
    driver.studio.accounts.logout()
    driver.settle()
    assert driver.studio.people.subjects == []
    assert driver.studio.bench.slots["source"].path is None
    assert driver.window.current == "account"


def test_shortcuts_lead_to_the_pages(signed_in: Driver) -> None:
    """Ctrl+1 to Ctrl+9 in the order of the side bar, and Ctrl+0."""
    driver = signed_in
    for number, name in enumerate(("account", *ENTRIES[:9])):
        entry = driver.find(f"side_{name}")
        assert isinstance(entry, QPushButton)
        assert entry.shortcut() == QKeySequence(f"Ctrl+{number}")
        entry.click()
        assert driver.window.current == name
