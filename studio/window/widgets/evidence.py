"""What a layer of a checked file rests on, in the reader's words: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from studio.text import _
from studio.window.widgets.basic import moment

MOST = 4
Lines = list[str]


def trust_word(trust: str) -> tuple[str, str]:
    """What C2PA says of a credential: Invalid, Valid with an unknown signer, Trusted; its word and its chip kind."""
    return {
        "trusted": (_("Trusted"), "ok"),
        "unknown signer": (_("Valid (unknown signer)"), "warn"),
        "expired signer": (_("Valid (certificate run out)"), "warn"),
        "invalid": (_("Invalid"), "danger"),
    }.get(trust, ("", "plain"))


def evidence_lines(name: str, evidence: Mapping[str, Any]) -> Lines:
    """The lines of one layer; nothing for evidence that is not known here."""
    known: dict[str, Callable[[Mapping[str, Any]], Lines]] = {
        "explicit": _explicit,
        "aigc": _aigc,
        "iptc": _iptc,
        "credential": _credential,
        "ledger": _ledger,
        "watermark": _watermark,
        "fingerprint": _fingerprint,
    }
    try:
        return known[name](evidence) if evidence and name in known else []
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # foreign files may carry anything


def _explicit(evidence: Mapping[str, Any]) -> Lines:
    lines = []
    if evidence.get("ink_share") is not None:
        share, contrast = float(evidence["ink_share"]) * 100, float(evidence.get("contrast") or 0)
        lines.append(
            _(
                "letters {share} % of the shorter side, contrast {contrast}:1",
                share=f"{share:.1f}",
                contrast=f"{contrast:.1f}",
            )
        )
    if evidence.get("box"):
        left, top, width, height = evidence["box"]
        lines.append(_("at {left}, {top}, {width} x {height} pixels", left=left, top=top, width=width, height=height))
    if evidence.get("frames"):
        lines.append(
            _(
                "on {share} % of {frames} frames",
                share=round(float(evidence["labelled_share"]) * 100),
                frames=evidence["frames"],
            )
        )
    if evidence.get("words"):
        lines.append(_("spoken notices: {count}", count=len(evidence["words"])))
    if evidence.get("rhythms"):
        lines.append(_("rhythms: {count}", count=len(evidence["rhythms"])))
    return lines


def _aigc(evidence: Mapping[str, Any]) -> Lines:
    return [
        ", ".join(f"{key} {value}" for key, value in one.items() if value)[:200]
        for one in evidence.get("fields", ())[:MOST]
    ]


def _iptc(evidence: Mapping[str, Any]) -> Lines:
    return [str(uri).rsplit("/", 1)[-1][:120] for uri in evidence.get("source_type", ())[:MOST]]


def _credential(evidence: Mapping[str, Any]) -> Lines:
    lines = []
    if evidence.get("issuer"):
        lines.append(_("signed by {issuer}", issuer=str(evidence["issuer"])[:120]))
    if evidence.get("actions"):
        lines.append(", ".join(str(one) for one in evidence["actions"][:MOST])[:200])
    if evidence.get("codes"):
        lines.append(", ".join(str(one) for one in evidence["codes"][:MOST])[:200])
    return lines


def _ledger(evidence: Mapping[str, Any]) -> Lines:
    lines = []
    if "index" in evidence:
        when = moment(str(evidence.get("time") or ""))
        lines.append(_("entry {index} of {size}, {when}", index=evidence["index"], size=evidence["size"], when=when))
    if evidence.get("log") == "known here":
        lines.append(_("its ledger is known here"))
    elif evidence.get("log"):
        lines.append(_("its ledger is not known here"))
    return lines


def _watermark(evidence: Mapping[str, Any]) -> Lines:
    lines = []
    if evidence.get("release"):
        lines.append(_("names release {release}", release=str(evidence["release"])[:32]))
    if evidence.get("pilots_z") is not None:
        corrected = float(evidence.get("corrected") or 0) * 100
        lines.append(
            _(
                "z {z}, checksum holds, {corrected} % of its bits corrected",
                z=evidence["pilots_z"],
                corrected=f"{corrected:.1f}",
            )
        )
    if evidence.get("released_at"):
        lines.append(_("released on {when}", when=moment(str(evidence["released_at"]))))
    return lines


def _fingerprint(evidence: Mapping[str, Any]) -> Lines:
    lines = []
    for match in evidence.get("matches", ())[:MOST]:
        release, when = str(match["release"])[:32], moment(str(match.get("time") or ""))
        if match.get("inliers"):
            lines.append(
                _(
                    "like release {release} of {when}, {count} points agree",
                    release=release,
                    when=when,
                    count=match["inliers"],
                )
            )
        else:
            lines.append(
                _(
                    "like release {release} of {when}, distance {distance}",
                    release=release,
                    when=when,
                    distance=match.get("distance", ""),
                )
            )
    return lines
