"""Trains the starter model: python packaging/starter --out FOLDER --budget toy|cpu|gpu [--resume]

Ends with 0 when FOLDER/starter is a model that the gate let pass, 1 when the gate refused, 2 for wrong use, 3 when the
time of --minutes was over before the end: the same command with --resume goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

# The folder is run as it lies; `packaging` itself is the name of a library and no package of ours.
if not __package__:
    _HERE = Path(__file__).resolve().parent
    sys.path[:1] = [str(_HERE.parent), str(_HERE.parent.parent)]

from starter.plan import BUDGETS  # found only from here on

DONE, REFUSED, WRONG_USE, NOT_DONE = 0, 1, 2, 3


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="packaging/starter", description="Trains the starter model from scratch.")
    parser.add_argument("--out", type=Path, required=True, help="an empty folder, or with --resume one to go on with")
    parser.add_argument("--budget", choices=tuple(BUDGETS), required=True, help="how large and how long")
    parser.add_argument("--resume", action="store_true", help="go on with what lies in the folder")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="write a checkpoint and stop after so long")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that paint pictures")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    os.environ["HF_HUB_OFFLINE"] = "1"
    # diffusers' schedulers still hand torch tensors to np.array the old way.
    warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    from starter.stages import Clock
    from starter.train import NotExported, OutOfTime, WrongFolder, build

    for words in (of_diffusers, of_transformers):
        words.set_verbosity_error()
        words.disable_progress_bar()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    clock = Clock(began + given.minutes * 60)
    try:
        made = build(
            BUDGETS[given.budget], given.out, resume=given.resume, workers=given.workers, clock=clock, tell=tell
        )
    except WrongFolder as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except NotExported as error:
        tell(f"no starter model: {error}")
        return REFUSED
    except OutOfTime as error:
        tell(f"the time is over in {error}; the same command with --resume goes on")
        return NOT_DONE
    tell(f"the starter model lies in {made}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
