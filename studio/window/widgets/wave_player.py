"""Plays a sound out of memory: play, pause, seek. QtMultimedia is imported when something is played, and only then."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal

from studio.text import _


class SoundPlaying(Protocol):
    """What plays one sound at a time; `moved` with the moment in seconds, `ended` with the reason when it cannot."""

    moved: Any
    ended: Any

    def play(self, data: bytes, from_s: float) -> None:
        """Begin, or go on, at a moment."""

    def pause(self) -> None:
        """Be silent."""


class SoundPlayer(QObject):
    """Plays through the default output; raises ImportError where Qt cannot play."""

    moved = Signal(float)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from PySide6 import QtMultimedia as media

        self._media: Any = media
        self._player = media.QMediaPlayer(self)
        self._out = media.QAudioOutput(self)
        self._player.setAudioOutput(self._out)
        self._data = b""
        self._buffer: QBuffer | None = None
        self._from_ms = 0
        self._player.positionChanged.connect(self.on_position)
        self._player.mediaStatusChanged.connect(self.on_status)
        self._player.errorOccurred.connect(self.on_error)

    def play(self, data: bytes, from_s: float) -> None:
        """Begin, or go on, at a moment."""
        if self._media.QMediaDevices.defaultAudioOutput().isNull():
            self.ended.emit(_("No loudspeaker was found on this machine."))
            return
        self._from_ms = round(from_s * 1000)
        if data != self._data or self._buffer is None:
            self._player.stop()
            self._data = data
            # The sound stays in memory: nothing that is heard is ever a file.
            self._buffer = QBuffer(self)
            self._buffer.setData(QByteArray(data))
            self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
            self._player.setSourceDevice(self._buffer)
        if self._player.isSeekable():
            self._player.setPosition(self._from_ms)
        self._player.play()

    def pause(self) -> None:
        """Be silent."""
        self._player.pause()

    def on_position(self, ms: int) -> None:
        """It is heard here now."""
        if self._player.playbackState() == self._media.QMediaPlayer.PlaybackState.PlayingState:
            self.moved.emit(ms / 1000)

    def on_status(self, status: Any) -> None:
        """Seek once it can be sought in; say when it has ended."""
        known = self._media.QMediaPlayer.MediaStatus
        if status == known.LoadedMedia and self._from_ms:
            self._player.setPosition(self._from_ms)
        elif status == known.EndOfMedia:
            self.ended.emit("")

    def on_error(self, _error: Any, _text: str = "") -> None:
        """What the system says of it stays English and is left out."""
        self.ended.emit(_("This file cannot be played here."))
