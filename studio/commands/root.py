"""The tree of commands, the language, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import errno
import gettext
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from compliance.errors import (
    DiskFull,
    DisplayMissing,
    ExitCode,
    OptionUnfit,
    OutOfMemory,
    OutputUnwritable,
    PartNotInstalled,
    SignetError,
    TooManyFilesOpen,
    Unexpected,
    UsageUnclear,
    WorkStopped,
)
from studio import text
from studio.commands import (
    account,
    case,
    consent,
    demo,
    doctor,
    face,
    gate,
    identity,
    ledger,
    operator,
    pack,
    picture,
    refute,
    review,
    seal,
    settings,
    subject,
    usage,
    verify,
    voice_convert,
)
from studio.commands.door import Call, home_folder
from studio.commands.output import Output, OutputClosed, flush_output, settle_streams
from studio.commands.stopping import STOP_SIGNALS, stoppable
from studio.text import N_, _, set_language

# What is missing of these is no part that was left out, but an installation that is broken.
_OWN = ("studio", "engines", "compliance", "resources")


def run(arguments: Sequence[str]) -> int:
    """Run one command line without the program's name; returns the exit code and raises nothing."""
    with stoppable():
        try:
            return _run(arguments)
        except KeyboardInterrupt:
            # It came while the last sentence was being written.
            return int(ExitCode.STOPPED)
        finally:
            settle_streams()


def _run(arguments: Sequence[str]) -> int:
    words = usage.arranged(arguments)
    set_language(usage.value_of(words, "--lang"))
    output = Output(as_json="--json" in words)
    home = usage.value_of(words, "--home")
    try:
        code = _invoke(words)
        flush_output()
        return code
    except OutputClosed:
        return int(ExitCode.ERROR)
    except BrokenPipeError:
        # Only help texts are written by others than Output; a broken pipe of the worker is a SignetError by now.
        return int(ExitCode.ERROR)
    except (KeyboardInterrupt, EOFError, typer.Abort):
        error: SignetError = WorkStopped()
    except OptionUnfit as unfit:
        error = usage.named_as_written(unfit, words)
    except SignetError as known:
        error = known
    except TyperException as misuse:
        error = UsageUnclear(**usage.problem(misuse))
    except Exception as unknown:
        error = _reduced(unknown, Path(home) if home else None)
    try:
        output.error(error)
    except OutputClosed:
        return int(ExitCode.ERROR)
    except OutputUnwritable as unwritable:
        # Whoever reads the JSON lines gets none: then at least people learn of it.
        for told in (error, unwritable):
            Output().error(told)
        return int(unwritable.code)
    return int(error.code)


def build(rich_help: bool = False) -> Any:
    """The whole tree of commands in the reader's language, ready for make_context. rich_help: panels and colours."""
    app = typer.Typer(
        name="signet",
        help=N_("Face swaps that are consented to, labelled, signed and verifiable. Without a command: the window."),
        epilog=N_("--home and --lang may stand before or after the command."),
        invoke_without_command=True,
        add_completion=False,
        rich_markup_mode="rich" if rich_help else None,
    )
    app.callback()(_global_options)
    app.command("demo", help=N_("Make and check labelled sample pictures."))(demo.demo)
    app.command("doctor", help=N_("Examine the home, the keys, the models and the libraries."))(doctor.doctor)
    app.add_typer(account.group, name="account")
    app.add_typer(identity.group, name="identity")
    app.add_typer(subject.group, name="subject")
    app.add_typer(consent.group, name="consent")
    app.add_typer(face.group, name="face")
    app.add_typer(picture.group, name="picture")
    app.add_typer(voice_convert.group, name="voice")
    app.command(
        "seal",
        help=N_("Label AI media made with another program: pictures, sounds, videos, documents."),
        epilog=N_('Example: signet seal picture.png --made-with "ComfyUI" --nobody-real'),
    )(seal.seal)
    app.add_typer(gate.group, name="gate")
    app.command("verify", help=N_("Check which labels of a file are intact."))(verify.verify)
    app.add_typer(ledger.group, name="ledger")
    app.add_typer(case.group, name="case")
    app.command(
        "refute",
        help=N_("Refute what is claimed with a release of this home, for good."),
        epilog=N_("Example: signet refute 0123456789abcdef --reason … --out notice"),
    )(refute.refute)
    app.add_typer(operator.group, name="operator")
    app.add_typer(settings.group, name="settings")
    app.add_typer(review.group, name="review")
    app.command("about", help=N_("This program, its operator and the service agreement."))(operator.about)
    app.add_typer(pack.group, name="pack")
    command = get_command(app)
    _localise(command)
    usage.take_text_alone(command)
    return command


def _global_options(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help=N_("Where Signet keeps its data. Also: SIGNET_HOME.")),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--lang", metavar="en|zh-CN", help=N_("Language. Also: SIGNET_LANG."))
    ] = None,
    version: Annotated[bool, typer.Option("--version", help=N_("Show the version and stop."))] = False,
) -> None:
    context.obj = Call(home)
    if language is not None and language not in text.LANGUAGES:
        problem = _("There is no language “{language}”; there are: {known}.", language=language, known="en, zh-CN")
        raise UsageUnclear(problem=problem, command="signet")
    if version:
        from compliance.labels.policy import system_version

        Output().line(f"signet {system_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        if not doctor.has_display():
            raise DisplayMissing
        from studio.window.app import main

        # Qt's loop runs no Python handlers: there the system's own way of ending has to hold. A release that is cut off
        # by it is settled at the next start.
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        raise typer.Exit(main(home))


def _invoke(words: list[str]) -> int:
    command = build(rich_help=sys.stdout.isatty())
    try:
        with command.make_context("signet", words) as context:
            command.invoke(context)
    except typer.Exit as end:
        return int(end.exit_code)
    return int(ExitCode.OK)


def _localise(command: Any) -> None:
    """Put help texts into the reader's language, down the whole tree; the headings are typer's, through gettext."""
    if text.language() != "en":
        gettext.bindtextdomain("signet", str(text.LOCALE_FOLDER))
        gettext.textdomain("signet")
        os.environ["LANGUAGE"] = text.language().replace("-", "_")
    command.help, command.epilog = _in_language(command.help), _in_language(command.epilog)
    for parameter in (*command.params, command.get_help_option(typer.Context(command))):
        parameter.help = _in_language(parameter.help)
    for child in getattr(command, "commands", {}).values():
        _localise(child)


def _in_language(message: str | None) -> str | None:
    return _(message) if message else message


def _is_from_printing(error: OSError) -> bool:
    """Whether help texts or tables could not be written: others than Output write those."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return str(frames[-1][0].f_globals.get("__name__")).split(".")[0] in ("typer", "rich") if frames else False


def _reduced(error: Exception, home: Path | None) -> SignetError:
    if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] not in _OWN:
        return PartNotInstalled(part=error.name)
    if isinstance(error, MemoryError):
        return OutOfMemory(stage=N_("the command"))
    if isinstance(error, OSError):
        if _is_from_printing(error):
            return OutputUnwritable(reason=(error.strerror or "unknown").lower())
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(path=error.filename or "?")
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return TooManyFilesOpen()
        if error.errno == errno.ENOMEM:
            return OutOfMemory(stage=N_("the command"))
    from studio import reports

    try:
        reports.keep_reports_in(home_folder(home))
    except ImportError:
        # The workshop itself does not load: what remains is to say so.
        pass
    path = reports.write_report(type(error).__name__, reports.places(error))
    return Unexpected(kind=type(error).__name__, report=path if path != "-" else N_("(nowhere: it cannot be written)"))
