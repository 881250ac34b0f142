"""`probe`: what is known of a file before it is decoded."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from dashredact.cli.grammar import command, command_option
from dashredact.cli.options import JSON, SOURCES
from dashredact.errors import ExitCode, VideoError
from dashredact.media.describe import as_dict, as_text
from dashredact.media.probe import probe as probe_file


@command()
@SOURCES
@command_option("--video-stream", type=click.IntRange(0), help="Index of the one to describe in files with several.")
@JSON
def probe(sources: Sequence[Path], video_stream: int | None, as_json: bool) -> None:
    """Say what is known of SOURCES before they are decoded, and what stands in the way of masking them.

    \b
      dashredact probe trip.mp4 --json
    """
    failed = False
    for path in sources:
        try:
            info = probe_file(path, video_stream=video_stream)
        except VideoError as error:
            failed = True
            click.echo(json.dumps({"name": path.name, "refused": str(error)}, ensure_ascii=False) if as_json else error)
        else:
            failed |= bool(info.damages)
            click.echo(json.dumps(as_dict(info), ensure_ascii=False) if as_json else as_text(info))
    raise SystemExit(ExitCode.SOME_FAILED if failed else ExitCode.OK)
