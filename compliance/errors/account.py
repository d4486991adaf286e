"""Errors of accounts, sessions, roles and identity."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


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
