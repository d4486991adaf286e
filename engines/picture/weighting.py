"""Words that weigh more or less: (word:1.3), (word) and [word], as blends of what the text encoder makes of them.

A bracket weighs its words 1.1 times, a square one 1/1.1 times, a number in brackets as it says; brackets nest and \\(
is a bracket that is meant. Each token is moved away from, or towards, what the encoder makes of an empty text at its
place: empty + weight · (token - empty). This is done for Stable Diffusion 1, 2 and XL, whose text encoders are CLIP;
other families read the words without weights, and that is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from compliance.errors import OptionUnfit

_STEP: Final = 1.1
_LARGEST: Final = 3.0
_NUMBER = re.compile(r":\s*(\d{0,3}\.?\d{1,6})\s*\)")
N_NO_WEIGHTS = "the weights of words in brackets were ignored: this model does not know them"
N_CUT = "the words after “{0}” were not read: this model reads {1} pieces of words"


@dataclass(slots=True)
class Piece:
    """Some words and how much they weigh."""

    text: str
    weight: float


def parse(prompt: str) -> list[Piece]:
    """The pieces of a prompt in order; a bracket without its partner is text. Raises OptionUnfit for weights over 3."""
    pieces: list[Piece] = []
    opened: list[tuple[str, int]] = []

    def put(text: str) -> None:
        pieces.append(Piece(text, 1.0))

    def close(weight: float) -> None:
        _, first = opened.pop()
        for piece in pieces[first:]:
            piece.weight *= weight

    place = 0
    while place < len(prompt):
        sign = prompt[place]
        number = _NUMBER.match(prompt, place) if opened and opened[-1][0] == "(" else None
        if sign == "\\" and prompt[place + 1 : place + 2] in ("(", ")", "[", "]", "\\"):
            put(prompt[place + 1])
            place += 1
        elif number is not None:
            close(float(number[1]))
            place = number.end() - 1
        elif sign in "([":
            opened.append((sign, len(pieces)))
        elif sign in ")]" and opened and opened[-1][0] == {")": "(", "]": "["}[sign]:
            close(_STEP if sign == ")" else 1 / _STEP)
        else:
            put(sign)
        place += 1
    for sign, first in reversed(opened):
        pieces.insert(first, Piece(sign, 1.0))
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].weight == piece.weight:
            joined[-1].text += piece.text
        else:
            joined.append(Piece(piece.text, piece.weight))
    for piece in joined:
        if piece.weight > _LARGEST:
            raise OptionUnfit(option="prompt", value=f"({piece.text[:40]}:{piece.weight:g})", allowed=f"0 – {_LARGEST}")
    return joined


def plain(pieces: list[Piece]) -> str:
    """The words without their brackets."""
    return "".join(piece.text for piece in pieces)


def is_weighted(pieces: list[Piece]) -> bool:
    """Whether any word weighs other than 1."""
    return any(piece.weight != 1 for piece in pieces)


def knows_weights(pipeline: Any) -> bool:
    """Whether the text encoders of a pipeline are CLIP's, and theirs alone."""
    name = type(pipeline).__name__
    return name.startswith("StableDiffusion") and "3" not in name and hasattr(pipeline, "encode_prompt")


def cut_off(pipeline: Any, text: str) -> str:
    """The warning for a text longer than a CLIP text encoder reads; "" when all of it is read."""
    tokenizer = getattr(pipeline, "tokenizer", None)
    if tokenizer is None or not knows_weights(pipeline):
        return ""
    room = int(tokenizer.model_max_length) - 2
    spans = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    if len(spans) <= room:
        return ""
    last = text[: spans[room - 1][1]].split()[-1:]
    return N_CUT.format(last[0][-40:] if last else "", room)


def embeddings(pipeline: Any, wanted: list[Piece], unwanted: list[Piece], guided: bool) -> dict[str, Any]:
    """What a CLIP pipeline takes in place of the words: its embeddings with every token weighted."""
    is_xl = hasattr(pipeline, "text_encoder_2")

    def encode(text: str, negative: str | None) -> tuple[Any, ...]:
        made: tuple[Any, ...] = pipeline.encode_prompt(
            prompt=text,
            device=pipeline._execution_device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=guided,
            negative_prompt=negative,
        )
        return made

    negative = plain(unwanted) or None
    made, empty = encode(plain(wanted), negative), encode("", None)[0]
    told = {"prompt_embeds": _blend(pipeline, wanted, made[0], empty)}
    if guided:
        told["negative_prompt_embeds"] = (
            _blend(pipeline, unwanted, made[1], empty) if is_weighted(unwanted) else made[1]
        )
    if is_xl:
        told["pooled_prompt_embeds"] = made[2]
        if guided:
            told["negative_pooled_prompt_embeds"] = made[3]
    return told


def _blend(pipeline: Any, pieces: list[Piece], embedded: Any, empty: Any) -> Any:
    """embedded, empty: float, (1, tokens, width); the first and last token of the text are its frame and weigh 1."""
    tokenizer = pipeline.tokenizer
    borders: list[tuple[int, float]] = []
    end = 0
    for piece in pieces:
        end += len(piece.text)
        borders.append((end, piece.weight))
    spans = tokenizer(
        plain(pieces),
        add_special_tokens=False,
        return_offsets_mapping=True,
        truncation=True,
        max_length=int(tokenizer.model_max_length) - 2,
    )["offset_mapping"]
    weights = embedded.new_ones(embedded.shape[1])
    for number, (start, _) in enumerate(spans, start=1):
        weights[number] = next((weight for border, weight in borders if start < border), 1.0)
    return empty + weights[None, :, None] * (embedded - empty)
