"""`redact`: masks videos into a folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from dashredact import batch
from dashredact.cli.app import say
from dashredact.cli.masking import MASK, POLICY, WORKERS, admission_of, cameras_of, crew_of, exit_code, settings_of
from dashredact.cli.options import DETECT, JSON, SOURCES, detector_of
from dashredact.outcome import Outcome, Verdict
from dashredact.progress import Progress
from dashredact.store import files, inbox


@click.command()
@SOURCES
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder.")
@DETECT
@MASK
@POLICY
@WORKERS
@click.option("--dry-run", is_flag=True, help="Only detect, and say what would be masked.")
@JSON
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def redact(sources: Sequence[Path], output: Path, dry_run: bool, as_json: bool, quiet: bool, **chosen: Any) -> None:
    """Mask the SOURCES, video files or folders of them, into a folder.

    Leaves NAME.masked.EXT, NAME.tracks.json and a line in audit.jsonl for each, and prints the path of each masked
    video. What is done already is skipped; a run that was stopped goes on where it was.

    \b
      dashredact redact trip.mp4 -o masked
      dashredact redact uploads/ -o masked --style fill --audio keep
    """
    items = inbox.plan(sources, output)
    cameras = cameras_of(chosen["zones"], items)
    detector = detector_of(chosen)
    settings = settings_of(chosen, detector)
    admission = admission_of(chosen, settings)
    with Progress(quiet=quiet) as progress, files.lock(output), crew_of(chosen) as crew:
        progress.expect({item.name: item.source.stat().st_size for item in items})
        run = batch.Batch(output, detector, settings, progress, cameras, crew, admission)
        verdicts = []
        for outcome in run.rehearse(items) if dry_run else run.run(items):
            progress.end(outcome.name)
            verdicts.append(_show(outcome, as_json))
    raise SystemExit(exit_code(verdicts))


def _show(outcome: Outcome, as_json: bool) -> Verdict:
    """Results to stdout, what went wrong to stderr."""
    if outcome.reason:
        say(outcome.reason)
    if as_json:
        path = str(outcome.output) if outcome.output else None
        told = outcome.record or {"source": {"name": outcome.name}, "outcome": outcome.verdict}
        click.echo(json.dumps({**told, "path": path}, ensure_ascii=False))
    elif outcome.output:
        click.echo(outcome.output)
    elif outcome.verdict is Verdict.REHEARSED and outcome.record:
        found = [f"{count['tracks']} {kind} tracks" for kind, count in outcome.record["tracks"].items()]
        click.echo(f"{outcome.name}: {', '.join(found) or 'nothing'}")
    return outcome.verdict
