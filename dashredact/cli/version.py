"""`--version`: everything that an output depends on besides its source and the options."""

import platform
from importlib import metadata

import click

from dashredact import __version__
from dashredact.detect.dashnet import manifest
from dashredact.errors import DashredactError
from dashredact.media import ffmpeg

_DIGITS = 12  # of a sha256, enough to tell two apart


def text() -> str:
    """A line each; what is missing is said and ends nothing."""
    return "\n".join(
        (
            f"dashredact {__version__}",
            f"weights {_weights()}",
            f"engine torch {metadata.version('torch')}, Python {platform.python_version()}",
            f"ffmpeg {_ffmpeg()}",
        )
    )


def _weights() -> str:
    try:
        identity = manifest.read(manifest.default_folder()).identity
    except DashredactError as error:
        return f"missing: {error}"
    return f"{identity.name} {identity.sha256[:_DIGITS]}"


def _ffmpeg() -> str:
    try:
        return ffmpeg.version_text()
    except DashredactError as error:
        return f"missing: {error}"


def show(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(text())
        context.exit()
