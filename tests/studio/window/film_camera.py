"""A camera whose pictures and sound are made here: everything else of it is the real recording of QtMultimedia."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QByteArray, QTimer
from PySide6.QtGui import QColor, QImage, QPainter

from studio.window.widgets.camera import Camera, Likeness

RATE_HZ = 16_000
FRAME_MS = 40


def draw(number: int) -> QImage:
    """One picture of the film: a head before a wall, moving."""
    image = QImage(320, 240, QImage.Format.Format_RGB32)
    image.fill(QColor.fromHsv(number * 3 % 360, 60, 200))
    painter = QPainter(image)
    painter.setBrush(QColor(225, 190, 165))
    painter.drawEllipse(110 + number % 20, 50, 100, 140)
    painter.end()
    return image


class FilmCamera(Camera):
    """Feeds frames and buffers instead of joining devices; `shown` counts them. `pull_the_plug` ends it."""

    def __init__(self, likeness: Likeness = "face") -> None:
        self.shown = 0
        super().__init__(likeness)

    def _attach(self, media: Any) -> str:
        form = media.QAudioFormat()
        form.setSampleRate(RATE_HZ)
        form.setChannelCount(1)
        form.setSampleFormat(media.QAudioFormat.SampleFormat.Int16)
        self._form = form
        self._frames, self._buffers = media.QVideoFrameInput(self), media.QAudioBufferInput(self)
        self._session.setAudioBufferInput(self._buffers)
        if self._films:
            self._session.setVideoFrameInput(self._frames)
            self._session.setVideoSink(self._sink)
            self._sink.videoFrameChanged.connect(self.on_frame)
        self._clock = QTimer(self)
        self._clock.setInterval(5)
        self._clock.timeout.connect(self.on_tick)
        return "a film"

    def start(self) -> None:
        """Show pictures."""
        super().start()
        self._clock.start()

    def close(self) -> None:
        """Show no more."""
        self._clock.stop()
        super().close()

    def on_tick(self) -> None:
        """The next picture, and the sound that belongs to it."""
        begin_us = self.shown * FRAME_MS * 1000
        frame = self._media.QVideoFrame(draw(self.shown))
        frame.setStartTime(begin_us)
        frame.setEndTime(begin_us + FRAME_MS * 1000)
        samples = QByteArray(b"\x00\x10\x00\xf0" * (RATE_HZ * FRAME_MS // 2000))
        if self._films and not self._frames.sendVideoFrame(frame):
            return
        self._buffers.sendAudioBuffer(self._media.QAudioBuffer(samples, self._form, begin_us))
        self.shown += 1

    def pull_the_plug(self) -> None:
        """As when the device is gone."""
        self._seen = self._spoken = None
        self.on_devices_changed()
