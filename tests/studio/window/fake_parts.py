"""Members and casework of the fake workshop: the same names as studio.members and studio.casework, all in memory."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from compliance.cases import CaseKind, Statement
from compliance.errors import (
    ClassifierUnusable,
    CodeNeeded,
    DiskFull,
    IdentityRefused,
    LastAdmin,
    OwnWork,
    ProfileInvalid,
    RoleMissing,
    UnknownRecord,
    WrongCode,
    WrongPassword,
)
from compliance.numbers import check_resident_id
from compliance.operator_profile import Agreement, OperatorProfile, agreement
from compliance.session import PROFILES, Profile
from compliance.totp import Enrolment
from studio.casework import CaseView
from studio.members import MemberView, ProposalView
from studio.review import ReviewView, WordView

if TYPE_CHECKING:
    from tests.studio.fake_workshop import FakeWorkshop

NOW = "2026-03-01T09:30:00+00:00"
LATER = "2026-03-08T09:30:00+00:00"
CODE = "123456"


class FakeReview:
    """Two phrases and one pack, "careful"; the pack "broken" is there and cannot be used."""

    def __init__(self, of: FakeWorkshop) -> None:
        self._of = of
        self.chosen: str | None = None

    def state(self) -> ReviewView:
        return ReviewView(("signet-en 1", "signet-zh 1"), "0" * 64, "1", self.chosen or "", "1" * 64)

    def words(self) -> list[WordView]:
        return [
            WordView("signet-en", "fraud-001", "scam call script", "fraud", "case"),
            WordView("signet-zh", "weapons-001", "炸弹配方", "weapons", "stop"),
        ]

    def packs(self) -> list[str]:
        return ["broken", "careful"]

    def choose(self, pack_id: str | None) -> ReviewView:
        if "admin" not in self._of.members.roles[self._of.require_name()]:
            raise RoleMissing(account=self._of.require_name(), action="choose_review", roles="admin")
        if pack_id == "broken":
            raise ClassifierUnusable(part=pack_id, reason="the pack is missing")
        self.chosen = pack_id
        return self.state()


class FakeMembers:
    """Accounts with roles; the first has those of the first account. Every change of roles waits for a second person.

    Only the code 123456 is right.
    """

    def __init__(self, of: FakeWorkshop) -> None:
        self._of = of
        self.roles: dict[str, tuple[str, ...]] = {}
        self.factors: set[str] = set()
        self.unbound: set[str] = set()
        self.stepped_up = 0
        self.active = 0
        self.numbers = 0
        self._profile = PROFILES["personal"]
        self._proposals: dict[str, ProposalView] = {}

    def member(self, username: str | None = None) -> MemberView:
        name = username or self._of.require_name()
        view = next(one for one in self._of.accounts() if one.username == name)
        by = ("studio", "second") if view.level == "L1" else ()
        return MemberView(
            name,
            "active",
            self.roles[name],
            view.level,
            "declaration" if view.level == "self" else None,
            view.proof_until,
            by,
            name in self.factors,
            name not in self.unbound,
            0,
            "admin" in self.roles[name] or len(self.roles) == 1,
        )

    def members(self) -> list[MemberView]:
        return [self.member(one.username) for one in self._of.accounts()]

    def proposals(self) -> list[ProposalView]:
        return list(self._proposals.values())

    def _propose(self, kind: str, account: str, detail: str) -> ProposalView:
        if "admin" not in self.roles[self._of.require_name()]:
            raise RoleMissing(account=self._of.require_name(), action=kind, roles="admin")
        number = f"p{len(self._proposals) + 1}"
        made = ProposalView(number, kind, account, detail, self._of.require_name(), LATER)
        self._proposals[number] = made
        return made

    def grant_role(self, username: str, role: str) -> ProposalView | None:
        if len(self.roles) > 1:
            return self._propose("grant_role", username, role)
        self.roles[username] = (*self.roles[username], role)
        return None

    def revoke_role(self, username: str, role: str) -> ProposalView | None:
        if len(self.roles) > 1:
            return self._propose("revoke_role", username, role)
        self.roles[username] = tuple(one for one in self.roles[username] if one != role)
        return None

    def confirm(self, proposal_id: str, password: str | None = None) -> MemberView:
        found = self._proposals[proposal_id]
        if found.proposed_by == self._of.require_name():
            raise OwnWork(account=found.proposed_by)
        del self._proposals[proposal_id]
        held = self.roles[found.account]
        if found.kind == "grant_role":
            self.roles[found.account] = (*held, found.detail)
        elif found.kind == "revoke_role":
            self.roles[found.account] = tuple(one for one in held if one != found.detail)
        elif found.kind == "identity":
            self._of.set_level(found.account, "L1")
        else:
            self.unbound.discard(found.account)
        return self.member(found.account)

    def refuse(self, proposal_id: str) -> None:
        del self._proposals[proposal_id]

    def profile(self) -> Profile:
        return self._profile

    def set_profile(self, name: str) -> Profile:
        self._profile = PROFILES[name]
        return self._profile

    def step_up(self, password: str, code: str | None = None) -> None:
        name = self._of.require_name()
        if not self._of.is_password(name, password):
            raise WrongPassword(account=name)
        self.verify_code(name, code)
        self.stepped_up += 1
        self._of.needs_step_up = False

    def verify_code(self, name: str, code: str | None) -> None:
        """Raise unless the account has no second factor, or this is its code."""
        if name in self.factors:
            if code is None:
                raise CodeNeeded(account=name)
            if code != CODE:
                raise WrongCode(account=name)

    def mark_active(self) -> None:
        self.active += 1

    def change_password(self, old: str, new: str, code: str | None = None) -> None:
        name = self._of.require_name()
        if not self._of.is_password(name, old):
            raise WrongPassword(account=name)
        self._of.set_password(name, new)
        self._of.logout()

    def close_account(self, password: str, code: str | None = None) -> None:
        name = self._of.require_name()
        others = [held for who, held in self.roles.items() if who != name]
        if "admin" in self.roles[name] and not any("admin" in held for held in others):
            raise LastAdmin(account=name)
        if not self._of.is_password(name, password):
            raise WrongPassword(account=name)
        self.verify_code(name, code)
        del self.roles[name]
        self._of.close_name(name)

    def enroll_factor(self) -> Enrolment:
        return Enrolment("JBSWY3DPEHPK3PXP", "otpauth://totp/Signet:studio?secret=JBSWY3DPEHPK3PXP&issuer=Signet")

    def confirm_factor(self, code: str) -> None:
        if code != CODE:
            raise WrongCode(account=self._of.require_name())
        self.factors.add(self._of.require_name())

    def disable_factor(self) -> None:
        self.factors.discard(self._of.require_name())

    def declare(self, name: str, number: str | None = None) -> MemberView:
        if number is not None:
            check_resident_id(number)
        self.numbers += number is not None
        self._of.set_level(self._of.require_name(), "self")
        return self.member()

    def attest(self, username: str, document: str, name: str, number: str | None = None) -> ProposalView:
        return self._propose("identity", username, document)

    def propose_rebinding(self, username: str) -> ProposalView:
        return self._propose("rebind", username, "")

    def can_rebind_alone(self, username: str) -> bool:
        return len(self.roles) < 3

    def rebind(self, username: str, password: str) -> MemberView:
        self._of.set_password(username, password)
        self.unbound.discard(username)
        return self.member(username)

    def prove_with_provider(self, settings: Path, show: Any, longest_s: float = 1.0) -> MemberView:
        self._of.set_level(self._of.require_name(), "L2")
        return self.member()

    def prove_with_national(self, settings: Path, credential: str) -> MemberView:
        if credential != "one-use":
            raise IdentityRefused(reason="the service did not confirm it")
        self._of.set_level(self._of.require_name(), "L3")
        return self.member()


class FakeLogkeeping:
    """Counts how often the log was asked to be signed."""

    def __init__(self) -> None:
        self.asked = 0
        self.threads: set[int] = set()
        self.refuses = False

    def due_checkpoint(self) -> None:
        self.asked += 1
        self.threads.add(threading.get_ident())
        if self.refuses:
            raise DiskFull(path="home")


class FakeCasework:
    """Cases by id, the operator and the agreement."""

    def __init__(self, of: FakeWorkshop) -> None:
        self._of = of
        self._cases: dict[str, CaseView] = {}
        self._operator: OperatorProfile | None = None
        self.accepted: list[tuple[str, str]] = []

    def open_case(
        self,
        kind: CaseKind,
        text: str,
        *,
        account: str | None = None,
        release: str | None = None,
        rule: str = "",
        seen_at: object = None,
    ) -> CaseView:
        by = self._of.require_name()
        made = CaseView(
            id=f"8-{len(self._cases) + 1}",
            kind=str(kind),
            article="DSP 12",
            rule=rule,
            state="open",
            opened_at=NOW,
            opened_by=by,
            due_at=LATER,
            overdue=False,
            account=account,
            release=release,
            assignee=None,
            decision=None,
            measure=None,
            appeal_of=None,
            ledger_index=7,
            statements=(Statement(by, NOW, text),) if text else (),
        )
        self._cases[made.id] = made
        return made

    def cases(self, state: object = None, *, overdue: bool = False) -> list[CaseView]:
        return [one for one in self._cases.values() if not overdue or one.overdue]

    def case(self, case_id: str) -> CaseView:
        if case_id not in self._cases:
            raise UnknownRecord(kind="case", id=case_id)
        return self._cases[case_id]

    def _change(self, case_id: str, **changes: Any) -> CaseView:
        self._cases[case_id] = replace(self.case(case_id), **changes)
        return self._cases[case_id]

    def make_overdue(self, case_id: str) -> None:
        """As after some days."""
        self._change(case_id, overdue=True)

    def assign(self, case_id: str, reviewer: str) -> CaseView:
        return self._change(case_id, state="assigned", assignee=reviewer)

    def decide(
        self,
        case_id: str,
        upheld: bool,
        text: str,
        *,
        measure: object = None,
        reason: object = None,
        until: object = None,
        releases_a_day: int | None = None,
    ) -> CaseView:
        by = self._of.require_name()
        said = (*(self.case(case_id).statements or ()), Statement(by, NOW, text))
        decision = "upheld" if upheld else "dismissed"
        taken = str(measure) if measure is not None else None
        return self._change(case_id, state="decided", decision=decision, measure=taken, assignee=by, statements=said)

    def appeal(self, case_id: str, text: str) -> CaseView:
        self._change(case_id, state="appealed")
        first = self.case(case_id)
        made = self.open_case(CaseKind.APPEAL, text, account=first.account)
        return self._change(made.id, appeal_of=case_id)

    def import_complaint(self, path: Path) -> CaseView:
        return self.open_case(CaseKind.COMPLAINT, path.read_text())

    def report(self, case_id: str, out: Path) -> tuple[Path, Path]:
        self.case(case_id)
        for ending in (".json", ".pdf"):
            out.with_suffix(ending).write_text("report")
        return out.with_suffix(".json"), out.with_suffix(".pdf")

    def operator(self) -> OperatorProfile | None:
        return self._operator

    def set_operator(self, **changes: Any) -> OperatorProfile:
        made = replace(self._operator or OperatorProfile(), **changes)
        if not made.name:
            raise ProfileInvalid(field="name", reason="it is missing")
        self._operator = made
        return made

    def agreement(self) -> Agreement:
        return agreement()

    def has_accepted(self) -> bool:
        session = self._of.session()
        return session is not None and (session.username, agreement().version) in self.accepted

    def accept_agreement(self, version: str) -> None:
        self.accepted.append((self._of.require_name(), version))
        self._of.needs_agreement = False


class FakeCamera(QObject):
    """A camera that films at once."""

    pictured = Signal(QImage)
    recorded = Signal(bytes)
    broke = Signal(str)
    device = "built in"

    def __init__(self, likeness: str = "face") -> None:
        super().__init__()
        self.likeness = likeness
        self.is_recording = False
        self.is_open = False

    def start(self) -> None:
        self.is_open = True
        image = QImage(64, 48, QImage.Format.Format_RGB32)
        image.fill(0x335577)
        self.pictured.emit(image)

    def record(self) -> None:
        self.is_recording = True

    def finish(self) -> None:
        self.is_recording = False
        self.recorded.emit(b"a film")

    def close(self) -> None:
        self.is_open = False
