"""Every format through a real home, then looked at by others: `python -m tests.bench.formats [--json FILE] [KIND…]`.

One row a format: what our own parser finds of each label, what exiftool finds in the same file, whether FFmpeg (PyAV)
decodes it, what the whole release cost and how large the file is. A kind of media takes part by a maker in MAKERS.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from compliance import verify
from compliance.destination import beside
from compliance.errors import SignetError
from compliance.keys import public_keys
from compliance.labels.policy import FORMATS
from compliance.media import SyntheticMedia
from tests.bench.pictures import sample
from tests.compliance.documents import DOCUMENTS
from tests.compliance.films import film
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter
from tests.compliance.labels.sounds import speech


def picture(width: int = 640, height: int = 480) -> SyntheticMedia:
    """A portrait that the program ships, as if an engine had made it."""
    from compliance.media import MediaInfo

    pixels = sample("eileen_collins.png", width, height)
    info = MediaInfo("picture", width, height, "sRGB", "compositeWithTrainedAlgorithmicMedia", "fake.noise", "1", 1)
    return SyntheticMedia(pixels, info)


def sound() -> SyntheticMedia:
    """Two seconds of something like speech."""
    from compliance.media import MediaInfo

    samples = speech(2.0, 16000, 1)
    origin = "trainedAlgorithmicMedia"
    return SyntheticMedia(
        samples, MediaInfo.of_sound(samples, 16000, origin=origin, engine="fake.tone", engine_version="1")
    )


def document(name: str) -> SyntheticMedia:
    """A small text of one of the formats."""
    from compliance.media import Document, MediaInfo

    info = MediaInfo.of_document(origin="trainedAlgorithmicMedia", engine="fake.text", engine_version="1")
    return SyntheticMedia(Document(name, DOCUMENTS[name]), info)  # type: ignore[arg-type]  # a format of documents


# What is released of each kind of media, by the name of the format.
MAKERS: dict[str, Callable[[str], SyntheticMedia]] = {
    "picture": lambda _name: picture(),
    "sound": lambda _name: sound(),
    "video": lambda _name: film(256, 256, 22),
    "document": lambda name: document(name),
}


def release(home: Home, media: SyntheticMedia, out: Path) -> float:
    """Release one result; seconds that it took."""
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    session = home.session()
    start = time.perf_counter()
    home.releaser.release(
        permit=home.gate.authorize(claim, session.account),
        claim=claim,
        account=session.account,
        keys=session.require_keys(),
        info=media.info,
        materials=(),
        drafter=HonestDrafter(media),
        out=out,
    )
    return time.perf_counter() - start


def tags_of(path: Path) -> dict[str, Any] | None:
    """What exiftool says of a file, None where it is not installed."""
    if shutil.which("exiftool") is None:
        return None
    command = ["exiftool", "-j", "-G1", "-a", "-u", "-ee", "-b", "-struct", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = {key: _text(value) for key, value in json.loads(answer.stdout)[0].items()}
    except (ValueError, IndexError):
        return {}
    return found


def _text(value: Any) -> Any:
    """What stands in a chunk that exiftool does not know."""
    if isinstance(value, str) and value.startswith("base64:"):
        return base64.b64decode(value.removeprefix("base64:")).decode("utf-8", "replace")
    return value


def _has(tags: dict[str, Any] | None, name: str, words: str) -> str:
    """How often a tag of that name says these words: "1×", or "-" without exiftool."""
    if tags is None:
        return "-"
    # MP3 has the name of the field in front of its value.
    count = sum(
        (name in key.lower() or str(value).lower().startswith(f"({name})")) and words in str(value)
        for key, value in tags.items()
    )
    return f"{count}×" if count else "no"


def decodes(path: Path) -> str:
    """Whether FFmpeg decodes the file: how many frames."""
    import av

    try:
        with av.open(str(path)) as container:
            stream = (container.streams.video or container.streams.audio)[0]
            return f"{sum(1 for _ in container.decode(stream))} frames"
    except (av.FFmpegError, IndexError) as error:
        return f"no ({type(error).__name__})"


def row(home: Home, name: str, folder: Path) -> dict[str, str]:
    """One format, released and looked at."""
    rule = FORMATS[name]  # type: ignore[index]  # a key of the table
    path = folder / f"x{rule.endings[0]}"
    try:
        seconds = release(home, MAKERS[rule.kind](name), path)
    except SignetError as error:
        return {"format": name, "kind": rule.kind, "problem": f"{type(error).__name__}: {error}"}
    keys = public_keys(home.folder)
    report = verify.verify_file(path, [keys] if keys else [])
    layers = report.layers
    release_id = str(layers["ledger"].evidence.get("release"))
    tags = tags_of(path)
    aside = beside(path)
    # exiftool of 2023 reads the boxes of C2PA in PNG and JPEG alone and shows them as unknown bytes elsewhere.
    return {
        "format": name,
        "kind": rule.kind,
        "verdict": report.verdict,
        **{layer: found.state for layer, found in layers.items()},
        "credential is": f"beside, {aside.stat().st_size} B" if aside.exists() else "inside",
        "trust": str(layers["credential"].evidence.get("trust")),
        "exiftool AIGC": _has(tags, "aigc", release_id),
        "exiftool IPTC": _has(tags, "digitalsourcetype", "cv.iptc.org/newscodes/digitalsourcetype/"),
        "FFmpeg": "-" if rule.kind == "document" else decodes(path),
        "KiB": f"{path.stat().st_size / 1024:.0f}",
        "release ms": f"{1000 * seconds:.0f}",
    }


def rows(folder: Path, kinds: Iterable[str]) -> list[dict[str, str]]:
    """All formats of some kinds, in the order of the table."""
    home = Home.furnished(folder / "home")
    wanted = [name for name, rule in FORMATS.items() if rule.kind in kinds and rule.kind in MAKERS]
    return [row(home, name, folder) for name in wanted]


def shown(table: list[dict[str, str]]) -> str:
    """The table as text, in columns."""
    columns = list(dict.fromkeys(key for line in table for key in line))
    wide = {key: max(len(key), *(len(line.get(key, "")) for line in table)) for key in columns}
    lines = [[key.ljust(wide[key]) for key in columns]]
    lines += [[line.get(key, "").ljust(wide[key]) for key in columns] for line in table]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def main(arguments: list[str]) -> None:
    """Print the table and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(MAKERS))
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        table = rows(Path(folder), asked.kinds or MAKERS)
    sys.stdout.write(shown(table) + "\n")
    if asked.json is not None:
        asked.json.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
