"""Errors as the window says them: where the general next step names a command, the window names its own button."""

from __future__ import annotations

from compliance.errors import SignetError
from studio.text import _, language, sentences

# The bundled typeface is a Chinese one: it draws these marks as wide as a character, which tears English apart.
_SLIM = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "×": "x", "·": "|"})


def slim(text: str) -> str:
    """English text with the plain forms of marks that the typeface draws full width; Chinese text as it is."""
    return text.translate(_SLIM) if language() == "en" else text


def advice(error: SignetError) -> tuple[str, str]:
    """What happened and what to do here, in the reader's language."""
    what, next_step = sentences(error)
    here = {
        "ConsentMissing": _("Record the person's consent under 'People and consent', then tick it in the workspace."),
        "ConsentTooNarrow": _("Choose one face in the workspace, or record the consent of each person shown."),
        "FaceIndexUnknown": _("Choose one of the numbered faces in the workspace."),
        "NotSignedIn": _("Sign in on the page 'Account'."),
        "SessionLocked": _("Enter the password on the page 'Account'."),
        "NotVerified": _("Make the operator's declaration on the page 'Account'."),
        "TargetExists": _("Choose another name, or allow the old file to be replaced."),
    }
    return slim(what), here.get(error.name, slim(next_step))
