"""Verify: what labels any file carries; works signed out."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from studio.text import _
from studio.window import icons
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.widgets.basic import button, card, clear, column, holder, label, row
from studio.window.widgets.drop_frame import DropFrame
from studio.window.widgets.layer_rows import layer_rows, verdict_kind
from studio.window.widgets.picture_view import PictureView

DROP_HEIGHT = 118
VIEW_WIDTH = 300


class VerifyPage(Page):
    """Drop a file, read its five layers."""

    name = "verify"

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio, _("Verify"), _("Reads the labels of any PNG or JPEG, from here or from elsewhere. Nothing is sent.")
        )
        self._model = studio.checking
        self._drop = DropFrame("verify_drop", _("File to verify"), _("File to verify"), _("All files (*)"))
        self._drop.setMinimumHeight(DROP_HEIGHT)
        self._drop.setMaximumHeight(DROP_HEIGHT)
        self._drop.file_given.connect(self.check)
        arrow = QLabel()
        arrow.setPixmap(icons.pixmap("verify", "accent", 32))
        hint = label(_("Drop a file here, or click to choose"), "muted", wrap=False)
        choose = button("verify_choose", _("Choose file..."), "primary", "folder")
        choose.clicked.connect(self._drop.choose)
        self.default_button = choose
        inside = row(1, arrow, hint, choose, 1, spacing=16)
        inside.setContentsMargins(16, 10, 16, 10)
        self._drop.setLayout(inside)
        self._result = column(spacing=10)
        self.body.addWidget(self._drop)
        self.body.addWidget(holder(self._result))
        self.body.addStretch(1)
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self.on_changed()

    def check(self, path: Path) -> None:
        """Check one file."""
        self.banner.hide()
        self._model.check(path)

    def on_changed(self) -> None:
        """Show the report, or that it is being made."""
        clear(self._result)
        if self._model.path is None:
            return
        report = self._model.report
        if report is None:
            if self._model.is_busy:
                self._result.addWidget(label(_("Reading {name}...", name=self._model.path.name), "muted"))
            return
        sentence = label(_(report.sentence), "heading")
        sentence.setObjectName("verify_sentence")
        texts = column(label(self._model.path.name, "strong"), sentence, spacing=4)
        picture = QLabel()
        kind = verdict_kind(report.verdict)
        name = {"ok": "intact", "warn": "absent"}.get(kind, "damaged")
        picture.setPixmap(icons.pixmap(name, kind, 36))
        head = row(picture, texts, spacing=14)
        head.setStretch(1, 1)
        verdict = card(head, 16)
        verdict.setProperty("banner", kind)
        verdict.setProperty("card", False)
        verdict.setObjectName("verify_verdict")
        rows = column(*layer_rows(report), 1, spacing=8)
        view = PictureView(180)
        view.setFixedWidth(VIEW_WIDTH)
        view.setFixedHeight(VIEW_WIDTH)
        view.show_picture(self._model.image)
        view.setVisible(not self._model.image.isNull())
        beside = row(holder(rows), spacing=16)
        beside.setStretch(0, 1)
        beside.addWidget(view, 0, Qt.AlignmentFlag.AlignTop)
        self._result.addWidget(verdict)
        self._result.addLayout(beside)
