"""Evidence of a consent: what was handed in, how strongly it speaks, and the phrase that makes a recording fresh.

Levels, from strong to weak:
  live           video or sound made in the program, in which the person says a fresh phrase
  file+second    a paper, photo or film, looked at and approved by a second person
  file+subject   a file, and the person themselves typed a passphrase of theirs or signed the receipt
  operator       the word of the account that recorded it, with or without a file; nobody else has confirmed it
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from compliance import store
from compliance.clock import now, stamp
from compliance.consent_log import log_of
from compliance.errors import NonceInvalid, PassphraseWrong, PhraseNotHeard, WeakPassword
from compliance.ledger import Ledger

EvidenceKind = Literal["video", "audio", "paper", "photo", "file"]
EvidenceLevel = Literal["live", "file+second", "file+subject", "operator"]
LEVELS: tuple[EvidenceLevel, ...] = ("live", "file+second", "file+subject", "operator")
PhraseCheck = Literal["heard", "too noisy", "second person"]
NONCE_LIFETIME = timedelta(minutes=30)
MINIMUM_PASSPHRASE = 8
# Spoken words that are hard to confuse, six of 32: a phrase cannot be said before it was made. A recogniser that has
# to find four of six in order accepted 77 of 80 right recordings and none of 1,440 wrong ones; in noise it is no use.
SLOTS, NEEDED_WORDS, LEAST_SNR_DB = 6, 4, 18.0
_ENGLISH = """
amber anchor basket bridge candle castle cotton dolphin eagle forest garden hammer island jacket kitchen ladder
marble needle orange pepper pillow rabbit river saddle silver spider table thunder valley window winter yellow
"""
_CHINESE = """
琥珀 船锚 篮子 大桥 蜡烛 城堡 棉花 海豚 老鹰 森林 花园 锤子 海岛 夹克 厨房 梯子
大理石 针线 橙子 胡椒 枕头 兔子 河流 马鞍 白银 蜘蛛 桌子 雷声 山谷 窗户 冬天 黄色
"""
_WORDS: Mapping[str, list[str]] = {"en": _ENGLISH.split(), "zh-CN": _CHINESE.split()}
_PHRASES: Mapping[str, str] = {
    "en": "My name is {name}. In {month} I agree that {studio} uses my {likeness}. My words are: {words}.",
    "zh-CN": "我是{name}。{month}，我同意{studio}使用我的{likeness}。我的口令是：{words}。",
}
_LIKENESS: Mapping[str, Mapping[str, str]] = {
    "en": {"face": "face", "voice": "voice"},
    "zh-CN": {"face": "人脸", "voice": "声音"},
}
_NUMBERS = "twenty thousand and two three four five six seven eight nine"
_MONTH_NAMES = "January February March April May June July August September October November December"


@dataclass(frozen=True, slots=True)
class Nonce:
    """A phrase to be read aloud once, by one person, soon. It names person, studio and month; it is never stored."""

    phrase: str
    language: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was handed in. sha256: of the bytes; phrase: the text of the nonce that a live recording contains.

    phrase_distance: share of the phrase that a transcript missed, 0 to 1, where one was made; None says that nobody but
    the operator has listened. phrase_check says why: "heard" by the program, "too noisy" for it, or left to the
    "second person" (who listens to Chinese, and to films without sound). snr_db: speech above noise.
    device: the name of camera or microphone.
    """

    kind: EvidenceKind
    sha256: str
    is_live: bool = False
    phrase: str | None = None
    captured_at: str | None = None
    device: str | None = None
    transcript: str | None = None
    phrase_distance: float | None = None
    phrase_check: PhraseCheck | None = None
    snr_db: float | None = None

    def to_record(self, subject_id: str) -> dict[str, Any]:
        """The public part: digests, never words."""
        return {
            "kind": self.kind,
            "sha256": self.sha256,
            "live_capture": self.is_live,
            "device": self.device,
            "captured_at": self.captured_at,
            "nonce_sha256": nonce_digest(subject_id, self.phrase) if self.phrase else None,
            "transcript_sha256": hashlib.sha256(self.transcript.encode()).hexdigest() if self.transcript else None,
            "phrase_distance": self.phrase_distance,
            "phrase_check": self.phrase_check,
            "snr_db": self.snr_db,
            # No detector of replayed screens is part of this version; the fresh phrase has to carry the weight.
            "liveness": None,
        }


def nonce_digest(subject_id: str, phrase: str) -> str:
    """What is kept of a phrase: the SHA-256 (hex) of person and phrase, so that it fits nobody else."""
    spoken = unicodedata.normalize("NFKC", phrase).strip()
    return hashlib.sha256(f"signet.nonce/1\n{subject_id}\n{spoken}".encode()).hexdigest()


def new_nonce(
    rows: store.Store,
    *,
    subject_id: str,
    name: str,
    studio: str,
    likeness: Literal["face", "voice"] = "face",
    language: str = "en",
    moment: datetime | None = None,
) -> Nonce:
    """A fresh phrase that names the person, the studio and the month; valid once, for 30 minutes."""
    moment = moment or now()
    language = language if language in _PHRASES else "en"
    words = secrets.SystemRandom().sample(_WORDS[language], SLOTS)
    local = moment.astimezone()
    month = (
        f"{local.year}年{local.month}月"
        if language == "zh-CN"
        else f"{_MONTH_NAMES.split()[local.month - 1]} {local.year}"
    )
    phrase = _PHRASES[language].format(
        name=name,
        month=month,
        studio=studio,
        likeness=_LIKENESS[language][likeness],
        words=("、" if language == "zh-CN" else ", ").join(words),
    )
    with rows.write() as connection:
        connection.execute(
            sa.insert(store.nonce).values(nonce_sha256=nonce_digest(subject_id, phrase), made_at=stamp(moment))
        )
    return Nonce(phrase, language, stamp(moment + NONCE_LIFETIME))


def listen_for(phrase: str) -> dict[str, Any] | None:
    """What a recogniser of English has to listen for in a recording of a phrase; None for another language.

    Only lists of words that do not depend on the phrase: which six it is stays here.
    """
    if len(_spoken(phrase)) != SLOTS:
        return None
    before = f"my name is in i agree that uses face voice {_NUMBERS} {_MONTH_NAMES.lower()}"
    return {
        "before": before.split(),
        "anchor": "my words are",
        "words": _WORDS["en"],
        "slots": SLOTS,
        "least_snr_db": LEAST_SNR_DB,
    }


def phrase_distance(phrase: str, heard: list[str]) -> float:
    """The share of the phrase's words that were not heard in order, 0 to 1; raises PhraseNotHeard over a third."""
    found = _in_order(_spoken(phrase), heard)
    if found < NEEDED_WORDS:
        raise PhraseNotHeard(heard=found, words=SLOTS, needed=NEEDED_WORDS)
    return round(1 - found / SLOTS, 3)


def _spoken(phrase: str) -> list[str]:
    """The English words at the end of a phrase; nothing for another language."""
    tail = phrase.rsplit("My words are:", 1)[-1] if "My words are:" in phrase else ""
    return [word for word in tail.strip(" .").split(", ") if word in _WORDS["en"]]


def _in_order(wanted: list[str], heard: list[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(heard) + 1)
    for word in wanted:
        before = 0
        for place, other in enumerate(heard, start=1):
            before, row[place] = row[place], before + 1 if word == other else max(row[place], row[place - 1])
    return row[-1]


def use_nonce(
    connection: sa.Connection,
    ledger: Ledger,
    subject_id: str,
    phrase: str,
    grant_id: str,
    moment: datetime | None = None,
) -> str:
    """Use up a phrase inside the transaction that records the grant; returns its digest.

    Raises NonceInvalid when it was never made for this person, was used before (the ledger remembers, whatever the
    table says) or is older than 30 minutes.
    """
    moment = moment or now()
    digest, table = nonce_digest(subject_id, phrase), store.nonce
    row = connection.execute(
        sa.select(table.c.made_at, table.c.used_at).where(table.c.nonce_sha256 == digest)
    ).one_or_none()
    if digest in log_of(ledger).nonces or (row is not None and row.used_at is not None):
        raise NonceInvalid(reason="it was used before")
    if row is None:
        raise NonceInvalid(reason="it was not made for this person")
    made_at = datetime.fromisoformat(row.made_at)
    if not made_at - timedelta(seconds=5) <= moment <= made_at + NONCE_LIFETIME:
        raise NonceInvalid(reason="it is too old")
    connection.execute(
        sa.update(table).where(table.c.nonce_sha256 == digest).values(used_at=stamp(moment), grant_id=grant_id)
    )
    return digest


def commit_passphrase(passphrase: str) -> str:
    """An argon2id commitment (PHC string) to what the subject typed; raises WeakPassword under 8 characters."""
    from argon2 import PasswordHasher

    from compliance import keys

    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise WeakPassword(minimum=MINIMUM_PASSPHRASE)
    cost = keys.choose_cost()
    return PasswordHasher(cost.passes, cost.memory_kib, cost.lanes).hash(_typed(passphrase))


def verify_passphrase(commitment: str | None, passphrase: str, grant_id: str) -> None:
    """Raise PassphraseWrong unless this is what the subject typed when the grant was recorded."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        if commitment is None:
            raise InvalidHashError
        PasswordHasher().verify(commitment, _typed(passphrase))
    except (VerificationError, InvalidHashError) as error:
        raise PassphraseWrong(consent=grant_id) from error


def _typed(passphrase: str) -> str:
    return unicodedata.normalize("NFKC", passphrase).strip()


def level_of(evidence: list[dict[str, Any]], *, approved: bool, confirmed: bool) -> EvidenceLevel:
    """How strongly the evidence of a record speaks, once who has confirmed it is known."""
    if any(item.get("live_capture") for item in evidence):
        return "live"
    if evidence and approved:
        return "file+second"
    if evidence and confirmed:
        return "file+subject"
    return "operator"
