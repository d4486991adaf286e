"""How fast a large register of fingerprints answers: `python -m tests.bench.fingerprint [--releases N]`.

The rows are made up: random hashes, key points and sounds, as many bytes as real ones, entered past the releaser. One
real picture and one real sound among them have to be found again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from compliance import store
from compliance.clock import stamp
from compliance.errors import LabelPartMissing
from compliance.fingerprint import keypoints, registry
from compliance.fingerprint.registry import Prints, Register
from compliance.media import Samples
from tests.bench.attacks import cropped
from tests.bench.pictures import PICTURES

RELEASES = 100_000
_BATCH, _TIMES = 2_000, 3


def melody(seconds: float) -> tuple[Samples, int]:
    """Some notes."""
    rate_hz, chance = 16000, np.random.default_rng(3)
    notes = chance.choice([220, 262, 294, 330, 392, 440, 523, 587], int(seconds * 4))
    turns = np.cumsum(np.repeat(notes, rate_hz // 4)) / rate_hz
    wave = sum(np.sin(2 * np.pi * turns * part) / part for part in (1, 2, 3))
    return (0.3 * np.asarray(wave) + 0.01 * chance.normal(size=len(turns))).astype(np.float32)[:, None], rate_hz


def fill(rows: store.Store, count: int, kinds: tuple[str, ...]) -> None:
    """Enter made-up releases, each with the fingerprints of a picture or of a sound of ten seconds."""
    chance = np.random.default_rng(1)
    for begin in range(0, count, _BATCH):
        size = min(_BATCH, count - begin)
        hashes = chance.integers(0, 256, (size, 32), np.uint8)
        points = chance.integers(0, 256, (size, 300 * 36), np.uint8)
        sketches = np.minimum(chance.poisson(1.2, (size, keypoints.SKETCH_BINS)), 15).astype(np.uint8)
        sounds = chance.integers(0, 1 << 32, (size, 80), np.uint32)
        with rows.write() as connection:
            idents = [f"{begin + index:016x}" for index in range(size)]
            connection.execute(insert(store.release), [_release(ident) for ident in idents])
            rows_of = {
                ("pdq", 0): hashes,
                ("orb", 0): sketches[:, 0::2] | sketches[:, 1::2] << 4,
                ("orb", 1): points,
                ("chromaprint", 0): sounds.astype("<u4").view(np.uint8),
            }
            for (method, part), values in rows_of.items():
                if method in kinds:
                    made = [
                        (ident, method, part, with_sum(row.tobytes()))
                        for ident, row in zip(idents, values, strict=True)
                    ]
                    keys = ("release_id", "method", "part", "data")
                    connection.execute(insert(store.fingerprint), [dict(zip(keys, row, strict=True)) for row in made])


def with_sum(data: bytes) -> bytes:
    """A row as the register keeps it."""
    return zlib.crc32(data).to_bytes(4, "big") + data


def _release(ident: str) -> dict[str, Any]:
    return {
        "id": ident,
        "state": "released",
        "permit_id": "p",
        "account_id": "a",
        "consents": "[]",
        "target_path": "x",
        "part_path": "y",
        "overwrite": 0,
        "format": "png",
        "payload_sha256": "0" * 64,
        "intent_index": 0,
        "created_at": stamp(),
        "finished_at": stamp(),
    }


def timed(ask: Callable[[], Any], expected: str) -> dict[str, Any]:
    """Median and slowest answer in ms, and whether the right release came first."""
    spent, found = [], []
    for _ in range(_TIMES):
        start = time.perf_counter()
        found = list(ask())
        spent.append(1e3 * (time.perf_counter() - start))
    is_found = bool(found) and found[0].release == expected
    return {"median_ms": round(statistics.median(spent)), "slowest_ms": round(max(spent)), "found": is_found}


def main() -> None:
    """Fill a register and ask it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=RELEASES)
    parser.add_argument("--kinds", default="pdq,orb,chromaprint")
    arguments = parser.parse_args()
    kinds = tuple(arguments.kinds.split(","))
    pixels = PICTURES["portrait 640x427"]()
    result: dict[str, Any] = {"releases": arguments.releases}
    with tempfile.TemporaryDirectory() as folder:
        rows = store.open_store(Path(folder) / "home")
        fill(rows, arguments.releases, kinds)
        real = "f" * 16
        sound = None
        with rows.write() as connection:
            connection.execute(insert(store.release), [_release(real)])
            made = list(registry.of_picture(pixels).rows)
            try:
                made += registry.of_sound(*melody(10)).rows
                sound = melody(10)
            except LabelPartMissing:
                print("without the library of sound fingerprints")
            registry.enter(connection, real, Prints(tuple(made)))
        result["database_mib"] = round(sum(file.stat().st_size for file in Path(folder).rglob("*.db*")) / (1 << 20))
        register = Register(rows)
        if "pdq" in kinds:
            result["pdq"] = timed(lambda: register.like_picture(pixels), real)
        if "orb" in kinds:
            result["orb"] = timed(lambda: register.like_picture(cropped(0.4, pixels)), real)
        if "chromaprint" in kinds and sound is not None:
            samples, rate_hz = sound
            result["chromaprint"] = timed(lambda: register.like_sound(samples, rate_hz), real)
        rows.close()
    for name in ("pdq", "orb", "chromaprint"):
        if name in result:
            print(f"{name:12s} {result[name]}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
