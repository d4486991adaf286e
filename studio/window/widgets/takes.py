"""What came of it: how far a job is, then its labelled preview, and the other results in a row."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget

from studio.text import _, word
from studio.window.models.picturing import PicturingModel, Take
from studio.window.progress_words import left_text, stage_word
from studio.window.widgets.basic import button, card, chip, column, empty_state, label, named, row
from studio.window.widgets.picture_view import PictureView
from studio.window.widgets.work_parts import work_parts

ICON = QSize(72, 72)
TICK_MS = 500
VIEW_PX = 280


class TakesView(QWidget):
    """`release_asked` carries a Take. Nothing here can be copied or dragged: previews are for the eye."""

    release_asked = Signal(object)

    def __init__(self, model: PicturingModel) -> None:
        super().__init__()
        self._model = model
        self._empty = empty_state(
            "pictures", _("Your pictures will stand here"), _("Describe a scene on the left and press 'Make'.")
        )
        self._work = self._build_work()
        self._result = self._build_result()
        body = column(self._work, self._result, self._empty, spacing=14)
        body.setStretch(1, 1)
        body.setAlignment(self._empty, Qt.AlignmentFlag.AlignTop)
        self.setLayout(body)
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self.on_tick)
        model.changed.connect(self.on_changed)
        self.on_changed()

    def _build_work(self) -> QWidget:
        parts = work_parts("pictures", "pictures_stop", self._model.line.cancel)
        self._stage, self._bar, self._left, self._stop = parts
        foot = row(self._left, self._stop)
        foot.setStretch(0, 1)
        self.glimpse = PictureView(180)
        self.glimpse.setObjectName("pictures_glimpse")
        self.glimpse.setAccessibleName(_("Labelled preview of how far it is"))
        return card(column(self._stage, self.glimpse, self._bar, foot, spacing=12), 18)

    def _build_result(self) -> QWidget:
        self.view = PictureView(VIEW_PX)
        self.view.setObjectName("pictures_preview")
        self.view.setAccessibleName(_("Labelled preview"))
        self._facts = label("", "muted")
        self._facts.setObjectName("pictures_facts")
        self._state = chip("", "ok")
        self._list = named(QListWidget(), "pictures_takes", _("Results"))
        self._list.setViewMode(QListView.ViewMode.IconMode)
        self._list.setFlow(QListView.Flow.LeftToRight)
        self._list.setWrapping(False)
        self._list.setMovement(QListView.Movement.Static)
        self._list.setDragEnabled(False)
        self._list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setIconSize(ICON)
        self._list.setFixedHeight(ICON.height() + 62)
        self._list.currentRowChanged.connect(self.on_row)
        self._again = button("pictures_same_seed", _("Keep its seed"), "quiet")
        self._again.clicked.connect(self.on_same_seed)
        self._discard = button("pictures_discard", _("Discard"))
        self._discard.clicked.connect(self.on_discard)
        self._release = button("pictures_release", _("Release..."), "primary", "release")
        self._release.clicked.connect(self.on_release)
        note = label(_("The label in the preview will stand on the released file."), "muted")
        body = column(
            self.view,
            self._list,
            note,
            self._facts,
            row(self._again, self._state, 1, spacing=8),
            row(1, self._discard, self._release, spacing=8),
            spacing=10,
        )
        body.setStretch(0, 1)
        return card(body, 16)

    def on_changed(self) -> None:
        """Show the line and the results as they are now."""
        line, model = self._model.line, self._model
        ready = [take for take in model.takes if not take.preview.isNull()]
        self._work.setVisible(line.is_active)
        self._result.setVisible(bool(ready))
        self._empty.setVisible(not ready and not line.is_active)
        if line.is_active:
            job = line.current
            self._stop.setEnabled(not line.is_cancelling)
            self._bar.setRange(0, max(job.total, 0) if job is not None else 0)
            self._bar.setValue(job.done if job is not None else 0)
            self._stage.setText(self._stage_text())
            self._show_glimpse(job.running.glimpse if job is not None and job.running is not None else b"")
            if not self._clock.isActive():
                self._clock.start()
            self.on_tick()
        else:
            self._clock.stop()
        self._show_list(ready)
        if ready:
            self._show_take(model.shown if model.shown in ready else ready[-1])

    def _stage_text(self) -> str:
        line = self._model.line
        job = line.current
        if line.is_cancelling:
            return _("Stopping...")
        text = stage_word(job.stage) if job is not None and job.stage else _("Asking for permission...")
        text = text[:1].upper() + text[1:]
        more = len(line.waiting)
        return _("{stage} ({count} more wait)", stage=text, count=more) if more else text

    def _show_glimpse(self, png: bytes) -> None:
        """How far the picture has come, where the engine tells; the worker put the label on it."""
        image = QImage.fromData(png, "PNG") if png else QImage()
        self.glimpse.setVisible(not image.isNull())
        self.glimpse.show_picture(image)

    def _show_list(self, ready: list[Take]) -> None:
        shown = [self._list.item(place).data(Qt.ItemDataRole.UserRole) for place in range(self._list.count())]
        wanted = [(id(take), take.released is not None) for take in ready]
        self._list.setVisible(len(ready) > 1)
        self._list.blockSignals(True)
        if shown != wanted:
            self._list.clear()
            for take, mark in zip(ready, wanted, strict=True):
                item = QListWidgetItem(QIcon(QPixmap.fromImage(take.preview)), str(take.seed))
                item.setData(Qt.ItemDataRole.UserRole, mark)
                self._list.addItem(item)
        current = next((place for place, take in enumerate(ready) if take is self._model.shown), len(ready) - 1)
        self._list.setCurrentRow(current)
        self._list.blockSignals(False)

    def _show_take(self, take: Take) -> None:
        self.view.show_picture(take.preview)
        info = take.job.info
        facts = [_("Seed {seed}", seed=take.seed)]
        if info is not None:
            facts.insert(0, _("{width} x {height} pixels", width=info.width, height=info.height))
        lines = [_(", ").join(facts), *(word(warning) for warning in (info.warnings if info is not None else ()))]
        self._facts.setText("\n".join(lines))
        there = take.released is not None
        self._state.setVisible(there)
        self._state.setText(_("released"))
        self._release.setEnabled(not there)
        self._release.setToolTip(_("It stands in the library.") if there else "")

    def _shown(self) -> Take | None:
        ready = [take for take in self._model.takes if not take.preview.isNull()]
        return self._model.shown if self._model.shown in ready else (ready[-1] if ready else None)

    def on_row(self, place: int) -> None:
        """Another result."""
        ready = [take for take in self._model.takes if not take.preview.isNull()]
        if 0 <= place < len(ready):
            self._model.show(ready[place])

    def on_same_seed(self) -> None:
        """The next picture begins with the seed of this one."""
        if (take := self._shown()) is not None:
            self._model.set_seed(take.seed)

    def on_discard(self) -> None:
        """Let it go."""
        if (take := self._shown()) is not None:
            self._model.discard(take)

    def on_release(self) -> None:
        """To the release page."""
        if (take := self._shown()) is not None:
            self.release_asked.emit(take)

    def on_tick(self) -> None:
        """The forecast moves on between two events."""
        job = self._model.line.current
        self._left.setText("" if job is None or self._model.line.is_cancelling else left_text(job.seconds_left()))
