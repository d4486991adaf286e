"""Every way a released picture leaves the window: labelled pixels arrive, or nothing does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from compliance.errors import FileMissing, ReleaseChanged
from compliance.labels import explicit
from studio.label_look import sample_label
from studio.settings import Settings
from studio.window.widgets import ways_out
from studio.window.widgets.picture_view import PictureView
from studio.window.widgets.ways_out import (
    ReleasedView,
    copy_release,
    file_data,
    let_go_of_clipboard,
    paint_page,
    print_on,
)
from studio.workshop import ReleaseView, Workshop
from tests.studio.test_pictures import finish
from tests.studio.window.conftest import Driver

SCENE = {"prompt": "a red sunset over mountains and a lake", "width": 640, "height": 448}


@pytest.fixture(scope="module")
def released(studio_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ReleaseView, bytes]:
    """A real release, and the preview that was shown before."""
    import shutil

    from tests.compliance.home import PASSWORD

    place = tmp_path_factory.mktemp("ways")
    shutil.copytree(studio_folder, place / "home")
    with Workshop(place / "home", "own", None) as workshop:
        workshop.unlock(PASSWORD)
        running = finish(workshop, workshop.plan_picture("picture.sketch", SCENE, seed=5))
        preview = workshop.preview(running)
        return workshop.release(running, place / "sunset.png"), preview


def pixels_of(image: QImage) -> Any:
    """RGB, (height, width, 3)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : plain.width() * 3].reshape(plain.height(), plain.width(), 3).copy()


def is_labelled(image: QImage) -> bool:
    """Whether the measure that lets files out finds the whole label."""
    return explicit.state(explicit.measure(pixels_of(image))) == "intact"


def moved_to(release: ReleaseView, path: Path, data: bytes) -> ReleaseView:
    """The same entry of the ledger with another file under its name."""
    from dataclasses import replace

    path.write_bytes(data)
    return replace(release, path=path)


def test_a_changed_or_missing_file_leaves_by_no_way(
    released: tuple[ReleaseView, bytes], tmp_path: Path, qapp: QApplication
) -> None:
    """An unlabelled picture under the name of a release: neither copied, nor dragged, nor printed."""
    view, _preview = released
    bare = QImage(640, 448, QImage.Format.Format_RGB32)
    bare.fill(Qt.GlobalColor.gray)
    assert bare.save(str(tmp_path / "bare.png")) and not is_labelled(bare)
    false = moved_to(view, tmp_path / "false.png", (tmp_path / "bare.png").read_bytes())
    gone = moved_to(view, tmp_path / "gone.png", b"")
    gone.path.unlink()
    QGuiApplication.clipboard().setText("before")
    printer = QPrinter()
    printer.setOutputFileName(str(tmp_path / "out.pdf"))
    for one, error in ((false, ReleaseChanged), (gone, FileMissing)):
        for way in (copy_release, file_data, lambda release: print_on(printer, release)):
            with pytest.raises(error):
                way(one)
        shown = ReleasedView()
        refused: list[object] = []
        shown.refused.connect(refused.append)
        shown.show_release(one, bare)
        shown.drag()
        assert [type(found) for found in refused] == [error]
    assert QGuiApplication.clipboard().text() == "before" and not (tmp_path / "out.pdf").exists()


def test_a_file_is_no_printer(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialog offers no printing into a file, and a printer that is one all the same is not taken."""
    from PySide6.QtPrintSupport import QPrintDialog

    seen: list[bool] = []

    def accept(dialog: QPrintDialog) -> int:
        seen.append(dialog.testOption(QPrintDialog.PrintDialogOption.PrintToFile))
        dialog.printer().setOutputFileName("sneaked.pdf")
        return int(QPrintDialog.DialogCode.Accepted)

    monkeypatch.setattr(QPrintDialog, "exec", accept)
    parent = PictureView()
    qtbot.addWidget(parent)
    assert ways_out.ask_printer(parent) is None
    assert seen == [False]


def test_a_preview_offers_no_way_and_carries_the_label(
    released: tuple[ReleaseView, bytes], monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    """A view without a release drags nothing; what a screenshot of the window gets of it has the label in it."""
    begun: list[object] = []
    monkeypatch.setattr(ways_out.QDrag, "exec", lambda drag, _action: begun.append(drag))
    image = QImage.fromData(QByteArray(released[1]), "PNG")
    shown = ReleasedView()
    qtbot.addWidget(shown)
    shown.resize(QSize(640, 448))
    shown.show_release(None, image)
    QTest.mousePress(shown, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    QTest.mouseMove(shown, QPoint(250, 150))
    shown.drag()
    assert begun == []
    assert is_labelled(image) and is_labelled(shown.grab().toImage())


def test_a_copied_picture_is_labelled(released: tuple[ReleaseView, bytes], qapp: QApplication) -> None:
    """The clipboard holds the pixels of the released file, and its address."""
    view, _preview = released
    copy_release(view)
    data = QGuiApplication.clipboard().mimeData()
    assert is_labelled(QGuiApplication.clipboard().image())
    (address,) = data.urls()
    assert Path(address.toLocalFile()).read_bytes() == view.path.read_bytes()
    let_go_of_clipboard()
    assert QGuiApplication.clipboard().image().isNull()


_COPY_AND_END = """
import sys
from pathlib import Path
from types import SimpleNamespace
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from studio.window.widgets.ways_out import copy_release
app = QApplication([])
copy_release(SimpleNamespace(path=Path(sys.argv[1]), file_sha256=sys.argv[2]))
if sys.argv[3] == "quit":
    QTimer.singleShot(0, app.quit)
    app.exec()
"""


@pytest.mark.parametrize("end", ["quit", "without its event loop"])
def test_the_program_ends_well_after_a_copy(released: tuple[ReleaseView, bytes], end: str) -> None:
    """What lies on the clipboard does not outlive the program that put it there and take it down."""
    view, _preview = released
    words = [sys.executable, "-c", _COPY_AND_END, str(view.path), view.file_sha256, end]
    assert subprocess.run(words, check=False, timeout=60).returncode == 0


def test_a_dragged_picture_is_the_released_file(
    released: tuple[ReleaseView, bytes], monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    """What arrives is the address of the file and nothing else; the picture under the pointer is labelled too."""
    view, preview = released
    begun: list[Any] = []

    def taken(drag: Any, _action: object) -> None:
        begun.append((drag.mimeData().urls(), drag.mimeData().formats(), drag.pixmap().isNull()))

    monkeypatch.setattr(ways_out.QDrag, "exec", taken)
    shown = ReleasedView()
    qtbot.addWidget(shown)
    shown.show_release(view, QImage.fromData(QByteArray(preview), "PNG"))
    shown.drag()
    ((urls, formats, _is_bare),) = begun
    assert [Path(url.toLocalFile()) for url in urls] == [view.path] and formats == ["text/uri-list"]
    assert is_labelled(QImage(str(Path(urls[0].toLocalFile()))))


def test_a_credential_that_stands_beside_goes_along(released: tuple[ReleaseView, bytes], tmp_path: Path) -> None:
    """Of formats without room for it, the file and NAME.c2pa are one."""
    view = moved_to(released[0], tmp_path / "a.png", released[0].path.read_bytes())
    (tmp_path / "a.png.c2pa").write_bytes(b"credential")
    names = [Path(url.toLocalFile()).name for url in file_data(view).urls()]
    assert names == ["a.png", "a.png.c2pa"]


@pytest.mark.parametrize("page", [QSize(900, 1270), QSize(1270, 900), QSize(700, 700)])
def test_a_printed_picture_is_labelled(released: tuple[ReleaseView, bytes], page: QSize) -> None:
    """On pages of any shape the whole picture is printed, with its label in one piece."""
    sheet = QImage(page, QImage.Format.Format_RGB32)
    sheet.fill(Qt.GlobalColor.white)
    painter = QPainter(sheet)
    place = paint_page(painter, QRectF(sheet.rect()), ways_out.released_image(released[0]))
    painter.end()
    printed = sheet.copy(place.toRect())
    assert QRectF(sheet.rect()).contains(place) and is_labelled(printed)


def test_the_thumbnails_of_the_library_come_from_the_released_file(inside: Driver, qapp: QApplication) -> None:
    """None is written anywhere; a file that was changed shows none, and says so."""
    driver = inside
    driver.window.show_page("pictures")
    driver.settle()
    picturing = driver.studio.picturing
    picturing.set_value("prompt", "a lake")
    picturing.start()
    driver.until(lambda: not picturing.line.is_active)
    driver.settle()
    before = {path for path in driver.fake.home.rglob("*") if path.is_file()}
    assert picturing.hand_over(picturing.takes[0])
    driver.studio.making.release(driver.folder / "lake.png", False)
    driver.settle()
    driver.window.show_page("library")
    driver.settle()
    assert len(driver.studio.library.thumbnails) == 1
    assert {path for path in driver.fake.home.rglob("*") if path.is_file()} == before
    driver.press("library_copy")
    assert driver.banner() == "Copied, with its label."
    (driver.folder / "lake.png").write_bytes(b"something else")
    driver.press("library_copy")
    assert "was changed after it was released" in driver.banner()
    driver.studio.library.forget()
    driver.studio.library.refresh()
    driver.settle()
    assert driver.studio.library.thumbnails == {} and "file was changed since" in driver.texts()
    assert not driver.find("library_copy").isEnabled()


@pytest.mark.parametrize("style", ["standard", "light", "dark", "large", "eu", "no such style"])
def test_every_look_of_the_label_is_a_whole_label(tmp_path: Path, style: str) -> None:
    """The live picture is measured like a release; a name that is not known is the standard."""
    settings = Settings(tmp_path)
    if style != "no such style":
        settings.update({"label_style": style, "label_jurisdiction": "EU"})
    width, height, data = sample_label(settings.label())
    pixels = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    assert explicit.state(explicit.measure(pixels)) == "intact"
