"""What the command line shows: tables and bars on a terminal, plain lines elsewhere, JSON lines with --json."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from compliance.errors import OutputUnwritable, SignetError
from studio.text import _, sentences

if TYPE_CHECKING:
    from engines.job import Progress

# A time left is guesswork in the first seconds of a job.
_TIME_LEFT_AFTER_S = 3.0


class OutputClosed(Exception):
    """Whoever read our output has gone (`| head`): end quietly."""


class ProgressSink(Protocol):
    """Takes the progress of one job."""

    def __call__(self, progress: Progress, /) -> None:
        """Show it."""


def printable(text: str) -> str:
    """The text with control characters spelled out, so that a file name cannot steer a terminal."""
    return "".join(
        sign if sign.isprintable() or sign == " " else sign.encode("unicode_escape", "backslashreplace").decode()
        for sign in text
    )


def plain_data(value: Any) -> Any:
    """Views, paths and tuples as JSON values; mappings and lists are walked."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_data(item) for item in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)


class Output:
    """One command's standard output and error. as_json: JSON lines on standard output and nothing else."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json

    def data(self, value: Any) -> None:
        """One JSON line; nothing without --json."""
        if self.as_json:
            self._write(sys.stdout, json.dumps(plain_data(value), ensure_ascii=False))

    def line(self, text: str = "") -> None:
        """One line for people, on standard output; nothing with --json."""
        if not self.as_json:
            self._write(sys.stdout, printable(text))

    def note(self, text: str) -> None:
        """One line beside the result, on standard error; nothing with --json."""
        if not self.as_json:
            self._write(sys.stderr, printable(text))

    def record(self, value: Any, rows: Sequence[tuple[str, str]]) -> None:
        """One thing: a JSON line, or its named values below each other."""
        self.data(value)
        for name, text in rows:
            self.line(f"{name}: {text}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], values: Iterable[Any], empty: str) -> None:
        """A listing: one JSON line a row, a table on a terminal, tab-separated lines elsewhere; empty: its sentence."""
        if self.as_json:
            for value in values:
                self.data(value)
        elif not rows:
            self.line(empty)
        elif sys.stdout.isatty():
            self._draw(columns, rows)
        else:
            for row in (columns, *rows):
                self._write(sys.stdout, "\t".join(printable(cell) for cell in row))

    def error(self, error: SignetError) -> None:
        """What happened and what to do: two lines on standard error, or the last JSON line."""
        message, next_step = sentences(error)
        if self.as_json:
            self.data({"error": error.name, "code": int(error.code), "message": message, "next_step": next_step})
        else:
            self._write(sys.stderr, printable(message))
            self._write(sys.stderr, printable(next_step))

    @contextmanager
    def progress(self) -> Iterator[ProgressSink]:
        """Show a job's progress while the block runs: a bar on a terminal, a line a stage elsewhere, or JSON lines."""
        if self.as_json:
            # A picture that comes along on its way is for the worker alone.
            yield lambda progress: self.data(
                {"event": "progress", "done": progress.done, "total": progress.total, "stage": progress.stage}
            )
        elif sys.stderr.isatty():
            with _bar() as show:
                yield show
        else:
            yield _Lines(self)

    def _draw(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(Text(column), overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        Console(highlight=False).print(table)

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(text + "\n")
            stream.flush()
        except BrokenPipeError as error:
            raise OutputClosed from error
        except OSError as error:
            # What stands beside the result is for people; where they cannot be told, the work goes on.
            if stream is not sys.stderr:
                raise OutputUnwritable(reason=_reason(error)) from error


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown").lower()


def flush_output() -> None:
    """Write what waits for the standard output; raises OutputClosed, OutputUnwritable."""
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputUnwritable(reason=_reason(error)) from error


def settle_streams() -> None:
    """Let what a stream does not take go nowhere, so that the interpreter's last flush does not stumble over it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
            continue
        except OSError:
            pass
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
            stream.flush()
        except (OSError, ValueError):
            continue
        finally:
            os.close(nowhere)


class _Lines:
    """Progress as plain lines: one a stage, with the time left once it means something."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._stage: str | None = None
        self._since_s = time.monotonic()

    def __call__(self, progress: Progress, /) -> None:
        if progress.stage == self._stage:
            return
        self._stage = progress.stage
        line = f"[{progress.done}/{progress.total}] {_(progress.stage)}"
        left_s = time_left_s(progress, time.monotonic() - self._since_s)
        if left_s is not None:
            line += " · " + _("about {seconds} s left", seconds=left_s)
        self._output.note(line)


def time_left_s(progress: Progress, elapsed_s: float) -> int | None:
    """Whole seconds a job may still take at its pace so far; None while that would be a guess."""
    if elapsed_s < _TIME_LEFT_AFTER_S or not 0 < progress.done < progress.total:
        return None
    return round(elapsed_s * (progress.total - progress.done) / progress.done)


@contextmanager
def _bar() -> Iterator[ProgressSink]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    started_s = time.monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, left="")

        def show(progress: Progress) -> None:
            left_s = time_left_s(progress, time.monotonic() - started_s)
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                description=_(progress.stage),
                left="" if left_s is None else _("about {seconds} s left", seconds=left_s),
            )

        yield show
