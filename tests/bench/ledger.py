"""Measures the ledger: `python -m tests.bench.ledger [--json FILE] [--entries N] [--folder FOLDER]`.

append_batched_per_s    entries a second, 200 in each durable transaction (SQLite, WAL, synchronous FULL)
append_single_p95_ms    one entry in a durable transaction of its own, 95th percentile of 1,000
verify_1e6_s            a full check of 10^6 entries from their bodies: leaves, tree, checkpoints
verify_1e6_cpu_s        the processor's part of it: the same on a busy machine
proof_bytes             the proof that a released file carries, of the entry with the longest path, as text

The log of a million entries is built first, which takes about a minute. With --entries another size is measured: the
key then says so (verify_2e5_s), and no figure is scaled. Durable times are those of the disk under --folder.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.ledger import Fields, Ledger, origin_of
from compliance.store import open_store

MILLION = 1_000_000
BATCH, BATCHES, SINGLES, BUILT_AT_ONCE = 200, 50, 1000, 20_000


def entry(number: int) -> tuple[str, Fields]:
    """An entry as large as that of a release: ids and digests."""
    digest = f"{number:064x}"
    fields = {
        "release": f"rel_{number:016x}",
        "file_sha256": digest,
        "request": digest,
        "consents": [f"con_{number:x}"],
    }
    return "release_finished", fields


def new_ledger(folder: Path) -> Ledger:
    """An empty log in a folder of its own."""
    return Ledger(open_store(folder), origin_of("bench"), Ed25519PrivateKey.generate())


def appends(folder: Path) -> dict[str, float]:
    """Durable appends, batched and single, on one log."""
    ledger = new_ledger(folder)
    singles = []
    for number in range(SINGLES):
        before = time.perf_counter()
        ledger.append_now(*entry(number))
        singles.append((time.perf_counter() - before) * 1e3)
    before = time.perf_counter()
    for batch in range(BATCHES):
        ledger.append_many([entry(SINGLES + batch * BATCH + number) for number in range(BATCH)])
    batched = BATCHES * BATCH / (time.perf_counter() - before)
    ledger.store.close()
    return {"append_batched_per_s": batched, "append_single_p95_ms": statistics.quantiles(singles, n=20)[-1]}


def full_check(folder: Path, entries: int) -> dict[str, float]:
    """Build a log, check it whole, take the proof of its first entry (the longest path)."""
    ledger = new_ledger(folder)
    before = time.perf_counter()
    for start in range(0, entries, BUILT_AT_ONCE):
        ledger.append_many([entry(number) for number in range(start, min(start + BUILT_AT_ONCE, entries))])
        ledger.checkpoint()
    build_s = time.perf_counter() - before
    before, cpu_before = time.perf_counter(), time.process_time()
    checked = ledger.verify()
    verify_s, cpu_s = time.perf_counter() - before, time.process_time() - cpu_before
    if checked is None or checked.size != entries:
        raise AssertionError(f"the check did not reach the end: {checked}")
    size = len(ledger.proof(0).to_text().encode())
    ledger.store.close()
    power = len(str(entries)) - 1
    name = f"verify_{entries // 10**power}e{power}" if entries % 10**power == 0 else f"verify_{entries}"
    return {f"{name}_s": verify_s, f"{name}_cpu_s": cpu_s, "proof_bytes": size, "build_s": build_s}


def main() -> None:
    """Measure and print; --json FILE also writes the figures."""
    about = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__, formatter_class=about)
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the figures there")
    parser.add_argument("--entries", metavar="N", type=int, default=MILLION, help="how long a log is checked")
    parser.add_argument("--folder", metavar="FOLDER", type=Path, help="where the logs lie meanwhile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = appends(Path(folder) / "appends") | full_check(Path(folder) / "whole", arguments.entries)
    rounded = {name: round(value, 3) for name, value in figures.items()}
    for name, value in rounded.items():
        print(f"{name:24}{value:14,.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rounded, indent=2) + "\n")


if __name__ == "__main__":
    main()
