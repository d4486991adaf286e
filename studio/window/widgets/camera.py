"""The camera of this machine: live pictures, and a recording that goes into memory and nowhere else.

QtMultimedia is imported when a camera is asked for, and only then: everything else works without it.
"""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import (
    QBuffer,
    QCameraPermission,
    QCoreApplication,
    QDeadlineTimer,
    QEventLoop,
    QIODevice,
    QMicrophonePermission,
    QObject,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage

from studio.text import _

LONGEST_S = 90
Likeness = Literal["face", "voice"]
# The recorder writes its last bytes in a thread of its own: whoever is let go before that lives until it has ended.
_ENDING: set[Camera] = set()


def wait_for_endings(longest_ms: int = 3000) -> bool:
    """Let recorders that were told to stop come to their end before the program does; False when one did not."""
    limit, wait = QDeadlineTimer(longest_ms), QEventLoop.ProcessEventsFlag
    while _ENDING and not limit.hasExpired():
        QCoreApplication.processEvents(wait.WaitForMoreEvents | wait.ExcludeUserInputEvents, 50)
    return not _ENDING


def why_no_camera(likeness: Likeness = "face") -> str:
    """Why nothing can be recorded live here; nothing when it can. A voice needs the microphone alone."""
    try:
        from PySide6.QtMultimedia import QMediaDevices
    except ImportError:
        return _("The part of Qt that reads cameras (QtMultimedia) is not installed.")
    if likeness == "face":
        if QMediaDevices.defaultVideoInput().isNull():
            return _("No camera was found on this machine.")
        if _is_denied("QCameraPermission"):
            return _("The system does not let this program use the camera.")
    if QMediaDevices.defaultAudioInput().isNull():
        return _("No microphone was found on this machine; the phrase could not be heard.")
    if _is_denied("QMicrophonePermission"):
        return _("The system does not let this program use the microphone.")
    return ""


def _is_denied(name: str) -> bool:
    """Whether the person at this machine has forbidden it; systems that do not ask never say so."""
    permission = {"QCameraPermission": QCameraPermission, "QMicrophonePermission": QMicrophonePermission}[name]()
    app = QCoreApplication.instance()
    return app is not None and app.checkPermission(permission) == Qt.PermissionStatus.Denied


class Camera(QObject):
    """`pictured` with every picture, `recorded` with the finished film, `broke` with the reason why it ended.

    For a voice only the microphone is opened, and the film is a sound.
    """

    pictured = Signal(QImage)
    recorded = Signal(bytes)
    broke = Signal(str)

    def __init__(self, likeness: Likeness = "face", parent: QObject | None = None) -> None:
        super().__init__(parent)
        from PySide6 import QtMultimedia as media

        self._media: Any = media
        self._films = likeness == "face"
        self._camera: Any = None
        self._recorder = media.QMediaRecorder(self)
        self._session = media.QMediaCaptureSession(self)
        self._sink = media.QVideoSink(self)
        self._devices = media.QMediaDevices(self)
        self.device = self._attach(media)
        self._session.setRecorder(self._recorder)
        self._buffer = QBuffer(self)
        self._is_wanted = self._is_broken = False
        container, flags = media.QMediaFormat.FileFormat, media.QMediaFormat.ResolveFlags
        form = media.QMediaFormat(container.MPEG4 if self._films else container.Mpeg4Audio)
        form.resolveForEncoding(flags.RequiresVideo if self._films else flags.NoFlags)
        self._recorder.setMediaFormat(form)
        self._recorder.setQuality(media.QMediaRecorder.Quality.NormalQuality)
        self._recorder.errorOccurred.connect(self.on_recorder_error)
        self._recorder.recorderStateChanged.connect(self.on_state)
        self._recorder.durationChanged.connect(self.on_duration)

    def _attach(self, media: Any) -> str:
        """Join the machine's own devices to the session; the name of the one that matters."""
        self._spoken = media.QMediaDevices.defaultAudioInput()
        self._microphone = media.QAudioInput(self._spoken, self)
        self._session.setAudioInput(self._microphone)
        self._devices.audioInputsChanged.connect(self.on_devices_changed)
        if not self._films:
            return str(self._spoken.description())
        self._seen = media.QMediaDevices.defaultVideoInput()
        self._camera = media.QCamera(self._seen, self)
        self._session.setCamera(self._camera)
        self._session.setVideoSink(self._sink)
        self._sink.videoFrameChanged.connect(self.on_frame)
        self._camera.errorOccurred.connect(self.on_error)
        self._devices.videoInputsChanged.connect(self.on_devices_changed)
        return str(self._seen.description())

    @property
    def is_recording(self) -> bool:
        """Whether a film is being made."""
        return bool(self._recorder.recorderState() == self._media.QMediaRecorder.RecorderState.RecordingState)

    def start(self) -> None:
        """Show what the camera sees."""
        self._is_broken = False
        if self._camera is not None:
            self._camera.start()

    def record(self) -> None:
        """Begin a film; one that was made before is forgotten."""
        self._buffer.close()
        self._buffer.setData(b"")
        self._buffer.open(QIODevice.OpenModeFlag.ReadWrite)
        self._is_wanted, self._is_broken = True, False
        self._recorder.setOutputDevice(self._buffer)
        self._recorder.record()

    def finish(self) -> None:
        """End the film; `recorded` follows."""
        self._recorder.stop()

    def close(self) -> None:
        """Let the camera go; a film under way is forgotten."""
        self._is_wanted = False
        if self.is_recording:
            _ENDING.add(self)
        self._recorder.stop()
        if self._camera is not None:
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
        """The film is whole; or it was given up, then what is there of it goes."""
        if self._recorder.recorderState() != self._media.QMediaRecorder.RecorderState.StoppedState:
            return
        _ENDING.discard(self)
        data = bytes(self._buffer.data().data())
        self._buffer.close()
        self._buffer.setData(b"")
        if self._is_wanted:
            self._is_wanted = False
            if data:
                self.recorded.emit(data)
            else:
                self._break(_("Nothing was recorded."))

    def on_devices_changed(self) -> None:
        """Somebody pulled the plug."""
        devices = self._media.QMediaDevices
        if self._films and self._seen not in devices.videoInputs():
            self._break(_("The camera was taken away."))
        elif self._spoken not in devices.audioInputs():
            self._break(_("The microphone was taken away."))

    def on_error(self, _error: Any = None, _text: str = "") -> None:
        """The camera gave up; what the system says of it stays English and is left out."""
        self._break(_("The camera could not be used; perhaps another program holds it."))

    def on_recorder_error(self, error: Any, _text: str = "") -> None:
        """The recorder gave up."""
        full = self._media.QMediaRecorder.Error.OutOfSpaceError
        no_space, other = _("There is no space left for the recording."), _("The recording broke off.")
        self._break(no_space if error == full else other)

    def _break(self, reason: str) -> None:
        """A film that broke off is no film: what was recorded of it is forgotten."""
        was_broken, self._is_broken = self._is_broken, True
        self.close()
        if not was_broken:
            self.broke.emit(reason)
