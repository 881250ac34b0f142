"""`purge`: deletes what has been kept for as long as the policy says."""

import json
from datetime import datetime
from pathlib import Path

import click

from dashredact.cli.app import printable
from dashredact.cli.options import JSON
from dashredact.errors import ExitCode
from dashredact.governance.retention import encryption
from dashredact.governance.retention.inventory import Disposition, PurgeFinding
from dashredact.governance.retention.purge import Purge, PurgeOptions
from dashredact.workspace.output_folder import OutputFolder

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option(
    "--policy",
    "policy_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Policy that says how long anything is kept.",
)
@click.option("--outbox", required=True, type=_FOLDER, help="Where masked videos and their audit log are.")
@click.option("--inbox", type=_FOLDER, help="Where the originals are; they are left alone without it.")
@click.option(
    "--seal", "recipient", default="", metavar="RECIPIENT", help="Encrypt originals that are kept for this age key."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@JSON
def purge(policy_file: Path, outbox: Path, inbox: Path | None, recipient: str, dry_run: bool, as_json: bool) -> None:
    """Delete originals, masked videos, tracks and scratch when their time is over.

    An original goes only if its masked video is there and is the one of the audit log. One that could not be masked is
    never deleted: it is listed as overdue, and the exit code is 5. What is held (see `hold`) stays. Each deletion is a
    line in the audit log. docs/retention.md says what deleting means on flash memory and in backups.

    \b
      dashredact purge --policy policy.toml --outbox masked --inbox uploads --dry-run
      dashredact purge --policy policy.toml --outbox masked --inbox uploads
    """
    from dashredact.governance.policy import file as policies  # noqa: PLC0415 - what reads a policy is slow to load

    read = policies.read(policy_file)
    if recipient:
        encryption.recipient_of(recipient)
    overdue = False
    folder = OutputFolder(outbox)
    with folder.exclusive():
        asked = PurgeOptions(read, folder, inbox, datetime.now().astimezone(), recipient, dry_run)
        for finding in Purge(asked).findings():
            click.echo(_told(finding, as_json, dry_run))
            overdue |= finding.what is Disposition.OVERDUE
    raise SystemExit(ExitCode.NEEDS_REVIEW if overdue else ExitCode.OK)


def _told(finding: PurgeFinding, as_json: bool, dry_run: bool) -> str:
    if as_json:
        told = {"what": finding.what, "name": finding.name, "reason": finding.reason, "dry_run": dry_run}
        return json.dumps(told, ensure_ascii=False)
    what = (
        {Disposition.DELETED: "would be deleted", Disposition.SEALED: "would be sealed"}.get(finding.what)
        if dry_run
        else None
    )
    return printable(f"{what or finding.what}: {finding.name} ({finding.reason})")
