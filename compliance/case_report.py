"""The report pack of a case for the authority (DSP 10, 11): everything in one signed JSON, and the same as a PDF.

It names accounts by pseudonym and holds what was written in the case, because an authority asks for exactly that; the
proofs let it check with the log's key that nothing was entered afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import rfc8785

from compliance import operator_profile, sanctions, store
from compliance.account import Session
from compliance.cases import CaseBook
from compliance.clock import stamp
from compliance.errors import ProofInvalid, UnknownRecord
from compliance.ledger import Ledger
from compliance.paper import Heading, Paragraph, Part, Values, pdf
from compliance.proof import Proof, parse_vkey
from compliance.roles import Action, verify_may

FORMAT: Final = "org.signet.case-report/1"


def build_report(rows: store.Store, ledger: Ledger, by: Session, case_id: str) -> dict[str, Any]:
    """The signed report of a case, entered in the ledger as reported; ledger: one that can sign.

    Raises RoleMissing, SessionLocked, UnknownRecord.
    """
    verify_may(rows, by.account, Action.REPORT_CASE)
    keys = by.require_keys()
    book = CaseBook(rows, ledger)
    case = book.case(case_id, keys)
    operator = operator_profile.profile(rows)
    imposed = [one for one in sanctions.sanctions(ledger, case.account_id) if one.case_id == case_id]
    body: dict[str, Any] = {
        "format": FORMAT,
        "origin": ledger.origin,
        "ledger_vkey": keys.public.ledger_vkey,
        "made_at": stamp(),
        "operator": asdict(operator) if operator else None,
        "case": {name: value for name, value in asdict(case).items() if name not in ("events", "statements")},
        "events": [asdict(one) for one in case.events],
        "statements": [asdict(one) for one in case.statements or ()],
        "sanctions": [asdict(one) for one in imposed if case.account_id],
        "release": _release(rows, case.release_id),
        "proofs": _proofs(ledger, sorted({one.ledger_index for one in case.events})),
    }
    plain = json.loads(json.dumps(body))
    digest = hashlib.sha256(_signed_bytes(plain)).hexdigest()
    book.record_report(case_id, by=by.account.id, report_sha256=digest)
    return {**plain, "signature": base64.b64encode(keys.ledger_key().sign(_signed_bytes(plain))).decode()}


def report_json(report: Mapping[str, Any]) -> bytes:
    """The report as its file holds it."""
    return (json.dumps(dict(report), ensure_ascii=False, indent=1) + "\n").encode()


def verify_report(report: Mapping[str, Any], vkey: str) -> None:
    """Raise ProofInvalid unless the home with this verifier key signed the report and all its proofs hold."""
    from cryptography.exceptions import InvalidSignature

    origin, key = parse_vkey(vkey)
    try:
        key.verify(base64.b64decode(report["signature"], validate=True), _signed_bytes(report))
        if report["format"] != FORMAT or report["origin"] != origin:
            raise ProofInvalid(reason="the report is of another log")
        for one in report["proofs"]:
            Proof.from_json(one).verify(key)
    except (InvalidSignature, KeyError, TypeError, ValueError) as error:
        raise ProofInvalid(reason="the report is not signed by this home") from error


def report_pdf(report: Mapping[str, Any]) -> bytes:
    """The report for people, Chinese and English side by side; the signed file is the JSON."""
    case, operator = report["case"], report["operator"] or {}
    parts: list[Part] = [
        Values(
            [
                ("案件 · Case", case["id"]),
                ("类型 · Kind", f"{_WORDS.get(case['kind'], '')} {case['kind']} ({case['article']})"),
                ("规则 · Rule", case["rule"]),
                ("状态 · State", f"{_WORDS.get(case['state'], '')} {case['state']}"),
                ("受理时间 · Opened", case["opened_at"]),
                ("答复期限 · Due", case["due_at"]),
                ("账号 · Account", case["account_id"] or ""),
                ("发布编号 · Release", case["release_id"] or ""),
                ("决定 · Decision", f"{_WORDS.get(case['decision'] or '', '')} {case['decision'] or ''}".strip()),
                ("措施 · Measure", f"{_WORDS.get(case['measure'] or '', '')} {case['measure'] or ''}".strip()),
            ]
        ),
        Heading("运营者 · Operator"),
        Values(
            [
                ("名称 · Name", operator.get("name", "")),
                ("统一社会信用代码 · Credit code", operator.get("credit_code", "")),
                ("服务提供者编码 · Producer code", operator.get("producer_code", "")),
                ("备案编号 · Filing number", operator.get("filing_number", "")),
                ("联系方式 · Contact", operator.get("contact", "")),
            ]
        ),
    ]
    if report["release"]:
        parts += [Heading("内容 · Content"), Values([(name, str(value)) for name, value in report["release"].items()])]
    parts.append(Heading("陈述 · Statements"))
    for said in report["statements"]:
        parts.append(Paragraph(f"{said['at']}  {said['by']}\n{said['text']}"))
    if report["sanctions"]:
        parts.append(Heading("处置 · Sanctions"))
        for one in report["sanctions"]:
            number = "" if one["releases_a_day"] is None else f"{one['releases_a_day']} / 24 h"
            term = f"{one['starts_at']} – {one['ends_at'] or '∞'}"
            parts.append(
                Paragraph(f"{_WORDS.get(one['measure'], '')} {one['measure']}  {one['reason']}  {term}  {number}")
            )
    parts.append(Heading("经过 · Steps"))
    parts.append(Values([(one["at"], f"{one['type']}  {one['by']}  {one['note']}") for one in report["events"]]))
    parts.append(Heading("证明 · Proof"))
    digest = hashlib.sha256(report_json(report)).hexdigest()
    parts.append(
        Values(
            [
                ("日志 · Log", report["origin"]),
                ("校验密钥 · Verifier key", report["ledger_vkey"]),
                ("记录 · Entries", ", ".join(str(one["index"]) for one in report["proofs"])),
                ("JSON 文件 SHA-256 · of the JSON", digest),
                ("生成时间 · Made", report["made_at"]),
            ]
        )
    )
    return pdf("案件报告 · Case report", parts)


_WORDS: Final = {
    "review": "审核",
    "appeal": "申诉",
    "complaint": "投诉举报",
    "refutation": "辟谣",
    "open": "待处理",
    "assigned": "处理中",
    "decided": "已决定",
    "appealed": "已申诉",
    "closed": "已结案",
    "upheld": "成立",
    "dismissed": "不成立",
    "warn": "警示",
    "limit": "限制功能",
    "suspend": "暂停服务",
    "close": "关闭账号",
}


def _release(rows: store.Store, release_id: str | None) -> dict[str, Any] | None:
    if release_id is None:
        return None
    import sqlalchemy as sa

    table = store.release
    names = ("id", "format", "payload_sha256", "file_sha256", "created_at", "state", "intent_index")
    with rows.read() as connection:
        query = sa.select(*(table.c[name] for name in names)).where(table.c.id == release_id)
        row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def _proofs(ledger: Ledger, indices: list[int]) -> list[dict[str, Any]]:
    """The proof of each step; one whose body was pruned has none any more."""
    found = []
    for index in indices:
        try:
            found.append(ledger.proof(index).to_json())
        except UnknownRecord:
            continue
    return found


def _signed_bytes(report: Mapping[str, Any]) -> bytes:
    unsigned = {name: value for name, value in report.items() if name != "signature"}
    return b"signet case report/1\n" + rfc8785.dumps(unsigned)
