"""Work that rests on consents: a withdrawal stops it at once, whichever process recorded the withdrawal."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from compliance.consent_log import log_of
from compliance.errors import SignetError
from compliance.ledger import Ledger
from engines.job import JobState
from studio.runner import Running

# How often the ledger is looked at while a job runs; with CANCEL_LIMIT_S of the runner it stays below one second.
LOOK_EVERY_S = 0.15


class Underway:
    """The jobs of one workshop by the consents they name, running or finished and not yet let go."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._jobs: dict[str, Running] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None

    def add(self, running: Running) -> None:
        """Watch over a job from now on."""
        if not running.request.consents:
            return
        with self._lock:
            self._jobs[running.id] = running
            if self._watch is None:
                self._watch = threading.Thread(target=self._look, name="signet withdrawals", daemon=True)
                self._watch.start()

    def drop(self, running: Running) -> None:
        """Forget a job that was let go."""
        with self._lock:
            self._jobs.pop(running.id, None)

    def stop(self, grants: Iterable[str]) -> list[str]:
        """Stop every job under one of these grants and destroy finished results; returns the ids of the jobs."""
        ended = set(grants)
        with self._lock:
            hit = [job for job in self._jobs.values() if ended & set(job.request.consents)]
            for job in hit:
                del self._jobs[job.id]
        for job in hit:
            if job.state in (JobState.QUEUED, JobState.RUNNING):
                job.cancel()
            threading.Thread(target=_let_go, args=(job,), name="signet withdrawn result", daemon=True).start()
        return [job.id for job in hit]

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(LOOK_EVERY_S):
            with self._lock:
                if not self._jobs:
                    self._watch = None
                    return
                named = {grant for job in self._jobs.values() for grant in job.request.consents}
            try:
                ended = named & log_of(self._ledger).ended.keys()
            except SignetError:
                # A ledger that cannot be read vouches for nobody.
                ended = named
            if ended:
                self.stop(ended)


def _let_go(job: Running) -> None:
    """Once a job has ended, however, let the worker forget what it made."""
    try:
        job.wait()
        job.discard()
    except (SignetError, OSError):
        # The worker has gone, and the result with it.
        pass
