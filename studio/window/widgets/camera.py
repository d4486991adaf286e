"""The camera of this machine: live pictures, and a recording that goes into memory and nowhere else.

QtMultimedia is imported when a camera is asked for, and only then: everything else works without it.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QObject, Signal
from PySide6.QtGui import QImage

from studio.text import _

LONGEST_S = 90


def why_no_camera() -> str:
    """Why nothing can be recorded live here; nothing when it can."""
    try:
        from PySide6.QtMultimedia import QMediaDevices
    except ImportError:
        return _("The part of Qt that reads cameras (QtMultimedia) is not installed.")
    if QMediaDevices.defaultVideoInput().isNull():
        return _("No camera was found on this machine.")
    if QMediaDevices.defaultAudioInput().isNull():
        return _("No microphone was found on this machine; the phrase could not be heard.")
    return ""


class Camera(QObject):
    """`pictured` with every picture, `recorded` with the finished film, `broke` with the reason why it ended."""

    pictured = Signal(QImage)
    recorded = Signal(bytes)
    broke = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from PySide6 import QtMultimedia as media

        self._media: Any = media
        device = media.QMediaDevices.defaultVideoInput()
        self.device = device.description()
        self._camera = media.QCamera(device, self)
        self._microphone = media.QAudioInput(media.QMediaDevices.defaultAudioInput(), self)
        self._sink = media.QVideoSink(self)
        self._recorder = media.QMediaRecorder(self)
        self._session = media.QMediaCaptureSession(self)
        self._session.setCamera(self._camera)
        self._session.setAudioInput(self._microphone)
        self._session.setVideoSink(self._sink)
        self._session.setRecorder(self._recorder)
        self._buffer = QBuffer(self)
        self._is_wanted = False
        form = media.QMediaFormat(media.QMediaFormat.FileFormat.MPEG4)
        form.resolveForEncoding(media.QMediaFormat.ResolveFlags.RequiresVideo)
        self._recorder.setMediaFormat(form)
        self._recorder.setQuality(media.QMediaRecorder.Quality.NormalQuality)
        self._sink.videoFrameChanged.connect(self.on_frame)
        self._camera.errorOccurred.connect(self.on_error)
        self._recorder.errorOccurred.connect(self.on_error)
        self._recorder.recorderStateChanged.connect(self.on_state)
        self._recorder.durationChanged.connect(self.on_duration)

    @property
    def is_recording(self) -> bool:
        """Whether a film is being made."""
        return bool(self._recorder.recorderState() == self._media.QMediaRecorder.RecorderState.RecordingState)

    def start(self) -> None:
        """Show what the camera sees."""
        self._camera.start()

    def record(self) -> None:
        """Begin a film; one that was made before is forgotten."""
        self._buffer.close()
        self._buffer.setData(b"")
        self._buffer.open(QIODevice.OpenModeFlag.ReadWrite)
        self._is_wanted = True
        self._recorder.setOutputDevice(self._buffer)
        self._recorder.record()

    def finish(self) -> None:
        """End the film; `recorded` follows."""
        self._recorder.stop()

    def close(self) -> None:
        """Let the camera go; a film under way is forgotten."""
        self._is_wanted = False
        self._recorder.stop()
        self._camera.stop()

    def on_frame(self, frame: Any) -> None:
        """Another picture."""
        image = frame.toImage()
        if not image.isNull():
            self.pictured.emit(image)

    def on_duration(self, duration_ms: int) -> None:
        """A film does not grow without end."""
        if duration_ms > LONGEST_S * 1000:
            self.finish()

    def on_state(self, _state: Any) -> None:
        """The film is whole."""
        if self._is_wanted and self._recorder.recorderState() == self._media.QMediaRecorder.RecorderState.StoppedState:
            self._is_wanted = False
            data = bytes(self._buffer.data().data())
            if data:
                self.recorded.emit(data)
            else:
                self.broke.emit(_("The camera recorded nothing."))

    def on_error(self, _error: Any, _text: str = "") -> None:
        """Camera or recorder gave up; what the system says of it stays English and is left out."""
        self._is_wanted = False
        self.broke.emit(_("The camera could not be used; perhaps another program holds it."))
