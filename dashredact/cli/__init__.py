"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import audit, batch, evaluate, models, probe, redact, tracks
from dashredact.cli.app import main

__all__ = ["main"]

_COMMANDS = (
    redact.redact,
    batch.batch,
    probe.probe,
    tracks.tracks,
    audit.audit,
    evaluate.evaluate,
    models.models,
)
for _command in _COMMANDS:
    main.add_command(_command)
