"""The layers of a checked file, one row each, under the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel

from studio.text import _, word
from studio.window import icons
from studio.window.widgets.basic import card, chip, column, label, row
from studio.window.widgets.evidence import evidence_lines

if TYPE_CHECKING:
    from compliance.verify import LayerReport, Report

_KIND = {"intact": "ok", "damaged": "danger", "absent": "warn", "unchecked": "plain"}
_USE = {"intact": "ok", "damaged": "danger", "absent": "warn", "unchecked": "muted"}


def layer_title(name: str) -> str:
    """What a layer is, in the reader's words."""
    return {
        "explicit": _("Visible label"),
        "aigc": _("AIGC field (GB 45438)"),
        "iptc": _("IPTC source type"),
        "credential": _("Content Credential (C2PA)"),
        "ledger": _("Ledger entry"),
        "watermark": _("Invisible mark"),
        "fingerprint": _("Fingerprint"),
    }.get(name, name)


def state_word(state: str) -> str:
    """A layer's state in the reader's language."""
    return {
        "intact": _("intact"),
        "damaged": _("damaged"),
        "absent": _("absent"),
        "unchecked": _("not checked"),
    }.get(state, state)


def verdict_kind(verdict: str) -> str:
    """The banner colour of a verdict."""
    return {"sealed": "ok", "broken": "danger", "unlabelled": "warn", "unreadable": "danger", "refuted": "danger"}.get(
        verdict, "warn"
    )


def verdict_word(verdict: str) -> str:
    """A verdict in one word."""
    return {
        "sealed": _("sealed"),
        "refuted": _("refuted"),
        "broken": _("broken"),
        "foreign": _("foreign"),
        "unlabelled": _("unlabelled"),
        "unchecked": _("unchecked"),
        "unreadable": _("unreadable"),
    }.get(verdict, verdict)


def layer_row(name: str, report: LayerReport) -> QFrame:
    """One layer: icon, title, reasons, state."""
    picture = QLabel()
    picture.setPixmap(icons.pixmap(report.state, _USE[report.state], 24))
    picture.setAccessibleName(state_word(report.state))
    reasons = "; ".join(word(reason) for reason in report.reasons)
    texts = column(label(layer_title(name), "strong"), spacing=2)
    for line in evidence_lines(name, report.evidence):
        texts.addWidget(label(line, "small"))
    if reasons:
        texts.addWidget(label(reasons, "muted"))
    body = row(picture, texts, chip(state_word(report.state), _KIND[report.state]), spacing=14)
    body.setStretch(1, 1)
    body.setAlignment(picture, Qt.AlignmentFlag.AlignTop)
    made = card(body, 12)
    made.setObjectName(f"layer_{name}")
    made.setAccessibleName(f"{layer_title(name)}: {state_word(report.state)}")
    return made


def layer_rows(report: Report) -> list[QFrame]:
    """All layers of a report, in its order."""
    return [layer_row(name, layer) for name, layer in report.layers.items()]
