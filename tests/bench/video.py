"""The mark in video after other encoders, and what the labels cost of a 1080p export.

    python -m tests.bench.video [--clips N] [--json FILE] [--cost-only]

Clips are made by the program's own draft, label and title included, and then encoded again as a platform would: H.264
at CRF 23, 28 and 33, VP9 at half a megabit. Nothing of the original is used to read them.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from compliance import draft, encode_video
from compliance.film_reading import read_film
from compliance.inspection import verify_draft
from compliance.labels import moving, watermark_video
from compliance.labels.lettering import opencv
from compliance.labels.policy import LabelPlan, Prepared
from compliance.labels.watermark_video import FrameFold
from compliance.media import Film, MediaInfo, Pixels, SyntheticMedia
from compliance.video_containers import read_video_container
from tests.bench.pictures import PICTURES, sample

cv2 = opencv()
RATE = Fraction(25)
SIZE, FRAMES = (1280, 720), 32
IDENT = "0123456789abcdef"
PLAN = LabelPlan(IDENT, "mp4", "signet.local/bench", "trainedAlgorithmicMedia", False, "1")
REENCODED: dict[str, tuple[str, str, dict[str, str]]] = {
    "crf23": ("libx264", "mp4", {"preset": "fast", "crf": "23"}),
    "crf28": ("libx264", "mp4", {"preset": "fast", "crf": "28"}),
    "crf33": ("libx264", "mp4", {"preset": "fast", "crf": "33"}),
    "vp9": ("libvpx-vp9", "webm", {"deadline": "realtime", "cpu-used": "6", "b": "500k"}),
}


def _photographs() -> dict[str, Callable[[], Pixels]]:
    """Photographs that come with scikit-learn and scikit-image, where they are installed."""
    found: dict[str, Callable[[], Pixels]] = {}
    try:
        from sklearn.datasets import load_sample_images

        for name, picture in zip(("china", "flower"), load_sample_images().images, strict=True):
            found[name] = lambda picture=picture: np.asarray(picture, np.uint8)
    except ImportError:
        pass
    try:
        from skimage import data

        found["coffee"] = lambda: np.asarray(data.coffee(), np.uint8)
        found["rocket"] = lambda: np.asarray(data.rocket(), np.uint8)
    except ImportError:
        pass
    return found


def clips() -> dict[str, Callable[[], Pixels]]:
    """The pictures over which the clips move."""
    drawn = ("skyline", "grass", "page", "plasma 1.0", "sky")
    portrait: Callable[[], Pixels] = lambda: sample("eileen_collins.png", 1280, 720)  # noqa: E731
    return {"portrait": portrait, **_photographs(), **{name: PICTURES[name] for name in drawn}}


def pan(picture: Pixels, width: int, height: int, count: int, grain: float = 2.0) -> Iterator[Pixels]:
    """A move over a picture with a slow zoom, and the grain of a camera that changes with every frame."""
    factor = max(1.2 * width / picture.shape[1], 1.2 * height / picture.shape[0])
    ground = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    chance = np.random.default_rng(5)
    for index in range(count):
        zoom = 1 + 0.0015 * index
        left, top = min(3.0 * index, ground.shape[1] - width), min(1.5 * index, ground.shape[0] - height)
        move = np.array([[1 / zoom, 0, left], [0, 1 / zoom, top]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frame = cv2.warpAffine(ground, move, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)
        noise = chance.normal(0, grain, (height, width, 1)) if grain else 0.0
        yield np.clip(frame + noise, 0, 255).astype(np.uint8)


def media(picture: Pixels, width: int, height: int, count: int, grain: float = 2.0) -> SyntheticMedia:
    """A sealed clip; its frames are made beforehand, so that they cost nothing afterwards."""
    frames = list(pan(picture, width, height, count, grain))
    info = MediaInfo("video", width, height, "sRGB", PLAN.origin, "bench", "1", pictures=count, picture_rate=str(RATE))
    return SyntheticMedia(Film(lambda: iter(frames)), info)


def again(data: bytes, codec: str, form: str, options: dict[str, str]) -> bytes:
    """The same film from another encoder."""
    target = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(target, "w", format=form) as container:
        stream: Any = None
        for frame in source.decode(video=0):
            if stream is None:
                stream = container.add_stream(codec, rate=RATE, options=options)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
                stream.codec_context.thread_count = 2
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def mark_of(data: bytes) -> watermark_video.FilmMark:
    """What is read of a film, as verify reads it."""
    container = read_video_container("clip", data)
    return read_film("clip", data, container, "similar").mark


def survival_part(say: Callable[[str], None], only: int = 99) -> dict[str, float]:
    """The `video` entry of the result: share of clips whose id is read."""
    found: dict[str, list[bool]] = {name: [] for name in REENCODED}
    for name, make in list(clips().items())[:only]:
        made = draft.prepare(media(make(), *SIZE, FRAMES), PLAN)._data
        line = f"{name:12.12s} {len(made) / FRAMES * 25 * 8 / 1e6:5.2f} Mb/s "
        for attack, (codec, form, options) in REENCODED.items():
            copy = again(made, codec, form, options)
            mark = mark_of(copy)
            is_read = mark.found and f"{mark.ident:016x}" == IDENT
            found[attack].append(is_read)
            line += (
                f"  {attack} {len(copy) / FRAMES * 25 * 8 / 1e6:.2f} Mb/s {'yes' if is_read else 'NO '} z {mark.z:.1f}"
            )
        say(line)
    return {name: sum(reads) / max(1, len(reads)) for name, reads in found.items()}


class Meter:
    """Seconds by label: by the clock on the wall, and of processor time of the thread that asks."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.busy: dict[str, float] = {}

    @contextmanager
    def timing(self, owner: Any, name: str, label: str) -> Iterator[None]:
        """Count the seconds spent in one function while the block runs."""
        real = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            start, busy = time.perf_counter(), time.thread_time()
            try:
                return real(*arguments, **options)
            finally:
                self.wall[label] = self.wall.get(label, 0.0) + time.perf_counter() - start
                self.busy[label] = self.busy.get(label, 0.0) + time.thread_time() - busy

        setattr(owner, name, counted)
        try:
            yield
        finally:
            setattr(owner, name, real)


def cost_part(say: Callable[[str], None], count: int = 75) -> dict[str, float]:
    """The `cost` entry: what the labels take of a 1080p export of three seconds, and where it goes.

    By the wall, which other programs disturb, and by processor time, of all threads.
    """
    # One thread for ourselves, so that its time tells all; the encoder and the decoder have two each.
    cv2.setNumThreads(1)
    film = media(PICTURES["portrait 1080p, grain"](), 1920, 1080, count)
    spent, fold = Meter(), Meter()
    encoder = encode_video.FilmEncoder
    with (
        spent.timing(encoder, "planes", "to YUV"),
        spent.timing(encoder, "push", "encoding"),
        spent.timing(encoder, "finish", "encoding"),
        spent.timing(watermark_video.FrameMarker, "__init__", "mark"),
        spent.timing(watermark_video.FrameMarker, "mark", "mark"),
        spent.timing(moving.Plates, "lay", "drawn label"),
    ):
        start, busy, all_busy = time.perf_counter(), time.thread_time(), time.process_time()
        made = draft.prepare(film, PLAN)
        drafting, busy, all_busy = (
            time.perf_counter() - start,
            time.thread_time() - busy,
            time.process_time() - all_busy,
        )
    with fold.timing(FrameFold, "add", "mark read"), fold.timing(moving.LabelWatch, "see", "label measured"):
        start, looking_busy = time.perf_counter(), time.process_time()
        verify_draft(made._data, PLAN, Prepared(made.payload_sha256, made.size))
        looking, looking_busy = time.perf_counter() - start, time.process_time() - looking_busy

    def parts_of(spent: dict[str, float], fold: dict[str, float], drafting: float, looking: float) -> dict[str, float]:
        return {
            "mark": spent["mark"],
            "drawn label": spent["drawn label"],
            "mark read back by the draft": drafting - sum(spent.values()),
            "inspection: decoding": looking - sum(fold.values()),
            "inspection: label": fold["label measured"],
            "inspection: mark": fold["mark read"],
        }

    shares = {}
    by_wall = parts_of(spent.wall, fold.wall, drafting, looking)
    by_busy = parts_of(spent.busy, fold.busy, busy, looking_busy)
    # What the encoder's own threads do is nobody's but its own.
    bare_busy = all_busy - sum(list(by_busy.values())[:3])
    for name, bare, parts in (
        ("video_share", spent.wall["to YUV"] + spent.wall["encoding"], by_wall),
        ("video_share_cpu", bare_busy, by_busy),
    ):
        whole = bare + sum(parts.values())
        clock = "by the wall" if name == "video_share" else "of processor time"
        took = f"{1e3 * bare / count:.1f} ms a frame to encode, {1e3 * whole / count:.1f} ms in all"
        say(f"1080p, {count} frames, {clock}: {took}")
        for part, seconds in parts.items():
            say(f"  {part:28s} {1e3 * seconds / count:6.2f} ms a frame  {seconds / whole:6.1%}")
        before = parts["mark"] + parts["drawn label"]
        shares[name] = round(sum(parts.values()) / whole, 4)
        shares[f"{name}_drawing"] = round(before / (bare + before), 4)
    return shares


def video_part(say: Callable[[str], None]) -> tuple[dict[str, float], dict[str, float]]:
    """The `video` entry and the video figures of the `cost` entry."""
    return survival_part(say), cost_part(say)


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=99, help="only the first so many clips")
    parser.add_argument("--cost-only", action="store_true", help="only the cost")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()

    def say(line: str) -> None:
        print(line, flush=True)

    result: dict[str, Any] = {}
    if not arguments.cost_only:
        result["video"] = survival_part(say, arguments.clips)
    result["cost"] = cost_part(say)
    say(json.dumps(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
