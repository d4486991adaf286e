"""signet ledger: the append-only record of this home."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from compliance.errors import TargetExists, UsageUnclear
from studio.commands.door import JsonOption, PasswordOption, opened, with_keys
from studio.commands.options import OverwriteOption
from studio.commands.output import Output
from studio.text import N_, _

group = typer.Typer(help=N_("The ledger: what happened here."))

CopyOption = Annotated[Path | None, typer.Option("--out", metavar="FILE", help=N_("Also write it there."))]


@group.command(help=N_("Check every entry and the root."), epilog=N_("Example: signet ledger verify --json"))
def verify(context: typer.Context, as_json: JsonOption = False) -> None:
    """Check the ledger."""
    output = Output(as_json)
    with opened(context) as workshop:
        entries, root = workshop.verify_ledger()
    output.data({"entries": entries, "root": root, "verdict": "intact"})
    output.line(_("The ledger holds together: {entries} entries, root {root}.", entries=entries, root=root))


@group.command(help=N_("Show entries."), epilog=N_("Example: signet ledger show --json"))
def show(
    context: typer.Context,
    start: Annotated[int, typer.Option("--from", min=0, metavar="N", help=N_("First entry; they count from 0."))] = 0,
    stop: Annotated[
        int | None, typer.Option("--to", min=0, metavar="N", help=N_("Last entry; the end when left out."))
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show entries."""
    with opened(context) as workshop:
        entries = workshop.ledger_entries(start, None if stop is None else stop + 1)
    Output(as_json).table(
        (_("entry"), _("content")),
        [
            (
                str(entry.get("index", start + place)),
                json.dumps({key: value for key, value in entry.items() if key != "index"}, ensure_ascii=False),
            )
            for place, entry in enumerate(entries)
        ],
        entries,
        _("There are no entries here."),
    )


@group.command(
    help=N_("Write all entries as JSON lines, for keeping elsewhere."),
    epilog=N_("Example: signet ledger export --out ledger.jsonl"),
)
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=N_("Where the entries go."))],
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the ledger."""
    output = Output(as_json)
    if os.path.lexists(out) and not overwrite:
        raise TargetExists(path=out)
    with opened(context) as workshop:
        count = with_keys(workshop, password_file, lambda: workshop.export_ledger(out))
    output.data({"path": out, "entries": count})
    output.line(_("{entries} entries are in {path}.", entries=count, path=out))


@group.command(help=N_("Sign the ledger as it is now."), epilog=N_("Example: signet ledger checkpoint --out today.txt"))
def checkpoint(
    context: typer.Context,
    out: CopyOption = None,
    overwrite: OverwriteOption = False,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a checkpoint."""
    _verify_free(out, overwrite)
    with opened(context) as workshop:
        text = with_keys(workshop, password_file, lambda: workshop.logkeeping.checkpoint(out))
    output = Output(as_json)
    output.data({"checkpoint": text, "path": out})
    for line in text.splitlines():
        output.line(line)


@group.command(
    help=N_("Write what a witness needs that last signed N entries."),
    epilog=N_("Example: signet ledger consistency --from 256 --out request.txt"),
)
def consistency(
    context: typer.Context,
    start: Annotated[
        int, typer.Option("--from", min=0, metavar="N", help=N_("Entries the witness has seen; 0 at first."))
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=N_("Where the request goes."))],
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a request to a witness."""
    _verify_free(out, overwrite)
    with opened(context) as workshop:
        size = workshop.logkeeping.consistency(start, out)
        log_key = workshop.logkeeping.log_key()
    output = Output(as_json)
    output.data({"path": out, "from": start, "to": size, "log_key": log_key})
    output.line(_("The proof from {start} to {size} entries is in {path}.", start=start, size=size, path=out))
    output.line(_("Hand this line to the witness, for --log-key the first time: {log_key}", log_key=log_key))


@group.command(
    "witness-key",
    help=N_("Make the key of a witness; run this on the second machine."),
    epilog=N_("Example: signet ledger witness-key --name witness.example/desk --key desk.key"),
)
def witness_key(
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=N_("Name of the witness, without spaces."))],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help=N_("Where the key goes; keep it secret."))],
    as_json: JsonOption = False,
) -> None:
    """Make a witness's key."""
    from compliance.storage import write_atomically
    from compliance.witness import WitnessKey

    _verify_free(key, False)
    made = WitnessKey.generate(name)
    write_atomically(key, made.to_text().encode())
    output = Output(as_json)
    output.data({"key": key, "vkey": made.vkey})
    output.line(_("Hand this line to the log's home: {vkey}", vkey=made.vkey))


@group.command(
    help=N_("Sign somebody's checkpoint as a witness; needs no home. Never signs two histories of one log."),
    epilog=N_(
        "Example: signet ledger cosign --in request.txt --key desk.key --state desk.json --log-key LINE --out cosigned"
    ),
)
def cosign(
    source: Annotated[Path, typer.Option("--in", metavar="FILE", help=N_("A request, or a checkpoint at first."))],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help=N_("The key of the witness."))],
    state: Annotated[Path, typer.Option("--state", metavar="FILE", help=N_("What the witness has signed so far."))],
    log_key: Annotated[
        str | None, typer.Option("--log-key", metavar="LINE", help=N_("Verifier key of the log, the first time."))
    ] = None,
    out: CopyOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cosign a checkpoint."""
    from compliance.storage import write_atomically
    from compliance.witness import Witness, load_key, read_text

    _verify_free(out, overwrite)
    signed = Witness(state, load_key(key)).cosign(read_text(source), log_key)
    if out is not None:
        write_atomically(out, signed.encode())
    output = Output(as_json)
    output.data({"checkpoint": signed, "path": out})
    for line in signed.splitlines():
        output.line(line)


@group.command(
    "add-witness",
    help=N_("Make a witness known by its verifier key."),
    epilog=N_("Example: signet ledger add-witness witness.example/desk+0123abcd+BASE64"),
)
def add_witness(
    context: typer.Context,
    vkey: Annotated[str, typer.Argument(metavar="LINE", help=N_("Verifier key of the witness."))],
    as_json: JsonOption = False,
) -> None:
    """Add a witness."""
    with opened(context) as workshop:
        name = workshop.logkeeping.add_witness(vkey)
    output = Output(as_json)
    output.data({"witness": name})
    output.line(_("{witness} is a witness of this log.", witness=name))


@group.command(
    "add-cosignature",
    help=N_("Keep what a witness signed."),
    epilog=N_("Example: signet ledger add-cosignature --in signed.txt"),
)
def add_cosignature(
    context: typer.Context,
    source: Annotated[
        Path, typer.Option("--in", metavar="FILE", help=N_("The checkpoint as the witness gave it back."))
    ],
    as_json: JsonOption = False,
) -> None:
    """Add a cosignature."""
    with opened(context) as workshop:
        found = workshop.logkeeping.add_cosignatures(source)
    output = Output(as_json)
    for one in found:
        output.data(one)
        output.line(_("{witness} signed {size} entries on {time}.", witness=one.witness, size=one.size, time=one.at))


@group.command(
    "prove-extends",
    help=N_("Show that today's log extends the one a file saw: a released picture, a proof or a checkpoint."),
    epilog=N_("Example: signet ledger prove-extends --from old-release.png"),
)
def prove_extends(
    context: typer.Context,
    source: Annotated[Path, typer.Option("--from", metavar="FILE", help=N_("The file that saw the log."))],
    as_json: JsonOption = False,
) -> None:
    """Prove that the log extends what a file saw."""
    with opened(context) as workshop:
        shown = workshop.logkeeping.prove_extends(source)
    output = Output(as_json)
    output.data(shown)
    output.line(
        _(
            "The log of today ({size} entries) extends the one that {path} saw ({seen} entries).",
            size=shown.size,
            path=source,
            seen=shown.seen_size,
        )
    )


@group.command(
    help=N_("Remove payloads whose time is over: an auditor proposes a day, a consent officer confirms. Leaves stay."),
    epilog=N_("Example: signet ledger prune --before 2023-01-01 · signet ledger prune --confirm 4711"),
)
def prune(
    context: typer.Context,
    before: Annotated[
        datetime | None,
        typer.Option(
            "--before", formats=["%Y-%m-%d"], metavar="DATE", help=N_("Propose: entries older than this day.")
        ),
    ] = None,
    confirm: Annotated[
        int | None, typer.Option("--confirm", min=0, metavar="N", help=N_("Carry out proposal N of somebody else."))
    ] = None,
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose or confirm a pruning."""
    if (before is None) == (confirm is None):
        problem = _("Name either --before or --confirm.")
        raise UsageUnclear(problem=problem, command="signet ledger prune")
    output = Output(as_json)
    with opened(context) as workshop:
        log = workshop.logkeeping
        if confirm is not None:
            plan = with_keys(workshop, password_file, lambda: log.confirm_prune(confirm))
            output.data({"pruned": plan.entries, "ranges": plan.ranges})
            output.line(_("The payloads of {entries} entries are gone; their leaves stay.", entries=plan.entries))
            return
        assert before is not None
        day = before.date()
        number, plan = with_keys(workshop, password_file, lambda: log.propose_prune(day))
    output.data({"proposal": number, "entries": plan.entries, "before": plan.before.isoformat()})
    output.line(
        _("Proposal {number}: the payloads of {entries} entries would go.", number=number, entries=plan.entries)
    )
    output.line(_("A consent officer confirms with `signet ledger prune --confirm {number}`.", number=number))


@group.command(
    "accept-rollback",
    help=N_("Go on with an older copy of the database, when the newer one is lost; the ledger keeps who decided so."),
    epilog=N_('Example: signet ledger accept-rollback --reason "the disk failed on Monday"'),
)
def accept_rollback(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=N_("Why the newer copy is lost."))],
    password_file: PasswordOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with an older log."""
    with opened(context) as workshop:
        index = with_keys(workshop, password_file, lambda: workshop.logkeeping.accept_rollback(reason))
    output = Output(as_json)
    output.data({"ledger_index": index})
    output.line(
        _("Entered as entry {index}. Files released since the copy was made prove that they are newer.", index=index)
    )


def _verify_free(path: Path | None, overwrite: bool) -> None:
    if path is not None and os.path.lexists(path) and not overwrite:
        raise TargetExists(path=path)
