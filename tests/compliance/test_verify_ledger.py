"""The verifier that stands alone: it accepts what the ledger exports and refuses every tampered export."""

from __future__ import annotations

import ast
import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance import proof
from compliance.ledger import CLOCK_REGRESSED, Ledger, origin_of
from compliance.store import open_store
from resources import verify_ledger

SCRIPT = Path(verify_ledger.__file__)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = origin_of("home-1")
VKEY = proof.vkey(ORIGIN, KEY.public_key())
SIZES = (7, 20, 33, 40)
ENTRIES = SIZES[-1]
OUTSIDE = 20


@dataclass(frozen=True)
class Exported:
    """An export, an old checkpoint of the same log, and the proof of an entry as a released file carries it."""

    lines: tuple[str, ...]
    old_checkpoint: str
    proof: str


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A real export of forty entries and four checkpoints; the clock goes back once."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    ticks = iter([*range(12), 5, *range(20, 400)])
    ledger = Ledger(
        open_store(tmp_path_factory.mktemp("log")),
        ORIGIN,
        KEY,
        clock=lambda: start + timedelta(seconds=next(ticks)),
    )
    notes = {}
    for number in range(ENTRIES):
        if ledger.size() < ENTRIES:
            ledger.append_now("counted", {"n": number, "text": "Zeile\u2028\n“é”", "type": '"type": "log"}'})
        if ledger.size() in SIZES:
            notes[ledger.size()] = ledger.checkpoint()
    released = ledger.proof(3).to_text()
    lines = tuple(ledger.export())
    ledger.store.close()
    assert len(lines) == 1 + ENTRIES + len(notes)
    assert tuple(notes) == SIZES
    return Exported(lines, notes[OUTSIDE], released)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for many exports, one after the other."""
    return tmp_path_factory.mktemp("exports")


def ask(folder: Path, content: str | bytes, vkey: str | None = VKEY, *outside: str) -> tuple[int, str]:
    """What the verifier answers: the exit code and all it says."""
    path = folder / "export.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    said: list[str] = []
    files = []
    for number, text in enumerate(outside):
        files.append(folder / f"outside-{number}")
        files[-1].write_text(text, encoding="utf-8")
    code = verify_ledger.verify(path, vkey, files, said.append)
    return code, "\n".join(said)


def whole(lines: list[str] | tuple[str, ...]) -> str:
    """Lines as a file."""
    return "".join(f"{line}\n" for line in lines)


# --- tampering -------------------------------------------------------------------------------------------------------

Lines = list[str]


def _edit(lines: Lines, at: int, **changes: Any) -> Lines:
    """One line with other fields; the writer's own form."""
    lines[at] = json.dumps({**json.loads(lines[at]), **changes}, ensure_ascii=False, sort_keys=True)
    return lines


def _body(lines: Lines, at: int, *, rehash: bool = True, **changes: Any) -> Lines:
    """One entry with another body and, as a careful forger would, its leaf made to fit."""
    body = json.dumps({**json.loads(json.loads(lines[at])["body"]), **changes}, separators=(",", ":"), sort_keys=True)
    leaf = {"leaf": proof.leaf_hash(body.encode()).hex()} if rehash else {}
    return _edit(lines, at, body=body, **leaf)


def _renumbered(lines: Lines) -> Lines:
    """Entries counted anew, the head's size made to fit."""
    count = 0
    for at, line in enumerate(lines):
        if json.loads(line)["type"] == "entry":
            _edit(lines, at, index=count)
            count += 1
    return _edit(lines, 0, size=count)


def _without(lines: Lines, *places: int) -> Lines:
    return [line for at, line in enumerate(lines) if at not in places]


def _swapped(lines: Lines, one: int, other: int) -> Lines:
    lines[one], lines[other] = lines[other], lines[one]
    return lines


def _note(lines: Lines, at: int, old: str, new: str) -> Lines:
    note = json.loads(lines[at])["note"]
    assert old in note
    return _edit(lines, at, note=note.replace(old, new, 1))


def _signed_again(lines: Lines, key: Ed25519PrivateKey, origin: str = ORIGIN) -> Lines:
    """All checkpoints made to fit the entries as they are now, and signed by a key."""
    leaves = [bytes.fromhex(data["leaf"]) for data in map(json.loads, lines) if data["type"] == "entry"]
    for at, line in enumerate(lines):
        data = json.loads(line)
        if data["type"] == "checkpoint":
            root = verify_ledger.roots(leaves, [data["size"]])[data["size"]]
            _edit(lines, at, note=proof.sign_note(proof.Checkpoint(origin, data["size"], root), key, origin))
    return _edit(lines, 0, origin=origin, vkey=proof.vkey(origin, key.public_key()))


def _signature(lines: Lines, at: int) -> str:
    return str(json.loads(lines[at])["note"]).rstrip("\n").rsplit(" ", 1)[1]


def _flipped_signature(lines: Lines, at: int) -> Lines:
    raw = bytearray(base64.b64decode(_signature(lines, at)))
    raw[20] ^= 1
    return _note(lines, at, _signature(lines, at), base64.b64encode(raw).decode())


HEAD, FIRST, LAST = 0, 1, ENTRIES
NOTE_7, NOTE_20, NOTE_33, NOTE_40 = range(ENTRIES + 1, ENTRIES + 5)

# What is done to the lines, and a piece of what is said of it.
TAMPERED: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "body changed": (lambda s: _body(s, 5, rehash=False, kind="other"), "line 6: entry 4 was changed"),
    "body and leaf changed": (lambda s: _body(s, 5, kind="other"), f"line {NOTE_7 + 1}: the first 7 entries"),
    "body and leaf changed late": (lambda s: _body(s, 39, kind="other"), f"line {NOTE_40 + 1}: the first 40"),
    "leaf changed": (lambda s: _edit(s, 5, leaf="00" * 32), "entry 4 was changed"),
    "leaf in capitals": (lambda s: _edit(s, 5, leaf=json.loads(s[5])["leaf"].upper()), "entry 4 was changed"),
    "leaf cut": (lambda s: _edit(s, 5, leaf=json.loads(s[5])["leaf"][:-2]), "entry 4 was changed"),
    "time changed": (lambda s: _body(s, 5, time="2026-11-01T00:00:04.500000+00:00"), "the first 7 entries"),
    "time taken away": (lambda s: _body(s, 5, time=""), "has no time"),
    "time before its predecessor": (lambda s: _body(s, 30, time="2026-10-01T00:00:00.000000+00:00"), "earlier"),
    "entry taken out": (lambda s: _without(s, 5), "entry 4 is expected here, not 5"),
    "entry taken out, renumbered": (lambda s: _renumbered(_without(s, 5)), "counts 40 entries, the log has 39"),
    "first entry taken out": (lambda s: _without(s, 1), "entry 0 is expected"),
    "entries swapped": (lambda s: _swapped(s, 5, 6), "entry 4 is expected here, not 5"),
    "entries swapped, renumbered": (lambda s: _renumbered(_swapped(s, 5, 6)), "line 7: entry 5 is earlier"),
    "entry doubled": (lambda s: [*s[:6], s[5], *s[6:]], "entry 5 is expected here, not 4"),
    "entry doubled, renumbered": (lambda s: _renumbered([*s[:6], s[5], *s[6:]]), "the first 7 entries"),
    "entry put in, renumbered": (
        lambda s: _renumbered(_body([*s[:9], s[8], *s[9:]], 9, kind="put in")),
        "the first 20 entries",
    ),
    "index as text": (lambda s: _edit(s, 5, index="4"), "'index' is of another kind"),
    "index true for 1": (lambda s: _edit(s, 2, index=True), "'index' is of another kind"),
    "index as a fraction": (lambda s: _edit(s, 5, index=4.0), "'index' is of another kind"),
    "renumbered from 1": (
        lambda s: [s[0], *(_edit([x], 0, index=n)[0] for n, x in enumerate(s[1:41], 1)), *s[41:]],
        "0",
    ),
    "tail cut": (lambda s: _without(s, 39, 40), "the entries end after 38"),
    "tail and its checkpoint cut": (lambda s: _without(s, 39, 40, NOTE_40), "the entries end after 38"),
    "tail cut, head made to fit": (lambda s: _edit(_without(s, 40), 0, size=39), "its end was cut off"),
    "no entries": (lambda s: [s[0], *s[41:]], "the entries end after 0"),
    "head size larger": (lambda s: _edit(s, 0, size=41), "the entries end after 40, the head says 41"),
    "head size smaller": (lambda s: _edit(s, 0, size=39), "the entries end after 40"),
    "head taken out": (lambda s: s[1:], "line 1: the first line"),
    "head twice": (lambda s: [s[0], *s], "line 2: the first line"),
    "head last": (lambda s: [*s[1:], s[0]], "line 1: the first line"),
    "another origin": (lambda s: _edit(s, 0, origin="signet.local/other"), "the key is that of another log"),
    "another key in the head": (
        lambda s: _edit(s, 0, vkey=proof.vkey(ORIGIN, OTHER_KEY.public_key())),
        "another key than the one given",
    ),
    "damaged key in the head": (lambda s: _edit(s, 0, vkey=VKEY[:-2] + "A="), ""),
    "all signed by another key": (lambda s: _signed_again(s, OTHER_KEY), "another key than the one given"),
    "checkpoints signed by another key": (
        lambda s: _edit(_signed_again(s, OTHER_KEY), 0, vkey=VKEY),
        "not signed by the key of this log",
    ),
    "checkpoint of another log": (
        lambda s: _edit(_signed_again(s, KEY, "signet.local/other"), 0, origin=ORIGIN, vkey=VKEY),
        "not signed by the key of this log",
    ),
    "note size changed": (lambda s: _note(s, NOTE_20, "\n20\n", "\n21\n"), "the signature of the checkpoint is wrong"),
    "note root changed": (
        lambda s: _note(
            s, NOTE_20, json.loads(s[NOTE_20])["note"].split("\n")[2], base64.b64encode(bytes(32)).decode()
        ),
        "the signature of the checkpoint is wrong",
    ),
    "note origin changed": (
        lambda s: _note(s, NOTE_20, ORIGIN, "signet.local/x"),
        "signature of the checkpoint is wrong",
    ),
    "note signature changed": (lambda s: _flipped_signature(s, NOTE_20), "the signature of the checkpoint is wrong"),
    "note signature of another checkpoint": (
        lambda s: _note(s, NOTE_20, _signature(s, NOTE_20), _signature(s, NOTE_33)),
        "the signature of the checkpoint is wrong",
    ),
    "note signature emptied": (lambda s: _note(s, NOTE_20, _signature(s, NOTE_20), ""), "not signed by the key"),
    "note signature no base64": (lambda s: _note(s, NOTE_20, _signature(s, NOTE_20), "é"), "not base64"),
    "note with a line more": (
        lambda s: _note(s, NOTE_20, "\n\n", "\nmore\n\n"),
        "the signature of the checkpoint is wrong",
    ),
    "note without signature": (lambda s: _edit(s, NOTE_20, note=f"{ORIGIN}\n20\nAAAA\n"), "not signed"),
    "note emptied": (lambda s: _edit(s, NOTE_20, note=""), "not a signed note"),
    "row size changed": (lambda s: _edit(s, NOTE_20, size=21), "another size than its line"),
    "checkpoint time emptied": (lambda s: _edit(s, NOTE_20, made_at=""), "the checkpoint has no time"),
    "checkpoints swapped": (lambda s: _swapped(s, NOTE_7, NOTE_20), "not in order"),
    "checkpoint doubled": (lambda s: [*s, s[-1]], "not in order"),
    "checkpoints taken out": (lambda s: s[:41], "nothing in this log is signed"),
    "checkpoint among the entries": (
        lambda s: [*s[:8], s[NOTE_7], *s[8:NOTE_7], *s[NOTE_20:]],
        "the entries end after 7",
    ),
    "entry after the checkpoints": (lambda s: [*s, s[40]], "an entry stands after a checkpoint"),
    "a field more in an entry": (lambda s: _edit(s, 5, note="x"), "'note' is missing or one too many"),
    "a field more in the head": (lambda s: _edit(s, 0, more=1), "'more' is missing or one too many"),
    "a field less": (lambda s: [s[0], '{"index": 0, "type": "entry"}', *s[2:]], "is missing or one too many"),
    "a field more in a body": (lambda s: _body(s, 5, more=1), "'more' is missing or one too many"),
    "a field twice": (lambda s: [*s[:5], s[5].replace("{", '{"index": 9, ', 1), *s[6:]], "a field stands twice"),
    "a line of another kind": (lambda s: [*s[:5], '{"type": "remark"}', *s[5:]], "of no known kind"),
    "a line of no kind": (lambda s: [*s[:5], "{}", *s[5:]], "of no known kind"),
    "a kind that is a list": (lambda s: [*s[:5], '{"type": ["entry"]}', *s[5:]], "of no known kind"),
    "a line that is a list": (lambda s: [*s[:5], "[]", *s[5:]], "not a JSON object"),
    "a line that is no JSON": (lambda s: [*s[:5], "entry", *s[5:]], "line 6: not JSON"),
    "a line of NaN": (lambda s: [*s[:5], '{"type": NaN}', *s[5:]], "NaN is no JSON"),
    "a line too deep": (lambda s: [*s[:5], "[" * 100_000, *s[5:]], "not JSON"),
    "an empty line": (lambda s: [*s[:5], "", *s[5:]], "not JSON"),
    "half a character": (lambda s: [*s[:5], s[5].replace("counted", "\\\\ud800"), *s[6:]], "entry 4"),
    "a body that is no JSON": (
        lambda s: _edit(s, 5, body="x", leaf=proof.leaf_hash(b"x").hex()),
        "line 6: not JSON",
    ),
    "a huge number": (lambda s: [*s[:5], '{"type": "entry", "index": ' + "9" * 5000 + "}", *s[5:]], "not JSON"),
}


@pytest.mark.parametrize(("tamper", "told"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_export_is_refused(
    tamper: Callable[[Lines], Lines], told: str, exported: Exported, tmp_path: Path
) -> None:
    """Whatever is done to the lines, the answer is 1 and says at which line."""
    lines = tamper(list(exported.lines))
    assert whole(lines) != whole(exported.lines)
    code, said = ask(tmp_path, whole(lines))
    assert code == 1
    assert said.startswith("BAD")
    assert told in said


RAW: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "an empty file": (lambda data: b"", "the file is empty"),
    "a byte order mark": (lambda data: b"\xef\xbb\xbf" + data, "line 1: the file begins with a byte order mark"),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), "line 1"),
    "cut in the last line": (lambda data: data[:-30], "the line is cut off"),
    "cut before the last line's end": (lambda data: data[:-1], "the line is cut off"),
    "cut in the middle": (lambda data: data[: len(data) // 2], "the line is cut off"),
    "a byte that is no UTF-8": (lambda data: data.replace(b"counted", b"c\xff", 1), "line 2: not UTF-8"),
    "rubbish after the end": (lambda data: data + b"\x00", "the line is cut off"),
    "a line too long": (lambda data: data + b'"' + b" " * 2_000_000 + b'"\n', "the line is too long"),
    "one line": (lambda data: data.replace(b"\n", b""), "line 1"),
}


@pytest.mark.parametrize(("tamper", "told"), RAW.values(), ids=RAW)
def test_a_damaged_file_is_refused(
    tamper: Callable[[bytes], bytes], told: str, exported: Exported, tmp_path: Path
) -> None:
    """Bytes that are no export are refused with their line."""
    code, said = ask(tmp_path, tamper(whole(exported.lines).encode()))
    assert code == 1
    assert told in said


def test_an_old_checkpoint_that_is_not_extended_is_refused(exported: Exported, tmp_path: Path) -> None:
    """A log written anew and signed by its own key agrees with itself; a checkpoint from before shows it."""
    forged = whole(_signed_again(_body(list(exported.lines), 5, kind="other"), KEY))
    assert ask(tmp_path, forged)[0] == 0
    code, said = ask(tmp_path, forged, VKEY, exported.old_checkpoint)
    assert (code, "outside-0: the first 20 entries are not those" in said) == (1, True)
    code, said = ask(tmp_path, forged, VKEY, exported.proof)
    assert (code, "outside-0" in said) == (1, True)


def test_a_log_turned_back_is_refused_by_a_later_checkpoint(exported: Exported, tmp_path: Path) -> None:
    """A log cut to the day of an old checkpoint agrees with itself; a later checkpoint shows the cut."""
    back = [
        *_edit(list(exported.lines), 0, size=OUTSIDE)[: OUTSIDE + 1],
        exported.lines[NOTE_7],
        exported.lines[NOTE_20],
    ]
    assert ask(tmp_path, whole(back))[0] == 0
    later = json.loads(exported.lines[NOTE_33])["note"]
    code, said = ask(tmp_path, whole(back), VKEY, exported.old_checkpoint, later)
    assert (code, "outside-1: the checkpoint counts 33 entries, the log has 20" in said) == (1, True)


@pytest.mark.parametrize(
    ("outside", "told"),
    [
        (lambda e: "", "not a signed note"),
        (lambda e: e.old_checkpoint.replace("\n20\n", "\n19\n"), "signature of the checkpoint is wrong"),
        (
            lambda e: proof.sign_note(proof.Checkpoint(ORIGIN, 20, bytes(32)), OTHER_KEY, ORIGIN),
            "not signed by the key",
        ),
        (lambda e: proof.sign_note(proof.Checkpoint("other", 20, bytes(32)), KEY, ORIGIN), "of another log"),
        (lambda e: proof.sign_note(proof.Checkpoint(ORIGIN, 20, bytes(32)), KEY, ORIGIN), "are not those"),
        (lambda e: e.proof.replace("index 3", "index 4"), "the entry that the file proves is not in this log"),
        (lambda e: e.proof.replace("index 3", "index 99"), "the entry that the file proves is not in this log"),
        (lambda e: e.proof.replace("extra ", "extra !"), "not base64"),
    ],
)
def test_a_bad_outside_checkpoint_is_refused(
    outside: Callable[[Exported], str], told: str, exported: Exported, tmp_path: Path
) -> None:
    """Notes of other keys and logs, forged notes, and proofs of entries that are not there."""
    code, said = ask(tmp_path, whole(exported.lines), VKEY, outside(exported))
    assert (code, told in said) == (1, True)


@pytest.mark.parametrize("vkey", ["x", "a+b", VKEY[:-4], VKEY + "A", proof.vkey(ORIGIN, OTHER_KEY.public_key())])
def test_a_wrong_key_is_refused(vkey: str, exported: Exported, tmp_path: Path) -> None:
    """Text that is no key, and the key of another."""
    assert ask(tmp_path, whole(exported.lines), vkey)[0] == 1


def test_an_export_without_key_needs_one(exported: Exported, tmp_path: Path) -> None:
    """A home whose keys were locked exports no key; then it has to be given."""
    lines = whole(_edit(list(exported.lines), 0, vkey=None))
    code, said = ask(tmp_path, lines, None)
    assert (code, "give it with --vkey" in said) == (1, True)
    assert ask(tmp_path, lines, VKEY)[0] == 0


@given(st.integers(0, ENTRIES + len(SIZES)), st.integers(0, 10_000), st.integers(0, 7))
def test_any_flipped_bit_is_found(exported: Exported, folder: Path, line: int, place: int, bit: int) -> None:
    """One bit anywhere in any line, unless what the line says stays the same."""
    lines = [one.encode() for one in exported.lines]
    raw = bytearray(lines[line])
    raw[place % len(raw)] ^= 1 << bit
    lines[line] = bytes(raw)
    code, _ = ask(folder, b"\n".join(lines) + b"\n")
    if code == 0:
        said, was = json.loads(lines[line]), json.loads(exported.lines[line])
        # When a checkpoint was made is a remark of the export, under no signature.
        assert {**said, "made_at": ""} == {**was, "made_at": ""}


# --- what is accepted ------------------------------------------------------------------------------------------------


def test_a_real_export_is_accepted(exported: Exported, tmp_path: Path) -> None:
    """Size, root and last time are told; the old checkpoint and a released file's proof are extended."""
    code, said = ask(tmp_path, whole(exported.lines), VKEY, exported.old_checkpoint, exported.proof)
    root = json.loads(exported.lines[-1])["note"].split("\n")[2]
    last = json.loads(json.loads(exported.lines[LAST])["body"])["time"]
    assert code == 0
    assert said == f"OK   40 entries, 4 checkpoints, of {ORIGIN}\nroot of 40 entries: {root}\nlast entry: {last}"
    kinds = {json.loads(json.loads(line)["body"])["kind"] for line in exported.lines[1:41]}
    assert CLOCK_REGRESSED in kinds


PRUNE_CASES: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "another leaf": (lambda rows: rows[4].update(leaf="0" * 64), "not those that the checkpoint signed"),
    "no leaf": (lambda rows: rows[4].update(leaf="x"), "neither body nor leaf"),
    "one more body": (lambda rows: rows[20].update(body=None), "no later entry says that it was pruned"),
    "the last body": (lambda rows: rows[-3].update(body=None), "no later entry says that it was pruned"),
}


@pytest.mark.parametrize("how", [None, *PRUNE_CASES])
def test_a_pruned_log_holds_and_only_what_was_announced_may_be_missing(how: str | None, tmp_path: Path) -> None:
    """Bodies whose time was over are null; their leaves carry every root, and a later entry names them."""
    (tmp_path / "log").mkdir()
    ledger = Ledger(open_store(tmp_path / "log"), ORIGIN, KEY)
    for number in range(30):
        ledger.append_now("counted", {"n": number})
    ledger.checkpoint()
    with ledger.store.write() as connection:
        ledger.prune(connection, 2, 9)
    ledger.append_now("counted", {"n": 31})
    ledger.checkpoint()
    rows = [json.loads(line) for line in ledger.export()]
    ledger.store.close()
    assert sum(row["type"] == "entry" and row["body"] is None for row in rows) == 8
    change, told = PRUNE_CASES[how] if how else (lambda _rows: None, "OK   32 entries, 2 checkpoints")
    change(rows)
    code, said = ask(tmp_path, whole([json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]))
    assert (code, told in said) == (0 if how is None else 1, True), said


def test_what_is_not_shown_is_said(exported: Exported, tmp_path: Path) -> None:
    """The export's own key, and entries after the last checkpoint, are named as what they are."""
    code, said = ask(tmp_path, whole(exported.lines[:-1]), None)
    assert code == 0
    assert "NOTE 7 entries after the last checkpoint are signed by nobody yet" in said
    assert "NOTE the key is the export's own" in said


def test_a_witness_line_is_no_obstacle(exported: Exported, tmp_path: Path) -> None:
    """A cosignature of a key that is not known here is left alone (C2SP signed-note)."""
    note = json.loads(exported.lines[NOTE_40])["note"]
    cosigned = note + "— witness.example/w " + base64.b64encode(bytes(76)).decode() + "\n"
    assert ask(tmp_path, whole(_edit(list(exported.lines), NOTE_40, note=cosigned)))[0] == 0


def test_it_stands_alone(exported: Exported, tmp_path: Path) -> None:
    """Copied elsewhere and run without the project, it answers 0, 1 and 2."""
    script = tmp_path / "verify_ledger.py"
    shutil.copy(SCRIPT, script)
    good, bad, note = tmp_path / "good.jsonl", tmp_path / "bad.jsonl", tmp_path / "note"
    good.write_text(whole(exported.lines), encoding="utf-8")
    bad.write_text(whole(exported.lines[:-3] + exported.lines[-2:-1]), encoding="utf-8")
    note.write_text(exported.old_checkpoint, encoding="utf-8")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", script, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)

    done = run(good, "--vkey", VKEY, "--checkpoint", note)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("OK   40 entries")
    done = run(bad, "--vkey", proof.vkey(ORIGIN, OTHER_KEY.public_key()))
    assert (done.returncode, done.stdout[:5]) == (1, "BAD  ")
    assert run(tmp_path / "absent.jsonl").returncode == 2
    assert run().returncode == 2


def test_it_needs_the_standard_library_and_cryptography_alone() -> None:
    """One file of at most 400 lines that imports nothing of the project."""
    text = SCRIPT.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"cryptography"}


def test_roots_are_those_of_the_ledger(tmp_path: Path) -> None:
    """Both programs, which share no code, come to the same root at every size."""
    ledger = Ledger(open_store(tmp_path), ORIGIN, KEY)
    ledger.append_many([("counted", {"n": n}) for n in range(70)])
    leaves = [bytes.fromhex(data["leaf"]) for data in map(json.loads, ledger.export()) if data["type"] == "entry"]
    found = verify_ledger.roots(leaves, range(71))
    assert found == {size: ledger.root(size) for size in range(71)}
    ledger.store.close()
