"""One tree of errors; each carries its data, an English sentence and the next step.

The two sentences are gettext message ids with named fields; studio/text.py puts them into the reader's language.
Errors are caught at two places only: the worker (a Failed event) and the door (window or command line).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What the command line answers to the shell."""

    OK = 0
    ERROR = 1
    USAGE = 2
    BLOCKED = 3
    STOPPED = 4
    CONSENT = 5
    ACCOUNT = 6
    LABEL = 7
    MODEL = 8
    DEVICE = 9
    MEMORY = 10
    DISK = 11
    LICENCE = 12


class SignetError(Exception):
    """Base of all expected errors; `data` fills the fields of `message` and `next_step`."""

    code: ClassVar[ExitCode] = ExitCode.ERROR
    message: ClassVar[str] = "Something went wrong."
    next_step: ClassVar[str] = "Run `signet doctor` and try again."

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.message.format(**data))

    @property
    def name(self) -> str:
        """The class name: what a machine reader matches on."""
        return type(self).__name__


def registry() -> dict[str, type[SignetError]]:
    """All error classes by name, so that an error can cross a process border as data."""
    found: dict[str, type[SignetError]] = {}
    pending: list[type[SignetError]] = [SignetError]
    while pending:
        kind = pending.pop()
        found[kind.__name__] = kind
        pending.extend(kind.__subclasses__())
    return found


# --- input -----------------------------------------------------------------------------------------------------------


class InputError(SignetError):
    """The given file or value cannot be used."""


class FileMissing(InputError):
    """data: path."""

    message = "There is no file at {path}."
    next_step = "Check the path and try again."


class NotAPicture(InputError):
    """data: path, reason."""

    message = "{path} is not a picture that can be read ({reason})."
    next_step = "Use a PNG, JPEG, WebP, TIFF, GIF or AVIF picture that opens in a picture viewer."


class NotASound(InputError):
    """data: path, reason."""

    message = "{path} is not a sound that can be read ({reason})."
    next_step = "Use a WAV, FLAC, MP3, M4A or Ogg file that plays in a sound player."


class NotAVideo(InputError):
    """data: path, reason."""

    message = "{path} is not a video that can be read ({reason})."
    next_step = "Use an MP4, MOV, MKV or WebM file that plays in a video player."


class VideoTooLong(InputError):
    """data: path, limit_s."""

    message = "{path} is longer than {limit_s} seconds."
    next_step = "Cut the video into shorter files and try again."


class NotADocument(InputError):
    """data: path, reason."""

    message = "{path} is not a document that can be read ({reason})."
    next_step = "Use a TXT, Markdown, HTML, DOCX or PDF file that opens in its usual program."


class DocumentUnsuitable(InputError):
    """data: reason."""

    message = "This document cannot be labelled ({reason})."
    next_step = "Take what is named out of the document, or save it in another format, and try again."


class SoundTooLong(InputError):
    """data: path, limit_s."""

    message = "{path} is longer than {limit_s} seconds."
    next_step = "Cut the recording into shorter files and try again."


class VoiceNotFound(InputError):
    """data: path, seconds, limit_s."""

    message = "There is too little speech in {path}: {seconds} seconds were found, {limit_s} are needed."
    next_step = "Use a recording in which one person speaks clearly and close to the microphone."


class TextEmpty(InputError):
    """data: reason. Nothing in a text can be said."""

    code = ExitCode.USAGE
    message = "There is nothing to say in this text ({reason})."
    next_step = "Give words with --text, or a file of words with --script."


class TextTooLong(InputError):
    """data: characters, limit."""

    code = ExitCode.USAGE
    message = "The text has {characters} characters; at most {limit} are spoken at once."
    next_step = "Split it into several parts and speak one after the other."


class MarkupUnclear(InputError):
    """data: place (characters from the start, from 1), reason."""

    code = ExitCode.USAGE
    message = "A tag of the text cannot be read, at character {place}: {reason}."
    next_step = (
        'Write <break time="500ms"/>, <emphasis>…</emphasis>, <prosody rate="slow">…</prosody>, or &lt; for a plain <.'
    )


class LanguageUnspoken(InputError):
    """data: language."""

    code = ExitCode.USAGE
    message = "No voice here speaks this language: {language}."
    next_step = "See the languages with `signet voice list`, or write the words in one of them."


class ScriptUnclear(InputError):
    """data: line (from 1), reason."""

    code = ExitCode.USAGE
    message = "Line {line} of the script cannot be read: {reason}."
    next_step = "Write one line for each speech, as in `Anna: Good morning.`; lines that begin with # are left out."


class PictureTooLarge(InputError):
    """data: path, width, height, limit_mp."""

    message = "{path} is {width}×{height} pixels; the limit is {limit_mp} megapixels."
    next_step = "Scale the picture down and try again."


class NoFaceFound(InputError):
    """data: path."""

    message = "No face was found in {path}."
    next_step = "Use a picture in which the face is turned to the camera, sharp and at least 60 pixels wide."


class FaceTooSmall(InputError):
    """data: path, eye_distance_px, limit_px."""

    message = "The face in {path} is too small: {eye_distance_px} pixels between the eyes, {limit_px} are needed."
    next_step = "Use a larger picture of the face."


class NameMissing(InputError):
    """A person without a name."""

    code = ExitCode.USAGE
    message = "A person needs a name."
    next_step = "Give the name under which the person signed; it is kept sealed."


class FaceIndexUnknown(InputError):
    """data: path, index, found."""

    code = ExitCode.USAGE
    message = "{path} has no face number {index}; {found} were found."
    next_step = "Count the faces from left to right, starting at 1, or leave --face out to swap all."


class FormatUnsupported(InputError):
    """data: path, supported."""

    code = ExitCode.USAGE
    message = "{path} ends in a format that Signet cannot release."
    next_step = "Choose one of these endings: {supported}."


class UsageUnclear(InputError):
    """data: problem (a sentence), command. The words after `signet` make no command."""

    code = ExitCode.USAGE
    message = "{problem}"
    next_step = "Read `{command} --help`."


class ReleaseChanged(InputError):
    """data: path. A released file is no longer what was released."""

    message = "{path} was changed after it was released, so it is neither copied nor printed from here."
    next_step = "Verify it, or release it again."


class OutputIsInput(InputError):
    """data: path. The result would take the place of a picture that it is made from."""

    code = ExitCode.USAGE
    message = "{path} is one of the files the result is made from; the original would be lost."
    next_step = "Choose another name for the result."


class RequestUnreadable(InputError):
    """data: path."""

    code = ExitCode.USAGE
    message = "{path} does not hold a request."
    next_step = "A request is JSON with function, engine, inputs, options, purpose, faces_edited and consents."


class NumberInvalid(InputError):
    """data: kind, reason. Never the number itself."""

    code = ExitCode.USAGE
    message = "This is not a valid {kind}: {reason}."
    next_step = "Compare it with the document, sign by sign, and enter it again."


class UnknownRecord(InputError):
    """data: kind, id."""

    message = "There is no {kind} {id}."
    next_step = "List what is there and copy the id."


class OptionUnfit(InputError):
    """data: option, value, allowed."""

    code = ExitCode.USAGE
    message = "{option} cannot be {value}."
    next_step = "Choose from: {allowed}."


# --- consent and gate ------------------------------------------------------------------------------------------------


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


# --- account ---------------------------------------------------------------------------------------------------------


class AccountError(SignetError):
    """Who works here is not established."""

    code = ExitCode.ACCOUNT


class NotSignedIn(AccountError):
    """No session."""

    message = "Nobody is signed in."
    next_step = "Sign in with `signet account login NAME`; make an account with `signet account create NAME`."


class SessionLocked(AccountError):
    """data: account."""

    message = "{account} is signed in, but the keys are locked: this machine has no keyring that can hold them open."
    next_step = "Give the password with --password-file FILE (or the variable SIGNET_PASSWORD_FILE)."


class NotVerified(AccountError):
    """data: account."""

    message = "{account} has no valid proof of identity, so nothing can be released."
    next_step = "Make the operator's declaration with `signet account declare`."


class NotAttested(NotVerified):
    """data: account. It is not the operator's, so that a declaration of its own proves nothing."""

    next_step = (
        "Show your document to an admin, who enters `signet identity attest {account} 'FULL NAME' --document KIND`; "
        "another person confirms it with `signet identity confirm ID`."
    )


class DeclarationRefused(NotAttested):
    """data: account. Only the operator declares who they are: an admin, or the only account of a home."""

    message = "{account} cannot declare an identity: only an admin, or the only account of a home, may do that."


class WrongPassword(AccountError):
    """data: account."""

    message = "The name or the password is wrong."
    next_step = "Try again; a forgotten password cannot be recovered."


class PasswordMissing(AccountError):
    """A password is needed and there is no terminal to ask on."""

    message = "A password is needed, and there is no terminal to ask on."
    next_step = "Give it with --password-file FILE (- is the standard input) or the variable SIGNET_PASSWORD_FILE."


class PasswordUnreadable(AccountError):
    """data: path."""

    message = "{path} does not hold a password: one line of text, at most 1,024 characters."
    next_step = "Write the password alone into a file that only you can read."


class TooManyAttempts(AccountError):
    """data: account, wait_s."""

    message = "Too many wrong passwords for {account}."
    next_step = "Wait {wait_s} seconds, then try again."


class AccountExists(AccountError):
    """data: account."""

    message = "There is already an account named {account}."
    next_step = "Choose another name or sign in."


class WeakPassword(AccountError):
    """data: minimum."""

    message = "The password is too short."
    next_step = "Use at least {minimum} characters."


class AccountNameInvalid(AccountError):
    """data: account."""

    code = ExitCode.USAGE
    message = "“{account}” cannot be an account name."
    next_step = "Use 2 to 40 letters, digits, dots, dashes or underscores."


class CodeNeeded(AccountError):
    """data: account. The password was right; the second factor is still asked for."""

    message = "{account} signs in with a code as well."
    next_step = "Give the six digits that your authenticator shows now (--code)."


class WrongCode(WrongPassword):
    """data: account. Also for a code that was used before; counts like a wrong password."""

    message = "The code is wrong, was used before, or its time is over."
    next_step = "Wait for the next code and try that one; check that the clock of this machine is right."


class CodeNotSetUp(AccountError):
    """data: account. There is no second factor, or it was never confirmed."""

    message = "{account} has no second factor."
    next_step = "Set one up with `signet account totp enroll`, then confirm it with a code."


class SecondFactorGone(AccountError):
    """data: account. The ledger tells of a second factor that the database does not have any more."""

    message = "The second factor of {account} was taken out of the database, not by Signet; nobody signs in without it."
    next_step = "Restore the home from a copy, or let an admin bind the account anew with `signet identity rebind`."


class CodeAlreadySetUp(AccountError):
    """data: account."""

    message = "{account} has a second factor already."
    next_step = "Take it away first with `signet account totp disable`."


class AccountUnbound(AccountError):
    """data: account. The limit of wrong passwords in a row (NIST SP 800-63B, 3.2.2) is reached."""

    message = "{account} was closed to all passwords after too many wrong ones."
    next_step = "Show your document to an admin, who can bind the account to you again: `signet identity rebind`."


class StepUpNeeded(SessionLocked):
    """data: account, minutes. The session is open, but this step wants a password that was given lately."""

    message = "This step needs the password of {account} again; it was last given more than {minutes} minutes ago."
    next_step = "Give the password with `signet account step-up`, then repeat the step."


class RoleMissing(AccountError):
    """data: account, action, roles."""

    message = "{account} has no role that allows this ({action})."
    next_step = (
        "Ask somebody with one of these roles: {roles}; an admin can grant one with `signet account role grant`."
    )


class RoleClash(AccountError):
    """data: account, role. An auditor has no other role."""

    message = "{account} cannot have the role {role}: an auditor only reads, and has no other role."
    next_step = (
        "Make an account of its own for the auditor and take its other roles away first: `signet account role revoke`."
    )


class OwnWork(AccountError):
    """data: account. Separation of duties."""

    message = "{account} cannot decide about their own work or their own account."
    next_step = "Ask somebody else with the right role."


class SecondPersonNeeded(AccountError):
    """data: reason. Two people are needed, and this one cannot be the second."""

    message = "A second person is needed ({reason})."
    next_step = "Let somebody else with a valid proof of identity sign in and confirm it."


class ProfileUnknown(AccountError):
    """data: profile, allowed."""

    code = ExitCode.USAGE
    message = "There is no profile “{profile}”."
    next_step = "Choose from: {allowed}."


class RoleUnknown(AccountError):
    """data: role, allowed."""

    code = ExitCode.USAGE
    message = "There is no role “{role}”."
    next_step = "Choose from: {allowed}."


class LastAdmin(AccountError):
    """data: account."""

    message = "{account} is the last admin; a home without one could not be looked after."
    next_step = "Grant the role admin to somebody else first."


class IdentityTaken(AccountError):
    """data: account. The same person or organisation has proven another account of this home."""

    message = "This identity already belongs to another account of this home."
    next_step = "One person works with one account; close the other one or sign in with it."


class IdentityRefused(AccountError):
    """data: reason. A provider of identities said no, or its answer does not hold."""

    message = "The proof of identity does not hold ({reason})."
    next_step = "Begin the proof again; if it fails again, ask whoever runs the identity provider."


class IdentityProviderUnusable(AccountError):
    """data: reason. The provider cannot be reached, or its settings cannot be used."""

    message = "The identity provider cannot be used ({reason})."
    next_step = "Check the settings of the provider and that it can be reached, then begin again."


# --- label, release, ledger ------------------------------------------------------------------------------------------


class LabelError(SignetError):
    """A label is missing, too weak or broken; nothing is released."""

    code = ExitCode.LABEL


class LabelTooWeak(LabelError):
    """data: layer, reason."""

    message = "The label was measured and is not good enough ({layer}: {reason}); nothing was released."
    next_step = "Try a larger picture; if it happens again, run `signet doctor`."


class PictureTooSmallForLabel(LabelError):
    """data: width, height, minimum."""

    message = "A picture of {width}×{height} pixels is too small to carry the label."
    next_step = "Use a picture of at least {minimum} pixels on its shorter side."


class SoundUnsuitable(LabelError):
    """data: reason. A sound that cannot carry the audible label."""

    message = "This sound cannot carry the label ({reason})."
    next_step = "Use a sound of one or two channels at 8 to 192 kHz."


class VideoUnsuitable(LabelError):
    """data: reason. A video that cannot be released."""

    message = "This video cannot be released ({reason})."
    next_step = "Use a shorter video, or one with smaller frames."


class LabelPartMissing(LabelError):
    """data: part. A library or file that draws or signs labels did not load: the release stops."""

    message = "A part of the labelling did not load ({part}); nothing can be released without it."
    next_step = "Install Signet again with `packaging/setup`."


class LedgerBroken(LabelError):
    """data: index, reason."""

    message = "The ledger does not hold together at entry {index} ({reason})."
    next_step = "Keep the home folder as it is and restore it from a backup; do not release anything."


class LedgerRolledBack(LabelError):
    """data: size (of the log that is there), known (how many entries it had already)."""

    message = "The ledger has {size} entries, or others than before, where it had {known} already: an older copy."
    next_step = (
        "Put the newer copy of the home folder back. If there is none, an admin goes on with this one by "
        "`signet ledger accept-rollback --reason TEXT`."
    )


class ProofInvalid(LabelError):
    """data: reason. A proof, a signed note or a root does not hold."""

    message = "The ledger proof does not hold ({reason})."
    next_step = "Do not rely on this proof; ask whoever released the file for a fresh copy."


class VerificationFailed(LabelError):
    """data: count."""

    message = "{count} file(s) did not verify."
    next_step = "Read the rows above: they name the layer that is damaged or absent."


# --- models, device, memory, disk, licence ---------------------------------------------------------------------------


class PartNotInstalled(SignetError):
    """data: part. Only what checks files was installed, or something was lost since."""

    code = ExitCode.MODEL
    message = "{part} is not installed; without it Signet only checks files."
    next_step = "Install the rest with: pip install 'signet-studio[studio]'"


class ModelDamaged(SignetError):
    """data: file."""

    code = ExitCode.MODEL
    message = "The model file {file} is missing or damaged."
    next_step = "Install Signet again with `packaging/setup`."


class BundledFileDamaged(ModelDamaged):
    """data: file. Something that comes with the program is not there, or not as it came."""

    message = "The file {file} of Signet itself is missing or damaged."


class PackError(SignetError):
    """A model pack cannot be used."""

    code = ExitCode.MODEL


class PackMissing(PackError):
    """data: pack."""

    message = "There is no model pack {pack}."
    next_step = "See what is there with `signet pack list`, or add one with `signet pack add`."


class PackDamaged(PackError):
    """data: pack, file, reason."""

    message = "The model pack {pack} is damaged: {file} ({reason})."
    next_step = "Remove it with `signet pack remove` and add it again from its source."


class PackForeign(PackError):
    """data: pack, file, reason."""

    message = "{file} does not belong into a model pack ({reason})."
    next_step = "Use weights as safetensors or ONNX; files that can run code are not loaded."


class PackExists(PackError):
    """data: pack."""

    message = "There is already a model pack {pack}."
    next_step = "Choose another id with --id, or remove the old pack first."


class PackUnfit(PackError):
    """data: pack, kind, wanted."""

    message = "The model pack {pack} is of the kind {kind}; {wanted} is needed here."
    next_step = "Choose another pack from `signet pack list`."


class ModelUnfit(PackError):
    """data: pack, reason. The files are whole, but they are not the model that is needed here."""

    message = "The model pack {pack} does not fit: {reason}."
    next_step = "Choose another pack from `signet pack list`, or add one that fits with `signet pack add`."


class VoiceMissing(SignetError):
    """data: voice, library. A speech library is not installed."""

    code = ExitCode.MODEL
    message = "The voice {voice} needs {library}, which is not installed."
    next_step = "Install it with `packaging/setup`, or choose another voice from `signet voice list`."


class SpeechFailed(SignetError):
    """data: voice, reason. The speech process ended or did not answer."""

    code = ExitCode.MODEL
    message = "The voice {voice} could not speak ({reason})."
    next_step = "Try again; if it happens again, shorten the text or choose another voice from `signet voice list`."


class ConversionFailed(SignetError):
    """data: pack, reason. A converter of voices ran and gave nothing that can be used."""

    code = ExitCode.MODEL
    message = "The model pack {pack} could not change this voice ({reason})."
    next_step = "Try another recording, or leave out the pack: then the voice is leaned without one."


class DeviceUnavailable(SignetError):
    """data: device."""

    code = ExitCode.DEVICE
    message = "The device {device} cannot be used."
    next_step = "Run `signet doctor` to see what is there, or choose the processor."


class DisplayMissing(SignetError):
    """No screen for the window."""

    code = ExitCode.DEVICE
    message = "There is no display, so the window cannot open."
    next_step = "Use the commands (`signet --help`), or start Signet from a desktop."


class OutOfMemory(SignetError):
    """data: stage."""

    code = ExitCode.MEMORY
    message = "The memory did not suffice ({stage})."
    next_step = "Close other programs or use a smaller picture."


class TooManyFilesOpen(SignetError):
    """The system lets this process open nothing more."""

    code = ExitCode.MEMORY
    message = "The system lets Signet open no more files."
    next_step = "Close other programs, or raise the limit (`ulimit -n`), and try again."


class DiskError(SignetError):
    """The place to write to cannot be used."""

    code = ExitCode.DISK


class OutputUnwritable(DiskError):
    """data: reason. The standard output takes nothing."""

    message = "What the command has to say cannot be written to the standard output ({reason})."
    next_step = "Send it elsewhere and ask again; what was done until now stands, see `signet ledger show`."


class DiskFull(DiskError):
    """data: path."""

    message = "There is no space left at {path}."
    next_step = "Free some space; nothing was lost and nothing was left behind."


class NotWritable(DiskError):
    """data: path, reason."""

    message = "{path} cannot be written ({reason})."
    next_step = "Choose another folder or change its permissions."


class TargetExists(DiskError):
    """data: path."""

    message = "{path} is already there."
    next_step = "Choose another name, or allow it with --overwrite."


class DestinationUnsuitable(DiskError):
    """data: path."""

    message = "A finished file cannot be put into {path}: its file system has no hard links, or forbids them."
    next_step = "Release to a folder on a local disk and copy the finished file from there."


class HomeUnusable(DiskError):
    """data: path, reason."""

    message = "The home folder {path} cannot be used ({reason})."
    next_step = "Point --home or SIGNET_HOME to a folder of your own on a local disk."


class LicenceForbids(SignetError):
    """data: what, licence."""

    code = ExitCode.LICENCE
    message = "The licence of {what} ({licence}) forbids this use."
    next_step = "Use another model or another purpose."


# --- review ----------------------------------------------------------------------------------------------------------


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


# --- cases, sanctions, operator --------------------------------------------------------------------------------------


class SameReviewer(AccountError):
    """data: case."""

    message = "An appeal goes to another reviewer than the one who decided case {case}."
    next_step = "Assign it to another reviewer with `signet case assign`."


class AccountSanctioned(AccountError):
    """data: account, measure, reason, until, case."""

    message = "{account} may not make or release anything now (measure: {measure}; reason: {reason}; until: {until})."
    next_step = "Wait until then, or appeal with `signet case appeal {case}`."


class AgreementNotAccepted(AccountError):
    """data: account, version."""

    message = "{account} has not accepted version {version} of the service agreement."
    next_step = "Read it with `signet operator agreement`, then accept it with `signet operator accept {version}`."


class NotConcerned(AccountError):
    """data: account, case."""

    message = "{account} cannot appeal in case {case}: it is not about this account."
    next_step = "The account that the decision is about has to appeal itself."


class StatementInvalid(InputError):
    """data: reason, limit."""

    code = ExitCode.USAGE
    message = "The statement cannot be taken ({reason})."
    next_step = "Write it as plain text of at most {limit} characters."


class SanctionUnclear(InputError):
    """data: measure, reason."""

    code = ExitCode.USAGE
    message = "The measure “{measure}” cannot be imposed like this: {reason}."
    next_step = "Give a suspension and a limit a last day, and a limit a number of releases a day."


class CaseStateWrong(InputError):
    """data: case, state."""

    message = "Case {case} is {state}; this step is not possible now."
    next_step = "Read the case with `signet case show {case}`."


class ComplaintInvalid(InputError):
    """data: path, reason."""

    message = "{path} is not a complaint that can be accepted ({reason})."
    next_step = "Ask the sender for a fresh file; nothing was recorded."


class ComplaintUnclear(ComplaintInvalid):
    """data: reason. Whoever writes a complaint has left something out, or named what there is not."""

    code = ExitCode.USAGE
    message = "The complaint cannot be written like this ({reason})."
    next_step = "Read `signet case complain --help`."


class ComplaintKnown(InputError):
    """data: path, case."""

    message = "The complaint in {path} is already case {case}."
    next_step = "Read it with `signet case show {case}`."


class RefutedAlready(InputError):
    """data: release, when."""

    message = "Release {release} was refuted on {when}."
    next_step = "The notice stands; nothing more is to be done."


class ProfileInvalid(InputError):
    """data: field, reason."""

    code = ExitCode.USAGE
    message = "The operator's {field} cannot be used: {reason}."
    next_step = "Read `signet operator set --help`."


class RetentionTooShort(LabelError):
    """data: before, days."""

    message = "Nothing younger than {days} days may be pruned; {before} is too late a day."
    next_step = "Choose an earlier day."


class PruneRefused(LabelError):
    """data: proposal, reason."""

    message = "Proposal {proposal} cannot be carried out ({reason})."
    next_step = "Propose it again with `signet ledger prune --before DATE`."


# --- witnesses of the ledger -----------------------------------------------------------------------------------------


class WitnessRefused(LabelError):
    """data: origin, reason. A witness signs one history of a log, ever."""

    message = "The witness does not sign this checkpoint of {origin} ({reason})."
    next_step = "Ask the log's home for an explanation; keep both files as evidence."


class WitnessNeedsProof(WitnessRefused):
    """data: origin, size. The checkpoint may be good, but the way from the last one is missing."""

    message = "The witness last signed {origin} at {size} entries and needs the proof from there."
    next_step = "Make it at the log's home with `signet ledger consistency --from {size} --out FILE`."


class WitnessKeyInvalid(InputError):
    """data: path, reason."""

    message = "{path} cannot be used by a witness ({reason})."
    next_step = "Make a key with `signet ledger witness-key`; a damaged state needs a new key and a new state file."


class LogNotExtended(LabelError):
    """data: path, reason."""

    message = "The log of today does not extend the one that {path} saw ({reason})."
    next_step = "Keep the file and the home as they are: one of them proves that the log was turned back or rewritten."


# --- keys and jobs ---------------------------------------------------------------------------------------------------


class KeysDamaged(SignetError):
    """data: path."""

    message = "The key file {path} is missing or damaged."
    next_step = "Restore the home folder from a backup; released files stay verifiable."


class Shredded(SignetError):
    """data: owner. The key of this person or account was destroyed; what was sealed with it is gone for good."""

    message = "What was kept about {owner} was erased for good."
    next_step = "It cannot be brought back; if the person agrees again, record them anew."


class StoreDamaged(SignetError):
    """data: path, reason."""

    message = "The database {path} is damaged ({reason})."
    next_step = "Keep the file as it is and restore the home folder from a backup; released files stay verifiable."


class RowMissing(StoreDamaged):
    """data: path, kind, id."""

    message = "The ledger tells of {kind} {id}, and the database {path} does not hold it any more."


class RowChanged(StoreDamaged):
    """data: path, kind, id."""

    message = "What the database {path} says about {kind} {id} is not what the ledger tells."


class StoreBusy(SignetError):
    """data: path."""

    message = "Another Signet is keeping the database {path} busy."
    next_step = "Wait until it is done, then try again."


class WorkerDied(SignetError):
    """data: detail."""

    message = "The engine process ended before the work was done ({detail})."
    next_step = "Try again; nothing was released. If it happens again, run `signet doctor`."


class Unexpected(SignetError):
    """data: kind, report. An unknown exception, reduced to a report without media or names."""

    message = "An unexpected error happened ({kind})."
    next_step = "A report without media or names is at {report}; please send it to the makers."


class WorkStopped(SignetError):
    """The user stopped the work; raised at the door only, never an engine's failure."""

    code = ExitCode.STOPPED
    message = "Stopped; nothing was released."
    next_step = "Start again whenever you like."
