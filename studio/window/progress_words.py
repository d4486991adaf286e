"""How far a job is, in the reader's language."""

from __future__ import annotations

from studio.text import _


def stage_word(stage: str) -> str:
    """A stage of an engine in the reader's language."""
    known = {
        "reading pictures": _("reading pictures"),
        "finding faces": _("finding faces"),
        "preparing the source": _("preparing the source"),
        "swapping face": _("swapping face"),
        "making noise": _("making noise"),
        "reading the words": _("reading the words"),
        "finished": _("finished"),
        "loading the model": _("loading the model"),
        "making the picture": _("making the picture"),
        "removing noise": _("removing noise"),
        "bringing colours back": _("bringing colours back"),
        "raising the contrast": _("raising the contrast"),
        "enlarging the picture": _("enlarging the picture"),
        "looking for scratches": _("looking for scratches"),
        "filling the scratches": _("filling the scratches"),
    }
    return known.get(stage) or _(stage)


def left_text(seconds: int | None) -> str:
    """How long it still takes."""
    if seconds is None:
        return _("Estimating the time left...")
    if seconds < 1:
        return _("Almost done")
    if seconds < 90:
        return _("About {seconds} s left", seconds=seconds)
    return _("About {minutes} min left", minutes=round(seconds / 60))
