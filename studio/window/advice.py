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
    consent = _("Record the person's consent under 'People and consent', then come back and try again.")
    here = {
        "ConsentMissing": consent,
        "VoiceConsentMissing": consent,
        "VoiceConsentTooNarrow": consent,
        "ConsentTooNarrow": _("Choose one face in the workspace, or record the consent of each person shown."),
        "FaceIndexUnknown": _("Choose one of the numbered faces in the workspace."),
        "NotSignedIn": _("Sign in on the page 'Account'."),
        "SessionLocked": _("Enter the password on the page 'Account'."),
        "NotVerified": _("Make the operator's declaration on the page 'Account'."),
        "FaceUnassigned": _("Press 'Who is who...' under the picture in the workspace and say whose face it is."),
        "AssignmentUnconfirmed": _("Let a consent officer sign in and say the same under 'Who is who...'."),
        "FacePersonMissing": _("Record the consent of the person whose face it is, or choose another face."),
        "EvidenceUnconfirmed": _("Let a second person approve the evidence under 'People and consent'."),
        "CodeNeeded": _("Enter the six digits that your authenticator shows now."),
        "StepUpNeeded": _("Repeat the step and enter the password."),
        "AgreementNotAccepted": _("Repeat the step and accept the agreement, or accept it on the page 'About'."),
        "ContentBlocked": _("Change it and try again; if the rule is wrong here, appeal on the page 'Cases'."),
        "AccountSanctioned": _("Wait until then, or appeal on the page 'Cases'."),
        "CodeNotSetUp": _("Set one up on the page 'Members', then confirm it with a code."),
        "CodeAlreadySetUp": _("Take it away first on the page 'Members'."),
        "AccountUnbound": _("Show your document to an admin, who can bind the account to you again ('Members')."),
        "RoleMissing": _("Ask an admin for the role, on the page 'Members'."),
        "SameReviewer": _("Assign it to another reviewer on the page 'Cases'."),
        "CaseStateWrong": _("Read the case on the page 'Cases'."),
        "ComplaintKnown": _("Read it on the page 'Cases'."),
        "ProfileInvalid": _("Correct the field and save again."),
        "ConsentForbidsUse": _("Untick this use under 'More' in the workspace, or record a consent that allows it."),
        "ConsentPlace": _(
            "Name a covered country or project under 'More' in the workspace, or record a wider consent."
        ),
        "LastAdmin": _("Give somebody else the role admin first, on the page 'Members'."),
        "TargetExists": _("Choose another name, or allow the old file to be replaced."),
    }
    return slim(what), here.get(error.name, slim(next_step))
