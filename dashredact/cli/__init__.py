"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import audit, batch, evaluate, models, probe, redact
from dashredact.cli.app import main

__all__ = ["main"]

for _command in (redact.redact, batch.batch, probe.probe, evaluate.evaluate, audit.audit, models.models):
    main.add_command(_command)
