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
    next_step = "Use a PNG or JPEG picture that opens in a picture viewer."


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


class NumberInvalid(InputError):
    """data: kind, reason. Never the number itself."""

    code = ExitCode.USAGE
    message = "This is not a valid {kind}: {reason}."
    next_step = "Compare it with the document, sign by sign, and enter it again."


class UnknownRecord(InputError):
    """data: kind, id."""

    message = "There is no {kind} {id}."
    next_step = "List what is there and copy the id."


# --- consent and gate ------------------------------------------------------------------------------------------------


class ConsentError(SignetError):
    """No face or voice is used without a live grant."""

    code = ExitCode.CONSENT


class ConsentMissing(ConsentError):
    """data: role, asset."""

    message = "No consent covers the person in the {role} picture ({asset})."
    next_step = "Record the person's consent with `signet consent record`, then name it with --consent."


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


class ConsentPurpose(ConsentError):
    """data: consent, purpose, allowed."""

    message = "Consent {consent} does not cover the purpose “{purpose}”; it covers: {allowed}."
    next_step = "Choose a covered purpose or record a consent for this one."


class ConsentTooNarrow(ConsentError):
    """data: faces, persons."""

    message = "{faces} faces would be edited but the consents cover {persons} person(s) in the target picture."
    next_step = "Pick one face with --face, or record the consent of each person shown."


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

    message = "The demo home holds only the two sample portraits; {what} is not possible there."
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


class LabelPartMissing(LabelError):
    """data: part. A library or file that draws or signs labels did not load: the release stops."""

    message = "A part of the labelling did not load ({part}); nothing can be released without it."
    next_step = "Install Signet again with `packaging/setup`."


class LedgerBroken(LabelError):
    """data: index, reason."""

    message = "The ledger does not hold together at entry {index} ({reason})."
    next_step = "Keep the home folder as it is and restore it from a backup; do not release anything."


class ProofInvalid(LabelError):
    """data: reason. A proof, a signed note or a root does not hold."""

    message = "The ledger proof does not hold ({reason})."
    next_step = "Do not rely on this proof; ask whoever released the file for a fresh copy."


class VerificationFailed(LabelError):
    """data: count."""

    message = "{count} file(s) did not verify."
    next_step = "Read the rows above: they name the layer that is damaged or absent."


# --- models, device, memory, disk, licence ---------------------------------------------------------------------------


class ModelDamaged(SignetError):
    """data: file."""

    code = ExitCode.MODEL
    message = "The model file {file} is missing or damaged."
    next_step = "Install Signet again with `packaging/setup`."


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


class DiskError(SignetError):
    """The place to write to cannot be used."""

    code = ExitCode.DISK


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
    """data: rule, category, place. Never the text or the picture itself."""

    message = "This may not be made: rule {rule} ({category}), found in the {place}."
    next_step = "Change it and try again; if the rule is wrong here, appeal with `signet case appeal`."


class ReviewUnavailable(ReviewError):
    """data: part, reason. A configured classifier that cannot judge stops the work."""

    message = "The review cannot run ({part}: {reason}), so the work stops."
    next_step = "Install the review pack again, or choose another in the settings; work without review is not possible."


class ReviewListDamaged(ReviewError):
    """data: list, reason."""

    message = "The review list {list} is damaged or not signed by its owner ({reason})."
    next_step = "Install Signet again with `packaging/setup`, or sign your own list again."


# --- keys and jobs ---------------------------------------------------------------------------------------------------


class KeysDamaged(SignetError):
    """data: path."""

    message = "The key file {path} is missing or damaged."
    next_step = "Restore the home folder from a backup; released files stay verifiable."


class StoreDamaged(SignetError):
    """data: path, reason."""

    message = "The database {path} is damaged ({reason})."
    next_step = "Keep the file as it is and restore the home folder from a backup; released files stay verifiable."


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
