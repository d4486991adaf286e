"""A clock that is set back revives no consent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compliance.consent import grants
from compliance.errors import ConsentExpired, ConsentNotYetValid
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
