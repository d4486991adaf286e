"""Errors of the witnesses of the ledger."""

from __future__ import annotations

from compliance.errors.inputs import InputError
from compliance.errors.label import LabelError


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
