"""`purge`: deletes what has been kept for as long as the policy says."""

import json
from datetime import datetime
from pathlib import Path

import click

from dashredact.cli.options import FOLDER, INBOX, JSON, POLICY_FILE
from dashredact.errors import ExitCode
from dashredact.governance.retention import encryption
from dashredact.governance.retention.inventory import Disposition, PurgeFinding
from dashredact.governance.retention.purge import Purge, PurgeOptions
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder


@click.command()
@FOLDER
@POLICY_FILE
@INBOX
@click.option(
    "--seal", "recipient", default="", metavar="RECIPIENT", help="Encrypt originals that are kept for this age key."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@JSON
def purge(
    folder: OutputFolder, policy_file: Path, inbox: Path | None, recipient: str, dry_run: bool, as_json: bool
) -> None:
    """Delete originals, masked videos, tracks and scratch of FOLDER when their time is over.

    Originals are left alone without --inbox. One goes only if its masked video is there and is the one of the audit
    log. One that could not be masked is never deleted: it is listed as overdue, and the exit code is 5. What is held
    (see `hold`) stays. Each deletion is a line in the audit log. docs/retention.md says what deleting means on flash
    memory and in backups.

    \b
      dashredact purge masked --policy policy.toml --inbox uploads --dry-run
      dashredact purge masked --policy policy.toml --inbox uploads
    """
    from dashredact.governance.policy import file as policies  # noqa: PLC0415 - what reads a policy is slow to load

    read = policies.read(policy_file)
    if recipient:
        encryption.recipient_of(recipient)
    overdue = False
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
