"""Errors of consent and of the gate."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


class ConsentError(SignetError):
    """No face or voice is used without a live grant."""

    code = ExitCode.CONSENT


class ConsentMissing(ConsentError):
    """data: role, asset."""

    message = "No consent covers the person in the {role} picture ({asset})."
    next_step = "Record the person's consent with `signet consent record`, then name it with --consent."


class VoiceConsentMissing(ConsentMissing):
    """data: role, asset."""

    message = "No consent covers the voice in the {role} recording ({asset})."
    next_step = "Record the person's consent with `signet consent record --voice FILE`, then name it with --consent."


class ConsentNotYetValid(ConsentError):
    """data: consent, since."""

    message = "Consent {consent} starts on {since}."
    next_step = "Wait until then or record a consent that starts today."


class ConsentExpired(ConsentError):
    """data: consent, until."""

    message = "Consent {consent} ended on {until}."
    next_step = "Ask the person again and record a new consent."


class ConsentOverByClock(ConsentExpired):
    """data: consent, until, ledger, clock: the days that the two tell, far apart where one of them alone ended it."""

    message = (
        "Consent {consent} ended on {until}, and the ledger and the clock of this machine disagree: entries of the "
        "ledger are of {ledger}, and the clock came to {clock}."
    )
    next_step = (
        "Set the clock right if it is wrong. What was over once stays over, for a clock that is set back revives "
        "nothing: then ask the person again and record a new consent."
    )


class ConsentWithdrawn(ConsentError):
    """data: consent, when."""

    message = "Consent {consent} was withdrawn on {when}."
    next_step = "The likeness may not be used any more; ask the person before recording a new consent."


class ConsentForOtherPicture(ConsentError):
    """data: consent, role, asset."""

    message = "Consent {consent} covers another person or another picture than the {role} ({asset})."
    next_step = "Name the consent that was recorded for this very file; a changed file needs a new consent."


class VoiceConsentForOther(ConsentForOtherPicture):
    """data: consent, role, asset."""

    message = "Consent {consent} covers another voice or another recording than the {role} ({asset})."


class ConsentPurpose(ConsentError):
    """data: consent, purpose, allowed."""

    message = "Consent {consent} does not cover the purpose “{purpose}”; it covers: {allowed}."
    next_step = "Choose a covered purpose or record a consent for this one."


class ConsentTooNarrow(ConsentError):
    """data: faces, persons."""

    message = "{faces} faces would be edited but the consents cover {persons} person(s) in the target picture."
    next_step = "Pick one face with --face, or record the consent of each person shown."


class VoiceConsentTooNarrow(ConsentTooNarrow):
    """data: faces, persons. The same for a recording: faces counts the voices that would be changed in it."""

    message = "Nobody's consent covers the voice that would be changed in the target recording."
    next_step = "Record the consent of whoever is heard in it with `signet consent record --voice FILE`."


class ConsentSuperseded(ConsentError):
    """data: consent, by."""

    message = "Consent {consent} was replaced by a newer one ({by})."
    next_step = "Name the newer consent."


class ConsentRefused(ConsentError):
    """data: consent, when. A second person looked at the evidence and said no."""

    message = "The evidence of consent {consent} was refused on {when}."
    next_step = "Ask the person again and record a new consent with better evidence."


class EvidenceUnconfirmed(ConsentError):
    """data: consent, level. The studio profile wants evidence that a second person has looked at."""

    message = "Consent {consent} rests on evidence of the level “{level}”, which this studio does not accept."
    next_step = "Let a second person look at the evidence and approve it with `signet consent approve`."


class ConsentForbidsUse(ConsentError):
    """data: consent, use."""

    message = "Consent {consent} forbids the use “{use}”."
    next_step = "Leave this use out, or ask the person and record a consent that allows it."


class ConsentPlace(ConsentError):
    """data: consent, kind, value, allowed. kind: territory or project."""

    message = "Consent {consent} does not cover the {kind} “{value}”; it covers: {allowed}."
    next_step = "Name a covered one with --territory or --project, or record a consent that covers it."


class ConsentOutputsUsed(ConsentError):
    """data: consent, limit."""

    message = "Consent {consent} allows {limit} release(s), and all have been made."
    next_step = "Ask the person and record a new consent."


class FaceUnassigned(ConsentError):
    """data: face, role, asset, faces, persons."""

    message = "Nobody has said whose face is number {face} in the {role} picture ({asset})."
    next_step = "Say it with `signet consent assign`; a picture of one person needs that only for several consents."


class AssignmentUnconfirmed(ConsentError):
    """data: face, role."""

    message = "Whose face is number {face} in the {role} picture was said by one person alone."
    next_step = "Let a second person confirm it with `signet consent assign`."


class FacePersonMissing(ConsentError):
    """data: face, role, subject."""

    message = "Face {face} in the {role} picture is that of {subject}, and none of the named consents is theirs."
    next_step = "Name the consent of this person for this picture, or choose another face."


class FaceMismatch(ConsentError):
    """data: face, role, consent, score, threshold."""

    message = "Face {face} in the {role} picture does not match the person of the consents ({score} of {threshold})."
    next_step = "Use a picture of the person who agreed; a clearer one may help."


class RecogniserMissing(ConsentError):
    """data: consent, model. A biometric consent without the model it was recorded with: nothing can be compared."""

    message = "Consent {consent} is matched by face or voice with the model {model}, which is not installed."
    next_step = "Add the pack of that model again, or record a consent for this exact file."


class VoiceMismatch(FaceMismatch):
    """data: face, role, consent, score, threshold."""

    message = "The voice in the {role} recording is not that of consent {consent} ({score}, {threshold} is needed)."
    next_step = "Use a recording in which this person alone speaks, or the consent of whoever speaks."


class EvidenceVoiceMismatch(VoiceMismatch):
    """data: face, role, consent, score, threshold. Found while a consent is recorded, so there is none to name yet."""

    message = "The evidence and the recording are not in the same voice ({score}, {threshold} is needed)."
    next_step = "Use evidence and a recording in which this person alone speaks."


class EvidenceFaceMismatch(FaceMismatch):
    """data: face, role, consent, score, threshold. Found while a consent is recorded, so there is none to name yet."""

    message = "The evidence does not show the person of face {face} in the picture ({score} of {threshold})."
    next_step = "Use a still and a picture of the person who agrees; clearer ones may help."


class PhraseNotHeard(ConsentError):
    """data: heard, words, needed."""

    message = "Of the {words} words of the phrase {heard} were heard, {needed} are needed."
    next_step = "Read a fresh phrase from `signet consent nonce`, slowly and close to the microphone."


class NonceInvalid(ConsentError):
    """data: reason. Never the phrase itself."""

    message = "The phrase of the recording cannot be accepted ({reason})."
    next_step = "Get a fresh phrase with `signet consent nonce` and record again."


class GuardianMissing(ConsentError):
    """data: reason."""

    code = ExitCode.USAGE
    message = "For a person under 14 a parent or guardian must consent ({reason})."
    next_step = "Enter the guardian with `signet subject add`, then name them with --guardian."


class ScopeUnclear(ConsentError):
    """data: kind, value, allowed."""

    code = ExitCode.USAGE
    message = "“{value}” cannot stand in a consent as {kind}."
    next_step = "Choose from: {allowed}."


class WithdrawalCodeUnknown(ConsentError):
    """The code opens no consent of this home. Never the code itself."""

    message = "This withdrawal code belongs to no consent in this home."
    next_step = "Compare it with the receipt, sign by sign; it has the form SW-XXXX-XXXX-XXXX-XXXX."


class PassphraseWrong(ConsentError):
    """data: consent."""

    message = "This is not the passphrase that was typed when consent {consent} was given."
    next_step = "Try again, use the withdrawal code of the receipt, or ask the studio to withdraw."


class SubjectErased(ConsentError):
    """data: subject, when."""

    message = "The data of {subject} were erased on {when}."
    next_step = "Enter the person again if they agree again."


class ConsentDates(ConsentError):
    """data: since, until."""

    code = ExitCode.USAGE
    message = "A consent cannot run from {since} until {until}."
    next_step = "Choose an end after the start, at most 12 months later."


class PurposeUnknown(ConsentError):
    """data: purpose, allowed."""

    code = ExitCode.USAGE
    message = "“{purpose}” is not a purpose that a consent can name."
    next_step = "Choose from: {allowed}."


class PermitInvalid(ConsentError):
    """data: reason."""

    message = "The permit for this work is not valid ({reason})."
    next_step = "Start the work again."


class DemoHomeOnly(ConsentError):
    """data: what."""

    message = "The demo home holds only the two sample portraits and its own words; {what} is not possible there."
    next_step = "Use your own home: leave --home out or point it to another folder."
