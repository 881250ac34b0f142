"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import (
    audit,
    batch,
    check,
    evaluate,
    export,
    incident,
    models,
    notice,
    policy,
    probe,
    redact,
    report,
    request,
    tracks,
)
from dashredact.cli.app import main

__all__ = ["main"]

_COMMANDS = (
    redact.redact,
    batch.batch,
    report.report,
    probe.probe,
    tracks.tracks,
    audit.audit,
    policy.policy,
    notice.notice,
    check.check,
    export.export,
    request.request,
    incident.incident,
    evaluate.evaluate,
    models.models,
)
for _command in _COMMANDS:
    main.add_command(_command)
