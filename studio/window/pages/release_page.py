"""Release: the label that will stand on the file, where it goes, and the one button that lets it out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QStackedWidget, QWidget

from compliance.errors import SignetError, TargetExists
from studio.text import _
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.widgets.basic import button, card, chip, column, empty_state, holder, label, named, row, short_digest
from studio.window.widgets.file_dialogs import choose_folder
from studio.window.widgets.picture_view import PictureView
from studio.window.widgets.ways_out import ReleasedView, WaysOut

if TYPE_CHECKING:
    from studio.workshop import ReleaseView

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".avif")


class OverwriteDialog(QDialog):
    """Asks before a file is replaced; keeping it is the default."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("overwrite_dialog")
        self.setWindowTitle(_("Replace the file?"))
        self.setMinimumWidth(460)
        keep = button("overwrite_keep", _("Keep the old file"))
        keep.setDefault(True)
        keep.clicked.connect(self.reject)
        replace = button("overwrite_replace", _("Replace"), "danger")
        replace.clicked.connect(self.accept)
        self.setLayout(
            column(
                label(_("{name} is already there.", name=path.name), "heading"),
                label(_("Replacing it cannot be undone."), "muted"),
                row(1, keep, replace),
                spacing=14,
                margins=24,
            )
        )
        keep.setFocus()


class ReleasePage(Page):
    """Nothing to release, the form, or the success."""

    name = "release"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("Release"),
            _("The file is labelled, signed, read back and checked before it appears. The label cannot be left out."),
        )
        self._model = studio.making
        self._label_text = ""
        self._faces = QStackedWidget()
        self._nothing = self._build_nothing()
        self._form = self._build_form()
        self._done = self._build_done()
        for face in (self._nothing, self._form, self._done):
            self._faces.addWidget(face)
        self.body.addWidget(self._faces, 1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self._model.released.connect(self.on_released)
        self._model.busy_changed.connect(self.on_busy_changed)
        self.on_changed()

    def _build_nothing(self) -> QWidget:
        onward = button("release_to_workspace", _("To the workspace"), "primary", "workspace")
        onward.clicked.connect(lambda: self.go.emit("workspace"))
        self._onward = onward
        state = empty_state(
            "release", _("Nothing to release"), _("Make a picture first; then it can be released here."), onward
        )
        return holder(column(state, 1))

    def _build_form(self) -> QWidget:
        self._view = PictureView(260)
        self._plate = label("", wrap=False)
        self._plate.setObjectName("release_label_text")
        self._plate.setProperty("plate", True)
        self._folder = named(QLineEdit(), "release_folder", _("Folder"))
        choose = button("release_choose", _("Choose folder..."), icon="folder")
        choose.clicked.connect(self.on_choose)
        self._name = named(QLineEdit(), "release_name", _("File name"))
        self._name.returnPressed.connect(self.on_release)
        self._button = button("release_button", _("Release"), "primary", "release")
        self._button.clicked.connect(self.on_release)
        back = button("release_back", _("Back"))
        back.clicked.connect(lambda: self.go.emit("make"))
        folder_line = row(self._folder, choose)
        folder_line.setStretch(0, 1)
        fields = column(
            label(_("This label will stand on it"), "strong"),
            row(self._plate, 1),
            label(
                _("With it go the AIGC field, the IPTC source type, a signed Content Credential and a ledger entry."),
                "small",
            ),
            label(_("Folder"), "strong"),
            folder_line,
            label(_("File name (.png, .jpg, .webp, .tif, .gif or .avif)"), "strong"),
            self._name,
            1,
            row(1, back, self._button),
            spacing=8,
        )
        both = row(self._view, holder(fields), spacing=22)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        return card(both, 20)

    def _build_done(self) -> QWidget:
        self._done_head = label(_("Released"), "heading", wrap=False)
        self._done_path = label("")
        self._done_path.setObjectName("release_path")
        self._done_facts = label("", "muted")
        self._ways = WaysOut("release")
        self._ways.refused.connect(self.banner.show_error)
        self._ways.told.connect(self.banner.show_message)
        library = button("release_to_library", _("To the library"), icon="library")
        library.clicked.connect(lambda: self.go.emit("library"))
        another = button("release_another", _("Make another"), "quiet")
        another.clicked.connect(lambda: self.go.emit(self._model.made_on))
        self._to_library = library
        self._done_view = ReleasedView(280)
        self._done_view.setObjectName("release_view")
        self._done_view.refused.connect(self.banner.show_error)
        texts = column(
            row(self._done_head, chip(_("labelled, signed, checked"), "ok"), 1),
            self._done_path,
            self._done_facts,
            1,
            row(self._ways, 1),
            row(library, another, 1),
        )
        both = row(self._done_view, holder(texts), spacing=22)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        return card(both, 20)

    def enter(self) -> None:
        """Propose a place and a name that is free."""
        if not self._label_text:
            self._label_text = self.studio.workshop.label_text()
            self._plate.setText(self._label_text)
        if self._model.is_releasable:
            folder = Path(self.studio.settings["release_folder"] or Path.home() / "Pictures")
            if not folder.is_dir():
                folder = Path.home()
            self._folder.setText(str(folder))
            self._name.setText(self._free_name(folder))
            self._button.setFocus()
        self.on_changed()

    def _free_name(self, folder: Path) -> str:
        stem = self._model.target.stem if self._model.target else "signet"
        number, name = 1, f"{stem}-signet.png"
        while (folder / name).exists():
            number += 1
            name = f"{stem}-signet-{number}.png"
        return name

    def out(self) -> Path:
        """Where the file will stand; .png when no ending is given."""
        name = self._name.text().strip()
        path = Path(self._folder.text().strip()).expanduser() / name
        return path if path.suffix.lower() in ENDINGS or path.suffix else path.with_name(f"{name}.png")

    def on_changed(self) -> None:
        """Show what can be released."""
        model = self._model
        if model.release_view is not None:
            self._show_done(model.release_view)
        elif model.is_releasable:
            self._view.show_picture(model.preview)
            self.default_button = self._button
            self._faces.setCurrentWidget(self._form)
        else:
            self.default_button = self._onward
            self._faces.setCurrentWidget(self._nothing)

    def _show_done(self, view: ReleaseView) -> None:
        self._done_path.setText(str(view.path))
        self._done_facts.setText(
            _(
                "Ledger entry {index}, SHA-256 {digest}",
                index=view.ledger_index,
                digest=short_digest(view.file_sha256),
            )
        )
        self._done_view.show_release(view, self._model.preview)
        self._ways.show_release(view, not self._model.preview.isNull())
        self.default_button = self._to_library
        self._faces.setCurrentWidget(self._done)

    def on_busy_changed(self, busy: bool) -> None:
        """One release at a time."""
        self._button.setEnabled(not busy)
        self._button.setText(_("Releasing...") if busy else _("Release"))

    def on_choose(self) -> None:
        """Ask for the folder."""
        if (chosen := choose_folder(self, _("Choose the folder"), self._folder.text())) is not None:
            self._folder.setText(chosen)

    def on_release(self) -> None:
        """Release; ask first when a file is in the way."""
        if not self._button.isEnabled() or not self._model.is_releasable:
            return
        self.banner.hide()
        if not self._name.text().strip():
            self.banner.show_message("danger", _("The file needs a name."), _("Enter one that ends in .png or .jpg."))
            self._name.setFocus()
        elif self.out().exists():
            self.ask_overwrite()
        else:
            self._release(overwrite=False)

    def ask_overwrite(self) -> None:
        """Replace the file only on a clear yes."""
        dialog = OverwriteDialog(self.out(), self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._release(overwrite=True))
        dialog.open()

    def _release(self, overwrite: bool) -> None:
        self._model.release(self.out(), overwrite)

    def on_failed(self, error: SignetError) -> None:
        """A file that came into the way meanwhile is asked about; anything else is said."""
        if self.isVisible() and isinstance(error, TargetExists):
            self.ask_overwrite()
        else:
            super().on_failed(error)

    def on_released(self, view: ReleaseView) -> None:
        """Remember the folder."""
        self.banner.hide()
        self.studio.settings.update({"release_folder": str(view.path.parent)})
