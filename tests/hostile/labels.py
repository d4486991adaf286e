"""Bad labels that the releaser has to refuse, and good ones that it has to accept, each by its own measurement.

    python -m tests.hostile.labels          a seeded share of them
    python -m tests.hostile.labels --all    all of them

Bad labels are painted and spoken here, with the right letters and clips and one thing wrong; good ones are made by the
drawing code of the program. Prints a table by what is wrong, or by what the label stands on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from compliance.errors import LabelTooWeak
from compliance.labels import audible, explicit
from compliance.media import Pixels
from tests.hostile.bad_pictures import BAD_PICTURES
from tests.hostile.bad_sounds import BAD_SOUNDS
from tests.hostile.good_media import GOOD_PICTURES, GOOD_SOUNDS

Sound = tuple[NDArray[np.float32], int]
ACCEPTED_LIMIT: Final = 0.995
# How many of each kind there are in all, and in the share that every run of the tests looks at.
BAD_EACH, GOOD_PICTURES_EACH, GOOD_SOUNDS_EACH = 16, 28, 24
SHARE_EACH = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One label. kind: what is wrong with it, or what it stands on; make: the media and whether SAMPLE is due."""

    medium: str
    kind: str
    seed: int
    is_good: bool
    make: Callable[[np.random.Generator], tuple[Pixels | Sound, bool]]

    def verdict(self) -> str:
        """Why the releaser refuses it, "" when it accepts it."""
        media, sample = self.make(np.random.default_rng((self.seed, *self.kind.encode())))
        try:
            if isinstance(media, tuple):
                audible.require_sound(audible.measure_sound(*media), sample=sample)
            else:
                explicit.require(explicit.measure(media), sample=sample)
        except LabelTooWeak as refusal:
            return str(refusal.data["reason"])
        return ""


def _of(table: dict[str, Callable[..., object]], medium: str, is_good: bool, each: int) -> Iterator[Case]:
    for kind, make in table.items():
        for seed in range(each):
            yield Case(medium, kind, seed, is_good, make)  # type: ignore[arg-type]  # the tables say what they hold


def cases(share: int | None = None) -> list[Case]:
    """Every case; share: no more than that many of each kind."""
    return [
        *_of(BAD_PICTURES, "picture", False, share or BAD_EACH),
        *_of(BAD_SOUNDS, "sound", False, share or BAD_EACH),
        *_of(GOOD_PICTURES, "picture", True, share or GOOD_PICTURES_EACH),
        *_of(GOOD_SOUNDS, "sound", True, share or GOOD_SOUNDS_EACH),
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """One case and what the releaser said to it."""

    case: Case
    reason: str

    @property
    def is_right(self) -> bool:
        """Whether a good label was accepted or a bad one refused."""
        return (self.reason == "") == self.case.is_good


def judge(those: Iterable[Case]) -> list[Judged]:
    """Ask the releaser's measurement."""
    return [Judged(case, case.verdict()) for case in those]


def table(judged: Sequence[Judged]) -> str:
    """Right answers by kind, then the sums."""
    lines = [f"{'label':8}{'on a':9}{'kind':34}{'looked at':>10}{'right':>7}  for example"]
    for key in dict.fromkeys((item.case.is_good, item.case.medium, item.case.kind) for item in judged):
        those = [item for item in judged if (item.case.is_good, item.case.medium, item.case.kind) == key]
        right = sum(item.is_right for item in those)
        word = "good" if key[0] else "bad"
        lines.append(f"{word:8}{key[1]:9}{key[2]:34}{len(those):>10}{right:>7}  {those[0].reason[:60]}")
    bad = [item for item in judged if not item.case.is_good]
    good = [item for item in judged if item.case.is_good]
    lines.append(f"Bad labels refused: {sum(item.is_right for item in bad)} of {len(bad)}")
    accepted = sum(item.is_right for item in good)
    lines.append(f"Good labels accepted: {accepted} of {len(good)} ({accepted / max(1, len(good)):.2%})")
    return "\n".join(lines)


def main() -> None:
    """Print the table; the exit code is 1 where a bad label was accepted or too few good ones were."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.labels", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every case")
    started = time.monotonic()
    judged = judge(cases(None if parser.parse_args().all else SHARE_EACH))
    print(table(judged))
    for item in judged:
        if not item.is_right:
            print(f"wrong: {item.case.medium} {item.case.kind}, seed {item.case.seed}: {item.reason or 'accepted'}")
    print(f"{time.monotonic() - started:.0f} s")
    good = [item.is_right for item in judged if item.case.is_good]
    is_bad_accepted = any(not item.is_right for item in judged if not item.case.is_good)
    sys.exit(is_bad_accepted or sum(good) < ACCEPTED_LIMIT * len(good))


if __name__ == "__main__":
    main()
