"""Measures the review of prompts: `python -m tests.bench.review [--json FILE]`.

The prompts are those that a studio sees: English and Chinese, of one to sixty sentences; a tenth of them has full-width
or zero-width signs or traditional characters, one in fifty a phrase of the lists. Each prompt is reviewed alone, with
the shipped lists. Thread time, median of five rounds; MB are 10^6 bytes of UTF-8.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from pathlib import Path

from compliance.review import ReviewLists, review_text, shipped_lists
from tests.compliance.spellings import TRAPS, full_width, harmless, traditional, zero_width

ROUNDS = 5
SHORT_SIGNS = 120


def prompts(lists: ReviewLists, count: int = 1500) -> list[str]:
    """Prompts of one to sixty sentences from a fixed seed; most are of one to six."""
    dice = random.Random(3)
    sentences = [sentence for sentence in harmless() if sentence not in TRAPS]
    made = []
    for number in range(count):
        many = dice.choice((1, 1, 2, 3, 4, 6, 12, 60))
        text = " ".join(dice.choice(sentences) for _ in range(many))
        if number % 10 == 0:
            text = dice.choice((full_width, traditional, zero_width))(text, dice)
        if number % 50 == 0:
            text += f" {dice.choice(lists.entries).text}"
        made.append(text)
    return made


def _seconds(texts: list[str], lists: ReviewLists) -> float:
    """The median time of reviewing all texts once."""
    times = []
    for _ in range(ROUNDS):
        before = time.thread_time()
        for text in texts:
            review_text(text, lists)
        times.append(time.thread_time() - before)
    return statistics.median(times)


def measure() -> dict[str, float]:
    """The figures by their names."""
    before = time.thread_time()
    lists = shipped_lists()
    load_ms = (time.thread_time() - before) * 1e3
    texts = prompts(lists)
    size = sum(len(text.encode()) for text in texts)
    whole = "\n".join(texts)
    short = [text for text in texts if len(text) <= SHORT_SIGNS]
    figures = {
        "review_mb_per_s": size / 1e6 / _seconds(texts, lists),
        "review_one_text_mb_per_s": len(whole.encode()) / 1e6 / _seconds([whole], lists),
        "review_short_prompt_us": _seconds(short, lists) / len(short) * 1e6,
        "review_load_ms": load_ms,
        "review_prompt_bytes_mean": size / len(texts),
    }
    return {name: round(value, 2) for name, value in figures.items()}


def main() -> None:
    """Measure and print; --json FILE also writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.review", description=__doc__)
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures there")
    arguments = parser.parse_args()
    figures = measure()
    for name, value in figures.items():
        print(f"{name:28}{value:12,.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
