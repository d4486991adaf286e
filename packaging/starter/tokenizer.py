"""The words of the model: byte pairs of the captions, as the files of a CLIPTokenizer."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from .captions import all_words
from .plan import WORDS

Pair = tuple[str, str]

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORD = re.compile("[a-z]+")


def make(captions: Iterable[str], folder: Path) -> Any:
    """Learn byte pairs from the captions and all words of the painter, each of which becomes one token; write them.

    transformers 5 reads tokenizer.json; vocab.json and merges.txt lie beside it for older readers (not tried).
    Returns the CLIPTokenizer as read back.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    counts = Counter(word for text in (*captions, *all_words()) for word in _WORD.findall(text))
    merges = learn(counts)
    signs = sorted(ByteLevel.alphabet())
    tokens = [_START, _END, *signs, *(f"{sign}</w>" for sign in signs), *("".join(pair) for pair in merges)]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=WORDS).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]) + "\n")
    return read(folder)


def learn(counts: dict[str, int]) -> list[Pair]:
    """Pairs to join, the most frequent first, until every word is one piece.

    Written here because the usual trainer breaks ties differently in every process, and a training that is gone on
    with elsewhere must find the same tokens. Here the alphabet breaks them.
    """
    words = {word: [*word[:-1], f"{word[-1]}</w>"] for word in sorted(counts)}
    weights: dict[Pair, int] = defaultdict(int)
    places: dict[Pair, set[str]] = defaultdict(set)

    def enter(word: str, sign: int) -> None:
        for pair in pairwise(words[word]):
            weights[pair] += sign * counts[word]
            if sign > 0:
                places[pair].add(word)
            elif not weights[pair]:
                del weights[pair]

    for word in words:
        enter(word, 1)
    merges = []
    while weights:
        most = max(weights.values())
        best = min(pair for pair, weight in weights.items() if weight == most)
        merges.append(best)
        for word in places.pop(best):
            enter(word, -1)
            words[word] = _joined(words[word], best)
            enter(word, 1)
    return merges


def _joined(pieces: list[str], pair: Pair) -> list[str]:
    found: list[str] = []
    for piece in pieces:
        if found and (found[-1], piece) == pair:
            found[-1] += piece
        else:
            found.append(piece)
    return found


def read(folder: Path) -> Any:
    """The CLIPTokenizer of a folder."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
