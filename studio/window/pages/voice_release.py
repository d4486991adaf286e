"""Releasing a sound: place, format, and the language in which it announces itself; that it does is no choice."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QWidget

from compliance.errors import SignetError, TargetExists
from studio.text import _
from studio.window.models.studio import Studio
from studio.window.models.voice_takes import Take
from studio.window.pages.release_page import OverwriteDialog
from studio.window.widgets.banner import Banner
from studio.window.widgets.basic import button, column, label, named, row
from studio.window.widgets.file_dialogs import choose_folder

ENDINGS = (".wav", ".flac", ".mp3", ".m4a", ".ogg")


class VoiceReleaseDialog(QDialog):
    """Accepted once the file stands; stays open with the reason when it was refused."""

    def __init__(self, studio: Studio, take: Take, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio, self._model, self._take = studio, studio.voices, take
        self.setObjectName("voice_release_dialog")
        self.setWindowTitle(_("Release"))
        self.setMinimumWidth(620)
        self.banner = Banner("voice_release_banner")
        folder = Path(studio.settings["release_folder"] or Path.home())
        self._folder = named(QLineEdit(str(folder if folder.is_dir() else Path.home())), "voice_folder", _("Folder"))
        choose = button("voice_choose_folder", _("Choose folder..."), icon="folder")
        choose.clicked.connect(self.on_choose)
        self._name = named(QLineEdit(), "voice_file_name", _("File name"))
        self._format = named(QComboBox(), "voice_format", _("Format"))
        for ending in ENDINGS:
            self._format.addItem(ending.removeprefix(".").upper(), ending)
        self._notice = named(QComboBox(), "voice_notice", _("Language of the spoken notice"))
        self._notice.addItem(_("Chinese"), "zh")
        self._notice.addItem(_("English"), "en")
        self._notice.setCurrentIndex(self._notice.findData(self._model.notice))
        self._notice.currentIndexChanged.connect(lambda _index: self._model.set_notice(self._notice.currentData()))
        self._subtitles = named(QComboBox(), "voice_subtitles", _("Subtitles"))
        for text, kind in ((_("none"), ""), ("SRT", "srt"), ("VTT", "vtt")):
            self._subtitles.addItem(text, kind)
        self._name.setText(self._free_name())
        self._name.returnPressed.connect(self.on_release)
        plate = label(studio.workshop.label_text(), wrap=False)
        plate.setProperty("plate", True)
        cancel = button("voice_release_cancel", _("Cancel"))
        cancel.clicked.connect(self.reject)
        self._button = button("voice_release_button", _("Release"), "primary", "release")
        self._button.setDefault(True)
        self._button.clicked.connect(self.on_release)
        place = row(self._folder, choose)
        place.setStretch(0, 1)
        choices = row(
            column(label(_("Format"), "strong"), self._format, spacing=4),
            column(label(_("The notice is spoken in"), "strong"), self._notice, spacing=4),
        )
        subtitles = column(label(_("Subtitles"), "strong"), self._subtitles, spacing=4)
        if take.info.spans_ms:
            choices.addLayout(subtitles)
        else:
            self._subtitles.setParent(None)
        self.setLayout(
            column(
                self.banner,
                label(_("The sound says itself what it is"), "strong"),
                row(plate, 1),
                label(
                    _(
                        "A rhythm and spoken words, the AIGC field, a signed Content Credential, an inaudible mark and "
                        "a ledger entry. None of them can be left out."
                    ),
                    "muted",
                ),
                label(_("Folder"), "strong"),
                place,
                label(_("File name"), "strong"),
                self._name,
                choices,
                row(1, cancel, self._button),
                spacing=10,
                margins=24,
            )
        )
        self._model.failed.connect(self.on_failed)
        self._model.released.connect(self.on_released)
        self._model.busy_changed.connect(self.on_busy_changed)
        QTimer.singleShot(0, self._name, self._name.setFocus)

    def _free_name(self) -> str:
        target = self._model.slots["target"].path
        stem = _("speech") if self._take.info.faces_edited == 0 or target is None else target.stem
        number, name, folder = 1, f"{stem}-signet", Path(self._folder.text())
        while any((folder / f"{name}{ending}").exists() for ending in ENDINGS):
            number += 1
            name = f"{stem}-signet-{number}"
        return name

    def out(self) -> Path:
        """Where the file will stand: a name with one of the endings counts as it is."""
        name = self._name.text().strip()
        folder = Path(self._folder.text().strip()).expanduser()
        return folder / (name if Path(name).suffix.lower() in ENDINGS else f"{name}{self._format.currentData()}")

    def on_choose(self) -> None:
        """Ask for the folder."""
        if (chosen := choose_folder(self, _("Choose the folder"), self._folder.text())) is not None:
            self._folder.setText(chosen)

    def on_busy_changed(self, busy: bool) -> None:
        """One release at a time."""
        self._button.setEnabled(not busy)
        self._button.setText(_("Releasing...") if busy else _("Release"))

    def on_release(self) -> None:
        """Release; ask first when a file is in the way."""
        if not self._button.isEnabled():
            return
        self.banner.hide()
        if not self._name.text().strip():
            self.banner.show_message("danger", _("The file needs a name."))
            self._name.setFocus()
        elif self.out().exists():
            self._ask_overwrite()
        else:
            self._release(False)

    def _ask_overwrite(self) -> None:
        dialog = OverwriteDialog(self.out(), self)
        dialog.accepted.connect(lambda: self._release(True))
        dialog.open()

    def _release(self, overwrite: bool) -> None:
        kind = self._subtitles.currentData() if self._take.info.spans_ms else ""
        self._model.release(self._take, self.out(), overwrite, str(kind))

    def on_failed(self, error: SignetError) -> None:
        """A file that came into the way meanwhile is asked about; anything else is said."""
        if not self.isVisible():
            return
        if isinstance(error, TargetExists) and self.out().exists():
            self._ask_overwrite()
        else:
            self.banner.show_error(error)

    def on_released(self, view: object) -> None:
        """It stands."""
        self._studio.settings.update({"release_folder": str(self.out().parent)})
        self.accept()
