"""The ledger: proofs hold for every size, several processes append to one valid tree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import ledger as ledger_module
from compliance import proof
from compliance.errors import LabelPartMissing, LedgerBroken, UnknownRecord
from compliance.ledger import CLOCK_REGRESSED, Ledger
from compliance.store import Store, open_store
from tests.compliance.logs import KEY, MOST, ORIGIN, OTHER_KEY, make, raw, tree_root


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger of 70 entries, to read only."""
    made = make(tmp_path_factory.mktemp("grown"))
    made.append_many([("counted", {"n": n}) for n in range(MOST)])
    yield made
    made.store.close()


def leaves_of(ledger: Ledger) -> list[bytes]:
    """The leaf hashes, recomputed from what export() says."""
    lines = [json.loads(line) for line in ledger.export()]
    return [proof.leaf_hash(line["body"].encode()) for line in lines if line["type"] == "entry"]


def test_locked_keys_sign_nothing(tmp_path: Path) -> None:
    """Without the key entries are kept and read, but there is no checkpoint and no proof."""
    made = make(tmp_path, key=None)
    made.append_now("counted", {})
    with pytest.raises(LabelPartMissing):
        made.checkpoint()
    with pytest.raises(LabelPartMissing):
        made.proof(0)
    made.store.close()


def test_what_is_not_there_is_told(grown: Ledger) -> None:
    """Indices and sizes outside the log are unknown records."""
    for ask in (
        lambda: grown.entry(MOST),
        lambda: grown.entry(-1),
        lambda: grown.proof(MOST),
        lambda: grown.root(MOST + 1),
        lambda: grown.root(-1),
        lambda: grown.inclusion(MOST, MOST),
        lambda: grown.inclusion(5, 5),
        lambda: grown.inclusion(-1, 5),
        lambda: grown.consistency(6, 5),
        lambda: grown.consistency(5, MOST + 1),
    ):
        with pytest.raises(UnknownRecord):
            ask()


@pytest.mark.parametrize("value", [float("nan"), 2**60, b"bytes", {1: "x"}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_has_no_canonical_form_is_not_entered(ledger: Ledger, value: object) -> None:
    """A value that JSON cannot say exactly is refused, and leaves no half entry."""
    with pytest.raises((ValueError, TypeError)):
        ledger.append_now("counted", {"value": value})
    assert ledger.size() == 0


# --- the tree --------------------------------------------------------------------------------------------------------


def test_an_empty_log(ledger: Ledger) -> None:
    """A log without entries has the root of nothing, can be signed and verifies."""
    assert (ledger.size(), ledger.root(), ledger.verify()) == (0, proof.EMPTY_ROOT, None)
    signed = proof.open_note(ledger.checkpoint(), KEY.public_key())
    assert signed == ledger.verify() == proof.Checkpoint(ORIGIN, 0, proof.EMPTY_ROOT)
    ledger.append_now("counted", {})
    assert proof.open_note(ledger.checkpoint(), KEY.public_key()).size == 1
    assert ledger.verify() is not None


def test_every_root_is_that_of_the_definition(grown: Ledger) -> None:
    """Stored nodes give, for every size up to now, the root that RFC 6962 defines."""
    leaves = leaves_of(grown)
    assert [grown.root(size) for size in range(MOST + 1)] == [tree_root(leaves[:size]) for size in range(MOST + 1)]


def test_every_entry_is_proved_at_every_size(grown: Ledger) -> None:
    """Inclusion paths from the stored nodes verify for each index of a spread of sizes."""
    leaves = leaves_of(grown)
    for size in (1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, MOST):
        root = grown.root(size)
        for index in range(size):
            proof.verify_inclusion(index, size, leaves[index], grown.inclusion(index, size), root)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, MOST).flatmap(lambda new: st.tuples(st.integers(0, new), st.just(new))))
def test_every_growth_is_proved(grown: Ledger, sizes: tuple[int, int]) -> None:
    """Consistency proofs from the stored nodes verify for any two sizes."""
    old, new = sizes
    proof.verify_consistency(old, new, grown.root(old), grown.root(new), grown.consistency(old, new))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_the_tree_does_not_depend_on_the_batches(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], data: st.DataObject
) -> None:
    """One by one, in batches, with checkpoints between: the same tree, and every checkpoint is its beginning."""
    made = make(tmp_path_factory.mktemp("batches"))
    for count in batches:
        if count == 1:
            made.append_now("counted", {"n": 1})
        else:
            first = made.size()
            entries = [("counted", {"n": n}) for n in range(count)]
            assert made.append_many(entries) == list(range(first, first + count))
        if data.draw(st.booleans(), label="checkpoint"):
            made.checkpoint()
    assert made.size() == sum(batches)
    assert made.root() == tree_root(leaves_of(made))
    made.checkpoint()
    verified = made.verify()
    assert verified is not None
    assert verified.size == made.size()
    made.store.close()


def test_the_rows_of_an_entry_are_few(ledger: Ledger) -> None:
    """n entries store n leaves and fewer than n nodes: the cost of an entry does not grow with the log."""
    ledger.append_many([("counted", {"n": n}) for n in range(100)])
    database = raw(ledger)
    assert database.execute("SELECT count(*) FROM ledger_node").fetchone() == (100 - (100).bit_count(),)
    query = f"EXPLAIN QUERY PLAN {ledger_module._NODES.format(rows='(1, 2), (2, 3)')}"
    plan = " ".join(str(row[3]) for row in database.execute(query))
    assert "SEARCH node USING PRIMARY KEY (level=? AND idx=?)" in plan
    database.close()


# --- entries ---------------------------------------------------------------------------------------------------------


def test_an_entry_reads_back(ledger: Ledger) -> None:
    """Kind, time and fields come back; the body is canonical JSON, whatever the order of the fields."""
    index = ledger.append_now("consent.recorded", {"b": [1, "中"], "a": {"x": None, "half": 0.5}})
    assert ledger.entry(index) == {
        "v": 1,
        "kind": "consent.recorded",
        "time": "2026-11-01T00:00:00.000000+00:00",
        "fields": {"a": {"x": None, "half": 0.5}, "b": [1, "中"]},
    }
    one = ledger.proof(index)
    assert one.entry.decode() == (
        '{"fields":{"a":{"half":0.5,"x":null},"b":[1,"中"]},"kind":"consent.recorded",'
        '"time":"2026-11-01T00:00:00.000000+00:00","v":1}'
    )


def test_entries_are_given_in_order(grown: Ledger) -> None:
    """A slice of the log, up to now when no end is said."""
    assert [one["fields"]["n"] for one in grown.entries(60)] == list(range(60, MOST))
    assert [one["fields"]["n"] for one in grown.entries(3, 6)] == [3, 4, 5]
    assert grown.entries(MOST) == []


def test_an_entry_stands_or_falls_with_its_transaction(ledger: Ledger) -> None:
    """When the caller's block fails after the append, the log is as before."""
    ledger.append_now("counted", {})
    before = ledger.root()
    with pytest.raises(KeyError), ledger.store.write() as connection:
        assert ledger.append(connection, "counted", {}) == 1
        assert ledger.append(connection, "counted", {}) == 2
        raise KeyError("x")
    assert (ledger.size(), ledger.root()) == (1, before)
    with ledger.store.write() as connection:
        assert ledger.append(connection, "counted", {}) == 1
    ledger.checkpoint()
    ledger.verify()


def test_a_clock_set_back_is_said(tmp_path: Path) -> None:
    """One entry tells it before the entry it concerns; the order stays that of the indices."""
    hours = iter([5, 6, 3, 4, 2, 2])
    made = Ledger(open_store(tmp_path), ORIGIN, KEY, clock=lambda: datetime(2026, 11, 1, next(hours), tzinfo=UTC))
    assert made.append_now("counted", {"n": 0}) == 0
    assert made.append_many([("counted", {"n": n}) for n in (1, 2, 3)]) == [1, 3, 4]
    assert made.append_now("counted", {"n": 4}) == 6
    assert made.append_now("counted", {"n": 5}) == 7
    assert [one["kind"] == CLOCK_REGRESSED for one in made.entries()] == [n in (2, 5) for n in range(8)]
    assert made.entry(2)["fields"] == {
        "before": "2026-11-01T06:00:00.000000+00:00",
        "after": "2026-11-01T03:00:00.000000+00:00",
    }
    made.verify()
    made.store.close()


# --- checkpoints, proofs, export -------------------------------------------------------------------------------------


def test_a_checkpoint_is_made_once_a_size(ledger: Ledger) -> None:
    """The same log gives the same note; a grown log a new one that extends it."""
    ledger.append_many([("counted", {"n": n}) for n in range(6)])
    first = ledger.checkpoint()
    assert ledger.checkpoint() == first
    ledger.append_now("counted", {})
    old, new = (proof.open_note(note, KEY.public_key()) for note in (first, ledger.checkpoint()))
    proof.verify_consistency(old.size, new.size, old.root, new.root, ledger.consistency(old.size))
    assert ledger.verify() == new


def test_a_proof_holds_without_the_log(ledger: Ledger) -> None:
    """What a file carries verifies with the public key alone, through text and through JSON."""
    ledger.append_many([("counted", {"n": n}) for n in range(13)])
    for index in range(13):
        one = ledger.proof(index)
        again = proof.Proof.from_json(json.loads(json.dumps(one.to_json())))
        assert again == one == proof.Proof.from_text(one.to_text())
        assert again.verify(KEY.public_key()).size == 13
        assert json.loads(again.entry)["fields"] == {"n": index}


def test_an_older_proof_still_holds(ledger: Ledger) -> None:
    """A proof made at an earlier size verifies for ever, and today's log is proved to extend its checkpoint."""
    ledger.append_now("counted", {})
    early = ledger.proof(0)
    ledger.append_many([("counted", {"n": n}) for n in range(20)])
    seen = early.verify(KEY.public_key())
    now = proof.open_note(ledger.checkpoint(), KEY.public_key())
    proof.verify_consistency(seen.size, now.size, seen.root, now.root, ledger.consistency(seen.size, now.size))


def test_the_public_key_suffices_to_verify(grown: Ledger, tmp_path: Path) -> None:
    """Signed out, the log is checked with the public key; without any key no checkpoint is vouched for."""
    made = make(tmp_path)
    made.append_now("counted", {})
    made.checkpoint()
    assert Ledger(made.store, ORIGIN, None, KEY.public_key()).verify() == proof.Checkpoint(ORIGIN, 1, made.root())
    assert Ledger(made.store, ORIGIN, None).verify() is None
    with pytest.raises(LedgerBroken):
        Ledger(made.store, ORIGIN, None, OTHER_KEY.public_key()).verify()
    made.store.close()


def test_an_export_can_be_checked_by_a_stranger(ledger: Ledger) -> None:
    """The lines alone give every leaf, every root and the key to check the signatures with."""
    ledger.append_many([("counted", {"n": n, "text": "签"}) for n in range(5)])
    ledger.checkpoint()
    ledger.append_now("counted", {})
    ledger.checkpoint()
    head, *rest = [json.loads(line) for line in ledger.export()]
    entries = [line for line in rest if line["type"] == "entry"]
    notes = [line for line in rest if line["type"] == "checkpoint"]
    name, key = proof.parse_vkey(head["vkey"])
    assert (name, head["origin"], head["size"]) == (ORIGIN, ORIGIN, 6)
    leaves = [proof.leaf_hash(line["body"].encode()) for line in entries]
    assert [line["leaf"] for line in entries] == [leaf.hex() for leaf in leaves]
    for line in notes:
        assert proof.open_note(line["note"], key) == proof.Checkpoint(
            ORIGIN, line["size"], tree_root(leaves[: line["size"]])
        )
    assert [line["size"] for line in notes] == [5, 6]


def test_reopening_keeps_everything(tmp_path: Path) -> None:
    """Size, root, entries and checkpoints are the same after the home was closed."""
    made = make(tmp_path)
    made.append_many([("counted", {"n": n}) for n in range(21)])
    note, root, lines = made.checkpoint(), made.root(), list(made.export())
    made.store.close()
    again = make(tmp_path)
    assert (again.size(), again.root(), again.checkpoint(), list(again.export())) == (21, root, note, lines)
    assert again.verify() == proof.Checkpoint(ORIGIN, 21, root)
    again.store.close()


# --- several processes -----------------------------------------------------------------------------------------------

_APPENDER = """
import sys
from pathlib import Path
from compliance.ledger import Ledger
from compliance.store import open_store

store = open_store(Path(sys.argv[1]))
ledger = Ledger(store, sys.argv[2], None)
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
for number in range(50):
    ledger.append_now("counted", {"who": sys.argv[3], "n": number})
store.close()
"""


def test_two_processes_append_to_one_tree(tmp_path: Path) -> None:
    """A new home opened by two processes at once gets 100 entries, each one's in its order, in one valid tree."""
    command = [sys.executable, "-W", "error", "-c", _APPENDER, str(tmp_path / "home"), ORIGIN]
    workers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    store: Store = open_store(tmp_path / "home")
    made = Ledger(store, ORIGIN, KEY)
    entries = [one["fields"] for one in made.entries() if one["kind"] == "counted"]
    assert len(entries) == 100
    for name in "ab":
        assert [one["n"] for one in entries if one["who"] == name] == list(range(50))
    made.checkpoint()
    verified = made.verify()
    assert verified is not None
    assert verified.size == made.size()
    store.close()
