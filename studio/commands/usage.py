"""Reading the command line before and beside typer: options that may stand anywhere, and misuse in our own words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any

from typer.exceptions import TyperException

from compliance.errors import OptionUnfit, UsageUnclear
from studio.text import _

_ANYWHERE = ("--home", "--lang")
_SEVERAL = "--consent"
# Commands that have a --lang of their own: the language of what is spoken. The reader's then stands before them.
_WITH_LANGUAGE = (("voice", "speak"),)
# Settings of engines that have another name as an option.
_SWITCHES = {"voices": "--cast", "language": "--lang"}


def arranged(arguments: Sequence[str]) -> list[str]:
    """The words with --home and --lang in front, and `--consent A B` spelled as `--consent A --consent B`.

    Behind a command that has a --lang of its own, that one stays where it is.
    """
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    front: list[str] = []
    rest: list[str] = []
    place, several = 0, False
    while place < end:
        word = words[place]
        movable = ("--home",) if tuple(rest[:2]) in _WITH_LANGUAGE else _ANYWHERE
        if word in movable and place + 1 < end:
            front += words[place : place + 2]
            place, several = place + 2, False
            continue
        if word.startswith(tuple(f"{name}=" for name in movable)):
            front.append(word)
        elif several and not word.startswith("-"):
            if rest[-1] != _SEVERAL:
                rest.append(_SEVERAL)
            rest.append(word)
        else:
            rest.append(word)
            several = word == _SEVERAL
        place += 1
    return front + rest + words[end:]


def named_as_written(error: OptionUnfit, words: Sequence[str]) -> OptionUnfit:
    """The same refusal, with an engine's setting called by the option that stands in these words for it."""
    setting = str(error.data["option"])
    switch = _SWITCHES.get(setting, "--" + setting.replace("_", "-"))
    if any(word == switch or word.startswith(f"{switch}=") for word in words):
        return OptionUnfit(**{**error.data, "option": switch})
    return error


def value_of(words: Sequence[str], option: str) -> str | None:
    """The last value of --home or --lang among arranged words, where they stand in front; None when it is not there."""
    found, place = None, 0
    while place < len(words):
        word = words[place]
        if word in _ANYWHERE and place + 1 < len(words):
            found = words[place + 1] if word == option else found
            place += 2
        elif word.startswith(tuple(f"{name}=" for name in _ANYWHERE)):
            found = word.split("=", 1)[1] if word.startswith(f"{option}=") else found
            place += 1
        else:
            break
    return found


def take_text_alone(command: Any) -> None:
    """Let no option or argument of text hold bytes that are none, down the whole tree; names of files may.

    Python hands such bytes on as lone surrogates (PEP 383), which neither a record nor a database can keep.
    """
    for parameter in command.params:
        parameter.process_value = _checked(parameter.process_value, parameter.opts[0])
    for child in getattr(command, "commands", {}).values():
        take_text_alone(child)


def _checked(process: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
    def checked(ctx: Any, value: Any) -> Any:
        found = process(ctx, value)
        for one in found if isinstance(found, list | tuple) else (found,):
            if isinstance(one, str) and any("\ud800" <= sign <= "\udfff" for sign in one):
                text = _("What is given for {option} holds bytes that are no text.", option=name)
                raise UsageUnclear(problem=text, command=ctx.command_path)
        return found

    return checked


def problem(misuse: TyperException) -> dict[str, str]:
    """The fields of UsageUnclear for what typer found wrong."""
    context = getattr(misuse, "ctx", None)
    return {"problem": _sentence(misuse, context), "command": context.command_path if context else "signet"}


def _sentence(misuse: TyperException, context: Any) -> str:
    name = _parameter(misuse)
    match type(misuse).__name__:
        case "MissingParameter":
            return _("{name} is missing.", name=name)
        case "BadParameter":
            return _("The value of {name} cannot be used: {reason}", name=name, reason=_reason(misuse.message))
        case "NoSuchOption":
            return _did_you_mean(_("There is no option {name}.", name=name), getattr(misuse, "possibilities", None))
        case "BadOptionUsage":
            return _("The option {name} needs a value, or was given one it does not take.", name=name)
    if misuse.message.startswith("Missing command"):
        return _("A command is missing.")
    quoted = re.search(r"'(.*?)'", misuse.message)
    if misuse.message.startswith("No such command") and quoted:
        known = list(getattr(context.command, "commands", {})) if context else []
        sentence = _("There is no command {name}.", name=quoted[1])
        return _did_you_mean(sentence, difflib.get_close_matches(quoted[1], known))
    extra = re.search(r"unexpected extra argument(?:\(s\)|s)? \((.*)\)", misuse.message)
    if extra:
        return _("Too many words: {words}.", words=extra[1])
    return misuse.message


def _reason(message: str) -> str:
    """Why a value cannot be used; the commonest in our own words, the rest as typer says it."""
    if "does not match the formats" in message:
        return _("a day is written like 2027-01-31.")
    if "valid integer" in message:
        return _("a whole number is needed.")
    if "valid number" in message:
        return _("a number is needed.")
    limit = re.search(r"should be (greater|less) than or equal to (\S+)$", message)
    if limit:
        most = limit[1] == "less"
        return _("at most {number}.", number=limit[2]) if most else _("at least {number}.", number=limit[2])
    choices = re.search(r"is not one of (.*?)\.?$", message)
    if choices:
        return _("choose one of {allowed}.", allowed=choices[1].replace("'", ""))
    return message if message.endswith(".") else f"{message}."


def _parameter(misuse: TyperException) -> str:
    option = getattr(misuse, "option_name", None)
    if option:
        return str(option)
    parameter = getattr(misuse, "param", None)
    if parameter is None:
        return "?"
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name)


def _did_you_mean(sentence: str, candidates: Sequence[str] | None) -> str:
    if not candidates:
        return sentence
    return sentence + " " + _("Did you mean {names}?", names=", ".join(sorted(candidates)))
