"""Label media made elsewhere: drop files, say what made them, and who is in them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLabel, QLineEdit, QProgressBar

from studio.text import _
from studio.window import icons
from studio.window.advice import advice
from studio.window.models.sealing import ORIGINS, Sealing
from studio.window.models.studio import Studio
from studio.window.pages.page import Page
from studio.window.progress_words import stage_word
from studio.window.widgets.basic import button, card, chip, clear, column, holder, label, named, row
from studio.window.widgets.drop_frame import DropFrame
from studio.window.words import PURPOSES, purpose_word

ASKED_PX = 300
DROP_PX = 118


def origin_word(origin: str) -> str:
    """How something was made, in the reader's words."""
    return {
        "trainedAlgorithmicMedia": _("made whole by a trained model"),
        "compositeWithTrainedAlgorithmicMedia": _("edited by a trained model"),
        "algorithmicMedia": _("made by rules, without training"),
        "algorithmicallyEnhanced": _("enhanced by a program"),
    }.get(origin, origin)


class SealingPage(Page):
    """`verify_asked` carries the path of a labelled file, `record_asked` a file whose people have to consent."""

    name = "sealing"
    verify_asked = Signal(object)
    record_asked = Signal(Path)

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            _("Label other files"),
            _("Pictures, sounds, videos and documents that AI made in another program get the same labels."),
        )
        self._model = studio.sealing
        asked = self._build_asked()
        asked.setFixedWidth(ASKED_PX)
        self._drop = DropFrame("sealing_drop", _("Files to label"), _("Files to label"), _("All files (*)"))
        self._drop.takes_many = True
        self._drop.setFixedHeight(DROP_PX)
        self._drop.files_given.connect(self._model.add)
        arrow = QLabel()
        arrow.setPixmap(icons.pixmap("drop", "accent", 32))
        hint = label(_("Drop files here, or click to choose"), "muted", wrap=False)
        inside = row(1, arrow, hint, 1, spacing=16)
        inside.setContentsMargins(16, 10, 16, 10)
        self._drop.setLayout(inside)
        self._files = column(spacing=8)
        self._stage = label("", "muted")
        self._bar = named(QProgressBar(), "sealing_progress", _("Progress"))
        self._bar.setTextVisible(False)
        self._stop = button("sealing_stop", _("Stop"), accessible_name=_("Stop the work"))
        self._stop.clicked.connect(self._model.line.cancel)
        foot = row(self._stage, self._stop)
        foot.setStretch(0, 1)
        self._work = card(column(self._bar, foot, spacing=10), 14)
        right = column(self._drop, self._work, holder(self._files), 1, spacing=12)
        both = row(asked, holder(right), spacing=16)
        both.setStretch(1, 1)
        both.setAlignment(asked, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(both, 1)
        self._shown: object = None
        self._model.changed.connect(self.on_changed)
        self._model.failed.connect(self.on_failed)
        self.on_changed()

    def _build_asked(self) -> QFrame:
        model = self._model
        self._made_with = named(QLineEdit(model.made_with), "sealing_made_with", _("Made with"))
        self._made_with.setPlaceholderText(_("Name of the program"))
        self._made_with.setMaxLength(120)
        self._made_with.textChanged.connect(lambda text: model.set_asked(made_with=text))
        self._origin = named(QComboBox(), "sealing_origin", _("How it was made"))
        for origin in ORIGINS:
            self._origin.addItem(origin_word(origin), origin)
        self._origin.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._origin.setCurrentIndex(max(0, self._origin.findData(model.origin)))
        self._origin.currentIndexChanged.connect(lambda _i: model.set_asked(origin=self._origin.currentData()))
        self._purpose = named(QComboBox(), "sealing_purpose", _("Purpose"))
        for purpose in PURPOSES:
            self._purpose.addItem(purpose_word(purpose), purpose)
        self._purpose.setCurrentIndex(max(0, self._purpose.findData(model.purpose)))
        self._purpose.currentIndexChanged.connect(lambda _i: model.set_asked(purpose=self._purpose.currentData()))
        self._nobody = named(
            QCheckBox(_("Nobody in them is real")), "sealing_nobody", _("I declare that nobody in them is real")
        )
        self._nobody.setChecked(model.nobody_real)
        self._nobody.toggled.connect(lambda on: model.set_asked(nobody_real=on))
        self._seal = button("sealing_start", _("Label them"), "primary", "release")
        self._seal.clicked.connect(self.on_start)
        self.default_button = self._seal
        self.head_actions.addWidget(self._seal)
        self._why = label("", "muted")
        return card(
            column(
                self._why,
                column(label(_("Made with"), "strong"), self._made_with, spacing=4),
                column(label(_("How it was made"), "strong"), self._origin, spacing=4),
                column(label(_("Purpose"), "strong"), self._purpose, spacing=4),
                self._nobody,
                label(
                    _(
                        "This declaration stands in the ledger with your account. Without it, whoever is seen or heard "
                        "needs a consent recorded for that file."
                    ),
                    "small",
                ),
                spacing=14,
            ),
            16,
        )

    def on_changed(self) -> None:
        """Show the list and what is missing."""
        model, line = self._model, self._model.line
        missing = self._missing()
        self._why.setText(missing)
        self._why.setVisible(bool(missing))
        self._seal.setEnabled(not missing)
        if self._made_with.text() != model.made_with:
            self._made_with.setText(model.made_with)
        self._nobody.setChecked(model.nobody_real)
        self._work.setVisible(line.is_active)
        job = line.current
        if job is not None:
            self._bar.setRange(0, max(job.total, 0))
            self._bar.setValue(job.done)
            self._stop.setEnabled(not line.is_cancelling)
            text = stage_word(job.stage) if job.stage else _("Asking for permission...")
            self._stage.setText(_("Stopping...") if line.is_cancelling else text[:1].upper() + text[1:])
        self._show_files()

    def _missing(self) -> str:
        if self._model.line.is_active:
            return _("Files are being labelled.")
        if not self._model.waiting:
            return _("Next: drop the files.")
        if not self._model.made_with.strip():
            return _("Next: say which program made them.")
        return ""

    def _state(self, one: Sealing) -> tuple[str, str]:
        if one.release is not None:
            return _("labelled"), "ok"
        if one.error is not None:
            return _("refused"), "danger"
        if one.job is not None:
            return _("in work"), "plain"
        return _("waiting"), "plain"

    def _show_files(self) -> None:
        wanted = [(id(one), *self._state(one), self._model.consents_of(one)) for one in self._model.files]
        if wanted == self._shown:
            return
        self._shown = wanted
        clear(self._files)
        for place, one in enumerate(self._model.files):
            self._files.addWidget(self._line(place, one))

    def _line(self, place: int, one: Sealing) -> QFrame:
        texts = column(label(one.path.name, "strong"), spacing=2)
        actions = row(spacing=4)
        if one.release is not None:
            texts.addWidget(label(_("Labelled as {name}", name=one.release.path.name), "muted"))
            check = button(f"sealing_verify_{place}", _("Verify"), "quiet", accessible_name=_("Verify the new file"))
            check.clicked.connect(lambda: self.verify_asked.emit(one.release.path if one.release else None))
            actions.addWidget(check)
        elif one.error is not None:
            what, next_step = advice(one.error)
            texts.addWidget(label(what, "muted"))
            texts.addWidget(label(next_step, "small"))
            if type(one.error).__name__ in ("ConsentMissing", "VoiceConsentMissing"):
                record = button(f"sealing_record_{place}", _("Record consent..."), "quiet")
                record.clicked.connect(lambda: self.record_asked.emit(one.path))
                actions.addWidget(record)
            again = button(f"sealing_again_{place}", _("Try again"), "quiet")
            again.clicked.connect(lambda: self._model.try_again(one))
            actions.addWidget(again)
        elif count := len(self._model.consents_of(one)):
            told = _("1 recorded consent") if count == 1 else _("{count} recorded consents", count=count)
            texts.addWidget(label(told, "muted"))
        if one.job is None or one.job.is_over:
            gone = button(
                f"sealing_remove_{place}",
                _("Remove"),
                "quiet",
                accessible_name=_("Remove from the list: {what}", what=one.path.name),
            )
            gone.clicked.connect(lambda: self._model.remove(one))
            actions.addWidget(gone)
        state, kind = self._state(one)
        above = row(texts, spacing=10)
        above.setStretch(0, 1)
        above.addWidget(chip(state, kind), 0, Qt.AlignmentFlag.AlignTop)
        actions.insertStretch(0, 1)
        made = card(column(above, actions, spacing=4), 12)
        made.setObjectName(f"sealing_file_{place}")
        return made

    def on_start(self) -> None:
        """Label what waits; the gate is asked for each file."""
        self.banner.hide()
        self._model.start()
