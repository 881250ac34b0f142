"""`redact`: masks videos into a folder."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import click

from dashredact.audit.clips import Clips
from dashredact.batch.batch import Batch
from dashredact.batch.summary import RunSummary, counted_endings, needing_review
from dashredact.cli.app import say
from dashredact.cli.grammar import OptionGroup, command, option
from dashredact.cli.masking import admission_of, cameras_of, detector_of, recheckers_of, settings_of, workers_of
from dashredact.cli.options import (
    FOLDER_TO_WRITE,
    JSON,
    QUIET,
    SOURCES,
    BoxOptions,
    MaskOptions,
    PolicyOptions,
    WhatOptions,
    WorkerOptions,
)
from dashredact.detect.null import NullDetector
from dashredact.errors import UsageError
from dashredact.formats import exchange
from dashredact.formats.exchange import TracksFormat
from dashredact.kinds import KINDS, Kind
from dashredact.pipeline import given_boxes
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.progress import ProgressDisplay
from dashredact.settings import BoxFile
from dashredact.text import plural
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder


@dataclass(frozen=True, kw_only=True)
class HowOptions(OptionGroup, heading="Where and how"):
    output: Path = option("-o", "--output", required=True, type=FOLDER_TO_WRITE, help="Output folder.")
    relink: bool = option("--relink", is_flag=True, help="Link and mask again from kept detections; detect nothing.")
    dry_run: bool = option("--dry-run", is_flag=True, help="Only detect, and say what would be masked.")


@command()
@SOURCES
@JSON
@QUIET
def redact(
    sources: Sequence[Path],
    how: HowOptions,
    given: BoxOptions,
    mask: MaskOptions,
    policy: PolicyOptions,
    workers: WorkerOptions,
    as_json: bool,
    quiet: bool,
) -> None:
    """Mask the SOURCES, video files or folders of them, into a folder.

    Leaves NAME.masked.EXT, NAME.tracks.json and a line in audit.jsonl for each, and prints the path of each masked
    video. What is done already is skipped; a run that was stopped goes on where it was. After a folder, or several
    videos, stderr gets a summary in one line.

    \b
      dashredact redact trip.mp4 -o masked
      dashredact redact uploads/ -o masked --style fill --audio keep
      dashredact redact trip.mp4 -o masked --boxes trip.corrected.tracks.json
      dashredact redact trip.mp4 -o masked --keep-detections
      dashredact redact trip.mp4 -o masked --relink --threshold plate=0.3
      dashredact redact trip.mp4 -o masked --kinds face,plate,person --model yolo.onnx=person
    """
    if how.output.suffix.lower() in inbox.SUFFIXES and not how.output.is_dir():
        raise UsageError(f"{how.output} looks like a video file; name the folder for the results with -o.")
    inbox.check_apart(sources, how.output)
    items = inbox.plan(sources, how.output)
    cameras = cameras_of(mask.what.zones, items)
    boxes, in_boxes = _boxes(given, mask.what, items)
    wanted = None if how.relink else mask.what.kinds
    detector = detector_of(mask.detect, wanted=wanted) if given.detector else NullDetector()
    recheckers = recheckers_of(mask, detector, given, wanted=wanted)
    settings = settings_of(mask, detector, recheckers=recheckers, given=given, boxes=boxes, in_boxes=in_boxes)
    options = RunOptions(recheckers, given.boxes, mask.what.keep_detections, how.relink)
    admission = admission_of(policy, mask.what, settings)
    folder, summary = OutputFolder(how.output), RunSummary()
    if (left := inbox.passed_over(sources, how.output)) and not quiet:
        say(f"Passed over, as no videos by their ending: {counted_endings(left)}.")
    with (
        ProgressDisplay(quiet=quiet) as progress,
        folder.masking(),
        workers_of(workers, mask.detect.device) as pool,
    ):
        progress.start({item.name: item.source.stat().st_size for item in items})
        batch = Batch(folder, detector, settings, progress, cameras, pool, options, admission)
        for outcome in batch.rehearse(items) if how.dry_run else batch.run(items):
            progress.video_done(outcome.name)
            summary.count(outcome)
            _show(outcome, as_json)
        if not how.dry_run:
            summary.needs_review = needing_review(Clips.read(folder.events()), [item.name for item in items])
    if not quiet and (len(items) > 1 or any(source.is_dir() for source in sources)):
        say(f"{summary.line}.")
    raise SystemExit(summary.exit_code)


def _boxes(given: BoxOptions, what: WhatOptions, items: Sequence[inbox.Item]) -> tuple[BoxFile | None, Set[Kind]]:
    """What settings say of the file of boxes, and the kinds in it; says which of its boxes are taken.

    UsageError where it is not for this video, which is found out before hours of work, or nothing at all would be
    masked.
    """
    path = given.boxes
    if path is None:
        if not given.detector:
            raise UsageError("Where no detector looks, say with --boxes FILE what is masked.")
        if given.boxes_of_another_video:
            raise UsageError("--boxes-of-another-video is about --boxes; name a file with it, or leave it out.")
        return None, frozenset()
    if len(items) != 1:
        raise UsageError(f"{path} is for one video, and there are {len(items)}; name the one.")
    format = exchange.format_of(path)
    if not given.boxes_of_another_video:
        exchange.check_source(path, items[0].source, format)
    boxes = exchange.box_file(path, what.kinds)
    tracks = given_boxes.read(path, items[0].source, what.video_stream)
    if format is not TracksFormat.JSON:
        say(
            f"{path} is read as {format.description}; if it has another format, convert it with `dashredact tracks"
            " import --format` and name the result."
        )
    if tracks is None:
        say(f"{path}: zones and the kinds {', '.join(boxes.kinds)} are taken, when the video is decoded.")
        return boxes, frozenset(KINDS)
    taken = Counter(track.kind for track in tracks if boxes.takes(track.kind))
    left = Counter(track.kind for track in tracks if not boxes.takes(track.kind))
    if left and not taken and not given.detector:
        raise UsageError(f"{path} holds {_counted(left)}, none of which --kinds names: nothing would be masked.")
    without = f"; {_counted(left)} left out, which --kinds does not name" if left else ""
    say(f"{path}: {_counted(taken)} taken{without}.")
    return boxes, {track.kind for track in tracks}


def _counted(tracks: Mapping[Kind, int]) -> str:
    """`2 plate tracks, 1 zone track`"""
    return ", ".join(plural(count, f"{kind.row.singular} track") for kind, count in tracks.items()) or "no tracks"


def _show(outcome: Outcome, as_json: bool) -> None:
    """Results to stdout, what went wrong to stderr."""
    if outcome.reason:
        say(outcome.reason)
    for note in outcome.notes:
        say(f"{outcome.name}: {note}.")
    if as_json:
        path = str(outcome.output) if outcome.output else None
        line = outcome.record or {"source": {"name": outcome.name}, "outcome": outcome.status}
        click.echo(json.dumps({**line, "path": path}, ensure_ascii=False))
    elif outcome.output:
        click.echo(outcome.output)
    elif outcome.status is VideoStatus.REHEARSED and outcome.record:
        found = [plural(count["tracks"], f"{kind} track") for kind, count in outcome.record["tracks"].items()]
        click.echo(f"{outcome.name}: {', '.join(found) or 'nothing'}")
