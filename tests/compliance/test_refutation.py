"""Refutation: a mark for good, a signed notice, and checks that answer "refuted" signed out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from compliance import refutation
from compliance.errors import ProofInvalid, RefutedAlready, RoleMissing, SignetError, StatementInvalid, UnknownRecord
from compliance.fingerprint.registry import Register
from compliance.keys import public_keys
from compliance.refutation import LIST_FILE, MISSING, TAMPERED, read_list, refute, verify_notice
from compliance.roles import Role
from compliance.verify import Report, verify_file
from tests.compliance.home import SOURCE, TARGET, Home, HonestDrafter, noise
from tests.compliance.people import add_person, add_release

REASON = "这段视频不属实 <b>&</b> {at}"


def marked(home: Home, release: str = "0123456789abcdef") -> refutation.Notice:
    """One refuted release of the home."""
    add_release(home, home.session().account, release)
    return do(home, release)


def do(home: Home, release: str, reason: str = REASON, account: object | None = None) -> refutation.Notice:
    """Refute as maria, or as somebody else."""
    session = home.session()
    by = account or session.account
    return refute(home.folder, home.rows, home.ledger, session.require_keys(), by, release, reason)


def checked(home: Home, path: Path) -> Report:
    """What a check says with the home's public files alone."""
    keys = public_keys(home.folder)
    assert keys is not None
    found = read_list(home.folder, keys)
    return verify_file(path, [keys], [found] if found else [])


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "act"),
    [
        (UnknownRecord, lambda home: do(home, "f" * 16)),
        (StatementInvalid, lambda home: do(home, add_release(home, home.session().account), " ")),
        (RefutedAlready, lambda home: do(home, marked(home).refuted.release)),
        (
            RoleMissing,
            lambda home: do(
                home, add_release(home, home.session().account), account=add_person(home, "ben", Role.CREATOR)
            ),
        ),
    ],
    ids=["no such release", "no reason", "twice", "no role"],
)
def test_what_cannot_be_refuted(home: Home, refusal: type[SignetError], act: Callable[[Home], object]) -> None:
    """Only a release of ours, by whose office it is, with a reason, once."""
    with pytest.raises(refusal):
        act(home)
    home.ledger.verify()


def _edit(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    def edited(data: bytes) -> bytes:
        content = json.loads(data)
        change(content)
        return json.dumps(content).encode()

    return edited


TAMPERINGS: dict[str, Callable[[bytes], bytes]] = {
    "release taken away": _edit(lambda content: content["releases"].pop()),
    "release added": _edit(lambda content: content["releases"].append({**content["releases"][0], "release": "f" * 16})),
    "reason changed": _edit(lambda content: content["releases"][0].update(reason="all is true")),
    "origin changed": _edit(lambda content: content.update(origin="signet.local/other")),
    "no signature": _edit(lambda content: content.pop("signature")),
    "signature of nothing": _edit(lambda content: content.update(signature="AAAA")),
    "field added": _edit(lambda content: content.update(more=1)),
    "not an object": lambda data: b"[]",
    "a number": lambda data: b"7",
    "empty": lambda data: b"",
    "cut": lambda data: data[:-20],
    "deep": lambda data: b"[" * 100_000,
    "large": lambda data: data + b" " * refutation.LARGEST_BYTES,
}


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_tampered_list_is_told(home: Home, tmp_path: Path, tamper: Callable[[bytes], bytes]) -> None:
    """Whoever edits the list gets no answer out of it, neither "refuted" nor silence."""
    marked(home)
    path = home.folder / LIST_FILE
    path.write_bytes(tamper(path.read_bytes()))
    keys = public_keys(home.folder)
    assert keys is not None
    found = read_list(home.folder, keys)
    assert found is not None
    assert (dict(found.releases), found.problem) == ({}, TAMPERED)


def test_the_list_of_another_home_is_not_ours(home: Home, tmp_path: Path) -> None:
    """A list signed by another home's key counts for nothing here."""
    marked(home)
    other = Home.furnished(tmp_path / "other")
    other.rows.close()
    (tmp_path / "other" / LIST_FILE).write_bytes((home.folder / LIST_FILE).read_bytes())
    keys = public_keys(tmp_path / "other")
    assert keys is not None
    found = read_list(tmp_path / "other", keys)
    assert found is not None
    assert found.problem == TAMPERED


@pytest.mark.parametrize("name", ["release", "reason", "at", "file_sha256", "text", "origin", "format", "signature"])
def test_a_changed_notice_does_not_hold(home: Home, name: str) -> None:
    """Every field of the notice is signed."""
    made = marked(home)
    vkey = home.session().require_keys().public.ledger_vkey
    with pytest.raises(ProofInvalid):
        verify_notice({**made.content, name: "x"}, vkey)
    with pytest.raises(ProofInvalid):
        verify_notice({key: value for key, value in made.content.items() if key != name}, vkey)


# --- what is answered ------------------------------------------------------------------------------------------------


def test_a_notice_speaks_both_languages_and_is_signed(home: Home) -> None:
    """The text names release, reason and digest in both languages; the ledger has neither reason nor name."""
    made = marked(home)
    for part in ("辟谣公告", "REFUTATION NOTICE", made.refuted.release, REASON, made.refuted.file_sha256):
        assert part in made.text
    assert (
        verify_notice(json.loads(json.dumps(made.content)), home.session().require_keys().public.ledger_vkey)
        == made.refuted
    )
    entry = home.ledger.entries()[-1]
    assert (entry["kind"], entry["fields"]["release"]) == ("release_refuted", made.refuted.release)
    assert "不属实" not in json.dumps(home.ledger.entries(), ensure_ascii=False)


def test_a_released_file_answers_refuted(home: Home, tmp_path: Path) -> None:
    """Sealed before, refuted after; with a tampered list it says that nobody can tell; a broken file is named too."""
    out = tmp_path / "out.png"
    released = home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), out)
    before = checked(home, out)
    assert (before.verdict, before.refuted) == ("sealed", None)
    do(home, released.id)
    after = checked(home, out)
    assert after.verdict == "refuted"
    assert after.refuted is not None
    assert (after.refuted["release"], after.refuted["reason"]) == (released.id, REASON)
    assert after.to_json()["refuted"]["state"] == "refuted"
    broken = tmp_path / "broken.png"
    broken.write_bytes(out.read_bytes() + b"x")
    found = checked(home, broken)
    assert found.verdict == "broken"
    assert found.refuted is not None
    path = home.folder / LIST_FILE
    path.write_bytes(path.read_bytes().replace(b'"releases"', b'"Releases"'))
    told = checked(home, out)
    assert told.verdict == "sealed"
    assert told.refuted == {"state": "unchecked", "origin": home.ledger.origin, "reason": TAMPERED}


def test_a_release_that_looks_like_a_refuted_one_is_not_refuted(home: Home, tmp_path: Path) -> None:
    """The number that a file proves decides; only a copy without a proof is placed by its looks."""
    named = home.grant(SOURCE), home.grant(TARGET)
    refuted = home.release(home.claim(*named), tmp_path / "refuted.png", HonestDrafter(noise(640, 480)))
    home.release(home.claim(*named), tmp_path / "other.png", HonestDrafter(noise(640, 480)))
    do(home, refuted.id)

    def report(path: Path) -> Report:
        keys = public_keys(home.folder)
        assert keys is not None
        found = read_list(home.folder, keys)
        return verify_file(path, [keys], [found] if found else [], [Register(home.rows)])

    assert report(tmp_path / "refuted.png").verdict == "refuted"
    other = report(tmp_path / "other.png")
    assert refuted.id in {match["release"] for match in other.layers["fingerprint"].evidence["matches"]}
    assert (other.verdict, other.refuted) == ("sealed", None)
    Image.open(tmp_path / "refuted.png").convert("RGB").save(tmp_path / "bare.png")
    bare = report(tmp_path / "bare.png")
    assert bare.refuted is not None
    assert bare.refuted["release"] == refuted.id


def test_a_list_that_was_taken_away_is_told(home: Home, tmp_path: Path) -> None:
    """The list is there from the first day, empty; without it nobody can say, signed out and without the database."""
    out = tmp_path / "out.png"
    released = home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), out)
    (home.folder / LIST_FILE).unlink()
    assert checked(home, out).refuted == {"state": "unchecked", "origin": home.ledger.origin, "reason": MISSING}
    do(home, released.id)
    assert checked(home, out).verdict == "refuted"
    (home.folder / LIST_FILE).unlink()
    assert checked(home, out).refuted == {"state": "unchecked", "origin": home.ledger.origin, "reason": MISSING}


def test_a_lost_list_is_made_again(home: Home) -> None:
    """The list follows the database: lost or changed, it is written anew with open keys, and only then."""
    marked(home)
    keys = home.session().require_keys()
    path = home.folder / LIST_FILE
    sound = path.read_bytes()
    for damage in (None, b"{}", sound.replace(b"releases", b"Releases")):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        refutation.publish(home.folder, home.rows, home.ledger.origin, keys)
        assert path.read_bytes() == sound
    stamp = path.stat().st_mtime_ns
    refutation.publish(home.folder, home.rows, home.ledger.origin, keys)
    assert path.stat().st_mtime_ns == stamp
