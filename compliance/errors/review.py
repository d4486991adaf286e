"""Errors of the review of content."""

from __future__ import annotations

from typing import Any

from compliance.errors.base import ExitCode, SignetError


class ReviewError(SignetError):
    """What goes in and comes out is reviewed (DSP 10); without a review nothing is made."""

    code = ExitCode.BLOCKED


class ContentBlocked(ReviewError):
    """data: rule, category, place, score (0 to 1), start, case. Never the text or the picture itself.

    start: the first sign in a text, the number of a frame. case: what was opened for it, "-" while nothing was.
    """

    message = "This may not be made: rule {rule} ({category}), found in the {place} (score {score})."
    next_step = "Change it and try again; if the rule is wrong here, appeal with `signet case appeal {case}`."

    def __init__(self, **data: Any) -> None:
        super().__init__(**{"score": 1.0, "start": 0, "case": "-", **data})


class ReviewUnavailable(ReviewError):
    """data: part, reason. A configured classifier that cannot judge stops the work."""

    message = "The review cannot run ({part}: {reason}), so the work stops."
    next_step = "Install the review pack again, or choose another in the settings; work without review is not possible."


class ClassifierUnusable(ReviewUnavailable):
    """data: part (the pack), reason. The classifier that was chosen is missing, changed or cannot be loaded."""

    message = "The classifier {part} that looks at pictures cannot be used ({reason}), so the work stops."
    next_step = (
        "Install the pack again with `signet pack add`, or let an admin choose another with `signet review use`."
    )


class ReviewChanged(ReviewError):
    """The result was made while another review was in force."""

    message = "The review was changed after this was made."
    next_step = "Make it again; then the present review looks at it."


class ReviewListDamaged(ReviewError):
    """data: list, reason."""

    message = "The review list {list} is damaged or not signed by its owner ({reason})."
    next_step = "Install Signet again with `packaging/setup`, or sign your own list again."
