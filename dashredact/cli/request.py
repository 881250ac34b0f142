"""`request`: what people who may have been filmed ask for, until it is answered in time."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from dashredact.audit.events import Answered, Requested, RequestKind, RequestRef
from dashredact.audit.subject_requests import RequestState, SubjectRequest, register
from dashredact.cli.answers import ID, INBOX, copy, erase, request_of
from dashredact.cli.app import say
from dashredact.cli.options import FOLDER, JSON, choice
from dashredact.cli.tables import DAY, day, table, today
from dashredact.errors import ExitCode, UsageError
from dashredact.governance.policy.words import ANSWER_DAYS
from dashredact.workspace.output_folder import OutputFolder

_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"])
_SOON = timedelta(days=3)
_FROM = click.option("--from", "start", type=_MOMENT, help="Local time of the camera, as 2026-04-12T08:15.")
_TO = click.option("--to", "end", type=_MOMENT, help="The same; the last moment.")
_VEHICLE = click.option("--vehicle", default="", metavar="PATTERN", help="Pattern of its file names, as in 'taxi7-*'.")


@click.group()
def request() -> None:
    """Keep and answer requests of people who may have been filmed: a copy, erasing, no further use.

    The register stands in the audit log of FOLDER, which never holds who asks: give the number of your own file.

    \b
      dashredact request add masked --kind copy --reference 2026-031 --vehicle 'taxi7-*' \\
          --from 2026-04-12T08:00 --to 2026-04-12T08:30 --place "Ginza 4"
      dashredact request find masked 1 --inbox uploads
      dashredact request copy masked 1 taxi7-20260412-081502.mp4 --track 4 --inbox uploads -o copy.mp4
      dashredact request close masked 1 --note "sent by post"
    """


@request.command()
@FOLDER
@click.option("--kind", type=choice(RequestKind), required=True, help="What is asked for.")
@click.option("--reference", required=True, help="Number of your own file; not a name.")
@_VEHICLE
@_FROM
@_TO
@click.option("--place", default="", help="A note on where.")
@click.option("--received", type=DAY, callback=day, help="[default: today]")
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Says contact.answer_days."
)
def add(folder: OutputFolder, policy: Path | None, received: date | None, **told: Any) -> None:
    """Take a request down and print its number and the day on which it is due, 14 days on without a policy.

    \b
      dashredact request add masked --kind erase --reference 2026-032 --from 2026-04-12T08:00 --to 2026-04-12T08:30
    """
    start, end = (value.isoformat() if value else "" for value in (told["start"], told["end"]))
    if start and end and end < start:
        raise UsageError("--to lies before --from; give the earlier moment first.")
    came = received or today()
    if came > today():
        raise UsageError(f"--received {came} is yet to come; give the day on which it came in.")
    due = came + timedelta(days=_answer_days(policy))
    with folder.deciding():
        number = max(register(folder.events()), default=0) + 1
        words = (told["reference"].strip(), told["vehicle"], start, end, told["place"], str(came), str(due))
        taken = SubjectRequest(number, RequestKind(told["kind"]), *words)
        said = f"Request {number}: {taken.kind}, {taken.reference}, due {due}."
        folder.append(Requested(reason=said, request=taken.entry()))
    click.echo(f"Request {number}, due {due}.")


def _answer_days(policy: Path | None) -> int:
    if policy is None:
        return ANSWER_DAYS
    from dashredact.governance.policy import file as store  # noqa: PLC0415 - what reads a policy is slow to load

    return store.read(policy).policy.contact.answer_days


@request.command("list")
@FOLDER
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@JSON
def list_requests(folder: OutputFolder, everything: bool, as_json: bool) -> None:
    """List requests that wait: open, due within three days, overdue. Exit code 5 if one is overdue.

    \b
      dashredact request list masked
    """
    now, soon = str(today()), str(today() + _SOON)
    states = [(one, one.state(now, soon)) for one in register(folder.events()).values()]
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
@INBOX
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
    from dashredact.governance.disclosure import find_clips  # noqa: PLC0415 - numpy and ffmpeg are not needed for the rest

    records = folder.records()
    asked = request_of(folder.events(), number) if number else None
    if asked:
        vehicle = vehicle or asked.vehicle
        start, end = start or _moment(asked.start), end or _moment(asked.end)
    found = find_clips.find_clips(find_clips.SearchScope(folder.path, records, today(), inboxes), vehicle, start, end)
    keys = ("name", "state", "filmed", "until", "told by", "original", "recipients")
    rows = [
        {
            "name": one.name,
            "state": one.state,
            "filmed": one.span.start.isoformat() if one.span else "unknown",
            "until": one.span.end.isoformat(timespec="seconds") if one.span else "",
            "told by": one.captured.source,
            "original": "yes" if one.original else "no" if inboxes else "no --inbox",
            "recipients": "; ".join(one.recipients),
        }
        for one in found
    ]
    if not found:
        say("No clip fits; widen the time, and name the folders of originals with --inbox.")
    _print(rows, keys, as_json)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@request.command()
@FOLDER
@ID
@click.option("--note", required=True, help="How it ended, such as: copy sent; nobody found; refused, and why.")
def close(folder: OutputFolder, number: int, note: str) -> None:
    """Close request ID.

    \b
      dashredact request close masked 1 --note "copy sent"
    """
    with folder.deciding():
        if request_of(folder.events(), number).closed:
            raise UsageError(f"Request {number} is closed already.")
        folder.append(Answered(reason=note, request=RequestRef(id=number)))
    click.echo(f"Request {number} is closed.")


for _command in (copy, erase):
    request.add_command(_command)
