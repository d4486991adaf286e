"""Releases one picture and is killed at the n-th call inside the release; run by test_killed_release.

    python -m tests.compliance.killed_release HOME OUT

Reads numbers from standard input, one a line: 0 counts the calls of an undisturbed release and prints them; n forks a
child that kills itself with SIGKILL at its n-th function call (Python or C) after the release began. Prints a line
when the child has ended.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.compliance.home import PASSWORD, SOURCE, TARGET, Home, HonestDrafter, noise


def release(folder: Path, out: Path, kill_at: int) -> int:
    """One release under a profile hook that counts calls, and kills at kill_at; returns the count."""
    home = Home.open(folder)
    home.accounts.unlock(PASSWORD)
    claim = home.claim(home.grant(SOURCE), home.grant(TARGET))
    drafter = HonestDrafter(noise())
    calls = 0

    def on_call(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(on_call)
    home.release(claim, out, drafter)
    sys.setprofile(None)
    return calls


def main() -> None:
    """Serve numbers until standard input ends."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    for place, line in enumerate(sys.stdin):
        number = int(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            count = release(folder, out / f"picture-{place}.png", number)
            os.write(writing, str(count).encode())
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reading) as stream:
            told = stream.read()
        print(told if os.WIFEXITED(status) else f"signal {os.WTERMSIG(status)}", flush=True)


if __name__ == "__main__":
    main()
