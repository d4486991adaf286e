"""signet verify: what files say about themselves, and whether it holds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compliance.errors import ExitCode, FileMissing, NotWritable, VerificationFailed, WorkStopped
from compliance.storage import refuse_taken, refuse_unwritable
from studio.commands.door import JsonOption, call_of, home_folder
from studio.commands.output import Output, time_left_s
from studio.text import N_, _, word

if TYPE_CHECKING:
    from compliance.verify import Report
    from engines.job import Progress

_STATES = (N_("intact"), N_("damaged"), N_("absent"), N_("unchecked"))
_VERDICTS = (
    *(N_("sealed"), N_("refuted"), N_("broken"), N_("foreign")),
    *(N_("unchecked"), N_("unlabelled"), N_("unreadable")),
)
_TAMPERED = (
    N_("the list of refuted releases was changed or is not signed by its home"),
    N_("the list of refuted releases was taken away from its home"),
)
_LAYERS = (N_("explicit"), N_("aigc"), N_("iptc"), N_("credential"), N_("ledger"), N_("watermark"), N_("fingerprint"))
_STAGE = N_("checking files")
# Lines of progress where there is no terminal to draw a bar on.
_NEWS_EVERY_S = 10.0


def verify(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help=N_("Files to check; folders are gone through."))
    ],
    as_json: JsonOption = False,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="OUT", help=N_("Also write a report that any browser shows."))
    ] = None,
) -> None:
    """Check files and say which layer of the label holds."""
    from studio.checking import gather, verify_each

    output = Output(as_json)
    if page is not None:
        _require_place(page)
    gathered = gather(files)
    reports: list[Report] = []
    thumbnails: dict[str, str] = {}
    stopped = False
    try:
        with _progress(output, len(gathered.files)) as show:
            for report in verify_each(gathered.files, [home_folder(call_of(context).home)]):
                reports.append(report)
                output.data(report.to_json())
                if page is not None and report.sha256:
                    from studio.commands.verify_page import thumbnail

                    thumbnails[report.sha256] = thumbnail(Path(report.file), report.sha256)
                show(len(reports))
    except KeyboardInterrupt:
        # What was found so far is told; further signals are ignored by now.
        stopped = True
    is_batch = len(gathered.files) > 1 or gathered.has_folders
    if reports and not as_json:
        show_reports(output, reports)
    elif not gathered.missing and not as_json:
        output.line(_("There is nothing to check here."))
    if is_batch:
        _sum_up(output, reports, len(gathered.files), gathered.passed_over, gathered.has_folders)
    if page is not None:
        _write_page(output, page, reports, thumbnails, len(gathered.files))
    _end(reports, gathered.missing, stopped, as_json)


def _require_place(page: Path) -> None:
    """Raise before any work when the report could not be written; no file is ever replaced by one."""
    refuse_taken(page)
    if not page.parent.is_dir():
        raise NotWritable(path=page, reason="no such folder")
    refuse_unwritable(page.parent)


def _end(reports: Sequence[Report], missing: Sequence[Path], stopped: bool, as_json: bool) -> None:
    """Leave with what the whole amounts to; 0 only when every file is sealed."""
    if stopped:
        raise WorkStopped
    if missing:
        raise FileMissing(path=missing[0])
    failed = sum(report.verdict != "sealed" for report in reports)
    if failed and as_json:
        raise typer.Exit(ExitCode.LABEL)
    if failed:
        raise VerificationFailed(count=failed)


def _sum_up(output: Output, reports: Sequence[Report], named: int, passed_over: int, is_folder: bool) -> None:
    from studio.commands.verify_page import counted

    counts = counted(reports)
    if output.as_json:
        if is_folder:
            # One more line, since the number of files was not known to whoever asked.
            output.data({"summary": counts, "checked": len(reports), "named": named, "passed_over": passed_over})
        return
    told = ", ".join(f"{_(verdict)}: {count}" for verdict, count in counts.items())
    output.line(_("{done} of {total} files checked. {counts}", done=len(reports), total=named, counts=told))
    if passed_over:
        output.line(_("{count} other files in the folders are no media and were passed over.", count=passed_over))


def _write_page(output: Output, page: Path, reports: list[Report], thumbnails: dict[str, str], named: int) -> None:
    from compliance.clock import stamp
    from compliance.storage import write_atomically
    from studio.commands import verify_page

    note = ""
    if len(reports) < named:
        note = _("Stopped before the end: {done} of {total} files were checked.", done=len(reports), total=named)
    text = verify_page.page(reports, thumbnails, stamp(), note)
    write_atomically(page, text.encode("utf-8"), mode=0o644)
    output.note(_("The report is in {path}.", path=page))


@contextmanager
def _progress(output: Output, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far the checking of several files has come: a bar on a terminal, now and then a line elsewhere."""
    if total < 2 or output.as_json:
        yield lambda done: None
    elif sys.stderr.isatty():
        with output.progress() as bar:
            yield lambda done: bar(_step(done, total))
    else:
        yield _News(output, total)


def _step(done: int, total: int) -> Progress:
    from engines.job import Progress

    return Progress(done, total, _STAGE)


class _News:
    """A line every ten seconds, with the time left."""

    def __init__(self, output: Output, total: int) -> None:
        self._output, self._total = output, total
        self._since_s = self._told_s = time.monotonic()

    def __call__(self, done: int) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < _NEWS_EVERY_S:
            return
        self._told_s = now_s
        left_s = time_left_s(_step(done, self._total), now_s - self._since_s)
        line = f"[{done}/{self._total}] {_(_STAGE)}"
        self._output.note(line if left_s is None else line + " · " + _("about {seconds} s left", seconds=left_s))


def show_reports(output: Output, reports: list[Report]) -> None:
    """One JSON line a file, or a table of the layers and a sentence a file."""
    from compliance.imports import ids_of
    from studio.commands.verify_page import state_of

    layers = list(dict.fromkeys(name for report in reports for name in report.layers))
    output.table(
        (_("file"), _("verdict"), *(_(name) for name in layers)),
        [
            (
                report.file,
                _(report.verdict),
                *(state_of(name, report.layers[name]) if name in report.layers else "-" for name in layers),
            )
            for report in reports
        ],
        [report.to_json() for report in reports],
        _("No file was named."),
    )
    for report in reports:
        output.line(f"{report.file}: {_(report.sentence)}")
        _show_traces(output, report)
        made_from = ids_of(report.layers["credential"].evidence.get("imported")) if report.layers else []
        if made_from:
            output.line("  " + _("made from labelled files: {ids}", ids=", ".join(made_from)))
        for mark in report.foreign:
            program = mark["program"] or _("nobody is named")
            output.line("  " + _("mark of another maker: {program}: {detail}", program=program, detail=mark["detail"]))
        if report.refuted is not None:
            when = report.refuted.get("at", "")
            output.line(f"  {_(report.refuted['state'])} {when}: {word(str(report.refuted['reason']))}")
        for name, layer in report.layers.items():
            for reason in layer.reasons:
                output.line(f"  {_(name)}: {word(reason)}")


def _show_traces(output: Output, report: Report) -> None:
    """Which release a copy without labels comes from, and when that was made."""
    if report.verdict == "sealed" or "watermark" not in report.layers:
        return
    mark = report.layers["watermark"].evidence
    matches = report.layers["fingerprint"].evidence.get("matches", ()) if "fingerprint" in report.layers else ()
    if mark.get("release"):
        when = mark.get("released_at") or _("at an unknown time")
        output.line("  " + _("by its invisible mark: release {release}, {time}", release=mark["release"], time=when))
    for match in matches:
        output.line("  " + _("by its looks or sound: release {release}, {time}", **_release_of(match)))


def _release_of(match: dict[str, object]) -> dict[str, object]:
    return {"release": match["release"], "time": match["time"]}
