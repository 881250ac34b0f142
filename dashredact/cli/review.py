"""`review`: what waits for a person, and what people decide about it."""

import json
from dataclasses import dataclass
from pathlib import Path

import click

from dashredact import files
from dashredact.audit.describe import history_line
from dashredact.audit.events import SourceEvent
from dashredact.cli.app import say
from dashredact.cli.grammar import OptionGroup, command_option, group, option
from dashredact.cli.options import EXISTING_FOLDER, FOLDER, JSON
from dashredact.cli.tables import print_rows
from dashredact.errors import ExitCode, UsageError
from dashredact.review import source_frames
from dashredact.review.queue import ReviewQueue, rank_tracks, residuals_of, state_of
from dashredact.review.views import VideoRow, correction_rows, flagged_row, residual_row, review_line
from dashredact.text import plural, printable
from dashredact.workspace import originals
from dashredact.workspace.output_folder import OutputFolder

NAME = click.argument("name")


@dataclass(frozen=True, kw_only=True)
class OriginalOptions(OptionGroup):
    """Where the original of a masked video is."""

    source: Path | None = option(
        "--source", type=click.Path(exists=True, path_type=Path), help="The original of the video."
    )
    inbox: Path | None = option("--inbox", type=EXISTING_FOLDER, help="Folder with the originals.")


@group()
def review() -> None:
    """Look at what was masked, correct it, and answer for it.

    NAME is that of the unmasked video, as `review list` and the audit log give it.
    """


@review.command("list")
@FOLDER
@command_option("--all", "every", is_flag=True, help="Also videos that were approved.")
@command_option("--min-risk", type=click.FloatRange(0), default=0, help="Only videos of at least this risk.")
@JSON
def list_videos(folder: OutputFolder, every: bool, min_risk: float, as_json: bool) -> None:
    """Print the videos of FOLDER that wait for a person, most pressing first. Exit code 5 if there is one.

    A video waits until its masked file is approved; one that could not be masked, until it is masked or rejected.

    \b
      dashredact review list masked
      dashredact review list masked --json --min-risk 10
    """
    videos = [video for video in ReviewQueue(folder).queue(every=every) if video.priority.risk >= min_risk]
    print_rows([VideoRow.of(video).to_record() for video in videos], as_json)
    raise SystemExit(ExitCode.NEEDS_REVIEW if any(video.is_open for video in videos) else ExitCode.OK)


@review.command()
@FOLDER
@NAME
@command_option("--all", "every", is_flag=True, help="Every track that has a reason, however little it weighs.")
@JSON
def show(folder: OutputFolder, name: str, every: bool, as_json: bool) -> None:
    """Print the tracks of a video that are worth a look, and its corrections with who made them.

    Frames count from 0, the last one included; boxes are x0,y0,x1,y1 in pixels of the upright picture.

    \b
      dashredact review show masked trip.mp4
    """
    queue = ReviewQueue(folder)
    clip = queue.masked(name)
    file = queue.tracks(clip)
    rows = [flagged_row(one, file) for one in rank_tracks(clip, file) if every or one.worth_a_look]
    rows += [residual_row(one, file) for one in residuals_of(clip, file)]
    rows += correction_rows(clip, file)
    if not as_json and clip.output:
        click.echo(printable(f"{name}: {state_of(clip)}, {plural(len(file.tracks), 'track')}, {clip.output.name}"))
        for line in filter(None, (clip.tried.reason, review_line(clip))):
            click.echo(printable(line))
    print_rows([row.to_record() for row in rows], as_json)


@review.command()
@FOLDER
@NAME
@JSON
def history(folder: OutputFolder, name: str, as_json: bool) -> None:
    """Print every event about a video, oldest first: who did what, when, and why.

    \b
      dashredact review history masked trip.mp4
    """
    entries = [(one, record) for one, record in folder.entries() if isinstance(one, SourceEvent) and one.name == name]
    if not entries:
        raise UsageError(f"The audit log of {folder} says nothing of a source named {name}.")
    for event, record in entries:
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else printable(history_line(event)))


@review.command()
@FOLDER
@NAME
@command_option("-o", "--output", required=True, type=click.Path(path_type=Path), help="PNG to write, outside FOLDER.")
def sheet(folder: OutputFolder, name: str, original: OriginalOptions, output: Path) -> None:
    """Draw what lies under the masks that are worth a look, as it was filmed. Private: delete it after use.

    \b
      dashredact review sheet masked trip.mp4 --source uploads/trip.mp4 -o /tmp/sheet.png
    """
    if folder.contains(output):
        raise UsageError(f"{output} is under {folder}, which holds masked pictures only; choose another folder.")
    queue = ReviewQueue(folder)
    clip = queue.masked(name)
    file = queue.tracks(clip)
    flagged = [one for one in rank_tracks(clip, file) if one.worth_a_look]
    if not flagged:
        raise UsageError(f"{name}: has no track that is worth a look; nothing was drawn.")
    path = originals.locate(clip.source, original.source, original.inbox)
    content = source_frames.contact_sheet(path, file, flagged, clip.masking.parsed_settings().video_stream)
    files.write_new(output, content)
    say(f"{output} shows people and plates unmasked; only its owner can read it. Delete it after use.")
    click.echo(output)
