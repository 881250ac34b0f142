"""`request`: what people who may have been filmed ask for, until it is answered in time."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from dashredact.audit.events import RequestKind
from dashredact.audit.subject_requests import RequestState
from dashredact.cli.answers import ID, copy, erase
from dashredact.cli.app import say
from dashredact.cli.grammar import EnumChoice, command_option, group
from dashredact.cli.options import DAY, EXISTING_FILE, FOLDER, INBOXES, JSON, day
from dashredact.cli.tables import table, today
from dashredact.errors import ExitCode
from dashredact.governance.disclosure import requests
from dashredact.governance.disclosure.find_clips import ClipQuery, find_clips
from dashredact.governance.policy.words import ANSWER_DAYS
from dashredact.workspace.output_folder import OutputFolder

_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])
_FROM = command_option(
    "--from", "start", type=_MOMENT, metavar="TIME", help="Local time of the camera, as 2026-04-12T08:15."
)
_TO = command_option("--to", "end", type=_MOMENT, metavar="TIME", help="The same; the last moment.")
_VEHICLE = command_option("--vehicle", default="", metavar="PATTERN", help="Pattern of its file names: 'taxi7-*'.")


@group()
def request() -> None:
    """Keep and answer requests of people who may have been filmed: a copy, erasing, no further use.

    The register is kept in the audit log of FOLDER, which never holds who asks: give the number of your own file.

    \b
      dashredact request add masked --kind copy --reference 2026-031 --vehicle 'taxi7-*' \\
          --from 2026-04-12T08:00 --to 2026-04-12T08:30 --place "Ginza 4"
      dashredact request find masked 1 --inbox uploads
      dashredact request copy masked 1 taxi7-20260412-081502.mp4 --track 4 --inbox uploads -o copy.mp4
      dashredact request close masked 1 --note "sent by post"
    """


@request.command()
@FOLDER
@command_option("--kind", type=EnumChoice(RequestKind), required=True, help="What is asked for.")
@command_option("--reference", required=True, help="Number of your own file; not a name.")
@_VEHICLE
@_FROM
@_TO
@command_option("--place", default="", help="A note on where.")
@command_option("--received", type=DAY, callback=day, help="[default: today]")
@command_option("--policy", type=EXISTING_FILE, help="Says contact.answer_days.")
def add(
    folder: OutputFolder,
    kind: RequestKind,
    reference: str,
    vehicle: str,
    start: datetime | None,
    end: datetime | None,
    place: str,
    received: date | None,
    policy: Path | None,
) -> None:
    """Register a request and print its number and the day on which it is due, 14 days on without a policy.

    \b
      dashredact request add masked --kind erase --reference 2026-032 --from 2026-04-12T08:00 --to 2026-04-12T08:30
    """
    new = requests.NewRequest(kind, reference, received or today(), vehicle, start, end, place)
    entered = requests.add(folder, new, _answer_days(policy), today())
    click.echo(f"Request {entered.id}, due {entered.due}.")


def _answer_days(policy: Path | None) -> int:
    if policy is None:
        return ANSWER_DAYS
    from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

    return store.read(policy).policy.contact.answer_days


@request.command("list")
@FOLDER
@command_option("--all", "everything", is_flag=True, help="Closed ones too.")
@JSON
def list_requests(folder: OutputFolder, everything: bool, as_json: bool) -> None:
    """List requests that wait: open, due within three days, overdue. Exit code 5 if one is overdue.

    \b
      dashredact request list masked
    """
    states = requests.listed(folder, today())
    shown = [(one, state) for one, state in states if everything or state is not RequestState.CLOSED]
    rows = [{**to_builtins(one.entry()), "state": state, "closed": one.closed} for one, state in shown]
    keys = ("id", "state", "due", "kind", "reference", "vehicle", "from", "to", "place", "closed")
    _print(rows, keys, as_json)
    raise SystemExit(
        ExitCode.NEEDS_REVIEW if any(state is RequestState.OVERDUE for _, state in states) else ExitCode.OK
    )


def _print(rows: Sequence[Mapping[str, Any]], keys: Sequence[str], as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        table(keys, [["" if row[key] is None else row[key] for key in keys] for row in rows])


@request.command()
@FOLDER
@click.argument("number", type=click.IntRange(1), metavar="[ID]", required=False)
@_VEHICLE
@_FROM
@_TO
@INBOXES
@JSON
def find(
    folder: OutputFolder,
    number: int | None,
    vehicle: str,
    start: datetime | None,
    end: datetime | None,
    inboxes: Sequence[Path],
    as_json: bool,
) -> None:
    """Find the clips that a request is about, by the vehicle and time of request ID or of the options.

    When a clip was filmed is taken from the audit log, its file name, its folders, or the container of its original
    under --inbox, in this order; whether the camera's clock was right, nobody knows. A clip that this leaves undated is
    listed too, as `unknown`: look at it. Nothing is masked or changed.

    \b
      dashredact request find masked 1 --inbox uploads
      dashredact request find masked --vehicle 'taxi7-*' --from 2026-04-12T08:00 --to 2026-04-12T08:30
    """
    known = ClipQuery.of_request(requests.find(folder, number)) if number else ClipQuery()
    query = ClipQuery(vehicle or known.vehicle, start or known.start, end or known.end)
    matches = find_clips(folder, inboxes, query, today())
    keys = ("name", "state", "filmed", "until", "dated by", "original", "recipients")
    rows = [
        {
            "name": one.name,
            "state": one.state,
            "filmed": one.span.start.isoformat() if one.span else "unknown",
            "until": one.span.end.isoformat(timespec="seconds") if one.span else "",
            "dated by": one.captured.source,
            "original": "yes" if one.original else "no" if inboxes else "no --inbox",
            "recipients": "; ".join(one.recipients),
        }
        for one in matches
    ]
    if not matches:
        say("No clip fits; widen the time, and name the folders of originals with --inbox.")
    _print(rows, keys, as_json)


@request.command()
@FOLDER
@ID
@command_option("--note", required=True, help="How it ended, such as: copy sent; nobody found; refused, and why.")
def close(folder: OutputFolder, number: int, note: str) -> None:
    """Close request ID.

    \b
      dashredact request close masked 1 --note "copy sent"
    """
    requests.close(folder, number, note)
    click.echo(f"Request {number} is closed.")


for _command in (copy, erase):
    request.add_command(_command)
