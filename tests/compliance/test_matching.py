"""Templates: what does not match first, sealing and destroying, then the gate under a biometric consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from compliance import consent, store, subject, withdrawal
from compliance.consent import Terms
from compliance.consent_record import Biometric
from compliance.errors import ConsentForOtherPicture, FaceMismatch, RecogniserMissing, Shredded
from compliance.matching import Vector, best_similarity, keep_templates, match_faces, similarity, templates_of
from compliance.permit import LikenessUse
from tests.compliance.home import DAY, SOURCE, TARGET, Home

MODEL = "ee" * 32
HER, OTHER = (np.eye(8, dtype=np.float32)[place] for place in (0, 1))


def biometric(home: Home, template: Vector = HER) -> consent.ConsentGrant:
    """A grant of a new person, matched by template; it was recorded with another picture than those of the claim."""
    keys = home.session().require_keys()
    who = subject.add_subject(home.rows, home.ledger, keys, "Grace Hopper").id
    keep_templates(home.rows, keys, who, "face", MODEL, [template])
    return consent.record_consent(
        home.rows,
        home.ledger,
        subject_id=who,
        likeness="face",
        purposes=("private",),
        asset_sha256="99" * 32,
        valid_from=date.today() - DAY,
        valid_until=date.today() + DAY,
        recorded_by=home.session().account.id,
        terms=Terms(match=Biometric("pack", MODEL, 0.5, 0.9, 1)),
    )


def matcher(home: Home, seen: dict[str, dict[int, Vector]]):
    """The gate's matcher over pictures that were looked at."""

    def match(likeness: str, asset: str, who: str, model: str, threshold: float):
        if asset not in seen or model != MODEL:
            return None
        keys = home.session().require_keys()
        return match_faces(seen[asset], templates_of(home.rows, keys, who, likeness, model), threshold)

    return match


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(4, np.float32), np.ones(4, np.float32)),
        (np.ones(4, np.float32), np.ones(5, np.float32)),
        (np.full(4, np.nan, np.float32), np.ones(4, np.float32)),
        (np.full(4, np.inf, np.float32), np.ones(4, np.float32)),
    ],
)
def test_what_is_no_template_matches_nothing(one: Vector, other: Vector) -> None:
    """Nothing, other sizes, and numbers that are none are like nobody."""
    assert similarity(one, other) == 0.0


def test_without_templates_nobody_is_recognised() -> None:
    """A destroyed template is no template; not even a threshold of -1 lets a face through."""
    assert best_similarity(HER, []) == -1.0
    assert not match_faces({1: HER}, [], -1.0)[0].is_same


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50))
def test_the_similarity_is_a_cosine(seed: int, length: float) -> None:
    """Symmetric, within -1 and 1, one for the same direction whatever the length."""
    one, other = np.random.default_rng(seed).normal(size=(2, 16)).astype(np.float32)
    assert similarity(one, other) == pytest.approx(similarity(other, one), abs=1e-6)
    assert -1.0001 <= similarity(one, other) <= 1.0001
    assert similarity(one, one * np.float32(length)) == pytest.approx(1.0, abs=1e-4)


def test_templates_lie_sealed_and_go_with_the_last_grant(home: Home) -> None:
    """No raw template in any file; one grant less keeps it, the last one destroys it, erasure makes it unreadable."""
    keys = home.session().require_keys()
    template = np.random.default_rng(5).normal(size=128).astype(np.float32)
    first = biometric(home, template)
    second = consent.record_consent(
        home.rows,
        home.ledger,
        subject_id=first.subject_id,
        likeness="face",
        purposes=("private",),
        asset_sha256=TARGET,
        valid_from=date.today(),
        valid_until=date.today(),
        recorded_by="acc-x",
        terms=Terms(match=Biometric("pack", MODEL, 0.5, 0.9, 1)),
    )
    (found,) = templates_of(home.rows, keys, first.subject_id, "face", MODEL)
    assert np.array_equal(found, template)
    everything = b"".join(path.read_bytes() for path in home.folder.rglob("*") if path.is_file())
    assert template.tobytes()[:32] not in everything
    withdrawal.withdraw(home.rows, home.ledger, first.id)
    assert templates_of(home.rows, keys, first.subject_id, "face", MODEL)
    withdrawal.withdraw(home.rows, home.ledger, second.id)
    assert templates_of(home.rows, keys, first.subject_id, "face", MODEL) == []
    assert home.events()[-1] == "templates_destroyed"
    third = biometric(home, template)
    with home.rows.read() as connection:
        row = connection.execute(sa.select(store.template).where(store.template.c.subject_id == third.subject_id)).one()
    subject.erase_subject(home.rows, home.ledger, third.subject_id)
    with home.rows.write() as connection:  # a copy of the row from a backup
        connection.execute(sa.update(store.template).where(store.template.c.id == row.id).values(sealed=row.sealed))
    with pytest.raises(Shredded):
        templates_of(home.rows, keys, third.subject_id, "face", MODEL)


def test_a_biometric_consent_is_matched_against_the_face_itself(home: Home) -> None:
    """Another face, no recogniser, or a picture nobody looked at is refused; the person in another picture passes."""
    account, lent = home.session().account, biometric(home)
    claim = home.claim(lent.id, home.grant(TARGET))
    with pytest.raises(RecogniserMissing):
        home.gate.authorize(claim, account)
    home.gate.matcher = matcher(home, {})
    with pytest.raises(RecogniserMissing):
        home.gate.authorize(claim, account)
    home.gate.matcher = matcher(home, {SOURCE: {1: OTHER}})
    with pytest.raises(ConsentForOtherPicture):
        home.gate.authorize(claim, account)
    home.gate.matcher = matcher(home, {SOURCE: {1: HER}})
    home.gate.authorize(claim, account)
    withdrawal.destroy_templates(home.rows, home.ledger, replace(lent, likeness="face"))
    crowd = {1: OTHER, 2: HER}
    home.gate.matcher = matcher(home, {SOURCE: crowd})
    both = replace(claim, uses=(LikenessUse("source", "face", SOURCE, (2,), 2), claim.uses[1]))
    home.gate.authorize(both, account)
    wrong = replace(claim, uses=(LikenessUse("source", "face", SOURCE, (1,), 2), claim.uses[1]))
    with pytest.raises(ConsentForOtherPicture):
        home.gate.authorize(wrong, account)


def test_a_face_in_the_recorded_file_has_to_match_too(home: Home) -> None:
    """Under a biometric grant even the file of the recording is refused when its face is not the person's."""
    lent = biometric(home)
    use = LikenessUse("source", "face", "99" * 32)
    claim = replace(home.claim(lent.id, home.grant(TARGET)), uses=(use, home.claim().uses[1]))
    home.gate.matcher = matcher(home, {"99" * 32: {1: OTHER}})
    with pytest.raises(FaceMismatch):
        home.gate.authorize(claim, home.session().account)
