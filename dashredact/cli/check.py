"""`check`: whether a policy and its outputs meet the guidebook."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashredact import files
from dashredact.cli.grammar import command, command_option
from dashredact.cli.options import FILE_TO_WRITE, JSON, OPTIONAL_FOLDER, POLICY_FILE
from dashredact.errors import ExitCode
from dashredact.text import printable
from dashredact.workspace.output_folder import OutputFolder

if TYPE_CHECKING:
    from dashredact.governance.notice.guidebook import Answer


@command()
@OPTIONAL_FOLDER
@POLICY_FILE
@command_option("-o", "--output", type=FILE_TO_WRITE, help="Also write the answers as a web page.")
@JSON
def check(folder: OutputFolder | None, policy_file: Path, output: Path | None, as_json: bool) -> None:
    """Check a policy, and what was masked under it, against the Guidebook for Utilization of Camera Images.

    The guidebook is that of METI and MIC. Each item is met, not met, or outside the tool. Evidence comes from the audit
    log of FOLDER; without a FOLDER, items that only a log can show are not met. Exit code 5 if an item is not met. This
    is no legal advice and no certificate.

    \b
      dashredact check --policy policy.toml
      dashredact check masked --policy policy.toml -o check.html
    """
    answers, operator, today = _answers(policy_file, folder)
    if output:
        from dashredact.governance.notice import pages  # noqa: PLC0415 - slow to load

        files.private_folder(output.absolute().parent)
        files.write(output, pages.guidebook_page(answers, operator, today).encode())
    if as_json:
        for answer in answers:
            click.echo(json.dumps(answer.as_dict(), ensure_ascii=False))
    else:
        _print(answers)
    missed = any(answer.verdict == "not met" for answer in answers)
    raise SystemExit(ExitCode.NEEDS_REVIEW if missed else ExitCode.OK)


def _answers(file: Path, folder: OutputFolder | None) -> "tuple[Sequence[Answer], str, str]":
    """Also who films, and the day of the check."""
    from dashredact.governance.notice import guidebook as book  # noqa: PLC0415 - what reads a policy is slow to load
    from dashredact.governance.notice.evidence import Case  # noqa: PLC0415
    from dashredact.governance.policy import file as store  # noqa: PLC0415

    read, today = store.read(file), datetime.now(UTC).astimezone().date()
    case = Case(read.policy, read.sha256, today)
    if folder:
        case = Case(read.policy, read.sha256, today, folder.events(), folder.readable_by_others())
    return book.check(case), read.policy.operator.name.en, str(today)


def _print(answers: "Sequence[Answer]") -> None:
    from dashredact.governance.notice import guidebook as book  # noqa: PLC0415 - what reads a policy is slow to load

    click.echo(book.summary(answers))
    for answer in book.unmet_first(answers):
        click.echo(_in_words(answer))


def _in_words(answer: "Answer") -> str:
    item = answer.item
    lines = [f"{item.id:<4} {answer.verdict:<17} {item.asks}"]
    lines += [f"     {' ' * 17} {printable(line)}" for line in (*answer.evidence, f"({item.certainty})")]
    return "\n".join(lines)
