"""Certificates are renewed in time, and what they signed before stays the home's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from compliance import certificates
from compliance.clock import now
from compliance.keys import HomeKeys, open_keys, public_keys, replace_certificates
from compliance.labels import credential
from compliance.verify import verify_file
from tests.compliance.home import SOURCE, TARGET, Home


def _shorten(home: Home, monkeypatch: pytest.MonkeyPatch, **days: int) -> HomeKeys:
    """Give the home certificates that run out sooner: leaf_days, root_days."""
    keys = home.session().require_keys()
    with monkeypatch.context() as patch:
        patch.setattr(credential, "LEAF_DAYS", days.get("leaf_days", credential.LEAF_DAYS))
        patch.setattr(credential, "ROOT_DAYS", days.get("root_days", credential.ROOT_DAYS))
        root = credential.make_root("short root")
        return replace_certificates(home.folder, keys, leaf=credential.make_leaf(*root, "short"), root=root)


def test_a_release_is_not_signed_with_a_leaf_about_to_run_out(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release renews it first: its file is good for a year, under the same root, and the log tells of it."""
    before = _shorten(home, monkeypatch, leaf_days=20)
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), tmp_path / "a.png")
    after = public_keys(home.folder)
    assert after is not None and after.root_pem == before.public.root_pem
    assert after.leaf_pem != before.public.leaf_pem
    assert certificates.ends(after)[0] > now() + timedelta(days=300)
    assert verify_file(tmp_path / "a.png", [after]).verdict == "sealed"
    assert "certificate_renewed" in home.events()


def test_a_leaf_with_time_left_stays(home: Home, tmp_path: Path) -> None:
    """Nothing is renewed without need."""
    before = public_keys(home.folder)
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), tmp_path / "a.png")
    assert public_keys(home.folder) == before


def test_a_root_about_to_run_out_goes_with_the_leaf(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leaf never outlives its root: with less than a year left in the root, both are new."""
    before = _shorten(home, monkeypatch, leaf_days=20, root_days=300)
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), tmp_path / "a.png")
    after = public_keys(home.folder)
    assert after is not None and after.root_pem != before.public.root_pem
    assert before.public.root_pem in after.former_roots


def test_what_a_former_root_signed_stays_known(home: Home, tmp_path: Path) -> None:
    """After the keys were replaced the old release still reads as this home's, and the new one too."""
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), tmp_path / "old.png")
    session = home.session()
    certificates.renew(home.folder, home.rows, home.ledger, session.require_keys(), session.account)
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), tmp_path / "new.png")
    known = public_keys(home.folder)
    assert known is not None and len(known.former_roots) == 1
    for name in ("old.png", "new.png"):
        assert verify_file(tmp_path / name, [known]).verdict == "sealed"
        assert "known here" in verify_file(tmp_path / name, [known]).sentence


def test_the_new_leaf_is_not_the_old_roots(home: Home, tmp_path: Path) -> None:
    """Whoever still holds the old keys alone signs nothing that this home's new root vouches for."""
    old = public_keys(home.folder)
    session = home.session()
    certificates.renew(home.folder, home.rows, home.ledger, session.require_keys(), session.account)
    home.release(home.claim(home.grant(SOURCE), home.grant(TARGET)), tmp_path / "new.png")
    assert old is not None
    report = verify_file(tmp_path / "new.png", [old])
    assert report.layers["credential"].evidence["trust"] == "unknown signer"


def test_two_programs_renew_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that were opened before another process renewed them are opened again, not renewed again."""
    stale = _shorten(home, monkeypatch, leaf_days=20)
    first = certificates.up_to_date(home.folder, home.rows, home.ledger, stale)
    second = certificates.up_to_date(home.folder, home.rows, home.ledger, stale)
    assert first.public == second.public == open_keys(home.folder, stale.home_key()).public
