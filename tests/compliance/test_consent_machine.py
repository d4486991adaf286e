"""A consent's life in any order of steps, against a plain model of what must hold after each."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from compliance import consent, store, subject, withdrawal
from compliance.consent import ConsentGrant, Terms
from compliance.errors import ConsentError, SecondPersonNeeded, SignetError
from tests.compliance.home import DAY, PASSWORD, SOURCE, TARGET, Home

TODAY = date.today()
FILE = "cd" * 32


@dataclass
class Known:
    """What the model knows of one grant."""

    subject_id: str
    asset: str
    days: int
    code: str
    has_file: bool
    limit: int | None
    ended: bool = False
    approved: bool = False
    outputs: int = 0
    releases: list[str] = field(default_factory=list)

    def is_live(self) -> bool:
        return not self.ended and self.days >= 0


@functools.cache
def _furnished() -> Path:
    """A furnished home, made once; copied for each run."""
    folder = Path(tempfile.mkdtemp(prefix="signet-machine-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Home.furnished(folder / "home").rows.close()
    return folder / "home"


class ConsentLife(RuleBasedStateMachine):
    """Record, approve, refuse, supersede, withdraw, erase, use up, forget rows, start anew."""

    people = Bundle("people")
    grants = Bundle("grants")

    @initialize()
    def open_home(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="signet-machine-"))
        shutil.copytree(_furnished(), self.folder / "home")
        self.home = Home.open(self.folder / "home")
        self.home.accounts.unlock(PASSWORD)
        self.account = self.home.session().account
        self.known: dict[str, Known] = {}
        self.erased: set[str] = set()
        self.is_studio = False

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.home.rows.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    @rule(target=people)
    def somebody(self) -> str:
        keys = self.home.session().require_keys()
        return subject.add_subject(self.home.rows, self.home.ledger, keys, "Canary Name").id

    @rule(
        target=grants,
        who=people,
        asset=st.sampled_from((SOURCE, TARGET)),
        days=st.integers(-2, 3),
        has_file=st.booleans(),
        limit=st.none() | st.integers(1, 2),
    )
    def record(self, who: str, asset: str, days: int, has_file: bool, limit: int | None) -> str | None:
        try:
            granted = self._record(who, asset, days, has_file, Terms(max_outputs=limit))
        except ConsentError:
            assert who in self.erased
            return None
        assert who not in self.erased
        self.known[granted.id] = Known(who, asset, days, granted.withdrawal_code or "", has_file, limit)
        return granted.id

    def _record(self, who: str, asset: str, days: int, has_file: bool, terms: Terms) -> ConsentGrant:
        return consent.record_consent(
            self.home.rows,
            self.home.ledger,
            subject_id=who,
            likeness="face",
            purposes=("private",),
            asset_sha256=asset,
            valid_from=TODAY - 9 * DAY,
            valid_until=TODAY + days * DAY,
            recorded_by=self.account.id,
            evidence_sha256=FILE if has_file else None,
            terms=terms,
        )

    @rule(grant=grants, way=st.sampled_from(("operator", "code")))
    def withdraw(self, grant: str | None, way: str) -> None:
        if grant is None:
            return
        model = self.known[grant]
        try:
            if way == "code":
                withdrawal.withdraw_by_code(self.home.rows, self.home.ledger, model.code)
            else:
                withdrawal.withdraw(self.home.rows, self.home.ledger, grant)
        except SignetError:
            assert model.ended
        model.ended = True

    @rule(grant=grants, refuse=st.booleans())
    def judge(self, grant: str | None, refuse: bool) -> None:
        if grant is None:
            return
        model = self.known[grant]
        decide = withdrawal.refuse_evidence if refuse else withdrawal.approve_evidence
        try:
            decide(self.home.rows, self.home.ledger, grant, self.account.id)
            raise AssertionError("the one who recorded it decided")
        except (SecondPersonNeeded, ConsentError):
            pass
        try:
            decide(self.home.rows, self.home.ledger, grant, "acc-second")
        except SignetError:
            assert not model.is_live() or not model.has_file
            return
        assert model.is_live() and model.has_file
        model.approved = model.approved or not refuse
        model.ended = model.ended or refuse

    @rule(target=grants, grant=grants)
    def supersede(self, grant: str | None) -> str | None:
        if grant is None:
            return None
        model = self.known[grant]
        try:
            made = self._record(model.subject_id, model.asset, 2, False, Terms(supersedes=grant))
        except SignetError:
            assert not model.is_live() or model.subject_id in self.erased
            return None
        assert model.is_live()
        model.ended = True
        self.known[made.id] = Known(model.subject_id, model.asset, 2, made.withdrawal_code or "", False, None)
        return made.id

    @rule(who=people)
    def erase(self, who: str) -> None:
        subject.erase_subject(self.home.rows, self.home.ledger, who)
        self.erased.add(who)
        for model in self.known.values():
            model.ended = model.ended or model.subject_id == who

    @rule(grant=grants, comes_out=st.booleans())
    def use_up(self, grant: str | None, comes_out: bool) -> None:
        if grant is None:
            return
        release = f"rel-{self.home.ledger.size()}"
        self.home.ledger.append_now("release_intended", {"release": release, "consents": [grant]})
        if not comes_out:
            self.home.ledger.append_now("release_rolled_back", {"release": release})
        self.known[grant].outputs += comes_out

    @rule()
    def forget_rows(self) -> None:
        """Somebody deletes what the tables say of endings and approvals."""
        with self.home.rows.write() as connection:
            for table in (store.consent_withdrawal, store.consent_event, store.assignment):
                connection.execute(sa.delete(table))
            connection.execute(sa.update(store.consent_grant).values(approved_by=None, max_outputs=None))

    @rule()
    def start_anew(self) -> None:
        self.home.rows.close()
        self.home = Home.open(self.home.folder)
        self.home.accounts.unlock(PASSWORD)

    @precondition(lambda self: hasattr(self, "home"))
    @rule(studio=st.booleans())
    def change_profile(self, studio: bool) -> None:
        with self.home.rows.write() as connection:
            connection.execute(sa.update(store.home).values(profile="studio" if studio else "personal"))
        self.is_studio = studio

    @precondition(lambda self: len(getattr(self, "known", ())) > 0)
    @rule(data=st.data())
    def ask_the_gate(self, data: st.DataObject) -> None:
        source, target = (data.draw(st.sampled_from(sorted(self.known))) for _ in range(2))
        models = [self.known[source], self.known[target]]
        allowed = [model.asset for model in models] == [SOURCE, TARGET] and all(self._opens(one) for one in models)
        claim = self.home.claim(source, target)
        try:
            permit = self.home.gate.authorize(claim, self.account)
        except ConsentError:
            assert not allowed
            return
        assert allowed
        self.home.gate.verify_for_release(permit, claim, self.account)

    def _opens(self, model: Known) -> bool:
        within = model.limit is None or model.outputs < model.limit
        return model.is_live() and within and (model.approved or not self.is_studio)

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        for granted in consent.grants(self.home.rows, self.home.ledger) if hasattr(self, "home") else ():
            model = self.known[granted.id]
            assert (granted.state() == "live") == model.is_live()
            assert granted.outputs == model.outputs


TestConsentLife = ConsentLife.TestCase
TestConsentLife.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
