"""`export`: the way out for masked clips, and whom to tell when one of them turns out to be wrong."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import click

from dashredact.audit.disclosures import Recall
from dashredact.cli.grammar import OptionGroup, command_option, group, option
from dashredact.cli.options import DAY, FOLDER, FOLDER_TO_WRITE, JSON, NAMES, POLICY_FILE, day
from dashredact.cli.tables import table, today
from dashredact.errors import ExitCode
from dashredact.governance.disclosure.recall import recalls_of
from dashredact.text import plural, printable
from dashredact.workspace.output_folder import OutputFolder


@group()
def export() -> None:
    """Hand masked clips over to a recipient of the policy, and find out whom to tell when one turns out to be wrong.

    \b
      dashredact export clips masked 'front-*' --recipient "Chizu Inc." --purpose road-map --contract 2026-17 \\
          --basis "consent form 4" --policy policy.toml -o delivery
      dashredact export recall masked
    """


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions(OptionGroup):
    """To whom clips go, and by what right."""

    recipient: str = option("--recipient", required=True, help="A recipient, as the policy names it.")
    purpose: str = option("--purpose", required=True, help="Id of the published purpose.")
    contract: str = option(
        "--contract", required=True, metavar="REF", help="The contract with the recipient, as in the policy."
    )
    captured: date | None = option(
        "--captured", type=DAY, callback=day, help="Day of filming of all of them, where names do not tell it."
    )
    basis: str = option(
        "--basis", default="", help="What allows another purpose than the one at capture: a consent, a law."
    )
    reason: str = option("--reason", default="", help="Why faces or plates are left out.")
    delete_by: date | None = option(
        "--delete-by", type=DAY, callback=day, help="[default, and latest: the end of retention.masked]"
    )


@export.command()
@FOLDER
@NAMES
@POLICY_FILE
@command_option("-o", "--output", required=True, type=FOLDER_TO_WRITE, help="New folder to hand over.")
def clips(
    folder: OutputFolder, names: Sequence[str], delivery: DeliveryOptions, policy_file: Path, output: Path
) -> None:
    """Copy masked clips of FOLDER into a new folder for a recipient, with TERMS.txt and manifest.json.

    NAMES are those of sources or masked files, or patterns of them. All leave or none does: a clip that the policy
    does not let go, or whose file is not the one of the audit log, keeps the others back. Exit code 8 if the policy
    refuses one, 3 if a file is another.

    \b
      dashredact export clips masked front-20260412-081502.mp4 --recipient "Chizu Inc." --purpose road-map \\
          --contract 2026-17 --basis "consent form 4" --policy policy.toml -o delivery
    """
    from dashredact.governance.disclosure import export as exports  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    options = exports.ExportOptions(
        names,
        delivery.recipient,
        delivery.purpose,
        delivery.contract,
        output,
        delivery.captured,
        delivery.basis,
        delivery.reason,
        delivery.delete_by,
    )
    exported = exports.export(folder, store.read(policy_file), options, today())
    click.echo(printable(f"{output}: {plural(len(exported), 'clip')} for {delivery.recipient.rstrip('.')}."))


@export.command()
@FOLDER
@click.argument("names", nargs=-1)
@JSON
def recall(folder: OutputFolder, names: Sequence[str], as_json: bool) -> None:
    """Name everybody who holds a clip that was corrected, rejected or deleted after they got it.

    Exit code 5 if there is one.

    NAMES are those of sources or masked files, or patterns of them; without any, all clips count.

    \b
      dashredact export recall masked
      dashredact export recall masked front-20260412-081502.mp4 --json
    """
    recalls = recalls_of(folder, names)
    print_recalls(recalls, as_json)
    raise SystemExit(ExitCode.NEEDS_REVIEW if recalls else ExitCode.OK)


def print_recalls(recalls: Sequence[Recall], as_json: bool = False) -> None:
    """Whom to tell, one a line."""
    rows = [
        {**asdict(one.disclosure), "act": one.act, "act_line": one.line, "act_time": one.time, "reason": one.reason}
        for one in recalls
    ]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    keys = ("recipient", "clip", "time", "act", "act_time", "contract", "sha256", "reason")
    columns = ("recipient", "clip", "handed over", "act", "since", "contract", "sha256", "reason")
    table(columns, [[row[key] for key in keys] for row in rows])
