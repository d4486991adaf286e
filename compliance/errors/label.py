"""Errors of labels, releases and the ledger."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


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
