"""signet doctor: is everything there that the work needs."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from compliance.errors import ExitCode, SignetError
from studio.commands.door import JsonOption, opened
from studio.commands.output import Output
from studio.text import N_, _, language, sentences, word

if TYPE_CHECKING:
    from studio.workshop import Finding

_STATES = (N_("ok"), N_("warn"), N_("fail"))


@dataclass(frozen=True, slots=True)
class Row:
    """One finding of the command line's own, shaped like a finding of the workshop."""

    name: str
    state: str
    detail: str
    next_step: str = ""


def has_display() -> bool:
    """Whether Qt has a screen to open a window on; a chosen QT_QPA_PLATFORM counts as one."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Examine the home, the keys, the models and the libraries."""
    from compliance.labels.policy import system_version

    output = Output(as_json)
    findings: list[Row | Finding] = [
        Row(N_("program"), "ok", f"signet {system_version()}, {platform.system()} {platform.machine()}"),
        Row(N_("language"), "ok", language()),
        Row(N_("window"), "ok", _("a display is there"))
        if has_display()
        else Row(N_("window"), "warn", _("no display: the commands work, the window does not")),
    ]
    try:
        with opened(context) as workshop:
            findings += workshop.health()
    except SignetError as error:
        message, next_step = sentences(error)
        findings.append(Row(N_("home"), "fail", message, next_step))
    output.table(
        (_("what"), _("state"), _("detail")),
        [(_(found.name), _(found.state), word(found.detail)) for found in findings],
        findings,
        "",
    )
    for found in findings:
        if found.next_step:
            output.line(f"{_(found.name)}: {word(found.next_step)}")
    if any(found.state == "fail" for found in findings):
        raise typer.Exit(ExitCode.ERROR)
