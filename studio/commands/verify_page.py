"""The report of `signet verify --html`: one page that needs nothing else, without scripts and without a network.

Everything that comes from a file or its name is foreign and is escaped. The small pictures show the files as they are:
they are evidence, and whatever label stands in a file stays in its picture.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from studio.commands.output import printable
from studio.text import _, language, word

if TYPE_CHECKING:
    from compliance.verify import LayerReport, Report

_THUMBNAIL_PX, _LARGEST_BYTES = 320, 1 << 30
_MOST_FACTS, _LONGEST_FACT = 40, 400
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1d22;"
    "background:#fff}h1{font-size:1.4rem}h2{font-size:1.05rem;overflow-wrap:anywhere;margin:0}"
    "section{border:1px solid #c9ccd3;border-radius:8px;padding:1rem;margin:1.2rem 0;break-inside:avoid}"
    "table{border-collapse:collapse;width:100%;margin:.6rem 0}th,td{text-align:left;vertical-align:top;"
    "padding:.25rem .6rem .25rem 0;border-top:1px solid #e4e6ea;overflow-wrap:anywhere}"
    "img{max-width:100%;border:1px solid #c9ccd3;margin:.5rem 0}.facts,.small{color:#555a66;font-size:.85rem}"
    ".intact,.sealed{color:#0b6b3a}.damaged,.broken,.refuted,.unreadable{color:#b3261e}"
    ".absent,.foreign,.unlabelled{color:#8a5300}.verdict{font-weight:600}"
)


def page(reports: Sequence[Report], thumbnails: Mapping[str, str], checked_at: str, stopped: str = "") -> str:
    """The whole page.

    thumbnails: by the digest of a file, as `thumbnail` makes them. checked_at: ISO 8601. stopped: a sentence where not
    all files were checked.
    """
    from compliance.labels.policy import system_version

    counts = ", ".join(f"{_(verdict)}: {count}" for verdict, count in counted(reports).items())
    notes = [
        _("Made by Signet {version} at {time}.", version=system_version(), time=checked_at),
        _("The pictures are evidence: they show the files as they were, only smaller, with all labels in them."),
        _("Absent means that nothing was found. It never says that a file is authentic."),
        *([stopped] if stopped else []),
    ]
    body = "".join(f'<p class="small">{_safe(note)}</p>' for note in notes)
    sections = "".join(_section(report, thumbnails.get(report.sha256, "")) for report in reports)
    title = _safe(_("What these files carry"))
    return (
        f'<!DOCTYPE html>\n<html lang="{_safe(language())}"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{_safe(counts)}</p>{body}{sections}</body></html>\n"
    )


def counted(reports: Iterable[Report]) -> dict[str, int]:
    """How many files have each verdict, in order of their first appearance."""
    counts: dict[str, int] = {}
    for report in reports:
        counts[report.verdict] = counts.get(report.verdict, 0) + 1
    return counts


def thumbnail(path: Path, sha256: str) -> str:
    """A small picture of a checked file as a data address; "" for what has none or has changed since it was checked."""
    from PIL import Image

    from compliance.decode_video import decode_film
    from compliance.errors import SignetError
    from compliance.reading import decode_picture, read_media
    from compliance.video_containers import VideoContainer

    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST_BYTES + 1)
        if hashlib.sha256(data).hexdigest() != sha256:
            return ""
        if isinstance(read_media("", data, salvage=True), VideoContainer):
            pixels = next((shot.pixels() for shot in decode_film("", data)), None)
        else:
            pixels = decode_picture(data)
        if pixels is None:
            return ""
        small = Image.fromarray(pixels)
        small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
        target = io.BytesIO()
        small.save(target, "JPEG", quality=82)
    except (OSError, SignetError, ValueError):
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(target.getvalue()).decode("ascii")


def _safe(value: object) -> str:
    """Any value as text that is nothing but text in HTML; control and half characters are spelled out."""
    return html.escape(printable(str(value)), quote=True)


def _section(report: Report, picture: str) -> str:
    # Sentences stand outside of f-strings: the extractor of messages does not look into those.
    shown, others, nobody = _("a small picture of the file"), _("Marks of other makers"), _("nobody is named")
    rows = "".join(_row(name, layer) for name, layer in report.layers.items())
    image = f'<img src="{_safe(picture)}" alt="{_safe(shown)}">' if picture else ""
    marks = "".join(
        f"<li>{_safe(mark.get('program') or nobody)}: {_safe(mark.get('detail', ''))}</li>" for mark in report.foreign
    )
    foreign = f"<p>{_safe(others)}</p><ul>{marks}</ul>" if marks else ""
    refuted = ""
    if report.refuted is not None:
        told = (
            f"{_(str(report.refuted['state']))} {report.refuted.get('at', '')}: {word(str(report.refuted['reason']))}"
        )
        refuted = f'<p class="refuted">{_safe(told)}</p>'
    digest = f'<p class="small">SHA-256 {_safe(report.sha256)}</p>' if report.sha256 else ""
    return (
        f"<section><h2>{_safe(report.file)}</h2>{digest}{image}"
        f'<p class="verdict {_safe(report.verdict)}">{_safe(_(report.verdict))}: {_safe(_(report.sentence))}</p>'
        f"{refuted}{foreign}<table>{rows}</table></section>"
    )


def _row(name: str, layer: LayerReport) -> str:
    reasons = "; ".join(word(reason) for reason in layer.reasons)
    facts = "; ".join(f"{key}: {value}" for key, value in _facts(layer.evidence))
    return (
        f'<tr><th>{_safe(_(name))}</th><td class="{_safe(layer.state)}">{_safe(state_of(name, layer))}</td>'
        f'<td>{_safe(reasons)}<div class="facts">{_safe(facts)}</div></td></tr>'
    )


def state_of(name: str, layer: LayerReport) -> str:
    """The state of a row in the reader's language; for a credential with the word of C2PA."""
    if name != "credential" or not layer.evidence.get("c2pa"):
        return _(layer.state)
    words = {
        "trusted": _("Trusted"),
        "unknown signer": _("Valid, unknown signer"),
        "expired signer": _("Valid, certificate run out"),
    }
    said = words.get(str(layer.evidence.get("trust")), _("Invalid"))
    return f"{_(layer.state)} ({said})"


def _facts(evidence: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Evidence as named values, flat and cut: it comes from the file."""
    found: list[tuple[str, str]] = []
    for key, value in evidence.items():
        name = f"{above}{key}"
        items = value if isinstance(value, list | tuple) else [value]
        for item in items[:8]:
            if isinstance(item, Mapping):
                found += _facts(item, f"{name}.")
            elif item not in (None, "", [], ()):
                found.append((name[:80], str(item)[:_LONGEST_FACT]))
    return found[:_MOST_FACTS]
