"""`purge`: deletes what has been kept for as long as the policy says."""

import json
from datetime import datetime
from pathlib import Path

import click

from dashredact.cli.app import say
from dashredact.cli.grammar import command, command_option
from dashredact.cli.options import FOLDER, INBOX, JSON, POLICY_FILE
from dashredact.errors import ExitCode
from dashredact.governance.retention import encryption
from dashredact.governance.retention.inventory import Disposition, PurgeFinding
from dashredact.governance.retention.purge import Purge, PurgeOptions, UpcomingDeletion
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder


@command()
@FOLDER
@POLICY_FILE
@INBOX
@command_option(
    "--seal", "recipient", default="", metavar="RECIPIENT", help="Encrypt originals that are kept for this age key."
)
@command_option("--dry-run", is_flag=True, help="Only say what would be done.")
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
    options = PurgeOptions(read, inbox, datetime.now().astimezone(), recipient, dry_run)
    seen = set()
    with folder.exclusive():
        run = Purge(folder, options)
        for finding in run.findings():
            click.echo(_line(finding, as_json, dry_run))
            seen.add(finding.disposition)
    if dry_run and Disposition.DELETED not in seen:
        say(_nothing_due(run.next))
    raise SystemExit(ExitCode.NEEDS_REVIEW if seen & {Disposition.OVERDUE, Disposition.WAITING} else ExitCode.OK)


def _nothing_due(upcoming: UpcomingDeletion | None) -> str:
    """What is deleted next, for somebody who wonders whether this works at all."""
    if upcoming is None:
        return "Nothing is due for deletion, and nothing here ever will be."
    return f"Nothing is due for deletion. Next is {upcoming.name}, on {upcoming.rule.due} ({upcoming.rule})."


def _line(finding: PurgeFinding, as_json: bool, dry_run: bool) -> str:
    if as_json:
        row = {"what": finding.disposition, "name": finding.name, "reason": finding.reason, "dry_run": dry_run}
        return json.dumps(row, ensure_ascii=False)
    planned = {Disposition.DELETED: "would be deleted", Disposition.SEALED: "would be sealed"} if dry_run else {}
    return printable(f"{planned.get(finding.disposition, finding.disposition)}: {finding.name} ({finding.reason})")
