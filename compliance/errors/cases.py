"""Errors of cases, sanctions, the operator and what is kept."""

from __future__ import annotations

from compliance.errors.account import AccountError
from compliance.errors.base import ExitCode
from compliance.errors.inputs import InputError
from compliance.errors.label import LabelError


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
