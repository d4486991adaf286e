"""The receipt for the person who consents: what they agreed to, how to withdraw, and where the ledger speaks of it.

As JSON it is a copy of the record with the receipt's id (ISO/IEC TS 27560, receipt); as PDF it is bilingual and carries
the withdrawal code as a QR code. It is written for the person alone: names stand in it in the clear.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.consent import ConsentGrant
from compliance.errors import FormatUnsupported, TargetExists
from compliance.paper import FONT, register_font

RECEIPT_SCHEMA = "signet.receipt/1"
FORMATS = (".pdf", ".json")
_FALLBACK = "STSong-Light"
_NEVER_FIRST = "，。；：、）！？”’"
# Words of the closed lists, Chinese and English side by side; the receipt is bilingual whatever the program speaks.
_WORDS: Mapping[str, str] = {
    "private": "私人使用 private use",
    "film": "影视 film and series",
    "advertising": "广告 advertising",
    "education": "教育 education",
    "research": "研究 research",
    "satire": "讽刺 satire",
    "political": "政治 political",
    "sexual": "色情 sexual",
    "endorsement": "代言 endorsement",
    "testimony": "证言 testimony",
    "minors": "面向未成年人 for minors",
    "face": "人脸 face",
    "voice": "声音 voice",
    "worldwide": "不限地域 anywhere",
    "asset": "仅限这一文件 this exact file only",
    "biometric": "按人脸模板匹配 matched by template",
    "adult": "成年人 adult",
    "14-17": "十四至十七周岁 14 to 17",
    "under 14": "未满十四周岁 under 14",
    "not stated": "未说明 not stated",
    "live": "现场录制，含一次性口令 live recording with a fresh phrase",
    "file+second": "文件，经第二人核对 file, approved by a second person",
    "file+subject": "文件，由本人确认 file, confirmed by the person",
    "operator": "仅凭操作者的陈述，无人核对 the operator's word alone; nobody else has confirmed it",
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is handed to the person. code: the withdrawal code where it is known, that is at the recording."""

    receipt_id: str
    grant: ConsentGrant
    record: Mapping[str, Any]
    personal: Mapping[str, Any]
    entry: Mapping[str, Any]
    code: str | None

    def to_json(self) -> dict[str, Any]:
        """Receipt id, schema version and the record, with the personal part in the clear."""
        return {
            "schema": RECEIPT_SCHEMA,
            "receipt_id": self.receipt_id,
            "evidence_level": self.grant.evidence_level,
            "state": self.grant.state(),
            "record": dict(self.record),
            "personal": {key: value for key, value in self.personal.items() if value},
            "log": {
                "index": self.grant.ledger_index,
                "time": self.entry["time"],
                "record_sha256": self.entry["fields"]["record_sha256"],
            },
            "withdrawal_code": self.code,
        }


def receipt_of(
    grant: ConsentGrant,
    record: Mapping[str, Any],
    personal: Mapping[str, Any],
    entry: Mapping[str, Any],
    code: str | None,
) -> Receipt:
    """The receipt of a grant that was checked; entry: the ledger entry that speaks of it."""
    return Receipt(grant.receipt_id or grant.id.replace("con-", "rcp-", 1), grant, record, personal, entry, code)


def rendered(receipt: Receipt, out: Path, overwrite: bool = False) -> bytes:
    """The bytes of the receipt for a path's ending; raises FormatUnsupported, TargetExists. Writes nothing."""
    if out.suffix.lower() not in FORMATS:
        raise FormatUnsupported(path=out, supported=", ".join(FORMATS))
    if out.exists() and not overwrite:
        raise TargetExists(path=out)
    if out.suffix.lower() == ".json":
        return json.dumps(receipt.to_json(), ensure_ascii=False, indent=1).encode() + b"\n"
    return as_pdf(receipt)


def _word(word: str) -> str:
    return _WORDS.get(word, word)


def _list(words: Any, nothing: str) -> str:
    return "；".join(_word(str(word)) for word in words) or nothing


def rows(receipt: Receipt) -> list[tuple[str, str]]:
    """What the PDF says, as (Chinese and English name, value)."""
    grant, record = receipt.grant, receipt.record
    personal = receipt.personal
    guardian = f"{grant.guardian_id}" if grant.guardian_id else "无 none"
    limit = f"{grant.max_outputs}" if grant.max_outputs is not None else "不限 no limit"
    notice = record.get("notice")
    shown = (
        f"{notice['version']} · {notice['language']} · {notice['text_sha256'][:16]} · {notice['shown_at'] or '-'}"
        if notice
        else "未出示 not shown in the program"
    )
    return [
        ("本人 Person", f"{personal.get('name') or '-'} ({grant.subject_id})"),
        ("工作室 Studio", f"{personal.get('studio') or '-'} ({grant.recorded_by})"),
        ("年龄 Age", f"{_word(grant.age)}　监护人 guardian: {guardian}"),
        ("同意使用 Likeness", _word(grant.likeness)),
        ("用途 Purposes", _list(grant.purposes, "-")),
        ("禁止用途 Forbidden uses", _list(grant.forbidden, "无 none")),
        ("地域 Territory", _list(grant.territories, "-")),
        ("项目 Projects", _list(grant.projects, "不限 any")),
        ("发布次数 Releases", limit),
        ("接收方 Recipients", _list(personal.get("recipients") or (), "无 none")),
        ("有效期 Valid", f"{grant.valid_from.isoformat()} – {grant.valid_until.isoformat()}"),
        ("匹配方式 Match", f"{_word(grant.match)}　SHA-256 {grant.asset_sha256[:16]}…"),
        ("证据 Evidence", _word(grant.evidence_level)),
        ("告知书 Notice", shown),
        ("账本 Ledger", f"#{grant.ledger_index} · {receipt.entry['time'][:19]}Z"),
        ("记录摘要 Record SHA-256", receipt.entry["fields"]["record_sha256"]),
    ]


def as_pdf(receipt: Receipt) -> bytes:
    """One A4 page; the same receipt gives the same bytes."""
    # Imported here: no other command pays for the page layout.
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    _register_fonts()
    buffer = io.BytesIO()
    page = Canvas(buffer, pagesize=A4, invariant=1)
    page.setTitle(f"Signet {receipt.receipt_id}")
    width, height = A4
    left, right, y = 20 * mm, width - 20 * mm, height - 26 * mm
    _text(page, left, y, "同意回执 Consent receipt", 18)
    _text(page, left, y - 7 * mm, f"{receipt.receipt_id} · {receipt.grant.id}", 9)
    y -= 14 * mm
    page.setLineWidth(0.5)
    page.line(left, y, right, y)
    y -= 7 * mm
    for name, value in rows(receipt):
        _text(page, left, y, name, 8.5)
        for line in _wrapped(value, 9.5, right - left - 48 * mm):
            _text(page, left + 48 * mm, y, line, 9.5)
            y -= 4.8 * mm
        y -= 1.6 * mm
    page.line(left, y, right, y)
    y -= 8 * mm
    _text(page, left, y, "如何撤回 How to withdraw", 13)
    y -= 7 * mm
    top = y + 4 * mm
    column = right - left - 44 * mm
    for paragraph in _withdrawal_text(receipt):
        for line in _wrapped(paragraph, 9.5, column):
            _text(page, left, y, line, 9.5)
            y -= 4.8 * mm
        y -= 1.6 * mm
    if receipt.code is not None:
        _draw_code(page, receipt.code, right - 38 * mm, top - 38 * mm, 38 * mm)
    _text(page, left, 32 * mm, "本人（或监护人）签名 Signature of the person or guardian", 8.5)
    page.line(left, 24 * mm, left + 80 * mm, 24 * mm)
    _text(page, left + 100 * mm, 32 * mm, "日期 Date", 8.5)
    page.line(left + 100 * mm, 24 * mm, right, 24 * mm)
    page.showPage()
    page.save()
    return buffer.getvalue()


def _withdrawal_text(receipt: Receipt) -> list[str]:
    if receipt.code is not None:
        first = [
            f"撤回码 Withdrawal code: {receipt.code}",
            "请妥善保管，撤回码只出示一次。在工作室的电脑上，任何人都可以凭它撤回，不需要账号：",
            "Keep this code; it is shown only once. On the studio's machine it withdraws without an account:",
            f"signet consent withdraw --code {receipt.code}",
        ]
    else:
        first = [
            "撤回码在记录同意时已出示一次，此处不再重复。",
            "The withdrawal code was shown once when the consent was recorded; it is not repeated here.",
        ]
    return [
        *first,
        "您也可以直接告知工作室，或者使用您自己的口令。不需要说明理由。撤回后立即停止制作和发布，模板被销毁，"
        "您会得到已发布内容的清单；已经交出的副本无法收回。",
        "You may also tell the studio, or use your own passphrase. No reason is needed. Making and releasing stop at "
        "once, templates are destroyed, and you get the list of what was released; copies already handed out cannot be "
        "recalled.",
    ]


def _draw_code(page: Any, code: str, left: float, bottom: float, side: float) -> None:
    import segno

    symbol = segno.make(code, error="m", micro=False)
    matrix = [list(row) for row in symbol.matrix_iter(scale=1, border=2)]
    cell = side / len(matrix)
    for row, cells in enumerate(matrix):
        for column, dark in enumerate(cells):
            if dark:
                # A hair of overlap, so that no viewer draws light seams between the cells.
                page.rect(
                    left + column * cell, bottom + side - (row + 1) * cell, cell * 1.02, cell * 1.02, stroke=0, fill=1
                )


# --- letters ---------------------------------------------------------------------------------------------------------


def _register_fonts() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    register_font()
    if _FALLBACK not in pdfmetrics.getRegisteredFontNames():
        # Rare characters of names that our subset does not have; the viewer's own font draws them.
        pdfmetrics.registerFont(UnicodeCIDFont(_FALLBACK))


def _runs(text: str) -> list[tuple[str, str]]:
    """The text in pieces of one font each: (font, piece)."""
    from reportlab.pdfbase import pdfmetrics

    known = pdfmetrics.getFont(FONT).face.charToGlyph
    pieces: list[tuple[str, str]] = []
    for sign in text:
        font = FONT if ord(sign) in known else _FALLBACK
        if pieces and pieces[-1][0] == font:
            pieces[-1] = (font, pieces[-1][1] + sign)
        else:
            pieces.append((font, sign))
    return pieces


def _width(text: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(sum(stringWidth(piece, font, size) for font, piece in _runs(text)))


def _text(page: Any, x: float, y: float, text: str, size: float) -> None:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    for font, piece in _runs(text):
        page.setFont(font, size)
        page.drawString(x, y, piece)
        x += stringWidth(piece, font, size)


def _wrapped(text: str, size: float, width: float) -> list[str]:
    """Lines that fit: broken at spaces between Latin words, anywhere between Chinese signs."""
    lines, line = [], ""
    for word in _words(text):
        if line and _width(line + word.rstrip(), size) > width:
            lines.append(line.rstrip())
            line = ""
        while _width(word, size) > width and len(word) > 1:
            fits = next(end for end in range(len(word), 0, -1) if end == 1 or _width(word[:end], size) <= width)
            lines.append(word[:fits])
            word = word[fits:]
        line += word
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    words: list[str] = []
    word = ""
    for sign in text:
        if sign in _NEVER_FIRST and not word and words:
            words[-1] += sign
            continue
        word += sign
        if sign == " " or ord(sign) > 0x2E7F:
            words.append(word)
            word = ""
    return [*words, word] if word else words
