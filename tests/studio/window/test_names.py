"""Every interactive widget has a name for tests and a name for screen readers."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QCalendarWidget,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QWidget,
)

from studio.window.pages.release_page import ReleasePage
from studio.window.pages.withdraw_dialog import TakeDownDialog, WithdrawDialog
from studio.window.widgets.drop_frame import DropFrame
from tests.studio.fake_workshop import draw_picture
from tests.studio.window.conftest import Driver, wizard_steps
from tests.studio.window.test_language import fill_home, trust_dialogs

KINDS = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractSlider, QAbstractItemView, DropFrame)


def _is_part(widget: QWidget) -> bool:
    """Whether Qt made it as a part of a named widget (popup list, calendar, scroll bar, a spin box's own field)."""
    if isinstance(widget, QScrollBar) or widget.objectName().startswith(("qt_", "__qt")):
        return True
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox | QAbstractSpinBox | QCalendarWidget):
            return True
        parent = parent.parentWidget()
    return False


def nameless(root: QWidget) -> list[str]:
    """Interactive widgets under root that lack a name."""
    found = [widget for kind in KINDS for widget in root.findChildren(kind) if not _is_part(widget)]
    return [
        f"{type(widget).__name__} {widget.objectName()!r} {widget.accessibleName()!r}"
        for widget in found
        if not widget.objectName() or not widget.accessibleName().strip()
    ]


def test_a_widget_without_names_is_found(driver: Driver) -> None:
    """The guard sees a nameless button."""
    QWidgetButton = type("QWidgetButton", (QAbstractButton,), {"paintEvent": lambda self, event: None})
    button = QWidgetButton(driver.window)
    assert len(nameless(driver.window)) == 1
    button.setParent(None)


def test_every_page_and_dialog_names_its_widgets(driver: Driver) -> None:
    """All pages, empty and filled, the wizard's steps and the dialogs."""
    assert nameless(driver.window) == []
    driver.sign_up()
    for name in driver.window.pages:
        driver.window.show_page(name)
        driver.settle()
        assert nameless(driver.window) == [], name
    source, target = driver.set_bench()
    fill_home(driver, source)
    for name in driver.window.pages:
        driver.window.show_page(name)
        driver.settle()
        assert nameless(driver.window) == [], name
    driver.window.show_page("workspace")
    driver.drop("workspace_target_drop", draw_picture(driver.folder / "stray.png", (9, 9, 9)))
    driver.settle()
    assert nameless(driver.window) == []
    driver.drop("workspace_target_drop", target)
    driver.settle()
    driver.press("workspace_make")
    driver.until(lambda: driver.studio.making.is_releasable)
    driver.window.show_page("release")
    assert nameless(driver.window) == []
    driver.studio.making.release(driver.folder / "out.png", False)
    driver.settle()
    for name in ("release", "library", "people", "account"):
        driver.window.show_page(name)
        driver.settle()
        assert nameless(driver.window) == [], name
    for picture in (source, draw_picture(driver.folder / "crowd.png")):
        for wizard in wizard_steps(driver, picture):
            assert nameless(wizard) == []
    release = driver.window.pages["release"]
    assert isinstance(release, ReleasePage)
    dialogs = (WithdrawDialog("Grace", "private use"), TakeDownDialog("Grace", driver.fake.releases()))
    for dialog in (*dialogs, *trust_dialogs(driver)):
        driver.qtbot.addWidget(dialog)
        assert nameless(dialog) == []


def test_names_are_used_once_on_a_page(signed_in: Driver) -> None:
    """Two widgets of one name could not be told apart."""
    signed_in.set_bench()
    for name, page in signed_in.window.pages.items():
        names = [one.objectName() for kind in KINDS for one in page.findChildren(kind) if not _is_part(one)]
        assert sorted(names) == sorted(set(names)), name
