"""Entry: `signet` opens the window, `signet COMMAND` runs without Qt."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (default: the process's own) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # JSON is UTF-8 whatever the locale says; elsewhere a sign the terminal cannot show is spelled out.
            encoding = "utf-8" if "--json" in words else None
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
    from studio.commands.root import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
