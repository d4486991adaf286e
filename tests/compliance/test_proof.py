"""Proofs: refusals first, then the published vectors, then every tree up to a size by Hypothesis."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import proof
from compliance.errors import ProofInvalid
from compliance.proof import Checkpoint, Proof
from tests.compliance.logs import tree_root

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORIGIN = "signet.local/home-1"
MOST = 70

# The eight entries and the roots after each that RFC 6962 implementations share (certificate-transparency, Trillian).
ENTRIES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


LEAVES = [proof.leaf_hash(index.to_bytes(2, "big")) for index in range(MOST)]
TREE_ROOTS = [tree_root(LEAVES[:size]) for size in range(MOST + 1)]


def inclusion(index: int, size: int) -> list[bytes]:
    """The path of one entry, from the definition."""
    return [tree_root(LEAVES[start:stop]) for start, stop in proof.inclusion_ranges(index, size)]


def consistency(old: int, new: int) -> list[bytes]:
    """The proof from one size to another, from the definition."""
    return [tree_root(LEAVES[start:stop]) for start, stop in proof.consistency_ranges(old, new)]


def checkpoint(size: int = 5) -> Checkpoint:
    """The checkpoint of the first entries."""
    return Checkpoint(ORIGIN, size, TREE_ROOTS[size])


def make_proof(index: int = 3, size: int = 11) -> Proof:
    """A whole, good proof."""
    note = proof.sign_note(checkpoint(size), KEY, ORIGIN)
    return Proof(index, tuple(inclusion(index, size)), note, index.to_bytes(2, "big"))


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5), (0, -1), (0, 2**63)], ids=lambda value: str(value)
)
def test_an_entry_outside_the_log_is_refused(index: int, size: int) -> None:
    """No path proves an entry that a log of that size cannot have."""
    with pytest.raises(ProofInvalid, match="no such entry"):
        proof.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])


def test_a_path_of_another_length_leads_nowhere() -> None:
    """A path that is too long or too short for the tree is named as such, before any root is compared."""
    path = inclusion(3, 11)
    with pytest.raises(ProofInvalid, match="too long"):
        proof.root_from_inclusion(3, 11, LEAVES[3], [*path, LEAVES[0]])
    with pytest.raises(ProofInvalid, match="too short"):
        proof.root_from_inclusion(3, 11, LEAVES[3], path[:-1])
    path = consistency(3, 11)
    with pytest.raises(ProofInvalid, match="too long"):
        proof.verify_consistency(3, 11, TREE_ROOTS[3], TREE_ROOTS[11], [*path, LEAVES[0]])
    with pytest.raises(ProofInvalid, match="too short"):
        proof.verify_consistency(3, 11, TREE_ROOTS[3], TREE_ROOTS[11], path[:-1])


def test_a_shrunken_log_is_refused() -> None:
    """A log that got smaller is never consistent, whatever the path says."""
    with pytest.raises(ProofInvalid, match="cannot shrink"):
        proof.verify_consistency(5, 4, TREE_ROOTS[5], TREE_ROOTS[4], consistency(4, 5))


def test_same_size_other_root_is_refused() -> None:
    """Two logs of one size are the same log or a contradiction."""
    with pytest.raises(ProofInvalid, match="roots differ"):
        proof.verify_consistency(5, 5, TREE_ROOTS[5], TREE_ROOTS[6], [])


def test_an_empty_log_has_one_root() -> None:
    """The beginning of everything is accepted only under its own root."""
    proof.verify_consistency(0, 5, proof.EMPTY_ROOT, TREE_ROOTS[5], [])
    with pytest.raises(ProofInvalid, match="roots differ"):
        proof.verify_consistency(0, 5, TREE_ROOTS[1], TREE_ROOTS[5], [])


def mutations(path: list[bytes]) -> list[list[bytes]]:
    """Paths that a forger might try: cut, grown, turned, with a flipped bit, with a hash of another length."""
    found = [[*path, TREE_ROOTS[0]], [TREE_ROOTS[0], *path]]
    if path:
        found += [path[:-1], path[1:], [*path, path[-1]], [path[0][:-1], *path[1:]], [*path[:-1], b""]]
        for place in range(len(path)):
            flipped = bytes([path[place][0] ^ 1]) + path[place][1:]
            found.append([*path[:place], flipped, *path[place + 1 :]])
    if path != path[::-1]:
        found.append(path[::-1])
    return found


@settings(max_examples=150, deadline=None)
@given(st.integers(1, MOST).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_a_changed_inclusion_path_is_refused(where: tuple[int, int]) -> None:
    """No mutation of a path, of the leaf, of the root or of the place is accepted."""
    index, size = where
    path = inclusion(index, size)
    for bad in mutations(path):
        with pytest.raises(ProofInvalid):
            proof.verify_inclusion(index, size, LEAVES[index], bad, TREE_ROOTS[size])
    with pytest.raises(ProofInvalid):
        proof.verify_inclusion(index, size, LEAVES[index - 1] if size > 1 else TREE_ROOTS[2], path, TREE_ROOTS[size])
    with pytest.raises(ProofInvalid):
        proof.verify_inclusion(index, size, LEAVES[index], path, TREE_ROOTS[size - 1])
    for elsewhere in range(size):
        if elsewhere != index:
            with pytest.raises(ProofInvalid):
                proof.verify_inclusion(elsewhere, size, LEAVES[index], path, TREE_ROOTS[size])


@settings(max_examples=150, deadline=None)
@given(st.integers(1, MOST - 1).flatmap(lambda old: st.tuples(st.just(old), st.integers(old + 1, MOST))))
def test_a_changed_consistency_path_is_refused(sizes: tuple[int, int]) -> None:
    """No mutation of the path and no other root is accepted as the log having grown."""
    old, new = sizes
    path = consistency(old, new)
    for bad in mutations(path):
        with pytest.raises(ProofInvalid):
            proof.verify_consistency(old, new, TREE_ROOTS[old], TREE_ROOTS[new], bad)
    with pytest.raises(ProofInvalid):
        proof.verify_consistency(old, new, TREE_ROOTS[old - 1], TREE_ROOTS[new], path)
    with pytest.raises(ProofInvalid):
        proof.verify_consistency(old, new, TREE_ROOTS[old], TREE_ROOTS[new - 1], path)


def _damaged_notes() -> list[tuple[str, str]]:
    note = proof.sign_note(checkpoint(), KEY, ORIGIN)
    body, _, tail = note.rpartition("\n\n")
    signature = base64.b64decode(tail.split(" ")[2])
    flipped = base64.b64encode(signature[:-1] + bytes([signature[-1] ^ 1])).decode()
    other = proof.sign_note(Checkpoint(ORIGIN, 6, TREE_ROOTS[5]), KEY, ORIGIN).rpartition("\n\n")[2]
    return [
        ("size", note.replace("\n5\n", "\n6\n")),
        ("size with zero", note.replace("\n5\n", "\n05\n")),
        ("origin", note.replace("home-1\n5", "home-2\n5")),
        ("root", note.replace(body.split("\n")[2], base64.b64encode(TREE_ROOTS[4]).decode())),
        ("signature", f"{body}\n\n— {ORIGIN} {flipped}\n"),
        ("signature of another", f"{body}\n\n{other}"),
        ("extension line", note.replace("\n\n", "\nmore\n\n")),
        ("unsigned", body + "\n"),
        ("no signature lines", body + "\n\n"),
        ("cut", note[:-1]),
        ("hyphen for dash", note.replace("— ", "- ")),
        ("carriage returns", note.replace("\n", "\r\n")),
        ("key name", note.replace(f"— {ORIGIN}", "— someone")),
        ("half a character", note.replace("home-1\n5", "home-\ud800\n5")),
        ("seventeen signatures", note + (tail * 16)),
        ("empty", ""),
    ]


@pytest.mark.parametrize("note", [pytest.param(text, id=name) for name, text in _damaged_notes()])
def test_a_changed_note_is_refused(note: str) -> None:
    """A checkpoint with any part changed does not open."""
    with pytest.raises(ProofInvalid):
        proof.open_note(note, KEY.public_key())


def test_a_note_of_another_key_is_refused() -> None:
    """A good signature of a key that is not trusted counts for nothing, even beside no key at all."""
    note = proof.sign_note(checkpoint(), OTHER_KEY, ORIGIN)
    with pytest.raises(ProofInvalid, match="known key"):
        proof.open_note(note, KEY.public_key())
    with pytest.raises(ProofInvalid, match="known key"):
        proof.open_note(note, [])


@pytest.mark.parametrize("more", ["extension\n", "\nextension\n"])
def test_a_signed_text_that_says_more_is_refused(more: str) -> None:
    """Even signed by the log's own key, a text with further lines is no checkpoint."""
    body = checkpoint().body() + more
    signature = proof.key_id(ORIGIN, KEY.public_key()) + KEY.sign(body.encode())
    with pytest.raises(ProofInvalid, match="not a checkpoint"):
        proof.open_note(f"{body}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n", KEY.public_key())


def test_a_bad_signature_of_a_known_key_refuses_the_note() -> None:
    """One good signature does not make up for a wrong one of a trusted key."""
    note = proof.sign_note(checkpoint(), KEY, ORIGIN)
    wrong = base64.b64encode(proof.key_id(ORIGIN, OTHER_KEY.public_key()) + bytes(64)).decode()
    with pytest.raises(ProofInvalid, match="signature"):
        proof.open_note(f"{note}— {ORIGIN} {wrong}\n", [KEY.public_key(), OTHER_KEY.public_key()])


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "no\u00a0break"])
def test_a_key_name_that_cannot_be_read_back_is_refused(name: str) -> None:
    """A name with a space or a plus sign would make the signature line ambiguous."""
    with pytest.raises(ProofInvalid, match="key name"):
        proof.sign_note(checkpoint(), KEY, name)
    with pytest.raises(ProofInvalid, match="key name"):
        proof.vkey(name, KEY.public_key())


@pytest.mark.parametrize("origin", ["", "two\nlines", "blank\n\nline"])
def test_an_origin_that_cannot_be_read_back_is_refused(origin: str) -> None:
    """Nothing is signed that would not read back as the same checkpoint."""
    with pytest.raises(ProofInvalid):
        proof.sign_note(Checkpoint(origin, 0, proof.EMPTY_ROOT), KEY, ORIGIN)


@pytest.mark.parametrize("cut", ["", "name", "name+00000000", "name+zz+AQ==", "+00000000+AQ=="])
def test_half_a_verifier_key_is_refused(cut: str) -> None:
    """A verifier key is whole, or it is none."""
    with pytest.raises(ProofInvalid):
        proof.parse_vkey(cut)


def test_a_verifier_key_under_another_name_is_refused() -> None:
    """The key id binds the name to the key."""
    line = proof.vkey(ORIGIN, KEY.public_key())
    with pytest.raises(ProofInvalid, match="damaged"):
        proof.parse_vkey(line.replace("home-1", "home-2"))


@pytest.mark.parametrize(
    "change",
    [
        {"index": 4},
        {"index": "3"},
        {"index": -1},
        {"path": "00"},
        {"path": [1]},
        {"path": ["zz"]},
        {"path": ["00"]},
        {"path": ["00" * 32] * 64},
        {"path": []},
        {"entry": "AAA"},
        {"entry": "AAM"},
        {"entry": "AAN="},
        {"entry": base64.b64encode(b"another").decode()},
        {"entry": None},
        {"checkpoint": None},
        {"checkpoint": "text"},
        {"format": "c2sp.org/tlog-proof@v2"},
    ],
    ids=lambda change: json.dumps(change)[:30],
)
def test_a_changed_proof_is_refused(change: dict[str, object]) -> None:
    """A proof with any field changed is not read, or does not verify."""
    data = {**make_proof().to_json(), **change}
    with pytest.raises(ProofInvalid):
        Proof.from_json(data).verify(KEY.public_key())


def test_true_is_not_the_first_entry() -> None:
    """A JSON true is no index, though Python counts it as 1."""
    with pytest.raises(ProofInvalid):
        Proof.from_json({**make_proof(1).to_json(), "index": True})


@pytest.mark.parametrize("data", [None, [], {}, "text", 3])
def test_what_is_no_proof_is_refused(data: object) -> None:
    """Anything may stand in a file; only a proof is read as one."""
    with pytest.raises(ProofInvalid):
        Proof.from_json(data)


def test_a_cut_or_padded_proof_text_is_refused() -> None:
    """Every line of the text form counts."""
    text = make_proof().to_text()
    lines = text.split("\n")
    for place in range(len(lines)):
        shorter = "\n".join(lines[:place] + lines[place + 1 :])
        with pytest.raises(ProofInvalid):
            Proof.from_text(shorter).verify(KEY.public_key())
    with pytest.raises(ProofInvalid):
        Proof.from_text(text + "more").verify(KEY.public_key())


# --- known answers ---------------------------------------------------------------------------------------------------


def test_the_roots_are_those_of_rfc_6962() -> None:
    """The empty tree and the eight shared trees have the published roots."""
    assert proof.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert proof.leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert proof.node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    leaves = [proof.leaf_hash(entry) for entry in ENTRIES]
    assert [tree_root(leaves[: size + 1]).hex() for size in range(8)] == ROOTS


def test_the_published_paths_are_made_and_accepted() -> None:
    """The inclusion path of the fifth of eight entries and the proof from two to five are the published ones."""
    leaves = [proof.leaf_hash(entry) for entry in ENTRIES]
    path = [tree_root(leaves[start:stop]).hex() for start, stop in proof.inclusion_ranges(5, 8)]
    assert path == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    proof.verify_inclusion(5, 8, leaves[5], [bytes.fromhex(one) for one in path], bytes.fromhex(ROOTS[7]))
    path = [tree_root(leaves[start:stop]).hex() for start, stop in proof.consistency_ranges(2, 5)]
    assert path == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]
    proof.verify_consistency(
        2, 5, bytes.fromhex(ROOTS[1]), bytes.fromhex(ROOTS[4]), [bytes.fromhex(one) for one in path]
    )


def test_the_published_note_opens() -> None:
    """The verifier key and the signed text of Go's sumdb/note documentation are read as they are there."""
    name, key = proof.parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert (name, proof.vkey(name, key)) == (
        "PeterNeumann",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    )
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    # The signature holds, the text is no checkpoint: only the last step refuses it.
    with pytest.raises(ProofInvalid, match="not a checkpoint"):
        proof.open_note(text, key)
    with pytest.raises(ProofInvalid, match="signature"):
        proof.open_note(text.replace("problem is", "problem was"), key)


# --- happy paths -----------------------------------------------------------------------------------------------------


def test_every_entry_of_every_tree_is_proved() -> None:
    """Each index of each size up to the limit has a path that verifies, no longer than the tree is high."""
    for size in range(1, MOST + 1):
        for index in range(size):
            path = inclusion(index, size)
            assert len(path) <= (size - 1).bit_length()
            proof.verify_inclusion(index, size, LEAVES[index], path, TREE_ROOTS[size])


def test_every_pair_of_trees_is_proved() -> None:
    """Each tree up to the limit is proved to be the beginning of each larger one."""
    for new in range(MOST + 1):
        for old in range(new + 1):
            proof.verify_consistency(old, new, TREE_ROOTS[old], TREE_ROOTS[new], consistency(old, new))


@given(st.integers(0, MOST))
def test_complete_subtrees_fold_into_the_root(size: int) -> None:
    """The root comes from the complete subtrees alone, so few lookups suffice."""
    nodes = proof.subtrees(0, size)
    assert len(nodes) == size.bit_count()
    hashes = [tree_root(LEAVES[index << level : (index + 1) << level]) for level, index in nodes]
    assert proof.fold(hashes) == TREE_ROOTS[size]


@given(st.integers(0, MOST), st.sampled_from([ORIGIN, "例.cn/日志"]))
def test_a_note_reads_back(size: int, origin: str) -> None:
    """What was signed opens as the same checkpoint, with the key alone or among others."""
    point = Checkpoint(origin, size, TREE_ROOTS[size])
    note = proof.sign_note(point, KEY, origin)
    assert note == proof.sign_note(point, KEY, origin)
    assert proof.open_note(note, KEY.public_key()) == point
    assert proof.open_note(note, [OTHER_KEY.public_key(), KEY.public_key()]) == point
    assert proof.read_note(note) == point


def test_a_cosigned_note_opens() -> None:
    """The signature of a witness that is not known is ignored, that of the log counts."""
    witness = proof.sign_note(checkpoint(), OTHER_KEY, "witness.example").rpartition("\n\n")[2]
    assert proof.open_note(proof.sign_note(checkpoint(), KEY, ORIGIN) + witness, KEY.public_key()) == checkpoint()


def test_a_verifier_key_reads_back() -> None:
    """The line handed to others gives the same key, also when its base64 contains plus signs."""
    for seed in range(40):
        key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key()
        name, again = proof.parse_vkey(proof.vkey(ORIGIN, key))
        assert (name, again.public_bytes_raw()) == (ORIGIN, key.public_bytes_raw())


def test_a_proof_reads_back_and_verifies() -> None:
    """Text and JSON give the same proof, and it verifies with the log's key alone."""
    one = make_proof()
    assert Proof.from_text(one.to_text()) == one
    assert Proof.from_json(json.loads(json.dumps(one.to_json()))) == one
    assert one.verify(KEY.public_key()) == checkpoint(11)
    assert one.to_text().startswith("c2sp.org/tlog-proof@v1\nextra AAM=\nindex 3\n")
    with pytest.raises(ProofInvalid):
        one.verify(OTHER_KEY.public_key())
    with pytest.raises(ProofInvalid):
        dataclasses.replace(one, entry=b"another").verify(KEY.public_key())


def test_the_only_entry_needs_no_path() -> None:
    """A log of one entry: the leaf is the root."""
    one = make_proof(0, 1)
    assert one.path == ()
    assert Proof.from_text(one.to_text()).verify(KEY.public_key()).size == 1


def test_a_proof_of_a_million_entries_is_small() -> None:
    """At 10^6 entries a proof has 20 hashes at most and stays under 2 KB beside its entry."""
    ranges = proof.inclusion_ranges(654_321, 1_000_000)
    note = proof.sign_note(Checkpoint(ORIGIN, 1_000_000, TREE_ROOTS[1]), KEY, ORIGIN)
    text = Proof(654_321, (TREE_ROOTS[1],) * len(ranges), note, b"").to_text()
    assert len(ranges) <= 20
    assert len(text.encode()) <= 2048
