"""A line that takes a sound file and plays it, so that the right one is handed in.

QtMultimedia is imported when something is played, and only then: everything else works without it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout

from studio.text import _
from studio.window.models.people import is_sound
from studio.window.widgets.basic import button
from studio.window.widgets.file_line import FileLine


class Playing(Protocol):
    """What plays one file at a time."""

    ended: Any
    """Signal(str): it came to its end, or the reason why it cannot be played."""

    def play(self, path: Path) -> None:
        """Begin."""

    def stop(self) -> None:
        """End; `ended` follows."""


class Player(QObject):
    """Plays a file through the default output; raises ImportError where Qt cannot play."""

    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from PySide6 import QtMultimedia as media

        self._media: Any = media
        self._player = media.QMediaPlayer(self)
        self._out = media.QAudioOutput(self)
        self._player.setAudioOutput(self._out)
        self._player.playbackStateChanged.connect(self.on_state)
        self._player.errorOccurred.connect(self.on_error)

    def play(self, path: Path) -> None:
        """Begin."""
        if self._media.QMediaDevices.defaultAudioOutput().isNull():
            self.ended.emit(_("No loudspeaker was found on this machine."))
            return
        self._player.setSource(QUrl.fromLocalFile(str(path)))
        self._player.play()

    def stop(self) -> None:
        """End; `ended` follows."""
        self._player.stop()

    def on_state(self, state: Any) -> None:
        """It came to its end."""
        if state == self._media.QMediaPlayer.PlaybackState.StoppedState:
            self.ended.emit("")

    def on_error(self, _error: Any, _text: str = "") -> None:
        """What the system says of it stays English and is left out."""
        self.ended.emit(_("This file cannot be played here."))


class SoundLine(FileLine):
    """A FileLine with a button that plays; `told` with the reason when it cannot be played."""

    told = Signal(str)

    def __init__(self, name: str, title: str, filters: str) -> None:
        self.make_player: Callable[[], Playing] = Player
        self._player: Playing | None = None
        self._is_playing = False
        self._play = button(f"{name}_play", _("Play"), icon="play")
        super().__init__(name, title, filters)
        self._play.clicked.connect(self.on_play)
        line = self.layout()
        assert isinstance(line, QHBoxLayout), "a line stands in a row"
        line.insertWidget(1, self._play)

    def set_path(self, path: Path | None) -> None:
        """Take a file, or none; only a sound can be played."""
        self.stop()
        self._play.setVisible(is_sound(path))
        super().set_path(path)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing goes on sounding from a page that is left."""
        self.stop()
        super().hideEvent(event)

    def stop(self) -> None:
        """Be silent."""
        if self._player is not None and self._is_playing:
            self._player.stop()

    def on_play(self) -> None:
        """Play, or stop."""
        if self.path is None:
            return
        if self._is_playing:
            self.stop()
            return
        if self._player is None:
            try:
                self._player = self.make_player()
            except ImportError:
                self.told.emit(_("The part of Qt that plays sound (QtMultimedia) is not installed."))
                return
            self._player.ended.connect(self.on_ended)
        self._show(True)
        self._player.play(self.path)

    def on_ended(self, reason: str) -> None:
        """Offer to play it again, or say why it cannot be played."""
        self._show(False)
        if reason:
            self.told.emit(reason)

    def _show(self, is_playing: bool) -> None:
        self._is_playing = is_playing
        text = _("Stop") if is_playing else _("Play")
        self._play.setText(text)
        self._play.setAccessibleName(text)
