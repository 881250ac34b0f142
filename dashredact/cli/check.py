"""`check`: how a policy and its outputs stand to the guidebook."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashredact import files
from dashredact.audit import log as audit_log
from dashredact.cli.options import JSON
from dashredact.errors import ExitCode, UsageError
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder

if TYPE_CHECKING:
    from dashredact.governance.notice.guidebook import Answer


@click.command()
@click.option("--guidebook", is_flag=True, help="The Guidebook for Utilization of Camera Images (METI and MIC).")
@click.option(
    "--policy",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy to check.",
)
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of masked videos whose audit log gives evidence.",
)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Also write the answers as a web page.")
@JSON
def check(guidebook: bool, file: Path, out: Path | None, page: Path | None, as_json: bool) -> None:
    """Check a policy and its outputs against the guidebook, item by item: met, not met, or outside the tool.

    Exit code 5 if something is not met. This is no legal advice and no certificate.

    \b
      dashredact check --guidebook --policy policy.toml --out masked/ --page check.html
    """
    if not guidebook:
        raise UsageError("There is nothing to check; add --guidebook.")
    answers, operator, today = _answers(file, out)
    if page:
        from dashredact.governance.notice import pages  # noqa: PLC0415 - slow to load

        files.private_folder(page.absolute().parent)
        files.write(page, pages.guidebook_page(answers, operator, today).encode())
    for answer in answers:
        click.echo(json.dumps(answer.as_dict(), ensure_ascii=False) if as_json else _in_words(answer))
    missed = any(answer.verdict == "not met" for answer in answers)
    raise SystemExit(ExitCode.NEEDS_REVIEW if missed else ExitCode.OK)


def _answers(file: Path, out: Path | None) -> "tuple[Sequence[Answer], str, str]":
    """Also who films, and the day of the check."""
    from dashredact.governance.notice import guidebook as book  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.notice.evidence import Case  # noqa: PLC0415
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    read, today = store.read(file), datetime.now(UTC).astimezone().date()
    log = None if out is None else list(audit_log.records(out / audit_log.NAME))
    loose = () if out is None else OutputFolder(out).readable_by_others()
    case = Case(read.policy, read.sha256, today, log, loose)
    return book.check(case), read.policy.operator.name.en, str(today)


def _in_words(answer: "Answer") -> str:
    item = answer.item
    lines = [f"{item.id:<4} {answer.verdict:<17} {item.asks}"]
    lines += [f"     {' ' * 17} {printable(told)}" for told in (*answer.evidence, f"({item.standing})")]
    return "\n".join(lines)
