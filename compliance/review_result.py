"""The look at a result before anybody else may look: no preview, no draft and no file comes before it (DSP 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from compliance.errors import ReviewUnavailable
from compliance.media import Pixels, SyntheticMedia, unseal

RESULT = "result"
"""What hits call the place."""


def look_at_result(media: SyntheticMedia, look: Callable[[Iterable[Pixels], str], None]) -> None:
    """Show the pixels of a sealed result to a review, which raises where they may not be; keeps none of them.

    look: takes pictures and the place they stand for. A sound says the words that the gate reviewed. Raises what look
    raises, and ReviewUnavailable for a kind of media that nobody can look at.
    """
    match media.info.kind:
        case "picture":
            look([unseal(media)], RESULT)
        case "sound" | "document":
            pass
        case _:
            raise ReviewUnavailable(part=RESULT, reason="nobody looks at this kind of media")
