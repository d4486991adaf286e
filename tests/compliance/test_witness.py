"""Witnesses: one history a log, ever."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from compliance import cosignature, proof
from compliance.errors import (
    LedgerBroken,
    ProofInvalid,
    RoleMissing,
    SignetError,
    UnknownRecord,
    WitnessKeyInvalid,
    WitnessNeedsProof,
    WitnessRefused,
)
from compliance.ledger import CHECKPOINT_ENTRIES, Ledger, origin_of
from compliance.proof import Checkpoint, open_note, read_note, sign_note
from compliance.roles import Role
from compliance.store import open_store
from compliance.witness import Witness, WitnessKey, load_key, parse_witness_vkey, verify_cosignature, witness_vkey
from tests.compliance.home import Home
from tests.compliance.logs import KEY, ORIGIN, OTHER_KEY, Log, leaves, tree_root
from tests.compliance.people import add_person

VKEY = proof.vkey(ORIGIN, KEY.public_key())
DESK = WitnessKey("witness.example/desk", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness that has signed the log at seven entries."""
    made = Witness(tmp_path / "state.json", DESK, clock=lambda: MOMENT)
    made.cosign(Log(leaves(7)).note(), VKEY)
    return made


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, type[SignetError], str]] = [
    ("a fork of the same length", WitnessRefused, Log(leaves(7, 6)).note()),
    ("a fork with a proof from its own past", WitnessRefused, Log(leaves(9, 3)).request(7)),
    ("a rollback", WitnessRefused, Log(leaves(6)).note()),
    ("a rollback with a proof", WitnessRefused, Log(leaves(6)).request(5)),
    ("growth without a proof", WitnessNeedsProof, Log(leaves(9)).note()),
    ("a proof from another size", WitnessNeedsProof, Log(leaves(9)).request(6)),
    ("a proof from nothing", WitnessNeedsProof, Log(leaves(9)).request(0)),
    ("an empty log", WitnessRefused, Log([]).note()),
    ("another key", ProofInvalid, Log(leaves(9)).note(OTHER_KEY)),
    ("an unknown log", WitnessRefused, Log(leaves(9)).note(OTHER_KEY, origin_of("home-2"))),
    ("no checkpoint", ProofInvalid, "hello\n"),
    ("no number", ProofInvalid, "old x\n\n" + Log(leaves(9)).note()),
    ("a number with a zero in front", ProofInvalid, Log(leaves(9)).request(7).replace("old 7", "old 07")),
    ("no proof hashes", ProofInvalid, Log(leaves(9)).request(7).replace("old 7\n", "old 7\nAAAA\n")),
    ("a cut proof", WitnessRefused, "old 7\n\n" + Log(leaves(9)).note()),
    (
        "a long proof",
        ProofInvalid,
        "old 7\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64 + "\n" + Log(leaves(9)).note(),
    ),
]


@pytest.mark.parametrize(("refusal", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_does_not_extend_is_not_signed(
    witness: Witness, tmp_path: Path, refusal: type[SignetError], text: str
) -> None:
    """A refusal signs nothing and forgets nothing."""
    before = (tmp_path / "state.json").read_bytes()
    with pytest.raises(refusal) as caught:
        witness.cosign(text)
    # A rollback is told as that, never as a proof that could be brought later.
    assert type(caught.value) is refusal
    assert (tmp_path / "state.json").read_bytes() == before


def test_a_known_log_keeps_its_key(witness: Witness) -> None:
    """Neither another key for a known log nor the key of another log is taken."""
    with pytest.raises(WitnessRefused, match="another key"):
        witness.cosign(Log(leaves(7)).note(), proof.vkey(ORIGIN, OTHER_KEY.public_key()))
    foreign = proof.vkey(origin_of("home-3"), OTHER_KEY.public_key())
    with pytest.raises(WitnessRefused, match="another log"):
        witness.cosign(Log(leaves(7)).note(OTHER_KEY, origin_of("home-2")), foreign)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff", b'{"version":1,"logs":{},"seal":"00"}'])
def test_a_damaged_state_signs_nothing(witness: Witness, tmp_path: Path, damage: bytes) -> None:
    """Without a sound memory a witness is none."""
    (tmp_path / "state.json").write_bytes(damage)
    with pytest.raises(WitnessKeyInvalid):
        witness.cosign(Log(leaves(7)).note(), VKEY)


def test_an_edited_state_signs_nothing(witness: Witness, tmp_path: Path) -> None:
    """A smaller size written by hand is found."""
    path = tmp_path / "state.json"
    path.write_text(path.read_text().replace('"size": 7', '"size": 3'))
    with pytest.raises(WitnessKeyInvalid):
        witness.cosign(Log(leaves(9)).request(3))


def test_the_state_is_on_the_disk_before_the_answer(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the state cannot be written, no signature is made."""
    signed: list[object] = []
    monkeypatch.setattr("compliance.witness.cosign_line", lambda *given: signed.append(given))

    def full(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("compliance.witness.write_atomically", full)
    with pytest.raises(OSError, match="no space"):
        witness.cosign(Log(leaves(9)).request(7))
    assert signed == []


@pytest.mark.parametrize(
    "text", ["", "x", "PRIVATE+KEY+a", "PRIVATE+KEY+a+00000000+AAAA", DESK.to_text().replace("desk", "disk")]
)
def test_a_key_file_that_is_none(tmp_path: Path, text: str) -> None:
    """A cut, renamed or foreign key is told as that."""
    (tmp_path / "key").write_text(text)
    with pytest.raises(WitnessKeyInvalid):
        load_key(tmp_path / "key")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\x07"])
def test_a_name_that_cannot_stand_on_a_line(name: str) -> None:
    """Names of witnesses hold no spaces, plus or control signs."""
    with pytest.raises(ProofInvalid):
        WitnessKey.generate(name)


# --- the format ------------------------------------------------------------------------------------------------------


def test_a_cosignature_is_what_the_specification_says() -> None:
    """The id is SHA-256(name, newline, 0x04, key)[:4], the time eight bytes, the message two lines before the body.

    The line of the specification's example is read: its time is 1679315147 and its id that of some key we do not have.
    """
    checkpoint = Checkpoint(
        "example.com/behind-the-sofa", 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    )
    raw = base64.b64decode(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    assert (len(raw), int.from_bytes(raw[4:12], "big")) == (76, 1679315147)
    from compliance.witness import cosign_line

    line = cosign_line(DESK, checkpoint, datetime.fromtimestamp(1679315147, UTC))
    made = base64.b64decode(line.split(" ")[2])
    assert made[4:12] == raw[4:12]
    message = f"cosignature/v1\ntime 1679315147\n{checkpoint.body()}".encode()
    DESK.private_key.public_key().verify(made[12:], message)
    assert verify_cosignature(line, checkpoint, DESK.vkey) == datetime.fromtimestamp(1679315147, UTC)
    for wrong in (Checkpoint(checkpoint.origin, 20852164, checkpoint.root), Checkpoint("x", 20852163, checkpoint.root)):
        with pytest.raises(ProofInvalid):
            verify_cosignature(line, wrong, DESK.vkey)


def test_every_flipped_bit_of_a_line_is_found() -> None:
    """Key id, time and signature of a line all count."""
    from compliance.witness import cosign_line

    checkpoint = Checkpoint(ORIGIN, 7, tree_root(leaves(7)))
    line = cosign_line(DESK, checkpoint, MOMENT)
    head, _, encoded = line.rpartition(" ")
    raw = base64.b64decode(encoded)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProofInvalid):
            verify_cosignature(f"{head} {base64.b64encode(flipped).decode()}", checkpoint, DESK.vkey)


def test_keys_come_back_from_their_texts() -> None:
    """Private and verifier keys are read as they were written; a cosigner's key is not a log's."""
    assert WitnessKey.from_text(DESK.to_text()).vkey == DESK.vkey
    assert parse_witness_vkey(DESK.vkey)[0] == DESK.name
    assert "+" not in repr(DESK)
    with pytest.raises(ProofInvalid):
        parse_witness_vkey(VKEY)
    with pytest.raises(ProofInvalid):
        proof.parse_vkey(DESK.vkey)
    assert witness_vkey(DESK.name, DESK.private_key.public_key()) == DESK.vkey


def test_a_cosigned_checkpoint_is_still_the_logs(witness: Witness) -> None:
    """The log's readers pass over the witness's line, and the same checkpoint may be signed again."""
    text = witness.cosign(Log(leaves(9)).request(7))
    assert open_note(text, KEY.public_key()).size == 9
    assert open_note(witness.cosign(text), KEY.public_key()).size == 9


# --- one history, whatever happens -----------------------------------------------------------------------------------


class Lying(RuleBasedStateMachine):
    """A log with its real key that grows, forks and rolls back, before a witness that restarts whenever it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.histories: list[list[bytes]] = [[]]
        self.signed: list[Checkpoint] = []
        self.count = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def witness(self) -> Witness:
        return Witness(self.folder / "state.json", DESK, clock=lambda: MOMENT)

    @rule(which=st.integers(0, 7), many=st.integers(1, 9))
    def append(self, which: int, many: int) -> None:
        """One of the histories grows."""
        history = self.histories[which % len(self.histories)]
        for _ in range(many):
            self.count += 1
            history.append(proof.leaf_hash(str(self.count).encode()))

    @rule(which=st.integers(0, 7), cut=st.integers(0, 60))
    def fork(self, which: int, cut: int) -> None:
        """An earlier moment of a history becomes a history of its own: a rollback, and with append a fork."""
        history = self.histories[which % len(self.histories)]
        self.histories = [*self.histories, history[: cut % (len(history) + 1)]][-8:]

    @rule(which=st.integers(0, 7), old=st.one_of(st.none(), st.integers(0, 60)))
    def cosign(self, which: int, old: int | None) -> None:
        """Any history is brought, with a proof from anywhere, the right place, or without."""
        log = Log(self.histories[which % len(self.histories)])
        size = len(log.leaves)
        seen = self.signed[-1].size if self.signed else 0
        if old is None or not size:
            text = log.note() if old is None and size % 2 else log.request(min(seen, size))
        else:
            text = log.request(old % (size + 1))
        try:
            answer = self.witness().cosign(text, VKEY)
        except SignetError:
            return
        verify_cosignature(answer.splitlines()[-1], read_note(answer), DESK.vkey)
        self.signed.append(read_note(answer))

    @precondition(lambda self: self.signed)
    @rule(which=st.integers(0, 60))
    def bring_back(self, which: int) -> None:
        """An old signed checkpoint, brought again, is signed only while it is the newest."""
        old = self.signed[which % len(self.signed)]
        note = sign_note(old, KEY, ORIGIN)
        if old == self.signed[-1]:
            self.witness().cosign(note, VKEY)
        else:
            with pytest.raises(SignetError):
                self.witness().cosign(note, VKEY)

    @invariant()
    def one_history(self) -> None:
        """All that was ever signed lies on one history, each extending the one before."""
        on_one = [
            h for h in self.histories if all(len(h) >= c.size and tree_root(h[: c.size]) == c.root for c in self.signed)
        ]
        sizes = [checkpoint.size for checkpoint in self.signed]
        assert sizes == sorted(sizes)
        by_size: dict[int, bytes] = {}
        for checkpoint in self.signed:
            assert by_size.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root
        # The history that was signed last is kept as long as nothing pushed it out of the eight.
        assert on_one or len(self.histories) == 8 or not self.signed


Lying.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOneHistory = Lying.TestCase


def test_two_at_once_never_sign_two_histories(tmp_path: Path) -> None:
    """Sixteen cosignings of two forks at once: all signatures lie on one of them."""
    notes = [Log(leaves(5, fork)).note() for fork in (4, None)] * 8
    signed: list[Checkpoint] = []

    def act(note: str) -> None:
        try:
            signed.append(read_note(Witness(tmp_path / "state.json", DESK).cosign(note, VKEY)))
        except WitnessRefused:
            return

    threads = [threading.Thread(target=act, args=(note,)) for note in notes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 8
    assert len(set(signed)) == 1


# --- the log's side --------------------------------------------------------------------------------------------------


def test_a_witness_round_trip(home: Home, tmp_path: Path) -> None:
    """Request, cosign, keep, again after growth; forged and strange lines are refused, a changed one is found."""
    otto = add_person(home, "otto", Role.AUDITOR)
    keys = home.session().require_keys()
    ledger = Ledger(home.rows, home.ledger.origin, keys.ledger_key())
    with pytest.raises(RoleMissing):
        cosignature.add_witness(home.rows, ledger, home.session().account, DESK.vkey)
    with pytest.raises(UnknownRecord):
        cosignature.submission(home.rows, ledger, 10_000)
    witness = Witness(tmp_path / "state.json", DESK)
    ledger.checkpoint()
    first = witness.cosign(cosignature.submission(home.rows, ledger, 0).to_text(), keys.public.ledger_vkey)
    with pytest.raises(ProofInvalid, match="no known witness"):
        cosignature.add_cosignatures(home.rows, ledger, first)
    assert cosignature.add_witness(home.rows, ledger, otto, DESK.vkey) == DESK.name
    same_name = WitnessKey.generate(DESK.name)
    with pytest.raises(ProofInvalid, match="another key"):
        cosignature.add_witness(home.rows, ledger, otto, same_name.vkey)
    assert [one.witness for one in cosignature.add_cosignatures(home.rows, ledger, first)] == [DESK.name]
    forged = Log(leaves(3)).note(keys.ledger_key(), ledger.origin)
    with pytest.raises(UnknownRecord):
        cosignature.add_cosignatures(home.rows, ledger, forged + first.splitlines()[-1] + "\n")
    ledger.append_many([("counted", {"n": n}) for n in range(20)])
    ledger.checkpoint()
    size = read_note(first).size
    second = witness.cosign(cosignature.submission(home.rows, ledger, size).to_text())
    cosignature.add_cosignatures(home.rows, ledger, second)
    assert cosignature.checkpoint_text(home.rows, read_note(second).size) == second
    assert [one.size for one in cosignature.verify_cosignatures(home.rows)] == [size, read_note(second).size]
    with sqlite3.connect(home.rows.path) as raw:
        raw.execute("UPDATE cosignature SET line = (SELECT line FROM cosignature ORDER BY size LIMIT 1)")
    raw.close()
    with pytest.raises(LedgerBroken, match="witness"):
        cosignature.verify_cosignatures(home.rows)


def test_a_checkpoint_comes_when_it_is_due(tmp_path: Path) -> None:
    """After 256 entries or ten minutes, not before, not without new entries, not without the key."""
    from datetime import timedelta

    moment = [MOMENT]
    ledger = Ledger(open_store(tmp_path), ORIGIN, KEY, clock=lambda: moment[0])
    assert ledger.due_checkpoint() is None
    ledger.append_now("counted", {})
    assert ledger.due_checkpoint() is not None
    ledger.append_many([("counted", {})] * (CHECKPOINT_ENTRIES - 1))
    assert ledger.due_checkpoint() is None
    ledger.append_now("counted", {})
    assert ledger.due_checkpoint() is not None
    ledger.append_now("counted", {})
    moment[0] += timedelta(minutes=9)
    assert ledger.due_checkpoint() is None
    moment[0] += timedelta(minutes=1)
    assert ledger.due_checkpoint() is not None
    moment[0] += timedelta(minutes=60)
    assert ledger.due_checkpoint() is None
    ledger.append_now("counted", {})
    moment[0] -= timedelta(days=1)
    assert Ledger(ledger.store, ORIGIN, None).due_checkpoint() is None
    assert ledger.due_checkpoint() is not None
    ledger.store.close()
