"""Verify: what labels any files carry and what that rests on; works signed out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QWidget

from compliance.errors import TargetExists
from studio.text import _, word
from studio.window import icons
from studio.window.models.checking import Check
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.widgets.basic import button, card, chip, clear, column, holder, label, moment, named, row
from studio.window.widgets.drop_frame import DropFrame
from studio.window.widgets.evidence import trust_word
from studio.window.widgets.file_dialogs import choose_out
from studio.window.widgets.layer_rows import layer_rows, verdict_kind, verdict_word
from studio.window.widgets.picture_view import PictureView

DROP_HEIGHT = 118
VIEW_WIDTH = 260
LIST_PX = 190
MOST_MARKS = 6


@dataclass(frozen=True)
class _Plate:
    """The drawn label, as a box on the picture."""

    box: tuple[int, int, int, int]
    number: int = 0


class VerifyPage(Page):
    """Drop files; read their layers with what they rest on. Several files stand in a table."""

    name = "verify"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio, _("Verify"), _("Reads the labels of pictures, sounds, videos and documents. Nothing is sent.")
        )
        self._model = studio.checking
        self._drop = DropFrame("verify_drop", _("Files to verify"), _("Files to verify"), _("All files (*)"))
        self._drop.takes_many = True
        self._drop.setMinimumHeight(DROP_HEIGHT)
        self._drop.setMaximumHeight(DROP_HEIGHT)
        self._drop.files_given.connect(self.check_all)
        arrow = QLabel()
        arrow.setPixmap(icons.pixmap("verify", "accent", 32))
        hint = label(_("Drop files here, or click to choose"), "muted", wrap=False)
        choose = button("verify_choose", _("Choose files..."), "primary", "folder")
        choose.clicked.connect(self._drop.choose)
        self.default_button = choose
        inside = row(1, arrow, hint, choose, 1, spacing=16)
        inside.setContentsMargins(16, 10, 16, 10)
        self._drop.setLayout(inside)
        self._export = button("verify_export", _("Save report..."), "quiet")
        self._export.clicked.connect(self.on_export)
        self.head_actions.addWidget(self._export)
        self._counts = label("", "muted")
        self._counts.setObjectName("verify_counts")
        self._list = named(QListWidget(), "verify_list", _("Checked files"))
        self._list.setFixedHeight(LIST_PX)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.currentRowChanged.connect(self.on_row)
        self._table = holder(column(self._counts, self._list, spacing=6))
        self._result = column(spacing=10)
        self.body.addWidget(self._drop)
        self.body.addWidget(self._table)
        self.body.addWidget(holder(self._result))
        self.body.addStretch(1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self._model.written.connect(self.on_written)
        self.on_changed()

    def check(self, path: Path) -> None:
        """Check one file."""
        self.check_all([path])

    def check_all(self, paths: list[Path]) -> None:
        """Check files in place of those before."""
        self.banner.hide()
        self._model.check_all(paths)

    def on_changed(self) -> None:
        """Show the table and the report of the file that is looked at."""
        self._show_table()
        clear(self._result)
        check = self._model.chosen
        self._export.setEnabled(any(one.report is not None for one in self._model.checks))
        if check is None:
            return
        if check.report is None:
            if check.error is None:
                self._result.addWidget(label(_("Reading {name}...", name=check.path.name), "muted"))
            return
        self._result.addWidget(self._verdict(check))
        if (refuted := self._refuted(check)) is not None:
            self._result.addWidget(refuted)
        self._result.addLayout(self._layers(check))

    def _show_table(self) -> None:
        checks = self._model.checks
        self._table.setVisible(len(checks) > 1)
        counts = self._model.counts()
        left = len(checks) - sum(counts.values()) - sum(one.error is not None for one in checks)
        parts = [f"{verdict_word(verdict)}: {count}" for verdict, count in counts.items()]
        self._counts.setText(_(", ").join([*parts, *([_("still to read: {count}", count=left)] if left else [])]))
        self._list.blockSignals(True)
        if self._list.count() != len(checks):
            self._list.clear()
            for check in checks:
                self._list.addItem(QListWidgetItem(check.path.name))
        for place, check in enumerate(checks):
            item = self._list.item(place)
            said = verdict_word(check.report.verdict) if check.report is not None else _("not read yet")
            if check.error is not None:
                said = _("cannot be read")
            item.setText(f"{check.path.name}    {said}")
            kind = verdict_kind(check.report.verdict) if check.report is not None else "muted"
            shape = {"ok": "intact", "warn": "absent", "muted": "unchecked"}.get(kind, "damaged")
            item.setIcon(QIcon(QPixmap(icons.pixmap(shape, kind))))
            if check is self._model.chosen:
                self._list.setCurrentRow(place)
        self._list.setIconSize(QSize(20, 20))
        self._list.blockSignals(False)

    def _verdict(self, check: Check) -> QFrame:
        report = check.report
        assert report is not None, "shown once it is there"
        sentence = label(_(report.sentence), "heading")
        sentence.setObjectName("verify_sentence")
        texts = column(label(check.path.name, "strong"), sentence, spacing=4)
        for mark in report.foreign[:MOST_MARKS]:
            said = ", ".join(str(mark[name])[:120] for name in ("program", "detail") if mark.get(name))
            texts.addWidget(label(_("Mark of another maker: {mark}", mark=said or str(mark.get("kind", ""))), "muted"))
        picture = QLabel()
        kind = verdict_kind(report.verdict)
        name = {"ok": "intact", "warn": "absent"}.get(kind, "damaged")
        picture.setPixmap(icons.pixmap(name, kind, 36))
        head = row(picture, texts, spacing=14)
        head.setStretch(1, 1)
        credential = report.layers.get("credential")
        said, trust_kind = trust_word(str(credential.evidence.get("trust", ""))) if credential is not None else ("", "")
        if said:
            trio = chip(f"C2PA: {said}", trust_kind)
            trio.setObjectName("verify_trust")
            head.addWidget(trio)
        verdict = card(head, 16)
        verdict.setProperty("banner", kind)
        verdict.setProperty("card", False)
        verdict.setObjectName("verify_verdict")
        return verdict

    def _refuted(self, check: Check) -> QWidget | None:
        found = check.report.refuted if check.report is not None else None
        if found is None:
            return None
        when, reason = moment(str(found.get("at", ""))), word(str(found.get("reason", "")))
        said = _("Refuted on {when}: {reason}", when=when, reason=reason)
        if found.get("state") != "refuted":
            said = _("Whether it was refuted cannot be told: {reason}", reason=reason)
        line = label(said, "strong")
        line.setObjectName("verify_refuted")
        made = card(column(line), 14)
        made.setProperty("card", False)
        made.setProperty("banner", "danger")
        return made

    def _layers(self, check: Check) -> QHBoxLayout:
        report = check.report
        assert report is not None, "shown once it is there"
        rows = column(*layer_rows(report), 1, spacing=8)
        view = PictureView(80)
        view.setObjectName("verify_view")
        view.setFixedWidth(VIEW_WIDTH)
        side = max(check.image.width(), 1)
        view.setFixedHeight(max(80, min(VIEW_WIDTH, round(VIEW_WIDTH * check.image.height() / side))))
        explicit = report.layers.get("explicit")
        box = explicit.evidence.get("box") if explicit is not None else None
        plates = [_Plate((int(box[0]), int(box[1]), int(box[2]), int(box[3])))] if box and len(box) == 4 else []
        view.show_picture(check.image, check.size, plates)
        view.setVisible(not check.image.isNull())
        note = label(_("The frame shows the label that was found.") if plates else "", "small")
        beside = row(holder(rows), spacing=16)
        beside.setStretch(0, 1)
        if not check.image.isNull():
            note.setFixedWidth(VIEW_WIDTH)
            beside.addLayout(column(view, note, 1, spacing=6))
        return beside

    def on_row(self, place: int) -> None:
        """Another file."""
        if 0 <= place < len(self._model.checks):
            self._model.choose(self._model.checks[place])

    def on_export(self) -> None:
        """Ask where the report shall stand; no file is replaced by one."""
        out = choose_out(self, _("Save the report"), "signet-report.html", _("Pages (*.html)"))
        if out is None:
            return
        self.banner.hide()
        if out.exists():
            self.banner.show_error(TargetExists(path=out))
        else:
            self._model.export(out)

    def on_written(self, out: Path) -> None:
        """It stands there."""
        self.banner.show_message("ok", _("The report is written."), str(out))
