"""Takes of voices: what each sounds like with its labels, and which moment of a recording each moment comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from compliance.media import MediaInfo
    from studio.window.widgets.wave_data import Heard
    from studio.workshop import ReleaseView, Running, Workshop

NoticeLanguage = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which moment of a recording a moment of the labelled result comes from.

    start_s: where the part begins; pace: 2 is twice as fast; labels: (place in the speech, length) in ms.
    """

    start_s: float = 0.0
    pace: float = 1.0
    labels: tuple[tuple[int, int], ...] = ()

    def to_result(self, second: float) -> float:
        """A moment of the recording in the result."""
        ms = max(0.0, second - self.start_s) / self.pace * 1000
        return (ms + sum(length for place, length in self.labels if place <= ms)) / 1000

    def to_input(self, second: float) -> float:
        """A moment of the result in the recording; within a label it is the moment where that was put in."""
        ms, before = second * 1000, 0.0
        for place, length in self.labels:
            begins = place + before
            if ms < begins:
                break
            if ms < begins + length:
                return self.start_s + place / 1000 * self.pace
            before += length
        return self.start_s + (ms - before) / 1000 * self.pace


@dataclass(slots=True)
class Take:
    """One finished result, as it may be heard: with its audible label.

    recording: what it was made from, and the part of it; released: once it was.
    """

    number: int
    running: Running
    info: MediaInfo
    heard: Heard
    alignment: Alignment
    language: NoticeLanguage
    recording: Heard | None = None
    part: tuple[float, float] = (0.0, 0.0)
    released: ReleaseView | None = None


def labelled(
    workshop: Workshop, running: Running, info: MediaInfo, alignment: Alignment, spoken: NoticeLanguage
) -> tuple[Heard, Alignment]:
    """A result as it may be heard, and where its labels lie."""
    from compliance.decode_sound import decode_sound
    from studio.voices import labels_in
    from studio.window.widgets.wave_data import as_heard

    data = workshop.listen(running, spoken)
    samples, rate_hz = decode_sound("preview.ogg", data)
    labels = labels_in(samples, rate_hz, info.frames * 1000 / info.rate_hz)
    return as_heard(samples, rate_hz, data), Alignment(alignment.start_s, alignment.pace, tuple(labels))
