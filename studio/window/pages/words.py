"""Words that several pages use: purposes and states."""

from __future__ import annotations

from studio.text import _

PURPOSES = ("private", "film", "advertising", "education", "research", "satire")


def purpose_word(purpose: str) -> str:
    """A purpose in the reader's language."""
    return {
        "private": _("private use"),
        "film": _("film and series"),
        "advertising": _("advertising"),
        "education": _("education"),
        "research": _("research"),
        "satire": _("satire"),
    }.get(purpose, purpose)


def purposes_text(purposes: tuple[str, ...]) -> str:
    """Several purposes in one line."""
    return _(", ").join(purpose_word(purpose) for purpose in purposes)


def grant_state(state: str) -> tuple[str, str]:
    """A consent's state: its word and its chip kind."""
    return {
        "live": (_("live"), "ok"),
        "not yet": (_("not yet valid"), "plain"),
        "expired": (_("expired"), "warn"),
        "withdrawn": (_("withdrawn"), "danger"),
    }.get(state, (state, "plain"))


def release_state(state: str) -> tuple[str, str]:
    """A release's state: its word and its chip kind."""
    return {
        "released": (_("released"), "ok"),
        "sealed": (_("unfinished"), "warn"),
        "intended": (_("unfinished"), "warn"),
        "rolled_back": (_("rolled back"), "plain"),
    }.get(state, (state, "plain"))
