"""A clock that is set back revives no consent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compliance.consent import grants
from compliance.errors import ConsentExpired, ConsentNotYetValid, ConsentOverByClock
from compliance.ledger import Ledger
from tests.compliance.home import DAY, SOURCE, TARGET, Home


def test_a_consent_that_was_over_stays_over_when_the_clock_is_set_back(home: Home) -> None:
    """What the ledger has seen counts: also after entries at the earlier time, and in listings."""
    named = home.grant(SOURCE), home.grant(TARGET)
    account = home.session().account
    home.gate.authorize(home.claim(*named), account)
    later = Ledger(home.rows, home.ledger.origin, None, clock=lambda: datetime.now(UTC) + 3 * DAY)
    later.append_now("permit_refused", {"reason": "somebody asked when it was over"})
    for _again in range(2):
        with pytest.raises(ConsentExpired):
            home.gate.authorize(home.claim(*named), account)
    assert {grant.state() for grant in grants(home.rows, home.ledger)} == {"expired"}


def test_a_ledger_that_is_ahead_starts_no_consent_early(home: Home) -> None:
    """The first day is that of the clock as it stands now."""
    today = datetime.now().astimezone().date()
    named = home.grant(SOURCE, since=today + 2 * DAY, until=today + 9 * DAY), home.grant(TARGET, until=today + 9 * DAY)
    ahead = Ledger(home.rows, home.ledger.origin, None, clock=lambda: datetime.now(UTC) + 5 * DAY)
    ahead.append_now("permit_refused", {"reason": "the clock was ahead"})
    with pytest.raises(ConsentNotYetValid):
        home.gate.authorize(home.claim(*named), home.session().account)


def test_a_consent_recorded_after_a_day_far_ahead_is_not_over(home: Home) -> None:
    """One command under a clock ten years ahead ends what was there before, and nothing that is recorded afterwards."""
    before = home.grant(SOURCE), home.grant(TARGET)
    ahead = Ledger(home.rows, home.ledger.origin, None, clock=lambda: datetime.now(UTC) + 3650 * DAY)
    ahead.append_now("permit_refused", {"reason": "the clock was far ahead"})
    account = home.session().account
    with pytest.raises(ConsentExpired):
        home.gate.authorize(home.claim(*before), account)
    again = home.grant(SOURCE), home.grant(TARGET)
    home.gate.authorize(home.claim(*again), account)
    ahead.append_now("permit_refused", {"reason": "the clock was far ahead once more"})
    with pytest.raises(ConsentExpired):
        home.gate.authorize(home.claim(*again), account)


def test_what_a_clock_far_ahead_ended_is_told_of_the_clock(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the clock is ahead, before and after something was entered at that time, and when it is right again."""
    before = home.grant(SOURCE), home.grant(TARGET)
    account, real = home.session().account, datetime.now(UTC)
    present, future = real.date().isoformat(), (real + 3650 * DAY).date().isoformat()

    def refused() -> dict[str, object]:
        with pytest.raises(ConsentOverByClock) as refusal:
            for grant in grants(home.rows, home.ledger):
                grant.verify_live()
        return refusal.value.data

    with monkeypatch.context() as ahead:
        ahead.setattr("compliance.consent_log.now", lambda: real + 3650 * DAY)
        ahead.setattr("compliance.consent.today", lambda: (real + 3650 * DAY).date())
        assert (refused()["ledger"], refused()["clock"]) == (present, future)
        Ledger(home.rows, home.ledger.origin, None, clock=lambda: real + 3650 * DAY).append_now("signed_out", {})
        assert (refused()["ledger"], refused()["clock"]) == (present, future)
    assert (refused()["ledger"], refused()["clock"]) == (future, present)
    with pytest.raises(ConsentOverByClock):
        home.gate.authorize(home.claim(*before), account)


def test_a_consent_that_ran_out_in_its_time_says_nothing_of_the_clock(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days pass, entries are made, and the last day goes by."""
    home.grant(SOURCE)
    real = datetime.now(UTC)
    moments = iter([real + DAY, real + 2 * DAY, real + 3 * DAY])
    later = Ledger(home.rows, home.ledger.origin, None, clock=lambda: next(moments))
    for _day in range(3):
        later.append_now("signed_out", {})
    monkeypatch.setattr("compliance.consent_log.now", lambda: real + 4 * DAY)
    monkeypatch.setattr("compliance.consent.today", lambda: (real + 4 * DAY).date())
    (grant,) = grants(home.rows, home.ledger)
    assert (grant.state(), grant.clock_days()) == ("expired", None)
    with pytest.raises(ConsentExpired) as refusal:
        grant.verify_live()
    assert type(refusal.value) is ConsentExpired
