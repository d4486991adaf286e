"""What a review says: a hit with rule, score and place, and the decision that a permit rests on (DSP 10)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import rfc8785


@dataclass(frozen=True, slots=True)
class ContentHit:
    """One place that a rule found, in words or in a picture. It never holds the words or the pixels.

    rule: id of list and entry, of classifier and category, or of a built-in rule. severity: "stop" ends the work,
    "case" asks a reviewer. place: "prompt", "source", "target", "result" and the like. score: 0 to 1; words found are
    1. start: the first sign of words, or the number of a frame, from 0.
    """

    rule: str
    category: str
    severity: Literal["stop", "case"]
    place: str
    score: float = 1.0
    start: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what to_json wrote; raises TypeError on other fields."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class ContentDecision:
    """By what the content of a request is judged, and what asks a reviewer; hard stops are raised and never here.

    lists_sha256: of the signed lists that words were looked for in. rules: the built-in rules of pictures. classifier,
    classifier_sha256: the model pack that looks at pictures, and its digest; "" where none was chosen.
    """

    lists_sha256: str
    rules: str
    classifier: str = ""
    classifier_sha256: str = ""
    hits: tuple[ContentHit, ...] = ()

    def basis(self) -> dict[str, str]:
        """What the ledger keeps: by what was judged, without any hit."""
        return {
            "lists_sha256": self.lists_sha256,
            "rules": self.rules,
            "classifier": self.classifier,
            "classifier_sha256": self.classifier_sha256,
        }

    def digest(self) -> str:
        """SHA-256 (hex) of the basis."""
        return hashlib.sha256(rfc8785.dumps(self.basis())).hexdigest()
