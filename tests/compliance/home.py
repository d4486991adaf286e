"""A home with one verified operator, people and their consents: what most tests of gate and release need."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from compliance import consent, draft, identity, keys, store, subject, verify
from compliance.account import Account, Accounts
from compliance.clock import now
from compliance.content import ContentDecision
from compliance.gate import Gate
from compliance.identity import declaration
from compliance.identity.in_person import InPerson
from compliance.labels.policy import LabelPlan, Prepared
from compliance.ledger import Ledger, origin_of
from compliance.media import MediaInfo, SyntheticMedia
from compliance.permit import Claim, LikenessUse
from compliance.release import Releaser

PASSWORD = "correct horse"
SOURCE, TARGET = (hashlib.sha256(name).hexdigest() for name in (b"source", b"target"))
DAY = timedelta(days=1)


def lower_the_cost_of_passwords() -> None:
    """argon2id at OWASP's floor: the weakest slot that the program accepts."""
    keys.choose_cost = lambda: keys.FLOOR


class UnsafeAllowAll:
    """A review that looks at nothing: the gate is tested here, not the review."""

    def __call__(self, claim: Claim, /) -> ContentDecision:
        return ContentDecision("0" * 64, "no rules")


@dataclass
class Home:
    """The pieces of one home, wired as the workshop wires them but without a worker."""

    folder: Path
    rows: store.Store
    ledger: Ledger
    accounts: Accounts
    gate: Gate
    releaser: Releaser

    @classmethod
    def open(cls, folder: Path, kind: store.HomeKind = "own", clock: Callable[[], datetime] = now) -> Home:
        rows = store.open_store(folder)
        known = rows.identify(kind)
        ledger = Ledger(rows, origin_of(known.id), None)
        is_demo = known.kind == "demo"
        gate = Gate(rows, ledger, is_demo, content=UnsafeAllowAll())
        return cls(
            folder,
            rows,
            ledger,
            Accounts(folder, known.id, rows, ledger, None, clock=clock),
            gate,
            Releaser(folder, known.id, is_demo, rows, ledger, gate),
        )

    @classmethod
    def furnished(cls, folder: Path, kind: store.HomeKind = "own") -> Home:
        """With the account "maria" signed in and verified."""
        lower_the_cost_of_passwords()
        home = cls.open(folder, kind)
        account = home.accounts.create("maria", PASSWORD)
        session = home.accounts.login("maria", PASSWORD)
        identity.declare(home.rows, home.ledger, session.require_keys(), account, "Maria Example")
        return home

    def session(self):
        return self.accounts.require()

    def grant(
        self,
        asset: str,
        *,
        purposes: tuple[str, ...] = ("private",),
        since: date | None = None,
        until: date | None = None,
        likeness: str = "face",
    ) -> str:
        """A consent of a new person for one asset; lives from yesterday to tomorrow unless told otherwise."""
        today = date.today()
        person = subject.add_subject(self.rows, self.ledger, self.session().require_keys(), "Somebody")
        return consent.record_consent(
            self.rows,
            self.ledger,
            subject_id=person.id,
            likeness=likeness,
            purposes=purposes,
            asset_sha256=asset,
            valid_from=since or today - DAY,
            valid_until=until or today + DAY,
            recorded_by=self.session().account.id,
        ).id

    def claim(self, *consents: str, faces: int = 1, purpose: str = "private") -> Claim:
        return Claim(
            function="face.swap",
            engine="face.mesh",
            request_sha256=hashlib.sha256(repr((consents, faces, purpose)).encode()).hexdigest(),
            uses=(LikenessUse("source", "face", SOURCE), LikenessUse("target", "face", TARGET)),
            purpose=purpose,
            faces_edited=faces,
            consents=consents,
        )

    def release(self, claim: Claim, out: Path, drafter: object | None = None, *, overwrite: bool = False):
        session = self.session()
        media = noise()
        return self.releaser.release(
            permit=self.gate.authorize(claim, session.account),
            claim=claim,
            account=session.account,
            keys=session.require_keys(),
            info=media.info,
            materials=(),
            drafter=drafter or HonestDrafter(media),
            out=out,
            overwrite=overwrite,
        )

    def events(self) -> list[str]:
        return [entry["kind"] for entry in self.ledger.entries()]


def report(home: Home, path: Path) -> verify.Report:
    """What verify says of a file, knowing the home."""
    known = keys.public_keys(home.folder)
    assert known is not None
    return verify.verify_file(path, [known])


def prove(home: Home, account: Account, name: str, number: str | None = None) -> identity.IdentityProof:
    """A proof of level L1 without the two people: a starting point."""
    opened = home.session().require_keys()
    subject_mark = declaration.commit_number(opened, number)[1] if number is not None else None
    seen = InPerson(name, subject_mark, "passport", "acc-first", "acc-second")
    return identity.establish(home.rows, home.ledger, opened, account, seen)


def noise(width: int = 320, height: int = 240, seed: int = 7) -> SyntheticMedia:
    """A sealed picture of smooth noise."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    pixels = np.repeat(np.repeat(small, 16, axis=0), 16, axis=1)
    info = MediaInfo("picture", width, height, "sRGB", "compositeWithTrainedAlgorithmicMedia", "fake.noise", "1", 1)
    return SyntheticMedia(pixels, info)


class HonestDrafter:
    """The worker's half without a worker."""

    def __init__(self, media: SyntheticMedia) -> None:
        self.media = media
        self.draft: draft.Draft | None = None

    def prepare(self, plan: LabelPlan) -> Prepared:
        self.draft = draft.prepare(self.media, plan)
        return Prepared(self.draft.payload_sha256, self.draft.size)

    def write(self, descriptor: int) -> None:
        assert self.draft is not None
        self.draft.write(descriptor)
