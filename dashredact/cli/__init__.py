"""Every command, option and exit code. The only room that knows click."""

from dashredact.cli import (
    audit,
    batch,
    check,
    completion,
    corrections,
    doctor,
    evaluate,
    export,
    hold,
    incident,
    models,
    notice,
    policy,
    probe,
    purge,
    redact,
    report,
    request,
    retry,
    review,
    sample,
    status,
    tracks,
)
from dashredact.cli.app import main

__all__ = ["main"]

_COMMANDS = (
    redact.redact,
    batch.batch,
    retry.retry,
    report.report,
    status.status,
    review.review,
    probe.probe,
    tracks.tracks,
    audit.audit,
    policy.policy,
    notice.notice,
    check.check,
    export.export,
    request.request,
    incident.incident,
    purge.purge,
    hold.hold,
    evaluate.evaluate,
    models.models,
    doctor.doctor,
    completion.completion,
)
for _command in _COMMANDS:
    main.add_command(_command)
for _command in corrections.COMMANDS:
    review.review.add_command(_command)
review.review.add_command(sample.sample)
