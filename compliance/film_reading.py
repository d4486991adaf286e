"""One walk through a finished film that looks for everything seen in it: the label in every frame, and the mark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compliance.decode_video import decode_film
from compliance.labels.moving import FilmLabel, LabelWatch
from compliance.labels.watermark.detect import Effort
from compliance.labels.watermark_video import FOLD_FRAMES, FilmMark, FrameFold
from compliance.media import Pixels
from compliance.video_containers import VideoContainer


@dataclass(frozen=True, slots=True)
class FilmReading:
    """What was seen. as_told: frames decode to the number and size that the file's own header names."""

    label: FilmLabel
    mark: FilmMark
    as_told: bool


def read_film(
    name: str,
    data: bytes,
    container: VideoContainer,
    effort: Effort = "straight",
    each_second: Callable[[Pixels], None] | None = None,
) -> FilmReading:
    """Decode all frames of a film and measure them. effort: how hard the mark is sought where the plain look fails.

    each_second: is given the first frame of every second, uint8, (height, width, 3), so that nobody decodes twice.
    Raises NotAVideo for a film that cannot be decoded to its end, LabelPartMissing.
    """
    watch, fold = LabelWatch(), FrameFold()
    step = max(1, container.pictures // FOLD_FRAMES)
    as_told = True
    next_s = 0.0
    for index, shot in enumerate(decode_film(name, data)):
        watch.see(shot)
        if index % step == 0 or shot.is_key:
            fold.add(shot.luma(), is_key=shot.is_key)
        if each_second is not None and shot.time_s >= next_s:
            next_s = int(shot.time_s) + 1.0
            each_second(shot.pixels())
        as_told = as_told and shot.luma().shape == (container.height, container.width)
    label = watch.finish()
    return FilmReading(label, fold.finish(effort), as_told and label.frames == container.pictures)
