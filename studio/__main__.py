"""Entry: `signet` opens the window, `signet COMMAND` runs without Qt."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from studio.commands.stopping import Stop, stoppable

_STOPPED, _PART_MISSING = 4, 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (default: the process's own) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    with stoppable(is_last=arguments is None):
        try:
            return _run(words)
        except Stop:
            # Before the command began, while the program was being loaded.
            return _STOPPED


def _run(words: list[str]) -> int:
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # JSON is UTF-8 whatever the locale says; elsewhere a sign the terminal cannot show is spelled out.
            encoding = "utf-8" if "--json" in words else None
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    try:
        from studio.commands.root import run
    except ImportError as error:
        # Catalogues and language are parts too: this one sentence has to do without them.
        print(f"A part of Signet itself is missing: {error.name or error}.", file=sys.stderr)
        print("Install Signet again with `packaging/setup`.", file=sys.stderr)
        return _PART_MISSING
    return run(words)


def _open_streams() -> None:
    """Give the standard streams that were closed at the start a place that ends at once and takes nothing.

    Otherwise the next file that is opened would get their numbers, and be written to by mistake.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            closed = os.open(os.devnull, os.O_RDONLY)
            if closed != number:
                os.dup2(closed, number)
                os.close(closed)
        # It lives as long as the process, as the one that it stands in for would.
        setattr(sys, name, open(number, mode, closefd=False, encoding="utf-8"))  # noqa: SIM115  # see above


if __name__ == "__main__":
    sys.exit(main())
