"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import audit, evaluate, models, probe, redact, tracks
from dashredact.cli.app import main

__all__ = ["main"]

for _command in (redact.redact, probe.probe, evaluate.evaluate, audit.audit, models.models, tracks.tracks):
    main.add_command(_command)
