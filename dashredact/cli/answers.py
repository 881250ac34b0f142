"""How a request is answered: a copy for one person, or erasing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dashredact.audit.events import Event, RequestKind
from dashredact.audit.records import Clip, Recall, clips, held, named, recalls
from dashredact.audit.subject_requests import SubjectRequest, register
from dashredact.cli.app import say
from dashredact.cli.export import print_recalls
from dashredact.cli.masking import crew_of
from dashredact.cli.options import FOLDER, NAMES, QUIET
from dashredact.cli.tables import today
from dashredact.errors import ExitCode, PolicyError, UsageError
from dashredact.governance.retention import erasure
from dashredact.progress import ProgressDisplay
from dashredact.text import printable
from dashredact.workspace import originals
from dashredact.workspace.output_folder import OutputFolder

ID = click.argument("number", type=click.IntRange(1), metavar="ID")
INBOX = click.option(
    "--inbox",
    "inboxes",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder in which originals may lie; may be given several times.",
)


def request_of(events: Sequence[Event], number: int, kinds: Sequence[RequestKind] = ()) -> SubjectRequest:
    """UsageError where it is not there, closed, or asks for something else; kinds: empty for any, closed ones too."""
    found = register(events).get(number)
    if found is None:
        raise UsageError(f"There is no request {number}; `dashredact request list` shows them.")
    if kinds and found.closed:
        raise UsageError(f"Request {number} is closed; take it down anew with `request add`.")
    if kinds and found.kind not in kinds:
        raise UsageError(f"Request {number} asks for {found.kind}; take another down with `request add`.")
    return found


@click.command()
@FOLDER
@ID
@click.argument("name")
@click.option(
    "--track", "tracks", type=click.IntRange(1), multiple=True, required=True, help="Id of a track of theirs."
)
@INBOX
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@QUIET
def copy(
    folder: OutputFolder,
    number: int,
    name: str,
    tracks: Sequence[int],
    inboxes: Sequence[Path],
    output: Path,
    quiet: bool,
) -> None:
    """Make a copy of clip NAME for the person of request ID: their tracks unmasked, everybody else's masked.

    It is made from the original, which has to be under --inbox and unchanged; sound and positions are left out. OUTPUT
    lies outside of FOLDER, for its owner's eyes only. Look at all of it before you hand it over: a track may have gone
    from one person to another on the way. `dashredact tracks show` and the report tell which track is whose.

    \b
      dashredact request copy masked 1 taxi7-20260412-081502.mp4 --track 4 --track 9 --inbox uploads -o copy.mp4
    """
    from dashredact.governance.disclosure import subject_copy  # noqa: PLC0415 - video takes long to load

    if not inboxes:
        raise UsageError("A copy is made from the original; name the folder it lies in with --inbox.")
    with folder.deciding():
        records = folder.records()
        asked = request_of(folder.events(), number, [RequestKind.COPY])
        clip = _one(folder.path, records, name)
        source = subject_copy.source_of(clip, inboxes)
        wanted = subject_copy.CopyRequest(clip, tracks, output, number, asked.reference)
        with ProgressDisplay(quiet=quiet) as progress, crew_of(_CREW) as crew:
            progress.start({source.name: source.stat().st_size})
            subject_copy.make_copy(folder.path, wanted, source, crew, progress)
    click.echo(output)
    say(f"{output} shows a person unmasked: look at all of it, hand it over, and delete it.")


_CREW = {"jobs": 1, "memory_limit": 4, "stall_limit": 120.0, "video_limit": 6.0, "device": "cpu"}


def _one(out: Path, records: Sequence[Mapping[str, Any]], name: str) -> Clip:
    clip = next((one for one in clips(records) if name in (one.name, (one.output or {}).get("name"))), None)
    if clip is None or clip.output is None:
        raise UsageError(f"The audit log of {out} knows no masked clip {name}; `dashredact request find` lists them.")
    return clip


@click.command()
@FOLDER
@ID
@NAMES
@INBOX
@click.option("--beyond", is_flag=True, help="Also clips that do not fit the vehicle and time of the request.")
def erase(folder: OutputFolder, number: int, names: Sequence[str], inboxes: Sequence[Path], beyond: bool) -> None:
    """Delete the clips NAMES in all stages for request ID, and name everybody who was handed one.

    The original under --inbox, the masked file, the tracks file, detections and the page of the report go, and each
    file gets into a `purged` line of the audit log. A clip that is held stays (exit code 8). Exit code 5 if an
    original was not found, or somebody has to be told. Backups and copies elsewhere are not reached. Where the same
    content arrives again, it is refused.

    \b
      dashredact request erase masked 2 taxi7-20260412-081502.mp4 --inbox uploads
    """
    out = folder.path
    with folder.exclusive():
        records = folder.records()
        asked = request_of(folder.events(), number, [RequestKind.ERASE, RequestKind.STOP])
        named_so = _chosen(out, records, names, inboxes)
        if not beyond:
            _check_fit(out, records, asked, named_so, inboxes)
        chosen = _all_names_of(clips(records), named_so)
        if reasons := [f"{clip.name}: is held ({why})" for clip in chosen if (why := held(records, clip, today()))]:
            raise PolicyError(*(f"{reason}; release it first, or tell them why it is kept." for reason in reasons))
        plans = _each_once([erasure.plan(folder, clip, records, inboxes) for clip in chosen])
        erasure.erase(folder, plans, asked.id)
    for file in (file for plan in plans for file in plan.files):
        click.echo(printable(f"{file.stage}: {file.entry.name}"))
    missing = [
        clip.name
        for clip, plan in zip(chosen, plans, strict=True)
        if not clip.erased and all(file.stage not in erasure.UNMASKED for file in plan.files)
    ]
    for name in missing:
        say(f"{name}: its original was not found; if it still exists, name its folder with --inbox and run again.")
    told = _to_be_told(folder.records(), chosen, asked)
    if told:
        say("These have to be told that they delete it too:")
        print_recalls(told)
    raise SystemExit(ExitCode.NEEDS_REVIEW if missing or told else ExitCode.OK)


def _chosen(
    out: Path, records: Sequence[Mapping[str, Any]], names: Sequence[str], inboxes: Sequence[Path]
) -> list[Clip]:
    """Also what lies in an inbox and was never tried."""
    chosen, unknown = named(clips(records), names)
    untried = {name: path for name, path in originals.videos(inboxes) if name in unknown} if unknown else {}
    if missing := [name for name in unknown if name not in untried]:
        raise UsageError(f"The audit log of {out} knows no clip {missing[0]}; `dashredact request find` lists them.")
    sources = [originals.told(name, path) for name, path in untried.items()]
    return [*chosen, *(Clip(source["name"], 0, {"source": source}, {}) for source in sources)]


def _check_fit(
    out: Path,
    records: Sequence[Mapping[str, Any]],
    asked: SubjectRequest,
    chosen: Sequence[Clip],
    inboxes: Sequence[Path],
) -> None:
    """UsageError where the request is about other clips: what is erased by mistake is gone."""
    from dashredact.governance.disclosure import find_clips  # noqa: PLC0415 - video takes long to load

    start, end = (datetime.fromisoformat(text) if text else None for text in (asked.start, asked.end))
    scope = find_clips.SearchScope(out, records, today(), inboxes)
    fitting = {one.name for one in find_clips.find_clips(scope, asked.vehicle, start, end)}
    if wrong := [clip.name for clip in chosen if clip.name not in fitting]:
        raise UsageError(
            f"{wrong[0]}: does not fit the vehicle and time of request {asked.id}; `dashredact request find {out}"
            f" {asked.id}` lists those that do, --beyond erases it all the same."
        )


def _to_be_told(records: Sequence[Mapping[str, Any]], chosen: Sequence[Clip], asked: SubjectRequest) -> list[Recall]:
    """Everybody who was handed a clip under any of its names, but for whoever asks."""
    names = {clip.name for clip in chosen}
    outputs = {clip.record["output"]["name"] for clip in chosen if clip.record.get("output")}
    having = [one for one in recalls(records) if one.handed.clip in names or one.handed.output in outputs]
    return [one for one in having if not one.handed.is_personal_for(asked.reference)]


def _each_once(plans: Sequence[erasure.ErasurePlan]) -> list[erasure.ErasurePlan]:
    """Duplicates share a masked file, which goes with the first of them; that the source is gone is said of each."""
    seen: set[Path] = set()
    found = []
    for plan in plans:
        found.append(replace(plan, files=[file for file in plan.files if file.path not in seen]))
        seen |= {file.path for file in plan.files if file.stage not in erasure.UNMASKED}
    return found


def _all_names_of(found: Sequence[Clip], chosen: Sequence[Clip]) -> list[Clip]:
    """One content may have been uploaded under several names."""
    contents = {clip.source_sha256 for clip in chosen if clip.source_sha256}
    names = {clip.name for clip in chosen}
    known = [clip for clip in found if clip.name in names or clip.source_sha256 in contents]
    return [*known, *(clip for clip in chosen if clip.name not in {one.name for one in known})]
