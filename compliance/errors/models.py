"""Errors of parts, packs, models, voices and their licences."""

from __future__ import annotations

from compliance.errors.base import ExitCode, SignetError


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


class PackIdUnfit(PackError):
    """data: pack. What was to become the id of a pack is none."""

    code = ExitCode.USAGE
    message = "“{pack}” cannot be the id of a model pack."
    next_step = "Use 2 to 64 lower-case letters, digits, dots, dashes or underscores; the first is a letter or digit."


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


class LicenceForbids(SignetError):
    """data: what, licence."""

    code = ExitCode.LICENCE
    message = "The licence of {what} ({licence}) forbids this use."
    next_step = "Use another model or purpose. The class of a licence is named with `signet pack add --licence-class`."
