"""One recording of a voice given to the studio: its digest, its sound, what is wrong with it, and the part in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from compliance.errors import SignetError
from studio.window.calls import Calls
from studio.window.models.model import Model
from studio.window.models.picture_slot import SlotState

if TYPE_CHECKING:
    from studio.window.widgets.wave_data import Heard
    from studio.workshop import Workshop

SHORTEST_PART_S = 0.2


class RecordingSlot(Model):
    """Empty, reading, ready or refused (with the error).

    part: (start, end) in seconds of what is used; (0, 0) is all of it. The file stays as it is: the consent is given
    for its bytes. warnings: English message ids.
    """

    changed = Signal()

    def __init__(self, workshop: Workshop, calls: Calls, parent: QObject | None = None) -> None:
        super().__init__(workshop, calls, parent)
        self._reset()

    def _reset(self) -> None:
        self.path: Path | None = None
        self.state: SlotState = "empty"
        self.sha256 = ""
        self.heard: Heard | None = None
        self.warnings: tuple[str, ...] = ()
        self.error: SignetError | None = None
        self.part = (0.0, 0.0)

    def set_recording(self, path: Path | None) -> None:
        """Take a recording, or none; the answer of an older one is let go."""
        self._reset()
        self.path = path
        if path is not None:
            from studio.window.widgets.wave_data import read_heard  # here: numpy is not needed before

            self.state = "reading"
            self.calls.aside(
                lambda: read_heard(path), lambda read: self._take(path, read), lambda error: self._refuse(path, error)
            )
        self.changed.emit()

    def set_part(self, start_s: float, end_s: float) -> None:
        """Use this part alone; all of it when it would be shorter than a fifth of a second."""
        seconds = self.heard.seconds if self.heard is not None else 0.0
        start_s, end_s = max(0.0, min(start_s, seconds)), max(0.0, min(end_s, seconds))
        if end_s - start_s < SHORTEST_PART_S or (start_s == 0 and end_s == seconds):
            start_s = end_s = 0.0
        self.part = (round(start_s, 3), round(end_s, 3))
        self.changed.emit()

    def _take(self, path: Path, read: Any) -> None:
        if path == self.path:
            self.sha256, self.heard, self.warnings = read
            self.state = "ready"
            self.changed.emit()

    def _refuse(self, path: Path, error: SignetError) -> None:
        if path == self.path:
            self.state, self.error = "refused", error
            self.changed.emit()
