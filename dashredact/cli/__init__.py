"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import audit, evaluate, models, probe, redact, report
from dashredact.cli.app import main

__all__ = ["main"]

for _command in (redact.redact, probe.probe, evaluate.evaluate, audit.audit, report.report, models.models):
    main.add_command(_command)
