"""The receipt: it names no code that is not the person's, both languages stand on it, and the QR says the code."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from compliance.consent import ConsentGrant
from compliance.errors import FormatUnsupported, TargetExists
from compliance.receipt import Receipt, receipt_of, rendered, rows

CODE = "SW-ABCD-EFGH-JKMN-PQRS"
GRANT = ConsentGrant(
    "con-0123456789",
    "sub-aa11bb22cc",
    "face",
    ("private", "film"),
    "ab" * 32,
    date(2026, 11, 22),
    date(2027, 11, 21),
    None,
    "acc-11223344aa",
    "2026-11-22T00:00:00Z",
    42,
    None,
    receipt_id="rcp-0123456789",
)
ENTRY = {"time": "2026-11-22T00:00:00.000000+00:00", "fields": {"record_sha256": "12" * 32}}


def receipt(code: str | None = CODE, **personal: object) -> Receipt:
    """A receipt of Zhang Wei."""
    return receipt_of(GRANT, {"notice": None}, {"name": "张伟", "salt": "00", **personal}, ENTRY, code)


def test_other_endings_and_files_that_are_there_are_refused(tmp_path: Path) -> None:
    """A receipt is a PDF or JSON, and replaces nothing unasked."""
    with pytest.raises(FormatUnsupported):
        rendered(receipt(), tmp_path / "receipt.docx")
    there = tmp_path / "receipt.json"
    there.write_text("mine")
    with pytest.raises(TargetExists):
        rendered(receipt(), there)
    assert rendered(receipt(), there, overwrite=True)
    assert there.read_text() == "mine"


def test_the_json_is_the_record_with_its_receipt(tmp_path: Path) -> None:
    """Receipt id, schema version, the record, the person's own data and the place in the ledger."""
    told = json.loads(rendered(receipt(recipients=["A"]), tmp_path / "r.json"))
    assert (told["schema"], told["receipt_id"]) == ("signet.receipt/1", "rcp-0123456789")
    assert told["personal"]["name"] == "张伟"
    assert told["log"] == {"index": 42, "time": ENTRY["time"], "record_sha256": "12" * 32}
    assert told["withdrawal_code"] == CODE
    assert json.loads(rendered(receipt(None), tmp_path / "r.json"))["withdrawal_code"] is None


def test_the_operators_word_is_called_what_it_is() -> None:
    """A consent that nobody has confirmed says so on the receipt, in both languages."""
    told = dict(rows(receipt()))
    assert "nobody else has confirmed it" in told["证据 Evidence"]
    assert "无人核对" in told["证据 Evidence"]
    approved = replace(receipt(), grant=replace(GRANT, evidence_level="file+second"))
    assert "approved by a second person" in dict(rows(approved))["证据 Evidence"]


def test_the_pdf_is_one_page_and_always_the_same(tmp_path: Path) -> None:
    """The same receipt gives the same bytes; a long name, rare signs and no code do not break it."""
    first, second = (rendered(receipt(), tmp_path / "r.pdf") for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-")
    assert first.count(b"/Type /Page\n") == 1
    odd = replace(receipt(None), personal={"name": "㛃" * 90 + " " + "x" * 300, "recipients": ["广播公司"] * 9})
    assert rendered(odd, tmp_path / "r.pdf").count(b"/Type /Page\n") == 1


def test_the_qr_code_says_the_withdrawal_code(tmp_path: Path) -> None:
    """Drawn as it stands on the page and read back by another library."""
    segno = pytest.importorskip("segno")
    cv2 = pytest.importorskip("cv2")
    import numpy as np

    symbol = np.array([list(row) for row in segno.make(CODE, error="m", micro=False).matrix_iter(border=4)], np.uint8)
    picture = np.where(np.kron(symbol, np.ones((8, 8), np.uint8)) > 0, 0, 255).astype(np.uint8)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == CODE
    assert len(rendered(receipt(), tmp_path / "r.pdf")) > len(rendered(receipt(None), tmp_path / "r.pdf"))
