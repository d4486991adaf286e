"""The library: what was released, under which consents, and whether it still stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem

from studio.text import _
from studio.window import icons
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.widgets.basic import (
    button,
    card,
    chip,
    clear,
    column,
    empty_state,
    holder,
    label,
    moment,
    named,
    row,
    short_digest,
)
from studio.window.widgets.ways_out import ReleasedView, WaysOut
from studio.window.words import release_state

if TYPE_CHECKING:
    from studio.recipes import Recipe
    from studio.workshop import ReleaseView

ICON = QSize(84, 64)
GRID_ICON = QSize(128, 100)
LIST_WIDTH = 330


class LibraryPage(Page):
    """`verify_asked` carries the path of a release, `recalled` the recipe that the pictures page was filled with."""

    name = "library"
    verify_asked = Signal(object)
    recalled = Signal(object)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio, _("Library"), _("Every file that left this studio, with its entry in the ledger."))
        self._model = studio.library
        self._chosen: str | None = None
        self._list = named(QListWidget(), "library_list", _("Released files"))
        self._list.setIconSize(ICON)
        self._list.setFixedWidth(LIST_WIDTH)
        self._list.setMinimumHeight(320)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setDragEnabled(False)
        self._list.currentItemChanged.connect(self.on_current_changed)
        self._grid = button("library_grid", _("As a grid"), "quiet", "library")
        self._grid.setCheckable(True)
        self._grid.toggled.connect(self.on_grid)
        seal = button("library_to_sealing", _("Label other files..."), icon="sealing")
        seal.setToolTip(_("Media made by AI in another program"))
        seal.clicked.connect(lambda: self.go.emit("sealing"))
        self.head_actions.addWidget(self._grid)
        self.head_actions.addWidget(seal)
        self._detail = column(spacing=10)
        beside = row(self._list, holder(self._detail), spacing=18)
        beside.setStretch(1, 1)
        self._both = holder(beside)
        onward = button("library_to_workspace", _("To the workspace"), "primary", "workspace")
        onward.clicked.connect(lambda: self.go.emit("workspace"))
        self._empty = empty_state(
            "library", _("Nothing was released yet"), _("What you release will stand here with its labels."), onward
        )
        self.body.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self._both, 1)
        self._model.changed.connect(self.on_changed)
        self._model.thumbnail_changed.connect(self.on_thumbnail_changed)
        self._model.failed.connect(self.on_failed)
        studio.people.changed.connect(self.on_changed)
        self.on_changed()

    def enter(self) -> None:
        """Read anew."""
        if self.studio.accounts.is_open:
            self._model.refresh()

    def _release(self, release_id: str | None) -> ReleaseView | None:
        return next((release for release in self._model.releases if release.id == release_id), None)

    def state_of(self, release: ReleaseView) -> tuple[str, str]:
        """The word and chip kind of a release: a withdrawn consent or a missing file speak first."""
        withdrawn = {grant.id for grant in self.studio.people.grants if grant.state == "withdrawn"}
        if withdrawn & set(release.consents):
            return _("take down: consent withdrawn"), "danger"
        if release.id in self._model.missing:
            return _("file moved or deleted"), "warn"
        if release.id in self._model.altered:
            return _("file was changed since"), "danger"
        return release_state(release.state)

    def on_changed(self) -> None:
        """Show the list as it is now."""
        there = bool(self._model.releases)
        self._both.setVisible(there)
        self._empty.setVisible(not there)
        ids = [release.id for release in self._model.releases]
        if self._chosen not in ids:
            self._chosen = ids[0] if ids else None
        self._list.blockSignals(True)
        self._list.clear()
        for release in self._model.releases:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, release.id)
            self._fill(item, release)
            self._list.addItem(item)
            if release.id == self._chosen:
                self._list.setCurrentItem(item)
        self._list.blockSignals(False)
        self._show_detail()

    def _fill(self, item: QListWidgetItem, release: ReleaseView) -> None:
        word, _kind = self.state_of(release)
        is_grid = self._grid.isChecked()
        item.setText(release.path.name if is_grid else f"{release.path.name}\n{moment(release.created_at)}\n{word}")
        item.setToolTip(f"{release.path.name}\n{moment(release.created_at)}\n{word}")
        image = self._model.thumbnails.get(release.id)
        if image is not None:
            fitted = image.scaled(
                GRID_ICON * 2, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            item.setIcon(QIcon(QPixmap.fromImage(fitted)))
        else:
            item.setIcon(icons.icon("library", "muted"))

    def on_thumbnail_changed(self, release_id: str) -> None:
        """A thumbnail was read, or its file is not there."""
        for index in range(self._list.count()):
            item = self._list.item(index)
            release = self._release(item.data(Qt.ItemDataRole.UserRole))
            if release is not None and release.id == release_id:
                self._fill(item, release)
        if release_id == self._chosen:
            self._show_detail()

    def on_current_changed(self, item: QListWidgetItem | None) -> None:
        """Another file is looked at."""
        if item is not None:
            self._chosen = item.data(Qt.ItemDataRole.UserRole)
            self._show_detail()

    def _show_detail(self) -> None:
        clear(self._detail)
        self.default_button = None
        release = self._release(self._chosen)
        if release is None:
            return
        view = ReleasedView(200)
        view.setObjectName("library_view")
        view.refused.connect(self.banner.show_error)
        image = self._model.thumbnails.get(release.id)
        if image is not None:
            view.show_release(release, image)
        word, kind = self.state_of(release)
        names = {grant.id: self.studio.people.name_of(grant) for grant in self.studio.people.grants}
        consents = _(", ").join(dict.fromkeys(names.get(consent, consent) for consent in release.consents))
        verify = button("library_verify", _("Verify"), "primary", "verify")
        verify.clicked.connect(lambda: self.verify_asked.emit(release.path))
        ways = WaysOut("library", is_narrow=True)
        there = release.id not in self._model.missing | self._model.altered
        ways.show_release(release, image is not None, there)
        ways.refused.connect(self.banner.show_error)
        ways.told.connect(self.banner.show_message)
        again = button("library_again", _("Make another like it"))
        again.setToolTip(_("Fills the page 'Pictures' with the words, options and seed it was made with"))
        again.clicked.connect(lambda: self.on_again(release))
        again.setVisible(image is not None)
        self.default_button = verify
        body = column(
            view,
            row(label(release.path.name, "heading"), chip(word, kind)),
            label(_("Released on {when}", when=moment(release.created_at)), "muted"),
            label(_("With the consent of {names}", names=consents) if consents else _("It rests on no consent.")),
            label(
                _(
                    "Ledger entry {index}, SHA-256 {digest}",
                    index=release.ledger_index,
                    digest=short_digest(release.file_sha256),
                ),
                "small",
            ),
            row(verify, again, 1),
            row(ways, 1),
        )
        body.setStretch(0, 1)
        self._detail.addWidget(card(body, 18))

    def on_grid(self, is_grid: bool) -> None:
        """Large thumbnails beside each other, or lines with times."""
        mode, flow = QListView.ViewMode, QListView.Flow
        self._list.setViewMode(mode.IconMode if is_grid else mode.ListMode)
        self._list.setFlow(flow.LeftToRight if is_grid else flow.TopToBottom)
        self._list.setWrapping(is_grid)
        self._list.setMovement(QListView.Movement.Static)
        self._list.setResizeMode(QListView.ResizeMode.Adjust)
        self._list.setIconSize(GRID_ICON if is_grid else ICON)
        self._list.setGridSize(QSize(148, 158) if is_grid else QSize())
        self.on_changed()

    def on_again(self, release: ReleaseView) -> None:
        """Fill the pictures page with how this was made."""
        self._model.recall(release.id, self._recalled)

    def _recalled(self, recipe: Recipe | None) -> None:
        if recipe is None:
            self.banner.show_message("info", _("How this was made is not known here."))
        elif not self.studio.picturing.recall(recipe):
            self.banner.show_message("info", _("The engine or pack it was made with is not here."))
        else:
            self.go.emit("pictures")
            self.recalled.emit(recipe)
