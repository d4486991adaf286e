"""Looks at files as somebody who wants a picture without a label: what can be decoded, and does it carry the label?"""

from __future__ import annotations

import io
import os
import stat
import subprocess
import warnings
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compliance import verify
from compliance.keys import PublicKeys
from compliance.labels import audible, explicit
from compliance.media import Pixels
from compliance.open_databases import is_open_here

# Bytes looked at of one file; nothing that the tests make is larger.
_LARGEST_BYTES = 64 << 20
# A smaller picture than a label can stand on, and less than this part of one, shows nothing anybody could use.
_SMALLEST_PX = 48
_SMALLEST_SOUND_S = 0.2
# Where any of these begins something, a decoder that seeks a start in a heap of bytes would find a picture or a sound.
_MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",
    b"MM\x00*",
    b"RIFF",
    b"fLaC",
    b"OggS",
    b"ID3",
    b"ftyp",
    b"\x93NUMPY",
    b"\x1aE\xdf\xa3",
)


@dataclass(frozen=True, slots=True)
class Escape:
    """Media that stands somewhere without its label."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path.name}: {self.why}"


def files_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Every regular file below some folders; links are not followed, what goes away meanwhile is left out."""
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root, name)
                try:
                    mode = path.lstat().st_mode
                except OSError:
                    continue
                if stat.S_ISREG(mode):
                    yield path


def decoded_pictures(data: bytes) -> list[Pixels]:
    """What a decoder that forgives everything makes of bytes: nothing, or the pixels of one picture."""
    from PIL import Image, ImageFile

    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as opened:
                frames = [np.asarray(opened.convert("RGB"))]
    except Exception:  # a decoder may raise anything over broken bytes
        return []
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    return [frame for frame in frames if min(frame.shape[:2]) >= _SMALLEST_PX]


def decoded_sound(data: bytes) -> tuple[NDArray[np.float32], int] | None:
    """Samples, (frames, channels), and rate of the first sound in bytes, as far as it can be played; None for none."""
    import av

    pieces: list[NDArray[np.float32]] = []
    rate_hz = 0
    try:
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="fltp", layout=stream.layout)
            rate_hz = int(stream.rate or 0)
            for frame in container.decode(stream):
                pieces += [part.to_ndarray() for part in resampler.resample(frame)]
    except Exception:  # a decoder may raise anything over broken bytes
        pass
    if not pieces or not rate_hz:
        return None
    samples = np.ascontiguousarray(np.concatenate(pieces, axis=1).T)
    return (samples, rate_hz) if len(samples) >= _SMALLEST_SOUND_S * rate_hz else None


def looks_like_media(data: bytes) -> bool:
    """Whether bytes begin as a picture, a sound, a film or an array does; records and texts do not."""
    return any(magic in data[:64] for magic in _MAGIC) or data[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")


def fault_of(data: bytes) -> str:
    """Why bytes are media without an intact label; "" for labelled media and for what is no media."""
    if not looks_like_media(data):
        return ""
    for pixels in decoded_pictures(data):
        if _is_flat(pixels):
            continue
        found = explicit.measure(pixels)
        if explicit.state(found) != "intact":
            return f"a picture whose drawn label is {explicit.state(found)}"
    if any(magic in data[:16] for magic in (b"RIFF", b"fLaC", b"OggS", b"ID3", b"ftyp", b"\xff\xfb", b"\x1aE\xdf\xa3")):
        heard = decoded_sound(data)
        # A piece of a sound that was cut off still begins with its label; whole ones are verified as released files.
        if heard is not None and audible.state(audible.measure_sound(*heard)) == "absent":
            return "a sound without an audible label"
    if data.startswith(b"\x93NUMPY"):
        return "an array"
    return ""


def _is_flat(pixels: Pixels) -> bool:
    """Whether nothing at all is to be seen: what forgiving decoders make of a head without a body."""
    return int(pixels.max()) == int(pixels.min())


def _bytes_of(path: Path) -> bytes:
    """What a file holds; of a database that is open in this process through another one, so that it stays locked."""
    if not is_open_here(path):
        return path.read_bytes()
    return subprocess.run(["cat", "--", path], check=False, capture_output=True).stdout


def escapes(
    folders: Iterable[Path],
    *,
    known: Collection[bytes] = (),
    canary: Collection[bytes] = (),
    released: Collection[Path] = (),
    keys: PublicKeys | None = None,
) -> list[Escape]:
    """Everything below some folders that is media without a label, or holds pieces of it.

    known: whole contents of files that were there before. canary: pieces of raw pixels or samples, none of which may
    be anywhere. released: files that must verify as whole, all of their layers.
    """
    found: list[Escape] = []
    for path in files_below(folders):
        try:
            if path.stat().st_size > _LARGEST_BYTES:
                continue
            data = _bytes_of(path)
        except OSError:
            continue
        if data in known:
            continue
        if any(piece in data for piece in canary):
            found.append(Escape(path, "raw pixels or samples"))
        elif fault := fault_of(data):
            found.append(Escape(path, fault))
        elif path in released and looks_like_media(data):
            verdict = verify.verify_file(path, [keys] if keys else []).verdict
            if verdict != "sealed":
                found.append(Escape(path, f"released, but {verdict}"))
    return found
