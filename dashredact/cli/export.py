"""`export`: the way out for masked clips, and whom to tell when one of them turns out to be wrong."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dashredact.audit.records import Recall, outputs_of, recalls
from dashredact.audit.records import clips as known_clips
from dashredact.cli.app import printable
from dashredact.cli.options import JSON
from dashredact.cli.tables import DAY, OUT, day, records_of, table, today
from dashredact.errors import ExitCode, UsageError
from dashredact.workspace.output_folder import OutputFolder


class _Default(click.Group):
    """Takes what names no command of its own for the words of `clips`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["clips", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Default)
def export() -> None:
    """Hand masked clips over to a recipient of the policy; `clips` may be left out.

    \b
      dashredact export masked 'front-*' --to "Chizu Inc." --purpose road-map --contract 2026-17 \\
          --basis "consent form 4" --policy policy.toml -o delivery
      dashredact export recall masked
    """


@export.command()
@OUT
@click.argument("names", nargs=-1, required=True)
@click.option("--to", required=True, help="A recipient, as the policy names it.")
@click.option("--purpose", required=True, help="Id of the published purpose.")
@click.option("--contract", required=True, metavar="REF", help="The contract with the recipient, as in the policy.")
@click.option(
    "--policy", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The policy."
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New folder to hand over.")
@click.option("--captured", type=DAY, callback=day, help="Day of filming of all of them, where names do not tell it.")
@click.option("--basis", default="", help="What allows another purpose than the one at capture: a consent, a law.")
@click.option("--reason", default="", help="Why only faces or only plates are masked.")
@click.option("--delete-by", type=DAY, callback=day, help="[default, and latest: the end of retention.masked]")
def clips(out: Path, names: Sequence[str], file: Path, output: Path, **chosen: Any) -> None:
    """Copy masked clips of the folder OUT into a new folder for a recipient, with TERMS.txt and manifest.json.

    NAMES are those of sources or masked files, or patterns of them. All leave or none does: a clip that the policy
    does not let go, or whose file is not the one of the audit log, keeps the others back. Exit code 8 if the policy
    refuses one, 3 if a file is another.

    \b
      dashredact export clips masked front-20260412-081502.mp4 --to "Chizu Inc." --purpose road-map \\
          --contract 2026-17 --basis "consent form 4" --policy policy.toml -o delivery
    """
    from dashredact.governance.disclosure import export as exports  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    asked = exports.ExportRequest(names=names, folder=output, **chosen)
    if asked.delete_by and asked.delete_by < today():
        raise UsageError(f"--delete-by {asked.delete_by} is over; give a later day.")
    read = store.read(file)
    with OutputFolder(out).deciding():
        left = exports.export(out, read, asked, today())
    click.echo(printable(f"{output}: {len(left)} clip{'' if len(left) == 1 else 's'} for {asked.to.rstrip('.')}."))


@export.command()
@OUT
@click.argument("names", nargs=-1)
@JSON
def recall(out: Path, names: Sequence[str], as_json: bool) -> None:
    """Name everybody who holds a clip that was corrected or deleted after they got it. Exit code 5 if there is one.

    NAMES are those of sources or masked files, or patterns of them; without any, all clips count.

    \b
      dashredact export recall masked
      dashredact export recall masked front-20260412-081502.mp4 --json
    """
    records = records_of(out)
    wanted = outputs_of(known_clips(records), names) if names else set()
    found = [one for one in recalls(records) if not names or one.handed.output in wanted or one.handed.fits(names)]
    print_recalls(found, as_json)
    raise SystemExit(ExitCode.NEEDS_REVIEW if found else ExitCode.OK)


def print_recalls(found: Sequence[Recall], as_json: bool = False) -> None:
    """Whom to tell, one a line."""
    rows = [
        {**asdict(one.handed), "act": one.act, "act_line": one.line, "act_time": one.time, "reason": one.reason}
        for one in found
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    keys = ("recipient", "clip", "time", "act", "act_time", "contract", "sha256", "reason")
    columns = ("recipient", "clip", "handed over", "act", "since", "contract", "sha256", "reason")
    table(columns, [[row[key] for key in keys] for row in rows])
