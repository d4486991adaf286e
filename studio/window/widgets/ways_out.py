"""How a released file leaves the window: onto the clipboard, dragged, printed. Previews have none of these.

Every way begins at the released, labelled file: its bytes are read anew and compared with the digest of the ledger.
What was changed since leaves by none of them.
"""

from __future__ import annotations

import atexit
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, QPoint, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDrag, QGuiApplication, QImage, QImageReader, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from compliance.errors import FileMissing, ReleaseChanged, SignetError
from studio.text import _
from studio.window.folders import show_folder_of
from studio.window.pictures import ALLOCATION_LIMIT_MIB
from studio.window.widgets.basic import button, column, row
from studio.window.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

    from studio.workshop import ReleaseView

DRAG_PX = 96
PAGE_SHARE = 0.94


def released_bytes(release: ReleaseView) -> bytes:
    """The bytes of a released file as they were released; raises FileMissing, ReleaseChanged."""
    try:
        data = Path(release.path).read_bytes()
    except OSError as error:
        raise FileMissing(path=release.path) from error
    if hashlib.sha256(data).hexdigest() != release.file_sha256:
        raise ReleaseChanged(path=release.path)
    return data


def released_image(release: ReleaseView) -> QImage:
    """The picture decoded from the released file; null for a kind that Qt does not read, or no picture at all."""
    data = released_bytes(release)
    QImageReader.setAllocationLimit(ALLOCATION_LIMIT_MIB)
    buffer = QBuffer()
    buffer.setData(data)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    return reader.read()


def file_data(release: ReleaseView) -> QMimeData:
    """The address of the released file, whole with all its labels; raises FileMissing, ReleaseChanged."""
    released_bytes(release)
    path = Path(release.path)
    beside = path.with_name(f"{path.name}.c2pa")
    data = QMimeData()
    # A credential that stands beside its file goes where the file goes.
    data.setUrls([QUrl.fromLocalFile(str(one)) for one in (path, beside) if one.is_file()])
    return data


def copy_release(release: ReleaseView) -> None:
    """Onto the clipboard: the file's address and, of a picture, its labelled pixels."""
    data = file_data(release)
    image = released_image(release)
    if not image.isNull():
        data.setImageData(image)
    QGuiApplication.clipboard().setMimeData(data)
    _copied.append(data)
    if len(_copied) == 1:
        QGuiApplication.instance().aboutToQuit.connect(let_go_of_clipboard)
        # A program that ends without leaving its event loop never hears aboutToQuit.
        atexit.register(let_go_of_clipboard)


# What this program has put on the clipboard; what lies there at the end may be somebody else's by then.
_copied: list[QMimeData] = []


def let_go_of_clipboard() -> None:
    """Take our copy off the clipboard before the program ends: Qt would free it after Python and end in a crash."""
    if _copied and QGuiApplication.instance() is not None:
        clipboard = QGuiApplication.clipboard()
        if clipboard.ownsClipboard() or clipboard.mimeData() is _copied[-1]:
            clipboard.clear()
    _copied.clear()


def paint_page(painter: QPainter, page: QRectF, image: QImage) -> QRectF:
    """The whole picture, as large as fits, in the middle of a page; returns where it stands."""
    room = QSize(round(page.width() * PAGE_SHARE), round(page.height() * PAGE_SHARE))
    size = image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
    place = QRectF(
        page.left() + (page.width() - size.width()) / 2,
        page.top() + (page.height() - size.height()) / 2,
        size.width(),
        size.height(),
    )
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, image)
    return place


def print_on(printer: QPrinter, release: ReleaseView) -> bool:
    """Print a released picture; False where nothing can be printed of it."""
    image = released_image(release)
    if image.isNull():
        return False
    painter = QPainter()
    if not painter.begin(printer):
        return False
    paint_page(painter, QRectF(painter.viewport()), image)
    return painter.end()


def ask_printer(parent: QWidget) -> QPrinter | None:
    """The printer somebody chooses; none that writes a file, since a file leaves by release alone."""
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    dialog = QPrintDialog(printer, parent)
    dialog.setWindowTitle(_("Print the picture"))
    dialog.setOption(QPrintDialog.PrintDialogOption.PrintToFile, False)
    accepted = dialog.exec() == QPrintDialog.DialogCode.Accepted
    return printer if accepted and not printer.outputFileName() else None


class ReleasedView(PictureView):
    """The picture of a release; dragged, it gives the address of the released file. `refused` carries an error."""

    refused = Signal(object)

    def __init__(self, minimum_height: int = 220) -> None:
        super().__init__(minimum_height)
        self._release: ReleaseView | None = None
        self._begun: QPoint | None = None

    def show_release(self, release: ReleaseView | None, image: QImage) -> None:
        """Show a release by a picture that was read from its file."""
        self._release = release
        self.show_picture(image)
        self.setToolTip(_("Drag it into another program: the labelled file goes along.") if release is not None else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin here."""
        self._begun = event.position().toPoint() if event.button() == Qt.MouseButton.LeftButton else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Far enough from where it began, it is a drag."""
        if self._begun is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        if (event.position().toPoint() - self._begun).manhattanLength() >= QApplication.startDragDistance():
            self._begun = None
            self.drag()

    def drag(self) -> None:
        """Offer the released file; nothing where it is gone or changed."""
        if self._release is None:
            return
        try:
            data = file_data(self._release)
        except SignetError as error:
            self.refused.emit(error)
            return
        drag = QDrag(self)
        drag.setMimeData(data)
        smooth = Qt.TransformationMode.SmoothTransformation
        if not self.image.isNull():
            small = self.image.scaled(QSize(DRAG_PX, DRAG_PX), Qt.AspectRatioMode.KeepAspectRatio, smooth)
            drag.setPixmap(QPixmap.fromImage(small))
        drag.exec(Qt.DropAction.CopyAction)


class WaysOut(QWidget):
    """Copy, print, show in folder. `refused` carries an error, `told` a kind of message, what, and a next step."""

    refused = Signal(object)
    told = Signal(str, str, str)

    def __init__(self, name: str, is_narrow: bool = False) -> None:
        super().__init__()
        self._release: ReleaseView | None = None
        self._copy = button(f"{name}_copy", _("Copy"), accessible_name=_("Copy the labelled picture and its file"))
        self._copy.clicked.connect(self.on_copy)
        self._print = button(f"{name}_print", _("Print..."), accessible_name=_("Print the labelled picture"))
        self._print.clicked.connect(self.on_print)
        self._folder = button(f"{name}_open_folder", _("Open folder"), icon="folder")
        self._folder.clicked.connect(self.on_folder)
        if is_narrow:
            self.setLayout(column(row(self._copy, self._print, 1, spacing=8), row(self._folder, 1), spacing=8))
        else:
            self.setLayout(row(self._copy, self._print, self._folder, spacing=8))

    def show_release(self, release: ReleaseView | None, is_picture: bool, is_there: bool = True) -> None:
        """What can be done with a release."""
        self._release = release
        self._copy.setEnabled(release is not None and is_there)
        self._print.setEnabled(release is not None and is_there and is_picture)

    def on_copy(self) -> None:
        """Onto the clipboard."""
        if self._release is None:
            return
        try:
            copy_release(self._release)
        except SignetError as error:
            self.refused.emit(error)
        else:
            self.told.emit("ok", _("Copied, with its label."), "")

    def on_print(self) -> None:
        """On paper."""
        release = self._release
        if release is None:
            return
        try:
            released_bytes(release)
            printer = ask_printer(self)
            if printer is not None and not print_on(printer, release):
                self.told.emit("warn", _("Nothing was printed."), _("Open the file in another program and print it."))
        except SignetError as error:
            self.refused.emit(error)

    def on_folder(self) -> None:
        """Where it stands."""
        if self._release is not None and not show_folder_of(self._release.path):
            self.told.emit("info", _("No file browser answered."), str(self._release.path.parent))
