"""Who offers this studio: the operator's profile, shown in About and used in labels, and the service agreement (LM 8).

Every number is checked and none is invented: a home without a producer code signs under a plain name of its own. The
agreement is the text in resources/agreement in both languages; with it, each account accepts each version once.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import rfc8785
import sqlalchemy as sa

from compliance import store
from compliance.account import Account
from compliance.clock import stamp
from compliance.errors import AgreementNotAccepted, NumberInvalid, ProfileInvalid, UnknownRecord
from compliance.labels.policy import producer_code
from compliance.ledger import Ledger
from compliance.numbers import check_credit_code, check_producer_code
from compliance.roles import Action, verify_may_in

LANGUAGES: Final = ("en", "zh-CN")
_LONGEST = 300
# A filing number as the register prints it, such as 网信算备310110764385705230011号.
_FILING = re.compile(r"网信算备\d{15,30}号", re.ASCII)
_HOURS = re.compile(r"\d{2}:\d{2}-\d{2}:\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """The operator; an empty text is something that is not set.

    credit_code: 18 characters, GB 32100. producer_code: 27 characters. filing_number, filing_link: of the algorithm
    (DSP 19). complaint_hours: "09:00-18:00". complaint_days: working days until an answer. agreement: whether accounts
    have to accept the service agreement before they release.
    """

    name: str = ""
    credit_code: str = ""
    producer_code: str = ""
    filing_number: str = ""
    filing_link: str = ""
    contact: str = ""
    complaint_hours: str = ""
    complaint_days: int = 3
    agreement: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of the service agreement. texts: by language; sha256: over both."""

    version: str
    texts: Mapping[str, str]
    sha256: str


def profile(rows: store.Store) -> OperatorProfile | None:
    """The operator's profile; None when none is set."""
    with rows.read() as connection:
        return _profile(connection)


def set_profile(rows: store.Store, ledger: Ledger, by: Account, **changes: Any) -> OperatorProfile:
    """Change some fields; the others stay. An empty text takes a field away.

    Raises RoleMissing, ProfileInvalid, NumberInvalid.
    """
    with rows.write() as connection:
        verify_may_in(connection, by, Action.SET_OPERATOR)
        fresh = checked(replace(_profile(connection) or OperatorProfile(), **changes))
        body = rfc8785.dumps(asdict(fresh))
        # The name of a one-person studio is that of a person: the ledger gets a digest.
        fields = {"by": by.id, "profile_sha256": hashlib.sha256(body).hexdigest(), "agreement": fresh.agreement}
        index = ledger.append(connection, "operator_set", fields)
        values = {"body": body.decode(), "updated_at": stamp(), "ledger_index": index}
        table = store.operator_profile
        if connection.execute(sa.select(table.c.id)).first() is None:
            connection.execute(sa.insert(table).values(id=1, **values))
        else:
            connection.execute(sa.update(table).values(**values))
    return fresh


def checked(given: OperatorProfile) -> OperatorProfile:
    """The profile with its fields in plain form; raises ProfileInvalid, NumberInvalid."""
    plain: dict[str, Any] = {
        name: unicodedata.normalize("NFKC", value).strip()
        if name in ("filing_number", "complaint_hours")
        else value.strip()
        for name, value in asdict(given).items()
        if isinstance(value, str)
    }
    for name, value in plain.items():
        if len(value) > _LONGEST or not (value.isprintable() or not value):
            raise ProfileInvalid(field=name, reason="it is not one line of at most 300 characters")
    if not plain["name"]:
        raise ProfileInvalid(field="name", reason="it is missing")
    if plain["credit_code"]:
        plain["credit_code"] = check_credit_code(plain["credit_code"])
    if plain["producer_code"]:
        code = check_producer_code(plain["producer_code"])
        plain["producer_code"] = code.code
        if plain["credit_code"] and code.credit_code != plain["credit_code"]:
            raise NumberInvalid(kind="producer code", reason="it holds another unified social credit code")
        if code.service == "propagation":
            raise NumberInvalid(kind="producer code", reason="it is one for propagation, not for generation")
    if plain["filing_number"] and not _FILING.fullmatch(plain["filing_number"]):
        raise ProfileInvalid(field="filing number", reason="it is not a number as the register prints it")
    if plain["filing_link"] and not _is_link(plain["filing_link"]):
        raise ProfileInvalid(field="filing link", reason="it is not an https address")
    if plain["complaint_hours"] and not _is_span(plain["complaint_hours"]):
        raise ProfileInvalid(field="complaint hours", reason="they are written like 09:00-18:00")
    if not 1 <= given.complaint_days <= 15:
        raise ProfileInvalid(field="complaint days", reason="an answer comes within 1 to 15 working days")
    return replace(given, **plain)


def producer_of(rows: store.Store, home_id: str) -> str:
    """What labels name as the producer: the operator's code when one is set, else the home's own plain name."""
    found = profile(rows)
    return found.producer_code if found and found.producer_code else producer_code(home_id)


def agreement() -> Agreement:
    """The service agreement that comes with this program."""
    texts = {name: _agreement_text(name) for name in LANGUAGES}
    version = texts[LANGUAGES[0]].split("\n", 1)[0].rpartition(" ")[2]
    return Agreement(version, texts, hashlib.sha256("\0".join(texts.values()).encode()).hexdigest())


def accept(rows: store.Store, ledger: Ledger, account: Account, version: str) -> None:
    """Record that an account accepts a version of the agreement; a second time changes nothing.

    Raises UnknownRecord for any version but the present one.
    """
    present = agreement()
    if version != present.version:
        raise UnknownRecord(kind="service agreement", id=version)
    table = store.agreement
    with rows.write() as connection:
        if _has_accepted(connection, account.id, version):
            return
        fields = {"account": account.id, "version": version, "text_sha256": present.sha256}
        index = ledger.append(connection, "agreement_accepted", fields)
        connection.execute(
            sa.insert(table).values(account_id=account.id, version=version, accepted_at=stamp(), ledger_index=index)
        )


def has_accepted(rows: store.Store, account_id: str) -> bool:
    """Whether an account has accepted the present version of the agreement, asked for or not."""
    with rows.read() as connection:
        return _has_accepted(connection, account_id, agreement().version)


def verify_accepted(rows: store.Store, account: Account) -> None:
    """Raise AgreementNotAccepted where the operator asks for the agreement and the account lacks it (LM 8)."""
    with rows.read() as connection:
        found = _profile(connection)
        if found is None or not found.agreement:
            return
        version = agreement().version
        if not _has_accepted(connection, account.id, version):
            raise AgreementNotAccepted(account=account.username, version=version)


def _profile(connection: sa.Connection) -> OperatorProfile | None:
    body = connection.execute(sa.select(store.operator_profile.c.body)).scalar()
    return None if body is None else OperatorProfile(**json.loads(body))


def _has_accepted(connection: sa.Connection, account_id: str, version: str) -> bool:
    table = store.agreement
    query = sa.select(table.c.accepted_at).where(table.c.account_id == account_id, table.c.version == version)
    return connection.execute(query).first() is not None


def _agreement_text(language: str) -> str:
    return resources.files("resources").joinpath("agreement", f"{language}.md").read_text(encoding="utf-8")


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not parts.username and " " not in text


def _is_span(text: str) -> bool:
    if not _HOURS.fullmatch(text):
        return False
    first, last = ((int(one[:2]), int(one[3:])) for one in text.split("-"))
    return all(hour < 24 and minute < 60 for hour, minute in (first, last)) and first < last
