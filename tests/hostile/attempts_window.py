"""Attempts at the window: pictures of the screen, and the ways out of a file that was changed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.hostile.attempts import Ground, attempt
from tests.house.doors import DOORS

_GRABS = """
import sys
from pathlib import Path
import numpy as np
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from compliance.labels import explicit
from studio.window.app import make_application
from studio.window.widgets.picture_view import PictureView
from PySide6.QtCore import Qt

app = make_application()
image = QImage.fromData(Path("preview.bin").read_bytes(), "PNG")
measured = []
for width, height in ((400, 300), (640, 400), (900, 700), (1400, 900)):
    view = PictureView()
    view.show_picture(image)
    view.resize(width, height)
    view.show()
    app.processEvents()
    shot = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(shot.constBits(), np.uint8).reshape(shot.height(), shot.bytesPerLine())
    pixels = rows[:, : shot.width() * 3].reshape(shot.height(), shot.width(), 3)
    size = image.size().scaled(view.size(), Qt.AspectRatioMode.KeepAspectRatio)
    left, top = (shot.width() - size.width()) // 2, (shot.height() - size.height()) // 2
    shown = pixels[top : top + size.height(), left : left + size.width()].copy()
    measured.append(explicit.state(explicit.measure(shown)))
    view.close()
data = QGuiApplication.clipboard().mimeData()
print(" ".join(measured), "clipboard:", data.hasImage() or data.hasUrls() if data else False,
      "printing:", "PySide6.QtPrintSupport" in sys.modules)
"""


@attempt("preview: pictures of the screen", "the window's view grabbed at four sizes; clipboard and printing looked at")
def _grabs(ground: Ground, place: Path) -> str:
    running = ground.run()
    (place / "preview.bin").write_bytes(ground.workshop.preview(running, 1400))
    shell = ground.signet(place, (), program=[sys.executable, "-c", _GRABS])
    assert shell.code == 0, shell.err
    assert shell.out.split() == [*["intact"] * 4, "clipboard:", "False", "printing:", "False"], shell.out
    return "four views with the label, an empty clipboard, no printing"


_WAYS_OUT = """
import sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtPrintSupport import QPrinter
from compliance.errors import SignetError
from compliance.labels import explicit
from studio.window.app import make_application
from studio.window.widgets import ways_out

def state(image):
    shot = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(shot.constBits(), np.uint8).reshape(shot.height(), shot.bytesPerLine())
    pixels = rows[:, : shot.width() * 3].reshape(shot.height(), shot.width(), 3)
    return explicit.state(explicit.measure(pixels.copy()))

app = make_application()
release = SimpleNamespace(path=Path(sys.argv[1]), file_sha256=sys.argv[2])
ways_out.copy_release(release)
copied = QGuiApplication.clipboard().image()
sheet = QImage(1600, 1200, QImage.Format.Format_RGB32)
sheet.fill(0xffffffff)
painter = QPainter(sheet)
place = ways_out.paint_page(painter, QRectF(sheet.rect()), ways_out.released_image(release)).toRect()
painter.end()
said = [state(copied), state(sheet.copy(place))]
QGuiApplication.clipboard().clear()
for path in (Path(sys.argv[3]), Path("gone.png")):
    other = SimpleNamespace(path=path, file_sha256=release.file_sha256)
    printer = QPrinter()
    printer.setOutputFileName("printed.pdf")
    for way in (ways_out.copy_release, ways_out.file_data, lambda one: ways_out.print_on(printer, one)):
        try:
            way(other)
            said.append("out")
        except SignetError as error:
            said.append(type(error).__name__)
begun = []
ways_out.QDrag = lambda *_: begun.append("drag")
view = ways_out.ReleasedView()
view.show_release(None, copied)
view.drag()
view.show_release(SimpleNamespace(path=Path(sys.argv[3]), file_sha256=release.file_sha256), copied)
view.drag()
data = QGuiApplication.clipboard().mimeData()
print(*said, *begun, "clipboard:", data.hasImage() or data.hasUrls() if data else False)
"""


@attempt(
    "window: ways out of a changed file",
    "copy, drag and print when an unlabelled picture, or nothing, stands where the released one stood",
)
def _window_ways(ground: Ground, place: Path) -> str:
    released = ground.workshop.release(ground.run(), place / "a.png")
    mine = ground.plant(place / "mine.png")
    words = (str(released.path), released.file_sha256, str(mine))
    shell = ground.signet(place, words, program=[sys.executable, "-c", _WAYS_OUT])
    assert shell.code == 0, shell.err
    refused = [*["ReleaseChanged"] * 3, *["FileMissing"] * 3]
    assert shell.out.split() == [*["intact"] * 2, *refused, "clipboard:", "False"], shell.out
    assert not (place / "printed.pdf").exists()
    return "copied and printed with the label; all else refused"


@attempt("window: other ways out", "the window's code for drags, copies and printing outside the one place for them")
def _window_code(ground: Ground, place: Path) -> str:
    guarded = "studio/window/widgets/ways_out.py"
    ways = {
        way for file, doors in DOORS.items() if file.startswith("studio/window") and file != guarded for way in doors
    }
    forbidden = {"QDrag", "clipboard", "import PySide6.QtPrintSupport", "grab", "QPdfWriter"}
    assert not ways & forbidden, ways & forbidden
    return "none of them has a door"
