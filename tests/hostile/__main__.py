"""Prints the table of attempts and their sums.

    python -m tests.hostile            every attempt
    python -m tests.hostile --quick    those that every run of the tests makes
    python -m tests.hostile NAME...    those whose name holds one of the words

The exit code is 1 when one of them succeeded.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.hostile import attempts_program, attempts_release, attempts_window, attempts_worker, fuzz
from tests.hostile.attempts import ATTEMPTS, Ground, line, make

MODULES = (attempts_program, attempts_release, attempts_window, attempts_worker, fuzz)


def main() -> None:
    """Make attempts and print a line for each as it ends."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile", description="Attempts to get unlabelled media out."
    )
    parser.add_argument("names", nargs="*", help="only attempts whose name holds one of these")
    parser.add_argument("--quick", action="store_true", help="only those that every run of the tests makes")
    chosen = parser.parse_args()
    os.environ.update(PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring", QT_QPA_PLATFORM="offscreen")
    those = [item for item in ATTEMPTS if item.is_quick or not chosen.quick]
    if chosen.names:
        those = [item for item in those if any(name in item.name for name in chosen.names)]
    started = time.monotonic()
    succeeded, broken = 0, 0
    with tempfile.TemporaryDirectory(prefix="signet-hostile-") as folder, Ground(Path(folder, "ground")) as ground:
        for item in those:
            try:
                result = make(item, ground)
            except Exception as error:
                broken += 1
                print(
                    f"{'broken':10}{item.name:46}{item.tried:76}  {type(error).__name__}: {str(error)[:200]}",
                    flush=True,
                )
                continue
            succeeded += bool(result.found)
            print(line(result), flush=True)
    print(f"{len(those)} attempts in {time.monotonic() - started:.0f} s: {succeeded} succeeded, {broken} broken")
    sys.exit(bool(succeeded or broken))


if __name__ == "__main__":
    main()
